/*
 * The sums over all: records by kind, connections by version, verdict and the rest.
 */
#include "tools/report/builder.h"

static void count_records(struct report_records *records, enum entry_action action, uint64_t count)
{
	records->all += count;
	switch (action) {
	case ACTION_HANDSHAKE:
		records->handshakes += count;
		break;
	case ACTION_PLAINTEXT_MAIL:
		records->plaintext_mails += count;
		break;
	case ACTION_SESSION:
		records->clear_sessions += count;
		break;
	case ACTION_SETTING:
		records->settings += count;
		break;
	case ACTION_BLIND_SPOT:
		records->blind_spots += count;
		break;
	case ACTION_LOST:
		records->lost_notices += count;
		break;
	case ACTION_CONFIGURATION_ERROR:
		records->configuration_errors += count;
		break;
	case ACTION_OTHER:
		records->other += count;
		break;
	}
}

static void add_totals(struct report *report, const struct cell *cell)
{
	uint32_t facts = cell->key[TOTALS_FACTS];
	enum entry_action action = fact_get(facts, FACT_ACTION);

	if (report->records.all == 0 || cell->first < report->first)
		report->first = cell->first;
	if (report->records.all == 0 || cell->last > report->last)
		report->last = cell->last;
	count_records(&report->records, action, cell->records);
	if (!action_is_connection(action))
		return;
	tally_cell(&report->total, cell, facts);
	report->limited_by[fact_get(facts, FACT_LIMIT)] += cell->records;
	report->certificate[fact_get(facts, FACT_CERTIFICATE)] += cell->records;
	report->floor[fact_get(facts, FACT_FLOOR)] += cell->records;
	if (fact_get(facts, FACT_CONFLICT))
		report->conflicts += cell->records;
}

void build_totals(struct builder *builder)
{
	const struct cells *cells = view_of(builder, VIEW_TOTALS);

	for (size_t i = 0; i < cells->count; i++)
		add_totals(builder->report, cell_of(cells, i));
	builder->report->records.lost = builder->aggregate->lost;
	builder->report->records.filtered_out = builder->aggregate->filtered_out;
	builder->report->records.doubles = builder->aggregate->doubles;
	builder->report->doubles_missed = builder->aggregate->options->doubles &&
					  doubles_overflowed(builder->aggregate->options->doubles);
}
