/*
 * Lines of text; what they mean to the recorder is shim/config's.
 */
#include "tools/host/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shim/config/config.h"
#include "tools/base/table.h"

#define TARGET_LINE "# target "

char *settings_read(const struct host *host)
{
	bool exists;
	char *text = edit_read(host, CONFIG_FILE, &exists);
	char *lines = text ? edit_part(text, "#") : NULL;

	if (!text)
		return NULL;
	free(text);
	return lines ? lines : strdup("");
}

static char *line_of(const char *before, const char *value)
{
	char *line = NULL;

	if (asprintf(&line, "%s%s", before, value) < 0)
		table_out_of_memory();
	return line;
}

bool settings_has_target(const char *lines, const char *target)
{
	char *line = line_of(TARGET_LINE, target);
	char *without = edit_without_line(lines, line);
	bool has = strcmp(without, lines) != 0;

	free(without);
	free(line);
	return has;
}

/* Calls `visit` with what stands behind `before` in each line that begins so. */
static unsigned each(const char *lines, const char *before,
		     void (*visit)(void *context, const char *rest), void *context)
{
	size_t length = strlen(before);
	unsigned count = 0;

	for (const char *at = lines; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		char *rest;

		if (strncmp(at, before, length) != 0)
			continue;
		count++;
		if (!visit)
			continue;
		rest = strndup(at + length, strcspn(at + length, "\n"));
		if (!rest)
			table_out_of_memory();
		visit(context, rest);
		free(rest);
	}
	return count;
}

void settings_each_target(const char *lines, void (*visit)(void *context, const char *target),
			  void *context)
{
	each(lines, TARGET_LINE, visit, context);
}

bool settings_has_only(const char *lines)
{
	return each(lines, "only = ", NULL, NULL) > 0;
}

/* Both lines in or out; targets stay in the order in which they were enabled, at the top. */
static char *change(const char *lines, const char *before, const char *value, bool on)
{
	char *line = line_of(before, value);
	char *made = on ? edit_with_line(lines, line) : edit_without_line(lines, line);

	free(line);
	return made;
}

char *settings_with_target(const char *lines, const char *target, const char *only)
{
	char *first = change(lines, "only = ", only ? only : "", only != NULL);
	char *second = change(first, TARGET_LINE, target, true);

	free(first);
	return second;
}

/* Another target may need the same `only`: exim4 and program:/usr/sbin/exim4. */
char *settings_without_target(const char *lines, const char *target, const char *only)
{
	char *first = change(lines, TARGET_LINE, target, false);
	char *second;

	if (!only)
		return first;
	second = change(first, "only = ", only, false);
	free(first);
	return second;
}

char *settings_with_value(const char *lines, const char *name, const char *value)
{
	char *before = line_of(name, " = ");
	char *made = strdup(lines);
	char *line;

	if (!made)
		table_out_of_memory();
	for (char *at = made; (at = strstr(at, before)) != NULL;) {
		char *end = at + strcspn(at, "\n");

		if (at > made && at[-1] != '\n') {
			at++;
			continue;
		}
		end += *end == '\n';
		memmove(at, end, strlen(end) + 1);
	}
	if (asprintf(&line, "%s%s%s\n", made, before, value) < 0)
		table_out_of_memory();
	free(made);
	free(before);
	return line;
}

static bool has_targets(const char *lines)
{
	return each(lines, TARGET_LINE, NULL, NULL) > 0;
}

bool settings_write(const struct host *host, const char *lines)
{
	bool exists;
	char *text = edit_read(host, CONFIG_FILE, &exists);
	char *made = NULL;
	bool ok = false;

	if (!text)
		return false;
	made = edit_with_part(text, "#", has_targets(lines) ? lines : NULL);
	/* A file that holds nothing else was made by us. */
	ok = edit_write(host, CONFIG_FILE, *made ? made : NULL);
	if (ok && !*made)
		edit_remove_directory(host, "/etc/tlswitness");
	free(text);
	free(made);
	return ok;
}
