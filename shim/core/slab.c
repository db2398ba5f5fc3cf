#include "shim/core/slab.h"

#include <sys/mman.h>

#include "shim/base/sys.h"
#include "shim/core/sandbox.h"

#define PAGE     4096U
#define DRAINING (1U << 31)

/* Followed by a bit for each object, a mark for each, and from a page's start the objects. */
struct slab_chunk {
	_Atomic uint32_t used; /* and DRAINING while its pages are given back */
	uint32_t objects;
	atomic_bool dirty;     /* since its pages were given back */
	_Atomic uint32_t hint; /* the word of bits where a free one was seen last */
	_Atomic uint32_t *mark;
	char *object;
	_Atomic uint64_t bits[];
};

static uint32_t chunk_objects(const struct slab *slab, unsigned index)
{
	return slab->first << index;
}

/* The number of the chunk's first object. */
static uint32_t chunk_base(const struct slab *slab, unsigned index)
{
	return slab->first * ((1U << index) - 1);
}

static unsigned chunk_of(const struct slab *slab, uint32_t number)
{
	/* Their first number is a power of two, so that this needs no division. */
	return 31U - (unsigned)__builtin_clz((number >> __builtin_ctz(slab->first)) + 1);
}

static uint32_t words_of(uint32_t objects)
{
	return (objects + 63) / 64;
}

static size_t header_size(uint32_t objects)
{
	size_t size = sizeof(struct slab_chunk) + words_of(objects) * sizeof(uint64_t) +
		      objects * sizeof(uint32_t);

	return (size + PAGE - 1) / PAGE * PAGE;
}

static struct slab_chunk *map_chunk(struct slab *slab, unsigned index)
{
	const uint32_t objects = chunk_objects(slab, index);
	const size_t header = header_size(objects);
	struct slab_chunk *none = NULL;
	struct slab_chunk *chunk;

	if (!sandbox_may_map())
		return NULL;
	chunk = sys_map(header + objects * slab->size);
	if (!chunk)
		return NULL;
	chunk->objects = objects;
	chunk->object = (char *)chunk + header;
	chunk->mark = (void *)&chunk->bits[words_of(objects)];
	/* What the last word has beyond the objects is never free. */
	if (objects % 64 != 0)
		atomic_store(&chunk->bits[objects / 64], UINT64_MAX << (objects % 64));
	if (atomic_compare_exchange_strong(&slab->chunk[index], &none, chunk))
		return chunk;
	sys_munmap(chunk, header + objects * slab->size);
	return none;
}

/* One of the chunk's objects is this caller's to find. */
static bool reserve(struct slab_chunk *chunk)
{
	uint32_t used = atomic_load(&chunk->used);

	do {
		if (used >= chunk->objects) /* DRAINING too */
			return false;
	} while (!atomic_compare_exchange_weak(&chunk->used, &used, used + 1));
	return true;
}

static uint32_t find_free(struct slab_chunk *chunk)
{
	const uint32_t words = words_of(chunk->objects);
	uint32_t word = atomic_load_explicit(&chunk->hint, memory_order_relaxed) % words;

	for (;; word = (word + 1) % words) {
		uint64_t bits = atomic_load(&chunk->bits[word]);

		while (~bits != 0) {
			unsigned bit = (unsigned)__builtin_ctzll(~bits);

			bits = atomic_fetch_or(&chunk->bits[word], UINT64_C(1) << bit);
			if ((bits >> bit & 1) == 0) {
				atomic_store_explicit(&chunk->hint, word, memory_order_relaxed);
				return word * 64 + bit;
			}
		}
	}
}

void *slab_claim(struct slab *slab, uint32_t *number)
{
	for (unsigned i = 0; i < SLAB_CHUNKS; i++) {
		struct slab_chunk *chunk = atomic_load(&slab->chunk[i]);
		uint32_t found;

		if (!chunk)
			chunk = map_chunk(slab, i);
		if (!chunk)
			return NULL;
		if (!reserve(chunk))
			continue;
		if (!atomic_load_explicit(&chunk->dirty, memory_order_relaxed))
			atomic_store(&chunk->dirty, true);
		found = find_free(chunk);
		*number = chunk_base(slab, i) + found;
		return chunk->object + found * slab->size;
	}
	return NULL;
}

