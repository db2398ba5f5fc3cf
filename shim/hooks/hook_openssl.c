/*
 * Hooks of libssl and libcrypto: everything that can drive a handshake. A call
 * that reaches several hooks (SSL_connect calls SSL_do_handshake, on Debian
 * through our hook, elsewhere directly) is recorded once all the same, because
 * the object's entry knows that it was.
 *
 * What such a call means is said once, below: a hook begins, calls the real
 * function, and gives what the end of the call says.
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

/* ---- one call, from before the real function to after it ---- */

struct driving {
	const struct ssl_library *library;
	BIO *chain; /* that the call is made on; NULL: on the object itself */
	SSL *ssl;
	bool watched; /* not where a chain has no TLS in it */
	struct openssl_call call;
};

/* As openssl_call_begin; also false where the library is gone (NULL). */
static bool begin(struct driving *driving, const struct ssl_library *library, SSL *ssl,
		  bool connects)
{
	driving->library = library;
	driving->chain = NULL;
	driving->ssl = ssl;
	driving->watched = true;
	return library && openssl_call_begin(&driving->call, library, ssl, connects);
}

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

/* As begin, for a call on a chain. */
static bool begin_chain(struct driving *driving, const struct ssl_library *library, BIO *chain)
{
	driving->library = library;
	driving->chain = chain;
	driving->ssl = library ? ssl_of_chain(library, chain) : NULL;
	driving->watched = driving->ssl != NULL;
	return library && (!driving->watched ||
			   openssl_call_begin(&driving->call, library, driving->ssl, false));
}

/* As openssl_call_end. */
static bool end(struct driving *driving, bool succeeded)
{
	return !driving->watched || openssl_call_end(&driving->call, succeeded);
}

/* It has begun, and would hand these bytes over: may it go on? A chain tells a retry by its flags.
 */
static bool may_write(struct driving *driving, const void *bytes, size_t length)
{
	const struct ssl_library *library = driving->library;
	BIO *chain = driving->chain;
	long result;

	if (!driving->watched)
		return true;
	if (openssl_handshake_comes_first(&driving->call)) {
		result = chain ? library->crypto.BIO_ctrl(chain, BIO_C_DO_STATE_MACHINE, 0, NULL)
			       : library->SSL_do_handshake(driving->ssl);
		if (!end(driving, result > 0) || result <= 0 ||
		    !(chain ? begin_chain(driving, library, chain)
			    : begin(driving, library, driving->ssl, false)))
			return false;
	}
	return !driving->watched || openssl_may_write(library, driving->ssl, bytes, length);
}

/* What the hook of a call gives that has returned `result`; `failure` where it is refused now. */
static long driven(struct driving *driving, long result, int failure)
{
	return end(driving, result > 0) ? result : failure;
}

enum direction { READ, WRITTEN };

/* As driven, for a call that has passed `length` bytes inside TLS if it succeeded. */
static int passed(struct driving *driving, enum direction direction, int result, int failure,
		  const void *bytes, size_t length)
{
	if (!end(driving, result > 0))
		return failure;
	if (result > 0 && driving->watched &&
	    !openssl_inside(driving->library, driving->ssl, direction == WRITTEN, bytes, length))
		return failure;
	return result;
}

/* The same, where the result is how many. */
static int passed_result(struct driving *driving, enum direction direction, int result,
			 const void *bytes)
{
	return passed(driving, direction, result, -1, bytes, result > 0 ? (size_t)result : 0);
}

/* The same, where the result is 1 or 0, and elsewhere how many. */
static int passed_count(struct driving *driving, enum direction direction, int result,
			const void *bytes, const size_t *count)
{
	return passed(driving, direction, result, 0, bytes, result > 0 ? *count : 0);
}

/* ---- the handshake itself ---- */

int SSL_connect(SSL *ssl)
{
	const struct ssl_library *library = openssl_library(CALLER);
	struct driving driving;

	if (!begin(&driving, library, ssl, true))
		return -1;
	return (int)driven(&driving, library->SSL_connect(ssl), -1);
}

int SSL_do_handshake(SSL *ssl)
{
	const struct ssl_library *library = openssl_library(CALLER);
	struct driving driving;

	if (!begin(&driving, library, ssl, false))
		return -1;
	return (int)driven(&driving, library->SSL_do_handshake(ssl), -1);
}

/* ---- calls that drive it on their way ---- */

int SSL_read(SSL *ssl, void *buffer, int count)
{
	const struct ssl_library *library = openssl_library(CALLER);
	struct driving driving;

	if (!begin(&driving, library, ssl, false))
		return -1;
	return passed_result(&driving, READ, library->SSL_read(ssl, buffer, count), buffer);
}

int SSL_read_ex(SSL *ssl, void *buffer, size_t count, size_t *read_bytes)
{
	const struct ssl_library *library = openssl_library(CALLER);
	struct driving driving;

	if (!begin(&driving, library, ssl, false))
		return 0;
	return passed_count(&driving, READ, library->SSL_read_ex(ssl, buffer, count, read_bytes),
			    buffer, read_bytes);
}

