/*
 * What is known of one record while it is counted, and what its fields mean for that. Texts
 * are numbers of the aggregate's interner, made when a view asks.
 */
#ifndef TLSWITNESS_SUBJECT_H
#define TLSWITNESS_SUBJECT_H

#include "tools/report/aggregate.h"

struct subject {
	struct aggregate *aggregate;
	const struct entry *entry;
	enum entry_action action;
	bool connection;
	enum entry_version version;
	enum entry_verdict verdict;
	uint32_t facts;
	uint64_t records; /* that it stands for: 1, or what somebody made one of many */
	int64_t first;    /* of them */
	int64_t time;     /* of the last of them */
	bool has_program;
	bool has_destination;
	uint32_t program;
	uint32_t destination;
};

/* False if it has none, or one that is no time. */
bool subject_time(struct aggregate *aggregate, const struct entry *entry, int64_t *time);

/* The earliest of the records that this one stands for, which are of one hour (RECORD); `last`
 * is the latest. */
int64_t subject_first(const struct entry *entry, int64_t last);

/* Of digits; 0 if they are none, at most UINT32_MAX. */
uint32_t subject_number(struct slice digits);

/* As subject_number, but whatever is there counts at least one: a loss is a loss. */
uint64_t subject_count_of(const struct entry *entry, enum entry_field field);

/* The number of a field's text. */
uint32_t subject_field(struct subject *subject, enum entry_field field);

/* The script, else the executable. */
uint32_t subject_program(struct subject *subject);

/* The domain, else the address. */
uint32_t subject_destination(struct subject *subject);

/* The small values of a record, as a view's key has them. */
uint32_t subject_facts(const struct subject *subject);

/* Puts the words of a key (keys_words) at `word`. */
void subject_put_key(struct subject *subject, enum report_key by, uint32_t *word);

/* Rounds down, also what is before 1970. */
static inline int64_t floor_divide(int64_t dividend, int64_t divisor)
{
	return dividend / divisor - (dividend % divisor < 0);
}

#endif
