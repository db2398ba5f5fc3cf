/*
 * Reads the recorder's log and holds it against the sink's. The sink's entry
 * is the measure: what a client says of itself is asked nowhere.
 */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "tests/integration/records.h"

struct program preloaded(const struct program *bare, const char *log, const char *const env[])
{
	struct program program = *bare;

	program.argv = join_words(WORDS(tool_path(), "run", "--log", log, "--"), bare->argv);
	program.env = join_words(bare->env != NULL ? bare->env : NO_WORDS, env);
	return program;
}

/* Each line has an event.id of 32 hexadecimal digits, and no two the same. */
static void expect_names(const json_t *lines)
{
	json_t *seen = json_object();

	for (size_t i = 0; i < json_array_size(lines); i++) {
		const char *id = field(json_array_get(lines, i), "event.id");

		cr_assert(strlen(id) == 32 && strspn(id, "0123456789abcdef") == 32, "'%s'", id);
		cr_assert_null(json_object_get(seen, id), "%s is there twice", id);
		json_object_set_new(seen, id, json_true());
	}
	json_decref(seen);
}

/* Whoever saw a connection says the same of it: else it is a defect of ours. */
static void expect_no_conflict(const json_t *lines)
{
	for (size_t i = 0; i < json_array_size(lines); i++) {
		const json_t *record = json_array_get(lines, i);

		cr_expect_null(json_object_get(record, "tlswitness.conflict"),
			       "%s by one witness, %s by the other: %s",
			       field(record, "tls.version"), field(record, "tlswitness.conflict"),
			       json_dumps(record, JSON_COMPACT));
		/* Two libraries never see the same handshake: one may be a layer on the other. */
		cr_expect_not(array_holds(record, "tlswitness.witness", "openssl") &&
				      array_holds(record, "tlswitness.witness", "gnutls"),
			      "%s", json_dumps(record, JSON_COMPACT));
	}
}

json_t *records_of(const char *log, const char *action)
{
	json_t *lines = read_json_lines(log);

	expect_names(lines);
	expect_no_conflict(lines);
	for (size_t i = json_array_size(lines); i-- > 0;) {
		if (action && strcmp(field(json_array_get(lines, i), "event.action"), action) != 0)
			json_array_remove(lines, i);
	}
	return lines;
}

json_t *only_handshake(const char *log)
{
	json_t *records = records_of(log, "tls-handshake");

	cr_assert_eq(json_array_size(records), 1, "%zu handshakes and not one:\n%s",
		     json_array_size(records), read_file(log, NULL));
	return json_array_get(records, 0);
}

long long number_field(const json_t *record, const char *key)
{
	const json_t *value = json_object_get(record, key);

	return json_is_integer(value) ? json_integer_value(value) : -1;
}

bool array_holds(const json_t *record, const char *key, const char *value)
{
	const json_t *array = json_object_get(record, key);

	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *string = json_string_value(json_array_get(array, i));

		if (string != NULL && strcmp(string, value) == 0)
			return true;
	}
	return false;
}

static const char *dump(const json_t *object)
{
	char *json = json_dumps(object, JSON_COMPACT);
	const char *kept = text("%s", json != NULL ? json : "nothing");

	free(json);
	return kept;
}

/* A string that both sides have; where the sink does not know it, the record is free. */
static void expect_same_text(const json_t *record, const char *key, const json_t *entry,
			     const char *entry_key, const char *what)
{
	const char *expected = field(entry, entry_key);

	if (*expected == '\0')
		return;
	cr_expect_str_eq(field(record, key), expected, "%s: %s is '%s', the sink says '%s'", what,
			 key, field(record, key), expected);
}

void expect_equal_to_entry(const json_t *record, const json_t *entry, const char *what)
{
	bool established = json_is_true(json_object_get(entry, "established"));
	const json_t *resumed = json_object_get(entry, "resumed");
	const json_t *offered = json_object_get(entry, "offered");

	cr_expect_str_eq(field(record, "event.action"), "tls-handshake");
	cr_expect_eq(number_field(record, "source.port"), number_field(entry, "peer_port"),
		     "%s: %s\n%s", what, dump(record), dump(entry));
	expect_same_text(record, "tlswitness.tls_mode", entry, "tls_mode", what);
	cr_expect_eq(json_is_true(json_object_get(record, "tls.established")), established,
		     "%s: %s\n%s", what, dump(record), dump(entry));
	if (!established)
		return;
	expect_same_text(record, "tls.version", entry, "version", what);
	expect_same_text(record, "tls.cipher", entry, "cipher", what);
	expect_same_text(record, "tls.curve", entry, "curve", what);
	expect_same_text(record, "tls.client.server_name", entry, "server_name", what);
	cr_expect(json_equal(json_object_get(record, "tls.resumed"), resumed), "%s: %s\n%s", what,
		  dump(record), dump(entry));
	/* The sink knows it by supported_versions alone (RFC 8446, 4.2.1). */
	cr_expect(offered == NULL ||
			  json_equal(json_object_get(record, "tlswitness.offered"), offered),
		  "%s: %s\n%s", what, dump(record), dump(entry));
	cr_expect_null(json_object_get(record, "tlswitness.conflict"), "%s: %s", what,
		       dump(record));
	cr_expect(array_holds(record, "tlswitness.witness", "openssl") ||
			  array_holds(record, "tlswitness.witness", "gnutls"),
		  "%s: %s", what, dump(record));
}

/* How many of `objects` have this number at `key`; the first of them goes to `first`. */
static size_t count_with(const json_t *objects, const char *key, long long number,
			 const json_t **first)
{
	size_t count = 0;

	for (size_t i = 0; i < json_array_size(objects); i++) {
		const json_t *object = json_array_get(objects, i);

		if (number_field(object, key) != number)
			continue;
		if (count++ == 0)
			*first = object;
	}
	return count;
}

void expect_one_record_each(const json_t *records, const json_t *entries, const char *what)
{
	cr_expect_eq(json_array_size(records), json_array_size(entries),
		     "%s: %zu records of %zu connections", what, json_array_size(records),
		     json_array_size(entries));
	for (size_t i = 0; i < json_array_size(entries); i++) {
		const json_t *entry = json_array_get(entries, i);
		const json_t *record = NULL;
		long long port = number_field(entry, "peer_port");
		size_t recorded = count_with(records, "source.port", port, &record);
		/* The kernel gives a port out again when it has to. */
		size_t accepted = count_with(entries, "peer_port", port, &entry);

		cr_expect_eq(recorded, accepted, "%s: %zu records of the connection %s", what,
			     recorded, dump(entry));
		if (recorded == 1 && accepted == 1)
			expect_equal_to_entry(record, entry, what);
	}
}
