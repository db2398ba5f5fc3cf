/*
 * Knows calendars and clocks; must not know records.
 */
#include "tools/base/timestamp.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

/*
 * Days since 1970-01-01 of a date in the Gregorian calendar. The year is taken
 * to begin in March, so that the leap day is its last.
 */
static int64_t days_from_date(int64_t year, unsigned month, unsigned day)
{
	int64_t shifted = year - (month <= 2);
	int64_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
	unsigned year_of_era = (unsigned)(shifted - era * 400);
	unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + (int64_t)day_of_era - 719468;
}

static unsigned days_in_month(unsigned year, unsigned month)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap ? 1U : 0U);
}

/* Exactly `count` digits off the front of `text`. */
static bool parse_digits(struct slice *text, size_t count, unsigned *value)
{
	unsigned number = 0;

	if (text->length < count)
		return false;
	for (size_t i = 0; i < count; i++) {
		unsigned digit = (unsigned)(unsigned char)text->start[i] - '0';

		if (digit > 9)
			return false;
		number = number * 10 + digit;
	}
	text->start += count;
	text->length -= count;
	*value = number;
	return true;
}

static bool parse_character(struct slice *text, const char *accepted)
{
	if (text->length == 0 || text->start[0] == '\0' || !strchr(accepted, text->start[0]))
		return false;
	text->start++;
	text->length--;
	return true;
}

struct date {
	unsigned year;
	unsigned month;
	unsigned day;
};

struct clock {
	unsigned hour;
	unsigned minute;
	unsigned second; /* 60 in a leap second */
	unsigned microsecond;
};

static bool parse_date(struct slice *text, struct date *date)
{
	return parse_digits(text, 4, &date->year) && parse_character(text, "-") &&
	       parse_digits(text, 2, &date->month) && parse_character(text, "-") &&
	       parse_digits(text, 2, &date->day) && date->month >= 1 && date->month <= 12 &&
	       date->day >= 1 && date->day <= days_in_month(date->year, date->month);
}

/* The digits behind the point: any number of them, six of which count. */
static bool parse_fraction(struct slice *text, unsigned *microsecond)
{
	unsigned scale = 100000;
	unsigned digit = 0;
	unsigned value = 0;

	if (!parse_digits(text, 1, &digit))
		return false;
	do {
		value += digit * scale;
		scale /= 10;
	} while (parse_digits(text, 1, &digit));
	*microsecond = value;
	return true;
}

static bool parse_clock(struct slice *text, struct clock *clock, bool seconds_needed)
{
	if (!parse_digits(text, 2, &clock->hour) || !parse_character(text, ":") ||
	    !parse_digits(text, 2, &clock->minute) || clock->hour > 23 || clock->minute > 59)
		return false;
	if (!parse_character(text, ":"))
		return !seconds_needed;
	if (!parse_digits(text, 2, &clock->second) || clock->second > 60)
		return false;
	return !parse_character(text, ".,") || parse_fraction(text, &clock->microsecond);
}

