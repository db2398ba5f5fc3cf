/*
 * The scanner against the recorder's own lines, against the general parser, and
 * against everything that is almost such a line.
 */
#include "tools/log/scanner.h"

#include <stdio.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "tools/log/json_line.h"
#include "tests/unit/json/lines.h"

static bool scan(struct slice line, struct entry *entry)
{
	static struct scanner scanner;

	scanner_init(&scanner);
	return scanner_read(&scanner, line, entry);
}

static bool scan_text(const char *text, struct entry *entry)
{
	return scan(padded(text, strlen(text)), entry);
}

/* Both parsers take the line, and find the same. */
static void expect_equal(struct slice line)
{
	struct json_line json = {0};
	struct entry scanned;
	struct entry parsed;

	cr_assert(scan(line, &scanned), "not taken: %.*s", (int)line.length, line.start);
	cr_assert_eq(json_line_read(&json, line, &parsed), JSON_LINE_OBJECT);
	cr_expect_eq(scanned.present, parsed.present);
	for (unsigned field = 0; field < ENTRY_FIELDS; field++) {
		struct slice a = entry_get(&scanned, field);
		struct slice b = entry_get(&parsed, field);

		cr_expect(slice_equal(a, b), "field %u: '%.*s' and '%.*s'", field, (int)a.length,
			  a.start, (int)b.length, b.start);
	}
	json_line_free(&json);
}

Test(scanner, reads_every_field_of_a_full_record)
{
	struct record record = full_record();
	struct entry entry;

	cr_assert(scan(written(&record), &entry));
	cr_expect_eq(entry.present, (UINT64_C(1) << ENTRY_FIELDS) - 1);
	expect_field(&entry, ENTRY_timestamp, "2026-11-23T13:05:07.123456Z");
	expect_field(&entry, ENTRY_action, "tls-handshake");
	expect_field(&entry, ENTRY_duration, "1234567890");
	expect_field(&entry, ENTRY_destination_port, "587");
	expect_field(&entry, ENTRY_established, "true");
	expect_field(&entry, ENTRY_resumed, "false");
	expect_field(&entry, ENTRY_version, "1.2");
	expect_field(&entry, ENTRY_server_subject, "CN=mx.example.com,O=Acme\\, Inc.");
	expect_field(&entry, ENTRY_witnesses, "\"openssl\",\"wire\"");
	expect_field(&entry, ENTRY_offered, "\"1.0\",\"1.1\",\"1.2\"");
	expect_field(&entry, ENTRY_stack, "/srv/app/mail.py:20 deliver\n/srv/app/main.py:7 main");
	expect_field(&entry, ENTRY_event_id, "0123456789abcdef0123456700000001");
	expect_field(&entry, ENTRY_exception, "*.example.com: 1.0");
	expect_field(&entry, ENTRY_count, "12");
	expect_field(&entry, ENTRY_first, "2026-11-23T13:05:00.000005Z");
	expect_field(&entry, ENTRY_lost, "3");
}

Test(scanner, agrees_with_the_general_parser_on_a_full_record)
{
	struct record record = full_record();

	expect_equal(written(&record));
}

Test(scanner, agrees_with_the_general_parser_whatever_texts_hold)
{
	/* Every control character, DEL, C1, quotes, UTF-8 of all lengths, and bytes that are none.
	 */
	static const char *const texts[] = {
		"\x01\x02\x03\x04\x05\x06\x07\x08\t\n\x0b\x0c\r\x0e\x0f\x10\x1f",
		"\x7f\xc2\x80\xc2\x9f",
		"\"\\\"\\\\\"",
		"ends in a backslash\\",
		"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x93\xa7",
		"\xff\xfe\xc0\x80\xed\xa0\x80",
		"{\"tls.version\":\"1.0\"}",
		"\",\"tls.version\":\"1.0",
		"a/b",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct record record = full_record();

		record.script = texts[i];
		record.code_function = texts[i];
		record.reason = texts[i];
		expect_equal(written(&record));
	}
}

Test(scanner, agrees_with_the_general_parser_at_every_length)
{
	/* Quotes at every position relative to the blocks of 64 bytes that are looked at at once.
	 */
	char script[200];

	for (size_t length = 1; length + 1 < sizeof(script); length++) {
		struct record record = {.timestamp = {.tv_sec = 1},
					.action = RECORD_ACTION_SESSION,
					.script = script};

		memset(script, 'x', length);
		script[length] = '\0';
		script[length / 2] = length % 3 ? 'x' : '"';
		expect_equal(written(&record));
	}
}

