/*
 * What the report says is so, and what it can't know it does not claim: filters that are
 * disclosed, the line that is to blame, predictions held against runs, exit statuses that
 * tell "all well" from "nothing seen", nothing counted twice, nothing rounded away.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include "tests/integration/harness.h"

TestSuite(report_truth, .init = harness_begin, .fini = harness_end, .timeout = 180);

#define RECORD(time, verdict, version, more)                                                   \
	"{\"@timestamp\":\"" time "\",\"event.action\":\"tls-handshake\","                     \
	"\"destination.domain\":\"mx.example\",\"process.executable\":\"/usr/bin/curl\","      \
	"\"tls.version\":\"" version "\",\"tlswitness.floor\":\"1.2\",\"tlswitness.verdict\":" \
	"\"" verdict "\"" more "}\n"
#define OK  RECORD("2026-11-20T10:00:00.000000Z", "ok", "1.3", "")
#define OLD RECORD("2026-11-20T11:00:00.000000Z", "below-floor", "1.0", "")

static struct program run_report_in(const char *const arguments[], const char *const env[])
{
	struct program program = {.argv = join_words(WORDS(tool_path(), "report"), arguments),
				  .env = join_words(WORDS("LC_ALL=C.UTF-8", "NO_COLOR=1"), env)};

	run_program(&program);
	return program;
}

static struct program run_report(const char *const arguments[])
{
	return run_report_in(arguments, NO_WORDS);
}

static json_t *json_report(const char *const arguments[])
{
	struct program program = run_report(join_words(WORDS("--json"), arguments));
	json_t *report = json_loads(program.out, 0, NULL);

	cr_assert_not_null(report, "%s", program.err);
	return report;
}

static long long number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* ---- 1: filters ---- */

Test(report_truth, filters_and_command_are_in_every_output)
{
	const char *log = test_file("a.jsonl", OK OLD);
	json_t *report = json_report(WORDS("--verdict", "ok", "--to", "*.example", log));
	json_t *filters = json_object_get(report, "filters");
	static const char *const formats[] = {"--html",  "--csv",   "--openmetrics",
					      "--junit", "--sarif", "--mail"};

	cr_expect_str_eq(json_string_value(json_array_get(json_object_get(filters, "verdict"), 0)),
			 "ok");
	cr_expect_str_eq(json_string_value(json_array_get(json_object_get(filters, "to"), 0)),
			 "*.example");
	cr_expect(strstr(field(report, "command"), "--to '*.example'"), "%s",
		  field(report, "command"));
	json_decref(report);
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct program program = run_report(WORDS(formats[i], "--verdict", "ok", log));

		cr_expect_eq(program.status, 0, "%s", program.err);
		cr_expect(strstr(program.out, "--verdict ok"), "%s: %s", formats[i], program.out);
	}
	cr_expect(strstr(run_report(WORDS("--verdict", "ok", log)).out,
			 "Only a part of the log: verdict ok. 1 record was left out."));
	cr_expect(strstr(run_report(WORDS(log)).out, "The whole log."));
}

Test(report_truth, a_filtered_page_makes_no_claim_about_the_whole)
{
	const char *log = test_file("a.jsonl", OK OLD);
	const char *page = run_report(WORDS("--html", "--verdict", "ok", log)).out;

	cr_expect_null(strstr(page, "Every connection is compliant."));
	cr_expect(strstr(page, "Every connection that was chosen is compliant."));
	cr_expect(strstr(page, "Only a part of the log"));
	cr_expect_lt(strstr(page, "Only a part of the log"), strstr(page, "class=\"conclusion"));
	page = run_report(WORDS("--html", "--what-if", "1.3", log)).out;
	cr_expect(strstr(page, "Connections would have been refused."));
}

/* ---- 2: the line to blame ---- */

#define SHARED "tests/scripts/places/shared"

static const char *whole_path(const char *name)
{
	char *path = realpath(text("%s/%s", SHARED, name), NULL);
	const char *kept = NULL;

	cr_assert_not_null(path, "%s is there", name);
	kept = text("%s", path);
	free(path);
	return kept;
}

