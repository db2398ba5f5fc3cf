/*
 * The host is not harmed. Each program runs twice, bare and with the recorder
 * in it, and must say the same, end the same and reach the sink the same way,
 * whatever has become of the log.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "tests/integration/records.h"
#include "tests/integration/senders.h"

TestSuite(host, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

#define NOBODY 65534

/* By the environment alone: without `run`, which could say something of its own. */
static struct program with_recorder(const struct program *bare, const char *log,
				    const char *const env[])
{
	struct program program = *bare;

	program.env = join_words(bare->env != NULL ? bare->env : NO_WORDS,
				 join_words(WORDS(text("LD_PRELOAD=%s", recorder_path()),
						  text("TLSWITNESS_LOG=%s", log)),
					    env));
	return program;
}

static const char *const *mail_port(const struct sink *sink)
{
	return join_words(WORDS(text("TLSWITNESS_PORTS=%u", sink->port)), NO_WORDS);
}

/* Runs both; `with` is left for the caller to look at. */
static struct program expect_same(struct program *bare, const char *log, const char *const env[])
{
	struct program with = with_recorder(bare, log, env);

	run_program(bare);
	run_program(&with);
	cr_expect_eq(with.status, bare->status, "%s: %s%s", log, with.out, with.err);
	cr_expect_str_eq(with.out, bare->out, "%s", log);
	cr_expect_str_eq(with.err, bare->err, "%s", log);
	return with;
}

/* The sink saw the same of the second half of its connections as of the first. */
static void expect_same_entries(const struct sink *sink, size_t connections)
{
	static const char *const keys[] = {"established", "version",  "cipher", "auth",
					   "mail",        "messages", "quit",   "error"};
	const json_t *entries = sink_entries(sink, 2 * connections);

	for (size_t i = 0; i < connections; i++) {
		const json_t *bare = json_array_get(entries, i);
		const json_t *with = json_array_get(entries, i + connections);

		for (size_t j = 0; j < sizeof(keys) / sizeof(keys[0]); j++) {
			const json_t *expected = json_object_get(bare, keys[j]);
			const json_t *found = json_object_get(with, keys[j]);

			cr_expect(expected == found || json_equal(expected, found), "%s differs",
				  keys[j]);
		}
	}
}

/* Mail by Python and by curl, with a log at `log` that can't be written. */
static void expect_mail_in_spite_of(const char *log, const char *const before[])
{
	static const size_t chosen[] = {0, 4};

	for (size_t i = 0; i < sizeof(chosen) / sizeof(chosen[0]); i++) {
		struct sink *sink = start_sink(NO_WORDS);
		struct program bare =
			sender_program(&senders[chosen[i]], sink, TLS_MODE_STARTTLS, NO_WORDS);

		bare.argv = join_words(before, bare.argv);
		expect_same(&bare, log, NO_WORDS);
		cr_expect_eq(bare.status, 0, "%s", bare.err);
		expect_same_entries(sink, 1);
		stop_sink(sink);
	}
}

static void expect_root(void)
{
	if (geteuid() != 0)
		cr_skip("only root can become another user");
}

/* ---- logs that can't be written ---- */

Test(host, sends_mail_without_a_directory_for_the_log)
{
	expect_mail_in_spite_of("/nonexistent/log.jsonl", NO_WORDS);
	expect_mail_in_spite_of("/nonexistent/", NO_WORDS);
	expect_mail_in_spite_of(text("%s/log.jsonl", test_file("file", "")), NO_WORDS);
}

Test(host, sends_mail_without_a_socket_for_the_log)
{
	expect_mail_in_spite_of("unix:/nonexistent/socket", NO_WORDS);
}

Test(host, sends_mail_with_a_device_for_the_log)
{
	expect_mail_in_spite_of("/dev/full", NO_WORDS);
	expect_mail_in_spite_of("/dev/stdout", NO_WORDS);
}

Test(host, sends_mail_while_the_log_may_not_be_reached)
{
	expect_root();
	const char *directory = test_path("closed");

	cr_assert_eq(mkdir(directory, 0700), 0);
	static const char *const as_nobody[] = {"setpriv", "--reuid=65534", "--regid=65534",
						"--clear-groups", NULL};
	expect_mail_in_spite_of(text("%s/log.jsonl", directory), as_nobody);
	expect_mail_in_spite_of(text("%s/", directory), as_nobody);
}

