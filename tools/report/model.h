/*
 * What a log says, counted, sorted and finished: the one thing that a renderer
 * sees. A renderer takes a `const struct report *`, writes to a FILE, and needs
 * no other header of the reader but slice.h and terminal.h.
 *
 * Everything here is read-only and lives until report_free. Texts are slices:
 * they come from logs, may hold any bytes (valid UTF-8 where our recorder or a
 * JSON parser wrote them, control characters included), and must be escaped for
 * the format at hand before they go out. A slice of length 0 means "not known".
 * All arrays are sorted, worst first where they have a verdict, and the order is
 * total: equal input gives equal output, whatever the number of threads. Times
 * are microseconds since 1970-01-01 00:00 UTC. Counts are exact, never sampled.
 */
#ifndef TLSWITNESS_REPORT_H
#define TLSWITNESS_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tools/base/slice.h"
#include "tools/base/text_style.h"
#include "tools/log/filter.h"
#include "tools/log/values.h"

/* What --by can group by. */
enum report_key {
	KEY_PROGRAM,     /* the script, else the executable */
	KEY_DESTINATION, /* the domain, else the address */
	KEY_VERSION,
	KEY_VERDICT,
	KEY_PLACE, /* file:line function */
	KEY_HOST,
	KEY_SERVICE,
	KEY_USER,
	KEY_HOUR, /* UTC, "2026-11-23 13:00" */
	KEY_DAY,  /* UTC, "2026-11-23" */
	KEY_CIPHER,
	KEY_GROUP, /* of the key exchange */
	KEY_REASON,
	KEY_PORT,
	KEY_MODE,
	KEY_FLOOR,
	KEY_EXCEPTION,
	KEY_TLS_MODE,
	KEY_CERTIFICATE, /* how it was checked */
	KEY_SUBJECT,
	KEY_ISSUER,
	KEY_NOT_AFTER,
	KEY_LIBRARY,
	KEY_WITNESS,
	KEY_LIMIT,
	KEY_OFFERED,
	KEY_EXECUTABLE,
	KEY_CALLER, /* the script's line that started the program */
	KEY_PARENT,
	KEY_DOMAIN, /* the registrable one of the destination */
	REPORT_KEYS,
};

enum report_language {
	LANGUAGE_OTHER,
	LANGUAGE_PYTHON,
	LANGUAGE_PHP,
	LANGUAGE_PERL,
	LANGUAGE_RUBY,
	LANGUAGE_NODE,
	LANGUAGE_JAVA,
	LANGUAGE_CURL,     /* the command */
	LANGUAGE_PYCURL,   /* libcurl in Python */
	LANGUAGE_PHP_CURL, /* and in PHP */
	LANGUAGE_LIBCURL,  /* and anywhere else */
	REPORT_LANGUAGES,
};

/* The connections that something stands for. */
struct report_tally {
	uint64_t connections;
	uint64_t version[ENTRY_VERSIONS];
	uint64_t verdict[ENTRY_VERDICTS];
	int64_t first; /* the earliest and the latest; meaningless if connections is 0 */
	int64_t last;
};

/* One row of the --by table. */
struct report_group {
	const struct slice *key; /* report->by_count of them, in the order of report->by */
	size_t key_count;        /* the same for all groups */
	struct report_tally tally;
};

/* A name and the connections under it: a program, a destination, a host, a service. */
struct report_name {
	struct slice name;
	struct report_tally tally;
	uint64_t partners; /* of a program: its destinations; of a destination: its programs */
	uint64_t limited_by[ENTRY_LIMITS];
	uint64_t certificate[ENTRY_CERTIFICATES];
	/* Of a destination: the highest version that a downgrade sentinel proves it could
	 * do (RFC 8446, 4.1.3); VERSION_CLEAR where nothing is proven. */
	enum entry_version server_supports;
};

/* A cell of the matrix of program x destination. */
struct report_pair {
	uint32_t program;     /* index into report->programs */
	uint32_t destination; /* index into report->destinations */
	struct report_tally tally;
};

/* A call that allowed or forced an old version, and where it stands. */
struct report_setting {
	struct slice text; /* "SSL_CTX_set_max_proto_version(TLS 1.1)" */
	struct slice file; /* length 0: not known */
	uint64_t line;     /* 0: not known */
	struct slice function;
	uint64_t records;
};

/*
 * Where something has to be changed: the line that made the setting which limited the
 * connections, where the record says so; else the line that made them; else the program.
 * Or a setting that limited no connection yet, with an empty tally.
 */
struct report_place {
	struct slice file; /* length 0: no line is known; `program` is the place */
	uint64_t line;     /* 0: not known */
	struct slice function;
	struct slice program; /* the first of `programs` */
	struct report_tally tally;
	uint64_t limited_by[ENTRY_LIMITS]; /* of the connections that need a change */
	struct slice *destinations;        /* names, most connections first */
	size_t destination_count;
	struct slice *programs; /* all that reach this place, most connections first */
	size_t program_count;
	struct slice *sources; /* where the connections are made, if that is elsewhere */
	size_t source_count;
	struct report_setting *settings; /* most records first */
	size_t setting_count;
	enum report_language language;
	const char *advice; /* one plain sentence for each reason, worst first */
};