Test(report_truth, the_line_that_caps_is_blamed_and_not_the_helper_that_all_share)
{
	static const char *const scripts[] = {"plain.py", "capped.py", "other.py"};
	struct sink *sink = start_sink(WORDS("--tls=1.0..1.3"));
	const char *log = test_path("log.jsonl");
	json_t *report = NULL;
	json_t *place = NULL;

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		struct program program = {.argv = WORDS(tool_path(), "run", "--log", log, "--ports",
							text("%u", sink->port), "--", "python3",
							whole_path(scripts[i]), "127.0.0.1",
							text("%u", sink->port))};

		cr_assert_eq(run_program(&program), 0, "%s", program.err);
	}
	report = json_report(WORDS(log));
	place = json_array_get(json_object_get(report, "places"), 0);
	cr_expect_str_eq(field(place, "file"), whole_path("capped.py"));
	cr_expect_eq(number(place, "line"), 11);
	cr_expect_eq(number(place, "connections"), 1);
	cr_expect_eq(json_array_size(json_object_get(place, "programs")), 1);
	cr_expect(strstr(json_string_value(json_array_get(json_object_get(place, "sources"), 0)),
			 "shared_mailer.py:7 deliver"));
	cr_expect_eq(json_array_size(json_object_get(report, "places")), 1, "%s",
		     run_report(WORDS(log)).out);
	json_decref(report);
}

/* ---- 3: predictions ---- */

static const char *const senders[] = {"plain.py", "capped.py", "other.py", "loose.py"};

static const char *send_all(const struct sink *sink, const char *name, const char *const options[])
{
	const char *log = test_path(name);

	for (size_t i = 0; i < sizeof(senders) / sizeof(senders[0]); i++) {
		const char *const *head = join_words(
			WORDS(tool_path(), "run", "--log", log, "--ports", text("%u", sink->port)),
			options);
		struct program program = {
			.argv = join_words(head, WORDS("--", "python3", whole_path(senders[i]),
						       "127.0.0.1", text("%u", sink->port)))};

		(void)run_program(&program);
	}
	return log;
}

static void check_prediction(const char *floor)
{
	struct sink *old = start_sink(WORDS("--tls=1.0..1.2"));
	const char *audited = send_all(old, text("audit-%s.jsonl", floor), NO_WORDS);
	const char *enforced = send_all(old, text("enforce-%s.jsonl", floor),
					WORDS("--enforce", "--floor", floor));
	json_t *predicted = json_report(WORDS("--what-if", floor, audited));
	json_t *happened = json_report(WORDS(enforced));

	cr_expect_eq(number(predicted, "connections"), 4);
	cr_expect(json_equal(json_object_get(predicted, "verdicts"),
			     json_object_get(happened, "verdicts")),
		  "predicted %s\nhappened %s",
		  text("%s", json_dumps(json_object_get(predicted, "verdicts"), 0)),
		  text("%s", json_dumps(json_object_get(happened, "verdicts"), 0)));
	json_decref(predicted);
	json_decref(happened);
}

Test(report_truth, what_if_1_2_is_what_enforcing_does)
{
	check_prediction("1.2");
}

Test(report_truth, what_if_1_3_is_what_enforcing_does)
{
	check_prediction("1.3");
}

/* ---- 4: run, and a log that can't be written ---- */

static struct program run_with_log(const char *log, const char *const options[])
{
	struct program program = {
		.argv = join_words(join_words(WORDS(tool_path(), "run", "--log", log), options),
				   WORDS("--", "sh", "-c", "echo started"))};

	run_program(&program);
	return program;
}

