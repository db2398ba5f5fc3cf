/*
 * Whatever stands in front of the server: proxies that were asked to go on, a
 * proxy that is the sender, and mail ports on which a session does not begin
 * as sessions do. The sink's log says what arrived.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "tests/integration/daemons.h"
#include "tests/integration/records.h"
#include "tests/integration/senders.h"

TestSuite(hops, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

static const char *const audit[] = {NULL};
static const char *const enforce[] = {"--enforce", "--plaintext", "refuse", NULL};

/* ---- proxies ---- */

static uint16_t start_socks(const char *const options[])
{
	uint16_t port = free_port();

	/* Where localhost is ::1 as well, it would try that alone. */
	start_daemon(join_words(WORDS("microsocks", "-i", "127.0.0.1", "-b", "127.0.0.1", "-p",
				      text("%u", port)),
				options),
		     port);
	return port;
}

static uint16_t start_dante(void)
{
	const char *build = getenv("TLSWITNESS_BUILD");
	const char *dante = text("%s/debian/usr/sbin/danted", build ? build : "build");
	uint16_t port = free_port();
	const char *configuration = test_file(
		"danted.conf", text("logoutput: stderr\ninternal: 127.0.0.1 port = %u\n"
				    "external: lo\nclientmethod: none\nsocksmethod: none\n"
				    "user.privileged: root\nuser.unprivileged: nobody\n"
				    "client pass { from: 0/0 to: 0/0 }\n"
				    "socks pass { from: 0/0 to: 0/0 }\n",
				    port));

	if (access(dante, X_OK) != 0)
		cr_skip("this release has no dante-server");
	start_daemon(WORDS(dante, "-f", configuration, "-p", test_path("danted.pid")), port);
	return port;
}

static uint16_t start_http(void)
{
	uint16_t port = free_port();
	const char *configuration =
		test_file("tinyproxy.conf", text("Port %u\nListen 127.0.0.1\nAllow 127.0.0.1\n"
						 "MaxClients 10\nTimeout 60\n",
						 port));

	start_daemon(WORDS("tinyproxy", "-d", "-c", configuration), port);
	return port;
}

/* ---- one sender over one hop, three times ---- */

struct hop {
	const char *name;
	const char *const *argv;
	const char *input;
	const char *const *env;
	const char *proxy;       /* as the record has it, "" for none */
	const char *destination; /* its port's or its name's, as the record has it */
};

static struct program hop_program(const struct hop *hop, const struct sink *sink, const char *log,
				  const char *const options[])
{
	const char *const *run =
		WORDS(tool_path(), "run", "--log", log, "--ports", text("%u", sink->port));

	return (struct program){
		.argv = join_words(join_words(join_words(run, options), WORDS("--")), hop->argv),
		.env = join_words(WORDS(old_tls_allowed()), hop->env ? hop->env : NO_WORDS),
		.input = hop->input,
	};
}

static const json_t *only_record(const char *log, const char *what)
{
	json_t *records = records_of(log, NULL);
	const json_t *found = NULL;
	size_t count = 0;

	for (size_t i = 0; i < json_array_size(records); i++) {
		const json_t *record = json_array_get(records, i);

		if (strcmp(field(record, "event.action"), "protocol-setting") == 0)
			continue;
		found = record;
		count++;
	}
	cr_assert_eq(count, 1, "%s: %zu records\n%s", what, count, read_file(log, NULL));
	return found;
}

/* Mail over TLS 1.0, or in the clear where `version` is "". */
static void expect_recorded(const struct hop *hop, struct sink *sink, const char *version)
{
	const char *log = test_path(text("%s.audit.jsonl", hop->name));
	struct program program = hop_program(hop, sink, log, audit);
	int status = run_program(&program);
	const json_t *record = only_record(log, hop->name);

	cr_expect_eq(status, 0, "%s: %s", hop->name, program.err);
	cr_expect_str_eq(field(record, "tls.version"), version, "%s", hop->name);
	cr_expect_str_eq(field(record, "tlswitness.tls_mode"), *version ? "starttls" : "none", "%s",
			 hop->name);
	cr_expect_str_eq(field(record, "tlswitness.verdict"),
			 *version ? "below-floor" : "plaintext", "%s", hop->name);
	cr_expect_str_eq(field(record, "network.protocol"), "smtp", "%s", hop->name);
	cr_expect_str_eq(field(record, "tlswitness.proxy"), hop->proxy, "%s", hop->name);
	cr_expect_eq(number_field(record, "destination.port"), sink->port, "%s", hop->name);
	cr_expect(strcmp(field(record, "destination.ip"), hop->destination) == 0 ||
			  strcmp(field(record, "destination.domain"), hop->destination) == 0,
		  "%s: %s", hop->name, read_file(log, NULL));
}

