/*
 * Encrypted, but to whom? Five certificates, and programs that are told to
 * check them or not to: what the record says against what came of it.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "tests/integration/authority.h"
#include "tests/integration/gnutls_mailers.h"
#include "tests/integration/mailers.h"
#include "tests/integration/records.h"

/* What the sink presents, and what the client is told. */
enum presented { NAMED, WRONG_NAME, UNKNOWN_CA, EXPIRED, NOT_CHECKED, PRESENTED_COUNT };

static struct sink *sinks[PRESENTED_COUNT];

static const char *const presented_names[] = {"named", "wrong name", "unknown CA", "expired",
					      "not checked"};

static void begin(void)
{
	static const char *const certificates[PRESENTED_COUNT] = {
		[NAMED] = "named",     [WRONG_NAME] = "wrong",    [UNKNOWN_CA] = "unknown",
		[EXPIRED] = "expired", [NOT_CHECKED] = "unknown",
	};

	harness_begin();
	make_authority("authority");
	make_authority("nobody");
	make_certificate("named", "authority", "localhost", 30);
	make_certificate("wrong", "authority", "mx.example", 30);
	make_certificate("expired", "authority", "localhost", -10);
	make_certificate("unknown", "nobody", "localhost", 30);
	for (int i = 0; i < PRESENTED_COUNT; i++)
		sinks[i] = start_sink(sink_with_certificate(certificates[i]));
}

