/*
 * Times: of records, of the user's --since and --until, and as they are shown.
 * All are microseconds since 1970-01-01 00:00 UTC.
 */
#ifndef TLSWITNESS_TIMESTAMP_H
#define TLSWITNESS_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/base/slice.h"

#define MICROSECONDS_PER_SECOND INT64_C(1000000)
#define MICROSECONDS_PER_HOUR   (INT64_C(3600) * MICROSECONDS_PER_SECOND)
#define MICROSECONDS_PER_DAY    (INT64_C(24) * MICROSECONDS_PER_HOUR)

/* RFC 3339, 5.6, with any number of digits in the fraction; a space may stand for the T. */
bool timestamp_parse(struct slice text, int64_t *microseconds);

/*
 * A time as journalctl(1) takes it, in the local time zone:
 *   2026-11-23, 2026-11-23 13:05, 2026-11-23T13:05:07.5Z, 13:05, 13:05:07,
 *   now, today, yesterday, tomorrow, @SECONDS,
 *   and a time before `now`: 2h, 30min, 3d, 1w, 1h30min, "2h ago", -2h.
 */
bool timestamp_from_user(const char *text, int64_t now, int64_t *microseconds);

/*
 * True if the user wrote a time of this machine's zone that there was twice, when
 * daylight saving ended: which of them is meant can only be said in UTC.
 */
bool timestamp_is_repeated(const char *text, int64_t microseconds);

int64_t timestamp_now(void);

#define TIMESTAMP_TEXT_MAX 32

/* "2026-11-23 13:05:07" (UTC), "2026-11-23 13:05", "2026-11-23", "2026-11-23 13:00" and
 * "2026-11-23T13:05:07.123456Z". */
enum timestamp_style {
	TIMESTAMP_SECOND,
	TIMESTAMP_MINUTE,
	TIMESTAMP_DAY,
	TIMESTAMP_HOUR,
	TIMESTAMP_RFC3339
};
size_t timestamp_print(char out[TIMESTAMP_TEXT_MAX], int64_t microseconds,
		       enum timestamp_style style);

#endif
