/*
 * The line against another reader of JSON (jansson), against one line that is
 * written out in full, and against the worst that can be in a text.
 */
#include <criterion/criterion.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shim/record/record.h"

enum { LONG_TEXT = 10000 };

static const char *const keys[] = {
#define FIELD(key, kind, member) key,
#include "shim/record/record_fields.def"
#undef FIELD
};

#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

/* ---- reading the line ---- */

/* Writes the record, checks what holds for every line, and parses it. The caller frees it. */
static json_t *parse(const struct record *record, char line[RECORD_LINE_MAX + 1])
{
	/* A block of its own size, so that a tool that looks sees a byte too many. */
	char *exact = malloc(RECORD_LINE_MAX);
	json_error_t error;
	json_t *parsed = NULL;

	cr_assert_not_null(exact);
	size_t length = record_write(exact, record);

	cr_assert_leq(length, RECORD_LINE_MAX);
	cr_assert_gt(length, 2);
	memcpy(line, exact, length);
	line[length] = '\0';
	free(exact);
	cr_assert_eq(strlen(line), length, "a NUL in the line");
	cr_assert_eq(strcspn(line, "\n"), length - 1, "not one newline at the end: %s", line);
	parsed = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
	cr_assert_not_null(parsed, "%s in %s", error.text, line);
	cr_assert(json_is_object(parsed));
	return parsed;
}

/* That the keys are these, and in this order. */
static void expect_order(json_t *parsed, const char *const *expected, size_t count)
{
	const char *key = NULL;
	json_t *value = NULL;
	size_t next = 0;

	json_object_foreach (parsed, key, value) {
		cr_assert_lt(next, count, "one too many: %s", key);
		cr_assert_str_eq(key, expected[next]);
		next++;
	}
	cr_expect_eq(next, count);
}

/* The line, without its newline, of a record with nothing but this one fact. */
#define EXPECT_LINE(expected, ...)                          \
	do {                                                \
		const struct record record = {__VA_ARGS__}; \
		char line[RECORD_LINE_MAX + 1];             \
                                                            \
		json_decref(parse(&record, line));          \
		cr_expect_str_eq(line, expected "\n");      \
	} while (0)

/* How many lines a text has, of which only the last is without a newline. */
static size_t lines_of(const char *text)
{
	size_t count = text != NULL;

	for (; text && *text; text++)
		count += *text == '\n';
	return count;
}

/* ---- records ---- */

static void add_frame(struct origin *stack, const char *file, uint32_t line, const char *function)
{
	cr_assert_lt(stack->count, ORIGIN_FRAMES_MAX);
	stack->frame[stack->count++] =
		(struct origin_frame){.file = file, .function = function, .line = line};
}

/* Every member known. */
#define FULL_TIME(text)               \
	{                             \
		1795439107, 123456789 \
	}
#define FULL_TEXT(text)    (text)
#define FULL_NUMBER(text)  4242
#define FULL_BOOLEAN(text) RECORD_TRUE
#define FULL_VERSION(text) TLS_VERSION_1_2
#define FULL_VERSIONS(text)                                    \
	{                                                      \
		TLS_OFFERED_MAX,                               \
		{                                              \
			0x0300, 0x0301, 0x0302, 0x0303, 0x0304 \
		}                                              \
	}
#define FULL_WITNESSES(text) ((1U << WITNESS_NUMBER_END) - 1)
#define FULL_STACK(text)     &full_stack
/* The last value of each list. */
#define FULL_ACTION(text)       (RECORD_ACTION_END - 1)
#define FULL_OUTCOME(text)      (RECORD_OUTCOME_END - 1)
#define FULL_PROTOCOL(text)     (RECORD_PROTOCOL_END - 1)
#define FULL_TLS_PROTOCOL(text) (RECORD_TLS_PROTOCOL_END - 1)
#define FULL_CERTIFICATE(text)  (RECORD_CERTIFICATE_END - 1)
#define FULL_VERDICT(text)      (RECORD_VERDICT_END - 1)
#define FULL_MODE(text)         (RECORD_MODE_END - 1)
#define FULL_TLS_MODE(text)     (RECORD_TLS_MODE_END - 1)
#define FULL_LIMIT(text)        (RECORD_LIMIT_END - 1)

static struct origin full_stack;

static struct record full_record(const char *text)
{
	struct record record = {
#define FIELD(key, kind, member) .member = FULL_##kind(text),
#include "shim/record/record_fields.def"
#undef FIELD
	};

