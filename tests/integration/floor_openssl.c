/*
 * The floor under OpenSSL, against each way in which a program can limit itself
 * or get around a minimum: tests/programs/floor_client.c has them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "tests/integration/trial.h"

TestSuite(floor_openssl, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

struct attempt {
	const char *way;
	const char *mode; /* "starttls", "implicit", "hasty" or "https" */
	const char *then; /* "persist", or NULL */
};

/* Old TLS allowed, and the section that two of the ways name. */
static const char *openssl_configuration(void)
{
	return text("OPENSSL_CONF=%s", test_file("floor.cnf", "openssl_conf = openssl\n"
							      "[openssl]\n"
							      "ssl_conf = ssl\n"
							      "[ssl]\n"
							      "system_default = old_tls\n"
							      "old_tls_only = old_tls_only\n"
							      "[old_tls]\n"
							      "MinProtocol = TLSv1\n"
							      "CipherString = DEFAULT@SECLEVEL=0\n"
							      "[old_tls_only]\n"
							      "MinProtocol = TLSv1\n"
							      "MaxProtocol = TLSv1\n"));
}

static const char *client_path(void)
{
	const char *build = getenv("TLSWITNESS_BUILD");

	return text("%s/programs/floor_client", build != NULL ? build : "build");
}

static struct program client(uint16_t port, const char *certificate, const struct attempt *attempt)
{
	return (struct program){
		.argv = join_words(WORDS(client_path(), "localhost", text("%u", port),
					 attempt->mode, certificate, attempt->way, attempt->then),
				   NO_WORDS),
		.env = join_words(WORDS(openssl_configuration()), NO_WORDS),
	};
}

static struct program client_of(const struct sink *sink, const void *attempt)
{
	return client(sink->port, sink->certificate, attempt);
}

static struct trial try_way(const struct attempt *attempt, const char *const sink_options[],
			    const char *const options[])
{
	return try_program(attempt->way, client_of, attempt, sink_options, options);
}

/* The program was limited by itself, so in upgrade it is not any more. */
static const char *const limiting_ways[] = {
	"context bounds",
	"bounds",
	"context options",
	"options",
	"strict context, bounds",
	"TLSv1_client_method",
	"TLSv1_method",
	"TLSv1_1_client_method",
	"TLSv1_1_method",
	"SSL_CTX_new_ex",
	"SSL_CTX_set_ssl_version",
	"SSL_CONF_cmd on a context",
	"SSL_CONF_cmd",
	"SSL_CTX_config",
	"SSL_config",
	"freed context",
	"freed context, old method",
	"SSL_dup",
	"by hand",
	"SSL_do_handshake",
	"implicit handshake",
	"memory",
	"memory, old method",
	"chain",
	"chain, BIO_do_handshake",
};

#define LIMITING_WAYS (sizeof(limiting_ways) / sizeof(limiting_ways[0]))

/* Settings made by a callback after the last look before the handshake. */
static const char *const late_ways[] = {
	"callback",
	"options in a callback",
	"memory, callback",
	"chain, callback",
};

#define LATE_WAYS (sizeof(late_ways) / sizeof(late_ways[0]))

/* What the program prints: OpenSSL's own words. */
#define NO_VERSION "no protocols available"

static void check_limiting_ways(const char *floor)
{
	const char *option = text("--floor=%s", floor);

	for (size_t i = 0; i < LIMITING_WAYS; i++) {
		const struct attempt attempt = {limiting_ways[i], "starttls", NULL};
		const char *const *sink = WORDS("--tls=1.0..1.3");
		struct trial trial = try_way(&attempt, sink, NULL);

		expect_delivered_below(&trial, floor);
		trial = try_way(&attempt, sink, WORDS("--enforce", option));
		expect_refused(&trial, NO_VERSION);
		trial = try_way(&attempt, sink, WORDS("--upgrade", option));
		expect_delivered_at(&trial, floor);
	}
}

