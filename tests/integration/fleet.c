/*
 * What a fleet's engine holds, as far as it can be told without one: tests/fleet has the engines.
 */
#include <string.h>

#include <criterion/criterion.h>
#include <jansson.h>

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

static const char *day_record(const char *host, int day)
{
	return text("{\"@timestamp\":\"2026-11-%02dT12:00:00.000000Z\",\"event.action\":"
		    "\"smtp-session\",\"host.name\":\"%s\"}\n",
		    day, host);
}

/*
 * Up to the 20th, a day that may not be over. Named is who has been silent for more whole days than
 * ever before: not who was silent as long already, nor who was there the day before.
 */
Test(fleet, hosts_that_fell_silent_are_named)
{
	static const struct {
		const char *host;
		int days[5];
	} written[] = {
		{"always", {17, 18, 19, 20}}, {"yesterday", {17, 18, 19}}, {"weekly", {3, 10, 13}},
		{"pauses", {13, 16, 17}},     {"steady", {15, 16, 17}},    {"once", {12}},
	};
	const char *log = "";
	struct program json;
	struct program page;
	struct program plain;
	json_t *silent;

	for (size_t i = 0; i < sizeof(written) / sizeof(written[0]); i++) {
		for (size_t k = 0; written[i].days[k]; k++)
			log = text("%s%s", log, day_record(written[i].host, written[i].days[k]));
	}
	log = test_file("silent.jsonl", log);
	json = (struct program){.argv = WORDS(tool_path(), "report", "--json", log)};
	plain = (struct program){.argv = WORDS(tool_path(), "report", log)};
	page = (struct program){.argv = WORDS(tool_path(), "report", "--html", log)};
	cr_assert_eq(run_program(&json), 0, "%s", json.err);
	cr_assert_eq(run_program(&plain), 0, "%s", plain.err);
	cr_assert_eq(run_program(&page), 0, "%s", page.err);

	silent = json_object_get(json_loads(json.out, 0, NULL), "silent_hosts");
	cr_expect(json_equal(silent, json_loads("[{\"host\":\"once\",\"last\":\"2026-11-12\","
						"\"days\":7,\"longest_before\":0},"
						"{\"host\":\"steady\",\"last\":\"2026-11-17\","
						"\"days\":2,\"longest_before\":0}]",
						0, NULL)),
		  "%s", json_dumps(silent, JSON_COMPACT));
	cr_expect_not_null(strstr(plain.out, "Hosts that fell silent\n\n"
					     "HOST    LAST DAY    DAYS SINCE  LONGEST BEFORE\n"
					     "once    2026-11-12           7               0\n"
					     "steady  2026-11-17           2               0\n"),
			   "%s", plain.out);
	cr_expect_eq(occurrences(page.out, "Hosts that fell silent"), 1);
}
