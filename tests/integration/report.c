/*
 * `tlswitness report` as a user runs it: inputs, filters, formats, exit statuses.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include "tests/integration/harness.h"

TestSuite(report_command, .init = harness_begin, .fini = harness_end);

#define OLD                                                                                   \
	"{\"@timestamp\":\"2026-11-20T10:00:00.000000Z\",\"event.action\":\"tls-handshake\"," \
	"\"destination.domain\":\"old.example\",\"tls.version\":\"1.0\","                     \
	"\"tlswitness.verdict\":\"below-floor\",\"tlswitness.floor\":\"1.2\","                \
	"\"process.executable\":\"/usr/bin/python3.11\",\"tlswitness.script\":\"/srv/a.py\"}\n"
#define NEW                                                                                   \
	"{\"@timestamp\":\"2026-11-21T10:00:00.000000Z\",\"event.action\":\"tls-handshake\"," \
	"\"destination.domain\":\"new.example\",\"tls.version\":\"1.3\","                     \
	"\"tlswitness.verdict\":\"ok\",\"tlswitness.floor\":\"1.2\","                         \
	"\"process.executable\":\"/usr/bin/curl\"}\n"
#define NESTED                                                                           \
	"{\"tls\": {\"version\": \"1.0\"}, \"event\": {\"action\": \"tls-handshake\"}, " \
	"\"@timestamp\": \"2026-11-20T11:00:00Z\", \"destination\": {\"domain\": "       \
	"\"old.example\"}, \"process\": {\"executable\": \"/usr/bin/python3.11\"}, "     \
	"\"tlswitness\": {\"script\": \"/srv/a.py\", \"verdict\": \"below-floor\"}}\n"

static struct program run_report(const char *const arguments[], const char *input)
{
	const char *const head[] = {tool_path(), "report", NULL};
	struct program program = {
		.argv = join_words(head, arguments),
		.env = WORDS("COLUMNS=80", "LC_ALL=C.UTF-8", "NO_COLOR"),
		.input = input,
	};

	run_program(&program);
	return program;
}

/* Runs with --json and returns the report; it must be valid JSON. */
static json_t *json_report(const char *const arguments[], const char *input)
{
	struct program program = run_report(join_words(WORDS("--json"), arguments), input);
	json_error_t error;
	json_t *report = json_loads(program.out, JSON_REJECT_DUPLICATES, &error);

	cr_assert_not_null(report, "%s: %s", error.text, program.out);
	return report;
}

static json_int_t number(json_t *report, const char *key)
{
	return json_integer_value(json_object_get(report, key));
}

Test(report_command, counts_a_file)
{
	const char *log = test_file("a.jsonl", OLD OLD NEW);
	json_t *report = json_report(WORDS(log), NULL);

	cr_expect_eq(number(report, "format"), 1);
	cr_expect_eq(number(report, "connections"), 3);
	cr_expect_eq(number(json_object_get(report, "versions"), "1.0"), 2);
	cr_expect_eq(number(json_object_get(report, "verdicts"), "below-floor"), 2);
	cr_expect_eq(json_array_size(json_object_get(report, "groups")), 2);
	json_decref(report);
}

Test(report_command, counts_what_a_shipper_nested_as_the_same)
{
	json_t *report = json_report(WORDS("-"), OLD NESTED);

	cr_expect_eq(number(report, "connections"), 2);
	cr_expect_eq(json_array_size(json_object_get(report, "groups")), 1);
	json_decref(report);
}

Test(report_command, reads_a_directory_with_its_rotated_logs)
{
	json_t *report = NULL;
	const char *directory = test_path("logs");

	cr_assert_eq(mkdir(directory, 0755), 0);
	test_file("logs/0.jsonl", NEW);
	test_file("logs/0.jsonl.1", OLD);
	test_file("logs/0.jsonl-20261101", OLD);
	test_file("logs/33.jsonl", OLD);
	test_file("logs/notes.txt", "not a log\n");
	test_file("logs/x.jsonl.swp", "not a log\n");
	report = json_report(WORDS(directory), NULL);
	cr_expect_eq(number(report, "connections"), 4);
	cr_expect_eq(json_array_size(json_object_get(report, "inputs")), 4);
	json_decref(report);
}

Test(report_command, looks_where_the_recorder_writes)
{
	const char *log = test_file("a.jsonl", OLD);
	struct program program = {
		.argv = WORDS(tool_path(), "report", "--json"),
		.env = WORDS(text("TLSWITNESS_LOG=%s", log)),
	};

	cr_expect_eq(run_program(&program), 0, "%s", program.err);
	cr_expect(strstr(program.out, "\"connections\": 1,"));
}