Test(floor_openssl, no_way_leads_below_1_2)
{
	check_limiting_ways("1.2");
}

Test(floor_openssl, no_way_leads_below_1_3)
{
	check_limiting_ways("1.3");
}

Test(floor_openssl, what_is_set_after_the_look_is_refused_all_the_same)
{
	for (size_t i = 0; i < LATE_WAYS; i++) {
		const struct attempt attempt = {late_ways[i], "starttls", NULL};
		const char *const *sink = WORDS("--tls=1.0..1.3");
		struct trial trial = try_way(&attempt, sink, NULL);

		expect_delivered_below(&trial, "1.2");
		trial = try_way(&attempt, sink, WORDS("--enforce"));
		/* Where the program itself moves the bytes, its send() fails. */
		expect_refused(&trial, "unsupported protocol|no error in the queue");
		/* The answer was known, and nothing more has left: not even the handshake's end. */
		cr_expect_not(json_is_true(
			json_object_get(json_array_get(trial.entries, 0), "established")));
		trial = try_way(&attempt, sink, WORDS("--upgrade"));
		expect_refused(&trial, "unsupported protocol|no error in the queue");
	}
}

/* The server has nothing better, so upgrade can't help. */
static void check_server_limit(const char *way, const char *tls, const char *floor)
{
	const struct attempt attempt = {way, "starttls", NULL};
	const char *const *sink = join_words(WORDS(text("--tls=%s", tls)), NO_WORDS);
	const char *option = text("--floor=%s", floor);
	struct trial trial = try_way(&attempt, sink, NULL);

	expect_delivered_below(&trial, floor);
	trial = try_way(&attempt, sink, WORDS("--enforce", option));
	expect_refused(&trial, "protocol version");
	trial = try_way(&attempt, sink, WORDS("--upgrade", option));
	expect_refused(&trial, "protocol version");
}

Test(floor_openssl, an_old_server_is_refused)
{
	static const char *const ways[] = {"nothing", "in steps", "nothing, memory"};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		check_server_limit(ways[i], "1.0", "1.2");
		check_server_limit(ways[i], "1.2", "1.3");
	}
}

Test(floor_openssl, another_context_does_not_bring_back_an_old_method)
{
	const struct attempt attempt = {"SSL_set_SSL_CTX", "starttls", NULL};
	struct trial trial = try_way(&attempt, WORDS("--tls=1.0..1.3"), NULL);

	/* OpenSSL 3.5 no longer takes the method over: there is nothing to bring back. */
	if (is_lower(field(json_array_get(trial.entries, 0), "version"), "1.2"))
		expect_delivered_below(&trial, "1.2");
	trial = try_way(&attempt, WORDS("--tls=1.0..1.3"), WORDS("--enforce"));
	expect_nothing_below(&trial, "1.2");
	trial = try_way(&attempt, WORDS("--tls=1.0"), WORDS("--enforce"));
	expect_refused(&trial, "protocol version");
}

static const char *verdict_of(const struct trial *trial)
{
	cr_assert_eq(json_array_size(trial->records), 1, "%zu records",
		     json_array_size(trial->records));
	return field(json_array_get(trial->records, 0), "tlswitness.verdict");
}

static const char *text_of(const struct trial *trial, const char *key)
{
	return field(json_array_get(trial->entries, 0), key);
}

/* The last line that the client prints: version, minimum and maximum. */
static void expect_same_settings(const char *way)
{
	const struct attempt attempt = {way, "starttls", NULL};
	struct trial bare = try_way(&attempt, WORDS("--tls=1.0..1.3"), NULL);
	struct trial enforced = try_way(&attempt, WORDS("--tls=1.0..1.3"), WORDS("--enforce"));
	struct trial upgraded = try_way(&attempt, WORDS("--tls=1.0..1.3"), WORDS("--upgrade"));

	cr_expect_eq(bare.program.status, 0, "%s", bare.program.out);
	cr_expect_str_eq(enforced.program.out, bare.program.out);
	cr_expect_str_eq(upgraded.program.out, bare.program.out);
	cr_expect_str_eq(verdict_of(&enforced), "ok");
}

