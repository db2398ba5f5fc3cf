/*
 * What the log says in rows: the groups, the places to change, the servers that hold
 * clients back, and the findings.
 */
#include <ctype.h>
#include <stdlib.h>
#include <inttypes.h>

#include "tools/report/advice.h"
#include "tools/base/put.h"
#include "tools/report/render/render_html.h"
#include "tools/base/table.h"

/* ---- groups ---- */

enum group_column { GROUP_VERDICT, GROUP_KEY, GROUP_CONNECTIONS, GROUP_VERSIONS, GROUP_LAST };

struct groups {
	const struct report *report;
	struct {
		enum group_column kind;
		size_t key;
	} column[HTML_COLUMNS_MAX];
};

/* "Destination" of DESTINATION. */
static const char *key_title(enum report_key key)
{
	static char titles[REPORT_KEYS][16];
	const char *title = report_key_title(key);
	char *own = titles[key];

	if (key == KEY_VERSION)
		return "Version";
	for (size_t i = 0; i < sizeof(titles[0]) - 1 && title[i]; i++)
		own[i] = (char)(i == 0 ? title[i] : tolower((unsigned char)title[i]));
	return own;
}

/* Names may be of any length; the other keys are as short as their values. */
static int key_kind(enum report_key key)
{
	switch (key) {
	case KEY_VERSION:
	case KEY_VERDICT:
	case KEY_HOUR:
	case KEY_DAY:
		return HTML_SHORT;
	default:
		return HTML_NAME;
	}
}

static void write_key(FILE *out, enum report_key key, struct slice text)
{
	if (key == KEY_PROGRAM || key == KEY_PLACE)
		html_path(out, text);
	else if (key == KEY_VERSION)
		put_text(out, html_version_words(entry_version_from(text)));
	else if (key == KEY_VERDICT)
		put_text(out, entry_verdict_name(entry_verdict_from(text)));
	else
		html_name(out, text);
}

static void group_cell(FILE *out, const void *context, size_t row, size_t column)
{
	const struct groups *groups = context;
	const struct report_group *group = &groups->report->groups[row];
	enum entry_verdict worst = report_worst(&group->tally);
	size_t key = groups->column[column].key;

	switch (groups->column[column].kind) {
	case GROUP_KEY:
		write_key(out, groups->report->by[key], group->key[key]);
		break;
	case GROUP_VERDICT:
		if (group->tally.verdict[worst] == group->tally.connections)
			html_verdict(out, worst);
		else
			html_verdict_count(out, worst, group->tally.verdict[worst]);
		break;
	case GROUP_CONNECTIONS:
		html_count(out, group->tally.connections);
		break;
	case GROUP_VERSIONS:
		html_versions(out, &group->tally);
		break;
	case GROUP_LAST:
		html_time(out, group->tally.last, TIMESTAMP_DAY);
		break;
	}
}

static void add_group_column(struct html_table *table, struct groups *groups,
			     enum group_column kind, size_t key, struct html_column column)
{
	groups->column[table->column_count].kind = kind;
	groups->column[table->column_count].key = key;
	table->column[table->column_count++] = column;
}

void html_write_groups(FILE *out, const struct report *report, const struct html_limits *limits)
{
	struct groups groups = {.report = report};
	struct html_table table = {
		.caption = "Connections by group, worst first",
		.row_count = report->group_count,
		.most = limits->rows,
		.context = &groups,
		.cell = group_cell,
	};

	if (report->group_count == 0)
		return;
	for (size_t i = 0; i < report->by_count; i++)
		add_group_column(
			&table, &groups, GROUP_KEY, i,
			(struct html_column){key_title(report->by[i]), key_kind(report->by[i])});
	add_group_column(&table, &groups, GROUP_CONNECTIONS, 0,
			 (struct html_column){"All", HTML_NUMBER});
	add_group_column(&table, &groups, GROUP_VERDICT, 0,
			 (struct html_column){"Worst", HTML_SHORT});
	add_group_column(&table, &groups, GROUP_VERSIONS, 0,
			 (struct html_column){"TLS", HTML_SHORT});
	add_group_column(&table, &groups, GROUP_LAST, 0,
			 (struct html_column){"Last (UTC)", HTML_SHORT});
	html_section_open(out, "groups", "In detail");
	/* With many keys no screen is wide enough: then the table moves, and not the page. */
	put_text(out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
		      "aria-label=\"Table of connections by group\">\n");
	html_table_write(out, &table);
	put_text(out, "</div>\n");
	html_section_close(out);
}

