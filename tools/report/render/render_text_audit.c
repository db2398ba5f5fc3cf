/*
 * For the auditor, in text: what the figures are of, the cipher suites, the certificates of
 * servers, the digests of what was read, and how it was seen.
 */
#include "tools/report/render/render_text.h"

#include <inttypes.h>
#include <stdlib.h>

#include "tools/base/put.h"
#include "tools/base/timestamp.h"
#include "tools/report/method.h"

/* ---- scope ---- */

/* "Hosts: web1, web2 and 4 more." */
static void write_names(FILE *out, const struct report_style *style, const char *title,
			const struct report_name *names, size_t count)
{
	size_t shown = text_rows(count, style->top);
	struct text_line line = text_line_begin();
	FILE *text = text_line_out(&line);

	put_format(text, "%s: ", title);
	for (size_t i = 0; i < shown; i++) {
		put_text(text, i ? ", " : "");
		put_slice(text, names[i].name);
	}
	if (count == 0)
		put_text(text, "none named");
	if (shown < count)
		put_format(text, " and %zu more", count - shown);
	put_byte(text, '.');
	text_line_end(&line, out, style, 2);
}

static void put_day(FILE *out, int64_t time)
{
	char day[TIMESTAMP_TEXT_MAX];

	put_slice(out, (struct slice){day, timestamp_print(day, time, TIMESTAMP_DAY)});
}

/* A period without gaps, or with them named. */
static void write_gaps(FILE *out, const struct report *report, const struct report_style *style)
{
	size_t shown = text_rows(report->gap_count, style->top);
	struct text_line line = text_line_begin();
	FILE *text = text_line_out(&line);

	put_text(text, "Days without a connection: ");
	for (size_t i = 0; i < shown; i++) {
		const struct report_gap *gap = &report->gaps[i];

		put_text(text, i ? ", " : "");
		put_day(text, gap->first);
		if (gap->last > gap->first) {
			put_text(text, " to ");
			put_day(text, gap->last);
		}
	}
	if (shown < report->gap_count)
		put_format(text, " and %zu more gaps", report->gap_count - shown);
	put_text(text, report->gap_count ? "." : "none.");
	text_line_end(&line, out, style, 2);
}

static void write_scope(FILE *out, const struct report *report, const struct report_style *style)
{
	text_heading(out, style, "For the auditor: what the figures are of");
	write_names(out, style, "Hosts", report->hosts, report->host_count);
	write_names(out, style, "Services", report->services, report->service_count);
	write_gaps(out, report, style);
}

/* ---- cipher suites ---- */

static void put_versions(struct text_cell *cell, const struct report_tally *tally)
{
	size_t used = 0;

	for (unsigned version = ENTRY_VERSIONS; version-- > 0;) {
		if (tally->version[version] == 0 || used >= sizeof(cell->room))
			continue;
		used += (size_t)snprintf(cell->room + used, sizeof(cell->room) - used, "%s%s",
					 used ? ", " : "", entry_version_name(version));
	}
	cell->text = (struct slice){cell->room,
				    used < sizeof(cell->room) ? used : sizeof(cell->room) - 1};
}

static void cipher_cell(const void *context, size_t row, size_t column, struct text_cell *cell)
{
	const struct report_cipher *cipher = (const struct report_cipher *)context + row;

	switch (column) {
	case 0:
		cell->text = cipher->cipher;
		break;
	case 1:
		cell->text = cipher->group;
		break;
	case 2:
		put_versions(cell, &cipher->tally);
		break;
	default:
		text_count(cell, cipher->tally.connections);
		return;
	}
	if (cell->text.length == 0)
		cell->text = SLICE_LITERAL("-");
}

static void write_ciphers(FILE *out, const struct report *report, const struct report_style *style)
{
	struct text_table table = {
		.column = {{"CIPHER SUITE", false, true, false},
			   {"GROUP", false, true, false},
			   {"TLS", false, false, false},
			   {"TOTAL", true, false, false}},
		.column_count = 4,
		.row_count = text_rows(report->cipher_count, style->top),
		.context = report->ciphers,
		.cell = cipher_cell,
	};

	if (report->cipher_count == 0)
		return;
	text_heading(out, style, "Cipher suites");
	text_table_write(out, &table, &style->text);
	text_say_more(out, report->cipher_count, table.row_count);
}

/* ---- certificates ---- */

static void certificate_cell(const void *context, size_t row, size_t column, struct text_cell *cell)
{
	const struct report_certificate *certificate =
		(const struct report_certificate *)context + row;

	cell->text = (struct slice){"", 0};
	switch (column) {
	case 0:
		if (certificate->has_end)
			cell->text = (struct slice){
				cell->room,
				timestamp_print(cell->room, certificate->end, TIMESTAMP_DAY)};
		break;
	case 1:
		cell->text = certificate->destination;
		break;
	case 2:
		cell->text = certificate->subject;
		break;
	case 3:
		cell->text = certificate->issuer;
		break;
	case 4:
		cell->text = slice_of(entry_certificate_name(certificate->check));
		break;
	default:
		text_count(cell, certificate->connections);
		return;
	}
	if (cell->text.length == 0)
		cell->text = SLICE_LITERAL("-");
}

static void write_certificates(FILE *out, const struct report *report,
			       const struct report_style *style)
{
	struct text_table table = {
		.column = {{"ENDS (UTC)", false, false, false},
			   {"DESTINATION", false, true, false},
			   {"SUBJECT", false, true, false},
			   {"ISSUER", false, true, false},
			   {"CHECK", false, false, false},
			   {"TOTAL", true, false, false}},
		.column_count = 6,
		.row_count = text_rows(report->server_certificate_count, style->top),
		.context = report->server_certificates,
		.cell = certificate_cell,
	};

	if (report->server_certificate_count == 0)
		return;
	text_heading(out, style, "Certificates of servers, as far as they were seen");
	text_table_write(out, &table, &style->text);
	text_say_more(out, report->server_certificate_count, table.row_count);
}

/* ---- what was read, and how ---- */

/* As sha256sum has it, so that `sha256sum -c` takes these lines. */
static void write_digests(FILE *out, const struct report *report, const struct report_style *style)
{
	text_heading(out, style, "SHA-256 of what was read");
	for (size_t i = 0; i < report->input_count; i++) {
		const struct report_input *input = &report->inputs[i];

		for (size_t k = 0; input->has_sha256 && k < sizeof(input->sha256); k++)
			put_format(out, "%02x", input->sha256[k]);
		put_text(out, input->has_sha256 ? "  " : "not taken: ");
		terminal_put(out, slice_of(input->name), SIZE_MAX, false, style->text.utf8);
		put_byte(out, '\n');
	}
}

static void write_method(FILE *out, const struct report_style *style)
{
	text_heading(out, style, "How it was seen, and what could not be");
	for (size_t i = 0; i < REPORT_METHOD_PARAGRAPHS; i++) {
		put_text(out, i ? "\n" : "");
		text_wrap(out, &style->text, 0, slice_of(report_method[i]));
	}
}

void text_write_audit(FILE *out, const struct report *report, const struct report_style *style)
{
	if (!style->audit)
		return;
	write_scope(out, report, style);
	write_ciphers(out, report, style);
	write_certificates(out, report, style);
	write_digests(out, report, style);
	write_method(out, style);
}
