/*
 * Knows the text of metrics; must not know what they are of, but for which of them count.
 */
#include "tools/report/render/counters.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "tools/base/put.h"
#include "tools/base/table.h"
#include "tools/base/timestamp.h"

#define UNTIL "tlswitness_counted_until_timestamp_seconds"

/* So many series of one name; what comes then is added to the one of "(other)". */
#define SERIES_MOST 2000

#define OTHER "\"(other)\""

/* What a report has of its records alone, and so adds up; it stands in it as a gauge. */
static const char *const counted[] = {
	"tlswitness_connections",
	"tlswitness_place_connections",
	"tlswitness_limited_connections",
	"tlswitness_certificate_connections",
	"tlswitness_records",
	"tlswitness_lost_records",
};

#define FIRST "tlswitness_first_record_timestamp_seconds"
#define LAST  "tlswitness_last_record_timestamp_seconds"

static const char *counted_name(const char *text, size_t length)
{
	for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++) {
		if (strlen(counted[i]) == length && memcmp(counted[i], text, length) == 0)
			return counted[i];
	}
	return NULL;
}

static char *copy_text(const char *text, size_t length)
{
	char *copy = table_allocate(length + 1);

	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

static struct counter *find(struct counters *counters, const char *series)
{
	for (size_t i = 0; i < counters->count; i++) {
		if (strcmp(counters->row[i].series, series) == 0)
			return &counters->row[i];
	}
	return NULL;
}

static void keep(struct counters *counters, const char *line, size_t length)
{
	const char *blank = memrchr(line, ' ', length);
	struct counter *row = NULL;

	if (!blank || blank == line)
		return;
	counters->row =
		table_resize(counters->row, (counters->count + 1) * sizeof(counters->row[0]));
	row = &counters->row[counters->count++];
	*row = (struct counter){
		.series = copy_text(line, (size_t)(blank - line)),
		.value = copy_text(blank + 1, length - (size_t)(blank + 1 - line)),
	};
	if (strcmp(row->series, UNTIL) == 0) {
		counters->has_until = true;
		counters->until =
			(int64_t)(strtod(row->value, NULL) * (double)MICROSECONDS_PER_SECOND + 0.5);
	}
}

bool counters_read(struct counters *counters, const char *path)
{
	FILE *in = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	ssize_t length = 0;
	bool ok = true;

	*counters = (struct counters){0};
	if (!in)
		return errno == ENOENT;
	while ((length = getline(&line, &size, in)) > 0) {
		if (line[length - 1] == '\n')
			length--;
		if (length > 0 && line[0] != '#')
			keep(counters, line, (size_t)length);
	}
	ok = !ferror(in);
	free(line);
	(void)fclose(in);
	errno = ok ? 0 : EIO;
	return ok && counters->has_until;
}

void counters_free(struct counters *counters)
{
	for (size_t i = 0; i < counters->count; i++) {
		free(counters->row[i].series);
		free(counters->row[i].value);
	}
	free(counters->row);
	*counters = (struct counters){0};
}

/* True if `series` is of the metric `name`. */
static bool is_of(const char *series, const char *name)
{
	size_t length = strlen(name);

	return strncmp(series, name, length) == 0 && strncmp(series + length, "_total", 6) == 0 &&
	       (series[length + 6] == '{' || series[length + 6] == '\0');
}

static size_t series_of(const struct counters *counters, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < counters->count; i++)
		count += is_of(counters->row[i].series, name);
	return count;
}

/* A label whose values are few. */
static bool is_closed(const char *label, size_t length)
{
	static const char *const labels[] = {"version", "verdict", "kind", "by", "check"};

	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		if (strlen(labels[i]) == length && memcmp(labels[i], label, length) == 0)
			return true;
	}
	return false;
}

/* `a="x",verdict="ok"` with "(other)" for all that is named freely. */
static void put_others(FILE *out, const char *series)
{
	const char *at = strchr(series, '{');

	while (at && *at != '}' && *at) {
		const char *label = at + 1;
		const char *equals = strchr(label, '=');
		const char *end = equals + 2;

		while (*end && *end != '"')
			end += *end == '\\' && end[1] ? 2 : 1;
		put_byte(out, *at);
		put_slice(out, (struct slice){label, (size_t)(equals + 1 - label)});
		if (is_closed(label, (size_t)(equals - label)))
			put_slice(out, (struct slice){equals + 1, (size_t)(end - equals)});
		else
			put_text(out, OTHER);
		at = end + (*end == '"');
	}
	put_byte(out, '}');
}

static char *others_of(const char *name, const char *series)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		table_out_of_memory();
	put_format(out, "%s_total", name);
	put_others(out, series);
	if (fclose(out) != 0)
		table_out_of_memory();
	return text;
}

/* Adds a sample of the report, whose series is no part of `counters` yet. */
static struct counter *add_row(struct counters *counters, char *series)
{
	counters->row =
		table_resize(counters->row, (counters->count + 1) * sizeof(counters->row[0]));
	counters->row[counters->count] =
		(struct counter){.series = series, .value = copy_text("0", 1)};
	return &counters->row[counters->count++];
}

