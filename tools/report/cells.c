/*
 * Knows keys and counts; must not know what they stand for.
 */
#include "tools/report/cells.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A few words: memcmp would cost its call and more. */
static inline bool has_key(const struct cells *cells, size_t number, const uint32_t *key)
{
	const uint32_t *other = cell_of(cells, number)->key;
	uint32_t difference = 0;

	for (size_t i = 0; i < cells->key_words; i++)
		difference |= other[i] ^ key[i];
	return difference == 0;
}

static size_t add_cell(struct cells *cells, const uint32_t *key)
{
	size_t number = cells->count++;
	struct cell *cell = NULL;

	if (number % CELLS_PER_BLOCK == 0) {
		size_t blocks = number / CELLS_PER_BLOCK + 1;

		cells->block = table_resize(cells->block, blocks * sizeof(cells->block[0]));
		cells->block[blocks - 1] = table_allocate(CELLS_PER_BLOCK * cell_size(cells));
	}
	cell = cell_of(cells, number);
	*cell = (struct cell){.first = INT64_MAX, .last = INT64_MIN};
	memcpy(cell->key, key, cells->key_words * sizeof(*key));
	return number;
}

static size_t number_of(struct cells *cells, const uint32_t *key)
{
	struct index *index = &cells->index;
	uint32_t hash = 0;
	size_t slot = 0;

	if (cells->count > 0 && has_key(cells, cells->last, key))
		return cells->last;
	hash = table_hash(key, cells->key_words * sizeof(*key));
	for (slot = index_slot(index, hash); index_is_taken(index, slot);
	     slot = index_next(index, slot)) {
		if (index_hash(index, slot) == hash &&
		    has_key(cells, index_number(index, slot), key))
			return index_number(index, slot);
	}
	index_put(index, slot, hash, (uint32_t)cells->count);
	return add_cell(cells, key);
}

void cells_count(struct cells *cells, const uint32_t *key, uint64_t records, int64_t first,
		 int64_t last)
{
	struct cell *cell = NULL;

	cells->last = number_of(cells, key);
	cell = cell_of(cells, cells->last);
	cell->records += records;
	if (first < cell->first)
		cell->first = first;
	if (last > cell->last)
		cell->last = last;
}

void cells_forget_before(struct cells *cells, size_t number)
{
	size_t block = number / CELLS_PER_BLOCK;

	while (block-- > 0 && cells->block[block]) {
		free(cells->block[block]);
		cells->block[block] = NULL;
	}
}

void cells_free(struct cells *cells)
{
	size_t blocks = (cells->count + CELLS_PER_BLOCK - 1) / CELLS_PER_BLOCK;

	for (size_t i = 0; i < blocks; i++)
		free(cells->block[i]);
	free(cells->block);
	index_free(&cells->index);
	*cells = (struct cells){.key_words = cells->key_words};
}