Test(scanner, guesses_wrong_without_harm)
{
	/* Records of different shapes in a row, so that each guess is made by another shape. */
	static struct scanner scanner;
	struct record full = full_record();
	struct record small = {.timestamp = {.tv_sec = 1}, .action = RECORD_ACTION_LOST, .lost = 7};
	struct entry entry;

	scanner_init(&scanner);
	for (int i = 0; i < 4; i++) {
		cr_assert(scanner_read(&scanner, written(i % 2 ? &full : &small), &entry));
		expect_field(&entry, ENTRY_lost, i % 2 ? "3" : "7");
		cr_expect_eq(entry_has(&entry, ENTRY_version), i % 2);
	}
}

/* As shippers make them: in another order, with keys of theirs, nested. */
Test(scanner, takes_what_shippers_make_of_a_line)
{
	static const char *const lines[] = {
		"{\"@timestamp\":\"x\",\"unknown\":\"8\"}",
		"{\"@timestamp\":\"x\",\"event.action\":\"a\",\"ecs.version\":\"8\"}",
		"{\"@timestamp\":\"x\",\"event.action\":null}",
		"{\"event.action\":\"a\",\"@timestamp\":\"x\"}",
		"{\"agent\":{\"name\":\"v\",\"id\":7},\"@timestamp\":\"x\",\"tags\":[\"a\",-1.5,"
		"true,null]}",
		"{\"@timestamp\":\"x\",\"tls\":{\"version\":\"1.2\",\"server\":{\"issuer\":\"i\"}},"
		"\"event\":{\"duration\":12},\"tlswitness\":{\"offered\":[\"1.0\",\"1.2\"]}}",
		"{\"@timestamp\":\"x\",\"tls\":{\"server.issuer\":\"a\\\"b\"},\"other\":[]}",
		"{\"@timestamp\":\"x\",\"tls\":7,\"tls\":{\"version\":\"1.2\"}}",
		"{ \"@timestamp\" : \"x\" , \"event.action\": \"a , b : c \\\" d\", "
		"\"event.duration\": 12 }",
		"{\"@timestamp\": \"x\", \"tls\": {\"version\": \"1.2\"}, \"tlswitness.offered\": "
		"[\"1.0\", \"1.2\"]}",
		"{\"@timestamp\":\"x\",\"\":\"8\",\"a/b\":0} ",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		expect_equal(padded(lines[i], strlen(lines[i])));
}

Test(scanner, leaves_all_else_to_the_general_parser)
{
	static const char *const foreign[] = {
		"",
		"{",
		"{}",
		"{\"@timestamp\":\"",
		"{\"@timestamp\":\"x\"",
		"{\"@timestamp\":\"x\"}}",
		"{\"@timestamp\":\"x\",}",
		"{\"@timestamp\":\"x\",\"event.action\":\"a\",\"event.action\":\"a\"}",
		"{\"@timestamp\":\"x\",\"event.action\":7}",
		"{\"@timestamp\":\"x\",\"other\":1 2}",
		"{\"@timestamp\":\"x\",\"other\": \"a\" \"b\"}",
		"{\"@timestamp\":\"x\",\"other\": tru e}",
		"{\"@timestamp\":\"x\",\"other\":1e5}",
		"{\"@timestamp\":\"x\",\"other\":01}",
		"{\"@timestamp\":\"x\",\"other\":-}",
		"{\"@timestamp\":\"x\",\"other\":1.}",
		"{\"@timestamp\":\"x\",\"other\":nul}",
		"{\"@timestamp\":\"x\",\"other\":[1,]}",
		"{\"@timestamp\":\"x\",\"other\":[[1]]}",
		"{\"@timestamp\":\"x\",\"other\":{}}",
		"{\"@timestamp\":\"x\",\"other\":{\"a\":1}",
		"{\"@timestamp\":\"x\",\"other\":{\"a\":1}}}",
		"{\"@timestamp\":\"x\",\"other\":{,\"a\":1}}",
		"{\"@timestamp\":\"x\",\"tls\":{\"version\":\"1.2\"},\"tls\":{\"cipher\":\"x\"}}",
		"{\"@timestamp\":\"x\",\"tls\":{\"version\":\"1.2\"},\"tls\":7}",
		"{\"@timestamp\":\"x\",\"tls\":{\"version\":\"1.2\"},\"tls.version\":\"1.3\"}",
		"{\"@timestamp\":\"x\",\"tls\\u002eversion\":\"1.3\"}",
		"{\"@timestamp\":\"x\",\"event.duration\":\"7\"}",
		"{\"@timestamp\":\"x\",\"event.duration\":-7}",
		"{\"@timestamp\":\"x\",\"event.duration\":07}",
		"{\"@timestamp\":\"x\",\"event.duration\":7.0}",
		"{\"@timestamp\":\"x\",\"event.duration\":7e3}",
		"{\"@timestamp\":\"x\",\"event.duration\":}",
		"{\"@timestamp\":\"x\",\"event.duration\":1234567890123456789012}",
		"{\"@timestamp\":\"x\",\"tls.established\":yes}",
		"{\"@timestamp\":\"x\",\"tlswitness.offered\":[]}",
		"{\"@timestamp\":\"x\",\"tlswitness.offered\":[\"1.0\",]}",
		"{\"@timestamp\":\"x\",\"tlswitness.offered\":[1.0]}",
		"{\"@timestamp\":\"x\",\"event.action\":\"a\\u0000b\"}",
		"{\"@timestamp\":\"x\",\"event.action\":\"a\\u263ab\"}",
		"{\"@timestamp\":\"x\",\"event.action\":\"a\\/b\"}",
		"{\"@timestamp\":\"x\",\"event.action\":\"a\\xb\"}",
		"{\"@timestamp\":\"x\",\"event.action\":\"a\tb\"}",
		"{\"@timestamp\":\"x\",\"event.action\":\"a\xff\"}",
		"{\"@timestamp\":\"x\",\"event.action\":\"a\xc3\"}",
		"{\"@timestamp\":\"x\",\"event.action\":\"a\\",
		"{\"@timestamp\":\"x\",\"event.action\":\"a\\\"}",
	};
	struct entry entry;

	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		cr_expect_not(scan_text(foreign[i], &entry), "taken: %s", foreign[i]);
}

Test(scanner, takes_no_line_that_is_cut_anywhere)
{
	struct record record = full_record();
	struct slice line = written(&record);
	char copy[RECORD_LINE_MAX];
	size_t length = line.length;
	struct entry entry;

	memcpy(copy, line.start, length);
	for (size_t cut = 0; cut < length; cut++)
		cr_expect_not(scan(padded(copy, cut), &entry), "taken at %zu", cut);
}

Test(scanner, takes_no_line_longer_than_the_recorder_writes)
{
	static char line[SCANNER_LINE_MAX + 2];
	static const char head[] = "{\"@timestamp\":\"x\",\"event.action\":\"";
	struct entry entry;

	for (size_t length = SCANNER_LINE_MAX; length <= SCANNER_LINE_MAX + 1; length++) {
		memset(line, 'x', length);
		memcpy(line, head, sizeof(head) - 1);
		/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): a slice, no string */
		memcpy(line + length - 2, "\"}", 2);
		cr_expect_eq(scan(padded(line, length), &entry), length == SCANNER_LINE_MAX);
	}
}

