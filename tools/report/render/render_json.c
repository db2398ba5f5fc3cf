/*
 * The report as one JSON object. Stable: members are added, never renamed or
 * given another meaning; what is not known is left out. Counts by version,
 * verdict, limit or certificate are objects that have all names, zero or not.
 *
 *   format          1: the number of this description
 *   generated, first, last   RFC 3339, UTC
 *   command         as it can be typed again
 *   filters         which records were chosen: {since, until, program: [text], to, service,
 *                   host, verdict}; empty if all were
 *   what_if         the floor asked about, if one was
 *   records         how many passed the filters, by kind; `lost` is the sum of
 *                   what records-lost records say
 *   connections, versions, verdicts        the totals
 *   limited_by, certificates, floors, witness_conflicts
 *   readiness       if asked for: {required, flip, would_fail, not_known, connections,
 *                   changes: [{program, user, service, place, connections, last}]}
 *   by              the keys of `groups`
 *   groups          [{<key>: text, …, connections, versions, verdicts, first, last}]
 *   places          what to change, worst first: [{file, line, function, program,
 *                   programs: [text], sources: [text], language, connections, versions, verdicts,
 * limited_by, destinations: [text], settings: [{setting, file, line, function, records}], advice}]
 *   programs, destinations, hosts, services   [{name, connections, …, partners}]
 *   plaintext, failures, certificate_findings, exceptions, blind_spots, records_lost,
 *   configuration_errors   [{program, destination, reason, advice, records, first, last}]
 *   days            [{day, connections, versions, verdicts}]
 *   gaps            [{first, last}]: days without a connection, as far as they were asked for
 *   deliveries      [{host, day, arrived, written, lost}]: by whole days, and by no filter but
 *                   those of hosts and times; what is lost is missing between two records of one
 *                   process, by what event.id counts
 *   silent_hosts    [{host, last, days, longest_before}]: silent for more whole days than ever
 *   ciphers         [{cipher, group, connections, versions, verdicts, first, last}]
 *   server_certificates   what ends first, first: [{destination, subject, issuer, not_after,
 *                   check, connections, last, expiring}]; `expiring` if it was asked about
 *   comparison      if asked for: {since, until, connections, unchanged, changes: [{change,
 *                   verdict, program, destination, now, now_connections, before,
 *                   before_connections}]}; a change is new, worse, better, fixed or gone
 *   inputs          [{name, error, bytes, lines, records, rejected, rejects:
 *                   [{line, reason}], sha256}]
 */
#include "tools/base/json_writer.h"
#include "tools/base/put.h"
#include "tools/report/model.h"
#include "tools/base/timestamp.h"

#define FORMAT_VERSION 1

static void write_time(struct json_writer *writer, const char *key, int64_t microseconds,
		       enum timestamp_style style)
{
	char text[TIMESTAMP_TEXT_MAX];
	size_t length = timestamp_print(text, microseconds, style);

	json_text(writer, key, (struct slice){text, length});
}

static void write_known(struct json_writer *writer, const char *key, struct slice text)
{
	if (text.length > 0)
		json_text(writer, key, text);
}

static void write_versions(struct json_writer *writer, const char *key, const uint64_t *count)
{
	json_open(writer, key, '{');
	for (unsigned i = 0; i < ENTRY_VERSIONS; i++)
		json_number(writer, entry_version_name(i), count[i]);
	json_close(writer, '}');
}

static void write_limits(struct json_writer *writer, const uint64_t *count)
{
	json_open(writer, "limited_by", '{');
	for (unsigned i = 0; i < ENTRY_LIMITS; i++)
		json_number(writer, entry_limit_name(i), count[i]);
	json_close(writer, '}');
}

static void write_certificates(struct json_writer *writer, const uint64_t *count)
{
	json_open(writer, "certificates", '{');
	for (unsigned i = 0; i < ENTRY_CERTIFICATES; i++)
		json_number(writer, entry_certificate_name(i), count[i]);
	json_close(writer, '}');
}

static void write_counts(struct json_writer *writer, const struct report_tally *tally)
{
	json_number(writer, "connections", tally->connections);
	write_versions(writer, "versions", tally->version);
	json_open(writer, "verdicts", '{');
	for (unsigned i = 0; i < ENTRY_VERDICTS; i++)
		json_number(writer, entry_verdict_name(i), tally->verdict[i]);
	json_close(writer, '}');
}

