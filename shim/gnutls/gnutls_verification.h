/*
 * How an application has the server's certificate checked, or checks it by
 * itself, as far as that goes through GnuTLS's calls.
 */
#ifndef TLSWITNESS_GNUTLS_VERIFICATION_H
#define TLSWITNESS_GNUTLS_VERIFICATION_H

#include "shim/gnutls/gnutls_sessions.h"

/* Is the server's name among the data for a verification? */
bool gnutls_verification_names(const gnutls_typed_vdata_st *data, unsigned elements);

/* gnutls_session_set_verify_cert*: the handshake is to end where the check fails. */
void gnutls_verification_set(gnutls_session_t session, const char *name, bool with_name,
			     unsigned flags);

/* A verification of the chain, and of the name if `with_name`, gave `result` and `status`. */
void gnutls_verification_done(const struct gnutls_library *library, gnutls_session_t session,
			      int result, const unsigned *status, bool with_name);

/* The same for certificates that the application has taken out of their session. */
void gnutls_verification_of_chain(const struct gnutls_library *library,
				  const gnutls_x509_crt_t *chain, unsigned size, int result,
				  const unsigned *status, bool with_name);

/* The application had a certificate compared with a name or an address, and it did match or not. */
void gnutls_verification_name(const struct gnutls_library *library, gnutls_x509_crt_t certificate,
			      bool matches);

/* A certificate's names were read, by the application or, which says nothing, by GnuTLS itself. */
void gnutls_verification_names_read(const struct gnutls_library *library,
				    gnutls_x509_crt_t certificate);

/* The application has taken a certificate's fingerprint. */
void gnutls_verification_fingerprint(const struct gnutls_library *library,
				     gnutls_x509_crt_t certificate);

/* The session that this thread used last; NULL: none whose record is still to be written. */
gnutls_session_t gnutls_verification_session(void);

/*
 * The application had the certificate held against its name's TLSA records;
 * `of_server` if these are about the server's own certificate or key, which
 * settles the name as well (RFC 7672, 3.1.1).
 */
void gnutls_verification_dane(const struct gnutls_library *library, gnutls_session_t session,
			      bool matches, bool of_server);

#endif
