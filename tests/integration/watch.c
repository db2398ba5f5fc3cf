/*
 * `tlswitness watch` as a user runs it: files that grow, rotate and shrink,
 * directories, a socket, and how it ends. Nothing sleeps: each step waits for what
 * the step before must have written.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "tests/integration/harness.h"

TestSuite(watch_command, .init = harness_begin, .fini = harness_end);

/* A record of one program, so that its line can be told. */
static const char *record(const char *program)
{
	return text("{\"@timestamp\":\"2026-11-20T10:00:00.000000Z\",\"event.action\":\"tls-"
		    "handshake\",\"destination.domain\":\"mx.example\",\"tls.version\":\"1.0\","
		    "\"tls.cipher\":\"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA\","
		    "\"tlswitness.verdict\":\"below-floor\",\"tlswitness.script\":\"%s\"}\n",
		    program);
}

static void append(const char *path, const char *content)
{
	FILE *file = fopen(path, "a");

	cr_assert_not_null(file);
	cr_assert_geq(fputs(content, file), 0);
	cr_assert_eq(fclose(file), 0);
}

static struct program start_watch(const char *const arguments[])
{
	struct program program = {
		.argv = join_words(WORDS(tool_path(), "watch"), arguments),
		.env = WORDS("LC_ALL=C.UTF-8", "COLUMNS", "NO_COLOR"),
	};

	start_program(&program);
	return program;
}

struct expected {
	const char *path;
	const char *part;
};

static bool has_part(void *subject)
{
	const struct expected *expected = subject;

	return strstr(read_file(expected->path, NULL), expected->part) != NULL;
}

static void await(const struct program *program, const char *part)
{
	struct expected expected = {program->out_path, part};

	wait_until(has_part, &expected, part);
}

static void await_remark(const struct program *program, const char *part)
{
	struct expected expected = {program->err_path, part};

	wait_until(has_part, &expected, part);
}

static void interrupt(struct program *program)
{
	cr_assert_eq(kill(program->pid, SIGINT), 0);
	cr_expect_eq(end_program(program), 0, "%s", program->err);
}

Test(watch_command, follows_a_file_across_rotation_and_truncation)
{
	const char *log = test_file("a.jsonl", record("/srv/first.py"));
	const char *rotated = text("%s.1", log);
	struct program watch = start_watch(WORDS(log));

	await(&watch, "/srv/first.py");
	append(log, record("/srv/second.py"));
	await(&watch, "/srv/second.py");
	cr_assert_eq(rename(log, rotated), 0);
	append(log, record("/srv/third.py"));
	await(&watch, "/srv/third.py");
	/* A writer that had the old file open still. */
	append(rotated, record("/srv/late.py"));
	await(&watch, "/srv/late.py");
	cr_assert_eq(truncate(log, 0), 0);
	await_remark(&watch, "was truncated");
	append(log, record("/srv/fourth.py"));
	await(&watch, "/srv/fourth.py");
	interrupt(&watch);
	cr_expect(strstr(watch.out, "!! 10:00:00   /srv/first.py"), "%s", watch.out);
	cr_expect(strstr(watch.out, "AES-256-CBC"));
	cr_expect(strstr(watch.out, "below-floor\n"));
	/* And how many there were, when it is ended by hand. */
	cr_expect(strstr(watch.err, "tlswitness: 5 connections: below-floor 5\n"), "%s", watch.err);
	cr_expect(strstr(watch.err, "is not seen: rotate by renaming"), "%s", watch.err);
	/* Each once. */
	cr_expect_null(strstr(strstr(watch.out, "/srv/first.py") + 1, "/srv/first.py"));
	cr_expect_null(strstr(strstr(watch.out, "/srv/third.py") + 1, "/srv/third.py"));
}