/* A whole file system, a page long and full. */
Test(host, sends_mail_while_the_disk_is_full)
{
	struct program allowed = {.argv = WORDS("unshare", "-m", "true")};

	if (run_program(&allowed) != 0)
		cr_skip("no private mount namespace may be made here");
	const char *directory = test_path("full");
	cr_assert_eq(mkdir(directory, 0755), 0);
	const char *script =
		test_file("full.sh", "mount -t tmpfs -o size=64k none \"$1\" &&\n"
				     "! head -c 70000 /dev/zero >\"$1/fill\" 2>/dev/null &&\n"
				     "shift && exec \"$@\"\n");

	expect_mail_in_spite_of(text("%s/log.jsonl", directory),
				WORDS("unshare", "-m", "sh", script, directory));
	expect_mail_in_spite_of(text("%s/", directory),
				WORDS("unshare", "-m", "sh", script, directory));
}

/* ---- logs that are traps ---- */

static const char message[] = "somebody else's\n";

/* The same mail; and nothing came into `file`. */
static void expect_not_written_through(const char *log, const char *file)
{
	expect_mail_in_spite_of(log, NO_WORDS);
	cr_expect_str_eq(read_file(file, NULL), message, "%s was written to", file);
}

Test(host, is_not_led_through_links)
{
	/* Of their own, so that each is refused for its own reason. */
	const char *victim = test_file("victim", message);
	const char *linked = test_file("linked", message);
	const char *symbolic = test_path("symbolic.jsonl");
	const char *hard = test_path("hard.jsonl");
	const char *directory = test_path("logs");

	cr_assert_eq(symlink(victim, symbolic), 0);
	cr_assert_eq(link(linked, hard), 0);
	expect_not_written_through(symbolic, victim);
	expect_not_written_through(hard, linked);
	/* In a directory that everybody may write to, under the name that our log would have. */
	cr_assert_eq(mkdir(directory, 01777), 0);
	const char *own = text("%s/%u.jsonl", directory, geteuid());
	cr_assert_eq(symlink(victim, own), 0);
	expect_not_written_through(text("%s/", directory), victim);
	cr_assert_eq(unlink(own), 0);
	cr_assert_eq(link(linked, own), 0);
	expect_not_written_through(text("%s/", directory), linked);
}

Test(host, is_not_led_to_a_file_of_somebody_else)
{
	expect_root();
	const char *directory = test_path("logs");
	const char *own = text("%s/0.jsonl", directory);

	cr_assert_eq(mkdir(directory, 01777), 0);
	test_file("logs/0.jsonl", message);
	cr_assert_eq(chmod(own, 0666), 0);
	cr_assert_eq(chown(own, NOBODY, NOBODY), 0);
	expect_not_written_through(text("%s/", directory), own);
	expect_not_written_through(own, own);
}

Test(host, is_not_held_up_by_a_pipe_or_a_directory)
{
	const char *fifo = test_path("fifo.jsonl");
	const char *directory = test_path("logs");
	const char *own = text("%s/%u.jsonl", directory, geteuid());

	cr_assert_eq(mkfifo(fifo, 0600), 0);
	expect_mail_in_spite_of(fifo, NO_WORDS);
	cr_assert_eq(mkdir(directory, 01777), 0);
	cr_assert_eq(mkdir(own, 0777), 0);
	expect_mail_in_spite_of(directory, NO_WORDS);
	cr_assert_eq(rmdir(own), 0);
	cr_assert_eq(mkfifo(own, 0600), 0);
	expect_mail_in_spite_of(text("%s/", directory), NO_WORDS);
}

/* ---- hosts that leave little to stand on ---- */

