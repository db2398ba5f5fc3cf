/*
 * Knows which records count: their filters, their doubles; must not know what of them is
 * counted, or files, threads and formats.
 */
#include "tools/report/aggregate.h"

#include <stdlib.h>

#include "tools/log/engine.h"
#include "tools/report/arrivals.h"
#include "tools/report/views.h"
#include "tools/report/what_if.h"
#include "tools/report/where.h"

void aggregate_init(struct aggregate *aggregate, const struct aggregate_options *options)
{
	*aggregate = (struct aggregate){.options = options,
					.hour_numbers = {.key_size = sizeof(int64_t)}};
	for (unsigned view = 0; view < VIEWS; view++)
		aggregate->view[view].key_words = view_words(view, options);
}

void aggregate_free(struct aggregate *aggregate)
{
	for (unsigned view = 0; view < VIEWS; view++)
		cells_free(&aggregate->view[view]);
	numbering_free(&aggregate->hour_numbers);
	free(aggregate->hours);
	free(aggregate->domains);
	aggregate->domains = NULL;
	aggregate->domain_capacity = 0;
	aggregate->hours = NULL;
	interner_free(&aggregate->texts);
	filter_cache_free(&aggregate->filtered);
}

static bool is_double(const struct subject *subject)
{
	struct doubles *doubles = subject->aggregate->options->doubles;

	return doubles && entry_has(subject->entry, ENTRY_event_id) &&
	       doubles_seen(doubles, entry_get(subject->entry, ENTRY_event_id));
}

static bool passes(struct subject *subject, const struct filter *filter)
{
	const struct filter_subject asked = {subject->time, subject->connection, subject->verdict};

	return filter_passes(filter, &subject->aggregate->filtered, &asked, subject->entry) &&
	       where_passes(subject);
}

/* False, and counted as a double, if it was there before; `is_new` where that was asked. */
static bool counts_once(struct subject *subject, bool is_new)
{
	bool asked = (subject->aggregate->options->wants & WANT_DELIVERY) &&
		     !subject->aggregate->options->delivered_is_told;

	if (!asked)
		is_new = !is_double(subject);
	if (!is_new)
		subject->aggregate->doubles += subject->records;
	return is_new;
}

/* Of the time that is compared with only the connections count, and only for that. */
static enum aggregate_result add_compared(struct subject *subject, bool is_new)
{
	if (!counts_once(subject, is_new))
		return AGGREGATE_DOUBLE;
	subject->facts = subject_facts(subject);
	if (subject->connection)
		views_count_compared(subject);
	return AGGREGATE_COMPARED;
}

uint64_t aggregate_records(const struct entry *entry)
{
	return subject_count_of(entry, ENTRY_count);
}

enum aggregate_result aggregate_add(struct aggregate *aggregate, const struct entry *entry)
{
	const struct aggregate_options *options = aggregate->options;
	struct subject subject = {.aggregate = aggregate, .entry = entry};
	bool is_new = true;

	if (!entry_has(entry, ENTRY_action))
		return AGGREGATE_NO_ACTION;
	if (!subject_time(aggregate, entry, &subject.time))
		return AGGREGATE_NO_TIMESTAMP;
	if (options->delivered_is_told &&
	    slice_is(entry_get(entry, ENTRY_action), ENGINE_DELIVERED)) {
		arrivals_count_told(&subject);
		return AGGREGATE_DELIVERED;
	}
	subject.records = subject_count_of(entry, ENTRY_count);
	subject.first = subject_first(entry, subject.time);
	subject.action = entry_action(entry);
	subject.connection = action_is_connection(subject.action);
	if (subject.connection) {
		subject.version = entry_version(entry, subject.action);
		subject.verdict = entry_verdict(entry);
		if (options->what_if)
			subject.verdict =
				what_if(entry, subject.version, subject.verdict, options->floor);
	}
	/* Of those that no filter lets pass, too: that they are there is what counts here. */
	if ((options->wants & WANT_DELIVERY) && !options->delivered_is_told) {
		is_new = !is_double(&subject);
		if (is_new)
			arrivals_count(&subject);
	}
	if (!passes(&subject, options->filter)) {
		if (options->compares && passes(&subject, &options->compared))
			return add_compared(&subject, is_new);
		aggregate->filtered_out += subject.records;
		return AGGREGATE_FILTERED_OUT;
	}
	if (!counts_once(&subject, is_new))
		return AGGREGATE_DOUBLE;
	views_count(&subject);
	return AGGREGATE_COUNTED;
}
