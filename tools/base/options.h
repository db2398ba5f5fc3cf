/*
 * What the subcommands share about their options: reading them, a complaint in one
 * sentence, and numbers that are numbers to their end.
 */
#ifndef TLSWITNESS_OPTIONS_H
#define TLSWITNESS_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

/* One line on stderr, with "tlswitness: " before it. Say the remedy too. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define OPTIONS_END (-1)
#define OPTIONS_BAD '?'

/*
 * getopt_long(3) for one subcommand, with complaints that name the remedy: an option that
 * is none (and the nearest that there is), one that is short for several, a value that is
 * missing or not wanted. Gives the next option's code, its value in `optarg` and, if
 * `index` is not NULL, its place in `options`; OPTIONS_END behind the last (the rest
 * begins at `optind`); OPTIONS_BAD after a complaint. `short_options` as in getopt,
 * without a colon at its beginning; argv[0] is the subcommand. `*begun` is false before
 * the first call, so that the search starts anew.
 */
int options_next(int argc, char **argv, const char *short_options, const struct option *options,
		 int *index, bool *begun);

/* What somebody may have meant by `word`: the nearest of `words` (NULL-terminated); NULL if none
 * is near. */
const char *options_nearest(const char *word, const char *const *words);

/* Decimal digits alone, from `lowest` to `highest`; false leaves `number` as it was. */
bool parse_number(const char *text, unsigned long lowest, unsigned long highest,
		  unsigned long *number);

/* The same for the value of an option, with a complaint that names it. */
bool parse_number_option(const char *option, const char *text, unsigned long lowest,
			 unsigned long highest, unsigned long *number);

#endif
