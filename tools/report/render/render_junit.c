/*
 * The places as JUnit's XML, as continuous integration reads it: a test case for each
 * place that needs a change, which fails; and one that passes if there is none. Escaped as
 * html.h does: its pieces are well-formed XML too.
 */
#include <inttypes.h>

#include "tools/base/place_text.h"
#include "tools/base/put.h"
#include "tools/base/table.h"
#include "tools/report/model.h"
#include "tools/report/render/html.h"

static bool needs_change(const struct report_place *place)
{
	return place->tally.connections > 0;
}

static void put_place(FILE *out, const struct report_place *place)
{
	struct slice file = place->file.length ? place->file : place->program;

	html_text(out, file);
	if (place->line)
		put_format(out, ":%" PRIu64, place->line);
	if (place->function.length) {
		put_byte(out, ' ');
		html_text(out, place->function);
	}
}

static void write_case(FILE *out, const struct report_place *place)
{
	const char *separator = "";

	put_text(out, "<testcase classname=\"tlswitness\" name=\"");
	put_place(out, place);
	put_format(out, "\"><failure type=\"%s\" message=\"",
		   entry_verdict_name(report_worst(&place->tally)));
	for (unsigned i = ENTRY_VERDICTS; i-- > 0;) {
		if (place->tally.verdict[i] == 0)
			continue;
		put_format(out, "%s%s %" PRIu64, separator, entry_verdict_name(i),
			   place->tally.verdict[i]);
		separator = ", ";
	}
	put_text(out, "\">");
	html_text(out, slice_of(place->advice));
	put_text(out, "</failure></testcase>\n");
}

bool render_junit(FILE *out, const struct report *report)
{
	size_t failures = 0;

	for (size_t i = 0; i < report->place_count; i++)
		failures += needs_change(&report->places[i]);
	put_format(out,
		   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		   "<testsuites><testsuite name=\"tlswitness\" tests=\"%zu\" failures=\"%zu\">\n"
		   "<properties><property name=\"command\" value=\"",
		   failures ? failures : 1, failures);
	html_text(out, slice_of(report->command));
	put_format(out, "\"/><property name=\"connections\" value=\"%" PRIu64 "\"/></properties>\n",
		   report->total.connections);
	for (size_t i = 0; i < report->place_count; i++) {
		if (needs_change(&report->places[i]))
			write_case(out, &report->places[i]);
	}
	if (failures == 0)
		put_format(out,
			   "<testcase classname=\"tlswitness\" name=\"no place needs a "
			   "change\">%s</testcase>\n",
			   report->total.connections
				   ? ""
				   : "<skipped message=\"no connection was recorded\"/>");
	put_text(out, "</testsuite></testsuites>\n");
	return put_end(out);
}
