/*
 * Knows days, hosts and the numbers of records; must not know connections.
 */
#include "tools/report/arrivals.h"

#include "tools/base/timestamp.h"

/* So many processes are told apart; of those beyond it is known what arrived, not what did not. */
#define PROCESSES_MAX ((size_t)1 << 21)

/* Eight hexadecimal digits; false if they are none. */
static bool parse_word(const char *digits, uint32_t *word)
{
	*word = 0;
	for (int i = 0; i < 8; i++) {
		const char digit = digits[i];
		uint32_t value;

		if (digit >= '0' && digit <= '9')
			value = (uint32_t)(digit - '0');
		else if (digit >= 'a' && digit <= 'f')
			value = (uint32_t)(digit - 'a') + 10;
		else
			return false;
		*word = *word << 4 | value;
	}
	return true;
}

/* By whole days, whatever else was asked for; the day before tells where the first one begins. */
static bool day_is_wanted(const struct filter *filter, int64_t day)
{
	return (!filter->has_since ||
		day >= floor_divide(filter->since, MICROSECONDS_PER_DAY) - 1) &&
	       (!filter->has_until || day <= floor_divide(filter->until, MICROSECONDS_PER_DAY));
}

void arrivals_count(struct subject *subject)
{
	struct aggregate *aggregate = subject->aggregate;
	struct cells *processes = &aggregate->view[VIEW_PROCESSES];
	struct slice id = entry_get(subject->entry, ENTRY_event_id);
	int64_t day = floor_divide(subject->time, MICROSECONDS_PER_DAY);
	uint32_t key[PROCESSES_WORDS];
	uint32_t number;

	if (!day_is_wanted(aggregate->options->filter, day) ||
	    !filter_passes_host(aggregate->options->filter, &aggregate->filtered, subject->entry))
		return;
	key[PROCESSES_HOST] = subject_field(subject, ENTRY_host);
	key[PROCESSES_DAY] = (uint32_t)day;
	/* The last of a cell: is there one without a number? */
	cells_count(&aggregate->view[VIEW_ARRIVED], key, subject->records, 0, id.length != 32);
	if (id.length != 32 || processes->count >= PROCESSES_MAX)
		return;
	for (size_t i = 0; i < 3; i++) {
		if (!parse_word(id.start + 8 * i, &key[PROCESSES_ID + i]))
			return;
	}
	if (parse_word(id.start + 24, &number))
		cells_count(processes, key, 1, number, number);
}

void arrivals_count_told(struct subject *subject)
{
	struct aggregate *aggregate = subject->aggregate;
	int64_t day = floor_divide(subject->time, MICROSECONDS_PER_DAY);
	uint64_t lost = subject_number(entry_get(subject->entry, ENTRY_lost));
	uint32_t key[ARRIVED_WORDS];

	if ((aggregate->options->wants & WANT_DELIVERY) == 0 ||
	    !day_is_wanted(aggregate->options->filter, day) ||
	    !filter_passes_host(aggregate->options->filter, &aggregate->filtered, subject->entry))
		return;
	key[ARRIVED_HOST] = subject_field(subject, ENTRY_host);
	key[ARRIVED_DAY] = (uint32_t)day;
	cells_count(&aggregate->view[VIEW_ARRIVED], key,
		    subject_number(entry_get(subject->entry, ENTRY_count)), 0, 0);
	if (lost)
		cells_count(&aggregate->view[VIEW_MISSING], key, lost, 0, 0);
}
