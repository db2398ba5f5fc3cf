#include "tools/base/put.h"

#include <stdarg.h>

void put_text(FILE *out, const char *text)
{
	(void)fputs(text, out);
}

void put_byte(FILE *out, char byte)
{
	(void)fputc(byte, out);
}

void put_slice(FILE *out, struct slice text)
{
	(void)fwrite(text.start, 1, text.length, out);
}

void put_spaces(FILE *out, size_t count)
{
	while (count-- > 0)
		(void)fputc(' ', out);
}

void put_format(FILE *out, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vfprintf(out, format, arguments);
	va_end(arguments);
}

bool put_end(FILE *out)
{
	return fflush(out) == 0 && !ferror(out);
}
