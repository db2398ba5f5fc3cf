/*
 * What the subcommands share about their options: a complaint in one sentence,
 * and numbers that are numbers to their end.
 */
#ifndef TLSWITNESS_OPTIONS_H
#define TLSWITNESS_OPTIONS_H

#include <stdbool.h>

/* One line on stderr, with "tlswitness: " before it. Say the remedy too. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Decimal digits alone, from `lowest` to `highest`; false leaves `number` as it was. */
bool parse_number(const char *text, unsigned long lowest, unsigned long highest,
		  unsigned long *number);

/* The same for the value of an option, with a complaint that names it. */
bool parse_number_option(const char *option, const char *text, unsigned long lowest,
			 unsigned long highest, unsigned long *number);

#endif
