/*
 * `tlswitness probe` for people: a block for each target, and where there are several, one table
 * of all at the end. What is below the floor and accepted is in
 * capitals.
 */
#include "tools/probe/probe_render.h"

#include <string.h>

#include "shim/record/tls_names.h"
#include "tools/base/put.h"
#include "tools/base/terminal.h"
#include "tools/base/text_table.h"

#define DEFAULT_WIDTH 80
#define INDENT        2
#define PROGRAM_AT    4
#define WORDS_AT      21 /* where the words begin, behind version and result */

static const char *const version_titles[PROBE_VERSIONS] = {"SSL 3.0", "TLS 1.0", "TLS 1.1",
							   "TLS 1.2", "TLS 1.3"};

static const char *const result_words[] = {
	[PROBE_NOT_TESTED] = "not tested",
	[PROBE_ACCEPTED] = "accepted",
	[PROBE_REFUSED] = "refused",
	[PROBE_UNSUPPORTED_HERE] = "not here",
};

static const char *const promise_words[] = {
	[PROBE_PROMISE_NONE] = "nothing promised",
	[PROBE_PROMISE_KEPT] = "kept",
	[PROBE_PROMISE_BROKEN] = "BROKEN",
	[PROBE_PROMISE_UNKNOWN] = "not known",
};

struct page {
	FILE *out;
	const struct probe *probe;
	struct text_style style;
};

/* From column `indent` on, where the caller has left off, broken at spaces. */
static void put_wrapped(const struct page *page, size_t indent, const char *text)
{
	text_wrap(page->out, &page->style, indent, slice_of(text));
}

static bool is_below_floor(const struct probe *probe, const struct probe_target *target,
			   size_t version)
{
	return target->verdict[version].result == PROBE_ACCEPTED &&
	       probe_version(version) < probe->settings.floor;
}

static enum text_colour colour_of(const struct probe *probe, const struct probe_target *target,
				  size_t version)
{
	switch (target->verdict[version].result) {
	case PROBE_ACCEPTED:
		return is_below_floor(probe, target, version) ? COLOUR_BAD : COLOUR_GOOD;
	case PROBE_REFUSED:
		return COLOUR_NONE;
	default:
		return COLOUR_WARNING;
	}
}

/* ---- a target ---- */

static void put_heading(const struct page *page, const struct probe_target *target)
{
	char line[2 * PROBE_WORDS + PROBE_NAME_MAX];
	bool bracket = strchr(target->host, ':') != NULL;
	const char *mode = target->implicit ? "TLS from the first byte" : "STARTTLS";

	(void)snprintf(line, sizeof(line), "%s%s%s:%u%s%s  %s", bracket ? "[" : "", target->host,
		       bracket ? "]" : "", target->port, target->is_address ? "" : "  ",
		       target->is_address ? "" : target->address_text, mode);
	put_wrapped(page, 0, line);
	if (target->domain != NULL) {
		(void)snprintf(line, sizeof(line), "mail exchanger of %s, preference %u",
			       target->domain->name, target->preference);
		put_spaces(page->out, INDENT);
		put_wrapped(page, INDENT, line);
	}
}

static void describe(const struct probe_verdict *verdict, char *line, size_t size)
{
	const char *cipher = tls_cipher_name(verdict->cipher);
	const char *group = tls_group_name(verdict->group);
	char number[sizeof("0xFFFF")];

	if (verdict->result != PROBE_ACCEPTED) {
		(void)snprintf(line, size, "%s", verdict->how);
		return;
	}
	(void)snprintf(number, sizeof(number), "0x%04X", verdict->cipher);
	(void)snprintf(line, size, "%s%s%s", cipher != NULL ? cipher : number,
		       group != NULL ? ", " : "", group != NULL ? group : "");
}

static void put_verdict(const struct page *page, const struct probe_target *target, size_t version)
{
	const char *result = is_below_floor(page->probe, target, version)
				     ? "ACCEPTED"
				     : result_words[target->verdict[version].result];
	char line[2 * PROBE_WORDS];

	put_format(page->out, "  %s  ", version_titles[version]);
	text_put(page->out, &page->style, colour_of(page->probe, target, version), result);
	describe(&target->verdict[version], line, sizeof(line));
	if (line[0] == '\0') {
		put_byte(page->out, '\n');
		return;
	}
	put_spaces(page->out, WORDS_AT + 2 - (sizeof("  TLS 1.2  ") - 1) - strlen(result));
	put_wrapped(page, WORDS_AT + 2, line);
}

/* All verdicts alike and nothing to say of each: one line will do. */
static bool is_all_untested(const struct probe_target *target)
{
	for (size_t i = 0; i < PROBE_VERSIONS; i++) {
		if (target->verdict[i].result != PROBE_NOT_TESTED ||
		    strcmp(target->verdict[i].how, target->verdict[0].how) != 0)
			return false;
	}
	return true;
}

static void put_labelled(const struct page *page, const char *label, const char *text)
{
	put_format(page->out, "  %s: ", label);
	put_wrapped(page, INDENT + strlen(label) + 2, text);
}

static void put_certificate(const struct page *page, const struct probe_target *target)
{
	const struct probe_certificate *certificate = &target->certificate;
	char line[1024];

	if (!certificate->known) {
		if (certificate->reason[0] != '\0')
			put_labelled(page, "certificate", certificate->reason);
		return;
	}
	(void)snprintf(line, sizeof(line), "%.300s, by %.300s, %s %ld days, %s%.200s",
		       certificate->names[0] != '\0' ? certificate->names : certificate->subject,
		       certificate->issuer, certificate->days_left < 0 ? "expired for" : "good for",
		       certificate->days_left < 0 ? -certificate->days_left
						  : certificate->days_left,
		       certificate->verified ? "verified" : "not verified: ", certificate->reason);
	put_labelled(page, "certificate", line);
}

