/*
 * Knows memory and hashing; must not know records.
 */
#include "table.h"

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

void *arena_allocate(struct arena *arena, size_t size)
{
	void *piece = NULL;

	size = (size + 15) & ~(size_t)15;
	if (size > arena->left) {
		size_t room = size > ARENA_BLOCK_SIZE ? size : ARENA_BLOCK_SIZE;
		struct arena_block *block = table_allocate(sizeof(*block) + room);

		block->next = arena->blocks;
		arena->blocks = block;
		arena->next = block->memory;
		arena->left = room;
	}
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

struct numbered {
	UT_hash_handle hh;
	size_t number;
	char key[];
};

size_t numbering_of(struct numbering *numbering, const void *key)
{
	unsigned hash = table_hash(key, numbering->key_size);
	struct numbered *found = NULL;

	HASH_FIND_BYHASHVALUE(hh, numbering->table, key, (unsigned)numbering->key_size, hash,
			      found);
	if (found)
		return found->number;
	found = arena_allocate(&numbering->arena, sizeof(*found) + numbering->key_size);
	memset(found, 0, sizeof(*found));
	memcpy(found->key, key, numbering->key_size);
	found->number = numbering->count++;
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, numbering->table, found->key, (unsigned)numbering->key_size,
				    hash, found);
	return found->number;
}

void numbering_free(struct numbering *numbering)
{
	HASH_CLEAR(hh, numbering->table);
	arena_free(&numbering->arena);
	numbering->count = 0;
}
