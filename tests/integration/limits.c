/*
 * Who is the reason for an old version, and how far each end could have gone.
 */
#include <string.h>

#include <criterion/criterion.h>

#include "tests/integration/records.h"
#include "tests/integration/senders.h"

TestSuite(limits, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

struct limit {
	const char *server; /* --tls */
	const char *client; /* s_client's option; msmtp's priorities, if it begins with NORMAL */
	const char *version;
	const char *limited_by;
	const char *server_supports;
	const char *verdict;
	const char *lowest; /* of what was offered */
	const char *highest;
};

/* By OpenSSL, which both witnesses see, and by GnuTLS, which the wire alone does. */
static const struct limit limits[] = {
	{"1.0..1.3", "-tls1_3", "1.3", "none", "", "ok", "1.3", "1.3"},
	{"1.0..1.3", "-tls1_2", "1.2", "client", "1.3", "ok", "1.2", "1.2"},
	{"1.0..1.3", "-tls1_1", "1.1", "client", "1.2", "below-floor", "1.1", "1.1"},
	{"1.0..1.3", "-tls1", "1.0", "client", "1.2", "below-floor", "1.0", "1.0"},
	{"1.0..1.3", "-no_tls1_3", "1.2", "client", "1.3", "at-risk", "1.2", "1.2"},
	{"1.0..1.2", "-no_ssl3", "1.2", "server", "", "at-risk", "1.0", "1.3"},
	{"1.0", "-no_ssl3", "1.0", "server", "", "below-floor", "1.0", "1.3"},
	{"1.2", "-no_ssl3", "1.2", "server", "", "at-risk", "1.0", "1.3"},
	{"1.0..1.3", "NORMAL", "1.3", "none", "", "at-risk", "1.0", "1.3"},
	{"1.0..1.3", "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2", "1.3", "none", "", "ok", "1.2",
	 "1.3"},
	{"1.0..1.3", "NORMAL:-VERS-TLS1.3", "1.2", "client", "1.3", "at-risk", "1.2", "1.2"},
	{"1.0..1.3", "NORMAL:-VERS-ALL:+VERS-TLS1.1", "1.1", "client", "1.2", "below-floor", "1.1",
	 "1.1"},
	{"1.1", "NORMAL", "1.1", "server", "", "below-floor", "1.0", "1.3"},
};

static struct program client_of(const struct limit *limit, const struct sink *sink)
{
	if (strncmp(limit->client, "NORMAL", strlen("NORMAL")) == 0)
		return (struct program){
			.argv = join_words(WORDS("msmtp", "--file=/dev/null", "--host=localhost",
						 text("--port=%u", sink->port),
						 "--from=a@example.com", "--tls=on",
						 "--tls-starttls=on",
						 text("--tls-trust-file=%s", sink->certificate),
						 text("--tls-priorities=%s", limit->client)),
					   WORDS("b@example.com")),
			.input = "Subject: rehearsal\n\nhello\n"};
	return (struct program){
		.argv = join_words(WORDS("openssl", "s_client", "-quiet", "-connect", sink->address,
					 "-starttls", "smtp"),
				   WORDS(limit->client)),
		.env = join_words(WORDS(old_tls_allowed()), NO_WORDS),
		.input = "QUIT\r\n"};
}

static void rehearse(const struct limit *limit, const char *log)
{
	struct sink *sink = start_sink(WORDS("--tls", limit->server));
	struct program bare = client_of(limit, sink);
	struct program client = preloaded(&bare, log, NO_WORDS);
	const char *what = text("server %s, client %s", limit->server, limit->client);

	cr_expect_eq(run_program(&client), 0, "%s: %s", what, client.err);
	const json_t *record = only_handshake(log);
	const json_t *offered = json_object_get(record, "tlswitness.offered");
	const struct {
		const char *key;
		const char *value;
	} texts[] = {
		{"tls.version", limit->version},
		{"tlswitness.limited_by", limit->limited_by},
		{"tlswitness.server_supports", limit->server_supports},
		{"tlswitness.verdict", limit->verdict},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		cr_expect_str_eq(field(record, texts[i].key), texts[i].value, "%s: %s is '%s'",
				 what, texts[i].key, field(record, texts[i].key));
	cr_assert_gt(json_array_size(offered), 0, "%s", what);
	cr_expect_str_eq(json_string_value(json_array_get(offered, 0)), limit->lowest, "%s", what);
	cr_expect_str_eq(json_string_value(json_array_get(offered, json_array_size(offered) - 1)),
			 limit->highest, "%s", what);
	stop_sink(sink);
}

Test(limits, each_end_is_named_when_it_is_the_reason)
{
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		rehearse(&limits[i], test_path(text("%zu.jsonl", i)));
}
