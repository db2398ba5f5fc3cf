/*
 * The sink against real clients. Every other test takes the sink's log for
 * the truth, so here it is compared with what the clients themselves report,
 * and with what they were told to do.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "tests/integration/harness.h"

TestSuite(sink, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

static const struct version {
	const char *name;
	const char *s_client; /* the option that allows this version alone */
	const char *reported; /* as s_client names it */
} versions[] = {
	{"1.0", "-tls1", "TLSv1"},
	{"1.1", "-tls1_1", "TLSv1.1"},
	{"1.2", "-tls1_2", "TLSv1.2"},
	{"1.3", "-tls1_3", "TLSv1.3"},
};

#define VERSIONS_COUNT (sizeof(versions) / sizeof(versions[0]))

static const char message[] = "Subject: rehearsal\r\n\r\nsecret words of the message\r\n";

static bool is_true(const json_t *entry, const char *key)
{
	json_t *value = json_object_get(entry, key);

	cr_assert(json_is_boolean(value), "the entry has no '%s'", key);
	return json_is_true(value);
}

static json_int_t number(const json_t *entry, const char *key)
{
	json_t *value = json_object_get(entry, key);

	cr_assert(json_is_integer(value), "the entry has no '%s'", key);
	return json_integer_value(value);
}

static json_t *only_entry(const struct sink *sink)
{
	return json_array_get(sink_entries(sink, 1), 0);
}

static const char *const starttls[] = {"-starttls", "smtp", NULL};

/* openssl s_client that says `input` over TLS and stays until the server closes. */
static struct program s_client(const struct sink *sink, bool implicit, const char *const options[],
			       const char *input)
{
	struct program client = {.input = input, .env = WORDS(old_tls_allowed())};
	const char *const *argv =
		join_words(WORDS("openssl", "s_client", "-ign_eof", "-connect", sink->address),
			   implicit ? NO_WORDS : starttls);

	client.argv = join_words(argv, options);
	run_program(&client);
	return client;
}

/* curl that sends the message, with credentials. */
static int curl(const struct sink *sink, bool implicit, const char *const options[])
{
	struct program client = {.input = message, .env = WORDS(old_tls_allowed())};
	const char *url = text("%s://localhost:%u", implicit ? "smtps" : "smtp", sink->port);
	const char *const always[] = {"curl",          "--silent",        "--show-error",
				      "--ipv4",        "--url",           url,
				      "--mail-from",   "a@example.com",   "--mail-rcpt",
				      "b@example.com", "--upload-file",   "-",
				      "--user",        "user:secretword", NULL};

	client.argv = join_words(always, options);
	return run_program(&client);
}

static int curl_over_tls(const struct sink *sink, bool implicit)
{
	return curl(sink, implicit, WORDS("--ssl-reqd", "--cacert", sink->certificate));
}

static struct program swaks(const struct sink *sink, const char *const options[])
{
	struct program client = {.env = WORDS(old_tls_allowed())};
	const char *port = text("%u", sink->port);

	client.argv = join_words(WORDS("swaks", "--server", "127.0.0.1", "--port", port, "--to",
				       "b@example.com", "--from", "a@example.com"),
				 options);
	run_program(&client);
	return client;
}

/* The word after `label` and blanks in what s_client said; "" if there is none. */
static const char *reported(const struct program *client, const char *label)
{
	const char *value = strstr(client->out, label);

	if (value == NULL)
		return "";
	value += strlen(label);
	value += strspn(value, " :");
	return text("%.*s", (int)strcspn(value, " ,\r\n"), value);
}

/* In TLS 1.3 s_client describes no session until a ticket comes; so take either place. */
static const char *reported_version(const struct program *client)
{
	const char *protocol = reported(client, "    Protocol ");

	return *protocol != '\0' ? protocol : reported(client, "\nNew, ");
}