/* ---- places ---- */

static void write_place_name(FILE *out, struct slice file, uint64_t line, struct slice function)
{
	html_path(out, file);
	if (line)
		put_format(out, "<span class=\"line\">:%" PRIu64 "</span>", line);
	if (function.length) {
		put_text(out, " <span class=\"dim\">in ");
		html_name(out, function);
		put_text(out, "</span>");
	}
}

static void write_place_counts(FILE *out, const struct report_place *place)
{
	if (place->tally.connections == 0) {
		put_text(out, "<p class=\"dim\">No connection that needs a change was made with "
			      "it yet.</p>\n");
		return;
	}
	put_text(out, "<p>");
	for (unsigned i = ENTRY_VERDICTS; i-- > 0;) {
		if (place->tally.verdict[i] == 0)
			continue;
		html_verdict_count(out, i, place->tally.verdict[i]);
		put_text(out, " ");
	}
	put_text(out, "</p>\n");
}

static void write_destinations(FILE *out, const struct report_place *place)
{
	enum { NAMED = 3 };
	size_t shown = place->destination_count < NAMED ? place->destination_count : NAMED;

	if (shown == 0)
		return;
	put_text(out, "<dt>To</dt><dd>");
	for (size_t i = 0; i < shown; i++) {
		put_text(out, i ? ", " : "");
		html_name(out, place->destinations[i]);
	}
	if (shown < place->destination_count)
		put_format(out, " and %zu more", place->destination_count - shown);
	put_text(out, "</dd>\n");
}

static void write_paths(FILE *out, const char *term, const struct slice *path, size_t count)
{
	enum { NAMED = 5 };

	if (count == 0)
		return;
	put_format(out, "<dt>%s</dt><dd>", term);
	for (size_t i = 0; i < count && i < NAMED; i++) {
		put_text(out, i ? ", " : "");
		html_path(out, path[i]);
	}
	if (count > NAMED)
		put_format(out, " and %zu more", count - NAMED);
	put_text(out, "</dd>\n");
}

static void write_limits(FILE *out, const struct report_place *place)
{
	uint64_t client = place->limited_by[LIMIT_CLIENT];
	uint64_t server = place->limited_by[LIMIT_SERVER];

	if (client == 0 && server == 0)
		return;
	put_text(out, "<dt>Limited by</dt><dd>");
	if (client) {
		put_text(out, "the program ");
		html_count(out, client);
	}
	if (server) {
		put_text(out, client ? ", the server " : "the server ");
		html_count(out, server);
	}
	put_text(out, "</dd>\n");
}

static void write_settings(FILE *out, const struct report_place *place)
{
	enum { SHOWN = 5 };

	for (size_t i = 0; i < place->setting_count && i < SHOWN; i++) {
		const struct report_setting *setting = &place->settings[i];

		put_text(out, "<dt>Setting</dt><dd>");
		advice_put_setting(out, setting->text);
		put_text(out, ": <code>");
		html_name(out, setting->text);
		put_text(out, "</code>");
		if (setting->file.length) {
			put_text(out, " at ");
			write_place_name(out, setting->file, setting->line, setting->function);
		}
		put_text(out, "</dd>\n");
	}
	if (place->setting_count > SHOWN)
		put_format(out, "<dt>Settings</dt><dd>and %zu more</dd>\n",
			   place->setting_count - SHOWN);
}

