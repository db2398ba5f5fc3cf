/*
 * UTF-8 as RFC 3629 has it: shortest forms only, no surrogates, nothing above
 * U+10FFFF.
 */
#ifndef TLSWITNESS_UTF8_H
#define TLSWITNESS_UTF8_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/base/slice.h"

/*
 * Decodes the first character of `text` (length at least 1) and returns how many
 * bytes it takes, or 0 if they are no character.
 */
size_t utf8_decode(struct slice text, uint32_t *character);

/* True if all of `text` is valid and none of it is a C0 control character. */
bool utf8_is_clean(struct slice text);

/*
 * True for characters that are no letters but instructions to whoever displays them (controls,
 * directional overrides, invisible marks): what is for people shows them as escapes.
 */
bool utf8_is_instruction(uint32_t character);

#endif
