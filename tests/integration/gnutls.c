/*
 * GnuTLS as a witness, by a client that can be told exactly what to do
 * (tests/programs/gnutls_client.c); mail programs are in wire.c, floor.c and
 * certificates.c.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "tests/integration/authority.h"
#include "tests/integration/records.h"
#include "tests/integration/trial.h"

TestSuite(gnutls, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

static const char *const versions[] = {"1.0", "1.1", "1.2", "1.3"};

#define VERSIONS_COUNT (sizeof(versions) / sizeof(versions[0]))

static struct program client(const struct sink *sink, const char *const settings[])
{
	return (struct program){
		.argv = join_words(WORDS(program_path("gnutls_client"), text("%u", sink->port)),
				   settings)};
}

static const char *mail_port(const struct sink *sink)
{
	return text("TLSWITNESS_PORTS=%u", sink->port);
}

/* Runs it with the recorder, to success, and returns the log's path. */
static const char *run_client(const struct sink *sink, const char *const settings[],
			      const char *const env[], int status)
{
	static unsigned runs;
	const char *log = test_path(text("client%u.jsonl", ++runs));
	struct program bare = client(sink, settings);
	struct program program = preloaded(&bare, log, env);

	run_program(&program);
	cr_assert_eq(program.status, status, "%s: status %d: %s", settings[0], program.status,
		     program.err);
	return log;
}

static void expect_of_gnutls(const json_t *record, const char *what)
{
	cr_expect(array_holds(record, "tlswitness.witness", "gnutls"), "%s", what);
	cr_expect(array_holds(record, "tlswitness.witness", "wire"), "%s", what);
	cr_expect_eq(strncmp(field(record, "tlswitness.library"), "GnuTLS 3.", 9), 0, "%s", what);
	cr_expect_str_eq(field(record, "tls.server.subject"), "CN=localhost", "%s", what);
	cr_expect_str_eq(field(record, "tls.server.issuer"), "CN=localhost", "%s", what);
	cr_expect_neq(*field(record, "tls.server.not_after"), '\0', "%s", what);
	cr_expect_gt(number_field(record, "event.duration"), 0, "%s", what);
	cr_expect_str_eq(field(record, "code.file.path"),
			 realpath(program_path("gnutls_client"), NULL), "%s", what);
}

/* ---- what is seen, whatever the transport ---- */

Test(gnutls, each_transport_in_each_version)
{
	static const char *const transports[] = {"transport=int", "transport=ptr",
						 "transport=functions", "transport=memory"};

	for (size_t i = 0; i < VERSIONS_COUNT; i++) {
		struct sink *sink = start_sink(WORDS("--implicit", "--tls", versions[i]));

		for (size_t j = 0; j < sizeof(transports) / sizeof(transports[0]); j++) {
			const char *what = text("%s, TLS %s", transports[j], versions[i]);
			const char *log =
				run_client(sink, WORDS(transports[j]), WORDS(mail_port(sink)), 0);
			const json_t *record = only_handshake(log);

			expect_equal_to_entry(record, json_array_get(sink_entries(sink, j + 1), j),
					      what);
			expect_of_gnutls(record, what);
		}
		stop_sink(sink);
	}
}

static void expect_one_each(const char *const settings[], size_t count)
{
	struct sink *sink = start_sink(WORDS("--implicit", "--tls=1.0..1.3", "--mix"));
	const char *log = run_client(sink, settings, WORDS(mail_port(sink)), 0);

	expect_one_record_each(records_of(log, "tls-handshake"), sink_entries(sink, count),
			       settings[0]);
	stop_sink(sink);
}

Test(gnutls, each_way_to_go_through_a_connection)
{
	expect_one_each(WORDS("step=nonblocking", "count=20"), 20);
	expect_one_each(WORDS("then=rehandshake", "count=20"), 20);
	expect_one_each(WORDS("then=send-first", "count=20"), 20);
}

