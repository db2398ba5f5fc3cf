/*
 * `tlswitness report` for machines and for people: CSV, metrics and the page, held to
 * entry by those who know these formats (promtool, xmllint, a browser).
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include "shim/record/record_values.h"
#include "tests/integration/harness.h"

TestSuite(formats, .init = harness_begin, .fini = harness_end);

#define RECORD(action, domain, program, verdict, more)                               \
	"{\"@timestamp\":\"2026-11-20T10:00:00.000000Z\",\"event.action\":\"" action \
	"\",\"destination.domain\":\"" domain "\",\"process.executable\":\"" program \
	"\",\"tlswitness.verdict\":\"" verdict "\"" more "}\n"

#define OK                                                           \
	RECORD("tls-handshake", "mx.example", "/usr/bin/curl", "ok", \
	       ",\"tls.version\":\"1.3\",\"tlswitness.floor\":\"1.2\"")
#define OLD                                                                                       \
	RECORD("tls-handshake", "old.example", "/usr/bin/python3.11", "below-floor",              \
	       ",\"tls.version\":\"1.0\",\"tlswitness.floor\":\"1.2\",\"tlswitness.limited_by\":" \
	       "\"server\",\"tlswitness.peer_certificate\":\"unchecked\",\"code.file.path\":"     \
	       "\"/srv/a.py\",\"code.line.number\":7,\"code.function.name\":\"send\"")
#define CLEAR                                                                 \
	RECORD("plaintext-mail", "old.example", "/usr/bin/perl", "plaintext", \
	       ",\"event.reason\":\"starttls-not-offered\",\"host.name\":\"web1\"")
#define FAILED                                                           \
	RECORD("tls-handshake", "fax-gateway.branch-office.example.net", \
	       "/var/www/intranet/public/index.php", "failed",           \
	       ",\"event.reason\":\"certificate verify failed\"")
#define BLIND RECORD("blind-spot", "", "/opt/mailer", "", ",\"event.reason\":\"static\"")

/* Names that are markup, formulas, controls, of another direction, no XML. */
#define EVIL                                                                                       \
	RECORD("tls-handshake", "<script>alert(1)</script>", "/x\\\"'><img src=x>", "below-floor", \
	       ",\"code.file.path\":\"&amp;]]><!--\",\"code.function.name\":\"http://x\"")         \
	RECORD("tls-handshake", "=1+1", "-x,\\\"y\\\"", "ok", ",\"host.name\":\"</td>\"")          \
	RECORD("tls-handshake", "@x\\\\", "\\t=x\\r\\n", "ok", ",\"service.name\":\"\\u0000\"")    \
	RECORD("plaintext-mail", "\\u202e\\u001b[31m\\u009b", "/\\u05d0/\\uffff", "plaintext", "")

static struct program run_report(const char *const arguments[], const char *input,
				 const char *const env[])
{
	const char *const head[] = {tool_path(), "report", NULL};
	struct program program = {
		.argv = join_words(head, arguments),
		.env = env,
		.input = input,
	};

	run_program(&program);
	cr_assert_eq(program.status, 0, "%s", program.err);
	return program;
}

static const char *report_as(const char *format, const char *log)
{
	return run_report(WORDS(format, "-"), log, NO_WORDS).out;
}

/* As many groups as `programs` times `destinations`, each with its own verdict. */
static char *many_groups(int programs, int destinations)
{
	char *log = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&log, &size);

	for (int program = 0; program < programs; program++) {
		for (int destination = 0; destination < destinations; destination++)
			(void)fprintf(
				out,
				"{\"@timestamp\":\"2026-11-%02dT10:00:00Z\",\"event.action\":"
				"\"tls-handshake\",\"tls.version\":\"1.%d\","
				"\"destination.domain\":\"mx%d.department.example\","
				"\"process.executable\":\"/srv/application%d/bin/send\","
				"\"tlswitness.verdict\":\"%s\",\"code.file.path\":"
				"\"/srv/application%d/lib/mail.py\",\"code.line.number\":%d}\n",
				1 + program % 20, destination % 4, destination, program,
				destination % 4 < 2 ? "below-floor" : "ok", program, program + 1);
	}
	cr_assert_eq(fclose(out), 0);
	return log;
}