/* s_client's own report, in OpenSSL's names, against the entry's, in IANA's. */
static void expect_same_connection(const struct program *client, const json_t *entry,
				   const struct version *version)
{
	cr_expect_str_eq(reported_version(client), version->reported);
	cr_expect_str_eq(field(entry, "version"), version->name);
	/* TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 is ECDHE-ECDSA-AES256-GCM-SHA384. */
	const char *cipher = reported(client, "Cipher is ");
	struct program names = {
		.argv = WORDS("openssl", "ciphers", "-stdname", "-s", "ALL:@SECLEVEL=0")};
	run_program(&names);
	const char *line = strstr(names.out, text("%s ", field(entry, "cipher")));
	cr_assert_not_null(line, "'%s' is no IANA name", field(entry, "cipher"));
	cr_expect_eq(strncmp(strstr(line, " - ") + 3, cipher, strlen(cipher)), 0,
		     "the client has %s, the entry %s", cipher, field(entry, "cipher"));
}

static void rehearse(const struct version *version, bool implicit)
{
	const char *mode = implicit ? "implicit" : "starttls";
	struct sink *sink =
		start_sink(WORDS("--tls", version->name, implicit ? "--implicit" : NULL));

	struct program client = s_client(
		sink, implicit,
		WORDS(version->s_client, "-CAfile", sink->certificate, "-verify_return_error"),
		"EHLO client\r\nQUIT\r\n");
	cr_expect_eq(client.status, 0, "%s", client.err);
	cr_expect_eq(curl_over_tls(sink, implicit), 0);
	json_t *entries = sink_entries(sink, 2);

	json_t *first = json_array_get(entries, 0);
	expect_same_connection(&client, first, version);
	cr_expect_not(is_true(first, "mail") || is_true(first, "auth"));

	json_t *second = json_array_get(entries, 1);
	cr_expect_str_eq(field(second, "version"), version->name);
	cr_expect(is_true(second, "mail") && is_true(second, "auth"));
	cr_expect_not(is_true(second, "mail_in_clear") || is_true(second, "auth_in_clear"));
	cr_expect_eq(number(second, "messages"), 1);
	cr_expect_str_eq(field(second, "server_name"), "localhost");

	for (size_t i = 0; i < 2; i++) {
		json_t *entry = json_array_get(entries, i);
		cr_expect_str_eq(field(entry, "tls_mode"), mode);
		cr_expect(is_true(entry, "established") && is_true(entry, "ehlo"));
		cr_expect(is_true(entry, "quit"));
		cr_expect_eq(is_true(entry, "starttls_offered"), !implicit);
		cr_expect_eq(number(entry, "connection"), (json_int_t)i + 1);
		cr_expect_eq(strlen(field(entry, "client_random")), 64);
		cr_expect_str_empty(field(entry, "error"));
	}
	cr_expect_eq(stop_sink(sink), 0);
}

Test(sink, its_account_agrees_with_the_clients_for_each_version_and_mode)
{
	for (size_t i = 0; i < VERSIONS_COUNT; i++) {
		rehearse(&versions[i], false);
		rehearse(&versions[i], true);
	}
}

Test(sink, negotiates_just_the_versions_named)
{
	struct sink *sink = start_sink(WORDS("--tls=1.1..1.2", "--implicit"));

	for (size_t i = 0; i < VERSIONS_COUNT; i++) {
		bool named = i == 1 || i == 2;
		struct program client =
			s_client(sink, true, WORDS(versions[i].s_client), "QUIT\r\n");
		json_t *entry = json_array_get(sink_entries(sink, i + 1), i);

		cr_expect_eq(client.status == 0, named, "TLS %s", versions[i].name);
		cr_expect_eq(is_true(entry, "established"), named);
		cr_expect_str_eq(field(entry, "version"), named ? versions[i].name : "");
		cr_expect_str_eq(field(entry, "error"), named ? "" : "unsupported protocol");
		/* Failed connections are paired by it, too. */
		cr_expect_eq(strlen(field(entry, "client_random")), 64);
	}
}

