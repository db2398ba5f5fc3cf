/*
 * The general parser: what log shippers make of a record means the same.
 */
#include "tools/log/json_line.h"

#include <criterion/criterion.h>

#include "tests/unit/json/lines.h"

static struct json_line json;

static enum json_line_result read_text(const char *text, struct entry *entry)
{
	return json_line_read(&json, slice_of(text), entry);
}

static void free_json(void)
{
	json_line_free(&json);
}

TestSuite(json_line, .fini = free_json);

Test(json_line, takes_any_order_white_space_and_other_keys)
{
	struct entry entry;

	cr_assert_eq(read_text(" { \"tls.version\" : \"1.0\", \"agent\":{\"type\":\"filebeat\"},"
			       "\"tags\":[1,null],\"event.action\":\"tls-handshake\" } ",
			       &entry),
		     JSON_LINE_OBJECT);
	expect_field(&entry, ENTRY_version, "1.0");
	expect_field(&entry, ENTRY_action, "tls-handshake");
	cr_expect_eq(__builtin_popcountll(entry.present), 2);
}

Test(json_line, takes_nested_keys_in_every_mixture)
{
	static const char *const lines[] = {
		"{\"tls\":{\"version\":\"1.0\",\"client\":{\"server_name\":\"a.example\"}}}",
		"{\"tls\":{\"version\":\"1.0\",\"client.server_name\":\"a.example\"}}",
		"{\"tls.version\":\"1.0\",\"tls.client\":{\"server_name\":\"a.example\"}}",
		"{\"tls\":{\"version\":\"1.0\"},\"tls.client.server_name\":\"a.example\"}",
	};
	struct entry entry;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		cr_assert_eq(read_text(lines[i], &entry), JSON_LINE_OBJECT);
		expect_field(&entry, ENTRY_version, "1.0");
		expect_field(&entry, ENTRY_server_name, "a.example");
	}
}

Test(json_line, takes_escaped_keys_and_values)
{
	struct entry entry;

	cr_assert_eq(read_text("{\"tls.\\u0076ersion\":\"1\\u002e0\","
			       "\"tlswitness.script\":\"\\/srv\\/\\ud83d\\udce7\\n\"}",
			       &entry),
		     JSON_LINE_OBJECT);
	expect_field(&entry, ENTRY_version, "1.0");
	expect_field(&entry, ENTRY_script, "/srv/\xf0\x9f\x93\xa7\n");
}

Test(json_line, takes_values_that_were_quoted_anew)
{
	struct entry entry;

	cr_assert_eq(
		read_text("{\"tls.version\":1.0,\"tlswitness.floor\":1.2,\"user.id\":33,"
			  "\"process.pid\":\"4711\",\"tls.established\":\"true\","
			  "\"event.duration\":5e3,\"tlswitness.offered\":[ \"1.0\", \"1.3\" ]}",
			  &entry),
		JSON_LINE_OBJECT);
	expect_field(&entry, ENTRY_version, "1.0");
	expect_field(&entry, ENTRY_floor, "1.2");
	expect_field(&entry, ENTRY_user, "33");
	expect_field(&entry, ENTRY_pid, "4711");
	expect_field(&entry, ENTRY_established, "true");
	expect_field(&entry, ENTRY_duration, "5000");
	expect_field(&entry, ENTRY_offered, "\"1.0\",\"1.3\"");
}

Test(json_line, leaves_out_what_is_of_no_use)
{
	struct entry entry;

	cr_assert_eq(read_text("{\"tls.version\":null,\"tls.cipher\":[\"x\"],\"event.action\":{},"
			       "\"tlswitness.offered\":\"1.0\",\"\":{\"tls.version\":\"1.1\"}}",
			       &entry),
		     JSON_LINE_OBJECT);
	cr_expect_eq(entry.present, 0);
}

Test(json_line, keeps_nul_as_a_character)
{
	struct entry entry;

	cr_assert_eq(read_text("{\"tlswitness.script\":\"a\\u0000b\"}", &entry), JSON_LINE_OBJECT);
	cr_expect(slice_equal(entry_get(&entry, ENTRY_script), SLICE_LITERAL("a\0b")));
}

Test(json_line, says_what_is_no_object_and_what_is_no_json)
{
	struct entry entry;

	cr_expect_eq(read_text("[1]", &entry), JSON_LINE_NO_OBJECT);
	cr_expect_eq(read_text("7", &entry), JSON_LINE_NO_OBJECT);
	cr_expect_eq(read_text("\"x\"", &entry), JSON_LINE_NO_OBJECT);
	cr_expect_eq(read_text("", &entry), JSON_LINE_INVALID);
	cr_expect_eq(read_text("{\"a\":1", &entry), JSON_LINE_INVALID);
	cr_expect_eq(read_text("{\"a\":1} x", &entry), JSON_LINE_INVALID);
	cr_expect_eq(read_text("{\"a\":\"\xff\"}", &entry), JSON_LINE_INVALID);
}

Test(json_line, survives_deep_nesting)
{
	static char text[20000];
	struct entry entry;

	for (size_t i = 0; i + 5 < sizeof(text); i += 5)
		/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): a slice, no string */
		memcpy(text + i, "{\"a\":", 5);
	cr_expect_eq(json_line_read(&json, (struct slice){text, sizeof(text)}, &entry),
		     JSON_LINE_INVALID);
}
