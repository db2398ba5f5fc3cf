/*
 * Each system call that the recorder makes in a program fails once, and nothing else does: the
 * program ends as it does bare, and its mail is delivered all the same.
 *
 * The system is real; what fails a call is the kernel, asked by tests/programs/fault_injector.c, or
 * by a limit.
 */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "tests/integration/mailers.h"
#include "tests/integration/records.h"
#include "tests/integration/senders.h"

/* Each session has a deadline of its own, and there may be thousands of them. */
TestSuite(faults, .init = harness_begin, .fini = harness_end, .timeout = 7200);

/* So many calls fail one by one; of those behind them, which a program with many libraries has,
 * every so manieth. `make faults` lets each of them fail. */
#define CALLS_EACH 120
#define CALLS_STEP 61

/* The same where a start takes long. */
#define SLOW_EACH 8
#define SLOW_STEP 29

typedef struct program (*session_of)(const struct sink *sink);

/* A program, and one STARTTLS session of it. */
struct host {
	const char *name;
	session_of session;
	bool starts_slowly;
};

static struct program sender_named(const char *name, const struct sink *sink)
{
	for (size_t i = 0; i < senders_count; i++) {
		if (strcmp(senders[i].name, name) == 0)
			return sender_program(&senders[i], sink, TLS_MODE_STARTTLS, NO_WORDS);
	}
	cr_assert(false, "no sender is named %s", name);
	return (struct program){0};
}

static struct program python(const struct sink *sink)
{
	return sender_named("python3 smtplib", sink);
}

static struct program php(const struct sink *sink)
{
	return sender_named("PHPMailer", sink);
}

static struct program perl(const struct sink *sink)
{
	return sender_named("Net::SMTP", sink);
}

static struct program curl(const struct sink *sink)
{
	return sender_named("curl", sink);
}

static struct program ruby(const struct sink *sink)
{
	return (struct program){
		.argv = join_words(WORDS("ruby", "tests/senders/net_smtp_sender.rb", "localhost",
					 text("%u", sink->port), "starttls", sink->certificate),
				   NO_WORDS)};
}

static struct program node(const struct sink *sink)
{
	return mailer_node_official.program(sink, TLS_MODE_STARTTLS);
}

static struct program java(const struct sink *sink)
{
	return mailer_java.program(sink, TLS_MODE_STARTTLS);
}

static const struct host hosts[] = {
	{"Python", python, false}, {"PHP", php, false},  {"Perl", perl, false},
	{"curl", curl, false},     {"Ruby", ruby, true}, {"Node", node, true},
	{"Java", java, true},
};

static const struct host *host_named(const char *name)
{
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		if (strcmp(hosts[i].name, name) == 0)
			return &hosts[i];
	}
	cr_assert(false, "no host is named %s", name);
	return NULL;
}

