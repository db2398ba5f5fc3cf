/*
 * tlswitness watch: takes the command line, follows files, directories or a
 * socket, and writes each record as it comes.
 */
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/log/values.h"
#include "tools/command.h"
#include "tools/log/connection_line.h"
#include "tools/log/default_log.h"
#include "tools/log/filter_options.h"
#include "tools/log/follow.h"
#include "tools/base/json_writer.h"
#include "tools/log/line_parser.h"
#include "tools/log/log_socket.h"
#include "tools/base/options.h"
#include "tools/base/put.h"
#include "tools/base/table.h"
#include "tools/base/terminal.h"
#include "tools/base/timestamp.h"

#define DEFAULT_WIDTH 80
#define DEFAULT_LINES 10

/* A datagram of the recorder is smaller; of others, what is longer is cut and said. */
#define DATAGRAM_MAX ((size_t)64 << 10)

/* A record that was there before the start, until all of them are sorted by their times. */
struct early_line {
	int64_t time;
	size_t number; /* to keep the order of equal times */
	struct slice text;
};

struct watch {
	struct filter filter;
	struct filter_cache filtered;
	int64_t now;
	bool json;
	bool has_lines;
	unsigned long lines;

	struct connection_line line;
	struct line_parser parser;
	struct follower follower;
	struct log_socket socket; /* descriptor -1: files are followed */

	uint64_t shown[ENTRY_VERDICTS]; /* connections, by verdict */
	uint64_t shown_others;          /* records of other kinds */

	/* While what was there before is read. */
	bool early;
	struct early_line *early_line;
	size_t early_count;
	size_t early_capacity;
};

static volatile sig_atomic_t stop_signal;

static void note_signal(int number)
{
	stop_signal = number;
}

static void print_help(FILE *out)
{
	put_text(out,
		 "Usage: tlswitness watch [OPTION...] [FILE|DIRECTORY ...|unix:/PATH]\n"
		 "\n"
		 "The log live: one line for each connection, the worst marked (!! below the\n"
		 "floor or in the clear, ! at risk, x refused or failed). Without a file it\n"
		 "follows the log that `tlswitness report` would read. Files are followed by\n"
		 "name, across rotation and truncation; of a directory all *.jsonl files, new\n"
		 "ones too. unix:/PATH makes a datagram socket, for programs that run with\n"
		 "TLSWITNESS_LOG=unix:/PATH, and removes it at the end. Ctrl-C ends it, and\n"
		 "says on stderr how many there were.\n"
		 "\n" FILTER_HELP "\n"
		 "How:\n"
		 "  -n N               begin with those of the last N lines of the log (10);\n"
		 "                     with --since, with all since then\n"
		 "  --json             the records as they are, as JSON lines\n"
		 "\n"
		 "Exit status: 0; 2 on bad use, or if there is nothing to follow.\n");
}

enum option_code { OPTION_JSON = 256 };

