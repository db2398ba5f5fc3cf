/*
 * Is a program that moves bytes the same with the recorder in it? The same
 * results, errors, bytes and descriptor numbers, call for call; one record
 * whichever process does the handshake; no data race of ours.
 */
#include <string.h>

#include <criterion/criterion.h>

#include "mailers.h"
#include "records.h"
#include "trial.h"

TestSuite(transparency, .init = harness_begin, .fini = harness_end, .timeout = 180);

static const char transparency[] = "build/programs/transparency";

/* Both at once: the output depends on the arguments alone. */
static void compare(unsigned seed, unsigned megabytes)
{
	struct program bare = {
		.argv = WORDS(transparency, text("%u", seed), text("%u", megabytes))};
	struct program watched = preloaded(&bare, test_path(text("%u.jsonl", seed)), NO_WORDS);

	start_program(&bare);
	start_program(&watched);
	cr_expect_eq(end_program(&bare), 0, "%s", bare.err);
	cr_expect_eq(end_program(&watched), 0, "%s", watched.err);
	cr_expect_str_eq(watched.out, bare.out, "seed %u", seed);
	cr_expect_str_eq(watched.err, bare.err, "seed %u", seed);
}

Test(transparency, a_gigabyte_by_every_call_in_every_form)
{
	compare(1, 1024);
}

Test(transparency, other_orders_of_the_same_calls)
{
	for (unsigned seed = 2; seed < 8; seed++)
		compare(seed, 48);
}
