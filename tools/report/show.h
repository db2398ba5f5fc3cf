/*
 * The records behind a row: each that passes the filters, one by one.
 */
#ifndef TLSWITNESS_SHOW_H
#define TLSWITNESS_SHOW_H

#include <stdio.h>

#include "tools/base/slice.h"
#include "tools/log/entry.h"
#include "tools/log/connection_line.h"

struct show {
	FILE *out;
	bool json;             /* each record as it stands in its log; else a line for people */
	bool connections_only; /* the filters ask about connections */
	struct connection_line line;
};

/* Begins with a heading, for people. */
void show_begin(struct show *show);

/* For struct reader_options, with a struct show as the context. */
void show_record(void *show, const struct entry *entry, struct slice record);

#endif
