/*
 * Real mail in, true records out: unmodified programs under `tlswitness run`,
 * and each record held against the sink's own entry of the same connection.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "tests/integration/records.h"
#include "tests/integration/senders.h"

TestSuite(recording, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

static const char *const versions[] = {"1.0", "1.1", "1.2", "1.3"};

#define VERSIONS_COUNT (sizeof(versions) / sizeof(versions[0]))

/* The password, as base64 in AUTH PLAIN and LOGIN too, the addresses and the message. */
static const char *const secrets[] = {"secretword",  "AHVzZXIAc2VjcmV0", "c2VjcmV0d29yZA",
				      "example.com", "rehearsal",        "hello"};

static void expect_no_secret(const char *log)
{
	const char *lines = read_file(log, NULL);

	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		cr_expect_null(strstr(lines, secrets[i]), "'%s' is in %s", secrets[i], lines);
}

static void expect_of_every_sender(const json_t *record, const struct sink *sink, const char *what)
{
	cr_expect_eq(number_field(record, "destination.port"), sink->port, "%s", what);
	cr_expect_str_eq(field(record, "destination.ip"), "127.0.0.1", "%s", what);
	cr_expect_str_eq(field(record, "source.ip"), "127.0.0.1", "%s", what);
	cr_expect_str_eq(field(record, "network.protocol"), "smtp", "%s", what);
	cr_expect_str_eq(field(record, "event.outcome"), "success", "%s", what);
	cr_expect_str_eq(field(record, "service.name"), "matrix", "%s", what);
	cr_expect(array_holds(record, "tlswitness.witness", "wire"), "%s", what);
	cr_expect_gt(number_field(record, "event.duration"), 0, "%s", what);
	cr_expect_neq(*field(record, "tlswitness.verdict"), '\0', "%s", what);
}

/* Said for whoever runs this on other systems: tests/releases adds it up. */
static void say_count(size_t right, const char *version, enum tls_mode mode)
{
	(void)fprintf(stderr, "matrix: %zu of %zu senders right, TLS %s, %s\n", right,
		      senders_count, version, tls_mode_name(mode));
}

/* Each sender in turn to a sink of its own mode and version: one record each, and a true one. */
static void deliver(const char *version, enum tls_mode mode, bool port_is_known)
{
	size_t right = 0;
	struct sink *sink =
		start_sink(mode == TLS_MODE_IMPLICIT ? WORDS("--tls", version, "--implicit")
						     : WORDS("--tls", version));
	const char *const *env = port_is_known ? WORDS("TLSWITNESS_SERVICE=matrix",
						       text("TLSWITNESS_PORTS=%u", sink->port))
					       : WORDS("TLSWITNESS_SERVICE=matrix");

	for (size_t i = 0; i < senders_count; i++) {
		const char *what = text("%s, TLS %s, %s%s", senders[i].name, version,
					tls_mode_name(mode), port_is_known ? ", port known" : "");
		const char *log = test_path(text("log%u-%zu.jsonl", sink->port, i));
		struct program bare = sender_program(&senders[i], sink, mode, NO_WORDS);
		struct program program = preloaded(&bare, log, env);

		cr_expect_eq(run_program(&program), 0, "%s: %s%s", what, program.out, program.err);
		const json_t *entry = json_array_get(sink_entries(sink, i + 1), i);
		const json_t *record = only_handshake(log);
		expect_equal_to_entry(record, entry, what);
		expect_of_every_sender(record, sink, what);
		expect_no_secret(log);
		right += strcmp(field(entry, "version"), version) == 0 &&
			 strcmp(field(record, "tls.version"), version) == 0;
	}
	say_count(right, version, mode);
	stop_sink(sink);
}

Test(recording, of_each_sender_by_starttls)
{
	for (size_t i = 0; i < VERSIONS_COUNT; i++)
		deliver(versions[i], TLS_MODE_STARTTLS, false);
}

