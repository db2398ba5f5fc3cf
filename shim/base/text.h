/*
 * Text in buffers of fixed size: always terminated, cut at the buffer's end.
 * In place of snprintf, which may allocate and looks at the locale.
 */
#ifndef TLSWITNESS_TEXT_H
#define TLSWITNESS_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Appends to the text in a buffer of `room` bytes. */
static inline void text_append(char *text, size_t room, const char *more)
{
	const size_t used = strlen(text);
	size_t length = strlen(more);

	if (length > room - 1 - used)
		length = room - 1 - used;
	memcpy(text + used, more, length);
	text[used + length] = '\0';
}

/* Appends the number in decimal digits. */
static inline void text_append_number(char *text, size_t room, uint64_t number)
{
	char digits[24];
	char *digit = digits + sizeof(digits) - 1;

	*digit = '\0';
	do {
		*--digit = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	text_append(text, room, digit);
}

#endif
