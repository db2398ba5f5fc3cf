/*
 * Knows memory and hashing; must not know records.
 */
#include "tools/base/table.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define ARENA_BLOCK_SIZE ((size_t)64 * 1024)

_Noreturn void table_out_of_memory(void)
{
	(void)fputs("tlswitness: out of memory\n", stderr);
	_exit(2);
}

void *table_allocate(size_t size)
{
	void *memory = malloc(size ? size : 1);

	if (!memory)
		table_out_of_memory();
	return memory;
}

void *table_resize(void *memory, size_t size)
{
	void *resized = realloc(memory, size ? size : 1);

	if (!resized)
		table_out_of_memory();
	return resized;
}

static uint64_t seed;

static void make_seed(void)
{
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed))
		seed = (uint64_t)(uintptr_t)&seed ^ (uint64_t)getpid();
}

/* Before main, so that no thread has to ask whether it is there. */
__attribute__((constructor)) static void seed_at_start(void)
{
	make_seed();
}

__extension__ typedef unsigned __int128 wide_word;

/* Both halves of the 128-bit product: every bit of the input reaches every bit of the result. */
static inline uint64_t fold(uint64_t a, uint64_t b)
{
	wide_word product = (wide_word)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t load_word(const unsigned char *at)
{
	uint64_t word = 0;

	memcpy(&word, at, sizeof(word));
	return word;
}

uint32_t table_hash(const void *bytes, size_t length)
{
	const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
	const unsigned char *at = bytes;
	uint64_t hash = seed ^ (length * odd);
	uint64_t last = 0;

	while (length > 8) {
		hash = fold(hash ^ load_word(at), odd);
		at += 8;
		length -= 8;
	}
	for (size_t i = 0; i < length; i++)
		last |= (uint64_t)at[i] << (8 * i);
	hash = fold(hash ^ last, odd ^ seed);
	return (uint32_t)(hash ^ (hash >> 32));
}

struct arena_block {
	struct arena_block *next;
	_Alignas(16) char memory[];
};

static void make_arena_block(struct arena *arena, size_t size)
{
	size_t room = size > ARENA_BLOCK_SIZE ? size : ARENA_BLOCK_SIZE;
	struct arena_block *block = table_allocate(sizeof(*block) + room);

	block->next = arena->blocks;
	arena->blocks = block;
	arena->next = block->memory;
	arena->left = room;
}

void *arena_allocate(struct arena *arena, size_t size)
{
	void *piece = NULL;
	/* Behind what arena_copy put there. */
	size_t skipped = -(uintptr_t)arena->next & 15;

	size = (size + 15) & ~(size_t)15;
	if (!arena->next || skipped + size > arena->left) {
		make_arena_block(arena, size);
		skipped = 0;
	}
	arena->next += skipped;
	arena->left -= skipped;
	piece = arena->next;
	arena->next += size;
	arena->left -= size;
	return piece;
}

void arena_free(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *block = arena->blocks;

		arena->blocks = block->next;
		free(block);
	}
	arena->next = NULL;
	arena->left = 0;
}

char *arena_copy(struct arena *arena, const char *bytes, size_t length)
{
	char *copy = NULL;

	if (!arena->next || length > arena->left)
		make_arena_block(arena, length);
	copy = arena->next;
	memcpy(copy, bytes, length);
	arena->next += length;
	arena->left -= length;
	return copy;
}

#define INDEX_SLOTS_LEAST ((size_t)64)

static void index_grow(struct index *index)
{
	size_t slots = index->slot ? (index->mask + 1) * 2 : INDEX_SLOTS_LEAST;
	uint64_t *before = index->slot;
	size_t before_slots = before ? index->mask + 1 : 0;

	index->slot = calloc(slots, sizeof(index->slot[0]));
	if (!index->slot)
		table_out_of_memory();
	index->mask = slots - 1;
	for (size_t i = 0; i < before_slots; i++) {
		size_t slot = 0;

		if (!before[i])
			continue;
		slot = index_slot(index, (uint32_t)(before[i] >> 32));
		while (index_is_taken(index, slot))
			slot = index_next(index, slot);
		index->slot[slot] = before[i];
	}
	free(before);
}

void index_put(struct index *index, size_t slot, uint32_t hash, uint32_t number)
{
	/* At most three quarters are taken, so that searches stay short. */
	if (!index->slot || (index->count + 1) * 4 > (index->mask + 1) * 3) {
		index_grow(index);
		slot = index_slot(index, hash);
		while (index_is_taken(index, slot))
			slot = index_next(index, slot);
	}
	index->slot[slot] = (uint64_t)hash << 32 | (number + 1);
	index->count++;
}

void index_free(struct index *index)
{
	free(index->slot);
	*index = (struct index){0};
}

size_t numbering_of(struct numbering *numbering, const void *key)
{
	struct index *index = &numbering->index;
	size_t size = numbering->key_size;
	uint32_t hash = table_hash(key, size);
	size_t slot = 0;

	for (slot = index_slot(index, hash); index_is_taken(index, slot);
	     slot = index_next(index, slot)) {
		uint32_t number = index_number(index, slot);

		if (index_hash(index, slot) == hash &&
		    memcmp(numbering->key + number * size, key, size) == 0)
			return number;
	}
	if (numbering->count == numbering->capacity) {
		numbering->capacity = numbering->capacity ? numbering->capacity * 2 : 16;
		numbering->key = table_resize(numbering->key, numbering->capacity * size);
	}
	memcpy(numbering->key + numbering->count * size, key, size);
	index_put(index, slot, hash, (uint32_t)numbering->count);
	return numbering->count++;
}

void numbering_free(struct numbering *numbering)
{
	index_free(&numbering->index);
	free(numbering->key);
	numbering->key = NULL;
	numbering->count = 0;
	numbering->capacity = 0;
}
