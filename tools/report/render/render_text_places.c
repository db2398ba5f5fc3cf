/*
 * What to change, in text: what would fail on the day on which servers require a version, and
 * the places where old versions are allowed.
 */
#include "tools/report/render/render_text.h"

#include <inttypes.h>
#include <stdlib.h>

#include "tools/base/place_text.h"
#include "tools/base/put.h"
#include "tools/base/share.h"
#include "tools/base/timestamp.h"
#include "tools/report/advice.h"

/* ---- readiness ---- */

static void put_unready(FILE *text, const struct report_unready *row)
{
	put_format(text, "%" PRIu64 " by ", row->connections);
	if (row->program.length)
		put_slice(text, row->program);
	else
		put_text(text, "an unknown program");
	if (row->user.length) {
		put_text(text, ", user ");
		put_slice(text, row->user);
	}
	if (row->service.length) {
		put_text(text, ", service ");
		put_slice(text, row->service);
	}
	if (row->place.length && !slice_equal(row->place, row->program)) {
		put_text(text, ", at ");
		put_slice(text, row->place);
	}
}

static void write_countdown(FILE *out, const struct report *report)
{
	const struct report_readiness *readiness = &report->readiness;
	char day[TIMESTAMP_TEXT_MAX];
	int64_t left = readiness->flip - report->generated;

	if (!readiness->has_flip)
		return;
	put_slice(out, (struct slice){day, timestamp_print(day, readiness->flip, TIMESTAMP_DAY)});
	if (left > 0)
		put_format(out, " is in %" PRId64 " day%s. ",
			   (left + MICROSECONDS_PER_DAY - 1) / MICROSECONDS_PER_DAY,
			   left > MICROSECONDS_PER_DAY ? "s" : "");
	else
		put_text(out, " has passed. ");
}

void text_write_readiness(FILE *out, const struct report *report, const struct report_style *style)
{
	const struct report_readiness *readiness = &report->readiness;
	struct text_line line = text_line_begin();
	FILE *text = NULL;
	char share[SHARE_TEXT_MAX];
	size_t shown = 0;

	if (readiness->required == VERSION_CLEAR)
		return;
	text = text_line_out(&line);
	write_countdown(text, report);
	share_text(share, readiness->connections, readiness->mail);
	put_format(text,
		   "If every server required TLS %s: %" PRIu64 " of %" PRIu64
		   " connection%s would have failed (%s).",
		   entry_version_name(readiness->required), readiness->connections, readiness->mail,
		   readiness->mail == 1 ? "" : "s", share);
	if (readiness->unknown)
		put_format(text, " Of %" PRIu64 " more nobody saw what they offered.",
			   readiness->unknown);
	if (readiness->count)
		put_text(text, " These changes bring it to 0:");
	text_line_end(&line, out, style, 0);
	for (size_t i = 0; i < readiness->count; i++) {
		if (style->top_lists && shown == style->top_lists)
			break;
		line = text_line_begin();
		put_unready(text_line_out(&line), &readiness->row[i]);
		put_format(out, "%3zu. ", ++shown);
		text_line_end(&line, out, style, 5);
	}
	if (shown < readiness->count)
		put_format(out, "and %zu more (--top 0 shows all)\n", readiness->count - shown);
	put_byte(out, '\n');
}

/* ---- what to change ---- */

/* " to a, b, c and 4 more": no longer than can be read. */
static void put_list(FILE *out, const char *before, const struct slice *name, size_t count)
{
	enum { NAMED = 3 };
	size_t shown = count < NAMED ? count : NAMED;

	for (size_t i = 0; i < shown; i++) {
		put_text(out, i ? ", " : before);
		put_slice(out, name[i]);
	}
	if (shown < count)
		put_format(out, " and %zu more", count - shown);
}

static void put_limits(FILE *out, const struct report_place *place)
{
	uint64_t client = place->limited_by[LIMIT_CLIENT];
	uint64_t server = place->limited_by[LIMIT_SERVER];

	if (client && server)
		put_format(out, "; limited by the client %" PRIu64 ", by the server %" PRIu64,
			   client, server);
	else if (client || server)
		put_format(out, "; limited by the %s", client ? "client" : "server");
}

