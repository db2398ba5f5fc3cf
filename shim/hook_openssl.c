/*
 * Doors of libssl and libcrypto: everything that can drive a handshake. A call
 * that reaches several doors (SSL_connect calls SSL_do_handshake, on Debian
 * through our door, elsewhere directly) is recorded once all the same, because
 * the object's entry knows that it was.
 */
#include <stddef.h>

#include "openssl_witness.h"
#include "real.h"

#ifndef BIO_C_DO_STATE_MACHINE
#define BIO_C_DO_STATE_MACHINE 101
#endif

#define CALLER __builtin_return_address(0)

/* ---- the handshake itself ---- */

DOOR int SSL_connect(SSL *ssl)
{
	const struct ssl_library *library = real_ssl_library(CALLER);
	struct openssl_call call;
	int result;

	if (!library)
		return -1;
	if (!openssl_call_begin(&call, library, ssl, true))
		return library->SSL_connect(ssl);
	result = library->SSL_connect(ssl);
	openssl_call_end(&call, result > 0);
	return result;
}

DOOR int SSL_do_handshake(SSL *ssl)
{
	const struct ssl_library *library = real_ssl_library(CALLER);
	struct openssl_call call;
	int result;

	if (!library)
		return -1;
	if (!openssl_call_begin(&call, library, ssl, false))
		return library->SSL_do_handshake(ssl);
	result = library->SSL_do_handshake(ssl);
	openssl_call_end(&call, result > 0);
	return result;
}

/* ---- calls that drive it on their way ---- */

DOOR int SSL_read(SSL *ssl, void *buffer, int count)
{
	const struct ssl_library *library = real_ssl_library(CALLER);
	struct openssl_call call;
	bool watched;
	int result;

	if (!library)
		return -1;
	watched = openssl_call_begin(&call, library, ssl, false);
	result = library->SSL_read(ssl, buffer, count);
	if (watched)
		openssl_call_end(&call, result > 0);
	if (result > 0)
		openssl_inside(library, ssl, false, buffer, (size_t)result);
	return result;
}

DOOR int SSL_read_ex(SSL *ssl, void *buffer, size_t count, size_t *read_bytes)
{
	const struct ssl_library *library = real_ssl_library(CALLER);
	struct openssl_call call;
	bool watched;
	int result;

	if (!library)
		return 0;
	watched = openssl_call_begin(&call, library, ssl, false);
	result = library->SSL_read_ex(ssl, buffer, count, read_bytes);
	if (watched)
		openssl_call_end(&call, result > 0);
	if (result > 0)
		openssl_inside(library, ssl, false, buffer, *read_bytes);
	return result;
}

DOOR int SSL_peek(SSL *ssl, void *buffer, int count)
{
	const struct ssl_library *library = real_ssl_library(CALLER);
	struct openssl_call call;
	int result;

	if (!library)
		return -1;
	if (!openssl_call_begin(&call, library, ssl, false))
		return library->SSL_peek(ssl, buffer, count);
	result = library->SSL_peek(ssl, buffer, count);
	openssl_call_end(&call, result > 0);
	return result;
}

DOOR int SSL_peek_ex(SSL *ssl, void *buffer, size_t count, size_t *read_bytes)
{
	const struct ssl_library *library = real_ssl_library(CALLER);
	struct openssl_call call;
	int result;

	if (!library)
		return 0;
	if (!openssl_call_begin(&call, library, ssl, false))
		return library->SSL_peek_ex(ssl, buffer, count, read_bytes);
	result = library->SSL_peek_ex(ssl, buffer, count, read_bytes);
	openssl_call_end(&call, result > 0);
	return result;
}

DOOR int SSL_write(SSL *ssl, const void *buffer, int count)
{
	const struct ssl_library *library = real_ssl_library(CALLER);
	struct openssl_call call;
	bool watched;
	int result;

	if (!library)
		return -1;
	watched = openssl_call_begin(&call, library, ssl, false);
	result = library->SSL_write(ssl, buffer, count);
	if (watched)
		openssl_call_end(&call, result > 0);
	if (result > 0)
		openssl_inside(library, ssl, true, buffer, (size_t)result);
	return result;
}

DOOR int SSL_write_ex(SSL *ssl, const void *buffer, size_t count, size_t *written)
{
	const struct ssl_library *library = real_ssl_library(CALLER);
	struct openssl_call call;
	bool watched;
	int result;

	if (!library)
		return 0;
	watched = openssl_call_begin(&call, library, ssl, false);
	result = library->SSL_write_ex(ssl, buffer, count, written);
	if (watched)
		openssl_call_end(&call, result > 0);
	if (result > 0)
		openssl_inside(library, ssl, true, buffer, *written);
	return result;
}

DOOR void SSL_free(SSL *ssl)
{
	const struct ssl_library *library = real_ssl_library(CALLER);

	if (!library)
		return;
	openssl_object_freed(library, ssl);
	library->SSL_free(ssl);
}
