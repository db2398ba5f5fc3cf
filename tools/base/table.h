/*
 * The reader's memory: hash tables that hold numbers and nothing else, so that a
 * table of a million rows costs a few bytes for each beside the row itself; and a
 * plain end of the process where memory runs out.
 */
#ifndef TLSWITNESS_TABLE_H
#define TLSWITNESS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Hashes `length` bytes, eight at a time, seeded at random once per process so
 * that a log can't be written to make all its keys collide.
 */
uint32_t table_hash(const void *bytes, size_t length);

/* Says so on stderr and ends the process: a report of part of a log would be a lie. */
_Noreturn void table_out_of_memory(void);

/* malloc and realloc that never return NULL. */
void *table_allocate(size_t size);
void *table_resize(void *memory, size_t size);

/*
 * Finds numbers by the hash of what they stand for: open addressing, linear
 * probing. The things themselves are the caller's, who compares them:
 *
 *	for (slot = index_slot(index, hash); index_is_taken(index, slot);
 *	     slot = index_next(index, slot)) {
 *		if (index_hash(index, slot) == hash && <equal(index_number(index, slot))>)
 *			return index_number(index, slot);
 *	}
 *	index_put(index, slot, hash, number);
 */
struct index {
	uint64_t *slot; /* the hash above, the number + 1 below; 0: free */
	size_t mask;    /* slots - 1; a power of two less one */
	size_t count;
};

static inline size_t index_slot(const struct index *index, uint32_t hash)
{
	return hash & index->mask;
}

static inline bool index_is_taken(const struct index *index, size_t slot)
{
	return index->slot && index->slot[slot] != 0;
}

static inline size_t index_next(const struct index *index, size_t slot)
{
	return (slot + 1) & index->mask;
}

static inline uint32_t index_hash(const struct index *index, size_t slot)
{
	return (uint32_t)(index->slot[slot] >> 32);
}

static inline uint32_t index_number(const struct index *index, size_t slot)
{
	return (uint32_t)index->slot[slot] - 1;
}

/* `slot` is the free one that the search ended at; `number` is less than UINT32_MAX. */
void index_put(struct index *index, size_t slot, uint32_t hash, uint32_t number);
void index_free(struct index *index);

/*
 * Memory that is only ever given back all at once: pieces cut from large blocks.
 */
struct arena {
	struct arena_block *blocks;
	char *next;
	size_t left;
};

void *arena_allocate(struct arena *arena, size_t size);

/* A copy of bytes, as tight as they come: not aligned. */
char *arena_copy(struct arena *arena, const char *bytes, size_t length);
void arena_free(struct arena *arena);

/*
 * A set of keys of one fixed size, each numbered in the order of its coming: the
 * index of its row in an array that the caller keeps beside it. The report builds its
 * rows of cells by these: as uthash, the large log of cells.h took 2.2 s and 131 MB
 * instead of 1.9 s and 118 MB.
 */
struct numbering {
	struct index index;
	char *key; /* by number */
	size_t key_size;
	size_t count;
	size_t capacity;
};

/* The number of `key`; a new key gets the next one (then *count* has grown). Bytes are compared,
 * so a key struct must have no padding. */
size_t numbering_of(struct numbering *numbering, const void *key);
void numbering_free(struct numbering *numbering);

#endif
