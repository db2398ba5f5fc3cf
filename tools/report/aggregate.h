/*
 * From records to counts. What a report shows is counted in views: each keeps only
 * what it tells records apart by, so that nobody pays for the product of all that is
 * recorded, and a view that nobody asked for costs nothing. Tables, places, sums and
 * histograms are made of the views when all is read (rollup.h).
 *
 * One aggregate belongs to one thread; they are merged at the end.
 */
#ifndef TLSWITNESS_AGGREGATE_H
#define TLSWITNESS_AGGREGATE_H

#include "tools/base/intern.h"
#include "tools/log/entry.h"
#include "tools/log/filter.h"
#include "tools/log/values.h"
#include "tools/report/cells.h"
#include "tools/log/doubles.h"
#include "tools/report/model.h"

/* Small values, four bits each, in one word of a cell's key. */
enum fact {
	FACT_ACTION,
	FACT_VERSION,
	FACT_VERDICT,
	FACT_LIMIT,
	FACT_CERTIFICATE,
	FACT_SUPPORTS, /* what the server is proven to support; VERSION_CLEAR: nothing */
	FACT_FLOOR,
	FACT_CONFLICT,
	FACTS,
};

#define FACT_BITS 4

static inline uint32_t fact_put(enum fact fact, unsigned value)
{
	return (uint32_t)value << (fact * FACT_BITS);
}

static inline unsigned fact_get(uint32_t facts, enum fact fact)
{
	return facts >> (fact * FACT_BITS) & 15;
}

enum view {
	VIEW_TOTALS,
	VIEW_GROUPS,
	VIEW_NAMES,
	VIEW_HOSTS,
	VIEW_SERVICES,
	VIEW_FINDINGS,
	VIEW_PLACES,
	VIEW_SETTINGS,
	VIEW_READINESS,
	VIEW_CERTIFICATES,
	VIEW_CIPHERS,
	VIEW_COMPARISON,
	VIEW_ARRIVED,
	VIEW_MISSING,
	VIEW_PROCESSES,
	VIEWS,
};

/* Which word of a view's key is what. The last is always the facts. */
enum totals_word { TOTALS_FACTS, TOTALS_WORDS };
enum names_word { NAMES_PROGRAM, NAMES_DESTINATION, NAMES_FACTS, NAMES_WORDS };
enum name_word { NAME_NAME, NAME_FACTS, NAME_WORDS }; /* hosts, services */
enum findings_word {
	FINDINGS_PROGRAM,
	FINDINGS_DESTINATION,
	FINDINGS_REASON,
	FINDINGS_EXCEPTION, /* of the settings file, that applied */
	FINDINGS_FACTS,
	FINDINGS_WORDS
};
enum places_word {
	PLACES_PROGRAM,
	PLACES_EXECUTABLE,
	PLACES_DESTINATION,
	PLACES_FILE,
	PLACES_LINE, /* a number, not a text */
	PLACES_FUNCTION,
	PLACES_SETTINGS, /* the names of the settings that were made to its context */
	PLACES_BY_CURL,  /* a number: libcurl was between the program and the TLS library */
	PLACES_FACTS,
	PLACES_WORDS
};
enum settings_word {
	SETTINGS_PROGRAM,
	SETTINGS_EXECUTABLE,
	SETTINGS_FILE,
	SETTINGS_LINE, /* a number */
	SETTINGS_FUNCTION,
	SETTINGS_TEXT,
	SETTINGS_ID,
	SETTINGS_WORDS
};

enum readiness_word {
	READINESS_PROGRAM,
	READINESS_USER,
	READINESS_SERVICE,
	READINESS_FILE,
	READINESS_LINE, /* a number */
	READINESS_FUNCTION,
	READINESS_WORDS
};

enum certificates_word {
	CERTIFICATES_DESTINATION,
	CERTIFICATES_SUBJECT,
	CERTIFICATES_ISSUER,
	CERTIFICATES_NOT_AFTER,
	CERTIFICATES_FACTS,
	CERTIFICATES_WORDS
};

