/*
 * The programs that send mail, and the proof that the sink takes it from each
 * of them, in each version and mode, bare: what a test with the recorder finds
 * beyond that is the recorder's doing.
 */
#include <string.h>

#include <criterion/criterion.h>

#include "tests/integration/senders.h"

TestSuite(senders, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

static const char message[] = "Subject: rehearsal\r\n\r\nhello\r\n";

/* Blindly, as the sink allows: s_client knows no SMTP beyond STARTTLS. */
static const char dialogue[] = "EHLO client\r\nAUTH PLAIN AHVzZXIAc2VjcmV0d29yZA==\r\n"
			       "MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"
			       "Subject: rehearsal\r\n\r\nhello\r\n.\r\nQUIT\r\n";

const char *tls_mode_name(enum tls_mode mode)
{
	static const char *const names[] = {"none", "starttls", "implicit"};

	return names[mode];
}

/* A script in tests/senders: HOST PORT MODE CA-FILE. */
static const char *const *script(const char *interpreter, const char *name, const struct sink *sink,
				 enum tls_mode mode)
{
	const char *port = text("%u", sink->port);

	return join_words(WORDS(interpreter, text("tests/senders/%s", name), "localhost", port,
				tls_mode_name(mode), sink->certificate),
			  NO_WORDS);
}

static const char *const *smtplib(const struct sink *sink, enum tls_mode mode)
{
	/* Debian's own: another python3 may be first in PATH. */
	return script("/usr/bin/python3", "smtplib_sender.py", sink, mode);
}

static const char *const *phpmailer(const struct sink *sink, enum tls_mode mode)
{
	return script("php", "phpmailer_sender.php", sink, mode);
}

static const char *const *net_smtp(const struct sink *sink, enum tls_mode mode)
{
	return script("perl", "net_smtp_sender.pl", sink, mode);
}

static const char *const *swaks(const struct sink *sink, enum tls_mode mode)
{
	static const char *const how[] = {NULL, "-tls", "--tls-on-connect"};

	return join_words(WORDS("swaks", "--server", "localhost", "--port", text("%u", sink->port),
				"--from", "a@example.com", "--to", "b@example.com", "--auth",
				"LOGIN", "--auth-user", "user", "--auth-password", "secretword"),
			  WORDS(how[mode]));
}

static const char *const *curl(const struct sink *sink, enum tls_mode mode)
{
	const char *scheme = mode == TLS_MODE_IMPLICIT ? "smtps" : "smtp";
	const char *url = text("%s://localhost:%u", scheme, sink->port);
	const char *const always[] = {"curl",
				      "--silent",
				      "--show-error",
				      "--url",
				      url,
				      "--mail-from",
				      "a@example.com",
				      "--mail-rcpt",
				      "b@example.com",
				      "--upload-file",
				      "-",
				      "--user",
				      "user:secretword",
				      NULL};

	if (mode == TLS_MODE_NONE)
		return join_words(always, NO_WORDS);
	/* Newer ones offer nothing below TLS 1.2 unless they are asked to. */
	return join_words(always, WORDS("--ssl-reqd", "--cacert", sink->certificate, "--tlsv1.0"));
}

static const char *const *s_client(const struct sink *sink, enum tls_mode mode)
{
	cr_assert_neq(mode, TLS_MODE_NONE, "s_client has no clear mode");
	return join_words(WORDS("openssl", "s_client", "-quiet", "-connect", sink->address,
				"-CAfile", sink->certificate, "-verify_return_error"),
			  mode == TLS_MODE_STARTTLS ? WORDS("-starttls", "smtp") : NO_WORDS);
}

const struct sender senders[] = {
	{"python3 smtplib", smtplib, NULL},
	{"PHPMailer", phpmailer, NULL},
	{"swaks", swaks, NULL},
	{"Net::SMTP", net_smtp, NULL},
	{"curl", curl, message},
	{"openssl s_client", s_client, dialogue},
};

const size_t senders_count = sizeof(senders) / sizeof(senders[0]);

struct program sender_program(const struct sender *sender, const struct sink *sink,
			      enum tls_mode mode, const char *const env[])
{
	return (struct program){
		.argv = sender->argv(sink, mode),
		.env = join_words(WORDS(old_tls_allowed()), env),
		.input = sender->input,
	};
}

static void expect_delivery(const json_t *entry, enum tls_mode mode, const char *version)
{
	bool in_clear = mode == TLS_MODE_NONE;

	cr_expect_str_eq(field(entry, "tls_mode"), tls_mode_name(mode));
	cr_expect_str_eq(field(entry, "version"), version);
	cr_expect_eq(json_is_true(json_object_get(entry, "established")), !in_clear);
	cr_expect(json_is_true(json_object_get(entry, "auth")));
	cr_expect(json_is_true(json_object_get(entry, "mail")));
	cr_expect_eq(json_is_true(json_object_get(entry, "auth_in_clear")), in_clear);
	cr_expect_eq(json_is_true(json_object_get(entry, "mail_in_clear")), in_clear);
	cr_expect_eq(json_integer_value(json_object_get(entry, "messages")), 1);
	cr_expect_str_empty(field(entry, "error"));
}

/* Each sender in turn to a sink of its own mode and version. */
static void deliver(const struct sink *sink, size_t count, enum tls_mode mode, const char *version)
{
	for (size_t i = 0; i < count; i++) {
		struct program program = sender_program(&senders[i], sink, mode, NO_WORDS);

		cr_expect_eq(run_program(&program), 0, "%s, TLS %s, %s: %s%s", senders[i].name,
			     version, tls_mode_name(mode), program.out, program.err);
		expect_delivery(json_array_get(sink_entries(sink, i + 1), i), mode, version);
	}
}

Test(senders, each_delivers_in_each_version_and_mode)
{
	static const char *const versions[] = {"1.0", "1.1", "1.2", "1.3"};

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		deliver(start_sink(WORDS("--tls", versions[i])), senders_count, TLS_MODE_STARTTLS,
			versions[i]);
		deliver(start_sink(WORDS("--tls", versions[i], "--implicit")), senders_count,
			TLS_MODE_IMPLICIT, versions[i]);
	}
}

Test(senders, each_but_s_client_delivers_in_the_clear)
{
	deliver(start_sink(WORDS("--tls=none")), senders_count - 1, TLS_MODE_NONE, "");
}
