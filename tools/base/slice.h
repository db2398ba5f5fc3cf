/*
 * A piece of text that somebody else owns: a start and a length, no terminator.
 * It may hold any bytes, NUL and control characters included.
 */
#ifndef TLSWITNESS_SLICE_H
#define TLSWITNESS_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
	const char *start; /* NULL only with length 0 */
	size_t length;
};

#define SLICE_LITERAL(text) ((struct slice){(text), sizeof(text) - 1})

static inline struct slice slice_of(const char *text)
{
	return (struct slice){text, text ? strlen(text) : 0};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.start, b.start, a.length) == 0);
}

static inline bool slice_is(struct slice slice, const char *text)
{
	return slice_equal(slice, slice_of(text));
}

/* What is left behind the first `length` bytes, which must be there. */
static inline struct slice slice_from(struct slice slice, size_t length)
{
	return (struct slice){slice.start + length, slice.length - length};
}

/* Bytewise, as memcmp; a prefix comes before what it begins. */
static inline int slice_compare(struct slice a, struct slice b)
{
	size_t common = a.length < b.length ? a.length : b.length;
	int order = common ? memcmp(a.start, b.start, common) : 0;

	if (order)
		return order;
	return (a.length > b.length) - (a.length < b.length);
}

#endif