/* ---- CSV ---- */

Test(formats, csv_has_a_row_for_each_group)
{
	cr_expect_str_eq(report_as("--csv", OK OLD CLEAR OK),
			 "program,destination,version,verdict,connections,worst,first,last\r\n"
			 "/usr/bin/perl,old.example,clear,plaintext,1,plaintext,"
			 "2026-11-20T10:00:00.000000Z,2026-11-20T10:00:00.000000Z\r\n"
			 "/usr/bin/python3.11,old.example,1.0,below-floor,1,below-floor,"
			 "2026-11-20T10:00:00.000000Z,2026-11-20T10:00:00.000000Z\r\n"
			 "/usr/bin/curl,mx.example,1.3,ok,2,ok,"
			 "2026-11-20T10:00:00.000000Z,2026-11-20T10:00:00.000000Z\r\n");
	cr_expect_str_eq(report_as("--csv", ""),
			 "program,destination,version,verdict,connections,worst,first,last\r\n");
}

Test(formats, csv_groups_as_asked)
{
	struct program program =
		run_report(WORDS("--csv", "--by", "host,day", "-"), CLEAR, NO_WORDS);

	cr_expect(strstr(program.out,
			 "host,day,connections,worst,first,last\r\nweb1,2026-11-20,1,plaintext,"),
		  "%s", program.out);
}

Test(formats, csv_quotes_and_begins_no_formula)
{
	const char *rows = report_as("--csv", EVIL);

	cr_expect(strstr(rows, "\n\"'-x,\"\"y\"\"\",'=1+1,unknown,ok,"), "%s", rows);
	cr_expect(strstr(rows, "\n\"'\t=x\r\n\",'@x\\,unknown,ok,"), "%s", rows);
	cr_expect(strstr(rows, "\\xe2\\x80\\xae\\x1b[31m\\xc2\\x9b,"), "%s", rows);
	cr_expect_null(strchr(rows, 0x1b));
}

/* ---- metrics ---- */

static const char *promtool(void)
{
	const char *build = getenv("TLSWITNESS_BUILD");
	const char *path = text("%s/debian/usr/bin/promtool", build ? build : "build");

	if (access(path, X_OK) != 0)
		cr_skip("no promtool: `make check` fetches it");
	return path;
}

Test(formats, metrics_are_what_promtool_takes)
{
	char *many = many_groups(60, 40);
	const char *const logs[] = {"", OK, OK OLD CLEAR FAILED BLIND "rubbish\n", EVIL, many};
	const char *tool = promtool();

	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		struct program check = {
			.argv = WORDS(tool, "check", "metrics"),
			.input = report_as("--openmetrics", logs[i]),
		};

		run_program(&check);
		cr_expect_eq(check.status, 0, "%zu: %s%s", i, check.out, check.err);
		cr_expect_eq(check.err_length, 0, "%zu: %s", i, check.err);
	}
	free(many);
}

Test(formats, metrics_have_labels_units_and_an_end)
{
	const char *metrics = report_as("--openmetrics", OK OLD CLEAR OK BLIND EVIL);
	size_t length = strlen(metrics);

	cr_expect(strstr(metrics, "# TYPE tlswitness_connections gauge\n"
				  "# UNIT tlswitness_connections connections\n"));
	cr_expect(strstr(
		metrics,
		"tlswitness_connections{program=\"/usr/bin/curl\",destination=\"mx.example\","
		"version=\"1.3\",verdict=\"ok\"} 2\n"));
	cr_expect(strstr(metrics, "tlswitness_place_connections{place=\"/srv/a.py:7 send\","
				  "program=\"/usr/bin/python3.11\",verdict=\"below-floor\"} 1\n"));
	cr_expect(strstr(metrics, "tlswitness_records{kind=\"blind-spot\"} 1\n"));
	cr_expect(strstr(metrics, "destination=\"@x\\\\\""));
	cr_expect_str_eq(metrics + length - 6, "# EOF\n");
}