static void write_tally(struct json_writer *writer, const struct report_tally *tally)
{
	write_counts(writer, tally);
	if (tally->connections == 0)
		return;
	write_time(writer, "first", tally->first, TIMESTAMP_RFC3339);
	write_time(writer, "last", tally->last, TIMESTAMP_RFC3339);
}

static void write_records(struct json_writer *writer, const struct report_records *records)
{
	json_open(writer, "records", '{');
	json_number(writer, "all", records->all);
	json_number(writer, "handshakes", records->handshakes);
	json_number(writer, "plaintext_mails", records->plaintext_mails);
	json_number(writer, "clear_sessions", records->clear_sessions);
	json_number(writer, "settings", records->settings);
	json_number(writer, "blind_spots", records->blind_spots);
	json_number(writer, "configuration_errors", records->configuration_errors);
	json_number(writer, "lost_notices", records->lost_notices);
	json_number(writer, "other", records->other);
	json_number(writer, "lost", records->lost);
	json_number(writer, "filtered_out", records->filtered_out);
	json_number(writer, "doubles", records->doubles);
	json_close(writer, '}');
}

static void write_groups(struct json_writer *writer, const struct report *report)
{
	json_open(writer, "by", '[');
	for (size_t i = 0; i < report->by_count; i++)
		json_text(writer, NULL, slice_of(report_key_name(report->by[i])));
	json_close(writer, ']');
	json_open(writer, "groups", '[');
	for (size_t row = 0; row < report->group_count; row++) {
		const struct report_group *group = &report->groups[row];

		json_open(writer, NULL, '{');
		for (size_t i = 0; i < report->by_count; i++)
			write_known(writer, report_key_name(report->by[i]), group->key[i]);
		write_tally(writer, &group->tally);
		json_close(writer, '}');
	}
	json_close(writer, ']');
}

static void write_line_of_code(struct json_writer *writer, struct slice file, uint64_t line,
			       struct slice function)
{
	write_known(writer, "file", file);
	if (line)
		json_number(writer, "line", line);
	write_known(writer, "function", function);
}

static void write_texts(struct json_writer *writer, const char *key, const struct slice *text,
			size_t count)
{
	json_open(writer, key, '[');
	for (size_t i = 0; i < count; i++)
		json_text(writer, NULL, text[i]);
	json_close(writer, ']');
}

static void write_place(struct json_writer *writer, const struct report_place *place)
{
	static const char *const languages[REPORT_LANGUAGES] = {
		[LANGUAGE_OTHER] = "other",     [LANGUAGE_PYTHON] = "python",
		[LANGUAGE_PHP] = "php",         [LANGUAGE_PERL] = "perl",
		[LANGUAGE_RUBY] = "ruby",       [LANGUAGE_NODE] = "node",
		[LANGUAGE_JAVA] = "java",       [LANGUAGE_CURL] = "curl",
		[LANGUAGE_PYCURL] = "pycurl",   [LANGUAGE_PHP_CURL] = "php-curl",
		[LANGUAGE_LIBCURL] = "libcurl",
	};

	json_open(writer, NULL, '{');
	write_line_of_code(writer, place->file, place->line, place->function);
	write_known(writer, "program", place->program);
	json_text(writer, "language", slice_of(languages[place->language]));
	write_tally(writer, &place->tally);
	write_limits(writer, place->limited_by);
	write_texts(writer, "programs", place->programs, place->program_count);
	write_texts(writer, "sources", place->sources, place->source_count);
	write_texts(writer, "destinations", place->destinations, place->destination_count);
	json_open(writer, "settings", '[');
	for (size_t i = 0; i < place->setting_count; i++) {
		const struct report_setting *setting = &place->settings[i];

		json_open(writer, NULL, '{');
		json_text(writer, "setting", setting->text);
		write_line_of_code(writer, setting->file, setting->line, setting->function);
		json_number(writer, "records", setting->records);
		json_close(writer, '}');
	}
	json_close(writer, ']');
	json_text(writer, "advice", slice_of(place->advice));
	json_close(writer, '}');
}

