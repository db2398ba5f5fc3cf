/*
 * What the command line of `tlswitness report` asks for.
 */
#ifndef TLSWITNESS_REQUEST_H
#define TLSWITNESS_REQUEST_H

#include "tools/log/filter.h"
#include "tools/report/aggregate.h"
#include "tools/report/reader.h"
#include "tools/report/rollup.h"

/* Rows of the table of groups, and of the lists below it, if nobody says otherwise. */
#define DEFAULT_TOP       30
#define DEFAULT_TOP_LISTS 10

struct request {
	struct filter filter;
	struct rollup_options rollup;
	struct aggregate_options counting;
	struct reader_options reading;
	const char *from; /* the engine to ask instead of files; NULL: none */
	struct {
		bool verdict[ENTRY_VERDICTS];
		bool no_records;
		bool unverified;  /* a certificate that was unchecked, or failed */
		bool unreadable;  /* a log, or a part of one */
		bool expiring;    /* a certificate that ends soon */
		bool new_finding; /* that was not there in the time that is compared with */
	} fail_on;
	enum report_format {
		FORMAT_TEXT,
		FORMAT_JSON,
		FORMAT_CSV,
		FORMAT_OPENMETRICS,
		FORMAT_HTML,
		FORMAT_SARIF,
		FORMAT_JUNIT,
		FORMAT_MAIL,
	} format;
	const char *format_option; /* the option that chose it; NULL: none */
	bool has_flip;
	int64_t flip;
	bool has_width;
	unsigned long width;
	char *command; /* as it can be typed again */
	bool has_by;
	bool has_top;
	bool sha256;
	bool audit;             /* in text, what --html and --json always have */
	bool show;              /* the records themselves */
	bool openmetrics;       /* asked for by name, so that `counters` are so too */
	const char *counters;   /* the file that they are added to; NULL: none */
	const char *compare_to; /* a period in words; NULL: none */
	unsigned long top;
	int64_t now;
};

/*
 * Reads the options; what is left begins at optind. False, with *status set for the
 * process to end with, if there is nothing more to do: a complaint is made, or help given.
 * Texts are borrowed from argv. Free it with request_free.
 */
bool request_parse(struct request *request, int argc, char **argv, int *status);
void request_free(struct request *request);

/* --top if it was given, else `without`. */
size_t request_top(const struct request *request, size_t without);

#endif