/* The sum of all samples of `name`, and how many there are. */
static unsigned long sum_of(const char *metrics, const char *name, size_t *count)
{
	unsigned long sum = 0;
	const char *line = metrics;

	*count = 0;
	for (; *line; line += strcspn(line, "\n") + 1) {
		if (strncmp(line, name, strlen(name)) != 0)
			continue;
		sum += strtoul(strstr(line, "} ") + 2, NULL, 10);
		(*count)++;
	}
	return sum;
}

Test(formats, metrics_are_few_and_sum_up_all_the_same)
{
	char *log = many_groups(60, 40);
	const char *metrics = report_as("--openmetrics", log);
	size_t count = 0;

	cr_expect_eq(sum_of(metrics, "tlswitness_connections{", &count), (size_t)60 * 40);
	cr_expect_geq(count, 500);
	cr_expect_leq(count, 510);
	cr_expect(strstr(metrics, "{program=\"(other)\",destination=\"(other)\",version=\"1.3\","
				  "verdict=\"ok\"} "));
	cr_expect_eq(sum_of(metrics, "tlswitness_place_connections{", &count), (size_t)60 * 20);
	cr_expect_leq(count, 52);
	free(log);
}

/* ---- the page ---- */

static bool is_installed(const char *command)
{
	struct program program = {.argv = WORDS("sh", "-c", text("command -v %s", command))};

	return run_program(&program) == 0;
}

Test(formats, page_is_xml_too)
{
	char *many = many_groups(60, 40);
	const char *const logs[] = {"", OK, OK OLD CLEAR FAILED BLIND "rubbish\n", EVIL, many};

	if (!is_installed("xmllint"))
		cr_skip("no xmllint");
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		struct program check = {
			.argv = WORDS("xmllint", "--noout", "-"),
			.input = report_as("--html", logs[i]),
		};

		run_program(&check);
		cr_expect_eq(check.status, 0, "%zu: %s", i, check.err);
	}
	free(many);
}

Test(formats, page_takes_nothing_for_markup_and_points_nowhere)
{
	const char *page = report_as("--html", EVIL);

	cr_expect(strstr(page, "&lt;script&gt;alert(1)&lt;/script&gt;"));
	cr_expect(strstr(page, "&amp;amp;]]&gt;&lt;!--"));
	cr_expect_null(strstr(page, "<script"));
	cr_expect_null(strstr(page, "<img"));
	cr_expect_null(strstr(page, "</td></td>"));
	cr_expect_null(strchr(page, 0x1b));
	cr_expect_null(strstr(page, "\u202e"));
	page = report_as("--html", OK OLD CLEAR BLIND);
	cr_expect_null(strstr(page, "://"));
	cr_expect_null(strstr(page, "src="));
	cr_expect_null(strstr(page, "@import"));
	cr_expect(strstr(page, "content=\"default-src 'none'; style-src 'unsafe-inline';"));
}

Test(formats, page_has_a_colour_and_a_shape_for_each_verdict)
{
	const char *page = report_as("--html", OK);

	for (unsigned i = 1; i < RECORD_VERDICT_END; i++) {
		const char *verdict = record_value_text(RECORD_SET_VERDICT, i);

		cr_expect(strstr(page, text(".v-%s{", verdict)) ||
				  strstr(page, text(".v-%s,", verdict)),
			  "%s has no colour", verdict);
		cr_expect_not_null(strstr(page, text("id=\"mark-%s\"", verdict)), "%s has no shape",
				   verdict);
	}
}

Test(formats, page_says_how_it_is)
{
	const char *page = report_as("--html", OK OK);

	cr_expect(strstr(page, "Every connection is compliant."));
	cr_expect_null(strstr(page, "id=\"change\""));
	cr_expect_null(strstr(page, "id=\"gaps\""));
	page = report_as("--html", OK OLD);
	cr_expect(strstr(page, "Some mail left with a TLS version below the floor."));
	cr_expect(strstr(page, "id=\"change\""));
	cr_expect(strstr(page, "id=\"servers\""));
	cr_expect(strstr(page, "not checked at all"));
	page = report_as("--html", OK OLD CLEAR BLIND);
	cr_expect(strstr(page, "Some mail left in the clear."));
	cr_expect(strstr(page, "starttls-not-offered"));
	cr_expect(strstr(page, "id=\"gaps\""));
	page = report_as("--html", "");
	cr_expect(strstr(page, "No outgoing mail was recorded."));
}