TestSuite(certificates, .init = begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

/* A client that takes PORT, and the authority to trust or "off". */
typedef struct program (*client)(const struct sink *sink, const char *authority);

struct expected {
	const char *certificate; /* '|' between what may be */
	const char *reason;      /* that the record's begins with; NULL: any */
};

/* What a client that compares the name too has to come to. */
static const struct expected strict[PRESENTED_COUNT] = {
	[NAMED] = {"verified", NULL},
	[WRONG_NAME] = {"failed", "certificate-host-mismatch"},
	[UNKNOWN_CA] = {"failed", "certificate-not-trusted"},
	[EXPIRED] = {"failed", "certificate-expired"},
	[NOT_CHECKED] = {"unchecked", NULL},
};

static struct program exim(const struct sink *sink, const char *authority);

static void expect(const char *name, client program_of, enum presented presented,
		   const struct expected *expected)
{
	const char *what = text("%s, %s", name, presented_names[presented]);
	const char *log = test_file(text("%s.jsonl", what), "");
	const char *authority = presented == NOT_CHECKED ? "off" : certificate_path("authority");
	struct program bare = program_of(sinks[presented], authority);
	struct program program = preloaded(&bare, log, NO_WORDS);
	bool taken = strcmp(expected->certificate, "failed") != 0;
	const json_t *record;

	cr_assert_eq(chmod(log, 0666), 0); /* exim delivers as another user than root */
	run_program(&program);
	/* The client's own word for it: it went on, or did not. exim keeps it to itself. */
	if (program_of != exim)
		cr_expect_eq(program.status == 0, taken, "%s: status %d\n%s%s", what,
			     program.status, program.out, program.err);
	record = only_handshake(log);
	cr_expect_str_eq(field(record, "tlswitness.peer_certificate"), expected->certificate,
			 "%s: %s\n%s", what, read_file(log, NULL), program.err);
	if (expected->reason != NULL)
		cr_expect_eq(strncmp(field(record, "event.reason"), expected->reason,
				     strlen(expected->reason)),
			     0, "%s: %s", what, read_file(log, NULL));
	cr_expect_null(json_object_get(record, "tlswitness.conflict"), "%s", what);
}

static void expect_each(const char *name, client program_of, const struct expected *expected)
{
	for (int i = 0; i < PRESENTED_COUNT; i++)
		expect(name, program_of, (enum presented)i, &expected[i]);
}

/* ---- OpenSSL ---- */

static struct program script(const char *interpreter, const char *name, const struct sink *sink,
			     const char *authority)
{
	return (struct program){
		.argv = join_words(WORDS(interpreter, text("tests/scripts/certificates/%s", name),
					 text("%u", sink->port), authority),
				   NO_WORDS)};
}

static struct program python(const struct sink *sink, const char *authority)
{
	/* Debian's own: another python3 may be first in PATH. */
	return script("/usr/bin/python3", "python.py", sink, authority);
}

static struct program php_streams(const struct sink *sink, const char *authority)
{
	return script("php", "streams.php", sink, authority);
}

static struct program php_curl(const struct sink *sink, const char *authority)
{
	return script("php", "curl.php", sink, authority);
}

static struct program perl(const struct sink *sink, const char *authority)
{
	return script("perl", "perl.pl", sink, authority);
}

static struct program ruby(const struct sink *sink, const char *authority)
{
	return script("ruby", "ruby.rb", sink, authority);
}

static struct program node(const struct sink *sink, const char *authority)
{
	struct program program = script("build/debian/usr/bin/node", "node.js", sink, authority);

	program.env =
		join_words(WORDS(text("LD_LIBRARY_PATH=%s",
				      realpath("build/debian/usr/lib/x86_64-linux-gnu", NULL))),
			   NO_WORDS);
	return program;
}

static struct program curl(const struct sink *sink, const char *authority)
{
	const char *const always[] = {"curl",
				      "--silent",
				      "--show-error",
				      "--url",
				      text("smtp://localhost:%u", sink->port),
				      "--ssl-reqd",
				      "--mail-from",
				      "a@example.com",
				      "--mail-rcpt",
				      "b@example.com",
				      "--upload-file",
				      "-",
				      NULL};
	bool off = strcmp(authority, "off") == 0;

	return (struct program){
		.argv = join_words(always,
				   off ? WORDS("--insecure") : WORDS("--cacert", authority)),
		.input = "Subject: rehearsal\r\n\r\nhello\r\n",
	};
}

Test(certificates, as_python_checks_them)
{
	expect_each("Python", python, strict);
}

Test(certificates, as_php_streams_check_them)
{
	expect_each("PHP streams", php_streams, strict);
}

Test(certificates, as_curl_checks_them)
{
	expect_each("curl", curl, strict);
	expect_each("PHP's curl", php_curl, strict);
}

Test(certificates, as_perl_checks_them)
{
	expect_each("Perl", perl, strict);
}

Test(certificates, as_ruby_checks_them)
{
	expect_each("Ruby", ruby, strict);
}

/*
 * Node has OpenSSL verify and never end a handshake: it asks for the result and
 * reads the names, and whether it minds either is JavaScript's to say.
 */
Test(certificates, as_node_checks_them)
{
	static const struct expected expected[PRESENTED_COUNT] = {
		[NAMED] = {"chain-only", NULL},
		[WRONG_NAME] = {"failed", "certificate-host-mismatch"},
		[UNKNOWN_CA] = {"failed", "certificate-not-trusted"},
		[EXPIRED] = {"failed", "certificate-expired"},
		[NOT_CHECKED] = {"unchecked", NULL},
	};

	expect_each("Node", node, expected);
}

static struct program swaks(const struct sink *sink, const char *authority)
{
	const char *const always[] = {
		"swaks",  "--server",      "localhost", "--port",        text("%u", sink->port),
		"--from", "a@example.com", "--to",      "b@example.com", "-tls",
		NULL};

	return (struct program){
		.argv = join_words(always,
				   strcmp(authority, "off") == 0
					   ? NO_WORDS
					   : WORDS("--tls-verify", "--tls-ca-path", authority))};
}

/* It has the chain verified, and compares no name; from Debian 13 on it compares that, too. */
Test(certificates, as_swaks_checks_them)
{
	struct program by_itself = swaks(sinks[WRONG_NAME], certificate_path("authority"));
	static const struct expected by_chain[PRESENTED_COUNT] = {
		[NAMED] = {"chain-only", NULL},
		[WRONG_NAME] = {"chain-only", NULL},
		[UNKNOWN_CA] = {"failed", "certificate-not-trusted"},
		[EXPIRED] = {"failed", "certificate-expired"},
		[NOT_CHECKED] = {"unchecked", NULL},
	};

	run_program(&by_itself);
	expect_each("swaks", swaks, by_itself.status == 0 ? by_chain : strict);
}

/* ---- by TLSA records (RFC 7672) ---- */

static const char *by_dane(const struct sink *sink, const char *record, const char *option,
			   int status)
{
	static unsigned runs;
	const char *log = test_path(text("dane%u.jsonl", ++runs));
	struct program bare = {.argv = WORDS("openssl", "s_client", "-quiet", "-connect",
					     sink->address, "-starttls", "smtp",
					     "-verify_return_error", "-dane_tlsa_domain",
					     "localhost", "-dane_tlsa_rrdata", record, option),
			       .input = "QUIT\r\n"};
	struct program program = preloaded(&bare, log, NO_WORDS);
	const json_t *found;
	const char *reason;

	run_program(&program);
	cr_expect_eq(program.status, status, "%s", program.err);
	found = only_handshake(log);
	/* Without OpenSSL's own words, which are not the same in each version. */
	reason = field(found, "event.reason");
	return text("%s %.*s", field(found, "tlswitness.peer_certificate"),
		    (int)strcspn(reason, " "), reason);
}

Test(certificates, as_openssl_holds_them_against_tlsa_records)
{
	struct sink *chain = start_sink(sink_with_chain("unknown", "nobody"));
	struct sink *wrong = start_sink(sink_with_chain("wrong", "authority"));

	cr_expect_str_eq(by_dane(sinks[UNKNOWN_CA], tlsa_record(3, "unknown"), NULL, 0),
			 "verified ");
	/* The server's own certificate stands for its name, if it is told so (RFC 7672, 3.1.1). */
	cr_expect_str_eq(
		by_dane(sinks[WRONG_NAME], tlsa_record(3, "wrong"), "-dane_ee_no_namechecks", 0),
		"verified ");
	cr_expect_str_eq(by_dane(chain, tlsa_record(2, "nobody"), NULL, 0), "verified ");
	cr_expect_str_eq(by_dane(sinks[NAMED], tlsa_record(3, "unknown"), NULL, 1),
			 "failed tlsa-invalid");
	cr_expect_str_eq(by_dane(wrong, tlsa_record(2, "authority"), NULL, 1),
			 "failed certificate-host-mismatch");
}

/* ---- GnuTLS ---- */

static const char message[] = "From: a@example.com\nTo: b@example.com\n\nhello\n";

static bool is_off(const char *authority)
{
	return strcmp(authority, "off") == 0;
}

static struct program msmtp(const struct sink *sink, const char *authority)
{
	const char *const always[] = {"msmtp",
				      "--file=/dev/null",
				      "--host=localhost",
				      text("--port=%u", sink->port),
				      "--from=a@example.com",
				      "--tls=on",
				      "--tls-starttls=on",
				      NULL};
	const char *checks =
		is_off(authority) ? "--tls-certcheck=off" : text("--tls-trust-file=%s", authority);

	return (struct program){.argv = join_words(always, WORDS(checks, "b@example.com")),
				.input = message};
}

static struct program neomutt(const struct sink *sink, const char *authority)
{
	const char *settings = text("set smtp_url = \"smtp://localhost:%u\"\n"
				    "set from = a@example.com\n"
				    "set record = \"\"\n"
				    "set ssl_starttls = yes\n"
				    "set ssl_force_tls = yes\n"
				    "set ssl_usesystemcerts = no\n"
				    "set certificate_file = %s\n",
				    sink->port, authority);

	return (struct program){
		.argv = join_words(WORDS("neomutt", "-n", "-F",
					 test_file(text("neomuttrc.%u", sink->port), settings),
					 "-s", "rehearsal", "b@example.com"),
				   NO_WORDS),
		.env = join_words(WORDS(text("HOME=%s", test_path("."))), NO_WORDS),
		.input = "hello\n",
	};
}

static struct program exim(const struct sink *sink, const char *authority)
{
	const char *checks = "  tls_verify_hosts =\n  tls_try_verify_hosts =\n";

	if (!is_off(authority))
		checks =
			text("  tls_verify_certificates = %s\n  tls_verify_hosts = *\n", authority);
	return mailer_exim_checking(sink, TLS_MODE_STARTTLS, checks);
}

static struct program cli(const struct sink *sink, const char *authority)
{
	return gnutls_cli(sink, TLS_MODE_STARTTLS, authority);
}

static struct program gnutls_curl(const struct sink *sink, const char *authority)
{
	return script("/usr/bin/python3", "gnutls_curl.py", sink, authority);
}

Test(certificates, as_msmtp_checks_them)
{
	expect_each("msmtp", msmtp, strict);
}

/* It has no way to check nothing: a person is asked. */
Test(certificates, as_neomutt_checks_them)
{
	for (int i = NAMED; i < NOT_CHECKED; i++)
		expect("neomutt", neomutt, (enum presented)i, &strict[i]);
}

Test(certificates, as_exim_checks_them)
{
	expect_each("exim", exim, strict);
}

Test(certificates, as_gnutls_cli_checks_them)
{
	expect_each("gnutls-cli", cli, strict);
}

static struct program nullmailer(const struct sink *sink, const char *authority)
{
	return gnutls_nullmailer(sink, TLS_MODE_STARTTLS, authority);
}

/* It checks in a callback, and ends there, in the middle of the handshake. */
Test(certificates, as_nullmailer_checks_them)
{
	expect_each("nullmailer", nullmailer, strict);
}

Test(certificates, as_curl_with_gnutls_checks_them)
{
	expect_each("GnuTLS curl", gnutls_curl, strict);
}

static struct program emacs(const struct sink *sink, const char *authority)
{
	return gnutls_emacs(sink, TLS_MODE_STARTTLS, authority);
}

Test(certificates, as_emacs_checks_them)
{
	expect_each("Emacs's smtpmail", emacs, strict);
}

static struct program by_ctypes(const struct sink *sink, const char *authority)
{
	return gnutls_ctypes(sink, TLS_MODE_STARTTLS, authority);
}

Test(certificates, as_gnutls_by_ctypes_checks_them)
{
	expect_each("GnuTLS by ctypes", by_ctypes, strict);
}

static struct program gio(const struct sink *sink, const char *authority)
{
	return gnutls_gio(sink, TLS_MODE_STARTTLS, authority);
}

Test(certificates, as_glib_checks_them)
{
	expect_each("GLib's TLS", gio, strict);
}

static struct program putmail(const struct sink *sink, const char *authority)
{
	(void)authority;
	return gnutls_putmail(sink, TLS_MODE_STARTTLS);
}

/* It has no option for it, takes any certificate, and the record says so. */
Test(certificates, as_mailutils_does_not_check_them)
{
	expect("putmail", putmail, NOT_CHECKED, &strict[NOT_CHECKED]);
}