Test(report_truth, run_says_before_it_starts_that_the_log_cannot_be_written)
{
	const char *target = test_file("target.jsonl", "");
	const char *link = test_path("link.jsonl");
	const char *logs[2] = {NULL};

	cr_assert_eq(symlink(target, link), 0);
	logs[0] = test_path("no/such/directory/log.jsonl");
	logs[1] = link;
	for (size_t i = 0; i < 2; i++) {
		struct program program = run_with_log(logs[i], NO_WORDS);

		cr_expect_eq(program.status, 2);
		cr_expect_str_eq(program.out, "");
		cr_expect(strstr(program.err, "can't be written"), "%s", program.err);
		program = run_with_log(logs[i], WORDS("--log-optional"));
		cr_expect_eq(program.status, 0);
		cr_expect_str_eq(program.out, "started\n");
		cr_expect(strstr(program.err, "can't be written"), "%s", program.err);
	}
	cr_expect_eq(run_with_log(test_path("new.jsonl"), NO_WORDS).status, 0);
}

/* ---- 5: --fail-on ---- */

Test(report_truth, nothing_seen_is_no_success)
{
	const char *log = test_file("a.jsonl", OK);
	const char *empty = test_path("empty");
	const char *missing = test_path("missing.jsonl");
	const char *unchecked =
		test_file("b.jsonl", RECORD("2026-11-20T10:00:00Z", "ok", "1.3",
					    ",\"tlswitness.peer_certificate\":\"unchecked\""));
	const char *torn = test_file("c.jsonl", OK "{\"@timestamp\":\n");

	cr_assert_eq(mkdir(empty, 0755), 0);
	cr_expect_eq(run_report(WORDS("--fail-on", "below-floor", empty)).status, 0);
	cr_expect_eq(run_report(WORDS("--fail-on", "no-records", empty)).status, 1);
	cr_expect_eq(run_report(WORDS("--fail-on", "no-records", log)).status, 0);
	cr_expect_eq(run_report(WORDS("--fail-on", "unverified", log)).status, 0);
	cr_expect_eq(run_report(WORDS("--fail-on", "unverified", unchecked)).status, 1);
	cr_expect_eq(run_report(WORDS("--fail-on", "unreadable", log)).status, 0);
	cr_expect_eq(run_report(WORDS("--fail-on", "unreadable", log, missing)).status, 1);
	cr_expect_eq(run_report(WORDS("--fail-on", "ok,unreadable", torn)).status, 1);
	cr_expect_eq(run_report(WORDS("--fail-on", "nothing", log)).status, 2);
	cr_expect(strstr(run_report(WORDS(log, unchecked)).out, "Read 2 records from 2 logs: "));
}

/* ---- 6: nothing twice ---- */

Test(report_truth, nothing_is_counted_twice)
{
	const char *directory = test_path("logs");
	const char *id = ",\"event.id\":\"0123456789abcdef0123456700000001\"";
	const char *record = NULL;
	const char *log = NULL;
	struct program gzip = {0};
	json_t *report = NULL;

	cr_assert_eq(mkdir(directory, 0755), 0);
	log = test_file("logs/x.jsonl.1", OK OLD);
	(void)test_file("logs/notes.txt", "nothing");
	gzip.argv = WORDS("gzip", "-k", log);
	cr_assert_eq(run_program(&gzip), 0);
	report = json_report(WORDS(directory));
	cr_expect_eq(number(report, "connections"), 2);
	json_decref(report);
	report = json_report(WORDS(directory, log, log));
	cr_expect_eq(number(report, "connections"), 2);
	json_decref(report);
	cr_expect(strstr(run_report(WORDS(directory)).err, "not named *.jsonl: notes.txt"), "%s",
		  run_report(WORDS(directory)).err);
	record = text(
		"{\"@timestamp\":\"2026-11-20T10:00:00Z\"%s,\"event.action\":\"tls-handshake\","
		"\"tls.version\":\"1.3\",\"tlswitness.verdict\":\"ok\"}\n",
		id);
	log = test_file("shipped.jsonl", text("%s%s%s", record, record, record));
	report = json_report(WORDS(log));
	cr_expect_eq(number(report, "connections"), 1);
	cr_expect_eq(number(json_object_get(report, "records"), "doubles"), 2);
	json_decref(report);
}

