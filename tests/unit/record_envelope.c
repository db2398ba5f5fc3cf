/*
 * A record's line as syslog and the journal have it: to the byte, and whatever
 * its texts hold.
 */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "shim/record/record.h"
#include "shim/record/record_envelope.h"

static char out[ENVELOPE_FIELDS_MAX];

static void expect_syslog(const char *line, const char *header)
{
	size_t length = envelope_syslog(out, line, strlen(line));

	cr_expect_eq(length, strlen(header), "%s", line);
	cr_expect_arr_eq(out, header, strlen(header), "%.*s", (int)length, out);
}

Test(record_envelope, the_header_of_rfc_5424)
{
	expect_syslog("{\"@timestamp\":\"2026-11-23T13:05:07.123456Z\",\"event.action\":"
		      "\"tls-handshake\",\"host.name\":\"mx.example.net\",\"process.pid\":4711}\n",
		      "<22>1 2026-11-23T13:05:07.123456Z mx.example.net tlswitness 4711 "
		      "tls-handshake - ");
	/* What is not known, or no PRINTUSASCII, is nil. */
	expect_syslog("{}\n", "<22>1 - - tlswitness - - - ");
	expect_syslog("{\"host.name\":\"a b\",\"process.pid\":1}\n", "<22>1 - - tlswitness 1 - - ");
	expect_syslog("{\"host.name\":\"\\u001b[2J\"}\n", "<22>1 - - tlswitness - - - ");
	expect_syslog("{\"host.name\":\"h\xC3\xB4te\"}\n", "<22>1 - - tlswitness - - - ");
	/* A key within a text is none. */
	expect_syslog("{\"service.name\":\"x\\\",\\\"host.name\\\":\\\"y\",\"host.name\":\"z\"}\n",
		      "<22>1 - z tlswitness - - - ");
}

static void expect_fields(const char *line, const char *fields, size_t length)
{
	size_t got = envelope_journal(out, sizeof(out), line, strlen(line));

	cr_expect_eq(got, length, "%s: %.*s", line, (int)got, out);
	cr_expect_arr_eq(out, fields, length, "%.*s", (int)got, out);
}

#define EXPECT_FIELDS(line, fields) expect_fields(line, fields, sizeof(fields) - 1)

Test(record_envelope, fields_of_the_journal)
{
	EXPECT_FIELDS("{\"@timestamp\":\"T\",\"tls.established\":true,\"tls.version\":\"1.0\","
		      "\"process.pid\":7,\"tlswitness.configured.min\":\"1.2\"}\n",
		      "TIMESTAMP=T\nTLS_ESTABLISHED=true\nTLS_VERSION=1.0\nPROCESS_PID=7\n"
		      "TLSWITNESS_CONFIGURED_MIN=1.2\n");
	EXPECT_FIELDS("{\"tlswitness.offered\":[\"1.0\",\"1.2\"],\"a.b\":\"\"}\n",
		      "TLSWITNESS_OFFERED=1.0\nTLSWITNESS_OFFERED=1.2\nA_B=\n");
	EXPECT_FIELDS("{\"event.reason\":\"a\\\"b\\\\c\\td\xC3\xA9\\u0085\\u001b\"}\n",
		      "EVENT_REASON=a\"b\\c\td\xC3\xA9\xC2\x85\x1b\n");
	/* What a name may be made of, to both ends of each kind. */
	EXPECT_FIELDS("{\"@az[{09/:AZ\":1}\n", "AZ__09__AZ=1\n");
	/* More lines than one. */
	EXPECT_FIELDS("{\"code.stacktrace\":\"a:1 f\\nb:2\",\"x\":\"y\"}\n",
		      "CODE_STACKTRACE\n\x09\0\0\0\0\0\0\0a:1 f\nb:2\nX=y\n");
	EXPECT_FIELDS("{}\n", "");
}

/* No text can add a field of its own. */
Test(record_envelope, a_text_stays_within_its_field)
{
	EXPECT_FIELDS("{\"host.name\":\"h\\n_UID=0\\nTLS_VERSION=1.3\",\"z\":\"[\\\"a\\\"]\"}\n",
		      "HOST_NAME\n\x18\0\0\0\0\0\0\0h\n_UID=0\nTLS_VERSION=1.3\nZ=[\"a\"]\n");
}

Test(record_envelope, what_has_no_room_is_left_out_whole)
{
	static const char line[] = "{\"a\":\"0123456789\",\"b\":\"1\",\"c\":\"x\\ny\"}\n";

	for (size_t room = 0; room < 40; room++) {
		size_t got = envelope_journal(out, room, line, strlen(line));

		cr_expect_leq(got, room);
		cr_expect(got == 0 || out[got - 1] == '\n');
		cr_expect_eq(room >= 13, memmem(out, got, "A=0123456789\n", 13) != NULL, "%zu",
			     room);
	}
}

/* Cut anywhere, and of bytes that are no record: nothing but what is there is read. */
Test(record_envelope, bytes_that_are_no_record)
{
	static const char line[] = "{\"a\":\"b\\\\\",\"c\":[\"d\",\"e\"],\"f\":1}\n";

	for (size_t length = 0; length <= strlen(line); length++) {
		char *copy = malloc(length ? length : 1);

		memcpy(copy, line, length);
		(void)envelope_journal(out, sizeof(out), copy, length);
		(void)envelope_syslog(out, copy, length);
		free(copy);
	}
}

/* A full line's fields all fit. */
Test(record_envelope, the_fullest_record_fits)
{
	static char texts[3000];
	static struct origin stack = {.count = ORIGIN_FRAMES_MAX};
	char line[RECORD_LINE_MAX];
	struct record record = {
		.reason = texts, .pid = 1, .host = "h", .script = "s", .stack = &stack};
	size_t length;

	memset(texts, 'a', sizeof(texts) - 1);
	for (unsigned i = 0; i < ORIGIN_FRAMES_MAX; i++)
		stack.frame[i] = (struct origin_frame){.file = "f", .function = "g"};
	length = record_write(line, &record);
	length = envelope_journal(out, sizeof(out), line, length);
	cr_expect_not_null(memmem(out, length, "EVENT_REASON=aaaa", 17));
	cr_expect_not_null(memmem(out, length, "CODE_STACKTRACE\n", 16));
}