/* In a terminal that becomes narrower: the columns are new then. */
Test(watch_command, follows_the_width_of_its_terminal)
{
	const char *log = test_file("a.jsonl", record("/srv/first.py"));
	struct program terminal = {.argv = WORDS("python3", "tests/scripts/resized_terminal.py",
						 tool_path(), log, record("/srv/second.py")),
				   .env = WORDS("LC_ALL=C.UTF-8", "COLUMNS", "NO_COLOR=1")};

	cr_expect_eq(run_program(&terminal), 0, "%s%s", terminal.out, terminal.err);
	cr_expect_str_eq(terminal.out, "100 then 60\n");
}

Test(watch_command, waits_for_the_end_of_a_line)
{
	const char *log = test_file("a.jsonl", record("/srv/first.py"));
	const char *line = record("/srv/second.py");
	struct program watch = start_watch(WORDS(log));

	await(&watch, "/srv/first.py");
	append(log, text("%.40s", line));
	append(log, text("%s%s", line + 40, record("/srv/third.py")));
	await(&watch, "/srv/third.py");
	interrupt(&watch);
	cr_expect(strstr(watch.out, "/srv/second.py"));
	cr_expect_str_eq(watch.err, "tlswitness: 3 connections: below-floor 3\n");
}

Test(watch_command, follows_a_directory_and_what_is_new_in_it)
{
	const char *directory = test_path("logs");
	struct program watch;

	cr_assert_eq(mkdir(directory, 0700), 0);
	test_file("logs/0.jsonl", record("/srv/first.py"));
	watch = start_watch(WORDS(directory));
	await(&watch, "/srv/first.py");
	append(test_path("logs/33.jsonl"), record("/srv/new.py"));
	await(&watch, "/srv/new.py");
	append(test_path("logs/33.jsonl"), record("/srv/newer.py"));
	await(&watch, "/srv/newer.py");
	interrupt(&watch);
}

Test(watch_command, begins_with_the_last_lines_in_the_order_of_time)
{
	const char *directory = test_path("logs");
	struct program watch;
	const char *older =
		"{\"@timestamp\":\"2026-11-19T10:00:00Z\",\"event.action\":\"blind-spot\","
		"\"event.reason\":\"static\",\"process.executable\":\"/bin/old\"}\n";

	cr_assert_eq(mkdir(directory, 0700), 0);
	test_file("logs/0.jsonl", text("%s%s", record("/srv/a.py"), record("/srv/b.py")));
	test_file("logs/1.jsonl", text("%s%s", record("/srv/c.py"), older));
	watch = start_watch(WORDS("-n", "3", "--json", directory));
	await(&watch, "/srv/c.py");
	append(test_path("logs/0.jsonl"), record("/srv/end.py"));
	await(&watch, "/srv/end.py");
	interrupt(&watch);
	cr_expect_null(strstr(watch.out, "/bin/old"));
	cr_expect(strstr(watch.out, "/srv/a.py") < strstr(watch.out, "/srv/c.py"));
	cr_expect_eq(strncmp(watch.out, "{\"@timestamp\"", 13), 0);
}

Test(watch_command, shows_what_the_filters_let_pass)
{
	const char *log = test_file(
		"a.jsonl", text("%s%s", record("/srv/first.py"), record("/srv/second.py")));
	struct program watch = start_watch(WORDS("--program", "second.*", "--verdict",
						 "below-floor", "--since", "2026-11-01", log));

	await(&watch, "/srv/second.py");
	interrupt(&watch);
	cr_expect_null(strstr(watch.out, "first"));
}

static void send_to(const char *path, const char *datagram)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int descriptor = socket(AF_UNIX, SOCK_DGRAM, 0);

	strcpy(address.sun_path, path);
	cr_assert_eq(sendto(descriptor, datagram, strlen(datagram), 0,
			    (const struct sockaddr *)&address, sizeof(address)),
		     (ssize_t)strlen(datagram));
	close(descriptor);
}

static bool is_there(void *path)
{
	return access(path, F_OK) == 0;
}