Test(report_truth, windows_that_touch_do_not_overlap)
{
	const char *log = test_file("a.jsonl", OK OLD);
	json_t *first = json_report(WORDS("--until", "2026-11-20T11:00:00Z", log));
	json_t *second = json_report(WORDS("--since", "2026-11-20T11:00:00Z", log));

	cr_expect_eq(number(first, "connections"), 1);
	cr_expect_eq(number(second, "connections"), 1);
	json_decref(first);
	json_decref(second);
}

Test(report_truth, an_hour_that_was_twice_is_not_guessed)
{
	const char *log = test_file("a.jsonl", OK);
	struct program program =
		run_report_in(WORDS("--since", "2026-10-25 02:30", log), WORDS("TZ=Europe/Berlin"));

	cr_expect_eq(program.status, 2);
	cr_expect(strstr(program.err, "was twice"), "%s", program.err);
	program =
		run_report_in(WORDS("--since", "2026-10-25 03:30", log), WORDS("TZ=Europe/Berlin"));
	cr_expect_eq(program.status, 0);
	/* Local in, UTC out, said. */
	cr_expect(strstr(program.out, "since 2026-10-25 02:30:00 UTC"), "%s", program.out);
}

/* ---- 7, 8: figures and names whole ---- */

static char *many(size_t count, const char *more)
{
	char *log = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&log, &size);

	for (size_t i = 0; i < count; i++)
		(void)fputs(OK, out);
	(void)fputs(more, out);
	cr_assert_eq(fclose(out), 0);
	return log;
}

Test(report_truth, no_finding_is_rounded_away)
{
	char *content = many(19999, OLD);
	const char *log = test_file("a.jsonl", content);
	const char *out = run_report(WORDS(log)).out;

	cr_expect(strstr(out, "<0.1 %"), "%s", out);
	cr_expect(strstr(out, ">99.9 %"), "%s", out);
	cr_expect_null(strstr(out, " 0.0 %"));
	cr_expect_null(strstr(out, "100.0 %"));
	out = run_report(WORDS("--html", log)).out;
	cr_expect(strstr(out, "19,999"));
	cr_expect_null(strstr(out, "19k"));
	free(content);
}

Test(report_truth, names_are_whole_where_no_terminal_shows_them)
{
	const char *name = "/srv/a/very/long/path/to/the/application/that/sends/the/mail/of/"
			   "everybody/every/day/bin/send.py";
	const char *log = test_file(
		"a.jsonl",
		RECORD("2026-11-20T10:00:00Z", "ok", "1.3",
		       ",\"tlswitness.script\":\"/srv/a/very/long/path/to/the/application/"
		       "that/sends/the/mail/of/everybody/every/day/bin/send.py\""));

	cr_expect(strstr(run_report(WORDS(log)).out, name));
	cr_expect_null(strstr(run_report(WORDS("--width", "60", log)).out, name));
	cr_expect(strstr(run_report_in(WORDS("--width", "0", log), WORDS("COLUMNS=60")).out, name));
}

/* ---- 9: advice ---- */

Test(report_truth, advice_is_for_the_interface_that_was_used)
{
	const char *log = test_file(
		"a.jsonl",
		"{\"@timestamp\":\"2026-11-20T10:00:00Z\",\"event.action\":\"tls-handshake\","
		"\"tls.version\":\"1.0\",\"tlswitness.verdict\":\"below-floor\","
		"\"process.executable\":\"/usr/bin/python3.11\",\"tlswitness.script\":\"/srv/"
		"a.py\","
		"\"code.file.path\":\"/usr/lib/x86_64-linux-gnu/libcurl-gnutls.so.4\"}\n"
		"{\"@timestamp\":\"2026-11-20T10:00:00Z\",\"event.action\":\"tls-handshake\","
		"\"event.reason\":\"certificate-expired\",\"tlswitness.verdict\":\"failed\","
		"\"process.executable\":\"/usr/bin/python3.11\"}\n");
	json_t *report = json_report(WORDS(log));
	json_t *place = json_array_get(json_object_get(report, "places"), 0);

	cr_expect_str_eq(field(place, "file"), "/srv/a.py");
	cr_expect(strstr(field(place, "advice"), "pycurl.SSLVERSION_TLSv1_2"), "%s",
		  field(place, "advice"));
	cr_expect(strstr(field(json_array_get(json_object_get(report, "failures"), 0), "advice"),
			 "renew"));
	json_decref(report);
}

