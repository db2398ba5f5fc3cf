/*
 * Versions over time, as stacked bars. The bars are an SVG without any text, so
 * that it can be stretched to any width; all words around it are HTML.
 */
#include <inttypes.h>

#include "tools/base/put.h"
#include "tools/report/render/render_html.h"
#include "tools/report/timeline.h"

/* The drawing's height in its own units; a bar's width is one unit. */
#define HEIGHT    100.0
#define BAR_WIDTH 0.82

/* What is there must be seen, however little it is. */
#define LEAST_HEIGHT 1.0

/* The worst at the bottom, where it can be compared; what nobody knows on top. */
static const enum entry_version stack[ENTRY_VERSIONS] = {
	VERSION_CLEAR,   VERSION_SSL_3_0, VERSION_TLS_1_0, VERSION_TLS_1_1,
	VERSION_TLS_1_2, VERSION_TLS_1_3, VERSION_UNKNOWN,
};

struct scale {
	uint64_t step;
	uint64_t top;
};

/* The least 1, 2 or 5 times a power of ten that makes at most four steps. */
static struct scale scale_for(uint64_t highest)
{
	static const uint64_t factors[] = {1, 2, 5};
	struct scale scale = {.step = 1};
	uint64_t power = 1;

	for (size_t i = 0; highest > 4 * scale.step; i++) {
		if (i > 0 && i % 3 == 0)
			power *= 10;
		scale.step = factors[i % 3] * power;
	}
	scale.top = (highest + scale.step - 1) / scale.step * scale.step;
	return scale;
}

static void put_version_counts(FILE *out, const struct report_tally *tally)
{
	const char *separator = ": ";

	for (unsigned i = ENTRY_VERSIONS; i-- > 0;) {
		if (tally->version[i] == 0)
			continue;
		put_format(out, "%s%s ", separator, html_version_words(i));
		html_count(out, tally->version[i]);
		separator = ", ";
	}
}

static void write_bar(FILE *out, const struct timeline *timeline, size_t number,
		      const struct scale *scale)
{
	const struct report_period *bar = &timeline->bar[number];
	char label[TIMELINE_LABEL_MAX];
	double from_top = HEIGHT;

	if (bar->tally.connections == 0)
		return;
	timeline_label(label, timeline->unit, bar->start);
	put_format(out, "<g><title>%s", label);
	put_version_counts(out, &bar->tally);
	put_text(out, "</title>");
	for (size_t i = 0; i < ENTRY_VERSIONS; i++) {
		uint64_t count = bar->tally.version[stack[i]];
		double height = HEIGHT * (double)count / (double)scale->top;

		if (count == 0)
			continue;
		if (height < LEAST_HEIGHT)
			height = LEAST_HEIGHT;
		from_top -= height;
		put_format(out,
			   "<rect class=\"t-%s\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" "
			   "height=\"%.2f\"/>",
			   entry_version_name(stack[i]), (double)number + (1 - BAR_WIDTH) / 2,
			   from_top, BAR_WIDTH, height);
	}
	put_text(out, "</g>\n");
}

static void write_drawing(FILE *out, const struct timeline *timeline, const struct scale *scale)
{
	put_format(out,
		   "<svg viewBox=\"0 0 %zu %.0f\" preserveAspectRatio=\"none\" role=\"img\" "
		   "aria-labelledby=\"chart-title chart-description\">\n"
		   "<title id=\"chart-title\">TLS versions over time</title>\n"
		   "<desc id=\"chart-description\">Stacked bars, one for each %s, of the "
		   "connections by TLS version. The table below has the numbers.</desc>\n",
		   timeline->count, HEIGHT, timeline_unit_name(timeline->unit));
	for (uint64_t line = scale->step; line <= scale->top; line += scale->step) {
		double y = HEIGHT - HEIGHT * (double)line / (double)scale->top;

		put_format(out,
			   "<line x1=\"0\" y1=\"%.2f\" x2=\"%zu\" y2=\"%.2f\" "
			   "vector-effect=\"non-scaling-stroke\"/>\n",
			   y, timeline->count, y);
	}
	for (size_t i = 0; i < timeline->count; i++)
		write_bar(out, timeline, i, scale);
	put_text(out, "</svg>\n");
}