static void expect_stopped(const struct hop *hop, struct sink *sink)
{
	const char *log = test_path(text("%s.enforce.jsonl", hop->name));
	struct program program = hop_program(hop, sink, log, enforce);
	int status = run_program(&program);

	cr_expect_neq(status, 0, "%s: it is content", hop->name);
	cr_expect_str_eq(field(only_record(log, hop->name), "tlswitness.verdict"), "refused", "%s",
			 hop->name);
}

/* How many messages the sink took. */
static long long messages_of(struct sink *sink)
{
	json_t *entries = NULL;
	long long messages = 0;

	stop_sink(sink);
	entries = read_json_lines(sink->log);
	for (size_t i = 0; i < json_array_size(entries); i++)
		messages += number_field(json_array_get(entries, i), "messages");
	return messages;
}

/* Bare and audited it is delivered, enforced it is not. */
static void expect_hop(const struct hop *hop, struct sink *sink, const char *version)
{
	struct program bare = {
		.argv = hop->argv,
		.env = join_words(WORDS(old_tls_allowed()), hop->env ? hop->env : NO_WORDS),
		.input = hop->input,
	};

	cr_expect_eq(run_program(&bare), 0, "%s, bare: %s", hop->name, bare.err);
	expect_recorded(hop, sink, version);
	expect_stopped(hop, sink);
	cr_expect_eq(messages_of(sink), 2, "%s", hop->name);
}

static const char message[] = "Subject: rehearsal\r\n\r\nhello\r\n";

static const char *const *curl(const struct sink *sink, const char *const proxy[], bool tls)
{
	const char *const *always =
		WORDS("curl", "--silent", "--show-error", "--url",
		      text("smtp://localhost:%u", sink->port), "--mail-from", "a@example.com",
		      "--mail-rcpt", "b@example.com", "--upload-file", "-");

	always = join_words(always, proxy);
	return tls ? join_words(always, WORDS("--ssl-reqd", "--cacert", sink->certificate))
		   : always;
}

static const char *at(uint16_t port)
{
	return text("127.0.0.1:%u", port);
}

static void expect_curl(const char *name, const char *const proxy[], const char *recorded,
			const char *destination)
{
	for (unsigned tls = 0; tls < 2; tls++) {
		struct sink *sink = start_sink(tls ? WORDS("--tls=1.0") : WORDS("--tls=none"));
		struct hop hop = {
			.name = text("curl-%s-%u", name, tls),
			.argv = curl(sink, proxy, tls != 0),
			.input = message,
			.proxy = recorded,
			.destination = destination,
		};

		expect_hop(&hop, sink, tls ? "1.0" : "");
	}
}

Test(hops, curl_over_socks)
{
	uint16_t port = start_socks(NO_WORDS);
	const char *recorded = text("socks5://%s", at(port));

	/* A newer curl would have it try ::1 alone, where no sink is. */
	expect_curl("socks5", WORDS("--ipv4", "--socks5", at(port)), recorded, "127.0.0.1");
	expect_curl("socks5h", WORDS("--socks5-hostname", at(port)), recorded, "localhost");
}

Test(hops, curl_over_dante)
{
	uint16_t port = start_dante();

	expect_curl("dante5", WORDS("--socks5-hostname", at(port)), text("socks5://%s", at(port)),
		    "localhost");
	expect_curl("dante4", WORDS("--socks4", at(port)), text("socks4://%s", at(port)),
		    "127.0.0.1");
}

Test(hops, curl_over_socks_with_a_password)
{
	uint16_t port = start_socks(WORDS("-u", "bob", "-P", "hunter2"));

	expect_curl("password", WORDS("--socks5-hostname", at(port), "--proxy-user", "bob:hunter2"),
		    text("socks5://%s", at(port)), "localhost");
	cr_expect_null(
		strstr(read_file(test_path("curl-password-1.audit.jsonl"), NULL), "hunter2"));
}

