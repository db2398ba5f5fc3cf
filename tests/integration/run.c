/*
 * `tlswitness run`: what it says before it becomes the command, and that the
 * command notices nothing of it.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "tests/integration/records.h"
#include "tests/integration/senders.h"

TestSuite(run, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

#define NOBODY 65534

/* `tlswitness run --log LOG -- COMMAND` */
static struct program run(const char *const command[], const char *const env[])
{
	struct program bare = {.argv = command};
	struct program program = preloaded(&bare, test_path("log.jsonl"), env);

	run_program(&program);
	return program;
}

static bool is_one_line(const char *string)
{
	const char *newline = strchr(string, '\n');

	return newline != NULL && newline[1] == '\0';
}

static void expect_one_line(const struct program *program, const char *part)
{
	cr_expect(is_one_line(program->err), "not one line: %s", program->err);
	cr_expect_eq(strncmp(program->err, "tlswitness: run: ", strlen("tlswitness: run: ")), 0,
		     "%s", program->err);
	cr_expect_not_null(strstr(program->err, part), "'%s' is not in: %s", part, program->err);
}

/* ---- what can't be run ---- */

Test(run, of_a_command_that_is_not_there)
{
	struct program program = run(WORDS("no-such-command"), WORDS("PATH=/usr/bin:/bin"));

	cr_expect_eq(program.status, 127);
	expect_one_line(&program, "no-such-command");
	program = run(WORDS("/nonexistent/command"), NO_WORDS);
	cr_expect_eq(program.status, 127);
	expect_one_line(&program, "/nonexistent/command");
}

Test(run, of_what_is_no_program)
{
	const char *file = test_file("file", "words\n");
	struct program program = run(WORDS(file), NO_WORDS);

	cr_expect_eq(program.status, 126);
	expect_one_line(&program, file);
	program = run(WORDS(test_path("")), NO_WORDS);
	cr_expect_eq(program.status, 126);
	expect_one_line(&program, "ermission denied");
}

Test(run, of_nothing)
{
	struct program program = {.argv = WORDS(tool_path(), "run")};

	cr_expect_eq(run_program(&program), 2);
	expect_one_line(&program, "--help");
	program.argv = WORDS(tool_path(), "run", "--frobnicate", "true");
	cr_expect_eq(run_program(&program), 2);
	cr_expect_not_null(strstr(program.err, "--help"));
}

Test(run, help_fits_a_terminal)
{
	struct program program = {.argv = WORDS(tool_path(), "run", "--help")};

	cr_expect_eq(run_program(&program), 0);
	cr_expect_str_empty(program.err);
	for (const char *line = program.out; *line != '\0'; line += strcspn(line, "\n") + 1)
		cr_expect_leq(strcspn(line, "\n"), 80, "%.*s", (int)strcspn(line, "\n"), line);
}

/* ---- what can't be seen into ---- */

/* A program that ends with status 7. */
static const char *compile(const char *name, const char *option)
{
	const char *source = test_file(text("%s.c", name), "int main(void) { return 7; }\n");
	const char *path = test_path(name);
	struct program compiler = {
		.argv = join_words(WORDS("gcc", "-o", path, source), WORDS(option))};

	cr_assert_eq(run_program(&compiler), 0, "%s", compiler.err);
	return path;
}

static void expect_blind(const char *const command[], const char *reason)
{
	struct program program = run(command, NO_WORDS);

	cr_expect_eq(program.status, 7, "%s", program.err);
	cr_expect_str_empty(program.out);
	expect_one_line(&program, reason);
	cr_expect_not_null(strstr(program.err, "will not be recorded"), "%s", program.err);
}

Test(run, says_what_it_cannot_see)
{
	const char *is_static = compile("static", "-static");
	const char *script = test_file("script", text("#!%s -x\n", is_static));
	const char *go = compile("go", NULL);
	struct program objcopy = {
		.argv = WORDS("objcopy", "--add-section", text(".go.buildinfo=%s", script), go)};

	expect_blind(WORDS(is_static), "is statically linked");
	cr_assert_eq(chmod(script, 0755), 0);
	expect_blind(WORDS(script), "is statically linked");
	cr_assert_eq(run_program(&objcopy), 0, "%s", objcopy.err);
	expect_blind(WORDS(go), "is a Go program");
}

