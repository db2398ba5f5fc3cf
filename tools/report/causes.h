/*
 * Which setting limited a connection. A connection's record has the names of the settings
 * that were made to its context, and each setting's record has its own: that joins them,
 * whichever process, file or thread they come from.
 */
#ifndef TLSWITNESS_CAUSES_H
#define TLSWITNESS_CAUSES_H

#include "tools/report/builder.h"

struct cause {
	uint32_t program; /* texts are numbers of the aggregate's interner */
	uint32_t executable;
	uint32_t file;
	uint32_t line;
	uint32_t function;
	uint32_t text;
	uint32_t id; /* 0: the record has no name of its own */
	uint64_t records;
	bool shown; /* belongs to a place already */
};

struct causes;

/* All settings that the aggregate has. Free it with causes_free. */
struct causes *causes_collect(const struct builder *builder);

/* The settings, by number; in no order that means anything. */
size_t causes_count(const struct causes *causes);
struct cause *causes_at(struct causes *causes, size_t number);

/*
 * Calls `found` with each setting that `ids` ("c402674f92734e09 65143ddc898745a0")
 * names, and returns the one that most likely limited a connection which `limit`
 * limited; NULL if none of them did.
 */
struct cause *causes_of(struct causes *causes, struct slice ids, enum entry_limit limit,
			void (*found)(void *context, struct cause *cause), void *context);

/* Calls `found` with each setting of a program that has no name: which connections are its own
 * is not known. */
void causes_unnamed(struct causes *causes, uint32_t program,
		    void (*found)(void *context, struct cause *cause), void *context);

void causes_free(struct causes *causes);

#endif
