/*
 * What GnuTLS says of a handshake: when one begins and ends, and the facts of
 * it. hook_gnutls.c's hooks call this around the real function.
 */
#ifndef TLSWITNESS_GNUTLS_WITNESS_H
#define TLSWITNESS_GNUTLS_WITNESS_H

#include <stdbool.h>

#include "shim/gnutls/gnutls_sessions.h"

/* One watched handshake call, from before the real function to after it. */
struct gnutls_call {
	const struct gnutls_library *library;
	gnutls_session_t session;
	struct gnutls_client *client;
	struct tls_object *object; /* NULL: not watched */
	uint32_t outer_hello;      /* thread_state.hello_connection of the call around this one */
};

/* gnutls_init has made a session with these flags. */
void gnutls_session_made(gnutls_session_t session, unsigned flags);

/* Before gnutls_deinit: a handshake that was left unfinished gets its record. */
void gnutls_session_gone(const struct gnutls_library *library, gnutls_session_t session);

/*
 * The application gives `session` its transport: the place in the code is taken
 * now, while an interpreter may still hold its lock. Keeps errno.
 */
void gnutls_transport_set(gnutls_session_t session);

/*
 * Before gnutls_handshake. 0, or GnuTLS's error with which the call is to end
 * instead, because the connection is below the floor. Keeps errno.
 */
int gnutls_call_begin(struct gnutls_call *call, const struct gnutls_library *library,
		      gnutls_session_t session);

/*
 * After it: `result` as GnuTLS gave it, or the error to be given instead where
 * the handshake has turned out to be below the floor. Keeps errno.
 */
int gnutls_call_end(struct gnutls_call *call, int result);

/*
 * In a callback out of the handshake the certificate was found wrong, and the
 * application may never come back from there: the connection knows it already.
 */
void gnutls_found_wrong(const struct gnutls_library *library, gnutls_session_t session);

/* Before bytes are sent inside TLS. 0, or the error to be given instead. Keeps errno. */
int gnutls_may_send(gnutls_session_t session, const void *bytes, size_t length);

/* Before some are read: has the connection been refused? 0, or the error. */
int gnutls_may_receive(gnutls_session_t session);

/* After `length` bytes have passed inside TLS. 0, or the error to be given instead. Keeps errno. */
int gnutls_inside(gnutls_session_t session, bool sent, const void *bytes, size_t length);

#endif
