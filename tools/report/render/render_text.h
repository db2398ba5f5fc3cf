/*
 * The sections of a report in text, and what they are put together from. A section that has
 * nothing to say writes nothing.
 */
#ifndef TLSWITNESS_RENDER_TEXT_H
#define TLSWITNESS_RENDER_TEXT_H

#include <stdio.h>

#include "tools/base/terminal.h"
#include "tools/base/text_table.h"
#include "tools/report/model.h"

/* ---- pieces ---- */

enum text_colour text_verdict_colour(enum entry_verdict verdict);

void text_heading(FILE *out, const struct report_style *style, const char *text);

/* "s", but for one. */
const char *text_plural(uint64_t count);

/* A line that is put together from pieces and then wrapped. */
struct text_line {
	char *text;
	size_t size;
	FILE *out;
};

struct text_line text_line_begin(void);
FILE *text_line_out(struct text_line *line);

/* Writes and frees it; lines behind the first begin `indent` columns in. */
void text_line_end(struct text_line *line, FILE *out, const struct report_style *style,
		   size_t indent);

/* A count as the text of a cell. */
void text_count(struct text_cell *cell, uint64_t count);

/* How many of `count` rows are shown if `most` (0: all) are, and what is said of the others. */
size_t text_rows(size_t count, size_t most);
void text_say_more(FILE *out, size_t count, size_t shown);

/* ---- sections ---- */

void text_write_readiness(FILE *out, const struct report *report, const struct report_style *style);
void text_write_comparison(FILE *out, const struct report *report,
			   const struct report_style *style);
void text_write_groups(FILE *out, const struct report *report, const struct report_style *style);
void text_write_places(FILE *out, const struct report *report, const struct report_style *style);
void text_write_findings(FILE *out, const struct report *report, const struct report_style *style);
void text_write_losses(FILE *out, const struct report *report, const struct report_style *style);
void text_write_silences(FILE *out, const struct report *report, const struct report_style *style);
void text_write_expiring(FILE *out, const struct report *report, const struct report_style *style);

/* Only where `style` asks for it. */
void text_write_audit(FILE *out, const struct report *report, const struct report_style *style);

#endif