/*
 * Is half of the chunk before it free, too? Else this one would be needed again
 * soon, and a system call made for each few objects that come and go.
 */
static bool is_spare(const struct slab *slab, unsigned index)
{
	const struct slab_chunk *before = atomic_load(&slab->chunk[index - 1]);

	return (atomic_load(&before->used) & ~DRAINING) <= before->objects / 2;
}

/* The pages of a chunk that nobody uses; the first one is kept for the next to come. */
static void give_back(struct slab *slab, unsigned index)
{
	struct slab_chunk *chunk =
		index > 0 && index < SLAB_CHUNKS ? atomic_load(&slab->chunk[index]) : NULL;
	uint32_t none = 0;

	if (!chunk || sandbox_is_closed() || !is_spare(slab, index) ||
	    !atomic_load(&chunk->dirty) ||
	    !atomic_compare_exchange_strong(&chunk->used, &none, DRAINING))
		return;
	atomic_store(&chunk->dirty, false);
	sys_madvise(chunk->object, chunk->objects * slab->size, MADV_DONTNEED);
	atomic_store(&chunk->used, 0);
}

void slab_free(struct slab *slab, uint32_t number)
{
	const unsigned index = chunk_of(slab, number);
	struct slab_chunk *chunk = atomic_load(&slab->chunk[index]);
	const uint32_t offset = number - chunk_base(slab, index);
	uint32_t left;

	atomic_store(&chunk->mark[offset], SLAB_NO_MARK);
	atomic_fetch_and(&chunk->bits[offset / 64], ~(UINT64_C(1) << (offset % 64)));
	left = atomic_fetch_sub(&chunk->used, 1) - 1;
	if (left == 0)
		give_back(slab, index);
	if (left == chunk->objects / 2)
		give_back(slab, index + 1);
}

void *slab_at(const struct slab *slab, uint32_t number)
{
	const unsigned index = chunk_of(slab, number);
	struct slab_chunk *chunk = index < SLAB_CHUNKS ? atomic_load(&slab->chunk[index]) : NULL;

	return chunk ? chunk->object + (number - chunk_base(slab, index)) * slab->size : NULL;
}

void slab_mark(struct slab *slab, uint32_t number, uint32_t mark)
{
	const unsigned index = chunk_of(slab, number);
	struct slab_chunk *chunk = atomic_load(&slab->chunk[index]);

	atomic_store(&chunk->mark[number - chunk_base(slab, index)], mark);
}

bool slab_find(const struct slab *slab, uint32_t mark, uint32_t *number)
{
	for (unsigned i = chunk_of(slab, *number); i < SLAB_CHUNKS; i++) {
		const uint32_t base = chunk_base(slab, i);
		const struct slab_chunk *chunk = atomic_load(&slab->chunk[i]);

		if (!chunk)
			return false;
		for (uint32_t at = *number - base; at < chunk->objects; at++) {
			if (atomic_load_explicit(&chunk->mark[at], memory_order_relaxed) != mark)
				continue;
			*number = base + at;
			return true;
		}
		*number = base + chunk->objects;
	}
	return false;
}

bool slab_next(const struct slab *slab, uint32_t *number)
{
	for (unsigned i = chunk_of(slab, *number); i < SLAB_CHUNKS; i++) {
		const uint32_t base = chunk_base(slab, i);
		const struct slab_chunk *chunk = atomic_load(&slab->chunk[i]);

		if (!chunk)
			return false;
		for (uint32_t at = *number - base; at < chunk->objects; at++) {
			if ((atomic_load(&chunk->bits[at / 64]) >> (at % 64) & 1) == 0)
				continue;
			*number = base + at;
			return true;
		}
		*number = base + chunk->objects;
	}
	return false;
}
