/*
 * Objects in mapped pages.
 */
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "shim/core/sandbox.h"
#include "shim/core/slab.h"

#define MANY 5000

struct thing {
	uint32_t number;
	char room[4092];
};

static struct slab things = {.size = sizeof(struct thing), .first = 4};

static struct thing *claim(void)
{
	uint32_t number;
	struct thing *thing = slab_claim(&things, &number);

	cr_assert_not_null(thing);
	cr_assert_eq(slab_at(&things, number), thing);
	memset(thing, 0x5a, sizeof(*thing));
	thing->number = number;
	return thing;
}

Test(slab, each_object_is_one_of_its_own_and_found_by_its_number)
{
	static struct thing *all[MANY];

	for (uint32_t i = 0; i < MANY; i++) {
		all[i] = claim();
		cr_assert_lt(all[i]->number, MANY, "numbers are used without gaps");
	}
	for (uint32_t i = 0; i < MANY; i++)
		cr_assert_eq(slab_at(&things, all[i]->number), all[i]);
}

Test(slab, what_was_freed_is_used_again_before_more_is_mapped)
{
	uint32_t numbers[10];

	for (int i = 0; i < 10; i++)
		numbers[i] = claim()->number;
	for (int i = 0; i < 10; i++)
		slab_free(&things, numbers[i]);
	for (int i = 0; i < 10; i++)
		cr_expect_lt(claim()->number, 10);
}

/* How many of these pages are in memory. */
static size_t resident(void *pages, size_t length)
{
	unsigned char present[4096];
	size_t count = 0;

	cr_assert_leq(length / 4096, sizeof(present));
	cr_assert_eq(mincore(pages, length, present), 0);
	for (size_t i = 0; i < length / 4096; i++)
		count += present[i] & 1;
	return count;
}

Test(slab, the_memory_of_objects_that_are_free_is_given_back)
{
	static struct thing *all[MANY];
	const struct thing *last;

	for (uint32_t i = 0; i < MANY; i++)
		all[i] = claim();
	last = all[MANY - 1];
	cr_expect_eq(resident((void *)(uintptr_t)last, sizeof(*last)), 1);
	for (uint32_t i = 0; i < MANY; i++)
		slab_free(&things, all[i]->number);
	cr_expect_eq(resident((void *)(uintptr_t)last, sizeof(*last)), 0);
	/* It may still be looked at, by whoever has an old number. */
	cr_expect_eq(last->number, 0);
}

/* The first chunk holds four objects. */
Test(slab, memory_that_is_needed_again_soon_is_kept)
{
	struct thing *all[5];

	for (uint32_t i = 0; i < 5; i++)
		all[i] = claim();
	slab_free(&things, all[4]->number);
	cr_expect_eq(resident(all[4], sizeof(*all[4])), 1);
	slab_free(&things, all[3]->number);
	cr_expect_eq(resident(all[4], sizeof(*all[4])), 1);
	slab_free(&things, all[2]->number);
	cr_expect_eq(resident(all[4], sizeof(*all[4])), 0);
}

Test(slab, marks_are_found_and_end_with_their_object)
{
	uint32_t numbers[100];
	uint32_t found = 0;

	for (int i = 0; i < 100; i++)
		numbers[i] = claim()->number;
	slab_mark(&things, numbers[70], 9);
	slab_mark(&things, numbers[5], 9);
	slab_mark(&things, numbers[6], 8);
	cr_assert(slab_find(&things, 9, &found));
	cr_expect_eq(found++, numbers[5]);
	cr_assert(slab_find(&things, 9, &found));
	cr_expect_eq(found++, numbers[70]);
	cr_expect_not(slab_find(&things, 9, &found));
	slab_free(&things, numbers[5]);
	found = 0;
	cr_assert(slab_find(&things, 9, &found));
	cr_expect_eq(found, numbers[70]);
}

Test(slab, all_in_use_are_walked_and_none_that_is_free)
{
	uint32_t numbers[100];
	uint32_t at = 0;
	int seen = 0;

	for (int i = 0; i < 100; i++)
		numbers[i] = claim()->number;
	for (int i = 0; i < 100; i += 2)
		slab_free(&things, numbers[i]);
	for (; slab_next(&things, &at); at++, seen++)
		cr_expect_eq(at % 2, 1);
	cr_expect_eq(seen, 50);
}

Test(slab, without_memory_there_is_none_and_with_memory_again_there_is)
{
	const struct rlimit none = {0, RLIM_INFINITY};
	struct rlimit before;
	uint32_t number;

	(void)claim();
	cr_assert_eq(getrlimit(RLIMIT_AS, &before), 0);
	cr_assert_eq(setrlimit(RLIMIT_AS, &none), 0);
	for (int i = 0; i < 3; i++) /* the first chunk holds four */
		cr_expect_not_null(slab_claim(&things, &number));
	cr_expect_null(slab_claim(&things, &number));
	cr_assert_eq(setrlimit(RLIMIT_AS, &before), 0);
	cr_expect_not_null(slab_claim(&things, &number));
}

static void *churn(void *data)
{
	(void)data;
	for (int i = 0; i < 20000; i++) {
		uint32_t numbers[40];

		for (int j = 0; j < 40; j++) {
			uint32_t *thing = slab_claim(&things, &numbers[j]);

			cr_assert_not_null(thing);
			*thing = numbers[j];
		}
		for (int j = 0; j < 40; j++) {
			cr_assert_eq(*(uint32_t *)slab_at(&things, numbers[j]), numbers[j],
				     "an object was given away twice, or its memory back");
			slab_free(&things, numbers[j]);
		}
	}
	return NULL;
}

/* The memory is given back and used anew all the time meanwhile. */
Test(slab, threads_never_get_the_same_object)
{
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, churn, NULL), 0);
	for (int i = 0; i < 4; i++)
		cr_assert_eq(pthread_join(threads[i], NULL), 0);
}

Test(slab, nothing_is_mapped_within_a_sandbox)
{
	uint32_t number;

	(void)claim();
	sandbox_closed = true;
	for (int i = 0; i < 3; i++)
		cr_expect_not_null(slab_claim(&things, &number));
	cr_expect_null(slab_claim(&things, &number));
}
