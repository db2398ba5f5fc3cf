/*
 * The report as one page for a browser or a printer: the order of its parts, its
 * head, and the first thing that is read, how bad it is. The page needs no script
 * and fetches nothing; its policy forbids both, should an escape ever fail.
 */
#include "tools/report/render/render_html.h"

#include <inttypes.h>
#include <stdlib.h>

#include "tools/base/put.h"
#include "tools/base/table.h"

/* With --top 0: all, but a browser must still be able to open it. */
#define ROWS_AT_MOST 1000

static size_t limit(size_t wanted)
{
	return wanted == 0 || wanted > ROWS_AT_MOST ? ROWS_AT_MOST : wanted;
}

const char *html_verdict_meaning(enum entry_verdict verdict)
{
	static const char *const meanings[ENTRY_VERDICTS] = {
		[VERDICT_OK] = "Compliant: at or above the floor, and nothing less "
			       "would have been accepted.",
		[VERDICT_NO_MAIL] = "Sessions in the clear that ended without mail or "
				    "login.",
		[VERDICT_OTHER] = "The record has no verdict that this version knows.",
		[VERDICT_FAILED] = "The handshake failed by itself.",
		[VERDICT_AT_RISK] = "Good this time, but the program would have "
				    "accepted a version below the floor.",
		[VERDICT_REFUSED] = "Stopped before any mail left, because it was "
				    "below the floor.",
		[VERDICT_BELOW_FLOOR] = "Encrypted, but with a version older than the floor.",
		[VERDICT_PLAINTEXT] = "Mail or a login crossed the network unencrypted.",
	};

	return meanings[verdict];
}

const char *html_version_words(enum entry_version version)
{
	static const char *const words[ENTRY_VERSIONS] = {
		[VERSION_CLEAR] = "in the clear", [VERSION_UNKNOWN] = "version not seen",
		[VERSION_SSL_3_0] = "SSL 3.0",    [VERSION_TLS_1_0] = "TLS 1.0",
		[VERSION_TLS_1_1] = "TLS 1.1",    [VERSION_TLS_1_2] = "TLS 1.2",
		[VERSION_TLS_1_3] = "TLS 1.3",
	};

	return words[version];
}

void html_mark(FILE *out, enum entry_verdict verdict)
{
	put_format(out, "<svg class=\"mark\" aria-hidden=\"true\"><use href=\"#mark-%s\"/></svg>",
		   entry_verdict_name(verdict));
}

void html_verdict(FILE *out, enum entry_verdict verdict)
{
	put_format(out, "<span class=\"verdict v-%s\">", entry_verdict_name(verdict));
	html_mark(out, verdict);
	put_format(out, "%s</span>", entry_verdict_name(verdict));
}

void html_verdict_count(FILE *out, enum entry_verdict verdict, uint64_t count)
{
	put_format(out, "<span class=\"verdict v-%s\">", entry_verdict_name(verdict));
	html_mark(out, verdict);
	put_format(out, "%s ", entry_verdict_name(verdict));
	html_count(out, count);
	put_text(out, "</span>");
}

void html_versions(FILE *out, const struct report_tally *tally)
{
	uint64_t left = tally->connections;

	for (unsigned i = ENTRY_VERSIONS; i-- > 0;) {
		if (tally->version[i] == 0)
			continue;
		left -= tally->version[i];
		put_format(out, "<span class=\"keep\">%s <span class=\"dim\">",
			   html_version_words(i));
		html_count(out, tally->version[i]);
		/* The comma belongs to what it ends: no line begins with it. */
		put_format(out, "</span>%s", left ? ",</span> " : "</span>");
	}
}

void html_section_open(FILE *out, const char *id, const char *title)
{
	put_format(out,
		   "<section id=\"%s\" aria-labelledby=\"%s-title\">\n"
		   "<h2 id=\"%s-title\">%s</h2>\n",
		   id, id, id, title);
}

void html_section_close(FILE *out)
{
	put_text(out, "</section>\n");
}

uint64_t html_rejected_lines(const struct report *report)
{
	uint64_t rejected = 0;

	for (size_t i = 0; i < report->input_count; i++)
		rejected += report->inputs[i].rejected;
	return rejected;
}

static bool has_unread_input(const struct report *report)
{
	for (size_t i = 0; i < report->input_count; i++) {
		if (report->inputs[i].error)
			return true;
	}
	return false;
}

