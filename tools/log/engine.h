/*
 * Records that lie in a database engine (ClickHouse, over HTTP) -> lines of counted records, as
 * if they came from a file: what is alike in all that a report can tell apart is one line with
 * tlswitness.count (RECORD in the README).
 *
 * The engine groups, this machine reads the groups; so the time it takes grows with the groups
 * and not with the records. An answer that is not whole is an error, never a smaller report.
 */
#ifndef TLSWITNESS_ENGINE_H
#define TLSWITNESS_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is asked for; microseconds since 1970, both included. */
struct engine_window {
	bool has_since;
	bool has_until;
	int64_t since;
	int64_t until;
	/* Moments that no group may lie on both sides of. */
	size_t cut_count;
	int64_t cut[4];
};

/*
 * An engine with the example's schema (examples/fleet) has its hours rolled up: one row of all
 * that is alike. What is open still, and an hour of which only a part is asked for, is read by
 * its records, and those hours are listed here; all others are read as they are rolled up.
 */
struct engine_hours {
	bool rolled; /* else all is read by its records */
	size_t count;
	char *text; /* "2026-11-23T13", one behind the other */
};

/*
 * The event.action of a line that is no record: of one host and one day, in tlswitness.count how
 * many records arrived and in tlswitness.lost how many did not.
 */
#define ENGINE_DELIVERED "records-delivered"

enum engine_source { ENGINE_RECORDS, ENGINE_ROLLED };

struct engine;

/* Does this name an engine: "clickhouse+https://host:8443/database?table=tls"? */
bool engine_is_url(const char *text);

/*
 * Asks the engine. NULL, with a complaint made, if the URL is none or carries a password: user
 * and password come from $TLSWITNESS_ENGINE_USER and $TLSWITNESS_ENGINE_PASSWORD, else from
 * ~/.netrc. $TLSWITNESS_ENGINE_CA names a file of trusted authorities instead of the system's.
 * What it answers is read from engine_descriptor(), to its end, by one thread; free it with
 * engine_close.
 */
struct engine *engine_open(const char *url, const struct engine_window *window);

/* Still the engine's own: whoever reads to its end closes a duplicate. */
int engine_descriptor(const struct engine *engine);

/*
 * Waits for the end of the answer; NULL if it came whole, else why not, in words for a person.
 * Static or the engine's own. Only after the descriptor was read to its end or closed.
 */
const char *engine_finish(struct engine *engine);

/* After engine_finish: the records outside of the window, which were not sent. */
uint64_t engine_outside(const struct engine *engine);

void engine_close(struct engine *engine);

/* The question in SQL, for tests and for who wants to ask by hand; free it with free. */
char *engine_question(const char *table, const struct engine_window *window,
		      const struct engine_hours *hours, enum engine_source source);

#endif