enum ciphers_word { CIPHERS_CIPHER, CIPHERS_GROUP, CIPHERS_FACTS, CIPHERS_WORDS };

enum comparison_word {
	COMPARISON_PROGRAM,
	COMPARISON_DESTINATION,
	COMPARISON_BEFORE, /* a number: 1 if it is of the time that is compared with */
	COMPARISON_FACTS,
	COMPARISON_WORDS
};

/* What arrived, or is missing, of a host on a day (a number: since 1970). */
enum arrived_word { ARRIVED_HOST, ARRIVED_DAY, ARRIVED_WORDS };

/*
 * The records of one process on one day, by what event.id counts: the cell's first and last are
 * the lowest and the highest, and what is not there between them is lost.
 */
enum processes_word {
	PROCESSES_HOST,
	PROCESSES_DAY,
	PROCESSES_ID, /* three words, of the 24 digits that stand for the process */
	PROCESSES_WORDS = PROCESSES_ID + 3
};

/* The connections of one hour, whatever else they have in common. */
struct hour {
	int64_t number; /* since 1970 */
	struct report_tally tally;
};

/* What a connection must have to be counted: this value of this key. */
struct report_where {
	enum report_key key;
	struct slice value;
};

/* What all threads count by; constant while they do. */
struct aggregate_options {
	const struct filter *filter;
	struct doubles *doubles; /* NULL: what is there twice counts twice */
	bool delivered_is_told;  /* by lines of an engine, which has the single records */
	unsigned wants;          /* of enum report_wants */
	enum report_key by[REPORT_KEYS];
	size_t by_count;
	bool what_if; /* judge every connection as if `floor` had been enforced */
	enum entry_version floor;
	/* What servers will require one day; VERSION_CLEAR: nobody asked. */
	enum entry_version required;
	struct report_where *where; /* of several for one key, any */
	size_t where_count;
	bool has_expiring; /* certificates that end before … */
	int64_t expiring_before;
	bool compares; /* with the records that another filter, which is this one but for its
			  times, lets pass */
	struct filter compared;
};

struct aggregate {
	const struct aggregate_options *options;
	struct interner texts;
	uint32_t *domains; /* by the number of a destination: the number of its domain; 0: not asked
			    */
	uint32_t domain_capacity;
	struct filter_cache filtered;
	struct cells view[VIEWS];
	struct numbering hour_numbers; /* of the hours since 1970 */
	struct hour *hours;            /* by them */
	size_t hour_capacity;
	uint64_t filtered_out;
	uint64_t doubles;   /* records that were there before */
	uint64_t not_ready; /* connections of mail that would fail, had servers what is required */
	uint64_t ready_unknown; /* those of which nobody saw what they offered */
	uint64_t lost; /* the records that could not be written, as records-lost has them */
	/* The hour of the record before, since logs are in order of time. */
	char hour_text[16];
	int64_t hour_start;
	size_t last_hour; /* index into `hours` */
};

enum aggregate_result {
	AGGREGATE_COUNTED,
	AGGREGATE_FILTERED_OUT,
	AGGREGATE_DOUBLE,
	AGGREGATE_DELIVERED, /* no record: what an engine says of its records */
	AGGREGATE_COMPARED,  /* counted, but only to compare with */
	AGGREGATE_NO_ACTION,
	AGGREGATE_NO_TIMESTAMP, /* or one that is no time */
};

void aggregate_init(struct aggregate *aggregate, const struct aggregate_options *options);
enum aggregate_result aggregate_add(struct aggregate *aggregate, const struct entry *entry);

/* How many records it stands for. */
uint64_t aggregate_records(const struct entry *entry);

/* Adds all of `from` to `into`, and frees it on the way, so that little is held twice. */
void aggregate_absorb(struct aggregate *into, struct aggregate *from);

void aggregate_free(struct aggregate *aggregate);

#endif
