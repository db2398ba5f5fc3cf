/*
 * Reads a set of inputs with all cores into one aggregate, and keeps account of
 * what was read of each.
 */
#ifndef TLSWITNESS_READER_H
#define TLSWITNESS_READER_H

#include "tools/report/aggregate.h"
#include "tools/log/input.h"
#include "tools/report/model.h"

struct reader_options {
	unsigned threads; /* 0: one for each core that we may run on */
	/* For tests and benchmarks: every line to the general parser, or the index without SIMD.
	 * The result must not change. */
	bool general_parser_only;
	bool portable_index;
	/* Called, if it is not NULL, for each record that is counted; of one thread alone they come
	 * in the order of the logs. `record` is its JSON as it stands there. */
	void (*show)(void *context, const struct entry *entry, struct slice record);
	void *show_context;
};

/*
 * Reads all of `set` into `aggregate` (which it makes, by `counting`), and gives an account of each
 * input in *accounts (as many as the set has inputs; free it with free; names are borrowed from the
 * set).
 */
void reader_run(struct input_set *set, const struct reader_options *options,
		const struct aggregate_options *counting, struct aggregate *aggregate,
		struct report_input **accounts);

#endif
