/*
 * What is known of a library's objects, by their addresses.
 */
#include <pthread.h>

#include <criterion/criterion.h>

#include "shim/core/address_table.h"
#include "shim/core/sandbox.h"

#define MANY    20000
#define THREADS 4
#define ROUNDS  200

struct entry {
	const void *address;
	char room[100];
};

ADDRESS_TABLE(table, sizeof(struct entry), 16);
static char objects[MANY * 16]; /* as far from each other as an allocator puts them */

static const void *object(unsigned number)
{
	return objects + (size_t)number * 16;
}

static void add(unsigned number)
{
	struct entry *entry = address_table_add(&table, object(number));

	cr_assert_not_null(entry);
	cr_assert_null(entry->address, "it is zeroed");
	entry->address = object(number);
}

static void expect_all(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct entry *entry = address_table_find(&table, object(i));

		cr_assert_not_null(entry);
		cr_assert_eq(entry->address, object(i));
	}
}

Test(address_table, has_room_for_as_many_as_there_are)
{
	for (unsigned i = 0; i < MANY; i++)
		add(i);
	expect_all(MANY);
	cr_assert_null(address_table_find(&table, &table));
	cr_assert_null(address_table_find(&table, NULL));
}

static unsigned count(const struct slab *slab)
{
	unsigned used = 0;

	for (uint32_t number = 0; slab_next(slab, &number); number++)
		used++;
	return used;
}

Test(address_table, what_is_removed_is_found_no_more_and_its_entry_is_free)
{
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < MANY; i++)
			add(i);
		cr_assert_eq(count(&table.entries), MANY);
		cr_assert_eq(count(&table.links), MANY, "links are used again");
		for (unsigned i = 0; i < MANY; i += 2)
			address_table_remove(&table, object(i));
		for (unsigned i = 0; i < MANY; i++)
			cr_assert_eq(address_table_find(&table, object(i)) != NULL, i % 2);
		for (unsigned i = 1; i < MANY; i += 2)
			address_table_remove(&table, object(i));
		cr_assert_eq(count(&table.entries), 0);
	}
	address_table_remove(&table, object(0));
}

Test(address_table, without_memory_there_is_no_entry_and_nothing_is_left_behind)
{
	unsigned had = 0;

	add(0);
	atomic_store(&sandbox_closed, true);
	for (unsigned i = 1; i < 1000; i++)
		had += address_table_add(&table, object(i)) != NULL;
	cr_assert_lt(had, 100);
	cr_assert_eq(count(&table.entries), had + 1);
	for (unsigned i = 1; i < 1000; i++)
		address_table_remove(&table, object(i));
	cr_assert_eq(count(&table.entries), 1);
	expect_all(1);
	atomic_store(&sandbox_closed, false);
	for (unsigned i = 1; i < 1000; i++)
		add(i);
	expect_all(1000);
}

static void *add_and_remove(void *data)
{
	const unsigned first = *(unsigned *)data * (MANY / THREADS);

	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = first; i < first + 200; i++)
			add(i);
		for (unsigned i = first; i < first + 200; i++) {
			const struct entry *entry = address_table_find(&table, object(i));

			cr_assert(entry && entry->address == object(i));
			address_table_remove(&table, object(i));
		}
	}
	return NULL;
}

Test(address_table, threads_do_not_take_each_others_entries)
{
	pthread_t threads[THREADS];
	unsigned numbers[THREADS];

	for (unsigned i = 0; i < THREADS; i++) {
		numbers[i] = i;
		cr_assert_eq(pthread_create(&threads[i], NULL, add_and_remove, &numbers[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_join(threads[i], NULL), 0);
	cr_assert_eq(count(&table.entries), 0);
}