Test(sink, openssl_cnf_changes_nothing)
{
	const char *strict = test_file("strict.cnf", "openssl_conf = openssl\n"
						     "[openssl]\n"
						     "ssl_conf = ssl\n"
						     "[ssl]\n"
						     "system_default = strict\n"
						     "[strict]\n"
						     "MinProtocol = TLSv1.3\n"
						     "CipherString = DEFAULT@SECLEVEL=4\n");
	const char *const named[] = {"1.0", "1.2"};

	for (size_t i = 0; i < 2; i++) {
		struct sink *sink = start_sink_in(WORDS("--tls", named[i]),
						  WORDS(text("OPENSSL_CONF=%s", strict)));
		cr_expect_eq(curl_over_tls(sink, false), 0, "TLS %s", named[i]);
		cr_expect_str_eq(field(only_entry(sink), "version"), named[i]);
	}
}

Test(sink, names_the_versions_that_were_offered)
{
	struct sink *sink = start_sink(WORDS("--tls=1.3", "--implicit"));

	s_client(sink, true, WORDS("-no_tls1_1", "-no_tls1"), "QUIT\r\n");
	char *offered = json_dumps(json_object_get(only_entry(sink), "offered"), JSON_COMPACT);
	cr_expect_str_eq(offered, "[\"1.2\",\"1.3\"]");
	free(offered);
}

Test(sink, a_stripped_offer_leaves_the_mail_in_the_clear)
{
	struct sink *sink = start_sink(WORDS("--strip-starttls"));

	/* Opportunistic: goes on without. */
	cr_expect_eq(curl(sink, false, WORDS("--ssl")), 0);
	json_t *entry = only_entry(sink);
	cr_expect_str_eq(field(entry, "tls_mode"), "none");
	cr_expect(is_true(entry, "auth_in_clear") && is_true(entry, "mail_in_clear"));
	cr_expect_not(is_true(entry, "starttls_offered") || is_true(entry, "starttls_asked"));
	cr_expect_not(is_true(entry, "established"));

	/* Strict: gives up (CURLE_USE_SSL_FAILED). */
	cr_expect_eq(curl_over_tls(sink, false), 64);
	entry = json_array_get(sink_entries(sink, 2), 1);
	cr_expect_not(is_true(entry, "auth") || is_true(entry, "mail"));
	/* Asking all the same is answered with 502. */
	struct program client = swaks(sink, WORDS("--quit-after", "TLS", "-tls"));
	cr_expect_neq(client.status, 0);
}

Test(sink, starttls_is_answered_with_the_code_given)
{
	struct sink *sink = start_sink(WORDS("--starttls-reply=454"));

	struct program client = swaks(sink, WORDS("-tls"));
	cr_expect_neq(client.status, 0);
	cr_expect_not_null(strstr(client.out, "454 4.7.0"), "%s", client.out);
	json_t *entry = only_entry(sink);
	cr_expect(is_true(entry, "starttls_offered") && is_true(entry, "starttls_asked"));
	cr_expect_not(is_true(entry, "mail"));

	/* Optional TLS, as swaks has it: goes on in the clear. */
	client = swaks(sink, WORDS("-tlso"));
	cr_expect_eq(client.status, 0, "%s", client.err);
	entry = json_array_get(sink_entries(sink, 2), 1);
	cr_expect_str_eq(field(entry, "tls_mode"), "none");
	cr_expect(is_true(entry, "mail_in_clear"));
	cr_expect_eq(number(entry, "messages"), 1);
}

Test(sink, a_server_without_tls)
{
	struct sink *sink = start_sink(WORDS("--tls=none"));

	struct program client = swaks(
		sink, WORDS("--auth", "LOGIN", "--auth-user", "user", "--auth-password", "p"));
	cr_expect_eq(client.status, 0, "%s", client.out);
	json_t *entry = only_entry(sink);
	cr_expect_str_eq(field(entry, "tls_mode"), "none");
	cr_expect_str_empty(field(entry, "version"));
	cr_expect(is_true(entry, "auth_in_clear") && is_true(entry, "mail_in_clear"));
}

