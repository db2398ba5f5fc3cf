/*
 * `tlswitness probe --mx --dane --mta-sts` against a signed zone: Debian's nsd and unbound, sinks
 * as mail exchangers and a web server with policies, all in a network namespace of the test's own.
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "tests/integration/harness.h"

TestSuite(probe_domains, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

/* Of the mail exchangers that are to be trusted, and of the web server. */
static const char all_names[] =
	"subjectAltName=DNS:mx1.good.example,DNS:bare.example,DNS:mx.usage.example,"
	"DNS:mx.plain.example,DNS:mx.bogustlsa.example,DNS:mta-sts.good.example,"
	"DNS:mta-sts.trial.example,DNS:mta-sts.odd.example,DNS:mta-sts.gone.example";

static const char *certificate;
static const char *anchor;

struct saying {
	struct program program;
	const char *says;
};

static bool has_said(void *subject)
{
	const struct saying *saying = subject;

	return strstr(read_file(saying->program.out_path, NULL), saying->says) != NULL;
}

/* A program that stays; it is ready when it says so. */
static void start(const char *const words[], const char *says)
{
	struct saying *saying = calloc(1, sizeof(*saying));

	cr_assert_not_null(saying);
	*saying = (struct saying){{.argv = words}, says};
	start_program(&saying->program);
	wait_until(has_said, saying, words[0]);
}

static void run(const char *const words[])
{
	struct program program = {.argv = words};

	cr_assert_eq(run_program(&program), 0, "%s: %s", words[0], program.err);
}

static void start_exchanger(const char *address, const char *const certificates[])
{
	start(join_words(WORDS(tool_path(), "sink", "--quiet", "--tls=1.2..1.3", "--port=25",
			       text("--address=%s", address)),
			 certificates),
	      "listening on");
}

static const char *build_path(const char *name)
{
	const char *build = getenv("TLSWITNESS_BUILD");
	char *path = realpath(text("%s/%s", build != NULL ? build : "build", name), NULL);

	cr_assert_not_null(path, "%s is not there; make setup unpacks it", name);
	const char *kept = text("%s", path);
	free(path);
	return kept;
}

static void build_the_world(void)
{
	const char *key = test_path("key.pem");
	const char *directory = test_path("zone");

	cr_assert_eq(unshare(CLONE_NEWNET), 0, "a network namespace needs root");
	run(WORDS("ip", "link", "set", "lo", "up"));
	certificate = test_path("certificate.pem");
	run(WORDS("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
		  "-nodes", "-days", "30", "-subj", "/CN=mx1.good.example", "-addext", all_names,
		  "-keyout", key, "-out", certificate));
	cr_assert_eq(mkdir(directory, 0755), 0);
	start(WORDS("tests/scripts/probe/domains", build_path("probe"), directory, certificate),
	      "ready");
	anchor = text("%s/anchor", directory);
	start(WORDS("python3", "tests/scripts/probe/policies.py", certificate, key), "ready");
	const char *const *ours = WORDS(text("--cert=%s", certificate), text("--key=%s", key));
	start_exchanger("127.0.2.1", ours);
	start_exchanger("::1", ours);
	start_exchanger("127.0.2.2", NO_WORDS);
}

/* What is said of a domain: an array of one object for each host and address. */
static json_t *probe(const char *const words[], int *status)
{
	struct program probe = {
		.argv = join_words(WORDS(tool_path(), "probe", "--json", "--resolver=127.0.0.1",
					 "--timeout=10", text("--ca-file=%s", certificate),
					 text("--trust-anchor=%s", anchor)),
				   words)};

	*status = run_program(&probe);
	cr_expect_str_eq(probe.err, "");
	return read_json_lines(probe.out_path);
}

static json_t *probe_domain(const char *domain, size_t targets, int *status)
{
	json_t *lines = probe(WORDS("--mx", "--dane", "--mta-sts", domain), status);

	cr_assert_eq(json_array_size(lines), targets, "%s: %s", domain, json_dumps(lines, 0));
	return lines;
}

static const char *version_1_3(const json_t *object, const char *key)
{
	return field(json_object_get(json_object_get(object, "versions"), "1.3"), key);
}

static void expect_promise(const json_t *object, const char *promise, const char *result,
			   const char *how)
{
	const json_t *found = json_object_get(object, promise);

	cr_expect_str_eq(field(found, "result"), result, "%s: %s is %s: %s",
			 field(object, "domain"), promise, field(found, "result"),
			 field(found, "how"));
	cr_expect_not_null(strstr(field(found, "how"), how), "%s: %s: '%s', not '%s'",
			   field(object, "domain"), promise, field(found, "how"), how);
}

