/*
 * Knows terminals and characters; must not know reports.
 */
#include "tools/base/terminal.h"

#include <langinfo.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "tools/base/put.h"
#include "tools/base/utf8.h"

#define WIDTH_MIN 40
#define WIDTH_MAX 1000

size_t terminal_width(int descriptor, size_t fallback)
{
	const char *columns = getenv("COLUMNS");
	unsigned long wanted = columns ? strtoul(columns, NULL, 10) : 0;
	struct winsize size = {0};

	if (wanted == 0 && isatty(descriptor) && ioctl(descriptor, TIOCGWINSZ, &size) == 0)
		wanted = size.ws_col;
	if (wanted == 0)
		return fallback;
	if (wanted < WIDTH_MIN)
		return WIDTH_MIN;
	return wanted < WIDTH_MAX ? wanted : WIDTH_MAX;
}

bool terminal_colour(int descriptor)
{
	const char *no_colour = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");

	if (no_colour && *no_colour)
		return false;
	return isatty(descriptor) && terminal && strcmp(terminal, "dumb") != 0;
}

bool terminal_utf8(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* One thing on the screen: some bytes of the text, or an escape for one of them. */
struct glyph {
	char escape[5]; /* empty: the bytes themselves */
	size_t bytes;   /* of the text that it stands for */
	size_t columns;
};

static struct glyph escaped(unsigned char byte)
{
	struct glyph glyph = {.bytes = 1};
	static const char names[] = "\n\t\r";
	static const char letters[] = "ntr";
	const char *name = byte ? strchr(names, byte) : NULL;

	if (name)
		glyph.columns = (size_t)snprintf(glyph.escape, sizeof(glyph.escape), "\\%c",
						 letters[name - names]);
	else
		glyph.columns =
			(size_t)snprintf(glyph.escape, sizeof(glyph.escape), "\\x%02x", byte);
	return glyph;
}

/* The first glyph of `text`, which is not empty. */
static struct glyph next_glyph(struct slice text, bool utf8)
{
	uint32_t character = 0;
	size_t length = utf8_decode(text, &character);
	int columns = 0;

	if (length == 0 || utf8_is_instruction(character) || (length > 1 && !utf8))
		return escaped((unsigned char)text.start[0]);
	if (length == 1)
		return (struct glyph){.bytes = 1, .columns = 1};
	columns = wcwidth((wchar_t)character);
	if (columns < 0)
		return escaped((unsigned char)text.start[0]);
	return (struct glyph){.bytes = length, .columns = (size_t)columns};
}

static struct slice skip(struct slice text, size_t bytes)
{
	return (struct slice){text.start + bytes, text.length - bytes};
}

size_t terminal_columns(struct slice text, bool utf8)
{
	size_t columns = 0;

	while (text.length > 0) {
		struct glyph glyph = next_glyph(text, utf8);

		columns += glyph.columns;
		text = skip(text, glyph.bytes);
	}
	return columns;
}

/* Writes as many whole glyphs as `columns` hold. */
static size_t put_glyphs(FILE *out, struct slice text, size_t columns, bool utf8)
{
	size_t used = 0;

	while (text.length > 0) {
		struct glyph glyph = next_glyph(text, utf8);

		if (used + glyph.columns > columns)
			break;
		if (glyph.escape[0])
			put_text(out, glyph.escape);
		else
			put_slice(out, (struct slice){text.start, glyph.bytes});
		used += glyph.columns;
		text = skip(text, glyph.bytes);
	}
	return used;
}

size_t terminal_put(FILE *out, struct slice text, size_t columns, bool keep_end, bool utf8)
{
	const char *mark = utf8 ? "…" : "~";
	size_t all = terminal_columns(text, utf8);
	size_t used = 0;

	if (all <= columns)
		return put_glyphs(out, text, columns, utf8);
	if (columns == 0)
		return 0;
	if (!keep_end) {
		used = put_glyphs(out, text, columns - 1, utf8);
		put_text(out, mark);
		return used + 1;
	}
	while (all > columns - 1) {
		struct glyph glyph = next_glyph(text, utf8);

		all -= glyph.columns;
		text = skip(text, glyph.bytes);
	}
	put_text(out, mark);
	return put_glyphs(out, text, columns - 1, utf8) + 1;
}
