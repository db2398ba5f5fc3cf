/*
 * Exceptions of the settings file under unmodified programs, by the sink's log:
 * the one relay that an exception names is served, at the floor that it says,
 * and everything else is held. The file is /etc/tlswitness/tlswitness.conf of a
 * mount namespace of the test's own.
 */
#include <string.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "tests/integration/mailers.h"
#include "tests/integration/records.h"
#include "tests/integration/senders.h"
#include "tests/integration/trial.h"

TestSuite(exceptions, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

#define FOR_EVER " until:9999-12-31"

static const char *etc; /* a copy of /etc, to be mounted over it */

static void copy_etc(void)
{
	struct program probe = {.argv = WORDS("unshare", "-m", "true")};
	struct program copy;

	if (run_program(&probe) != 0)
		cr_skip("no private mount namespace may be made here");
	etc = test_path("etc");
	copy = (struct program){.argv = WORDS("cp", "-a", "/etc", etc)};
	cr_assert_eq(run_program(&copy), 0, "%s", copy.err);
	(void)mkdir(text("%s/tlswitness", etc), 0755);
	test_file("within.sh", "mount --bind \"$1\" /etc && shift && exec \"$@\"\n");
}

static void put_settings(const char *lines)
{
	test_file("etc/tlswitness/tlswitness.conf", lines);
}

/* The program where the settings file is ours. */
static struct program within(const struct program *bare)
{
	struct program program = *bare;

	program.argv =
		join_words(WORDS("unshare", "-m", "sh", test_path("within.sh"), etc), bare->argv);
	return program;
}

struct client {
	const char *name;
	const struct sender *sender; /* or: */
	const struct mailer *mailer;
};

static struct program of_client(const struct sink *sink, const struct client *client)
{
	return client->sender ? sender_program(client->sender, sink, TLS_MODE_STARTTLS, NO_WORDS)
			      : client->mailer->program(sink, TLS_MODE_STARTTLS);
}

static json_t *log_of(const char *log)
{
	return read_json_lines(log);
}

/* One run of the client to this sink, enforced; the log's path. `lines` are the settings file's. */
static const char *run_client(const struct client *client, const struct sink *sink,
			      const char *lines, const char *const options[],
			      struct program *program)
{
	static unsigned runs;
	const char *log = test_path(text("run%u.jsonl", ++runs));
	struct program bare = of_client(sink, client);
	const char *const *run =
		join_words(WORDS("--enforce", text("--ports=25,%u", sink->port)), options);

	put_settings(lines);
	bare = within(&bare);
	*program = tried(&bare, log, run);
	run_program(program);
	return log;
}

static const json_t *only_connection(const char *log, const char *what)
{
	json_t *records = records_of_connections(log);

	cr_assert_eq(json_array_size(records), 1, "%s: %s", what, read_file(log, NULL));
	return json_array_get(records, 0);
}

/* Delivered, and the record says by which exception. */
static void expect_let_through(const struct client *client, struct sink *sink, size_t number,
			       const char *exception, const char *const options[])
{
	struct program program;
	const char *log =
		run_client(client, sink, text("exception = %s\n", exception), options, &program);
	const char *what = text("%s, %s", client->name, exception);
	const json_t *entry = json_array_get(sink_entries(sink, number), number - 1);
	const json_t *record = only_connection(log, what);

	cr_expect_eq(program.status, 0, "%s: %s", what, program.err);
	cr_expect_eq(json_integer_value(json_object_get(entry, "messages")), 1, "%s", what);
	cr_expect_str_eq(field(record, "tlswitness.exception"), exception, "%s", what);
	cr_expect_str_eq(field(record, "tls.version"), field(entry, "version"), "%s", what);
	cr_expect_str_eq(field(record, "event.outcome"), "success", "%s", what);
	if (strstr(exception, "floor:none")) {
		cr_expect_str_eq(field(record, "tlswitness.mode"), "audit", "%s", what);
		cr_expect_str_eq(field(record, "tlswitness.floor"), "1.2", "%s", what);
		cr_expect_str_eq(field(record, "tlswitness.verdict"),
				 field(entry, "version")[0] ? "below-floor" : "plaintext", "%s",
				 what);
	} else {
		cr_expect_str_eq(field(record, "tlswitness.mode"), "enforce", "%s", what);
		cr_expect_not_null(
			strstr(exception, text("floor:%s", field(record, "tlswitness.floor"))),
			"%s", what);
		cr_expect_str_eq(field(record, "tlswitness.verdict"), "ok", "%s", what);
	}
}

/* No mail came, and what the file has was told if it was to be. */
static void expect_held(const struct client *client, struct sink *sink, size_t number,
			const char *lines, const char *told)
{
	struct program program;
	const char *log = run_client(client, sink, lines, NO_WORDS, &program);
	const char *what = text("%s, %s", client->name, lines);
	json_t *entries = sink_entries(sink, number);
	const json_t *entry = json_array_get(entries, number - 1);
	const json_t *record = only_connection(log, what);
	size_t errors = 0;
	const json_t *line;
	size_t i;

	cr_expect_neq(program.status, 0, "%s", what);
	cr_expect_not(json_is_true(json_object_get(entry, "mail")), "%s", what);
	cr_expect_not(json_is_true(json_object_get(entry, "auth")), "%s", what);
	cr_expect_str_eq(field(record, "tlswitness.verdict"), "refused", "%s", what);
	cr_expect_null(json_object_get(record, "tlswitness.exception"), "%s", what);
	cr_expect_str_eq(field(record, "tlswitness.floor"), "1.2", "%s", what);
	json_array_foreach (log_of(log), i, line) {
		if (strcmp(field(line, "event.action"), "configuration-error") != 0)
			continue;
		errors++;
		cr_expect_not_null(strstr(field(line, "event.reason"), told), "%s: %s", what,
				   field(line, "event.reason"));
	}
	cr_expect_eq(errors, *told ? 1 : 0, "%s: %zu errors", what, errors);
}

/* By OpenSSL with and without a descriptor, by GnuTLS, and by the wire alone. */
Test(exceptions, one_relay_is_served_and_all_else_is_held)
{
	const struct client clients[] = {
		{"python3 smtplib", &senders[0], NULL},
		{"PHPMailer", &senders[1], NULL},
		{"swaks", &senders[2], NULL},
		{"curl", &senders[4], NULL},
		{"aiosmtplib", NULL, &mailer_aiosmtplib},
		{"msmtp", NULL, &mailer_msmtp},
		{"Node", NULL, &mailer_node_official},
		{"Debian's Node", NULL, &mailer_node_debian},
	};

	copy_etc();
	for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
		struct sink *sink = start_sink(WORDS("--tls=1.0"));
		const char *port = text("port:%u", sink->port);

		expect_held(&clients[i], sink, 1, "", "");
		expect_let_through(&clients[i], sink, 2,
				   text("to:localhost %s floor:1.0" FOR_EVER, port), NO_WORDS);
		expect_let_through(&clients[i], sink, 3,
				   text("to:127.0.0.0/8 %s floor:none" FOR_EVER, port), NO_WORDS);
		expect_held(&clients[i], sink, 4,
			    text("exception = to:127.0.0.2/31 %s floor:1.0" FOR_EVER
				 "\nexception = to:other.example floor:none" FOR_EVER "\n",
				 port),
			    "");
		stop_sink(sink);
	}
}

