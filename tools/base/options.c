/*
 * What the subcommands share about their options; knows none of them.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

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