static void write_place(FILE *out, const struct report_place *place)
{
	enum entry_verdict worst =
		place->tally.connections ? report_worst(&place->tally) : VERDICT_NO_MAIL;

	put_format(out, "<li class=\"v-%s\"><h3>", entry_verdict_name(worst));
	if (place->file.length)
		write_place_name(out, place->file, place->line, place->function);
	else
		html_path(out, place->program);
	put_text(out, "</h3>\n");
	write_place_counts(out, place);
	put_text(out, "<p class=\"advice\">");
	html_text(out, slice_of(place->advice));
	put_text(out, "</p>\n<dl>\n");
	if (place->program_count > 1 ||
	    (place->file.length && !slice_equal(place->file, place->program)))
		write_paths(out, place->program_count == 1 ? "Program" : "Programs",
			    place->programs, place->program_count);
	write_paths(out, "Connects at", place->sources, place->source_count);
	write_destinations(out, place);
	write_limits(out, place);
	write_settings(out, place);
	put_text(out, "</dl></li>\n");
}

void html_write_places(FILE *out, const struct report *report, const struct html_limits *limits)
{
	size_t shown = report->place_count < limits->list ? report->place_count : limits->list;

	if (shown == 0)
		return;
	html_section_open(out, "change", "What to change");
	put_text(out, "<p class=\"dim\">The lines that limited connections or made them, worst "
		      "first.</p>\n<ol class=\"places\">\n");
	for (size_t i = 0; i < shown; i++)
		write_place(out, &report->places[i]);
	put_text(out, "</ol>\n");
	html_more(out, report->place_count, shown);
	html_section_close(out);
}

/* ---- servers ---- */

/* The destinations that chose less than was offered, by their indices: still worst first. */
struct servers {
	const struct report *report;
	size_t *index;
	size_t count;
};

bool html_has_servers(const struct report *report)
{
	return report->limited_by[LIMIT_SERVER] > 0;
}

static struct servers find_servers(const struct report *report)
{
	struct servers servers = {.report = report};

	servers.index = table_allocate((report->destination_count + 1) * sizeof(*servers.index));
	for (size_t i = 0; i < report->destination_count; i++) {
		if (report->destinations[i].limited_by[LIMIT_SERVER] > 0)
			servers.index[servers.count++] = i;
	}
	return servers;
}

static void server_cell(FILE *out, const void *context, size_t row, size_t column)
{
	const struct servers *servers = context;
	const struct report_name *server = &servers->report->destinations[servers->index[row]];

	switch (column) {
	case 0:
		html_name(out, server->name);
		break;
	case 1:
		html_count(out, server->limited_by[LIMIT_SERVER]);
		break;
	case 2:
		html_versions(out, &server->tally);
		break;
	default:
		if (server->server_supports >= VERSION_SSL_3_0)
			put_format(out, "%s: it can do more than it chose",
				   html_version_words(server->server_supports));
		else
			put_text(out, "<span class=\"dim\">nothing proven</span>");
		break;
	}
}

void html_write_servers(FILE *out, const struct report *report, const struct html_limits *limits)
{
	struct servers servers;
	struct html_table table = {
		.caption = "Servers that chose an older version than they were offered",
		.column = {{"Server", HTML_NAME},
			   {"Held back", HTML_NUMBER},
			   {"Versions chosen", HTML_TEXT},
			   {"Could do", HTML_TEXT}},
		.column_count = 4,
		.most = limits->list,
		.cell = server_cell,
	};

	if (!html_has_servers(report))
		return;
	servers = find_servers(report);
	table.row_count = servers.count;
	table.context = &servers;
	html_section_open(out, "servers", "Servers that hold programs back");
	put_text(out, "<p class=\"dim\">The programs offered more than these servers chose. Only "
		      "the operator of the server can change that.</p>\n");
	html_table_write(out, &table);
	html_section_close(out);
	free(servers.index);
}

/* ---- findings ---- */

enum finding_column {
	FINDING_PROGRAM,
	FINDING_DESTINATION,
	FINDING_TEXT,
	FINDING_RECORDS,
	FINDING_LAST,
};

struct finding_list {
	const struct report_findings *findings;
	enum finding_column column[HTML_COLUMNS_MAX];
	bool certificates;
};

static void write_certificate(FILE *out, struct slice name)
{
	static const char *const words[ENTRY_CERTIFICATES] = {
		[CERTIFICATE_UNKNOWN] = "not known",
		[CERTIFICATE_VERIFIED] = "verified",
		[CERTIFICATE_CHAIN_ONLY] = "issuer checked; the name is not known",
		[CERTIFICATE_UNCHECKED] = "not checked at all",
		[CERTIFICATE_FAILED] = "checked, and wrong",
	};
	enum entry_certificate certificate = entry_certificate_from(name);

	put_text(out, certificate < ENTRY_CERTIFICATES ? words[certificate] : "not known");
}

