/*
 * Knows JSON and the table of fields; must not know what they mean.
 */
#include "tools/log/json_line.h"

#include <stdio.h>
#include <stdlib.h>

/* Longer than any key of the table: what is longer can't be one of them. */
#define KEY_MAX 64

struct field_key {
	struct slice name;
	enum entry_kind kind;
};

static const struct field_key keys[ENTRY_FIELDS] = {
#define FIELD(key, kind, member) {{key, sizeof(key) - 1}, ENTRY_KIND_##kind},
#include "shim/record/record_fields.def"
#undef FIELD
};

static unsigned field_of(struct slice name)
{
	unsigned field = 0;

	while (field < ENTRY_FIELDS && !slice_equal(keys[field].name, name))
		field++;
	return field;
}

void json_line_free(struct json_line *line)
{
	json_decref(line->root);
	line->root = NULL;
	for (unsigned field = 0; field < ENTRY_FIELDS; field++) {
		free(line->array[field]);
		line->array[field] = NULL;
	}
	line->numbers_used = 0;
}

/* A version that a shipper made a number: 1.2, or 1 for "1.0". */
static int print_number(char *out, size_t size, const json_t *value, enum entry_kind kind)
{
	if (kind == ENTRY_KIND_VERSION)
		return snprintf(out, size, "%.1f", json_number_value(value));
	if (json_is_integer(value))
		return snprintf(out, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return snprintf(out, size, "%.17g", json_real_value(value));
}

static void parse_number(struct json_line *line, struct entry *entry, unsigned field,
			 const json_t *value)
{
	char *out = line->numbers + line->numbers_used;
	size_t room = sizeof(line->numbers) - line->numbers_used;
	int length = print_number(out, room, value, keys[field].kind);

	if (length <= 0 || (size_t)length >= room)
		return;
	entry_set(entry, field, out, (size_t)length);
	line->numbers_used += (size_t)length;
}

/* The compact JSON of the array, without its brackets. */
static void parse_array(struct json_line *line, struct entry *entry, unsigned field,
			const json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT);

	if (!text)
		return;
	free(line->array[field]);
	line->array[field] = text;
	entry_set(entry, field, text + 1, strlen(text) - 2);
}

static bool is_array_kind(enum entry_kind kind)
{
	return kind == ENTRY_KIND_VERSIONS || kind == ENTRY_KIND_WITNESSES;
}

static void parse_value(struct json_line *line, struct entry *entry, unsigned field,
			const json_t *value)
{
	if (json_is_array(value)) {
		if (is_array_kind(keys[field].kind))
			parse_array(line, entry, field, value);
		return;
	}
	if (is_array_kind(keys[field].kind))
		return;
	if (json_is_string(value))
		entry_set(entry, field, json_string_value(value), json_string_length(value));
	else if (json_is_boolean(value))
		entry_set(entry, field, json_is_true(value) ? "true" : "false",
			  json_is_true(value) ? 4 : 5);
	else if (json_is_number(value))
		parse_number(line, entry, field, value);
}

/* Where the walk through nested objects stands: the dotted key so far. */
struct path {
	char text[KEY_MAX];
	size_t length;
};

/* Appends a key and, for all but the first, the dot before it. */
static bool path_push(struct path *path, const char *key)
{
	size_t length = strlen(key);
	size_t dot = path->length ? 1 : 0;

	if (path->length + dot + length > sizeof(path->text))
		return false;
	if (dot)
		path->text[path->length++] = '.';
	memcpy(path->text + path->length, key, length);
	path->length += length;
	return true;
}

/*
 * jansson limits how deep a text may nest, and KEY_MAX limits it here further:
 * every level takes at least a dot (but for empty keys at the top, which no
 * field has and which are left alone).
 */
static void parse_object(struct json_line *line, struct entry *entry, json_t *object,
			 struct path path)
{
	const char *key = NULL;
	json_t *value = NULL;

	json_object_foreach (object, key, value) {
		struct path inner = path;
		unsigned field = 0;

		if (key[0] == '\0' || !path_push(&inner, key))
			continue;
		if (json_is_object(value)) {
			parse_object(line, entry, value, inner);
			continue;
		}
		field = field_of((struct slice){inner.text, inner.length});
		if (field < ENTRY_FIELDS)
			parse_value(line, entry, field, value);
	}
}

enum json_line_result json_line_read(struct json_line *line, struct slice text, struct entry *entry)
{
	const struct path start = {.length = 0};
	json_error_t error;

	json_line_free(line);
	entry_clear(entry);
	line->root = json_loadb(text.start, text.length, JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
	if (!line->root)
		return JSON_LINE_INVALID;
	if (!json_is_object(line->root))
		return JSON_LINE_NO_OBJECT;
	parse_object(line, entry, line->root, start);
	return JSON_LINE_OBJECT;
}
