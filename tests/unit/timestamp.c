/*
 * Times of records, of users, and as they are shown.
 */
#include "tools/base/timestamp.h"

#include <stdlib.h>
#include <time.h>

#include <criterion/criterion.h>

/* 2026-11-23 13:05:07 UTC, a Monday. */
#define NOW (INT64_C(1795439107) * MICROSECONDS_PER_SECOND)

static void expect_time(const char *text, int64_t expected)
{
	int64_t time = 0;

	cr_assert(timestamp_parse(slice_of(text), &time), "%s", text);
	cr_expect_eq(time, expected, "%s: %lld", text, (long long)time);
}

Test(timestamp, reads_rfc_3339)
{
	expect_time("2026-11-23T13:05:07Z", NOW);
	expect_time("2026-11-23t13:05:07z", NOW);
	expect_time("2026-11-23 13:05:07Z", NOW);
	expect_time("2026-11-23T13:05:07.123456Z", NOW + 123456);
	expect_time("2026-11-23T13:05:07.1Z", NOW + 100000);
	expect_time("2026-11-23T13:05:07.123456789Z", NOW + 123456);
	expect_time("2026-11-23T14:05:07+01:00", NOW);
	expect_time("2026-11-23T08:35:07-04:30", NOW);
	expect_time("2026-11-23T13:05:07+0000", NOW);
	expect_time("1970-01-01T00:00:00Z", 0);
	expect_time("1969-12-31T23:59:59.999999Z", -1);
	expect_time("2000-02-29T00:00:00Z", INT64_C(951782400) * MICROSECONDS_PER_SECOND);
	expect_time("2016-12-31T23:59:60Z", INT64_C(1483228800) * MICROSECONDS_PER_SECOND);
}

Test(timestamp, refuses_what_is_no_time)
{
	static const char *const wrong[] = {
		"",
		"2026-11-23",
		"2026-11-23T13:05:07",
		"2026-11-23T13:05Z",
		"2026-02-29T13:05:07Z",
		"2026-13-01T13:05:07Z",
		"2026-00-01T13:05:07Z",
		"2026-11-31T13:05:07Z",
		"2026-11-23T24:05:07Z",
		"2026-11-23T13:60:07Z",
		"2026-11-23T13:05:61Z",
		"2026-11-23T13:05:07.Z",
		"2026-11-23T13:05:07Zx",
		"2026-11-23T13:05:07+25:00",
		"-026-11-23T13:05:07Z",
		"2026-11-23T1a:05:07Z",
		"now",
	};
	int64_t time = 0;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		cr_expect_not(timestamp_parse(slice_of(wrong[i]), &time), "%s", wrong[i]);
}

Test(timestamp, agrees_with_the_library_for_every_day_of_four_centuries)
{
	char text[TIMESTAMP_TEXT_MAX];

	for (int64_t day = -40000; day < 110000; day += 1) {
		int64_t time = day * MICROSECONDS_PER_DAY + 86399999999;
		int64_t read = 0;
		size_t length = timestamp_print(text, time, TIMESTAMP_RFC3339);

		cr_assert(timestamp_parse((struct slice){text, length}, &read), "%s", text);
		cr_assert_eq(read, time, "%s", text);
	}
}

static int64_t user(const char *text)
{
	int64_t time = INT64_MIN;

	cr_expect(timestamp_from_user(text, NOW, &time), "%s", text);
	return time;
}

static void in_berlin(void)
{
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
}

TestSuite(timestamp_user, .init = in_berlin);

Test(timestamp_user, takes_spans_before_now)
{
	const int64_t hour = MICROSECONDS_PER_HOUR;

	cr_expect_eq(user("2h"), NOW - 2 * hour);
	cr_expect_eq(user("-2h"), NOW - 2 * hour);
	cr_expect_eq(user("2 hours ago"), NOW - 2 * hour);
	cr_expect_eq(user("30min"), NOW - hour / 2);
	cr_expect_eq(user("1h30min"), NOW - hour - hour / 2);
	cr_expect_eq(user("1.5h"), NOW - hour - hour / 2);
	cr_expect_eq(user("3d"), NOW - 72 * hour);
	cr_expect_eq(user("1w 1d ago"), NOW - 192 * hour);
	cr_expect_eq(user("10s"), NOW - 10 * MICROSECONDS_PER_SECOND);
}

Test(timestamp_user, takes_dates_and_clocks_of_the_local_zone)
{
	const int64_t midnight = INT64_C(1795388400) * MICROSECONDS_PER_SECOND; /* in Berlin */
	const int64_t hour = MICROSECONDS_PER_HOUR;

	cr_expect_eq(user("2026-11-23"), midnight);
	cr_expect_eq(user("2026-11-23 14:00"), midnight + 14 * hour);
	cr_expect_eq(user("2026-11-23T14:00:00.5"), midnight + 14 * hour + 500000);
	cr_expect_eq(user("2026-11-23T13:05:07Z"), NOW);
	cr_expect_eq(user("08:30"), midnight + 8 * hour + hour / 2);
	cr_expect_eq(user("today"), midnight);
	cr_expect_eq(user("yesterday"), midnight - 24 * hour);
	cr_expect_eq(user("tomorrow"), midnight + 24 * hour);
	cr_expect_eq(user("now"), NOW);
	cr_expect_eq(user("@1795439107"), NOW);
	/* In summer time. */
	cr_expect_eq(user("2026-07-01 02:00"), INT64_C(1782864000) * MICROSECONDS_PER_SECOND);
}

Test(timestamp_user, refuses_what_is_no_time)
{
	static const char *const wrong[] = {
		"",      "x",    "2",  "2x",           "h",    "ago", "2026-11",
		"25:00", "2h x", "@",  "2026-11-23 x", "--2h", "0h",  "nan",
		"-",     "2h1",  "@1x"};
	int64_t time = 0;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		cr_expect_not(timestamp_from_user(wrong[i], NOW, &time), "%s", wrong[i]);
}

Test(timestamp, prints_every_style)
{
	char text[TIMESTAMP_TEXT_MAX];

	timestamp_print(text, NOW + 5, TIMESTAMP_RFC3339);
	cr_expect_str_eq(text, "2026-11-23T13:05:07.000005Z");
	timestamp_print(text, NOW, TIMESTAMP_MINUTE);
	cr_expect_str_eq(text, "2026-11-23 13:05");
	timestamp_print(text, NOW, TIMESTAMP_HOUR);
	cr_expect_str_eq(text, "2026-11-23 13:00");
	timestamp_print(text, NOW, TIMESTAMP_DAY);
	cr_expect_str_eq(text, "2026-11-23");
	timestamp_print(text, -1, TIMESTAMP_RFC3339);
	cr_expect_str_eq(text, "1969-12-31T23:59:59.999999Z");
}
