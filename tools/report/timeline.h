/*
 * The hours of a report put together into as many bars as a chart can show: hours,
 * days, weeks, months, years or centuries, by the span. Bars follow each other
 * without a gap; a bar without connections is empty.
 */
#ifndef TLSWITNESS_TIMELINE_H
#define TLSWITNESS_TIMELINE_H

#include "tools/report/model.h"

enum timeline_unit {
	TIMELINE_HOUR,
	TIMELINE_DAY,
	TIMELINE_WEEK, /* from Monday */
	TIMELINE_MONTH,
	TIMELINE_YEAR,
	TIMELINE_CENTURY,
	TIMELINE_UNITS,
};

struct timeline {
	enum timeline_unit unit;
	struct report_period *bar;
	size_t count;
	uint64_t highest; /* the most connections of any bar */
};

/* Free it with timeline_free. No bars if there are no connections. */
struct timeline timeline_make(const struct report *report);
void timeline_free(struct timeline *timeline);

const char *timeline_unit_name(enum timeline_unit unit); /* "hour" */

/* How a bar's beginning is written: "2026-11", say, if the bars are months. */
#define TIMELINE_LABEL_MAX 32
void timeline_label(char label[TIMELINE_LABEL_MAX], enum timeline_unit unit, int64_t start);

#endif