Test(formats, page_stays_small)
{
	char *log = many_groups(300, 100);
	const char *path = test_file("many.jsonl", log);
	struct program program = run_report(WORDS("--html", path), NULL, NO_WORDS);

	cr_expect_lt(program.out_length, 300000, "%zu", program.out_length);
	cr_expect(strstr(program.out, "and 29,970 more;"));
	program = run_report(WORDS("--html", "--top", "0", path), NULL, NO_WORDS);
	cr_expect_lt(program.out_length, 3000000, "%zu", program.out_length);
	cr_expect(strstr(program.out, "and 29,000 more;"));
	free(log);
}

Test(formats, page_is_the_same_each_time)
{
	const char *log = test_file("a.jsonl", OK OLD CLEAR EVIL);
	const char *const *const env = WORDS("SOURCE_DATE_EPOCH=1795392000", "LC_ALL=C", "TZ=X+5");
	const char *first = run_report(WORDS("--html", log), NULL, env).out;
	const char *second =
		run_report(WORDS("--html", "--threads", "7", log), NULL,
			   WORDS("SOURCE_DATE_EPOCH=1795392000", "LC_ALL=C.UTF-8", "TZ=UTC"))
			.out;

	cr_expect_str_eq(first, second);
	cr_expect(strstr(first, "2026-11-23T00:00:00.000000Z</span> by tlswitness "));
}

/* ---- sums ---- */

static const char *sum_in(struct program program)
{
	json_t *report = json_loads(program.out, 0, NULL);
	json_t *input = json_array_get(json_object_get(report, "inputs"), 0);
	const char *sum = text("%s", field(input, "sha256"));

	json_decref(report);
	return sum;
}

/* As sha256sum(1) says. */
static const char *expected_sum(const char *path)
{
	struct program program = {.argv = WORDS("sha256sum", path)};

	cr_assert_eq(run_program(&program), 0);
	return text("%.64s", program.out);
}

Test(formats, sums_are_those_of_the_files_as_they_lie_there)
{
	/* Some megabytes: several blocks, read in no order. */
	char *many = many_groups(200, 50);
	const char *log = test_file("many.jsonl", many);
	const char *empty = test_file("empty.jsonl", "");
	struct program gzip = {.argv = WORDS("gzip", "-k", log)};
	struct program program = run_report(WORDS("--json", "--sha256", log), NULL, NO_WORDS);
	const char *sum = expected_sum(log);

	cr_expect_str_eq(sum_in(program), sum);
	program = run_report(WORDS("--json", "--sha256", "-"), many, NO_WORDS);
	cr_expect_str_eq(sum_in(program), sum);
	program = (struct program){
		.argv = WORDS("sh", "-c",
			      text("cat %s | %s report --json --sha256 -", log, tool_path()))};
	run_program(&program);
	cr_expect_str_eq(sum_in(program), sum);
	program = run_report(WORDS("--json", "--sha256", empty), NULL, NO_WORDS);
	cr_expect_str_eq(sum_in(program), expected_sum(empty));
	cr_assert_eq(run_program(&gzip), 0, "%s", gzip.err);
	program = run_report(WORDS("--json", "--sha256", text("%s.gz", log)), NULL, NO_WORDS);
	cr_expect_str_eq(sum_in(program), expected_sum(text("%s.gz", log)));
	program = run_report(WORDS("--json", log), NULL, NO_WORDS);
	cr_expect_str_eq(sum_in(program), "");
	free(many);
}

/* ---- in a browser ---- */

/*
 * Names what sticks out of a page: of the window, or of the page's own column. What is
 * there for screen readers alone, and the chart's pieces, are let be. Words broken into
 * columns of letters are named too.
 */