static void write_places(struct json_writer *writer, const struct report *report)
{
	json_open(writer, "places", '[');
	for (size_t i = 0; i < report->place_count; i++)
		write_place(writer, &report->places[i]);
	json_close(writer, ']');
}

static void write_names(struct json_writer *writer, const char *key,
			const struct report_name *names, size_t count)
{
	json_open(writer, key, '[');
	for (size_t i = 0; i < count; i++) {
		json_open(writer, NULL, '{');
		write_known(writer, "name", names[i].name);
		write_tally(writer, &names[i].tally);
		if (names[i].partners)
			json_number(writer, "partners", names[i].partners);
		write_limits(writer, names[i].limited_by);
		write_certificates(writer, names[i].certificate);
		if (names[i].server_supports != VERSION_CLEAR)
			json_text(writer, "server_supports",
				  slice_of(entry_version_name(names[i].server_supports)));
		json_close(writer, '}');
	}
	json_close(writer, ']');
}

static void write_findings(struct json_writer *writer, const char *key,
			   const struct report_findings *findings)
{
	json_open(writer, key, '[');
	for (size_t i = 0; i < findings->count; i++) {
		const struct report_finding *finding = &findings->row[i];

		json_open(writer, NULL, '{');
		write_known(writer, "program", finding->program);
		write_known(writer, "destination", finding->destination);
		write_known(writer, "reason", finding->text);
		if (finding->advice)
			json_text(writer, "advice", slice_of(finding->advice));
		json_number(writer, "records", finding->records);
		write_time(writer, "first", finding->first, TIMESTAMP_RFC3339);
		write_time(writer, "last", finding->last, TIMESTAMP_RFC3339);
		json_close(writer, '}');
	}
	json_close(writer, ']');
}

static void write_days(struct json_writer *writer, const struct report *report)
{
	json_open(writer, "days", '[');
	for (size_t i = 0; i < report->day_count; i++) {
		json_open(writer, NULL, '{');
		write_time(writer, "day", report->days[i].start, TIMESTAMP_DAY);
		write_tally(writer, &report->days[i].tally);
		json_close(writer, '}');
	}
	json_close(writer, ']');
}

static void write_gaps(struct json_writer *writer, const struct report *report)
{
	json_open(writer, "gaps", '[');
	for (size_t i = 0; i < report->gap_count; i++) {
		json_open(writer, NULL, '{');
		write_time(writer, "first", report->gaps[i].first, TIMESTAMP_DAY);
		write_time(writer, "last", report->gaps[i].last, TIMESTAMP_DAY);
		json_close(writer, '}');
	}
	json_close(writer, ']');
}

static void write_deliveries(struct json_writer *writer, const struct report *report)
{
	json_open(writer, "deliveries", '[');
	for (size_t i = 0; i < report->delivery_count; i++) {
		const struct report_delivery *delivery = &report->deliveries[i];

		json_open(writer, NULL, '{');
		write_known(writer, "host", delivery->host);
		write_time(writer, "day", delivery->day, TIMESTAMP_DAY);
		json_number(writer, "arrived", delivery->arrived);
		if (delivery->is_numbered) {
			json_number(writer, "written", delivery->arrived + delivery->lost);
			json_number(writer, "lost", delivery->lost);
		}
		json_close(writer, '}');
	}
	json_close(writer, ']');
	json_open(writer, "silent_hosts", '[');
	for (size_t i = 0; i < report->silence_count; i++) {
		const struct report_silence *silence = &report->silences[i];

		json_open(writer, NULL, '{');
		write_known(writer, "host", silence->host);
		write_time(writer, "last", silence->last, TIMESTAMP_DAY);
		json_number(writer, "days", silence->days);
		json_number(writer, "longest_before", silence->longest_before);
		json_close(writer, '}');
	}
	json_close(writer, ']');
}

static void write_ciphers(struct json_writer *writer, const struct report *report)
{
	json_open(writer, "ciphers", '[');
	for (size_t i = 0; i < report->cipher_count; i++) {
		json_open(writer, NULL, '{');
		write_known(writer, "cipher", report->ciphers[i].cipher);
		write_known(writer, "group", report->ciphers[i].group);
		write_tally(writer, &report->ciphers[i].tally);
		json_close(writer, '}');
	}
	json_close(writer, ']');
}