/* The program, recorded, with the recorder's calls failing as the injector is told. */
static struct program faulty(const struct program *bare, const struct sink *sink,
			     const char *failing, const char *count, const char *log,
			     const char *mode)
{
	struct program program = *bare;
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

struct failing {
	unsigned long calls;
	long syscall; /* the last one that failed; -1: none did */
	const char *log;
};

/* One session with the calls that `which` names failed: it ends as it does bare. */
static struct failing expect_unharmed(const struct host *host, const char *which, const char *mode)
{
	struct sink *sink = start_sink(WORDS("--tls=1.3", "--connections=1"));
	const char *count = test_path(text("count.%s", which));
	struct failing failing = {.log = test_path(text("%s.%s.jsonl", host->name, which))};
	const struct program bare = host->session(sink);
	struct program program = faulty(&bare, sink, which, count, failing.log, mode);
	const json_t *entry;
	char *after;

	run_program(&program);
	failing.calls = strtoul(read_file(count, NULL), &after, 10);
	failing.syscall = strtol(after, NULL, 10);
	cr_assert_eq(program.status, 0, "%s, %s, call %s (system call %ld) failed: status %d\n%s",
		     host->name, mode, which, failing.syscall, program.status, program.err);
	entry = json_array_get(sink_entries(sink, 1), 0);
	cr_assert(json_is_true(json_object_get(entry, "mail")),
		  "%s, %s, call %s (system call %ld) failed: no mail", host->name, mode, which,
		  failing.syscall);
	cr_assert_str_eq(field(entry, "version"), "1.3");
	cr_assert_null(strstr(program.err, "tlswitness:"), "it must not speak: %s", program.err);
	cr_assert_gt(failing.calls, 0, "the recorder's calls are not recognised");
	return failing;
}

/*
 * Every call in turn; the sessions differ a little, so the end is looked for and not computed.
 * `how`: "" or an error as the injector has them.
 */
static void check_each_call(const char *name, const char *how)
{
	const struct host *host = host_named(name);
	const bool all = getenv("TLSWITNESS_FAULTS") != NULL;
	const unsigned long each = host->starts_slowly ? SLOW_EACH : CALLS_EACH;
	const unsigned long step = host->starts_slowly ? SLOW_STEP : CALLS_STEP;
	unsigned long number = 0;
	struct failing failing;

	do {
		failing = expect_unharmed(host, text("%lu%s", number, number ? how : ""), "audit");
		cr_assert(number == 0 || failing.syscall >= 0 || number > failing.calls,
			  "%s: call %lu of %lu was not made to fail", name, number, failing.calls);
		number += all || number < each ? 1 : step;
	} while (number <= failing.calls);
	cr_log_info("%s: of %lu calls, each failed alone\n", name, failing.calls);
}

Test(faults, python_in_audit)
{
	check_each_call("Python", "");
}

/* In enforce, a lack of memory for a connection to a mail port is a refusal: see scale. */
Test(faults, curl_in_audit)
{
	check_each_call("curl", "");
}

Test(faults, php_in_audit)
{
	check_each_call("PHP", "");
}

Test(faults, perl_in_audit)
{
	check_each_call("Perl", "");
}

Test(faults, ruby_in_audit)
{
	check_each_call("Ruby", "");
}

Test(faults, node_in_audit)
{
	check_each_call("Node", "");
}

Test(faults, java_in_audit)
{
	check_each_call("Java", "");
}

Test(faults, curl_with_a_signal_in_each_call)
{
	check_each_call("curl", "=EINTR");
}

/* ---- a world that stays as it is: a disk that is full, no longer there, or read-only ---- */

static void check_all_calls(const char *error)
{
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		const struct failing failing =
			expect_unharmed(&hosts[i], text("*=%s", error), "audit");

		cr_expect_geq(failing.syscall, 0, "%s: nothing failed", hosts[i].name);
		cr_expect_str_empty(read_file(failing.log, NULL), "%s", hosts[i].name);
	}
}

Test(faults, no_file_has_room)
{
	check_all_calls("ENOSPC");
}

Test(faults, no_quota_is_left)
{
	check_all_calls("EDQUOT");
}

Test(faults, every_file_is_read_only)
{
	check_all_calls("EROFS");
}

Test(faults, every_file_is_gone_with_its_server)
{
	check_all_calls("ESTALE");
}

Test(faults, every_file_is_damaged)
{
	check_all_calls("EIO");
}

Test(faults, every_call_is_interrupted)
{
	check_all_calls("EINTR");
}

/* Nothing fails, but each of our calls takes its time: the record is what it always is. */
Test(faults, every_call_is_late)
{
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		const struct failing failing = expect_unharmed(&hosts[i], "*=late", "audit");

		cr_expect_geq(failing.syscall, 0, "%s: nothing was late", hosts[i].name);
		cr_expect_str_eq(field(only_handshake(failing.log), "tls.version"), "1.3", "%s",
				 hosts[i].name);
	}
}

/* ---- no memory at all, from the first moment on ---- */

static void map_nothing(const struct sender *sender, const char *tls, const char *mode,
			bool arrives)
{
	struct sink *sink = start_sink(WORDS(text("--tls=%s", tls)));
	const char *count = test_path(text("%s-%s-%s", sender->name, tls, mode));
	const struct program bare = sender_program(sender, sink, TLS_MODE_STARTTLS, NO_WORDS);
	struct program program = faulty(&bare, sink, "mmap", count, test_path("log.jsonl"), mode);
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

/* ---- every number of descriptors ---- */

/* One beside its three streams: with none the loader opens no library, and says so of ours, too. */
#define FEWEST_DESCRIPTORS 4
#define ENOUGH_DESCRIPTORS 64
#define SLOW_DESCRIPTORS   3 /* where a start takes long: every so manieth */

struct outcome {
	struct program program;
	size_t messages;
	const char *log;
};

/* The same for every sink. */
static const char *without_names_of(const struct sink *sink, const char *said)
{
	const char *names[] = {sink->certificate, text("%u", sink->port)};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *at;

		while ((at = strstr(said, names[i])) != NULL)
			said = text("%.*s*%s", (int)(at - said), said, at + strlen(names[i]));
	}
	return said;
}

