/*
 * What the recorder costs its host, as far as it can be counted: its own system
 * calls, of which the kernel tells each (tests/programs/fault_injector.c). Time is
 * shown by `make bench`.
 */
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "tests/integration/records.h"

TestSuite(cost, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

/* How many system calls of ours there are in a run of this program. */
static unsigned long count_calls(const char *const argv[], const char *log, const char *const env[])
{
	static unsigned runs;
	const char *count = test_path(text("count.%u", ++runs));
	/* env comes in between, so that the injector itself has no recorder. */
	const char *const counted[] = {program_path("fault_injector"),
				       "0",
				       "libtlswitness.so",
				       count,
				       "env",
				       text("LD_PRELOAD=%s", recorder_path()),
				       text("TLSWITNESS_LOG=%s", log),
				       NULL};
	struct program program = {.argv = join_words(join_words(counted, env), argv)};

	cr_assert_eq(run_program(&program), 0, "%s: %s%s", argv[0], program.out, program.err);
	return strtoul(read_file(count, NULL), NULL, 10);
}

/* A descriptor that is no mail connection costs none, whatever is done with it and however often.
 */
static void expect_nothing_more(const char *mode)
{
	const char *log = test_path("log.jsonl");
	const unsigned long once = count_calls(WORDS(program_path("idle"), "1"), log, WORDS(mode));

	cr_assert_gt(once, 0, "the recorder's calls are not recognised");
	/* One in each of 40 rounds more would be 40. Where the kernel puts the stack, the
	   environment may lie in a page more, about which is asked when a program is started. */
	cr_expect_lt(count_calls(WORDS(program_path("idle"), "41"), log, WORDS(mode)), once + 20,
		     "%s", mode);
}

Test(cost, of_a_host_that_sends_no_mail)
{
	expect_nothing_more("TLSWITNESS_MODE=audit");
	expect_nothing_more("TLSWITNESS_MODE=enforce");
}

/* 98 and 482, when each descriptor and each slot of a library was asked about for itself. */
Test(cost, of_a_start)
{
	const char *log = test_path("log.jsonl");

	cr_expect_leq(count_calls(WORDS("true"), log, NO_WORDS), 20);
	cr_expect_leq(count_calls(WORDS("php", "-r", "echo 1;"), log, NO_WORDS), 80);
}

/* The fewest of twenty runs: where the loader puts things varies. */
static long fewest_page_faults(char *const env[])
{
	long fewest = 0;

	for (int run = 0; run < 20; run++) {
		char *const argv[] = {"true", NULL};
		struct rusage usage;
		pid_t pid;
		int status;

		cr_assert_eq(posix_spawnp(&pid, "true", NULL, NULL, argv, env), 0);
		cr_assert_eq(wait4(pid, &status, 0, &usage), pid);
		cr_assert_eq(status, 0);
		if (run == 0 || usage.ru_minflt < fewest)
			fewest = usage.ru_minflt;
	}
	return fewest;
}

/* 28 more than bare, when what a process writes at its start lay on a page for each part. */
Test(cost, of_a_start_in_page_faults)
{
	char *const bare[] = {NULL};
	char *const watched[] = {(char *)text("LD_PRELOAD=%s", recorder_path()), NULL};
	const long fewest = fewest_page_faults(bare);
	const long more = fewest_page_faults(watched) - fewest;

	if (fewest > 70)
		cr_skip("a kernel that maps a page for each fault, and not those around it");
	cr_expect_gt(more, 0, "it is not loaded");
	cr_expect_leq(more, 19, "%ld more than %ld", more, fewest);
}

/* What awk has written to, in KiB, of our file's pages and of those without a file right behind. */
static const char written[] =
	"/^[0-9a-f]+-[0-9a-f]+ / {\n"
	"	split($1, range, \"-\")\n"
	"	ours = /libtlswitness\\.so/ || (ours && NF == 5 && range[1] \"\" == behind)\n"
	"	behind = range[2] \"\"\n"
	"}\n"
	"ours && $1 == \"Private_Dirty:\" { sum += $2 }\n"
	"END { print sum + 0 }\n";

/* 76 KiB, when each part had pages of its own. */
Test(cost, of_a_start_in_memory)
{
	struct program program = {.argv = WORDS("awk", written, "/proc/self/smaps"),
				  .env = WORDS(text("LD_PRELOAD=%s", recorder_path()))};

	cr_assert_eq(run_program(&program), 0, "%s", program.err);
	const long size = strtol(program.out, NULL, 10);

	cr_expect_gt(size, 0, "it is not loaded");
	cr_expect_leq(size, 12 * sysconf(_SC_PAGESIZE) / 1024, "%ld KiB", size);
}

/* Of each connection, once the process has begun: 19 before. */
static void expect_calls(const char *const argv[], const char *option, unsigned long most)
{
	struct sink *sink = start_sink(WORDS("--implicit", "--tls=1.3"));
	const char *log = test_path(text("%u.jsonl", sink->port));
	const char *const env[] = {text("TLSWITNESS_PORTS=%u", sink->port), NULL};
	const char *const *client = join_words(WORDS(argv[0], text("%u", sink->port)), argv + 1);
	const unsigned long few =
		count_calls(join_words(client, WORDS(text("%s1", option))), log, env);
	const unsigned long many =
		count_calls(join_words(client, WORDS(text("%s21", option))), log, env);

	cr_expect_eq(json_array_size(records_of(log, "tls-handshake")), 22);
	cr_expect_leq(many - few, 20 * most, "%s: %lu and %lu", argv[0], few, many);
	stop_sink(sink);
}

Test(cost, of_a_connection)
{
	expect_calls(WORDS(program_path("gnutls_client")), "count=", 12);
}

/* Whether the last line goes on growing is looked for once more, not as long as it might. */
Test(cost, of_a_torn_line)
{
	const char *const argv[] = {program_path("giver_up"), "1", NULL};
	const char *const *env = WORDS("TLSWITNESS_SCOPE=all");
	const unsigned long whole = count_calls(argv, test_file("whole.jsonl", "{}\n"), env);
	const unsigned long torn = count_calls(argv, test_file("torn.jsonl", "{"), env);

	cr_expect_leq(torn, whole + 2 + 4, "%lu and %lu", torn, whole);
}
