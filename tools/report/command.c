/*
 * tlswitness report: takes the command line, has the logs read and counted, and
 * hands the finished report to a renderer.
 */
#include "tools/report/model.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <locale.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/command.h"
#include "tools/log/default_log.h"
#include "tools/log/filter_options.h"
#include "tools/base/options.h"
#include "tools/base/put.h"
#include "tools/report/reader.h"
#include "tools/report/rollup.h"
#include "tools/base/table.h"
#include "tools/base/terminal.h"
#include "tools/base/timestamp.h"

#define DEFAULT_WIDTH     80
#define DEFAULT_TOP       30
#define DEFAULT_TOP_LISTS 10

/* The end of the year 9999. */
#define SECONDS_MAX INT64_C(253402300799)

struct request {
	struct filter filter;
	struct rollup_options rollup;
	struct aggregate_options counting;
	struct reader_options reading;
	bool fail_on[REPORT_VERDICTS];
	enum { FORMAT_TEXT, FORMAT_JSON, FORMAT_CSV, FORMAT_OPENMETRICS, FORMAT_HTML } format;
	bool has_by;
	bool has_top;
	bool sha256;
	unsigned long top;
	int64_t now;
};

static void print_help(FILE *out)
{
	put_text(out,
		 "Usage: tlswitness report [OPTION...] [FILE|DIRECTORY|- ...]\n"
		 "\n"
		 "Who sent mail where, with which TLS version, and what to change. Without a\n"
		 "file it reads $TLSWITNESS_LOG, else /var/log/tlswitness/, else\n"
		 "${XDG_STATE_HOME:-~/.local/state}/tlswitness/. Of a directory it reads all\n"
		 "*.jsonl files and their rotated siblings; - is standard input.\n"
		 "\n" FILTER_HELP "\n"
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
	OPTION_BY = 256,
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
	enum report_version version = report_version_from(slice_of(text));

	if (version < VERSION_TLS_1_0 || version > VERSION_TLS_1_3) {
		complain("--what-if: '%s' is no TLS version; give 1.2 or 1.3", text);
		return false;
	}
	counting->what_if = true;
	counting->floor = version;
	return true;
}

static bool add_key(struct rollup_options *rollup, enum report_key key)
{
	for (size_t i = 0; i < rollup->by_count; i++) {
		if (rollup->by[i] == key)
			return true;
	}
	rollup->by[rollup->by_count++] = key;
	return true;
}

static bool parse_keys(const char *list, struct rollup_options *rollup)
{
	rollup->by_count = 0;
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
		add_key(rollup, key);
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
	case OPTION_BY:
		request->has_by = true;
		return parse_keys(argument, &request->rollup);
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

/* False, with *status set, if there is nothing more to do. */
static bool parse_options(struct request *request, int argc, char **argv, int *status)
{
	int code = 0;

	optind = 0; /* getopt may have been used before: start anew */
	opterr = 0;
	*status = 2;
	while ((code = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
		if (code == 'h') {
			print_help(stdout);
			*status = 0;
			return false;
		}
		if (code == ':') {
			complain("%s needs a value; `tlswitness report --help` says which",
				 argv[optind - 1]);
			return false;
		}
		if (code == '?') {
			complain("'%s' is no option of report; `tlswitness report --help` "
				 "lists them",
				 argv[optind - 1]);
			return false;
		}
		if (!parse_option(request, code, optarg))
			return false;
	}
	return true;
}

/* Where the recorder writes if nobody says otherwise. */
static bool add_default_log(struct input_set *set)
{
	char *log = default_log();

	if (!log)
		return false;
	input_set_add(set, log);
	free(log);
	return true;
}

/* Machines compare rows, so theirs tell apart what a person's are summed over. */
static void choose_keys(struct request *request)
{
	static const enum report_key for_people[] = {KEY_PROGRAM, KEY_DESTINATION};
	static const enum report_key for_machines[] = {KEY_PROGRAM, KEY_DESTINATION, KEY_VERSION,
						       KEY_VERDICT};
	struct rollup_options *rollup = &request->rollup;
	bool machine = request->format == FORMAT_CSV || request->format == FORMAT_OPENMETRICS;

	if (request->has_by)
		return;
	if (machine)
		memcpy(rollup->by, for_machines, sizeof(for_machines));
	else
		memcpy(rollup->by, for_people, sizeof(for_people));
	rollup->by_count = machine ? 4 : 2;
}

static size_t top_of(const struct request *request, size_t without)
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

static void prepare_counting(struct request *request)
{
	struct rollup_options *rollup = &request->rollup;
	struct filter *filter = &request->filter;

	choose_keys(request);
	request->counting.filter = filter;
	for (size_t i = 0; i < rollup->by_count; i++) {
		request->counting.by_user |= rollup->by[i] == KEY_USER;
		request->counting.by_hour |= rollup->by[i] == KEY_HOUR;
		request->counting.by_day |= rollup->by[i] == KEY_DAY;
	}
	rollup->connections_chosen = filter->has_verdicts || filter->to.count > 0;
	rollup->wants = wants_of(request);
	/* Only a page of text shows no more than its rows; the other formats count the rest. */
	if (request->format == FORMAT_TEXT) {
		rollup->top = top_of(request, DEFAULT_TOP);
		rollup->top_lists = top_of(request, DEFAULT_TOP_LISTS);
	}
}

/* File names are data too: they may hold control characters. */
static void say_name(const char *name)
{
	put_text(stderr, "tlswitness: ");
	terminal_put(stderr, slice_of(name), SIZE_MAX, false, terminal_utf8());
}

static void say_rejects(const struct report_input *input)
{
	for (size_t i = 0; i < input->reject_count; i++) {
		say_name(input->name);
		put_format(stderr, ":%" PRIu64 ": %s\n", input->reject[i].line,
			   input->reject[i].reason);
	}
	if (input->rejected <= input->reject_count)
		return;
	say_name(input->name);
	put_format(stderr, ": %" PRIu64 " more lines that are no records\n",
		   input->rejected - input->reject_count);
}

/* Says what could not be read; false if that was everything. */
static bool say_troubles(const struct report *report)
{
	size_t failed = 0;
	uint64_t lines = 0;
	uint64_t records = 0;

	for (size_t i = 0; i < report->input_count; i++) {
		const struct report_input *input = &report->inputs[i];

		if (input->error) {
			say_name(input->name);
			put_format(stderr, ": %s\n", input->error);
			failed++;
		}
		say_rejects(input);
		lines += input->lines;
		records += input->records;
	}
	if (records > 0 || (lines == 0 && failed < report->input_count))
		return true;
	if (report->input_count == 0)
		return true;
	complain("no record could be read");
	return false;
}

static bool render_format(const struct request *request, const struct report *report,
			  const struct report_style *style)
{
	switch (request->format) {
	case FORMAT_JSON:
		return render_json(stdout, report);
	case FORMAT_CSV:
		return render_csv(stdout, report);
	case FORMAT_OPENMETRICS:
		return render_openmetrics(stdout, report);
	case FORMAT_HTML:
		return render_html(stdout, report, style);
	default:
		return render_text(stdout, report, style);
	}
}

static bool render(const struct request *request, const struct report *report)
{
	const struct report_style style = {
		.width = terminal_width(STDOUT_FILENO, DEFAULT_WIDTH),
		.colour = terminal_colour(STDOUT_FILENO),
		.utf8 = terminal_utf8(),
		.top = top_of(request, DEFAULT_TOP),
		.top_lists = top_of(request, DEFAULT_TOP_LISTS),
	};
	bool ok = render_format(request, report, &style);

	if (!ok)
		complain("can't write the report: %s", strerror(errno));
	return ok;
}

static bool any_to_fail_on(const struct request *request, const struct report *report)
{
	for (unsigned i = 0; i < REPORT_VERDICTS; i++) {
		if (request->fail_on[i] && report->total.verdict[i] > 0)
			return true;
	}
	return false;
}

/* A build that is to be the same each time says what time it is: SOURCE_DATE_EPOCH. */
static int64_t time_of_making(int64_t now)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	unsigned long seconds = 0;

	if (!epoch || !parse_number(epoch, 0, (unsigned long)SECONDS_MAX, &seconds))
		return now;
	return (int64_t)seconds * MICROSECONDS_PER_SECOND;
}

static void complete(const struct request *request, struct report *report)
{
	report->has_since = request->filter.has_since;
	report->since = request->filter.since;
	report->has_until = request->filter.has_until;
	report->until = request->filter.until;
	report->generated = time_of_making(request->now);
}

static int make_report(const struct request *request, struct input_set *set)
{
	struct aggregate aggregate;
	struct report_input *inputs = NULL;
	struct report *report = NULL;
	int status = 0;

	set->digests = request->sha256 || request->format == FORMAT_HTML;
	reader_run(set, &request->reading, &request->counting, &aggregate, &inputs);
	report = rollup(&aggregate, &request->rollup);
	report->inputs = inputs;
	report->input_count = set->count;
	complete(request, report);
	if (!say_troubles(report) || !render(request, report))
		status = 2;
	else if (any_to_fail_on(request, report))
		status = 1;
	report_free(report);
	aggregate_free(&aggregate);
	return status;
}

int command_report(int argc, char **argv)
{
	struct request request = {.now = timestamp_now()};
	struct input_set set;
	int status = 0;
	bool ready = false;

	(void)setlocale(LC_CTYPE, "");
	input_set_init(&set);
	ready = parse_options(&request, argc, argv, &status);
	if (ready) {
		for (int i = optind; i < argc; i++)
			input_set_add(&set, argv[i]);
		ready = optind < argc || add_default_log(&set);
	}
	if (ready) {
		prepare_counting(&request);
		status = make_report(&request, &set);
	}
	input_set_free(&set);
	filter_free(&request.filter);
	return status;
}
