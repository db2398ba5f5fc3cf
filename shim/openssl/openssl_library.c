/*
 * Which object is an OpenSSL that we understand, and where its functions are.
 */
#include "shim/openssl/openssl_library.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- the tables of names ---- */

#define CALL(name)      {#name, offsetof(struct ssl_library, name), 0},
#define HOOK(name)      {#name, offsetof(struct ssl_library, name), (uintptr_t)(name)},
#define OF_CRYPTO(name) offsetof(struct ssl_library, crypto.name)

static const struct library_function functions[] = {
#include "shim/hooks/hooks_libssl.def"
#include "shim/openssl/libssl_calls.def"
#undef CALL
#undef HOOK
#define CALL(name) {#name, OF_CRYPTO(name), 0},
#define HOOK(name) {#name, OF_CRYPTO(name), (uintptr_t)(name)},
#include "shim/hooks/hooks_libcrypto.def"
#include "shim/openssl/libcrypto_calls.def"
};

#undef CALL
#undef HOOK

/* ---- what must be there ---- */

/*
 * May we ask this library about its connections? OpenSSL from 1.1.0 on has all
 * of these; libgnutls-openssl, whose SSL is another struct, has not.
 */
static bool is_understood(const struct ssl_library *library)
{
	const struct crypto_library *crypto = &library->crypto;

	return library->SSL_is_init_finished && library->SSL_in_before && library->SSL_is_server &&
	       library->SSL_version && library->SSL_want && library->SSL_get_fd &&
	       library->SSL_get_rbio && library->SSL_get_wbio && library->SSL_get_client_random &&
	       library->SSL_get_current_cipher && library->SSL_CIPHER_get_id && library->SSL_ctrl &&
	       library->SSL_CTX_ctrl && library->SSL_do_handshake && crypto->BIO_test_flags &&
	       crypto->BIO_ctrl && crypto->ERR_peek_last_error && crypto->ERR_set_mark &&
	       crypto->ERR_pop_to_mark;
}

/* "OpenSSL 3.0.19" of "OpenSSL 3.0.19 27 Jan 2026"; a static copy need not have it. */
static void copy_name(struct crypto_library *crypto, const char *otherwise)
{
	const char *text = crypto->OpenSSL_version ? crypto->OpenSSL_version(0) : otherwise;
	size_t length = 0;
	int words = 0;

	while (length < sizeof(crypto->name) - 1 && text[length]) {
		if (text[length] == ' ' && ++words == 2)
			break;
		length++;
	}
	memcpy(crypto->name, text, length);
	crypto->name[length] = '\0';
}

static bool describe(void *table, const struct loaded_object *object)
{
	struct ssl_library *library = table;
	struct loaded_object crypto;

	/* In a static build both are one object, whose functions are filled in already. */
	if (!library->crypto.BIO_ctrl) {
		if (!loaded_object_needed_defining(object, "BIO_ctrl", &crypto))
			return false;
		library_functions_fill(library, functions, COUNT(functions), &crypto);
	}
	if (!library->SSL_get1_peer_certificate) {
		void *address = loaded_object_function(object, "SSL_get_peer_certificate");

		memcpy(&library->SSL_get1_peer_certificate, &address, sizeof(address));
	}
	if (!is_understood(library))
		return false;
	copy_name(&library->crypto, library->SSL_CTX_new_ex ? "OpenSSL 3" : "OpenSSL 1.1");
	return true;
}

static struct ssl_library libraries[LIBRARY_COPIES_MAX];

static struct library_state state;

const struct library_family openssl_family = {
	.known_by = "SSL_connect",
	.functions = functions,
	.function_count = COUNT(functions),
	.tables = libraries,
	.table_size = sizeof(libraries[0]),
	.describe = describe,
	.state = &state,
};

LIBRARY_FAMILY(openssl_family);