	full_stack.count = 0;
	for (unsigned i = 0; i < ORIGIN_FRAMES_MAX; i++)
		add_frame(&full_stack, text, i + 1, text);
	return record;
}

static struct record typical_record(void)
{
	static struct origin stack;

	stack.count = 0;
	add_frame(&stack, "/usr/lib/python3.11/smtplib.py", 790, "starttls");
	add_frame(&stack, "/srv/shop/mailer.py", 42, "send");
	add_frame(&stack, "/srv/shop/cron.py", 7, "<module>");
	return (struct record){
		.timestamp = {1795439107, 123456789},
		.ecs_version = RECORD_ECS_VERSION,
		.event_id = "0123456789abcdef0123456700000001",
		.action = RECORD_ACTION_HANDSHAKE,
		.outcome = RECORD_OUTCOME_SUCCESS,
		.duration = 15843000,
		.network_protocol = RECORD_PROTOCOL_SMTP,
		.source_ip = "10.0.0.7",
		.source_port = 48122,
		.destination_ip = "2001:db8::25",
		.destination_port = 587,
		.destination_domain = "mail.example.org",
		.established = RECORD_TRUE,
		.version = TLS_VERSION_1_2,
		.version_protocol = RECORD_TLS_PROTOCOL_TLS,
		.cipher = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
		.resumed = RECORD_FALSE,
		.verdict = RECORD_VERDICT_AT_RISK,
		.mode = RECORD_MODE_AUDIT,
		.floor = TLS_VERSION_1_2,
		.tls_mode = RECORD_TLS_MODE_STARTTLS,
		.witnesses = WITNESS_WIRE | WITNESS_OPENSSL,
		.offered = {3, {TLS_VERSION_1_1, TLS_VERSION_1_2, TLS_VERSION_1_3}},
		.limited_by = RECORD_LIMIT_SERVER,
		.library = "OpenSSL 3.0.19",
		.pid = 4711,
		.executable = "/usr/bin/python3.11",
		.user = "1000",
		.script = "/srv/shop/cron.py",
		.code_file = "/srv/shop/mailer.py",
		.code_line = 42,
		.code_function = "send",
		.stack = &stack,
	};
}

/* ---- the whole line ---- */

Test(record, a_line_written_out)
{
	static const char expected[] =
		"{\"@timestamp\":\"2026-11-23T13:05:07.123456Z\",\"ecs.version\":\"8.17.0\","
		"\"event.id\":\"0123456789abcdef0123456700000001\","
		"\"event.action\":\"tls-handshake\",\"event.outcome\":\"success\","
		"\"event.duration\":15843000,\"network.protocol\":\"smtp\","
		"\"source.ip\":\"10.0.0.7\",\"source.port\":48122,"
		"\"destination.ip\":\"2001:db8::25\",\"destination.port\":587,"
		"\"destination.domain\":\"mail.example.org\",\"tls.established\":true,"
		"\"tls.version\":\"1.2\",\"tls.version_protocol\":\"tls\","
		"\"tls.cipher\":\"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384\","
		"\"tls.resumed\":false,\"tlswitness.verdict\":\"at-risk\","
		"\"tlswitness.mode\":\"audit\",\"tlswitness.floor\":\"1.2\","
		"\"tlswitness.tls_mode\":\"starttls\","
		"\"tlswitness.witness\":[\"openssl\",\"wire\"],"
		"\"tlswitness.offered\":[\"1.1\",\"1.2\",\"1.3\"],"
		"\"tlswitness.limited_by\":\"server\",\"tlswitness.library\":\"OpenSSL 3.0.19\","
		"\"process.pid\":4711,\"process.executable\":\"/usr/bin/python3.11\","
		"\"user.id\":\"1000\",\"tlswitness.script\":\"/srv/shop/cron.py\","
		"\"code.file.path\":\"/srv/shop/mailer.py\",\"code.line.number\":42,"
		"\"code.function.name\":\"send\",\"code.stacktrace\":"
		"\"/usr/lib/python3.11/smtplib.py:790 starttls\\n"
		"/srv/shop/mailer.py:42 send\\n/srv/shop/cron.py:7 <module>\"}\n";
	const struct record record = typical_record();
	char line[RECORD_LINE_MAX + 1];

	json_decref(parse(&record, line));
	cr_expect_str_eq(line, expected);
}

Test(record, nothing_known)
{
	EXPECT_LINE("{}", .pid = 0);
	EXPECT_LINE("{}", .service = "", .established = RECORD_UNKNOWN);
}

