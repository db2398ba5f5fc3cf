/*
 * Hours put together into bars: the unit by the span, no gap, and calendar months.
 */
#include "tools/report/timeline.h"

#include <criterion/criterion.h>

#include "tools/base/timestamp.h"

static int64_t at(const char *text)
{
	int64_t time = 0;

	cr_assert(timestamp_parse(slice_of(text), &time), "%s", text);
	return time;
}

static struct report_period hour(const char *text, uint64_t connections)
{
	return (struct report_period){
		.start = at(text),
		.tally = {.connections = connections,
			  .version[VERSION_TLS_1_3] = connections,
			  .first = at(text),
			  .last = at(text)},
	};
}

static struct timeline make(struct report_period *hours, size_t count)
{
	struct report report = {.hours = hours, .hour_count = count};

	return timeline_make(&report);
}

static void expect_span(const char *first, const char *last, enum timeline_unit unit, size_t count,
			const char *first_label, const char *last_label)
{
	struct report_period hours[] = {hour(first, 2), hour(last, 3)};
	struct timeline timeline = make(hours, 2);
	char label[TIMELINE_LABEL_MAX];

	cr_expect_eq(timeline.unit, unit, "%s to %s: %s", first, last,
		     timeline_unit_name(timeline.unit));
	cr_assert_eq(timeline.count, count, "%s to %s: %zu", first, last, timeline.count);
	timeline_label(label, unit, timeline.bar[0].start);
	cr_expect_str_eq(label, first_label);
	timeline_label(label, unit, timeline.bar[count - 1].start);
	cr_expect_str_eq(label, last_label);
	cr_expect_eq(timeline.bar[0].tally.version[VERSION_TLS_1_3], 2);
	cr_expect_eq(timeline.bar[count - 1].tally.connections, 3);
	cr_expect_eq(timeline.highest, 3);
	timeline_free(&timeline);
}

Test(timeline, takes_the_unit_that_the_span_asks_for)
{
	expect_span("2026-11-23T00:00:00Z", "2026-11-25T23:00:00Z", TIMELINE_HOUR, 72,
		    "2026-11-23 00:00", "2026-11-25 23:00");
	expect_span("2026-11-23T00:00:00Z", "2026-11-26T00:00:00Z", TIMELINE_DAY, 4, "2026-11-23",
		    "2026-11-26");
	/* 2026-11-23 is a Monday. */
	expect_span("2025-11-23T00:00:00Z", "2026-11-23T00:00:00Z", TIMELINE_WEEK, 54, "2025-11-17",
		    "2026-11-23");
	expect_span("2020-12-31T23:00:00Z", "2026-01-01T00:00:00Z", TIMELINE_MONTH, 62, "2020-12",
		    "2026-01");
	expect_span("1970-01-01T00:00:00Z", "2026-01-01T00:00:00Z", TIMELINE_YEAR, 57, "1970",
		    "2026");
	expect_span("1600-01-01T00:00:00Z", "2026-01-01T00:00:00Z", TIMELINE_CENTURY, 5, "1600",
		    "2000");
}

Test(timeline, counts_before_1970_as_well)
{
	expect_span("1969-12-31T23:00:00Z", "1970-01-01T00:00:00Z", TIMELINE_HOUR, 2,
		    "1969-12-31 23:00", "1970-01-01 00:00");
	expect_span("1969-12-28T00:00:00Z", "1970-06-01T00:00:00Z", TIMELINE_WEEK, 24, "1969-12-22",
		    "1970-06-01");
}

Test(timeline, adds_up_and_leaves_no_gap)
{
	struct report_period hours[] = {
		hour("2026-11-01T01:00:00Z", 1),
		hour("2026-11-01T23:00:00Z", 2),
		hour("2026-11-05T00:00:00Z", 4),
	};
	struct timeline timeline = make(hours, 3);

	cr_assert_eq(timeline.count, 5);
	cr_expect_eq(timeline.bar[0].tally.connections, 3);
	cr_expect_eq(timeline.bar[0].tally.last, hours[1].start);
	cr_expect_eq(timeline.bar[2].tally.connections, 0);
	cr_expect_eq(timeline.bar[4].tally.connections, 4);
	timeline_free(&timeline);
}

Test(timeline, has_no_bars_without_connections)
{
	struct timeline timeline = make(NULL, 0);

	cr_expect_eq(timeline.count, 0);
	timeline_free(&timeline);
}
