/*
 * Who is behind a mail program: the script that started it, by the line that its
 * source marks with "HERE function"; told to mail programs alone, and never to
 * one that runs with more rights.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "tests/integration/records.h"
#include "tests/integration/trial.h"

TestSuite(caller, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

/* "/…/mail.php:4 notify" */
static const char *marked_line(const char *path)
{
	const char *content = read_file(path, NULL);
	const char *mark = strstr(content, " HERE ");
	unsigned line = 1;

	cr_assert_not_null(mark, "%s", path);
	for (const char *at = content; at < mark; at++)
		line += *at == '\n';
	mark += strlen(" HERE ");
	return text("%s:%u %.*s", realpath(path, NULL), line, (int)strcspn(mark, "\n"), mark);
}

/* As Debian's sendmail of that name, to a sink. */
static const char *const *msmtp(const struct sink *sink)
{
	return join_words(WORDS("/usr/bin/msmtp", "--host=localhost", text("--port=%u", sink->port),
				"--from=a@example.com", "--auth=off", "--tls=on",
				"--tls-starttls=on",
				text("--tls-trust-file=%s", sink->certificate)),
			  WORDS("b@example.com"));
}

static const char *joined(const char *const words[])
{
	const char *line = "";

	for (; *words; words++)
		line = text("%s%s%s", line, *line ? " " : "", *words);
	return line;
}

static const struct row {
	const char *interpreter;
	const char *script;
} rows[] = {
	{"php", "tests/scripts/caller/mail.php"},
	{"perl", "tests/scripts/caller/pipe.pl"},
	{"/usr/bin/python3", "tests/scripts/caller/run.py"},
	{"ruby", "tests/scripts/caller/popen.rb"},
};

Test(caller, the_script_behind_a_mail_program_is_in_its_record)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sink *sink = start_sink(WORDS("--tls=1.2"));
		const char *script = realpath(rows[i].script, NULL);
		const char *log = test_path(text("caller%zu.jsonl", i));
		bool is_php = strcmp(rows[i].interpreter, "php") == 0;
		struct program bare = {
			.argv = is_php ? join_words(WORDS("php", "-d",
							  text("sendmail_path=%s",
							       joined(msmtp(sink)))),
						    WORDS(script))
				       : join_words(WORDS(rows[i].interpreter, script),
						    msmtp(sink))};
		struct program program = tried(&bare, log, WORDS(text("--ports=%u", sink->port)));
		json_t *records;

		cr_assert_eq(run_program(&program), 0, "%s: %s%s", rows[i].script, program.out,
			     program.err);
		(void)sink_entries(sink, 1);
		records = records_of_connections(log);
		cr_assert_eq(json_array_size(records), 1, "%s", rows[i].script);
		cr_expect_str_eq(field(json_array_get(records, 0), "tlswitness.caller"),
				 marked_line(rows[i].script), "%s", rows[i].script);
		cr_expect_str_eq(field(json_array_get(records, 0), "process.executable"),
				 "/usr/bin/msmtp");
		stop_sink(sink);
	}
}

/* As PHP-FPM's workers do by default, before a page runs. */
Test(caller, a_host_that_scrubbed_its_environment_hands_the_recorder_on)
{
	struct sink *sink = start_sink(WORDS("--tls=1.2"));
	const char *log = test_path("log.jsonl");
	const char *script = test_file("scrubbed.py", "import ctypes, sys\n"
						      "libc = ctypes.PyDLL(None)\n"
						      "libc.popen.restype = ctypes.c_void_p\n"
						      "libc.pclose.argtypes = [ctypes.c_void_p]\n"
						      "libc.clearenv()\n"
						      "command = ' '.join(sys.argv[1:]).encode()\n"
						      "command += b' </dev/null'\n"
						      "libc.pclose(libc.popen(command, b'w'))\n");
	struct program bare = {.argv = join_words(WORDS("/usr/bin/python3", script), msmtp(sink))};
	struct program program = tried(&bare, log, WORDS(text("--ports=%u", sink->port)));
	json_t *records;

	cr_assert_eq(run_program(&program), 0, "%s%s", program.out, program.err);
	(void)sink_entries(sink, 1);
	records = records_of_connections(log);
	cr_assert_eq(json_array_size(records), 1);
	cr_expect_str_eq(field(json_array_get(records, 0), "tlswitness.caller"),
			 text("%s:8 <module>", script));
	stop_sink(sink);
}

/* How many of the lines begin so. */
static size_t count_lines(const char *lines, const char *beginning)
{
	size_t count = 0;

	for (; *lines; lines += strcspn(lines, "\n"), lines += *lines == '\n')
		count += strncmp(lines, beginning, strlen(beginning)) == 0;
	return count;
}

