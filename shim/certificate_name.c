#include "certificate_name.h"

#include <string.h>

/* X.680: the tags that occur in a Name. */
enum {
	TAG_OBJECT_IDENTIFIER = 0x06,
	TAG_UTF8_STRING = 0x0c,
	TAG_PRINTABLE_STRING = 0x13,
	TAG_T61_STRING = 0x14,
	TAG_IA5_STRING = 0x16,
	TAG_UNIVERSAL_STRING = 0x1c,
	TAG_BMP_STRING = 0x1e,
	TAG_SEQUENCE = 0x30,
	TAG_SET = 0x31,
};

/* More parts than this belong to no host name's certificate; the rest is left out. */
#define PARTS_MAX 16

struct der {
	const uint8_t *at;
	size_t left;
};

struct element {
	uint8_t tag;
	struct der content;
};

/* Text in the making; `full` once something did not fit. */
struct text {
	char *start;
	size_t room;
	size_t used;
	bool full;
};

/* Takes the next element off `der` (X.690, 8.1). False at the end or for a length that lies. */
static bool take(struct der *der, struct element *element)
{
	size_t length;
	size_t header = 2;

	if (der->left < 2)
		return false;
	element->tag = der->at[0];
	length = der->at[1];
	if (length & 0x80) {
		size_t octets = length & 0x7f;

		if (octets == 0 || octets > sizeof(uint32_t) || octets > der->left - 2)
			return false;
		length = 0;
		for (size_t i = 0; i < octets; i++)
			length = length << 8 | der->at[2 + i];
		header += octets;
	}
	if (length > der->left - header)
		return false;
	element->content = (struct der){der->at + header, length};
	der->at += header + length;
	der->left -= header + length;
	return true;
}

static void put(struct text *text, char byte)
{
	if (text->used + 1 < text->room)
		text->start[text->used++] = byte;
	else
		text->full = true;
}

static void put_string(struct text *text, const char *string)
{
	while (*string)
		put(text, *string++);
}

static void put_hex(struct text *text, uint8_t byte)
{
	static const char digits[] = "0123456789ABCDEF";

	put(text, digits[byte >> 4]);
	put(text, digits[byte & 15]);
}

/* UTF-8 (RFC 3629, 3). */
static void put_character(struct text *text, uint32_t character)
{
	if (character < 0x80) {
		put(text, (char)character);
	} else if (character < 0x800) {
		put(text, (char)(0xc0 | character >> 6));
		put(text, (char)(0x80 | (character & 0x3f)));
	} else if (character < 0x10000) {
		put(text, (char)(0xe0 | character >> 12));
		put(text, (char)(0x80 | (character >> 6 & 0x3f)));
		put(text, (char)(0x80 | (character & 0x3f)));
	} else {
		put(text, (char)(0xf0 | character >> 18));
		put(text, (char)(0x80 | (character >> 12 & 0x3f)));
		put(text, (char)(0x80 | (character >> 6 & 0x3f)));
		put(text, (char)(0x80 | (character & 0x3f)));
	}
}

/* ---- attribute types ---- */

struct attribute {
	uint8_t length;
	uint8_t identifier[10];
	const char *name;
};

/* The short names that RFC 4514, 3 prescribes, and the e-mail address that OpenSSL names too. */
static const struct attribute attributes[] = {
	{3, {0x55, 4, 3}, "CN"},
	{3, {0x55, 4, 7}, "L"},
	{3, {0x55, 4, 8}, "ST"},
	{3, {0x55, 4, 10}, "O"},
	{3, {0x55, 4, 11}, "OU"},
	{3, {0x55, 4, 6}, "C"},
	{3, {0x55, 4, 9}, "STREET"},
	{10, {0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25}, "DC"},
	{10, {0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1}, "UID"},
	{9, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1}, "emailAddress"},
};

static const char *attribute_name(struct der identifier)
{
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		if (identifier.left == attributes[i].length &&
		    memcmp(identifier.at, attributes[i].identifier, identifier.left) == 0)
			return attributes[i].name;
	}
	return NULL;
}

