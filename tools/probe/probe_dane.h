/*
 * DANE's side of the DNS: TLSA records, and whether the MX records before them are signed. By
 * libunbound, which validates DNSSEC itself.
 */
#ifndef TLSWITNESS_PROBE_DANE_H
#define TLSWITNESS_PROBE_DANE_H

#include "tools/probe/probe.h"

/*
 * Looks up whether the MX records of each domain are signed (domain.dnssec), and the TLSA records
 * of each target (target.tlsa, which the caller frees with probe_dane_free()). False with a
 * complaint if libunbound does not start.
 */
bool probe_dane_look_up(struct probe *probe);

void probe_dane_free(struct probe *probe);

#endif
