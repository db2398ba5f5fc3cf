/*
 * What cannot be seen is said to be unseen: a session in the clear whose bytes
 * took another way is a blind spot and never "no mail"; where a floor is
 * enforced, such a way is closed. The sink's log says what arrived.
 */
#include <string.h>

#include <criterion/criterion.h>

#include "tests/integration/records.h"

TestSuite(unseen, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

/* The status of a program that the kernel gives no io_uring. */
#define NO_RINGS 77

struct way {
	const char *name;
	const char *action;  /* in audit */
	const char *verdict; /* in audit; "" for a blind spot, which has none */
	bool stopped;        /* in enforce */
	bool late;           /* there, when the server has answered MAIL */
};

static const struct way ways[] = {
	{"stdio", "blind-spot", "", true, false},
	{"dprintf", "plaintext-mail", "plaintext", true, false},
	{"long", "blind-spot", "", true, false},
	{"pwritev2", "plaintext-mail", "plaintext", true, false},
	{"sendfile", "blind-spot", "", true, false},
	{"splice", "blind-spot", "", true, false},
	{"vmsplice", "blind-spot", "", true, false},
	{"preadv2", "plaintext-mail", "plaintext", true, false},
	{"raw", "blind-spot", "", true, true},
	{"uring", "blind-spot", "", true, true},
	{"fork", "plaintext-mail", "plaintext", true, false},
	{"hand-on", "plaintext-mail", "plaintext", true, false},
	{"exit", "smtp-session", "no-mail", false, false},
};

static const char *const *run(const char *log, const struct sink *sink, bool enforced,
			      const char *way)
{
	const char *const *argv =
		WORDS(tool_path(), "run", "--log", log, "--ports", text("%u", sink->port));

	if (enforced)
		argv = join_words(argv, WORDS("--enforce", "--plaintext", "refuse"));
	return join_words(argv, WORDS("--", program_path("unseen"), text("%u", sink->port), way));
}

static long long mails_of(struct sink *sink)
{
	json_t *entries = NULL;
	long long mails = 0;

	stop_sink(sink);
	entries = read_json_lines(sink->log);
	for (size_t i = 0; i < json_array_size(entries); i++)
		mails += json_is_true(json_object_get(json_array_get(entries, i), "mail"));
	return mails;
}

static void expect_way(const struct way *way)
{
	struct sink *sink = start_sink(WORDS("--tls=none"));
	struct program bare = {
		.argv = WORDS(program_path("unseen"), text("%u", sink->port), way->name)};
	bool sends = strcmp(way->name, "exit") != 0;
	long long expected = way->stopped && !way->late ? 2 : 3;

	run_program(&bare);
	if (bare.status == NO_RINGS)
		return;
	cr_expect_eq(bare.status, 0, "%s, bare", way->name);
	for (unsigned enforced = 0; enforced < 2; enforced++) {
		const char *log = test_path(text("%s.%u.jsonl", way->name, enforced));
		struct program program = {.argv = run(log, sink, enforced, way->name)};
		int status = run_program(&program);
		json_t *records = records_of(log, NULL);
		const json_t *record = json_array_get(records, 0);
		bool stopped = enforced && way->stopped;

		cr_expect_eq(status, stopped, "%s: status %d: %s", way->name, status, program.err);
		cr_assert_eq(json_array_size(records), 1, "%s: %s", way->name,
			     read_file(log, NULL));
		cr_expect_str_eq(field(record, "event.action"),
				 stopped ? "plaintext-mail" : way->action, "%s: %s", way->name,
				 read_file(log, NULL));
		cr_expect_str_eq(field(record, "tlswitness.verdict"),
				 stopped ? "refused" : way->verdict, "%s", way->name);
	}
	cr_expect_eq(mails_of(sink), sends ? expected : 0, "%s", way->name);
}

Test(unseen, ways_past_write_and_send)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		expect_way(&ways[i]);
}

/* TCP drops the greeting unread: the session is known all the same. */
Test(unseen, a_greeting_that_was_thrown_away)
{
	struct sink *sink = start_sink(WORDS("--tls=none"));
	const char *log = test_path("log.jsonl");
	struct program program = {.argv = run(log, sink, false, "peek")};
	json_t *records = NULL;

	run_program(&program);
	records = records_of(log, NULL);
	cr_assert_eq(json_array_size(records), 1, "%s", read_file(log, NULL));
	cr_expect_str_eq(field(json_array_get(records, 0), "event.action"), "blind-spot");
}

/* ---- what is no sending, and no receiving ---- */

/* The one record of such a run, which succeeds as it does bare. */
static const json_t *record_of(const char *way, bool enforced)
{
	struct sink *sink = start_sink(WORDS("--tls=none"));
	const char *log = test_path(text("%s.%u.jsonl", way, enforced));
	struct program bare = {.argv = WORDS(program_path("unseen"), text("%u", sink->port), way)};
	struct program program = {.argv = run(log, sink, enforced, way)};
	json_t *records = NULL;

	cr_expect_eq(run_program(&bare), 0, "%s, bare", way);
	cr_expect_eq(run_program(&program), 0, "%s: %s", way, program.err);
	cr_expect_eq(mails_of(sink), 0, "%s", way);
	records = records_of(log, NULL);
	cr_assert_eq(json_array_size(records), 1, "%s: %s", way, read_file(log, NULL));
	return json_array_get(records, 0);
}

/* EINTR, EAGAIN, EFAULT and EINVAL end a call, and no connection: its end has another reason. */
Test(unseen, calls_that_fail_and_end_nothing)
{
	struct sink *sink = start_sink(WORDS("--tls=1.3"));
	const char *log = test_path("log.jsonl");
	struct program program = {.argv = run(log, sink, false, "errors")};

	cr_expect_eq(run_program(&program), 0, "%s", program.err);
	cr_expect_str_eq(field(only_handshake(log), "event.reason"),
			 "the client closed the connection before its ClientHello");
}

