/*
 * The report for a terminal: the figures, who sends where with what, what to
 * change, and what else an operator has to know. Sections that have nothing to
 * say are left out.
 */
#include "tools/report/advice.h"
#include "tools/log/doubles.h"
#include "tools/report/model.h"

#include <inttypes.h>
#include <stdlib.h>

#include "tools/base/place_text.h"
#include "tools/base/put.h"
#include "tools/base/share.h"
#include "tools/base/table.h"
#include "tools/base/terminal.h"
#include "tools/base/text_table.h"
#include "tools/base/timestamp.h"

static enum text_colour verdict_colour(enum entry_verdict verdict)
{
	switch (verdict) {
	case VERDICT_PLAINTEXT:
	case VERDICT_BELOW_FLOOR:
		return COLOUR_BAD;
	case VERDICT_REFUSED:
	case VERDICT_AT_RISK:
	case VERDICT_FAILED:
		return COLOUR_WARNING;
	case VERDICT_OK:
		return COLOUR_GOOD;
	default:
		return COLOUR_NONE;
	}
}

static enum text_colour version_colour(enum entry_version version)
{
	if (version >= VERSION_TLS_1_2)
		return COLOUR_GOOD;
	return version == VERSION_UNKNOWN ? COLOUR_NONE : COLOUR_BAD;
}

