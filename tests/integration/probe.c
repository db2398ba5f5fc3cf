/*
 * `tlswitness probe` against sinks of every range of versions, whose own log says what came; and
 * against servers that answer by hand.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "tests/integration/authority.h"
#include "tests/integration/harness.h"
#include "tests/integration/probe_server.h"

TestSuite(probe, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

static const char *const names[] = {"3.0", "1.0", "1.1", "1.2", "1.3"};

#define VERSIONS (sizeof(names) / sizeof(names[0]))

/* Runs it and returns its one line of JSON. */
static json_t *probe_in(const char *const words[], const char *const env[], int *status)
{
	struct program probe = {.env = env};

	probe.argv = join_words(WORDS(tool_path(), "probe", "--json"), words);
	*status = run_program(&probe);
	cr_expect_str_eq(probe.err, "");
	json_t *lines = read_json_lines(probe.out_path);
	cr_assert_eq(json_array_size(lines), 1, "%s", probe.out);
	return json_array_get(lines, 0);
}

static json_t *probe(const char *const words[], int *status)
{
	return probe_in(words, NO_WORDS, status);
}

static const json_t *verdict(const json_t *object, const char *version)
{
	return json_object_get(json_object_get(object, "versions"), version);
}

static void expect_verdict(const json_t *object, const char *version, const char *result,
			   const char *how, const char *what)
{
	const json_t *found = verdict(object, version);

	cr_expect_str_eq(field(found, "result"), result, "%s: %s is %s: %s", what, version,
			 field(found, "result"), field(found, "how"));
	if (how != NULL)
		cr_expect_not_null(strstr(field(found, "how"), how), "%s: %s: '%s', not '%s'", what,
				   version, field(found, "how"), how);
}

/* ---- the sinks ---- */

/* Each version, one connection; and what the server logged is what was reported. */
static void try_range(size_t lowest, size_t highest, bool implicit)
{
	const char *range = text("--tls=%s..%s", names[lowest], names[highest]);
	struct sink *sink = start_sink(WORDS(range, implicit ? "--implicit" : "--auth=always"));
	int status = 0;
	json_t *object =
		probe(WORDS(sink->address, implicit ? "--implicit" : "--starttls", "--floor=1.2"),
		      &status);

	for (size_t i = 0; i < VERSIONS; i++) {
		bool accepted = i >= lowest && i <= highest;
		/* Up to 1.2 a server that has less may choose it, which is no choice of this. */
		expect_verdict(object, names[i], accepted ? "accepted" : "refused",
			       accepted                          ? NULL
			       : i > highest && i < VERSIONS - 1 ? "chose TLS "
								 : "alert ",
			       range);
	}
	cr_expect_eq(status, lowest < 3 ? 1 : 0, "%s: %d", range, status);
	json_t *entries = sink_entries(sink, VERSIONS);
	for (size_t i = 0; i < VERSIONS; i++) {
		const json_t *entry = json_array_get(entries, i);
		const json_t *accepted = verdict(object, field(entry, "version"));

		/* Asked from the top: the i-th connection was about this version. */
		if (strcmp(field(entry, "version"), names[VERSIONS - 1 - i]) == 0)
			cr_expect_str_eq(field(accepted, "cipher"), field(entry, "cipher"), "%s",
					 range);
	}
	cr_expect_eq(stop_sink(sink), 0);
	cr_expect_eq(json_array_size(read_json_lines(sink->log)), VERSIONS,
		     "not one connection for each version");
}

Test(probe, each_range_of_versions)
{
	for (size_t lowest = 1; lowest < VERSIONS; lowest++) {
		for (size_t highest = lowest; highest < VERSIONS; highest++)
			try_range(lowest, highest, (lowest + highest) % 2);
	}
}

/* A configuration that forbids all that is old, and one that raises the security level. */
Test(probe, the_policy_of_this_host_decides_nothing)
{
	const char *strict = test_file("strict.cnf", "openssl_conf = all\n"
						     "[all]\nssl_conf = ssl\n"
						     "[ssl]\nsystem_default = strict\n"
						     "[strict]\nMinProtocol = TLSv1.3\n"
						     "CipherString = ECDHE@SECLEVEL=5\n"
						     "Groups = P-521\n");
	struct sink *sink = start_sink(WORDS("--tls=1.0..1.2"));
	int status = 0;
	json_t *object =
		probe_in(WORDS(sink->address), WORDS(text("OPENSSL_CONF=%s", strict)), &status);

	cr_expect_eq(status, 1);
	expect_verdict(object, "1.0", "accepted", NULL, "strict");
	expect_verdict(object, "1.2", "accepted", "handshake", "strict");
	expect_verdict(object, "1.3", "refused", "alert protocol_version", "strict");
}