/* What the index has to find, one byte at a time. */
static unsigned index_slowly(const char *text, size_t length, uint64_t *quote)
{
	unsigned flags = 0;

	memset(quote, 0, (length + 63) / 64 * sizeof(*quote));
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (byte == '"')
			quote[i / 64] |= UINT64_C(1) << (i % 64);
		if (byte == '\\')
			flags |= SCANNER_BACKSLASH;
		if (byte < 0x20 || byte >= 0x80)
			flags |= SCANNER_UNUSUAL;
	}
	return flags;
}

static void compare_index(scanner_index_function *function, const char *name, struct slice text)
{
	uint64_t expected[8];
	uint64_t found[8];
	unsigned flags = index_slowly(text.start, text.length, expected);

	memset(found, 0xff, sizeof(found));
	cr_expect_eq(function(text.start, text.length, found), flags, "%s, %zu bytes", name,
		     text.length);
	cr_expect_arr_eq(found, expected, (text.length + 63) / 64 * sizeof(found[0]),
			 "%s, %zu bytes", name, text.length);
}

Test(scanner, indexes_alike_with_and_without_simd)
{
	char text[300];
	unsigned state = 1;

	for (int round = 0; round < 2000; round++) {
		size_t length = (size_t)round % sizeof(text);

		for (size_t i = 0; i < length; i++) {
			state = state * 1103515245U + 12345U;
			/* Mostly quiet, so that a flag is sometimes not set. */
			text[i] = "aaaaaaaaaaaaa \"\"\\\x1f\x80!"[round % 7 ? (state >> 16) % 15
									    : (state >> 16) % 20];
		}
		compare_index(scanner_index_portable, "portable", padded(text, length));
		compare_index(scanner_index_best(), "best", padded(text, length));
	}
}

Test(scanner, indexes_every_byte_value_at_every_position)
{
	char text[65];

	for (int byte = 0; byte < 256; byte++) {
		for (size_t at = 0; at < sizeof(text); at++) {
			memset(text, 'a', sizeof(text));
			text[at] = (char)byte;
			compare_index(scanner_index_portable, "portable",
				      padded(text, sizeof(text)));
			compare_index(scanner_index_best(), "best", padded(text, sizeof(text)));
		}
	}
}
