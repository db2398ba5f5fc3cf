/*
 * One run of a program that sends mail to a sink of its own: bare, or under
 * `tlswitness run` with its options. What came of it is read from the sink's
 * entries first, and from the records after.
 */
#ifndef TLSWITNESS_TRIAL_H
#define TLSWITNESS_TRIAL_H

#include <stddef.h>

#include "tests/integration/harness.h"

struct trial {
	const char *name; /* for what a failing test says */
	struct program program;
	json_t *entries; /* all of the sink's */
	json_t *records; /* of connections: no settings */
};

/* The program to be tried, told where the sink is. */
typedef struct program (*program_for)(const struct sink *sink, const void *row);

/*
 * Starts a sink with these options, runs the program to its end, and ends the
 * sink. `options` are those of `tlswitness run`, in which "PORT" stands for the
 * sink's; NULL: bare.
 */
struct trial try_program(const char *name, program_for program, const void *row,
			 const char *const sink_options[], const char *const options[]);

/* Runs it against a sink that stays; its entries are then not read. */
struct program tried(const struct program *bare, const char *log, const char *const options[]);

/* The records in a log that are of connections. */
json_t *records_of_connections(const char *log);

/* Is this version ("1.0" ... "1.3") lower than that one? Any is lower than none. */
bool is_lower(const char *version, const char *floor);

/* The mail got through, over TLS below the floor, and the program is content. */
void expect_delivered_below(const struct trial *trial, const char *floor);

/* The mail got through at the floor or better. */
void expect_delivered_at(const struct trial *trial, const char *floor);

/* Not one AUTH or MAIL arrived below the floor or in the clear. */
void expect_nothing_below(const struct trial *trial, const char *floor);

/*
 * No mail arrived at all; the program failed, and its words hold one of
 * `says` (separated by '|'); each connection that began TLS has one record,
 * and one at least is refused.
 */
void expect_refused(const struct trial *trial, const char *says);

#endif
