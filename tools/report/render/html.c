/*
 * Knows HTML, and which characters mean something in it; must not know reports.
 */
#include "tools/report/render/html.h"

#include <inttypes.h>

#include "tools/base/put.h"
#include "tools/base/share.h"
#include "tools/base/utf8.h"

#define NAME_MAX_CHARACTERS 240

static void put_character(FILE *out, struct slice bytes, uint32_t character)
{
	switch (character) {
	case '&':
		put_text(out, "&amp;");
		break;
	case '<':
		put_text(out, "&lt;");
		break;
	case '>':
		put_text(out, "&gt;");
		break;
	case '"':
		put_text(out, "&quot;");
		break;
	case '\'':
		put_text(out, "&#39;");
		break;
	default:
		put_slice(out, bytes);
		break;
	}
}

static void put_escaped(FILE *out, struct slice bytes)
{
	for (size_t i = 0; i < bytes.length; i++)
		put_format(out, "\\x%02x", (unsigned char)bytes.start[i]);
}

/* How many bytes the first character of `text` takes; a byte that is none counts as one. */
static size_t step(struct slice text, uint32_t *character, bool *shown)
{
	size_t length = utf8_decode(text, character);

	*shown = length > 0 && !utf8_is_instruction(*character);
	return length ? length : 1;
}

/*
 * Writes the first character of `text` and returns the rest. Where it is `separator`, a
 * browser may break the line after it, or, if that is a dot, before it; it would
 * otherwise break somewhere in a word.
 */
static struct slice put_next(FILE *out, struct slice text, char separator)
{
	uint32_t character = 0;
	bool shown = false;
	size_t length = step(text, &character, &shown);
	struct slice bytes = {text.start, length};
	bool breaks = separator && text.start[0] == separator;

	if (breaks && separator == '.')
		put_text(out, "<wbr/>");
	if (shown)
		put_character(out, bytes, character);
	else
		put_escaped(out, bytes);
	if (breaks && separator == '/')
		put_text(out, "<wbr/>");
	return (struct slice){text.start + length, text.length - length};
}

static size_t characters(struct slice text)
{
	size_t count = 0;

	while (text.length > 0) {
		uint32_t character = 0;
		bool shown = false;
		size_t length = step(text, &character, &shown);

		text.start += length;
		text.length -= length;
		count++;
	}
	return count;
}

static struct slice without_first(struct slice text, size_t count)
{
	while (count-- > 0) {
		uint32_t character = 0;
		bool shown = false;
		size_t length = step(text, &character, &shown);

		text.start += length;
		text.length -= length;
	}
	return text;
}

void html_text(FILE *out, struct slice text)
{
	while (text.length > 0)
		text = put_next(out, text, 0);
}

static void put_end_of(FILE *out, struct slice text, size_t most)
{
	size_t count = characters(text);

	if (count > most) {
		put_text(out, "…");
		text = without_first(text, count - most + 1);
	}
	while (text.length > 0)
		text = put_next(out, text, '/');
}

static void put_start_of(FILE *out, struct slice text, size_t most, char separator)
{
	size_t count = characters(text);

	for (size_t i = 0; text.length > 0 && (count <= most || i + 1 < most); i++)
		text = put_next(out, text, separator);
	if (text.length > 0)
		put_text(out, "…");
}

static void put_unknown(FILE *out)
{
	put_text(out, "<span class=\"dim\">not known</span>");
}

void html_name(FILE *out, struct slice name)
{
	if (name.length == 0) {
		put_unknown(out);
		return;
	}
	put_text(out, "<bdi>");
	put_start_of(out, name, NAME_MAX_CHARACTERS, '.');
	put_text(out, "</bdi>");
}

void html_path(FILE *out, struct slice path)
{
	if (path.length == 0) {
		put_unknown(out);
		return;
	}
	put_text(out, "<bdi class=\"path\">");
	put_end_of(out, path, NAME_MAX_CHARACTERS);
	put_text(out, "</bdi>");
}

void html_plain_name(FILE *out, struct slice name, size_t most)
{
	if (name.length == 0)
		put_text(out, "not known");
	else
		put_start_of(out, name, most, 0);
}

void html_count(FILE *out, uint64_t count)
{
	uint64_t unit = 1;

	while (count / unit >= 1000)
		unit *= 1000;
	put_format(out, "%" PRIu64, count / unit);
	for (unit /= 1000; unit > 0; unit /= 1000)
		put_format(out, ",%03" PRIu64, count / unit % 1000);
}

void html_share(FILE *out, uint64_t part, uint64_t whole)
{
	char text[SHARE_TEXT_MAX];
	size_t length = share_text(text, part, whole);
	size_t number = length - sizeof(" %") + 1;

	/* A line is not broken before the sign. */
	html_text(out, (struct slice){text, number});
	put_text(out, "\u00a0%");
}

void html_time(FILE *out, int64_t microseconds, enum timestamp_style style)
{
	char text[TIMESTAMP_TEXT_MAX];
	size_t length = timestamp_print(text, microseconds, style);

	put_text(out, "<span class=\"time\">");
	put_slice(out, (struct slice){text, length});
	put_text(out, "</span>");
}

/* ---- tables ---- */

static const char *class_of(const struct html_column *column)
{
	static const char *const classes[] = {
		[HTML_TEXT] = "",
		[HTML_NUMBER] = " class=\"number short\"",
		[HTML_NAME] = " class=\"name\"",
		[HTML_SHORT] = " class=\"short\"",
	};

	return classes[column->kind];
}

static void write_cell(FILE *out, const struct html_table *table, size_t row, size_t column)
{
	const char *tag = column == 0 ? "th" : "td";

	put_format(out, "<%s%s%s data-label=\"%s\">", tag, column == 0 ? " scope=\"row\"" : "",
		   class_of(&table->column[column]), table->column[column].title);
	/* One element, however many pieces: on a narrow screen it stands beside its label. */
	put_text(out, column == 0 ? "" : "<div>");
	table->cell(out, table->context, row, column);
	put_format(out, "%s</%s>", column == 0 ? "" : "</div>", tag);
}

static void write_head(FILE *out, const struct html_table *table)
{
	put_text(out, "<thead><tr>");
	for (size_t column = 0; column < table->column_count; column++)
		put_format(out, "<th scope=\"col\"%s>%s</th>", class_of(&table->column[column]),
			   table->column[column].title);
	put_text(out, "</tr></thead>\n");
}

void html_table_write(FILE *out, const struct html_table *table)
{
	size_t shown = table->row_count < table->most ? table->row_count : table->most;

	put_format(out, "<table class=\"rows\"><caption>%s</caption>\n", table->caption);
	write_head(out, table);
	put_text(out, "<tbody>\n");
	for (size_t row = 0; row < shown; row++) {
		put_text(out, "<tr>");
		for (size_t column = 0; column < table->column_count; column++)
			write_cell(out, table, row, column);
		put_text(out, "</tr>\n");
	}
	put_text(out, "</tbody></table>\n");
	html_more(out, table->row_count, shown);
}

void html_more(FILE *out, size_t count, size_t shown)
{
	if (count <= shown)
		return;
	put_text(out, "<p class=\"more\">and ");
	html_count(out, count - shown);
	put_text(out, " more; <code>--json</code> lists them all</p>\n");
}
