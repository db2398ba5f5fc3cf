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
}
