/*
 * Writes JSON (RFC 8259) to a stream, indented, member by member: nothing is
 * built in memory first, so a report of any size can be written.
 */
#ifndef TLSWITNESS_JSON_WRITER_H
#define TLSWITNESS_JSON_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tools/base/slice.h"

struct json_writer {
	FILE *out;
	unsigned depth;
	bool first; /* nothing was written yet at this depth */
};

/* `key` is NULL within an array and at the top; keys are ours and need no escape. */
void json_open(struct json_writer *writer, const char *key, char bracket);
void json_close(struct json_writer *writer, char bracket);
void json_number(struct json_writer *writer, const char *key, uint64_t number);
void json_boolean(struct json_writer *writer, const char *key, bool value);

/*
 * Copies a line of valid JSON, and writes what a terminal might obey (DEL, C1,
 * direction overrides; all can stand only within texts) as escapes, which mean the same.
 */
void json_put_visible(FILE *out, struct slice json);

/* Bytes that are no UTF-8 become U+FFFD. */
void json_text(struct json_writer *writer, const char *key, struct slice text);

#endif