Test(sink, tls_is_required)
{
	struct sink *sink = start_sink(WORDS("--require-tls"));

	struct program client = swaks(sink, NO_WORDS);
	cr_expect_neq(client.status, 0);
	cr_expect_not_null(strstr(client.out, "530 5.7.0"), "%s", client.out);
	/* It has left the client all the same. */
	cr_expect(is_true(only_entry(sink), "mail_in_clear"));
	cr_expect_eq(curl_over_tls(sink, false), 0);
	cr_expect(is_true(json_array_get(sink_entries(sink, 2), 1), "mail"));
}

Test(sink, auth_is_offered_when_it_was_told)
{
	struct sink *tls_only = start_sink(WORDS("--auth=tls-only"));
	struct sink *never = start_sink(WORDS("--auth=never"));
	struct program client = swaks(tls_only, WORDS("-tls", "--auth", "PLAIN", "--auth-user", "u",
						      "--auth-password", "p"));

	cr_expect_eq(client.status, 0, "%s", client.out);
	const char *offer = strstr(client.out, "AUTH PLAIN LOGIN");
	const char *tls = strstr(client.out, "TLS started");
	cr_expect(tls != NULL && offer != NULL && offer > tls, "%s", client.out);
	cr_expect(is_true(only_entry(tls_only), "auth"));
	client = swaks(never, WORDS("-tls"));
	cr_expect_null(strstr(client.out, "AUTH"), "%s", client.out);
}

Test(sink, a_cut_greeting)
{
	struct sink *clear = start_sink(WORDS("--cut=greeting"));
	struct sink *implicit = start_sink(WORDS("--cut=greeting", "--implicit"));

	cr_expect_neq(curl_over_tls(clear, false), 0);
	cr_expect_neq(curl_over_tls(implicit, true), 0);
	cr_expect_not(is_true(only_entry(clear), "ehlo"));
	cr_expect_not(is_true(only_entry(implicit), "ehlo"));
	cr_expect(is_true(only_entry(implicit), "established"));
}

static void cut_server_hello(const struct version *version, bool implicit)
{
	/* A record's header, a handshake header, version, random; the whole is longer. */
	const unsigned least = 5 + 4 + 2 + 16;
	const unsigned most = 100;
	struct sink *sink = start_sink(WORDS("--tls", version->name, "--cut=server-hello",
					     implicit ? "--implicit" : NULL));

	/* Not by a newer OpenSSL's choice, whose share of a key is longer than all else. */
	struct program client = s_client(
		sink, implicit, WORDS(version->s_client, "-groups", "X25519:P-256"), "QUIT\r\n");
	json_t *entry = only_entry(sink);
	cr_expect_neq(client.status, 0);
	cr_expect_str_eq(field(entry, "error"), "the ServerHello was cut, as told");
	cr_expect_str_eq(field(entry, "version"), version->name);
	cr_expect_not(is_true(entry, "established"));
	/* The count has the clear dialogue in it, which only the implicit mode lacks. */
	unsigned long bytes_read = number_after(client.out, "SSL handshake has read ");
	if (implicit)
		cr_expect(bytes_read >= least && bytes_read <= most, "it read %lu bytes",
			  bytes_read);
}

Test(sink, a_cut_server_hello)
{
	for (size_t i = 0; i < VERSIONS_COUNT; i++) {
		cut_server_hello(&versions[i], false);
		cut_server_hello(&versions[i], true);
	}
}

