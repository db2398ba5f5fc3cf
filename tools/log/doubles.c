/*
 * Knows ids; must not know records. Sixty-four tables, each with its own lock, so that
 * threads seldom wait for each other; 64 bits of each id are kept.
 */
#include "tools/log/doubles.h"

#include <pthread.h>
#include <stdlib.h>

#include "tools/base/table.h"

#define SHARDS 64

struct shard {
	pthread_mutex_t lock;
	uint64_t *slot; /* 0: free */
	size_t mask;
	size_t count;
	bool overflowed;
};

struct doubles {
	struct shard shard[SHARDS];
};

struct doubles *doubles_new(void)
{
	struct doubles *doubles = table_allocate(sizeof(*doubles));

	for (size_t i = 0; i < SHARDS; i++) {
		doubles->shard[i] = (struct shard){.slot = NULL};
		pthread_mutex_init(&doubles->shard[i].lock, NULL);
	}
	return doubles;
}

void doubles_free(struct doubles *doubles)
{
	if (!doubles)
		return;
	for (size_t i = 0; i < SHARDS; i++) {
		free(doubles->shard[i].slot);
		pthread_mutex_destroy(&doubles->shard[i].lock);
	}
	free(doubles);
}

static size_t slot_of(const struct shard *shard, uint64_t id)
{
	size_t slot = (size_t)(id >> 6) & shard->mask;

	while (shard->slot[slot] && shard->slot[slot] != id)
		slot = (slot + 1) & shard->mask;
	return slot;
}

static void grow(struct shard *shard)
{
	struct shard before = *shard;

	shard->mask = before.slot ? before.mask * 2 + 1 : 255;
	shard->slot = calloc(shard->mask + 1, sizeof(shard->slot[0]));
	if (!shard->slot)
		table_out_of_memory();
	for (size_t i = 0; before.slot && i <= before.mask; i++) {
		if (before.slot[i])
			shard->slot[slot_of(shard, before.slot[i])] = before.slot[i];
	}
	free(before.slot);
}

/* Two halves, since the recorder's ids end with a counter and begin with the process. */
static uint64_t number_of(struct slice id)
{
	size_t half = id.length / 2;
	uint64_t number = (uint64_t)table_hash(id.start, half) << 32 |
			  table_hash(id.start + half, id.length - half);

	return number ? number : 1;
}

static bool seen(struct shard *shard, uint64_t id)
{
	size_t slot = 0;

	if (!shard->slot || (shard->count + 1) * 4 > (shard->mask + 1) * 3)
		grow(shard);
	slot = slot_of(shard, id);
	if (shard->slot[slot])
		return true;
	if (shard->count >= DOUBLES_MAX / SHARDS) {
		shard->overflowed = true;
		return false;
	}
	shard->slot[slot] = id;
	shard->count++;
	return false;
}

bool doubles_seen(struct doubles *doubles, struct slice id)
{
	uint64_t number = number_of(id);
	struct shard *shard = &doubles->shard[(number ^ number >> 32) % SHARDS];
	bool result = false;

	pthread_mutex_lock(&shard->lock);
	result = seen(shard, number);
	pthread_mutex_unlock(&shard->lock);
	return result;
}

bool doubles_overflowed(const struct doubles *doubles)
{
	for (size_t i = 0; i < SHARDS; i++) {
		if (doubles->shard[i].overflowed)
			return true;
	}
	return false;
}