Test(record, all_keys_in_the_order_of_the_table)
{
	const struct record record = full_record("x");
	char line[RECORD_LINE_MAX + 1];
	json_t *parsed = parse(&record, line);

	expect_order(parsed, keys, KEY_COUNT);
	cr_expect_eq(lines_of(json_string_value(json_object_get(parsed, "code.stacktrace"))),
		     ORIGIN_FRAMES_MAX);
	json_decref(parsed);
}

/* ---- each kind ---- */

Test(record, numbers)
{
	EXPECT_LINE("{\"process.pid\":1}", .pid = 1);
	EXPECT_LINE("{\"process.pid\":1234567890}", .pid = 1234567890);
	EXPECT_LINE("{\"event.duration\":9223372036854775807}", .duration = INT64_MAX);
	EXPECT_LINE("{\"event.duration\":9223372036854775807}", .duration = UINT64_MAX);
}

Test(record, booleans)
{
	EXPECT_LINE("{\"tls.resumed\":true}", .resumed = RECORD_TRUE);
	EXPECT_LINE("{\"tls.resumed\":false}", .resumed = RECORD_FALSE);
}

Test(record, versions)
{
	EXPECT_LINE("{\"tls.version\":\"1.2\"}", .version = TLS_VERSION_1_2);
	EXPECT_LINE("{\"tls.version\":\"3.0\"}", .version = TLS_VERSION_SSL_3_0);
	EXPECT_LINE("{}", .version = 0x7F1C);
	EXPECT_LINE("{\"tlswitness.offered\":[\"1.3\"]}", .offered = {1, {TLS_VERSION_1_3}});
	EXPECT_LINE("{\"tlswitness.offered\":[\"1.0\",\"1.3\"]}",
		    .offered = {3, {TLS_VERSION_1_0, 0x0A0A, TLS_VERSION_1_3}});
	EXPECT_LINE("{}", .offered = {1, {0x0A0A}});
	EXPECT_LINE("{\"tlswitness.offered\":[\"1.1\"]}", .offered = {1, {0x0302, 0x0303}});
	EXPECT_LINE("{\"tlswitness.offered\":[\"1.0\",\"1.0\",\"1.0\",\"1.0\",\"1.0\"],"
		    "\"tlswitness.configured.min\":\"1.2\"}",
		    .offered = {UINT8_MAX, {0x0301, 0x0301, 0x0301, 0x0301, 0x0301}},
		    .configured_min = 0x0303);
}

Test(record, witnesses)
{
	EXPECT_LINE("{\"tlswitness.witness\":[\"openssl\"]}", .witnesses = WITNESS_OPENSSL);
	EXPECT_LINE("{\"tlswitness.witness\":[\"openssl\",\"wire\"]}",
		    .witnesses = WITNESS_WIRE | WITNESS_OPENSSL);
	EXPECT_LINE("{}", .witnesses = 1U << WITNESS_NUMBER_END);
}

static void expect_stack(const struct origin *stack, const char *expected)
{
	const struct record record = {.stack = stack};
	char line[RECORD_LINE_MAX + 1];

	json_decref(parse(&record, line));
	cr_expect_str_eq(line, expected);
}

Test(record, frames)
{
	static struct origin stack;

	expect_stack(NULL, "{}\n");
	expect_stack(&stack, "{}\n");
	add_frame(&stack, "", 3, "");
	expect_stack(&stack, "{}\n");
	add_frame(&stack, "/a.py", 7, "f");
	add_frame(&stack, "/a.py", 0, "f");
	add_frame(&stack, "/a.py", 7, "");
	add_frame(&stack, "/a.py", 0, "");
	add_frame(&stack, "", 7, "f");
	add_frame(&stack, "/\"\xC3\xA9\xFF", 4294967295, "\n");
	expect_stack(&stack, "{\"code.stacktrace\":\"/a.py:7 f\\n/a.py f\\n/a.py:7\\n"
			     "/a.py\\nf\\n/\\\"\xC3\xA9\xEF\xBF\xBD:4294967295 \\n\"}\n");
}

/* ---- time ---- */

static void expect_time(time_t seconds, long nanoseconds, const char *expected)
{
	const struct record record = {.timestamp = {seconds, nanoseconds}, .pid = 1};
	char line[RECORD_LINE_MAX + 1];
	json_t *parsed = parse(&record, line);
	const char *text = json_string_value(json_object_get(parsed, "@timestamp"));

	if (expected)
		cr_expect_str_eq(text ? text : "(left out)", expected);
	else
		cr_expect_null(text, "%s", text);
	json_decref(parsed);
}

