/*
 * Children that are made while threads of their parent are within hooks of ours: each goes its way,
 * none waits for what was held at that moment, and each session has one record, parent's and
 * child's, whatever call made the child.
 */
#include <stdlib.h>

#include <criterion/criterion.h>

#include "tests/integration/records.h"

TestSuite(children, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

#define CHILDREN "60"

static void expect_a_record_for_each_session(const char *how)
{
	struct sink *sink = start_sink(WORDS("--tls=none"));
	const char *log = test_path("log.jsonl");
	struct program bare = {
		.argv = WORDS(program_path("children"), how, text("%u", sink->port), CHILDREN)};
	struct program program =
		preloaded(&bare, log, WORDS(text("TLSWITNESS_PORTS=%u", sink->port)));

	cr_assert_eq(run_program(&program), 0, "%s: status %d, %s", how, program.status,
		     program.err);
	cr_expect_str_empty(program.err);
	const size_t sessions = strtoul(program.out, NULL, 10);
	cr_expect_gt(sessions, strtoul(CHILDREN, NULL, 10));
	cr_expect_eq(json_array_size(sink_entries(sink, sessions)), sessions);
	cr_expect_eq(json_array_size(records_of(log, "smtp-session")), sessions, "%s", how);
	cr_expect_eq(json_array_size(records_of(log, NULL)), sessions, "%s", how);
	stop_sink(sink);
}

Test(children, made_by_fork)
{
	expect_a_record_for_each_session("fork");
}

Test(children, made_by_clone)
{
	expect_a_record_for_each_session("clone");
}

Test(children, made_by_vfork)
{
	expect_a_record_for_each_session("vfork");
}

Test(children, made_by_posix_spawn)
{
	expect_a_record_for_each_session("posix_spawn");
}
