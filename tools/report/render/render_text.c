/*
 * The report for a terminal: the figures, who sends where with what, what to
 * change, and what else an operator has to know. Sections that have nothing to
 * say are left out.
 */
#include "tools/report/render/render_text.h"

#include <inttypes.h>

#include "tools/base/put.h"
#include "tools/base/share.h"
#include "tools/base/timestamp.h"
#include "tools/log/doubles.h"

static enum text_colour version_colour(enum entry_version version)
{
	if (version >= VERSION_TLS_1_2)
		return COLOUR_GOOD;
	return version == VERSION_UNKNOWN ? COLOUR_NONE : COLOUR_BAD;
}

/* ---- the figures ---- */

static void put_floors(FILE *out, const struct report *report)
{
	const char *separator = ", floor ";

	for (unsigned version = VERSION_SSL_3_0; version < ENTRY_VERSIONS; version++) {
		if (report->floor[version] == 0)
			continue;
		put_format(out, "%s%s", separator, entry_version_name(version));
		separator = " and ";
	}
}

/* What was asked, and which records were chosen: before any figure. */
static void write_question(FILE *out, const struct report *report, const struct report_style *style)
{
	struct text_line line = text_line_begin();
	FILE *text = text_line_out(&line);

	if (report->command) {
		put_format(text, "$ %s", report->command);
		text_line_end(&line, out, style, 2);
		line = text_line_begin();
		text = text_line_out(&line);
	}
	if (report->filter && !filter_is_empty(report->filter)) {
		put_text(text, "Only a part of the log: ");
		filter_put(text, report->filter);
		put_format(text, ". %" PRIu64 " record%s left out.", report->records.filtered_out,
			   report->records.filtered_out == 1 ? " was" : "s were");
	} else {
		put_text(text, "The whole log.");
	}
	text_line_end(&line, out, style, 2);
	put_byte(out, '\n');
}

static void write_title(FILE *out, const struct report *report, const struct report_style *style)
{
	struct text_line line = text_line_begin();
	FILE *text = text_line_out(&line);
	char first[TIMESTAMP_TEXT_MAX];
	char last[TIMESTAMP_TEXT_MAX];

	put_format(text, "%" PRIu64 " connection%s", report->total.connections,
		   text_plural(report->total.connections));
	if (report->total.connections) {
		timestamp_print(first, report->total.first, TIMESTAMP_MINUTE);
		timestamp_print(last, report->total.last, TIMESTAMP_MINUTE);
		put_format(text, ", %s to %s UTC", first, last);
	}
	if (report->host_count)
		put_format(text, ", %zu host%s", report->host_count,
			   text_plural(report->host_count));
	put_floors(text, report);
	text_line_end(&line, out, style, 0);
	if (report->what_if)
		put_format(out,
			   "These verdicts did not happen: they are what they would have been with "
			   "a floor of %s enforced.\n",
			   entry_version_name(report->what_if_floor));
}

/* Verdicts and versions beside each other, worst first, only those that occur. */
struct figures {
	const struct report *report;
	unsigned verdict[ENTRY_VERDICTS];
	size_t verdict_count;
	unsigned version[ENTRY_VERSIONS];
	size_t version_count;
};

static void print_share(struct text_cell *cell, uint64_t part, uint64_t whole)
{
	cell->text = (struct slice){cell->room, share_text(cell->room, part, whole)};
}

static void figure(struct text_cell *cell, size_t column, const char *name, uint64_t count,
		   uint64_t whole)
{
	if (column == 0)
		cell->text = slice_of(name);
	else if (column == 1)
		text_count(cell, count);
	else
		print_share(cell, count, whole);
}

static void figures_cell(const void *context, size_t row, size_t column, struct text_cell *cell)
{
	const struct figures *figures = context;
	const struct report_tally *total = &figures->report->total;

	cell->text = (struct slice){"", 0};
	if (column < 3 && row < figures->verdict_count) {
		unsigned verdict = figures->verdict[row] % ENTRY_VERDICTS;

		cell->colour = column == 0 ? text_verdict_colour(verdict) : COLOUR_NONE;
		figure(cell, column, entry_verdict_name(verdict), total->verdict[verdict],
		       total->connections);
	} else if (column >= 4 && row < figures->version_count) {
		unsigned version = figures->version[row];

		cell->colour = column == 4 ? version_colour(version) : COLOUR_NONE;
		figure(cell, column - 4, entry_version_name(version), total->version[version],
		       total->connections);
	}
}

