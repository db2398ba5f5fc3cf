/*
 * Children that are made while threads of their parent are within hooks of ours: each goes its way,
 * none waits for what was held at that moment, and each session has one record, parent's and
 * child's, whatever call made the child.
 */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "tests/integration/records.h"

TestSuite(children, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

#define CHILDREN "60"

static void expect_a_record_for_each_session(const char *how)
{
	struct sink *sink = start_sink(WORDS("--tls=none"));
	const char *log = test_path("log.jsonl");
	struct program bare = {
		.argv = WORDS(program_path("children"), how, text("%u", sink->port), CHILDREN)};
	struct program program =
		preloaded(&bare, log, WORDS(text("TLSWITNESS_PORTS=%u", sink->port)));

	cr_assert_eq(run_program(&program), 0, "%s: status %d, %s", how, program.status,
		     program.err);
	cr_expect_str_empty(program.err);
	const size_t sessions = strtoul(program.out, NULL, 10);
	cr_expect_gt(sessions, strtoul(CHILDREN, NULL, 10));
	cr_expect_eq(json_array_size(sink_entries(sink, sessions)), sessions);
	cr_expect_eq(json_array_size(records_of(log, "smtp-session")), sessions, "%s", how);
	cr_expect_eq(json_array_size(records_of(log, NULL)), sessions, "%s", how);
	stop_sink(sink);
}

Test(children, made_by_fork)
{
	expect_a_record_for_each_session("fork");
}

Test(children, made_by_clone)
{
	expect_a_record_for_each_session("clone");
}

Test(children, made_by_vfork)
{
	expect_a_record_for_each_session("vfork");
}

Test(children, made_by_posix_spawn)
{
	expect_a_record_for_each_session("posix_spawn");
}

static const char parent_and_child[] =
	"import os, smtplib, ssl, sys\n"
	"def send():\n"
	"    context = ssl.create_default_context(cafile=sys.argv[2])\n"
	"    with smtplib.SMTP('localhost', int(sys.argv[1])) as server:\n"
	"        server.starttls(context=context)\n"
	"        server.sendmail('a@example.org', ['b@example.org'], 'Subject: x\\n\\nx')\n"
	"send()\n"
	"child = os.fork()\n"
	"send()\n"
	"if child == 0:\n"
	"    sys.exit()\n"
	"print(os.getpid(), child)\n"
	"sys.exit(os.waitpid(child, 0)[1])\n";

/* MADV_WIPEONFORK is of Linux 4.14: before, a child finds its parent's state. */
Test(children, of_a_kernel_that_wipes_nothing_at_fork)
{
	struct sink *sink = start_sink(WORDS("--tls=1.2..1.3"));
	const char *log = test_path("log.jsonl");
	struct program program = {
		.argv = WORDS("strace", "-f", "-qq", "-o", test_path("trace"), "-e",
			      "trace=madvise", "-e", "inject=madvise:error=EINVAL", "-E",
			      text("LD_PRELOAD=%s", recorder_path()), "-E",
			      text("TLSWITNESS_LOG=%s", log), "-E",
			      text("TLSWITNESS_PORTS=%u", sink->port), "/usr/bin/python3",
			      test_file("fork.py", parent_and_child), text("%u", sink->port),
			      sink->certificate)};
	char *next;

	cr_assert_eq(run_program(&program), 0, "%s", program.err);
	cr_assert_not_null(strstr(read_file(test_path("trace"), NULL), "(INJECTED)"));
	const long parent = strtol(program.out, &next, 10);
	const long child = strtol(next, NULL, 10);
	json_t *records = records_of(log, "tls-handshake");
	size_t of_child = 0;

	/* records_of() has found no event.id twice. */
	cr_assert_eq(json_array_size(records), 3, "%s", read_file(log, NULL));
	for (size_t i = 0; i < 3; i++) {
		const json_t *record = json_array_get(records, i);
		const long long pid = number_field(record, "process.pid");

		cr_expect(pid == parent || pid == child, "%lld", pid);
		of_child += pid == child;
	}
	cr_expect_eq(of_child, 1);
	cr_expect_eq(json_array_size(sink_entries(sink, 3)), 3);
	stop_sink(sink);
}
