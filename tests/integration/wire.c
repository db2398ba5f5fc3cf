/*
 * The wire witness against the sink's own entry: each mail program, each
 * version that it can, STARTTLS and implicit. One record each, and the same
 * version, cipher and port as the other end of the wire has it.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "tests/integration/gnutls_mailers.h"
#include "tests/integration/mailers.h"
#include "tests/integration/records.h"
#include "tests/integration/trial.h"

TestSuite(wire, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

static const char *const versions[] = {"1.0", "1.1", "1.2", "1.3"};

#define VERSIONS_COUNT (sizeof(versions) / sizeof(versions[0]))

/* The array at `key` in JSON without blanks; "" if there is none. */
static const char *field_json(const json_t *record, const char *key)
{
	char *json = json_dumps(json_object_get(record, key), JSON_COMPACT | JSON_ENCODE_ANY);
	const char *kept = text("%s", json ? json : "");

	free(json);
	return kept;
}

static void expect_same(const json_t *record, const json_t *entry, const struct mailer *mailer)
{
	cr_expect_str_eq(field(record, "tls.version"), field(entry, "version"));
	cr_expect_str_eq(field(record, "tls.cipher"), field(entry, "cipher"));
	cr_expect_str_eq(field(record, "tlswitness.tls_mode"), field(entry, "tls_mode"));
	cr_expect_eq(json_integer_value(json_object_get(record, "source.port")),
		     json_integer_value(json_object_get(entry, "peer_port")));
	cr_expect_str_eq(field(record, "event.action"), "tls-handshake");
	cr_expect_str_eq(field(record, "event.outcome"), "success");
	cr_expect(json_is_true(json_object_get(record, "tls.established")));
	cr_expect_str_eq(field(record, "network.protocol"), "smtp");
	cr_expect_str_eq(field(record, "destination.domain"), mailer->domain);
	cr_expect_str_eq(field_json(record, "tlswitness.witness"), mailer->witnesses);
	cr_expect_null(json_object_get(record, "tlswitness.conflict"));
	if (json_object_get(entry, "offered"))
		cr_expect_str_eq(field_json(record, "tlswitness.offered"),
				 field_json(entry, "offered"));
	/* All of them would have taken 1.0, and a server of one version is what limits them. */
	cr_expect_str_eq(field(record, "tlswitness.verdict"),
			 strcmp(field(record, "tls.version"), "1.2") < 0 ? "below-floor"
									 : "at-risk");
	cr_expect_str_eq(field(record, "tlswitness.limited_by"),
			 strcmp(field(record, "tls.version"), "1.3") < 0 ? "server" : "none");
}

/* Up to 1.2 the server's certificate is in the clear; in 1.3 only a library can tell. */
static void expect_certificate(const json_t *record, const struct mailer *mailer)
{
	bool known = strcmp(field(record, "tls.version"), "1.3") < 0 ||
		     strcmp(mailer->witnesses, "[\"wire\"]") != 0;
	const char *name = known ? "CN=localhost" : "";

	cr_expect_str_eq(field(record, "tls.server.subject"), name);
	cr_expect_str_eq(field(record, "tls.server.issuer"), name);
	cr_expect_eq(strlen(field(record, "tls.server.not_after")),
		     known ? strlen("2026-11-23T13:05:07Z") : 0);
}