/* Connections that would fail if servers required a version, by who has to act. */
struct report_unready {
	struct slice program;
	struct slice user;
	struct slice service;
	struct slice place; /* "file:line function" */
	uint64_t connections;
	int64_t last;
};

struct report_readiness {
	enum entry_version required; /* VERSION_CLEAR: nobody asked */
	bool has_flip;
	int64_t flip;         /* the day on which they will */
	uint64_t connections; /* that would fail */
	uint64_t unknown;     /* of which nobody saw what they offered */
	uint64_t mail;        /* all that were looked at */
	struct report_unready *row;
	size_t count;
};

/* Something that happened to a program, and how often: a plaintext delivery, an unchecked
 * certificate, a blind spot, … Which of the fields are set depends on the list. */
struct report_finding {
	struct slice program;
	struct slice destination;
	struct slice text;  /* the reason in the record's words */
	const char *advice; /* of a failure: what to do about it; NULL: nothing is known */
	uint64_t records;
	int64_t first;
	int64_t last;
};

struct report_findings {
	struct report_finding *row; /* most records first */
	size_t count;
	uint64_t records; /* the sum of the rows */
};

/* A certificate that a server showed, and how it was checked. */
struct report_certificate {
	struct slice destination;
	struct slice subject;
	struct slice issuer;
	struct slice not_after; /* as the record has it; length 0: not seen */
	enum entry_certificate check;
	uint64_t connections;
	int64_t last;
	bool has_end; /* `not_after` is a time: this one */
	int64_t end;
	bool expiring; /* it ends within the days that were asked about */
};

/* A cipher suite and a group of the key exchange, and the connections with them. */
struct report_cipher {
	struct slice cipher;
	struct slice group;
	struct report_tally tally;
};

/* What is otherwise than in the time that was compared with. */
enum report_change_kind {
	CHANGE_NEW,    /* the program had no such connection to the destination before */
	CHANGE_WORSE,  /* a larger share of its connections than before */
	CHANGE_BETTER, /* a smaller one */
	CHANGE_FIXED,  /* none any more, of connections that still are made */
	CHANGE_GONE,   /* no connection is made any more */
	REPORT_CHANGES,
};

struct report_change {
	enum report_change_kind kind;
	enum entry_verdict verdict;
	struct slice program;
	struct slice destination;
	uint64_t now; /* with the verdict, of … */
	uint64_t now_connections;
	uint64_t before;
	uint64_t before_connections;
};

struct report_comparison {
	bool asked;
	int64_t since;
	int64_t until;
	uint64_t connections; /* in that time */
	uint64_t count[REPORT_CHANGES];
	uint64_t unchanged; /* the same share as before */
	struct report_change *row;
	size_t row_count;
};

/* Days in a row on which no connection was recorded: from the first to the last of them. */
struct report_gap {
	int64_t first;
	int64_t last;
};

/* An hour or a day that has connections. */
struct report_period {
	int64_t start;
	struct report_tally tally;
};

/* Of a host on one day: how many records arrived, and how many it wrote besides, by what the
 * names of its records count. */
struct report_delivery {
	struct slice host;
	int64_t day;
	uint64_t arrived;
	uint64_t lost;
	bool is_numbered; /* false: some have no event.id any more, so what is lost is not known */
};

/* A host that has been silent for more whole days than ever before. */
struct report_silence {
	struct slice host;
	int64_t last;  /* the day of its last record */
	uint64_t days; /* since then, without one, up to the last day that any host has */
	uint64_t longest_before;
};

/* A line that is no record. */
struct report_reject {
	uint64_t line;      /* 1-based */
	const char *reason; /* "invalid JSON" */
};

#define REPORT_REJECTS_NAMED 10
#define REPORT_SHA256_SIZE   32

struct report_input {
	const char *name;  /* as the user would name it: a path, or "-" */
	const char *error; /* why it could not be read (to its end); NULL if it could */
	uint64_t bytes;
	uint64_t lines;
	uint64_t records; /* all records, whether or not a filter let them pass */
	uint64_t rejected;
	struct report_reject reject[REPORT_REJECTS_NAMED]; /* the first of them */
	size_t reject_count;
	bool has_sha256;
	uint8_t sha256[REPORT_SHA256_SIZE]; /* of the file as it lies there, compressed or not */
};

/* How many records of each kind passed the filters. */
struct report_records {
	uint64_t all;
	uint64_t handshakes;
	uint64_t plaintext_mails;
	uint64_t clear_sessions; /* smtp-session: ended without mail or AUTH */
	uint64_t settings;
	uint64_t blind_spots;
	uint64_t configuration_errors;
	uint64_t lost_notices; /* records-lost */
	uint64_t other;        /* actions that this reader does not know */
	uint64_t lost;         /* the records that could not be written, summed */
	uint64_t filtered_out; /* records that no filter let pass */
	uint64_t doubles;      /* records that were there before, by event.id: not counted */
};

