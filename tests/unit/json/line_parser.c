/*
 * Lines that carry a record, whoever wrapped them: both parsers must find the same.
 */
#include "tools/log/line_parser.h"

#include <criterion/criterion.h>

#include "tests/unit/json/lines.h"

/* Reads the line twice, with the scanner and without, and expects the same fields. */
static enum line_result read_both(struct slice line, struct entry *entry, struct slice *record)
{
	static struct line_parser fast;
	static struct line_parser general;
	struct entry other;
	enum line_result result = LINE_NOTHING;

	line_parser_free(&fast);
	line_parser_free(&general);
	line_parser_init(&fast);
	line_parser_init(&general);
	general.general_only = true;
	result = line_parser_read(&fast, line, entry, record);
	cr_assert_eq(line_parser_read(&general, line, &other, NULL), result);
	if (result != LINE_OBJECT)
		return result;
	cr_assert_eq(entry->present, other.present);
	for (unsigned field = 0; field < ENTRY_FIELDS; field++)
		cr_expect(slice_equal(entry_get(entry, field), entry_get(&other, field)),
			  "field %u", field);
	return result;
}

Test(line_parser, hands_out_the_record_alone)
{
	struct record full = full_record();
	struct slice plain = written(&full);
	char copy[RECORD_LINE_MAX];
	char wrapped[RECORD_LINE_MAX + 64];
	struct entry entry;
	struct slice record;
	size_t length = plain.length;

	memcpy(copy, plain.start, length);
	cr_assert_eq(read_both(plain, &entry, &record), LINE_OBJECT);
	cr_expect(slice_equal(record, (struct slice){copy, length}));
	(void)snprintf(wrapped, sizeof(wrapped), "Nov 23 13:05:07 web1 tlswitness: %.*s\r",
		       (int)length, copy);
	cr_assert_eq(read_both(padded(wrapped, strlen(wrapped)), &entry, &record), LINE_OBJECT);
	cr_expect(slice_equal(record, (struct slice){copy, length}));
	expect_field(&entry, ENTRY_version, "1.2");
	(void)snprintf(wrapped, sizeof(wrapped), "MESSAGE=%.*s", (int)length, copy);
	cr_assert_eq(read_both(padded(wrapped, strlen(wrapped)), &entry, &record), LINE_OBJECT);
	cr_expect(slice_equal(record, (struct slice){copy, length}));
}

Test(line_parser, tells_nothing_from_rubbish)
{
	static const struct {
		const char *line;
		enum line_result result;
	} cases[] = {
		{"", LINE_NOTHING},
		{"\r", LINE_NOTHING},
		{" \t ", LINE_NOTHING},
		{"\xef\xbb\xbf", LINE_NOTHING},
		{"_PID=1", LINE_NOTHING},
		{"MESSAGE", LINE_NOTHING},
		{"MESSAGE=", LINE_NOTHING},
		{"MESSAGE=session opened", LINE_NOTHING},
		{"_PID={\"event.action\":\"x\"}", LINE_NOTHING},
		{"7", LINE_NO_OBJECT},
		{"[1]", LINE_NO_OBJECT},
		{"rubbish", LINE_INVALID},
		{"rubbish {", LINE_INVALID},
		{"MESSAGE={\"cut", LINE_INVALID},
		{"{\"cut", LINE_INVALID},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct entry entry;
		struct slice record;

		cr_expect_eq(
			read_both(padded(cases[i].line, strlen(cases[i].line)), &entry, &record),
			cases[i].result, "%s", cases[i].line);
	}
}