Test(sink, mixes_versions_at_random_and_says_which)
{
	enum { CONNECTIONS = 40 };
	struct sink *sink = start_sink(WORDS("--tls=1.0..1.3", "--mix", "--implicit"));
	unsigned seen = 0;

	for (size_t i = 0; i < CONNECTIONS; i++) {
		struct program client = s_client(sink, true, NO_WORDS, "QUIT\r\n");
		json_t *entry = json_array_get(sink_entries(sink, i + 1), i);

		cr_expect_str_eq(field(entry, "version"), field(entry, "given"));
		for (unsigned j = 0; j < VERSIONS_COUNT; j++) {
			if (strcmp(versions[j].name, field(entry, "version")) == 0) {
				cr_expect_str_eq(reported_version(&client), versions[j].reported);
				seen |= 1U << j;
			}
		}
	}
	/* Missing one of four in forty throws: once in 25,000 runs. So ask for two. */
	cr_expect_neq(seen & (seen - 1), 0, "40 connections, and one version");
}

Test(sink, ends_by_itself_after_many_clients_at_once)
{
	enum { CLIENTS = 50 };
	struct sink *sink = start_sink(WORDS("--tls=1.2..1.3", text("--connections=%d", CLIENTS)));
	struct program clients[CLIENTS];
	bool numbered[CLIENTS] = {false};
	const char *url = text("smtp://localhost:%u", sink->port);

	for (size_t i = 0; i < CLIENTS; i++) {
		clients[i] = (struct program){
			.argv = WORDS("curl", "--silent", "--ipv4", "--ssl-reqd", "--cacert",
				      sink->certificate, "--url", url, "--mail-from", "a@b",
				      "--mail-rcpt", "c@d", "--upload-file", "-"),
			.input = message};
		start_program(&clients[i]);
	}
	for (size_t i = 0; i < CLIENTS; i++)
		cr_expect_eq(end_program(&clients[i]), 0, "%s", clients[i].err);

	cr_expect_eq(await_sink(sink), 0);
	cr_expect_str_eq(sink->program.err, "50 connections: 50 x 1.3\n");
	json_t *entries = read_json_lines(sink->log);
	cr_assert_eq(json_array_size(entries), CLIENTS);
	for (size_t i = 0; i < CLIENTS; i++) {
		json_t *entry = json_array_get(entries, i);
		json_int_t connection = number(entry, "connection");
		cr_assert(connection >= 1 && connection <= CLIENTS && !numbered[connection - 1]);
		numbered[connection - 1] = true;
		cr_expect_eq(number(entry, "messages"), 1);
	}
}

static bool has_greeting(void *subject)
{
	const struct program *client = subject;

	return strstr(read_file(client->out_path, NULL), "220 localhost") != NULL;
}

static void stop_by(int signal_number)
{
	struct sink *sink = start_sink(WORDS("--implicit"));
	/* -ign_eof: it waits for the server. */
	struct program client = {.argv = WORDS("openssl", "s_client", "-quiet", "-ign_eof",
					       "-connect", sink->address)};

	start_program(&client);
	wait_until(has_greeting, &client, "the client is greeted");
	kill(sink->program.pid, signal_number);
	cr_expect_eq(end_program(&sink->program), 0);
	end_program(&client);
	cr_expect_str_eq(field(only_entry(sink), "error"), "the sink was stopped");
	cr_expect_str_eq(sink->program.err, "1 connection: 1 x 1.3\n");
}

Test(sink, accounts_for_open_connections_when_it_is_stopped)
{
	stop_by(SIGTERM);
	stop_by(SIGINT);
}

Test(sink, waits_before_the_greeting)
{
	struct sink *sink = start_sink(WORDS("--delay-ms=300"));

	cr_expect_eq(swaks(sink, NO_WORDS).status, 0);
	double duration = json_real_value(json_object_get(only_entry(sink), "duration_ms"));
	cr_expect_geq(duration, 300.0);
}