Test(report_command, names_lines_that_are_no_records)
{
	const char *log = test_file("a.jsonl", OLD "rubbish\n\n[1]\n{\"a\":1}\n" NEW
						   "{\"event.action\":\"x\"}\n{\"@timest");
	struct program program = run_report(WORDS(log), NULL);

	cr_expect_eq(program.status, 0);
	cr_expect(strstr(program.err,
			 text("%s: 5 lines are no records: line 2 (invalid JSON), line 4 "
			      "(not a JSON object), line 5 (not a record: no "
			      "event.action), ...\n",
			      log)),
		  "%s", program.err);
	cr_expect(strstr(program.out, "5 lines were no records"), "%s", program.out);
	cr_expect(strstr(program.out, "2 connections"));
}

Test(report_command, counts_what_it_does_not_name)
{
	const char *log = test_file("a.jsonl", NEW "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n");
	struct program program = run_report(WORDS(log), NULL);

	cr_expect(strstr(program.err,
			 text("%s: 12 lines are no records: line 2 (not a JSON object)", log)),
		  "%s", program.err);
	cr_expect_null(strstr(program.err, "line 12"));
}

Test(report_command, takes_the_last_line_without_a_newline_and_crlf)
{
	json_t *report = json_report(WORDS("-"), "\r\n" NESTED "\r\n" NEW);
	const char *log = NULL;
	char *cut = strdup(NEW);

	cr_expect_eq(number(report, "connections"), 2);
	json_decref(report);
	cut[strlen(cut) - 1] = '\0';
	log = test_file("a.jsonl", cut);
	report = json_report(WORDS(log), NULL);
	cr_expect_eq(number(report, "connections"), 1);
	json_decref(report);
	free(cut);
}

Test(report_command, fails_on_verdicts)
{
	const char *log = test_file("a.jsonl", OLD NEW);

	cr_expect_eq(run_report(WORDS("--fail-on", "below-floor,plaintext", log), NULL).status, 1);
	cr_expect_eq(run_report(WORDS("--fail-on", "plaintext", log), NULL).status, 0);
	/* Only of what the filters let pass. */
	cr_expect_eq(
		run_report(WORDS("--fail-on", "below-floor", "--to", "new.*", log), NULL).status,
		0);
	cr_expect_eq(run_report(WORDS("--fail-on", "refused", log), NULL).status, 0);
	cr_expect_eq(
		run_report(WORDS("--fail-on", "refused", "--what-if", "1.2", log), NULL).status, 1);
}

