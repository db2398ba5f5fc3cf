/*
 * No plaintext instead. Opportunistic senders go on in the clear where TLS is
 * missing, refused, or failed for the floor: bare, these do; under the floor
 * nothing of a mail arrives, and they see a connection that fails.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "tests/integration/trial.h"

TestSuite(opportunistic, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

static const char message[] = "Subject: rehearsal\n\nhello\n";

/* What a server, or who sits before it, can do. */
static const char *const stripped[] = {"--tls=1.2", "--strip-starttls", NULL};
static const char *const refused[] = {"--tls=1.2", "--starttls-reply=454", NULL};
static const char *const absent[] = {"--tls=none", NULL};
static const char *const old[] = {"--tls=1.0", NULL};

static bool is_true(const json_t *entry, const char *key)
{
	return json_is_true(json_object_get(entry, key));
}

static bool any_entry(const struct trial *trial, const char *key)
{
	for (size_t i = 0; i < json_array_size(trial->entries); i++) {
		if (is_true(json_array_get(trial->entries, i), key))
			return true;
	}
	return false;
}

/* It got through, and to whoever listened. */
static void expect_delivered_in_clear(const struct trial *trial)
{
	cr_expect_eq(trial->program.status, 0, "%s: %s%s", trial->name, trial->program.out,
		     trial->program.err);
	cr_expect(any_entry(trial, "mail_in_clear"), "%s", trial->name);
}

/* Nothing arrived; every record of mail in the clear is a refusal. */
static void expect_stopped(const struct trial *trial)
{
	size_t refusals = 0;

	cr_expect_not(any_entry(trial, "mail"), "%s: mail", trial->name);
	cr_expect_not(any_entry(trial, "auth"), "%s: AUTH", trial->name);
	for (size_t i = 0; i < json_array_size(trial->records); i++) {
		const json_t *record = json_array_get(trial->records, i);
		const char *verdict = field(record, "tlswitness.verdict");

		cr_expect_str_neq(verdict, "plaintext");
		cr_expect_str_neq(verdict, "below-floor");
		refusals += strcmp(verdict, "refused") == 0;
	}
	cr_expect_geq(refusals, 1, "%s: %s%s", trial->name, trial->program.out, trial->program.err);
}

/* ---- the bytes of a mail, however they are handed over ---- */

static const char *clear_client_path(void)
{
	const char *build = getenv("TLSWITNESS_BUILD");

	return text("%s/programs/clear_client", build != NULL ? build : "build");
}

static struct program clear_client(const struct sink *sink, const void *way)
{
	return (struct program){.argv = join_words(WORDS(clear_client_path(), "127.0.0.1",
							 text("%u", sink->port), (const char *)way),
						   NO_WORDS)};
}

static void check_way(const char *way, const char *const sink[], bool delivers)
{
	struct trial trial = try_program(way, clear_client, way, sink, NULL);

	if (delivers)
		expect_delivered_in_clear(&trial);
	trial = try_program(way, clear_client, way, sink, WORDS("--enforce", "--plaintext=refuse"));
	expect_stopped(&trial);
	cr_expect_eq(trial.program.status, 1, "%s: %s", way, trial.program.out);
	cr_expect_not_null(strstr(trial.program.out, "Connection reset by peer\npoll 1\nread -1"),
			   "%s: %s", way, trial.program.out);
	if (delivers) {
		trial = try_program(way, clear_client, way, sink,
				    WORDS("--upgrade", "--plaintext=record"));
		expect_delivered_in_clear(&trial);
		/* Loopback is nobody's wire. */
		trial = try_program(way, clear_client, way, sink, WORDS("--enforce"));
		expect_delivered_in_clear(&trial);
	}
}

Test(opportunistic, no_way_to_hand_the_bytes_over_gets_them_through)
{
	static const char *const ways[] = {
		"write",
		"send",
		"sendto",
		"writev",
		"sendmsg",
		"sendmmsg",
		"no AUTH",
		"lower case",
		"byte by byte",
		"pipelined",
		"fast open",
		"NOOP first",
		"RSET first",
		"HELP first",
		"no AUTH, byte by byte",
		"no AUTH, sendmmsg",
		"pipelined, no AUTH",
		"pipelined, byte by byte",
	};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		check_way(ways[i], absent, true);
	check_way("with STARTTLS", refused, true);
	/* A server that expects TLS by then takes nothing either way. */
	check_way("after STARTTLS", (const char *const[]){"--tls=1.2", NULL}, false);
}

