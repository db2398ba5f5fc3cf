/*
 * Whether a host keeps what its domain promises: DANE (RFC 7672) and MTA-STS (RFC 8461).
 */
#ifndef TLSWITNESS_PROBE_PROMISE_H
#define TLSWITNESS_PROBE_PROMISE_H

#include "tools/probe/probe.h"

/* After the connections: settles `dane` and `mta_sts` of each target that was asked for them. */
void probe_promise_settle(struct probe *probe);

/* The sum of all: 0, 1 or 2, as `tlswitness probe --help` has them. */
int probe_exit_status(const struct probe *probe);

#endif
