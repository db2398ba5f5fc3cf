/*
 * The groups as CSV (RFC 4180: commas, quotes doubled within quotes, lines that end
 * with CR LF), for spreadsheets and scripts. The header is stable: the keys of --by in
 * their order, then
 *
 *   connections   how many
 *   worst         the worst verdict among them
 *   first, last   RFC 3339, UTC
 *   filters, command   only if records were chosen, or verdicts are what would have been
 *
 * A cell that a spreadsheet would take for a formula gets an apostrophe before it;
 * controls other than tab, CR and LF become "\xNN", bytes that are no UTF-8 U+FFFD.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "tools/base/put.h"
#include "tools/base/table.h"
#include "tools/report/model.h"
#include "tools/base/timestamp.h"
#include "tools/base/utf8.h"

static bool is_blank(uint32_t character)
{
	return character == '\t' || character == '\r' || character == '\n';
}

static bool is_one_of(char byte, const char *bytes)
{
	return byte != '\0' && strchr(bytes, byte) != NULL;
}

static bool needs_quotes(struct slice text)
{
	for (size_t i = 0; i < text.length; i++) {
		if (is_one_of(text.start[i], ",\"\r\n\t "))
			return true;
	}
	return false;
}

/* What OWASP lists as the beginnings of formulas. */
static bool looks_like_formula(struct slice text)
{
	return text.length > 0 && is_one_of(text.start[0], "=+-@\t\r");
}

static void put_character(FILE *out, struct slice bytes, uint32_t character)
{
	if (character == '"')
		put_text(out, "\"\"");
	else if (!utf8_is_instruction(character) || is_blank(character))
		put_slice(out, bytes);
	else
		for (size_t i = 0; i < bytes.length; i++)
			put_format(out, "\\x%02x", (unsigned char)bytes.start[i]);
}

static void put_cell(FILE *out, struct slice text)
{
	bool quoted = needs_quotes(text);

	put_text(out, quoted ? "\"" : "");
	put_text(out, looks_like_formula(text) ? "'" : "");
	while (text.length > 0) {
		uint32_t character = 0;
		size_t length = utf8_decode(text, &character);

		if (length == 0) {
			put_text(out, "\xef\xbf\xbd");
			length = 1;
		} else {
			put_character(out, (struct slice){text.start, length}, character);
		}
		text.start += length;
		text.length -= length;
	}
	put_text(out, quoted ? "\"" : "");
}

static void put_time(FILE *out, int64_t microseconds)
{
	char text[TIMESTAMP_TEXT_MAX];

	put_slice(out,
		  (struct slice){text, timestamp_print(text, microseconds, TIMESTAMP_RFC3339)});
}

/* A part of the log, or verdicts that did not happen: each row says so. */
static bool is_filtered(const struct report *report)
{
	return report->what_if || (report->filter && !filter_is_empty(report->filter));
}

static void put_filters(FILE *out, const struct report *report)
{
	char *text = NULL;
	size_t size = 0;
	FILE *words = open_memstream(&text, &size);

	if (!words)
		table_out_of_memory();
	filter_put(words, report->filter);
	if (report->what_if)
		put_format(words, "%swhat if %s was enforced", ftell(words) > 0 ? "; " : "",
			   entry_version_name(report->what_if_floor));
	if (fclose(words) != 0)
		table_out_of_memory();
	put_cell(out, (struct slice){text, size});
	free(text);
}

static void write_row(FILE *out, const struct report *report, const struct report_group *group)
{
	for (size_t i = 0; i < report->by_count; i++) {
		put_cell(out, group->key[i]);
		put_byte(out, ',');
	}
	put_format(out, "%" PRIu64 ",%s,", group->tally.connections,
		   entry_verdict_name(report_worst(&group->tally)));
	put_time(out, group->tally.first);
	put_byte(out, ',');
	put_time(out, group->tally.last);
	if (is_filtered(report)) {
		put_byte(out, ',');
		put_filters(out, report);
		put_byte(out, ',');
		put_cell(out, slice_of(report->command));
	}
	put_text(out, "\r\n");
}

bool render_csv(FILE *out, const struct report *report)
{
	for (size_t i = 0; i < report->by_count; i++)
		put_format(out, "%s,", report_key_name(report->by[i]));
	put_format(out, "connections,worst,first,last%s\r\n",
		   is_filtered(report) ? ",filters,command" : "");
	for (size_t i = 0; i < report->group_count; i++)
		write_row(out, report, &report->groups[i]);
	return put_end(out);
}
