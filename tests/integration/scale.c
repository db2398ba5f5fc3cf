/*
 * Hosts that have much, or little: it fails closed at any scale, and harms
 * nobody. What was delivered, the sink says.
 */
#include <string.h>
#include <sys/resource.h>

#include <criterion/criterion.h>

#include "tests/integration/records.h"

TestSuite(scale, .init = harness_begin, .fini = harness_end, .timeout = 240);

static struct program host_of(const struct sink *sink, const char *how, unsigned count)
{
	return (struct program){.argv = join_words(WORDS(program_path("scale"), how,
							 text("%u", sink->port), text("%u", count)),
						   NO_WORDS)};
}

/* By the environment alone: without `run`, which could say something of its own. */
static struct program with_recorder(const struct program *bare, const struct sink *sink,
				    const char *log, const char *const env[])
{
	struct program program = *bare;

	program.env = join_words(WORDS(text("LD_PRELOAD=%s", recorder_path()),
				       text("TLSWITNESS_LOG=%s", log),
				       text("TLSWITNESS_PORTS=%u", sink->port)),
				 env);
	return program;
}

static size_t count_messages(const json_t *entries)
{
	size_t count = 0;

	for (size_t i = 0; i < json_array_size(entries); i++)
		count += (size_t)json_integer_value(
			json_object_get(json_array_get(entries, i), "messages"));
	return count;
}

/* As many as the limit of descriptors allows, up to `most`. */
static unsigned as_allowed(unsigned most)
{
	struct rlimit limit = {0, 0};

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	return limit.rlim_max > most + 100 ? most : (unsigned)limit.rlim_max - 100;
}

#define REFUSE WORDS("TLSWITNESS_MODE=enforce", "TLSWITNESS_PLAINTEXT=refuse")

/* They were more than the first recorder's table had room for. */
Test(scale, mail_behind_thousands_of_idle_connections_is_recorded_and_refused)
{
	struct sink *sink = start_sink(WORDS("--tls=none"));
	const char *log = test_path("audit.jsonl");
	const char *refused = test_path("enforce.jsonl");
	struct program bare = host_of(sink, "idle", as_allowed(15000));
	struct program audit = with_recorder(&bare, sink, log, NO_WORDS);
	struct program enforce = with_recorder(&bare, sink, refused, REFUSE);

	cr_expect_eq(run_program(&audit), 0, "%s", audit.out);
	cr_expect_eq(run_program(&enforce), 1, "%s", enforce.out);
	stop_sink(sink);
	cr_expect_eq(count_messages(read_json_lines(sink->log)), 1);
	cr_expect_eq(json_array_size(records_of(log, "plaintext-mail")), 1);
	const json_t *records = records_of(refused, "plaintext-mail");
	cr_assert_eq(json_array_size(records), 1, "%s", read_file(refused, NULL));
	cr_expect_str_eq(field(json_array_get(records, 0), "tlswitness.verdict"), "refused");
}

/* What there is no memory for is refused where it may be mail, and passes in audit. */
Test(scale, without_memory_mail_is_refused_by_enforce_alone)
{
	struct sink *sink = start_sink(WORDS("--tls=none"));
	struct program bare = host_of(sink, "without-memory", 40);
	struct program audit = with_recorder(&bare, sink, test_path("a.jsonl"), NO_WORDS);
	struct program enforce = with_recorder(&bare, sink, test_path("e.jsonl"), REFUSE);

	cr_expect_eq(run_program(&audit), 0);
	cr_expect_str_eq(audit.out, "refused: 0\n");
	cr_expect_eq(run_program(&enforce), 0);
	cr_expect_str_eq(enforce.out, "refused: 40\n");
	stop_sink(sink);
}

/* Strict mode ends whoever makes another call than read, write and the end. */
Test(scale, in_strict_mode_nothing_is_asked_and_the_record_is_written)
{
	struct sink *sink = start_sink(WORDS("--tls=none"));
	const char *log = test_path("log.jsonl");
	struct program bare = host_of(sink, "strict", 1);
	struct program with = with_recorder(&bare, sink, log, NO_WORDS);

	cr_expect_eq(run_program(&bare), 0, "%s", bare.out);
	cr_expect_eq(run_program(&with), 0, "%s", with.out);
	cr_expect_eq(json_array_size(records_of(log, "plaintext-mail")), 1, "%s",
		     read_file(log, NULL));
	stop_sink(sink);
	cr_expect_eq(count_messages(read_json_lines(sink->log)), 2);
}

/* Nothing is read at an address that the kernel would refuse. */
Test(scale, addresses_that_are_none_fail_as_without_us)
{
	struct sink *sink = start_sink(WORDS("--tls=none"));
	struct program bare = host_of(sink, "bad-addresses", 1);
	struct program audit = with_recorder(&bare, sink, test_path("a.jsonl"), NO_WORDS);
	struct program enforce = with_recorder(&bare, sink, test_path("e.jsonl"), REFUSE);

	cr_expect_eq(run_program(&bare), 0);
	cr_expect_eq(run_program(&audit), 0);
	cr_expect_eq(run_program(&enforce), 0);
	cr_expect_str_eq(audit.out, bare.out);
	cr_expect_str_eq(enforce.out, bare.out);
	stop_sink(sink);
}

Test(scale, a_session_takes_at_most_3_KB_of_stack_more)
{
	struct sink *sink = start_sink(WORDS("--tls=none"));
	struct program bare = host_of(sink, "small-stack", 1);
	struct program with = with_recorder(&bare, sink, test_path("a.jsonl"), NO_WORDS);

	cr_expect_eq(run_program(&bare), 0);
	cr_expect_eq(run_program(&with), 0);
	cr_expect_leq(number_after(with.out, "stack: "), number_after(bare.out, "stack: ") + 3072,
		      "bare %s, with %s", bare.out, with.out);
	stop_sink(sink);
}

/* A host that may lock 8 MB, and one that may have 18.5 MB of addresses. */
Test(scale, little_memory_is_enough)
{
	struct sink *sink = start_sink(WORDS("--tls=none"));
	struct program locked = host_of(sink, "mlockall", 1);
	struct program small = host_of(sink, "mail", 1);

	locked.argv = join_words(WORDS("setpriv", "--bounding-set=-ipc_lock",
				       "--inh-caps=-ipc_lock", "prlimit", "--memlock=8388608"),
				 locked.argv);
	small.argv = join_words(WORDS("prlimit", "--as=18944000"), small.argv);
	struct program with_locked =
		with_recorder(&locked, sink, test_path("locked.jsonl"), NO_WORDS);
	struct program with_small = with_recorder(&small, sink, test_path("small.jsonl"), NO_WORDS);

	cr_expect_eq(run_program(&with_locked), run_program(&locked), "%s", with_locked.out);
	cr_expect_eq(run_program(&with_small), run_program(&small), "%s%s", with_small.out,
		     with_small.err);
	cr_expect_eq(json_array_size(records_of(test_path("small.jsonl"), "plaintext-mail")), 1);
	stop_sink(sink);
}
