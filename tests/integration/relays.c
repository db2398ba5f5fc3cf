/*
 * Programs whose bytes take odd ways: the shell's /dev/tcp, Bacula's bsmtp over
 * stdio, nginx between a client and a server, a client under torsocks. Bare, in
 * audit, in enforce; the sink's log says what arrived.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "tests/integration/daemons.h"
#include "tests/integration/records.h"
#include "tests/integration/senders.h"
#include "tests/integration/trial.h"

TestSuite(relays, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

/* Unpacked there by tests/setup. */
static const char *unpacked(const char *path)
{
	const char *build = getenv("TLSWITNESS_BUILD");
	const char *found =
		text("%s/debian/%s", realpath(build != NULL ? build : "build", NULL), path);

	return found;
}

static const char *const refuse[] = {"--ports=PORT", "--enforce", "--plaintext=refuse", NULL};

static bool any_true(const json_t *entries, const char *key)
{
	for (size_t i = 0; i < json_array_size(entries); i++) {
		if (json_is_true(json_object_get(json_array_get(entries, i), key)))
			return true;
	}
	return false;
}

static const json_t *only(const struct trial *trial)
{
	cr_assert_eq(json_array_size(trial->records), 1, "%s: %zu records", trial->name,
		     json_array_size(trial->records));
	return json_array_get(trial->records, 0);
}

/* In the clear: it is content bare and in audit, which calls it `action`; in enforce nothing
 * arrives. */
static void expect_clear(const char *name, program_for program, const char *action)
{
	struct trial trial = try_program(name, program, NULL, WORDS("--tls=none"), NULL);

	cr_expect_eq(trial.program.status, 0, "%s: %s", name, trial.program.err);
	cr_expect(any_true(trial.entries, "mail"), "%s, bare", name);
	trial = try_program(name, program, NULL, WORDS("--tls=none"), WORDS("--ports=PORT"));
	cr_expect_eq(trial.program.status, 0, "%s: %s", name, trial.program.err);
	cr_expect(any_true(trial.entries, "mail"), "%s", name);
	cr_expect_str_eq(field(only(&trial), "event.action"), action, "%s", name);
	trial = try_program(name, program, NULL, WORDS("--tls=none"), refuse);
	cr_expect_neq(trial.program.status, 0, "%s is content", name);
	cr_expect_not(any_true(trial.entries, "mail"), "%s: mail in enforce", name);
	cr_expect_str_eq(field(only(&trial), "tlswitness.verdict"), "refused", "%s", name);
}

static struct program shell(const struct sink *sink, const void *unused)
{
	(void)unused;
	return (struct program){.argv = join_words(WORDS("bash", "tests/senders/dev_tcp.sh",
							 text("%u", sink->port)),
						   NO_WORDS)};
}

/* What its printf sends goes by stdio over a copy of the descriptor; what it reads is seen. */
Test(relays, shell_by_dev_tcp)
{
	expect_clear("bash", shell, "blind-spot");
}

static struct program bsmtp(const struct sink *sink, const void *unused)
{
	(void)unused;
	return (struct program){
		.argv = join_words(WORDS(unpacked("usr/sbin/bsmtp"), "-h",
					 text("127.0.0.1:%u", sink->port), "-f", "a@example.com",
					 "-s", "rehearsal", "b@example.com"),
				   NO_WORDS),
		.env = join_words(WORDS(text("LD_LIBRARY_PATH=%s", unpacked("usr/lib/bacula"))),
				  NO_WORDS),
		.input = "hello\n",
	};
}

Test(relays, bacula_by_stdio)
{
	expect_clear("bsmtp", bsmtp, "blind-spot");
}

/* ---- nginx, which goes on to the sink ---- */

static const char *nginx_configuration(const char *name, const char *parts)
{
	const char *modules = unpacked("usr/lib/nginx/modules");

	return test_file(text("%s.conf", name),
			 text("load_module %s/ngx_stream_module.so;\n"
			      "load_module %s/ngx_mail_module.so;\n"
			      "daemon off;\nmaster_process off;\npid %s/%s.pid;\n"
			      "error_log %s/%s.error;\nevents { worker_connections 64; }\n%s",
			      modules, modules, test_path("."), name, test_path("."), name, parts));
}

