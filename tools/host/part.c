/*
 * Pure: texts in, texts out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/base/table.h"
#include "tools/host/edit.h"

#define BEGIN       " tlswitness enable: from here to its end this part is its own"
#define BEGIN_GLUED BEGIN " (the line before had no end)"
#define END         " tlswitness enable: end"

struct part {
	const char *start; /* of the marker; with the line end that was put before it */
	const char *inside;
	const char *inside_end;
	const char *end; /* behind the marker's line */
};

static bool find_part(const char *text, const char *comment, struct part *part)
{
	char begin[128];
	char end[128];
	const char *at;

	(void)snprintf(begin, sizeof(begin), "%s" BEGIN, comment);
	(void)snprintf(end, sizeof(end), "%s" END "\n", comment);
	for (at = strstr(text, begin); at && at > text && at[-1] != '\n';)
		at = strstr(at + 1, begin);
	if (!at || !strchr(at, '\n'))
		return false;
	part->start = at;
	part->inside = strchr(at, '\n') + 1;
	if (strncmp(at + strlen(begin), "\n", 1) != 0)
		part->start = at - 1;
	for (at = strstr(part->inside, end); at && at > part->inside && at[-1] != '\n';)
		at = strstr(at + 1, end);
	if (!at)
		return false;
	part->inside_end = at;
	part->end = at + strlen(end);
	return true;
}

static char *joined(const char *a, size_t a_length, const char *b, const char *c)
{
	char *made = NULL;

	if (asprintf(&made, "%.*s%s%s", (int)a_length, a, b, c) < 0)
		table_out_of_memory();
	return made;
}

char *edit_part(const char *text, const char *comment)
{
	struct part part;

	if (!find_part(text, comment, &part))
		return NULL;
	return joined(part.inside, (size_t)(part.inside_end - part.inside), "", "");
}

char *edit_with_part(const char *text, const char *comment, const char *lines)
{
	struct part part;
	size_t length = strlen(text);
	char *block = NULL;
	char *made;

	if (find_part(text, comment, &part)) {
		if (!lines || !*lines)
			return joined(text, (size_t)(part.start - text), part.end, "");
		made = joined(text, (size_t)(part.inside - text), lines, part.inside_end);
		return made;
	}
	if (!lines || !*lines)
		return joined(text, length, "", "");
	if (asprintf(&block, "%s%s%s\n%s%s%s\n", length && text[length - 1] != '\n' ? "\n" : "",
		     comment, length && text[length - 1] != '\n' ? BEGIN_GLUED : BEGIN, lines,
		     comment, END) < 0)
		table_out_of_memory();
	made = joined(text, length, block, "");
	free(block);
	return made;
}

/* The place of the whole line; NULL if it is not there. */
static const char *find_line(const char *text, const char *line)
{
	size_t length = strlen(line);

	for (const char *at = text; *at; at += *at == '\n') {
		if (strncmp(at, line, length) == 0 && (at[length] == '\n' || at[length] == '\0'))
			return at;
		at += strcspn(at, "\n");
	}
	return NULL;
}

char *edit_with_line(const char *text, const char *line)
{
	if (find_line(text, line))
		return joined(text, strlen(text), "", "");
	return joined(line, strlen(line), "\n", text);
}

char *edit_without_line(const char *text, const char *line)
{
	const char *at = find_line(text, line);
	const char *rest;

	if (!at)
		return joined(text, strlen(text), "", "");
	rest = at + strlen(line);
	return joined(text, (size_t)(at - text), rest + (*rest == '\n'), "");
}
