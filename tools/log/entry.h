/*
 * The facts of one line: a slice for each field of record_fields.def, borrowed
 * from the line or from the parser that read it, and good until that parser
 * reads the next one. Both parsers (scanner.h, json_line.h) give the same.
 *
 * A text is without its quotes and unescaped; a number is its digits; a boolean
 * is "true" or "false"; an array is the JSON between its brackets, without
 * white space.
 */
#ifndef TLSWITNESS_ENTRY_H
#define TLSWITNESS_ENTRY_H

#include <stdint.h>

#include "tools/base/slice.h"

/* ENTRY_timestamp, …: named after the members of struct record, which the table gives. */
enum entry_field {
#define FIELD(key, kind, member) ENTRY_##member,
#include "shim/record/record_fields.def"
#undef FIELD
	ENTRY_FIELDS
};

_Static_assert(ENTRY_FIELDS <= 64, "entry.present has one bit for each field");

enum entry_kind {
	ENTRY_KIND_TIME,
	ENTRY_KIND_TEXT,
	ENTRY_KIND_VERSION, /* up to here: between quotes */
	ENTRY_KIND_NUMBER,
	ENTRY_KIND_BOOLEAN,
	ENTRY_KIND_VERSIONS,
	ENTRY_KIND_WITNESSES,
	/* Texts to a reader: the lines of a stack, and what comes from a list of values. */
	ENTRY_KIND_STACK = ENTRY_KIND_TEXT,
	ENTRY_KIND_ACTION = ENTRY_KIND_TEXT,
	ENTRY_KIND_OUTCOME = ENTRY_KIND_TEXT,
	ENTRY_KIND_PROTOCOL = ENTRY_KIND_TEXT,
	ENTRY_KIND_TLS_PROTOCOL = ENTRY_KIND_TEXT,
	ENTRY_KIND_CERTIFICATE = ENTRY_KIND_TEXT,
	ENTRY_KIND_VERDICT = ENTRY_KIND_TEXT,
	ENTRY_KIND_MODE = ENTRY_KIND_TEXT,
	ENTRY_KIND_TLS_MODE = ENTRY_KIND_TEXT,
	ENTRY_KIND_LIMIT = ENTRY_KIND_TEXT,
};

struct entry {
	uint64_t present; /* bit n: field n is there; the slices of the others hold rubbish */
	struct slice field[ENTRY_FIELDS];
};

static inline void entry_clear(struct entry *entry)
{
	entry->present = 0;
}

static inline void entry_set(struct entry *entry, enum entry_field field, const char *start,
			     size_t length)
{
	entry->present |= UINT64_C(1) << field;
	entry->field[field] = (struct slice){start, length};
}

static inline bool entry_has(const struct entry *entry, enum entry_field field)
{
	return (entry->present >> field) & 1;
}

/* Length 0 if the field is not there. */
static inline struct slice entry_get(const struct entry *entry, enum entry_field field)
{
	return entry_has(entry, field) ? entry->field[field] : (struct slice){"", 0};
}

#endif