/* "Remote" is what is no loopback address: in a network of the test's own. */
static const char remote_script[] =
	"tool=$1 address=$2 directory=$3 client=$4\n"
	"ip link set lo up && ip address add 192.0.2.1/32 dev lo || exit 99\n"
	"\"$tool\" sink --tls=none --connections=1 --address=$address \\\n"
	"	--log=\"$directory/remote.json\" >\"$directory/remote.out\" &\n"
	"until grep -q listening \"$directory/remote.out\"; do sleep 0.02; done\n"
	"port=$(sed -n 's/.*:\\([0-9]*\\).*/\\1/p' \"$directory/remote.out\")\n"
	"\"$tool\" run --log \"$directory/remote.log\" --enforce -- \"$client\" $address $port "
	"write\n"
	"status=$?\n"
	"wait\n"
	"exit $status\n";

static bool mail_arrived_at(const char *address)
{
	const char *directory = test_path(text("at-%s", address));
	struct program script = {
		.argv = join_words(WORDS("unshare", "--net", "sh",
					 test_file("remote.sh", remote_script), tool_path(),
					 address, directory, clear_client_path()),
				   NO_WORDS)};

	cr_assert_eq(mkdir(directory, 0755), 0);
	run_program(&script);
	json_t *entries = read_json_lines(text("%s/remote.json", directory));
	json_t *records = records_of_connections(text("%s/remote.log", directory));
	cr_assert_eq(json_array_size(entries), 1, "%s%s", script.out, script.err);
	cr_assert_eq(json_array_size(records), 1, "%s%s", script.out, script.err);
	bool arrived = is_true(json_array_get(entries, 0), "mail");
	cr_expect_eq(script.status, arrived ? 0 : 1, "%s%s", script.out, script.err);
	cr_expect_str_eq(field(json_array_get(records, 0), "tlswitness.verdict"),
			 arrived ? "plaintext" : "refused");
	return arrived;
}

Test(opportunistic, loopback_may_stay_clear_and_nothing_else)
{
	cr_expect(mail_arrived_at("127.0.0.1"));
	cr_expect(mail_arrived_at("127.1.2.3"));
	cr_expect_not(mail_arrived_at("192.0.2.1"));
}

/* ---- swaks ---- */

static struct program swaks(const struct sink *sink, const void *tls)
{
	return (struct program){
		.argv = join_words(WORDS("swaks", (const char *)tls, "--server", "127.0.0.1",
					 "--port", text("%u", sink->port), "--from",
					 "a@example.com", "--to", "b@example.com", "--auth",
					 "PLAIN", "--auth-user", "user", "--auth-password",
					 "secretword", "--timeout", "30"),
				   NO_WORDS),
		.env = join_words(WORDS(old_tls_allowed()), NO_WORDS),
	};
}

static void check_sender(const char *name, program_for program, const void *how,
			 const char *const sink[])
{
	struct trial trial = try_program(name, program, how, sink, NULL);

	expect_delivered_in_clear(&trial);
	trial = try_program(name, program, how, sink, WORDS("--enforce", "--plaintext=refuse"));
	expect_stopped(&trial);
	trial = try_program(name, program, how, sink, WORDS("--upgrade", "--plaintext=refuse"));
	expect_stopped(&trial);
}

/* TLS 1.0 is what it takes bare, in the clear it does not have to go then. */
static void check_old_server(const char *name, program_for program, const void *how)
{
	struct trial trial = try_program(name, program, how, old, NULL);

	cr_expect(any_entry(&trial, "mail"), "%s: %s", name, trial.program.out);
	trial = try_program(name, program, how, old, WORDS("--enforce", "--plaintext=refuse"));
	expect_stopped(&trial);
	cr_expect_neq(trial.program.status, 128);
}