static void several_exchangers(void)
{
	int status = 0;
	json_t *lines = probe_domain("good.example", 3, &status);
	bool seen_ipv6 = false;

	cr_expect_eq(status, 1, "good.example: %d", status);
	for (size_t i = 0; i < 2; i++) {
		const json_t *line = json_array_get(lines, i);

		cr_expect_str_eq(field(line, "host"), "mx1.good.example");
		cr_expect_eq(json_integer_value(json_object_get(line, "preference")), 10);
		seen_ipv6 = seen_ipv6 || strcmp(field(line, "address"), "::1") == 0;
		cr_expect_str_eq(version_1_3(line, "result"), "accepted");
		expect_promise(line, "dane", "kept", "TLSA 3 1 1 matches");
		expect_promise(line, "mta_sts", "kept", "enforce");
	}
	cr_expect(seen_ipv6);
	const json_t *second = json_array_get(lines, 2);
	cr_expect_str_eq(field(second, "host"), "mx2.good.example");
	cr_expect_str_eq(field(second, "address"), "127.0.2.2");
	expect_promise(second, "dane", "broken", "no matching DANE TLSA records");
	expect_promise(second, "mta_sts", "broken", "does not name this host");
	lines = probe(WORDS("--mx", "-4", "good.example"), &status);
	cr_expect_eq(json_array_size(lines), 2);
	cr_expect_eq(status, 0);
}

static void one_exchanger(void)
{
	static const struct {
		const char *domain;
		size_t targets;
		const char *dane;
		const char *dane_how;
		const char *mta_sts;
		const char *mta_sts_how;
		int status;
	} rows[] = {
		{"alias.example", 3, "kept", "matches", "none", "no policy is announced", 1},
		{"trial.example", 2, "kept", "matches", "kept", "testing", 0},
		{"odd.example", 2, "kept", "matches", "unknown", "invalid", 2},
		{"gone.example", 2, "kept", "matches", "unknown", "HTTP status 404", 2},
		{"twice.example", 2, "kept", "matches", "none", "more than one", 0},
		{"bare.example", 1, "none", "no TLSA record", "none", "no policy", 0},
		{"usage.example", 1, "broken", "usable", "none", "no policy", 1},
		{"plain.example", 1, "none", "not signed", "none", "no policy", 0},
		{"alias1.example", 2, "kept", "matches", "none", "no policy", 0},
		{"alias2.example", 1, "kept", "matches", "none", "no policy", 0},
		{"alias3.example", 1, "kept", "matches", "none", "no policy", 0},
		{"alias4.example", 1, "none", "no TLSA record", "none", "no policy", 0},
		{"alias5.example", 2, "kept", "matches", "none", "no policy", 0},
		{"bogusmx.example", 2, "unknown", "bogus", "none", "no policy", 2},
		{"bogustlsa.example", 1, "unknown", "bogus", "none", "no policy", 2},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int status = 0;
		const json_t *line =
			json_array_get(probe_domain(rows[i].domain, rows[i].targets, &status), 0);

		cr_expect_eq(status, rows[i].status, "%s: %d", rows[i].domain, status);
		cr_expect_str_eq(version_1_3(line, "result"), "accepted", "%s", rows[i].domain);
		expect_promise(line, "dane", rows[i].dane, rows[i].dane_how);
		expect_promise(line, "mta_sts", rows[i].mta_sts, rows[i].mta_sts_how);
	}
}

static void no_exchanger(void)
{
	static const struct {
		const char *domain;
		const char *how;
	} rows[] = {
		{"null.example", "null MX"},
		{"nothing.example", "NXDOMAIN"},
		{"servfail.example", "SERVFAIL"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int status = 0;
		const json_t *line = json_array_get(probe_domain(rows[i].domain, 1, &status), 0);

		cr_expect_eq(status, 2, "%s: %d", rows[i].domain, status);
		cr_expect_str_eq(version_1_3(line, "result"), "not-tested", "%s", rows[i].domain);
		cr_expect_not_null(strstr(version_1_3(line, "how"), rows[i].how), "%s: %s",
				   rows[i].domain, version_1_3(line, "how"));
		cr_expect_null(json_object_get(line, "address"));
	}
}

Test(probe_domains, a_signed_zone_and_its_policies)
{
	build_the_world();
	several_exchangers();
	one_exchanger();
	no_exchanger();
}
