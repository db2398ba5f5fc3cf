/*
 * Objects of one size in mapped pages: as many as are asked for, found by
 * number, given back to the system when a group of them is free.
 *
 * Lock-free, no malloc, safe in a signal handler: a thread that stops, or
 * leaves by longjmp, anywhere in here costs at most the one object that it was
 * about. Pages are never unmapped, so that whoever holds an old number reads an
 * object that is free or another's, and not nothing.
 */
#ifndef TLSWITNESS_SLAB_H
#define TLSWITNESS_SLAB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLAB_CHUNKS  18
#define SLAB_NO_MARK 0

struct slab_chunk;

/* Each chunk holds twice as many objects as the one before it. */
struct slab {
	size_t size;    /* of an object, in bytes */
	uint32_t first; /* objects in the first chunk: a power of two */
	_Atomic(struct slab_chunk *) chunk[SLAB_CHUNKS];
};

/*
 * An object of undefined content, and its number; NULL if no memory can be had.
 * May make a system call (mmap).
 */
void *slab_claim(struct slab *slab, uint32_t *number);

/* The object is nobody's any more. May make a system call (madvise). */
void slab_free(struct slab *slab, uint32_t number);

/* The object, in use or not; NULL for a number that was never claimed. */
void *slab_at(const struct slab *slab, uint32_t number);

/* Objects can bear a mark, by which they are found without a look at each of them. */
void slab_mark(struct slab *slab, uint32_t number, uint32_t mark);

/* The next object from *number on that bears `mark`; false if there is none. */
bool slab_find(const struct slab *slab, uint32_t mark, uint32_t *number);

/* The next object in use from *number on; false if there is none. */
bool slab_next(const struct slab *slab, uint32_t *number);

#endif