Test(floor_openssl, a_range_at_the_floor_or_above_is_left_alone)
{
	expect_same_settings("stricter");
	expect_same_settings("1.2 only");
}

/* Its own minimum is 1.3: what it refuses by itself is no refusal of ours. */
Test(floor_openssl, what_the_application_refuses_by_itself_is_its_own_failure)
{
	const struct attempt attempt = {"stricter", "starttls", NULL};
	struct trial bare = try_way(&attempt, WORDS("--tls=1.2"), NULL);
	struct trial enforced = try_way(&attempt, WORDS("--tls=1.2"), WORDS("--enforce"));

	cr_expect_eq(bare.program.status, 1);
	cr_expect_eq(enforced.program.status, 1);
	cr_expect_str_eq(enforced.program.out, bare.program.out);
	cr_expect_str_eq(verdict_of(&enforced), "failed");
}

Test(floor_openssl, a_server_without_tls_is_no_refusal)
{
	const struct attempt attempt = {"nothing", "implicit", NULL};
	struct trial trial =
		try_way(&attempt, WORDS("--tls=1.0"), WORDS("--enforce", "--ports=PORT"));

	cr_expect_eq(trial.program.status, 1);
	cr_expect_str_eq(verdict_of(&trial), "failed", "%s", trial.program.out);
}

Test(floor_openssl, upgrade_keeps_the_cipher_list)
{
	const struct attempt attempt = {"old cipher", "starttls", NULL};
	struct trial trial = try_way(&attempt, WORDS("--tls=1.0..1.2"), WORDS("--upgrade"));

	expect_delivered_at(&trial, "1.2");
	cr_expect_str_eq(text_of(&trial, "version"), "1.2");
	cr_expect_str_eq(text_of(&trial, "cipher"), "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA");
}

Test(floor_openssl, upgrade_keeps_the_check_of_the_certificate)
{
	const struct attempt attempt = {"no authority", "starttls", NULL};
	struct trial trial = try_way(&attempt, WORDS("--tls=1.0..1.3"), WORDS("--upgrade"));

	cr_expect_eq(trial.program.status, 1);
	cr_expect_not_null(strstr(trial.program.out, "certificate verify failed"), "%s",
			   trial.program.out);
	cr_expect_str_eq(verdict_of(&trial), "failed");
}

/* Whatever it calls after the refusal fails, and has a reason in the queue once. */
static void check_persistence(const char *way, const char *tls)
{
	const struct attempt attempt = {way, "starttls", "persist"};
	const char *const *sink = join_words(WORDS(text("--tls=%s", tls)), NO_WORDS);
	struct trial trial = try_way(&attempt, sink, WORDS("--enforce"));

	expect_nothing_below(&trial, "1.2");
	expect_refused(&trial, "SSL_get_error 1, ");
	cr_expect_not_null(strstr(trial.program.out, "\n1 errors\n"), "%s: %s", way,
			   trial.program.out);
	cr_expect_not_null(strstr(trial.program.out, "16 calls failed"), "%s: %s", way,
			   trial.program.out);
}

Test(floor_openssl, after_a_refusal_nothing_works)
{
	check_persistence("bounds", "1.0..1.3");
	check_persistence("TLSv1_client_method", "1.0..1.3");
	check_persistence("callback", "1.0..1.3");
	check_persistence("nothing", "1.0");
	check_persistence("in steps", "1.0");
}

/* ---- a port that says nothing ---- */

