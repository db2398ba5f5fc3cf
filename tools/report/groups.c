/*
 * The --by table.
 */
#include "tools/report/builder.h"
#include "tools/report/keys.h"

static struct slice time_text(struct builder *builder, int64_t microseconds,
			      enum timestamp_style style)
{
	char text[TIMESTAMP_TEXT_MAX] = "";
	size_t length = timestamp_print(text, microseconds, style);

	return keep_text(builder, text, length);
}

static struct slice key_text(struct builder *builder, const uint32_t *word, enum report_key by)
{
	switch (keys_kind(by)) {
	case KEY_IS_VERSION:
		return slice_of(entry_version_name(*word));
	case KEY_IS_VERDICT:
		return slice_of(entry_verdict_name(*word));
	case KEY_IS_PLACE:
		return keep_place_text(builder, text_of(builder, word[0]), word[1],
				       text_of(builder, word[2]));
	case KEY_IS_HOUR:
		return time_text(builder, (int32_t)*word * MICROSECONDS_PER_HOUR, TIMESTAMP_HOUR);
	case KEY_IS_DAY:
		return time_text(builder, (int32_t)*word * MICROSECONDS_PER_DAY, TIMESTAMP_DAY);
	default:
		return text_of(builder, *word);
	}
}

static void give_keys(struct builder *builder, struct report_group *group, const uint32_t *word)
{
	const struct report *report = builder->report;
	struct slice *text = arena_allocate(builder->texts, report->by_count * sizeof(*text));

	for (size_t i = 0; i < report->by_count; i++) {
		text[i] = key_text(builder, word, report->by[i]);
		word += keys_words(&report->by[i], 1);
	}
	group->key = text;
	group->key_count = report->by_count;
}

static int compare_groups(const void *a, const void *b)
{
	const struct report_group *first = a;
	const struct report_group *second = b;
	int order = compare_tallies(&first->tally, &second->tally);

	for (size_t i = 0; order == 0 && i < first->key_count; i++)
		order = slice_compare(first->key[i], second->key[i]);
	return order;
}

void build_groups(struct builder *builder)
{
	const struct cells *cells = view_of(builder, VIEW_GROUPS);
	struct report *report = builder->report;
	size_t words = keys_words(report->by, report->by_count);
	struct rows rows = ROWS_OF_WORDS(words, struct report_group);

	for (size_t i = 0; i < cells->count; i++) {
		const struct cell *cell = cell_of(cells, i);
		struct report_group *group = row_of(&rows, cell->key);

		if (group->tally.connections == 0)
			give_keys(builder, group, cell->key);
		tally_cell(&group->tally, cell, cell->key[words]);
	}
	report->groups = rows_release(&rows, &report->group_count);
	sort_top(report->groups, report->group_count, sizeof(report->groups[0]),
		 builder->options->top, compare_groups);
}