/* "Z" or "+01:00": seconds east of UTC. */
static bool parse_zone(struct slice *text, int64_t *seconds)
{
	bool west = text->length > 0 && text->start[0] == '-';
	unsigned hours = 0;
	unsigned minutes = 0;

	*seconds = 0;
	if (parse_character(text, "Zz"))
		return true;
	if (!parse_character(text, "+-") || !parse_digits(text, 2, &hours))
		return false;
	parse_character(text, ":");
	if (!parse_digits(text, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*seconds = (int64_t)(hours * 3600 + minutes * 60) * (west ? -1 : 1);
	return true;
}

static int64_t microseconds_of(const struct date *date, const struct clock *clock)
{
	int64_t seconds = days_from_date(date->year, date->month, date->day) * 86400 +
			  (int64_t)clock->hour * 3600 + (int64_t)clock->minute * 60 + clock->second;

	return seconds * MICROSECONDS_PER_SECOND + clock->microsecond;
}

bool timestamp_parse(struct slice text, int64_t *microseconds)
{
	struct date date = {0};
	struct clock clock = {0};
	int64_t east = 0;

	if (!parse_date(&text, &date) || !parse_character(&text, "Tt ") ||
	    !parse_clock(&text, &clock, true) || !parse_zone(&text, &east) || text.length > 0)
		return false;
	*microseconds = microseconds_of(&date, &clock) - east * MICROSECONDS_PER_SECOND;
	return true;
}

int64_t timestamp_now(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * MICROSECONDS_PER_SECOND + now.tv_nsec / 1000;
}

/* A date and a clock as the local time zone has them. */
static bool from_local(const struct date *date, const struct clock *clock, int64_t *microseconds)
{
	struct tm local = {
		.tm_year = (int)date->year - 1900,
		.tm_mon = (int)date->month - 1,
		.tm_mday = (int)date->day,
		.tm_hour = (int)clock->hour,
		.tm_min = (int)clock->minute,
		.tm_sec = (int)clock->second,
		.tm_isdst = -1,
	};
	time_t seconds = mktime(&local);

	/* -1 is also the last second of 1969, which no log of ours is from. */
	if (seconds == -1)
		return false;
	*microseconds = (int64_t)seconds * MICROSECONDS_PER_SECOND + clock->microsecond;
	return true;
}

/* The local date `days` from that of `now`; mktime takes care of a day beyond the month's end. */
static bool local_date(int64_t now, int days, struct date *date)
{
	time_t seconds = (time_t)(now / MICROSECONDS_PER_SECOND);
	struct tm local;

	if (!localtime_r(&seconds, &local))
		return false;
	local.tm_mday += days;
	local.tm_hour = 12;
	local.tm_isdst = -1;
	if (mktime(&local) == -1)
		return false;
	*date = (struct date){(unsigned)local.tm_year + 1900, (unsigned)local.tm_mon + 1,
			      (unsigned)local.tm_mday};
	return true;
}

static bool from_word(const char *text, int64_t now, int64_t *microseconds)
{
	static const struct {
		const char *name;
		int days;
	} words[] = {{"yesterday", -1}, {"today", 0}, {"tomorrow", 1}};
	const struct clock midnight = {0};
	struct date date;

	if (strcasecmp(text, "now") == 0) {
		*microseconds = now;
		return true;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(text, words[i].name) == 0)
			return local_date(now, words[i].days, &date) &&
			       from_local(&date, &midnight, microseconds);
	}
	return false;
}

static bool from_epoch(const char *text, int64_t *microseconds)
{
	char *end = NULL;
	double seconds = 0;

	if (text[0] != '@' || !isdigit((unsigned char)text[1]))
		return false;
	seconds = strtod(text + 1, &end);
	if (*end != '\0' || seconds > 1e11)
		return false;
	*microseconds = (int64_t)(seconds * (double)MICROSECONDS_PER_SECOND);
	return true;
}

/* systemd.time(7)'s units, as far as they make sense for a log. */
static const struct {
	const char *name;
	int64_t seconds;
} units[] = {
	{"seconds", 1},      {"second", 1},      {"sec", 1},          {"s", 1},
	{"minutes", 60},     {"minute", 60},     {"min", 60},         {"m", 60},
	{"hours", 3600},     {"hour", 3600},     {"hr", 3600},        {"h", 3600},
	{"days", 86400},     {"day", 86400},     {"d", 86400},        {"weeks", 604800},
	{"week", 604800},    {"w", 604800},      {"months", 2629800}, {"month", 2629800},
	{"years", 31557600}, {"year", 31557600}, {"y", 31557600},
};

static int64_t unit_seconds(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strlen(units[i].name) == length &&
		    strncasecmp(units[i].name, name, length) == 0)
			return units[i].seconds;
	}
	return 0;
}

static const char *skip_spaces(const char *text)
{
	while (*text == ' ')
		text++;
	return text;
}

