/*
 * The floor in a hurry: ten thousand connections to a server that gives each
 * one version at random, with and without another thread that changes what is
 * allowed while the handshakes are under way.
 */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "tests/integration/trial.h"

TestSuite(floor_race, .init = harness_begin, .fini = harness_end, .timeout = 2 * HARNESS_TEST_S);

#define CONNECTIONS 10000

static struct program racer(const struct sink *sink, const void *how)
{
	const char *build = getenv("TLSWITNESS_BUILD");

	return (struct program){
		.argv = join_words(
			WORDS(text("%s/programs/floor_race", build != NULL ? build : "build"),
			      text("%u", sink->port), text("%d", CONNECTIONS), (const char *)how),
			NO_WORDS),
		.env = join_words(WORDS(old_tls_allowed()), NO_WORDS),
		.deadline_s = HARNESS_TEST_S,
	};
}

static size_t count_of_verdict(const struct trial *trial, const char *verdict)
{
	size_t count = 0;

	for (size_t i = 0; i < json_array_size(trial->records); i++) {
		const json_t *record = json_array_get(trial->records, i);

		count += strcmp(field(record, "tlswitness.verdict"), verdict) == 0;
	}
	return count;
}

static size_t count_with_mail(const struct trial *trial)
{
	size_t count = 0;

	for (size_t i = 0; i < json_array_size(trial->entries); i++)
		count += json_is_true(json_object_get(json_array_get(trial->entries, i), "mail"));
	return count;
}

static size_t port_at(const json_t *lines, size_t index, const char *key)
{
	json_int_t port = json_integer_value(json_object_get(json_array_get(lines, index), key));

	return port > 0 && port <= UINT16_MAX ? (size_t)port : 0;
}

/*
 * Each connection has its own record: none has two, none has none. In so many a
 * port comes again, then as often in the records as in the entries.
 */
static void expect_one_record_each(const struct trial *trial)
{
	static int balance[UINT16_MAX + 1];

	memset(balance, 0, sizeof(balance));
	cr_expect_eq(json_array_size(trial->entries), CONNECTIONS);
	cr_expect_eq(json_array_size(trial->records), CONNECTIONS, "%zu records",
		     json_array_size(trial->records));
	for (size_t i = 0; i < json_array_size(trial->entries); i++)
		balance[port_at(trial->entries, i, "peer_port")]++;
	for (size_t i = 0; i < json_array_size(trial->records); i++)
		balance[port_at(trial->records, i, "source.port")]--;
	for (size_t i = 0; i <= UINT16_MAX; i++)
		cr_expect_eq(balance[i], 0, "port %zu: %d", i, balance[i]);
}

static struct trial race(const char *how, const char *floor)
{
	struct trial trial =
		try_program(how, racer, how, WORDS("--tls=1.0..1.3", "--implicit", "--mix"),
			    WORDS("--enforce", text("--floor=%s", floor), "--ports=PORT"));
	size_t delivered = number_after(trial.program.out, "delivered ");
	size_t failed = number_after(trial.program.out, "failed ");

	cr_expect_eq(trial.program.status, 0, "%s", trial.program.err);
	expect_nothing_below(&trial, floor);
	expect_one_record_each(&trial);
	cr_expect_eq(delivered + failed, CONNECTIONS);
	cr_expect_eq(count_with_mail(&trial), delivered);
	cr_expect_eq(count_of_verdict(&trial, "ok") + count_of_verdict(&trial, "at-risk"),
		     delivered);
	cr_expect_eq(count_of_verdict(&trial, "refused") + count_of_verdict(&trial, "failed"),
		     failed);
	return trial;
}

/* As many refusals as the sink has connections to which it gave less. */
static void check_steady(const char *floor)
{
	struct trial trial = race("steady", floor);
	size_t below = 0;

	for (size_t i = 0; i < json_array_size(trial.entries); i++)
		below += is_lower(field(json_array_get(trial.entries, i), "given"), floor);
	cr_expect_gt(below, 0);
	cr_expect_eq(count_of_verdict(&trial, "refused"), below, "%zu refused, %zu below",
		     count_of_verdict(&trial, "refused"), below);
	cr_expect_eq(count_of_verdict(&trial, "failed"), 0);
}

Test(floor_race, a_server_of_all_versions_at_1_2)
{
	check_steady("1.2");
}

Test(floor_race, a_server_of_all_versions_at_1_3)
{
	check_steady("1.3");
}

Test(floor_race, settings_that_change_during_the_handshake)
{
	struct trial trial = race("race", "1.2");

	/* It was a race: both sides have won. */
	cr_expect_gt(count_of_verdict(&trial, "refused"), 0);
	cr_expect_gt(count_with_mail(&trial), 0);
}

/* The statistics before the decision: as many as a real floor has refused. */
static void check_what_if(const char *log, const char *floor, const json_t *entries)
{
	struct program report = {
		.argv = WORDS(tool_path(), "report", "--what-if", floor, "--json", log)};
	size_t below = 0;

	for (size_t i = 0; i < json_array_size(entries); i++)
		below += is_lower(field(json_array_get(entries, i), "given"), floor);
	cr_assert_eq(run_program(&report), 0, "%s", report.err);
	json_t *json = json_loads(report.out, 0, NULL);
	json_t *verdicts = json_object_get(json, "verdicts");
	cr_expect_eq(json_integer_value(json_object_get(verdicts, "refused")), below);
	cr_expect_eq(json_integer_value(json_object_get(verdicts, "below-floor")), 0);
	json_decref(json);
}

Test(floor_race, what_if_foretells_what_the_floor_refuses)
{
	const char *log = test_path("audit.log");
	struct sink *sink = start_sink(WORDS("--tls=1.0..1.3", "--implicit", "--mix"));
	struct program bare = racer(sink, "steady");
	struct program audited =
		tried(&bare, log, join_words(WORDS(text("--ports=%u", sink->port)), NO_WORDS));

	cr_assert_eq(run_program(&audited), 0, "%s", audited.err);
	cr_assert_eq(stop_sink(sink), 0);
	json_t *entries = read_json_lines(sink->log);
	cr_assert_eq(json_array_size(entries), CONNECTIONS);
	check_what_if(log, "1.2", entries);
	check_what_if(log, "1.3", entries);
}
