/*
 * Words that are safe to show, whoever wrote them.
 */
#include <stdarg.h>
#include <stdio.h>

#include "tools/probe/probe.h"

void probe_words(char words[PROBE_WORDS], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(words, PROBE_WORDS, format, arguments);
	va_end(arguments);
	for (char *byte = words; *byte != '\0'; byte++) {
		if (*byte < ' ' || *byte > '~')
			*byte = '?';
	}
}