static void add_value(struct counter *row, uint64_t value)
{
	char text[24];
	int length = snprintf(text, sizeof(text), "%" PRIu64,
			      (uint64_t)strtoull(row->value, NULL, 10) + value);

	free(row->value);
	row->value = copy_text(text, (size_t)length);
}

static void add_sample(struct counters *counters, const char *name, const char *line, size_t length)
{
	const char *blank = memrchr(line, ' ', length);
	size_t labels = (size_t)(blank - line) - strlen(name);
	char *series = NULL;
	struct counter *row = NULL;

	if (asprintf(&series, "%s_total%.*s", name, (int)labels, line + strlen(name)) < 0)
		table_out_of_memory();
	row = find(counters, series);
	if (!row && labels > 0 && series_of(counters, name) >= SERIES_MOST) {
		char *others = others_of(name, series);

		free(series);
		series = others;
		row = find(counters, series);
	}
	if (row)
		free(series);
	else
		row = add_row(counters, series);
	add_value(row, strtoull(blank + 1, NULL, 10));
}

static void put_family(FILE *out, const struct counters *counters, const char *name)
{
	for (size_t i = 0; i < counters->count; i++) {
		if (is_of(counters->row[i].series, name))
			put_format(out, "%s %s\n", counters->row[i].series, counters->row[i].value);
	}
}

/* The metric that counts which a "# HELP name words" or its like is of; NULL: none. */
static const char *commented_name(const char *line, size_t length)
{
	const char *name = memchr(line + 2, ' ', length - 2);
	const char *end = name ? memchr(name + 1, ' ', length - (size_t)(name + 1 - line)) : NULL;

	return end ? counted_name(name + 1, (size_t)(end - name - 1)) : NULL;
}

/* The same of a metric that counts, with the name and type that it has then. */
static void put_comment(FILE *out, const char *line, size_t length, const char *name,
			enum counters_form form)
{
	const char *suffix = form == COUNTERS_PROMETHEUS ? "_total" : "";
	const char *rest = strstr(line, name) + strlen(name);

	/* Prometheus has no units of its own, and would not take that name for one. */
	if (form == COUNTERS_PROMETHEUS && strncmp(line, "# UNIT", 6) == 0)
		return;
	put_slice(out, (struct slice){line, (size_t)(rest - line)});
	put_text(out, suffix);
	if (strncmp(line, "# TYPE", 6) == 0)
		put_text(out, " counter");
	else
		put_slice(out, (struct slice){rest, length - (size_t)(rest - line)});
	put_byte(out, '\n');
}

/*
 * What has to be said of a metric before its samples: behind the last of it, its unit, those of
 * one that counts come by put_family.
 */
static void put_line(FILE *out, struct counters *counters, const char *line, size_t length,
		     enum counters_form form)
{
	const char *name = line[0] == '#' ? commented_name(line, length)
					  : counted_name(line, strcspn(line, " {"));

	if (strncmp(line, "# EOF", 5) == 0 ||
	    (memmem(line, length, FIRST, strlen(FIRST)) && find(counters, FIRST)))
		return;
	if (!name) {
		put_slice(out, (struct slice){line, length});
		put_byte(out, '\n');
	} else if (line[0] == '#') {
		put_comment(out, line, length, name, form);
		if (strncmp(line, "# UNIT", 6) == 0)
			put_family(out, counters, name);
	}
}

static void each_line(const char *text, FILE *out, struct counters *counters,
		      enum counters_form form)
{
	for (; *text; text += strcspn(text, "\n") + 1) {
		size_t length = strcspn(text, "\n");
		const char *name = text[0] == '#' ? NULL : counted_name(text, strcspn(text, " {"));

		if (out)
			put_line(out, counters, text, length, form);
		else if (name)
			add_sample(counters, name, text, length);
	}
}

static void put_kept(FILE *out, const struct counter *row, const char *help)
{
	if (row)
		put_format(out, "# HELP %s %s\n# TYPE %s gauge\n%s %s\n", row->series, help,
			   row->series, row->series, row->value);
}

bool counters_write(FILE *out, const struct report *report, struct counters *counters,
		    int64_t until, enum counters_form form)
{
	char *text = NULL;
	size_t size = 0;
	FILE *metrics = open_memstream(&text, &size);
	struct filter lasting = *report->filter;
	struct report shown = *report;

	/* Labels that change each time would make a series each time. */
	lasting.has_since = false;
	lasting.has_until = false;
	shown.filter = &lasting;
	if (!metrics)
		table_out_of_memory();
	if (!render_openmetrics(metrics, &shown) || fclose(metrics) != 0)
		table_out_of_memory();
	each_line(text, NULL, counters, form);
	each_line(text, out, counters, form);
	free(text);
	put_kept(out, find(counters, FIRST), "When the first record was written.");
	if (report->records.all == 0)
		put_kept(out, find(counters, LAST), "When the last record was written.");
	put_format(out,
		   "# HELP " UNTIL " Records before this time are counted.\n# TYPE " UNTIL
		   " gauge\n" UNTIL " %.6f\n",
		   (double)until / (double)MICROSECONDS_PER_SECOND);
	if (form == COUNTERS_OPENMETRICS)
		put_text(out, "# EOF\n");
	return put_end(out);
}