static bool has_line(void *program)
{
	return strchr(read_file(((struct program *)program)->out_path, NULL), '\n') != NULL;
}

/* A sink at another address than the harness's; returns its port. */
static uint16_t start_sink_at(const char *address, const char *const options[])
{
	struct program *sink = calloc(1, sizeof(*sink));

	cr_assert_not_null(sink);
	sink->argv = join_words(
		WORDS(tool_path(), "sink", "--quiet", text("--address=%s", address)), options);
	start_program(sink);
	wait_until(has_line, sink, "the sink listens");
	return (uint16_t)number_after(read_file(sink->out_path, NULL),
				      text("listening on %s:", address));
}

Test(probe, the_certificate)
{
	struct sink *sink = start_sink(WORDS("--tls=1.2", "--name=mail.example.net"));
	const char *port = text("localhost:%u", sink->port);
	int status = 0;
	json_t *certificate = json_object_get(
		probe(WORDS("-4", port, "--ca-file", sink->certificate), &status), "certificate");

	cr_expect_eq(status, 0);
	cr_expect(json_is_true(json_object_get(certificate, "verified")), "%s",
		  field(certificate, "reason"));
	cr_expect_str_eq(field(certificate, "subject"), "CN=localhost");
	cr_expect_eq(json_array_size(json_object_get(certificate, "names")), 4);
	json_int_t days = json_integer_value(json_object_get(certificate, "days_left"));
	cr_expect(days >= 28 && days <= 31, "%d days", (int)days);
	/* Not trusted; and trusted, but for another name. */
	certificate = json_object_get(probe(WORDS("-4", port), &status), "certificate");
	cr_expect(json_is_false(json_object_get(certificate, "verified")));
	cr_expect_str_eq(field(certificate, "reason"), "self-signed certificate");
	certificate = json_object_get(
		probe(WORDS(text("127.0.0.2:%u", sink->port), "--ca-file", sink->certificate),
		      &status),
		"certificate");
	cr_expect_null(certificate, "nobody listens there");
	const char *made = test_path("other.pem");
	uint16_t other =
		start_sink_at("127.0.0.2", WORDS("--tls=1.2", text("--cert-out=%s", made)));
	certificate = json_object_get(
		probe(WORDS(text("127.0.0.2:%u", other), "--ca-file", made), &status),
		"certificate");
	cr_expect_str_eq(field(certificate, "reason"), "IP address mismatch");
}

