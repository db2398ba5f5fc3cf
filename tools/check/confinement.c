/*
 * Knows the rules' text; asks no daemon and no kernel beyond whether they are on.
 */
#include "tools/check/confinement.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define APPARMOR_ENABLED "/sys/module/apparmor/parameters/enabled"
#define FILE_SIZE_MAX    (1 << 20)
#define REGEX_SIZE       4096

struct expression {
	char text[REGEX_SIZE];
	size_t length;
};

static void add(struct expression *expression, const char *text)
{
	size_t length = strlen(text);

	if (expression->length + length >= sizeof(expression->text))
		return;
	memcpy(expression->text + expression->length, text, length + 1);
	expression->length += length;
}

/* A variable of the tunables: the usual ones by what they stand for, others by anything. */
static const char *variable(const char *name, size_t length)
{
	static const char *const known[][2] = {
		{"bin", "/(usr/)?s?bin"},
		{"sbin", "/(usr/)?s?bin"},
		{"lib", "/(usr/)?lib[^/]*(/[^/]*-linux-gnu[^/]*)?"},
		{"exec_path", "/.*"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strlen(known[i][0]) == length && strncmp(known[i][0], name, length) == 0)
			return known[i][1];
	}
	return ".*";
}

/* AppArmor's globbing as a regular expression of POSIX. */
static void translate(struct expression *expression, const char *glob)
{
	unsigned depth = 0;

	add(expression, "^");
	for (const char *at = glob; *at; at++) {
		char one[3] = {*at, '\0', '\0'};

		if (at[0] == '@' && at[1] == '{' && strchr(at, '}')) {
			const char *end = strchr(at, '}');

			add(expression, variable(at + 2, (size_t)(end - at - 2)));
			at = end;
		} else if (at[0] == '*' && at[1] == '*') {
			add(expression, ".*");
			at++;
		} else if (*at == '*') {
			add(expression, "[^/]*");
		} else if (*at == '?') {
			add(expression, "[^/]");
		} else if (*at == '{') {
			depth++;
			add(expression, "(");
		} else if (*at == '}' && depth > 0) {
			depth--;
			add(expression, ")");
		} else if (*at == ',' && depth > 0) {
			add(expression, "|");
		} else if (strchr(".+()|^$\\", *at)) {
			one[0] = '\\';
			one[1] = *at;
			add(expression, one);
		} else {
			add(expression, one);
		}
	}
	add(expression, "$");
}

static bool glob_matches(const char *glob, const char *path)
{
	struct expression expression = {.length = 0};
	regex_t compiled;
	bool matches;

	translate(&expression, glob);
	if (regcomp(&compiled, expression.text, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	matches = regexec(&compiled, path, 0, NULL, 0) == 0;
	regfree(&compiled);
	return matches;
}

/* "rPx," and "mrCx": an upper letter before the x scrubs; "px", "ix" and "ux" keep. */
static bool is_scrubbing_mode(const char *word)
{
	size_t length = strcspn(word, ",");
	const char *x = memchr(word, 'x', length);

	if (strspn(word, "rwamklixPpUuCc") < length || !x)
		return false;
	return memchr(word, 'P', length) || memchr(word, 'U', length) || memchr(word, 'C', length);
}

/* `[qualifiers] PATH MODES [-> PROFILE],` */
static bool is_scrubbing_rule(char *line, const char *program)
{
	char *rest = NULL;
	char *glob = NULL;

	for (char *word = strtok_r(line, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
		if (word[0] == '#')
			return false;
		if (!glob && (word[0] == '/' || word[0] == '"' || word[0] == '@')) {
			glob = word + (word[0] == '"');
			glob[strcspn(glob, "\"")] = '\0';
		} else if (glob) {
			return is_scrubbing_mode(word) && glob_matches(glob, program);
		}
	}
	return false;
}

struct rule_search {
	const struct root *root;
	const char *program; /* NULL: fapolicyd's rules */
	char *place;
	size_t room;
	bool found;
};

static bool is_rule(char *line, const char *program)
{
	if (program)
		return is_scrubbing_rule(line, program);
	return strncmp(line, "deny", 4) == 0 && strstr(line, "pattern=ld_preload");
}

static bool search_file(void *context, const char *path)
{
	struct rule_search *search = context;
	char *text = root_read(search->root, path, FILE_SIZE_MAX, NULL);
	unsigned number = 1;

	for (char *line = text; line && !search->found; number++) {
		char *end = strchr(line, '\n');

		if (end)
			*end++ = '\0';
		search->found = is_rule(line, search->program);
		if (search->found)
			(void)snprintf(search->place, search->room, "%s:%u", path, number);
		line = end;
	}
	free(text);
	return !search->found;
}

bool confinement_apparmor_scrubs(const struct root *root, const char *program, char *place,
				 size_t room)
{
	struct rule_search search = {root, program, place, room, false};
	char *enabled = root_read(root, APPARMOR_ENABLED, 8, NULL);
	bool on = enabled && enabled[0] == 'Y';

	free(enabled);
	if (on)
		root_glob(root, "/etc/apparmor.d/*", search_file, &search);
	return search.found;
}

bool confinement_fapolicyd_denies(const struct root *root, char *place, size_t room)
{
	struct rule_search search = {root, NULL, place, room, false};
	char *pid = root_read(root, "/run/fapolicyd.pid", 16, NULL);

	if (!pid)
		return false;
	free(pid);
	root_glob(root, "/etc/fapolicyd/*.rules", search_file, &search);
	return search.found;
}
