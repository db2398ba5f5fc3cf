/*
 * A place in somebody's code as it is written everywhere: "file:line function".
 */
#ifndef TLSWITNESS_PLACE_TEXT_H
#define TLSWITNESS_PLACE_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tools/base/slice.h"

/* The most bytes that place_text writes. */
size_t place_text_room(struct slice file, struct slice function);

/* Writes what is known (a line of 0 and empty texts are not) and returns its length. */
size_t place_text(char *out, struct slice file, uint64_t line, struct slice function);

/* The same to a file, as it stands: for what is escaped afterwards. */
void place_text_put(FILE *out, struct slice file, uint64_t line, struct slice function);

#endif
