/*
 * Pure: bytes of a first line -> the interpreter.
 */
#include "tools/check/script.h"

#include <stdio.h>
#include <string.h>

/* As much as the kernel reads (BINPRM_BUF_SIZE). */
#define LINE_MAX_BYTES 256

/*
 * The next word of `env -S`: blanks part words unless they are quoted or
 * escaped. NULL at the end. Cuts the text up in place.
 */
static char *next_word(char **text)
{
	char *from = *text + strspn(*text, " \t");
	char *to = from;
	char *word = from;
	char quote = '\0';

	if (*from == '\0')
		return NULL;
	for (; *from && (quote || !strchr(" \t", *from)); from++) {
		if (*from == quote)
			quote = '\0';
		else if (!quote && strchr("'\"", *from))
			quote = *from;
		else if (*from == '\\' && quote != '\'' && from[1])
			*to++ = *++from;
		else
			*to++ = *from;
	}
	*text = *from ? from + 1 : from;
	*to = '\0';
	return word;
}

/* What `env` does with LD_PRELOAD where it is told to unset or set this one. */
static bool names_preload(const char *word)
{
	return strcmp(word, "LD_PRELOAD") == 0 || strncmp(word, "LD_PRELOAD=", 11) == 0;
}

/* A cluster of short options; the word that begins behind -S, or NULL. */
static char *read_short_options(struct script_line *line, char *word, char **text)
{
	for (char *option = word + 1; *option; option++) {
		char *value = option[1] ? option + 1 : NULL;

		if (*option == 'i')
			line->drops_preload = true;
		if (*option == 'S')
			return value;
		if (*option != 'u' && *option != 'C')
			continue;
		if (!value)
			value = next_word(text);
		if (*option == 'u' && value && names_preload(value))
			line->drops_preload = true;
		return NULL;
	}
	return NULL;
}

/* The same for a long one. */
static char *read_long_option(struct script_line *line, char *word)
{
	static const char split[] = "--split-string=";

	if (strcmp(word, "--ignore-environment") == 0 || strcmp(word, "--unset=LD_PRELOAD") == 0)
		line->drops_preload = true;
	return strncmp(word, split, sizeof(split) - 1) == 0 ? word + sizeof(split) - 1 : NULL;
}

/* The program that env(1) starts, or NULL. */
static char *read_env(struct script_line *line, char *text)
{
	char *word = next_word(&text);

	while (word) {
		char *next = NULL;

		if (strcmp(word, "-") == 0)
			line->drops_preload = true;
		else if (strncmp(word, "--", 2) == 0)
			next = read_long_option(line, word);
		else if (word[0] == '-')
			next = read_short_options(line, word, &text);
		else if (strchr(word, '='))
			line->drops_preload |= names_preload(word);
		else
			return word;
		word = next ? next : next_word(&text);
	}
	return NULL;
}

bool script_line_parse(struct script_line *line, const char *text)
{
	char copy[LINE_MAX_BYTES + 1];
	char *rest = copy + 2;
	const char *name;
	char *word;

	memset(line, 0, sizeof(*line));
	if (strncmp(text, "#!", 2) != 0)
		return false;
	(void)snprintf(copy, sizeof(copy), "%.*s", (int)strcspn(text, "\n"), text);
	rest += strspn(rest, " \t");
	word = rest;
	rest += strcspn(rest, " \t");
	if (*rest)
		*rest++ = '\0';
	if (*word == '\0')
		return false;
	name = strrchr(word, '/');
	if (name && strcmp(name, "/env") == 0)
		word = read_env(line, rest);
	if (!word)
		return false;
	(void)snprintf(line->interpreter, sizeof(line->interpreter), "%s", word);
	return true;
}