static void put_promise(const struct page *page, const char *label,
			const struct probe_promise *promise)
{
	char line[2 * PROBE_WORDS];

	if (promise->state == PROBE_PROMISE_NOT_ASKED)
		return;
	(void)snprintf(line, sizeof(line), "%s%s%s", promise_words[promise->state],
		       promise->how[0] != '\0' ? ": " : "", promise->how);
	put_labelled(page, label, line);
}

static void describe_tally(const struct probe_tally *tally, char *line, size_t size)
{
	size_t length = 0;

	line[0] = '\0';
	for (size_t i = 0; i < PROBE_VERSIONS; i++) {
		if (tally->version[i] > 0)
			length += (size_t)snprintf(line + length, size - length, "%s%lu x %s",
						   length > 0 ? ", " : "", tally->version[i],
						   version_titles[i]);
	}
	if (tally->clear > 0)
		length += (size_t)snprintf(line + length, size - length, "%s%lu x in the clear",
					   length > 0 ? ", " : "", tally->clear);
	if (tally->failed > 0)
		(void)snprintf(line + length, size - length, "%s%lu x failed",
			       length > 0 ? ", " : "", tally->failed);
}

static void put_program(const struct page *page, const struct probe_program *program)
{
	char words[512];
	char line[1024];

	describe_tally(&program->tally, words, sizeof(words));
	(void)snprintf(line, sizeof(line), "%.300s: %s", program->name, words);
	put_spaces(page->out, PROGRAM_AT);
	put_wrapped(page, PROGRAM_AT + INDENT, line);
}

static void put_seen(const struct page *page, const struct probe_seen *seen)
{
	char line[512];

	if (!seen->asked)
		return;
	describe_tally(&seen->all, line, sizeof(line));
	put_labelled(page, "negotiated from here",
		     line[0] != '\0' ? line : "no connection in the log");
	for (size_t i = 0; i < seen->program_count; i++)
		put_program(page, &seen->program[i]);
}

static void put_target(const struct page *page, const struct probe_target *target)
{
	put_heading(page, target);
	if (is_all_untested(target)) {
		put_labelled(page, "not tested", target->verdict[0].how);
	} else {
		for (size_t i = 0; i < PROBE_VERSIONS; i++)
			put_verdict(page, target, i);
	}
	put_certificate(page, target);
	put_promise(page, "DANE", &target->dane);
	put_promise(page, "MTA-STS", &target->mta_sts);
	put_seen(page, &target->seen);
	put_byte(page->out, '\n');
}

/* ---- all of them ---- */

enum column { COLUMN_HOST, COLUMN_PORT, COLUMN_ADDRESS, COLUMN_VERSIONS };

static void fill_version(const struct probe *probe, const struct probe_target *target,
			 size_t version, struct text_cell *cell)
{
	static const char *const signs[] = {
		[PROBE_NOT_TESTED] = "?",
		[PROBE_ACCEPTED] = "yes",
		[PROBE_REFUSED] = "no",
		[PROBE_UNSUPPORTED_HERE] = "-",
	};

	cell->text = slice_of(is_below_floor(probe, target, version)
				      ? "YES"
				      : signs[target->verdict[version].result]);
	cell->colour = colour_of(probe, target, version);
}

static void fill_certificate(const struct probe_target *target, struct text_cell *cell)
{
	const struct probe_certificate *certificate = &target->certificate;

	if (!certificate->known)
		cell->text = slice_of("");
	else if (certificate->verified)
		cell->text = slice_of("verified");
	else
		cell->text = slice_of(certificate->reason);
}

static void fill_cell(const void *context, size_t row, size_t column, struct text_cell *cell)
{
	const struct page *page = context;
	const struct probe_target *target = &page->probe->target[row];

	cell->text = slice_of("");
	switch (column) {
	case COLUMN_HOST:
		cell->text = slice_of(target->host);
		break;
	case COLUMN_PORT:
		cell->text = (struct slice){cell->room, (size_t)snprintf(cell->room, TEXT_CELL_SIZE,
									 "%u", target->port)};
		break;
	case COLUMN_ADDRESS:
		cell->text = slice_of(target->address_text);
		break;
	case COLUMN_VERSIONS + PROBE_VERSIONS:
		fill_certificate(target, cell);
		break;
	default:
		fill_version(page->probe, target, column - COLUMN_VERSIONS, cell);
	}
}

static void put_table(const struct page *page)
{
	struct text_table table = {
		.column = {{.title = "HOST", .flexible = true, .keep_end = true},
			   {.title = "PORT", .right = true},
			   {.title = "ADDRESS", .flexible = true},
			   {.title = "3.0"},
			   {.title = "1.0"},
			   {.title = "1.1"},
			   {.title = "1.2"},
			   {.title = "1.3"},
			   {.title = "CERTIFICATE", .flexible = true}},
		.column_count = COLUMN_VERSIONS + PROBE_VERSIONS + 1,
		.row_count = page->probe->target_count,
		.context = page,
		.cell = fill_cell,
	};

	text_table_write(page->out, &table, &page->style);
}

void probe_render_text(FILE *out, const struct probe *probe)
{
	struct page page = {
		.out = out,
		.probe = probe,
		.style = {.width = terminal_width(fileno(out), DEFAULT_WIDTH),
			  .colour = terminal_colour(fileno(out)),
			  .utf8 = terminal_utf8()},
	};

	for (size_t i = 0; i < probe->target_count; i++)
		put_target(&page, &probe->target[i]);
	if (probe->target_count > 1)
		put_table(&page);
}
