/*
 * tlswitness report: has the logs read and counted, and hands the finished report to a
 * renderer.
 */
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/base/options.h"
#include "tools/base/put.h"
#include "tools/base/terminal.h"
#include "tools/base/timestamp.h"
#include "tools/command.h"
#include "tools/log/default_log.h"
#include "tools/log/engine.h"
#include "tools/report/render/counters.h"
#include "tools/report/request.h"
#include "tools/report/show.h"

#define DEFAULT_WIDTH 80
#define MAIL_WIDTH    72
#define REJECTS_SAID  3

/* The end of the year 9999. */
#define SECONDS_MAX INT64_C(253402300799)

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

/* File names are data too: they may hold control characters. */
static void say_name(const char *name)
{
	put_text(stderr, "tlswitness: ");
	terminal_put(stderr, slice_of(name), SIZE_MAX, false, terminal_utf8());
}

/* One line for a file, whatever it has: where the first lines are that are no records. */
static void say_rejects(const struct report_input *input)
{
	if (input->rejected == 0)
		return;
	say_name(input->name);
	put_format(stderr, ": %" PRIu64 " line%s no record%s: ", input->rejected,
		   input->rejected == 1 ? " is" : "s are", input->rejected == 1 ? "" : "s");
	for (size_t i = 0; i < input->reject_count && i < REJECTS_SAID; i++)
		put_format(stderr, "%sline %" PRIu64 " (%s)", i ? ", " : "", input->reject[i].line,
			   input->reject[i].reason);
	if (input->rejected > REJECTS_SAID)
		put_text(stderr, ", ...");
	put_byte(stderr, '\n');
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
	/* Of an engine only what was asked for is read; the rest is known to be there. */
	if (records > 0 || report->records.filtered_out > 0 ||
	    (lines == 0 && failed < report->input_count))
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
	case FORMAT_SARIF:
		return render_sarif(stdout, report);
	case FORMAT_JUNIT:
		return render_junit(stdout, report);
	case FORMAT_MAIL:
		return render_mail(stdout, report, style);
	default:
		return render_text(stdout, report, style);
	}
}

/* Where no terminal shows it, names stay whole; $COLUMNS and --width say otherwise. */
static size_t width_of(const struct request *request)
{
	if (request->has_width)
		return request->width;
	if (request->format == FORMAT_MAIL)
		return MAIL_WIDTH;
	return terminal_width(STDOUT_FILENO, isatty(STDOUT_FILENO) ? DEFAULT_WIDTH : 0);
}

static bool render(const struct request *request, const struct report *report)
{
	const struct report_style style = {
		.text = {.width = width_of(request),
			 .colour = terminal_colour(STDOUT_FILENO) && request->format != FORMAT_MAIL,
			 .utf8 = terminal_utf8()},
		.top = request_top(request, DEFAULT_TOP),
		.top_lists = request_top(request, DEFAULT_TOP_LISTS),
		.audit = request->audit,
	};
	bool ok = render_format(request, report, &style);

	if (!ok)
		complain("can't write the report: %s", strerror(errno));
	return ok;
}

static bool is_unreadable(const struct report *report)
{
	for (size_t i = 0; i < report->input_count; i++) {
		if (report->inputs[i].error || report->inputs[i].rejected)
			return true;
	}
	return false;
}

static bool any_to_fail_on(const struct request *request, const struct report *report)
{
	for (unsigned i = 0; i < ENTRY_VERDICTS; i++) {
		if (request->fail_on.verdict[i] && report->total.verdict[i] > 0)
			return true;
	}
	return (request->fail_on.no_records && report->records.all == 0) ||
	       (request->fail_on.unverified &&
		report->certificate[CERTIFICATE_UNCHECKED] +
				report->certificate[CERTIFICATE_FAILED] >
			0) ||
	       (request->fail_on.unreadable && is_unreadable(report)) ||
	       (request->fail_on.expiring && report->expiring > 0) ||
	       (request->fail_on.new_finding && report->comparison.count[CHANGE_NEW] > 0);
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
	report->command = request->command;
	report->readiness.has_flip = request->has_flip;
	report->readiness.flip = request->flip;
	report->generated = time_of_making(request->now);
}

/* What an engine did not answer whole is no report at all; false with a complaint. */
static bool is_whole(const struct request *request, struct engine *engine)
{
	const char *trouble = engine ? engine_finish(engine) : NULL;

	if (trouble)
		complain("%s did not answer: %s", request->from, trouble);
	return !trouble;
}

/* A record is written when its handshake ends: by then all of a minute ago are there. */
#define GRACE (INT64_C(60) * MICROSECONDS_PER_SECOND)