/* Which of the large tables the renderer needs; what is not asked for stays empty. */
enum report_wants {
	WANT_GROUPS = 1,
	WANT_PLACES = 2,
	WANT_NAMES = 4, /* programs, destinations, hosts, services */
	WANT_PAIRS = 8, /* with WANT_NAMES */
	WANT_FINDINGS = 16,
	WANT_PERIODS = 32,
	WANT_HOSTS = 64, /* hosts and services alone */
	WANT_CERTIFICATES = 128,
	WANT_CIPHERS = 256,
	WANT_DELIVERY = 512,
	WANT_ALL = 1023,
};

struct report {
	struct report_records records;
	struct report_tally total;
	uint64_t limited_by[ENTRY_LIMITS];
	uint64_t certificate[ENTRY_CERTIFICATES];
	uint64_t conflicts;             /* the witnesses disagreed: a defect of ours */
	uint64_t floor[ENTRY_VERSIONS]; /* connections by the floor they were recorded under */
	int64_t first; /* of all records that passed; meaningless if there are none */
	int64_t last;

	/* What was asked for. */
	enum report_key by[REPORT_KEYS];
	size_t by_count;
	bool what_if;                     /* the verdicts are what they would have been … */
	enum entry_version what_if_floor; /* … had this been the floor, in enforce */
	const struct filter *filter;      /* which records were chosen; the caller's */
	const char *command;              /* as it can be typed again; the caller's */
	struct report_readiness readiness;
	bool doubles_missed; /* there were too many records to look for doubles among all */
	int64_t generated;   /* when the report was made */

	struct report_group *groups;
	size_t group_count;
	struct report_place *places; /* only those with something to change */
	size_t place_count;
	struct report_name *programs;
	size_t program_count;
	struct report_name *destinations;
	size_t destination_count;
	struct report_name *hosts;
	size_t host_count;
	struct report_name *services;
	size_t service_count;
	struct report_pair *pairs;
	size_t pair_count;

	struct report_findings plaintext; /* program, destination, reason */
	struct report_findings failures;  /* program, destination, reason: failed and refused */
	struct report_findings
		certificates; /* program, destination, "unchecked", "chain-only", … */
	struct report_findings exceptions;           /* program, destination, the exception */
	struct report_findings blind_spots;          /* program, reason */
	struct report_findings lost;                 /* program; `records` is what was lost */
	struct report_findings configuration_errors; /* program, reason */

	struct report_period *hours; /* in order of time; hours and days without any are left out */
	size_t hour_count;
	struct report_period *days;
	size_t day_count;

	struct report_gap *gaps; /* in what was asked for, else in what was recorded */
	size_t gap_count;

	/* By whole days, and by no filter but those of hosts and times. */
	struct report_delivery *deliveries; /* by host and day */
	size_t delivery_count;
	uint64_t arrived;
	uint64_t missing;
	struct report_delivery *losses; /* those with something lost, the most first */
	size_t loss_count;
	struct report_silence *silences; /* the longest first */
	size_t silence_count;

	struct report_certificate *server_certificates; /* what ends first, first */
	size_t server_certificate_count;
	uint64_t expiring; /* of them */
	bool has_expiring;
	int64_t expiring_before;       /* what was asked about */
	struct report_cipher *ciphers; /* most connections first */
	size_t cipher_count;
	struct report_comparison comparison;

	struct report_input *inputs; /* in the order of reading */
	size_t input_count;
};

void report_free(struct report *report);

/* The name that --by, JSON and CSV use, and the one that heads a column; static. */
const char *report_key_name(enum report_key key);
const char *report_key_title(enum report_key key);

/* "new", "worse", "better", "fixed", "gone"; static. */
const char *report_change_name(enum report_change_kind kind);

/* Back from the name; REPORT_KEYS if there is none. */
enum report_key report_key_from(struct slice name);

/* The worst verdict that occurs in `tally`; VERDICT_OK if it is empty. */
enum entry_verdict report_worst(const struct report_tally *tally);

/* Adds so many connections, which were alike, of the times from `first` to `last`. */
void report_tally_count(struct report_tally *tally, enum entry_version version,
			enum entry_verdict verdict, uint64_t connections, int64_t first,
			int64_t last);

/* Adds `more` to `tally`. */
void report_tally_add(struct report_tally *tally, const struct report_tally *more);

/* The renderers. False if `out` could not be written to. */
struct report_style {
	struct text_style text;
	size_t top;       /* rows to show of the table of groups; 0: all */
	size_t top_lists; /* and of the lists below it */
	bool audit;       /* what an auditor asks for is written in text, too */
};
bool render_text(FILE *out, const struct report *report, const struct report_style *style);
bool render_json(FILE *out, const struct report *report);
bool render_csv(FILE *out, const struct report *report);
bool render_openmetrics(FILE *out, const struct report *report);
bool render_html(FILE *out, const struct report *report, const struct report_style *style);
bool render_sarif(FILE *out, const struct report *report);
bool render_junit(FILE *out, const struct report *report);
bool render_mail(FILE *out, const struct report *report, const struct report_style *style);

#endif
