/*
 * The client sessions of GnuTLS, and what an application has told each of them
 * that the library does not tell back. A session without an entry is not
 * watched: a server's, DTLS, or one for which no memory could be had; the wire
 * witness sees it all the same, and below the floor ends it.
 *
 * As many as there are; an entry is its session's thread's.
 */
#ifndef TLSWITNESS_GNUTLS_SESSIONS_H
#define TLSWITNESS_GNUTLS_SESSIONS_H

#include <stdbool.h>

#include "shim/gnutls/gnutls_priorities.h"

struct gnutls_client {
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

/* A new session of a client; NULL if no memory can be had. */
struct gnutls_client *gnutls_client_begin(gnutls_session_t session);

/* NULL: not watched. */
struct gnutls_client *gnutls_client_find(gnutls_session_t session);

void gnutls_client_end(gnutls_session_t session);

#endif
