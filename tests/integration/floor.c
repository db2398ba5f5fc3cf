/*
 * The floor under unmodified programs, by the sink's log: bare, each of
 * them delivers below it. In enforce not one AUTH or MAIL arrives, and the
 * program itself says why. In upgrade, where the program was the reason, the
 * mail gets through at the floor or better.
 */
#include <string.h>

#include <criterion/criterion.h>

#include "tests/integration/gnutls_mailers.h"
#include "tests/integration/mailers.h"
#include "tests/integration/trial.h"

TestSuite(floor, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

static const char message[] = "Subject: rehearsal\r\n\r\nhello\r\n";

/* Blindly, as the sink allows: s_client knows no SMTP beyond STARTTLS. */
static const char dialogue[] = "EHLO client\r\nAUTH PLAIN AHVzZXIAc2VjcmV0d29yZA==\r\n"
			       "MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"
			       "Subject: rehearsal\r\n\r\nhello\r\n.\r\nQUIT\r\n";

/* Who keeps the connection below the floor. */
enum limit {
	LIMIT_SERVER,      /* the sink has TLS 1.0 only */
	LIMIT_CLIENT,      /* the program asks for no more: upgrade lifts that */
	LIMIT_CLIENT_WIRE, /* likewise, but by a library that only the wire witness sees */
};

struct row {
	const char *name;
	struct program (*program)(const struct sink *sink, const struct row *row);
	const char *way; /* how the program limits itself */
	const char *says;
	enum limit limit;
	bool implicit;
	const char *floor; /* the other that it is tried with, besides 1.2; NULL: none */
};

static struct program program_of(const struct sink *sink, const void *row)
{
	const struct row *the_row = row;

	return the_row->program(sink, the_row);
}

static const char *const *sink_options(const struct row *row, const char *floor)
{
	const char *below = strcmp(floor, "1.3") == 0 ? "1.2" : "1.0";
	const char *tls = row->limit == LIMIT_SERVER ? text("--tls=%s", below) : "--tls=1.0..1.3";

	return row->implicit ? join_words(WORDS(tls, "--implicit"), NO_WORDS)
			     : join_words(WORDS(tls), NO_WORDS);
}

static void check_floor(const struct row *row, const char *floor)
{
	const char *const *sink = sink_options(row, floor);
	const char *option = text("--floor=%s", floor);
	struct trial trial = try_program(row->name, program_of, row, sink, NULL);

	expect_delivered_below(&trial, floor);
	trial = try_program(row->name, program_of, row, sink,
			    WORDS("--enforce", option, "--ports=25,PORT"));
	expect_nothing_below(&trial, floor);
	expect_refused(&trial, row->says);
	trial = try_program(row->name, program_of, row, sink,
			    WORDS("--upgrade", option, "--ports=25,PORT"));
	expect_nothing_below(&trial, floor);
	if (row->limit == LIMIT_CLIENT)
		expect_delivered_at(&trial, floor);
	else
		expect_refused(&trial, row->says);
}

static void check(const struct row rows[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		check_floor(&rows[i], "1.2");
		if (rows[i].floor != NULL)
			check_floor(&rows[i], rows[i].floor);
	}
}

#define CHECK(rows) check(rows, sizeof(rows) / sizeof((rows)[0]))

/* ---- the programs ---- */

/* A script in tests/senders: HOST PORT MODE CA-FILE WAY. */
static struct program script(const char *interpreter, const char *name, const struct sink *sink,
			     const struct row *row)
{
	return (struct program){
		.argv = join_words(WORDS(interpreter, text("tests/senders/%s", name), "localhost",
					 text("%u", sink->port),
					 row->implicit ? "implicit" : "starttls", sink->certificate,
					 row->way),
				   NO_WORDS),
		.env = join_words(WORDS(old_tls_allowed()), NO_WORDS),
	};
}

static struct program smtplib(const struct sink *sink, const struct row *row)
{
	/* Debian's own: another python3 may be first in PATH. */
	return script("/usr/bin/python3", "pinned_smtplib.py", sink, row);
}

static struct program aiosmtplib(const struct sink *sink, const struct row *row)
{
	return script("/usr/bin/python3", "pinned_aiosmtplib.py", sink, row);
}

static struct program phpmailer(const struct sink *sink, const struct row *row)
{
	return script("php", "pinned_phpmailer.php", sink, row);
}

static struct program net_smtp(const struct sink *sink, const struct row *row)
{
	return script("perl", "pinned_net_smtp.pl", sink, row);
}

static struct program curl(const struct sink *sink, const struct row *row)
{
	const char *url = text("%s://localhost:%u", row->implicit ? "smtps" : "smtp", sink->port);
	const char *const always[] = {"curl",          "--silent",    "--show-error",
				      "--ssl-reqd",    "--cacert",    sink->certificate,
				      "--url",         url,           "--mail-from",
				      "a@example.com", "--mail-rcpt", "b@example.com",
				      "--upload-file", "-",           "--user",
				      "user:secret",   "--tlsv1.0",   "--tls-max",
				      row->way,        NULL};

	return (struct program){.argv = join_words(always, NO_WORDS),
				.env = join_words(WORDS(old_tls_allowed()), NO_WORDS),
				.input = message};
}

static struct program s_client(const struct sink *sink, const struct row *row)
{
	const char *const *argv =
		join_words(WORDS("openssl", "s_client", "-quiet", "-connect", sink->address,
				 "-CAfile", sink->certificate, "-verify_return_error", row->way),
			   row->implicit ? NO_WORDS : WORDS("-starttls", "smtp"));

	return (struct program){.argv = argv,
				.env = join_words(WORDS(old_tls_allowed()), NO_WORDS),
				.input = dialogue};
}

static struct program msmtp(const struct sink *sink, const struct row *row)
{
	const char *const argv[] = {"msmtp",
				    "--host=localhost",
				    text("--port=%u", sink->port),
				    "--from=a@example.com",
				    "--auth=plain",
				    "--user=user",
				    "--passwordeval=echo secretword",
				    "--tls=on",
				    row->implicit ? "--tls-starttls=off" : "--tls-starttls=on",
				    text("--tls-trust-file=%s", sink->certificate),
				    text("--tls-priorities=%s", row->way),
				    "b@example.com",
				    NULL};

	return (struct program){.argv = join_words(argv, NO_WORDS), .input = message};
}

static struct program neomutt(const struct sink *sink, const struct row *row)
{
	const char *settings =
		text("set from=a@example.com smtp_url=%s://user:secretword@localhost:%u "
		     "ssl_starttls=yes ssl_force_tls=yes certificate_file=%s "
		     "smtp_authenticators=plain copy=no %s",
		     row->implicit ? "smtps" : "smtp", sink->port, sink->certificate, row->way);

	return (struct program){
		.argv = join_words(WORDS("neomutt", "-n", "-F", "/dev/null", "-e", settings, "-s",
					 "rehearsal", "b@example.com"),
				   NO_WORDS),
		.env = join_words(WORDS("TERM=dumb"), NO_WORDS),
		.input = "hello\n"};
}

static struct program mailer(const struct mailer *mailer, const struct sink *sink,
			     const struct row *row, const char *setting)
{
	struct program program =
		mailer->program(sink, row->implicit ? TLS_MODE_IMPLICIT : TLS_MODE_STARTTLS);

	if (*row->way != '\0')
		program.env = join_words(program.env ? program.env : NO_WORDS,
					 WORDS(text("%s%s", setting, row->way)));
	return program;
}

static struct program java(const struct sink *sink, const struct row *row)
{
	return mailer(&mailer_java, sink, row, "JAVA_TOOL_OPTIONS=-Djdk.tls.client.protocols=");
}

static struct program node_official(const struct sink *sink, const struct row *row)
{
	return mailer(&mailer_node_official, sink, row, "TLS_MAX_VERSION=");
}

static struct program node_debian(const struct sink *sink, const struct row *row)
{
	return mailer(&mailer_node_debian, sink, row, "TLS_MAX_VERSION=");
}

static struct program php_curl(const struct sink *sink, const struct row *row)
{
	return mailer(&mailer_php_curl, sink, row, "");
}

static struct program curl_gnutls(const struct sink *sink, const struct row *row)
{
	return mailer(&mailer_curl_gnutls, sink, row, "");
}

static struct program cli(const struct sink *sink, const struct row *row)
{
	return mailer(&mailer_gnutls_cli, sink, row, "");
}

static struct program nullmailer(const struct sink *sink, const struct row *row)
{
	return mailer(&mailer_nullmailer, sink, row, "");
}

static struct program emacs(const struct sink *sink, const struct row *row)
{
	return mailer(&mailer_emacs, sink, row, "");
}

static struct program putmail(const struct sink *sink, const struct row *row)
{
	return mailer(&mailer_putmail, sink, row, "");
}

static struct program exim(const struct sink *sink, const void *row)
{
	(void)row;
	return mailer_exim.program(sink, TLS_MODE_STARTTLS);
}

/* ---- the rows ---- */

Test(floor, python)
{
	static const struct row rows[] = {
		{"smtplib", smtplib, "default", "ssl.SSLError", LIMIT_SERVER, false, "1.3"},
		{"smtplib, implicit", smtplib, "default", "ssl.SSLError", LIMIT_SERVER, true, NULL},
		{"smtplib, PROTOCOL_TLSv1", smtplib, "PROTOCOL_TLSv1", "ssl.SSLError", LIMIT_CLIENT,
		 false, "1.3"},
		{"smtplib, PROTOCOL_TLSv1, implicit", smtplib, "PROTOCOL_TLSv1", "ssl.SSLError",
		 LIMIT_CLIENT, true, NULL},
		{"smtplib, maximum_version", smtplib, "maximum_version", "ssl.SSLError",
		 LIMIT_CLIENT, false, "1.3"},
		{"smtplib, OP_NO_TLSv1_2", smtplib, "OP_NO_TLSv1_2", "ssl.SSLError", LIMIT_CLIENT,
		 false, "1.3"},
	};

	CHECK(rows);
}

Test(floor, python_without_tls_1_3)
{
	static const struct row row = {"smtplib, OP_NO_TLSv1_3",
				       smtplib,
				       "OP_NO_TLSv1_3",
				       "ssl.SSLError",
				       LIMIT_CLIENT,
				       false,
				       NULL};

	check_floor(&row, "1.3");
}

Test(floor, asyncio)
{
	static const struct row rows[] = {
		{"aiosmtplib", aiosmtplib, "default", "SSL|Connection", LIMIT_SERVER, false, "1.3"},
		{"aiosmtplib, maximum_version", aiosmtplib, "maximum_version", "SSL", LIMIT_CLIENT,
		 false, "1.3"},
		{"aiosmtplib, maximum_version, implicit", aiosmtplib, "maximum_version", "SSL",
		 LIMIT_CLIENT, true, NULL},
	};

	CHECK(rows);
}

Test(floor, phpmailer)
{
	static const struct row rows[] = {
		{"PHPMailer", phpmailer, "TLS_CLIENT",
		 "tlsv1 alert protocol version|SMTP Error: Could not connect", LIMIT_SERVER, false,
		 "1.3"},
		{"PHPMailer, ANY", phpmailer, "ANY_CLIENT",
		 "Could not connect|SMTP connect() failed", LIMIT_SERVER, true, "1.3"},
		{"PHPMailer, TLSv1_0", phpmailer, "TLSv1_0_CLIENT",
		 "Could not connect|SMTP connect() failed", LIMIT_CLIENT, true, "1.3"},
		{"PHPMailer, TLSv1_1", phpmailer, "TLSv1_1_CLIENT",
		 "Could not connect|SMTP connect() failed", LIMIT_CLIENT, true, NULL},
	};
	static const struct row tls_1_2 = {"PHPMailer, TLSv1_2",
					   phpmailer,
					   "TLSv1_2_CLIENT",
					   "Could not connect|SMTP connect() failed",
					   LIMIT_CLIENT,
					   true,
					   NULL};

	CHECK(rows);
	check_floor(&tls_1_2, "1.3");
}

Test(floor, perl)
{
	static const struct row rows[] = {
		{"Net::SMTP", net_smtp, "SSLv23", "protocol version", LIMIT_SERVER, false, "1.3"},
		{"Net::SMTP, TLSv1", net_smtp, "TLSv1", "no protocols available", LIMIT_CLIENT,
		 false, "1.3"},
		{"Net::SMTP, TLSv1_1", net_smtp, "TLSv1_1", "no protocols available", LIMIT_CLIENT,
		 false, NULL},
		{"Net::SMTP, TLSv1, implicit", net_smtp, "TLSv1", "no protocols available",
		 LIMIT_CLIENT, true, NULL},
		{"Net::SMTP, options", net_smtp, "SSLv23:!TLSv1_2:!TLSv1_3",
		 "no protocols available", LIMIT_CLIENT, false, "1.3"},
	};
	static const struct row tls_1_2 = {
		"Net::SMTP, TLSv1_2", net_smtp, "TLSv1_2", "no protocols available",
		LIMIT_CLIENT,         false,    NULL};

	CHECK(rows);
	check_floor(&tls_1_2, "1.3");
}

Test(floor, curl_and_s_client)
{
	static const struct row rows[] = {
		{"curl", curl, "1.3", "protocol version", LIMIT_SERVER, false, "1.3"},
		{"curl --tls-max 1.0", curl, "1.0", "no protocols available", LIMIT_CLIENT, false,
		 "1.3"},
		{"curl --tls-max 1.0, implicit", curl, "1.0", "no protocols available",
		 LIMIT_CLIENT, true, NULL},
		{"s_client", s_client, "-ign_eof", "protocol version", LIMIT_SERVER, false, "1.3"},
		{"s_client -tls1", s_client, "-tls1", "no protocols available", LIMIT_CLIENT, false,
		 "1.3"},
		{"s_client -tls1, implicit", s_client, "-tls1", "no protocols available",
		 LIMIT_CLIENT, true, NULL},
		{"s_client -tls1_1", s_client, "-tls1_1", "no protocols available", LIMIT_CLIENT,
		 false, NULL},
	};

	CHECK(rows);
}

/* GnuTLS's own error for a version that is off, in each program's own line. */
#define VERSION_IS_OFF "unsupported version was received"

Test(floor, gnutls)
{
	static const struct row rows[] = {
		{"msmtp", msmtp, "NORMAL", VERSION_IS_OFF, LIMIT_SERVER, false, "1.3"},
		{"msmtp, TLS 1.0", msmtp, "NORMAL:-VERS-ALL:+VERS-TLS1.0", VERSION_IS_OFF,
		 LIMIT_CLIENT, false, "1.3"},
		{"msmtp, TLS 1.1, implicit", msmtp, "SECURE128:%COMPAT:-VERS-ALL:+VERS-TLS1.1",
		 VERSION_IS_OFF, LIMIT_CLIENT, true, NULL},
		{"neomutt", neomutt, "ssl_use_tlsv1=yes ssl_use_tlsv1_1=yes", VERSION_IS_OFF,
		 LIMIT_SERVER, false, "1.3"},
		{"neomutt, TLS 1.0", neomutt,
		 "ssl_use_tlsv1=yes ssl_use_tlsv1_1=no ssl_use_tlsv1_2=no ssl_use_tlsv1_3=no",
		 VERSION_IS_OFF, LIMIT_CLIENT, false, "1.3"},
	};

	CHECK(rows);
}

Test(floor, more_of_gnutls)
{
	static const struct row rows[] = {
		{"gnutls-cli", cli, "", VERSION_IS_OFF, LIMIT_SERVER, false, "1.3"},
		{"gnutls-cli, implicit", cli, "", VERSION_IS_OFF, LIMIT_SERVER, true, NULL},
		{"nullmailer", nullmailer, "", VERSION_IS_OFF, LIMIT_SERVER, false, "1.3"},
		{"Emacs's smtpmail", emacs, "", VERSION_IS_OFF, LIMIT_SERVER, false, NULL},
		/* It has words of its own for whatever fails in TLS. */
		{"putmail", putmail, "", "Operation failed", LIMIT_SERVER, false, "1.3"},
	};

	CHECK(rows);
}

/* It keeps the mail, and says why in its log. */
Test(floor, exim)
{
	struct trial trial = try_program("exim4", exim, NULL, WORDS("--tls=1.0"),
					 WORDS("--enforce", "--ports=25,PORT"));
	struct program log = {
		.argv = WORDS("sh", "-c", "cat \"$0\"/exim.*/mainlog", test_path("."))};

	expect_nothing_below(&trial, "1.2");
	cr_expect_eq(json_array_size(trial.entries), 1);
	cr_expect_eq(json_array_size(trial.records), 1);
	cr_expect_str_eq(field(json_array_get(trial.records, 0), "tlswitness.verdict"), "refused");
	run_program(&log);
	cr_expect_not_null(strstr(log.out, VERSION_IS_OFF), "%s", log.out);
}

/* Only the wire witness sees these: the refusal is a connection that breaks. */
Test(floor, java)
{
	static const struct row rows[] = {
		{"Java", java, "", "reset|protocol_version|Connection", LIMIT_SERVER, false, "1.3"},
		{"Java, TLSv1", java, "TLSv1", "reset", LIMIT_CLIENT_WIRE, false, NULL},
		{"Java, TLSv1.1, implicit", java, "TLSv1.1", "reset", LIMIT_CLIENT_WIRE, true,
		 NULL},
	};

	CHECK(rows);
}

Test(floor, node)
{
	static const struct row rows[] = {
		{"official Node", node_official, "", "ECONNRESET", LIMIT_SERVER, false, "1.3"},
		{"official Node, maxVersion", node_official, "TLSv1", "ECONNRESET",
		 LIMIT_CLIENT_WIRE, false, "1.3"},
		{"official Node, maxVersion, implicit", node_official, "TLSv1.1", "ECONNRESET",
		 LIMIT_CLIENT_WIRE, true, NULL},
		{"Debian's Node", node_debian, "", "protocol version", LIMIT_SERVER, false, NULL},
		{"Debian's Node, maxVersion", node_debian, "TLSv1", "no protocols available",
		 LIMIT_CLIENT, false, NULL},
	};

	CHECK(rows);
}

Test(floor, libcurl)
{
	static const struct row rows[] = {
		{"PHP's curl", php_curl, "", "protocol version", LIMIT_SERVER, false, "1.3"},
		{"GnuTLS curl", curl_gnutls, "", VERSION_IS_OFF, LIMIT_SERVER, false, "1.3"},
	};

	CHECK(rows);
}