/* ---- 11: messages ---- */

Test(report_truth, bad_use_is_named_for_what_it_is)
{
	const char *log = test_file("a.jsonl", OK);
	const struct {
		const char *const *arguments;
		const char *said;
	} cases[] = {
		{WORDS("--verdct", "ok", log), "did you mean --verdict?"},
		{WORDS("--s", "x", log), "short for several options of report: --since"},
		{WORDS("--json", "--csv", log), "--json and --csv"},
		{WORDS("--what-if", "1.0", log), "give 1.2 or 1.3"},
		{WORDS("--until", "2026-11-01", "--since", "2026-11-02", log), "not after --since"},
		{WORDS("--by", "programm", log), "did you mean program?"},
		{WORDS("--json=x", log), "takes no value"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct program program = run_report(cases[i].arguments);

		cr_expect_eq(program.status, 2, "%zu", i);
		cr_expect(strstr(program.err, cases[i].said), "%zu: %s", i, program.err);
	}
}

Test(report_truth, bzip2_is_read_and_a_bad_file_takes_one_line)
{
	const char *log = test_file("a.jsonl", OK OLD);
	struct program bzip2 = {.argv = WORDS("bzip2", log)};
	json_t *report = NULL;
	const char *newline = NULL;
	struct program program = {0};

	cr_assert_eq(run_program(&bzip2), 0, "%s", bzip2.err);
	report = json_report(WORDS(text("%s.bz2", log)));
	cr_expect_eq(number(report, "connections"), 2);
	json_decref(report);
	log = test_file("bad.jsonl", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n" OK);
	program = run_report(WORDS(log));
	newline = strchr(program.err, '\n');
	cr_expect(newline && newline[1] == '\0', "%s", program.err);
	cr_expect(strstr(program.err, "12 lines are no records"), "%s", program.err);
}

/* ---- 14: readiness ---- */

Test(report_truth, what_fails_if_servers_require_a_version)
{
	const char *log = test_file(
		"a.jsonl", OK RECORD("2026-11-20T10:00:00Z", "below-floor", "1.1",
				     ",\"tlswitness.offered\":[\"1.0\",\"1.1\"],\"user.id\":\"33\","
				     "\"code.file.path\":\"/srv/m.py\",\"code.line.number\":7")
				   RECORD("2026-11-20T10:00:00Z", "at-risk", "1.2",
					  ",\"tlswitness.offered\":[\"1.0\",\"1.2\"]"));
	json_t *report = json_report(
		WORDS("--if-servers-require", "1.2", "--flip", "2027-01-01T00:00:00Z", log));
	json_t *readiness = json_object_get(report, "readiness");
	json_t *change = json_array_get(json_object_get(readiness, "changes"), 0);
	struct program program = {0};

	cr_expect_eq(number(readiness, "would_fail"), 1);
	cr_expect_eq(number(readiness, "connections"), 3);
	cr_expect_str_eq(field(change, "place"), "/srv/m.py:7");
	cr_expect_str_eq(field(change, "user"), "33");
	json_decref(report);
	report = json_report(WORDS("--if-servers-require", "1.3", log));
	cr_expect_eq(number(json_object_get(report, "readiness"), "would_fail"), 2);
	json_decref(report);
	program = run_report_in(
		WORDS("--if-servers-require", "1.2", "--flip", "2027-01-01T00:00:00Z", log),
		WORDS("SOURCE_DATE_EPOCH=1798675200"));
	cr_expect(strstr(program.out,
			 "2027-01-01 is in 1 day. If every server required TLS 1.2: 1 of "
			 "3 connections would have failed (33.3 %)."),
		  "%s", program.out);
	cr_expect_eq(run_report(WORDS("--flip", "2027-01-01", log)).status, 2);
}