Test(watch_command, makes_a_socket_and_removes_it)
{
	const char *path = test_path("socket");
	struct program watch = start_watch(WORDS(text("unix:%s", path)));
	struct program second;
	struct stat status;

	wait_until(is_there, (void *)(uintptr_t)path, "the socket");
	cr_assert_eq(stat(path, &status), 0);
	cr_expect_eq(status.st_mode & 07777, 0600);
	send_to(path, record("/srv/first.py"));
	await(&watch, "/srv/first.py");
	/* Not two at one socket. */
	second = start_watch(WORDS(text("unix:%s", path)));
	cr_expect_eq(end_program(&second), 2);
	cr_expect(strstr(second.err, "another program listens there"), "%s", second.err);
	interrupt(&watch);
	cr_expect_neq(access(path, F_OK), 0);
}

Test(watch_command, replaces_a_socket_that_was_left_behind_and_nothing_else)
{
	const char *file = test_file("file", "mine");
	const char *path = test_path("socket");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int left = socket(AF_UNIX, SOCK_DGRAM, 0);
	struct program watch = start_watch(WORDS(text("unix:%s", file)));

	cr_expect_eq(end_program(&watch), 2);
	cr_expect_str_eq(read_file(file, NULL), "mine");
	strcpy(address.sun_path, path);
	cr_assert_eq(bind(left, (struct sockaddr *)&address, sizeof(address)), 0);
	close(left);
	watch = start_watch(WORDS(text("unix:%s", path)));
	await(&watch, "VERDICT");
	send_to(path, record("/srv/first.py"));
	await(&watch, "/srv/first.py");
	interrupt(&watch);
	cr_expect_neq(access(path, F_OK), 0);
}

Test(watch_command, ends_when_nobody_reads_and_removes_its_socket)
{
	const char *path = test_path("socket");
	struct program program = {
		.argv = WORDS("bash", "-c",
			      "\"$0\" watch \"unix:$1\" | head -1; echo \"${PIPESTATUS[0]}\"",
			      tool_path(), path),
	};

	cr_expect_eq(run_program(&program), 0);
	cr_expect(strstr(program.out, "\n141\n"), "%s", program.out);
	cr_expect_neq(access(path, F_OK), 0);
}

Test(watch_command, lets_no_control_character_through)
{
	static const char evil[] =
		"{\"@timestamp\":\"2026-11-20T10:00:00.000000Z\",\"event.action\":\"plaintext-"
		"mail\","
		"\"destination.domain\":\"\\u001b[2J\xc2\x9b\x7f\",\"process.executable\":"
		"\"/tmp/\\r\\n\xe2\x80\xaex\",\"tlswitness.verdict\":\"plaintext\","
		"\"event.reason\":\"end\"}\n";
	const char *log = test_file("a.jsonl", evil);
	static const char *const options[] = {"-n1", "--json"};

	for (size_t i = 0; i < 2; i++) {
		struct program watch = start_watch(WORDS(options[i], log));

		await(&watch, i ? "\"end\"" : "!!");
		interrupt(&watch);
		for (size_t k = 0; k < watch.out_length; k++)
			cr_expect((unsigned char)watch.out[k] >= 0x20 || watch.out[k] == '\n');
		cr_expect_null(strstr(watch.out, "\xc2\x9b"));
		cr_expect_null(strstr(watch.out, "\xe2\x80\xae"));
		cr_expect_null(strchr(watch.out, 0x7f));
	}
}

Test(watch_command, refuses_bad_use)
{
	const char *const *const cases[] = {
		WORDS("--no-such"),
		WORDS("-n", "x", "/tmp"),
		WORDS("-"),
		WORDS("/no/such/log.jsonl"),
		WORDS("unix:relative"),
		WORDS("unix:/tmp/a", "unix:/tmp/b"),
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct program watch = start_watch(cases[i]);

		cr_expect_eq(end_program(&watch), 2, "%zu", i);
		cr_expect_eq(strncmp(watch.err, "tlswitness: ", 12), 0, "%s", watch.err);
	}
}
