/*
 * From cells to the finished report: tables, places, findings, histograms, sorted.
 */
#ifndef TLSWITNESS_ROLLUP_H
#define TLSWITNESS_ROLLUP_H

#include "tools/report/aggregate.h"
#include "tools/report/model.h"

struct rollup_options {
	/* If only the first rows will be shown: how many of the groups, and of places and
	 * findings, must be in order and complete; 0: all. All are counted. */
	size_t top;
	size_t top_lists;
	/* The filters ask for certain connections: settings of programs that made none of them
	 * are left out. */
	bool connections_chosen;
};

/*
 * Makes the report of all that `aggregate` counted. The caller adds what only it
 * knows (inputs, the filter's times, `generated`). Texts are borrowed from the
 * aggregate, which must live as long as the report; free it with report_free.
 */
struct report *rollup(const struct aggregate *aggregate, const struct rollup_options *options);

#endif
