/*
 * No text from a log may steer a terminal, and columns must be what they seem.
 */
#include "tools/base/terminal.h"

#include <locale.h>
#include <stdlib.h>

#include <criterion/criterion.h>

static char *written;
static size_t size;

/* What it returns is there until the next call. */
static const char *put(struct slice text, size_t columns, bool keep_end, bool utf8)
{
	FILE *out;
	size_t used;
	struct slice result;

	free(written);
	out = open_memstream(&written, &size);
	used = terminal_put(out, text, columns, keep_end, utf8);

	cr_assert_eq(fclose(out), 0);
	result = (struct slice){written, size};
	cr_expect_leq(used, columns);
	cr_expect_eq(used, terminal_columns(result, utf8), "%s takes %zu", written, used);
	return written;
}

static void in_utf8(void)
{
	cr_assert_not_null(setlocale(LC_CTYPE, "C.UTF-8"));
}

static void end(void)
{
	free(written);
}

TestSuite(terminal, .init = in_utf8, .fini = end);

Test(terminal, writes_controls_as_escapes)
{
	cr_expect_str_eq(put(SLICE_LITERAL("\x1b[31mred\a\0\x7f"), 80, false, true),
			 "\\x1b[31mred\\x07\\x00\\x7f");
	cr_expect_str_eq(put(SLICE_LITERAL("a\nb\tc\rd"), 80, false, true), "a\\nb\\tc\\rd");
	/* C1 as UTF-8: CSI. */
	cr_expect_str_eq(put(SLICE_LITERAL("\xc2\x9b"), 80, false, true), "\\xc2\\x9b");
	/* RIGHT-TO-LEFT OVERRIDE, ZERO WIDTH SPACE, LINE SEPARATOR. */
	cr_expect_str_eq(put(SLICE_LITERAL("\xe2\x80\xae"), 80, false, true), "\\xe2\\x80\\xae");
	cr_expect_str_eq(put(SLICE_LITERAL("\xe2\x80\x8b"), 80, false, true), "\\xe2\\x80\\x8b");
	cr_expect_str_eq(put(SLICE_LITERAL("\xe2\x80\xa8"), 80, false, true), "\\xe2\\x80\\xa8");
	cr_expect_str_eq(put(SLICE_LITERAL("\xff\xc3"), 80, false, true), "\\xff\\xc3");
}

Test(terminal, lets_no_control_byte_through)
{
	for (int byte = 0; byte < 256; byte++) {
		char text[3] = {'a', (char)byte, 'b'};
		const char *out = put((struct slice){text, 3}, 80, false, false);

		for (; *out; out++)
			cr_expect(*out >= 0x20 && *out < 0x7f, "byte %d", byte);
	}
}

Test(terminal, counts_wide_and_combining_characters)
{
	cr_expect_eq(terminal_columns(SLICE_LITERAL("\xe6\x97\xa5\xe6\x9c\xac"), true), 4);
	cr_expect_eq(terminal_columns(SLICE_LITERAL("e\xcc\x81"), true), 1);
	cr_expect_eq(terminal_columns(SLICE_LITERAL("caf\xc3\xa9"), true), 4);
	cr_expect_eq(terminal_columns(SLICE_LITERAL("caf\xc3\xa9"), false), 11);
}

Test(terminal, cuts_at_whole_characters)
{
	cr_expect_str_eq(put(SLICE_LITERAL("/srv/app/send.py"), 10, true, true),
			 "\xe2\x80\xa6p/send.py");
	cr_expect_str_eq(put(SLICE_LITERAL("/srv/app/send.py"), 10, true, false), "~p/send.py");
	cr_expect_str_eq(put(SLICE_LITERAL("mx.example.com"), 6, false, false), "mx.ex~");
	cr_expect_str_eq(put(SLICE_LITERAL("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"), 4, false, true),
			 "\xe6\x97\xa5\xe2\x80\xa6");
	cr_expect_str_eq(put(SLICE_LITERAL("ab\x1b"), 5, false, false), "ab~");
	cr_expect_str_eq(put(SLICE_LITERAL("abc"), 0, false, true), "");
}

Test(terminal, honours_columns_and_no_colour)
{
	setenv("COLUMNS", "132", 1);
	cr_expect_eq(terminal_width(-1, 80), 132);
	setenv("COLUMNS", "3", 1);
	cr_expect_eq(terminal_width(-1, 80), 40);
	setenv("COLUMNS", "rubbish", 1);
	cr_expect_eq(terminal_width(-1, 80), 80);
	cr_expect_not(terminal_colour(-1));
}
