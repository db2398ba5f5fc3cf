/*
 * For the auditor: what this report is made of, so that it can be made again.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "tools/base/put.h"
#include "tools/base/table.h"
#include "tools/report/render/render_html.h"

static void write_term(FILE *out, const char *term)
{
	put_format(out, "<dt>%s</dt><dd>", term);
}

static void end_term(FILE *out)
{
	put_text(out, "</dd>\n");
}

static void write_period(FILE *out, const struct report *report)
{
	const struct filter *filter = report->filter;

	write_term(out, "Asked for");
	if (!filter->has_since && !filter->has_until)
		put_text(out, "all times");
	if (filter->has_since) {
		put_text(out, "from ");
		html_time(out, filter->since, TIMESTAMP_RFC3339);
	}
	if (filter->has_until) {
		put_text(out, filter->has_since ? " to before " : "before ");
		html_time(out, filter->until, TIMESTAMP_RFC3339);
	}
	end_term(out);
	write_term(out, "Recorded");
	if (report->records.all > 0) {
		put_text(out, "from ");
		html_time(out, report->first, TIMESTAMP_RFC3339);
		put_text(out, " to ");
		html_time(out, report->last, TIMESTAMP_RFC3339);
	} else {
		put_text(out, "nothing");
	}
	end_term(out);
}

/* A period without gaps, or with them named. */
static void write_gaps(FILE *out, const struct report *report)
{
	enum { NAMED = 50 };

	if (report->day_count == 0)
		return;
	write_term(out, "Days without a connection");
	for (size_t i = 0; i < report->gap_count && i < NAMED; i++) {
		const struct report_gap *gap = &report->gaps[i];

		put_text(out, i ? ", " : "");
		html_time(out, gap->first, TIMESTAMP_DAY);
		if (gap->last > gap->first) {
			put_text(out, " to ");
			html_time(out, gap->last, TIMESTAMP_DAY);
		}
	}
	if (report->gap_count > NAMED)
		put_format(out, " and %zu more gaps", report->gap_count - NAMED);
	if (report->gap_count == 0)
		put_text(out, "none");
	end_term(out);
}

