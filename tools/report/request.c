/*
 * Knows the words of the command line; must not know files or records.
 */
#include "tools/report/request.h"

#include <stdlib.h>

#include "tools/base/options.h"
#include "tools/base/put.h"
#include "tools/base/table.h"
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
		 "\n" FILTER_HELP "  --where KEY=VALUE  connections whose KEY, as --by has it, is "
		 "VALUE, as its table\n"
		 "                     has it: cipher=TLS_AES_128_GCM_SHA256; '-' if it is not\n"
		 "                     known; given twice for one key, any of the two\n"
		 "  --from URL         not of files: what a database engine has,\n"
		 "                     clickhouse+https://host:8443/tlswitness?table=tls\n"
		 "\n");
	put_text(
		out,
		"What to make of them:\n"
		"  --by LIST          group by any of these (program,destination):\n"
		"                     program, destination, version, verdict, place, host,\n"
		"                     service, user, hour, day, cipher, group, reason, port,\n"
		"                     mode, floor, exception, tls_mode, certificate, subject,\n"
		"                     issuer, not_after, library, witness, limited_by,\n"
		"                     offered, executable, caller, parent, domain (the\n"
		"                     registrable one of the destination, by the Public Suffix\n"
		"                     List)\n"
		"  --show             not the report, but the records that it is made of, a line\n"
		"                     each; with --json as they stand in the log\n"
		"  --compare-to PERIOD\n"
		"                     what is new, worse, better, fixed or gone since then: 'last\n"
		"                     week', 'last month' (the 7 or 30 days before --since, which\n"
		"                     is so long ago if not given), or FROM..TO\n"
		"  --expiring DAYS    the certificates of servers that end within so many days\n"
		"  --if-servers-require VERSION\n"
		"                     what would fail on the day on which every server\n"
		"                     requires it (1.2 or 1.3), and whose line that is;\n"
		"                     --flip DATE counts down to that day\n"
		"  --what-if VERSION  the verdicts as they would have been had we enforced\n"
		"                     that floor: 1.2 or 1.3\n"
		"  --fail-on LIST     exit status 1 if any of these occurs: a verdict;\n"
		"                     no-records; unverified (a certificate that nobody\n"
		"                     checked, or that failed); unreadable (a log);\n"
		"                     expiring (by --expiring); new (by --compare-to)\n"
		"  --json             as JSON\n"
		"  --csv              as CSV: one row for each group of --by, which is\n"
		"                     program,destination,version,verdict if not given\n"
		"  --openmetrics      as metrics, for the textfile collector of node_exporter\n"
		"  --counters FILE    the same, but as counters that only rise, whatever is\n"
		"                     rotated: what is new is added to FILE, which the\n"
		"                     collector reads; records of the last minute wait for\n"
		"                     the next time; with --openmetrics in that form\n"
		"  --html             as one page that needs no script and no network\n"
		"  --sarif            the places, for a code review that shows the line\n"
		"  --junit            a test case for each place, for a CI\n"
		"  --mail             a summary made to be mailed: short, without colours\n"
		"  --width N          columns of text; 0: as wide as its names, as if it is\n"
		"                     no terminal that is written to\n"
		"  --top N            rows of each table; 0 for all (30, and 10 of the\n"
		"                     lists below the first)\n"
		"  --audit            in text, too: hosts and services, days without a\n"
		"                     connection, cipher suites, certificates of servers,\n"
		"                     the SHA-256 of each input, and how it was seen\n"
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
	OPTION_AUDIT,
	OPTION_HTML,
	OPTION_SARIF,
	OPTION_JUNIT,
	OPTION_MAIL,
	OPTION_IF_SERVERS_REQUIRE,
	OPTION_FLIP,
	OPTION_WIDTH,
	OPTION_TOP,
	OPTION_SHA256,
	OPTION_THREADS,
	OPTION_WHERE,
	OPTION_SHOW,
	OPTION_COMPARE_TO,
	OPTION_EXPIRING,
	OPTION_COUNTERS,
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
	{"sarif", no_argument, NULL, OPTION_SARIF},
	{"junit", no_argument, NULL, OPTION_JUNIT},
	{"mail", no_argument, NULL, OPTION_MAIL},
	{"if-servers-require", required_argument, NULL, OPTION_IF_SERVERS_REQUIRE},
	{"flip", required_argument, NULL, OPTION_FLIP},
	{"width", required_argument, NULL, OPTION_WIDTH},
	{"top", required_argument, NULL, OPTION_TOP},
	{"audit", no_argument, NULL, OPTION_AUDIT},
	{"sha256", no_argument, NULL, OPTION_SHA256},
	{"threads", required_argument, NULL, OPTION_THREADS},
	{"where", required_argument, NULL, OPTION_WHERE},
	{"show", no_argument, NULL, OPTION_SHOW},
	{"compare-to", required_argument, NULL, OPTION_COMPARE_TO},
	{"counters", required_argument, NULL, OPTION_COUNTERS},
	{"expiring", required_argument, NULL, OPTION_EXPIRING},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static bool parse_version(const char *option, const char *text, enum entry_version *version)
{
	enum entry_version found = entry_version_from(slice_of(text));

	if (found != VERSION_TLS_1_2 && found != VERSION_TLS_1_3) {
		complain("--%s: '%s' is none of the versions that can be asked about; give 1.2 or "
			 "1.3",
			 option, text);
		return false;
	}
	*version = found;
	return true;
}

static bool parse_flip(struct request *request, const char *text)
{
	if (!timestamp_from_user(text, request->now, &request->flip)) {
		complain("--flip: '%s' is no day; give one such as 2027-01-01", text);
		return false;
	}
	request->has_flip = true;
	return true;
}

/* "below-floor,no-records": verdicts, and what else can be wrong. */
static bool parse_fail_on(struct request *request, const char *list)
{
	for (;;) {
		size_t length = strcspn(list, ",");
		struct slice word = {list, length};
		enum entry_verdict verdict = entry_verdict_from(word);

		if (slice_is(word, "no-records")) {
			request->fail_on.no_records = true;
		} else if (slice_is(word, "unverified")) {
			request->fail_on.unverified = true;
		} else if (slice_is(word, "unreadable")) {
			request->fail_on.unreadable = true;
		} else if (slice_is(word, "expiring")) {
			request->fail_on.expiring = true;
		} else if (slice_is(word, "new")) {
			request->fail_on.new_finding = true;
		} else if (verdict != ENTRY_VERDICTS) {
			request->fail_on.verdict[verdict] = true;
		} else {
			complain("--fail-on: '%.*s' is nothing to fail on; give verdicts (%s), "
				 "no-records, unverified, unreadable, expiring or new",
				 (int)length, list, entry_verdict_list());
			return false;
		}
		if (list[length] == '\0')
			return true;
		list += length + 1;
	}
}

static bool choose_format(struct request *request, const char *option, enum report_format format)
{
	if (request->format_option && request->format != format) {
		complain("--%s and --%s: only one form can be written at a time; run it once for "
			 "each",
			 request->format_option, option);
		return false;
	}
	request->format = format;
	request->format_option = option;
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

static void complain_of_key(const char *option, struct slice word)
{
	const char *names[REPORT_KEYS + 1] = {NULL};
	const char *nearest = NULL;
	char text[64];

	(void)snprintf(text, sizeof(text), "%.*s", (int)word.length, word.start);
	for (unsigned key = 0; key < REPORT_KEYS; key++)
		names[key] = report_key_name(key);
	nearest = options_nearest(text, names);
	if (nearest)
		complain("--%s: '%s' can't be grouped by; did you mean %s? `tlswitness report "
			 "--help` lists what can",
			 option, text, nearest);
	else
		complain("--%s: '%s' can't be grouped by; `tlswitness report --help` lists what "
			 "can",
			 option, text);
}

static bool parse_keys(const char *list, struct aggregate_options *counting)
{
	counting->by_count = 0;
	for (;;) {
		size_t length = strcspn(list, ",");
		enum report_key key = report_key_from((struct slice){list, length});

		if (key == REPORT_KEYS) {
			complain_of_key("by", (struct slice){list, length});
			return false;
		}
		add_key(counting, key);
		if (list[length] == '\0')
			return true;
		list += length + 1;
	}
}

/* "cipher=TLS_AES_128_GCM_SHA256"; a value of "-" is one that is not known. */
static bool parse_where(struct request *request, const char *text)
{
	struct aggregate_options *counting = &request->counting;
	const char *equals = strchr(text, '=');
	struct slice name = {text, equals ? (size_t)(equals - text) : strlen(text)};
	struct report_where where = {.key = report_key_from(name)};

	if (where.key == REPORT_KEYS) {
		complain_of_key("where", name);
		return false;
	}
	if (!equals) {
		complain("--where: '%s' has no value; give one such as %s=VALUE", text, text);
		return false;
	}
	if (strcmp(equals + 1, "-") != 0)
		where.value = slice_of(equals + 1);
	counting->where = table_resize(counting->where,
				       (counting->where_count + 1) * sizeof(counting->where[0]));
	counting->where[counting->where_count++] = where;
	filter_add(&request->filter.where, text);
	return true;
}

static bool parse_expiring(struct request *request, const char *text)
{
	unsigned long days = 0;

	if (!parse_number_option("expiring", text, 0, 36500, &days))
		return false;
	request->counting.has_expiring = true;
	request->counting.expiring_before = request->now + (int64_t)days * MICROSECONDS_PER_DAY;
	return true;
}

/* "FROM..TO", each a time as --since takes it. */
static bool parse_from_to(struct request *request, const char *text, struct filter *compared)
{
	const char *dots = strstr(text, "..");
	char from[64];

	if (!dots || (size_t)(dots - text) >= sizeof(from))
		return false;
	(void)snprintf(from, sizeof(from), "%.*s", (int)(dots - text), text);
	return timestamp_from_user(from, request->now, &compared->since) &&
	       timestamp_from_user(dots + 2, request->now, &compared->until) &&
	       compared->since < compared->until;
}

/* The time to compare with; and the report's own, if nobody said it. */
static bool choose_periods(struct request *request)
{
	struct filter *filter = &request->filter;
	struct filter *compared = &request->counting.compared;
	const char *text = request->compare_to;
	bool week = text && strcmp(text, "last week") == 0;
	bool month = text && strcmp(text, "last month") == 0;
	int64_t length = (week ? 7 : 30) * MICROSECONDS_PER_DAY;
	struct filter times = {0};

	if (!text)
		return true;
	if (!week && !month && !parse_from_to(request, text, &times)) {
		complain("--compare-to: '%s' is no period; give 'last week', 'last month', or one "
			 "such as 2026-11-01..2026-11-15",
			 text);
		return false;
	}
	if (!filter->has_since) {
		filter->has_since = true;
		filter->since = week || month ? request->now - length : times.until;
	}
	if (week || month) {
		times.since = filter->since - length;
		times.until = filter->since;
	} else if (times.until > filter->since &&
		   (!filter->has_until || times.since < filter->until)) {
		complain("--compare-to: '%s' and the time of the report have a part in common",
			 text);
		return false;
	}
	request->counting.compares = true;
	*compared = *filter;
	compared->since = times.since;
	compared->has_until = true;
	compared->until = times.until;
	return true;
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
		request->counting.what_if = true;
		return parse_version("what-if", argument, &request->counting.floor);
	case OPTION_IF_SERVERS_REQUIRE:
		return parse_version("if-servers-require", argument, &request->counting.required);
	case OPTION_FLIP:
		return parse_flip(request, argument);
	case OPTION_WIDTH:
		request->has_width = true;
		return parse_number_option("width", argument, 0, 10000, &request->width);
	case OPTION_FAIL_ON:
		return parse_fail_on(request, argument);
	case OPTION_TOP:
		if (!parse_number_option("top", argument, 0, 1000000000UL, &request->top))
			return false;
		request->has_top = true;
		return true;
	case OPTION_SHA256:
		request->sha256 = true;
		return true;
	case OPTION_AUDIT:
		request->audit = true;
		return true;
	case OPTION_WHERE:
		return parse_where(request, argument);
	case OPTION_SHOW:
		request->show = true;
		return true;
	case OPTION_COMPARE_TO:
		request->compare_to = argument;
		return true;
	case OPTION_COUNTERS:
		request->counters = argument;
		return choose_format(request, "counters", FORMAT_OPENMETRICS);
	case OPTION_EXPIRING:
		return parse_expiring(request, argument);
	case OPTION_THREADS:
		return parse_threads(argument, &request->reading);
	case OPTION_JSON:
		return choose_format(request, "json", FORMAT_JSON);
	case OPTION_CSV:
		return choose_format(request, "csv", FORMAT_CSV);
	case OPTION_OPENMETRICS:
		request->openmetrics = true;
		return choose_format(request, "openmetrics", FORMAT_OPENMETRICS);
	case OPTION_SARIF:
		return choose_format(request, "sarif", FORMAT_SARIF);
	case OPTION_JUNIT:
		return choose_format(request, "junit", FORMAT_JUNIT);
	case OPTION_MAIL:
		return choose_format(request, "mail", FORMAT_MAIL);
	default:
		return choose_format(request, "html", FORMAT_HTML);
	}
}

/* What can't be asked together. */
static bool is_consistent(const struct request *request)
{
	const struct filter *filter = &request->filter;

	if (filter->has_since && filter->has_until && filter->until <= filter->since) {
		complain("--until is not after --since: no record can lie between them");
		return false;
	}
	if (request->has_flip && request->counting.required == VERSION_CLEAR) {
		complain("--flip is the day to which --if-servers-require counts down; give both");
		return false;
	}
	if (request->show && request->format != FORMAT_TEXT && request->format != FORMAT_JSON) {
		complain("--show and --%s: records are shown as text, or as they are by --json",
			 request->format_option);
		return false;
	}
	if (request->audit && (request->format != FORMAT_TEXT || request->show)) {
		complain("--audit and --%s: it is for the report as text; --html and --json have "
			 "all of it without being asked",
			 request->show ? "show" : request->format_option);
		return false;
	}
	if (request->counters && (filter->has_since || filter->has_until)) {
		complain("--counters: its times are where it ended before, and a minute ago; leave "
			 "--since and --until out");
		return false;
	}
	if (request->fail_on.expiring && !request->counting.has_expiring) {
		complain("--fail-on expiring: within how many days? Give --expiring too");
		return false;
	}
	if (request->fail_on.new_finding && !request->compare_to) {
		complain("--fail-on new: since when? Give --compare-to too");
		return false;
	}
	return true;
}

/* So that a shell reads it as one word, and no control character of it is one any more. */
static void put_word(FILE *out, const char *word)
{
	if (word[0] && strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "%+,-./:=@_") == strlen(word)) {
		put_text(out, word);
		return;
	}
	put_byte(out, '\'');
	for (; *word; word++) {
		if (*word == '\'')
			put_text(out, "'\\''");
		else
			put_byte(out, *word);
	}
	put_byte(out, '\'');
}

