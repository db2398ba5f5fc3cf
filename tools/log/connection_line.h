/*
 * One record as one line for a terminal: when, who, where to, with what, and
 * what to think of it.
 *
 *      TIME (UTC) PROGRAM        DESTINATION           TLS    CIPHER       VERDICT
 *   !! 10:00:00   /srv/a.py      mx.example.com        1.0    AES-256-CBC  below-floor
 */
#ifndef TLSWITNESS_CONNECTION_LINE_H
#define TLSWITNESS_CONNECTION_LINE_H

#include <stdint.h>
#include <stdio.h>

#include "tools/log/entry.h"
#include "tools/base/text_style.h"

struct connection_line {
	struct text_style style; /* width 0: nothing is cut, and the columns are as wide as usual */
	int64_t day;             /* of the last line, so that a new day is said once */
	bool has_day;
};

void connection_line_heading(FILE *out, const struct connection_line *line);

/* Writes the record of `time`; no control character of it reaches `out`. */
void connection_line_write(FILE *out, struct connection_line *line, const struct entry *entry,
			   int64_t time);

#endif
