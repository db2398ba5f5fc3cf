/*
 * Knows RFC 3629, section 3 and 4, and which characters show nothing.
 */
#include "tools/base/utf8.h"

/* The length that a first byte announces, the bits it carries, and the least character that
 * needs that length. */
struct form {
	uint8_t mask;
	uint8_t lead;
	uint8_t length;
	uint32_t least;
};

static const struct form forms[] = {
	{0x80, 0x00, 1, 0},
	{0xe0, 0xc0, 2, 0x80},
	{0xf0, 0xe0, 3, 0x800},
	{0xf8, 0xf0, 4, 0x10000},
};

static const struct form *form_of(uint8_t first)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if ((first & forms[i].mask) == forms[i].lead)
			return &forms[i];
	}
	return NULL;
}

size_t utf8_decode(struct slice text, uint32_t *character)
{
	const uint8_t *byte = (const uint8_t *)text.start;
	const struct form *form = form_of(byte[0]);
	uint32_t value = 0;

	if (!form || form->length > text.length)
		return 0;
	value = byte[0] & (uint8_t)~form->mask;
	for (size_t i = 1; i < form->length; i++) {
		if ((byte[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (byte[i] & 0x3f);
	}
	if (value < form->least || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return 0;
	*character = value;
	return form->length;
}

bool utf8_is_clean(struct slice text)
{
	while (text.length > 0) {
		uint32_t character = 0;
		size_t length = utf8_decode(text, &character);

		if (length == 0 || character < 0x20)
			return false;
		text.start += length;
		text.length -= length;
	}
	return true;
}

bool utf8_is_instruction(uint32_t character)
{
	static const struct {
		uint32_t first;
		uint32_t last;
	} ranges[] = {
		{0x0000, 0x001f},   /* C0 */
		{0x007f, 0x009f},   /* DEL and C1 */
		{0x061c, 0x061c},   /* Arabic letter mark */
		{0x200b, 0x200f},   /* zero width and direction marks */
		{0x2028, 0x202e},   /* line and paragraph separators, directional overrides */
		{0x2060, 0x206f},   /* invisible operators, directional isolates */
		{0xfeff, 0xfeff},   /* byte order mark */
		{0xfff9, 0xfffb},   /* interlinear annotation */
		{0xfffe, 0xffff},   /* no characters; no XML either */
		{0xe0000, 0xe0fff}, /* tags */
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		if (character >= ranges[i].first && character <= ranges[i].last)
			return true;
	}
	return false;
}
