/*
 * Records that are there twice: each id is known whole, however many there are.
 */
#include "tools/log/doubles.h"

#include <stdio.h>

#include <criterion/criterion.h>

/* With 32 bits of each id, about a hundred of so many would be taken for others. */
#define MANY 1000000U

static bool seen(struct doubles *doubles, const char *process, unsigned count)
{
	char text[40];
	int length = snprintf(text, sizeof(text), "%s%08x", process, count);

	return doubles_seen(doubles, (struct slice){text, (size_t)length});
}

Test(doubles, none_of_many_is_taken_for_another)
{
	struct doubles *doubles = doubles_new();
	unsigned wrong = 0;

	for (unsigned i = 0; i < MANY; i++)
		wrong += seen(doubles, "7d6e4ac38b2b1be2b456bcfc", i);
	cr_expect_eq(wrong, 0, "%u of %u", wrong, MANY);
	for (unsigned i = 0; i < MANY; i++)
		wrong += !seen(doubles, "7d6e4ac38b2b1be2b456bcfc", i);
	cr_expect_eq(wrong, 0, "%u of %u", wrong, MANY);
	cr_expect_not(seen(doubles, "7d6e4ac38b2b1be2b456bcfd", 7), "another process");
	doubles_free(doubles);
}

Test(doubles, what_is_no_id_is_no_double)
{
	static const char *const texts[] = {
		"", "1", "7d6e4ac38b2b1be2b456bcf", "7d6e4ac38b2b1be2b456bcfc0000000x",
		"7d6e4ac38b2b1be2b456bcfc000000001",
		/* The characters beside the digits, and one that is
		 * not ASCII. */
		"7d6e4ac38b2b1be2b456bcfc/", "7d6e4ac38b2b1be2b456bcf:", "`d6e4ac38b2b1be2b456bcfc",
		"7d6e4ag38b2b1be2b456bcfc", "7D6E4AC38B2B1BE2B456BCFC",
		"7d6e4ac38b2b1be2b456bc\xc3\xa9"};
	struct doubles *doubles = doubles_new();

	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		cr_expect_not(doubles_seen(doubles, slice_of(texts[i])));
		cr_expect_not(doubles_seen(doubles, slice_of(texts[i])), "'%s'", texts[i]);
	}
	doubles_free(doubles);
}

Test(doubles, ids_of_two_lengths_are_two)
{
	struct doubles *doubles = doubles_new();

	cr_expect_not(doubles_seen(doubles, SLICE_LITERAL("7d6e4ac38b2b1be200000000")));
	cr_expect_not(doubles_seen(doubles, SLICE_LITERAL("7d6e4ac38b2b1be20000000000000000")));
	cr_expect(doubles_seen(doubles, SLICE_LITERAL("7d6e4ac38b2b1be200000000")));
	doubles_free(doubles);
}

Test(doubles, every_digit_counts)
{
	static const char digits[] = "0123456789abcdef";
	struct doubles *doubles = doubles_new();
	unsigned wrong = 0;

	for (unsigned at = 0; at < 32; at++) {
		for (unsigned i = at > 0; i < 16; i++) {
			char text[] = "00000000000000000000000000000000";

			text[at] = digits[i];
			wrong += doubles_seen(doubles, slice_of(text));
		}
	}
	cr_expect_eq(wrong, 0);
	doubles_free(doubles);
}