Test(gnutls, in_two_threads_with_300_connections_each)
{
	expect_one_each(WORDS("threads=2", "count=300"), 600);
}

Test(gnutls, beside_sessions_without_end)
{
	struct sink *sink = start_sink(WORDS("--implicit", "--tls=1.3"));
	const char *log =
		run_client(sink, WORDS("count=20", "others=20000"), WORDS(mail_port(sink)), 0);
	const json_t *records = records_of(log, "tls-handshake");

	cr_assert_eq(json_array_size(records), 20);
	for (size_t i = 0; i < 20; i++)
		expect_of_gnutls(json_array_get(records, i), "beside 20,000 others");
	stop_sink(sink);
}

/* libgnutls-openssl calls GnuTLS: what it is asked by OpenSSL's names is not OpenSSL's to tell. */
Test(gnutls, the_layer_with_openssls_names)
{
	struct sink *sink = start_sink(WORDS("--implicit", "--tls=1.0..1.2"));
	const char *log = test_path("layer.jsonl");
	struct program bare = {
		.argv = WORDS(program_path("gnutls_openssl"), text("%u", sink->port))};
	struct program program = preloaded(&bare, log, WORDS(mail_port(sink)));
	const json_t *record;
	void *layer = dlopen("libgnutls-openssl.so.27", RTLD_LAZY);

	if (!layer)
		cr_skip("this release has no libgnutls-openssl");
	dlclose(layer);
	cr_assert_eq(run_program(&program), 0, "%s", program.err);
	record = only_handshake(log);
	expect_equal_to_entry(record, json_array_get(sink_entries(sink, 1), 0), "the layer");
	cr_expect_eq(json_array_size(json_object_get(record, "tlswitness.witness")), 2);
	cr_expect_eq(strncmp(field(record, "tlswitness.library"), "GnuTLS 3.", 9), 0);
}

/* Nothing is lost if the application sends nothing after its handshake. */
Test(gnutls, connections_that_end_after_the_handshake)
{
	expect_one_each(WORDS("then=nothing", "count=5"), 5);
	expect_one_each(WORDS("then=close", "count=5"), 5);
	expect_one_each(WORDS("then=exit"), 1);
	expect_one_each(WORDS("then=_exit"), 1);
}

Test(gnutls, a_session_that_is_given_up)
{
	struct sink *sink = start_sink(WORDS("--implicit"));
	const char *log = run_client(sink, WORDS("then=give-up"), WORDS(mail_port(sink)), 0);
	const json_t *record = only_handshake(log);

	cr_expect(array_holds(record, "tlswitness.witness", "gnutls"));
	cr_expect_str_eq(field(record, "tlswitness.verdict"), "failed");
	cr_expect_str_eq(field(record, "event.reason"), "the client gave up during the handshake");
	stop_sink(sink);
}

/* Without a port that says so, the first bytes inside say that it is mail. */
Test(gnutls, mail_on_a_port_that_is_nobodys)
{
	struct sink *sink = start_sink(WORDS("--implicit"));
	const json_t *record = only_handshake(run_client(sink, WORDS("verify=none"), NO_WORDS, 0));

	expect_equal_to_entry(record, json_array_get(sink_entries(sink, 1), 0), "no port");
	expect_of_gnutls(record, "no port");
	cr_expect_str_eq(field(record, "network.protocol"), "smtp");
}

/* ---- how the certificate was checked ---- */

static const char *judged(const char *const certificate[], const char *const settings[], int status)
{
	struct sink *sink = start_sink(join_words(WORDS("--implicit"), certificate));
	const char *authority = text("authority=%s", certificate_path("authority"));
	const json_t *record = only_handshake(run_client(
		sink, join_words(settings, WORDS(authority)), WORDS(mail_port(sink)), status));

	stop_sink(sink);
	return text("%s %s", field(record, "tlswitness.peer_certificate"),
		    field(record, "event.reason"));
}

