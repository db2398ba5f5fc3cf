/*
 * For the auditor, beside what has to be changed: the cipher suites, the certificates of
 * servers, what has changed, how all of it was seen, and what could not be.
 */
#include "tools/report/render/render_html.h"

#include <stdio.h>

#include "tools/base/put.h"
#include "tools/report/method.h"

/* ---- what has changed ---- */

static void put_part(FILE *out, uint64_t part, uint64_t whole)
{
	put_text(out, "<span class=\"keep\">");
	html_count(out, part);
	put_text(out, " of ");
	html_count(out, whole);
	put_text(out, "</span>");
}

static void change_cell(FILE *out, const void *context, size_t row, size_t column)
{
	const struct report_change *change = (const struct report_change *)context + row;

	switch (column) {
	case 0:
		html_path(out, change->program);
		break;
	case 1:
		html_name(out, change->destination);
		break;
	case 2:
		put_text(out, report_change_name(change->kind));
		break;
	case 3:
		html_verdict(out, change->verdict);
		break;
	case 4:
		put_part(out, change->now, change->now_connections);
		break;
	default:
		put_part(out, change->before, change->before_connections);
		break;
	}
}

static void put_changes(FILE *out, const struct report_comparison *comparison)
{
	static const char *const words[REPORT_CHANGES] = {
		[CHANGE_NEW] = "new",
		[CHANGE_WORSE] = "worse",
		[CHANGE_BETTER] = "better",
		[CHANGE_FIXED] = "fixed",
		[CHANGE_GONE] = "gone (no connection is made any more)",
	};
	const char *separator = "";

	for (unsigned kind = 0; kind < REPORT_CHANGES; kind++) {
		if (comparison->count[kind] == 0)
			continue;
		put_text(out, separator);
		html_count(out, comparison->count[kind]);
		put_format(out, " %s", words[kind]);
		separator = ", ";
	}
	put_text(out, separator);
	html_count(out, comparison->unchanged);
	put_text(out, " as before.");
}

void html_write_comparison(FILE *out, const struct report *report, const struct html_limits *limits)
{
	const struct report_comparison *comparison = &report->comparison;
	struct html_table table = {
		.caption = "What has changed, by program and destination",
		.column = {{"Program", HTML_NAME},
			   {"Destination", HTML_NAME},
			   {"Change", HTML_SHORT},
			   {"Verdict", HTML_SHORT},
			   {"Now", HTML_NUMBER},
			   {"Before", HTML_NUMBER}},
		.column_count = 6,
		.row_count = comparison->row_count,
		.most = limits->rows,
		.context = comparison->row,
		.cell = change_cell,
	};

	if (!comparison->asked)
		return;
	html_section_open(out, "changes", "What has changed");
	put_text(out, "<p class=\"dim\">Compared with ");
	html_time(out, comparison->since, TIMESTAMP_MINUTE);
	put_text(out, " to ");
	html_time(out, comparison->until, TIMESTAMP_MINUTE);
	put_text(out, " UTC, which had ");
	html_count(out, comparison->connections);
	put_format(out, " connection%s: ", comparison->connections == 1 ? "" : "s");
	if (comparison->connections == 0)
		put_text(out, "nothing can be said.");
	else
		put_changes(out, comparison);
	put_text(out, "</p>\n");
	if (comparison->connections > 0 && comparison->row_count > 0)
		html_table_write(out, &table);
	html_section_close(out);
}

/* ---- cipher suites ---- */

static void cipher_cell(FILE *out, const void *context, size_t row, size_t column)
{
	const struct report_cipher *cipher = (const struct report_cipher *)context + row;

	switch (column) {
	case 0:
		html_name(out, cipher->cipher);
		break;
	case 1:
		html_name(out, cipher->group);
		break;
	case 2:
		html_count(out, cipher->tally.connections);
		break;
	default:
		html_versions(out, &cipher->tally);
		break;
	}
}