static void rehearse(const struct mailer *mailer, const char *version, enum tls_mode mode)
{
	struct sink *sink = start_sink(
		WORDS("--tls", version, mode == TLS_MODE_IMPLICIT ? "--implicit" : NULL));
	const char *log = test_file(text("%s-%s.jsonl", version, tls_mode_name(mode)), "");
	/* Implicit TLS on a port of the sink's: a known one is all that says it is mail. */
	const char *const *ports = NO_WORDS;

	if (mode == TLS_MODE_IMPLICIT)
		ports = join_words(WORDS(text("TLSWITNESS_PORTS=%u", sink->port)), NO_WORDS);
	cr_assert_eq(chmod(log, 0666), 0); /* exim delivers as another user than root */
	struct program bare = mailer->program(sink, mode);
	struct program program = preloaded(&bare, log, ports);
	cr_assert_eq(run_program(&program), 0, "%s, TLS %s, %s: %s%s", mailer->name, version,
		     tls_mode_name(mode), program.out, program.err);
	json_t *entry = json_array_get(sink_entries(sink, 1), 0);
	cr_expect_str_eq(field(entry, "version"), version);
	cr_expect_eq(json_integer_value(json_object_get(entry, "messages")), 1);
	json_t *records = records_of_connections(log);
	cr_assert_eq(json_array_size(records), 1, "%s, TLS %s, %s: not one record:\n%s",
		     mailer->name, version, tls_mode_name(mode), read_file(log, NULL));
	expect_same(json_array_get(records, 0), entry, mailer);
	expect_certificate(json_array_get(records, 0), mailer);
	stop_sink(sink);
}

static void rehearse_all(const struct mailer *mailer)
{
	for (size_t i = 0; i < VERSIONS_COUNT; i++) {
		rehearse(mailer, versions[i], TLS_MODE_STARTTLS);
		rehearse(mailer, versions[i], TLS_MODE_IMPLICIT);
	}
}

Test(wire, msmtp)
{
	rehearse_all(&mailer_msmtp);
}

Test(wire, neomutt)
{
	rehearse_all(&mailer_neomutt);
}

Test(wire, exim)
{
	rehearse_all(&mailer_exim);
}

Test(wire, curl_with_gnutls)
{
	rehearse_all(&mailer_curl_gnutls);
}

Test(wire, gnutls_cli)
{
	rehearse_all(&mailer_gnutls_cli);
}

Test(wire, nullmailer)
{
	rehearse_all(&mailer_nullmailer);
}

Test(wire, emacs)
{
	rehearse_all(&mailer_emacs);
}

Test(wire, mailutils)
{
	rehearse_all(&mailer_putmail);
	rehearse_all(&mailer_mailutils);
}

/* In a thread of its own, over a transport of functions. */
Test(wire, glib)
{
	rehearse_all(&mailer_gio);
}

/* Found by name in a handle, as python-gnutls finds its functions. */
Test(wire, gnutls_by_ctypes)
{
	rehearse_all(&mailer_gnutls_ctypes);
}

/* Nobody but the wire sees NSS. */
Test(wire, curl_with_nss)
{
	if (!mailer_has_nss())
		cr_skip("this release has no curl with NSS");
	rehearse_all(&mailer_curl_nss);
}

Test(wire, java)
{
	rehearse_all(&mailer_java);
}

Test(wire, official_node_with_its_own_openssl)
{
	rehearse_all(&mailer_node_official);
}

Test(wire, debian_node_with_custom_bios)
{
	rehearse_all(&mailer_node_debian);
}

Test(wire, python_with_memory_bios)
{
	rehearse_all(&mailer_aiosmtplib);
}

Test(wire, php_curl_loaded_with_deepbind)
{
	rehearse_all(&mailer_php_curl);
}

/* The room for a certificate is large, and no number of them is too many. */
Test(wire, certificates_of_many_handshakes_at_once)
{
	const char *log = test_path("many.jsonl");
	struct program bare = {
		.argv = WORDS(program_path("hellos"), "500", "tests/unit/vectors/gnutls-1.2.txt")};
	struct program program = preloaded(&bare, log, WORDS("TLSWITNESS_SCOPE=all"));

	cr_assert_eq(run_program(&program), 0, "%s", program.err);
	const json_t *records = records_of(log, "tls-handshake");
	cr_assert_eq(json_array_size(records), 500);
	for (size_t i = 0; i < 500; i++) {
		const json_t *record = json_array_get(records, i);

		cr_assert_str_eq(field(record, "tls.version"), "1.2");
		cr_assert_neq(*field(record, "tls.server.subject"), '\0', "of the %zuth", i);
		cr_assert_neq(*field(record, "tls.server.not_after"), '\0', "of the %zuth", i);
	}
}