Test(record, time_at_the_edges)
{
	expect_time(0, 0, NULL);
	expect_time(0, 1, "1970-01-01T00:00:00.000000Z");
	expect_time(0, 999999999, "1970-01-01T00:00:00.999999Z");
	expect_time(-1, 5000, "1969-12-31T23:59:59.000005Z");
	expect_time(951782400, 0, "2000-02-29T00:00:00.000000Z");
	expect_time(4107542399, 0, "2100-02-28T23:59:59.000000Z");
	expect_time(4107542400, 0, "2100-03-01T00:00:00.000000Z");
	expect_time(253402300799, 0, "9999-12-31T23:59:59.000000Z");
	expect_time(253402300800, 0, NULL);
	expect_time(-62162035200, 0, "0000-03-01T00:00:00.000000Z");
	expect_time(-62162035201, 0, NULL);
	expect_time(INT64_MAX, 0, NULL);
	expect_time(INT64_MIN, 0, NULL);
	expect_time(1, -1, NULL);
	expect_time(1, 1000000000, NULL);
}

/* Every day of eight centuries, at a second that wanders through the day. */
Test(record, time_as_gmtime_has_it)
{
	for (time_t day = -62091; day < 200000; day++) {
		time_t seconds = day * 86400 + (day + 62091) * 4421 % 86400;
		char expected[64];
		struct tm parts;

		cr_assert_not_null(gmtime_r(&seconds, &parts));
		cr_assert_gt(
			strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S.000001Z", &parts),
			0);
		expect_time(seconds, 1999, expected);
	}
}

/* ---- text ---- */

struct text_case {
	const char *text;
	const char *written; /* between the quotes */
};

#define FFFD "\xEF\xBF\xBD"

static const struct text_case texts[] = {
	{"plain /-~ text", "plain /-~ text"},
	{"\"\\", "\\\"\\\\"},
	{"\b\f\n\r\t", "\\b\\f\\n\\r\\t"},
	{"\x01\x1F\x7F", "\\u0001\\u001f\\u007f"},
	{"\x1B[31m", "\\u001b[31m"},
	/* well-formed, of every length, at both ends of each range */
	{"\xC2\xA0\xDF\xBF", "\xC2\xA0\xDF\xBF"},
	{"\xE0\xA0\x80\xEC\xBF\xBF\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF",
	 "\xE0\xA0\x80\xEC\xBF\xBF\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF"},
	{"\xF0\x90\x80\x80\xF3\xBF\xBF\xBF\xF4\x8F\xBF\xBF",
	 "\xF0\x90\x80\x80\xF3\xBF\xBF\xBF\xF4\x8F\xBF\xBF"},
	/* C1 controls: terminals take U+009B for ESC [ */
	{"\xC2\x80\xC2\x9B\xC2\x9F", "\\u0080\\u009b\\u009f"},
	/* bytes that begin nothing */
	{"\x80\xBF", FFFD FFFD},
	{"\xC0\x80", FFFD FFFD},
	{"\xC1\xBF", FFFD FFFD},
	{"\xF5\x80\x80\x80", FFFD FFFD FFFD FFFD},
	{"\xFE\xFF", FFFD FFFD},
	/* overlong, surrogates, beyond U+10FFFF: the second byte is wrong already */
	{"\xE0\x9F\xBF", FFFD FFFD FFFD},
	{"\xED\xA0\x80", FFFD FFFD FFFD},
	{"\xF0\x8F\xBF\xBF", FFFD FFFD FFFD FFFD},
	{"\xF4\x90\x80\x80", FFFD FFFD FFFD FFFD},
	/* one U+FFFD for each maximal subpart: The Unicode Standard, table 3-8 and its like */
	{"a\xF1\x80\x80\xE1\x80\xC2"
	 "b\x80"
	 "c\x80\xBF"
	 "d",
	 "a" FFFD FFFD FFFD "b" FFFD "c" FFFD FFFD "d"},
	/* cut short by the end of the text, or by a quote */
	{"\xC3", FFFD},
	{"\xE2\x82", FFFD},
	{"\xF0\x9F\x92", FFFD},
	{"\xF0\x9F\"", FFFD "\\\""},
	{"\xE2\x82\n", FFFD "\\n"},
};

