/*
 * What the unit tests of core/ stand on, in place of what asks the kernel,
 * writes the log or looks into interpreters. Each test is a process of its own.
 */
#ifndef TLSWITNESS_TESTS_CORE_GROUND_H
#define TLSWITNESS_TESTS_CORE_GROUND_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/record/record.h"

struct core_ground {
	unsigned emitted;     /* records that were written */
	struct record record; /* the last of them */
	char reason[128];     /* the record's own is gone once it is written */
	unsigned lost;        /* records that were counted as lost */
	uint64_t clock;       /* nanoseconds */
	bool may_map;         /* also where the sandbox is closed */
	bool is_borrowed;     /* the memory is that of the parent, as in a child made by vfork */
};

extern struct core_ground core_ground;

/* The recorder is on, with the default settings. */
void core_ground_start(void);

#endif