static void expect_judged(const char *sink_certificate, const char *const settings[], int status,
			  const char *expected)
{
	const char *found = judged(sink_with_certificate(sink_certificate), settings, status);

	cr_expect_eq(strncmp(found, expected, strlen(expected)), 0, "%s with %s: %s, not %s",
		     settings[0], sink_certificate, found, expected);
}

static void make_certificates(void)
{
	make_authority("authority");
	make_authority("nobody");
	make_certificate("named", "authority", "localhost", 30);
	make_certificate("wrong", "authority", "mx.example", 30);
	make_certificate("expired", "authority", "localhost", -10);
	make_certificate("unknown", "nobody", "localhost", 30);
}

Test(gnutls, each_way_to_check_chain_and_name)
{
	static const char *const ways[] = {"verify=auto",   "verify=auto2",    "verify=peers",
					   "verify=peers3", "verify=callback", "verify=name",
					   "verify=names",  "verify=list"};

	make_certificates();
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		const char *const *way = join_words(WORDS(ways[i]), NO_WORDS);

		expect_judged("named", way, 0, "verified ");
		expect_judged("wrong", way, 1, "failed certificate-host-mismatch");
		expect_judged("unknown", way, 1, "failed certificate-not-trusted");
		expect_judged("expired", way, 1, "failed certificate-expired");
	}
}

Test(gnutls, checks_of_the_chain_alone_and_none)
{
	make_certificates();
	expect_judged("wrong", WORDS("verify=auto-chain"), 0, "chain-only ");
	expect_judged("unknown", WORDS("verify=auto-chain"), 1, "failed certificate-not-trusted");
	expect_judged("wrong", WORDS("verify=peers2"), 0, "chain-only ");
	expect_judged("wrong", WORDS("verify=peers2", "then=nothing"), 0, "chain-only ");
	expect_judged("expired", WORDS("verify=peers2"), 1, "failed certificate-expired");
	expect_judged("wrong", WORDS("verify=list-chain"), 0, "chain-only ");
	expect_judged("unknown", WORDS("verify=list-chain"), 1, "failed certificate-not-trusted");
	expect_judged("wrong", WORDS("verify=old-list"), 0, "chain-only ");
	expect_judged("unknown", WORDS("verify=old-list"), 1, "failed certificate-not-trusted");
	expect_judged("unknown", WORDS("verify=none"), 0, "unchecked ");
	expect_judged("named", WORDS("verify=none"), 0, "unchecked ");
	expect_judged("named", WORDS("verify=none", "then=nothing"), 0, "unchecked ");
	/* The chain is right and the address is not: a name is a name. */
	expect_judged("named", WORDS("verify=ip"), 1, "failed certificate-host-mismatch");
	/* A fingerprint is for the application to compare: nothing is said. */
	expect_judged("unknown", WORDS("verify=fingerprint"), 0, " ");
}

static void expect_by_dane(const char *const certificate[], const char *const settings[],
			   int status, const char *expected)
{
	const char *found = judged(certificate, settings, status);

	cr_expect_eq(strncmp(found, expected, strlen(expected)), 0, "%s %s: %s, not %s",
		     settings[0], settings[1], found, expected);
}

/* Told by its name's TLSA records, a client need trust no authority. */
Test(gnutls, certificates_of_tlsa_records)
{
	const char *const *unknown;
	const char *const *chain;
	const char *of_server;
	const char *of_authority;
	const char *of_another;

	make_certificates();
	unknown = sink_with_certificate("unknown");
	chain = sink_with_chain("unknown", "nobody");
	of_server = text("dane=%s", certificate_path("unknown"));
	of_authority = text("dane=%s", certificate_path("nobody"));
	of_another = text("dane=%s", certificate_path("named"));
	expect_by_dane(unknown, WORDS(of_server, "usage=3"), 0, "verified ");
	expect_by_dane(unknown, WORDS(of_server, "usage=1"), 0, "verified ");
	expect_by_dane(unknown, WORDS(of_server, "usage=3", "then=nothing"), 0, "verified ");
	expect_by_dane(unknown, WORDS(of_another, "usage=3"), 1, "failed tlsa-invalid");
	/* The authority's: the name is to be compared all the same. */
	expect_by_dane(chain, WORDS(of_authority, "usage=2"), 0, "chain-only ");
	expect_by_dane(chain, WORDS(of_authority, "usage=2", "verify=name-alone"), 0, "verified ");
	expect_by_dane(chain, WORDS(of_another, "usage=2"), 1, "failed tlsa-invalid");
}

