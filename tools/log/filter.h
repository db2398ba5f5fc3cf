/*
 * Which records a report is about.
 *
 * Patterns are shell globs (fnmatch(3)); several of one kind mean "any of them",
 * and a record must pass every kind that is given. --to and --verdict ask about
 * connections: records about the log itself (records-lost, blind-spot,
 * configuration-error) have neither and pass, since what a report can't see must
 * not be filtered away with what it can.
 */
#ifndef TLSWITNESS_FILTER_H
#define TLSWITNESS_FILTER_H

#include <stdio.h>

#include "tools/log/entry.h"
#include "tools/base/intern.h"
#include "tools/log/values.h"

struct filter_patterns {
	const char **glob; /* borrowed from the command line */
	size_t count;
};

struct filter {
	bool has_since;
	bool has_until;
	int64_t since;                  /* from this moment on … */
	int64_t until;                  /* … up to this one, which is no part of it */
	struct filter_patterns program; /* the path or its last part, of the script or executable */
	struct filter_patterns to;      /* the domain or the address, without regard to case */
	struct filter_patterns service;
	struct filter_patterns host;
	/* "cipher=TLS_AES_128_GCM_SHA256": no globs; judged by who knows the keys (aggregate.h). */
	struct filter_patterns where;
	bool has_verdicts;
	bool verdict[ENTRY_VERDICTS];
};

/* True if it lets every record pass. */
bool filter_is_empty(const struct filter *filter);

/* "program curl; verdict ok, at-risk; since 2026-11-23 14:00:00 UTC", as it stands, unescaped. */
void filter_put(FILE *out, const struct filter *filter);

void filter_add(struct filter_patterns *patterns, const char *glob);

/* Takes "below-floor,plaintext"; false if one of them is no verdict. */
bool filter_parse_verdicts(const char *list, bool verdict[ENTRY_VERDICTS]);

/* `verdict` counts only if `connection`;*/
struct filter_subject {
	int64_t time;
	bool connection;
	enum entry_verdict verdict;
};

/*
 * What the patterns said of each text: a log has few different ones, and matching
 * is dear. One cache belongs to one thread and one filter, whose patterns stay
 * as they are; zero it before first use.
 */
enum filter_kind {
	FILTER_BY_PROGRAM,
	FILTER_BY_TO,
	FILTER_BY_SERVICE,
	FILTER_BY_HOST,
	FILTER_KINDS
};

struct filter_cache {
	struct interner texts[FILTER_KINDS];
	uint8_t *answer[FILTER_KINDS]; /* by the text's number */
	size_t capacity[FILTER_KINDS];
};

bool filter_passes(const struct filter *filter, struct filter_cache *cache,
		   const struct filter_subject *subject, const struct entry *entry);

void filter_cache_free(struct filter_cache *cache);

void filter_free(struct filter *filter);

/* Only what it says of hosts. */
bool filter_passes_host(const struct filter *filter, struct filter_cache *cache,
			const struct entry *entry);

#endif