static void check_unusual_port(const char *way, const char *mode)
{
	const struct attempt attempt = {way, mode, NULL};
	const char *const *sink = WORDS("--tls=1.0", "--implicit");
	struct trial trial = try_way(&attempt, sink, NULL);

	expect_delivered_below(&trial, "1.2");
	trial = try_way(&attempt, sink, WORDS("--enforce"));
	expect_refused(&trial, "unsupported protocol");
	/* Not one byte of the application's. */
	cr_expect_not(json_is_true(json_object_get(json_array_get(trial.entries, 0), "ehlo")));
	cr_expect_str_eq(text_of(&trial, "version"), "1.0");
	trial = try_way(&attempt, WORDS("--tls=1.2", "--implicit"), WORDS("--enforce"));
	cr_expect_eq(trial.program.status, 0, "%s: %s", way, trial.program.out);
	trial = try_way(&attempt, WORDS("--tls=1.2", "--implicit"),
			WORDS("--enforce", "--floor=1.3"));
	expect_refused(&trial, "unsupported protocol");
}

Test(floor_openssl, mail_on_an_unusual_port_is_refused_before_its_first_byte)
{
	static const char *const ways[] = {"nothing", "nothing, memory", "nothing, implicit",
					   "nothing, chain"};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		check_unusual_port(ways[i], "implicit");
	/* The client's own write drives the handshake, and would go out with it. */
	check_unusual_port("nothing, implicit", "hasty");
	check_unusual_port("nothing, chain", "hasty");
}

/* ---- out of scope ---- */

struct web_server {
	struct program program;
	uint16_t port;
};

static bool listens(void *subject)
{
	const struct program *program = subject;
	const char *out = read_file(program->out_path, NULL);
	const char *line = strstr(out, "ACCEPT ");

	return line != NULL && strchr(line, '\n') != NULL;
}

static struct web_server start_web_server(const char *certificate, const char *key)
{
	struct web_server server = {
		.program = {.argv = join_words(WORDS("openssl", "s_server", "-accept",
						     "127.0.0.1:0", "-www", "-cert", certificate,
						     "-key", key, "-cipher", "DEFAULT@SECLEVEL=0"),
					       NO_WORDS),
			    .env = join_words(WORDS(openssl_configuration()), NO_WORDS)}};

	start_program(&server.program);
	wait_until(listens, &server.program, "s_server listens");
	server.port = (uint16_t)number_after(read_file(server.program.out_path, NULL),
					     "ACCEPT 127.0.0.1:");
	return server;
}

/* The same version, and the same bounds: as if we were not there. */
static void expect_untouched(const struct web_server *server, const char *certificate,
			     const char *way)
{
	static const char *const modes[] = {"--enforce", "--upgrade"};
	const struct attempt attempt = {way, "https", NULL};
	const char *log = test_path("https.log");
	struct program bare = client(server->port, certificate, &attempt);
	struct program program = bare;
	size_t version;

	run_program(&program);
	cr_expect_eq(program.status, 0, "%s: %s", way, program.out);
	version = strcspn(program.out, ",");
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		struct program under = tried(&bare, log, WORDS(modes[i]));

		cr_expect_eq(run_program(&under), 0, "%s %s: %s", way, modes[i], under.out);
		cr_expect_eq(strncmp(under.out, program.out, version + 1), 0, "%s %s: %s and %s",
			     way, modes[i], under.out, program.out);
	}
	cr_expect_str_empty(read_file(log, NULL));
}

Test(floor_openssl, what_is_no_mail_is_left_as_it_was)
{
	const char *key = test_path("key.pem");
	const char *certificate = test_path("certificate.pem");
	struct program request = {.argv = WORDS("openssl", "req", "-x509", "-newkey", "rsa:2048",
						"-nodes", "-keyout", key, "-out", certificate,
						"-subj", "/CN=localhost")};

	cr_assert_eq(run_program(&request), 0, "%s", request.err);
	struct web_server server = start_web_server(certificate, key);
	for (size_t i = 0; i < LIMITING_WAYS; i++) {
		if (strncmp(limiting_ways[i], "chain", strlen("chain")) != 0)
			expect_untouched(&server, certificate, limiting_ways[i]);
	}
	expect_untouched(&server, certificate, "nothing");
	expect_untouched(&server, certificate, "callback");
}