static const char measure[] =
	"<script>addEventListener('load',()=>{let said='';"
	"for(const frame of document.querySelectorAll('iframe')){"
	"const page=frame.contentDocument,root=page.scrollingElement;"
	"const edge=page.querySelector('main').getBoundingClientRect().right+1;"
	"if(root.scrollWidth>frame.clientWidth)said+=frame.id+': '+root.scrollWidth+' wide; ';"
	"for(const part of page.querySelectorAll('main *')){"
	"if(part.closest('caption,.hidden,.scale,.chart>svg'))continue;"
	"if(frame.clientWidth<=360&&part.closest('thead'))continue;"
	"const box=part.getBoundingClientRect();"
	"if(box.width&&box.right>edge)said+=frame.id+': '+part.tagName+' '+part.className+' to '"
	"+Math.round(box.right)+'; ';"
	"if(part.matches('.verdict')&&box.height>60)said+=frame.id+': a verdict is '+box.height+' "
	"high; ';}}"
	"document.body.textContent='measured '+"
	"document.querySelectorAll('iframe').length+' ['+said+']';});</script>";

static void put_frame(FILE *out, const char *page, size_t number, int width)
{
	(void)fprintf(out,
		      "<iframe id='page%zu-%d' width='%d' height='900' style='border:0' srcdoc=\"",
		      number, width, width);
	for (; *page; page++) {
		if (*page == '&')
			(void)fputs("&amp;", out);
		else if (*page == '"')
			(void)fputs("&quot;", out);
		else
			(void)fputc(*page, out);
	}
	(void)fputs("\"></iframe>\n", out);
}

/* Each page in a frame of each width: in one browser, at exactly that width. */
static const char *frames_of(const char *const logs[], size_t count)
{
	static const int widths[] = {360, 800, 1400};
	char *frames = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&frames, &size);
	const char *path = NULL;

	(void)fputs("<!DOCTYPE html><meta charset='utf-8'><body>", out);
	for (size_t i = 0; i < count; i++) {
		const char *page = report_as("--html", logs[i]);

		for (size_t width = 0; width < sizeof(widths) / sizeof(widths[0]); width++)
			put_frame(out, page, i, widths[width]);
	}
	(void)fputs(measure, out);
	cr_assert_eq(fclose(out), 0);
	path = test_file("frames.html", frames);
	free(frames);
	return path;
}

Test(formats, page_fits_its_window)
{
	char *many = many_groups(60, 40);
	char *long_names = NULL;
	char name[10001];
	const char *frames = NULL;
	struct program browser = {0};

	if (!is_installed("chromium"))
		cr_skip("no chromium");
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	cr_assert_gt(asprintf(&long_names,
			      RECORD("tls-handshake", "%s", "/%s", "below-floor",
				     ",\"tls.version\":\"1.0\",\"host.name\":\"%s\","
				     "\"code.file.path\":\"%s\",\"code.function.name\":\"%s\""),
			      name, name, name, name, name),
		     0);
	frames = frames_of((const char *const[]){"", OK, OK OLD CLEAR FAILED BLIND "rubbish\n",
						 EVIL, many, long_names},
			   6);
	browser = (struct program){
		.argv = WORDS("chromium", "--headless", "--no-sandbox", "--disable-gpu",
			      "--disable-quic", "--no-first-run", "--disable-background-networking",
			      "--disable-component-update", "--disable-sync",
			      text("--user-data-dir=%s", test_path("profile")),
			      "--window-size=1500,1000", "--dump-dom", text("file://%s", frames)),
		.env = WORDS(text("HOME=%s", test_path("home"))),
	};
	cr_expect_eq(run_program(&browser), 0, "%s", browser.err);
	cr_expect(strstr(browser.out, "measured 18 []"), "%.2000s", strstr(browser.out, "<body"));
	free(long_names);
	free(many);
}

/* ---- by those who know what a page must be ---- */

#define BROWSER "tests/browser/node_modules"