static int compare_names(const void *a, const void *b)
{
	return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

/* By name: whoever reads this asks whether one of them is there. */
static void write_names(FILE *out, const char *term, const struct report_name *names, size_t count)
{
	enum { NAMED = 100 };
	size_t shown = count < NAMED ? count : NAMED;
	struct slice *sorted = NULL;

	if (count == 0)
		return;
	sorted = table_allocate(count * sizeof(*sorted));
	for (size_t i = 0; i < count; i++)
		sorted[i] = names[i].name;
	qsort(sorted, count, sizeof(*sorted), compare_names);
	write_term(out, term);
	for (size_t i = 0; i < shown; i++) {
		put_text(out, i ? ", " : "");
		html_name(out, sorted[i]);
	}
	if (shown < count)
		put_format(out, " and %zu more", count - shown);
	end_term(out);
	free(sorted);
}

static void write_floor(FILE *out, const struct report *report)
{
	const char *separator = "";

	write_term(out, "Floor");
	for (unsigned version = ENTRY_VERSIONS; version-- > VERSION_SSL_3_0;) {
		if (report->floor[version] == 0)
			continue;
		put_format(out, "%s%s for ", separator, html_version_words(version));
		html_count(out, report->floor[version]);
		put_format(out, " connection%s", report->floor[version] == 1 ? "" : "s");
		separator = ", ";
	}
	if (*separator == '\0')
		put_text(out, "not recorded");
	if (report->what_if)
		put_format(out, "; judged here by %s", html_version_words(report->what_if_floor));
	end_term(out);
}

static void write_kind(FILE *out, uint64_t count, const char *words, const char **separator)
{
	if (count == 0)
		return;
	put_text(out, *separator);
	html_count(out, count);
	put_format(out, " %s", words);
	*separator = ", ";
}

static void write_records(FILE *out, const struct report *report)
{
	const struct report_records *records = &report->records;
	const char *separator = ": ";

	write_term(out, "Records");
	html_count(out, records->all);
	write_kind(out, records->handshakes, "of handshakes", &separator);
	write_kind(out, records->plaintext_mails, "of mail in the clear", &separator);
	write_kind(out, records->clear_sessions, "of sessions without mail", &separator);
	write_kind(out, records->settings, "of settings", &separator);
	write_kind(out, records->blind_spots, "of blind spots", &separator);
	write_kind(out, records->configuration_errors, "of configuration errors", &separator);
	write_kind(out, records->lost_notices, "of lost records", &separator);
	write_kind(out, records->other, "of other kinds", &separator);
	end_term(out);
	write_term(out, "Left out");
	put_text(out, "by the filters ");
	html_count(out, records->filtered_out);
	put_text(out, ", lines that are no records ");
	html_count(out, html_rejected_lines(report));
	put_text(out, ", records that could not be written ");
	html_count(out, records->lost);
	end_term(out);
}

static void write_absent_one(FILE *out, bool absent, const char *words, const char **separator)
{
	if (!absent)
		return;
	put_format(out, "%s%s", *separator, words);
	*separator = ", ";
}

/* To an auditor, what was looked for and did not occur says as much as what did. */
static void write_absent(FILE *out, const struct report *report)
{
	const uint64_t *verdict = report->total.verdict;
	const char *separator = "";

	if (report->total.connections == 0)
		return;
	write_term(out, "Not found");
	write_absent_one(out, verdict[VERDICT_PLAINTEXT] == 0, "mail in the clear", &separator);
	write_absent_one(out, verdict[VERDICT_BELOW_FLOOR] == 0, "connections below the floor",
			 &separator);
	write_absent_one(out, verdict[VERDICT_AT_RISK] == 0, "connections at risk", &separator);
	write_absent_one(out, verdict[VERDICT_FAILED] == 0, "failed handshakes", &separator);
	write_absent_one(out, report->certificates.records == 0,
			 "certificates known to be unverified", &separator);
	write_absent_one(out, report->records.blind_spots == 0, "blind spots", &separator);
	write_absent_one(out, report->records.lost_notices == 0, "lost records", &separator);
	if (*separator == '\0')
		put_text(out, "nothing: all that is looked for occurred");
	end_term(out);
}

static void write_making(FILE *out, const struct report *report)
{
	write_term(out, "Made");
	html_time(out, report->generated, TIMESTAMP_RFC3339);
	put_text(out, " by tlswitness " TLSWITNESS_VERSION);
	end_term(out);
}

/* ---- inputs ---- */

static void write_sha256(FILE *out, const struct report_input *input)
{
	if (!input->has_sha256) {
		put_text(out, "<span class=\"dim\">none</span>");
		return;
	}
	put_text(out, "<span class=\"sum\">");
	for (size_t i = 0; i < REPORT_SHA256_SIZE; i++)
		put_format(out, "%s%02x", i > 0 && i % 4 == 0 ? "<wbr/>" : "", input->sha256[i]);
	put_text(out, "</span>");
}

static void write_rejects(FILE *out, const struct report_input *input)
{
	if (input->rejected == 0) {
		put_text(out, "none");
		return;
	}
	html_count(out, input->rejected);
	put_text(out, "<span class=\"dim\">");
	for (size_t i = 0; i < input->reject_count; i++)
		put_format(out, "<br/>line %" PRIu64 ": %s", input->reject[i].line,
			   input->reject[i].reason);
	if (input->rejected > input->reject_count)
		put_text(out, "<br/>…");
	put_text(out, "</span>");
}

static void input_cell(FILE *out, const void *context, size_t row, size_t column)
{
	const struct report_input *input = (const struct report_input *)context + row;

	switch (column) {
	case 0:
		html_path(out, slice_of(input->name));
		break;
	case 1:
		html_count(out, input->bytes);
		break;
	case 2:
		html_count(out, input->lines);
		break;
	case 3:
		html_count(out, input->records);
		break;
	case 4:
		write_rejects(out, input);
		break;
	default:
		write_sha256(out, input);
		break;
	}
}

static void write_inputs(FILE *out, const struct report *report, const struct html_limits *limits)
{
	struct html_table table = {
		.caption = "Inputs",
		.column = {{"Input", HTML_NAME},
			   {"Bytes", HTML_NUMBER},
			   {"Lines", HTML_NUMBER},
			   {"Records", HTML_NUMBER},
			   {"No records", HTML_TEXT},
			   {"SHA-256", HTML_TEXT}},
		.column_count = 6,
		.row_count = report->input_count,
		.most = limits->inputs,
		.context = report->inputs,
		.cell = input_cell,
	};

	if (report->input_count > 0)
		html_table_write(out, &table);
}

void html_write_about(FILE *out, const struct report *report, const struct html_limits *limits)
{
	html_section_open(out, "about", "About this report");
	put_text(out, "<dl class=\"facts\">\n");
	write_period(out, report);
	write_gaps(out, report);
	write_names(out, "Hosts", report->hosts, report->host_count);
	write_names(out, "Services", report->services, report->service_count);
	write_floor(out, report);
	write_records(out, report);
	write_absent(out, report);
	write_making(out, report);
	put_text(out, "</dl>\n");
	write_inputs(out, report, limits);
	html_section_close(out);
}
