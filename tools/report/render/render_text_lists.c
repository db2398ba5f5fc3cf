/*
 * The tables of a report in text: who sends where with what, what was found, certificates
 * that end, and what has changed.
 */
#include "tools/report/render/render_text.h"

#include <inttypes.h>
#include <stdlib.h>

#include "tools/base/put.h"
#include "tools/base/text_table.h"
#include "tools/base/timestamp.h"

/* ---- who sends where with what ---- */

enum group_column { COLUMN_KEY, COLUMN_TOTAL, COLUMN_VERSION, COLUMN_WORST };

struct groups {
	const struct report *report;
	struct {
		enum group_column kind;
		unsigned index; /* of the key or the version */
	} column[TEXT_TABLE_COLUMNS_MAX];
};

static void group_cell(const void *context, size_t row, size_t column, struct text_cell *cell)
{
	const struct groups *groups = context;
	const struct report_group *group = &groups->report->groups[row];
	unsigned index = groups->column[column].index;
	enum entry_verdict worst = VERDICT_OK;
	int length = 0;

	switch (groups->column[column].kind) {
	case COLUMN_KEY:
		cell->text = group->key[index].length ? group->key[index] : SLICE_LITERAL("-");
		break;
	case COLUMN_TOTAL:
		text_count(cell, group->tally.connections);
		break;
	case COLUMN_VERSION:
		if (group->tally.version[index]) {
			text_count(cell, group->tally.version[index]);
		} else {
			cell->text = SLICE_LITERAL(".");
			cell->colour = COLOUR_DIM;
		}
		break;
	case COLUMN_WORST:
		worst = report_worst(&group->tally);
		cell->colour = text_verdict_colour(worst);
		length = snprintf(cell->room, sizeof(cell->room), "%s %" PRIu64,
				  entry_verdict_name(worst), group->tally.verdict[worst]);
		cell->text = (struct slice){cell->room, (size_t)length};
		break;
	}
}

static void add_column(struct text_table *table, struct groups *groups, enum group_column kind,
		       unsigned index, struct text_column column)
{
	groups->column[table->column_count].kind = kind;
	groups->column[table->column_count].index = index;
	table->column[table->column_count++] = column;
}

static bool is_grouped_by(const struct report *report, enum report_key key)
{
	for (size_t i = 0; i < report->by_count; i++) {
		if (report->by[i] == key)
			return true;
	}
	return false;
}

static void add_group_columns(struct text_table *table, struct groups *groups)
{
	const struct report *report = groups->report;

	for (unsigned i = 0; i < report->by_count; i++) {
		enum report_key key = report->by[i];
		bool from_end = key == KEY_PROGRAM || key == KEY_PLACE || key == KEY_EXECUTABLE ||
				key == KEY_PARENT || key == KEY_CALLER;

		add_column(table, groups, COLUMN_KEY, i,
			   (struct text_column){report_key_title(key), false, true, from_end});
	}
	add_column(table, groups, COLUMN_TOTAL, 0,
		   (struct text_column){"TOTAL", true, false, false});
	for (unsigned i = ENTRY_VERSIONS; i-- > 0 && !is_grouped_by(report, KEY_VERSION);) {
		if (report->total.version[i])
			add_column(table, groups, COLUMN_VERSION, i,
				   (struct text_column){entry_version_name(i), true, false, false});
	}
	if (!is_grouped_by(report, KEY_VERDICT))
		add_column(table, groups, COLUMN_WORST, 0,
			   (struct text_column){"WORST", false, false, false});
}

void text_write_groups(FILE *out, const struct report *report, const struct report_style *style)
{
	struct groups groups = {.report = report};
	struct text_table table = {.context = &groups, .cell = group_cell};

	if (report->group_count == 0)
		return;
	add_group_columns(&table, &groups);
	table.row_count = text_rows(report->group_count, style->top);
	text_heading(out, style, "Who sends where with what");
	text_table_write(out, &table, &style->text);
	text_say_more(out, report->group_count, table.row_count);
}

/* ---- findings ---- */

struct finding_table {
	const struct report_findings *findings;
	enum { FINDING_RECORDS, FINDING_PROGRAM, FINDING_DESTINATION, FINDING_TEXT } column[4];
};

static void finding_cell(const void *context, size_t row, size_t column, struct text_cell *cell)
{
	const struct finding_table *table = context;
	const struct report_finding *finding = &table->findings->row[row];

	switch (table->column[column]) {
	case FINDING_RECORDS:
		text_count(cell, finding->records);
		return;
	case FINDING_PROGRAM:
		cell->text = finding->program;
		break;
	case FINDING_DESTINATION:
		cell->text = finding->destination;
		break;
	case FINDING_TEXT:
		cell->text = finding->text;
		break;
	}
	if (cell->text.length == 0)
		cell->text = SLICE_LITERAL("-");
}