static void heading(FILE *out, const struct report_style *style, const char *text)
{
	put_byte(out, '\n');
	text_put(out, &style->text, COLOUR_BOLD, text);
	put_text(out, "\n\n");
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

/* A line that is put together from pieces and then wrapped. */
struct line {
	char *text;
	size_t size;
	FILE *out;
};

static struct line line_begin(void)
{
	return (struct line){0};
}

static FILE *line_out(struct line *line)
{
	if (!line->out)
		line->out = open_memstream(&line->text, &line->size);
	if (!line->out)
		table_out_of_memory();
	return line->out;
}

static void line_end(struct line *line, FILE *out, const struct report_style *style, size_t indent)
{
	if (fclose(line_out(line)) != 0)
		table_out_of_memory();
	text_wrap(out, &style->text, indent, (struct slice){line->text, line->size});
	free(line->text);
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
	struct line line = line_begin();
	FILE *text = line_out(&line);

	if (report->command) {
		put_format(text, "$ %s", report->command);
		line_end(&line, out, style, 2);
		line = line_begin();
		text = line_out(&line);
	}
	if (report->filter && !filter_is_empty(report->filter)) {
		put_text(text, "Only a part of the log: ");
		filter_put(text, report->filter);
		put_format(text, ". %" PRIu64 " record%s left out.", report->records.filtered_out,
			   report->records.filtered_out == 1 ? " was" : "s were");
	} else {
		put_text(text, "The whole log.");
	}
	line_end(&line, out, style, 2);
	put_byte(out, '\n');
}

static void write_title(FILE *out, const struct report *report, const struct report_style *style)
{
	struct line line = line_begin();
	FILE *text = line_out(&line);
	char first[TIMESTAMP_TEXT_MAX];
	char last[TIMESTAMP_TEXT_MAX];

	put_format(text, "%" PRIu64 " connection%s", report->total.connections,
		   plural(report->total.connections));
	if (report->total.connections) {
		timestamp_print(first, report->total.first, TIMESTAMP_MINUTE);
		timestamp_print(last, report->total.last, TIMESTAMP_MINUTE);
		put_format(text, ", %s to %s UTC", first, last);
	}
	if (report->host_count)
		put_format(text, ", %zu host%s", report->host_count, plural(report->host_count));
	put_floors(text, report);
	line_end(&line, out, style, 0);
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

static void print_count(struct text_cell *cell, uint64_t count)
{
	int length = snprintf(cell->room, sizeof(cell->room), "%" PRIu64, count);

	cell->text = (struct slice){cell->room, (size_t)length};
}

static void figure(struct text_cell *cell, size_t column, const char *name, uint64_t count,
		   uint64_t whole)
{
	if (column == 0)
		cell->text = slice_of(name);
	else if (column == 1)
		print_count(cell, count);
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

		cell->colour = column == 0 ? verdict_colour(verdict) : COLOUR_NONE;
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

static void write_readiness(FILE *out, const struct report *report,
			    const struct report_style *style)
{
	const struct report_readiness *readiness = &report->readiness;
	struct line line = line_begin();
	FILE *text = NULL;
	char share[SHARE_TEXT_MAX];
	size_t shown = 0;

	if (readiness->required == VERSION_CLEAR)
		return;
	text = line_out(&line);
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
	line_end(&line, out, style, 0);
	for (size_t i = 0; i < readiness->count; i++) {
		if (style->top_lists && shown == style->top_lists)
			break;
		line = line_begin();
		put_unready(line_out(&line), &readiness->row[i]);
		put_format(out, "%3zu. ", ++shown);
		line_end(&line, out, style, 5);
	}
	if (shown < readiness->count)
		put_format(out, "and %zu more (--top 0 shows all)\n", readiness->count - shown);
	put_byte(out, '\n');
}

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
		print_count(cell, group->tally.connections);
		break;
	case COLUMN_VERSION:
		if (group->tally.version[index]) {
			print_count(cell, group->tally.version[index]);
		} else {
			cell->text = SLICE_LITERAL(".");
			cell->colour = COLOUR_DIM;
		}
		break;
	case COLUMN_WORST:
		worst = report_worst(&group->tally);
		cell->colour = verdict_colour(worst);
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

static size_t rows_to_show(size_t count, size_t most)
{
	return most && count > most ? most : count;
}

static void say_more(FILE *out, size_t count, size_t shown)
{
	if (shown < count)
		put_format(out, "and %zu more (--top 0 shows all)\n", count - shown);
}

static void write_groups(FILE *out, const struct report *report, const struct report_style *style)
{
	struct groups groups = {.report = report};
	struct text_table table = {.context = &groups, .cell = group_cell};

	if (report->group_count == 0)
		return;
	add_group_columns(&table, &groups);
	table.row_count = rows_to_show(report->group_count, style->top);
	heading(out, style, "Who sends where with what");
	text_table_write(out, &table, &style->text);
	say_more(out, report->group_count, table.row_count);
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
		struct line line = line_begin();
		FILE *text = line_out(&line);

		advice_put_setting(text, setting->text);
		put_text(text, ": ");
		put_slice(text, setting->text);
		if (setting->file.length) {
			put_text(text, " at ");
			place_text_put(text, setting->file, setting->line, setting->function);
		}
		put_text(out, "    ");
		line_end(&line, out, style, 4);
	}
	if (place->setting_count > SHOWN)
		put_format(out, "    and %zu more settings\n", place->setting_count - SHOWN);
}

/* Who comes here, and from where, as far as the heading does not say it. */
static void write_reach(FILE *out, const struct report_place *place,
			const struct report_style *style)
{
	struct line line = line_begin();
	FILE *text = line_out(&line);
	bool same = place->program_count == 1 &&
		    (slice_equal(place->programs[0], place->file) || place->file.length == 0);
	bool any = place->source_count > 0 || (place->program_count > 0 && !same);

	if (place->program_count > 0 && !same)
		put_list(text, "by ", place->programs, place->program_count);
	put_list(text, any && !same && place->program_count ? "; connecting at " : "connecting at ",
		 place->sources, place->source_count);
	if (any) {
		put_text(out, "    ");
		line_end(&line, out, style, 4);
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
	struct line name = line_begin();
	struct line counts = line_begin();
	char prefix[32];
	enum text_colour colour = verdict_colour(report_worst(&place->tally));
	size_t same = same_advice(report, index);

	(void)snprintf(prefix, sizeof(prefix), "%2zu. ", index + 1);
	text_put(out, &style->text, place->tally.connections ? colour : COLOUR_NONE, prefix);
	if (place->file.length)
		place_text_put(line_out(&name), place->file, place->line, place->function);
	else if (place->program.length)
		put_slice(line_out(&name), place->program);
	else
		put_text(line_out(&name), "(unknown program)");
	line_end(&name, out, style, 4);
	put_place_counts(line_out(&counts), place);
	put_text(out, "    ");
	line_end(&counts, out, style, 4);
	write_reach(out, place, style);
	write_settings(out, place, style);
	if (same < index)
		put_format(out, "    The same change as in %zu.\n", same + 1);
	else if (place->advice[0]) {
		put_text(out, "    ");
		text_wrap(out, &style->text, 4, slice_of(place->advice));
	}
}

static void write_places(FILE *out, const struct report *report, const struct report_style *style)
{
	size_t shown = rows_to_show(report->place_count, style->top_lists);

	if (report->place_count == 0)
		return;
	heading(out, style, "What to change");
	for (size_t i = 0; i < shown; i++)
		write_place(out, report, i, style);
	say_more(out, report->place_count, shown);
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
		print_count(cell, finding->records);
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
	table.row_count = rows_to_show(findings->count, style->top_lists);
	heading(out, style, title);
	text_table_write(out, &table, &style->text);
	say_more(out, findings->count, table.row_count);
}

/* What to do about what failed: each sentence once. */
static void write_failure_advice(FILE *out, const struct report_findings *failures,
				 const struct report_style *style)
{
	size_t shown = rows_to_show(failures->count, style->top_lists);

	for (size_t i = 0; i < shown; i++) {
		const char *advice = failures->row[i].advice;
		bool said = !advice;
		struct line line = line_begin();

		for (size_t k = 0; k < i && !said; k++)
			said = failures->row[k].advice == advice;
		put_slice(line_out(&line), failures->row[i].text);
		put_format(line_out(&line), ": %s", advice ? advice : "");
		if (!said) {
			put_text(out, "  ");
			line_end(&line, out, style, 2);
		} else {
			(void)fclose(line_out(&line));
			free(line.text);
		}
	}
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
		print_count(cell, loss->arrived + loss->lost);
	else
		print_count(cell, column == 3 ? loss->arrived : loss->lost);
}

static void write_losses(FILE *out, const struct report *report, const struct report_style *style)
{
	struct text_table table = {
		.column = {{"HOST", false, true, false},
			   {"DAY (UTC)", false, false, false},
			   {"WRITTEN", true, false, false},
			   {"ARRIVED", true, false, false},
			   {"LOST", true, false, false}},
		.column_count = 5,
		.row_count = rows_to_show(report->loss_count, style->top_lists),
		.context = report->losses,
		.cell = loss_cell,
	};

	if (report->loss_count == 0)
		return;
	heading(out, style, "Records that were written and are not here");
	put_format(out, "%" PRIu64 " of %" PRIu64 ", by what their names (event.id) count.\n\n",
		   report->missing, report->arrived + report->missing);
	text_table_write(out, &table, &style->text);
	say_more(out, report->loss_count, table.row_count);
}

static void silence_cell(const void *context, size_t row, size_t column, struct text_cell *cell)
{
	const struct report_silence *silence = (const struct report_silence *)context + row;

	if (column == 0)
		cell->text = silence->host;
	else if (column == 1)
		print_day(cell, silence->last);
	else
		print_count(cell, column == 2 ? silence->days : silence->longest_before);
}

static void write_silences(FILE *out, const struct report *report, const struct report_style *style)
{
	struct text_table table = {
		.column = {{"HOST", false, true, false},
			   {"LAST DAY", false, false, false},
			   {"DAYS SINCE", true, false, false},
			   {"LONGEST BEFORE", true, false, false}},
		.column_count = 4,
		.row_count = rows_to_show(report->silence_count, style->top_lists),
		.context = report->silences,
		.cell = silence_cell,
	};

	if (report->silence_count == 0)
		return;
	heading(out, style, "Hosts that fell silent");
	text_table_write(out, &table, &style->text);
	say_more(out, report->silence_count, table.row_count);
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
		print_count(cell, certificate->connections);
		return;
	}
	if (cell->text.length == 0)
		cell->text = SLICE_LITERAL("-");
}

/* What ends first is first, so they are the first rows. */
static void write_expiring(FILE *out, const struct report *report, const struct report_style *style)
{
	struct text_table table = {
		.column = {{"ENDS (UTC)", false, false, false},
			   {"DESTINATION", false, true, false},
			   {"SUBJECT", false, true, false},
			   {"ISSUER", false, true, false},
			   {"TOTAL", true, false, false}},
		.column_count = 5,
		.row_count = rows_to_show(report->expiring, style->top_lists),
		.context = report->server_certificates,
		.cell = certificate_cell,
	};
	char day[TIMESTAMP_TEXT_MAX];

	if (!report->has_expiring)
		return;
	heading(out, style, "Certificates that end soon");
	timestamp_print(day, report->expiring_before, TIMESTAMP_DAY);
	if (report->expiring == 0) {
		put_format(out, "None of the %zu that were seen ends before %s.\n",
			   report->server_certificate_count, day);
		return;
	}
	text_table_write(out, &table, &style->text);
	say_more(out, report->expiring, table.row_count);
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
		cell->colour = verdict_colour(change->verdict);
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

static void write_comparison(FILE *out, const struct report *report,
			     const struct report_style *style)
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
		.row_count = rows_to_show(comparison->row_count, style->top),
		.context = comparison->row,
		.cell = change_cell,
	};
	struct line line = line_begin();
	FILE *text = NULL;
	char since[TIMESTAMP_TEXT_MAX];
	char until[TIMESTAMP_TEXT_MAX];

	if (!comparison->asked)
		return;
	text = line_out(&line);
	heading(out, style, "What has changed");
	timestamp_print(since, comparison->since, TIMESTAMP_MINUTE);
	timestamp_print(until, comparison->until, TIMESTAMP_MINUTE);
	put_format(text, "Compared with %s to %s UTC, which had %" PRIu64 " connection%s: ", since,
		   until, comparison->connections, plural(comparison->connections));
	if (comparison->connections == 0)
		put_text(text, "nothing can be said.");
	else
		put_changes(text, comparison);
	put_text(text, comparison->connections ? "." : "");
	line_end(&line, out, style, 0);
	if (comparison->row_count == 0 || comparison->connections == 0)
		return;
	put_byte(out, '\n');
	text_table_write(out, &table, &style->text);
	say_more(out, comparison->row_count, table.row_count);
}

static void write_all_findings(FILE *out, const struct report *report,
			       const struct report_style *style)
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

static void write_remarks(FILE *out, const struct report *report)
{
	uint64_t rejected = 0;

	for (size_t i = 0; i < report->input_count; i++)
		rejected += report->inputs[i].rejected;
	if (report->conflicts)
		put_format(out,
			   "\nThe witnesses disagreed about %" PRIu64
			   " connection%s: please report that as a defect of tlswitness.\n",
			   report->conflicts, plural(report->conflicts));
	if (report->records.other)
		put_format(out,
			   "\n%" PRIu64 " record%s of a kind that this version does not know.\n",
			   report->records.other, plural(report->records.other));
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
			   rejected == 1 ? " was" : "s were", plural(rejected));
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
	struct line line = line_begin();
	FILE *text = line_out(&line);
	uint64_t records = 0;
	size_t failed = 0;

	for (size_t i = 0; i < report->input_count; i++) {
		records += report->inputs[i].records;
		failed += report->inputs[i].error != NULL;
	}
	put_format(text, "Read %" PRIu64 " record%s", records, plural(records));
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
	line_end(&line, out, style, 0);
}

bool render_text(FILE *out, const struct report *report, const struct report_style *style)
{
	write_question(out, report, style);
	write_readiness(out, report, style);
	write_title(out, report, style);
	if (report->total.connections)
		write_figures(out, report, style);
	write_comparison(out, report, style);
	write_groups(out, report, style);
	write_places(out, report, style);
	write_all_findings(out, report, style);
	write_losses(out, report, style);
	write_silences(out, report, style);
	write_expiring(out, report, style);
	write_remarks(out, report);
	write_inputs(out, report, style);
	return put_end(out);
}
