/*
 * Hooks of libssl and libcrypto: everything that can drive a handshake. A call
 * that reaches several hooks (SSL_connect calls SSL_do_handshake, on Debian
 * through our hook, elsewhere directly) is recorded once all the same, because
 * the object's entry knows that it was.
 */
#include <stddef.h>
#include <string.h>

#include "shim/core/setting.h"
#include "shim/openssl/openssl_witness.h"
#include "shim/openssl/openssl_library.h"
#include "shim/core/recorder.h"
#include "shim/base/thread.h"

#ifndef BIO_C_DO_STATE_MACHINE
#define BIO_C_DO_STATE_MACHINE 101
#endif

#define CALLER __builtin_return_address(0)

/* ---- the handshake itself ---- */

int SSL_connect(SSL *ssl)
{
	const struct ssl_library *library = openssl_library(CALLER);
	struct openssl_call call;
	int result;

	if (!library || !openssl_call_begin(&call, library, ssl, true))
		return -1;
	result = library->SSL_connect(ssl);
	if (!openssl_call_end(&call, result > 0))
		return -1;
	return result;
}

int SSL_do_handshake(SSL *ssl)
{
	const struct ssl_library *library = openssl_library(CALLER);
	struct openssl_call call;
	int result;

	if (!library || !openssl_call_begin(&call, library, ssl, false))
		return -1;
	result = library->SSL_do_handshake(ssl);
	if (!openssl_call_end(&call, result > 0))
		return -1;
	return result;
}

/* ---- calls that drive it on their way ---- */

int SSL_read(SSL *ssl, void *buffer, int count)
{
	const struct ssl_library *library = openssl_library(CALLER);
	struct openssl_call call;
	int result;

	if (!library || !openssl_call_begin(&call, library, ssl, false))
		return -1;
	result = library->SSL_read(ssl, buffer, count);
	if (!openssl_call_end(&call, result > 0))
		return -1;
	if (result > 0 && !openssl_inside(library, ssl, false, buffer, (size_t)result))
		return -1;
	return result;
}

int SSL_read_ex(SSL *ssl, void *buffer, size_t count, size_t *read_bytes)
{
	const struct ssl_library *library = openssl_library(CALLER);
	struct openssl_call call;
	int result;

	if (!library || !openssl_call_begin(&call, library, ssl, false))
		return 0;
	result = library->SSL_read_ex(ssl, buffer, count, read_bytes);
	if (!openssl_call_end(&call, result > 0))
		return 0;
	if (result > 0 && !openssl_inside(library, ssl, false, buffer, *read_bytes))
		return 0;
	return result;
}

int SSL_peek(SSL *ssl, void *buffer, int count)
{
	const struct ssl_library *library = openssl_library(CALLER);
	struct openssl_call call;
	int result;

	if (!library || !openssl_call_begin(&call, library, ssl, false))
		return -1;
	result = library->SSL_peek(ssl, buffer, count);
	if (!openssl_call_end(&call, result > 0))
		return -1;
	return result;
}

int SSL_peek_ex(SSL *ssl, void *buffer, size_t count, size_t *read_bytes)
{
	const struct ssl_library *library = openssl_library(CALLER);
	struct openssl_call call;
	int result;

	if (!library || !openssl_call_begin(&call, library, ssl, false))
		return 0;
	result = library->SSL_peek_ex(ssl, buffer, count, read_bytes);
	if (!openssl_call_end(&call, result > 0))
		return 0;
	return result;
}

/* As openssl_call_begin, for a call that hands bytes over. */
static bool begin_write(struct openssl_call *call, const struct ssl_library *library, SSL *ssl)
{
	int result;

	if (!openssl_call_begin(call, library, ssl, false))
		return false;
	if (!openssl_handshake_comes_first(call))
		return true;
	result = library->SSL_do_handshake(ssl);
	return openssl_call_end(call, result > 0) && result > 0 &&
	       openssl_call_begin(call, library, ssl, false);
}