/* What the host has set otherwise stays so, and what it has taken away is there again. */
Test(caller, a_mail_program_is_given_no_variable_twice)
{
	const char *mail = test_path("sendmail");
	const char *source = test_file("all.c", "#include <stdio.h>\n"
						"extern char **environ;\n"
						"int main(void)\n"
						"{\n"
						"	for (char **at = environ; *at; at++)\n"
						"		puts(*at);\n"
						"	return 0;\n"
						"}\n");
	struct program compiler = {.argv = WORDS("gcc", "-o", mail, source)};
	const char *script = test_file("start.py", "import os, subprocess, sys\n"
						   "del os.environ['LD_PRELOAD']\n"
						   "os.environ['TLSWITNESS_LOG'] = 'another'\n"
						   "subprocess.run([sys.argv[1]])\n");
	struct program bare = {.argv = WORDS("/usr/bin/python3", script, mail)};
	struct program program = tried(&bare, test_path("log.jsonl"), NO_WORDS);

	cr_assert_eq(run_program(&compiler), 0, "%s", compiler.err);
	cr_expect_eq(run_program(&program), 0, "%s", program.err);
	cr_expect_eq(count_lines(program.out, "LD_PRELOAD="), 1, "%s", program.out);
	cr_expect_eq(count_lines(program.out, "TLSWITNESS_LOG="), 1, "%s", program.out);
	cr_expect_eq(count_lines(program.out, "TLSWITNESS_LOG=another\n"), 1, "%s", program.out);
	cr_expect_eq(count_lines(program.out, "TLSWITNESS_CALLER="), 1, "%s", program.out);
}

static const char environment[] = "#include <stdio.h>\n"
				  "#include <stdlib.h>\n"
				  "int main(void)\n"
				  "{\n"
				  "	const char *caller = getenv(\"TLSWITNESS_CALLER\");\n"
				  "	printf(\"%s\\n\", caller ? caller : \"nobody\");\n"
				  "	return 0;\n"
				  "}\n";

/*
 * A script that starts `command` by a shell, and by itself. bash by its path: Python since 3.12
 * gives its lock up before it calls vfork, and in the child nobody may look at its frames; since
 * 3.13 that is so for names without a slash, and posix_spawn is called for the others.
 */
static void expect_told(const char *command, const char *told)
{
	static const char *const ways[] = {
		"popen(sys.argv[1])", "subprocess.run([sys.argv[1]])",
		"subprocess.run(sys.argv[1] + ' && true', shell=True)",
		"subprocess.run(['/bin/bash', '-c', 'true; ' + sys.argv[1] + '; true'])",
		"os.posix_spawn(sys.argv[1], [sys.argv[1]], os.environ) and os.wait()"};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		const char *script = test_file(
			"start.py", text("import os, subprocess, sys, ctypes\n"
					 "def popen(command):\n"
					 "    libc = ctypes.PyDLL(None)\n"
					 "    libc.popen.restype = ctypes.c_void_p\n"
					 "    libc.pclose.argtypes = [ctypes.c_void_p]\n"
					 "    libc.pclose(libc.popen(command.encode(), b'w'))\n"
					 "before = dict(os.environ)\n"
					 "%s\n"
					 "assert before == dict(os.environ)\n",
					 ways[i]));
		struct program bare = {.argv = WORDS("/usr/bin/python3", script, command)};
		struct program program = tried(&bare, test_path("log.jsonl"), NO_WORDS);

		cr_expect_eq(run_program(&program), 0, "%s: %s", ways[i], program.err);
		cr_expect_eq(strncmp(program.out, told, strlen(told)), 0, "%s: %s", ways[i],
			     program.out);
	}
}

Test(caller, mail_programs_alone_are_told_and_none_with_more_rights)
{
	const char *source = test_file("environment.c", environment);
	struct program compiler = {.argv = WORDS("gcc", "-o", test_path("sendmail"), source)};
	struct program copy = {
		.argv = WORDS("cp", test_path("sendmail"), test_path("environment"))};

	cr_assert_eq(run_program(&compiler), 0, "%s", compiler.err);
	cr_assert_eq(run_program(&copy), 0);
	expect_told(test_path("sendmail"), test_path("start.py"));
	expect_told(test_path("environment"), "nobody");
	cr_assert_eq(chmod(test_path("sendmail"), 04755), 0);
	expect_told(test_path("sendmail"), "nobody");
	cr_assert_eq(chmod(test_path("sendmail"), 02755), 0);
	expect_told(test_path("sendmail"), "nobody");
}

/* The first program of its name in PATH. */
Test(caller, a_mail_program_with_more_rights_is_found_by_its_name)
{
	const char *source = test_file("environment.c", environment);
	const char *mail = test_path("sendmail");
	struct program compiler = {.argv = WORDS("gcc", "-o", mail, source)};
	const char *script =
		test_file("start.py", "import ctypes\n"
				      "words = (ctypes.c_char_p * 2)(b'sendmail', None)\n"
				      "ctypes.PyDLL(None).execvp(b'sendmail', words)\n");
	struct program bare = {.argv = WORDS("/usr/bin/python3", script)};
	struct program program = tried(&bare, test_path("log.jsonl"), NO_WORDS);

	program.env = WORDS(text("PATH=%s:/usr/bin:/bin", test_path(".")), "A=/usr/bin");
	cr_assert_eq(run_program(&compiler), 0, "%s", compiler.err);
	cr_expect_eq(run_program(&program), 0, "%s", program.err);
	cr_expect_eq(strncmp(program.out, script, strlen(script)), 0, "%s", program.out);
	cr_assert_eq(chmod(mail, 04755), 0);
	cr_expect_eq(run_program(&program), 0, "%s", program.err);
	cr_expect_str_eq(program.out, "nobody\n");
}
