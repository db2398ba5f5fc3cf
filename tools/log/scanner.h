/*
 * The fast way to read a line, for lines just as our recorder writes them:
 * one flat object without white space, the keys in the order of
 * record_fields.def, none twice, each value of its kind. Anything else is "not
 * mine", and json_line.h, which takes any JSON, decides. What the scanner
 * accepts it reads as json_line would; tests/fuzz/scanner.c holds it to that.
 *
 * It works in two steps. The first marks every quote of the line in a bitmap
 * and notes whether there is anything unusual in it (scanner_index.h; this is
 * the part that SIMD speeds up). The second walks from key to key, guessing each
 * next key from the line before, since a program's records are much alike.
 */
#ifndef TLSWITNESS_SCANNER_H
#define TLSWITNESS_SCANNER_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/log/entry.h"
#include "tools/log/scanner_index.h"

/* The recorder's limit on a line, without its newline. */
#define SCANNER_LINE_MAX 4095

/* Readable bytes that must lie behind a line (their values do not matter). */
#define SCANNER_PADDING 64

struct scanner {
	scanner_index_function *index;
	uint64_t quote[SCANNER_LINE_MAX / 64 + 1];
	uint8_t following[ENTRY_FIELDS]; /* the field that last came after this one */
	char unescaped[SCANNER_LINE_MAX + 1];
};

void scanner_init(struct scanner *scanner);

/*
 * Reads `line`, which has no newline. False if it is not in our recorder's exact
 * form; `entry` then holds nothing. Slices are borrowed from the line and from
 * the scanner.
 */
bool scanner_read(struct scanner *scanner, struct slice line, struct entry *entry);

#endif