void html_write_ciphers(FILE *out, const struct report *report, const struct html_limits *limits)
{
	struct html_table table = {
		.caption = "Cipher suites and groups of the key exchange, most connections first",
		.column = {{"Cipher suite", HTML_NAME},
			   {"Group", HTML_NAME},
			   {"Connections", HTML_NUMBER},
			   {"TLS", HTML_TEXT}},
		.column_count = 4,
		.row_count = report->cipher_count,
		.most = limits->inputs,
		.context = report->ciphers,
		.cell = cipher_cell,
	};

	if (report->cipher_count == 0)
		return;
	html_section_open(out, "ciphers", "Cipher suites");
	html_table_write(out, &table);
	html_section_close(out);
}

/* ---- certificates ---- */

static const char *check_words(enum entry_certificate check)
{
	static const char *const words[ENTRY_CERTIFICATES] = {
		[CERTIFICATE_UNKNOWN] = "not known",
		[CERTIFICATE_VERIFIED] = "verified",
		[CERTIFICATE_CHAIN_ONLY] = "issuer checked; the name is not known",
		[CERTIFICATE_UNCHECKED] = "not checked",
		[CERTIFICATE_FAILED] = "wrong",
	};

	return words[check];
}

static void write_end(FILE *out, const struct report_certificate *certificate)
{
	if (certificate->has_end)
		html_time(out, certificate->end, TIMESTAMP_DAY);
	else
		put_text(out, "<span class=\"dim\">not seen</span>");
	if (certificate->expiring)
		put_text(out, " <strong>soon</strong>");
}

static void certificate_cell(FILE *out, const void *context, size_t row, size_t column)
{
	const struct report_certificate *certificate =
		(const struct report_certificate *)context + row;

	switch (column) {
	case 0:
		html_name(out, certificate->destination);
		break;
	case 1:
		html_name(out, certificate->subject);
		break;
	case 2:
		html_name(out, certificate->issuer);
		break;
	case 3:
		write_end(out, certificate);
		break;
	case 4:
		put_text(out, check_words(certificate->check));
		break;
	default:
		html_count(out, certificate->connections);
		break;
	}
}

static void write_expiring(FILE *out, const struct report *report)
{
	if (!report->has_expiring)
		return;
	put_text(out, "<p>");
	html_count(out, report->expiring);
	put_format(out, " of them end%s before ", report->expiring == 1 ? "s" : "");
	html_time(out, report->expiring_before, TIMESTAMP_DAY);
	put_text(out, ".</p>\n");
}

void html_write_server_certificates(FILE *out, const struct report *report,
				    const struct html_limits *limits)
{
	struct html_table table = {
		.caption = "Certificates of servers, what ends first, first",
		.column = {{"Destination", HTML_NAME},
			   {"Subject", HTML_NAME},
			   {"Issuer", HTML_NAME},
			   {"Ends (UTC)", HTML_SHORT},
			   {"Check", HTML_TEXT},
			   {"Connections", HTML_NUMBER}},
		.column_count = 6,
		.row_count = report->server_certificate_count,
		.most = limits->rows,
		.context = report->server_certificates,
		.cell = certificate_cell,
	};

	if (report->server_certificate_count == 0 && !report->has_expiring)
		return;
	html_section_open(out, "server-certificates", "Certificates of servers");
	put_text(out,
		 "<p class=\"dim\">As far as they were seen: TLS 1.3 encrypts them, so that only "
		 "a TLS library that is watched shows them there.</p>\n");
	write_expiring(out, report);
	if (report->server_certificate_count > 0)
		html_table_write(out, &table);
	html_section_close(out);
}

/* ---- method ---- */

void html_write_method(FILE *out)
{
	html_section_open(out, "method", "How it was seen, and what could not be");
	for (size_t i = 0; i < REPORT_METHOD_PARAGRAPHS; i++)
		put_format(out, "<p>%s</p>\n", report_method[i]);
	html_section_close(out);
}
