/*
 * What is known of a library's objects, found by their addresses: as many as
 * are asked for. The entries lie in a slab, and their memory is given back when
 * they are freed; what stays is a link of 16 bytes for each of the most that
 * there were at once.
 *
 * Lock-free, no malloc. One object is used by one thread at a time, as the TLS
 * libraries ask of their callers, so its entry is that thread's.
 */
#ifndef TLSWITNESS_ADDRESS_TABLE_H
#define TLSWITNESS_ADDRESS_TABLE_H

#include <stdatomic.h>
#include <stdint.h>

#include "shim/core/slab.h"

#define ADDRESS_TABLE_CHAINS_BITS 12
#define ADDRESS_TABLE_CHAINS      (1U << ADDRESS_TABLE_CHAINS_BITS)

/* A link stays in its chain for good and is used again for an object of the same chain. */
struct address_link {
	_Atomic(const void *) address; /* NULL: free */
	uint32_t entry;                /* its number + 1; 0: not there yet, or not any more */
	uint32_t next;                 /* number + 1; 0: the last one */
};

/* One static variable for each kind, by ADDRESS_TABLE; its chains lie apart from what the loader
   writes to. */
struct address_table {
	struct slab entries;
	struct slab links;
	_Atomic uint32_t *chains; /* the first one's number + 1 */
};

/* `first_entries`: for how many there is room in the first piece of memory. */
#define ADDRESS_TABLE(name, entry_size, first_entries)                       \
	static _Atomic uint32_t name##_chains[ADDRESS_TABLE_CHAINS];         \
	static struct address_table name = {                                 \
		.entries = {.size = (entry_size), .first = (first_entries)}, \
		.links = {.size = sizeof(struct address_link), .first = 64}, \
		.chains = name##_chains,                                     \
	}

/* The entry of `address`, or NULL. */
void *address_table_find(struct address_table *table, const void *address);

/*
 * A zeroed entry for `address`, which has none; NULL if no memory can be had.
 * May make a system call (mmap).
 */
void *address_table_add(struct address_table *table, const void *address);

/* `address` has no entry any more. May make a system call (madvise). */
void address_table_remove(struct address_table *table, const void *address);

#endif