static void write_findings(FILE *out, const struct report_findings *findings, const char *title,
			   bool with_destination, const char *text_title,
			   const struct report_style *style)
{
	struct finding_table cells = {.findings = findings};
	struct text_table table = {.context = &cells, .cell = finding_cell};

	if (findings->count == 0)
		return;
	cells.column[table.column_count] = FINDING_RECORDS;
	table.column[table.column_count++] = (struct text_column){"COUNT", true, false, false};
	cells.column[table.column_count] = FINDING_PROGRAM;
	table.column[table.column_count++] = (struct text_column){"PROGRAM", false, true, true};
	if (with_destination) {
		cells.column[table.column_count] = FINDING_DESTINATION;
		table.column[table.column_count++] =
			(struct text_column){"DESTINATION", false, true, false};
	}
	if (text_title) {
		cells.column[table.column_count] = FINDING_TEXT;
		table.column[table.column_count++] =
			(struct text_column){text_title, false, true, false};
	}
	table.row_count = text_rows(findings->count, style->top_lists);
	text_heading(out, style, title);
	text_table_write(out, &table, &style->text);
	text_say_more(out, findings->count, table.row_count);
}

/* What to do about what failed: each sentence once. */
static void write_failure_advice(FILE *out, const struct report_findings *failures,
				 const struct report_style *style)
{
	size_t shown = text_rows(failures->count, style->top_lists);

	for (size_t i = 0; i < shown; i++) {
		const char *advice = failures->row[i].advice;
		bool said = !advice;
		struct text_line line = text_line_begin();

		for (size_t k = 0; k < i && !said; k++)
			said = failures->row[k].advice == advice;
		put_slice(text_line_out(&line), failures->row[i].text);
		put_format(text_line_out(&line), ": %s", advice ? advice : "");
		if (!said) {
			put_text(out, "  ");
			text_line_end(&line, out, style, 2);
		} else {
			(void)fclose(text_line_out(&line));
			free(line.text);
		}
	}
}

void text_write_findings(FILE *out, const struct report *report, const struct report_style *style)
{
	write_findings(out, &report->plaintext, "Mail in the clear", true, "WHY", style);
	write_findings(out, &report->failures, "Failed or refused", true, "WHY", style);
	write_failure_advice(out, &report->failures, style);
	write_findings(out, &report->certificates,
		       "Encrypted, but to whom? Certificates not verified", true, "CERTIFICATE",
		       style);
	write_findings(out, &report->exceptions,
		       "By an exception of the settings file, until its date", true, "EXCEPTION",
		       style);
	write_findings(out, &report->blind_spots, "Blind spots: not seen in these programs", false,
		       "WHY", style);
	write_findings(out, &report->lost, "Records that could not be written", false, NULL, style);
	write_findings(out, &report->configuration_errors,
		       "Settings of tlswitness that are in error", false, "WHY", style);
}

/* ---- what did not arrive ---- */

static void print_day(struct text_cell *cell, int64_t day)
{
	cell->text = (struct slice){cell->room, timestamp_print(cell->room, day, TIMESTAMP_DAY)};
}

static void loss_cell(const void *context, size_t row, size_t column, struct text_cell *cell)
{
	const struct report_delivery *loss = (const struct report_delivery *)context + row;

	if (column == 0)
		cell->text = loss->host.length ? loss->host : SLICE_LITERAL("-");
	else if (column == 1)
		print_day(cell, loss->day);
	else if (column == 2)
		text_count(cell, loss->arrived + loss->lost);
	else
		text_count(cell, column == 3 ? loss->arrived : loss->lost);
}

void text_write_losses(FILE *out, const struct report *report, const struct report_style *style)
{
	struct text_table table = {
		.column = {{"HOST", false, true, false},
			   {"DAY (UTC)", false, false, false},
			   {"WRITTEN", true, false, false},
			   {"ARRIVED", true, false, false},
			   {"LOST", true, false, false}},
		.column_count = 5,
		.row_count = text_rows(report->loss_count, style->top_lists),
		.context = report->losses,
		.cell = loss_cell,
	};

	if (report->loss_count == 0)
		return;
	text_heading(out, style, "Records that were written and are not here");
	put_format(out, "%" PRIu64 " of %" PRIu64 ", by what their names (event.id) count.\n\n",
		   report->missing, report->arrived + report->missing);
	text_table_write(out, &table, &style->text);
	text_say_more(out, report->loss_count, table.row_count);
}

static void silence_cell(const void *context, size_t row, size_t column, struct text_cell *cell)
{
	const struct report_silence *silence = (const struct report_silence *)context + row;

	if (column == 0)
		cell->text = silence->host;
	else if (column == 1)
		print_day(cell, silence->last);
	else
		text_count(cell, column == 2 ? silence->days : silence->longest_before);
}

void text_write_silences(FILE *out, const struct report *report, const struct report_style *style)
{
	struct text_table table = {
		.column = {{"HOST", false, true, false},
			   {"LAST DAY", false, false, false},
			   {"DAYS SINCE", true, false, false},
			   {"LONGEST BEFORE", true, false, false}},
		.column_count = 4,
		.row_count = text_rows(report->silence_count, style->top_lists),
		.context = report->silences,
		.cell = silence_cell,
	};

	if (report->silence_count == 0)
		return;
	text_heading(out, style, "Hosts that fell silent");
	text_table_write(out, &table, &style->text);
	text_say_more(out, report->silence_count, table.row_count);
}