/* A report lists who did not check, and not of whom it is not known. */
Test(gnutls, a_chain_alone_is_no_finding)
{
	struct sink *sink = start_sink(WORDS("--implicit"));
	const char *authority = text("authority=%s", sink->certificate);
	const char *chain =
		run_client(sink, WORDS("verify=peers2", authority), WORDS(mail_port(sink)), 0);
	const char *none = run_client(sink, WORDS("verify=none"), WORDS(mail_port(sink)), 0);
	struct program report = {.argv = WORDS(tool_path(), "report", chain, none)};

	cr_assert_eq(run_program(&report), 0, "%s", report.err);
	cr_expect_not_null(strstr(report.out, "Certificates not verified"), "%s", report.out);
	cr_expect_not_null(strstr(report.out, "unchecked"), "%s", report.out);
	cr_expect_null(strstr(report.out, "chain-only"), "%s", report.out);
}

/* ---- settings ---- */

static void expect_setting(const char *setting, const char *words)
{
	struct sink *sink = start_sink(WORDS("--implicit"));
	const char *log = run_client(sink, WORDS(setting, "count=3"), WORDS(mail_port(sink)), 0);
	const json_t *settings = records_of(log, "protocol-setting");
	const json_t *record = json_array_get(settings, 0);

	cr_expect_eq(json_array_size(settings), words != NULL, "%s: %s", setting,
		     read_file(log, NULL));
	if (words != NULL) {
		cr_expect_str_eq(field(record, "tlswitness.setting"), words);
		cr_expect_neq(*field(record, "tlswitness.setting_ids"), '\0');
		cr_expect_str_eq(field(json_array_get(records_of(log, "tls-handshake"), 0),
				       "tlswitness.setting_ids"),
				 field(record, "tlswitness.setting_ids"), "%s", setting);
		cr_expect_str_eq(field(record, "code.file.path"),
				 realpath(program_path("gnutls_client"), NULL));
	}
	stop_sink(sink);
}

Test(gnutls, settings_that_allow_what_is_old)
{
	expect_setting("priorities=NORMAL", "gnutls_priority_set_direct(NORMAL)");
	expect_setting("priorities=NORMAL:-VERS-TLS1.3",
		       "gnutls_priority_set_direct(NORMAL:-VERS-TLS1.3)");
	expect_setting("cache=SECURE128:-VERS-TLS1.0:-VERS-TLS1.1:-VERS-TLS1.3",
		       "gnutls_priority_init(SECURE128:-VERS-TLS1.0:-VERS-TLS1.1:-VERS-TLS1.3)");
	expect_setting("append=-VERS-TLS1.0", "gnutls_set_default_priority_append(-VERS-TLS1.0)");
	expect_setting("unknown=default", "gnutls_set_default_priority()");
	/* Nothing old, and the best: no news. */
	expect_setting("priorities=NORMAL:-VERS-TLS1.0:-VERS-TLS1.1", NULL);
}

/* ---- the floor ---- */

#define REFUSED "A packet with illegal or unsupported version was received."

/* What becomes of a priority string, bare, at a floor of 1.2, and lifted to it. */
struct shape {
	const char *setting;
	const char *bare;    /* the version that a server of 1.0 to 1.3 negotiates */
	const char *enforce; /* "": refused */
	const char *upgrade;
	const char *system; /* the system's configuration of GnuTLS; NULL: none */
};