static void put_place_counts(FILE *out, const struct report_place *place)
{
	const char *separator = "";

	if (place->tally.connections == 0) {
		put_text(out, "no connection was limited by it so far");
		return;
	}
	for (unsigned i = ENTRY_VERDICTS; i-- > 0;) {
		if (place->tally.verdict[i] == 0)
			continue;
		put_format(out, "%s%s %" PRIu64, separator, entry_verdict_name(i),
			   place->tally.verdict[i]);
		separator = ", ";
	}
	put_list(out, " to ", place->destinations, place->destination_count);
	put_limits(out, place);
}

static void write_settings(FILE *out, const struct report_place *place,
			   const struct report_style *style)
{
	enum { SHOWN = 5 };

	for (size_t i = 0; i < place->setting_count && i < SHOWN; i++) {
		const struct report_setting *setting = &place->settings[i];
		struct text_line line = text_line_begin();
		FILE *text = text_line_out(&line);

		advice_put_setting(text, setting->text);
		put_text(text, ": ");
		put_slice(text, setting->text);
		if (setting->file.length) {
			put_text(text, " at ");
			place_text_put(text, setting->file, setting->line, setting->function);
		}
		put_text(out, "    ");
		text_line_end(&line, out, style, 4);
	}
	if (place->setting_count > SHOWN)
		put_format(out, "    and %zu more settings\n", place->setting_count - SHOWN);
}

/* Who comes here, and from where, as far as the heading does not say it. */
static void write_reach(FILE *out, const struct report_place *place,
			const struct report_style *style)
{
	struct text_line line = text_line_begin();
	FILE *text = text_line_out(&line);
	bool same = place->program_count == 1 &&
		    (slice_equal(place->programs[0], place->file) || place->file.length == 0);
	bool any = place->source_count > 0 || (place->program_count > 0 && !same);

	if (place->program_count > 0 && !same)
		put_list(text, "by ", place->programs, place->program_count);
	put_list(text, any && !same && place->program_count ? "; connecting at " : "connecting at ",
		 place->sources, place->source_count);
	if (any) {
		put_text(out, "    ");
		text_line_end(&line, out, style, 4);
		return;
	}
	(void)fclose(text);
	free(line.text);
}

/* The first place with the same advice; `number` itself if there is none before it. */
static size_t same_advice(const struct report *report, size_t number)
{
	size_t first = 0;

	while (first < number &&
	       strcmp(report->places[first].advice, report->places[number].advice) != 0)
		first++;
	return first;
}

static void write_place(FILE *out, const struct report *report, size_t index,
			const struct report_style *style)
{
	const struct report_place *place = &report->places[index];
	struct text_line name = text_line_begin();
	struct text_line counts = text_line_begin();
	char prefix[32];
	enum text_colour colour = text_verdict_colour(report_worst(&place->tally));
	size_t same = same_advice(report, index);

	(void)snprintf(prefix, sizeof(prefix), "%2zu. ", index + 1);
	text_put(out, &style->text, place->tally.connections ? colour : COLOUR_NONE, prefix);
	if (place->file.length)
		place_text_put(text_line_out(&name), place->file, place->line, place->function);
	else if (place->program.length)
		put_slice(text_line_out(&name), place->program);
	else
		put_text(text_line_out(&name), "(unknown program)");
	text_line_end(&name, out, style, 4);
	put_place_counts(text_line_out(&counts), place);
	put_text(out, "    ");
	text_line_end(&counts, out, style, 4);
	write_reach(out, place, style);
	write_settings(out, place, style);
	if (same < index)
		put_format(out, "    The same change as in %zu.\n", same + 1);
	else if (place->advice[0]) {
		put_text(out, "    ");
		text_wrap(out, &style->text, 4, slice_of(place->advice));
	}
}

void text_write_places(FILE *out, const struct report *report, const struct report_style *style)
{
	size_t shown = text_rows(report->place_count, style->top_lists);

	if (report->place_count == 0)
		return;
	text_heading(out, style, "What to change");
	for (size_t i = 0; i < shown; i++)
		write_place(out, report, i, style);
	text_say_more(out, report->place_count, shown);
}