/* ---- certificates that end ---- */

static void certificate_cell(const void *context, size_t row, size_t column, struct text_cell *cell)
{
	const struct report_certificate *certificate =
		(const struct report_certificate *)context + row;

	switch (column) {
	case 0:
		cell->text = (struct slice){
			cell->room, timestamp_print(cell->room, certificate->end, TIMESTAMP_DAY)};
		break;
	case 1:
		cell->text = certificate->destination;
		break;
	case 2:
		cell->text = certificate->subject;
		break;
	case 3:
		cell->text = certificate->issuer;
		break;
	default:
		text_count(cell, certificate->connections);
		return;
	}
	if (cell->text.length == 0)
		cell->text = SLICE_LITERAL("-");
}

/* What ends first is first, so they are the first rows. */
void text_write_expiring(FILE *out, const struct report *report, const struct report_style *style)
{
	struct text_table table = {
		.column = {{"ENDS (UTC)", false, false, false},
			   {"DESTINATION", false, true, false},
			   {"SUBJECT", false, true, false},
			   {"ISSUER", false, true, false},
			   {"TOTAL", true, false, false}},
		.column_count = 5,
		.row_count = text_rows(report->expiring, style->top_lists),
		.context = report->server_certificates,
		.cell = certificate_cell,
	};
	char day[TIMESTAMP_TEXT_MAX];

	if (!report->has_expiring)
		return;
	text_heading(out, style, "Certificates that end soon");
	timestamp_print(day, report->expiring_before, TIMESTAMP_DAY);
	if (report->expiring == 0) {
		put_format(out, "None of the %zu that were seen ends before %s.\n",
			   report->server_certificate_count, day);
		return;
	}
	text_table_write(out, &table, &style->text);
	text_say_more(out, report->expiring, table.row_count);
}

/* ---- compared with another time ---- */

static void change_cell(const void *context, size_t row, size_t column, struct text_cell *cell)
{
	const struct report_change *change = (const struct report_change *)context + row;
	bool now = column == 4;
	int length = 0;

	switch (column) {
	case 0:
		cell->text = slice_of(report_change_name(change->kind));
		break;
	case 1:
		cell->text = slice_of(entry_verdict_name(change->verdict));
		cell->colour = text_verdict_colour(change->verdict);
		break;
	case 2:
		cell->text = change->program;
		break;
	case 3:
		cell->text = change->destination;
		break;
	default:
		length = snprintf(cell->room, sizeof(cell->room), "%" PRIu64 " of %" PRIu64,
				  now ? change->now : change->before,
				  now ? change->now_connections : change->before_connections);
		cell->text = (struct slice){cell->room, (size_t)length};
		break;
	}
	if (cell->text.length == 0)
		cell->text = SLICE_LITERAL("-");
}

static void put_changes(FILE *out, const struct report_comparison *comparison)
{
	const char *separator = "";

	for (unsigned kind = 0; kind < REPORT_CHANGES; kind++) {
		if (comparison->count[kind] == 0)
			continue;
		put_format(out, "%s%" PRIu64 " %s", separator, comparison->count[kind],
			   report_change_name(kind));
		separator = ", ";
	}
	if (comparison->unchanged)
		put_format(out, "%s%" PRIu64 " as before", separator, comparison->unchanged);
	else if (comparison->row_count == 0)
		put_text(out, "nothing wrong in either");
}

void text_write_comparison(FILE *out, const struct report *report, const struct report_style *style)
{
	const struct report_comparison *comparison = &report->comparison;
	struct text_table table = {
		.column = {{"CHANGE", false, false, false},
			   {"VERDICT", false, false, false},
			   {"PROGRAM", false, true, true},
			   {"DESTINATION", false, true, false},
			   {"NOW", true, false, false},
			   {"BEFORE", true, false, false}},
		.column_count = 6,
		.row_count = text_rows(comparison->row_count, style->top),
		.context = comparison->row,
		.cell = change_cell,
	};
	struct text_line line = text_line_begin();
	FILE *text = NULL;
	char since[TIMESTAMP_TEXT_MAX];
	char until[TIMESTAMP_TEXT_MAX];

	if (!comparison->asked)
		return;
	text = text_line_out(&line);
	text_heading(out, style, "What has changed");
	timestamp_print(since, comparison->since, TIMESTAMP_MINUTE);
	timestamp_print(until, comparison->until, TIMESTAMP_MINUTE);
	put_format(text, "Compared with %s to %s UTC, which had %" PRIu64 " connection%s: ", since,
		   until, comparison->connections, text_plural(comparison->connections));
	if (comparison->connections == 0)
		put_text(text, "nothing can be said.");
	else
		put_changes(text, comparison);
	put_text(text, comparison->connections ? "." : "");
	text_line_end(&line, out, style, 0);
	if (comparison->row_count == 0 || comparison->connections == 0)
		return;
	put_byte(out, '\n');
	text_table_write(out, &table, &style->text);
	text_say_more(out, comparison->row_count, table.row_count);
}
