/*
 * Counting by a key: every record becomes one more in the cell of its key, which is a few
 * words (texts are numbers of an interner). Memory grows with the number of different keys,
 * not with the log.
 *
 * This is the report's hot path, with intern.h, and so has a table of its own: open
 * addressing over numbers (table.h), the cells in blocks beside it, nothing else per cell.
 * Measured with the cells in uthash, all else alike, `report --json`, best CPU time of five
 * runs by turns on one core: 400,000 records of 400 programs and 2,000 destinations 1.9 s
 * and 118 MB, by uthash 2.9 s and 147 MB; of 40 programs and 25 destinations 0.9 s and
 * 37 MB either way. Tables that grow with the configuration and not with the log are
 * uthash (causes.c, input.c).
 */
#ifndef TLSWITNESS_CELLS_H
#define TLSWITNESS_CELLS_H

#include <stddef.h>
#include <stdint.h>

#include "tools/base/table.h"

struct cell {
	uint64_t records;
	int64_t first; /* the earliest and the latest of them */
	int64_t last;
	uint32_t key[];
};

struct cells {
	struct index index;
	size_t key_words; /* set before the first use, at most CELL_WORDS_MAX */
	size_t count;
	char **block;
	size_t last; /* the number of the cell found last: logs have runs of what is alike */
};

/* Cells stay where they are as others come: blocks of them. */
#define CELLS_PER_BLOCK 1024
#define CELL_WORDS_MAX  64

static inline size_t cell_size(const struct cells *cells)
{
	size_t size = sizeof(struct cell) + cells->key_words * sizeof(uint32_t);

	return (size + 7) & ~(size_t)7;
}

static inline struct cell *cell_of(const struct cells *cells, size_t number)
{
	return (struct cell *)(void *)(cells->block[number / CELLS_PER_BLOCK] +
				       number % CELLS_PER_BLOCK * cell_size(cells));
}

/* Adds `records` of the times from `first` to `last` to the cell of `key`. */
void cells_count(struct cells *cells, const uint32_t *key, uint64_t records, int64_t first,
		 int64_t last);

/* Frees the blocks before the one of cell `number`: for a table that is read once and moved. */
void cells_forget_before(struct cells *cells, size_t number);

void cells_free(struct cells *cells);

#endif