Test(sink, silence_ends_a_connection)
{
	struct sink *clear = start_sink(WORDS("--timeout=1"));
	struct sink *implicit = start_sink(WORDS("--timeout=1", "--implicit"));
	/* It negotiates, and says nothing. */
	struct program silent = {.argv = WORDS("openssl", "s_client", "-quiet", "-ign_eof",
					       "-connect", implicit->address)};

	run_program(&silent);
	cr_expect_str_eq(field(only_entry(implicit), "error"), "timed out");
	cr_expect(is_true(only_entry(implicit), "established"));
	/* A TLS client at the wrong port does not wait for the timeout. */
	s_client(clear, true, NO_WORDS, "QUIT\r\n");
	cr_expect_str_eq(field(only_entry(clear), "error"),
			 "TLS came where a command in the clear was due");
}

Test(sink, says_why_a_handshake_failed)
{
	struct sink *sink = start_sink(WORDS("--tls=1.2", "--implicit"));

	/* It does not know the certificate. */
	s_client(sink, true, WORDS("-verify_return_error", "-no-CAfile", "-no-CApath"), "QUIT\r\n");
	json_t *entry = only_entry(sink);
	cr_expect_not(is_true(entry, "established"));
	cr_expect_not_null(strstr(field(entry, "error"), "alert"), "%s", field(entry, "error"));
	/* What was chosen is known, although it came to nothing. */
	cr_expect_str_eq(field(entry, "version"), "1.2");
	/* SMTP where TLS was due. */
	swaks(sink, WORDS("--timeout", "1"));
	entry = json_array_get(sink_entries(sink, 2), 1);
	cr_expect_str_empty(field(entry, "version"));
	cr_expect_str_empty(field(entry, "client_random"));
}

Test(sink, no_credential_and_no_message_is_in_its_log)
{
	struct sink *sink = start_sink(WORDS("--tls=1.0..1.3"));

	cr_expect_eq(curl(sink, false, WORDS("--login-options", "AUTH=PLAIN")), 0);
	cr_expect_eq(curl(sink, false, WORDS("--login-options", "AUTH=LOGIN")), 0);
	cr_expect_eq(curl_over_tls(sink, false), 0);
	sink_entries(sink, 3);
	cr_expect_eq(stop_sink(sink), 0);
	const char *log = read_file(sink->log, NULL);
	/* Also as base64: "\0user\0secretword", and "secretword" alone. */
	const char *const secrets[] = {"secret", "AHVzZXIA", "c2VjcmV0", "rehearsal", "example"};
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		cr_expect_null(strstr(log, secrets[i]), "'%s' is in %s", secrets[i], log);
}

/* Connects twice, the second time with the session of the first, where there was one. */
static void connect_again(const char *version_option, const char *tickets, bool resumed)
{
	struct sink *sink = start_sink(WORDS("--implicit", tickets));
	const char *session = test_path(text("session%s%s", version_option, tickets));

	s_client(sink, true, WORDS(version_option, "-sess_out", session), "QUIT\r\n");
	cr_expect_not(is_true(only_entry(sink), "resumed"));
	if (!resumed) {
		cr_expect_str_empty(read_file(session, NULL), "there is a session to resume");
		return;
	}
	s_client(sink, true, WORDS(version_option, "-sess_in", session), "QUIT\r\n");
	cr_expect(is_true(json_array_get(sink_entries(sink, 2), 1), "resumed"));
}

Test(sink, sessions_are_resumed_unless_tickets_are_off)
{
	connect_again("-tls1_2", "--tickets=on", true);
	connect_again("-tls1_3", "--tickets=on", true);
	connect_again("-tls1_2", "--tickets=off", false);
	connect_again("-tls1_3", "--tickets=off", false);
}

