/*
 * Programs with the recorder in them, and what it wrote of them.
 */
#ifndef TLSWITNESS_RECORDS_H
#define TLSWITNESS_RECORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/integration/harness.h"

/*
 * The same program under `tlswitness run --log LOG`, not yet started. `env` is
 * added to its environment; NO_WORDS for nothing.
 */
struct program preloaded(const struct program *bare, const char *log, const char *const env[]);

/*
 * The log's records of one action (NULL: all), in the log's order. A line that is
 * no JSON, or whose event.id is none or that of another line, or of which two
 * witnesses say different things, fails the test.
 */
json_t *records_of(const char *log, const char *action);

/* The one record of a handshake that the log holds; fails the test if there are others. */
json_t *only_handshake(const char *log);

/* The number at `key`; -1 if it is not there. */
long long number_field(const json_t *record, const char *key);

/* Does the array at `key` hold this string? */
bool array_holds(const json_t *record, const char *key, const char *value);

/*
 * The record of a handshake holds what the sink says of the same connection:
 * its source port, mode, and whether it was established; version, cipher, group,
 * resumption and offered versions, where the sink knows them.
 */
void expect_equal_to_entry(const json_t *record, const json_t *entry, const char *what);

/* Each of `entries` has just one of `records`, by source port, and is equal to it. */
void expect_one_record_each(const json_t *records, const json_t *entries, const char *what);

#endif
