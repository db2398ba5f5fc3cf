/*
 * The client sessions of GnuTLS, and what an application has told each of them
 * that the library does not tell back. A session without an entry is not
 * watched: a server's, DTLS, or one for which there was no room; the wire
 * witness sees it all the same.
 *
 * An entry is its session's thread's; only finding it is guarded, without a lock.
 */
#ifndef TLSWITNESS_GNUTLS_SESSIONS_H
#define TLSWITNESS_GNUTLS_SESSIONS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "shim/gnutls/gnutls_priorities.h"

struct gnutls_client {
	_Atomic(const void *) session;              /* NULL: free */
	const struct gnutls_priorities *priorities; /* NULL: not known */
	const void *cache; /* of the application's that they came in, or NULL */
	unsigned versions; /* that are allowed by now; as in those */
	bool bits_set;
	unsigned bits;      /* of gnutls_dh_set_prime_bits, which new priorities would reset */
	bool names_checked; /* gnutls_session_set_verify_cert* was given a name */
	/* gnutls_session_set_verify_cert with a security profile, which new ones would reset */
	const char *verify_name;
	unsigned verify_flags;
};

/* A new session of a client; NULL if there is no room. */
struct gnutls_client *gnutls_client_begin(gnutls_session_t session);

/* NULL: not watched. */
struct gnutls_client *gnutls_client_find(gnutls_session_t session);

void gnutls_client_end(gnutls_session_t session);

#endif