int SSL_write(SSL *ssl, const void *buffer, int count)
{
	const struct ssl_library *library = openssl_library(CALLER);
	struct openssl_call call;
	int result;

	if (!library || !begin_write(&call, library, ssl))
		return -1;
	if (!openssl_may_write(library, ssl, buffer, count > 0 ? (size_t)count : 0))
		return -1;
	result = library->SSL_write(ssl, buffer, count);
	if (!openssl_call_end(&call, result > 0))
		return -1;
	if (result > 0 && !openssl_inside(library, ssl, true, buffer, (size_t)result))
		return -1;
	return result;
}

int SSL_write_ex(SSL *ssl, const void *buffer, size_t count, size_t *written)
{
	const struct ssl_library *library = openssl_library(CALLER);
	struct openssl_call call;
	int result;

	if (!library || !begin_write(&call, library, ssl))
		return 0;
	if (!openssl_may_write(library, ssl, buffer, count))
		return 0;
	result = library->SSL_write_ex(ssl, buffer, count, written);
	if (!openssl_call_end(&call, result > 0))
		return 0;
	if (result > 0 && !openssl_inside(library, ssl, true, buffer, *written))
		return 0;
	return result;
}

int SSL_write_early_data(SSL *ssl, const void *buffer, size_t count, size_t *written)
{
	const struct ssl_library *library = openssl_library(CALLER);
	struct openssl_call call;
	int result;

	if (!library || !openssl_call_begin(&call, library, ssl, false))
		return 0;
	result = library->SSL_write_early_data(ssl, buffer, count, written);
	if (!openssl_call_end(&call, result > 0))
		return 0;
	return result;
}

void SSL_free(SSL *ssl)
{
	const struct ssl_library *library = openssl_library(CALLER);

	if (!library)
		return;
	openssl_object_freed(library, ssl);
	setting_forget(ssl);
	library->SSL_free(ssl);
}

/* ---- BIO chains with TLS in them ---- */

/*
 * The TLS object of a chain, where the application itself calls: BIO's calls
 * also come from a BIO of its own, beneath the TLS of another chain.
 */
static SSL *ssl_of_chain(const struct ssl_library *library, BIO *bio)
{
	SSL *ssl = NULL;
	BIO *filter;

	if (!recorder.on || thread_state.library_depth > 0 || !bio ||
	    !library->crypto.BIO_find_type)
		return NULL;
	filter = library->crypto.BIO_find_type(bio, BIO_TYPE_SSL);
	if (filter)
		library->crypto.BIO_ctrl(filter, BIO_C_GET_SSL, 0, &ssl);
	return ssl;
}

/* One call on a chain. */
struct chain_call {
	const struct ssl_library *library; /* NULL: no TLS in it */
	SSL *ssl;
	struct openssl_call call;
};

/* As openssl_call_begin. */
static bool chain_begin(struct chain_call *chain, const struct ssl_library *library, BIO *bio)
{
	chain->ssl = ssl_of_chain(library, bio);
	chain->library = chain->ssl ? library : NULL;
	return !chain->library ||
	       openssl_call_begin(&chain->call, chain->library, chain->ssl, false);
}

/* As openssl_call_end. */
static bool chain_end(struct chain_call *chain, bool succeeded)
{
	return !chain->library || openssl_call_end(&chain->call, succeeded);
}

/* As chain_begin, for a call that hands bytes over; a retry is told by the chain's flags. */
static bool chain_begin_write(struct chain_call *chain, const struct ssl_library *library, BIO *bio)
{
	long result;

	if (!chain_begin(chain, library, bio))
		return false;
	if (!chain->library || !openssl_handshake_comes_first(&chain->call))
		return true;
	result = library->crypto.BIO_ctrl(bio, BIO_C_DO_STATE_MACHINE, 0, NULL);
	return chain_end(chain, result > 0) && result > 0 && chain_begin(chain, library, bio);
}

static bool chain_may_write(const struct chain_call *chain, const void *bytes, size_t length)
{
	return !chain->library || openssl_may_write(chain->library, chain->ssl, bytes, length);
}

/* As openssl_inside. */
static bool chain_inside(const struct chain_call *chain, bool written, const void *bytes,
			 size_t length)
{
	return !chain->library ||
	       openssl_inside(chain->library, chain->ssl, written, bytes, length);
}