Test(opportunistic, swaks)
{
	check_sender("swaks -tlso, stripped", swaks, "-tlso", stripped);
	check_sender("swaks -tlso, refused", swaks, "-tlso", refused);
	check_sender("swaks -tlso, absent", swaks, "-tlso", absent);
	check_sender("swaks -tlsos, stripped", swaks, "-tlsos", stripped);
	check_old_server("swaks -tlso", swaks, "-tlso");
}

/* ---- exim, with GnuTLS ---- */

/* Nobody else's number, as in mailers.c. */
#define EXIM_USER 61973

static struct program exim(const struct sink *sink, const void *unused)
{
	static unsigned runs;
	unsigned run = ++runs;
	const char *spool = test_path(text("exim.%u", run));
	const char *build = getenv("TLSWITNESS_BUILD");
	const char *binary =
		text("%s/debian/usr/sbin/exim4", realpath(build != NULL ? build : "build", NULL));
	const char *users = test_file("passwd", text("root:x:0:0::/root:/bin/sh\n"
						     "Debian-exim:x:%d:%d::/:/bin/false\n",
						     EXIM_USER, EXIM_USER));
	const char *groups = test_file("group", text("root:x:0:\nDebian-exim:x:%d:\n", EXIM_USER));
	const char *settings = text("exim_path = %s\n"
				    "exim_user = Debian-exim\n"
				    "exim_group = Debian-exim\n"
				    "deliver_drop_privilege\n"
				    "spool_directory = %s\n"
				    "log_file_path = %s/%%slog\n"
				    "primary_hostname = client.example.com\n"
				    "qualify_domain = example.com\n"
				    "host_lookup =\n"
				    "disable_ipv6 = true\n"
				    "keep_environment = LD_PRELOAD : ^TLSWITNESS_ : ^NSS_WRAPPER_\n"
				    "begin routers\n"
				    "sink:\n"
				    "  driver = manualroute\n"
				    "  route_list = * \"localhost\" byname\n"
				    "  self = send\n"
				    "  transport = smtp\n"
				    "begin transports\n"
				    "smtp:\n"
				    "  driver = smtp\n"
				    "  port = %u\n"
				    "  allow_localhost\n"
				    "  tls_require_ciphers = NORMAL\n"
				    "  hosts_try_fastopen = *\n",
				    binary, spool, spool, sink->port);

	(void)unused;
	cr_assert_eq(access(binary, X_OK), 0, "exim4 is not unpacked: `make debian-programs`");
	cr_assert(mkdir(spool, 0700) == 0 && chown(spool, EXIM_USER, EXIM_USER) == 0);
	return (struct program){
		.argv = join_words(WORDS(binary, "-C",
					 test_file(text("exim.%u.conf", run), settings), "-odf",
					 "-f", "a@example.com", "b@example.com"),
				   NO_WORDS),
		.env = join_words(WORDS("LD_PRELOAD=libnss_wrapper.so",
					text("NSS_WRAPPER_PASSWD=%s", users),
					text("NSS_WRAPPER_GROUP=%s", groups)),
				  NO_WORDS),
		.input = message,
	};
}

Test(opportunistic, exim)
{
	check_sender("exim, stripped", exim, NULL, stripped);
	check_sender("exim, refused", exim, NULL, refused);
	check_sender("exim, absent", exim, NULL, absent);
	check_old_server("exim", exim, NULL);
}

/* ---- Postfix, whose master gives its children what it is told to ---- */

static struct program postfix(const struct sink *sink, const void *level)
{
	static unsigned runs;
	const char *build = getenv("TLSWITNESS_BUILD");
	const char *unpacked = text("%s/postfix", realpath(build != NULL ? build : "build", NULL));
	const char *directory = test_path(text("postfix.%u", ++runs));

	cr_assert_eq(mkdir(directory, 0755), 0);
	return (struct program){
		.argv = join_words(WORDS("sh", "tests/senders/postfix_sender.sh", unpacked,
					 directory, text("%u", sink->port), (const char *)level),
				   NO_WORDS),
		.env = join_words(WORDS(old_tls_allowed()), NO_WORDS),
	};
}

Test(opportunistic, postfix)
{
	check_sender("Postfix, stripped", postfix, "may", stripped);
	check_sender("Postfix, refused", postfix, "may", refused);
	/* It would go on in the clear at a later attempt; the first is deferred. */
	check_old_server("Postfix", postfix, "may");
}
