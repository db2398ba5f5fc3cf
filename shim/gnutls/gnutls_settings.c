#include "shim/gnutls/gnutls_settings.h"

#include "shim/base/thread.h"
#include "shim/core/enforcement.h"
#include "shim/core/recorder.h"
#include "shim/core/setting.h"
#include "shim/wire/tls_wire.h"

static bool matters(const struct gnutls_priorities *priorities)
{
	const uint16_t lowest = gnutls_versions_lowest(priorities->versions);

	/* None at all is for DTLS. */
	return lowest != 0 && (enforcement_is_below_floor(&recorder.policy, lowest) ||
			       gnutls_versions_highest(priorities->versions) < TLS_VERSION_1_3);
}

void gnutls_setting_priorities(const char *call, const struct gnutls_priorities *priorities,
			       const void *owner)
{
	struct setting_words words = {0};

	if (!recorder.on || !priorities || !matters(priorities))
		return;
	setting_say(&words, call);
	setting_say(&words, "(");
	if (priorities->text)
		setting_say(&words, priorities->text);
	setting_end(&words);
	setting_made(&words, thread_state.caller, owner);
}