long BIO_ctrl(BIO *bio, int command, long number, void *pointer)
{
	const struct ssl_library *library = openssl_library(CALLER);
	struct chain_call chain;
	long result;

	if (!library)
		return -1;
	/* BIO_do_handshake and BIO_do_connect; BIO_flush empties a buffer into TLS. */
	if (command != BIO_C_DO_STATE_MACHINE && command != BIO_CTRL_FLUSH)
		return library->crypto.BIO_ctrl(bio, command, number, pointer);
	if (!chain_begin(&chain, library, bio))
		return -1;
	result = library->crypto.BIO_ctrl(bio, command, number, pointer);
	if (!chain_end(&chain, result > 0))
		return -1;
	return result;
}

int BIO_read(BIO *bio, void *buffer, int count)
{
	const struct ssl_library *library = openssl_library(CALLER);
	struct chain_call chain;
	int result;

	if (!library)
		return -1;
	if (!chain_begin(&chain, library, bio))
		return -1;
	result = library->crypto.BIO_read(bio, buffer, count);
	if (!chain_end(&chain, result > 0))
		return -1;
	if (result > 0 && !chain_inside(&chain, false, buffer, (size_t)result))
		return -1;
	return result;
}

int BIO_read_ex(BIO *bio, void *buffer, size_t count, size_t *read_bytes)
{
	const struct ssl_library *library = openssl_library(CALLER);
	struct chain_call chain;
	int result;

	if (!library)
		return 0;
	if (!chain_begin(&chain, library, bio))
		return 0;
	result = library->crypto.BIO_read_ex(bio, buffer, count, read_bytes);
	if (!chain_end(&chain, result > 0))
		return 0;
	if (result > 0 && !chain_inside(&chain, false, buffer, *read_bytes))
		return 0;
	return result;
}

int BIO_gets(BIO *bio, char *buffer, int size)
{
	const struct ssl_library *library = openssl_library(CALLER);
	struct chain_call chain;
	int result;

	if (!library)
		return -1;
	if (!chain_begin(&chain, library, bio))
		return -1;
	result = library->crypto.BIO_gets(bio, buffer, size);
	if (!chain_end(&chain, result > 0))
		return -1;
	if (result > 0 && !chain_inside(&chain, false, buffer, (size_t)result))
		return -1;
	return result;
}

int BIO_write(BIO *bio, const void *buffer, int count)
{
	const struct ssl_library *library = openssl_library(CALLER);
	struct chain_call chain;
	int result;

	if (!library)
		return -1;
	if (!chain_begin_write(&chain, library, bio) ||
	    !chain_may_write(&chain, buffer, count > 0 ? (size_t)count : 0))
		return -1;
	result = library->crypto.BIO_write(bio, buffer, count);
	if (!chain_end(&chain, result > 0))
		return -1;
	if (result > 0 && !chain_inside(&chain, true, buffer, (size_t)result))
		return -1;
	return result;
}

int BIO_write_ex(BIO *bio, const void *buffer, size_t count, size_t *written)
{
	const struct ssl_library *library = openssl_library(CALLER);
	struct chain_call chain;
	int result;

	if (!library)
		return 0;
	if (!chain_begin_write(&chain, library, bio) || !chain_may_write(&chain, buffer, count))
		return 0;
	result = library->crypto.BIO_write_ex(bio, buffer, count, written);
	if (!chain_end(&chain, result > 0))
		return 0;
	/* BIO_write_ex may be called without a place for the count. */
	if (result > 0 && written && !chain_inside(&chain, true, buffer, *written))
		return 0;
	return result;
}

int BIO_puts(BIO *bio, const char *text)
{
	const struct ssl_library *library = openssl_library(CALLER);
	struct chain_call chain;
	int result;

	if (!library)
		return -1;
	if (!chain_begin_write(&chain, library, bio) ||
	    !chain_may_write(&chain, text, strlen(text)))
		return -1;
	result = library->crypto.BIO_puts(bio, text);
	if (!chain_end(&chain, result > 0))
		return -1;
	if (result > 0 && !chain_inside(&chain, true, text, (size_t)result))
		return -1;
	return result;
}
