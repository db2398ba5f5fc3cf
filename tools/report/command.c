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
#include "tools/report/request.h"

#define DEFAULT_WIDTH 80

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
		.text = {.width = terminal_width(STDOUT_FILENO, DEFAULT_WIDTH),
			 .colour = terminal_colour(STDOUT_FILENO),
			 .utf8 = terminal_utf8()},
		.top = request_top(request, DEFAULT_TOP),
		.top_lists = request_top(request, DEFAULT_TOP_LISTS),
	};
	bool ok = render_format(request, report, &style);

	if (!ok)
		complain("can't write the report: %s", strerror(errno));
	return ok;
}

static bool any_to_fail_on(const struct request *request, const struct report *report)
{
	for (unsigned i = 0; i < ENTRY_VERDICTS; i++) {
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

/* What an engine did not answer whole is no report at all; false with a complaint. */
static bool is_whole(const struct request *request, struct engine *engine)
{
	const char *trouble = engine ? engine_finish(engine) : NULL;

	if (trouble)
		complain("%s did not answer: %s", request->from, trouble);
	return !trouble;
}

static int make_report(const struct request *request, struct input_set *set, struct engine *engine)
{
	struct aggregate aggregate;
	struct report_input *inputs = NULL;
	struct report *report = NULL;
	int status = 0;
	bool whole;

	set->digests = request->sha256 || request->format == FORMAT_HTML;
	reader_run(set, &request->reading, &request->counting, &aggregate, &inputs);
	report = rollup(&aggregate, &request->rollup);
	report->inputs = inputs;
	report->input_count = set->count;
	complete(request, report);
	whole = is_whole(request, engine);
	if (engine)
		report->records.filtered_out += engine_outside(engine);
	if (!whole || !say_troubles(report) || !render(request, report))
		status = 2;
	else if (any_to_fail_on(request, report))
		status = 1;
	report_free(report);
	aggregate_free(&aggregate);
	return status;
}

static bool ask_engine(const struct request *request, struct input_set *set, struct engine **engine)
{
	const struct engine_window window = {.has_since = request->filter.has_since,
					     .has_until = request->filter.has_until,
					     .since = request->filter.since,
					     .until = request->filter.until};

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
	if (ready)
		status = make_report(&request, &set, engine);
	if (engine)
		engine_close(engine);
	input_set_free(&set);
	request_free(&request);
	return status;
}