/* A library of that name is enough: what counts is that the program needs it. */
Test(run, says_that_io_uring_passes_it_by)
{
	const char *library = test_path("liburing.so.2");
	const char *path = test_path("rings");
	const char *source = test_file("ring.c", "int io_uring_queue_init(void) { return 7; }\n");
	const char *main_file = test_file("rings.c", "int io_uring_queue_init(void);\n"
						     "int main(void)\n"
						     "{\n"
						     "	return io_uring_queue_init();\n"
						     "}\n");
	struct program compiler = {.argv = WORDS("gcc", "-shared", "-fPIC",
						 "-Wl,-soname,liburing.so.2", "-o", library,
						 source)};
	struct program linker = {.argv = WORDS("gcc", "-o", path, main_file, library,
					       text("-Wl,-rpath,%s", test_path("")))};
	struct program check = {.argv = WORDS(tool_path(), "check", path)};

	cr_assert_eq(run_program(&compiler), 0, "%s", compiler.err);
	cr_assert_eq(run_program(&linker), 0, "%s", linker.err);
	expect_blind(WORDS(path), "links liburing");
	run_program(&check);
	cr_expect_not_null(strstr(check.out, "io_uring passes no hook"), "%s", check.out);
}

Test(run, says_that_more_rights_keep_it_out)
{
	if (geteuid() != 0)
		cr_skip("only root can give a file away");
	const char *program = compile("suid", NULL);

	cr_assert_eq(chown(program, NOBODY, NOBODY), 0);
	cr_assert_eq(chmod(program, 04755), 0);
	expect_blind(WORDS(program), "is set-user-ID");
	cr_assert_eq(chmod(program, 02755), 0);
	expect_blind(WORDS(program), "is set-group-ID");
}

Test(run, says_nothing_of_what_it_can_see)
{
	struct program program = run(WORDS(compile("plain", NULL)), NO_WORDS);

	cr_expect_eq(program.status, 7);
	cr_expect_str_empty(program.err);
	/* A script too, by its interpreter. */
	const char *script = test_file("script", "#!/usr/bin/env -S sh -e\nexit 7\n");
	cr_assert_eq(chmod(script, 0755), 0);
	program = run(WORDS(script), NO_WORDS);
	cr_expect_eq(program.status, 7);
	cr_expect_str_empty(program.err);
}

/* ---- the command notices nothing ---- */

Test(run, leaves_other_preloads_where_they_are)
{
	const char *said = text("/other.so:%s\n", recorder_path());
	struct program program =
		run(WORDS("sh", "-c", "echo $LD_PRELOAD"), WORDS("LD_PRELOAD=/other.so"));

	/* The loader complains of the one that is not there, not we. */
	cr_expect_str_eq(program.out, said);
	/* Within itself it is not there twice. */
	program = run(WORDS(tool_path(), "run", "--", "sh", "-c", "echo $LD_PRELOAD"), NO_WORDS);
	cr_expect_str_eq(program.out, text("%s\n", recorder_path()));
}

Test(run, keeps_process_status_signals_and_streams)
{
	struct program program =
		run(WORDS("sh", "-c", text("echo $$; exec %s run -- sh -c 'echo $$'", tool_path())),
		    NO_WORDS);
	char *rest;
	long outer = strtol(program.out, &rest, 10);

	cr_expect_eq(outer, strtol(rest, NULL, 10), "%s", program.out);
	program = run(WORDS("sh", "-c", "exit 3"), NO_WORDS);
	cr_expect_eq(program.status, 3);
	program = run(WORDS("sh", "-c", "kill -TERM $$"), NO_WORDS);
	cr_expect_eq(program.status, 128 + SIGTERM);

	struct program bare = {.argv = WORDS("cat"), .input = "words\n"};
	program = preloaded(&bare, test_path("log.jsonl"), NO_WORDS);
	cr_expect_eq(run_program(&program), 0);
	cr_expect_str_eq(program.out, "words\n");
	cr_expect_str_empty(program.err);
	/* Options behind the command are the command's. */
	program.argv = WORDS(tool_path(), "run", "echo", "--log", "--help");
	cr_expect_eq(run_program(&program), 0);
	cr_expect_str_eq(program.out, "--log --help\n");
}

/* Mail by curl under the tool at `tool`, from `directory`, with `--log=LOG`. */
static const json_t *record_of_mail(const char *tool, const char *directory, const char *log)
{
	struct sink *sink = start_sink(NO_WORDS);
	struct program program = sender_program(&senders[4], sink, TLS_MODE_STARTTLS, NO_WORDS);

	program.argv = join_words(WORDS(tool, "run", text("--log=%s", log), "--service=shop"),
				  program.argv);
	program.directory = directory;
	cr_expect_eq(run_program(&program), 0, "%s", program.err);
	cr_expect_str_empty(program.err);
	const char *path = log[0] == '/' ? log : text("%s/%s", directory, log);
	const json_t *record = only_handshake(path);
	expect_equal_to_entry(record, json_array_get(sink_entries(sink, 1), 0), log);
	cr_expect_str_eq(field(record, "service.name"), "shop");
	return record;
}

