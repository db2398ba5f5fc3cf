/*
 * Hosts that have much, or little: it fails closed at any scale, and harms
 * nobody. What was delivered, the sink says.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <criterion/criterion.h>
#include <criterion/logging.h>

#include "tests/integration/records.h"
#include "tests/integration/trial.h"

TestSuite(scale, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

static struct program host_of(const struct sink *sink, const char *how, unsigned count)
{
	return (struct program){.argv = join_words(WORDS(program_path("scale"), how,
							 text("%u", sink->port), text("%u", count)),
						   NO_WORDS)};
}

/* By the environment alone: without `run`, which could say something of its own. */
static struct program recorded(const struct program *bare, unsigned port, const char *log,
			       const char *const env[])
{
	struct program program = *bare;

	program.env =
		join_words(WORDS(text("LD_PRELOAD=%s", recorder_path()),
				 text("TLSWITNESS_LOG=%s", log), text("TLSWITNESS_PORTS=%u", port)),
			   env);
	return program;
}

static struct program with_recorder(const struct program *bare, const struct sink *sink,
				    const char *log, const char *const env[])
{
	return recorded(bare, sink->port, log, env);
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
static void send_behind_idle(unsigned count)
{
	struct sink *sink = start_sink(WORDS("--tls=none"));
	const char *log = test_path("audit.jsonl");
	const char *refused = test_path("enforce.jsonl");
	struct program bare = host_of(sink, "idle", count);
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

Test(scale, mail_behind_2100_idle_connections_is_recorded_and_refused)
{
	send_behind_idle(as_allowed(2100));
}

Test(scale, mail_behind_15000_idle_connections_is_recorded_and_refused)
{
	send_behind_idle(as_allowed(15000));
}

/* This many descriptors are tried at most: they take time, and each a port of this machine. */
#define DESCRIPTORS_TRIED 60000

static struct program mails_behind_idle(const struct sink *sink)
{
	return (struct program){
		.argv = join_words(WORDS("/usr/bin/python3", "tests/scripts/scale/idle.py",
					 text("%u", sink->port), sink->certificate,
					 text("%u", DESCRIPTORS_TRIED)),
				   NO_WORDS)};
}

Test(scale, mail_behind_all_descriptors_by_openssl_by_gnutls_and_in_the_clear)
{
	struct sink *sink = start_sink(WORDS("--tls=1.0"));
	const char *log = test_path("audit.jsonl");
	const char *refused = test_path("enforce.jsonl");
	struct program bare = mails_behind_idle(sink);
	struct program audit = with_recorder(&bare, sink, log, NO_WORDS);
	struct program enforce = with_recorder(&bare, sink, refused, REFUSE);
	const json_t *records;
	const json_t *entries;

	cr_assert_eq(run_program(&bare), 0, "%s", bare.err);
	cr_expect_eq(run_program(&audit), 0, "%s", audit.err);
	cr_expect_eq(run_program(&enforce), 0, "%s", enforce.err);
	stop_sink(sink);
	cr_log_info("%lu connections were idle\n", number_after(bare.out, "idle: "));
	cr_expect_not_null(strstr(bare.out, "clear: delivered\nopenssl: delivered\n"
					    "gnutls: delivered\n"));
	cr_expect_str_eq(audit.out, bare.out);
	cr_expect_not_null(strstr(enforce.out, "clear: failed\nopenssl: failed\n"
					       "gnutls: failed\n"),
			   "%s", enforce.out);
	entries = read_json_lines(sink->log);
	cr_expect_eq(count_messages(entries), 6);
	cr_assert_eq(json_array_size(entries), 9);
	records = records_of(log, "plaintext-mail");
	cr_assert_eq(json_array_size(records), 1, "%s", read_file(log, NULL));
	cr_expect_eq(number_field(json_array_get(records, 0), "source.port"),
		     number_field(json_array_get(entries, 3), "peer_port"));
	records = records_of(log, "tls-handshake");
	cr_assert_eq(json_array_size(records), 2, "%s", read_file(log, NULL));
	for (size_t i = 0; i < 2; i++)
		expect_equal_to_entry(json_array_get(records, i), json_array_get(entries, 4 + i),
				      i == 0 ? "openssl" : "gnutls");
	records = records_of_connections(refused);
	cr_assert_eq(json_array_size(records), 3, "%s", read_file(refused, NULL));
	for (size_t i = 0; i < 3; i++) {
		const json_t *record = json_array_get(records, i);

		cr_expect_str_eq(field(record, "tlswitness.verdict"), "refused", "%zu", i);
		cr_expect_eq(number_field(record, "source.port"),
			     number_field(json_array_get(entries, 6 + i), "peer_port"));
	}
}

/* ---- sessions at once, each of which has begun before the first sends its mail ---- */

static const char *const sessions_script = "tests/scripts/scale/sessions.py";

static bool has_content(void *path)
{
	return *read_file(path, NULL) != '\0';
}

/* A port and an address are those of one connection: each has one record, and all are `verdict`. */
static void expect_each_once(const char *log, size_t count, const char *verdict)
{
	const json_t *records = records_of(log, "plaintext-mail");
	json_t *seen = json_object();

	cr_assert_eq(json_array_size(records), count, "%zu records and not %zu",
		     json_array_size(records), count);
	for (size_t i = 0; i < count; i++) {
		const json_t *record = json_array_get(records, i);
		const char *ends = text("%s %lld", field(record, "source.ip"),
					number_field(record, "source.port"));

		cr_assert_null(json_object_get(seen, ends), "%s is there twice", ends);
		json_object_set_new(seen, ends, json_true());
		cr_assert_str_eq(field(record, "tlswitness.verdict"), verdict, "%s", ends);
	}
	json_decref(seen);
	cr_expect_eq(json_array_size(records_of_connections(log)), count);
	cr_expect_eq(json_array_size(records_of(log, "records-lost")), 0);
}

static void send_at_once(unsigned count)
{
	const char *port_file = test_path("port");
	const char *log = test_path("audit.jsonl");
	const char *refused = test_path("enforce.jsonl");
	struct program server = {
		.argv = WORDS("/usr/bin/python3", sessions_script, "serve", port_file)};
	struct program bare = {0};
	unsigned port;

	start_program(&server);
	wait_until(has_content, (void *)port_file, "the server's port");
	port = (unsigned)strtoul(read_file(port_file, NULL), NULL, 10);
	bare.argv = WORDS("/usr/bin/python3", sessions_script, "send", text("%u", port),
			  text("%u", count));
	struct program audit = recorded(&bare, port, log, NO_WORDS);
	struct program enforce = recorded(&bare, port, refused, REFUSE);

	cr_expect_eq(run_program(&audit), 0, "%s", audit.err);
	cr_expect_str_eq(audit.out, text("delivered: %u, refused: 0\n", count));
	cr_expect_eq(run_program(&enforce), 0, "%s", enforce.err);
	cr_expect_str_eq(enforce.out, text("delivered: 0, refused: %u\n", count));
	cr_assert_eq(kill(server.pid, SIGTERM), 0);
	cr_assert_eq(end_program(&server), 0, "%s", server.err);
	cr_expect_str_eq(server.out,
			 text("sessions: %u, at once: %u, mails: %u\n", 2 * count, count, count));
	expect_each_once(log, count, "plaintext");
	expect_each_once(refused, count, "refused");
}

Test(scale, of_5000_sessions_at_once_each_is_recorded_and_refused)
{
	send_at_once(as_allowed(5000));
}

Test(scale, of_15000_sessions_at_once_each_is_recorded_and_refused)
{
	send_at_once(as_allowed(15000));
}

/* ---- without what it needs ---- */

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

/* ---- threads that stand, are thrown, and are cancelled ---- */

static size_t lost_of(const char *log)
{
	const json_t *records = records_of(log, "records-lost");
	size_t lost = 0;

	for (size_t i = 0; i < json_array_size(records); i++)
		lost += (size_t)number_field(json_array_get(records, i), "tlswitness.lost");
	return lost;
}

/* A port comes again at most as often in the records as in the sink's entries. */
static void expect_none_twice(const json_t *records, const json_t *entries)
{
	static int left[UINT16_MAX + 1];

	memset(left, 0, sizeof(left));
	for (size_t i = 0; i < json_array_size(entries); i++)
		left[(uint16_t)number_field(json_array_get(entries, i), "peer_port")]++;
	for (size_t i = 0; i < json_array_size(records); i++) {
		const long long port = number_field(json_array_get(records, i), "source.port");

		cr_expect_geq(--left[(uint16_t)port], 0, "port %lld is there twice", port);
	}
}

/* No mail that must not be, and no record too many. */
static void expect_no_more(const json_t *entries, const json_t *records, bool may_send)
{
	expect_none_twice(records, entries);
	for (size_t i = 0; !may_send && i < json_array_size(entries); i++)
		cr_expect_not(json_is_true(json_object_get(json_array_get(entries, i), "mail")));
}

#define STOPS 150

/* Two mails for each stop, one while the thread stands and one when it is gone. */
static void stop_thread(const char *how, const char *mode)
{
	struct sink *sink = start_sink(WORDS("--tls=none"));
	const char *log = test_path(text("%s-%s.jsonl", how, mode));
	const bool audit = strcmp(mode, "audit") == 0;
	const json_t *entries;
	const json_t *records;
	struct program host = host_of(sink, how, 1);
	/* env comes in between, so that the stopper itself has no recorder. */
	const char *const stopped[] = {program_path("stopper"),
				       text("%d", STOPS),
				       "libtlswitness.so",
				       "env",
				       text("LD_PRELOAD=%s", recorder_path()),
				       text("TLSWITNESS_LOG=%s", log),
				       text("TLSWITNESS_PORTS=%u", sink->port),
				       text("TLSWITNESS_MODE=%s", mode),
				       "TLSWITNESS_PLAINTEXT=refuse",
				       NULL};

	host.argv = join_words(stopped, host.argv);
	cr_assert_eq(run_program(&host), 0, "%s, %s: %d, %s%s", how, mode, host.status, host.out,
		     host.err);
	stop_sink(sink);
	entries = read_json_lines(sink->log);
	records = records_of_connections(log);
	cr_expect_eq(number_after(host.out, "delivered: "), audit ? 2 * (STOPS + 1) : 0);
	cr_expect_eq(number_after(host.out, "refused: "), audit ? 0 : 2 * (STOPS + 1));
	cr_expect_gt(number_after(host.out, "stops: "), STOPS / 2, "%s", host.out);
	/* At some of them it held a lock. */
	cr_expect_gt(lost_of(log), 0);
	expect_no_more(entries, records, audit);
	cr_expect_geq(json_array_size(records) + lost_of(log), json_array_size(entries),
		      "%zu records and %zu lost of %zu connections", json_array_size(records),
		      lost_of(log), json_array_size(entries));
	cr_log_info("%s, %s: of %lu instructions, stopped at %lu; %zu records, %zu lost\n", how,
		    mode, number_after(host.out, "instructions: "),
		    number_after(host.out, "stops: "), json_array_size(records_of_connections(log)),
		    lost_of(log));
}

static void stop_thread_in_both_modes(const char *how)
{
#ifndef __x86_64__
	cr_skip("the stopper reads this processor's registers");
#endif
	stop_thread(how, "audit");
	stop_thread(how, "enforce");
}

Test(scale, a_thread_that_is_stopped_anywhere_stops_nobody_else)
{
	stop_thread_in_both_modes("stopped");
}

Test(scale, a_thread_that_is_thrown_out_of_anywhere_harms_nobody)
{
	stop_thread_in_both_modes("thrown");
}

Test(scale, a_thread_that_is_cancelled_anywhere_harms_nobody)
{
	stop_thread_in_both_modes("cancelled");
}

/*
 * The same at any moment, by the thousand; `mails` go over other connections meanwhile. Of who is
 * thrown out of connect() itself nothing can be known, so the others are not counted.
 */
static void throw_threads(const char *how, size_t mails)
{
	struct sink *sink = start_sink(WORDS("--tls=none"));
	struct sink *refusing = start_sink(WORDS("--tls=none"));
	const char *log = test_path("audit.jsonl");
	const char *refused = test_path("enforce.jsonl");
	struct program bare = host_of(sink, how, 1);
	struct program other = host_of(refusing, how, 1);
	struct program audit = with_recorder(&bare, sink, log, NO_WORDS);
	struct program enforce = with_recorder(&other, refusing, refused, REFUSE);

	cr_expect_eq(run_program(&audit), 0, "%s%s", audit.out, audit.err);
	cr_expect_str_eq(audit.out, text("delivered: %zu\nrefused: 0\n", mails));
	cr_expect_eq(run_program(&enforce), 0, "%s%s", enforce.out, enforce.err);
	cr_expect_str_eq(enforce.out, text("delivered: 0\nrefused: %zu\n", mails));
	stop_sink(sink);
	stop_sink(refusing);
	cr_expect_eq(json_array_size(records_of(log, "plaintext-mail")), mails);
	cr_expect_eq(json_array_size(records_of(refused, "plaintext-mail")), mails);
	expect_no_more(read_json_lines(sink->log), records_of_connections(log), true);
	expect_no_more(read_json_lines(refusing->log), records_of_connections(refused), false);
}

Test(scale, longjmp_out_of_signal_handlers)
{
	throw_threads("jumps", 21);
}

Test(scale, cancellation_at_any_moment)
{
	throw_threads("cancellation", 20);
}