Test(report_command, filters)
{
	const char *log = test_file("a.jsonl", OLD NEW);
	static const struct {
		const char *option;
		const char *value;
		int connections;
	} cases[] = {
		{"--since", "2026-11-21T00:00:00Z", 1},
		{"--until", "2026-11-20T10:00:00.000001Z", 1},
		{"--since", "2026-11-22", 0},
		{"--program", "curl", 1},
		{"--program", "/srv/*", 1},
		{"--to", "*.example", 2},
		{"--verdict", "ok,at-risk", 1},
		{"--host", "*", 0},
		{"--service", "x", 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *report = json_report(WORDS(cases[i].option, cases[i].value, log), NULL);

		cr_expect_eq(number(report, "connections"), cases[i].connections, "%s %s",
			     cases[i].option, cases[i].value);
		json_decref(report);
	}
}

Test(report_command, refuses_bad_use_in_one_sentence)
{
	const char *log = test_file("a.jsonl", OLD);
	const char *const *const cases[] = {
		WORDS("--no-such-option", log),  WORDS("--verdict", "bad", log),
		WORDS("--fail-on", "", log),     WORDS("--since", "whenever", log),
		WORDS("--by", "program,x", log), WORDS("--what-if", "1.4", log),
		WORDS("--top", "-1", log),       WORDS(log, "--threads"),
		WORDS("--threads", "x", log),
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct program program = run_report(cases[i], NULL);
		const char *newline = strchr(program.err, '\n');

		cr_expect_eq(program.status, 2, "%zu", i);
		cr_expect_eq(program.out_length, 0);
		cr_expect(newline && newline[1] == '\0', "%s", program.err);
		cr_expect_eq(strncmp(program.err, "tlswitness: ", 12), 0);
	}
}

Test(report_command, fails_only_where_nothing_could_be_read)
{
	const char *log = test_file("a.jsonl", OLD);
	const char *missing = test_path("missing.jsonl");
	const char *empty = test_file("empty.jsonl", "");
	const char *rubbish = test_file("rubbish.jsonl", "rubbish\n");
	struct program program = run_report(WORDS(log, missing), NULL);

	cr_expect_eq(program.status, 0);
	cr_expect(strstr(program.err, text("%s: No such file or directory", missing)));
	cr_expect_eq(run_report(WORDS(missing), NULL).status, 2);
	cr_expect_eq(run_report(WORDS(rubbish), NULL).status, 2);
	cr_expect_eq(run_report(WORDS(empty), NULL).status, 0);
	cr_expect_eq(run_report(WORDS(log, rubbish), NULL).status, 0);
}

Test(report_command, lets_no_control_character_through)
{
	static const char evil[] =
		"{\"@timestamp\":\"2026-11-20T10:00:00.000000Z\",\"event.action\":\"plaintext-"
		"mail\","
		"\"event.reason\":\"\\u001b]0;owned\\u0007\","
		"\"destination.domain\":\"\\u001b[2J\\u009b31m\",\"tlswitness.verdict\":"
		"\"plaintext\","
		"\"process.executable\":\"/tmp/\\r\\n\\u0000x\","
		"\"code.file.path\":\"\\u202e/tmp/a.py\",\"code.function.name\":\"\\u001b[1m\"}\n";
	const char *log = test_file("\x1b[31m.jsonl", evil);
	struct program program = run_report(WORDS(log, log), "");

	cr_expect_eq(program.status, 0);
	for (size_t i = 0; i < program.out_length; i++) {
		unsigned char byte = (unsigned char)program.out[i];

		cr_expect(byte >= 0x20 || byte == '\n', "byte %u at %zu", byte, i);
		cr_expect_neq(byte, 0x7f);
	}
	cr_expect_null(strstr(program.out, "\xc2\x9b"));
	cr_expect_null(strstr(program.out, "\xe2\x80\xae"));
	cr_expect_null(strchr(program.err, 0x1b));
}

Test(report_command, keeps_to_the_width)
{
	const char *log = test_file("a.jsonl", OLD NEW NESTED);
	struct program program =
		run_report(WORDS("--by", "program,destination,place,host", log), NULL);
	const char *line = program.out;

	while (*line) {
		size_t length = strcspn(line, "\n");

		cr_expect_leq(length, 80, "%.*s", (int)length, line);
		cr_expect(length == 0 || line[length - 1] != ' ', "'%.*s'", (int)length, line);
		line += length + (line[length] == '\n');
	}
}

/* Without what names the input. */
static const char *figures_of(const char *out)
{
	const char *start = strstr(out, "\n\n");
	const char *end = strstr(out, "\nRead ");

	cr_assert(start && end, "%s", out);
	return text("%.*s", (int)(end - start), start);
}

Test(report_command, gives_the_same_with_any_number_of_threads)
{
	/* Some megabytes, so that there are several blocks, with lines of both kinds and rubbish.
	 */
	size_t size = 0;
	char *log = NULL;
	FILE *out = open_memstream(&log, &size);
	const char *path = NULL;
	const char *first = NULL;
	static const char *const threads[] = {"1", "2", "7"};

	for (int i = 0; i < 9000; i++) {
		(void)fputs(i % 3 ? OLD : NEW, out);
		if (i % 100 == 0)
			(void)fputs(NESTED, out);
		if (i % 1000 == 0)
			(void)fputs("rubbish\n", out);
	}
	cr_assert_eq(fclose(out), 0);
	path = test_file("a.jsonl", log);
	for (size_t i = 0; i < sizeof(threads) / sizeof(threads[0]); i++) {
		struct program program = run_report(WORDS("--threads", threads[i], path), NULL);
		struct program stream = run_report(WORDS("--threads", threads[i], "-"), log);

		if (i == 0)
			first = program.out;
		cr_expect_str_eq(program.out, first);
		cr_expect_str_eq(figures_of(stream.out), figures_of(first));
		cr_expect(strstr(program.err, "line 2025 (invalid JSON)"), "%s", program.err);
	}
	cr_expect(strstr(first, "9090 connections"), "%s", first);
	free(log);
}

Test(report_command, survives_lines_of_any_length)
{
	enum { LONG = 5 << 20, ALLOWED = 1 << 20 };
	size_t size = 0;
	char *log = NULL;
	FILE *out = open_memstream(&log, &size);
	const char *path = NULL;
	json_t *report = NULL;
	json_t *input = NULL;

	(void)fputs(OLD, out);
	for (int i = 0; i < LONG; i++)
		(void)fputc('x', out);
	(void)fputs("\n{\"event.action\":\"tls-handshake\",\"@timestamp\":\"2026-11-20T10:00:00Z\","
		    "\"x\":"
		    "\"",
		    out);
	for (int i = 0; i < ALLOWED; i++)
		(void)fputc('x', out);
	(void)fputs("\"}\n" NEW, out);
	cr_assert_eq(fclose(out), 0);
	path = test_file("a.jsonl", log);
	for (int i = 0; i < 2; i++) {
		report = json_report(WORDS(i ? "-" : path), i ? log : NULL);
		input = json_array_get(json_object_get(report, "inputs"), 0);
		cr_expect_eq(number(report, "connections"), 3);
		cr_expect_eq(number(input, "lines"), 4);
		cr_expect_eq(number(input, "rejected"), 1);
		json_decref(report);
	}
	free(log);
}

Test(report_command, shows_help)
{
	struct program program = run_report(WORDS("--help"), NULL);

	cr_expect_eq(program.status, 0);
	cr_expect_eq(strncmp(program.out, "Usage: tlswitness report", 24), 0);
	cr_expect_eq(program.err_length, 0);
}
