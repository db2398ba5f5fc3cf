/*
 * Facts and floor in, verdict out. Pure.
 */
#ifndef TLSWITNESS_POLICY_H
#define TLSWITNESS_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/record/record_values.h"

struct policy_facts {
	uint16_t floor;
	bool established;       /* the handshake succeeded */
	bool refused;           /* we stopped it */
	uint16_t version;       /* negotiated; 0 if not known */
	uint16_t lowest_offer;  /* the least that the client would have accepted; 0: not known */
	uint16_t highest_offer; /* the most that the client offered; 0: not known */
	bool clear;             /* no TLS was ever begun */
	bool mail_in_clear;     /* MAIL or AUTH went, or would have gone, in the clear */
};

enum record_verdict policy_verdict(const struct policy_facts *facts);

/* RECORD_LIMIT_UNKNOWN where it is not known. */
enum record_limit policy_limited_by(const struct policy_facts *facts);

#endif
