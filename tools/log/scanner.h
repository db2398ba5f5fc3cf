/*
 * The fast way to read a line, for lines as our recorder writes them: an object
 * without white space, no key twice, each value of its kind. Fastest with the keys
 * in the order of record_fields.def and no others; shippers add keys of theirs, sort
 * them, nest them ({"tls":{"version":…}}), or put blanks between, and that it takes too. Anything
 * else is "not mine", and json_line.h, which takes any JSON, decides. What the scanner accepts it
 * reads as json_line would; tests/fuzz/scanner.c holds it to that.
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

#define SCANNER_NAMES   256 /* slots for the names of our keys */
#define SCANNER_DEPTH   4   /* objects within each other */
#define SCANNER_OBJECTS 32  /* and in one line */

struct scanner {
	scanner_index_function *index;
	uint64_t quote[SCANNER_LINE_MAX / 64 + 1];
	uint8_t following[ENTRY_FIELDS]; /* the field that last came after this one */
	uint8_t names[SCANNER_NAMES];    /* fields by their names; ENTRY_FIELDS: none */
	/* The values, as they stand, of "MESSAGE", "message" and "log" in the line read last. */
	struct slice message[3];
	/* The stack keeps its escapes where they are `\n` and the like: for who only looks whether
	 * a library is named in it. */
	bool stack_as_it_stands;
	struct slice escapes; /* of the line read last: from its first to its last */
	bool has_codes;       /* one of them is a \u00XX, which may stand for any character */
	char unescaped[SCANNER_LINE_MAX + 1];
	char compact[SCANNER_LINE_MAX + SCANNER_PADDING];
};

void scanner_init(struct scanner *scanner);

/*
 * Reads `line`, which has no newline. False if it is one for json_line; `entry` then
 * holds nothing. Slices are borrowed from the line and from the scanner.
 */
bool scanner_read(struct scanner *scanner, struct slice line, struct entry *entry);

/* Writes a text of a line that scanner_read took, without its escapes, to `out`, which has room
 * for as many bytes; returns its length. */
size_t scanner_unescape(struct slice text, char *out);

#endif
