/*
 * Lines for the tests of the reader: records as our recorder writes them, in
 * memory that ends where a line may end.
 */
#ifndef TLSWITNESS_TEST_LINES_H
#define TLSWITNESS_TEST_LINES_H

#include "tools/log/entry.h"
#include "shim/record/record.h"
#include "tools/log/scanner.h"

/* A text with the bytes behind it that the scanner may look at; only one is valid at a time. */
struct slice padded(const char *text, size_t length);

/* The line of `record`, without its newline; padded. */
struct slice written(const struct record *record);

/* A handshake with every field that a record can have. */
struct record full_record(void);

/* Fails the test unless `entry` has `field` with just this text. */
void expect_field(const struct entry *entry, enum entry_field field, const char *text);

#endif