/* On a port that is nobody's: the first bytes inside say that it is mail. */
Test(recording, of_each_sender_with_tls_from_the_first_byte)
{
	for (size_t i = 0; i < VERSIONS_COUNT; i++)
		deliver(versions[i], TLS_MODE_IMPLICIT, false);
}

Test(recording, of_each_sender_with_tls_from_the_first_byte_on_a_mail_port)
{
	for (size_t i = 0; i < VERSIONS_COUNT; i++)
		deliver(versions[i], TLS_MODE_IMPLICIT, true);
}

/* ---- openssl s_client, told exactly what to do ---- */

/* It says QUIT over TLS, and stays until the server closes. */
static struct program s_client(const char *address, const char *log, const char *const options[],
			       const char *const env[])
{
	struct program bare = {
		.argv = join_words(WORDS("openssl", "s_client", "-ign_eof", "-connect", address),
				   options),
		.env = WORDS(old_tls_allowed()),
		.input = "QUIT\r\n",
	};
	struct program program = preloaded(&bare, log, env);

	run_program(&program);
	return program;
}

static const json_t *only_entry(const struct sink *sink)
{
	return json_array_get(sink_entries(sink, 1), 0);
}

static const char *mail_port(const struct sink *sink)
{
	return text("TLSWITNESS_PORTS=%u", sink->port);
}

static void expect_failure(const json_t *record, const char *reason_begins)
{
	cr_expect_str_eq(field(record, "event.outcome"), "failure");
	cr_expect_str_eq(field(record, "tlswitness.verdict"), "failed");
	cr_expect(json_is_false(json_object_get(record, "tls.established")));
	cr_expect_eq(strncmp(field(record, "event.reason"), reason_begins, strlen(reason_begins)),
		     0, "the reason is '%s'", field(record, "event.reason"));
}

Test(recording, of_a_certificate_that_is_not_trusted)
{
	struct sink *sink = start_sink(WORDS("--implicit"));
	const char *log = test_path("log.jsonl");

	s_client(sink->address, log, WORDS("-verify_return_error", "-no-CAfile", "-no-CApath"),
		 WORDS(mail_port(sink)));
	const json_t *record = only_handshake(log);
	expect_equal_to_entry(record, only_entry(sink), "not trusted");
	expect_failure(record, "certificate-not-trusted (");
	cr_expect_str_eq(field(record, "tlswitness.peer_certificate"), "failed");
}

Test(recording, of_a_certificate_for_another_name)
{
	struct sink *sink = start_sink(WORDS("--implicit"));
	const char *log = test_path("log.jsonl");

	s_client(sink->address, log,
		 WORDS("-verify_return_error", "-CAfile", sink->certificate, "-verify_hostname",
		       "mail.example"),
		 WORDS(mail_port(sink)));
	const json_t *record = only_handshake(log);
	expect_failure(record, "certificate-host-mismatch (");
	cr_expect_str_eq(field(record, "tlswitness.peer_certificate"), "failed");
}

/* The server has nothing that the client takes, and says so by an alert. */
Test(recording, of_a_server_that_is_too_old)
{
	struct sink *sink = start_sink(WORDS("--implicit", "--tls=1.0"));
	const char *log = test_path("log.jsonl");

	s_client(sink->address, log, WORDS("-min_protocol", "TLSv1.2"), WORDS(mail_port(sink)));
	const json_t *record = only_handshake(log);
	expect_equal_to_entry(record, only_entry(sink), "too old");
	expect_failure(record, "tlsv1 alert protocol version");
}

/* Its first and only bytes are an alert: there is no ClientHello to know it by. */
Test(recording, of_a_client_that_has_nothing_to_offer)
{
	struct sink *sink = start_sink(WORDS("--implicit", "--tls=1.2"));
	const char *log = test_path("log.jsonl");

	/* Without a key to share, these ciphers are none. */
	s_client(sink->address, log, WORDS("-cipher", "PSK", "-tls1_2"), WORDS(mail_port(sink)));
	const json_t *record = only_handshake(log);
	expect_equal_to_entry(record, only_entry(sink), "no ciphers");
	expect_failure(record, "no ciphers available");
}

