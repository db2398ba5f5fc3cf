/*
 * Programs that are started without new privileges and behind a filter, as systemd's
 * SystemCallFilter= and Kubernetes' restricted pods do: recorded, held to the floor, and not kept
 * from sending what is above it.
 */
#include <string.h>

#include <criterion/criterion.h>

#include "tests/integration/records.h"
#include "tests/integration/senders.h"

TestSuite(confined, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

struct outcome {
	json_t *entries;
	json_t *records;
	const char *log;
};

static struct outcome send_confined(const struct sender *sender, const char *tls, const char *mode)
{
	struct sink *sink = start_sink(WORDS(text("--tls=%s", tls)));
	const char *log = test_path(text("%u.jsonl", sink->port));
	struct program program = sender_program(sender, sink, TLS_MODE_STARTTLS, NO_WORDS);
	/* env comes in between, so that only the sender has the recorder. */
	const char *const confined[] = {program_path("confined"),
					"env",
					text("LD_PRELOAD=%s", recorder_path()),
					text("TLSWITNESS_LOG=%s", log),
					text("TLSWITNESS_MODE=%s", mode),
					text("TLSWITNESS_PORTS=%u", sink->port),
					NULL};

	program.argv = join_words(confined, program.argv);
	run_program(&program);
	stop_sink(sink);
	return (struct outcome){read_json_lines(sink->log), records_of(log, "tls-handshake"),
				read_file(log, NULL)};
}

static bool any_mail(const json_t *entries)
{
	for (size_t i = 0; i < json_array_size(entries); i++) {
		if (json_is_true(json_object_get(json_array_get(entries, i), "mail")))
			return true;
	}
	return false;
}

Test(confined, each_sender_is_recorded_and_delivers)
{
	static const char *const modes[] = {"audit", "enforce"};

	for (size_t i = 0; i < senders_count; i++) {
		for (size_t k = 0; k < 2; k++) {
			struct outcome outcome = send_confined(&senders[i], "1.3", modes[k]);
			const json_t *record = json_array_get(outcome.records, 0);

			cr_expect(any_mail(outcome.entries), "%s, %s", senders[i].name, modes[k]);
			cr_expect_eq(json_array_size(outcome.records), 1, "%s, %s: %s",
				     senders[i].name, modes[k], outcome.log);
			cr_expect_str_eq(field(record, "tls.version"), "1.3", "%s, %s",
					 senders[i].name, modes[k]);
		}
	}
}

Test(confined, the_floor_holds)
{
	for (size_t i = 0; i < senders_count; i++) {
		struct outcome outcome = send_confined(&senders[i], "1.0", "enforce");

		cr_expect_not(any_mail(outcome.entries), "%s", senders[i].name);
		cr_expect_eq(json_array_size(outcome.records), 1, "%s: %s", senders[i].name,
			     outcome.log);
		cr_expect_str_eq(field(json_array_get(outcome.records, 0), "tlswitness.verdict"),
				 "refused", "%s", senders[i].name);
	}
}
