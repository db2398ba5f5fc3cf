/*
 * One connection, one record, over processes: a session that one process begins
 * and another goes on with is recorded by the one that made the handshake, or
 * that ended it; whoever has only handed it on is silent. The sink's log says
 * what arrived.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "tests/integration/records.h"
#include "tests/integration/trial.h"

TestSuite(handed_on, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

static const char *const whens[] = {"greeting", "hello", "starttls"};
static const char *const hows[] = {"fork", "close", "quit", "message", "exec", "parent"};

/* The entry of a run against a sink of this version; `options` NULL: bare. */
static json_t *entry_of(const char *version, const char *const words[], const char *const options[],
			const char *log)
{
	struct sink *sink = start_sink(WORDS("--tls", version, "--connections=1"));
	const char *port = text("%u", sink->port);
	struct program program = {
		.argv = join_words(WORDS(program_path("handed_on"), port), words)};

	if (options)
		program.argv = join_words(
			join_words(WORDS(tool_path(), "run", "--log", log, "--ports", port),
				   options),
			join_words(WORDS("--"), program.argv));
	run_program(&program);
	await_sink(sink); /* the one that goes on may outlive the one that began */
	return json_array_get(read_json_lines(sink->log), 0);
}

static const json_t *record_of(const char *log, const char *name)
{
	json_t *records = records_of_connections(log);

	cr_assert_eq(json_array_size(records), 1, "%s: %zu records\n%s", name,
		     json_array_size(records), read_file(log, NULL));
	return json_array_get(records, 0);
}

static void expect_one(const char *when, const char *how)
{
	const char *name = text("%s-%s", when, how);
	const char *const *words = WORDS(when, how);
	const char *log = test_path(text("%s.audit", name));
	const json_t *entry = entry_of("1.0", words, NULL, NULL);

	cr_expect_eq(number_field(entry, "messages"), 1, "%s, bare", name);
	entry = entry_of("1.0", words, NO_WORDS, log);
	cr_expect_eq(number_field(entry, "messages"), 1, "%s", name);
	expect_equal_to_entry(record_of(log, name), entry, name);
	cr_expect_str_eq(field(record_of(log, name), "tlswitness.verdict"), "below-floor", "%s",
			 name);

	log = test_path(text("%s.enforce", name));
	entry = entry_of("1.0", words, WORDS("--enforce"), log);
	cr_expect_eq(number_field(entry, "messages"), 0, "%s", name);
	cr_expect_str_eq(field(record_of(log, name), "tlswitness.verdict"), "refused", "%s", name);
	cr_expect_eq(number_field(record_of(log, name), "source.port"),
		     number_field(entry, "peer_port"), "%s", name);
}

Test(handed_on, by_fork_message_or_exec)
{
	for (size_t i = 0; i < sizeof(whens) / sizeof(whens[0]); i++) {
		for (size_t j = 0; j < sizeof(hows) / sizeof(hows[0]); j++)
			expect_one(whens[i], hows[j]);
	}
}

/* Given up: no mail after EHLO; after STARTTLS a handshake that never began. */
Test(handed_on, to_nobody)
{
	const char *log = test_path("hello");

	entry_of("1.0", WORDS("hello", "idle"), NO_WORDS, log);
	cr_expect_str_eq(field(record_of(log, log), "tlswitness.verdict"), "no-mail");
	log = test_path("starttls");
	entry_of("1.0", WORDS("starttls", "idle"), NO_WORDS, log);
	cr_expect_str_eq(field(record_of(log, log), "tlswitness.verdict"), "failed");
	cr_expect_str_eq(field(record_of(log, log), "event.reason"),
			 "the client closed the connection before its ClientHello");
}

/* ---- Postfix, where tlsproxy(8) makes the handshakes of smtp(8) ---- */

static struct program postfix(const struct sink *sink, const void *unused)
{
	static unsigned runs;
	const char *build = getenv("TLSWITNESS_BUILD");
	const char *unpacked = text("%s/postfix", realpath(build != NULL ? build : "build", NULL));
	const char *directory = test_path(text("postfix.%u", ++runs));

	(void)unused;
	cr_assert_eq(mkdir(directory, 0755), 0);
	return (struct program){
		.argv = join_words(WORDS("sh", "tests/senders/postfix_sender.sh", unpacked,
					 directory, text("%u", sink->port), "may", "yes"),
				   NO_WORDS),
		.env = join_words(WORDS(old_tls_allowed()), NO_WORDS),
	};
}

static struct trial try_postfix(const char *version, const char *const options[])
{
	return try_program("Postfix", postfix, NULL, WORDS("--tls", version), options);
}

static void expect_tlsproxy(const struct trial *trial)
{
	const json_t *record = json_array_get(trial->records, 0);

	cr_assert_eq(json_array_size(trial->entries), 1);
	cr_assert_eq(json_array_size(trial->records), 1);
	cr_expect_not_null(strstr(field(record, "process.executable"), "tlsproxy"));
	expect_equal_to_entry(record, json_array_get(trial->entries, 0), trial->name);
}

/* On a port that says that it is mail, and on one that does not. */
Test(handed_on, postfix_that_keeps_tls_connections)
{
	const char *const *const audits[] = {WORDS("--ports=PORT"), WORDS("--floor=1.2")};
	struct trial trial = try_postfix("1.0", NULL);

	cr_expect_eq(trial.program.status, 0, "%s", trial.program.out);
	cr_expect_eq(number_field(json_array_get(trial.entries, 0), "messages"), 1);
	for (size_t i = 0; i < 2; i++) {
		trial = try_postfix("1.0", audits[i]);
		cr_expect_eq(trial.program.status, 0, "%s", trial.program.out);
		expect_tlsproxy(&trial);
		cr_expect_str_eq(field(json_array_get(trial.records, 0), "tlswitness.verdict"),
				 "below-floor");
		trial = try_postfix("1.0", join_words(audits[i], WORDS("--enforce")));
		expect_refused(&trial, "deferred");
		trial = try_postfix("1.3", join_words(audits[i], WORDS("--enforce")));
		cr_expect_eq(trial.program.status, 0, "%s", trial.program.out);
		expect_tlsproxy(&trial);
	}
}
