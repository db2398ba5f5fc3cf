/*
 * What the subcommands share about their options; knows none of them.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/base/options.h"

void complain(const char *format, ...)
{
	va_list arguments;

	/* One locked stretch, so that no other thread's words come in between. */
	flockfile(stderr);
	(void)fputs("tlswitness: ", stderr);
	va_start(arguments, format);
	(void)vfprintf(stderr, format, arguments);
	va_end(arguments);
	(void)fputc('\n', stderr);
	funlockfile(stderr);
}

/* ---- the nearest word ---- */

#define WORD_MAX 32

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Letters to add, take away, change or swap with their neighbour to make one of the other. */
static size_t distance(const char *a, const char *b)
{
	size_t row[3][WORD_MAX + 1] = {{0}};
	size_t length_a = strlen(a);
	size_t length_b = strlen(b);

	if (length_a > WORD_MAX || length_b > WORD_MAX)
		return WORD_MAX;
	for (size_t k = 0; k <= length_b; k++)
		row[0][k] = k;
	for (size_t i = 1; i <= length_a; i++) {
		size_t *now = row[i % 3];
		const size_t *before = row[(i + 2) % 3];
		const size_t *earlier = row[(i + 1) % 3];

		now[0] = i;
		for (size_t k = 1; k <= length_b; k++) {
			now[k] = least(least(before[k], now[k - 1]) + 1,
				       before[k - 1] + (a[i - 1] != b[k - 1]));
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
				now[k] = least(now[k], earlier[k - 2] + 1);
		}
	}
	return row[length_a % 3][length_b];
}

const char *options_nearest(const char *word, const char *const *words)
{
	size_t nearest_distance = strlen(word) / 3 + 1;
	const char *nearest = NULL;

	for (; *words; words++) {
		size_t far = distance(word, *words);

		/* Somebody may have written only a part of it, or more than there is. */
		if (strlen(word) >= 3 && (strstr(*words, word) || strstr(word, *words)))
			far = least(far, 1);
		if (far < nearest_distance || (far == nearest_distance && !nearest)) {
			nearest_distance = far;
			nearest = *words;
		}
	}
	return nearest;
}

/* ---- options ---- */

#define OPTIONS_MAX 64

/* "--verdict, --version": the options that begin so. */
static size_t list_candidates(char *list, size_t size, const char *name, size_t length,
			      const struct option *options)
{
	size_t count = 0;
	size_t used = 0;

	list[0] = '\0';
	for (; options->name; options++) {
		if (strncmp(options->name, name, length) != 0)
			continue;
		if (used < size)
			used += (size_t)snprintf(list + used, size - used, "%s--%s",
						 count ? ", " : "", options->name);
		count++;
	}
	return count;
}

static void complain_of_unknown(const char *subcommand, const char *word, const char *name,
				const struct option *options)
{
	const char *names[OPTIONS_MAX + 1] = {NULL};
	const char *nearest = NULL;

	for (size_t i = 0; name && i < OPTIONS_MAX && options[i].name; i++)
		names[i] = options[i].name;
	nearest = name ? options_nearest(name, names) : NULL;
	if (nearest)
		complain("'%s' is no option of %s; did you mean --%s? `tlswitness %s --help` lists "
			 "them",
			 word, subcommand, nearest, subcommand);
	else
		complain("'%s' is no option of %s; `tlswitness %s --help` lists them", word,
			 subcommand, subcommand);
}

/* getopt has refused `word`: say why. */
static void complain_of_word(const char *subcommand, const char *word, const struct option *options)
{
	char list[512];
	char name[WORD_MAX + 1];
	size_t length = 0;
	size_t candidates = 0;

	if (strncmp(word, "--", 2) != 0) {
		complain_of_unknown(subcommand, word, NULL, options);
		return;
	}
	length = strcspn(word + 2, "=");
	(void)snprintf(name, sizeof(name), "%.*s", (int)least(length, WORD_MAX), word + 2);
	candidates = list_candidates(list, sizeof(list), word + 2, length, options);
	if (candidates == 0)
		complain_of_unknown(subcommand, word, name, options);
	else if (candidates == 1 || word[2 + length] == '=')
		complain("--%s takes no value; `tlswitness %s --help` says more", name, subcommand);
	else
		complain("--%s is short for several options of %s: %s; give one of them", name,
			 subcommand, list);
}

int options_next(int argc, char **argv, const char *short_options, const struct option *options,
		 int *index, bool *begun)
{
	char with_colon[64];
	bool in_order = short_options[0] == '+';
	int code = 0;

	/* getopt may have been used before: 0 starts anew. */
	if (!*begun)
		optind = 0;
	*begun = true;
	opterr = 0;
	/* So that a missing value is told from an unknown option. */
	(void)snprintf(with_colon, sizeof(with_colon), "%s:%s", in_order ? "+" : "",
		       short_options + in_order);
	code = getopt_long(argc, argv, with_colon, options, index);
	if (code == ':') {
		complain("%s needs a value; `tlswitness %s --help` says which", argv[optind - 1],
			 argv[0]);
		return OPTIONS_BAD;
	}
	if (code == '?')
		complain_of_word(argv[0], argv[optind - 1], options);
	return code;
}

/* ---- numbers ---- */

bool parse_number(const char *text, unsigned long lowest, unsigned long highest,
		  unsigned long *number)
{
	char *end = NULL;

	/* strtoul alone would take blanks and signs before the digits. */
	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	unsigned long value = strtoul(text, &end, 10);
	if (errno != 0 || *end != '\0' || value < lowest || value > highest)
		return false;
	*number = value;
	return true;
}

bool parse_number_option(const char *option, const char *text, unsigned long lowest,
			 unsigned long highest, unsigned long *number)
{
	if (parse_number(text, lowest, highest, number))
		return true;
	complain("--%s: '%s' is no number from %lu to %lu", option, text, lowest, highest);
	return false;
}
