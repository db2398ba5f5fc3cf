/*
 * Knows texts and numbers; must not know what the texts are.
 */
#include "tools/base/intern.h"

#include <stdlib.h>

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
	struct index *index = &interner->index;
	uint32_t hash = 0;
	size_t slot = 0;

	if (text.length == 0)
		return 0;
	hash = table_hash(text.start, text.length);
	for (slot = index_slot(index, hash); index_is_taken(index, slot);
	     slot = index_next(index, slot)) {
		uint32_t number = index_number(index, slot);

		if (index_hash(index, slot) == hash && slice_equal(interner->text[number], text))
			return number;
	}
	make_room(interner);
	interner->text[interner->count] =
		(struct slice){arena_copy(&interner->arena, text.start, text.length), text.length};
	index_put(index, slot, hash, interner->count);
	return interner->count++;
}

struct slice interned_text(const struct interner *interner, uint32_t number)
{
	return number < interner->count ? interner->text[number] : (struct slice){"", 0};
}

void interner_free(struct interner *interner)
{
	index_free(&interner->index);
	free(interner->text);
	arena_free(&interner->arena);
	*interner = (struct interner){0};
}
