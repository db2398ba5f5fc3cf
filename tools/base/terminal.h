/*
 * Text from a log, made safe and measured for a terminal.
 */
#ifndef TLSWITNESS_TERMINAL_H
#define TLSWITNESS_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "tools/base/slice.h"

/* Columns of the terminal behind `descriptor`: COLUMNS if set and sane, else what the terminal
 * says, else `fallback`. */
size_t terminal_width(int descriptor, size_t fallback);

/* True if colour is welcome there: a terminal, NO_COLOR unset or empty, TERM not "dumb". */
bool terminal_colour(int descriptor);

/* True if the locale's characters are UTF-8 (setlocale must have been called). */
bool terminal_utf8(void);

/*
 * Columns that terminal_put will take for `text`: wide characters take two,
 * combining ones none, an escaped byte four ("\x1b").
 */
size_t terminal_columns(struct slice text, bool utf8);

/*
 * Writes `text` so that no control character of it reaches the terminal: C0,
 * C1, DEL, bidirectional overrides and invalid UTF-8 are written as "\xNN" per
 * byte, a line break as "\n"; without `utf8`, everything that is not ASCII. Takes
 * at most `columns`; where it must cut, it cuts at the front (`keep_end`, for
 * paths) or at the end and marks the cut. Returns the columns written.
 */
size_t terminal_put(FILE *out, struct slice text, size_t columns, bool keep_end, bool utf8);

#endif