static void write_server_certificates(struct json_writer *writer, const struct report *report)
{
	json_open(writer, "server_certificates", '[');
	for (size_t i = 0; i < report->server_certificate_count; i++) {
		const struct report_certificate *certificate = &report->server_certificates[i];

		json_open(writer, NULL, '{');
		write_known(writer, "destination", certificate->destination);
		write_known(writer, "subject", certificate->subject);
		write_known(writer, "issuer", certificate->issuer);
		write_known(writer, "not_after", certificate->not_after);
		json_text(writer, "check", slice_of(entry_certificate_name(certificate->check)));
		json_number(writer, "connections", certificate->connections);
		write_time(writer, "last", certificate->last, TIMESTAMP_RFC3339);
		if (report->has_expiring)
			json_boolean(writer, "expiring", certificate->expiring);
		json_close(writer, '}');
	}
	json_close(writer, ']');
}

static void write_comparison(struct json_writer *writer, const struct report *report)
{
	const struct report_comparison *comparison = &report->comparison;

	if (!comparison->asked)
		return;
	json_open(writer, "comparison", '{');
	write_time(writer, "since", comparison->since, TIMESTAMP_RFC3339);
	write_time(writer, "until", comparison->until, TIMESTAMP_RFC3339);
	json_number(writer, "connections", comparison->connections);
	json_number(writer, "unchanged", comparison->unchanged);
	json_open(writer, "changes", '[');
	for (size_t i = 0; i < comparison->row_count; i++) {
		const struct report_change *change = &comparison->row[i];

		json_open(writer, NULL, '{');
		json_text(writer, "change", slice_of(report_change_name(change->kind)));
		json_text(writer, "verdict", slice_of(entry_verdict_name(change->verdict)));
		write_known(writer, "program", change->program);
		write_known(writer, "destination", change->destination);
		json_number(writer, "now", change->now);
		json_number(writer, "now_connections", change->now_connections);
		json_number(writer, "before", change->before);
		json_number(writer, "before_connections", change->before_connections);
		json_close(writer, '}');
	}
	json_close(writer, ']');
	json_close(writer, '}');
}

static void write_sha256(struct json_writer *writer, const uint8_t *sum)
{
	static const char digits[] = "0123456789abcdef";
	char text[2 * REPORT_SHA256_SIZE];

	for (size_t i = 0; i < REPORT_SHA256_SIZE; i++) {
		text[2 * i] = digits[sum[i] >> 4];
		text[2 * i + 1] = digits[sum[i] & 0xf];
	}
	json_text(writer, "sha256", (struct slice){text, sizeof(text)});
}

static void write_input(struct json_writer *writer, const struct report_input *input)
{
	json_open(writer, NULL, '{');
	json_text(writer, "name", slice_of(input->name));
	if (input->error)
		json_text(writer, "error", slice_of(input->error));
	json_number(writer, "bytes", input->bytes);
	json_number(writer, "lines", input->lines);
	json_number(writer, "records", input->records);
	json_number(writer, "rejected", input->rejected);
	json_open(writer, "rejects", '[');
	for (size_t i = 0; i < input->reject_count; i++) {
		json_open(writer, NULL, '{');
		json_number(writer, "line", input->reject[i].line);
		json_text(writer, "reason", slice_of(input->reject[i].reason));
		json_close(writer, '}');
	}
	json_close(writer, ']');
	if (input->has_sha256)
		write_sha256(writer, input->sha256);
	json_close(writer, '}');
}

static void write_patterns(struct json_writer *writer, const char *key,
			   const struct filter_patterns *patterns)
{
	if (patterns->count == 0)
		return;
	json_open(writer, key, '[');
	for (size_t i = 0; i < patterns->count; i++)
		json_text(writer, NULL, slice_of(patterns->glob[i]));
	json_close(writer, ']');
}

