/*
 * Which object is a GnuTLS that we understand, and where its functions are.
 */
#include "shim/gnutls/gnutls_library.h"

#include "shim/base/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define CALL(name) {#name, offsetof(struct gnutls_library, name), 0},
#define HOOK(name) {#name, offsetof(struct gnutls_library, name), (uintptr_t)(name)},

static const struct library_function functions[] = {
#include "shim/gnutls/libgnutls_calls.def"
#include "shim/hooks/hooks_libgnutls.def"
};

#undef CALL
#undef HOOK

/*
 * May we ask this library about its sessions? GnuTLS from 3.6.3 on has all of
 * these (gnutls_priority_init2 came last).
 */
static bool is_understood(const struct gnutls_library *library)
{
	return library->gnutls_init && library->gnutls_deinit && library->gnutls_handshake &&
	       library->gnutls_priority_init && library->gnutls_priority_init2 &&
	       library->gnutls_priority_set && library->gnutls_priority_deinit &&
	       library->gnutls_priority_protocol_list && library->gnutls_error_is_fatal &&
	       library->gnutls_strerror && library->gnutls_alert_get &&
	       library->gnutls_alert_get_name && library->gnutls_transport_get_ptr &&
	       library->gnutls_protocol_get_version && library->gnutls_cipher_get &&
	       library->gnutls_kx_get && library->gnutls_mac_get &&
	       library->gnutls_cipher_suite_info && library->gnutls_group_get &&
	       library->gnutls_session_is_resumed && library->gnutls_session_get_random &&
	       library->gnutls_session_get_verify_cert_status &&
	       library->gnutls_certificate_get_peers && library->gnutls_x509_crt_equals2 &&
	       library->gnutls_check_version;
}

static bool describe(void *table, const struct loaded_object *object)
{
	struct gnutls_library *library = table;
	const char *version;

	(void)object;
	if (!is_understood(library))
		return false;
	version = library->gnutls_check_version(NULL);
	text_append(library->name, sizeof(library->name), "GnuTLS ");
	text_append(library->name, sizeof(library->name), version ? version : "");
	return true;
}

static struct gnutls_library libraries[LIBRARY_COPIES_MAX];

static struct library_state state;

const struct library_family gnutls_family = {
	.known_by = "gnutls_handshake",
	.functions = functions,
	.function_count = COUNT(functions),
	.tables = libraries,
	.table_size = sizeof(libraries[0]),
	.describe = describe,
	.state = &state,
};

LIBRARY_FAMILY(gnutls_family);
