/*
 * Knows JSON; must not know reports.
 */
#include "json_writer.h"

#include <inttypes.h>

#include "utf8.h"

static void begin_member(struct json_writer *writer, const char *key)
{
	if (writer->depth > 0) {
		fputs(writer->first ? "\n" : ",\n", writer->out);
		fprintf(writer->out, "%*s", (int)writer->depth * 2, "");
	}
	writer->first = false;
	if (key)
		fprintf(writer->out, "\"%s\": ", key);
}

void json_open(struct json_writer *writer, const char *key, char bracket)
{
	begin_member(writer, key);
	fputc(bracket, writer->out);
	writer->depth++;
	writer->first = true;
}

void json_close(struct json_writer *writer, char bracket)
{
	writer->depth--;
	if (!writer->first)
		fprintf(writer->out, "\n%*s", (int)writer->depth * 2, "");
	writer->first = false;
	fputc(bracket, writer->out);
	if (writer->depth == 0)
		fputc('\n', writer->out);
}

void json_number(struct json_writer *writer, const char *key, uint64_t number)
{
	begin_member(writer, key);
	fprintf(writer->out, "%" PRIu64, number);
}

void json_boolean(struct json_writer *writer, const char *key, bool value)
{
	begin_member(writer, key);
	fputs(value ? "true" : "false", writer->out);
}

static void put_character(FILE *out, const char *bytes, size_t length, uint32_t character)
{
	if (character == '"' || character == '\\')
		fputc('\\', out);
	/* DEL and C1 too: a report may be looked at in a terminal. */
	if (character < 0x20 || (character >= 0x7f && character < 0xa0))
		fprintf(out, "\\u%04x", character);
	else
		fwrite(bytes, 1, length, out);
}

void json_text(struct json_writer *writer, const char *key, struct slice text)
{
	begin_member(writer, key);
	fputc('"', writer->out);
	while (text.length > 0) {
		uint32_t character = 0;
		size_t length = utf8_decode(text, &character);

		if (length == 0) {
			fputs("\xef\xbf\xbd", writer->out);
			length = 1;
		} else {
			put_character(writer->out, text.start, length, character);
		}
		text.start += length;
		text.length -= length;
	}
	fputc('"', writer->out);
}
