/*
 * What the reader of a text can see: how wide, in colour or not, beyond ASCII or not.
 */
#ifndef TLSWITNESS_TEXT_STYLE_H
#define TLSWITNESS_TEXT_STYLE_H

#include <stdbool.h>
#include <stddef.h>

struct text_style {
	size_t width; /* columns; 0: nothing is cut or broken */
	bool colour;
	bool utf8; /* the reader's locale can show more than ASCII */
};

#endif
