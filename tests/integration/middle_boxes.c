/*
 * What can go wrong on the way: STARTTLS stripped from the offer, refused, or
 * never tried; a connection cut in the middle of the ServerHello; TLS that
 * nobody can see. The record has to name the right reason, and the client must
 * say and do what it says and does without us.
 */
#include <string.h>

#include <criterion/criterion.h>

#include "tests/integration/mailers.h"
#include "tests/integration/records.h"
#include "tests/integration/trial.h"

TestSuite(middle_boxes, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

struct expectation {
	const char *action;
	const char *outcome;
	const char *reason;
	const char *tls_mode;
	const char *verdict;
};

static const json_t *only_record(const char *log)
{
	json_t *records = records_of_connections(log);

	cr_assert_eq(json_array_size(records), 1, "not one record:\n%s", read_file(log, NULL));
	return json_array_get(records, 0);
}

/* Bare, then recorded: the same to the last byte. Returns the one record. */
static const json_t *rehearse(const struct program *client, const char *name,
			      const char *const env[])
{
	struct program bare = *client;
	const char *log = test_path(text("%s.jsonl", name));
	struct program watched = preloaded(client, log, env);

	run_program(&bare);
	run_program(&watched);
	cr_expect_eq(watched.status, bare.status, "%s: exit status %d, bare %d", name,
		     watched.status, bare.status);
	cr_expect_str_eq(watched.out, bare.out, "%s", name);
	cr_expect_str_eq(watched.err, bare.err, "%s", name);
	return only_record(log);
}

static void expect(const json_t *record, const char *name, const struct expectation *expected)
{
	const struct {
		const char *key;
		const char *value;
	} texts[] = {
		{"event.action", expected->action},
		{"event.outcome", expected->outcome},
		{"event.reason", expected->reason},
		{"tlswitness.tls_mode", expected->tls_mode},
		{"tlswitness.verdict", expected->verdict},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		cr_expect_str_eq(field(record, texts[i].key), texts[i].value, "%s: %s is '%s'",
				 name, texts[i].key, field(record, texts[i].key));
	cr_expect_str_eq(field(record, "network.protocol"), "smtp", "%s", name);
	cr_expect_not(json_is_true(json_object_get(record, "tls.established")), "%s", name);
	cr_expect_null(json_object_get(record, "tls.version"), "%s", name);
	cr_expect_gt(json_integer_value(json_object_get(record, "source.port")), 0, "%s", name);
}

/* ---- clients ---- */

static struct program sender_named(const char *name, const struct sink *sink, enum tls_mode mode)
{
	size_t i = 0;

	while (i < senders_count && strcmp(senders[i].name, name) != 0)
		i++;
	cr_assert_lt(i, senders_count, "there is no sender %s", name);
	return sender_program(&senders[i], sink, mode, NO_WORDS);
}

/* TLS if it can be had, and mail in any case. */
static struct program swaks_opportunistic(const struct sink *sink)
{
	return (struct program){
		.argv = join_words(WORDS("swaks", "--server", "127.0.0.1", "--port",
					 text("%u", sink->port), "--from", "a@example.com", "--to",
					 "b@example.com", "--silent", "3", "-tlso"),
				   NO_WORDS),
	};
}

static struct program curl_opportunistic(const struct sink *sink)
{
	return (struct program){
		.argv = join_words(WORDS("curl", "--silent", "--show-error", "--ssl", "--cacert",
					 sink->certificate, "--url",
					 text("smtp://localhost:%u", sink->port), "--mail-from",
					 "a@example.com", "--mail-rcpt", "b@example.com",
					 "--upload-file", "-"),
				   NO_WORDS),
		.input = "Subject: rehearsal\r\n\r\nhello\r\n",
	};
}

static struct expectation no_mail(const char *reason)
{
	return (struct expectation){"smtp-session", "success", reason, "none", "no-mail"};
}

static struct expectation clear_mail(const char *reason)
{
	return (struct expectation){"plaintext-mail", "success", reason, "none", "plaintext"};
}

static void expect_of(struct program client, const char *name, struct expectation expected)
{
	expect(rehearse(&client, name, NO_WORDS), name, &expected);
}

/* ---- the boxes ---- */

Test(middle_boxes, one_that_strips_starttls_from_the_offer)
{
	struct sink *sink = start_sink(WORDS("--strip-starttls"));

	/* These insist on TLS, and give up. nodemailer asks for it although it is not offered. */
	expect_of(mailer_msmtp.program(sink, TLS_MODE_STARTTLS), "msmtp",
		  no_mail("starttls-not-offered"));
	expect_of(mailer_curl_gnutls.program(sink, TLS_MODE_STARTTLS), "GnuTLS curl",
		  no_mail("starttls-not-offered"));
	expect_of(mailer_node_official.program(sink, TLS_MODE_STARTTLS), "official Node",
		  no_mail("starttls-refused"));
	expect_of(mailer_aiosmtplib.program(sink, TLS_MODE_STARTTLS), "aiosmtplib",
		  no_mail("starttls-not-offered"));
	expect_of(sender_named("python3 smtplib", sink, TLS_MODE_STARTTLS), "smtplib",
		  no_mail("starttls-not-offered"));
	/* These take what they get: the downgrade that the box is there for. */
	expect_of(swaks_opportunistic(sink), "swaks", clear_mail("starttls-not-offered"));
	expect_of(curl_opportunistic(sink), "curl", clear_mail("starttls-not-offered"));
}

Test(middle_boxes, one_that_answers_starttls_with_454)
{
	struct sink *sink = start_sink(WORDS("--starttls-reply=454"));

	expect_of(mailer_msmtp.program(sink, TLS_MODE_STARTTLS), "msmtp",
		  no_mail("starttls-refused"));
	expect_of(mailer_curl_gnutls.program(sink, TLS_MODE_STARTTLS), "GnuTLS curl",
		  no_mail("starttls-refused"));
	expect_of(mailer_java.program(sink, TLS_MODE_STARTTLS), "Java",
		  no_mail("starttls-refused"));
	expect_of(mailer_aiosmtplib.program(sink, TLS_MODE_STARTTLS), "aiosmtplib",
		  no_mail("starttls-refused"));
	expect_of(sender_named("PHPMailer", sink, TLS_MODE_STARTTLS), "PHPMailer",
		  no_mail("starttls-refused"));
	expect_of(swaks_opportunistic(sink), "swaks", clear_mail("starttls-refused"));
}

Test(middle_boxes, a_server_without_tls)
{
	struct sink *sink = start_sink(WORDS("--tls=none"));

	expect_of(mailer_msmtp.program(sink, TLS_MODE_NONE), "msmtp",
		  clear_mail("starttls-not-offered"));
	expect_of(sender_named("python3 smtplib", sink, TLS_MODE_NONE), "smtplib",
		  clear_mail("starttls-not-offered"));
	expect_of(mailer_node_official.program(sink, TLS_MODE_NONE), "official Node",
		  clear_mail("starttls-not-offered"));
}

Test(middle_boxes, a_client_that_never_asks)
{
	struct sink *sink = start_sink(WORDS("--tls=1.3"));
	struct program visitor = {.argv = WORDS("swaks", "--server", "127.0.0.1", "--port",
						text("%u", sink->port), "--to", "b@example.com",
						"--silent", "3", "--quit-after", "EHLO")};

	expect_of(mailer_msmtp.program(sink, TLS_MODE_NONE), "msmtp",
		  clear_mail("starttls-not-attempted"));
	expect_of(mailer_neomutt.program(sink, TLS_MODE_NONE), "neomutt",
		  clear_mail("starttls-not-attempted"));
	expect_of(mailer_php_curl.program(sink, TLS_MODE_NONE), "PHP's curl",
		  clear_mail("starttls-not-attempted"));
	expect_of(visitor, "a visitor", no_mail("starttls-not-attempted"));
}

/* ---- a cut ---- */

static void cut(const struct program *client, const struct sink *sink, const char *name,
		enum tls_mode mode, const char *reason)
{
	const json_t *record =
		rehearse(client, name, WORDS(text("TLSWITNESS_PORTS=%u", sink->port)));

	expect(record, name,
	       &(struct expectation){"tls-handshake", "failure", reason, tls_mode_name(mode),
				     "failed"});
	/* What the client offered is known all the same. */
	cr_expect_neq(json_array_size(json_object_get(record, "tlswitness.offered")), 0, "%s",
		      name);
}

/* Until 3.12 or so it has OpenSSL take an end without a word for none; then OpenSSL says a word. */
static bool python_hears_of_an_end(void)
{
	struct program python = {
		.argv = WORDS("/usr/bin/python3", "-c",
			      "import ssl; print(ssl.create_default_context().options & "
			      "ssl.OP_IGNORE_UNEXPECTED_EOF)")};

	cr_assert_eq(run_program(&python), 0, "%s", python.err);
	return strcmp(python.out, "0\n") == 0;
}

Test(middle_boxes, one_that_cuts_the_connection_in_mid_server_hello)
{
	static const char by_wire[] = "the server closed the connection before its ServerHello";
	static const struct mailer *const mailers[] = {&mailer_msmtp, &mailer_curl_gnutls,
						       &mailer_node_official, &mailer_java};

	for (enum tls_mode mode = TLS_MODE_STARTTLS; mode <= TLS_MODE_IMPLICIT; mode++) {
		struct sink *sink =
			start_sink(WORDS("--tls=1.3", "--cut=server-hello",
					 mode == TLS_MODE_IMPLICIT ? "--implicit" : NULL));

		for (size_t i = 0; i < sizeof(mailers) / sizeof(mailers[0]); i++) {
			struct program client = mailers[i]->program(sink, mode);

			cut(&client, sink, text("%s-%s", mailers[i]->name, tls_mode_name(mode)),
			    mode, by_wire);
		}
		struct program client = sender_named("python3 smtplib", sink, mode);
		cut(&client, sink, text("smtplib-%s", tls_mode_name(mode)), mode,
		    python_hears_of_an_end() ? "unexpected eof while reading" : by_wire);
	}
}

/* A client set to implicit TLS that reaches a server which speaks in the clear. */
Test(middle_boxes, a_client_hello_that_is_answered_in_the_clear)
{
	struct sink *sink = start_sink(WORDS("--strip-starttls"));
	struct program client = mailer_msmtp.program(sink, TLS_MODE_IMPLICIT);
	const json_t *record =
		rehearse(&client, "msmtp", WORDS(text("TLSWITNESS_PORTS=%u", sink->port)));

	expect(record, "msmtp",
	       &(struct expectation){"tls-handshake", "failure",
				     "the ClientHello was answered with no TLS", "implicit",
				     "failed"});
}

/* ---- what nobody sees ---- */

static const json_t *blind_spot(const char *name, const char *library)
{
	struct sink *sink = start_sink(WORDS("--tls=1.3"));
	struct program program = {
		.argv = WORDS("build/programs/blind_spot", text("%u", sink->port), library)};

	return rehearse(&program, name, NO_WORDS);
}

Test(middle_boxes, tls_moved_by_raw_system_calls)
{
	const struct expectation expected = {
		"blind-spot", "failure", "TLS was begun, but its bytes did not pass through libc",
		"starttls", ""};
	const json_t *record = blind_spot("bare", NULL);

	expect(record, "without a library", &expected);
	cr_expect_null(json_object_get(record, "tlswitness.library"));
	record = blind_spot("gnutls", "libgnutls.so.30");
	expect(record, "with GnuTLS", &expected);
	cr_expect_str_eq(field(record, "tlswitness.library"), "libgnutls");
}