static void put_number(struct text *text, uint64_t number)
{
	char reversed[20];
	int length = 0;

	do {
		reversed[length++] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	while (length > 0)
		put(text, reversed[--length]);
}

/* "1.2.840": X.690, 8.19. */
static void put_identifier(struct text *text, struct der identifier)
{
	uint64_t arc = 0;
	bool first = true;

	for (size_t i = 0; i < identifier.left; i++) {
		arc = arc << 7 | (identifier.at[i] & 0x7f);
		if (identifier.at[i] & 0x80)
			continue;
		if (first) {
			uint64_t top = arc < 80 ? arc / 40 : 2;

			put_number(text, top);
			arc -= top * 40;
			first = false;
		}
		put(text, '.');
		put_number(text, arc);
		arc = 0;
	}
}

/* ---- attribute values ---- */

/* Takes the next character of a string; malformed UTF-8 goes out byte by byte, for record.c. */
static uint32_t take_character(struct der *string, uint8_t tag)
{
	uint32_t character = 0;
	size_t width = 1;

	if (tag == TAG_BMP_STRING)
		width = 2;
	else if (tag == TAG_UNIVERSAL_STRING)
		width = 4;
	if (width > string->left)
		width = string->left;
	for (size_t i = 0; i < width; i++)
		character = character << 8 | string->at[i];
	string->at += width;
	string->left -= width;
	return character > 0x10ffff ? 0xfffd : character;
}

static bool must_be_escaped(uint32_t character, bool first, bool last)
{
	if (first && (character == '#' || character == ' '))
		return true;
	if (last && character == ' ')
		return true;
	return character < 0x80 && character != 0 && strchr("\"+,;<>\\", (int)character);
}

static void put_value(struct text *text, const struct element *value)
{
	struct der string = value->content;
	bool first = true;

	while (string.left > 0) {
		uint32_t character = take_character(&string, value->tag);

		if (character < 0x20 || character == 0x7f) {
			put(text, '\\');
			put_hex(text, (uint8_t)character);
		} else if (value->tag == TAG_UTF8_STRING && character >= 0x80) {
			put(text, (char)character);
		} else {
			if (must_be_escaped(character, first, string.left == 0))
				put(text, '\\');
			put_character(text, character);
		}
		first = false;
	}
}

static bool is_string(uint8_t tag)
{
	return tag == TAG_UTF8_STRING || tag == TAG_PRINTABLE_STRING || tag == TAG_T61_STRING ||
	       tag == TAG_IA5_STRING || tag == TAG_BMP_STRING || tag == TAG_UNIVERSAL_STRING;
}

/* `type=value` (RFC 4514, 2.3 and 2.4). */
static bool put_attribute(struct text *text, struct der attribute)
{
	const uint8_t *value_start;
	struct element type;
	struct element value;
	const char *name;

	if (!take(&attribute, &type) || type.tag != TAG_OBJECT_IDENTIFIER)
		return false;
	value_start = attribute.at;
	if (!take(&attribute, &value))
		return false;
	name = attribute_name(type.content);
	if (name)
		put_string(text, name);
	else
		put_identifier(text, type.content);
	put(text, '=');
	if (name && is_string(value.tag)) {
		put_value(text, &value);
		return true;
	}
	put(text, '#');
	while (value_start < attribute.at)
		put_hex(text, *value_start++);
	return true;
}

/* A RelativeDistinguishedName: its attributes with `+` between them. */
static bool put_part(struct text *text, struct der part)
{
	struct element attribute;
	const char *separator = "";

	while (part.left > 0) {
		if (!take(&part, &attribute) || attribute.tag != TAG_SEQUENCE)
			return false;
		put_string(text, separator);
		if (!put_attribute(text, attribute.content))
			return false;
		separator = "+";
	}
	return true;
}

size_t certificate_name_write(char *text, size_t room, const uint8_t *der, size_t length)
{
	struct der input = {der, length};
	struct text output = {text, room, 0, false};
	struct element name;
	struct element parts[PARTS_MAX];
	size_t count = 0;

	if (room == 0)
		return 0;
	text[0] = '\0';
	if (!take(&input, &name) || name.tag != TAG_SEQUENCE)
		return 0;
	while (name.content.left > 0 && count < PARTS_MAX) {
		if (!take(&name.content, &parts[count]) || parts[count].tag != TAG_SET)
			return 0;
		count++;
	}
	while (count > 0) {
		const size_t before = output.used;

		if (before > 0)
			put(&output, ',');
		if (!put_part(&output, parts[--count].content)) {
			text[0] = '\0';
			return 0;
		}
		if (output.full) {
			output.used = before;
			break;
		}
	}
	text[output.used] = '\0';
	return output.used;
}

bool certificate_time_write(char text[CERTIFICATE_TIME_MAX], const uint8_t *digits, size_t length,
			    bool generalized)
{
	/* Where each two digits of "YYYYMMDDHHMMSS" go. */
	static const char form[] = "YYYY-MM-DDTHH:MM:SSZ";
	const size_t expected = generalized ? 15 : 13;
	size_t next = 0;

	text[0] = '\0';
	if (length != expected || digits[expected - 1] != 'Z')
		return false;
	for (size_t i = 0; i + 1 < expected; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			return false;
	}
	memcpy(text, form, sizeof(form));
	if (!generalized) {
		/* RFC 5280, 4.1.2.5.1: from 50 on the last century. */
		memcpy(text, digits[0] >= '5' ? "19" : "20", 2);
		memcpy(text + 2, digits, 2);
		next = 2;
	}
	for (size_t i = generalized ? 0 : 4; form[i]; i++) {
		if (strchr("-T:Z", form[i]))
			continue;
		text[i] = (char)digits[next++];
	}
	return true;
}
