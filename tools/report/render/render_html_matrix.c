/*
 * Programs x destinations: in each cell the worst verdict and how often. Both are
 * sorted worst first, so what is left out is better than what is shown; what a shown
 * program does elsewhere is summed in a column of its own.
 */
#include <stdlib.h>

#include "tools/base/put.h"
#include "tools/report/render/render_html.h"
#include "tools/base/table.h"

#define PROGRAMS     25
#define DESTINATIONS 8

/* Room in the head of a column, whose text stands upright. */
#define HEAD_CHARACTERS 28

struct matrix {
	const struct report *report;
	size_t programs;
	size_t destinations;
	bool has_others;
	struct report_tally cell[PROGRAMS][DESTINATIONS + 1]; /* the last: elsewhere */
};

static struct matrix *fill(const struct report *report)
{
	struct matrix *matrix = table_allocate(sizeof(*matrix));

	*matrix = (struct matrix){.report = report};
	matrix->programs = report->program_count < PROGRAMS ? report->program_count : PROGRAMS;
	matrix->destinations =
		report->destination_count < DESTINATIONS ? report->destination_count : DESTINATIONS;
	for (size_t i = 0; i < report->pair_count; i++) {
		const struct report_pair *pair = &report->pairs[i];
		size_t column = pair->destination < DESTINATIONS ? pair->destination : DESTINATIONS;

		if (pair->program >= matrix->programs)
			break; /* pairs are in the order of their programs */
		report_tally_add(&matrix->cell[pair->program][column], &pair->tally);
		matrix->has_others |= column == DESTINATIONS;
	}
	return matrix;
}

static void write_column_head(FILE *out, struct slice name)
{
	put_text(out, "<th scope=\"col\" title=\"");
	html_plain_name(out, name, 240);
	put_text(out, "\"><span><bdi>");
	html_plain_name(out, name, HEAD_CHARACTERS);
	put_text(out, "</bdi></span></th>");
}

static void write_head(FILE *out, const struct matrix *matrix)
{
	size_t others = matrix->report->destination_count - matrix->destinations;

	put_text(out, "<thead><tr><th scope=\"col\" class=\"corner\">Program</th>");
	for (size_t i = 0; i < matrix->destinations; i++)
		write_column_head(out, matrix->report->destinations[i].name);
	if (matrix->has_others) {
		put_text(out, "<th scope=\"col\"><span>");
		html_count(out, others);
		put_format(out, " other destination%s</span></th>", others == 1 ? "" : "s");
	}
	put_text(out, "<th scope=\"col\"><span>All</span></th></tr></thead>\n");
}

/* On a narrow screen the head is gone, and each cell names its column itself. */
static void put_label(FILE *out, const struct matrix *matrix, size_t column)
{
	put_text(out, " data-label=\"");
	if (column < matrix->destinations)
		html_plain_name(out, matrix->report->destinations[column].name, HEAD_CHARACTERS);
	else
		put_text(out, column > matrix->destinations ? "All" : "other destinations");
	put_text(out, "\"");
}

static void write_tally(FILE *out, const struct matrix *matrix, size_t column,
			const struct report_tally *tally)
{
	enum entry_verdict worst = report_worst(tally);

	if (tally->connections == 0) {
		put_text(out, "<td class=\"none\"></td>");
		return;
	}
	put_format(out, "<td class=\"v-%s\"", entry_verdict_name(worst));
	put_label(out, matrix, column);
	put_format(out, " title=\"%s: ", entry_verdict_name(worst));
	html_count(out, tally->verdict[worst]);
	put_text(out, " of ");
	html_count(out, tally->connections);
	put_text(out, "\"><span class=\"cell\">");
	html_mark(out, worst);
	html_count(out, tally->verdict[worst]);
	put_format(out, "<span class=\"hidden\"> %s</span></span></td>", entry_verdict_name(worst));
}

static void write_row(FILE *out, const struct matrix *matrix, size_t row)
{
	const struct report_name *program = &matrix->report->programs[row];

	put_text(out, "<tr><th scope=\"row\">");
	html_path(out, program->name);
	put_text(out, "</th>");
	for (size_t i = 0; i < matrix->destinations; i++)
		write_tally(out, matrix, i, &matrix->cell[row][i]);
	if (matrix->has_others)
		write_tally(out, matrix, matrix->destinations, &matrix->cell[row][DESTINATIONS]);
	write_tally(out, matrix, matrix->destinations + 1, &program->tally);
	put_text(out, "</tr>\n");
}

static void write_legend(FILE *out, const struct report *report)
{
	put_text(out, "<p class=\"legend\">");
	for (unsigned i = ENTRY_VERDICTS; i-- > 0;) {
		if (report->total.verdict[i] > 0)
			html_verdict(out, i);
	}
	put_text(out, "</p>\n");
}

void html_write_matrix(FILE *out, const struct report *report)
{
	struct matrix *matrix = NULL;

	if (report->program_count == 0)
		return;
	matrix = fill(report);
	html_section_open(out, "matrix", "Programs and destinations");
	put_text(out, "<p class=\"dim\">The worst verdict of each pair, and how many connections "
		      "had it. Worst first, in both directions.</p>\n");
	write_legend(out, report);
	put_text(out, "<table class=\"matrix\"><caption>Programs by destination</caption>\n");
	write_head(out, matrix);
	put_text(out, "<tbody>\n");
	for (size_t row = 0; row < matrix->programs; row++)
		write_row(out, matrix, row);
	put_text(out, "</tbody></table>\n");
	html_more(out, report->program_count, matrix->programs);
	html_section_close(out);
	free(matrix);
}
