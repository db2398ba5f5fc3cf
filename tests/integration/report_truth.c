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

TestSuite(report_truth, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

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

Test(report_truth, a_night_without_records_is_not_all_well)
{
	const char *recent = NULL;
	struct program date = {.argv = WORDS("date", "-u", "+%Y-%m-%dT%H:%M:%SZ")};
	struct program night = {0};
	const char *log = NULL;

	cr_assert_eq(run_program(&date), 0);
	recent = text("%.20s", date.out);
	log = test_file("a.jsonl", text("{\"@timestamp\":\"%s\",\"event.action\":\"tls-handshake\","
					"\"tls.version\":\"1.3\",\"tlswitness.verdict\":\"ok\"}\n",
					recent));
	night.argv = WORDS("examples/nightly-report/run", log);
	cr_expect_eq(run_program(&night), 0, "%s%s", night.out, night.err);
	cr_expect_str_empty(night.out);
	night = (struct program){
		.argv = WORDS("examples/nightly-report/run", test_file("empty.jsonl", ""))};
	cr_expect_eq(run_program(&night), 1, "%s%s", night.out, night.err);
	cr_expect(strstr(night.out, "0 connections"), "%s", night.out);
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

/* PHP's curl is told by curl_setopt, and not by stream options. */
Test(report_truth, advice_for_curl_in_php_is_for_curl)
{
	const char *log = test_file(
		"a.jsonl",
		"{\"@timestamp\":\"2026-11-20T10:00:00Z\",\"event.action\":\"tls-handshake\","
		"\"tls.version\":\"1.0\",\"tlswitness.verdict\":\"below-floor\","
		"\"process.executable\":\"/usr/bin/php8.2\",\"tlswitness.script\":\"/srv/a.php\","
		"\"code.file.path\":\"/srv/a.php\",\"code.line.number\":7,\"code.stacktrace\":"
		"\"/srv/a.php:7 curl_exec\\n/usr/lib/x86_64-linux-gnu/libcurl.so.4 x\"}\n");
	const char *out = run_report(WORDS(log)).out;

	cr_expect(strstr(out, "CURLOPT_SSLVERSION"), "%s", out);
	cr_expect_null(strstr(out, "STREAM_CRYPTO"), "%s", out);
}

/* The same change is said once, and of many servers a few are named. */
Test(report_truth, advice_is_said_once_and_names_few)
{
	char *content = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&content, &size);
	const char *said = NULL;
	const char *log = NULL;

	for (int i = 0; i < 1000; i++)
		(void)fprintf(out,
			      "{\"@timestamp\":\"2026-11-20T10:00:00Z\",\"event.action\":\"tls-"
			      "handshake\","
			      "\"tls.version\":\"1.0\",\"tlswitness.verdict\":\"below-floor\","
			      "\"tlswitness.limited_by\":\"%s\",\"process.executable\":"
			      "\"/usr/bin/python3.11\",\"destination.domain\":\"mx%d.example\","
			      "\"code.file.path\":\"/srv/%c.py\",\"code.line.number\":7}\n",
			      i < 500 ? "server" : "client", i, i < 500 ? 'a' : 'b' + i % 2);
	(void)fclose(out);
	log = test_file("a.jsonl", content);
	said = run_report(WORDS(log)).out;
	cr_expect(strstr(said, "and 497 others (--by destination names them)"), "%s", said);
	cr_expect(strstr(said, "The same change as in "), "%s", said);
	cr_expect_null(strstr(strstr(said, "Python: set") + 1, "Python: set"), "%s", said);
	free(content);
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

/* ---- 15: what has changed ---- */

#define SENT(day, to, verdict, version)                                                     \
	"{\"@timestamp\":\"2026-11-" day "T10:00:00Z\",\"event.action\":\"tls-handshake\"," \
	"\"destination.domain\":\"" to "\",\"process.executable\":\"/usr/bin/curl\","       \
	"\"tls.version\":\"" version "\",\"tlswitness.verdict\":\"" verdict "\"}\n"

/* "kind verdict destination now/of before/of", a line for each. */
static const char *changes_of(const json_t *comparison)
{
	const char *lines = "";
	const json_t *change = NULL;
	size_t i = 0;

	json_array_foreach (json_object_get(comparison, "changes"), i, change)
		lines = text("%s%s %s %s %lld/%lld %lld/%lld\n", lines, field(change, "change"),
			     field(change, "verdict"), field(change, "destination"),
			     number(change, "now"), number(change, "now_connections"),
			     number(change, "before"), number(change, "before_connections"));
	return lines;
}

Test(report_truth, what_changed_is_new_worse_better_fixed_or_gone)
{
	const char *log = test_file(
		"a.jsonl",
		/* before */
		SENT("01", "worse", "below-floor", "1.0") SENT("01", "worse", "ok", "1.3") SENT(
			"01", "better", "below-floor", "1.0") SENT("01", "fixed", "at-risk", "1.2")
			SENT("01", "gone", "below-floor", "1.1") SENT("01", "same", "failed", "1.0")
				SENT("01", "new", "ok", "1.3")
		/* now */
		SENT("08", "worse", "below-floor", "1.0") SENT("08", "better", "below-floor", "1.0")
			SENT("09", "better", "ok", "1.3") SENT("08", "fixed", "ok", "1.3")
				SENT("08", "same", "failed", "1.0")
					SENT("08", "new", "at-risk", "1.2"));
	const char *const period = "2026-11-01T00:00:00Z..2026-11-08T00:00:00Z";
	json_t *report = json_report(WORDS("--compare-to", period, log));
	json_t *comparison = json_object_get(report, "comparison");
	const char *out = run_report(WORDS("--compare-to", period, log)).out;

	cr_expect_eq(number(report, "connections"), 6);
	cr_expect_eq(number(comparison, "connections"), 7);
	cr_expect_eq(number(comparison, "unchanged"), 1);
	cr_expect_str_eq(changes_of(comparison), "new at-risk new 1/1 0/1\n"
						 "worse below-floor worse 1/1 1/2\n"
						 "better below-floor better 1/2 1/1\n"
						 "fixed at-risk fixed 0/1 1/1\n"
						 "gone below-floor gone 0/0 1/1\n");
	json_decref(report);
	cr_expect(strstr(out, "1 new, 1 worse, 1 better, 1 fixed, 1 gone, 1 as before."), "%s",
		  out);
	cr_expect(strstr(run_report(WORDS("--html", "--compare-to", period, log)).out,
			 "id=\"changes\""));
	cr_expect_eq(run_report(WORDS("--fail-on", "new", "--compare-to", period, log)).status, 1);
	cr_expect_eq(run_report(WORDS("--fail-on", "new", log)).status, 2);
	cr_expect_eq(run_report(WORDS("--compare-to", "2026-11-01..2026-11-20", "--since",
				      "2026-11-08", log))
			     .status,
		     2);
	cr_expect_eq(run_report(WORDS("--compare-to", "last year", log)).status, 2);
	report = json_report(
		WORDS("--compare-to", "last week", "--since", "2026-11-08T00:00:00Z", log));
	cr_expect_eq(number(json_object_get(report, "comparison"), "connections"), 7);
	json_decref(report);
}

/* ---- 16: the records behind a row, domains, certificates ---- */

Test(report_truth, the_records_behind_a_row_are_shown)
{
	const char *log = test_file("a.jsonl", OK OLD OLD OK);
	struct program program = run_report(WORDS("--show", "--json", "--where", "version=1.0",
						  "--where", "verdict=below-floor", log));

	cr_expect_str_eq(program.out, OLD OLD);
	program = run_report(
		WORDS("--show", "--json", "--where", "version=1.0", "--where", "version=1.3", log));
	cr_expect_str_eq(program.out, OK OLD OLD OK);
	program =
		run_report(WORDS("--show", "--json", "--where", "host=-", "--verdict", "ok", log));
	cr_expect_str_eq(program.out, OK OK);
	program = run_report(
		WORDS("--show", "--where", "destination=mx.example", "--where", "verdict=ok", log));
	cr_expect(strstr(program.out, "mx.example"), "%s", program.out);
	cr_expect_null(strstr(program.out, "below-floor"));
	cr_expect_eq(run_report(WORDS("--show", "--html", log)).status, 2);
	program = run_report(WORDS("--where", "verson=1.0", log));
	cr_expect(strstr(program.err, "did you mean version?"), "%s", program.err);
}

Test(report_truth, destinations_are_grouped_by_registrable_domain)
{
	const char *log =
		test_file("a.jsonl", SENT("01", "mx1.mail.example.co.uk", "ok", "1.3")
					     SENT("01", "MX2.Example.co.uk.", "ok", "1.3")
						     SENT("01", "mx.example.com", "ok", "1.3")
							     SENT("01", "localhost", "ok", "1.3"));
	const char *out = run_report(WORDS("--csv", "--by", "domain", log)).out;

	cr_expect(strstr(out, "\nexample.co.uk,2,"), "%s", out);
	cr_expect(strstr(out, "\nexample.com,1,"), "%s", out);
	cr_expect(strstr(out, "\nlocalhost,1,"), "%s", out);
}

Test(report_truth, certificates_that_end_soon_are_named)
{
	const char *log = test_file(
		"a.jsonl",
		RECORD("2026-11-20T10:00:00Z", "ok", "1.3",
		       ",\"tls.server.subject\":\"CN=soon\",\"tls.server.not_after\":"
		       "\"2026-12-10T00:00:00Z\"")
			RECORD("2026-11-20T10:00:00Z", "ok", "1.3",
			       ",\"tls.server.subject\":\"CN=later\",\"tls.server.not_after\":"
			       "\"2099-12-10T00:00:00Z\""));
	json_t *report = json_report(WORDS("--expiring", "36500", log));
	json_t *certificates = json_object_get(report, "server_certificates");
	struct program program = run_report(WORDS("--expiring", "10000", log));

	cr_expect_eq(json_array_size(certificates), 2);
	cr_expect_str_eq(field(json_array_get(certificates, 0), "subject"), "CN=soon");
	cr_expect(json_is_true(json_object_get(json_array_get(certificates, 1), "expiring")));
	json_decref(report);
	cr_expect(strstr(program.out, "2026-12-10  mx.example"), "%s", program.out);
	cr_expect_null(strstr(program.out, "CN=later"));
	cr_expect_eq(run_report(WORDS("--expiring", "10000", "--fail-on", "expiring", log)).status,
		     1);
	cr_expect_eq(run_report(WORDS("--fail-on", "expiring", log)).status, 2);
}

/* ---- 18: for the auditor ---- */

Test(report_truth, the_auditor_finds_scope_ciphers_certificates_gaps_and_method)
{
	const char *log =
		test_file("a.jsonl",
			  OK SENT("23", "mx", "ok", "1.3")
				  RECORD("2026-11-24T10:00:00Z", "ok", "1.3",
					 ",\"tls.cipher\":\"TLS_AES_128_GCM_SHA256\",\"tls.curve\":"
					 "\"X25519\",\"tls.server.subject\":\"CN=mx\""));
	json_t *report = json_report(WORDS("--until", "2026-11-27T00:00:00Z", "--sha256", log));
	json_t *gaps = json_object_get(report, "gaps");
	json_t *cipher = json_array_get(json_object_get(report, "ciphers"), 0);
	const char *page = NULL;

	cr_expect_eq(json_array_size(gaps), 2);
	cr_expect_str_eq(field(json_array_get(gaps, 0), "first"), "2026-11-21");
	cr_expect_str_eq(field(json_array_get(gaps, 0), "last"), "2026-11-22");
	cr_expect_str_eq(field(json_array_get(gaps, 1), "first"), "2026-11-25");
	cr_expect_str_eq(field(json_array_get(gaps, 1), "last"), "2026-11-26");
	cr_expect_str_eq(field(cipher, "cipher"), "TLS_AES_128_GCM_SHA256");
	cr_expect_str_eq(field(cipher, "group"), "X25519");
	cr_expect_eq(strlen(field(json_array_get(json_object_get(report, "inputs"), 0), "sha256")),
		     64);
	json_decref(report);
	page = run_report(WORDS("--html", log)).out;
	cr_expect(strstr(page, "id=\"ciphers\""));
	cr_expect(strstr(page, "id=\"server-certificates\""));
	cr_expect(strstr(page, "id=\"method\""));
	cr_expect(strstr(page, "Days without a connection"));
	cr_expect(strstr(page, "2026-11-21</span> to <span class=\"time\">2026-11-22"));
	page = run_report(WORDS("--audit", "--until", "2026-11-27T00:00:00Z", log)).out;
	cr_expect(strstr(page, "Days without a connection: 2026-11-21 to 2026-11-22, "
			       "2026-11-25 to 2026-11-26.\n"),
		  "%s", page);
	cr_expect(strstr(page, "\nTLS_AES_128_GCM_SHA256  X25519  1.3 "), "%s", page);
	cr_expect(strstr(page, "CN=mx"), "%s", page);
	cr_expect(strstr(page, "\nHow it was seen, and what could not be\n"));
	cr_expect_eq(run_program(&(struct program){
			     .argv = WORDS("sh", "-c", "grep -E '^[0-9a-f]{64}  ' | sha256sum -c"),
			     .input = page}),
		     0, "%s", page);
	cr_expect_null(strstr(run_report(WORDS(log)).out, "For the auditor"));
}

/* ---- the proof: another engine, over the same log ---- */

Test(report_truth, counts_groups_and_filters_are_those_of_duckdb)
{
	struct program check = {
		.argv = WORDS("node", "tests/bench/check-counts.mjs", tool_path(), test_path("."))};

	if (access("tests/bench/node_modules", R_OK) != 0)
		cr_skip("no DuckDB: `make check` fetches it");
	cr_expect_eq(run_program(&check), 0, "%s", check.err);
	cr_expect_str_eq(check.out, "compared 30 keys and 14 filters; many groups, many records\n");
}
