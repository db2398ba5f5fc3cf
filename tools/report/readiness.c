/*
 * Which connections would fail on the day on which servers require a version.
 */
#include "tools/report/builder.h"

static int compare_unready(const void *a, const void *b)
{
	const struct report_unready *first = a;
	const struct report_unready *second = b;
	int order = compare_counts(first->connections, second->connections);

	if (order == 0)
		order = slice_compare(first->program, second->program);
	if (order == 0)
		order = slice_compare(first->place, second->place);
	if (order == 0)
		order = slice_compare(first->user, second->user);
	return order ? order : slice_compare(first->service, second->service);
}

void build_readiness(struct builder *builder)
{
	const struct cells *cells = view_of(builder, VIEW_READINESS);
	struct report *report = builder->report;
	struct report_readiness *readiness = &report->readiness;
	struct rows rows = ROWS_OF_WORDS(READINESS_WORDS, struct report_unready);

	readiness->required = builder->aggregate->options->required;
	readiness->connections = builder->aggregate->not_ready;
	readiness->unknown = builder->aggregate->ready_unknown;
	readiness->mail = report->total.connections - report->records.clear_sessions;
	for (size_t i = 0; i < cells->count; i++) {
		const struct cell *cell = cell_of(cells, i);
		struct report_unready *row = row_of(&rows, cell->key);

		row->program = text_of(builder, cell->key[READINESS_PROGRAM]);
		row->user = text_of(builder, cell->key[READINESS_USER]);
		row->service = text_of(builder, cell->key[READINESS_SERVICE]);
		row->place = keep_place_text(builder, text_of(builder, cell->key[READINESS_FILE]),
					     cell->key[READINESS_LINE],
					     text_of(builder, cell->key[READINESS_FUNCTION]));
		row->connections += cell->records;
		row->last = cell->last;
	}
	readiness->row = rows_release(&rows, &readiness->count);
	sort(readiness->row, readiness->count, sizeof(readiness->row[0]), compare_unready);
}
