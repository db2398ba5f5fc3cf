/*
 * The inner loop of the scanner: where are the quotes of a line, and is there
 * anything in it that needs a closer look?
 */
#ifndef TLSWITNESS_SCANNER_INDEX_H
#define TLSWITNESS_SCANNER_INDEX_H

#include <stddef.h>
#include <stdint.h>

enum scanner_flag {
	SCANNER_BACKSLASH = 1, /* an escape, or what looks like one */
	SCANNER_UNUSUAL = 2,   /* a control character, or a byte that is not ASCII */
};

/*
 * Sets bit n % 64 of quote[n / 64] for each n < length where text[n] is a quote,
 * clears all other bits of those words, and returns what else was met, as flags
 * of enum scanner_flag. May read (not judge) up to 63 bytes behind the text.
 */
typedef unsigned scanner_index_function(const char *text, size_t length, uint64_t *quote);

/* The best for this processor. */
scanner_index_function *scanner_index_best(void);

/* Works everywhere: eight bytes at a time in a general register. */
unsigned scanner_index_portable(const char *text, size_t length, uint64_t *quote);

#endif
