/*
 * What this host's applications negotiated with the servers that were asked, from the recorder's
 * log.
 */
#ifndef TLSWITNESS_PROBE_COMPARE_H
#define TLSWITNESS_PROBE_COMPARE_H

#include "tools/probe/probe.h"

/* Fills in `seen` of each target from the log at `path`; false with a complaint. */
bool probe_compare(struct probe *probe, const char *path);

void probe_compare_free(struct probe_seen *seen);

#endif
