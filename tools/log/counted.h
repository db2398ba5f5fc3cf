/*
 * Records that stand for many: what must be alike for that, and how they are written (RECORD in
 * the README: tlswitness.count, tlswitness.first). An engine and a roll-up make the same.
 */
#ifndef TLSWITNESS_COUNTED_H
#define TLSWITNESS_COUNTED_H

#include <stdbool.h>

#include "tools/log/entry.h"

struct counted_field {
	const char *key;
	enum entry_kind kind;
};

/* By enum entry_field. */
extern const struct counted_field counted_fields[ENTRY_FIELDS];

/*
 * Does this field tell records apart that are counted? Not those that every record has of its
 * own (its time within the hour, its name, its process, its port), nor what is summed.
 */
bool counted_tells_apart(enum entry_field field);

#endif
