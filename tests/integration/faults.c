/*
 * Each system call that the recorder makes in a program fails once, and nothing else does: the
 * program ends as it does bare, and its mail is delivered all the same.
 *
 * The system is real; what fails a call is the kernel, asked by tests/programs/fault_injector.c.
 */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "tests/integration/records.h"
#include "tests/integration/senders.h"

TestSuite(faults, .init = harness_begin, .fini = harness_end, .timeout = 600);

/* So many calls fail one by one; of those behind them, which a program with many libraries has,
 * every so manieth. */
#define CALLS_EACH 120
#define CALLS_STEP 61

/* The sender, recorded, with the recorder's calls failing as the injector is told. */
static struct program faulty(const struct sender *sender, const struct sink *sink,
			     const char *failing, const char *count, const char *log,
			     const char *mode)
{
	struct program program = sender_program(sender, sink, TLS_MODE_STARTTLS, NO_WORDS);
	/* env comes in between, so that the injector itself has no recorder. */
	const char *const recorded[] = {program_path("fault_injector"),
					failing,
					"libtlswitness.so",
					count,
					"env",
					text("LD_PRELOAD=%s", recorder_path()),
					text("TLSWITNESS_LOG=%s", log),
					text("TLSWITNESS_MODE=%s", mode),
					"TLSWITNESS_PLAINTEXT=refuse",
					text("TLSWITNESS_PORTS=%u", sink->port),
					NULL};

	program.argv = join_words(recorded, program.argv);
	return program;
}

/* One session with its `failing`-th call failed; returns how many calls there were. */
static unsigned long expect_unharmed(const struct sender *sender, unsigned long failing,
				     const char *mode)
{
	struct sink *sink = start_sink(WORDS("--tls=1.3", "--connections=1"));
	const char *count = test_path(text("count.%lu", failing));
	const char *log = test_path(text("log.%lu.jsonl", failing));
	struct program program = faulty(sender, sink, text("%lu", failing), count, log, mode);
	const json_t *entry;
	char *after;
	unsigned long calls;
	long failed;

	run_program(&program);
	calls = strtoul(read_file(count, NULL), &after, 10);
	failed = strtol(after, NULL, 10);
	cr_assert_eq(program.status, 0, "%s, %s, call %lu (system call %ld) failed: status %d\n%s",
		     sender->name, mode, failing, failed, program.status, program.err);
	entry = json_array_get(sink_entries(sink, 1), 0);
	cr_assert(json_is_true(json_object_get(entry, "mail")),
		  "%s, %s, call %lu (system call %ld) failed: no mail", sender->name, mode, failing,
		  failed);
	cr_assert_str_eq(field(entry, "version"), "1.3");
	cr_assert_null(strstr(program.err, "tlswitness:"), "it must not speak: %s", program.err);
	cr_assert(failing == 0 || failed >= 0 || failing > calls,
		  "%s: call %lu of %lu was not made to fail", sender->name, failing, calls);
	return calls;
}

/* Every call in turn; the sessions differ a little, so the end is looked for and not computed. */
static void check_each_call(const char *name, const char *mode)
{
	const struct sender *sender = NULL;
	unsigned long calls;
	unsigned long failing = 0;

	for (size_t i = 0; i < senders_count; i++) {
		if (strcmp(senders[i].name, name) == 0)
			sender = &senders[i];
	}
	cr_assert_not_null(sender);
	do {
		calls = expect_unharmed(sender, failing, mode);
		cr_assert_gt(calls, 0, "the recorder's calls are not recognised");
		failing += failing < CALLS_EACH ? 1 : CALLS_STEP;
	} while (failing <= calls);
	cr_log_info("%s, %s: of %lu calls, each failed alone\n", name, mode, calls);
}

Test(faults, python_in_audit)
{
	check_each_call("python3 smtplib", "audit");
}

/* In enforce, a lack of memory for a connection to a mail port is a refusal: see scale. */
Test(faults, curl_in_audit)
{
	check_each_call("curl", "audit");
}

Test(faults, php_in_audit)
{
	check_each_call("PHPMailer", "audit");
}

Test(faults, perl_in_audit)
{
	check_each_call("Net::SMTP", "audit");
}

/* ---- no memory at all, from the first moment on ---- */

static void map_nothing(const struct sender *sender, const char *tls, const char *mode,
			bool arrives)
{
	struct sink *sink = start_sink(WORDS(text("--tls=%s", tls)));
	const char *count = test_path(text("%s-%s-%s", sender->name, tls, mode));
	struct program program = faulty(sender, sink, "mmap", count, test_path("log.jsonl"), mode);
	size_t messages = 0;
	json_t *entries;

	run_program(&program);
	stop_sink(sink);
	entries = read_json_lines(sink->log);
	for (size_t i = 0; i < json_array_size(entries); i++) {
		const json_t *entry = json_array_get(entries, i);

		messages += (size_t)json_integer_value(json_object_get(entry, "messages"));
		cr_expect(arrives || !json_is_true(json_object_get(entry, "mail")), "%s, %s, %s",
			  sender->name, tls, mode);
	}
	cr_expect_eq(messages, arrives ? 1 : 0, "%s, %s, %s: %zu mails", sender->name, tls, mode,
		     messages);
	cr_expect_eq(program.status == 0, arrives, "%s, %s, %s: status %d, %s", sender->name, tls,
		     mode, program.status, program.err);
	/* PHP ends with 255. */
	cr_expect(program.status < 128 || program.status == 255, "%s, %s, %s: status %d",
		  sender->name, tls, mode, program.status);
	cr_expect_gt(strtoul(read_file(count, NULL), NULL, 10), 0, "nothing was mapped");
}

/* What can't be known passes in audit, and is refused where a floor was asked for. */
Test(faults, without_any_memory_mail_passes_in_audit_and_is_refused_by_enforce)
{
	for (size_t i = 0; i < senders_count; i++) {
		map_nothing(&senders[i], "1.3", "audit", true);
		map_nothing(&senders[i], "1.0", "audit", true);
		map_nothing(&senders[i], "1.0", "enforce", false);
	}
}
