/*
 * Knows the words of the command line; must not know files or records.
 */
#include "tools/report/request.h"

#include "tools/base/options.h"
#include "tools/base/put.h"
#include "tools/base/timestamp.h"
#include "tools/log/engine.h"
#include "tools/log/filter_options.h"

static void print_help(FILE *out)
{
	put_text(out,
		 "Usage: tlswitness report [OPTION...] [FILE|DIRECTORY|- ...]\n"
		 "\n"
		 "Who sent mail where, with which TLS version, and what to change. Without a\n"
		 "file it reads $TLSWITNESS_LOG, else /var/log/tlswitness/, else\n"
		 "${XDG_STATE_HOME:-~/.local/state}/tlswitness/. Of a directory it reads all\n"
		 "*.jsonl files and their rotated siblings; - is standard input.\n"
		 "\n" FILTER_HELP "  --from URL         not of files: what a database engine has,\n"
		 "                     clickhouse+https://host:8443/tlswitness?table=tls\n"
		 "\n"
		 "What to make of them:\n"
		 "  --by LIST          group by program, destination, version, verdict, place,\n"
		 "                     host, service, user, hour, day (program,destination)\n"
		 "  --what-if VERSION  the verdicts as they would have been with that floor\n"
		 "                     enforced: 1.2 or 1.3\n"
		 "  --fail-on LIST     exit status 1 if any of these verdicts occurs\n"
		 "  --json             as JSON\n"
		 "  --csv              as CSV: one row for each group of --by, which is\n"
		 "                     program,destination,version,verdict if not given\n"
		 "  --openmetrics      as metrics, for the textfile collector of node_exporter\n"
		 "  --html             as one page that needs no script and no network\n"
		 "  --top N            rows of each table; 0 for all (30, and 10 of the\n"
		 "                     lists below the first)\n"
		 "  --sha256           take the SHA-256 of each input, as --html always does,\n"
		 "                     for --json\n"
		 "  --threads N        use N threads (one for each core)\n"
		 "\n"
		 "Exit status: 0; 1 by --fail-on; 2 on bad use, or if nothing could be read.\n");
}

enum option_code {
	OPTION_FROM = 256,
	OPTION_BY,
	OPTION_WHAT_IF,
	OPTION_FAIL_ON,
	OPTION_JSON,
	OPTION_CSV,
	OPTION_OPENMETRICS,
	OPTION_HTML,
	OPTION_TOP,
	OPTION_SHA256,
	OPTION_THREADS,
};

