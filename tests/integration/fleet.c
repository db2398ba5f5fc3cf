/*
 * What a fleet's engine holds, as far as it can be told without one: tests/fleet has the engines.
 */
#include <string.h>

#include <criterion/criterion.h>

#include "tests/integration/harness.h"

TestSuite(fleet, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

static const char *const keys[] = {
#define FIELD(key, kind, member) key,
#include "shim/record/record_fields.def"
#undef FIELD
};

static unsigned occurrences(const char *text, const char *word)
{
	unsigned count = 0;

	for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
		count++;
	return count;
}

/* A key that the engine's table does not have would be missing in every report made of it. */
Test(fleet, the_schema_has_every_key_of_the_record)
{
	const char *schema = read_file("examples/fleet/schema.sql", NULL);

	cr_assert_gt(strlen(schema), 0);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		cr_expect_geq(
			occurrences(schema, text("`%s`", keys[i])), 2,
			"the table or the view lacks %s; tests/fleet/make-schema writes both anew",
			keys[i]);
}

static void expect_refused(const char *const argv[], const char *says)
{
	struct program program = {.argv = argv};

	cr_expect_eq(run_program(&program), 2);
	cr_expect_eq(program.out_length, 0);
	cr_expect_not_null(strstr(program.err, says), "it said: %s", program.err);
	cr_expect_eq(occurrences(program.err, "\n"), 1);
}

Test(fleet, an_engine_is_named_rightly_and_holds_no_password)
{
	expect_refused(WORDS(tool_path(), "report", "--from", "https://localhost/x"),
		       "is no engine; it should look like clickhouse+https://");
	expect_refused(WORDS(tool_path(), "report", "--from",
			     "clickhouse+http://reader:secret@127.0.0.1:1/tlswitness"),
		       "TLSWITNESS_ENGINE_PASSWORD");
	expect_refused(WORDS(tool_path(), "report", "--from",
			     "clickhouse+http://127.0.0.1:1/tlswitness?table=tls;DROP"),
		       "names no table");
	expect_refused(
		WORDS(tool_path(), "report", "--from", "clickhouse+file:///etc/passwd?table=x"),
		"");
	expect_refused(
		WORDS(tool_path(), "report", "--from", "clickhouse+http://127.0.0.1:1/tlswitness"),
		"did not answer");
	expect_refused(WORDS(tool_path(), "report", "--from",
			     "clickhouse+http://127.0.0.1:1/tlswitness", "x.jsonl"),
		       "'x.jsonl' is not read beside it");
}
