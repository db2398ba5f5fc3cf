/*
 * Certificates to be refused or taken: an authority, and what it has signed.
 */
#ifndef TLSWITNESS_AUTHORITY_H
#define TLSWITNESS_AUTHORITY_H

#include "tests/integration/harness.h"

/* Each makes "NAME.pem" (the certificate) and "NAME.key" in the test's directory. */

/* An authority of its own, which has vouched for nothing yet. */
void make_authority(const char *name);

/*
 * A server's certificate for this host name, signed by the authority made last
 * under `authority`; `days` from now on, in the past if negative.
 */
void make_certificate(const char *name, const char *authority, const char *host, int days);

/* The sink's options for the certificate made under this name. */
const char *const *sink_with_certificate(const char *name);

/* The same for a certificate that is sent with its authority's after it. */
const char *const *sink_with_chain(const char *name, const char *authority);

/* A TLSA record of this usage, in words: the whole certificate made under this name. */
const char *tlsa_record(unsigned usage, const char *name);

/* The path of the certificate made under this name, for clients to trust. */
const char *certificate_path(const char *name);

#endif
