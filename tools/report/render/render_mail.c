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
	put_text(out, "\n\n");
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

bool render_mail(FILE *out, const struct report *report, const struct report_style *style)
{
	put_subject(out, report);
	if (is_filtered(report)) {
		put_text(out, "Only a part of the log: ");
		filter_put(out, report->filter);
		put_text(out, "\n\n");
	}
	put_period(out, report);
	put_verdicts(out, report);
	put_places(out, report, style);
	put_gaps(out, report);
	put_format(out, "\n%s\n", report->command ? report->command : "");
	return put_end(out);
}
