/*
 * Writing to a stream without asking each time whether it went well: a stream
 * remembers its first error, and put_end asks it once.
 */
#ifndef TLSWITNESS_PUT_H
#define TLSWITNESS_PUT_H

#include <stdbool.h>
#include <stdio.h>

#include "tools/base/slice.h"

void put_text(FILE *out, const char *text);
void put_byte(FILE *out, char byte);
void put_slice(FILE *out, struct slice text);
void put_spaces(FILE *out, size_t count);
void put_format(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Flushes; false, with errno set, if anything since the stream was opened could not be written. */
bool put_end(FILE *out);

#endif
