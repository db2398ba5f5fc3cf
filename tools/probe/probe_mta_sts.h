/*
 * Fetches the MTA-STS policies that were announced (RFC 8461, 3.3), by libcurl.
 */
#ifndef TLSWITNESS_PROBE_MTA_STS_H
#define TLSWITNESS_PROBE_MTA_STS_H

#include "tools/probe/probe.h"
#include "tools/probe/probe_dns.h"

/*
 * For each domain whose policy.state is PROBE_PROMISE_KEPT: fetches the policy, all at once, and
 * reads it; what is no policy is PROBE_PROMISE_UNKNOWN then. False with a complaint if libcurl
 * does not start.
 */
bool probe_mta_sts_fetch(struct probe *probe, struct probe_dns *dns);

#endif
