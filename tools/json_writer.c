/*
 * Knows JSON; must not know reports.
 */
#include "json_writer.h"

#include <inttypes.h>

#include "put.h"
#include "utf8.h"

static void begin_member(struct json_writer *writer, const char *key)
{
	if (writer->depth > 0) {
		put_text(writer->out, writer->first ? "\n" : ",\n");
		put_spaces(writer->out, (size_t)writer->depth * 2);
	}
	writer->first = false;
	if (key)
		put_format(writer->out, "\"%s\": ", key);
}

void json_open(struct json_writer *writer, const char *key, char bracket)
{
	begin_member(writer, key);
	put_byte(writer->out, bracket);
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
	begin_member(writer, key);
	put_format(writer->out, "%" PRIu64, number);
}

void json_boolean(struct json_writer *writer, const char *key, bool value)
{
	begin_member(writer, key);
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

void json_text(struct json_writer *writer, const char *key, struct slice text)
{
	begin_member(writer, key);
	put_byte(writer->out, '"');
	while (text.length > 0) {
		uint32_t character = 0;
		size_t length = utf8_decode(text, &character);

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