/* What is closed to mail is as it was for files. */
Test(unseen, files_take_these_ways_as_ever)
{
	struct program bare = {.argv = WORDS(program_path("unseen"), "0", "files")};
	struct program program =
		preloaded(&bare, test_path("log.jsonl"), WORDS("TLSWITNESS_MODE=enforce"));

	cr_expect_eq(run_program(&bare), 0);
	cr_expect_eq(run_program(&program), 0);
	cr_expect_str_eq(bare.out, "4 4 3 3 2 2 3 4 11 MAI AIL MAAIILMMAIL\n");
	cr_expect_str_eq(program.out, bare.out);
}

/* A number that was closed behind our back, and means something else now, is no connection. */
Test(unseen, what_has_the_number_of_a_connection_is_none)
{
	for (unsigned enforced = 0; enforced < 2; enforced++) {
		const json_t *record = record_of("reused", enforced);

		cr_expect_str_eq(field(record, "event.action"), "smtp-session");
		cr_expect_str_eq(field(record, "tlswitness.verdict"), "no-mail");
	}
}

/* What is looked at by MSG_PEEK comes once more. */
Test(unseen, replies_that_are_looked_at_first_are_counted_once)
{
	static const char *const calls[] = {"recv", "recvmsg", "recvmmsg"};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		const json_t *record = record_of(calls[i], false);

		cr_expect_str_eq(field(record, "event.action"), "smtp-session", "%s", calls[i]);
		cr_expect_str_eq(field(record, "event.reason"), "starttls-not-offered", "%s",
				 calls[i]);
	}
}

/* A log that is named relative to where the program starts is that file, wherever it goes. */
Test(unseen, a_relative_log)
{
	struct sink *sink = start_sink(WORDS("--tls=none"));
	struct program program = {
		.argv = WORDS("sh", "-c",
			      text("cd %s && LD_PRELOAD=%s TLSWITNESS_LOG=here.jsonl "
				   "TLSWITNESS_PORTS=%u exec %s %u dprintf",
				   test_path("."), recorder_path(), sink->port,
				   program_path("unseen"), sink->port))};

	cr_expect_eq(run_program(&program), 0, "%s", program.err);
	cr_expect_eq(json_array_size(records_of(test_path("here.jsonl"), "plaintext-mail")), 1);
}

/* ---- TLS whose bytes took another way ---- */

/* The records of a run on both ports, and whether the sink took its mail. */
static json_t *records_over(const char *const client[], const struct sink *first, struct sink *sink,
			    const char *mode, long long *messages)
{
	const char *log = test_path(text("%u.jsonl", sink->port));
	struct program program = {
		.argv = join_words(WORDS(tool_path(), "run", "--log", log, "--ports",
					 text("%u,%u", sink->port, first->port), mode, "--"),
				   client)};

	if (!*mode)
		program.argv = client;
	run_program(&program);
	stop_sink(sink);
	*messages = number_field(json_array_get(read_json_lines(sink->log), 0), "messages");
	cr_expect_eq(strcmp(program.out, "sent\n") == 0, *messages == 1, "%s", program.err);
	return records_of(log, "tls-handshake");
}

static void expect_other_way(const char *name, const char *way, size_t connections)
{
	static const struct {
		const char *mode, *version, *verdict;
	} runs[] = {{"", "1.0", NULL},
		    {"--plaintext=refuse", "1.0", "below-floor"},
		    {"--enforce", "1.0", "refused"},
		    {"--enforce", "1.3", "ok"}};
	struct sink *first = start_sink(WORDS("--implicit", "--tls=1.3"));

	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		struct sink *sink = start_sink(WORDS("--implicit", "--tls", runs[i].version));
		const char *const *client = WORDS(program_path(name), text("%u", sink->port), way,
						  connections > 1 ? text("%u", first->port) : NULL);
		const char *what = text("%s %s", way, runs[i].mode);
		long long messages = 0;
		json_t *records = records_over(join_words(client, NO_WORDS), first, sink,
					       runs[i].mode, &messages);
		const json_t *record = json_array_get(records, connections - 1);

		cr_expect_eq(messages,
			     strcmp(runs[i].verdict ? runs[i].verdict : "", "refused") != 0,
			     "%s: %lld messages", what, messages);
		if (!runs[i].verdict)
			continue;
		cr_assert_eq(json_array_size(records), connections, "%s: %zu records", what,
			     json_array_size(records));
		cr_expect_str_eq(field(record, "tlswitness.verdict"), runs[i].verdict, "%s", what);
		cr_expect_eq(number_field(record, "destination.port"), sink->port, "%s", what);
		cr_expect_eq(
			number_field(record, "source.port"),
			number_field(json_array_get(read_json_lines(sink->log), 0), "peer_port"),
			"%s", what);
	}
}

/* By a BIO of the program's own, with and without a hook below it, and by that of a FILE. */
Test(unseen, tls_over_another_bio)
{
	expect_other_way("odd_bio", "own", 1);
	expect_other_way("odd_bio", "raw", 1);
	expect_other_way("odd_bio", "later", 1);
	expect_other_way("odd_bio", "stdio", 1);
}

/* What the floor did to an SSL stays with it: it is a refusal the second time, too. */
Test(unseen, tls_by_an_object_that_was_cleared)
{
	expect_other_way("odd_bio", "clear", 2);
}

/* A libssl in a name space of its own, over a libc of its own. */
Test(unseen, tls_in_another_name_space)
{
	expect_other_way("apart", "outward", 1);
	expect_other_way("apart", "inward", 1);
}
