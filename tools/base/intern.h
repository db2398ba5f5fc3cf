/*
 * Each text once: a text gets a small number, and equal texts the same one.
 */
#ifndef TLSWITNESS_INTERN_H
#define TLSWITNESS_INTERN_H

#include "tools/base/slice.h"
#include "tools/base/table.h"

struct interner {
	struct index index;
	struct slice *text; /* by number; the first is for "not known" */
	uint32_t count;
	uint32_t capacity;
	struct arena arena;
};

/* The number of `text`, which is copied if it is new; 0 for the empty text. */
uint32_t intern(struct interner *interner, struct slice text);

/* The text of a number; borrowed from the interner, which never moves it. */
struct slice interned_text(const struct interner *interner, uint32_t number);

void interner_free(struct interner *interner);

#endif