/* tests/programs/host.c, which must succeed; returns how many records came of it. */
static size_t expect_host(const char *const before[], const char *how, const char *argument,
			  size_t connections, const char *log)
{
	struct sink *sink = start_sink(WORDS("--implicit"));
	struct program bare = {.argv = join_words(before, WORDS(program_path("host"), how,
								text("%u", sink->port), argument))};

	expect_same(&bare, log, mail_port(sink));
	cr_expect_eq(bare.status, 0, "%s: %s", how, bare.err);
	expect_same_entries(sink, connections);
	/* Those of the run with the recorder in it. */
	const json_t *records = records_of(log, "tls-handshake");
	json_t *entries = json_deep_copy(sink_entries(sink, 2 * connections));
	for (size_t i = 0; i < connections; i++)
		json_array_remove(entries, 0);
	if (json_array_size(records) == connections)
		expect_one_record_each(records, entries, how);
	json_decref(entries);
	stop_sink(sink);
	return json_array_size(records);
}

/* `ulimit -n` at what the host needs, and nothing kept by us. */
Test(host, has_every_descriptor_to_itself)
{
	static const char *const few[] = {"prlimit", "--nofile=32", NULL};
	const char *log = test_path("log.jsonl");

	cr_expect_eq(expect_host(few, "exhaust", NULL, 1, log), 0);
	/* Nothing could be written, not even that. */
	cr_expect_str_empty(read_file(log, NULL));
}

Test(host, that_has_a_descriptor_to_spare_again_gets_its_record_and_the_count)
{
	static const char *const few[] = {"prlimit", "--nofile=32", NULL};
	const char *log = test_path("log.jsonl");

	cr_expect_eq(expect_host(few, "exhaust-twice", NULL, 2, log), 1);
	const json_t *lost = records_of(log, "records-lost");
	cr_assert_eq(json_array_size(lost), 1, "%s", read_file(log, NULL));
	cr_expect_eq(number_field(json_array_get(lost, 0), "tlswitness.lost"), 1);
}

Test(host, that_closes_or_reuses_descriptors_is_recorded)
{
	static const char *const ways[] = {"closefrom", "overwrite", "no-streams"};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		cr_expect_eq(expect_host(NO_WORDS, ways[i], NULL, 1, test_path(ways[i])), 1, "%s",
			     ways[i]);
}

Test(host, is_not_ended_by_a_limit_on_files)
{
	cr_expect_eq(expect_host(NO_WORDS, "file-size", NULL, 1, test_path("log.jsonl")), 0);
}

Test(host, in_a_new_root_and_without_rights_is_recorded)
{
	expect_root();
	const char *root = test_path("root");
	const char *logs = test_path("logs");

	cr_assert_eq(mkdir(root, 0755), 0);
	cr_assert_eq(mkdir(logs, 0700), 0);
	cr_expect_eq(expect_host(NO_WORDS, "chroot", root, 2, test_path("log.jsonl")), 2);
	cr_expect_eq(expect_host(NO_WORDS, "chroot", root, 2, text("%s/", logs)), 0);
	cr_expect_eq(json_array_size(records_of(text("%s/0.jsonl", logs), "tls-handshake")), 2);
}

Test(host, that_is_interrupted_is_recorded)
{
	cr_expect_eq(expect_host(NO_WORDS, "signals", NULL, 50, test_path("log.jsonl")), 50);
}

Test(host, that_ends_a_thread_in_its_handshake_goes_on)
{
	cr_expect_eq(expect_host(NO_WORDS, "cancel", NULL, 1, test_path("log.jsonl")), 1);
}

Test(host, with_small_stacks_is_recorded)
{
	cr_expect_eq(expect_host(NO_WORDS, "stack", "65536", 1, test_path("log.jsonl")), 1);
}

/* A handshake within PTHREAD_STACK_MIN's neighbourhood must still have room for itself. */
Test(host, lends_us_little_of_its_stack)
{
	struct sink *sink = start_sink(WORDS("--implicit"));
	struct program bare = {
		.argv = WORDS(program_path("host"), "stack-use", text("%u", sink->port))};
	struct program with = with_recorder(&bare, test_path("log.jsonl"), mail_port(sink));

	cr_expect_eq(run_program(&bare), 0, "%s", bare.err);
	cr_expect_eq(run_program(&with), 0, "%s", with.err);
	cr_expect_leq(number_after(with.out, "stack: "), number_after(bare.out, "stack: ") + 3072,
		      "bare %s, with %s", bare.out, with.out);
}

