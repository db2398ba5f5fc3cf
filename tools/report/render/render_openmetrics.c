/*
 * The report as metrics, in a text that is OpenMetrics 1.0 and the older Prometheus
 * format at once, as node_exporter's textfile collector reads it: only gauges, since
 * both write those alike, and since what a log holds is no counter (it shrinks when the
 * log is rotated). The time at which the log was read is a metric, not a timestamp,
 * which the collector would refuse.
 *
 * A monitoring system pays for each distinct set of labels. So only the worst groups
 * and places have series of their own; the rest is summed under "(other)", and sums
 * over all series stay right.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "shim/record/record_values.h"
#include "tools/base/put.h"
#include "tools/base/table.h"
#include "tools/report/model.h"
#include "tools/base/timestamp.h"
#include "tools/base/utf8.h"

#define SERIES_MAX       500
#define PLACE_SERIES_MAX 50

/* A label longer than this is cut, at its front: paths tell most at their end. */
#define LABEL_MAX 256

#define OTHER "(other)"

static void begin(FILE *out, const char *name, const char *unit, const char *help)
{
	put_format(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
	if (unit)
		put_format(out, "# UNIT %s %s\n", name, unit);
}

static void put_character(FILE *out, struct slice bytes, uint32_t character)
{
	if (character == '"' || character == '\\')
		put_byte(out, '\\');
	if (character == '\n')
		put_text(out, "\\n");
	else if (utf8_is_instruction(character))
		for (size_t i = 0; i < bytes.length; i++)
			put_format(out, "\\\\x%02x", (unsigned char)bytes.start[i]);
	else
		put_slice(out, bytes);
}

/* The last LABEL_MAX bytes, from the beginning of a character. */
static struct slice cut_front(struct slice text)
{
	size_t skip = text.length > LABEL_MAX ? text.length - LABEL_MAX : 0;

	while (skip > 0 && skip < text.length && (text.start[skip] & 0xc0) == 0x80)
		skip++;
	return (struct slice){text.start + skip, text.length - skip};
}

static void put_escaped(FILE *out, struct slice text)
{
	text = cut_front(text);
	while (text.length > 0) {
		uint32_t character = 0;
		size_t length = utf8_decode(text, &character);

		if (length == 0) {
			put_text(out, "\xef\xbf\xbd");
			length = 1;
		} else {
			put_character(out, (struct slice){text.start, length}, character);
		}
		text.start += length;
		text.length -= length;
	}
}

static void put_label(FILE *out, const char *separator, const char *name, struct slice value)
{
	put_format(out, "%s%s=\"", separator, name);
	put_escaped(out, value);
	put_byte(out, '"');
}

static void put_value(FILE *out, const char *name, uint64_t value)
{
	put_format(out, "%s %" PRIu64 "\n", name, value);
}

static void put_labelled(FILE *out, const char *name, const char *label, const char *label_value,
			 uint64_t value)
{
	put_format(out, "%s{%s=\"%s\"} %" PRIu64 "\n", name, label, label_value, value);
}

/* ---- connections by group ---- */

static const char connections[] = "tlswitness_connections";

static void write_group(FILE *out, const struct report *report, const struct report_group *group)
{
	put_text(out, connections);
	for (size_t i = 0; i < report->by_count; i++)
		put_label(out, i ? "," : "{", report_key_name(report->by[i]), group->key[i]);
	put_format(out, "} %" PRIu64 "\n", group->tally.connections);
}

static bool is_by(const struct report *report, enum report_key key)
{
	for (size_t i = 0; i < report->by_count; i++) {
		if (report->by[i] == key)
			return true;
	}
	return false;
}

/* The one version or verdict of a group, if the groups are made by it. */
static unsigned only_one(const uint64_t *count, unsigned names, bool by)
{
	unsigned i = 0;

	while (by && i + 1 < names && count[i] == 0)
		i++;
	return i;
}

static void write_other(FILE *out, const struct report *report, unsigned version, unsigned verdict,
			uint64_t count)
{
	put_text(out, connections);
	for (size_t i = 0; i < report->by_count; i++) {
		const char *value = OTHER;

		if (report->by[i] == KEY_VERSION)
			value = entry_version_name(version);
		else if (report->by[i] == KEY_VERDICT)
			value = entry_verdict_name(verdict);
		put_label(out, i ? "," : "{", report_key_name(report->by[i]), slice_of(value));
	}
	put_format(out, "} %" PRIu64 "\n", count);
}

static void write_others(FILE *out, const struct report *report, size_t from)
{
	uint64_t count[ENTRY_VERSIONS][ENTRY_VERDICTS] = {0};
	bool by_version = is_by(report, KEY_VERSION);
	bool by_verdict = is_by(report, KEY_VERDICT);

	for (size_t i = from; i < report->group_count; i++) {
		const struct report_tally *tally = &report->groups[i].tally;

		count[only_one(tally->version, ENTRY_VERSIONS, by_version)]
		     [only_one(tally->verdict, ENTRY_VERDICTS, by_verdict)] += tally->connections;
	}
	for (unsigned version = 0; version < ENTRY_VERSIONS; version++) {
		for (unsigned verdict = ENTRY_VERDICTS; verdict-- > 0;) {
			if (count[version][verdict] > 0)
				write_other(out, report, version, verdict, count[version][verdict]);
		}
	}
}

static void write_groups(FILE *out, const struct report *report)
{
	size_t shown = report->group_count < SERIES_MAX ? report->group_count : SERIES_MAX;

	begin(out, connections, "connections",
	      "Outgoing connections in the log that was read, by what they have in common.");
	for (size_t i = 0; i < shown; i++)
		write_group(out, report, &report->groups[i]);
	write_others(out, report, shown);
}

/* ---- places ---- */

static void put_place(FILE *out, const struct report_place *place)
{
	put_text(out, "place=\"");
	put_escaped(out, place->file.length ? place->file : place->program);
	if (place->line)
		put_format(out, ":%" PRIu64, place->line);
	if (place->function.length) {
		put_byte(out, ' ');
		put_escaped(out, place->function);
	}
	put_byte(out, '"');
}

static void write_places(FILE *out, const struct report *report)
{
	static const char name[] = "tlswitness_place_connections";
	uint64_t others[ENTRY_VERDICTS] = {0};

	begin(out, name, "connections",
	      "Connections that need a change, by the place in a program that made them.");
	for (size_t i = 0; i < report->place_count; i++) {
		const struct report_place *place = &report->places[i];

		for (unsigned verdict = ENTRY_VERDICTS; verdict-- > 0;) {
			if (i >= PLACE_SERIES_MAX)
				others[verdict] += place->tally.verdict[verdict];
			if (i >= PLACE_SERIES_MAX || place->tally.verdict[verdict] == 0)
				continue;
			put_format(out, "%s{", name);
			put_place(out, place);
			put_label(out, ",", "program", place->program);
			put_format(out, ",verdict=\"%s\"} %" PRIu64 "\n",
				   entry_verdict_name(verdict), place->tally.verdict[verdict]);
		}
	}
	for (unsigned verdict = ENTRY_VERDICTS; verdict-- > 0;) {
		if (others[verdict] > 0)
			put_format(out,
				   "%s{place=\"" OTHER "\",program=\"" OTHER
				   "\",verdict=\"%s\"} %" PRIu64 "\n",
				   name, entry_verdict_name(verdict), others[verdict]);
	}
}

/* ---- what is one number ---- */

static void write_records(FILE *out, const struct report_records *records)
{
	static const char name[] = "tlswitness_records";
	const struct {
		enum record_action action;
		uint64_t records;
	} kinds[] = {
		{RECORD_ACTION_HANDSHAKE, records->handshakes},
		{RECORD_ACTION_PLAINTEXT_MAIL, records->plaintext_mails},
		{RECORD_ACTION_SESSION, records->clear_sessions},
		{RECORD_ACTION_SETTING, records->settings},
		{RECORD_ACTION_BLIND_SPOT, records->blind_spots},
		{RECORD_ACTION_CONFIGURATION_ERROR, records->configuration_errors},
		{RECORD_ACTION_LOST, records->lost_notices},
	};

	begin(out, name, "records", "Records in the log that was read, by kind.");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		put_labelled(out, name, "kind",
			     record_value_text(RECORD_SET_ACTION, kinds[i].action),
			     kinds[i].records);
	put_labelled(out, name, "kind", "other", records->other);
	begin(out, "tlswitness_lost_records", "records", "Records that could not be written.");
	put_value(out, "tlswitness_lost_records", records->lost);
}

static void write_causes(FILE *out, const struct report *report)
{
	static const char limits[] = "tlswitness_limited_connections";
	static const char certificates[] = "tlswitness_certificate_connections";

	begin(out, limits, "connections", "Connections by who limited their version.");
	for (unsigned i = 0; i < ENTRY_LIMITS; i++)
		put_labelled(out, limits, "by", entry_limit_name(i), report->limited_by[i]);
	begin(out, certificates, "connections",
	      "Connections by how the certificate of the server was checked.");
	for (unsigned i = 0; i < ENTRY_CERTIFICATES; i++)
		put_labelled(out, certificates, "check", entry_certificate_name(i),
			     report->certificate[i]);
}

static void write_inputs(FILE *out, const struct report *report)
{
	uint64_t rejected = 0;
	uint64_t failed = 0;

	for (size_t i = 0; i < report->input_count; i++) {
		rejected += report->inputs[i].rejected;
		failed += report->inputs[i].error != NULL;
	}
	begin(out, "tlswitness_rejected_lines", "lines", "Lines of the log that are no records.");
	put_value(out, "tlswitness_rejected_lines", rejected);
	begin(out, "tlswitness_unreadable_inputs", "inputs",
	      "Logs that could not be read to their end.");
	put_value(out, "tlswitness_unreadable_inputs", failed);
}

static void write_time(FILE *out, const char *name, const char *help, int64_t microseconds)
{
	begin(out, name, "seconds", help);
	put_format(out, "%s %.6f\n", name, (double)microseconds / (double)MICROSECONDS_PER_SECOND);
}

/* Which records these figures are of. */
static void write_question(FILE *out, const struct report *report)
{
	char *filters = NULL;
	size_t size = 0;
	FILE *words = open_memstream(&filters, &size);

	if (!words)
		table_out_of_memory();
	filter_put(words, report->filter);
	if (fclose(words) != 0)
		table_out_of_memory();
	begin(out, "tlswitness_report_info", NULL,
	      "What was asked, and which records were chosen.");
	put_text(out, "tlswitness_report_info");
	put_label(out, "{", "command", slice_of(report->command));
	put_label(out, ",", "filters", (struct slice){filters, size});
	put_text(out, "} 1\n");
	free(filters);
}

bool render_openmetrics(FILE *out, const struct report *report)
{
	write_question(out, report);
	write_groups(out, report);
	write_places(out, report);
	write_causes(out, report);
	write_records(out, &report->records);
	write_inputs(out, report);
	if (report->records.all > 0) {
		write_time(out, "tlswitness_first_record_timestamp_seconds",
			   "When the first record was written.", report->first);
		write_time(out, "tlswitness_last_record_timestamp_seconds",
			   "When the last record was written.", report->last);
	}
	write_time(out, "tlswitness_report_timestamp_seconds", "When the log was read.",
		   report->generated);
	put_text(out, "# EOF\n");
	return put_end(out);
}