/* One session with so many descriptors, bare or recorded. */
static struct outcome with_descriptors(const struct host *host, unsigned count, bool recorded)
{
	struct sink *sink = start_sink(WORDS("--tls=1.3"));
	const struct program session = host->session(sink);
	struct outcome outcome = {
		.program = session,
		.log = test_path(text("%s.of%u.jsonl", host->name, count)),
	};
	const char *const preload[] = {text("LD_PRELOAD=%s", recorder_path()),
				       text("TLSWITNESS_LOG=%s", outcome.log),
				       text("TLSWITNESS_PORTS=%u", sink->port), NULL};
	json_t *entries;

	outcome.program.argv =
		join_words(WORDS("prlimit", text("--nofile=%u", count)), session.argv);
	if (recorded)
		outcome.program.env = session.env ? join_words(session.env, preload)
						  : join_words(preload, NO_WORDS);
	run_program(&outcome.program);
	stop_sink(sink);
	entries = read_json_lines(sink->log);
	for (size_t i = 0; i < json_array_size(entries); i++)
		outcome.messages += (size_t)json_integer_value(
			json_object_get(json_array_get(entries, i), "messages"));
	outcome.program.out = without_names_of(sink, outcome.program.out);
	outcome.program.err = without_names_of(sink, outcome.program.err);
	return outcome;
}

/* Until one is enough for the record, too, and one more. */
static void check_each_number_of_descriptors(const char *name)
{
	const struct host *host = host_named(name);
	const bool all = !host->starts_slowly || getenv("TLSWITNESS_FAULTS") != NULL;
	unsigned recorded = 0;
	unsigned sent = 0;

	for (unsigned count = FEWEST_DESCRIPTORS; recorded < 2;
	     count += all ? 1 : SLOW_DESCRIPTORS) {
		const struct outcome bare = with_descriptors(host, count, false);
		const struct outcome with = with_descriptors(host, count, true);

		cr_assert_lt(count, ENOUGH_DESCRIPTORS, "%s has no record", name);
		cr_expect_eq(with.program.status, bare.program.status, "%s, %u: %d, bare %d", name,
			     count, with.program.status, bare.program.status);
		cr_expect_str_eq(with.program.out, bare.program.out, "%s, %u", name, count);
		/* Those that start slowly end with numbers and addresses of their own. */
		if (!host->starts_slowly)
			cr_expect_str_eq(with.program.err, bare.program.err, "%s, %u", name, count);
		cr_expect_eq(with.messages, bare.messages, "%s, %u: %zu mails, bare %zu", name,
			     count, with.messages, bare.messages);
		sent += bare.messages > 0;
		recorded += bare.messages > 0 &&
			    json_array_size(records_of(with.log, "tls-handshake")) == 1;
	}
	cr_log_info("%s: %u with a mail, %u of them recorded\n", name, sent, recorded);
}

Test(faults, python_with_each_number_of_descriptors)
{
	check_each_number_of_descriptors("Python");
}

Test(faults, curl_with_each_number_of_descriptors)
{
	check_each_number_of_descriptors("curl");
}

Test(faults, php_with_each_number_of_descriptors)
{
	check_each_number_of_descriptors("PHP");
}

Test(faults, perl_with_each_number_of_descriptors)
{
	check_each_number_of_descriptors("Perl");
}

Test(faults, ruby_with_each_number_of_descriptors)
{
	check_each_number_of_descriptors("Ruby");
}

Test(faults, node_with_each_number_of_descriptors)
{
	check_each_number_of_descriptors("Node");
}

Test(faults, java_with_each_number_of_descriptors)
{
	check_each_number_of_descriptors("Java");
}
