/*
 * The lists of values: no text is there twice or would ever be cut; and the
 * names of records, which differ in everything that makes them differ.
 */
#include <criterion/criterion.h>

#include <string.h>

#include "shim/record/event_id.h"
#include "shim/record/record_values.h"

Test(record_values, each_text_is_there_once_with_its_meaning)
{
	for (unsigned set = 0; set < RECORD_SETS; set++) {
		const struct record_value_set *values = &record_value_sets[set];

		cr_assert_gt(values->count, 0);
		for (unsigned i = 0; i < values->count; i++) {
			const char *text = values->value[i].text;

			/* record.c keeps whole whatever is no longer than this. */
			cr_expect(text[0] != '\0' && strlen(text) <= 64, "%s", text);
			cr_expect(values->value[i].meaning[0] != '\0', "%s", text);
			cr_expect_eq(record_value_text(set, i + 1), text);
			for (unsigned j = 0; j < i; j++)
				cr_expect_str_neq(values->value[j].text, text);
		}
		cr_expect_null(record_value_text(set, 0));
		cr_expect_null(record_value_text(set, values->count + 1));
	}
}

Test(record_values, a_constant_has_the_text_of_its_line)
{
	cr_expect_str_eq(record_value_text(RECORD_SET_VERDICT, RECORD_VERDICT_AT_RISK), "at-risk");
	cr_expect_str_eq(record_value_text(RECORD_SET_ACTION, RECORD_ACTION_LOST), "records-lost");
	cr_expect_eq(WITNESS_WIRE, 1 << WITNESS_NUMBER_WIRE);
}

static const struct event_id event = {
	.random = {UINT64_C(0x0123456789abcdef), 7}, .pid = 4711, .since = 1795439107, .count = 1};

static void expect_another(const struct event_id *id)
{
	char first[EVENT_ID_SIZE];
	char second[EVENT_ID_SIZE];

	event_id_write(first, &event);
	event_id_write(second, id);
	cr_expect_eq(strspn(second, "0123456789abcdef"), 32);
	cr_expect_eq(strlen(second), 32);
	cr_expect_str_neq(first, second);
}

Test(event_id, differs_in_whatever_differs)
{
	struct event_id id = event;

	id.count = 2;
	expect_another(&id);
	id = event;
	id.pid = 4712;
	expect_another(&id);
	id = event;
	id.since++;
	expect_another(&id);
	id = event;
	id.random[0]++;
	expect_another(&id);
	id = event;
	id.random[1]++;
	expect_another(&id);
}

Test(event_id, counts_in_its_last_digits)
{
	char text[EVENT_ID_SIZE];
	struct event_id id = event;

	id.count = 0x1f0;
	event_id_write(text, &id);
	cr_expect_str_eq(text + 24, "000001f0");
}