Test(run, from_any_directory)
{
	record_of_mail(tool_path(), test_path(""), "log.jsonl");
	record_of_mail(tool_path(), "/", test_path("other.jsonl"));
}

Test(run, installed_anywhere)
{
	const char *root = test_path("root");
	struct program install = {.argv = WORDS("make", "--no-print-directory", "install",
						text("DESTDIR=%s", root), "PREFIX=/opt/mail"),
				  .env = WORDS("MAKEFLAGS", "MAKELEVEL")};
	const char *link = test_path("link");

	cr_assert_eq(run_program(&install), 0, "%s", install.err);
	const char *tool = text("%s/opt/mail/bin/tlswitness", root);
	record_of_mail(tool, "/", test_path("log.jsonl"));
	cr_assert_eq(symlink(tool, link), 0);
	record_of_mail(link, "/", test_path("linked.jsonl"));
	struct program program = {.argv = WORDS(tool, "run", text("--log=%s", test_path("l")), "sh",
						"-c", "echo $LD_PRELOAD")};
	cr_expect_eq(run_program(&program), 0);
	cr_expect_str_eq(program.out, text("%s/opt/mail/lib/tlswitness/libtlswitness.so\n", root));
}

static void install_as(const char *root, const char *source, const char *place)
{
	struct program install = {
		.argv = WORDS("install", "-D", source, text("%s/%s", root, place))};

	cr_assert_eq(run_program(&install), 0, "%s", install.err);
}

/* A program of 32 bits that needs no library, if only its loader is there. */
static const char *compile_small(void)
{
	const char *source = test_file("small.S", ".globl _start\n_start: mov $1, %eax\n"
						  "mov $7, %ebx\nint $0x80\n");
	struct program compiler = {.argv = WORDS("gcc", "-m32", "-nostdlib", "-pie",
						 "-Wl,--dynamic-linker=/lib/ld-linux.so.2", "-o",
						 test_path("small"), source)};

	cr_assert_eq(run_program(&compiler), 0, "%s", compiler.err);
	return test_path("small");
}

/* One setting for both word sizes, where there is a recorder for both; else it is said. */
Test(run, programs_of_both_word_sizes)
{
#ifdef __x86_64__
	static const char *const places[] = {"lib/x86_64-linux-gnu/tlswitness/libtlswitness.so",
					     "lib/i386-linux-gnu/tlswitness/libtlswitness.so"};
	static const char said[] = "of another word size than the recorder, and none of that "
				   "size is installed: its connections will not be recorded";
	const char *root = test_path("root");
	const char *tool = text("%s/bin/tlswitness", root);
	const char *log = text("--log=%s", test_path("l"));
	struct program small = {.argv = WORDS(tool, "run", log, compile_small())};
	struct program shell = {.argv = WORDS(tool, "run", log, "sh", "-c", "echo $LD_PRELOAD")};

	install_as(root, tool_path(), "bin/tlswitness");
	install_as(root, recorder_path(), places[0]);
	run_program(&small);
	cr_expect(strstr(small.err, said) != NULL, "%s", small.err);
	cr_expect_eq(run_program(&shell), 0);
	cr_expect_str_eq(shell.out, text("%s/%s\n", root, places[0]));
	/* Of that size, and in its place: no more counts here, as nothing of that size is started.
	 */
	install_as(root, test_path("small"), places[1]);
	run_program(&small);
	cr_expect(strstr(small.err, "word size") == NULL, "%s", small.err);
	cr_expect_eq(run_program(&shell), 0);
	cr_expect_str_eq(shell.out, text("%s/$LIB/tlswitness/libtlswitness.so\n", root));
	record_of_mail(tool, "/", test_path("log.jsonl"));
#else
	cr_skip("the places are those of amd64");
#endif
}

Test(run, into_a_directory_with_a_file_per_user)
{
	const char *directory = test_path("logs");
	struct stat status;

	cr_assert_eq(mkdir(directory, 0700), 0);
	struct program program = run(WORDS(tool_path(), "run", "--log", directory, "--", "sh", "-c",
					   "echo $TLSWITNESS_LOG"),
				     NO_WORDS);
	cr_expect_str_eq(program.out, text("%s/\n", directory));
	struct program bare = {.argv = WORDS(program_path("giver_up"), "1")};
	program = preloaded(&bare, directory, WORDS("TLSWITNESS_SCOPE=all"));
	cr_expect_eq(run_program(&program), 0);
	const char *log = text("%s/%u.jsonl", directory, geteuid());
	only_handshake(log);
	cr_assert_eq(stat(log, &status), 0);
	cr_expect_eq(status.st_mode & 07777, 0600);
}

