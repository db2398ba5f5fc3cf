/*
 * Knows ids; must not know records. Sixty-four tables, each with its own lock, so that
 * threads seldom wait for each other. An id is kept whole: a hash of it would be the same
 * for two records now and then, and one of them would not be counted. It is asked for each
 * record: as uthash, the logs of report/cells.h took 2.4 s instead of 1.9 s, and 1.1 s
 * instead of 0.9 s, and 8 to 10 MB more.
 *
 * An id ends with a counter, and a process that lives writes one record after the other:
 * so a slot is for 64 ids in a row, and which of them there were is a bit for each.
 */
#include "tools/log/doubles.h"

#include <pthread.h>
#include <stdlib.h>

#include "tools/base/table.h"

#define SHARDS 64

/* The digits of 64 ids in a row. */
struct row {
	uint64_t high; /* the first sixteen */
	uint64_t low;  /* those behind them; the lowest six bits: how many, from 24 on, and 1 */
};

#define LOWEST_SIX UINT64_C(63)

struct slot {
	struct row row; /* all zero: free */
	uint64_t seen;  /* of the row, which there were: by the lowest six bits of the id */
};

struct shard {
	pthread_mutex_t lock;
	struct slot *slot;
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

static bool is_free(const struct slot *slot)
{
	return slot->row.low == 0;
}

static bool is_of(const struct slot *slot, struct row row)
{
	return slot->row.low == row.low && slot->row.high == row.high;
}

/* The recorder's ids are a hash and a counter, so their sum by an odd factor is spread well. */
static uint64_t spread(struct row row)
{
	uint64_t mixed = (row.high ^ row.low >> 6) * UINT64_C(0x9E3779B97F4A7C15);

	return mixed ^ mixed >> 32;
}

static size_t slot_of(const struct shard *shard, struct row row)
{
	size_t slot = (size_t)(spread(row) / SHARDS) & shard->mask;

	while (!is_free(&shard->slot[slot]) && !is_of(&shard->slot[slot], row))
		slot = (slot + 1) & shard->mask;
	return slot;
}

static void grow(struct shard *shard)
{
	struct shard before = *shard;

	shard->mask = before.slot ? before.mask * 2 + 1 : 15;
	shard->slot = calloc(shard->mask + 1, sizeof(shard->slot[0]));
	if (!shard->slot)
		table_out_of_memory();
	for (size_t i = 0; before.slot && i <= before.mask; i++) {
		if (!is_free(&before.slot[i]))
			shard->slot[slot_of(shard, before.slot[i].row)] = before.slot[i];
	}
	free(before.slot);
}

/* False if it is none of the recorder's: 24 to 32 hexadecimal digits (RECORD in the README). */
static bool parse_id(struct slice text, struct row *row, unsigned *place)
{
	uint64_t word[2] = {0, 0};

	if (text.length < 24 || text.length > 32)
		return false;
	for (size_t i = 0; i < text.length; i++) {
		const char digit = text.start[i];
		uint64_t value;

		if (digit >= '0' && digit <= '9')
			value = (uint64_t)(digit - '0');
		else if (digit >= 'a' && digit <= 'f')
			value = (uint64_t)(digit - 'a') + 10;
		else
			return false;
		word[i / 16] = word[i / 16] << 4 | value;
	}
	*row = (struct row){word[0], (word[1] & ~LOWEST_SIX) | (text.length - 24 + 1)};
	*place = (unsigned)(word[1] & LOWEST_SIX);
	return true;
}

static bool seen(struct shard *shard, struct row row, unsigned place)
{
	uint64_t bit = UINT64_C(1) << place;
	size_t slot = 0;

	if (!shard->slot || (shard->count + 1) * 4 > (shard->mask + 1) * 3)
		grow(shard);
	slot = slot_of(shard, row);
	if (!is_free(&shard->slot[slot])) {
		bool there = shard->slot[slot].seen & bit;

		shard->slot[slot].seen |= bit;
		return there;
	}
	if (shard->count >= DOUBLES_MAX / SHARDS) {
		shard->overflowed = true;
		return false;
	}
	shard->slot[slot] = (struct slot){row, bit};
	shard->count++;
	return false;
}

bool doubles_seen(struct doubles *doubles, struct slice text)
{
	struct shard *shard;
	struct row row;
	unsigned place;
	bool result;

	if (!parse_id(text, &row, &place))
		return false;
	shard = &doubles->shard[spread(row) % SHARDS];
	pthread_mutex_lock(&shard->lock);
	result = seen(shard, row, place);
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