Test(hops, curl_over_socks_4)
{
	const char *script = "tests/scripts/socks4.py";
	uint16_t port = free_port();

	start_daemon(WORDS("python3", script, text("%u", port)), port);
	expect_curl("socks4", WORDS("--socks4", at(port)), text("socks4://%s", at(port)),
		    "127.0.0.1");
	expect_curl("socks4a", WORDS("--socks4a", at(port)), text("socks4://%s", at(port)),
		    "localhost");
}

Test(hops, curl_over_http)
{
	uint16_t port = start_http();

	expect_curl("http", WORDS("--proxytunnel", "--proxy", at(port)),
		    text("http://%s", at(port)), "localhost");
}

/* SOCKS over HTTP: two hops, of which the first is the one at the other end. */
Test(hops, curl_over_two)
{
	uint16_t socks = start_socks(NO_WORDS);
	uint16_t http = start_http();

	expect_curl("two",
		    WORDS("--preproxy", text("socks5://%s", at(socks)), "--proxytunnel", "--proxy",
			  at(http)),
		    text("socks5://%s", at(socks)), "localhost");
}

/* GnuTLS, by the wire alone. */
Test(hops, msmtp_over_socks)
{
	uint16_t port = start_socks(NO_WORDS);
	struct sink *sink = start_sink(WORDS("--tls=1.0"));
	struct hop hop = {
		.name = "msmtp",
		.argv = WORDS("msmtp", "--host=localhost", text("--port=%u", sink->port),
			      "--proxy-host=127.0.0.1", text("--proxy-port=%u", port), "--tls=on",
			      "--tls-starttls=on", text("--tls-trust-file=%s", sink->certificate),
			      "--tls-priorities=NORMAL:-VERS-ALL:+VERS-TLS1.0",
			      "--from=a@example.com", "b@example.com"),
		.input = message,
		.proxy = text("socks5://%s", at(port)),
		.destination = "localhost",
	};

	expect_hop(&hop, sink, "1.0");
}

/* An interposer of its own, which puts the hop under the program's connect(). */
Test(hops, proxychains)
{
	uint16_t port = start_socks(NO_WORDS);

	for (unsigned tls = 0; tls < 2; tls++) {
		struct sink *sink = start_sink(tls ? WORDS("--tls=1.0") : WORDS("--tls=none"));
		const char *configuration =
			test_file("chains.conf",
				  text("strict_chain\n[ProxyList]\nsocks5 127.0.0.1 %u\n", port));
		const char *log = test_path(text("chains.%u.jsonl", tls));
		struct hop hop = {
			.name = text("proxychains-%u", tls),
			.argv = join_words(WORDS("proxychains4", "-q", "-f", configuration),
					   curl(sink, WORDS("--ipv4"), tls != 0)),
			.input = message,
		};
		struct program program = hop_program(&hop, sink, log, audit);
		struct program bare = {
			.argv = hop.argv, .env = WORDS(old_tls_allowed()), .input = message};

		cr_expect_eq(run_program(&bare), 0, "%s", bare.err);
		cr_expect_eq(run_program(&program), 0, "%s", program.err);
		cr_expect_str_eq(field(only_record(log, hop.name), "tls.version"),
				 tls ? "1.0" : "");
		cr_expect_eq(number_field(only_record(log, hop.name), "destination.port"),
			     sink->port);
		expect_stopped(&hop, sink);
		cr_expect_eq(messages_of(sink), 2);
	}
}

/* ---- a proxy that is the sender ---- */

