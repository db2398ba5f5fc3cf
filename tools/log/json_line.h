/*
 * The general way to read a line: any JSON object (RFC 8259), as log shippers
 * make of our records: keys in any order, nested ({"tls":{"version":…}} means
 * "tls.version"), numbers as strings and versions as numbers, other keys beside.
 */
#ifndef TLSWITNESS_JSON_LINE_H
#define TLSWITNESS_JSON_LINE_H

#include <jansson.h>

#include "tools/log/entry.h"

#define JSON_LINE_NUMBERS_MAX 2048

/* The parsed line that an entry borrows from; zero it before first use. */
struct json_line {
	json_t *root;
	char *array[ENTRY_FIELDS];
	size_t numbers_used;
	char numbers[JSON_LINE_NUMBERS_MAX];
};

enum json_line_result {
	JSON_LINE_OBJECT,
	JSON_LINE_NO_OBJECT, /* valid JSON, but something else */
	JSON_LINE_INVALID,
};

/*
 * Reads `text`, whatever it is. Fields whose value is of no use (null, an object
 * where a text should be) are left out. Slices are good until the next call or
 * json_line_free.
 */
enum json_line_result json_line_read(struct json_line *line, struct slice text,
				     struct entry *entry);

void json_line_free(struct json_line *line);

#endif