#define SYSTEM_OF_1_1  "[priorities]\nSYSTEM=NORMAL:-VERS-ALL:+VERS-TLS1.1\n"
#define DEFAULT_OF_1_0 "[overrides]\ndefault-priority-string=NORMAL:-VERS-ALL:+VERS-TLS1.0\n"
#define OLD_ONLY       "[overrides]\ndisabled-version=tls1.3\ndisabled-version=tls1.2\n"

static const struct shape shapes[] = {
	{"priorities=NORMAL", "1.3", "1.3", "1.3", NULL},
	{"priorities=NORMAL:%COMPAT", "1.3", "1.3", "1.3", NULL},
	{"priorities=SECURE128", "1.3", "1.3", "1.3", NULL},
	{"priorities=PERFORMANCE:-VERS-TLS1.3", "1.2", "1.2", "1.2", NULL},
	{"priorities=NORMAL:-VERS-TLS1.3:-VERS-TLS1.2", "1.1", "", "1.3", NULL},
	{"priorities=NORMAL:-VERS-ALL:+VERS-TLS1.0", "1.0", "", "1.3", NULL},
	{"priorities=SECURE128:-VERS-TLS-ALL:+VERS-TLS1.1:+VERS-TLS1.0", "1.1", "", "1.3", NULL},
	{"priorities=NONE:+VERS-TLS1.0:+ECDHE-ECDSA:+AES-128-CBC:+SHA1:+COMP-NULL:+CURVE-ALL:"
	 "+SIGN-ALL",
	 "1.0", "", "1.3", NULL},
	{"cache=NORMAL:-VERS-ALL:+VERS-TLS1.1", "1.1", "", "1.3", NULL},
	{"append=-VERS-TLS1.3:-VERS-TLS1.2", "1.1", "", "1.3", NULL},
	{"append=-VERS-TLS1.3", "1.2", "1.2", "1.2", NULL},
	{"default=default", "1.3", "1.3", "1.3", NULL},
	{"priorities=@SYSTEM", "1.1", "", "1.3", SYSTEM_OF_1_1},
	{"priorities=@LEGACY,SYSTEM:%COMPAT:+VERS-TLS1.0", "1.1", "", "1.3", SYSTEM_OF_1_1},
	{"cache=@SYSTEM:+VERS-TLS1.2", "1.2", "1.2", "1.2", SYSTEM_OF_1_1},
	{"default=default", "1.0", "", "1.3", DEFAULT_OF_1_0},
	{"append=%COMPAT", "1.0", "", "1.3", DEFAULT_OF_1_0},
	/* What the whole system does without is not lifted. */
	{"priorities=NORMAL", "1.1", "", "", OLD_ONLY},
};

static struct program shaped(const struct sink *sink, const void *row)
{
	const struct shape *shape = row;
	struct program program = client(sink, WORDS(shape->setting));

	if (shape->system)
		program.env = join_words(WORDS(text("GNUTLS_SYSTEM_PRIORITY_FILE=%s",
						    test_file("gnutls.conf", shape->system))),
					 NO_WORDS);
	return program;
}

static struct program crowded(const struct sink *sink, const void *row)
{
	return client(sink, row);
}

static const char *version_with(const struct shape *shape, const char *const options[],
				struct trial *trial)
{
	*trial = try_program(shape->setting, shaped, shape, WORDS("--implicit", "--tls=1.0..1.3"),
			     options);
	const json_t *entry = json_array_get(trial->entries, 0);

	cr_assert_eq(json_array_size(trial->entries), 1, "%s", trial->name);
	return json_is_true(json_object_get(entry, "established")) ? field(entry, "version") : "";
}