static const struct option long_options[] = {
	FILTER_LONG_OPTIONS,
	{"json", no_argument, NULL, OPTION_JSON},
	{"lines", required_argument, NULL, 'n'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static bool parse_option(struct watch *watch, int code, const char *argument)
{
	if (code >= FILTER_SINCE && code < FILTER_OPTIONS_END)
		return filter_take_option(&watch->filter, code, argument, watch->now);
	if (code == OPTION_JSON) {
		watch->json = true;
		return true;
	}
	watch->has_lines = true;
	if (parse_number(argument, 0, 1000000000UL, &watch->lines))
		return true;
	complain("-n: '%s' is no number of lines", argument);
	return false;
}

/* False, with *status set, if there is nothing more to do. */
static bool parse_options(struct watch *watch, int argc, char **argv, int *status)
{
	bool begun = false;

	*status = 2;
	for (;;) {
		int code = options_next(argc, argv, "hn:", long_options, NULL, &begun);

		if (code == OPTIONS_END)
			return true;
		if (code == 'h') {
			print_help(stdout);
			*status = 0;
			return false;
		}
		if (code == OPTIONS_BAD || !parse_option(watch, code, optarg))
			return false;
	}
}

/* ---- a record ---- */

/*
 * JSON may hold DEL, C1 and direction overrides as they are, but only within
 * texts, where an escape means the same.
 */
static void put_json_line(struct slice record)
{
	json_put_visible(stdout, record);
	put_byte(stdout, '\n');
}

static void show(struct watch *watch, const struct entry *entry, int64_t time, struct slice record)
{
	if (action_is_connection(entry_action(entry)))
		watch->shown[entry_verdict(entry)]++;
	else
		watch->shown_others++;
	if (watch->json)
		put_json_line(record);
	else
		connection_line_write(stdout, &watch->line, entry, time);
}

static void keep_early(struct watch *watch, int64_t time, struct slice record)
{
	char *copy = table_allocate(record.length + SCANNER_PADDING);

	memcpy(copy, record.start, record.length);
	memset(copy + record.length, 0, SCANNER_PADDING);
	if (watch->early_count == watch->early_capacity) {
		watch->early_capacity = watch->early_capacity ? watch->early_capacity * 2 : 64;
		watch->early_line = table_resize(
			watch->early_line, watch->early_capacity * sizeof(watch->early_line[0]));
	}
	watch->early_line[watch->early_count] =
		(struct early_line){time, watch->early_count, {copy, record.length}};
	watch->early_count++;
}

static void say(const char *name, const char *text)
{
	/* What was written before belongs before it. */
	(void)fflush(stdout);
	flockfile(stderr);
	put_text(stderr, "tlswitness: ");
	terminal_put(stderr, slice_of(name), SIZE_MAX, false, terminal_utf8());
	put_format(stderr, ": %s\n", text);
	funlockfile(stderr);
}

/* Why `entry` is no record; NULL if it is one. */
static const char *judge(const struct entry *entry, struct filter_subject *subject)
{
	enum entry_action action = ACTION_OTHER;

	if (!entry_has(entry, ENTRY_action))
		return "a line is no record: no event.action";
	if (!timestamp_parse(entry_get(entry, ENTRY_timestamp), &subject->time))
		return "a line is no record: no valid @timestamp";
	action = entry_action_from(entry_get(entry, ENTRY_action));
	subject->connection = action_is_connection(action);
	subject->verdict = entry_verdict(entry);
	return NULL;
}

static void parse_line(void *context, const char *name, struct slice line)
{
	struct watch *watch = context;
	struct filter_subject subject = {0};
	struct entry entry;
	struct slice record = {"", 0};
	const char *trouble = NULL;

	switch (line_parser_read(&watch->parser, line, &entry, &record)) {
	case LINE_NOTHING:
		return;
	case LINE_OBJECT:
		trouble = judge(&entry, &subject);
		break;
	default:
		trouble = "a line is no record: invalid JSON";
		break;
	}
	if (trouble)
		say(name, trouble);
	else if (!filter_passes(&watch->filter, &watch->filtered, &subject, &entry))
		return;
	else if (watch->early)
		keep_early(watch, subject.time, record);
	else
		show(watch, &entry, subject.time, record);
}

static void parse_remark(void *context, const char *name, const char *text)
{
	(void)context;
	say(name, text);
}

/* ---- what was there before ---- */

static int compare_early(const void *a, const void *b)
{
	const struct early_line *first = a;
	const struct early_line *second = b;

	if (first->time != second->time)
		return first->time < second->time ? -1 : 1;
	return (first->number > second->number) - (first->number < second->number);
}

/* The last of the early lines; with --since, and no number given, all. */
static size_t first_early(const struct watch *watch)
{
	if (watch->filter.has_since && !watch->has_lines)
		return 0;
	return watch->early_count > watch->lines ? watch->early_count - watch->lines : 0;
}

static void show_early(struct watch *watch)
{
	size_t first = first_early(watch);

	watch->early = false;
	if (watch->early_count)
		qsort(watch->early_line, watch->early_count, sizeof(watch->early_line[0]),
		      compare_early);
	for (size_t i = 0; i < watch->early_count; i++) {
		const struct early_line *early = &watch->early_line[i];
		struct entry entry;

		if (i >= first &&
		    line_parser_read(&watch->parser, early->text, &entry, NULL) == LINE_OBJECT)
			show(watch, &entry, early->time, early->text);
		free((char *)(uintptr_t)early->text.start);
	}
	free(watch->early_line);
	watch->early_line = NULL;
	watch->early_count = 0;
}

static void begin(struct watch *watch)
{
	if (watch->socket.descriptor >= 0)
		return;
	watch->early = true;
	/* What was written since then may begin anywhere in the log. */
	follower_start(&watch->follower, watch->filter.has_since ? UINT64_MAX : watch->lines);
	follower_read(&watch->follower);
	show_early(watch);
}

/* ---- the loop ---- */

static void read_socket(struct watch *watch)
{
	static char datagram[DATAGRAM_MAX + SCANNER_PADDING];

	for (;;) {
		ssize_t got = log_socket_read(&watch->socket, datagram, DATAGRAM_MAX);
		struct slice text = {datagram, got > 0 ? (size_t)got : 0};

		if (got < 0)
			return;
		while (text.length > 0) {
			const char *newline = memchr(text.start, '\n', text.length);
			size_t length = newline ? (size_t)(newline - text.start) : text.length;

			parse_line(watch, watch->socket.path, (struct slice){text.start, length});
			text = slice_from(text, newline ? length + 1 : length);
		}
	}
}

/* False when nobody reads our output any more. */
static bool wait_for_news(const struct watch *watch, const sigset_t *unblocked)
{
	static const struct timespec interval = {FOLLOW_INTERVAL_MS / 1000,
						 FOLLOW_INTERVAL_MS % 1000 * 1000000L};
	bool files = watch->socket.descriptor < 0;
	struct pollfd polled[] = {
		{.fd = files ? watch->follower.inotify : watch->socket.descriptor,
		 .events = POLLIN},
		/* A pipe whose reader has gone is known without a write to it. */
		{.fd = STDOUT_FILENO, .events = 0},
	};

	if (ppoll(polled, 2, files ? &interval : NULL, unblocked) < 0)
		return true;
	return !(polled[1].revents & (POLLERR | POLLNVAL));
}

static void catch (int number)
{
	struct sigaction action = {.sa_handler = note_signal};
	struct sigaction before;

	/* What whoever started us wants ignored (nohup) stays so. */
	if (sigaction(number, NULL, &before) == 0 && before.sa_handler == SIG_IGN)
		return;
	sigemptyset(&action.sa_mask);
	(void)sigaction(number, &action, NULL);
}

/* Ends as a program does to which the signal happened: so the shell knows. */
static int end_by(int number)
{
	sigset_t set;

	(void)signal(number, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, number);
	(void)raise(number);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
	return 128 + number;
}

/* A terminal may have another width than before: then the columns are new, and say what they are.
 */
static void follow_width(struct watch *watch)
{
	size_t width = watch->line.style.width;

	if (watch->json || isatty(STDOUT_FILENO) != 1)
		return;
	watch->line.style.width = terminal_width(STDOUT_FILENO, DEFAULT_WIDTH);
	if (watch->line.style.width != width)
		connection_line_heading(stdout, &watch->line);
}

/* What was shown, for who ends it by hand. */
static void say_summary(const struct watch *watch)
{
	const char *separator = ": ";
	uint64_t connections = 0;

	for (unsigned i = 0; i < ENTRY_VERDICTS; i++)
		connections += watch->shown[i];
	(void)fflush(stdout);
	put_format(stderr, "tlswitness: %" PRIu64 " connection%s", connections,
		   connections == 1 ? "" : "s");
	for (unsigned i = ENTRY_VERDICTS; i-- > 0;) {
		if (watch->shown[i] == 0)
			continue;
		put_format(stderr, "%s%s %" PRIu64, separator, entry_verdict_name(i),
			   watch->shown[i]);
		separator = ", ";
	}
	if (watch->shown_others)
		put_format(stderr, "; %" PRIu64 " other record%s", watch->shown_others,
			   watch->shown_others == 1 ? "" : "s");
	put_byte(stderr, '\n');
}

/*
 * Signals are let in only while we wait, so that none is missed and the socket is
 * always removed. Returns the signal that should end us: SIGPIPE, or 0.
 */
static int follow(struct watch *watch)
{
	sigset_t blocked;
	sigset_t before;
	bool reader_gone = false;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &blocked, &before);
	catch (SIGINT);
	catch (SIGTERM);
	catch (SIGHUP);
	begin(watch);
	while (put_end(stdout) && !stop_signal && !reader_gone) {
		reader_gone = !wait_for_news(watch, &before);
		follow_width(watch);
		if (watch->socket.descriptor >= 0)
			read_socket(watch);
		else
			follower_read(&watch->follower);
	}
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	if (stop_signal == SIGINT)
		say_summary(watch);
	if (reader_gone || (ferror(stdout) && errno == EPIPE))
		return SIGPIPE;
	if (ferror(stdout))
		complain("can't write: %s", strerror(errno));
	return 0;
}

static bool add_source(struct watch *watch, const char *source)
{
	if (strncmp(source, "unix:", 5) == 0)
		return log_socket_open(&watch->socket, source + 5);
	if (strcmp(source, "-") == 0) {
		complain("watch follows files; `tlswitness report -` reads standard input");
		return false;
	}
	if (follower_add(&watch->follower, source))
		return true;
	say(source, strerror(errno));
	return false;
}

/* All that is named; else the log that there is. */
static bool add_sources(struct watch *watch, int argc, char **argv)
{
	bool socket = argc > 0 && strncmp(argv[0], "unix:", 5) == 0;
	bool any = false;

	if (argc == 0) {
		char *log = default_log();

		/* A socket's path is borrowed for as long as we run: so it is never freed. */
		return log && add_source(watch, log);
	}
	for (int i = 0; i < argc; i++) {
		if (argc > 1 && (socket || strncmp(argv[i], "unix:", 5) == 0)) {
			complain("watch takes one socket, or files and directories");
			return false;
		}
		any |= add_source(watch, argv[i]);
	}
	return any;
}

static void choose_style(struct watch *watch)
{
	bool terminal = isatty(STDOUT_FILENO) == 1;

	/* Into a pipe or file nothing is cut, unless somebody asks for a width. */
	watch->line.style = (struct text_style){
		.width = terminal_width(STDOUT_FILENO, terminal ? DEFAULT_WIDTH : 0),
		.colour = terminal_colour(STDOUT_FILENO),
		.utf8 = terminal_utf8(),
	};
	if (!watch->json)
		connection_line_heading(stdout, &watch->line);
}

int command_watch(int argc, char **argv)
{
	static struct watch watch;
	int status = 0;
	int ended_by = 0;

	watch = (struct watch){
		.lines = DEFAULT_LINES, .now = timestamp_now(), .socket.descriptor = -1};
	(void)setlocale(LC_CTYPE, "");
	/* A reader that goes away must not end us before the socket is removed. */
	(void)signal(SIGPIPE, SIG_IGN);
	line_parser_init(&watch.parser);
	follower_init(&watch.follower);
	watch.follower.line = parse_line;
	watch.follower.remark = parse_remark;
	watch.follower.context = &watch;
	if (parse_options(&watch, argc, argv, &status)) {
		if (add_sources(&watch, argc - optind, argv + optind)) {
			choose_style(&watch);
			ended_by = follow(&watch);
			status = ferror(stdout) ? 2 : 0;
		}
	}
	log_socket_close(&watch.socket);
	follower_free(&watch.follower);
	line_parser_free(&watch.parser);
	filter_cache_free(&watch.filtered);
	filter_free(&watch.filter);
	return ended_by ? end_by(ended_by) : status;
}
