/*
 * `report --what-if` held against what enforcing does: each program sends to servers of
 * old and new versions and of none, once audited and once enforced, and what the report of
 * the first predicts is what the second has, connection for connection.
 */
#include <string.h>
#include <sys/stat.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include "tests/integration/mailers.h"

TestSuite(report_predictions, .init = harness_begin, .fini = harness_end,
	  .timeout = HARNESS_TEST_S);

/* The servers: what they speak, and how the programs are to speak to them. */
static const struct server {
	const char *const *options;
	enum tls_mode mode;
} servers[] = {
	{(const char *const[]){"--tls=1.0..1.2", NULL}, TLS_MODE_STARTTLS},
	{(const char *const[]){"--tls=1.1", NULL}, TLS_MODE_STARTTLS},
	{(const char *const[]){"--tls=1.0..1.3", "--implicit", NULL}, TLS_MODE_IMPLICIT},
	{(const char *const[]){"--tls=none", NULL}, TLS_MODE_NONE},
};

#define SERVERS (sizeof(servers) / sizeof(servers[0]))

static const struct mailer *const mailers[] = {&mailer_msmtp, &mailer_node_official};

#define MAILERS (sizeof(mailers) / sizeof(mailers[0]))

/* s_client has no clear mode. */
#define CONNECTIONS ((senders_count + MAILERS) * SERVERS - 1)

/* A copy of /etc with a settings file in it, to be mounted over it; NULL: as this machine is. */
static const char *etc;

static void copy_etc(const char *settings)
{
	struct program probe = {.argv = WORDS("unshare", "-m", "true")};
	struct program copy;

	if (run_program(&probe) != 0)
		cr_skip("no private mount namespace may be made here");
	etc = test_path("etc");
	copy = (struct program){.argv = WORDS("cp", "-a", "/etc", etc)};
	cr_assert_eq(run_program(&copy), 0, "%s", copy.err);
	(void)mkdir(text("%s/tlswitness", etc), 0755);
	test_file("within.sh", "mount --bind \"$1\" /etc && shift && exec \"$@\"\n");
	test_file("etc/tlswitness/tlswitness.conf", settings);
}

static void run_recorded(struct program program, const char *log, const struct sink *sink,
			 const char *const options[])
{
	const char *const head[] = {
		tool_path(), "run", "--log", log, "--ports", text("%u", sink->port), NULL};

	program.argv = join_words(join_words(head, options), join_words(WORDS("--"), program.argv));
	if (etc)
		program.argv = join_words(WORDS("unshare", "-m", "sh", test_path("within.sh"), etc),
					  program.argv);
	/* That it fails is what a floor is for. */
	(void)run_program(&program);
}

/* Everything to every server; returns the log. */
static const char *send_all(struct sink *const sink[SERVERS], const char *name,
			    const char *const options[])
{
	const char *log = test_path(name);

	for (size_t server = 0; server < SERVERS; server++) {
		enum tls_mode mode = servers[server].mode;

		for (size_t i = 0; i < senders_count; i++) {
			if (mode == TLS_MODE_NONE && strstr(senders[i].name, "s_client"))
				continue;
			run_recorded(sender_program(&senders[i], sink[server], mode, NO_WORDS), log,
				     sink[server], options);
		}
		for (size_t i = 0; i < MAILERS; i++)
			run_recorded(mailers[i]->program(sink[server], mode), log, sink[server],
				     options);
	}
	return log;
}

/* A line for each group: sorted, so that two of them can be compared. */
static const char *verdicts_in(const char *log, const char *const options[])
{
	const char *const head[] = {
		"sh",        "-c", "\"$0\" report --csv \"$@\" | cut -d, -f1-4 | sort",
		tool_path(), log,  NULL};
	struct program program = {.argv = join_words(head, options)};

	cr_assert_eq(run_program(&program), 0, "%s", program.err);
	return program.out;
}

static size_t lines_of(const char *rows)
{
	size_t count = 0;

	for (; *rows; rows++)
		count += *rows == '\n';
	return count;
}

