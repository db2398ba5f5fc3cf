/*
 * Hours and days that have connections.
 */
#include "tools/report/builder.h"

static int compare_periods(const void *a, const void *b)
{
	const struct report_period *first = a;
	const struct report_period *second = b;

	return (first->start > second->start) - (first->start < second->start);
}

static void build_days(struct report *report)
{
	report->days = table_allocate(report->hour_count * sizeof(report->days[0]));
	for (size_t i = 0; i < report->hour_count; i++) {
		int64_t start = report->hours[i].start;
		int64_t within = start % MICROSECONDS_PER_DAY;

		start -= within < 0 ? within + MICROSECONDS_PER_DAY : within;
		if (report->day_count == 0 || report->days[report->day_count - 1].start != start)
			report->days[report->day_count++] = (struct report_period){.start = start};
		report_tally_add(&report->days[report->day_count - 1].tally,
				 &report->hours[i].tally);
	}
}

static int64_t day_of(int64_t time)
{
	int64_t within = time % MICROSECONDS_PER_DAY;

	return time - (within < 0 ? within + MICROSECONDS_PER_DAY : within);
}

static void add_gap(struct report *report, int64_t from, int64_t before)
{
	if (from >= before)
		return;
	report->gaps[report->gap_count++] =
		(struct report_gap){.first = from, .last = before - MICROSECONDS_PER_DAY};
}

/* Whole days without a connection, within what was asked for and what can have been. */
static void build_gaps(struct report *report)
{
	const struct filter *filter = report->filter;
	int64_t next = 0;

	if (report->day_count == 0)
		return;
	report->gaps = table_allocate((report->day_count + 1) * sizeof(report->gaps[0]));
	next = report->days[0].start;
	/* A day of which only a part was asked for is not one that has a gap. */
	if (filter && filter->has_since && filter->since < next)
		next = day_of(filter->since + MICROSECONDS_PER_DAY - 1);
	for (size_t i = 0; i < report->day_count; i++) {
		add_gap(report, next, report->days[i].start);
		next = report->days[i].start + MICROSECONDS_PER_DAY;
	}
	if (filter && filter->has_until)
		add_gap(report, next, day_of(filter->until));
}

void build_periods(struct builder *builder)
{
	struct report *report = builder->report;
	const struct aggregate *aggregate = builder->aggregate;

	report->hours = table_allocate(aggregate->hour_numbers.count * sizeof(report->hours[0]));
	for (size_t i = 0; i < aggregate->hour_numbers.count; i++)
		report->hours[report->hour_count++] = (struct report_period){
			.start = aggregate->hours[i].number * MICROSECONDS_PER_HOUR,
			.tally = aggregate->hours[i].tally};
	sort(report->hours, report->hour_count, sizeof(report->hours[0]), compare_periods);
	build_days(report);
	build_gaps(report);
}