/* A mail program is told who starts it: in a copy of the environment. */
Test(host, lends_us_little_of_its_stack_when_it_starts_a_program)
{
	const char *program = test_path("sendmail");
	struct program bare = {
		.argv = WORDS(program_path("host"), "spawn-stack-use", "25", program)};
	struct program with = with_recorder(&bare, test_path("log.jsonl"), NO_WORDS);

	cr_assert_eq(symlink("/bin/true", program), 0);
	cr_expect_eq(run_program(&bare), 0, "%s", bare.err);
	cr_expect_eq(run_program(&with), 0, "%s", with.err);
	cr_expect_leq(number_after(with.out, "stack: "), number_after(bare.out, "stack: ") + 3072,
		      "bare %s, with %s", bare.out, with.out);
}

Test(host, finds_errno_and_the_error_queue_as_it_left_them)
{
	struct sink *sink = start_sink(WORDS("--implicit"));
	struct program bare = {
		.argv = WORDS(program_path("watchful"), text("%u", sink->port), sink->certificate)};

	expect_same(&bare, test_path("log.jsonl"), mail_port(sink));
	cr_expect_eq(bare.status, 0, "%s", bare.err);
	expect_same(&bare, "/nonexistent/log.jsonl", mail_port(sink));
	expect_same(&bare, "/nonexistent/log.jsonl", WORDS("TLSWITNESS_OFF=1"));
	expect_same(&bare, "unix:/nonexistent/socket", WORDS("TLSWITNESS_SCOPE=all"));
}

/* ---- hosts that want no record ---- */

Test(host, that_is_switched_off_is_left_alone)
{
	struct sink *sink = start_sink(NO_WORDS);
	const char *log = test_path("log.jsonl");
	struct program bare = sender_program(&senders[0], sink, TLS_MODE_STARTTLS, NO_WORDS);

	expect_same(&bare, log, WORDS("TLSWITNESS_OFF=1"));
	expect_same_entries(sink, 1);
	cr_expect_neq(access(log, F_OK), 0, "there is a log");
}

Test(host, that_scrubs_the_environment_sends_its_mail)
{
	struct sink *sink = start_sink(NO_WORDS);
	const char *log = test_path("log.jsonl");
	struct program bare = sender_program(&senders[0], sink, TLS_MODE_STARTTLS, NO_WORDS);

	bare.argv = join_words(WORDS("env", "-i"), bare.argv);
	expect_same(&bare, log, NO_WORDS);
	expect_same_entries(sink, 1);
	cr_expect_neq(access(log, F_OK), 0, "there is a log");
}

/* ---- what was lost, and what must not be ---- */

static struct program run_giver_up(const char *log, const char *const arguments[])
{
	struct program bare = {.argv = join_words(WORDS(program_path("giver_up")), arguments)};
	struct program with = with_recorder(&bare, log, WORDS("TLSWITNESS_SCOPE=all"));

	cr_expect_eq(run_program(&with), 0, "%s", with.err);
	return with;
}

Test(host, learns_how_many_records_were_lost)
{
	const char *directory = test_path("logs");
	const char *log = text("%s/log.jsonl", directory);

	run_giver_up(log, WORDS("8", "mkdir", directory));
	cr_expect_eq(json_array_size(records_of(log, "tls-handshake")), 1);
	const json_t *lost = records_of(log, "records-lost");
	cr_assert_eq(json_array_size(lost), 1, "%s", read_file(log, NULL));
	cr_expect_eq(number_field(json_array_get(lost, 0), "tlswitness.lost"), 7);
	cr_expect_str_eq(field(json_array_get(lost, 0), "event.outcome"), "failure");
}

Test(host, follows_a_log_that_is_renamed)
{
	const char *log = test_path("log.jsonl");
	const char *old = test_path("log.jsonl.1");

	run_giver_up(log, WORDS("3", "rename", log, old));
	cr_expect_eq(json_array_size(records_of(old, "tls-handshake")), 2);
	cr_expect_eq(json_array_size(records_of(log, "tls-handshake")), 1);
}