static void keep_command(struct request *request, int argc, char **argv)
{
	size_t size = 0;
	FILE *out = open_memstream(&request->command, &size);

	if (!out)
		table_out_of_memory();
	put_text(out, "tlswitness");
	for (int i = 0; i < argc; i++) {
		/* With any number of threads it is the same report. */
		if (strncmp(argv[i], "--threads", strlen("--threads")) == 0) {
			i += argv[i][strlen("--threads")] == '\0';
			continue;
		}
		put_byte(out, ' ');
		put_word(out, argv[i]);
	}
	if (fclose(out) != 0)
		table_out_of_memory();
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
	unsigned expiring = request->counting.has_expiring ? WANT_CERTIFICATES : 0;

	if (request->show)
		return 0;
	switch (request->format) {
	case FORMAT_JSON:
		return WANT_ALL & ~(unsigned)WANT_PAIRS;
	case FORMAT_CSV:
		return WANT_GROUPS | expiring;
	case FORMAT_OPENMETRICS:
		return WANT_GROUPS | WANT_PLACES | expiring;
	case FORMAT_SARIF:
	case FORMAT_JUNIT:
		return WANT_PLACES | expiring;
	case FORMAT_MAIL:
		return WANT_PLACES | WANT_HOSTS | WANT_FINDINGS | expiring;
	case FORMAT_HTML:
		return WANT_ALL;
	default:
		if (request->audit)
			return WANT_ALL & ~(unsigned)WANT_PAIRS;
		return WANT_GROUPS | WANT_PLACES | WANT_HOSTS | WANT_FINDINGS | WANT_DELIVERY |
		       expiring;
	}
}

static void prepare(struct request *request)
{
	struct rollup_options *rollup = &request->rollup;
	struct filter *filter = &request->filter;

	choose_keys(request);
	request->counting.filter = filter;
	request->counting.delivered_is_told = request->from != NULL;
	rollup->connections_chosen =
		filter->has_verdicts || filter->to.count > 0 || filter->where.count > 0;
	request->counting.wants = wants_of(request);
	/* Only a page of text shows no more than its rows; the other formats count the rest. */
	if (request->format == FORMAT_TEXT || request->format == FORMAT_MAIL) {
		rollup->top = request_top(request, DEFAULT_TOP);
		rollup->top_lists = request_top(request, DEFAULT_TOP_LISTS);
	}
}

bool request_parse(struct request *request, int argc, char **argv, int *status)
{
	bool begun = false;

	*request = (struct request){.now = timestamp_now()};
	*status = 2;
	keep_command(request, argc, argv);
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
	if (!choose_periods(request) || !is_consistent(request))
		return false;
	prepare(request);
	return true;
}

void request_free(struct request *request)
{
	filter_free(&request->filter);
	free(request->counting.where);
	free(request->command);
}
