/*
 * Knows how a line, a heading and a count look in text; must not know what they are of.
 */
#include "tools/report/render/render_text.h"

#include <inttypes.h>
#include <stdlib.h>

#include "tools/base/put.h"
#include "tools/base/table.h"

enum text_colour text_verdict_colour(enum entry_verdict verdict)
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

void text_heading(FILE *out, const struct report_style *style, const char *text)
{
	put_byte(out, '\n');
	text_put(out, &style->text, COLOUR_BOLD, text);
	put_text(out, "\n\n");
}

const char *text_plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

struct text_line text_line_begin(void)
{
	return (struct text_line){0};
}

FILE *text_line_out(struct text_line *line)
{
	if (!line->out)
		line->out = open_memstream(&line->text, &line->size);
	if (!line->out)
		table_out_of_memory();
	return line->out;
}

void text_line_end(struct text_line *line, FILE *out, const struct report_style *style,
		   size_t indent)
{
	if (fclose(text_line_out(line)) != 0)
		table_out_of_memory();
	text_wrap(out, &style->text, indent, (struct slice){line->text, line->size});
	free(line->text);
}

void text_count(struct text_cell *cell, uint64_t count)
{
	int length = snprintf(cell->room, sizeof(cell->room), "%" PRIu64, count);

	cell->text = (struct slice){cell->room, (size_t)length};
}

size_t text_rows(size_t count, size_t most)
{
	return most && count > most ? most : count;
}

void text_say_more(FILE *out, size_t count, size_t shown)
{
	if (shown < count)
		put_format(out, "and %zu more (--top 0 shows all)\n", count - shown);
}