static void finding_cell(FILE *out, const void *context, size_t row, size_t column)
{
	const struct finding_list *list = context;
	const struct report_finding *finding = &list->findings->row[row];

	switch (list->column[column]) {
	case FINDING_PROGRAM:
		html_path(out, finding->program);
		break;
	case FINDING_DESTINATION:
		html_name(out, finding->destination);
		break;
	case FINDING_TEXT:
		if (list->certificates)
			write_certificate(out, finding->text);
		else
			html_name(out, finding->text);
		break;
	case FINDING_RECORDS:
		html_count(out, finding->records);
		break;
	case FINDING_LAST:
		html_time(out, finding->last, TIMESTAMP_DAY);
		break;
	}
}

static void add_finding_column(struct html_table *table, struct finding_list *list,
			       enum finding_column kind, const char *title)
{
	struct html_column column = {title, HTML_NAME};

	if (kind == FINDING_RECORDS)
		column.kind = HTML_NUMBER;
	else if (kind == FINDING_LAST)
		column.kind = HTML_SHORT;
	list->column[table->column_count] = kind;
	table->column[table->column_count++] = column;
}

/* What tells one list of findings from another. */
struct finding_kind {
	const char *caption;
	bool with_destination;
	const char *text_title; /* NULL: no such column */
	const char *records_title;
	bool certificates;
};

static void write_findings(FILE *out, const struct report_findings *findings,
			   const struct finding_kind *kind, const struct html_limits *limits)
{
	struct finding_list list = {.findings = findings, .certificates = kind->certificates};
	struct html_table table = {
		.caption = kind->caption,
		.row_count = findings->count,
		.most = limits->list,
		.context = &list,
		.cell = finding_cell,
	};

	if (findings->count == 0)
		return;
	add_finding_column(&table, &list, FINDING_PROGRAM, "Program");
	if (kind->with_destination)
		add_finding_column(&table, &list, FINDING_DESTINATION, "Destination");
	if (kind->text_title)
		add_finding_column(&table, &list, FINDING_TEXT, kind->text_title);
	add_finding_column(&table, &list, FINDING_RECORDS, kind->records_title);
	add_finding_column(&table, &list, FINDING_LAST, "Last (UTC)");
	html_table_write(out, &table);
}

static void write_finding_section(FILE *out, const char *id, const char *title, const char *words,
				  const struct report_findings *findings,
				  const struct finding_kind *kind, const struct html_limits *limits)
{
	if (findings->count == 0)
		return;
	html_section_open(out, id, title);
	put_format(out, "<p class=\"dim\">%s</p>\n", words);
	write_findings(out, findings, kind, limits);
	html_section_close(out);
}

static void write_sentence(FILE *out, uint64_t count, const char *one, const char *many)
{
	if (count == 0)
		return;
	put_text(out, "<p>");
	html_count(out, count);
	put_format(out, " %s</p>\n", count == 1 ? one : many);
}

static void loss_cell(FILE *out, const void *context, size_t row, size_t column)
{
	const struct report_delivery *loss = (const struct report_delivery *)context + row;

	if (column == 0)
		html_name(out, loss->host);
	else if (column == 1)
		html_time(out, loss->day, TIMESTAMP_DAY);
	else if (column == 2)
		html_count(out, loss->arrived + loss->lost);
	else
		html_count(out, column == 3 ? loss->arrived : loss->lost);
}

static void write_losses(FILE *out, const struct report *report, const struct html_limits *limits)
{
	const struct html_table table = {
		.caption = "Records that were written and are not here, by what event.id counts",
		.column = {{"Host", HTML_NAME},
			   {"Day (UTC)", HTML_SHORT},
			   {"Written", HTML_NUMBER},
			   {"Arrived", HTML_NUMBER},
			   {"Lost", HTML_NUMBER}},
		.column_count = 5,
		.row_count = report->loss_count,
		.most = limits->list,
		.context = report->losses,
		.cell = loss_cell,
	};

	if (report->loss_count > 0)
		html_table_write(out, &table);
}