Test(recording, of_a_server_that_hangs_up_in_its_hello)
{
	struct sink *sink = start_sink(WORDS("--implicit", "--cut=server-hello"));
	const char *log = test_path("log.jsonl");

	s_client(sink->address, log, NO_WORDS, WORDS(mail_port(sink)));
	const json_t *record = only_handshake(log);
	expect_equal_to_entry(record, only_entry(sink), "cut");
	expect_failure(record, "");
	cr_expect_neq(*field(record, "event.reason"), '\0');
}

static void expect_peer_certificate(const char *const options[], const char *expected)
{
	struct sink *sink = start_sink(WORDS("--implicit"));
	const char *log = test_path(text("log%u.jsonl", sink->port));

	s_client(sink->address, log, join_words(WORDS("-CAfile", sink->certificate), options),
		 WORDS(mail_port(sink)));
	cr_expect_str_eq(field(only_handshake(log), "tlswitness.peer_certificate"), expected);
}

/* Encrypted, but to whom? Only the first of these knows. */
Test(recording, of_how_the_certificate_was_checked)
{
	expect_peer_certificate(
		WORDS("-verify", "2", "-verify_return_error", "-verify_hostname", "localhost"),
		"verified");
	expect_peer_certificate(
		WORDS("-verify", "2", "-verify_return_error", "-verify_ip", "127.0.0.1"),
		"verified");
	expect_peer_certificate(WORDS("-verify", "2", "-verify_return_error"), "chain-only");
	/* s_client goes on in spite of what it finds. */
	expect_peer_certificate(WORDS("-verify", "2", "-verify_hostname", "mail.example"),
				"unchecked");
}

static void resume(const char *version_option)
{
	struct sink *sink = start_sink(WORDS("--implicit"));
	const char *log = test_path(text("log%u.jsonl", sink->port));
	const char *session = test_path(text("session%u", sink->port));

	s_client(sink->address, log, WORDS(version_option, "-sess_out", session),
		 WORDS(mail_port(sink)));
	s_client(sink->address, log, WORDS(version_option, "-sess_in", session),
		 WORDS(mail_port(sink)));
	const json_t *entries = sink_entries(sink, 2);
	cr_assert(json_is_true(json_object_get(json_array_get(entries, 1), "resumed")));
	expect_one_record_each(records_of(log, "tls-handshake"), entries, version_option);
}

Test(recording, of_a_resumed_session)
{
	resume("-tls1_2");
	resume("-tls1_3");
}

/* ---- what is not to be recorded ---- */

static bool accepts(void *subject)
{
	const struct program *server = subject;

	return strstr(read_file(server->out_path, NULL), "ACCEPT 127.0.0.1:") != NULL;
}

/* openssl s_server, with or without the recorder in it, and the port that it took. */
static unsigned start_server(struct program *server, const char *const options[], const char *log)
{
	const struct sink *keys = start_sink(NO_WORDS);
	struct program request = {.argv = WORDS("openssl", "req", "-x509", "-newkey", "rsa:2048",
						"-nodes", "-keyout", test_path("key.pem"), "-out",
						test_path("cert.pem"), "-subj", "/CN=localhost")};
	struct program bare = {
		.argv = join_words(WORDS("openssl", "s_server", "-accept", "127.0.0.1:0", "-cert",
					 test_path("cert.pem"), "-key", test_path("key.pem")),
				   options)};

	(void)keys;
	cr_assert_eq(run_program(&request), 0, "%s", request.err);
	*server = log != NULL ? preloaded(&bare, log, WORDS("TLSWITNESS_SCOPE=all")) : bare;
	start_program(server);
	wait_until(accepts, server, "s_server listens");
	return (unsigned)number_after(read_file(server->out_path, NULL), "ACCEPT 127.0.0.1:");
}

