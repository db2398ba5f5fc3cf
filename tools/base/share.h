/*
 * A part of a whole in percent, rounded so that it never says what is not: no "0.0 %" for
 * something, no "100.0 %" for less than all.
 */
#ifndef TLSWITNESS_SHARE_H
#define TLSWITNESS_SHARE_H

#include <stddef.h>
#include <stdint.h>

#define SHARE_TEXT_MAX 16

/* "12.5 %", "0 %", "100 %", "<0.1 %", ">99.9 %"; returns the length. */
size_t share_text(char text[SHARE_TEXT_MAX], uint64_t part, uint64_t whole);

#endif