static void expect_shape(const struct shape *shape, const char *mode, const char *version)
{
	struct trial trial;
	const char *const *options = join_words(WORDS(mode, "--ports", "PORT"), NO_WORDS);
	const char *found = version_with(shape, options, &trial);
	const json_t *record = json_array_get(trial.records, 0);

	cr_expect_str_eq(found, version, "%s: %s, not %s: %s", trial.name, found, version,
			 trial.program.err);
	cr_expect_eq(json_array_size(trial.records), 1, "%s", trial.name);
	cr_expect_str_eq(field(record, "tlswitness.verdict"), *version ? "ok" : "refused", "%s: %s",
			 trial.name, field(record, "event.reason"));
	cr_expect_eq(trial.program.status, *version ? 0 : 1, "%s", trial.name);
	if (*version == '\0')
		cr_expect_not_null(strstr(trial.program.err, REFUSED), "%s: %s", trial.name,
				   trial.program.err);
}

Test(gnutls, priorities_of_every_shape_at_the_floor)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		const struct shape *shape = &shapes[i];
		struct trial bare;

		cr_expect_str_eq(version_with(shape, NULL, &bare), shape->bare, "%s: %s",
				 shape->setting, bare.program.err);
		expect_shape(shape, "--enforce", shape->enforce);
		expect_shape(shape, "--upgrade", shape->upgrade);
	}
}

/* A server that has nothing better: the client's own words name the version. */
Test(gnutls, a_server_below_the_floor)
{
	static const char *const settings[] = {"priorities=NORMAL",
					       "priorities=NORMAL:-VERS-TLS1.3", "default=default",
					       "priorities=NORMAL:-VERS-ALL:+VERS-TLS1.0"};

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		const struct shape shape = {.setting = settings[i]};
		struct trial trial =
			try_program(settings[i], shaped, &shape, WORDS("--implicit", "--tls=1.0"),
				    WORDS("--enforce", "--ports", "PORT"));

		expect_refused(&trial, REFUSED);
	}
}

/* However many sessions there are besides, it is GnuTLS itself that refuses, or goes higher. */
Test(gnutls, the_floor_beside_sessions_without_end)
{
	static const char *const settings[] = {"priorities=NORMAL:-VERS-ALL:+VERS-TLS1.0",
					       "others=20000", NULL};
	struct trial trial =
		try_program("others", crowded, settings, WORDS("--implicit", "--tls=1.0..1.3"),
			    WORDS("--enforce", "--ports", "PORT"));

	expect_refused(&trial, REFUSED);
	trial = try_program("others", crowded, settings, WORDS("--implicit", "--tls=1.0..1.3"),
			    WORDS("--upgrade", "--ports", "PORT"));
	cr_expect_eq(trial.program.status, 0, "%s", trial.program.err);
	cr_expect_str_eq(field(json_array_get(trial.entries, 0), "version"), "1.3");
}

/* The port says nothing, so nothing is raised; what is inside says that it is mail. */
Test(gnutls, mail_below_the_floor_on_a_port_that_is_nobodys)
{
	const struct shape shape = {.setting = "priorities=NORMAL"};
	struct trial trial = try_program("nobody's port", shaped, &shape,
					 WORDS("--implicit", "--tls=1.0"), WORDS("--enforce"));

	expect_refused(&trial, REFUSED);
}

/* What is stricter than the floor stays: 1.3 alone, and the size of a prime. */
Test(gnutls, what_is_stricter_than_the_floor_stays)
{
	struct sink *sink = start_sink(WORDS("--implicit", "--tls=1.2"));
	struct program bare = client(sink, WORDS("priorities=NORMAL:-VERS-ALL:+VERS-TLS1.3"));
	struct program watched = tried(&bare, test_path("strict.jsonl"),
				       WORDS("--upgrade", "--ports", text("%u", sink->port)));

	run_program(&bare);
	run_program(&watched);
	cr_expect_eq(bare.status, 1);
	cr_expect_eq(watched.status, 1);
	cr_expect_str_eq(watched.err, bare.err);
	cr_expect_str_eq(field(only_handshake(test_path("strict.jsonl")), "tlswitness.verdict"),
			 "failed");
}
