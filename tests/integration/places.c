/*
 * "What to change", from records that the recorder made of real programs: the
 * place, what it asks for, what hangs on it, who limits, and what to do.
 */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "tests/integration/records.h"

TestSuite(places, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

#define DIRECTORY "tests/scripts/places"

static const char *whole_path(const char *name)
{
	char *path = realpath(text("%s/%s", DIRECTORY, name), NULL);
	const char *kept;

	cr_assert_not_null(path, "%s is there", name);
	kept = text("%s", path);
	free(path);
	return kept;
}

/* The number of the line with this mark in a script. */
static long long line_of(const char *name, const char *mark)
{
	const char *content = read_file(whole_path(name), NULL);
	const char *place = strstr(content, mark);
	long long line = 1;

	cr_assert_not_null(place, "%s has %s", name, mark);
	for (const char *c = content; c < place; c++)
		line += *c == '\n';
	return line;
}

static void send_mail(const char *interpreter, const char *script, const char *host,
		      const struct sink *sink)
{
	struct program program = {
		.argv = WORDS(interpreter, whole_path(script), host, text("%u", sink->port)),
		.env = WORDS(text("LD_PRELOAD=%s", recorder_path()),
			     text("TLSWITNESS_LOG=%s", test_path("log.jsonl")),
			     text("TLSWITNESS_PORTS=%u", sink->port))};

	cr_assert_eq(run_program(&program), 0, "%s: %s%s", script, program.out, program.err);
}

static const char *report(const char *const options[])
{
	struct program program = {
		.argv = join_words(WORDS(tool_path(), "report", test_path("log.jsonl")), options),
		.env = WORDS("COLUMNS=500", "LC_ALL=C.UTF-8", "NO_COLOR")};

	cr_assert_eq(run_program(&program), 0, "%s", program.err);
	return program.out;
}

/* The places of the report; the first of them is the script's marked line: where it is
 * limited, if the script does that itself, else where it connects. */
static json_t *places_from(const char *script, const char *mark, size_t connections,
			   const char *limited_by)
{
	json_t *places = json_object_get(json_loads(report(WORDS("--json")), 0, NULL), "places");
	const json_t *place = json_array_get(places, 0);

	cr_assert_not_null(place);
	cr_expect_str_eq(field(place, "file"), whole_path(script));
	cr_expect_eq(number_field(place, "line"), line_of(script, mark));
	cr_expect_eq(number_field(place, "connections"), connections);
	cr_expect_eq(number_field(json_object_get(place, "limited_by"), limited_by), connections);
	return places;
}

static void expect_said(const char *words)
{
	const char *said = report(NO_WORDS);

	cr_expect(strstr(said, words), "not said: %s\n%s", words, said);
}

static void expect_place_said(size_t number, const char *script, const char *mark,
			      const char *function)
{
	expect_said(text("%2zu. %s:%lld %s\n", number, whole_path(script), line_of(script, mark),
			 function));
}

Test(places, python_pinned_three_calls_deep)
{
	struct sink *sink = start_sink(WORDS("--tls=1.0..1.3"));
	const char *function = python_function("/usr/bin/python3", "Invoices.connect");

	send_mail("/usr/bin/python3", "invoices.py", "localhost", sink);
	send_mail("/usr/bin/python3", "invoices.py", "localhost", sink);
	send_mail("/usr/bin/python3", "invoices.py", "127.0.0.1", sink);
	cr_expect_eq(json_array_size(places_from("invoices.py", "PINNED", 3, "client")), 1);
	expect_place_said(1, "invoices.py", "PINNED", function);
	expect_said(text("connecting at %s:%lld %s\n", whole_path("invoices.py"),
			 line_of("invoices.py", "CONNECTS"), function));
	expect_said("below-floor 3 to localhost, 127.0.0.1; limited by the client\n");
	expect_said(text("allows nothing above TLS 1.1: SSL_CTX_set_max_proto_version(TLS 1.1) at "
			 "%s:%lld %s\n",
			 whole_path("invoices.py"), line_of("invoices.py", "PINNED"), function));
	expect_said("allows versions down to TLS 1.0: ");
	expect_said("Python: set context.minimum_version = ssl.TLSVersion.TLSv1_2");
	stop_sink(sink);
}

Test(places, phpmailer_with_an_old_crypto_method)
{
	struct sink *sink = start_sink(WORDS("--tls=1.0..1.3", "--implicit"));

	send_mail("php", "orders.php", "localhost", sink);
	cr_expect_eq(json_array_size(places_from("orders.php", "CONNECTS", 1, "client")), 1);
	expect_place_said(1, "orders.php", "CONNECTS", "confirm_order");
	expect_said("below-floor 1 to localhost; limited by the client\n");
	expect_said("allows nothing above TLS 1.0: ");
	expect_said("PHP: set the ssl stream option 'min_proto_version' => "
		    "STREAM_CRYPTO_PROTO_TLSv1_2, and drop a crypto_method");
	stop_sink(sink);
}

Test(places, perl_with_an_old_ssl_version)
{
	struct sink *sink = start_sink(WORDS("--tls=1.0..1.3"));

	send_mail("perl", "alarms.pl", "localhost", sink);
	cr_expect_eq(json_array_size(places_from("alarms.pl", "CONNECTS", 1, "client")), 1);
	expect_place_said(1, "alarms.pl", "CONNECTS", "main::alarm_operator");
	expect_said("allows one version only: SSL_CTX_new(TLSv1_method) at ");
	expect_said("Perl: pass SSL_version => '!SSLv2:!SSLv3:!TLSv1:!TLSv1_1'");
	stop_sink(sink);
}

/* Nothing in its code would change that: the relay is named, and no advice on code follows. */
Test(places, a_server_that_can_do_no_more)
{
	struct sink *sink = start_sink(WORDS("--tls=1.1"));
	const json_t *place;

	send_mail("/usr/bin/python3", "flexible.py", "localhost", sink);
	place = json_array_get(places_from("flexible.py", "CONNECTS", 1, "server"), 0);
	cr_expect_str_eq(field(place, "advice"), "The server limits it: ask the operator of "
						 "localhost for TLS 1.2, or send through another "
						 "relay.");
	cr_expect_eq(json_array_size(json_object_get(place, "settings")), 0);
	expect_place_said(1, "flexible.py", "CONNECTS", "remind");
	expect_said("below-floor 1 to localhost; limited by the server\n");
	/* What it would let in is listed after it, as that which did no harm. */
	expect_said("no connection was limited by it so far\n");
	stop_sink(sink);
}
