/*
 * One aggregate into another: knows their numbers of texts; must not know what is counted.
 */
#include <stdlib.h>

#include "tools/base/table.h"
#include "tools/report/aggregate.h"
#include "tools/report/hours.h"
#include "tools/report/views.h"

/* The numbers that the texts of `from` have in `into`. */
static uint32_t *translate(struct aggregate *into, const struct aggregate *from)
{
	size_t count = from->texts.count ? from->texts.count : 1;
	uint32_t *number = table_allocate(count * sizeof(*number));

	number[0] = 0;
	for (uint32_t i = 1; i < from->texts.count; i++)
		number[i] = intern(&into->texts, interned_text(&from->texts, i));
	return number;
}

static void merge_view(struct cells *into, struct cells *from, uint64_t texts,
		       const uint32_t *number)
{
	uint32_t key[CELL_WORDS_MAX];

	for (size_t i = 0; i < from->count; i++) {
		const struct cell *cell = cell_of(from, i);

		for (size_t word = 0; word < from->key_words; word++)
			key[word] = texts >> word & 1 ? number[cell->key[word]] : cell->key[word];
		cells_count(into, key, cell->records, cell->first, cell->last);
		if (i % CELLS_PER_BLOCK == CELLS_PER_BLOCK - 1)
			cells_forget_before(from, i + 1);
	}
}

void aggregate_absorb(struct aggregate *into, struct aggregate *from)
{
	uint32_t *number = translate(into, from);

	interner_free(&from->texts);
	for (unsigned view = 0; view < VIEWS; view++)
		merge_view(&into->view[view], &from->view[view], view_texts(view, into->options),
			   number);
	for (size_t i = 0; i < from->hour_numbers.count; i++)
		report_tally_add(&hour_at(into, from->hours[i].number)->tally,
				 &from->hours[i].tally);
	into->filtered_out += from->filtered_out;
	into->doubles += from->doubles;
	into->lost += from->lost;
	into->not_ready += from->not_ready;
	into->ready_unknown += from->ready_unknown;
	free(number);
	aggregate_free(from);
}
