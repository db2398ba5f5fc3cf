/*
 * Knows the calendar; must not know formats.
 *
 * A bar's number is its unit counted from a fixed beginning; so bars can be
 * counted, and numbered without gaps.
 */
#include "tools/report/timeline.h"

#include <stdlib.h>
#include <time.h>

#include "tools/base/table.h"
#include "tools/base/timestamp.h"

/* 1970-01-01 was a Thursday: the third day of a week that began on a Monday. */
#define DAYS_BEFORE_EPOCH_IN_ITS_WEEK 3

static const struct {
	const char *name;
	int64_t most; /* more bars than this, and the next unit is taken */
	const char *label;
} units[TIMELINE_UNITS] = {
	[TIMELINE_HOUR] = {"hour", 72, "%Y-%m-%d %H:00"},
	[TIMELINE_DAY] = {"day", 93, "%Y-%m-%d"},
	[TIMELINE_WEEK] = {"week", 106, "%Y-%m-%d"},
	[TIMELINE_MONTH] = {"month", 120, "%Y-%m"},
	[TIMELINE_YEAR] = {"year", 120, "%Y"},
	[TIMELINE_CENTURY] = {"century", INT64_MAX, "%Y"},
};

static int64_t divide_down(int64_t number, int64_t by)
{
	return number / by - (number % by < 0);
}

static struct tm calendar(int64_t microseconds)
{
	time_t seconds = (time_t)divide_down(microseconds, MICROSECONDS_PER_SECOND);
	struct tm utc = {0};

	gmtime_r(&seconds, &utc);
	return utc;
}

static int64_t number_of(enum timeline_unit unit, int64_t time)
{
	int64_t day = divide_down(time, MICROSECONDS_PER_DAY);
	int64_t year = 0;

	if (unit == TIMELINE_HOUR)
		return divide_down(time, MICROSECONDS_PER_HOUR);
	if (unit == TIMELINE_DAY)
		return day;
	if (unit == TIMELINE_WEEK)
		return divide_down(day + DAYS_BEFORE_EPOCH_IN_ITS_WEEK, 7);
	year = calendar(time).tm_year + INT64_C(1900);
	if (unit == TIMELINE_MONTH)
		return year * 12 + calendar(time).tm_mon;
	return unit == TIMELINE_YEAR ? year : divide_down(year, 100);
}

static int64_t start_of(enum timeline_unit unit, int64_t number)
{
	struct tm utc = {.tm_mday = 1};

	if (unit == TIMELINE_HOUR)
		return number * MICROSECONDS_PER_HOUR;
	if (unit == TIMELINE_DAY)
		return number * MICROSECONDS_PER_DAY;
	if (unit == TIMELINE_WEEK)
		return (number * 7 - DAYS_BEFORE_EPOCH_IN_ITS_WEEK) * MICROSECONDS_PER_DAY;
	if (unit == TIMELINE_MONTH) {
		utc.tm_year = (int)divide_down(number, 12) - 1900;
		utc.tm_mon = (int)(number - divide_down(number, 12) * 12);
	} else {
		utc.tm_year = (int)(unit == TIMELINE_YEAR ? number : number * 100) - 1900;
	}
	return (int64_t)timegm(&utc) * MICROSECONDS_PER_SECOND;
}

struct timeline timeline_make(const struct report *report)
{
	struct timeline timeline = {.unit = TIMELINE_HOUR};
	int64_t first = 0;
	int64_t last = 0;

	if (report->hour_count == 0)
		return timeline;
	for (;; timeline.unit++) {
		first = number_of(timeline.unit, report->hours[0].start);
		last = number_of(timeline.unit, report->hours[report->hour_count - 1].start);
		if (last - first < units[timeline.unit].most)
			break;
	}
	timeline.count = (size_t)(last - first + 1);
	timeline.bar = table_allocate(timeline.count * sizeof(timeline.bar[0]));
	for (size_t i = 0; i < timeline.count; i++)
		timeline.bar[i] = (struct report_period){
			.start = start_of(timeline.unit, first + (int64_t)i)};
	for (size_t i = 0; i < report->hour_count; i++) {
		const struct report_period *hour = &report->hours[i];
		int64_t number = number_of(timeline.unit, hour->start) - first;
		struct report_tally *tally = &timeline.bar[number].tally;

		report_tally_add(tally, &hour->tally);
		if (tally->connections > timeline.highest)
			timeline.highest = tally->connections;
	}
	return timeline;
}

void timeline_free(struct timeline *timeline)
{
	free(timeline->bar);
	*timeline = (struct timeline){0};
}

const char *timeline_unit_name(enum timeline_unit unit)
{
	return units[unit].name;
}

void timeline_label(char label[TIMELINE_LABEL_MAX], enum timeline_unit unit, int64_t start)
{
	struct tm utc = calendar(start);

	if (strftime(label, TIMELINE_LABEL_MAX, units[unit].label, &utc) == 0)
		label[0] = '\0';
}