/* haproxy takes it in the clear and hands it on with a preamble, which the server unwraps. */
static void expect_preamble(const char *keyword)
{
	struct sink *sink = start_sink(WORDS("--tls=none"));
	uint16_t unwrapping = free_port();
	struct program unwrap = start_daemon(WORDS("python3", "tests/scripts/unwrap_preamble.py",
						   text("%u", unwrapping), text("%u", sink->port)),
					     unwrapping);
	const char *const modes[] = {"audit", "enforce", "bare"};

	for (unsigned i = 0; i < 3; i++) {
		uint16_t port = free_port();
		const char *log = test_path(text("%s.%s.jsonl", keyword, modes[i]));
		const char *configuration = test_file(
			text("%s.%s.cfg", keyword, modes[i]),
			text("defaults\n mode tcp\n timeout connect 5s\n timeout client 20s\n"
			     " timeout server 20s\nlisten mail\n bind 127.0.0.1:%u\n"
			     " server sink 127.0.0.1:%u %s\n",
			     port, unwrapping, keyword));
		const char *const *run = join_words(
			WORDS(tool_path(), "run", "--log", log, "--ports", text("%u", unwrapping)),
			join_words(i ? enforce : audit, WORDS("--")));
		struct program haproxy =
			start_daemon(join_words(i == 2 ? NO_WORDS : run,
						WORDS("haproxy", "-db", "-f", configuration)),
				     port);
		struct program client = {
			.argv = curl(&(struct sink){.port = port}, NO_WORDS, false),
			.input = message};
		int status = run_program(&client);
		const json_t *record;

		cr_expect_eq(status == 0, i != 1, "%s %s: %s", keyword, modes[i], client.err);
		if (i == 2) {
			kill(haproxy.pid, SIGTERM);
			continue;
		}
		record = only_record(log, keyword);
		cr_expect_str_eq(field(record, "tlswitness.verdict"), i ? "refused" : "plaintext");
		cr_expect_str_eq(field(record, "network.forwarded_ip"), "127.0.0.1");
		cr_expect_null(json_object_get(record, "tlswitness.proxy"));
		kill(haproxy.pid, SIGTERM);
	}
	kill(unwrap.pid, SIGTERM);
	cr_expect_eq(messages_of(sink), 2, "%s", keyword);
}

Test(hops, haproxy_with_a_preamble)
{
	expect_preamble("send-proxy");
	expect_preamble("send-proxy-v2");
}

/* ---- a mail port is a mail port ---- */

struct opening {
	const char *name;
	const char *greeting;
	const char *first; /* the client's words before MAIL */
};

static const struct opening openings[] = {
	{"words", "hello there", ""},         {"code", "250 hello", "NOOP"},
	{"nameless", "220 mx ready", "RSET"}, {"help", "220 mx ready", "HELP"},
	{"verify", "220 mx ready", "VRFY x"}, {"xclient", "220 mx ready", "XCLIENT NAME=x"},
	{"empty", "220 mx ready", "\\r\\n"},  {"blank", "220 mx ESMTP", " EHLO x"},
	{"nothing", "", "FROBNICATE"},
};

/* Did MAIL arrive at a server with this greeting? `options` NULL: bare. */
static bool mail_arrives(const struct opening *opening, const char *const options[],
			 const char *log)
{
	const char *took = test_path(text("%s.took", log));
	uint16_t port = free_port();
	struct program server = start_daemon(WORDS("python3", "tests/scripts/odd_server.py",
						   text("%u", port), opening->greeting, took),
					     port);
	struct program client = {.argv = WORDS("python3", "tests/scripts/odd_client.py",
					       text("%u", port), opening->first)};

	if (options)
		client.argv =
			join_words(join_words(WORDS(tool_path(), "run", "--log", test_path(log),
						    "--ports", text("%u", port)),
					      options),
				   join_words(WORDS("--"), client.argv));
	run_program(&client);
	end_program(&server);
	return strstr(read_file(took, NULL), "MAIL FROM") != NULL;
}

/* With any greeting or none, and whatever comes first, MAIL is MAIL. */
Test(hops, a_session_that_begins_otherwise)
{
	for (size_t i = 0; i < sizeof(openings) / sizeof(openings[0]); i++) {
		const struct opening *opening = &openings[i];
		const char *audited = text("%s.audit", opening->name);
		const char *enforced = text("%s.enforce", opening->name);

		cr_expect(mail_arrives(opening, NULL, text("%s.bare", opening->name)), "%s, bare",
			  opening->name);
		cr_expect(mail_arrives(opening, audit, audited), "%s", audited);
		cr_expect_not(mail_arrives(opening, enforce, enforced), "%s", enforced);
		cr_expect_str_eq(
			field(only_record(test_path(audited), audited), "tlswitness.verdict"),
			"plaintext", "%s", audited);
		cr_expect_str_eq(
			field(only_record(test_path(enforced), enforced), "tlswitness.verdict"),
			"refused", "%s", enforced);
	}
}
