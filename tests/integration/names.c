/*
 * Names that an application compares by itself, or has OpenSSL compare: each
 * way there is, and what the record says of it. (GnuTLS's ways are in gnutls.c.)
 */
#include <string.h>

#include <criterion/criterion.h>

#include "tests/integration/authority.h"
#include "tests/integration/records.h"

static struct sink *named;
static struct sink *wrong;
static struct sink *unknown;
static struct sink *expired;

static struct sink *sink_of(const char *certificate)
{
	return start_sink(join_words(WORDS("--implicit"), sink_with_certificate(certificate)));
}

static void begin(void)
{
	harness_begin();
	make_authority("authority");
	make_authority("nobody");
	make_certificate("named", "authority", "localhost", 30);
	make_certificate("wrong", "authority", "mx.example", 30);
	make_certificate("expired", "authority", "localhost", -10);
	make_certificate("unknown", "nobody", "localhost", 30);
	named = sink_of("named");
	wrong = sink_of("wrong");
	unknown = sink_of("unknown");
	expired = sink_of("expired");
}

TestSuite(names, .init = begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

/* What the record says, without OpenSSL's own words. */
static const char *judged(const struct sink *sink, const char *how, int status)
{
	static unsigned runs;
	const char *log = test_path(text("%u.jsonl", ++runs));
	struct program bare = {.argv = WORDS(program_path("openssl_client"), text("%u", sink->port),
					     how, certificate_path("authority"))};
	struct program program =
		preloaded(&bare, log, WORDS(text("TLSWITNESS_PORTS=%u", sink->port)));
	const json_t *record;
	const char *reason;

	cr_expect_eq(run_program(&program), status, "%s: %s", how, program.err);
	record = only_handshake(log);
	reason = field(record, "event.reason");
	return text("%s %.*s", field(record, "tlswitness.peer_certificate"),
		    (int)strcspn(reason, " "), reason);
}

Test(names, compared_in_each_way)
{
	static const char *const ways[] = {"set1-host",  "param-host",  "callback",
					   "check-host", "result-host", "names"};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		cr_expect_str_eq(judged(named, ways[i], 0), "verified ", "%s", ways[i]);
		cr_expect_str_eq(judged(wrong, ways[i], 1), "failed certificate-host-mismatch",
				 "%s", ways[i]);
		cr_expect_str_eq(judged(unknown, ways[i], 1), "failed certificate-not-trusted",
				 "%s", ways[i]);
		cr_expect_str_eq(judged(expired, ways[i], 1), "failed certificate-expired", "%s",
				 ways[i]);
	}
}

/* An address is a name as well, and this certificate is for none. */
Test(names, addresses)
{
	static const char *const ways[] = {"param-ip", "check-ip", "check-ip-asc"};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		cr_expect_str_eq(judged(named, ways[i], 1), "failed certificate-host-mismatch",
				 "%s", ways[i]);
}

/* Nobody is accused who can't be seen to have left it out. */
Test(names, that_nobody_was_seen_to_compare)
{
	cr_expect_str_eq(judged(wrong, "chain", 0), "chain-only ");
	cr_expect_str_eq(judged(wrong, "result", 0), "chain-only ");
	cr_expect_str_eq(judged(wrong, "digest", 0), "chain-only ");
	cr_expect_str_eq(judged(wrong, "other-extension", 0), "chain-only ");
	cr_expect_str_eq(judged(unknown, "chain", 1), "failed certificate-not-trusted");
	cr_expect_str_eq(judged(unknown, "result", 1), "failed certificate-not-trusted");
	cr_expect_str_eq(judged(named, "none", 0), "unchecked ");
	cr_expect_str_eq(judged(unknown, "none", 0), "unchecked ");
}