Test(record, texts)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const struct record record = {.reason = texts[i].text};
		char expected[256];
		char line[RECORD_LINE_MAX + 1];

		(void)snprintf(expected, sizeof(expected), "{\"event.reason\":\"%s\"}\n",
			       texts[i].written);
		json_decref(parse(&record, line));
		cr_expect_str_eq(line, expected, "case %zu", i);
	}
}

/* jansson refuses what is no UTF-8, and raw controls; here every lead meets every second byte. */
Test(record, any_two_bytes_are_valid_json)
{
	char line[RECORD_LINE_MAX + 1];

	for (unsigned pair = 0x0101; pair <= 0xFFFF; pair++) {
		const char text[] = {(char)(pair >> 8), (char)(pair & 0xFF), '\0'};
		const struct record record = {.reason = text};

		json_decref(parse(&record, line));
		for (size_t i = 0; line[i + 1] != '\0'; i++)
			cr_assert((unsigned char)line[i] >= 0x20 && line[i] != 0x7F);
	}
}

/* ---- the limit ---- */

static char *long_text(const char *unit)
{
	size_t length = strlen(unit);
	char *text = malloc(LONG_TEXT * length + 1);

	cr_assert_not_null(text);
	for (size_t i = 0; i < LONG_TEXT; i++)
		memcpy(text + i * length, unit, length);
	text[LONG_TEXT * length] = '\0';
	return text;
}

static void expect_text(json_t *parsed, const char *key, const char *expected)
{
	const char *text = json_string_value(json_object_get(parsed, key));

	cr_expect_str_eq(text ? text : "(left out)", expected, "%s", key);
}

/* That `text`, as the parser gives it back, is whole units and nothing else. */
static void expect_units(const char *text, const char *unit)
{
	size_t length = strlen(unit);

	cr_assert_gt(strlen(text), 0);
	cr_expect_eq(strlen(text) % length, 0, "cut within a character");
	for (; *text != '\0'; text += length)
		cr_assert_eq(strncmp(text, unit, length), 0);
}

struct long_case {
	const char *unit;
	const char *read; /* what the parser makes of a unit */
};

static const struct long_case long_cases[] = {
	{"x", "x"},
	{"\"", "\""},
	{"\x01", "\x01"},
	{"\x7F", "\x7F"},
	{"\xC2\x9B", "\xC2\x9B"},
	{"\xC3\xA9", "\xC3\xA9"},
	{"\xE2\x82\xAC", "\xE2\x82\xAC"},
	{"\xF0\x9F\x92\xA9", "\xF0\x9F\x92\xA9"},
	{"\xFF", FFFD},
};

/* 10,000 characters in every text, and every member known: all keys stay but the stack's. */
Test(record, everything_too_long)
{
	for (size_t i = 0; i < sizeof(long_cases) / sizeof(long_cases[0]); i++) {
		char *text = long_text(long_cases[i].unit);
		struct record record = full_record(text);
		char line[RECORD_LINE_MAX + 1];

		record.action = RECORD_ACTION_CONFIGURATION_ERROR;
		record.outcome = RECORD_OUTCOME_FAILURE;
		record.verdict = RECORD_VERDICT_BELOW_FLOOR;
		record.mode = RECORD_MODE_ENFORCE;
		json_t *parsed = parse(&record, line);

		cr_expect_eq(json_object_size(parsed), KEY_COUNT - 1, "unit %zu", i);
		cr_expect_null(json_object_get(parsed, "code.stacktrace"));
		expect_text(parsed, "@timestamp", "2026-11-23T13:05:07.123456Z");
		expect_text(parsed, "event.action", "configuration-error");
		expect_text(parsed, "event.outcome", "failure");
		expect_text(parsed, "tls.version", "1.2");
		expect_text(parsed, "tlswitness.verdict", "below-floor");
		expect_text(parsed, "tlswitness.mode", "enforce");
		cr_expect_eq(json_integer_value(json_object_get(parsed, "process.pid")), 4242);
		cr_expect_eq(json_integer_value(json_object_get(parsed, "tlswitness.lost")), 4242);
		expect_units(json_string_value(json_object_get(parsed, "event.reason")),
			     long_cases[i].read);
		/* One more unit for each text would have been too much. */
		cr_expect_gt(strlen(line), RECORD_LINE_MAX - KEY_COUNT * 6, "unit %zu", i);
		json_decref(parsed);
		free(text);
	}
}

