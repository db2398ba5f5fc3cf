/*
 * Hooks of libssl's settings: how an application says which versions it allows.
 */
#include "shim/core/setting.h"
#include "shim/openssl/openssl_floor.h"
#include "shim/openssl/openssl_settings.h"
#include "shim/openssl/openssl_witness.h"
#include "shim/openssl/openssl_library.h"
#include "shim/base/thread.h"

#define CALLER __builtin_return_address(0)

/* ---- methods ---- */

/* A context was made with what openssl_floor_flexible gave for `method`: what the hook gives. */
static SSL_CTX *made(const char *call, const struct ssl_library *library, const SSL_METHOD *method,
		     uint16_t pin, SSL_CTX *context)
{
	setting_forget(context);
	if (context)
		openssl_setting_method(call, library, method, context, context);
	openssl_floor_pin(library, context, pin);
	return context;
}

/*
 * A context for one version below the floor would be deaf to any minimum, so in
 * enforce and upgrade it is made flexible and limited to that version: outside
 * the scope it negotiates what it would have, inside the floor can be raised.
 */
SSL_CTX *SSL_CTX_new(const SSL_METHOD *method)
{
	const struct ssl_library *library = openssl_library(CALLER);
	const SSL_METHOD *used;
	uint16_t pin;

	if (!library)
		return NULL;
	used = openssl_floor_flexible(library, method, &pin);
	return made("SSL_CTX_new", library, method, pin, library->SSL_CTX_new(used));
}

SSL_CTX *SSL_CTX_new_ex(OSSL_LIB_CTX *library_context, const char *properties,
			const SSL_METHOD *method)
{
	const struct ssl_library *library = openssl_library(CALLER);
	const SSL_METHOD *used;
	uint16_t pin;

	/* A program that looks for it finds our hook even where OpenSSL 1.1 has none. */
	if (!library || !library->SSL_CTX_new_ex)
		return NULL;
	used = openssl_floor_flexible(library, method, &pin);
	return made("SSL_CTX_new_ex", library, method, pin,
		    library->SSL_CTX_new_ex(library_context, properties, used));
}

int SSL_CTX_set_ssl_version(SSL_CTX *context, const SSL_METHOD *method)
{
	const struct ssl_library *library = openssl_library(CALLER);
	const SSL_METHOD *used;
	uint16_t pin;
	int result;

	if (!library)
		return 0;
	used = openssl_floor_flexible(library, method, &pin);
	result = library->SSL_CTX_set_ssl_version(context, used);
	if (result == 1) {
		openssl_setting_method("SSL_CTX_set_ssl_version", library, method, NULL, context);
		openssl_floor_pin(library, context, pin);
	}
	return result;
}

int SSL_set_ssl_method(SSL *ssl, const SSL_METHOD *method)
{
	const struct ssl_library *library = openssl_library(CALLER);
	int result;

	if (!library)
		return 0;
	result = library->SSL_set_ssl_method(ssl, method);
	if (result == 1)
		openssl_setting_method("SSL_set_ssl_method", library, method, NULL, ssl);
	return result;
}

/* ---- minimum and maximum ---- */

/* What a bound was before, where nobody has asked. */
#define BOUND_UNKNOWN (-1L)

/* The bound was set by a command that gave `result`, and was `before`: what the hook gives. */
static long bounded(const char *call, const void *owner, int command, long number, long before,
		    long result)
{
	if (result == 1 && (before == BOUND_UNKNOWN || before != number))
		openssl_setting_ctrl(call, owner, command, number);
	return result;
}

long SSL_CTX_ctrl(SSL_CTX *context, int command, long number, void *pointer)
{
	const struct ssl_library *library = openssl_library(CALLER);
	const int bound = openssl_setting_bound(command, number);
	long before = BOUND_UNKNOWN;

	if (!library)
		return 0;
	openssl_setting_place(context);
	if (bound)
		before = library->SSL_CTX_ctrl(context, bound, 0, NULL);
	return bounded("SSL_CTX_ctrl", context, command, number, before,
		       library->SSL_CTX_ctrl(context, command, number, pointer));
}

long SSL_ctrl(SSL *ssl, int command, long number, void *pointer)
{
	const struct ssl_library *library = openssl_library(CALLER);
	const int bound = openssl_setting_bound(command, number);
	long before = BOUND_UNKNOWN;

	if (!library)
		return 0;
	if (bound)
		before = library->SSL_ctrl(ssl, bound, 0, NULL);
	return bounded("SSL_ctrl", ssl, command, number, before,
		       library->SSL_ctrl(ssl, command, number, pointer));
}

