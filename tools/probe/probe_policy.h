/*
 * The text of an MTA-STS policy (RFC 8461, 3.2) and of the TXT record that announces it (3.1).
 *
 * Pure: text in, facts out.
 */
#ifndef TLSWITNESS_PROBE_POLICY_H
#define TLSWITNESS_PROBE_POLICY_H

#include "tools/base/slice.h"
#include "tools/probe/probe.h"

/* The largest policy that is read; RFC 8461, 3.3 suggests as much. */
#define PROBE_POLICY_BYTES 65536

/* True if `text` is that of a record that announces a policy. */
bool probe_policy_announced(struct slice text);

/* False, with `how` saying what is wrong, if `text` is no policy. */
bool probe_policy_parse(struct probe_policy *policy, struct slice text);

/* True if a host of this name is one of the policy's (RFC 8461, 4.1). */
bool probe_policy_names(const struct probe_policy *policy, const char *host);

#endif
