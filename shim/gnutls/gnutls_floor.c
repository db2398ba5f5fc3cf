#include "shim/gnutls/gnutls_floor.h"

#include <string.h>

#include "shim/base/text.h"
#include "shim/core/enforcement.h"
#include "shim/wire/tls_wire.h"

/* Room for the application's own string, and for a change to each version. */
#define TEXT_MAX (GNUTLS_PRIORITIES_TEXT_MAX + 128)

/* As priority strings name them, lowest first. */
static const char *const version_names[TLS_OFFERED_MAX] = {
	"VERS-SSL3.0", "VERS-TLS1.0", "VERS-TLS1.1", "VERS-TLS1.2", "VERS-TLS1.3",
};

static void change(char text[TEXT_MAX], const char *sign, int version)
{
	if (text[0])
		text_append(text, TEXT_MAX, ":");
	text_append(text, TEXT_MAX, sign);
	text_append(text, TEXT_MAX, version_names[version]);
}

static bool is_below(const struct enforcement_policy *policy, int version)
{
	return enforcement_is_below_floor(policy, (uint16_t)(TLS_VERSION_SSL_3_0 + version));
}

/* The versions of `allowed` that lie below the floor. */
static unsigned below_floor(const struct enforcement_policy *policy, unsigned allowed)
{
	unsigned below = 0;

	for (int i = 0; i < TLS_OFFERED_MAX; i++) {
		if ((allowed & (1U << i)) && is_below(policy, i))
			below |= 1U << i;
	}
	return below;
}

static void remove_below(char text[TEXT_MAX], unsigned below)
{
	for (int i = 0; i < TLS_OFFERED_MAX; i++) {
		if (below & (1U << i))
			change(text, "-", i);
	}
}

/*
 * Adds the versions from TLS 1.2 and the floor on, the best first, and returns
 * them. A string that begins with nothing may have what TLS 1.0 needed alone,
 * so it gets what the added ones need.
 */
static unsigned add_above(const struct enforcement_policy *policy, char text[TEXT_MAX],
			  const char *application)
{
	unsigned added = 0;

	for (int i = TLS_OFFERED_MAX; i-- > TLS_VERSION_1_2 - TLS_VERSION_SSL_3_0;) {
		if (is_below(policy, i))
			continue;
		change(text, "+", i);
		added |= 1U << i;
	}
	if (!application || strncmp(application, "NONE", 4) != 0)
		return added;
	text_append(text, TEXT_MAX, ":+AES-256-GCM:+AES-128-GCM:+AEAD");
	if (!strstr(application, "+SIGN-"))
		text_append(text, TEXT_MAX, ":+SIGN-ALL");
	if (!strstr(application, "+GROUP-") && !strstr(application, "+CURVE-"))
		text_append(text, TEXT_MAX, ":+GROUP-ALL");
	return added;
}

/* What was set after the priorities, and is reset with them. */
static void set_again(const struct gnutls_library *library, gnutls_session_t session,
		      const struct gnutls_client *client)
{
	if (client->bits_set && library->gnutls_dh_set_prime_bits)
		library->gnutls_dh_set_prime_bits(session, client->bits);
	if (client->verify_flags && library->gnutls_session_set_verify_cert)
		library->gnutls_session_set_verify_cert(session, client->verify_name,
							client->verify_flags);
}

/* As the application set them, with the change at the end, where it wins. */
static bool set(const struct gnutls_library *library, gnutls_session_t session,
		const struct gnutls_priorities *priorities, const char *text)
{
	/* The library's own default is a string that only it knows. */
	if (!priorities->text || (priorities->flags & GNUTLS_PRIORITY_INIT_DEF_APPEND))
		return library->gnutls_set_default_priority_append &&
		       library->gnutls_set_default_priority_append(session, text, NULL, 0) == 0;
	return library->gnutls_priority_set_direct(session, text, NULL) == 0;
}

enum gnutls_floor gnutls_floor_raise(const struct gnutls_library *library, gnutls_session_t session,
				     struct gnutls_client *client,
				     const struct enforcement_policy *policy)
{
	const struct gnutls_priorities *priorities = client->priorities;
	char text[TEXT_MAX] = "";
	unsigned below;
	unsigned left;

	if (!priorities)
		return GNUTLS_FLOOR_KEPT;
	below = below_floor(policy, priorities->versions);
	if (!below)
		return GNUTLS_FLOOR_KEPT;
	if (priorities->text)
		text_append(text, sizeof(text), priorities->text);
	remove_below(text, below);
	left = priorities->versions & ~below;
	if (!left && enforcement_lifts(policy))
		left = add_above(policy, text, priorities->text);
	if (!left)
		return GNUTLS_FLOOR_NONE_LEFT;
	if (!set(library, session, priorities, text))
		return left & priorities->versions ? GNUTLS_FLOOR_KEPT : GNUTLS_FLOOR_NONE_LEFT;
	client->versions = left;
	set_again(library, session, client);
	return GNUTLS_FLOOR_RAISED;
}

bool gnutls_floor_is_version_error(const struct gnutls_library *library, gnutls_session_t session,
				   int error)
{
	/* The last: the system's configuration has switched off what was added. */
	return error == GNUTLS_E_UNSUPPORTED_VERSION_PACKET ||
	       error == GNUTLS_E_NO_PRIORITIES_WERE_SET ||
	       (error == GNUTLS_E_FATAL_ALERT_RECEIVED &&
		library->gnutls_alert_get(session) == GNUTLS_A_PROTOCOL_VERSION);
}
