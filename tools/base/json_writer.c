/*
 * Knows JSON; must not know reports.
 */
#include "tools/base/json_writer.h"

#include <string.h>

#include "tools/base/put.h"
#include "tools/base/utf8.h"

/*
 * A report of a million groups is gigabytes of JSON, nearly all of it small
 * members: each is put together here and written at once, without a format to
 * interpret and without a lock for each byte.
 */
#define MEMBER_SIZE 128

/* Behind the member's beginning; all of our keys and depths fit. */
static size_t begin_member(struct json_writer *writer, const char *key, char member[MEMBER_SIZE])
{
	size_t length = 0;

	if (writer->depth > 0) {
		if (!writer->first)
			member[length++] = ',';
		member[length++] = '\n';
		memset(member + length, ' ', (size_t)writer->depth * 2);
		length += (size_t)writer->depth * 2;
	}
	writer->first = false;
	if (key) {
		member[length++] = '"';
		while (*key)
			member[length++] = *key++;
		member[length++] = '"';
		member[length++] = ':';
		member[length++] = ' ';
	}
	return length;
}

static void put_member(const struct json_writer *writer, const char *member, size_t length)
{
	(void)fwrite_unlocked(member, 1, length, writer->out);
}

static size_t print_number(char *out, uint64_t number)
{
	char digits[20];
	size_t count = 0;

	do
		digits[count++] = (char)('0' + number % 10);
	while (number /= 10);
	for (size_t i = 0; i < count; i++)
		out[i] = digits[count - 1 - i];
	return count;
}

void json_open(struct json_writer *writer, const char *key, char bracket)
{
	char member[MEMBER_SIZE];
	size_t length = begin_member(writer, key, member);

	member[length++] = bracket;
	put_member(writer, member, length);
	writer->depth++;
	writer->first = true;
}

void json_close(struct json_writer *writer, char bracket)
{
	writer->depth--;
	if (!writer->first) {
		put_byte(writer->out, '\n');
		put_spaces(writer->out, (size_t)writer->depth * 2);
	}
	writer->first = false;
	put_byte(writer->out, bracket);
	if (writer->depth == 0)
		put_byte(writer->out, '\n');
}

void json_number(struct json_writer *writer, const char *key, uint64_t number)
{
	char member[MEMBER_SIZE];
	size_t length = begin_member(writer, key, member);

	length += print_number(member + length, number);
	put_member(writer, member, length);
}

void json_boolean(struct json_writer *writer, const char *key, bool value)
{
	char member[MEMBER_SIZE];

	put_member(writer, member, begin_member(writer, key, member));
	put_text(writer->out, value ? "true" : "false");
}

static void put_character(FILE *out, const char *bytes, size_t length, uint32_t character)
{
	if (character == '"' || character == '\\')
		put_byte(out, '\\');
	/* DEL and C1 too: a report may be looked at in a terminal. */
	if (character < 0x20 || (character >= 0x7f && character < 0xa0))
		put_format(out, "\\u%04x", character);
	else
		put_slice(out, (struct slice){bytes, length});
}

/* The characters at the beginning that stand for themselves: printable ASCII. */
static size_t plain_length(struct slice text)
{
	size_t length = 0;

	while (length < text.length && text.start[length] >= 0x20 && text.start[length] < 0x7f &&
	       text.start[length] != '"' && text.start[length] != '\\')
		length++;
	return length;
}

void json_text(struct json_writer *writer, const char *key, struct slice text)
{
	char member[MEMBER_SIZE];
	size_t plain = begin_member(writer, key, member);

	member[plain++] = '"';
	put_member(writer, member, plain);
	while (text.length > 0) {
		uint32_t character = 0;
		size_t length = plain_length(text);

		put_member(writer, text.start, length);
		text = slice_from(text, length);
		if (text.length == 0)
			break;
		length = utf8_decode(text, &character);

		if (length == 0) {
			put_text(writer->out, "\xef\xbf\xbd");
			length = 1;
		} else {
			put_character(writer->out, text.start, length, character);
		}
		text.start += length;
		text.length -= length;
	}
	put_byte(writer->out, '"');
}

void json_put_visible(FILE *out, struct slice json)
{
	while (json.length > 0) {
		uint32_t character = 0;
		size_t length = utf8_decode(json, &character);

		if (length == 0) {
			put_text(out, "\xef\xbf\xbd");
			length = 1;
		} else if (character > 0x7e && character < 0x10000 &&
			   utf8_is_instruction(character)) {
			put_format(out, "\\u%04x", character);
		} else if (character != '\n' && (character >= 0x20 || character == '\t') &&
			   !utf8_is_instruction(character)) {
			put_slice(out, (struct slice){json.start, length});
		}
		json = slice_from(json, length);
	}
}