Test(sink, its_certificate_has_the_names_it_was_given)
{
	struct sink *sink =
		start_sink(WORDS("--name=mail.example", "--name=192.0.2.1", "--implicit"));
	const char *const checks[] = {"mail.example", "localhost"};

	for (size_t i = 0; i < 2; i++) {
		struct program client =
			s_client(sink, true,
				 WORDS("-CAfile", sink->certificate, "-verify_return_error",
				       "-verify_hostname", checks[i]),
				 "QUIT\r\n");
		cr_expect_eq(client.status, 0, "%s: %s", checks[i], client.err);
	}
	struct program client = s_client(sink, true,
					 WORDS("-CAfile", sink->certificate, "-verify_return_error",
					       "-verify_ip", "192.0.2.1"),
					 "QUIT\r\n");
	cr_expect_eq(client.status, 0, "%s", client.err);
	/* A stricter library than OpenSSL. */
	struct program gnutls = {.argv = WORDS("gnutls-cli", "--x509cafile", sink->certificate,
					       "--port", text("%u", sink->port), "localhost"),
				 .input = "QUIT\r\n"};
	cr_expect_eq(run_program(&gnutls), 0, "%s", gnutls.out);
}

Test(sink, a_certificate_from_files)
{
	const char *key = test_path("key.pem");
	const char *certificate = test_path("certificate.pem");
	struct program request = {.argv = WORDS("openssl", "req", "-x509", "-newkey", "rsa:2048",
						"-nodes", "-keyout", key, "-out", certificate,
						"-subj", "/CN=rsa.example")};

	cr_assert_eq(run_program(&request), 0, "%s", request.err);
	struct sink *sink =
		start_sink(WORDS("--tls=1.0", "--implicit", "--cert", certificate, "--key", key));
	/* Clients without elliptic curves need an RSA key. */
	struct program client = s_client(sink, true,
					 WORDS("-cipher", "AES128-SHA:@SECLEVEL=0", "-CAfile",
					       sink->certificate, "-verify_return_error"),
					 "QUIT\r\n");
	cr_expect_eq(client.status, 0, "%s", client.err);
	cr_expect_str_eq(field(only_entry(sink), "cipher"), "TLS_RSA_WITH_AES_128_CBC_SHA");
}

static bool has_line(void *subject)
{
	const struct program *sink = subject;

	return strchr(read_file(sink->out_path, NULL), '\n') != NULL;
}

Test(sink, the_account_goes_to_stdout_without_a_log)
{
	struct program sink = {
		.argv = WORDS(tool_path(), "sink", "--quiet", "--address=::1", "--connections=1")};

	start_program(&sink);
	wait_until(has_line, &sink, "the sink listens");
	unsigned long port = number_after(read_file(sink.out_path, NULL), "listening on [::1]:");
	struct program client = {.argv = WORDS("curl", "--silent", "--show-error", "--insecure",
					       "--ssl-reqd", "--url",
					       text("smtp://[::1]:%lu", port), "--mail-from", "a@b",
					       "--mail-rcpt", "c@d", "--upload-file", "-"),
				 .input = message};
	cr_assert_eq(run_program(&client), 0, "%s", client.err);
	cr_expect_eq(end_program(&sink), 0);
	cr_expect_str_empty(sink.err);
	json_t *entry = json_loads(strchr(sink.out, '\n'), 0, NULL);
	cr_expect_str_eq(field(entry, "version"), "1.3");
	json_decref(entry);
}

Test(sink, an_account_that_is_lost_is_a_failure)
{
	struct sink *sink = start_sink(WORDS("--log=/dev/full"));

	swaks(sink, NO_WORDS);
	cr_expect_eq(stop_sink(sink), 1);
	cr_expect_not_null(strstr(sink->program.err, "could not be written"));
}

/* One sentence on stderr, nothing on stdout, exit status 2. */
static void expect_complaint(const char *const options[], const char *part)
{
	struct program sink = {.argv = join_words(WORDS(tool_path(), "sink"), options)};

	cr_expect_eq(run_program(&sink), 2, "%s", options[0]);
	cr_expect_str_empty(sink.out);
	const char *newline = strchr(sink.err, '\n');
	cr_expect(newline != NULL && newline[1] == '\0', "not one line: %s", sink.err);
	cr_expect_eq(strncmp(sink.err, "tlswitness: ", strlen("tlswitness: ")), 0);
	cr_expect_not_null(strstr(sink.err, part), "'%s' is not in: %s", part, sink.err);
}