static void write_filters(struct json_writer *writer, const struct filter *filter)
{
	json_open(writer, "filters", '{');
	if (filter->has_since)
		write_time(writer, "since", filter->since, TIMESTAMP_RFC3339);
	if (filter->has_until)
		write_time(writer, "until", filter->until, TIMESTAMP_RFC3339);
	write_patterns(writer, "program", &filter->program);
	write_patterns(writer, "to", &filter->to);
	write_patterns(writer, "service", &filter->service);
	write_patterns(writer, "host", &filter->host);
	write_patterns(writer, "where", &filter->where);
	if (filter->has_verdicts) {
		json_open(writer, "verdict", '[');
		for (unsigned i = 0; i < ENTRY_VERDICTS; i++) {
			if (filter->verdict[i])
				json_text(writer, NULL, slice_of(entry_verdict_name(i)));
		}
		json_close(writer, ']');
	}
	json_close(writer, '}');
}

static void write_readiness(struct json_writer *writer, const struct report *report)
{
	const struct report_readiness *readiness = &report->readiness;

	if (readiness->required == VERSION_CLEAR)
		return;
	json_open(writer, "readiness", '{');
	json_text(writer, "required", slice_of(entry_version_name(readiness->required)));
	if (readiness->has_flip)
		write_time(writer, "flip", readiness->flip, TIMESTAMP_RFC3339);
	json_number(writer, "would_fail", readiness->connections);
	json_number(writer, "not_known", readiness->unknown);
	json_number(writer, "connections", readiness->mail);
	json_open(writer, "changes", '[');
	for (size_t i = 0; i < readiness->count; i++) {
		const struct report_unready *row = &readiness->row[i];

		json_open(writer, NULL, '{');
		write_known(writer, "program", row->program);
		write_known(writer, "user", row->user);
		write_known(writer, "service", row->service);
		write_known(writer, "place", row->place);
		json_number(writer, "connections", row->connections);
		write_time(writer, "last", row->last, TIMESTAMP_RFC3339);
		json_close(writer, '}');
	}
	json_close(writer, ']');
	json_close(writer, '}');
}

static void write_head(struct json_writer *writer, const struct report *report)
{
	json_number(writer, "format", FORMAT_VERSION);
	write_time(writer, "generated", report->generated, TIMESTAMP_RFC3339);
	if (report->records.all) {
		write_time(writer, "first", report->first, TIMESTAMP_RFC3339);
		write_time(writer, "last", report->last, TIMESTAMP_RFC3339);
	}
	if (report->command)
		json_text(writer, "command", slice_of(report->command));
	write_filters(writer, report->filter);
	if (report->what_if)
		json_text(writer, "what_if", slice_of(entry_version_name(report->what_if_floor)));
}

bool render_json(FILE *out, const struct report *report)
{
	struct json_writer writer = {.out = out};

	json_open(&writer, NULL, '{');
	write_head(&writer, report);
	write_records(&writer, &report->records);
	write_counts(&writer, &report->total);
	write_limits(&writer, report->limited_by);
	write_certificates(&writer, report->certificate);
	write_versions(&writer, "floors", report->floor);
	json_number(&writer, "witness_conflicts", report->conflicts);
	write_readiness(&writer, report);
	write_groups(&writer, report);
	write_places(&writer, report);
	write_names(&writer, "programs", report->programs, report->program_count);
	write_names(&writer, "destinations", report->destinations, report->destination_count);
	write_names(&writer, "hosts", report->hosts, report->host_count);
	write_names(&writer, "services", report->services, report->service_count);
	write_findings(&writer, "plaintext", &report->plaintext);
	write_findings(&writer, "failures", &report->failures);
	write_findings(&writer, "certificate_findings", &report->certificates);
	write_findings(&writer, "exceptions", &report->exceptions);
	write_findings(&writer, "blind_spots", &report->blind_spots);
	write_findings(&writer, "records_lost", &report->lost);
	write_findings(&writer, "configuration_errors", &report->configuration_errors);
	write_days(&writer, report);
	write_gaps(&writer, report);
	write_deliveries(&writer, report);
	write_ciphers(&writer, report);
	write_server_certificates(&writer, report);
	write_comparison(&writer, report);
	json_open(&writer, "inputs", '[');
	for (size_t i = 0; i < report->input_count; i++)
		write_input(&writer, &report->inputs[i]);
	json_close(&writer, ']');
	json_close(&writer, '}');
	return put_end(out);
}
