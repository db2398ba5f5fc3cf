/*
 * Knows which fields tell records apart; must not know files or options.
 */
#include "tools/rollup/groups.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <uthash.h>

#include "tools/base/put.h"
#include "tools/base/table.h"
#include "tools/base/timestamp.h"
#include "tools/log/counted.h"

/* About 100 MB with the longest texts that a record can have, a tenth of it with usual ones. */
#define GROUPS_MAX 65536

#define KEY_MAX 8192

struct group {
	UT_hash_handle hh;
	uint64_t records;
	uint64_t lost;
	int64_t first;
	int64_t last;
	size_t length;
	char key[]; /* the hour, then for each field that is there: its number, length, text */
};

static uint64_t number_of(struct slice digits)
{
	char text[24];
	size_t length = digits.length < sizeof(text) - 1 ? digits.length : sizeof(text) - 1;

	memcpy(text, digits.start, length);
	text[length] = '\0';
	return strtoull(text, NULL, 10);
}

static bool put_bytes(char *key, size_t *length, const void *bytes, size_t count)
{
	if (*length + count > KEY_MAX)
		return false;
	memcpy(key + *length, bytes, count);
	*length += count;
	return true;
}

/* False if the texts are longer than any record's. */
static bool make_key(char *key, size_t *length, int64_t hour, const struct entry *entry)
{
	bool fits = put_bytes(key, length, &hour, sizeof(hour));

	for (int i = 0; i < ENTRY_FIELDS && fits; i++) {
		const uint8_t field = (uint8_t)i;
		uint32_t size;

		if (!entry_has(entry, (enum entry_field)i) ||
		    !counted_tells_apart((enum entry_field)i))
			continue;
		size = (uint32_t)entry->field[i].length;
		fits = put_bytes(key, length, &field, sizeof(field)) &&
		       put_bytes(key, length, &size, sizeof(size)) &&
		       put_bytes(key, length, entry->field[i].start, size);
	}
	return fits;
}

/* ---- writing ---- */

static json_t *time_value(int64_t time)
{
	char text[TIMESTAMP_TEXT_MAX];

	return json_stringn(text, timestamp_print(text, time, TIMESTAMP_RFC3339));
}

/* As an entry has it (entry.h) -> JSON. */
static json_t *field_value(enum entry_kind kind, struct slice text)
{
	char list[KEY_MAX];

	switch (kind) {
	case ENTRY_KIND_NUMBER:
		return json_integer((json_int_t)number_of(text));
	case ENTRY_KIND_BOOLEAN:
		return json_boolean(slice_is(text, "true"));
	case ENTRY_KIND_VERSIONS:
	case ENTRY_KIND_WITNESSES:
		(void)snprintf(list, sizeof(list), "[%.*s]", (int)text.length, text.start);
		return json_loads(list, 0, NULL);
	default:
		return json_stringn(text.start, text.length);
	}
}

static void read_key(const struct group *group, struct slice field[ENTRY_FIELDS])
{
	const char *at = group->key + sizeof(int64_t);
	const char *end = group->key + group->length;

	while (at < end) {
		const uint8_t number = (uint8_t)*at++;
		uint32_t size;

		memcpy(&size, at, sizeof(size));
		at += sizeof(size);
		field[number] = (struct slice){at, size};
		at += size;
	}
}

/* In the order of the table, so that the reader's fast parser takes it. */
static void write_group(const struct group *group, FILE *out)
{
	struct slice field[ENTRY_FIELDS] = {{NULL, 0}};
	json_t *record = json_object();

	read_key(group, field);
	for (int i = 0; i < ENTRY_FIELDS; i++) {
		json_t *value = NULL;

		if (i == ENTRY_timestamp)
			value = time_value(group->last);
		else if (i == ENTRY_first && group->records > 1)
			value = time_value(group->first);
		else if (i == ENTRY_count && group->records > 1)
			value = json_integer((json_int_t)group->records);
		else if (i == ENTRY_lost && group->lost > 0)
			value = json_integer((json_int_t)group->lost);
		else if (field[i].start)
			value = field_value(counted_fields[i].kind, field[i]);
		if (value)
			(void)json_object_set_new(record, counted_fields[i].key, value);
	}
	(void)json_dumpf(record, out, JSON_COMPACT);
	put_text(out, "\n");
	json_decref(record);
}

static void write_all(struct groups *groups, FILE *out)
{
	struct group *group = groups->table;
	struct group *next;

	HASH_CLEAR(hh, groups->table);
	for (; group; group = next) {
		next = group->hh.next;
		write_group(group, out);
		free(group);
		groups->written++;
	}
	groups->count = 0;
}

/* ---- counting ---- */

static struct group *group_of(struct groups *groups, const char *key, size_t length, FILE *out)
{
	struct group *group = NULL;

	HASH_FIND(hh, groups->table, key, length, group);
	if (group)
		return group;
	if (groups->count == GROUPS_MAX)
		write_all(groups, out);
	group = table_allocate(sizeof(*group) + length);
	memset(group, 0, sizeof(*group));
	group->length = length;
	memcpy(group->key, key, length);
	HASH_ADD_KEYPTR(hh, groups->table, group->key, length, group);
	groups->count++;
	return group;
}

bool groups_add(struct groups *groups, const struct entry *entry, FILE *out)
{
	char key[KEY_MAX];
	size_t length = 0;
	struct group *group;
	int64_t last;
	int64_t first;
	uint64_t records = number_of(entry_get(entry, ENTRY_count));

	if (!entry_has(entry, ENTRY_action) ||
	    !timestamp_parse(entry_get(entry, ENTRY_timestamp), &last))
		return false;
	if (!entry_has(entry, ENTRY_first) ||
	    !timestamp_parse(entry_get(entry, ENTRY_first), &first) || first > last)
		first = last;
	if (!make_key(key, &length, last - (last % MICROSECONDS_PER_HOUR), entry))
		return false;
	group = group_of(groups, key, length, out);
	if (group->records == 0 || first < group->first)
		group->first = first;
	if (group->records == 0 || last > group->last)
		group->last = last;
	group->records += records ? records : 1;
	group->lost += number_of(entry_get(entry, ENTRY_lost));
	groups->records += records ? records : 1;
	return true;
}

void groups_finish(struct groups *groups, FILE *out)
{
	write_all(groups, out);
}