/* Pages of all kinds, as files; the last is NULL. */
static const char *const *pages(void)
{
	static const char *path[5];
	char *many = many_groups(8, 5);
	const char *log = test_file("many.jsonl", many);
	const char *const keys = "host,service,user,cipher,program,destination,version,place";

	path[0] = test_file("nothing.html", report_as("--html", ""));
	path[1] = test_file("all.html",
			    report_as("--html", OK OLD CLEAR FAILED BLIND "rubbish\n" EVIL));
	path[2] = test_file("many.html", run_report(WORDS("--html", log), NULL, NO_WORDS).out);
	path[3] = test_file("asked.html", run_report(WORDS("--html", "--by", keys, "--what-if",
							   "1.2", "--if-servers-require", "1.2",
							   "--verdict", "refused,ok", log),
						     NULL, NO_WORDS)
						  .out);
	path[4] = NULL;
	free(many);
	return path;
}

Test(formats, page_is_valid, .timeout = HARNESS_TEST_S)
{
	struct program check = {
		.argv = join_words(WORDS("java", "-Xss1m", "-jar",
					 text("%s/vnu-jar/build/dist/vnu.jar", BROWSER),
					 "--errors-only", "--Werror"),
				   pages())};

	if (access(check.argv[3], R_OK) != 0)
		cr_skip("no validator: `make check` fetches it");
	cr_expect_eq(run_program(&check), 0, "%s%s", check.out, check.err);
	cr_expect_str_empty(check.err);
}

/* Three widths, light and dark, and paper; what else is looked at, the script says. */
Test(formats, page_is_for_everybody, .timeout = 600)
{
	static const char *const looks[] = {"light-375", "light-800", "light-1400", "dark-375",
					    "dark-800",  "dark-1400", "paper"};
	const char *const *page = pages();

	if (access(BROWSER "/axe-core/axe.min.js", R_OK) != 0 || !is_installed("chromium"))
		cr_skip("no axe or no chromium: `make check` fetches them");
	for (; *page; page++) {
		bool every = strstr(*page, "all.html") || strstr(*page, "asked.html");

		for (size_t i = 0; i < (every ? sizeof(looks) / sizeof(looks[0]) : 1); i++) {
			struct program check = {.argv = WORDS("node",
							      "tests/browser/check-page.mjs",
							      looks[i], *page),
						.env = WORDS(text("HOME=%s", test_path(".")))};

			cr_expect_eq(run_program(&check), 0, "%s", check.err);
			cr_expect_str_eq(check.out, "looked 1 times\n");
		}
	}
}

/* ---- by schemas, and by those who read mail and logs ---- */

#define OF_ALL_KINDS                                                                           \
	OK OLD CLEAR FAILED BLIND RECORD(                                                      \
		"records-lost", "", "/opt/mailer", "",                                         \
		",\"tlswitness.lost\":3") RECORD("configuration-error", "", "/opt/mailer", "", \
						 ",\"event.reason\":\"x\"")                    \
		RECORD("protocol-setting", "", "/opt/mailer", "",                              \
		       ",\"tlswitness.setting\":\"SSL_CTX_set_max_proto_version(TLS 1.1)\","   \
		       "\"code.file.path\":\"/srv/b.py\",\"code.line.number\":3")              \
			RECORD("tls-handshake", "mx", "/usr/bin/curl", "ok",                   \
			       ",\"tls.version\":\"1.3\",\"tls.server.subject\":\"CN=mx\","    \
			       "\"tls.server.not_after\":\"2027-01-01T00:00:00Z\","            \
			       "\"tls.cipher\":\"TLS_AES_128_GCM_SHA256\",\"service.name\":"   \
			       "\"shop\"")

/* What a recorder writes now: a client that accepts too little, to a server that has no more. */
static const char *recorded(void)
{
	struct sink *sink = start_sink(WORDS("--tls=1.0..1.2"));
	const char *log = test_path("recorded.jsonl");
	struct program program = {.argv = WORDS(tool_path(), "run", "--log", log, "--ports",
						text("%u", sink->port), "--", "python3",
						"tests/scripts/places/shared/loose.py", "127.0.0.1",
						text("%u", sink->port))};

	cr_assert_eq(run_program(&program), 0, "%s", program.err);
	return log;
}

