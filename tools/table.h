/*
 * uthash as the reader uses it: a faster hash, and a plain end of the process
 * where memory runs out. Include this instead of uthash.h.
 */
#ifndef TLSWITNESS_TABLE_H
#define TLSWITNESS_TABLE_H

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

#define HASH_FUNCTION(key, length, hash) ((hash) = table_hash((key), (length)))
#define uthash_fatal(message)            table_out_of_memory()

#include <uthash.h>

/*
 * Memory that is only ever given back all at once: pieces cut from large blocks.
 */
struct arena {
	struct arena_block *blocks;
	char *next;
	size_t left;
};

void *arena_allocate(struct arena *arena, size_t size);
void arena_free(struct arena *arena);

/*
 * A set of keys of one fixed size, each numbered in the order of its coming: the
 * index of its row in an array that the caller keeps beside it.
 */
struct numbering {
	struct numbered *table;
	size_t key_size;
	size_t count;
	struct arena arena;
};

/* The number of `key`; a new key gets the next one (then *count* has grown). Bytes are compared,
 * so a key struct must have no padding. */
size_t numbering_of(struct numbering *numbering, const void *key);
void numbering_free(struct numbering *numbering);

#endif
