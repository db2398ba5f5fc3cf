/*
 * tlswitness rollup: fewer records, the same reports.
 */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "tests/integration/records.h"

TestSuite(rollup, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

#define RECORDS 3000

/* Three programs, two servers, three versions, over three hours; some lost. */
static const char *busy_log(void)
{
	static const char *const versions[] = {"1.0", "1.2", "1.3"};
	static const char *const verdicts[] = {"below-floor", "at-risk", "ok"};
	char *log = NULL;
	size_t size;
	FILE *out = open_memstream(&log, &size);
	const char *path;

	for (int i = 0; i < RECORDS; i++) {
		(void)fprintf(
			out,
			"{\"@timestamp\":\"2026-11-23T%02d:%02d:%02d.%06dZ\",\"event.id\":\"%"
			"032x\","
			"\"event.action\":\"tls-handshake\",\"source.port\":%d,"
			"\"destination.domain\":\"mx%d.example\",\"tls.version\":\"%s\","
			"\"tlswitness.verdict\":\"%s\",\"tlswitness.witness\":[\"openssl\","
			"\"wire\"],"
			"\"tlswitness.offered\":[\"1.2\",\"1.3\"],\"host.name\":\"h\\u00fc\\\"%d\","
			"\"process.pid\":%d,\"tlswitness.script\":\"/srv/%d.py\"}\n",
			10 + i / 1000, i % 60, i % 59, i, i + 1, 1024 + i, i % 2, versions[i % 3],
			verdicts[i % 3], i % 2, i, i % 3);
	}
	(void)fprintf(out,
		      "{\"@timestamp\":\"2026-11-23T12:59:59Z\",\"event.action\":"
		      "\"records-lost\",\"event.outcome\":\"failure\",\"tlswitness.lost\":7}\n");
	cr_assert_eq(fclose(out), 0);
	path = test_file("busy.jsonl", log);
	free(log);
	return path;
}

static const char *rolled_up(const char *log, const char *name)
{
	struct program program = {.argv = WORDS(tool_path(), "rollup", log)};

	cr_assert_eq(run_program(&program), 0, "%s", program.err);
	return test_file(name, program.out);
}

/*
 * The report without what it says of its inputs, and of what was lost on the way: that is known by
 * the numbers of single records, which a roll-up no longer has.
 */
static json_t *report_of(const char *log, const char *option, const char *value)
{
	struct program program = {
		.argv = option ? WORDS(tool_path(), "report", "--json", option, value, log)
			       : WORDS(tool_path(), "report", "--json", log),
		.env = WORDS("SOURCE_DATE_EPOCH=1800000000"),
	};
	json_t *report;

	cr_assert_eq(run_program(&program), 0, "%s", program.err);
	report = json_loadb(program.out, program.out_length, 0, NULL);
	cr_assert_not_null(report);
	json_object_del(report, "inputs");
	json_object_del(report, "command");
	json_object_del(report, "deliveries");
	return report;
}

static void expect_same(const char *one, const char *other, const char *option, const char *value)
{
	json_t *first = report_of(one, option, value);
	json_t *second = report_of(other, option, value);

	cr_expect(json_equal(first, second), "the reports differ with %s %s",
		  option ? option : "nothing", value ? value : "");
	json_decref(first);
	json_decref(second);
}

Test(rollup, leaves_every_report_as_it_was)
{
	const char *log = busy_log();
	const char *rolled = rolled_up(log, "rolled.jsonl");
	const char *again = rolled_up(rolled, "again.jsonl");

	/* Six combinations in each of three hours, and what was lost. */
	cr_expect_eq(json_array_size(read_json_lines(rolled)), 19);
	cr_expect_str_eq(read_file(rolled, NULL), read_file(again, NULL));
	expect_same(log, rolled, NULL, NULL);
	expect_same(log, rolled, "--by", "program,destination,version,verdict,host,hour");
	expect_same(log, rolled, "--verdict", "below-floor");
	expect_same(log, rolled, "--program", "1.py");
	expect_same(log, rolled, "--what-if", "1.3");
}

/* What can't be known any more is not told to be nothing. */
Test(rollup, tells_of_no_losses_where_records_have_no_number)
{
	const char *logs[] = {busy_log(), rolled_up(busy_log(), "rolled.jsonl")};

	for (size_t i = 0; i < 2; i++) {
		struct program program = {.argv = WORDS(tool_path(), "report", "--json", logs[i])};
		size_t told = 0;
		size_t arrived = 0;
		size_t index;
		json_t *delivery;

		cr_assert_eq(run_program(&program), 0, "%s", program.err);
		json_array_foreach (json_object_get(json_loads(program.out, 0, NULL), "deliveries"),
				    index, delivery) {
			arrived += (size_t)number_field(delivery, "arrived");
			told += json_object_get(delivery, "lost") != NULL &&
				json_object_get(delivery, "written") != NULL;
		}
		cr_expect_eq(arrived, RECORDS + 1);
		/* Two hosts in one day; the record of what was lost has neither name nor number. */
		cr_expect_eq(told, i == 0 ? 2 : 0, "%zu", told);
	}
}

/* A shipper's doubles: the report knows them by their ids, which the roll-up no longer has. */
Test(rollup, takes_what_is_there_twice_once)
{
	const char *log = busy_log();
	const char *twice =
		test_file("twice.jsonl", text("%s%s", read_file(log, NULL), read_file(log, NULL)));
	json_t *once = read_json_lines(rolled_up(log, "once.jsonl"));
	json_t *both = read_json_lines(rolled_up(twice, "both.jsonl"));

	/* What has no id can't be told apart from itself. */
	cr_expect_eq(json_array_size(both), json_array_size(once));
	for (size_t i = 0; i + 1 < json_array_size(once); i++)
		cr_expect(json_equal(json_array_get(both, i), json_array_get(once, i)));
}

Test(rollup, says_what_it_could_not_take)
{
	const char *log = test_file("bad.jsonl", "{\"@timestamp\":\"2026-11-23T12:59:59Z\","
						 "\"event.action\":\"tls-handshake\"}\nrubbish\n");
	struct program program = {.argv = WORDS(tool_path(), "rollup", log)};

	cr_expect_eq(run_program(&program), 2);
	cr_expect_not_null(strstr(program.err, "1 lines are no records"));
	program =
		(struct program){.argv = WORDS(tool_path(), "rollup", test_path("missing.jsonl"))};
	cr_expect_eq(run_program(&program), 2);
	cr_expect_not_null(strstr(program.err, "missing.jsonl"));
}