static const char *const *nginx(const char *name, const char *parts)
{
	return join_words(WORDS(unpacked("usr/sbin/nginx"), "-e", "stderr", "-c",
				nginx_configuration(name, parts)),
			  NO_WORDS);
}

/* Clear mail to `port`; 0 if it was taken. */
static int send_to(uint16_t port)
{
	struct program client = {
		.argv = WORDS("curl", "--silent", "--show-error", "--max-time", "20", "--url",
			      text("smtp://127.0.0.1:%u", port), "--mail-from", "a@example.com",
			      "--mail-rcpt", "b@example.com", "--upload-file", "-"),
		.input = "Subject: rehearsal\r\n\r\nhello\r\n",
	};

	return run_program(&client);
}

struct relay {
	const char *name;
	const char *sink;    /* its --tls, behind implicit TLS if it has any */
	const char *parts;   /* of the configuration: PORT and UPSTREAM stand for numbers */
	const char *audited; /* verdicts */
	const char *enforced;
};

static const char *filled(const char *parts, uint16_t port, uint16_t upstream)
{
	const char *first = strstr(parts, "PORT");
	const char *second = strstr(parts, "UPSTREAM");

	cr_assert(first && second && first < second);
	return text("%.*s%u%.*s%u%s", (int)(first - parts), parts, port,
		    (int)(second - first - strlen("PORT")), first + strlen("PORT"), upstream,
		    second + strlen("UPSTREAM"));
}

static void expect_relayed(const struct relay *relay, const char *mode)
{
	struct sink *sink =
		start_sink(WORDS(text("--tls=%s", relay->sink),
				 strcmp(relay->sink, "none") == 0 ? NULL : "--implicit"));
	const char *name = text("%s.%s", relay->name, *mode ? mode : "bare");
	const char *log = test_path(text("%s.jsonl", name));
	uint16_t port = free_port();
	const char *const *argv = nginx(name, filled(relay->parts, port, sink->port));
	bool delivers = strcmp(mode, "--enforce") != 0 || strcmp(relay->enforced, "refused") != 0;
	struct program daemon;
	json_t *records = NULL;

	if (*mode)
		argv = join_words(WORDS(tool_path(), "run", "--log", log, "--ports",
					text("%u", sink->port), "--plaintext=refuse", mode, "--"),
				  argv);
	daemon = start_daemon(argv, port);
	cr_expect_eq(send_to(port) == 0, delivers, "%s: %s", name,
		     read_file(test_path(text("%s.error", name)), NULL));
	kill(daemon.pid, SIGTERM);
	end_program(&daemon);
	stop_sink(sink);
	cr_expect_eq(any_true(read_json_lines(sink->log), "mail"), delivers, "%s", name);
	if (!*mode)
		return;
	records = records_of_connections(log);
	cr_assert_eq(json_array_size(records), 1, "%s: %zu records\n%s", name,
		     json_array_size(records), read_file(log, NULL));
	cr_expect_str_eq(field(json_array_get(records, 0), "tlswitness.verdict"),
			 strcmp(mode, "--enforce") == 0 ? relay->enforced : relay->audited, "%s",
			 name);
	cr_expect_eq(number_field(json_array_get(records, 0), "destination.port"), sink->port);
}

/* As a stream: in the clear, and in TLS of its own. */
Test(relays, nginx_that_passes_a_stream_on)
{
	static const char old[] = "stream { server { listen 127.0.0.1:PORT;\n"
				  "proxy_pass 127.0.0.1:UPSTREAM; proxy_ssl on;\n"
				  "proxy_ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;\n"
				  "proxy_ssl_ciphers DEFAULT:@SECLEVEL=0; } }\n";
	static const struct relay relays[] = {
		{"clear", "none",
		 "stream { server { listen 127.0.0.1:PORT; proxy_pass 127.0.0.1:UPSTREAM; } }\n",
		 "plaintext", "refused"},
		{"old", "1.0", old, "below-floor", "refused"},
		{"new", "1.3", old, "at-risk", "ok"},
	};

	for (size_t i = 0; i < sizeof(relays) / sizeof(relays[0]); i++) {
		expect_relayed(&relays[i], "");
		expect_relayed(&relays[i], "--scope=smtp");
		expect_relayed(&relays[i], "--enforce");
	}
}

