/*
 * What OpenSSL says of a handshake: when one begins and ends, and the facts of
 * it. hook_openssl.c's hooks call this around the real function.
 */
#ifndef TLSWITNESS_OPENSSL_WITNESS_H
#define TLSWITNESS_OPENSSL_WITNESS_H

#include <stdbool.h>

#include "shim/openssl/openssl_api.h"
#include "shim/openssl/openssl_library.h"

/* One watched call, from before the real function to after it. */
struct openssl_call {
	const struct ssl_library *library;
	SSL *ssl;
	struct tls_object *object; /* NULL: not watched */
	uint32_t outer_hello;      /* thread_state.hello_connection of the call around this one */
};

/*
 * Before a call that can drive the handshake of `ssl`; `connects` if the call
 * itself makes it a client. False if the call must not be made because the
 * connection is below the floor: OpenSSL's error queue then says so. Keeps
 * errno, and the queue otherwise.
 */
bool openssl_call_begin(struct openssl_call *call, const struct ssl_library *library, SSL *ssl,
			bool connects);

/*
 * After it; `succeeded` as the call's result says. False if the handshake
 * turned out to be below the floor: as openssl_call_begin.
 */
bool openssl_call_end(struct openssl_call *call, bool succeeded);

/*
 * Must the handshake be brought to its end before a write's bytes are handed
 * over? Else they would leave in the call that ends it, before it can be seen
 * what was negotiated.
 */
bool openssl_handshake_comes_first(const struct openssl_call *call);

/*
 * May these bytes be written inside TLS? False where they would make this mail
 * over a connection below the floor: as openssl_call_begin.
 */
bool openssl_may_write(const struct ssl_library *library, SSL *ssl, const void *bytes,
		       size_t length);

/*
 * The first bytes inside TLS, where only they can say whether this is mail.
 * After a successful read or write. False where they say so, and the connection
 * is below the floor: as openssl_call_begin.
 */
bool openssl_inside(const struct ssl_library *library, SSL *ssl, bool written, const void *bytes,
		    size_t length);

/*
 * The application gives `ssl` its transport: the place in the code is taken
 * now, while an interpreter still holds its lock. Keeps errno.
 */
void openssl_transport_set(const struct ssl_library *library, SSL *ssl);

/*
 * The application asks about the handshake, maybe in a callback out of the call
 * that ends it, and may never come back from there: what is known is reported
 * now. Keeps errno and the queue.
 */
void openssl_asked(const struct ssl_library *library, SSL *ssl);

/* Before SSL_free: a handshake that was left unfinished gets its record. */
void openssl_object_freed(const struct ssl_library *library, SSL *ssl);

#endif
