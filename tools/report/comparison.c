/*
 * What is otherwise than it was: the connections of each program to each destination, by
 * verdict, in the time of the report and in the one that it is compared with.
 */
#include "tools/report/builder.h"

#include <stdlib.h>

/* A program and a destination, in both times. */
struct pair {
	struct slice program;
	struct slice destination;
	struct report_tally now;
	struct report_tally before;
};

const char *report_change_name(enum report_change_kind kind)
{
	static const char *const names[REPORT_CHANGES] = {
		[CHANGE_NEW] = "new",     [CHANGE_WORSE] = "worse", [CHANGE_BETTER] = "better",
		[CHANGE_FIXED] = "fixed", [CHANGE_GONE] = "gone",
	};

	return names[kind];
}

/* What somebody has to do something about. */
static bool is_wrong(enum entry_verdict verdict)
{
	return verdict == VERDICT_FAILED || verdict >= VERDICT_AT_RISK;
}

__extension__ typedef unsigned __int128 product;

/* How the share a / b stands to c / d: without rounding. */
static int compare_shares(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	product first = (product)a * d;
	product second = (product)c * b;

	return (first > second) - (first < second);
}

static int compare_changes(const void *a, const void *b)
{
	const struct report_change *first = a;
	const struct report_change *second = b;
	int order = (int)first->kind - (int)second->kind;

	if (order == 0)
		order = (int)second->verdict - (int)first->verdict;
	if (order == 0)
		order = compare_counts(first->now + first->before, second->now + second->before);
	if (order == 0)
		order = slice_compare(first->program, second->program);
	return order ? order : slice_compare(first->destination, second->destination);
}

/* False if it is as it was. */
static bool find_kind(struct report_change *change)
{
	int order = 0;

	if (change->before == 0) {
		change->kind = CHANGE_NEW;
		return true;
	}
	if (change->now == 0) {
		change->kind = change->now_connections ? CHANGE_FIXED : CHANGE_GONE;
		return true;
	}
	order = compare_shares(change->now, change->now_connections, change->before,
			       change->before_connections);
	change->kind = order > 0 ? CHANGE_WORSE : CHANGE_BETTER;
	return order != 0;
}

static void add_change(struct report_comparison *comparison, const struct pair *pair,
		       enum entry_verdict verdict)
{
	struct report_change change = {
		.verdict = verdict,
		.program = pair->program,
		.destination = pair->destination,
		.now = pair->now.verdict[verdict],
		.now_connections = pair->now.connections,
		.before = pair->before.verdict[verdict],
		.before_connections = pair->before.connections,
	};

	if (!is_wrong(verdict) || change.now + change.before == 0)
		return;
	if (!find_kind(&change)) {
		comparison->unchanged++;
		return;
	}
	comparison->count[change.kind]++;
	comparison->row[comparison->row_count++] = change;
}

void build_comparison(struct builder *builder)
{
	const struct cells *cells = view_of(builder, VIEW_COMPARISON);
	const struct filter *compared = &builder->aggregate->options->compared;
	struct report_comparison *comparison = &builder->report->comparison;
	struct rows rows = ROWS_OF_WORDS(COMPARISON_BEFORE, struct pair);
	struct pair *pairs = NULL;
	size_t count = 0;

	comparison->asked = true;
	comparison->since = compared->since;
	comparison->until = compared->until;
	for (size_t i = 0; i < cells->count; i++) {
		const struct cell *cell = cell_of(cells, i);
		struct pair *pair = row_of(&rows, cell->key);

		pair->program = text_of(builder, cell->key[COMPARISON_PROGRAM]);
		pair->destination = text_of(builder, cell->key[COMPARISON_DESTINATION]);
		tally_cell(cell->key[COMPARISON_BEFORE] ? &pair->before : &pair->now, cell,
			   cell->key[COMPARISON_FACTS]);
		if (cell->key[COMPARISON_BEFORE])
			comparison->connections += cell->records;
	}
	pairs = rows_release(&rows, &count);
	/* At most one for each verdict of each cell. */
	comparison->row = table_allocate((cells->count + 1) * sizeof(*comparison->row));
	for (size_t i = 0; i < count; i++) {
		for (unsigned verdict = 0; verdict < ENTRY_VERDICTS; verdict++)
			add_change(comparison, &pairs[i], verdict);
	}
	free(pairs);
	sort(comparison->row, comparison->row_count, sizeof(*comparison->row), compare_changes);
}
