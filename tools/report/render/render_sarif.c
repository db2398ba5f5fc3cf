/*
 * The places as SARIF 2.1.0 (OASIS), so that a code review shows the line: one result for
 * each place, its level by the worst verdict. Paths are as they were recorded; a checkout
 * elsewhere is mapped by originalUriBaseIds of whoever uploads it.
 */
#include "tools/base/json_writer.h"
#include "tools/base/place_text.h"
#include "tools/base/put.h"
#include "tools/base/table.h"
#include "tools/report/model.h"

#include <inttypes.h>
#include <stdlib.h>

static const char *level(enum entry_verdict verdict)
{
	if (verdict >= VERDICT_BELOW_FLOOR)
		return "error";
	return verdict >= VERDICT_AT_RISK ? "warning" : "note";
}

static void write_message(struct json_writer *writer, const struct report_place *place)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	const char *separator = "";

	if (!out)
		table_out_of_memory();
	for (unsigned i = ENTRY_VERDICTS; i-- > 0;) {
		if (place->tally.verdict[i] == 0)
			continue;
		put_format(out, "%s%s %" PRIu64, separator, entry_verdict_name(i),
			   place->tally.verdict[i]);
		separator = ", ";
	}
	for (size_t i = 0; i < place->setting_count; i++) {
		put_text(out, i || *separator ? "; " : "");
		put_slice(out, place->settings[i].text);
	}
	put_format(out, ". %s", place->advice);
	if (fclose(out) != 0)
		table_out_of_memory();
	json_open(writer, "message", '{');
	json_text(writer, "text", (struct slice){text, size});
	json_close(writer, '}');
	free(text);
}

/* RFC 3986: what a path may have that a URI may not. */
static void write_uri(struct json_writer *writer, struct slice path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "-._~/";
	char *text = table_allocate(path.length * 3 + sizeof("file://"));
	size_t used = 0;

	if (path.length && path.start[0] == '/')
		used = (size_t)sprintf(text, "file://");
	for (size_t i = 0; i < path.length; i++) {
		if (path.start[i] && strchr(plain, path.start[i]))
			text[used++] = path.start[i];
		else
			used += (size_t)sprintf(text + used, "%%%02X",
						(unsigned)(unsigned char)path.start[i]);
	}
	json_text(writer, "uri", (struct slice){text, used});
	free(text);
}

static void write_result(struct json_writer *writer, const struct report_place *place)
{
	enum entry_verdict worst =
		place->tally.connections ? report_worst(&place->tally) : VERDICT_OK;
	struct slice file = place->file.length ? place->file : place->program;

	json_open(writer, NULL, '{');
	json_text(writer, "ruleId", slice_of(entry_verdict_name(worst)));
	json_text(writer, "level", slice_of(level(worst)));
	write_message(writer, place);
	json_open(writer, "locations", '[');
	json_open(writer, NULL, '{');
	json_open(writer, "physicalLocation", '{');
	json_open(writer, "artifactLocation", '{');
	write_uri(writer, file);
	json_close(writer, '}');
	if (place->line) {
		json_open(writer, "region", '{');
		json_number(writer, "startLine", place->line);
		json_close(writer, '}');
	}
	json_close(writer, '}');
	json_close(writer, '}');
	json_close(writer, ']');
	json_close(writer, '}');
}

static void write_rules(struct json_writer *writer)
{
	static const char *const meanings[ENTRY_VERDICTS] = {
#define VERDICT(name, text, meaning) [VERDICT_##name] = (meaning),
#define UNKNOWN_VERDICT              [VERDICT_OTHER] = "a verdict that this version does not know",
#include "shim/record/record_values.def"
	};

	json_open(writer, "rules", '[');
	for (unsigned i = 0; i < ENTRY_VERDICTS; i++) {
		json_open(writer, NULL, '{');
		json_text(writer, "id", slice_of(entry_verdict_name(i)));
		json_open(writer, "shortDescription", '{');
		json_text(writer, "text", slice_of(meanings[i]));
		json_close(writer, '}');
		json_close(writer, '}');
	}
	json_close(writer, ']');
}

bool render_sarif(FILE *out, const struct report *report)
{
	struct json_writer writer = {.out = out};

	json_open(&writer, NULL, '{');
	json_text(&writer, "version", SLICE_LITERAL("2.1.0"));
	json_text(&writer, "$schema",
		  SLICE_LITERAL("https://json.schemastore.org/sarif-2.1.0.json"));
	json_open(&writer, "runs", '[');
	json_open(&writer, NULL, '{');
	json_open(&writer, "tool", '{');
	json_open(&writer, "driver", '{');
	json_text(&writer, "name", SLICE_LITERAL("tlswitness"));
	json_text(&writer, "version", SLICE_LITERAL(TLSWITNESS_VERSION));
	write_rules(&writer);
	json_close(&writer, '}');
	json_close(&writer, '}');
	json_open(&writer, "properties", '{');
	if (report->command)
		json_text(&writer, "command", slice_of(report->command));
	json_boolean(&writer, "filtered", report->filter && !filter_is_empty(report->filter));
	json_close(&writer, '}');
	json_open(&writer, "results", '[');
	for (size_t i = 0; i < report->place_count; i++)
		write_result(&writer, &report->places[i]);
	json_close(&writer, ']');
	json_close(&writer, '}');
	json_close(&writer, ']');
	json_close(&writer, '}');
	return put_end(out);
}