/* For people and programs, with the date. */
Test(exceptions, a_report_lists_them_with_their_dates)
{
	static const char record[] =
		"{\"@timestamp\":\"2026-11-23T13:05:07.123456Z\",\"event.action\":"
		"\"tls-handshake\",\"event.outcome\":\"success\",\"destination.domain\":"
		"\"old.example\",\"tls.established\":true,\"tls.version\":\"1.0\","
		"\"tls.version_protocol\":\"tls\",\"tlswitness.verdict\":\"ok\","
		"\"tlswitness.exception\":\"to:old.example floor:1.0 until:2027-03-31\","
		"\"process.executable\":\"/usr/bin/erp\"}\n";
	static const char *const formats[] = {"--width=200", "--html", "--json"};
	const char *log = test_file("log.jsonl", record);

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct program report = {.argv = WORDS(tool_path(), "report", formats[i], log)};

		cr_expect_eq(run_program(&report), 0, "%s", report.err);
		cr_expect_not_null(strstr(report.out, "until:2027-03-31"), "%s: %s", formats[i],
				   report.out);
	}
}

/* A bad or expired line is told, and is no exception. */
Test(exceptions, bad_and_expired_lines_are_told_and_widen_nothing)
{
	const struct client client = {"python3 smtplib", &senders[0], NULL};
	struct sink *sink = start_sink(WORDS("--tls=1.0"));

	copy_etc();
	expect_held(&client, sink, 1, "exception = to:localhost floor:1.0 until:2026-01-31\n",
		    "'to:localhost floor:1.0 until:2026-01-31' is over");
	expect_held(&client, sink, 2, "exception = to:localhost floor:1.0 until:2999-02-30\n",
		    "is no exception: until: takes a day");
	expect_held(&client, sink, 3, "exception = floor:1.0" FOR_EVER "\n", "it names no to:");
	/* What is cut off may have been the other half of a line. */
	char lines[9000];
	memset(lines, '#', sizeof(lines));
	strcpy(lines + 8150, "\nexception = to:localhost floor:none" FOR_EVER);
	expect_held(&client, sink, 4, text("%s port:1", lines), "8 KiB");
	stop_sink(sink);
}