int SSL_peek(SSL *ssl, void *buffer, int count)
{
	const struct ssl_library *library = openssl_library(CALLER);
	struct driving driving;

	if (!begin(&driving, library, ssl, false))
		return -1;
	return (int)driven(&driving, library->SSL_peek(ssl, buffer, count), -1);
}

int SSL_peek_ex(SSL *ssl, void *buffer, size_t count, size_t *read_bytes)
{
	const struct ssl_library *library = openssl_library(CALLER);
	struct driving driving;

	if (!begin(&driving, library, ssl, false))
		return 0;
	return (int)driven(&driving, library->SSL_peek_ex(ssl, buffer, count, read_bytes), 0);
}

int SSL_write(SSL *ssl, const void *buffer, int count)
{
	const struct ssl_library *library = openssl_library(CALLER);
	struct driving driving;

	if (!begin(&driving, library, ssl, false) ||
	    !may_write(&driving, buffer, count > 0 ? (size_t)count : 0))
		return -1;
	return passed_result(&driving, WRITTEN, library->SSL_write(ssl, buffer, count), buffer);
}

int SSL_write_ex(SSL *ssl, const void *buffer, size_t count, size_t *written)
{
	const struct ssl_library *library = openssl_library(CALLER);
	struct driving driving;

	if (!begin(&driving, library, ssl, false) || !may_write(&driving, buffer, count))
		return 0;
	return passed_count(&driving, WRITTEN, library->SSL_write_ex(ssl, buffer, count, written),
			    buffer, written);
}

int SSL_write_early_data(SSL *ssl, const void *buffer, size_t count, size_t *written)
{
	const struct ssl_library *library = openssl_library(CALLER);
	struct driving driving;

	if (!begin(&driving, library, ssl, false))
		return 0;
	return (int)driven(&driving, library->SSL_write_early_data(ssl, buffer, count, written), 0);
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

long BIO_ctrl(BIO *bio, int command, long number, void *pointer)
{
	const struct ssl_library *library = openssl_library(CALLER);
	struct driving driving;

	if (!library)
		return -1;
	/* BIO_do_handshake and BIO_do_connect; BIO_flush empties a buffer into TLS. */
	if (command != BIO_C_DO_STATE_MACHINE && command != BIO_CTRL_FLUSH)
		return library->crypto.BIO_ctrl(bio, command, number, pointer);
	if (!begin_chain(&driving, library, bio))
		return -1;
	return driven(&driving, library->crypto.BIO_ctrl(bio, command, number, pointer), -1);
}

int BIO_read(BIO *bio, void *buffer, int count)
{
	const struct ssl_library *library = openssl_library(CALLER);
	struct driving driving;

	if (!begin_chain(&driving, library, bio))
		return -1;
	return passed_result(&driving, READ, library->crypto.BIO_read(bio, buffer, count), buffer);
}

int BIO_read_ex(BIO *bio, void *buffer, size_t count, size_t *read_bytes)
{
	const struct ssl_library *library = openssl_library(CALLER);
	struct driving driving;

	if (!begin_chain(&driving, library, bio))
		return 0;
	return passed_count(&driving, READ,
			    library->crypto.BIO_read_ex(bio, buffer, count, read_bytes), buffer,
			    read_bytes);
}

int BIO_gets(BIO *bio, char *buffer, int size)
{
	const struct ssl_library *library = openssl_library(CALLER);
	struct driving driving;

	if (!begin_chain(&driving, library, bio))
		return -1;
	return passed_result(&driving, READ, library->crypto.BIO_gets(bio, buffer, size), buffer);
}

int BIO_write(BIO *bio, const void *buffer, int count)
{
	const struct ssl_library *library = openssl_library(CALLER);
	struct driving driving;

	if (!begin_chain(&driving, library, bio) ||
	    !may_write(&driving, buffer, count > 0 ? (size_t)count : 0))
		return -1;
	return passed_result(&driving, WRITTEN, library->crypto.BIO_write(bio, buffer, count),
			     buffer);
}

int BIO_write_ex(BIO *bio, const void *buffer, size_t count, size_t *written)
{
	const struct ssl_library *library = openssl_library(CALLER);
	struct driving driving;
	int result;

	if (!begin_chain(&driving, library, bio) || !may_write(&driving, buffer, count))
		return 0;
	result = library->crypto.BIO_write_ex(bio, buffer, count, written);
	/* It may be called without a place for the count. */
	return written ? passed_count(&driving, WRITTEN, result, buffer, written)
		       : (int)driven(&driving, result, 0);
}

int BIO_puts(BIO *bio, const char *text)
{
	const struct ssl_library *library = openssl_library(CALLER);
	struct driving driving;

	if (!begin_chain(&driving, library, bio) || !may_write(&driving, text, strlen(text)))
		return -1;
	return passed_result(&driving, WRITTEN, library->crypto.BIO_puts(bio, text), text);
}