static void write_scale(FILE *out, const struct scale *scale)
{
	put_text(out, "<div class=\"scale\" aria-hidden=\"true\">");
	for (uint64_t line = 0; line <= scale->top; line += scale->step) {
		put_format(out, "<span style=\"bottom:%.2f%%\">",
			   HEIGHT * (double)line / (double)scale->top);
		html_count(out, line);
		put_text(out, "</span>");
	}
	put_text(out, "</div>\n");
}

static void write_label(FILE *out, const struct timeline *timeline, size_t number)
{
	char label[TIMELINE_LABEL_MAX];

	timeline_label(label, timeline->unit, timeline->bar[number].start);
	put_format(out, "<span>%s</span>", label);
}

static void write_axis(FILE *out, const struct timeline *timeline)
{
	put_text(out, "<div class=\"axis\" aria-hidden=\"true\">");
	write_label(out, timeline, 0);
	if (timeline->count > 8 && timeline->count % 2 == 1)
		write_label(out, timeline, timeline->count / 2);
	if (timeline->count > 1)
		write_label(out, timeline, timeline->count - 1);
	put_text(out, "</div>\n");
}

static void write_legend(FILE *out, const struct report *report)
{
	put_text(out, "<ul class=\"legend\">\n");
	for (unsigned i = ENTRY_VERSIONS; i-- > 0;) {
		uint64_t count = report->total.version[i];

		if (count == 0)
			continue;
		put_format(out,
			   "<li><svg class=\"swatch\" viewBox=\"0 0 12 12\" aria-hidden=\"true\">"
			   "<rect class=\"t-%s\" width=\"12\" height=\"12\"/></svg>%s "
			   "<strong>",
			   entry_version_name(i), html_version_words(i));
		html_count(out, count);
		put_text(out, "</strong> <span class=\"dim\">");
		html_share(out, count, report->total.connections);
		put_text(out, "</span></li>\n");
	}
	put_text(out, "</ul>\n");
}

/* ---- the same as a table ---- */

struct numbers {
	const struct timeline *timeline;
	unsigned version[ENTRY_VERSIONS];
};

static void number_cell(FILE *out, const void *context, size_t row, size_t column)
{
	const struct numbers *numbers = context;
	const struct report_period *bar = &numbers->timeline->bar[row];
	char label[TIMELINE_LABEL_MAX];

	if (column == 0) {
		timeline_label(label, numbers->timeline->unit, bar->start);
		put_text(out, label);
	} else if (column == 1) {
		html_count(out, bar->tally.connections);
	} else {
		html_count(out, bar->tally.version[numbers->version[column - 2]]);
	}
}

static void write_numbers(FILE *out, const struct report *report, const struct timeline *timeline)
{
	struct numbers numbers = {.timeline = timeline};
	struct html_table table = {
		.caption = "Connections by TLS version, in UTC",
		.column = {{"Beginning", HTML_TEXT}, {"All", HTML_NUMBER}},
		.column_count = 2,
		.row_count = timeline->count,
		.most = timeline->count,
		.context = &numbers,
		.cell = number_cell,
	};

	for (unsigned i = ENTRY_VERSIONS; i-- > 0;) {
		if (report->total.version[i] == 0)
			continue;
		numbers.version[table.column_count - 2] = i;
		table.column[table.column_count++] =
			(struct html_column){html_version_words(i), HTML_NUMBER};
	}
	put_text(out, "<details><summary>The numbers as a table</summary></details>\n"
		      "<div class=\"numbers\">\n");
	html_table_write(out, &table);
	put_text(out, "</div>\n");
}

void html_write_chart(FILE *out, const struct report *report)
{
	struct timeline timeline = timeline_make(report);
	struct scale scale = {0};

	if (timeline.count == 0)
		return;
	scale = scale_for(timeline.highest);
	html_section_open(out, "versions", "Versions over time");
	write_legend(out, report);
	put_format(out, "<p class=\"dim\">Connections per %s%s, in UTC</p>\n",
		   timeline_unit_name(timeline.unit),
		   timeline.unit == TIMELINE_WEEK ? " (from Monday)" : "");
	/* A few bars are not stretched over the whole page. */
	put_format(out, "<div class=\"chart\" style=\"max-width:%zurem\">\n",
		   6 + 5 * timeline.count);
	write_scale(out, &scale);
	write_drawing(out, &timeline, &scale);
	write_axis(out, &timeline);
	put_text(out, "</div>\n");
	write_numbers(out, report, &timeline);
	html_section_close(out);
	timeline_free(&timeline);
}