Test(probe, what_comes_before_tls)
{
	static const struct {
		const char *option;
		const char *starttls;
		const char *how;
	} rows[] = {
		{"--tls=none", "not-offered", "STARTTLS not offered"},
		{"--strip-starttls", "not-offered", "STARTTLS not offered"},
		{"--starttls-reply=454", "refused", "STARTTLS answered with 454"},
		{"--starttls-reply=554", "refused", "STARTTLS answered with 554"},
		{"--cut=greeting", "", "closed instead of the greeting"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sink *sink = start_sink(WORDS(rows[i].option));
		int status = 0;
		json_t *object = probe(WORDS(sink->address), &status);

		cr_expect_eq(status, 2, "%s: %d", rows[i].option, status);
		cr_expect_str_eq(field(object, "starttls"), rows[i].starttls, "%s", rows[i].option);
		for (size_t j = 0; j < VERSIONS; j++)
			expect_verdict(object, names[j], "not-tested", rows[i].how, rows[i].option);
		stop_sink(sink);
	}
}

Test(probe, nobody_there_and_the_wrong_mode)
{
	struct sink *sink = start_sink(WORDS("--tls=1.2..1.3"));
	int status = 0;
	json_t *object = probe(WORDS("127.0.0.1:1"), &status);

	cr_expect_eq(status, 2);
	expect_verdict(object, "1.2", "not-tested", "Connection refused", "port 1");
	object = probe(WORDS(sink->address, "--implicit"), &status);
	cr_expect_eq(status, 2);
	expect_verdict(object, "1.2", "not-tested", "try --starttls", "implicit");
	object = probe(WORDS("nowhere.invalid:25", "--resolver=127.0.0.1:1", "--timeout=1"),
		       &status);
	cr_expect_eq(status, 2);
	expect_verdict(object, "1.2", "not-tested", NULL, "no resolver");
	cr_expect_null(json_object_get(object, "address"));
}

/* Half a ServerHello is no choice. */
Test(probe, a_server_that_closes_within_its_hello)
{
	struct sink *sink = start_sink(WORDS("--tls=1.0..1.3", "--cut=server-hello"));
	int status = 0;
	json_t *object = probe(WORDS(sink->address), &status);

	cr_expect_eq(status, 0);
	for (size_t i = 1; i < VERSIONS; i++)
		expect_verdict(object, names[i], "refused", "closed", "cut");
}

/* ---- by hand ---- */

/* What a server of SSL 3.0 alone answers, to whomever offers less than it wants or more. */
static void serve_ssl_3(int descriptor, unsigned number, const void *context)
{
	static const uint8_t alert[] = {21, 3, 0, 0, 2, 2, 40};
	static const uint8_t flight[] = {22, 3, 0, 0, 46, 2, 0, 0, 38, 3, 0};
	static const uint8_t rest[] = {0, 0x00, 0x0A, 0, 14, 0, 0, 0};
	uint8_t record[4096];
	uint8_t hello[51] = {0};

	(void)number;
	(void)context;
	if (!serve_up_to_starttls(descriptor) ||
	    receive_record(descriptor, record, sizeof(record)) == 0)
		return;
	memcpy(hello, flight, sizeof(flight));
	memcpy(hello + sizeof(hello) - sizeof(rest), rest, sizeof(rest));
	/* The version of the ClientHello, behind two headers. */
	if (record[9] == 3 && record[10] == 0)
		(void)send_all(descriptor, hello, sizeof(hello));
	else
		(void)send_all(descriptor, alert, sizeof(alert));
	(void)receive_record(descriptor, record, sizeof(record));
}

Test(probe, ssl_3)
{
	struct hand_server server = start_hand_server(serve_ssl_3, NULL);
	int status = 0;
	json_t *object = probe(WORDS(text("127.0.0.1:%u", server.port)), &status);

	cr_expect_eq(status, 1);
	expect_verdict(object, "3.0", "accepted", "ServerHello", "SSL 3.0");
	cr_expect_str_eq(field(verdict(object, "3.0"), "cipher"), "TLS_RSA_WITH_3DES_EDE_CBC_SHA");
	for (size_t i = 1; i < VERSIONS; i++)
		expect_verdict(object, names[i], "refused", "alert handshake_failure", names[i]);
	stop_hand_server(&server);
}

enum hostility {
	NEVER_ANSWERS,
	A_BYTE_A_SECOND,
	ENDLESS_GREETING,
	LONG_LINE,
	GARBAGE,
	CLOSES_AT_ONCE,
	CLOSES_AFTER_GREETING,
	CLOSES_AFTER_EHLO,
	CLOSES_AFTER_STARTTLS,
	RESETS_AFTER_HELLO,
	SILENT_AFTER_HELLO,
	A_BYTE_A_SECOND_AFTER_HELLO,
	GARBAGE_AFTER_HELLO,
	ENDLESS_RECORDS,
	TOO_BUSY,
	TOO_BUSY_FOR_TLS,
	HOSTILITIES
};

static void send_slowly(int descriptor, const void *bytes, size_t length)
{
	struct pollfd end = {.fd = descriptor, .events = POLLRDHUP};

	for (size_t i = 0; i < length; i++) {
		if (!send_all(descriptor, (const char *)bytes + i, 1) || poll(&end, 1, 1000) != 0)
			return;
	}
}

static void wait_for_end(int descriptor)
{
	char byte;

	while (recv(descriptor, &byte, 1, 0) == 1)
		;
}

static void send_lines_for_ever(int descriptor, const char *line)
{
	while (send_text(descriptor, line))
		;
}

static void answer_hello(int descriptor, enum hostility hostility)
{
	static const uint8_t server_hello[] = {22, 3, 1, 0, 42, 2, 0, 0, 38, 3, 1, 0};
	/* Empty alerts, without end: well-formed, and no answer. */
	static const char empty_record[] = {21, 3, 1, 0, 0};
	struct linger reset = {.l_onoff = 1, .l_linger = 0};
	uint8_t record[4096];
	uint8_t garbage[1024];

	if (receive_record(descriptor, record, sizeof(record)) == 0)
		return;
	memset(garbage, 0xA5, sizeof(garbage));
	switch (hostility) {
	case RESETS_AFTER_HELLO:
		setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		break;
	case A_BYTE_A_SECOND_AFTER_HELLO:
		send_slowly(descriptor, server_hello, sizeof(server_hello));
		break;
	case GARBAGE_AFTER_HELLO:
		(void)send_all(descriptor, garbage, sizeof(garbage));
		break;
	case ENDLESS_RECORDS:
		while (send_all(descriptor, empty_record, sizeof(empty_record)))
			;
		break;
	case TOO_BUSY_FOR_TLS:
		(void)send_text(descriptor, "421 4.7.0 try later\r\n");
		break;
	default: /* SILENT_AFTER_HELLO */
		wait_for_end(descriptor);
	}
}

static void serve_with_hostility(int descriptor, unsigned number, const void *context)
{
	enum hostility hostility = *(const enum hostility *)context;
	static char long_line[100000];
	char line[512];

	(void)number;
	memset(long_line, '2', sizeof(long_line));
	switch (hostility) {
	case NEVER_ANSWERS:
		wait_for_end(descriptor);
		break;
	case A_BYTE_A_SECOND:
		send_slowly(descriptor, long_line, sizeof(long_line));
		break;
	case ENDLESS_GREETING:
		send_lines_for_ever(descriptor, "220-wait\r\n");
		break;
	case LONG_LINE:
		(void)send_all(descriptor, long_line, sizeof(long_line));
		break;
	case GARBAGE:
		(void)send_all(descriptor, "\0\xff\x16\x03\x01\n\x80garbage\n", 16);
		break;
	case CLOSES_AT_ONCE:
		break;
	case CLOSES_AFTER_GREETING:
		(void)send_text(descriptor, "220 mx\r\n");
		(void)receive_line(descriptor, line, sizeof(line));
		break;
	case CLOSES_AFTER_EHLO:
		(void)send_text(descriptor, "220 mx\r\n");
		(void)receive_line(descriptor, line, sizeof(line));
		(void)send_text(descriptor, "250-mx\r\n250 STARTTLS\r\n");
		(void)receive_line(descriptor, line, sizeof(line));
		break;
	case CLOSES_AFTER_STARTTLS:
		(void)serve_up_to_starttls(descriptor);
		break;
	case TOO_BUSY:
		(void)send_text(descriptor, "421 4.7.0 too many connections\r\n");
		(void)receive_line(descriptor, line, sizeof(line));
		break;
	default:
		if (serve_up_to_starttls(descriptor))
			answer_hello(descriptor, hostility);
	}
}

/* In each case a bounded time, and at most as much memory as any probe needs. */
Test(probe, hostile_servers)
{
	static const struct {
		const char *result;
		const char *how;
	} expected[HOSTILITIES] = {
		[NEVER_ANSWERS] = {"not-tested", "timeout: the greeting"},
		[A_BYTE_A_SECOND] = {"not-tested", "timeout: the greeting"},
		[ENDLESS_GREETING] = {"not-tested", "the greeting has no end"},
		[LONG_LINE] = {"not-tested", "the greeting has no end"},
		[GARBAGE] = {"not-tested", "the greeting is no SMTP"},
		[CLOSES_AT_ONCE] = {"not-tested", "instead of the greeting"},
		[CLOSES_AFTER_GREETING] = {"not-tested", "instead of the answer to EHLO"},
		[CLOSES_AFTER_EHLO] = {"not-tested", "instead of the answer to STARTTLS"},
		[CLOSES_AFTER_STARTTLS] = {"refused", ""},
		[RESETS_AFTER_HELLO] = {"refused", "reset"},
		[SILENT_AFTER_HELLO] = {"not-tested", "timeout: no answer"},
		[A_BYTE_A_SECOND_AFTER_HELLO] = {"not-tested", "timeout: no answer"},
		[GARBAGE_AFTER_HELLO] = {"not-tested", "no TLS, but: "},
		[ENDLESS_RECORDS] = {"not-tested", "timeout: no answer"},
		[TOO_BUSY] = {"not-tested", "421 4.7.0 too many connections"},
		[TOO_BUSY_FOR_TLS] = {"not-tested", "no TLS, but: 421 4.7.0 try later"},
	};

	for (enum hostility i = 0; i < HOSTILITIES; i++) {
		struct hand_server server = start_hand_server(serve_with_hostility, &i);
		int status = 0;
		json_t *object =
			probe(WORDS(text("127.0.0.1:%u", server.port), "--timeout=0.3"), &status);

		for (size_t j = 0; j < VERSIONS; j++)
			expect_verdict(object, names[j], expected[i].result, expected[i].how,
				       text("hostility %d", i));
		cr_expect_eq(status, strcmp(expected[i].result, "refused") == 0 ? 0 : 2,
			     "hostility %d: exit status %d", i, status);
		stop_hand_server(&server);
	}
	struct rusage used;
	getrusage(RUSAGE_CHILDREN, &used);
	cr_expect_lt(used.ru_maxrss, 100L << 10, "%ld kB", used.ru_maxrss);
}

/* The third connection meets a 421: that version is not known, the others are. */
static void serve_busy_once(int descriptor, unsigned number, const void *context)
{
	static const uint8_t alert[] = {21, 3, 1, 0, 2, 2, 70};
	uint8_t record[4096];

	(void)context;
	if (number == 3) {
		(void)send_text(descriptor, "421 4.7.0 slow down\r\n");
	} else if (serve_up_to_starttls(descriptor) &&
		   receive_record(descriptor, record, sizeof(record)) > 0) {
		(void)send_all(descriptor, alert, sizeof(alert));
	}
	wait_for_end(descriptor);
}

Test(probe, a_421_is_no_refusal)
{
	struct hand_server server = start_hand_server(serve_busy_once, NULL);
	int status = 0;
	json_t *object = probe(WORDS(text("127.0.0.1:%u", server.port)), &status);

	cr_expect_eq(status, 2);
	expect_verdict(object, "1.3", "refused", "alert protocol_version", "first");
	expect_verdict(object, "1.2", "refused", "alert protocol_version", "second");
	expect_verdict(object, "1.1", "not-tested", "421 4.7.0 slow down", "third");
	expect_verdict(object, "1.0", "refused", "alert protocol_version", "fourth");
	expect_verdict(object, "3.0", "refused", "alert protocol_version", "fifth");
	stop_hand_server(&server);
}

/* It answers 1.2 and below, and says nothing to whoever offers 1.3: that is its refusal. */
static void serve_silent_at_1_3(int descriptor, unsigned number, const void *context)
{
	static const uint8_t alert[] = {21, 3, 1, 0, 2, 2, 70};
	uint8_t record[4096];

	(void)context;
	if (!serve_up_to_starttls(descriptor) ||
	    receive_record(descriptor, record, sizeof(record)) == 0)
		return;
	if (number > 1)
		(void)send_all(descriptor, alert, sizeof(alert));
	wait_for_end(descriptor);
}

Test(probe, silence_is_a_refusal_of_a_server_that_answers)
{
	struct hand_server server = start_hand_server(serve_silent_at_1_3, NULL);
	int status = 0;
	json_t *object = probe(WORDS(text("127.0.0.1:%u", server.port), "--timeout=0.3"), &status);

	cr_expect_eq(status, 0);
	expect_verdict(object, "1.3", "refused", "timeout", "1.3");
	expect_verdict(object, "1.2", "refused", "alert protocol_version", "1.2");
	stop_hand_server(&server);
}

/* OpenSSL's ClientHello gets handshake_failure, ours an answer: ours decides. */
static void serve_rc4_only(int descriptor, unsigned number, const void *context)
{
	static const uint8_t alert[] = {21, 3, 1, 0, 2, 2, 40};
	uint8_t record[4096];
	uint8_t hello[51] = {22, 3, 1, 0, 46, 2, 0, 0, 38, 3, 1};
	static const uint8_t rest[] = {0, 0x00, 0x05, 0, 14, 0, 0, 0};
	bool has_rc4 = false;

	(void)number;
	(void)context;
	size_t length = 0;
	if (!serve_up_to_starttls(descriptor) ||
	    (length = receive_record(descriptor, record, sizeof(record))) == 0)
		return;
	for (size_t i = 44; i + 1 < length && i < 200; i += 2)
		has_rc4 = has_rc4 || (record[i + 2] == 0 && record[i + 3] == 5) ||
			  (record[i] == 0 && record[i + 1] == 5);
	memcpy(hello + sizeof(hello) - sizeof(rest), rest, sizeof(rest));
	if (has_rc4 && record[9] == 3 && record[10] == 1)
		(void)send_all(descriptor, hello, sizeof(hello));
	else
		(void)send_all(descriptor, alert, sizeof(alert));
	wait_for_end(descriptor);
}

Test(probe, what_openssl_here_can_not_offer)
{
	struct hand_server server = start_hand_server(serve_rc4_only, NULL);
	int status = 0;
	json_t *object = probe(WORDS(text("127.0.0.1:%u", server.port)), &status);

	cr_expect_eq(status, 1);
	expect_verdict(object, "1.0", "accepted", "ServerHello", "RC4");
	cr_expect_str_eq(field(verdict(object, "1.0"), "cipher"), "TLS_RSA_WITH_RC4_128_SHA");
	expect_verdict(object, "1.2", "refused", "alert handshake_failure", "RC4");
	stop_hand_server(&server);
}

/* ---- many ---- */

/* Never two connections at once to one address, whatever the ports. */
Test(probe, one_connection_after_another)
{
	struct sink *sink = start_sink(WORDS("--tls=1.0..1.3", "--delay-ms=20"));
	struct program probe = {.argv = WORDS(tool_path(), "probe", "--json", sink->address,
					      sink->address, "--delay=0.05")};
	struct timespec begin;
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	cr_expect_eq(run_program(&probe), 1, "%s", probe.err);
	clock_gettime(CLOCK_MONOTONIC, &end);
	cr_expect_geq((end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000,
		      9 * 50 + 10 * 20, "the delays were not kept");
	cr_expect_eq(stop_sink(sink), 0);
	json_t *entries = read_json_lines(sink->log);
	cr_assert_eq(json_array_size(entries), 2 * VERSIONS);
	for (size_t i = 0; i < 2 * VERSIONS; i++)
		cr_expect_eq(json_integer_value(
				     json_object_get(json_array_get(entries, i), "connection")),
			     (json_int_t)i + 1, "connections overlapped");
}

/* As many servers as addresses, each of which greets late: the time of one, not of all. */
Test(probe, many_hosts_take_the_time_of_one)
{
	enum { HOSTS = 50, DELAY_MS = 100 };
	uint16_t port =
		start_sink_at("0.0.0.0", WORDS("--tls=1.2", text("--delay-ms=%d", DELAY_MS)));
	const char *words[HOSTS + 4] = {tool_path(), "probe", "--json"};
	struct program probe = {.argv = words};
	struct timespec begin;
	struct timespec end;

	for (unsigned i = 0; i < HOSTS; i++)
		words[3 + i] = text("127.0.1.%u:%u", i + 1, port);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	cr_expect_eq(run_program(&probe), 0, "%s", probe.err);
	clock_gettime(CLOCK_MONOTONIC, &end);
	json_t *lines = read_json_lines(probe.out_path);
	cr_assert_eq(json_array_size(lines), HOSTS);
	for (size_t i = 0; i < HOSTS; i++) {
		const json_t *line = json_array_get(lines, i);

		cr_expect_str_eq(field(line, "address"), text("127.0.1.%zu", i + 1));
		expect_verdict(line, "1.2", "accepted", NULL, "many");
	}
	/* One after another they would need 50 x 5 x 100 ms. */
	cr_expect_lt(end.tv_sec - begin.tv_sec, HOSTS * 5 * DELAY_MS / 1000 / 2);
}

/* A record of the sink's port; `more` is the rest of its fields. */
static const char *record_line(unsigned id, const char *action, unsigned port, const char *more)
{
	return text("{\"@timestamp\":\"2026-11-23T13:05:07.123456Z\",\"event.id\":\"%032x\","
		    "\"event.action\":\"%s\",\"event.outcome\":\"success\","
		    "\"destination.ip\":\"127.0.0.1\",\"destination.port\":%u%s}\n",
		    id, action, port, more);
}

/* Run in a terminal of its own; what it shows there of its work, and what is left of that. */
static const char *shown_in_terminal(const struct sink *sink, const char *terminal)
{
	struct program script = {
		.argv = WORDS("script", "--quiet", "--return", "--command",
			      text("'%s' probe %s >/dev/null", tool_path(), sink->address),
			      "/dev/null"),
		.env = WORDS(terminal)};

	cr_expect_eq(run_program(&script), 0, "%s%s", script.out, script.err);
	return script.out;
}

Test(probe, a_terminal_is_told_how_far_it_is)
{
	static const char erase[] = "\r\x1b[K";
	struct sink *sink = start_sink(WORDS("--tls=1.2..1.3", "--delay-ms=300"));
	const char *shown = shown_in_terminal(sink, "TERM=xterm");
	size_t length = strlen(shown);

	cr_expect_not_null(strstr(shown, " of 5 versions"), "%s", shown);
	cr_expect_not_null(strstr(shown, "[####"), "%s", shown);
	/* Nothing of it stays. */
	cr_assert_geq(length, sizeof(erase) - 1);
	cr_expect_str_eq(shown + length - (sizeof(erase) - 1), erase);
	cr_expect_str_eq(shown_in_terminal(sink, "TERM=dumb"), "");
}

Test(probe, beside_what_was_negotiated)
{
	struct sink *sink = start_sink(WORDS("--tls=1.0..1.3"));
	const char *old = ",\"tls.version\":\"1.0\",\"process.executable\":\"/usr/bin/old\"";
	const char *log = test_file(
		"log.jsonl",
		text("%s%s%s%s%s%s", record_line(1, "tls-handshake", sink->port, old),
		     /* delivered twice by a shipper */
		     record_line(1, "tls-handshake", sink->port, old),
		     /* of a roll-up */
		     record_line(2, "tls-handshake", sink->port,
				 text("%s,\"tlswitness.count\":40", old)),
		     record_line(3, "tls-handshake", sink->port,
				 ",\"tls.version\":\"1.2\",\"process.executable\":"
				 "\"/usr/bin/php\",\"tlswitness.script\":\"/srv/mail.php\""),
		     record_line(4, "plaintext-mail", sink->port, ""),
		     record_line(5, "tls-handshake", sink->port + 1, ",\"tls.version\":\"1.0\"")));
	const char *compare = text("--compare=%s", log);
	struct program words = {.argv = WORDS(tool_path(), "probe", sink->address, compare)};
	int status = 0;
	json_t *seen = json_object_get(probe(WORDS(sink->address, compare), &status), "seen");
	json_t *expected =
		json_pack("{s:i,s:i,s:i,s:{s:{s:i},s:{s:i}}}", "1.0", 41, "1.2", 1, "clear", 1,
			  "programs", "/usr/bin/old", "1.0", 41, "/srv/mail.php", "1.2", 1);

	cr_expect(json_equal(seen, expected), "%s", json_dumps(seen, JSON_COMPACT));
	json_decref(expected);
	run_program(&words);
	cr_expect_not_null(strstr(words.out,
				  "  negotiated from here: 41 x TLS 1.0, 1 x TLS 1.2, 1 x "
				  "in the clear\n"
				  "    /usr/bin/old: 41 x TLS 1.0\n"
				  "    /srv/mail.php: 1 x TLS 1.2\n"),
			   "%s", words.out);
}

/* One file of many authorities, of whom one has signed: as curl and OpenSSL use it. */
Test(probe, the_authorities_of_the_system)
{
	const char *env[] = {NULL, "SSL_CERT_DIR=/nowhere", NULL};
	const struct sink *sink;
	const char *bundle;
	const char *others = "";
	int status = 0;
	json_t *certificate;

	make_authority("authority");
	make_certificate("named", "authority", "localhost", 30);
	sink = start_sink(sink_with_certificate("named"));
	for (unsigned i = 0; i < 5; i++) {
		make_authority(text("other%u", i));
		others = text("%s# not this one\n%s", others,
			      read_file(certificate_path(text("other%u", i)), NULL));
	}
	bundle = test_file(
		"bundle.pem",
		text("%s%s%s", others, read_file(certificate_path("authority"), NULL), others));
	env[0] = text("SSL_CERT_FILE=%s", bundle);
	certificate = json_object_get(
		probe_in(WORDS("-4", text("localhost:%u", sink->port)), env, &status),
		"certificate");
	cr_expect(json_is_true(json_object_get(certificate, "verified")), "%s",
		  field(certificate, "reason"));
	env[0] = text("SSL_CERT_FILE=%s", test_file("others.pem", others));
	certificate = json_object_get(
		probe_in(WORDS("-4", text("localhost:%u", sink->port)), env, &status),
		"certificate");
	cr_expect(json_is_false(json_object_get(certificate, "verified")));
	cr_expect_str_eq(field(certificate, "reason"), "unable to get local issuer certificate");
}

/* In a network of its own, where the endpoint's name is one of this machine. */
static const char ses_endpoint[] =
	"ip link set lo up\n"
	"echo 127.0.0.1 email-smtp.eu-west-1.amazonaws.com >\"$2/hosts\"\n"
	"mount --bind \"$2/hosts\" /etc/hosts\n"
	"mkfifo \"$2/ready\"\n"
	"\"$1\" sink --port=587 --tls=1.1..1.3 --log=/dev/null --quiet >\"$2/ready\" &\n"
	"sink=$!\n"
	"read -r line <\"$2/ready\"\n"
	"\"$1\" probe --ses eu-west-1 --json\n"
	"status=$?\n"
	"kill \"$sink\"\n"
	"exit \"$status\"\n";

Test(probe, amazon_s_endpoint_is_five_ports)
{
	static const struct {
		unsigned port;
		const char *tls_mode;
	} rows[] = {{25, "starttls"},
		    {465, "implicit"},
		    {587, "starttls"},
		    {2465, "implicit"},
		    {2587, "starttls"}};
	struct program allowed = {.argv = WORDS("unshare", "-mn", "true")};
	struct program probe = {.argv = WORDS("unshare", "-mn", "sh",
					      test_file("ses", ses_endpoint), tool_path(),
					      test_path("."))};

	if (run_program(&allowed) != 0)
		cr_skip("no namespaces of networks and mounts here");
	/* TLS 1.1 is accepted at one of them. */
	cr_expect_eq(run_program(&probe), 1, "%s", probe.err);
	const json_t *lines = read_json_lines(probe.out_path);
	cr_assert_eq(json_array_size(lines), 5, "%s", probe.out);
	for (size_t i = 0; i < 5; i++) {
		const json_t *line = json_array_get(lines, i);

		cr_expect_str_eq(field(line, "host"), "email-smtp.eu-west-1.amazonaws.com");
		cr_expect_eq(json_integer_value(json_object_get(line, "port")), rows[i].port);
		cr_expect_str_eq(field(line, "tls_mode"), rows[i].tls_mode, "%u", rows[i].port);
		expect_verdict(line, "1.1", rows[i].port == 587 ? "accepted" : "not-tested", NULL,
			       "a port");
		expect_verdict(line, "1.0", rows[i].port == 587 ? "refused" : "not-tested", NULL,
			       "a port");
	}
}

Test(probe, bad_use_says_the_remedy)
{
	static const struct {
		const char *word;
		const char *says;
	} rows[] = {
		{"--floor=2.0", "1.0, 1.1, 1.2 or 1.3"},
		{"--delay=x", "number of seconds"},
		{"--timeout=0", "number of seconds"},
		{"--parallel=0", "--parallel"},
		{"--nonsense", "--help"},
		{"--ses=Ireland!", "eu-west-1"},
		{"mail example:25", "HOST:PORT"},
		{"mail.example.net:0", "names no port"},
		{"mail.example.net:65536", "names no port"},
		{"[::1:25", "HOST:PORT"},
		{"--helo=a b", "host name"},
		{"--mta-sts", "--mx DOMAIN"},
		{"--ca-file=/nowhere", "--ca-file"},
		{"--resolver=nowhere", "--resolver"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool is_option =
			rows[i].word[0] == '-' && strcmp(rows[i].word, "--ses=Ireland!") != 0;
		struct program probe = {.argv = WORDS(tool_path(), "probe", rows[i].word,
						      is_option ? "127.0.0.1:1" : "127.0.0.1")};

		cr_expect_eq(run_program(&probe), 2, "%s", rows[i].word);
		cr_expect_not_null(strstr(probe.err, rows[i].says), "%s: %s", rows[i].word,
				   probe.err);
		cr_expect_str_eq(probe.out, "", "%s", rows[i].word);
	}
	struct program nobody = {.argv = WORDS(tool_path(), "probe")};
	cr_expect_eq(run_program(&nobody), 2);
	cr_expect_not_null(strstr(nobody.err, "HOST[:PORT]"));
}

/* At 80 columns, also where nobody says how wide it is. */
Test(probe, the_text_is_no_wider_than_80_columns)
{
	struct sink *sink = start_sink(WORDS("--tls=1.0..1.3"));
	struct program probe = {.argv = WORDS(tool_path(), "probe", sink->address, "127.0.0.1:1")};

	cr_expect_eq(run_program(&probe), 1, "%s", probe.err);
	for (const char *line = probe.out; *line != '\0';) {
		size_t length = strcspn(line, "\n");

		cr_expect_leq(length, 80, "%.*s", (int)length, line);
		line += length + (line[length] == '\n');
	}
	cr_expect_not_null(strstr(probe.out, "TLS 1.0  ACCEPTED"), "%s", probe.out);
	cr_expect_not_null(strstr(probe.out, "TLS 1.3  accepted"), "%s", probe.out);
	cr_expect_not_null(strstr(probe.out, "\nHOST "), "%s", probe.out);
	cr_expect_null(strchr(probe.out, '\033'));
}
