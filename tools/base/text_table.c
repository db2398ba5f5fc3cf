/*
 * Knows columns and colours; must not know reports.
 */
#include "tools/base/text_table.h"

#include <stdint.h>

#include "tools/base/put.h"
#include "tools/base/terminal.h"

#define GAP           2
#define NARROWEST     8
#define WIDEST_COLUMN 400

static const char *const colour_codes[] = {
	[COLOUR_NONE] = "",         [COLOUR_BOLD] = "\033[1m",
	[COLOUR_GOOD] = "\033[32m", [COLOUR_WARNING] = "\033[33m",
	[COLOUR_BAD] = "\033[31m",  [COLOUR_DIM] = "\033[2m",
};

static void begin_colour(FILE *out, const struct text_style *style, enum text_colour colour)
{
	if (style->colour && colour != COLOUR_NONE)
		put_text(out, colour_codes[colour]);
}

static void end_colour(FILE *out, const struct text_style *style, enum text_colour colour)
{
	if (style->colour && colour != COLOUR_NONE)
		put_text(out, "\033[0m");
}

void text_put(FILE *out, const struct text_style *style, enum text_colour colour, const char *text)
{
	begin_colour(out, style, colour);
	put_text(out, text);
	end_colour(out, style, colour);
}

static void measure(const struct text_table *table, const struct text_style *style, size_t *width)
{
	struct text_cell cell;

	for (size_t column = 0; column < table->column_count; column++)
		width[column] = strlen(table->column[column].title);
	for (size_t row = 0; row < table->row_count; row++) {
		for (size_t column = 0; column < table->column_count; column++) {
			size_t needed = 0;

			cell.colour = COLOUR_NONE;
			table->cell(table->context, row, column, &cell);
			needed = terminal_columns(cell.text, style->utf8);
			if (style->width > 0 && needed > WIDEST_COLUMN)
				needed = WIDEST_COLUMN;
			if (needed > width[column])
				width[column] = needed;
		}
	}
}

/* The widest flexible column that can still give; column_count if there is none. */
static size_t widest(const struct text_table *table, const size_t *width)
{
	size_t found = table->column_count;

	for (size_t column = 0; column < table->column_count; column++) {
		if (!table->column[column].flexible || width[column] <= NARROWEST)
			continue;
		if (found == table->column_count || width[column] > width[found])
			found = column;
	}
	return found;
}

/* Takes from the widest columns until the line fits. */
static void narrow(const struct text_table *table, size_t available, size_t *width)
{
	size_t total = 0;

	for (size_t column = 0; column < table->column_count; column++)
		total += width[column] + (column ? GAP : 0);
	while (total > available) {
		size_t column = widest(table, width);

		if (column == table->column_count)
			return;
		width[column]--;
		total--;
	}
}

static void put_cell(FILE *out, const struct text_style *style, const struct text_column *column,
		     const struct text_cell *cell, size_t width, bool last)
{
	size_t needed = terminal_columns(cell->text, style->utf8);
	size_t space = needed < width ? width - needed : 0;

	if (column->right)
		put_spaces(out, space);
	begin_colour(out, style, cell->colour);
	terminal_put(out, cell->text, width, column->keep_end, style->utf8);
	end_colour(out, style, cell->colour);
	/* No blanks at the end of a line. */
	if (!column->right && !last)
		put_spaces(out, space);
}

/* A row of the table, or its titles if `row` is NULL, without blanks at its end. */
static void put_row(FILE *out, const struct text_table *table, const struct text_style *style,
		    const size_t *width, const size_t *row)
{
	struct text_cell cells[TEXT_TABLE_COLUMNS_MAX];
	size_t count = 0;

	for (size_t column = 0; column < table->column_count; column++) {
		struct text_cell *cell = &cells[column];

		cell->colour = row ? COLOUR_NONE : COLOUR_BOLD;
		if (row)
			table->cell(table->context, *row, column, cell);
		else
			cell->text = slice_of(table->column[column].title);
		if (cell->text.length > 0)
			count = column + 1;
	}
	for (size_t column = 0; column < count; column++) {
		if (column)
			put_spaces(out, GAP);
		put_cell(out, style, &table->column[column], &cells[column], width[column],
			 column + 1 == count);
	}
	put_byte(out, '\n');
}

void text_table_write(FILE *out, const struct text_table *table, const struct text_style *style)
{
	size_t width[TEXT_TABLE_COLUMNS_MAX];

	measure(table, style, width);
	if (style->width > 0)
		narrow(table, style->width, width);
	put_row(out, table, style, width, NULL);
	for (size_t row = 0; row < table->row_count; row++)
		put_row(out, table, style, width, &row);
}

void text_wrap(FILE *out, const struct text_style *style, size_t indent, struct slice text)
{
	size_t column = indent;

	while (text.length > 0) {
		const char *space = memchr(text.start, ' ', text.length);
		size_t length = space ? (size_t)(space - text.start) : text.length;
		struct slice word = {text.start, length};
		size_t needed = terminal_columns(word, style->utf8);

		if (style->width > 0 && column > indent && column + 1 + needed > style->width) {
			put_byte(out, '\n');
			put_spaces(out, indent);
			column = indent;
		} else if (column > indent) {
			put_byte(out, ' ');
			column++;
		}
		column += terminal_put(out, word, SIZE_MAX, false, style->utf8);
		length += space ? 1 : 0;
		text.start += length;
		text.length -= length;
	}
	put_byte(out, '\n');
}