Test(formats, schemas_and_readers_of_each_format_agree)
{
	const char *const logs[] = {test_file("all.jsonl", OF_ALL_KINDS),
				    test_file("evil.jsonl", OF_ALL_KINDS EVIL)};
	const char *log = recorded();

	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		struct program check = {.argv = WORDS("python3", "tests/schema/check-formats",
						      tool_path(), logs[i], log, test_path("."))};

		cr_expect_eq(run_program(&check), 0, "%s", check.err);
		cr_expect_str_eq(check.out, "looked at many\n");
	}
}

Test(formats, lnav_reads_the_log)
{
	const char *home = test_path("home");
	const char *log = test_file("a.jsonl", OF_ALL_KINDS);
	const char *query =
		";SELECT \"tlswitness.verdict\", log_level, count(*) FROM tlswitness_log"
		" WHERE \"event.action\" = 'tls-handshake' GROUP BY 1 ORDER BY 1";
	const char *script = "mkdir -p $HOME/.lnav/formats/installed &&"
			     " cp tools/share/lnav-tlswitness.json $HOME/.lnav/formats/installed &&"
			     " lnav -n -c \"$1\" -c ':write-csv-to -' \"$0\"";
	struct program lnav = {.argv = WORDS("sh", "-c", script, log, query),
			       .env = WORDS(text("HOME=%s", home), "TERM=dumb")};

	if (!is_installed("lnav"))
		cr_skip("no lnav: `make check` installs it");
	cr_expect_eq(run_program(&lnav), 0, "%s", lnav.err);
	cr_expect(strstr(lnav.out, "\nbelow-floor,error,1\nfailed,warning,1\nok,info,2\n"), "%s%s",
		  lnav.out, lnav.err);
}

/* ---- counters ---- */

/* A record of a connection, so many seconds after the epoch of 2026. */
static const char *sent(const char *destination, const char *verdict, const char *time)
{
	return text(
		"{\"@timestamp\":\"%s\",\"event.action\":\"tls-handshake\",\"tls.version\":"
		"\"1.0\",\"destination.domain\":\"%s\",\"process.executable\":\"/usr/bin/curl\","
		"\"tlswitness.verdict\":\"%s\"}\n",
		time, destination, verdict);
}

static const char *count_into(const char *metrics, const char *const logs[])
{
	struct program program = {
		.argv = join_words(WORDS(tool_path(), "report", "--counters", metrics), logs)};

	cr_assert_eq(run_program(&program), 0, "%s", program.err);
	cr_expect_str_empty(program.out);
	return read_file(metrics, NULL);
}

/* Of the first run, the log is rotated and its oldest part thrown away; what is counted stays. */
Test(formats, counters_rise_over_rotation)
{
	const char *metrics = test_path("tlswitness.prom");
	const char *first = test_file(
		"first.jsonl", text("%s%s", sent("mx", "below-floor", "2026-01-01T00:00:00Z"),
				    sent("gone", "ok", "2026-01-01T00:00:01Z")));
	const char *counted = count_into(metrics, WORDS(first));
	const char *since = strstr(counted, "tlswitness_counted_until_timestamp_seconds 1");
	struct program program = {0};
	const char *second = NULL;

	cr_expect(strstr(counted, "# TYPE tlswitness_connections_total counter\n"));
	cr_expect(strstr(counted, "version=\"1.0\",verdict=\"below-floor\"} 1\n"), "%s", counted);
	cr_assert_not_null(since);
	/* As if it had been made long ago. */
	(void)test_file("tlswitness.prom",
			text("%.*stlswitness_counted_until_timestamp_seconds 1767312000.000000\n",
			     (int)(since - counted), counted));
	second = test_file("second.jsonl",
			   text("%s%s%s", sent("mx", "below-floor", "2026-01-01T00:00:00Z"),
				sent("mx", "below-floor", "2026-01-02T00:00:00Z"),
				sent("mx", "below-floor", "2026-01-03T00:00:00Z")));
	counted = count_into(metrics, WORDS(second));
	cr_expect(
		strstr(counted, "destination=\"mx\",version=\"1.0\",verdict=\"below-floor\"} 3\n"),
		"%s", counted);
	cr_expect(strstr(counted, "destination=\"gone\",version=\"1.0\",verdict=\"ok\"} 1\n"));
	cr_expect(strstr(counted, "tlswitness_records_total{kind=\"tls-handshake\"} 4\n"));
	/* And with nothing new, nothing changes. */
	counted = count_into(metrics, WORDS(second));
	cr_expect(
		strstr(counted, "destination=\"mx\",version=\"1.0\",verdict=\"below-floor\"} 3\n"));
	program = (struct program){.argv = WORDS(promtool(), "check", "metrics"), .input = counted};
	cr_expect_eq(run_program(&program), 0, "%s%s", program.out, program.err);
	cr_expect_eq(program.err_length, 0, "%s", program.err);
	/* What can't be read leaves it as it is. */
	program = (struct program){.argv = WORDS(tool_path(), "report", "--counters", metrics,
						 second, test_path("missing.jsonl"))};
	cr_expect_eq(run_program(&program), 2);
	cr_expect_str_eq(read_file(metrics, NULL), counted);
	program = (struct program){
		.argv = WORDS(tool_path(), "report", "--counters", second, second)};
	cr_expect_eq(run_program(&program), 2);
	cr_expect(strstr(program.err, "is no file that --counters wrote"), "%s", program.err);
}