/* As a mail proxy, which tells the server by XCLIENT whom it speaks for. */
Test(relays, nginx_that_speaks_smtp)
{
	uint16_t answers = free_port();
	struct relay relay = {"mail", "none",
			      text("mail { server { listen 127.0.0.1:PORT; protocol smtp; }\n"
				   "auth_http 127.0.0.1:%u/UPSTREAM; smtp_auth none;\n"
				   "xclient off; proxy_pass_error_message on; }\n",
				   answers),
			      "plaintext", "refused"};

	start_daemon(WORDS("python3", "tests/scripts/mail_authority.py", text("%u", answers)),
		     answers);
	expect_relayed(&relay, "");
	expect_relayed(&relay, "--scope=smtp");
	expect_relayed(&relay, "--enforce");
}

/* ---- torsocks, which stands before us and asks libc itself for connect() ---- */

/* It goes on to no loopback address: in a network of the test's own. */
static const char torsocks_script[] =
	"tool=$1 version=$2 directory=$3 mode=$4 tls=$5\n"
	"ip link set lo up && ip address add 192.0.2.1/32 dev lo || exit 99\n"
	"microsocks -i 127.0.0.1 -p 9050 &\n"
	"\"$tool\" sink --tls=$version --connections=1 --address=192.0.2.1 \\\n"
	"	--log=\"$directory/sink.json\" >\"$directory/sink.out\" &\n"
	"until grep -q listening \"$directory/sink.out\" && grep -q :235A /proc/net/tcp; do\n"
	"	sleep 0.02\n"
	"done\n"
	"port=$(sed -n 's/.*:\\([0-9]*\\).*/\\1/p' \"$directory/sink.out\")\n"
	"printf 'Subject: rehearsal\\r\\n\\r\\nhello\\r\\n' >\"$directory/mail\"\n"
	"run=\n"
	"[ -z \"$mode\" ] || run=\"$tool run --log $directory/log --ports $port $mode --\"\n"
	"$run torsocks curl --silent --show-error $tls --insecure --url smtp://192.0.2.1:$port \\\n"
	"	--mail-from a@example.com --mail-rcpt b@example.com --upload-file "
	"\"$directory/mail\"\n"
	"status=$?\n"
	"wait $!\n"
	"kill %1\n"
	"exit $status\n";

static void expect_torsocks(const char *version, const char *mode, const char *verdict)
{
	const char *directory = test_path(text("%s.%s", version, *mode ? mode : "bare"));
	struct program script = {.argv = WORDS("unshare", "--net", "bash",
					       test_file("torsocks.sh", torsocks_script),
					       tool_path(), version, directory, mode,
					       strcmp(version, "none") == 0 ? "" : "--ssl-reqd"),
				 .env = WORDS(old_tls_allowed())};
	bool delivers = strcmp(verdict, "refused") != 0;
	const json_t *record;
	json_t *records;

	cr_assert_eq(mkdir(directory, 0755), 0);
	cr_expect_eq(run_program(&script) == 0, delivers, "%s%s", script.out, script.err);
	cr_expect_eq(any_true(read_json_lines(text("%s/sink.json", directory)), "mail"), delivers,
		     "%s %s", version, mode);
	if (!*mode)
		return;
	records = records_of_connections(text("%s/log", directory));
	cr_assert_eq(json_array_size(records), 1, "%s %s", version, mode);
	record = json_array_get(records, 0);
	cr_expect_str_eq(field(record, "tlswitness.verdict"), verdict, "%s %s", version, mode);
	cr_expect_str_eq(field(record, "destination.ip"), "192.0.2.1");
	cr_expect_str_eq(field(record, "tlswitness.proxy"), "socks5://127.0.0.1:9050");
	if (strcmp(version, "1.0") == 0 && delivers)
		cr_expect_str_eq(field(record, "tlswitness.tls_mode"), "starttls");
}

Test(relays, torsocks)
{
	expect_torsocks("none", "", "");
	expect_torsocks("none", "--scope=smtp", "plaintext");
	expect_torsocks("none", "--enforce", "refused");
	expect_torsocks("1.0", "", "");
	expect_torsocks("1.0", "--scope=smtp", "below-floor");
	expect_torsocks("1.0", "--enforce", "refused");
}
