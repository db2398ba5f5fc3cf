/*
 * Writes pieces of HTML that are well-formed XML too. Markup is ours and goes out
 * by put_text; whatever comes from a log or a file name goes out by one of these,
 * which escape it, so that no byte of it is ever taken for markup.
 */
#ifndef TLSWITNESS_HTML_H
#define TLSWITNESS_HTML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tools/base/slice.h"
#include "tools/base/timestamp.h"

/*
 * `text` for content and for attributes in quotes. Controls, directional
 * overrides, invisible characters and invalid UTF-8 are shown as "\xNN" per byte.
 */
void html_text(FILE *out, struct slice text);

/*
 * A name, kept apart from the direction of the text around it. One that is
 * longer than a page can bear is cut, a path at its front; one that is not known
 * is a dash.
 */
void html_name(FILE *out, struct slice name);
void html_path(FILE *out, struct slice path);

/* The same for an attribute, where there can be no elements; `most` characters of it. */
void html_plain_name(FILE *out, struct slice name, size_t most);

void html_count(FILE *out, uint64_t count); /* "1,234,567" */

/* As share.h has it. */
void html_share(FILE *out, uint64_t part, uint64_t whole);

void html_time(FILE *out, int64_t microseconds, enum timestamp_style style);

struct html_column {
	const char *title;
	enum {
		HTML_TEXT,
		HTML_NUMBER,
		HTML_NAME,  /* of any length */
		HTML_SHORT, /* takes no more room than it needs */
	} kind;
};

#define HTML_COLUMNS_MAX 16

/*
 * A table with a caption. The first column heads its rows. `cell` writes the content
 * of one cell. Of more rows than `most`, the rest is only counted, in words.
 */
struct html_table {
	const char *caption; /* ours: markup */
	struct html_column column[HTML_COLUMNS_MAX];
	size_t column_count;
	size_t row_count;
	size_t most;
	const void *context;
	void (*cell)(FILE *out, const void *context, size_t row, size_t column);
};

void html_table_write(FILE *out, const struct html_table *table);

/* "and 12 more": with words on where they are. Nothing if all are shown. */
void html_more(FILE *out, size_t count, size_t shown);

#endif
