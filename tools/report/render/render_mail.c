/*
 * A summary made to be mailed: the first line is a subject, the rest what somebody has to
 * know who reads nothing else. Plain text of 72 columns, short whatever the log has.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "tools/base/place_text.h"
#include "tools/base/put.h"
#include "tools/base/share.h"
#include "tools/base/table.h"
#include "tools/base/text_table.h"
#include "tools/base/timestamp.h"
#include "tools/report/model.h"

#define PLACES_SAID 5

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static bool is_filtered(const struct report *report)
{
	return report->filter && !filter_is_empty(report->filter);
}

static void put_subject(FILE *out, const struct report *report)
{
	const char *separator = ": ";

	put_format(out, "Subject: TLS of outgoing mail%s", is_filtered(report) ? " (a part)" : "");
	if (report->total.connections == 0)
		put_text(out, ": nothing was recorded");
	for (unsigned i = ENTRY_VERDICTS; i-- > 0;) {
		if (report->total.verdict[i] == 0)
			continue;
		put_format(out, "%s%" PRIu64 " %s", separator, report->total.verdict[i],
			   entry_verdict_name(i));
		separator = ", ";
	}
	put_text(out, "\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
		      "Content-Transfer-Encoding: 8bit\n\n");
}

/* A line of any length and bytes, as a mail can have it. */
static void put_wrapped(FILE *out, const struct report_style *style, struct slice text)
{
	text_wrap(out, &style->text, 0, text);
}

static void put_filters(FILE *out, const struct report *report, const struct report_style *style)
{
	char *text = NULL;
	size_t size = 0;
	FILE *words = open_memstream(&text, &size);

	if (!words)
		table_out_of_memory();
	put_text(words, "Only a part of the log: ");
	filter_put(words, report->filter);
	if (fclose(words) != 0)
		table_out_of_memory();
	put_wrapped(out, style, (struct slice){text, size});
	put_byte(out, '\n');
	free(text);
}

static void put_period(FILE *out, const struct report *report)
{
	char first[TIMESTAMP_TEXT_MAX];
	char last[TIMESTAMP_TEXT_MAX];

	if (report->total.connections == 0)
		return;
	timestamp_print(first, report->total.first, TIMESTAMP_MINUTE);
	timestamp_print(last, report->total.last, TIMESTAMP_MINUTE);
	put_format(out, "%" PRIu64 " connection%s, %s to %s UTC, %zu host%s.\n",
		   report->total.connections, plural(report->total.connections), first, last,
		   report->host_count, plural(report->host_count));
}

static void put_verdicts(FILE *out, const struct report *report)
{
	char share[SHARE_TEXT_MAX];

	for (unsigned i = ENTRY_VERDICTS; i-- > 0;) {
		if (report->total.verdict[i] == 0)
			continue;
		share_text(share, report->total.verdict[i], report->total.connections);
		put_format(out, "  %-12s %10" PRIu64 "  %s\n", entry_verdict_name(i),
			   report->total.verdict[i], share);
	}
}

static void put_place(FILE *out, const struct report_place *place, size_t number,
		      const struct report_style *style)
{
	char *text = NULL;
	size_t size = 0;
	FILE *line = open_memstream(&text, &size);

	if (!line)
		table_out_of_memory();
	if (place->file.length)
		place_text_put(line, place->file, place->line, place->function);
	else
		put_slice(line, place->program);
	put_format(line, ": %s %" PRIu64 ". %s", entry_verdict_name(report_worst(&place->tally)),
		   place->tally.verdict[report_worst(&place->tally)], place->advice);
	if (fclose(line) != 0)
		table_out_of_memory();
	put_format(out, "%2zu. ", number);
	text_wrap(out, &style->text, 4, (struct slice){text, size});
	free(text);
}

static void put_places(FILE *out, const struct report *report, const struct report_style *style)
{
	size_t said = 0;
	size_t count = 0;

	for (size_t i = 0; i < report->place_count; i++)
		count += report->places[i].tally.connections > 0;
	if (count == 0)
		return;
	put_text(out, "\nWhat to change:\n");
	for (size_t i = 0; i < report->place_count && said < PLACES_SAID; i++) {
		if (report->places[i].tally.connections > 0)
			put_place(out, &report->places[i], ++said, style);
	}
	if (said < count)
		put_format(out, "and %zu more.\n", count - said);
}

static void put_gaps(FILE *out, const struct report *report)
{
	uint64_t rejected = 0;
	size_t failed = 0;

	for (size_t i = 0; i < report->input_count; i++) {
		rejected += report->inputs[i].rejected;
		failed += report->inputs[i].error != NULL;
	}
	if (report->records.blind_spots)
		put_format(out, "\nNot seen: %" PRIu64 " blind spot%s.\n",
			   report->records.blind_spots, plural(report->records.blind_spots));
	if (report->records.lost)
		put_format(out, "\nNot written: %" PRIu64 " record%s.\n", report->records.lost,
			   plural(report->records.lost));
	if (failed || rejected)
		put_format(out, "\nNot read: %zu log%s to the end, %" PRIu64 " line%s.\n", failed,
			   plural(failed), rejected, plural(rejected));
}

static void put_changes(FILE *out, const struct report *report)
{
	const struct report_comparison *comparison = &report->comparison;
	const char *separator = ": ";

	if (report->has_expiring)
		put_format(out, "\nCertificates of servers that end soon: %" PRIu64 ".\n",
			   report->expiring);
	if (!comparison->asked)
		return;
	put_text(out, "\nChanged");
	for (unsigned kind = 0; kind < REPORT_CHANGES; kind++) {
		if (comparison->count[kind] == 0)
			continue;
		put_format(out, "%s%" PRIu64 " %s", separator, comparison->count[kind],
			   report_change_name(kind));
		separator = ", ";
	}
	put_text(out, comparison->row_count ? ".\n" : ": nothing.\n");
}

static void write_mail(FILE *out, const struct report *report, const struct report_style *style)
{
	put_subject(out, report);
	if (is_filtered(report))
		put_filters(out, report, style);
	put_period(out, report);
	put_verdicts(out, report);
	put_changes(out, report);
	put_places(out, report, style);
	put_gaps(out, report);
	put_byte(out, '\n');
	if (report->command)
		put_wrapped(out, style, slice_of(report->command));
}

/* No line is longer than RFC 5322, 2.1.1, allows, whatever is named in it. */
static void put_lines(FILE *out, struct slice text)
{
	enum { LINE_MOST = 990 };
	size_t line = 0;

	for (size_t i = 0; i < text.length; i++) {
		bool begins = ((unsigned char)text.start[i] & 0xc0) != 0x80;

		/* A character has at most four bytes, which stay together. */
		if (line >= LINE_MOST && begins && text.start[i] != '\n') {
			put_byte(out, '\n');
			line = 0;
		}
		put_byte(out, text.start[i]);
		line = text.start[i] == '\n' ? 0 : line + 1;
	}
}

bool render_mail(FILE *out, const struct report *report, const struct report_style *style)
{
	char *text = NULL;
	size_t size = 0;
	FILE *mail = open_memstream(&text, &size);

	if (!mail)
		table_out_of_memory();
	write_mail(mail, report, style);
	if (fclose(mail) != 0)
		table_out_of_memory();
	put_lines(out, (struct slice){text, size});
	free(text);
	return put_end(out);
}