static void write_figures(FILE *out, const struct report *report, const struct report_style *style)
{
	struct figures figures = {.report = report};
	struct text_table table = {
		.column = {{"VERDICT", false, false, false},
			   {"", true, false, false},
			   {"", true, false, false},
			   {"", false, false, false},
			   {"TLS", false, false, false},
			   {"", true, false, false},
			   {"", true, false, false}},
		.column_count = 7,
		.context = &figures,
		.cell = figures_cell,
	};

	for (unsigned i = ENTRY_VERDICTS; i-- > 0;) {
		if (report->total.verdict[i])
			figures.verdict[figures.verdict_count++] = i;
	}
	for (unsigned i = 0; i < ENTRY_VERSIONS; i++) {
		if (report->total.version[i])
			figures.version[figures.version_count++] = i;
	}
	table.row_count = figures.verdict_count > figures.version_count ? figures.verdict_count
									: figures.version_count;
	put_byte(out, '\n');
	text_table_write(out, &table, &style->text);
	/* The two sums count the clear by different measures: say so. */
	if (report->total.version[VERSION_CLEAR] != report->total.verdict[VERDICT_PLAINTEXT])
		put_format(
			out,
			"\nclear is every session without TLS; plaintext is those of them (%" PRIu64
			") that sent mail or a login.\n",
			report->total.verdict[VERDICT_PLAINTEXT]);
}

static void write_remarks(FILE *out, const struct report *report)
{
	uint64_t rejected = 0;

	for (size_t i = 0; i < report->input_count; i++)
		rejected += report->inputs[i].rejected;
	if (report->conflicts)
		put_format(out,
			   "\nThe witnesses disagreed about %" PRIu64
			   " connection%s: please report that as a defect of tlswitness.\n",
			   report->conflicts, text_plural(report->conflicts));
	if (report->records.other)
		put_format(out,
			   "\n%" PRIu64 " record%s of a kind that this version does not know.\n",
			   report->records.other, text_plural(report->records.other));
	if (report->records.doubles)
		put_format(
			out, "\n%" PRIu64 " record%s there twice (by event.id) and counted once.\n",
			report->records.doubles, report->records.doubles == 1 ? " was" : "s were");
	if (report->doubles_missed)
		put_format(out,
			   "\nDoubles were looked for among the first %" PRIu64 " records only.\n",
			   DOUBLES_MAX);
	if (rejected)
		put_format(out, "\n%" PRIu64 " line%s no record%s.\n", rejected,
			   rejected == 1 ? " was" : "s were", text_plural(rejected));
}

static void put_kind(FILE *out, const char **separator, uint64_t count, const char *words)
{
	if (count == 0)
		return;
	put_format(out, "%s%" PRIu64 " %s", *separator, count, words);
	*separator = ", ";
}

/* So that the records and the connections above add up. */
static void put_kinds(FILE *out, const struct report *report, uint64_t read)
{
	const struct report_records *records = &report->records;
	const char *separator = " (";

	if (report->total.connections == read)
		return;
	put_kind(out, &separator, report->total.connections, "of connections");
	put_kind(out, &separator, records->settings, "of settings");
	put_kind(out, &separator, records->blind_spots, "of blind spots");
	put_kind(out, &separator, records->lost_notices, "of lost records");
	put_kind(out, &separator, records->configuration_errors, "of configuration errors");
	put_kind(out, &separator, records->other, "of other kinds");
	put_kind(out, &separator, records->doubles, "there twice");
	put_kind(out, &separator, report->comparison.connections, "to compare with");
	put_kind(out, &separator, records->filtered_out, "left out");
	if (separator[0] == ',')
		put_byte(out, ')');
}

/* What was read, by name, so that "nothing found" can be told from "nothing read". */
static void write_inputs(FILE *out, const struct report *report, const struct report_style *style)
{
	enum { NAMED = 5 };
	struct text_line line = text_line_begin();
	FILE *text = text_line_out(&line);
	uint64_t records = 0;
	size_t failed = 0;

	for (size_t i = 0; i < report->input_count; i++) {
		records += report->inputs[i].records;
		failed += report->inputs[i].error != NULL;
	}
	put_format(text, "Read %" PRIu64 " record%s", records, text_plural(records));
	put_kinds(text, report, records);
	put_format(text, " from %zu log%s", report->input_count,
		   report->input_count == 1 ? "" : "s");
	for (size_t i = 0; i < report->input_count && i < NAMED; i++)
		put_format(text, "%s%s", i ? ", " : ": ", report->inputs[i].name);
	if (report->input_count > NAMED)
		put_format(text, " and %zu more", report->input_count - NAMED);
	if (failed)
		put_format(text, "; %zu could not be read to the end", failed);
	put_text(text, ".");
	put_byte(out, '\n');
	text_line_end(&line, out, style, 0);
}

bool render_text(FILE *out, const struct report *report, const struct report_style *style)
{
	write_question(out, report, style);
	text_write_readiness(out, report, style);
	write_title(out, report, style);
	if (report->total.connections)
		write_figures(out, report, style);
	text_write_comparison(out, report, style);
	text_write_groups(out, report, style);
	text_write_places(out, report, style);
	text_write_findings(out, report, style);
	text_write_losses(out, report, style);
	text_write_silences(out, report, style);
	text_write_expiring(out, report, style);
	text_write_audit(out, report, style);
	write_remarks(out, report);
	write_inputs(out, report, style);
	return put_end(out);
}