/* Somebody who may not write to /var/log: their own state directory. */
Test(run, without_a_log_named)
{
	if (geteuid() != 0)
		cr_skip("only root can become another user");
	const char *home = test_path("home");

	cr_assert_eq(mkdir(home, 0700), 0);
	cr_assert_eq(chown(home, NOBODY, NOBODY), 0);
	struct program program = {.argv = WORDS("setpriv", "--reuid=65534", "--regid=65534",
						"--clear-groups", tool_path(), "run", "sh", "-c",
						"echo $TLSWITNESS_LOG"),
				  .env = WORDS(text("HOME=%s", home), "XDG_STATE_HOME")};
	run_program(&program);
	if (strcmp(program.out, "/var/log/tlswitness/\n") == 0)
		cr_skip("/var/log/tlswitness is there for all on this machine");
	cr_expect_str_eq(program.out, text("%s/.local/state/tlswitness/\n", home));
}

/* ---- settings that are none ---- */

static void expect_refused(const char *variable, const char *part, const char *allowed)
{
	struct program program = run(WORDS("echo", "ran"), WORDS(variable));

	cr_expect_eq(program.status, 2, "%s", variable);
	cr_expect_str_empty(program.out);
	expect_one_line(&program, part);
	cr_expect_not_null(strstr(program.err, allowed), "%s", program.err);
}

Test(run, refuses_settings_that_are_none)
{
	expect_refused("TLSWITNESS_MODE=strict", "strict", "audit, enforce or upgrade");
	expect_refused("TLSWITNESS_MODE=Audit", "Audit", "audit, enforce or upgrade");
	expect_refused("TLSWITNESS_FLOOR=1.4", "1.4", "1.0, 1.1, 1.2 or 1.3");
	expect_refused("TLSWITNESS_FLOOR=TLSv1.2", "TLSv1.2", "1.0, 1.1, 1.2 or 1.3");
	expect_refused("TLSWITNESS_SCOPE=everything", "everything", "smtp or all");
	expect_refused("TLSWITNESS_PORTS=25,smtp", "25,smtp", "1 to 65535");
	expect_refused("TLSWITNESS_PORTS=0", "'0'", "1 to 65535");
	expect_refused("TLSWITNESS_PLAINTEXT=no", "'no'", "refuse-remote, refuse or record");
	expect_refused("TLSWITNESS_OFF=yes", "yes", "0 or 1");
	expect_refused("TLSWITNESS_FLOR=1.2", "flor", "floor");
	struct program program = {
		.argv = WORDS(tool_path(), "run", "--log=unix:relative", "echo", "ran")};
	cr_expect_eq(run_program(&program), 2);
	expect_one_line(&program, "unix:/path");
	program.argv = WORDS(tool_path(), "run", "--floor=2", "echo", "ran");
	cr_expect_eq(run_program(&program), 2);
	expect_one_line(&program, "1.0, 1.1, 1.2 or 1.3");
}

/* In a host, where nobody can be told at once: a record, once, and the safe default. */
Test(run, of_a_host_with_settings_that_are_none)
{
	struct sink *sink = start_sink(WORDS("--tls=1.2"));
	const char *log = test_path("log.jsonl");
	struct program bare = sender_program(&senders[0], sink, TLS_MODE_STARTTLS, NO_WORDS);

	cr_expect_eq(run_program(&bare), 0, "%s", bare.err);
	struct program program = bare;
	program.env =
		join_words(bare.env, WORDS(text("LD_PRELOAD=%s", recorder_path()),
					   text("TLSWITNESS_LOG=%s", log), "TLSWITNESS_FLOOR=1.4",
					   "TLSWITNESS_MODE=enforced", "TLSWITNESS_COLOUR=red"));
	cr_expect_eq(run_program(&program), 0, "%s", program.err);
	cr_expect_str_eq(program.out, bare.out);
	cr_expect_str_eq(program.err, bare.err);
	const json_t *errors = records_of(log, "configuration-error");
	cr_assert_eq(json_array_size(errors), 3, "%s", read_file(log, NULL));
	for (size_t i = 0; i < 3; i++)
		cr_expect_str_eq(field(json_array_get(errors, i), "event.outcome"), "failure");
	cr_expect_not_null(strstr(field(json_array_get(errors, 0), "event.reason"), "'1.4'"));
	const json_t *record = only_handshake(log);
	expect_equal_to_entry(record, json_array_get(sink_entries(sink, 2), 1), "defaults");
	cr_expect_str_eq(field(record, "tlswitness.floor"), "1.2");
	cr_expect_str_eq(field(record, "tlswitness.mode"), "audit");
}
