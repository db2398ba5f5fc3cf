/*
 * No text from a log may become markup, and numbers must be readable.
 */
#include "tools/report/render/html.h"

#include <stdlib.h>

#include <criterion/criterion.h>

static char *written;
static size_t size;
static FILE *out;

static void begin(void)
{
	out = open_memstream(&written, &size);
}

static void end(void)
{
	free(written);
}

TestSuite(html, .init = begin, .fini = end);

/* What was written since the last call. */
static const char *result(void)
{
	static char *last;

	cr_assert_eq(fclose(out), 0);
	free(last);
	last = written;
	out = open_memstream(&written, &size);
	return last;
}

Test(html, escapes_markup)
{
	html_text(out, slice_of("<a href=\"x\" b='y'>&amp;]]>"));
	cr_expect_str_eq(result(), "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp;]]&gt;");
}

Test(html, shows_what_would_not_be_seen)
{
	html_text(out, SLICE_LITERAL("a\0\x1b[m\r\n\x7f"));
	cr_expect_str_eq(result(), "a\\x00\\x1b[m\\x0d\\x0a\\x7f");
	/* C1, an override of the direction, what is no character, and what is no UTF-8. */
	html_text(out, slice_of("\xc2\x9b\xe2\x80\xae\xef\xbf\xbf\xff\xc3"));
	cr_expect_str_eq(result(), "\\xc2\\x9b\\xe2\\x80\\xae\\xef\\xbf\\xbf\\xff\\xc3");
	html_text(out, slice_of("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80"));
	cr_expect_str_eq(result(), "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80");
}

Test(html, lets_paths_and_names_break)
{
	html_path(out, slice_of("/a.d/b"));
	cr_expect_str_eq(result(), "<bdi class=\"path\">/<wbr/>a.d/<wbr/>b</bdi>");
	html_name(out, slice_of("mx.example/x"));
	cr_expect_str_eq(result(), "<bdi>mx<wbr/>.example/x</bdi>");
	html_name(out, (struct slice){NULL, 0});
	cr_expect_str_eq(result(), "<span class=\"dim\">not known</span>");
}

Test(html, cuts_paths_in_front_and_names_behind)
{
	char text[1000];
	const char *path = NULL;

	memset(text, 'x', sizeof(text));
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): a slice, no string */
	memcpy(text, "/first", 6);
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): a slice, no string */
	memcpy(text + sizeof(text) - 5, "/last", 5);
	html_path(out, (struct slice){text, sizeof(text)});
	path = result();
	cr_expect_lt(strlen(path), 400);
	cr_expect(strstr(path, "<bdi class=\"path\">…"));
	cr_expect(strstr(path, "last</bdi>"));
	html_plain_name(out, (struct slice){text, sizeof(text)}, 8);
	cr_expect_str_eq(result(), "/firstx…");
	html_plain_name(out, slice_of("12345678"), 8);
	cr_expect_str_eq(result(), "12345678");
}

Test(html, writes_numbers_for_people)
{
	static const struct {
		uint64_t count;
		const char *all;
	} cases[] = {
		{0, "0"},
		{999, "999"},
		{1000, "1,000"},
		{9999, "9,999"},
		{10000, "10,000"},
		{1234567, "1,234,567"},
		{999999, "999,999"},
		{UINT64_MAX, "18,446,744,073,709,551,615"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		html_count(out, cases[i].count);
		cr_expect_str_eq(result(), cases[i].all);
	}
}

Test(html, never_rounds_something_to_nothing_or_to_all)
{
	static const struct {
		uint64_t part;
		uint64_t whole;
		const char *share;
	} cases[] = {
		{0, 0, "0\u00a0%"},
		{0, 7, "0\u00a0%"},
		{7, 7, "100\u00a0%"},
		{1, 3, "33.3\u00a0%"},
		{1, 1000, "0.1\u00a0%"},
		{1, 100000, "&lt;0.1\u00a0%"},
		{99999, 100000, "&gt;99.9\u00a0%"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		html_share(out, cases[i].part, cases[i].whole);
		cr_expect_str_eq(result(), cases[i].share);
	}
}