/* All lengths around the limit, so that each byte of the line's end is the cut once. */
Test(record, the_limit_is_met_exactly)
{
	char *text = long_text("\x01");
	char line[RECORD_LINE_MAX + 1];

	for (size_t length = 660; length < 700; length++) {
		for (size_t shift = 0; shift < 6; shift++) {
			struct record record = {.event_id = "0123456" + shift, .reason = NULL};

			record.reason = text + LONG_TEXT - length;
			json_t *parsed = parse(&record, line);
			size_t whole = strlen("{\"event.id\":\"\",\"event.reason\":\"\"}\n") +
				       strlen(record.event_id) + length * 6;
			const char *reason =
				json_string_value(json_object_get(parsed, "event.reason"));

			if (whole <= RECORD_LINE_MAX) {
				cr_expect_eq(strlen(line), whole);
			} else {
				cr_expect_gt(strlen(line), RECORD_LINE_MAX - 6);
				cr_expect_lt(strlen(reason), length);
			}
			json_decref(parsed);
		}
	}
	free(text);
}

Test(record, frames_go_before_texts_and_the_outermost_first)
{
	static struct origin stack;
	struct record record = typical_record();
	char *text = long_text("y");
	char line[RECORD_LINE_MAX + 1];
	size_t kept = 0;

	/* Frames of 200 bytes, of which fewer fit the longer another text is. */
	for (unsigned i = 0; i < 20; i++)
		add_frame(&stack, text + LONG_TEXT - 195, i + 10, "f");
	record.stack = &stack;
	for (size_t length = 10; length < 3000; length += 37) {
		record.script = text + LONG_TEXT - length;
		json_t *parsed = parse(&record, line);
		const char *frames = json_string_value(json_object_get(parsed, "code.stacktrace"));
		size_t count = lines_of(frames);

		expect_text(parsed, "tlswitness.script", record.script);
		for (size_t i = 0; i < count; i++) {
			char expected[256];
			int size = snprintf(expected, sizeof(expected), "%s:%zu f%s",
					    stack.frame[i].file, i + 10, i + 1 < count ? "\n" : "");

			cr_assert_eq(strncmp(frames, expected, (size_t)size), 0);
			frames += size;
		}
		/* As many as fit: one more, with its quotes and comma, would not have. */
		if (count > 0)
			cr_expect_gt(strlen(line) + 203, RECORD_LINE_MAX);
		cr_expect(length == 10 || count <= kept);
		kept = count;
		json_decref(parsed);
	}
	cr_expect_eq(kept, 0);
	free(text);
}

/* Not even where the text is the last of the line, and could be cut at the line's end instead. */
Test(record, frames_go_before_the_last_text)
{
	static struct origin stack;
	char *text = long_text("\x01");
	char line[RECORD_LINE_MAX + 1];

	add_frame(&stack, "/a.py", 1, "f");
	for (size_t length = 600; length < 675; length++) {
		struct record record = {.stack = &stack, .setting = text + LONG_TEXT - length};
		json_t *parsed = parse(&record, line);

		expect_text(parsed, "tlswitness.setting", record.setting);
		json_decref(parsed);
	}
	free(text);
}

Test(record, the_longest_texts_are_cut_first)
{
	struct record record = typical_record();
	char *text = long_text("z");
	char line[RECORD_LINE_MAX + 1];

	record.stack = NULL;
	record.script = text;
	record.executable = text + LONG_TEXT - 1000;
	record.reason = text;
	json_t *parsed = parse(&record, line);
	const char *script = json_string_value(json_object_get(parsed, "tlswitness.script"));
	const char *reason = json_string_value(json_object_get(parsed, "event.reason"));

	expect_text(parsed, "process.executable", record.executable);
	expect_text(parsed, "tls.cipher", record.cipher);
	cr_expect_eq(strlen(script), strlen(reason), "the two longest share the loss");
	cr_expect_geq(strlen(line), RECORD_LINE_MAX - 1);
	json_decref(parsed);
	free(text);
}

/* What stands in the buffer from before makes no difference, least of all to the length. */
Test(record, the_same_record_is_the_same_line)
{
	char *text = long_text("\xC3\xA9\x01");
	const struct record record = full_record(text);
	char first[RECORD_LINE_MAX];
	char second[RECORD_LINE_MAX];

	memset(first, 'A', sizeof(first));
	memset(second, 0, sizeof(second));
	size_t length = record_write(first, &record);

	cr_assert_eq(record_write(second, &record), length);
	cr_expect_arr_eq(first, second, length);
	free(text);
}
