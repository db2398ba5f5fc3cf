/*
 * What each descriptor is.
 */
#include <criterion/criterion.h>

#include "shim/core/descriptor_table.h"

Test(descriptor_table, what_was_set_is_found_and_its_neighbours_are_left_alone)
{
	descriptor_set(5, DESCRIPTOR_CONNECTION + 7);
	cr_expect_eq(descriptor_entry(5), DESCRIPTOR_CONNECTION + 7);
	cr_expect_eq(descriptor_entry(4), descriptor_entry(6));
	cr_expect_neq(descriptor_entry(4), descriptor_entry(5));
	cr_expect_not(descriptor_unmonitored(5));
	descriptor_set(5, DESCRIPTOR_UNMONITORED);
	cr_expect(descriptor_unmonitored(5));
}

Test(descriptor_table, what_no_descriptor_can_be_is_none_of_ours)
{
	cr_expect_not(descriptor_in_range(-1));
	cr_expect_not(descriptor_in_range((int)DESCRIPTORS_MAX));
	cr_expect_eq(descriptor_entry(-1), DESCRIPTOR_UNMONITORED);
	cr_expect_eq(descriptor_entry((int)DESCRIPTORS_MAX), DESCRIPTOR_UNMONITORED);
	descriptor_set((int)DESCRIPTORS_MAX - 1, DESCRIPTOR_CONNECTION);
	cr_expect_eq(descriptor_entry((int)DESCRIPTORS_MAX - 1), DESCRIPTOR_CONNECTION);
}

Test(descriptor_table, the_highest_that_was_a_connection_is_known)
{
	unsigned before = descriptor_most();

	descriptor_set(1000, DESCRIPTOR_UNMONITORED);
	cr_expect_eq(descriptor_most(), before);
	descriptor_set(900, DESCRIPTOR_CONNECTION);
	cr_expect_geq(descriptor_most(), 900);
}