/* One "30min" off the front, added to `seconds`; NULL if there is none. */
static const char *parse_span(const char *text, double *seconds)
{
	char *end = NULL;
	double count = 0;
	size_t length = 0;
	int64_t unit = 0;

	if (!isdigit((unsigned char)*text))
		return NULL;
	count = strtod(text, &end);
	text = skip_spaces(end);
	while (isalpha((unsigned char)text[length]))
		length++;
	unit = unit_seconds(text, length);
	if (unit == 0)
		return NULL;
	*seconds += count * (double)unit;
	return skip_spaces(text + length);
}

/* "2h", "1h 30min ago", "-2h": all before now. */
static bool from_span(const char *text, int64_t now, int64_t *microseconds)
{
	double seconds = 0;

	text += *text == '-';
	while (*text && strcasecmp(text, "ago") != 0) {
		text = parse_span(text, &seconds);
		if (!text)
			return false;
	}
	if (seconds <= 0 || seconds > 1e11)
		return false;
	*microseconds = now - (int64_t)(seconds * (double)MICROSECONDS_PER_SECOND);
	return true;
}

static bool from_calendar(const char *text, int64_t now, int64_t *microseconds)
{
	struct slice rest = slice_of(text);
	struct date date = {0};
	struct clock clock = {0};

	if (!parse_date(&rest, &date)) {
		rest = slice_of(text);
		return parse_clock(&rest, &clock, false) && rest.length == 0 &&
		       local_date(now, 0, &date) && from_local(&date, &clock, microseconds);
	}
	if (rest.length > 0 &&
	    (!parse_character(&rest, "Tt ") || !parse_clock(&rest, &clock, false)))
		return false;
	return rest.length == 0 && from_local(&date, &clock, microseconds);
}

bool timestamp_from_user(const char *text, int64_t now, int64_t *microseconds)
{
	return timestamp_parse(slice_of(text), microseconds) ||
	       from_word(text, now, microseconds) || from_epoch(text, microseconds) ||
	       from_calendar(text, now, microseconds) || from_span(text, now, microseconds);
}

static bool is_same_clock(time_t a, time_t b)
{
	struct tm first = {0};
	struct tm second = {0};

	localtime_r(&a, &first);
	localtime_r(&b, &second);
	return first.tm_hour == second.tm_hour && first.tm_min == second.tm_min &&
	       first.tm_mday == second.tm_mday;
}

bool timestamp_is_repeated(const char *text, int64_t microseconds)
{
	time_t time = (time_t)(microseconds / MICROSECONDS_PER_SECOND);
	int64_t unused = 0;

	/* Only a date or a clock is in the zone of this machine. */
	if (!from_calendar(text, microseconds, &unused) || timestamp_parse(slice_of(text), &unused))
		return false;
	return is_same_clock(time, time + 3600) || is_same_clock(time, time - 3600);
}

size_t timestamp_print(char out[TIMESTAMP_TEXT_MAX], int64_t microseconds,
		       enum timestamp_style style)
{
	static const char *const formats[] = {
		[TIMESTAMP_SECOND] = "%Y-%m-%d %H:%M:%S",
		[TIMESTAMP_MINUTE] = "%Y-%m-%d %H:%M",
		[TIMESTAMP_DAY] = "%Y-%m-%d",
		[TIMESTAMP_HOUR] = "%Y-%m-%d %H:00",
		[TIMESTAMP_RFC3339] = "%Y-%m-%dT%H:%M:%S",
	};
	int64_t fraction = microseconds % MICROSECONDS_PER_SECOND;
	time_t seconds = 0;
	struct tm utc = {0};
	size_t length = 0;

	if (fraction < 0)
		fraction += MICROSECONDS_PER_SECOND;
	seconds = (time_t)((microseconds - fraction) / MICROSECONDS_PER_SECOND);
	gmtime_r(&seconds, &utc);
	length = strftime(out, TIMESTAMP_TEXT_MAX, formats[style], &utc);
	if (style == TIMESTAMP_RFC3339)
		length += (size_t)snprintf(out + length, TIMESTAMP_TEXT_MAX - length, ".%06dZ",
					   (int)fraction);
	return length;
}
