/*
 * Knows rows, orders and texts; must not know what a table is about.
 */
#include "tools/report/builder.h"

#include <stdlib.h>

#include "tools/base/place_text.h"

void *row_of(struct rows *rows, const void *key)
{
	size_t before = rows->numbering.count;
	size_t number = numbering_of(&rows->numbering, key);

	if (rows->numbering.count > rows->capacity) {
		rows->capacity = rows->capacity ? rows->capacity * 2 : 16;
		rows->row = table_resize(rows->row, rows->capacity * rows->row_size);
	}
	if (rows->numbering.count > before)
		memset(rows->row + number * rows->row_size, 0, rows->row_size);
	return rows->row + number * rows->row_size;
}

void *rows_release(struct rows *rows, size_t *count)
{
	void *row = rows->row;

	*count = rows->numbering.count;
	numbering_free(&rows->numbering);
	rows->row = NULL;
	return row;
}

void sort(void *rows, size_t count, size_t size, int (*compare)(const void *, const void *))
{
	if (count > 1)
		qsort(rows, count, size, compare);
}

/* The most rows that are selected one by one. */
#define SELECTED_MAX 1000

static void swap(char *a, char *b, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		char byte = a[i];

		a[i] = b[i];
		b[i] = byte;
	}
}

void sort_top(void *rows, size_t count, size_t size, size_t top,
	      int (*compare)(const void *, const void *))
{
	char *row = rows;

	/* Each row that comes is moved past some of the top: with many of them, sorting is less. */
	if (top == 0 || top >= count || top > SELECTED_MAX) {
		sort(rows, count, size, compare);
		return;
	}
	sort(rows, top, size, compare);
	for (size_t i = top; i < count; i++) {
		/* Nearly all rows stop here. */
		if (compare(row + i * size, row + (top - 1) * size) >= 0)
			continue;
		swap(row + i * size, row + (top - 1) * size, size);
		for (size_t k = top - 1; k > 0; k--) {
			if (compare(row + k * size, row + (k - 1) * size) >= 0)
				break;
			swap(row + k * size, row + (k - 1) * size, size);
		}
	}
}

void tally_cell(struct report_tally *tally, const struct cell *cell, uint32_t facts)
{
	report_tally_count(tally, fact_get(facts, FACT_VERSION), fact_get(facts, FACT_VERDICT),
			   cell->records, cell->first, cell->last);
}

int compare_counts(uint64_t a, uint64_t b)
{
	return (a < b) - (a > b);
}

int compare_tallies(const struct report_tally *a, const struct report_tally *b)
{
	enum entry_verdict worst_a = report_worst(a);
	enum entry_verdict worst_b = report_worst(b);

	if (worst_a != worst_b)
		return worst_a < worst_b ? 1 : -1;
	if (a->verdict[worst_a] != b->verdict[worst_b])
		return compare_counts(a->verdict[worst_a], b->verdict[worst_b]);
	return compare_counts(a->connections, b->connections);
}

struct slice keep_text(struct builder *builder, const char *text, size_t length)
{
	char *copy = arena_allocate(builder->texts, length);

	memcpy(copy, text, length);
	return (struct slice){copy, length};
}

struct slice keep_place_text(struct builder *builder, struct slice file, uint64_t line,
			     struct slice function)
{
	char *text = arena_allocate(builder->texts, place_text_room(file, function));

	return (struct slice){text, place_text(text, file, line, function)};
}