Test(recording, of_no_handshake_on_the_server_side)
{
	const char *log = test_path("log.jsonl");
	struct program server;
	unsigned port = start_server(&server, WORDS("-naccept", "2", "-rev"), log);
	const char *address = text("127.0.0.1:%u", port);

	for (int i = 0; i < 2; i++) {
		struct program client = {.argv = WORDS("openssl", "s_client", "-connect", address),
					 .input = "Q\n"};

		cr_expect_eq(run_program(&client), 0, "%s", client.err);
	}
	end_program(&server);
	cr_expect_str_empty(read_file(log, NULL), "%s", read_file(log, NULL));
}

Test(recording, of_what_is_no_mail_in_scope_all_only)
{
	const char *smtp_log = test_path("smtp.jsonl");
	const char *all_log = test_path("all.jsonl");
	struct program server;
	unsigned port = start_server(&server, WORDS("-naccept", "2", "-www"), NULL);
	struct program bare = {.argv = WORDS("curl", "--silent", "--show-error", "--insecure",
					     "--output", "/dev/null",
					     text("https://localhost:%u/", port))};
	struct program in_smtp = preloaded(&bare, smtp_log, NO_WORDS);
	struct program in_all = preloaded(&bare, all_log, WORDS("TLSWITNESS_SCOPE=all"));

	cr_expect_eq(run_program(&in_smtp), 0, "%s", in_smtp.err);
	cr_expect_eq(run_program(&in_all), 0, "%s", in_all.err);
	cr_expect_str_empty(read_file(smtp_log, NULL), "%s", read_file(smtp_log, NULL));
	const json_t *record = only_handshake(all_log);
	cr_expect_str_eq(field(record, "tls.version"), "1.3");
	cr_expect_eq(number_field(record, "destination.port"), port);
	cr_expect_null(json_object_get(record, "network.protocol"));
	cr_expect_str_eq(field(record, "tls.client.server_name"), "localhost");
}

/* ---- however it is driven ---- */

/* tests/programs/handshakes.c, against one sink and into one log. */
static void drive(const char *how, unsigned threads, unsigned count, unsigned processes)
{
	struct sink *sink = start_sink(WORDS("--implicit", "--tls=1.2..1.3", "--mix"));
	const char *log = test_path(text("log%u.jsonl", sink->port));
	const size_t connections = (size_t)threads * count * processes;
	struct program bare = {.argv = WORDS(program_path("handshakes"), text("%u", sink->port),
					     how, text("%u", threads), text("%u", count),
					     text("%u", processes))};
	struct program program = preloaded(&bare, log, WORDS(mail_port(sink)));

	cr_expect_eq(run_program(&program), 0, "%s: %s", how, program.err);
	cr_expect_str_empty(program.err);
	expect_one_record_each(records_of(log, "tls-handshake"), sink_entries(sink, connections),
			       how);
	cr_expect_eq(json_array_size(read_json_lines(log)), connections, "%s", how);
	stop_sink(sink);
}

Test(recording, of_two_threads_with_a_thousand_handshakes_each)
{
	drive("SSL_connect", 2, 1000, 1);
}

Test(recording, of_fifty_processes_into_one_log)
{
	drive("SSL_do_handshake", 2, 5, 50);
}

Test(recording, of_each_way_to_drive_a_handshake)
{
	static const char *const ways[] = {
		"SSL_connect", "SSL_do_handshake", "SSL_read",     "SSL_read_ex",      "SSL_peek",
		"SSL_peek_ex", "SSL_write",        "SSL_write_ex", "BIO_do_handshake", "BIO_read",
		"BIO_read_ex", "BIO_write",        "BIO_write_ex", "BIO_puts",         "memory"};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		drive(ways[i], 2, 5, 1);
}