static const struct option long_options[] = {
	FILTER_LONG_OPTIONS,
	{"from", required_argument, NULL, OPTION_FROM},
	{"by", required_argument, NULL, OPTION_BY},
	{"what-if", required_argument, NULL, OPTION_WHAT_IF},
	{"fail-on", required_argument, NULL, OPTION_FAIL_ON},
	{"json", no_argument, NULL, OPTION_JSON},
	{"csv", no_argument, NULL, OPTION_CSV},
	{"openmetrics", no_argument, NULL, OPTION_OPENMETRICS},
	{"html", no_argument, NULL, OPTION_HTML},
	{"top", required_argument, NULL, OPTION_TOP},
	{"sha256", no_argument, NULL, OPTION_SHA256},
	{"threads", required_argument, NULL, OPTION_THREADS},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static bool parse_version(const char *text, struct aggregate_options *counting)
{
	enum entry_version version = entry_version_from(slice_of(text));

	if (version < VERSION_TLS_1_0 || version > VERSION_TLS_1_3) {
		complain("--what-if: '%s' is no TLS version; give 1.2 or 1.3", text);
		return false;
	}
	counting->what_if = true;
	counting->floor = version;
	return true;
}

static bool add_key(struct aggregate_options *counting, enum report_key key)
{
	for (size_t i = 0; i < counting->by_count; i++) {
		if (counting->by[i] == key)
			return true;
	}
	counting->by[counting->by_count++] = key;
	return true;
}

static bool parse_keys(const char *list, struct aggregate_options *counting)
{
	counting->by_count = 0;
	for (;;) {
		size_t length = strcspn(list, ",");
		enum report_key key = report_key_from((struct slice){list, length});

		if (key == REPORT_KEYS) {
			complain("--by: '%.*s' can't be grouped by; program, destination, "
				 "version, verdict, place, host, service, user, hour and "
				 "day can",
				 (int)length, list);
			return false;
		}
		add_key(counting, key);
		if (list[length] == '\0')
			return true;
		list += length + 1;
	}
}

static bool parse_threads(const char *text, struct reader_options *reading)
{
	unsigned long number = 0;

	if (!parse_number_option("threads", text, 0, 256, &number))
		return false;
	reading->threads = (unsigned)number;
	return true;
}

static bool parse_option(struct request *request, int code, const char *argument)
{
	if (code >= FILTER_SINCE && code < FILTER_OPTIONS_END)
		return filter_take_option(&request->filter, code, argument, request->now);
	switch (code) {
	case OPTION_FROM:
		if (!engine_is_url(argument)) {
			complain("--from: '%s' is no engine; it should look like "
				 "clickhouse+https://host:8443/tlswitness?table=tls",
				 argument);
			return false;
		}
		request->from = argument;
		return true;
	case OPTION_BY:
		request->has_by = true;
		return parse_keys(argument, &request->counting);
	case OPTION_WHAT_IF:
		return parse_version(argument, &request->counting);
	case OPTION_FAIL_ON:
		return filter_take_verdicts("fail-on", argument, request->fail_on);
	case OPTION_TOP:
		if (!parse_number_option("top", argument, 0, 1000000000UL, &request->top))
			return false;
		request->has_top = true;
		return true;
	case OPTION_SHA256:
		request->sha256 = true;
		return true;
	case OPTION_THREADS:
		return parse_threads(argument, &request->reading);
	case OPTION_JSON:
		request->format = FORMAT_JSON;
		return true;
	case OPTION_CSV:
		request->format = FORMAT_CSV;
		return true;
	case OPTION_OPENMETRICS:
		request->format = FORMAT_OPENMETRICS;
		return true;
	default:
		request->format = FORMAT_HTML;
		return true;
	}
}

/* Machines compare rows, so theirs tell apart what a person's are summed over. */
static void choose_keys(struct request *request)
{
	static const enum report_key for_people[] = {KEY_PROGRAM, KEY_DESTINATION};
	static const enum report_key for_machines[] = {KEY_PROGRAM, KEY_DESTINATION, KEY_VERSION,
						       KEY_VERDICT};
	struct aggregate_options *counting = &request->counting;
	bool machine = request->format == FORMAT_CSV || request->format == FORMAT_OPENMETRICS;

	if (request->has_by)
		return;
	if (machine)
		memcpy(counting->by, for_machines, sizeof(for_machines));
	else
		memcpy(counting->by, for_people, sizeof(for_people));
	counting->by_count = machine ? 4 : 2;
}

size_t request_top(const struct request *request, size_t without)
{
	return request->has_top ? request->top : without;
}

static unsigned wants_of(const struct request *request)
{
	switch (request->format) {
	case FORMAT_JSON:
		return WANT_ALL & ~(unsigned)WANT_PAIRS;
	case FORMAT_CSV:
		return WANT_GROUPS;
	case FORMAT_OPENMETRICS:
		return WANT_GROUPS | WANT_PLACES;
	case FORMAT_HTML:
		return WANT_ALL;
	default:
		return WANT_GROUPS | WANT_PLACES | WANT_HOSTS | WANT_FINDINGS;
	}
}

static void prepare(struct request *request)
{
	struct rollup_options *rollup = &request->rollup;
	struct filter *filter = &request->filter;

	choose_keys(request);
	request->counting.filter = filter;
	rollup->connections_chosen = filter->has_verdicts || filter->to.count > 0;
	request->counting.wants = wants_of(request);
	/* Only a page of text shows no more than its rows; the other formats count the rest. */
	if (request->format == FORMAT_TEXT) {
		rollup->top = request_top(request, DEFAULT_TOP);
		rollup->top_lists = request_top(request, DEFAULT_TOP_LISTS);
	}
}

bool request_parse(struct request *request, int argc, char **argv, int *status)
{
	bool begun = false;

	*request = (struct request){.now = timestamp_now()};
	*status = 2;
	for (;;) {
		int code = options_next(argc, argv, "h", long_options, NULL, &begun);

		if (code == OPTIONS_END)
			break;
		if (code == 'h') {
			print_help(stdout);
			*status = put_end(stdout) ? 0 : 2;
			return false;
		}
		if (code == OPTIONS_BAD || !parse_option(request, code, optarg))
			return false;
	}
	prepare(request);
	return true;
}

void request_free(struct request *request)
{
	filter_free(&request->filter);
}