/* What is counted already, and so which records are not yet. */
static bool prepare_counters(struct request *request, struct counters *counters)
{
	struct filter *filter = &request->filter;

	if (!request->counters)
		return true;
	if (!counters_read(counters, request->counters)) {
		complain("--counters: %s: %s", request->counters,
			 errno ? strerror(errno)
			       : "is no file that --counters wrote; give another name");
		return false;
	}
	filter->has_since = counters->has_until;
	filter->since = counters->until;
	filter->has_until = true;
	filter->until = request->now - GRACE;
	if (filter->has_since && filter->until < filter->since)
		filter->until = filter->since;
	return true;
}

/* All or nothing: what could not be read would be missing for good. */
static bool write_counters(const struct request *request, const struct report *report,
			   struct counters *counters)
{
	char *path = NULL;
	FILE *out = NULL;
	bool ok = false;

	for (size_t i = 0; i < report->input_count; i++) {
		if (report->inputs[i].error)
			return false;
	}
	if (asprintf(&path, "%s.new", request->counters) < 0)
		return false;
	out = fopen(path, "we");
	ok = out &&
	     counters_write(out, report, counters, request->filter.until,
			    request->openmetrics ? COUNTERS_OPENMETRICS : COUNTERS_PROMETHEUS);
	ok = out && fclose(out) == 0 && ok && rename(path, request->counters) == 0;
	if (!ok)
		complain("--counters: %s can't be written: %s", path, strerror(errno));
	free(path);
	return ok;
}

/* One thread, so that the records come in the order of the logs. */
static void prepare_show(const struct request *request, struct show *show,
			 struct reader_options *reading)
{
	*show = (struct show){
		.out = stdout,
		.json = request->format == FORMAT_JSON,
		.connections_only = request->rollup.connections_chosen,
		.line.style = {.width = width_of(request),
			       .colour = terminal_colour(STDOUT_FILENO),
			       .utf8 = terminal_utf8()},
	};
	reading->threads = 1;
	reading->show = show_record;
	reading->show_context = show;
	show_begin(show);
}

static bool write_report(const struct request *request, const struct report *report,
			 struct counters *counters)
{
	if (request->show)
		return put_end(stdout);
	if (request->counters)
		return write_counters(request, report, counters);
	return render(request, report);
}

static int make_report(const struct request *request, struct input_set *set, struct engine *engine,
		       struct counters *counters)
{
	struct aggregate_options counting = request->counting;
	struct reader_options reading = request->reading;
	struct show show;
	struct aggregate aggregate;
	struct report_input *inputs = NULL;
	struct report *report = NULL;
	int status = 0;
	bool whole;

	set->digests = request->sha256 || request->audit || request->format == FORMAT_HTML;
	counting.doubles = doubles_new();
	if (request->show)
		prepare_show(request, &show, &reading);
	reader_run(set, &reading, &counting, &aggregate, &inputs);
	report = rollup(&aggregate, &request->rollup);
	report->inputs = inputs;
	report->input_count = set->count;
	complete(request, report);
	whole = is_whole(request, engine);
	if (engine)
		report->records.filtered_out += engine_outside(engine);
	if (!whole || !say_troubles(report) || !write_report(request, report, counters))
		status = 2;
	else if (any_to_fail_on(request, report))
		status = 1;
	report_free(report);
	aggregate_free(&aggregate);
	doubles_free(counting.doubles);
	return status;
}

static bool ask_engine(const struct request *request, struct input_set *set, struct engine **engine)
{
	const struct filter *compared = &request->counting.compared;
	struct engine_window window = {.has_since = request->filter.has_since,
				       .has_until = request->filter.has_until,
				       .since = request->filter.since,
				       .until = request->filter.until};

	/* Then both times are asked for, and what lies between. */
	if (request->counting.compares) {
		window = (struct engine_window){
			.cut = {window.since, compared->since, compared->until, window.until},
			.cut_count = window.has_until ? 4 : 3};
	}

	*engine = engine_open(request->from, &window);
	if (!*engine)
		return false;
	input_set_add_stream(set, request->from, engine_descriptor(*engine));
	return true;
}

int command_report(int argc, char **argv)
{
	struct request request;
	struct input_set set;
	struct engine *engine = NULL;
	struct counters counters = {0};
	int status = 0;
	bool ready = false;

	(void)setlocale(LC_CTYPE, "");
	input_set_init(&set);
	ready = request_parse(&request, argc, argv, &status);
	if (ready && request.from) {
		ready = optind == argc;
		status = 2;
		if (!ready)
			complain("--from reads an engine; '%s' is not read beside it",
				 argv[optind]);
		else
			ready = ask_engine(&request, &set, &engine);
	} else if (ready) {
		for (int i = optind; i < argc; i++)
			input_set_add(&set, argv[i]);
		ready = optind < argc || add_default_log(&set);
	}
	if (ready) {
		status = 2;
		ready = prepare_counters(&request, &counters);
	}
	if (ready)
		status = make_report(&request, &set, engine, &counters);
	if (engine)
		engine_close(engine);
	counters_free(&counters);
	input_set_free(&set);
	request_free(&request);
	return status;
}
