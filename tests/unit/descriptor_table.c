/*
 * What each descriptor is.
 */
#include <criterion/criterion.h>
#include <pthread.h>

#include "shim/core/descriptor_table.h"

static uint32_t connection(uint32_t number)
{
	return descriptor_entry_of(DESCRIPTOR_CONNECTION, number);
}

Test(descriptor_table, what_was_never_set_is_none_of_ours)
{
	cr_expect(descriptor_unmonitored(0));
	cr_expect(descriptor_unmonitored((int)DESCRIPTOR_GROUP * 7 + 3));
	cr_expect(descriptor_unmonitored((int)DESCRIPTORS_MAX - 1));
	cr_expect(descriptor_unmonitored(-1));
	cr_expect(descriptor_unmonitored((int)DESCRIPTORS_MAX));
}

Test(descriptor_table, an_entry_is_a_kind_and_a_number)
{
	const uint32_t highest = (1U << 30) - 1;
	const uint32_t entry = connection(highest);

	cr_expect_eq(descriptor_kind(entry), DESCRIPTOR_CONNECTION);
	cr_expect_eq(descriptor_number(entry), highest);
	cr_expect_neq(connection(0), DESCRIPTOR_UNMONITORED);
}

/* In the group that is there from the start, and in one that has to be mapped. */
Test(descriptor_table, what_was_set_is_found_and_its_neighbours_are_left_alone)
{
	static const int set[] = {5, (int)DESCRIPTOR_GROUP - 1, (int)DESCRIPTOR_GROUP,
				  (int)DESCRIPTORS_MAX - 2};

	for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++) {
		const int fd = set[i];

		cr_assert(descriptor_make_room(fd));
		cr_expect_eq(descriptor_exchange(fd, connection(7)), DESCRIPTOR_UNMONITORED);
		cr_expect_eq(descriptor_entry(fd), connection(7));
		cr_expect_not(descriptor_unmonitored(fd));
		cr_expect(descriptor_unmonitored(fd - 1));
		cr_expect(descriptor_unmonitored(fd + 1));
		cr_expect_eq(descriptor_most(), (unsigned)fd);
		cr_expect_not(descriptor_replace(fd, connection(8), DESCRIPTOR_UNMONITORED));
		cr_expect(descriptor_replace(fd, connection(7), connection(9)));
		cr_expect_eq(descriptor_exchange(fd, DESCRIPTOR_UNMONITORED), connection(9));
		cr_expect(descriptor_unmonitored(fd));
	}
}

Test(descriptor_table, what_no_descriptor_can_be_has_no_room)
{
	cr_expect_not(descriptor_make_room(-1));
	cr_expect_not(descriptor_make_room((int)DESCRIPTORS_MAX));
	cr_expect_eq(descriptor_exchange(-1, connection(1)), DESCRIPTOR_UNMONITORED);
	cr_expect(descriptor_unmonitored(-1));
}

#define COUNTED 20000

static void *count_up(void *fd)
{
	for (unsigned i = 0; i < COUNTED; i++) {
		uint32_t entry;

		do {
			entry = descriptor_entry(*(int *)fd);
		} while (!descriptor_replace(*(int *)fd, entry,
					     connection(descriptor_number(entry) + 1)));
	}
	return NULL;
}

/* Two threads that map the same group and change the same entry lose nothing. */
Test(descriptor_table, threads_that_race_for_an_entry_all_get_it)
{
	int fd = (int)DESCRIPTOR_GROUP * 3;
	pthread_t threads[2];

	cr_assert(descriptor_make_room(fd));
	for (int i = 0; i < 2; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, count_up, &fd), 0);
	for (int i = 0; i < 2; i++)
		cr_assert_eq(pthread_join(threads[i], NULL), 0);
	cr_expect_eq(descriptor_number(descriptor_entry(fd)), 2 * COUNTED);
}
