#include "shim/record/record_envelope.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct part {
	const char *at;
	size_t length;
};

/* Behind the string that begins at `at`, with both quotes. */
static const char *behind_string(const char *at, const char *end)
{
	for (at++; at < end && *at != '"'; at++)
		at += *at == '\\';
	return at < end ? at + 1 : end;
}

static const char *behind_value(const char *at, const char *end)
{
	while (at < end && *at != ',' && *at != '}') {
		if (*at == '[') {
			while (at < end && *at != ']')
				at = *at == '"' ? behind_string(at, end) : at + 1;
		}
		at = at < end && *at == '"' ? behind_string(at, end) : at + (at < end);
	}
	return at;
}

/* The next member of an object that our own writer made; `*at` stands on "{" or ",". */
static bool next_member(const char **at, const char *end, struct part *key, struct part *value)
{
	const char *name = *at + 1;
	const char *colon;

	if (*at >= end || name >= end || *name != '"')
		return false;
	colon = behind_string(name, end);
	if (colon >= end || *colon != ':')
		return false;
	*key = (struct part){name + 1, (size_t)(colon - name) - 2};
	value->at = colon + 1;
	*at = behind_value(value->at, end);
	value->length = (size_t)(*at - value->at);
	return true;
}

static struct part member(const char *line, size_t length, const char *name)
{
	const char *at = line;
	struct part key;
	struct part value;

	while (next_member(&at, line + length, &key, &value)) {
		if (key.length == strlen(name) && memcmp(key.at, name, key.length) == 0)
			return value;
	}
	return (struct part){NULL, 0};
}

/* ---- syslog ---- */

/*
 * One of the header's fields: the value without its quotes if all of it is
 * printable US-ASCII and not longer than `most`, else the nil value.
 */
static size_t put_header_field(char *to, struct part value, size_t most)
{
	if (value.length > 1 && value.at[0] == '"') {
		value.at++;
		value.length -= 2;
	}
	for (size_t i = 0; i < value.length; i++) {
		if (value.at[i] <= ' ' || value.at[i] > '~' || value.at[i] == '\\')
			value.length = 0;
	}
	if (value.length == 0 || value.length > most)
		value = (struct part){"-", 1};
	memcpy(to, value.at, value.length);
	to[value.length] = ' ';
	return value.length + 1;
}

static size_t put_words(char *to, const char *words)
{
	size_t length = 0;

	for (; words[length]; length++)
		to[length] = words[length];
	return length;
}

size_t envelope_syslog(char header[ENVELOPE_HEADER_MAX], const char *line, size_t length)
{
	size_t used = put_words(header, "<22>1 ");

	used += put_header_field(header + used, member(line, length, "@timestamp"), 32);
	used += put_header_field(header + used, member(line, length, "host.name"), 255);
	used += put_words(header + used, "tlswitness ");
	used += put_header_field(header + used, member(line, length, "process.pid"), 20);
	used += put_header_field(header + used, member(line, length, "event.action"), 32);
	return used + put_words(header + used, "- ");
}

/* ---- the journal ---- */

struct writer {
	char *at;
	char *end;
	bool full;
};

static void put_byte(struct writer *writer, char byte)
{
	if (writer->at == writer->end)
		writer->full = true;
	else
		*writer->at++ = byte;
}

/* Uppercase letters, digits and underscores; none of the latter first. */
static void put_name(struct writer *writer, struct part key)
{
	for (size_t i = 0; i < key.length; i++) {
		const char c = key.at[i];

		if (c >= 'a' && c <= 'z')
			put_byte(writer, (char)(c & ~0x20));
		else if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
			put_byte(writer, c);
		else if (i > 0)
			put_byte(writer, '_');
	}
}

static unsigned hex_digit(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

/* The character that the escape at `*at` stands for; moves behind it. Our writer escapes none
 * beyond U+009F. */
static unsigned unescape(const char **at, const char *end)
{
	static const char letters[] = "b\bf\fn\nr\rt\t";
	const char letter = (*at)[1];
	unsigned character = 0;

	if (letter == 'u' && end - *at >= 6) {
		for (int i = 2; i < 6; i++)
			character = character << 4 | hex_digit((*at)[i]);
		*at += 6;
		return character;
	}
	*at += 2;
	for (size_t i = 0; i < sizeof(letters) - 1; i += 2) {
		if (letters[i] == letter)
			return (unsigned char)letters[i + 1];
	}
	return (unsigned char)letter;
}

/* What a string's inside, or a number, says. */
static void put_value(struct writer *writer, struct part value)
{
	const char *at = value.at;
	const char *end = value.at + value.length;

	while (at < end) {
		unsigned character;

		if (*at != '\\' || at + 1 >= end) {
			put_byte(writer, *at++);
			continue;
		}
		character = unescape(&at, end);
		if (character >= 0x80) {
			put_byte(writer, (char)(uint8_t)(0xC0 | character >> 6));
			character = 0x80 | (character & 0x3F);
		}
		put_byte(writer, (char)(uint8_t)character);
	}
}

/* NAME=value, or where the value has more lines NAME, its length in 64 bits, and itself. */
static void put_field(struct writer *writer, struct part key, struct part value)
{
	const struct writer before = *writer;
	char *start;
	size_t length;

	put_name(writer, key);
	put_byte(writer, '=');
	start = writer->at;
	put_value(writer, value);
	length = (size_t)(writer->at - start);
	if (memchr(start, '\n', length)) {
		for (int i = 0; i < 8; i++)
			put_byte(writer, 0);
		if (!writer->full) {
			memmove(start + 8, start, length);
			start[-1] = '\n';
			for (unsigned i = 0; i < 8; i++)
				start[i] = (char)(uint8_t)((uint64_t)length >> (8 * i));
		}
	}
	put_byte(writer, '\n');
	if (writer->full)
		*writer = before;
}

static void put_elements(struct writer *writer, struct part key, struct part list)
{
	const char *at = list.at + 1;
	const char *end = list.at + list.length - 1;

	while (at < end) {
		const char *behind = *at == '"' ? behind_string(at, end) : at + 1;

		if (*at == '"')
			put_field(writer, key, (struct part){at + 1, (size_t)(behind - at) - 2});
		at = behind;
	}
}

size_t envelope_journal(char *fields, size_t room, const char *line, size_t length)
{
	struct writer writer = {.at = fields, .end = fields + room};
	const char *at = line;
	struct part key;
	struct part value;

	while (next_member(&at, line + length, &key, &value)) {
		if (value.length >= 2 && value.at[0] == '[')
			put_elements(&writer, key, value);
		else if (value.length >= 2 && value.at[0] == '"')
			put_field(&writer, key, (struct part){value.at + 1, value.length - 2});
		else
			put_field(&writer, key, value);
	}
	return (size_t)(writer.at - fields);
}