static void silence_cell(FILE *out, const void *context, size_t row, size_t column)
{
	const struct report_silence *silence = (const struct report_silence *)context + row;

	if (column == 0)
		html_name(out, silence->host);
	else if (column == 1)
		html_time(out, silence->last, TIMESTAMP_DAY);
	else
		html_count(out, column == 2 ? silence->days : silence->longest_before);
}

static void write_silences(FILE *out, const struct report *report, const struct html_limits *limits)
{
	const struct html_table table = {
		.caption = "Hosts that fell silent",
		.column = {{"Host", HTML_NAME},
			   {"Last day (UTC)", HTML_SHORT},
			   {"Days since", HTML_NUMBER},
			   {"Longest before", HTML_NUMBER}},
		.column_count = 4,
		.row_count = report->silence_count,
		.most = limits->list,
		.context = report->silences,
		.cell = silence_cell,
	};

	if (report->silence_count > 0)
		html_table_write(out, &table);
}

static void write_gaps(FILE *out, const struct report *report, const struct html_limits *limits)
{
	static const struct finding_kind blind_spots = {"Programs that could not be watched", false,
							"Why", "Times", false};
	static const struct finding_kind lost = {"Records that could not be written", false, NULL,
						 "Lost", false};
	static const struct finding_kind errors = {"Settings of tlswitness that are in error",
						   false, "What", "Times", false};

	if (!html_has_gaps(report))
		return;
	html_section_open(out, "gaps", "Gaps in this picture");
	put_text(out, "<p class=\"dim\">What was not seen, not written or not understood.</p>\n");
	write_findings(out, &report->blind_spots, &blind_spots, limits);
	write_findings(out, &report->lost, &lost, limits);
	write_losses(out, report, limits);
	write_silences(out, report, limits);
	write_findings(out, &report->configuration_errors, &errors, limits);
	write_sentence(out, html_rejected_lines(report),
		       "line of the logs is no record; the list of inputs says where.",
		       "lines of the logs are no records; the list of inputs says where.");
	write_sentence(out, report->records.other,
		       "record is of a kind that this version does not know.",
		       "records are of a kind that this version does not know.");
	write_sentence(out, report->conflicts,
		       "connection had two versions by its two witnesses: please report that as a "
		       "defect of tlswitness.",
		       "connections had two versions by their two witnesses: please report that as "
		       "a defect of tlswitness.");
	for (size_t i = 0; i < report->input_count; i++) {
		if (!report->inputs[i].error)
			continue;
		put_text(out, "<p>");
		html_path(out, slice_of(report->inputs[i].name));
		put_text(out, " could not be read to its end: ");
		html_text(out, slice_of(report->inputs[i].error));
		put_text(out, ".</p>\n");
	}
	html_section_close(out);
}

void html_write_findings(FILE *out, const struct report *report, const struct html_limits *limits)
{
	static const struct finding_kind plaintext = {"Mail in the clear", true, "Why",
						      "Connections", false};
	static const struct finding_kind certificates = {"Certificates that were not verified",
							 true, "Certificate", "Connections", true};
	static const struct finding_kind failures = {"Connections that failed or were refused",
						     true, "Why", "Connections", false};
	static const struct finding_kind exceptions = {"Connections that an exception let through",
						       true, "Exception", "Connections", false};

	write_finding_section(out, "plaintext", "Mail in the clear",
			      "Mail or a login that anybody on the way could read.",
			      &report->plaintext, &plaintext, limits);
	write_finding_section(
		out, "certificates", "Certificates that nobody checked",
		"Encrypted, but to whom? Without a check of the server's certificate, "
		"somebody in between could read along.",
		&report->certificates, &certificates, limits);
	write_finding_section(out, "failures", "Failed or refused",
			      "Connections that came to nothing, and the reason.",
			      &report->failures, &failures, limits);
	write_finding_section(out, "exceptions", "By an exception",
			      "What the settings file lets through, and until when.",
			      &report->exceptions, &exceptions, limits);
	write_gaps(out, report, limits);
}
