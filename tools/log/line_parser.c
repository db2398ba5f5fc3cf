/*
 * Knows how others wrap a line; must not know what a record means.
 */
#include "tools/log/line_parser.h"

#include <string.h>

void line_parser_init(struct line_parser *parser)
{
	memset(parser, 0, sizeof(*parser));
	scanner_init(&parser->scanner);
}

void line_parser_free(struct line_parser *parser)
{
	json_line_free(&parser->json);
	json_line_free(&parser->inner);
}

static struct slice trim(struct slice line)
{
	static const char byte_order_mark[] = "\xef\xbb\xbf";

	if (line.length > 0 && line.start[line.length - 1] == '\r')
		line.length--;
	if (line.length >= 3 && memcmp(line.start, byte_order_mark, 3) == 0)
		line = slice_from(line, 3);
	while (line.length > 0 && (line.start[0] == ' ' || line.start[0] == '\t'))
		line = slice_from(line, 1);
	return line;
}

/* Behind the name of a field as systemd's Journal Export Format has it; NULL if it is none. */
static const char *after_journal_field(struct slice line)
{
	size_t length = 0;

	if (line.start[0] >= '0' && line.start[0] <= '9')
		return NULL;
	while (length < line.length && ((line.start[length] >= 'A' && line.start[length] <= 'Z') ||
					(line.start[length] >= '0' && line.start[length] <= '9') ||
					line.start[length] == '_'))
		length++;
	/* A name alone announces binary data on the lines behind it, which ours never is. */
	if (length == 0 || (length < line.length && line.start[length] != '='))
		return NULL;
	return line.start + length;
}

/*
 * The object that ends a line which began with something else: from the record's
 * first key on, else from the first brace. Length 0 if there is none.
 */
static struct slice carried_object(struct slice line)
{
	static const char first_key[] = "{\"@timestamp\":";
	const char *at = memmem(line.start, line.length, first_key, sizeof(first_key) - 1);

	if (!at)
		at = memchr(line.start, '{', line.length);
	if (!at)
		return (struct slice){"", 0};
	return slice_from(line, (size_t)(at - line.start));
}

/* Copied first, since a JSON parser's text has no padding behind it. */
static bool scan_message(struct line_parser *parser, struct slice text, struct entry *entry)
{
	if (parser->general_only || text.length > SCANNER_LINE_MAX)
		return false;
	memcpy(parser->message, text.start, text.length);
	return scanner_read(&parser->scanner, (struct slice){parser->message, text.length}, entry);
}

/* True if the object is a wrapper around a record; `entry` is then the record's. */
static bool read_message(struct line_parser *parser, struct entry *entry, struct slice *record)
{
	static const char *const keys[] = {"MESSAGE", "message", "log"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const json_t *value = json_object_get(parser->json.root, keys[i]);
		struct slice text = {json_string_value(value), json_string_length(value)};
		struct entry inner;

		if (!text.start)
			continue;
		while (text.length > 0 && strchr("\r\n", text.start[text.length - 1]))
			text.length--;
		text = carried_object(trim(text));
		if (text.length == 0 ||
		    (!scan_message(parser, text, &inner) &&
		     json_line_read(&parser->inner, text, &inner) != JSON_LINE_OBJECT))
			continue;
		*entry = inner;
		*record = text;
		return true;
	}
	return false;
}

/* The same without the JSON library: of what the scanner has just taken. */
static bool scan_wrapped(struct line_parser *parser, struct entry *entry, struct slice *record)
{
	struct slice wrapped[3];

	memcpy(wrapped, parser->scanner.message, sizeof(wrapped));
	for (size_t i = 0; i < sizeof(wrapped) / sizeof(wrapped[0]); i++) {
		struct slice text = {parser->message, 0};

		if (wrapped[i].length == 0)
			continue;
		text.length = scanner_unescape(wrapped[i], parser->message);
		while (text.length > 0 && strchr("\r\n", text.start[text.length - 1]))
			text.length--;
		text = carried_object(trim(text));
		if (text.length == 0 || !scanner_read(&parser->scanner, text, entry) ||
		    !entry_has(entry, ENTRY_action))
			continue;
		*record = text;
		return true;
	}
	return false;
}

static enum line_result read_json(struct line_parser *parser, struct slice line,
				  struct entry *entry, struct slice *record)
{
	*record = line;
	if (!parser->general_only && scanner_read(&parser->scanner, line, entry) &&
	    (entry_has(entry, ENTRY_action) || scan_wrapped(parser, entry, record)))
		return LINE_OBJECT;
	switch (json_line_read(&parser->json, line, entry)) {
	case JSON_LINE_OBJECT:
		if (!entry_has(entry, ENTRY_action))
			(void)read_message(parser, entry, record);
		return LINE_OBJECT;
	case JSON_LINE_NO_OBJECT:
		return LINE_NO_OBJECT;
	default:
		return LINE_INVALID;
	}
}

enum line_result line_parser_read(struct line_parser *parser, struct slice line,
				  struct entry *entry, struct slice *record)
{
	struct slice unused;
	struct slice carried;
	const char *value = NULL;

	if (!record)
		record = &unused;
	line = trim(line);
	if (line.length == 0)
		return LINE_NOTHING;
	if (line.start[0] == '{')
		return read_json(parser, line, entry, record);
	value = after_journal_field(line);
	if (value && (line.length < 9 || memcmp(line.start, "MESSAGE=", 8) != 0))
		return LINE_NOTHING;
	carried = carried_object(line);
	if (carried.length > 0)
		return read_json(parser, carried, entry, record);
	/* What another program said to the journal. */
	if (value)
		return LINE_NOTHING;
	return read_json(parser, line, entry, record);
}