bool html_has_gaps(const struct report *report)
{
	return report->records.blind_spots > 0 || report->records.lost_notices > 0 ||
	       report->records.configuration_errors > 0 || report->records.other > 0 ||
	       report->loss_count > 0 || report->silence_count > 0 || report->conflicts > 0 ||
	       html_rejected_lines(report) > 0 || has_unread_input(report);
}

/* ---- the head ---- */

static void write_head(FILE *out, const struct report *report)
{
	put_text(out, "<!DOCTYPE html>\n"
		      "<html lang=\"en\">\n"
		      "<head>\n"
		      "<meta charset=\"utf-8\"/>\n"
		      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		      "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\"/>\n"
		      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
		      "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
		      "<meta name=\"referrer\" content=\"no-referrer\"/>\n"
		      "<meta name=\"generator\" content=\"tlswitness " TLSWITNESS_VERSION "\"/>\n"
		      "<title>TLS of outgoing mail</title>\n"
		      "<style>\n");
	html_write_style(out, report);
	put_text(out, "</style>\n</head>\n<body>\n");
	html_write_shapes(out);
}

static void put_floors(FILE *out, const struct report *report)
{
	const char *separator = " · floor ";

	for (unsigned version = VERSION_SSL_3_0; version < ENTRY_VERSIONS; version++) {
		if (report->floor[version] == 0)
			continue;
		put_format(out, "%s%s", separator, html_version_words(version));
		separator = " and ";
	}
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static void write_title(FILE *out, const struct report *report)
{
	put_text(out, "<header>\n<h1>TLS of outgoing mail</h1>\n<p class=\"dim\">");
	if (report->total.connections > 0) {
		html_time(out, report->total.first, TIMESTAMP_MINUTE);
		put_text(out, " to ");
		html_time(out, report->total.last, TIMESTAMP_MINUTE);
		put_text(out, " UTC");
	} else {
		put_text(out, "No connections");
	}
	if (report->host_count > 0)
		put_format(out, " · %zu host%s", report->host_count, plural(report->host_count));
	put_floors(out, report);
	put_text(out, "</p>\n</header>\n");
}

/* ---- how bad it is ---- */

static bool is_filtered(const struct report *report)
{
	return report->filter && !filter_is_empty(report->filter);
}

static void put_filters(FILE *out, const struct report *report)
{
	char *text = NULL;
	size_t size = 0;
	FILE *words = open_memstream(&text, &size);

	if (!words)
		table_out_of_memory();
	filter_put(words, report->filter);
	if (fclose(words) != 0)
		table_out_of_memory();
	html_text(out, (struct slice){text, size});
	free(text);
}

/* Before any figure: what was asked, and of which records. */
static void write_question(FILE *out, const struct report *report)
{
	put_text(out, "<p class=\"question\">");
	if (is_filtered(report)) {
		put_text(out, "<strong>Only a part of the log:</strong> ");
		put_filters(out, report);
		put_text(out, "; ");
		html_count(out, report->records.filtered_out);
		put_format(out, " record%s left out",
			   report->records.filtered_out == 1 ? " was" : "s were");
	} else {
		put_text(out, "The whole log");
	}
	if (report->command) {
		put_text(out, ", by <code>");
		html_text(out, slice_of(report->command));
		put_text(out, "</code>");
	}
	put_text(out, "</p>\n");
}

static void write_readiness(FILE *out, const struct report *report)
{
	const struct report_readiness *readiness = &report->readiness;

	if (readiness->required == VERSION_CLEAR)
		return;
	put_format(out,
		   "<section id=\"readiness\" aria-labelledby=\"readiness-title\">\n"
		   "<h2 id=\"readiness-title\">If every server required %s</h2>\n<p>",
		   html_version_words(readiness->required));
	html_count(out, readiness->connections);
	put_text(out, " of ");
	html_count(out, readiness->mail);
	put_format(out, " connection%s would have failed (", readiness->mail == 1 ? "" : "s");
	html_share(out, readiness->connections, readiness->mail);
	put_text(out, ").");
	if (readiness->has_flip) {
		put_text(out, " The day is ");
		html_time(out, readiness->flip, TIMESTAMP_DAY);
		put_text(out, ".");
	}
	put_format(out, "%s</p>\n<ol>\n", readiness->count ? " These changes bring it to 0:" : "");
	for (size_t i = 0; i < readiness->count && i < ROWS_AT_MOST; i++) {
		const struct report_unready *row = &readiness->row[i];

		put_text(out, "<li>");
		html_count(out, row->connections);
		put_text(out, " by ");
		html_path(out, row->program);
		if (row->user.length) {
			put_text(out, ", user ");
			html_name(out, row->user);
		}
		if (row->service.length) {
			put_text(out, ", service ");
			html_name(out, row->service);
		}
		if (row->place.length) {
			put_text(out, ", at ");
			html_path(out, row->place);
		}
		put_text(out, "</li>\n");
	}
	put_text(out, "</ol>\n</section>\n");
}

static const char *conclusion(const struct report *report)
{
	static const char *const sentences[ENTRY_VERDICTS] = {
		[VERDICT_OK] = "Every connection is compliant.",
		[VERDICT_NO_MAIL] = "All mail is compliant.",
		[VERDICT_OTHER] = "Some connections could not be judged.",
		[VERDICT_FAILED] = "Some handshakes failed; all mail that left is compliant.",
		[VERDICT_AT_RISK] = "All mail left compliant, but less would have been accepted.",
		[VERDICT_REFUSED] = "Connections were refused because they were below the floor.",
		[VERDICT_BELOW_FLOOR] = "Some mail left with a TLS version below the floor.",
		[VERDICT_PLAINTEXT] = "Some mail left in the clear.",
	};

	static const char *const of_a_part[ENTRY_VERDICTS] = {
		[VERDICT_OK] = "Every connection that was chosen is compliant.",
		[VERDICT_NO_MAIL] = "All mail that was chosen is compliant.",
		[VERDICT_OTHER] = "Of the connections that were chosen, some could not be judged.",
		[VERDICT_FAILED] = "Of the connections that were chosen, some failed.",
		[VERDICT_AT_RISK] = "Of the connections that were chosen, some would have "
				    "accepted less.",
		[VERDICT_REFUSED] = "Of the connections that were chosen, some were refused "
				    "because they were below the floor.",
		[VERDICT_BELOW_FLOOR] = "Of the mail that was chosen, some left with a TLS "
					"version below the floor.",
		[VERDICT_PLAINTEXT] = "Of the mail that was chosen, some left in the clear.",
	};
	static const char *const if_enforced[ENTRY_VERDICTS] = {
		[VERDICT_OK] = "Every connection would have been compliant.",
		[VERDICT_NO_MAIL] = "All mail would have been compliant.",
		[VERDICT_OTHER] = "Some connections could not have been judged.",
		[VERDICT_FAILED] = "Some handshakes would have failed all the same.",
		[VERDICT_AT_RISK] = "All mail would have left, but less would have been accepted.",
		[VERDICT_REFUSED] = "Connections would have been refused.",
		[VERDICT_BELOW_FLOOR] = "Some mail would have left below the floor.",
		[VERDICT_PLAINTEXT] = "Some mail would have left in the clear.",
	};

	if (report->total.connections == 0)
		return is_filtered(report) ? "No connection is among the records that were chosen."
					   : "No outgoing mail was recorded.";
	if (report->what_if)
		return if_enforced[report_worst(&report->total)];
	if (is_filtered(report))
		return of_a_part[report_worst(&report->total)];
	return sentences[report_worst(&report->total)];
}

static void write_scope(FILE *out, const struct report *report)
{
	const struct report_tally *total = &report->total;

	put_text(out, "<p>");
	if (total->connections == 0 && report->records.filtered_out > 0) {
		html_count(out, report->records.filtered_out);
		put_format(out, " record%s did not match what was asked for.",
			   plural(report->records.filtered_out));
	} else if (total->connections == 0) {
		put_text(out, "If mail was sent in this time, the recorder was not loaded where it "
			      "was sent.");
	} else {
		html_count(out, total->connections);
		put_format(out, " connection%s, from ", plural(total->connections));
		html_count(out, report->program_count);
		put_format(out, " program%s to ", plural(report->program_count));
		html_count(out, report->destination_count);
		put_format(out, " destination%s; ", plural(report->destination_count));
		html_share(out, total->verdict[VERDICT_OK], total->connections);
		put_text(out, " compliant.");
	}
	put_text(out, "</p>\n");
}

static void write_caveats(FILE *out, const struct report *report)
{
	if (report->what_if)
		put_format(out,
			   "<p>The verdicts are not those of the records: they are what they would "
			   "have been with a floor of %s enforced.</p>\n",
			   html_version_words(report->what_if_floor));
	if (report->certificates.records > 0) {
		put_text(out, "<p><a href=\"#certificates\">");
		html_count(out, report->certificates.records);
		put_format(out,
			   " connection%s</a> went to a server whose certificate was not fully "
			   "verified.</p>\n",
			   plural(report->certificates.records));
	}
	if (html_has_gaps(report))
		put_text(out, "<p>The picture has <a href=\"#gaps\">gaps</a>: not everything "
			      "could be recorded or read.</p>\n");
}

static void write_conclusion(FILE *out, const struct report *report)
{
	bool any = report->total.connections > 0;
	enum entry_verdict worst = any ? report_worst(&report->total) : VERDICT_NO_MAIL;

	put_format(out, "<div class=\"conclusion v-%s\">\n<p class=\"lead\">",
		   entry_verdict_name(worst));
	html_mark(out, worst);
	put_format(out, "%s</p>\n", conclusion(report));
	write_scope(out, report);
	write_caveats(out, report);
	put_text(out, "</div>\n");
}

static void write_figure(FILE *out, const struct report *report, enum entry_verdict verdict)
{
	put_format(out, "<li class=\"v-%s\"><span class=\"name\">", entry_verdict_name(verdict));
	html_mark(out, verdict);
	put_format(out, "%s</span> <strong>", entry_verdict_name(verdict));
	html_count(out, report->total.verdict[verdict]);
	put_text(out, "</strong> <span class=\"share\">");
	html_share(out, report->total.verdict[verdict], report->total.connections);
	put_format(out, "</span> <span class=\"meaning\">%s</span></li>\n",
		   html_verdict_meaning(verdict));
}

static void write_figures(FILE *out, const struct report *report)
{
	if (report->total.connections == 0)
		return;
	put_text(out,
		 "<ul class=\"figures\" aria-label=\"Connections by verdict, worst first\">\n");
	for (unsigned i = ENTRY_VERDICTS; i-- > 0;) {
		if (report->total.verdict[i] > 0)
			write_figure(out, report, i);
	}
	put_text(out, "</ul>\n");
}

/* ---- contents ---- */

static void write_link(FILE *out, bool there, const char *id, const char *title)
{
	if (there)
		put_format(out, "<li><a href=\"#%s\">%s</a></li>\n", id, title);
}

static void write_contents(FILE *out, const struct report *report)
{
	bool any = report->total.connections > 0;

	put_text(out, "<nav aria-label=\"Contents\"><ul>\n");
	write_link(out, report->comparison.asked, "changes", "What has changed");
	write_link(out, report->place_count > 0, "change", "What to change");
	write_link(out, any, "versions", "Versions over time");
	write_link(out, any, "matrix", "Programs and destinations");
	write_link(out, html_has_servers(report), "servers", "Servers");
	write_link(out, report->plaintext.count > 0, "plaintext", "In the clear");
	write_link(out, report->certificates.count > 0, "certificates", "Certificates");
	write_link(out, report->exceptions.count > 0, "exceptions", "Exceptions");
	write_link(out, report->failures.count > 0, "failures", "Failed or refused");
	write_link(out, html_has_gaps(report), "gaps", "Gaps");
	write_link(out, report->cipher_count > 0, "ciphers", "Cipher suites");
	write_link(out, report->server_certificate_count > 0 || report->has_expiring,
		   "server-certificates", "Certificates of servers");
	write_link(out, true, "method", "Method");
	write_link(out, true, "about", "About this report");
	put_text(out, "</ul></nav>\n");
}

bool render_html(FILE *out, const struct report *report, const struct report_style *style)
{
	const struct html_limits limits = {limit(style->top), limit(style->top_lists),
					   ROWS_AT_MOST};

	write_head(out, report);
	write_title(out, report);
	put_text(out, "<main>\n");
	write_question(out, report);
	write_readiness(out, report);
	write_conclusion(out, report);
	write_figures(out, report);
	write_contents(out, report);
	html_write_comparison(out, report, &limits);
	html_write_places(out, report, &limits);
	html_write_chart(out, report);
	html_write_matrix(out, report);
	html_write_groups(out, report, &limits);
	html_write_servers(out, report, &limits);
	html_write_findings(out, report, &limits);
	html_write_ciphers(out, report, &limits);
	html_write_server_certificates(out, report, &limits);
	html_write_method(out);
	html_write_about(out, report, &limits);
	put_text(out, "</main>\n</body>\n</html>\n");
	return put_end(out);
}
