/*
 * All connections of a probe: many addresses at once, and to each address one connection after
 * another.
 */
#ifndef TLSWITNESS_PROBE_RUN_H
#define TLSWITNESS_PROBE_RUN_H

#include <openssl/ssl.h>

#include "tools/probe/probe.h"
#include "tools/probe/probe_certificate.h"

/*
 * Asks each target for each version and fills in its verdicts and its certificate. Targets
 * without an address are left as they are.
 */
void probe_run(struct probe *probe, SSL_CTX *context, struct probe_verifier *verifier);

#endif
