/*
 * Knows names and fields; must not know how groups are counted.
 */
#include "tools/report/keys.h"

static const struct {
	const char *name;
	const char *title; /* heads a column */
	enum key_kind kind;
	enum entry_field field;
} keys[REPORT_KEYS] = {
	[KEY_PROGRAM] = {"program", "PROGRAM", KEY_IS_PROGRAM, 0},
	[KEY_DESTINATION] = {"destination", "DESTINATION", KEY_IS_DESTINATION, 0},
	[KEY_VERSION] = {"version", "TLS", KEY_IS_VERSION, 0},
	[KEY_VERDICT] = {"verdict", "VERDICT", KEY_IS_VERDICT, 0},
	[KEY_PLACE] = {"place", "PLACE", KEY_IS_PLACE, 0},
	[KEY_HOST] = {"host", "HOST", KEY_IS_TEXT, ENTRY_host},
	[KEY_SERVICE] = {"service", "SERVICE", KEY_IS_TEXT, ENTRY_service},
	[KEY_USER] = {"user", "USER", KEY_IS_TEXT, ENTRY_user},
	[KEY_HOUR] = {"hour", "HOUR (UTC)", KEY_IS_HOUR, 0},
	[KEY_DAY] = {"day", "DAY (UTC)", KEY_IS_DAY, 0},
};

const char *report_key_name(enum report_key key)
{
	return keys[key].name;
}

const char *report_key_title(enum report_key key)
{
	return keys[key].title;
}

enum report_key report_key_from(struct slice name)
{
	unsigned key = 0;

	while (key < REPORT_KEYS && !slice_is(name, keys[key].name))
		key++;
	return key;
}

enum key_kind keys_kind(enum report_key key)
{
	return keys[key].kind;
}

enum entry_field keys_field(enum report_key key)
{
	return keys[key].field;
}

size_t keys_words(const enum report_key *key, size_t count)
{
	size_t words = 0;

	for (size_t i = 0; i < count; i++)
		words += keys[key[i]].kind == KEY_IS_PLACE ? 3 : 1;
	return words;
}

uint32_t keys_texts(enum report_key key)
{
	switch (keys[key].kind) {
	case KEY_IS_PROGRAM:
	case KEY_IS_DESTINATION:
	case KEY_IS_TEXT:
		return 1;
	case KEY_IS_PLACE:
		return 1 | 4;
	default:
		return 0;
	}
}
