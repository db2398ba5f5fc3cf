/*
 * What came of a run: the sink is asked first, and believed.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "tests/integration/records.h"
#include "tests/integration/trial.h"

static const char *const connection_actions[] = {"tls-handshake", "plaintext-mail", "smtp-session",
						 "blind-spot"};

static bool is_of_connection(const json_t *record)
{
	const char *action = field(record, "event.action");

	for (size_t i = 0; i < sizeof(connection_actions) / sizeof(connection_actions[0]); i++) {
		if (strcmp(action, connection_actions[i]) == 0)
			return true;
	}
	return false;
}

json_t *records_of_connections(const char *log)
{
	json_t *records = records_of(log, NULL);

	for (size_t i = json_array_size(records); i-- > 0;) {
		if (!is_of_connection(json_array_get(records, i)))
			json_array_remove(records, i);
	}
	return records;
}

struct program tried(const struct program *bare, const char *log, const char *const options[])
{
	struct program program = *bare;
	const char *const *run = join_words(WORDS(tool_path(), "run", "--log", log), options);

	program.argv = join_words(join_words(run, WORDS("--")), bare->argv);
	return program;
}

/* `options` with the sink's port for "PORT" at the end of a word. */
static const char *const *with_port(const char *const options[], const struct sink *sink)
{
	const char *const *filled = join_words(NO_WORDS, NO_WORDS);

	for (; *options != NULL; options++) {
		const char *place = strstr(*options, "PORT");
		const char *word = *options;

		if (place != NULL)
			word = text("%.*s%u", (int)(place - *options), *options, sink->port);
		filled = join_words(filled, WORDS(word));
	}
	return filled;
}

struct trial try_program(const char *name, program_for program, const void *row,
			 const char *const sink_options[], const char *const options[])
{
	static unsigned trials;
	const char *log = test_path(text("trial%u.log", ++trials));
	struct sink *sink = start_sink(sink_options);
	struct trial trial = {.name = name, .program = program(sink, row)};

	if (options != NULL) {
		trial.name = text("%s %s", name, options[0]);
		trial.program = tried(&trial.program, log, with_port(options, sink));
		/* Also for a program that becomes another user. */
		cr_assert_eq(chmod(test_file(text("trial%u.log", trials), ""), 0666), 0);
	}
	run_program(&trial.program);
	cr_assert_eq(stop_sink(sink), 0);
	trial.entries = read_json_lines(sink->log);
	trial.records = records_of_connections(log);
	return trial;
}

bool is_lower(const char *version, const char *floor)
{
	return *version == '\0' || strcmp(version, floor) < 0;
}

static bool is_true(const json_t *entry, const char *key)
{
	return json_is_true(json_object_get(entry, key));
}

static const char *said(const struct trial *trial)
{
	char *entries = json_dumps(trial->entries, JSON_COMPACT);
	char *records = json_dumps(trial->records, JSON_COMPACT);
	const char *all = text("%s: status %d\n%s%s\naccounts: %s\nrecords: %s\n", trial->name,
			       trial->program.status, trial->program.out, trial->program.err,
			       entries, records);

	free(entries);
	free(records);
	return all;
}

static void expect_delivered(const struct trial *trial)
{
	const json_t *entry = json_array_get(trial->entries, 0);

	cr_expect_eq(trial->program.status, 0, "%s", said(trial));
	cr_expect_eq(json_array_size(trial->entries), 1, "%s", said(trial));
	cr_expect(is_true(entry, "established") && is_true(entry, "auth") && is_true(entry, "mail"),
		  "%s", said(trial));
	cr_expect_eq(json_integer_value(json_object_get(entry, "messages")), 1, "%s", said(trial));
}

void expect_delivered_below(const struct trial *trial, const char *floor)
{
	expect_delivered(trial);
	cr_expect(is_lower(field(json_array_get(trial->entries, 0), "version"), floor), "%s",
		  said(trial));
}

void expect_delivered_at(const struct trial *trial, const char *floor)
{
	expect_delivered(trial);
	expect_nothing_below(trial, floor);
	cr_expect_eq(json_array_size(trial->records), 1, "%s", said(trial));
	cr_expect_str_eq(field(json_array_get(trial->records, 0), "tlswitness.verdict"), "ok", "%s",
			 said(trial));
}

void expect_nothing_below(const struct trial *trial, const char *floor)
{
	for (size_t i = 0; i < json_array_size(trial->entries); i++) {
		const json_t *entry = json_array_get(trial->entries, i);

		cr_expect_not(is_true(entry, "auth_in_clear") || is_true(entry, "mail_in_clear"),
			      "%s", said(trial));
		if (!is_lower(field(entry, "version"), floor))
			continue;
		cr_expect_not(is_true(entry, "auth") || is_true(entry, "mail"), "%s", said(trial));
	}
}

static bool has_said(const struct trial *trial, const char *says)
{
	for (const char *end = says; *says != '\0'; says = *end == '|' ? end + 1 : end) {
		end = says + strcspn(says, "|");
		const char *word = text("%.*s", (int)(end - says), says);
		if (strstr(trial->program.out, word) != NULL ||
		    strstr(trial->program.err, word) != NULL)
			return true;
	}
	return false;
}

static size_t count_refused(const json_t *records)
{
	size_t refused = 0;

	for (size_t i = 0; i < json_array_size(records); i++) {
		const json_t *record = json_array_get(records, i);

		if (strcmp(field(record, "tlswitness.verdict"), "refused") == 0 &&
		    strcmp(field(record, "event.outcome"), "failure") == 0 &&
		    *field(record, "event.reason") != '\0')
			refused++;
	}
	return refused;
}

void expect_refused(const struct trial *trial, const char *says)
{
	cr_expect_geq(json_array_size(trial->entries), 1, "%s", said(trial));
	for (size_t i = 0; i < json_array_size(trial->entries); i++) {
		const json_t *entry = json_array_get(trial->entries, i);

		cr_expect_not(is_true(entry, "auth") || is_true(entry, "mail"), "%s", said(trial));
	}
	cr_expect_neq(trial->program.status, 0, "%s", said(trial));
	/* Ended by itself and by no signal. */
	cr_expect(trial->program.status < 128 || trial->program.status == 255, "%s", said(trial));
	cr_expect(has_said(trial, says), "'%s' is not said by %s", says, said(trial));
	cr_expect_eq(json_array_size(trial->records), json_array_size(trial->entries), "%s",
		     said(trial));
	cr_expect_eq(count_refused(trial->records), json_array_size(trial->records), "%s",
		     said(trial));
}