Test(sink, bad_options_are_refused_with_the_remedy)
{
	expect_complaint(WORDS("--tls=1.4"), "1.0, 1.1, 1.2 or 1.3");
	expect_complaint(WORDS("--tls="), "1.0, 1.1, 1.2 or 1.3");
	expect_complaint(WORDS("--tls=1.2.."), "1.0, 1.1, 1.2 or 1.3");
	expect_complaint(WORDS("--tls=..1.2"), "1.0, 1.1, 1.2 or 1.3");
	expect_complaint(WORDS("--tls=1.20..1.3"), "1.0, 1.1, 1.2 or 1.3");
	expect_complaint(WORDS("--tls=1.3..1.0"), "--tls=1.0..1.3");
	expect_complaint(WORDS("--tls"), "--tls needs a value");
	expect_complaint(WORDS("--port=65536"), "from 0 to 65535");
	expect_complaint(WORDS("--port=-1"), "from 0 to 65535");
	expect_complaint(WORDS("--port= 1"), "from 0 to 65535");
	expect_complaint(WORDS("--connections=0"), "from 1 to");
	expect_complaint(WORDS("--timeout=1s"), "from 1 to");
	expect_complaint(WORDS("--starttls-reply=220"), "from 400 to 599");
	expect_complaint(WORDS("--auth=maybe"), "always, tls-only or never");
	expect_complaint(WORDS("--cut=cable"), "greeting or server-hello");
	expect_complaint(WORDS("--tickets=maybe"), "on or off");
	expect_complaint(WORDS("--name="), "host name");
	expect_complaint(WORDS("--name=b\xc3\xbc.example"), "xn--");
	expect_complaint(WORDS("--address=localhost"), "127.0.0.1");
	expect_complaint(WORDS("--frobnicate"), "--help");
	expect_complaint(WORDS("-x"), "--help");
	expect_complaint(WORDS("extra"), "--help");
	expect_complaint(WORDS("--log=/nowhere/log"), "--log");
	expect_complaint(WORDS("--cert=/nowhere/c", "--key=/nowhere/k"), "--cert");
	expect_complaint(WORDS("--cert-out=/nowhere/c"), "--cert-out");
}

Test(sink, contradictions_are_refused)
{
	expect_complaint(WORDS("--tls=none", "--implicit"), "not none");
	expect_complaint(WORDS("--tls=none", "--require-tls"), "not none");
	expect_complaint(WORDS("--tls=none", "--cut=server-hello"), "not none");
	expect_complaint(WORDS("--tls=none", "--name=a"), "not none");
	expect_complaint(WORDS("--implicit", "--strip-starttls"), "leave out");
	expect_complaint(WORDS("--strip-starttls", "--starttls-reply=454"), "leave out");
	expect_complaint(WORDS("--mix", "--tls=1.2"), "a range");
	expect_complaint(WORDS("--cert=c"), "both or neither");
	expect_complaint(WORDS("--cert=c", "--key=k", "--name=a"), "leave out");
}

Test(sink, a_port_in_use_is_said)
{
	struct sink *sink = start_sink(WORDS("--tls=1.2"));

	expect_complaint(WORDS(text("--port=%u", sink->port)), "--port");
}

Test(sink, help_fits_a_terminal)
{
	struct program sink = {.argv = WORDS(tool_path(), "sink", "--help")};

	cr_expect_eq(run_program(&sink), 0);
	cr_expect_str_empty(sink.err);
	for (const char *line = sink.out; *line != '\0'; line += strcspn(line, "\n") + 1)
		cr_expect_leq(strcspn(line, "\n"), 80, "%.*s", (int)strcspn(line, "\n"), line);
}