/* Where it fails the library's own reason is in the record, whatever the call returns then. */
Test(recording, of_a_failure_in_each_way_to_drive_a_handshake)
{
	static const char *const ways[] = {"SSL_connect", "SSL_read",  "SSL_read_ex",
					   "SSL_peek_ex", "SSL_write", "SSL_write_ex",
					   "BIO_read_ex"};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct sink *sink = start_sink(WORDS("--implicit", "--tls=1.0"));
		const char *log = test_path(text("log%zu.jsonl", i));
		struct program bare = {.argv = WORDS(program_path("handshakes"),
						     text("%u", sink->port), ways[i], "1", "1",
						     "1")};
		struct program program = preloaded(&bare, log, WORDS(mail_port(sink)));

		cr_expect_neq(run_program(&program), 0, "%s", ways[i]);
		const json_t *record = only_handshake(log);
		expect_failure(record, "");
		cr_expect_null(strstr(field(record, "event.reason"), "alert from "), "%s: %s",
			       ways[i], field(record, "event.reason"));
		cr_expect_neq(*field(record, "event.reason"), '\0', "%s", ways[i]);
	}
}

/* tests/programs/odd.c: `count` connections, each with one record. */
static const json_t *go_odd_way(const char *how, size_t count)
{
	struct sink *sink = start_sink(WORDS("--implicit"));
	const char *log = test_path(text("%s.jsonl", how));
	struct program bare = {.argv = WORDS(program_path("odd"), how, text("%u", sink->port))};
	struct program program = preloaded(&bare, log, WORDS(mail_port(sink)));

	cr_expect_eq(run_program(&program), 0, "%s: %s", how, program.err);
	const json_t *records = records_of(log, "tls-handshake");
	expect_one_record_each(records, sink_entries(sink, count), how);
	cr_assert_eq(json_array_size(records), count, "%s: %s", how, read_file(log, NULL));
	return records;
}

Test(recording, of_handshakes_among_parents_and_children)
{
	go_odd_way("fork", 1);
	go_odd_way("fork-parent", 1);
	go_odd_way("vfork", 1);
	go_odd_way("vfork-first", 2);
}

/* "OpenSSL 3.0.19", without the date that stands behind it. */
Test(recording, of_the_librarys_name_and_version)
{
	struct program version = {.argv = WORDS("openssl", "version")};
	const json_t *record = json_array_get(go_odd_way("dup", 1), 0);
	const char *library = field(record, "tlswitness.library");

	cr_assert_eq(run_program(&version), 0);
	cr_expect_gt(strlen(library), strlen("OpenSSL "));
	cr_expect_eq(strncmp(version.out, text("%s ", library), strlen(library) + 1), 0,
		     "\"%s\" of %s", library, version.out);
}

Test(recording, of_sockets_with_other_names)
{
	go_odd_way("twice", 2);
	go_odd_way("dup", 1);
}

static void expect_abandoned(const json_t *record, const struct program *program)
{
	expect_failure(record, "the client ");
	cr_expect_eq(number_field(record, "source.port"), strtol(program->out, NULL, 10));
	cr_expect_null(json_object_get(record, "tls.version"));
}

/* To a server that never answers. */
Test(recording, of_handshakes_that_were_abandoned)
{
	static const char *const ways[] = {"free", "close-free", "exit"};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		const char *log = test_path(text("%s.jsonl", ways[i]));
		struct program bare = {.argv = WORDS(program_path("odd"), ways[i], "0")};
		struct program program = preloaded(&bare, log, WORDS("TLSWITNESS_SCOPE=all"));

		cr_expect_eq(run_program(&program), 0, "%s: %s", ways[i], program.err);
		expect_abandoned(only_handshake(log), &program);
	}
}

Test(recording, of_an_object_that_was_cleared_in_the_middle)
{
	struct sink *sink = start_sink(WORDS("--implicit"));
	const char *log = test_path("log.jsonl");
	struct program bare = {.argv = WORDS(program_path("odd"), "clear", text("%u", sink->port))};
	struct program program = preloaded(&bare, log, WORDS("TLSWITNESS_SCOPE=all"));

	cr_expect_eq(run_program(&program), 0, "%s", program.err);
	const json_t *records = records_of(log, "tls-handshake");
	cr_assert_eq(json_array_size(records), 2, "%s", read_file(log, NULL));
	expect_abandoned(json_array_get(records, 0), &program);
	expect_equal_to_entry(json_array_get(records, 1), only_entry(sink), "cleared");
}
