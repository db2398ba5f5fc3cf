/*
 * The facts that GnuTLS can tell of a handshake, in the words of the model.
 */
#ifndef TLSWITNESS_GNUTLS_FACTS_H
#define TLSWITNESS_GNUTLS_FACTS_H

#include "shim/core/certificate_checks.h"
#include "shim/core/library_view.h"
#include "shim/gnutls/gnutls_sessions.h"

/*
 * Fills `view` but for what only the witness knows (began, random). To be
 * called by the thread that uses `session`, right after the handshake's end,
 * with what gnutls_handshake gave: 0, or GnuTLS's error.
 */
void gnutls_facts(struct library_view *view, const struct gnutls_library *library,
		  gnutls_session_t session, const struct gnutls_client *client, int error);

/* The library itself was told to verify, and has: to be asked after the handshake. */
void gnutls_facts_verified(struct certificate_checks *checks, const struct gnutls_library *library,
			   gnutls_session_t session, const struct gnutls_client *client);

/*
 * The application has asked for a verification of the peer, and was given this
 * status; `named` if the server's name was part of it.
 */
void gnutls_facts_status(struct certificate_checks *checks, const struct gnutls_library *library,
			 gnutls_session_t session, unsigned status, bool named);

#endif