Test(exceptions, by_program_and_by_service)
{
	const struct client client = {"msmtp", NULL, &mailer_msmtp};
	struct sink *sink = start_sink(WORDS("--tls=1.1"));

	copy_etc();
	expect_let_through(&client, sink, 1, "program:/usr/bin/msmtp floor:1.1" FOR_EVER, NO_WORDS);
	expect_held(&client, sink, 2, "exception = program:/usr/bin/curl floor:1.1" FOR_EVER "\n",
		    "");
	expect_let_through(&client, sink, 3, "service:erp floor:1.0" FOR_EVER,
			   WORDS("--service=erp"));
	expect_held(&client, sink, 4, "exception = service:erp floor:1.1" FOR_EVER "\n", "");
	stop_sink(sink);
}

/* With no floor at all, mail may go in the clear as well, and is said to. */
Test(exceptions, a_relay_that_has_no_tls)
{
	const struct client client = {"swaks", &senders[2], NULL};
	struct sink *sink = start_sink(WORDS("--tls=none"));
	struct program program;
	struct program bare = sender_program(client.sender, sink, TLS_MODE_NONE, NO_WORDS);
	const char *options[] = {"--enforce", "--plaintext=refuse",
				 text("--ports=25,%u", sink->port), NULL};
	const char *log = test_path("clear.jsonl");
	const json_t *record;

	copy_etc();
	put_settings("exception = to:localhost floor:1.0" FOR_EVER "\n");
	bare = within(&bare);
	program = tried(&bare, log, options);
	cr_expect_neq(run_program(&program), 0);
	cr_expect_not(
		json_is_true(json_object_get(json_array_get(sink_entries(sink, 1), 0), "mail")));
	log = test_path("clear2.jsonl");
	put_settings("exception = to:localhost floor:none" FOR_EVER "\n");
	program = tried(&bare, log, options);
	cr_expect_eq(run_program(&program), 0, "%s", program.err);
	cr_expect_eq(json_integer_value(
			     json_object_get(json_array_get(sink_entries(sink, 2), 1), "messages")),
		     1);
	record = only_connection(log, "clear");
	cr_expect_str_eq(field(record, "tlswitness.verdict"), "plaintext");
	cr_expect_str_eq(field(record, "tlswitness.exception"), "to:localhost floor:none" FOR_EVER);
	stop_sink(sink);
}