/* ---- options ---- */

uint64_t SSL_CTX_set_options(SSL_CTX *context, uint64_t options)
{
	const struct ssl_library *library = openssl_library(CALLER);

	if (!library)
		return 0;
	openssl_setting_place(context);
	openssl_setting_options_set("SSL_CTX_set_options", context, options);
	return library->SSL_CTX_set_options(context, options);
}

uint64_t SSL_set_options(SSL *ssl, uint64_t options)
{
	const struct ssl_library *library = openssl_library(CALLER);

	if (!library)
		return 0;
	openssl_setting_options_set("SSL_set_options", ssl, options);
	return library->SSL_set_options(ssl, options);
}

uint64_t SSL_CTX_clear_options(SSL_CTX *context, uint64_t options)
{
	const struct ssl_library *library = openssl_library(CALLER);

	if (!library)
		return 0;
	openssl_setting_place(context);
	if (library->SSL_CTX_get_options)
		openssl_setting_options_cleared("SSL_CTX_clear_options", context,
						options & library->SSL_CTX_get_options(context));
	return library->SSL_CTX_clear_options(context, options);
}

uint64_t SSL_clear_options(SSL *ssl, uint64_t options)
{
	const struct ssl_library *library = openssl_library(CALLER);

	if (!library)
		return 0;
	if (library->SSL_get_options)
		openssl_setting_options_cleared("SSL_clear_options", ssl,
						options & library->SSL_get_options(ssl));
	return library->SSL_clear_options(ssl, options);
}

/* ---- the security level, under which OpenSSL 3 has no TLS below 1.2 ---- */

void SSL_CTX_set_security_level(SSL_CTX *context, int level)
{
	const struct ssl_library *library = openssl_library(CALLER);

	if (!library)
		return;
	openssl_setting_security_level("SSL_CTX_set_security_level", context, level);
	library->SSL_CTX_set_security_level(context, level);
}

void SSL_set_security_level(SSL *ssl, int level)
{
	const struct ssl_library *library = openssl_library(CALLER);

	if (!library)
		return;
	openssl_setting_security_level("SSL_set_security_level", ssl, level);
	library->SSL_set_security_level(ssl, level);
}

int SSL_CTX_set_cipher_list(SSL_CTX *context, const char *ciphers)
{
	const struct ssl_library *library = openssl_library(CALLER);
	int result;

	if (!library)
		return 0;
	openssl_setting_place(context);
	result = library->SSL_CTX_set_cipher_list(context, ciphers);
	if (result == 1)
		openssl_setting_ciphers("SSL_CTX_set_cipher_list", context, ciphers);
	return result;
}

int SSL_set_cipher_list(SSL *ssl, const char *ciphers)
{
	const struct ssl_library *library = openssl_library(CALLER);
	int result;

	if (!library)
		return 0;
	result = library->SSL_set_cipher_list(ssl, ciphers);
	if (result == 1)
		openssl_setting_ciphers("SSL_set_cipher_list", ssl, ciphers);
	return result;
}

int SSL_CONF_cmd(SSL_CONF_CTX *context, const char *command, const char *value)
{
	const struct ssl_library *library = openssl_library(CALLER);
	int result;

	if (!library)
		return 0;
	result = library->SSL_CONF_cmd(context, command, value);
	if (result > 0)
		openssl_setting_command(command, value);
	return result;
}

/* ---- the transport: the last calls under an interpreter's lock before the handshake ---- */

/* Before one of them; false where the library is gone. */
static bool transport(const struct ssl_library *library, SSL *ssl)
{
	if (!library)
		return false;
	openssl_setting_place(NULL);
	openssl_transport_set(library, ssl);
	return true;
}

int SSL_set_fd(SSL *ssl, int fd)
{
	const struct ssl_library *library = openssl_library(CALLER);

	if (!transport(library, ssl))
		return 0;
	return library->SSL_set_fd(ssl, fd);
}

int SSL_set_rfd(SSL *ssl, int fd)
{
	const struct ssl_library *library = openssl_library(CALLER);

	if (!transport(library, ssl))
		return 0;
	return library->SSL_set_rfd(ssl, fd);
}

void SSL_set_bio(SSL *ssl, BIO *read_bio, BIO *write_bio)
{
	const struct ssl_library *library = openssl_library(CALLER);

	if (!transport(library, ssl))
		return;
	library->SSL_set_bio(ssl, read_bio, write_bio);
}
