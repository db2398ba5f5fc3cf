/*
 * A connection of which nothing is known yet but where it leads: it may turn out
 * to be mail by its first bytes, and until then costs 64 bytes. All names of one
 * descriptor share it.
 */
#ifndef TLSWITNESS_CANDIDATE_H
#define TLSWITNESS_CANDIDATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "shim/core/descriptor_table.h"
#include "shim/core/endpoint.h"

/* In the place of a number: there was no memory for it, and its bytes alone can tell. */
#define CANDIDATE_UNKNOWN ((1U << 30) - 1)

/* The fate that is open: the entry of a candidate, which can't become one. */
#define CANDIDATE_OPEN ((uint32_t)DESCRIPTOR_CANDIDATE)

struct candidate {
	_Atomic uint32_t references; /* descriptors; 0: free */
	_Atomic uint32_t generation; /* never the same for two of them */
	_Atomic uint32_t fate;       /* the entry that is its descriptors' from now on */
	struct endpoint peer;        /* family 0: not known */
	const void *caller;          /* where its connect() returned to */
	bool joined_late;            /* another process had sent bytes over it before */
};

_Static_assert(sizeof(struct candidate) <= 64, "what a connection costs until it is mail");

/* The number of a new one with one reference; CANDIDATE_UNKNOWN if there is no memory. */
uint32_t candidate_claim(const struct endpoint *peer, const void *caller, bool joined_late);

/* With a reference, to be given back; NULL if it is no more. */
struct candidate *candidate_hold(uint32_t number);
void candidate_release(uint32_t number);

/* The one of this number, to whoever holds it; NULL for CANDIDATE_UNKNOWN. */
struct candidate *candidate_at(uint32_t number);

/* Is there one whose fate is open? */
bool candidate_is_any(void);

/*
 * From now on its descriptors have this entry; a connection's number comes with a
 * reference that is the candidate's. False if it was settled before.
 */
bool candidate_settle(struct candidate *candidate, uint32_t fate);

#endif
