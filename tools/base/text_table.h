/*
 * A table for a terminal: columns aligned, and made narrower where they must be.
 * Cells are asked for row by row, twice (to measure and to write), so that a table
 * of any length needs no memory.
 */
#ifndef TLSWITNESS_TEXT_TABLE_H
#define TLSWITNESS_TEXT_TABLE_H

#include <stdio.h>

#include "tools/base/text_style.h"
#include "tools/base/slice.h"

#define TEXT_TABLE_COLUMNS_MAX 24
#define TEXT_CELL_SIZE         64

enum text_colour { COLOUR_NONE, COLOUR_BOLD, COLOUR_GOOD, COLOUR_WARNING, COLOUR_BAD, COLOUR_DIM };

struct text_column {
	const char *title;
	bool right;    /* numbers */
	bool flexible; /* may be made narrower; the others never are */
	bool keep_end; /* cut at the front */
};

struct text_cell {
	struct slice text; /* may point to `room` */
	enum text_colour colour;
	char room[TEXT_CELL_SIZE];
};

struct text_table {
	struct text_column column[TEXT_TABLE_COLUMNS_MAX];
	size_t column_count;
	size_t row_count;
	const void *context;
	void (*cell)(const void *context, size_t row, size_t column, struct text_cell *cell);
};

void text_table_write(FILE *out, const struct text_table *table, const struct text_style *style);

/* Writes `text` in `colour` where the style allows. */
void text_put(FILE *out, const struct text_style *style, enum text_colour colour, const char *text);

/*
 * Writes `text` from column `indent` on, broken at spaces so that it fits, and a
 * newline. The first line goes on where the caller left off, at `indent`.
 */
void text_wrap(FILE *out, const struct text_style *style, size_t indent, struct slice text);

#endif
