/*
 * The pieces of the HTML page, in the order in which they stand on it. Each
 * writes one section, or nothing if it has nothing to say.
 */
#ifndef TLSWITNESS_RENDER_HTML_H
#define TLSWITNESS_RENDER_HTML_H

#include "tools/report/render/html.h"
#include "tools/report/model.h"

/* How many rows a table and a list may have: never so many that the page can't be opened. */
struct html_limits {
	size_t rows;
	size_t list;
	size_t inputs;
};

/* A sentence for people who don't know our verdicts. */
const char *html_verdict_meaning(enum entry_verdict verdict);

const char *html_version_words(enum entry_version version); /* "TLS 1.2", "in the clear" */

/* The verdict's shape; and with its name, or with a count of it, in its colour. */
void html_mark(FILE *out, enum entry_verdict verdict);
void html_verdict(FILE *out, enum entry_verdict verdict);
void html_verdict_count(FILE *out, enum entry_verdict verdict, uint64_t count);

/* "TLS 1.3 12 · TLS 1.2 3": the versions that occur. */
void html_versions(FILE *out, const struct report_tally *tally);

/* <section id="ID"> with its heading. */
void html_section_open(FILE *out, const char *id, const char *title);
void html_section_close(FILE *out);

void html_write_style(FILE *out, const struct report *report);
void html_write_shapes(FILE *out);
void html_write_chart(FILE *out, const struct report *report);
void html_write_matrix(FILE *out, const struct report *report);
void html_write_groups(FILE *out, const struct report *report, const struct html_limits *limits);
void html_write_places(FILE *out, const struct report *report, const struct html_limits *limits);
void html_write_servers(FILE *out, const struct report *report, const struct html_limits *limits);
void html_write_findings(FILE *out, const struct report *report, const struct html_limits *limits);
void html_write_comparison(FILE *out, const struct report *report,
			   const struct html_limits *limits);
void html_write_ciphers(FILE *out, const struct report *report, const struct html_limits *limits);
void html_write_server_certificates(FILE *out, const struct report *report,
				    const struct html_limits *limits);
void html_write_method(FILE *out);
void html_write_about(FILE *out, const struct report *report, const struct html_limits *limits);

/* For the chart's colours and the page's list of contents. */
uint64_t html_rejected_lines(const struct report *report);
bool html_has_gaps(const struct report *report);
bool html_has_servers(const struct report *report);

#endif
