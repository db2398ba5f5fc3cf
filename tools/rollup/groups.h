/*
 * Records that are alike, counted for each hour, and written as one record each.
 *
 * Memory is bounded: when there are as many groups as fit, they are written and forgotten. The
 * same group may then be written again later, which is no harm: readers add up.
 */
#ifndef TLSWITNESS_GROUPS_H
#define TLSWITNESS_GROUPS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tools/log/entry.h"

struct group;

struct groups {
	struct group *table; /* uthash, in the order in which they came */
	size_t count;
	uint64_t records; /* read, those that a record stands for included */
	uint64_t written;
};

/*
 * Counts one record; writes to `out` what no longer fits. False if it is none: without an action,
 * or a time.
 */
bool groups_add(struct groups *groups, const struct entry *entry, FILE *out);

/* Writes all that is left, and frees it. */
void groups_finish(struct groups *groups, FILE *out);

#endif
