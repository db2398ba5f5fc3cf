/*
 * Metrics that only rise, whatever becomes of the log: those of a report are added to those
 * that a file has from before, which says up to when the records are in them. So each
 * record is counted once, and rotation takes nothing away.
 */
#ifndef TLSWITNESS_COUNTERS_H
#define TLSWITNESS_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tools/report/model.h"

/* The text format of Prometheus names a counter as its sample; OpenMetrics without "_total". */
enum counters_form { COUNTERS_PROMETHEUS, COUNTERS_OPENMETRICS };

/* A sample of the file: its name and labels, and its value as it stands. */
struct counter {
	char *series;
	char *value;
};

struct counters {
	struct counter *row;
	size_t count;
	bool has_until;
	int64_t until; /* records before this moment are counted */
};

/*
 * Reads the metrics at `path`, which counters_write wrote; none if there is no such file.
 * False with errno set if it can't be read, and with errno 0 if it is another file.
 */
bool counters_read(struct counters *counters, const char *path);

/*
 * Writes `report`, which has the records from counters->until on and before `until`, added to
 * them, in `form`. False if `out` could not be written to.
 */
bool counters_write(FILE *out, const struct report *report, struct counters *counters,
		    int64_t until, enum counters_form form);

void counters_free(struct counters *counters);

#endif
