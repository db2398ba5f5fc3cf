/*
 * Counting: every record becomes one more in a cell, and a cell is everything
 * that a report can tell records apart by. Tables, places, sums and histograms are
 * made of the cells when all is read (rollup.h); so each record costs one look-up
 * however many tables there are, and memory grows with the number of different
 * facts, not with the log.
 *
 * One aggregate belongs to one thread; they are merged at the end.
 */
#ifndef TLSWITNESS_AGGREGATE_H
#define TLSWITNESS_AGGREGATE_H

#include "tools/log/entry.h"
#include "tools/log/filter.h"
#include "tools/base/intern.h"
#include "tools/report/model.h"
#include "tools/base/table.h"

enum entry_action {
	ACTION_OTHER,
#define ACTION(name, text, meaning) ACTION_##name,
#include "shim/record/record_values.def"
};

static inline bool action_is_connection(enum entry_action action)
{
	return action == ACTION_HANDSHAKE || action == ACTION_PLAINTEXT_MAIL ||
	       action == ACTION_SESSION;
}

/* What a record is about: the meaning of its fields. */
enum entry_action record_action_from(struct slice name);
enum report_version record_version(const struct entry *entry, enum entry_action action);
enum report_verdict record_verdict(const struct entry *entry);

/* Compared and hashed bytewise: no padding. Texts are numbers of the aggregate's interner. */
struct cell_key {
	uint32_t program; /* the script, else the executable */
	uint32_t executable;
	uint32_t destination; /* the domain, else the address */
	uint32_t file;
	uint32_t function;
	uint32_t line;
	uint32_t service;
	uint32_t host;
	uint32_t user; /* only if it is grouped by, as are the hours */
	int32_t hour;  /* since 1970; of its day's first hour if only days are grouped by */
	uint32_t reason;
	uint32_t setting;
	uint8_t action;
	uint8_t version;
	uint8_t verdict;
	uint8_t limited_by;
	uint8_t certificate;
	uint8_t server_supports;
	uint8_t floor;
	uint8_t conflict;
};

_Static_assert(sizeof(struct cell_key) == 12 * 4 + 8, "a cell's key has no padding");

struct cell {
	struct cell_key key;
	uint64_t records;
	uint64_t lost; /* summed, for records-lost */
	int64_t first;
	int64_t last;
};

/* Cells stay where they are as others come: blocks of them. */
#define CELLS_PER_BLOCK 1024

struct cells {
	struct index index;
	struct cell **block;
	size_t count;
};

static inline struct cell *cell_of(const struct cells *cells, size_t number)
{
	return &cells->block[number / CELLS_PER_BLOCK][number % CELLS_PER_BLOCK];
}

/* The connections of one hour, whatever else they have in common. */
struct hour {
	int64_t number; /* since 1970 */
	struct report_tally tally;
};

/* What all threads count by; constant while they do. */
struct aggregate_options {
	const struct filter *filter;
	bool by_user;
	bool by_hour;
	bool by_day;
	bool what_if; /* judge every connection as if `floor` had been enforced */
	enum report_version floor;
};

struct aggregate {
	const struct aggregate_options *options;
	struct interner texts;
	struct filter_cache filtered;
	struct cells cells;
	struct numbering hour_numbers; /* of the hours since 1970 */
	struct hour *hours;            /* by them */
	size_t hour_capacity;
	uint64_t filtered_out;
	/* The hour of the record before, since logs are in order of time. */
	char hour_text[16];
	int64_t hour_start;
	size_t last_hour; /* index into `hours` */
};

enum aggregate_result {
	AGGREGATE_COUNTED,
	AGGREGATE_FILTERED_OUT,
	AGGREGATE_NO_ACTION,
	AGGREGATE_NO_TIMESTAMP, /* or one that is no time */
};

void aggregate_init(struct aggregate *aggregate, const struct aggregate_options *options);
enum aggregate_result aggregate_add(struct aggregate *aggregate, const struct entry *entry);

/* Adds all of `from` to `into`, and frees it on the way, so that little is held twice. */
void aggregate_absorb(struct aggregate *into, struct aggregate *from);

void aggregate_free(struct aggregate *aggregate);

#endif
