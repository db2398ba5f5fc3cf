/*
 * What each host wrote and what arrived of it, by the day; and who has fallen silent.
 */
#include "tools/report/builder.h"

struct day_key {
	uint32_t host;
	uint32_t day;
};

static int compare_deliveries(const void *a, const void *b)
{
	const struct report_delivery *first = a;
	const struct report_delivery *second = b;
	int order = slice_compare(first->host, second->host);

	return order ? order : (first->day > second->day) - (first->day < second->day);
}

static int compare_losses(const void *a, const void *b)
{
	const struct report_delivery *first = a;
	const struct report_delivery *second = b;

	if (first->lost != second->lost)
		return compare_counts(first->lost, second->lost);
	return compare_deliveries(a, b);
}

static int compare_silences(const void *a, const void *b)
{
	const struct report_silence *first = a;
	const struct report_silence *second = b;

	if (first->days != second->days)
		return compare_counts(first->days, second->days);
	return slice_compare(first->host, second->host);
}

static struct report_delivery *delivery_of(struct builder *builder, struct rows *rows,
					   uint32_t host, uint32_t day)
{
	struct report_delivery *delivery = row_of(rows, &(struct day_key){host, day});

	delivery->host = text_of(builder, host);
	delivery->day = (int64_t)(int32_t)day * MICROSECONDS_PER_DAY;
	return delivery;
}

/* The highest number that a process had on the day before, if it was lower; else one less than
 * its lowest: what came before that nobody knows. */
static int64_t begin_of(const struct cell *cell, const struct cells *cells)
{
	uint32_t key[PROCESSES_WORDS];
	size_t slot;
	uint32_t hash;

	memcpy(key, cell->key, sizeof(key));
	key[PROCESSES_DAY]--;
	hash = table_hash(key, sizeof(key));
	for (slot = index_slot(&cells->index, hash); index_is_taken(&cells->index, slot);
	     slot = index_next(&cells->index, slot)) {
		const struct cell *before = cell_of(cells, index_number(&cells->index, slot));

		if (memcmp(before->key, key, sizeof(key)) == 0)
			return before->last < cell->first ? before->last : cell->first - 1;
	}
	return cell->first - 1;
}

static void add_losses(struct builder *builder, struct rows *rows)
{
	const struct cells *processes = view_of(builder, VIEW_PROCESSES);
	const struct cells *told = view_of(builder, VIEW_MISSING);

	for (size_t i = 0; i < processes->count; i++) {
		const struct cell *cell = cell_of(processes, i);
		int64_t written = cell->last - begin_of(cell, processes);

		if (written > (int64_t)cell->records)
			delivery_of(builder, rows, cell->key[PROCESSES_HOST],
				    cell->key[PROCESSES_DAY])
				->lost += (uint64_t)written - cell->records;
	}
	for (size_t i = 0; i < told->count; i++) {
		const struct cell *cell = cell_of(told, i);

		delivery_of(builder, rows, cell->key[ARRIVED_HOST], cell->key[ARRIVED_DAY])->lost +=
			cell->records;
	}
}

/* The day before the first one that was asked for was only looked at for where that begins. */
static void leave_out_day_before(struct report *report)
{
	const struct filter *filter = report->filter;
	int64_t since = filter && filter->has_since ? filter->since : INT64_MIN;
	size_t kept = 0;

	for (size_t i = 0; i < report->delivery_count; i++) {
		const struct report_delivery *delivery = &report->deliveries[i];

		if (since != INT64_MIN && delivery->day + MICROSECONDS_PER_DAY <= since)
			continue;
		report->arrived += delivery->arrived;
		report->missing += delivery->lost;
		report->deliveries[kept++] = *delivery;
	}
	report->delivery_count = kept;
}

static void find_losses(struct report *report)
{
	report->losses = table_allocate((report->delivery_count + 1) * sizeof(report->losses[0]));
	for (size_t i = 0; i < report->delivery_count; i++) {
		if (report->deliveries[i].lost)
			report->losses[report->loss_count++] = report->deliveries[i];
	}
	sort(report->losses, report->loss_count, sizeof(report->losses[0]), compare_losses);
}

static uint64_t days_between(int64_t first, int64_t last)
{
	int64_t days = (last - first) / MICROSECONDS_PER_DAY - 1;

	return days > 0 ? (uint64_t)days : 0;
}

/* The deliveries are in order of hosts, and then of days. */
static void find_silences(struct report *report)
{
	struct report_silence silence = {0};
	int64_t end = INT64_MIN;

	for (size_t i = 0; i < report->delivery_count; i++) {
		if (report->deliveries[i].day > end)
			end = report->deliveries[i].day;
	}
	report->silences =
		table_allocate((report->delivery_count + 1) * sizeof(report->silences[0]));
	for (size_t i = 0; i < report->delivery_count; i++) {
		const struct report_delivery *here = &report->deliveries[i];
		bool first = i == 0 || !slice_equal(here[-1].host, here->host);
		bool last =
			i + 1 == report->delivery_count || !slice_equal(here[1].host, here->host);
		uint64_t days = first ? 0 : days_between(here[-1].day, here->day);

		if (first)
			silence = (struct report_silence){.host = here->host};
		if (days > silence.longest_before)
			silence.longest_before = days;
		silence.last = here->day;
		/* The last day itself is not over yet. */
		silence.days = days_between(here->day, end);
		if (last && here->host.length && silence.days > silence.longest_before)
			report->silences[report->silence_count++] = silence;
	}
	sort(report->silences, report->silence_count, sizeof(report->silences[0]),
	     compare_silences);
}

void build_deliveries(struct builder *builder)
{
	struct report *report = builder->report;
	const struct cells *arrived = view_of(builder, VIEW_ARRIVED);
	struct rows rows = ROWS_OF(struct day_key, struct report_delivery);

	for (size_t i = 0; i < arrived->count; i++) {
		const struct cell *cell = cell_of(arrived, i);
		struct report_delivery *delivery = delivery_of(
			builder, &rows, cell->key[ARRIVED_HOST], cell->key[ARRIVED_DAY]);

		delivery->arrived += cell->records;
		delivery->is_numbered = cell->last == 0;
	}
	add_losses(builder, &rows);
	report->deliveries = rows_release(&rows, &report->delivery_count);
	sort(report->deliveries, report->delivery_count, sizeof(report->deliveries[0]),
	     compare_deliveries);
	leave_out_day_before(report);
	find_losses(report);
	find_silences(report);
}