/* The metrics in these files, by the format's own parser. */
static const char *openmetrics(const char *const paths[])
{
	struct program import = {
		.argv = WORDS("/usr/bin/python3", "-c", "import prometheus_client.openmetrics")};
	struct program parse = {
		.argv = join_words(WORDS("/usr/bin/python3", "tests/schema/check-openmetrics"),
				   paths)};

	if (run_program(&import) != 0)
		cr_skip("no prometheus_client: `make check` installs it");
	cr_expect_eq(run_program(&parse), 0, "%s", parse.err);
	return parse.out;
}

Test(formats, metrics_are_what_the_parser_of_openmetrics_takes)
{
	const char *now = report_as("--openmetrics", OF_ALL_KINDS EVIL);
	const char *metrics = test_path("counted.txt");
	const char *log = test_file(
		"log.jsonl", text("%s%s", sent("mx", "below-floor", "2026-01-01T00:00:00Z"),
				  sent("evil\\\"\\u0007\\\\", "ok", "2026-01-01T00:00:01Z")));
	const char *more =
		test_file("more.jsonl", sent("mx", "below-floor", "2026-01-03T00:00:00Z"));
	const char *counted = count_into(metrics, WORDS("--openmetrics", log));
	const char *since = strstr(counted, "tlswitness_counted_until_timestamp_seconds 1");
	const char *said = openmetrics(WORDS(test_file("now.txt", now), metrics));

	cr_expect(strstr(said, "tlswitness_connections gauge "), "%s", said);
	cr_expect(strstr(said, "tlswitness_connections counter 2 2\n"), "%s", said);
	cr_expect(strstr(said, "tlswitness_records counter 8 2\n"), "%s", said);
	cr_expect(strstr(said, "tlswitness_rejected_lines gauge 1 0\n"), "%s", said);
	/* As if it had been made long ago: what is new is added, in the same form. */
	cr_assert_not_null(since);
	(void)test_file("counted.txt",
			text("%.*stlswitness_counted_until_timestamp_seconds 1767312000.000000\n"
			     "# EOF\n",
			     (int)(since - counted), counted));
	(void)count_into(metrics, WORDS("--openmetrics", log, more));
	said = openmetrics(WORDS(metrics));
	cr_expect(strstr(said, "tlswitness_connections counter 2 3\n"), "%s", said);
}

Test(formats, alerts_fire_on_what_they_are_for)
{
	const char *rules = realpath("tools/share/prometheus-alerts.yml", NULL);
	const char *tests = test_file("alerts.yml",
				      text("%s", read_file("tests/schema/alerts.test.yml", NULL)));
	const char *script = "sed -i \"s#RULES#$0#\" \"$1\" && \"$2\" check rules \"$0\" &&"
			     " \"$2\" test rules \"$1\"";
	struct program program = {.argv = WORDS("sh", "-c", script, rules, tests, promtool())};

	cr_expect_eq(run_program(&program), 0, "%s%s", program.out, program.err);
}
