/*
 * Knows texts and numbers; must not know what the texts are.
 */
#include "intern.h"

#include <stdlib.h>

struct interned {
	UT_hash_handle hh;
	uint32_t number;
	char text[];
};

static void make_room(struct interner *interner)
{
	if (interner->count < interner->capacity)
		return;
	interner->capacity = interner->capacity ? interner->capacity * 2 : 256;
	interner->text =
		table_resize(interner->text, interner->capacity * sizeof(interner->text[0]));
	/* The number 0 stands for no text. */
	if (interner->count == 0)
		interner->text[interner->count++] = (struct slice){"", 0};
}

uint32_t intern(struct interner *interner, struct slice text)
{
	struct interned *found = NULL;
	unsigned hash = 0;

	if (text.length == 0)
		return 0;
	hash = table_hash(text.start, text.length);
	HASH_FIND_BYHASHVALUE(hh, interner->table, text.start, (unsigned)text.length, hash, found);
	if (found)
		return found->number;
	make_room(interner);
	found = arena_allocate(&interner->arena, sizeof(*found) + text.length);
	memset(found, 0, sizeof(*found));
	memcpy(found->text, text.start, text.length);
	found->number = interner->count;
	interner->text[interner->count++] = (struct slice){found->text, text.length};
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, interner->table, found->text, (unsigned)text.length, hash,
				    found);
	return found->number;
}

struct slice interned_text(const struct interner *interner, uint32_t number)
{
	return number < interner->count ? interner->text[number] : (struct slice){"", 0};
}

void interner_free(struct interner *interner)
{
	HASH_CLEAR(hh, interner->table);
	free(interner->text);
	arena_free(&interner->arena);
	*interner = (struct interner){0};
}