static size_t count_parts(const char *string, const char *part)
{
	size_t count = 0;

	for (; (string = strstr(string, part)) != NULL; string++)
		count++;
	return count;
}

/* Every line is a record, or the beginning of just one; returns how many are records. */
static size_t count_whole_lines(const char *log, size_t *torn)
{
	const char *line = read_file(log, NULL);
	size_t whole = 0;

	*torn = 0;
	while (*line != '\0') {
		const char *one = text("%.*s", (int)strcspn(line, "\n"), line);
		json_t *record = json_loads(one, JSON_REJECT_DUPLICATES, NULL);

		cr_expect_leq(count_parts(one, "{\"@timestamp\""), 1, "swallowed: %s", one);
		if (json_is_object(record))
			whole++;
		else
			(*torn)++;
		json_decref(record);
		line += strlen(one);
		line += *line == '\n';
	}
	return whole;
}

struct growing_log {
	const char *path;
	off_t size;
};

static bool has_grown(void *subject)
{
	const struct growing_log *log = subject;
	struct stat status;

	return stat(log->path, &status) == 0 && status.st_size >= log->size;
}

/* A neighbour's line that is only half there is not taken for a torn one. */
Test(host, that_writes_beside_others_leaves_no_empty_line)
{
	enum { WRITERS = 8, RECORDS = 1500 };
	const char *log = test_path("log.jsonl");
	struct program writers[WRITERS];

	for (int i = 0; i < WRITERS; i++) {
		struct program bare = {
			.argv = join_words(WORDS(program_path("giver_up"), text("%d", RECORDS)),
					   NO_WORDS)};

		writers[i] = with_recorder(&bare, log, WORDS("TLSWITNESS_SCOPE=all"));
		start_program(&writers[i]);
	}
	for (int i = 0; i < WRITERS; i++)
		cr_expect_eq(end_program(&writers[i]), 0, "%s", writers[i].err);
	cr_expect_eq(json_array_size(read_json_lines(log)), (size_t)WRITERS * RECORDS);
}

/* Processes that write without end are killed, one after the other, wherever they are. */
Test(host, that_is_killed_swallows_no_line)
{
	enum { WRITERS = 8, ROUNDS = 5 };
	const char *log = test_path("log.jsonl");
	struct growing_log grown = {.path = log};
	size_t torn;

	for (int round = 0; round < ROUNDS; round++) {
		struct program writers[WRITERS];

		for (int i = 0; i < WRITERS; i++) {
			struct program bare = {
				.argv = join_words(WORDS(program_path("giver_up"), "0"), NO_WORDS)};

			writers[i] = with_recorder(&bare, log, WORDS("TLSWITNESS_SCOPE=all"));
			start_program(&writers[i]);
		}
		for (int i = 0; i < WRITERS; i++) {
			/* Odd sizes, so that the kills do not all come at the same place. */
			grown.size += 20011;
			wait_until(has_grown, &grown, "the log has grown");
			kill(writers[i].pid, SIGKILL);
			cr_expect_eq(end_program(&writers[i]), 128 + SIGKILL);
		}
	}
	size_t before = count_whole_lines(log, &torn);
	cr_expect_leq(torn, (size_t)WRITERS * ROUNDS);
	run_giver_up(log, WORDS("10"));
	cr_expect_eq(count_whole_lines(log, &torn), before + 10);
}

/* A full disk or a kill can leave half a line: it ends there, and ours begins anew. */
Test(host, begins_a_line_of_its_own_behind_a_torn_one)
{
	const char *log = test_path("log.jsonl");
	struct stat status;
	size_t torn;

	for (off_t cut = 1; cut < 600; cut += 37) {
		run_giver_up(log, WORDS("2"));
		cr_assert_eq(stat(log, &status), 0);
		cr_assert_eq(truncate(log, status.st_size - cut), 0);
		run_giver_up(log, WORDS("1"));
		/* Without its newline alone a line is still whole. */
		cr_expect_eq(count_whole_lines(log, &torn), cut == 1 ? 3 : 2, "cut by %ld",
			     (long)cut);
		cr_expect_eq(torn, cut == 1 ? 0 : 1);
		cr_assert_eq(unlink(log), 0);
	}
}