/* One program is held to less than the floor, and the others to nothing; one server to less. */
static const char *exceptions(struct sink *const sink[SERVERS])
{
	static const char until[] = "until:9999-12-31";

	return text("exception = program:/usr/bin/curl port:%u floor:1.0 %s\n"
		    "exception = port:%u floor:none %s\n"
		    "exception = port:%u floor:1.1 %s\n",
		    sink[0]->port, until, sink[0]->port, until, sink[1]->port, until);
}

static void check_predictions(const char *floor, bool with_exceptions)
{
	struct sink *sink[SERVERS];
	const char *predicted = NULL;
	const char *happened = NULL;

	for (size_t i = 0; i < SERVERS; i++)
		sink[i] = start_sink(servers[i].options);
	if (with_exceptions)
		copy_etc(exceptions(sink));
	predicted = verdicts_in(send_all(sink, "audited.jsonl", NO_WORDS),
				WORDS("--by", "program,port,verdict", "--what-if", floor));
	happened =
		verdicts_in(send_all(sink, "enforced.jsonl", WORDS("--enforce", "--floor", floor)),
			    WORDS("--by", "program,port,verdict"));
	cr_expect_eq(lines_of(happened), 1 + CONNECTIONS, "%s", happened);
	cr_expect_str_eq(predicted, happened, "floor %s, predicted:\n%s\nhappened:\n%s", floor,
			 predicted, happened);
}

Test(report_predictions, of_floor_1_2_are_what_enforcing_does)
{
	check_predictions("1.2", false);
}

Test(report_predictions, of_floor_1_3_are_what_enforcing_does)
{
	check_predictions("1.3", false);
}

Test(report_predictions, of_floor_1_2_with_exceptions_are_what_enforcing_does)
{
	check_predictions("1.2", true);
}

Test(report_predictions, of_floor_1_3_with_exceptions_are_what_enforcing_does)
{
	check_predictions("1.3", true);
}

/* Mail in the clear that leaves the machine: in a network of the test's own. */
static const char remote_script[] =
	"tool=$1 directory=$2 floor=$3\n"
	"ip link set lo up && ip address add 192.0.2.1/32 dev lo || exit 99\n"
	"for mode in audit enforce; do\n"
	"	enforce=$([ $mode = audit ] || echo --enforce --floor $floor)\n"
	"	\"$tool\" sink --tls=none --connections=1 --address=192.0.2.1 \\\n"
	"		--log=\"$directory/sink-$mode\" >\"$directory/out-$mode\" &\n"
	"	until grep -q listening \"$directory/out-$mode\"; do sleep 0.02; done\n"
	"	port=$(sed -n 's/.*:\\([0-9]*\\).*/\\1/p' \"$directory/out-$mode\")\n"
	"	\"$tool\" run $enforce --log \"$directory/log-$mode\" --ports $port -- \\\n"
	"		curl -s --url smtp://192.0.2.1:$port --mail-from a@b --mail-rcpt a@b -T - "
	"</dev/null\n"
	"	wait\n"
	"done\n"
	"true\n";

static void check_mail_in_the_clear(const char *floor)
{
	struct program script = {.argv = WORDS("unshare", "--net", "sh",
					       test_file("remote.sh", remote_script), tool_path(),
					       test_path("."), floor)};
	const char *predicted = NULL;
	const char *happened = NULL;

	cr_assert_eq(run_program(&script), 0, "%s%s", script.out, script.err);
	predicted = verdicts_in(test_path("log-audit"),
				WORDS("--what-if", floor, "--by", "program,verdict"));
	happened = verdicts_in(test_path("log-enforce"), WORDS("--by", "program,verdict"));
	cr_expect(strstr(happened, "/usr/bin/curl,refused,1"), "%s", happened);
	cr_expect_str_eq(predicted, happened);
}

Test(report_predictions, of_mail_in_the_clear_is_what_enforcing_does)
{
	check_mail_in_the_clear("1.2");
}

Test(report_predictions, of_mail_in_the_clear_and_floor_1_3_is_what_enforcing_does)
{
	check_mail_in_the_clear("1.3");
}
