/*
 * Knows cells and the report; must not know files, lines or formats.
 *
 * Every table is made alike: a numbering gives each key its row, the cells are
 * added to their rows, the rows are sorted.
 */
#include "tools/report/rollup.h"

#include <stdlib.h>

#include "tools/report/advice.h"
#include "tools/base/timestamp.h"

/* A place, or a program where no place is known. */
struct place_key {
	uint32_t file;
	uint32_t line;
	uint32_t function;
	uint32_t program;
};

struct group_key {
	uint32_t program;
	uint32_t destination;
	uint32_t version;
	uint32_t verdict;
	uint32_t file;
	uint32_t line;
	uint32_t function;
	uint32_t host;
	uint32_t service;
	uint32_t user;
	int32_t hour;
	int32_t day;
};

struct finding_key {
	uint32_t program;
	uint32_t destination;
	uint32_t text;
};

struct pair_key {
	uint32_t first;
	uint32_t second;
};

struct setting_key {
	uint32_t program;
	uint32_t text;
	uint32_t file;
	uint32_t line;
	uint32_t function;
};

struct setting {
	struct setting_key key;
	struct place_key place;
	uint32_t executable;
	uint64_t records;
	bool shown;
};

/* What the report does not keep of a place, but its making needs. */
struct place_facts {
	struct place_key key;
	uint32_t program;
	uint32_t executable;
	enum report_version supports;
	struct advice_servers clear;
	struct advice_servers limiting;
};

/* Rows of one size, as many as a numbering has keys; new ones are zero. */
struct rows {
	struct numbering numbering;
	char *row;
	size_t row_size;
	size_t capacity;
};

struct builder {
	const struct aggregate *aggregate;
	const struct rollup_options *options;
	struct report *report;
};

/* The report and what its slices need; a report is always the first member of one. */
struct owned_report {
	struct report report;
	struct arena texts;
};

static struct arena *texts_of(struct report *report)
{
	return &((struct owned_report *)(void *)report)->texts;
}

static void *row_of(struct rows *rows, const void *key)
{
	size_t before = rows->numbering.count;
	size_t number = numbering_of(&rows->numbering, key);

	if (rows->numbering.count > rows->capacity) {
		rows->capacity = rows->capacity ? rows->capacity * 2 : 16;
		rows->row = table_resize(rows->row, rows->capacity * rows->row_size);
	}
	if (rows->numbering.count > before)
		memset(rows->row + number * rows->row_size, 0, rows->row_size);
	return rows->row + number * rows->row_size;
}

/* Frees the numbering and hands over the rows. */
static void *rows_release(struct rows *rows, size_t *count)
{
	void *row = rows->row;

	*count = rows->numbering.count;
	numbering_free(&rows->numbering);
	rows->row = NULL;
	return row;
}

#define ROWS_OF(key_type, row_type) \
	((struct rows){.numbering = {.key_size = sizeof(key_type)}, .row_size = sizeof(row_type)})

static void sort(void *rows, size_t count, size_t size, int (*compare)(const void *, const void *))
{
	if (count > 1)
		qsort(rows, count, size, compare);
}

/* The most rows that are selected one by one. */
#define SELECTED_MAX 1000

static void swap(char *a, char *b, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		char byte = a[i];

		a[i] = b[i];
		b[i] = byte;
	}
}

/*
 * Sorts what will be looked at: all rows, or with `top` only that many, which then are
 * the first in their order, and the others behind them in any.
 */
static void sort_top(void *rows, size_t count, size_t size, size_t top,
		     int (*compare)(const void *, const void *))
{
	char *row = rows;

	/* Each row that comes is moved past some of the top: with many of them, sorting is less. */
	if (top == 0 || top >= count || top > SELECTED_MAX) {
		sort(rows, count, size, compare);
		return;
	}
	sort(rows, top, size, compare);
	for (size_t i = top; i < count; i++) {
		/* Nearly all rows stop here. */
		if (compare(row + i * size, row + (top - 1) * size) >= 0)
			continue;
		swap(row + i * size, row + (top - 1) * size, size);
		for (size_t k = top - 1; k > 0; k--) {
			if (compare(row + k * size, row + (k - 1) * size) >= 0)
				break;
			swap(row + k * size, row + (k - 1) * size, size);
		}
	}
}

static size_t cell_count(const struct builder *builder)
{
	return builder->aggregate->cells.count;
}

static const struct cell *cell_at(const struct builder *builder, size_t number)
{
	return cell_of(&builder->aggregate->cells, number);
}

static struct slice text_of(const struct builder *builder, uint32_t number)
{
	return interned_text(&builder->aggregate->texts, number);
}

static void tally_cell(struct report_tally *tally, const struct cell *cell)
{
	if (tally->connections == 0 || cell->first < tally->first)
		tally->first = cell->first;
	if (tally->connections == 0 || cell->last > tally->last)
		tally->last = cell->last;
	tally->connections += cell->records;
	tally->version[cell->key.version] += cell->records;
	tally->verdict[cell->key.verdict] += cell->records;
}

static int compare_counts(uint64_t a, uint64_t b)
{
	return (a < b) - (a > b);
}

/* Worst verdict first, then the most of it, then the most connections. */
static int compare_tallies(const struct report_tally *a, const struct report_tally *b)
{
	enum report_verdict worst_a = report_worst(a);
	enum report_verdict worst_b = report_worst(b);

	if (worst_a != worst_b)
		return worst_a < worst_b ? 1 : -1;
	if (a->verdict[worst_a] != b->verdict[worst_b])
		return compare_counts(a->verdict[worst_a], b->verdict[worst_b]);
	return compare_counts(a->connections, b->connections);
}

static bool is_connection(const struct cell *cell)
{
	return action_is_connection(cell->key.action);
}

/* True if something has to be changed because of it. */
static bool needs_change(const struct cell *cell)
{
	enum report_verdict verdict = cell->key.verdict;

	return is_connection(cell) && verdict >= VERDICT_AT_RISK;
}

/* ---- totals ---- */

static void count_records(struct report_records *records, const struct cell *cell)
{
	records->all += cell->records;
	records->lost += cell->lost;
	switch ((enum entry_action)cell->key.action) {
	case ACTION_HANDSHAKE:
		records->handshakes += cell->records;
		break;
	case ACTION_PLAINTEXT_MAIL:
		records->plaintext_mails += cell->records;
		break;
	case ACTION_SESSION:
		records->clear_sessions += cell->records;
		break;
	case ACTION_SETTING:
		records->settings += cell->records;
		break;
	case ACTION_BLIND_SPOT:
		records->blind_spots += cell->records;
		break;
	case ACTION_LOST:
		records->lost_notices += cell->records;
		break;
	case ACTION_CONFIGURATION_ERROR:
		records->configuration_errors += cell->records;
		break;
	case ACTION_OTHER:
		records->other += cell->records;
		break;
	}
}

static void add_totals(struct report *report, const struct cell *cell)
{
	if (report->records.all == 0 || cell->first < report->first)
		report->first = cell->first;
	if (report->records.all == 0 || cell->last > report->last)
		report->last = cell->last;
	count_records(&report->records, cell);
	if (!is_connection(cell))
		return;
	tally_cell(&report->total, cell);
	report->limited_by[cell->key.limited_by] += cell->records;
	report->certificate[cell->key.certificate] += cell->records;
	report->floor[cell->key.floor] += cell->records;
	if (cell->key.conflict)
		report->conflicts += cell->records;
}

static void build_totals(struct builder *builder)
{
	for (size_t i = 0; i < cell_count(builder); i++)
		add_totals(builder->report, cell_at(builder, i));
	builder->report->records.filtered_out = builder->aggregate->filtered_out;
}

/* ---- the --by table ---- */

static void keep_key(const struct cell_key *cell, enum report_key by, struct group_key *key)
{
	switch (by) {
	case KEY_PROGRAM:
		key->program = cell->program;
		break;
	case KEY_DESTINATION:
		key->destination = cell->destination;
		break;
	case KEY_VERSION:
		key->version = cell->version;
		break;
	case KEY_VERDICT:
		key->verdict = cell->verdict;
		break;
	case KEY_PLACE:
		key->file = cell->file;
		key->line = cell->line;
		key->function = cell->function;
		break;
	case KEY_HOST:
		key->host = cell->host;
		break;
	case KEY_SERVICE:
		key->service = cell->service;
		break;
	case KEY_USER:
		key->user = cell->user;
		break;
	case KEY_HOUR:
		key->hour = cell->hour;
		break;
	case KEY_DAY:
		key->day = cell->hour / 24 - (cell->hour % 24 < 0);
		break;
	case REPORT_KEYS:
		break;
	}
}

/* A copy that lives as long as the report. */
static struct slice keep_text(struct builder *builder, const char *text, size_t length)
{
	char *copy = arena_allocate(texts_of(builder->report), length);

	memcpy(copy, text, length);
	return (struct slice){copy, length};
}

static struct slice time_text(struct builder *builder, int64_t microseconds,
			      enum timestamp_style style)
{
	char text[TIMESTAMP_TEXT_MAX] = "";
	size_t length = timestamp_print(text, microseconds, style);

	return keep_text(builder, text, length);
}

/* "file:line function", as far as it is known. */
static struct slice place_text(struct builder *builder, const struct group_key *key)
{
	struct slice file = text_of(builder, key->file);
	struct slice function = text_of(builder, key->function);
	char line[16];
	int line_length = key->line ? snprintf(line, sizeof(line), ":%u", key->line) : 0;
	size_t room = file.length + (size_t)line_length + 1 + function.length;
	char *text = arena_allocate(texts_of(builder->report), room);
	size_t used = file.length;

	memcpy(text, file.start, file.length);
	memcpy(text + used, line, (size_t)line_length);
	used += (size_t)line_length;
	if (function.length > 0) {
		if (used > 0)
			text[used++] = ' ';
		memcpy(text + used, function.start, function.length);
		used += function.length;
	}
	return (struct slice){text, used};
}

static struct slice key_text(struct builder *builder, const struct group_key *key,
			     enum report_key by)
{
	switch (by) {
	case KEY_PROGRAM:
		return text_of(builder, key->program);
	case KEY_DESTINATION:
		return text_of(builder, key->destination);
	case KEY_VERSION:
		return slice_of(report_version_name(key->version));
	case KEY_VERDICT:
		return slice_of(report_verdict_name(key->verdict));
	case KEY_PLACE:
		return place_text(builder, key);
	case KEY_HOST:
		return text_of(builder, key->host);
	case KEY_SERVICE:
		return text_of(builder, key->service);
	case KEY_USER:
		return text_of(builder, key->user);
	case KEY_HOUR:
		return time_text(builder, key->hour * MICROSECONDS_PER_HOUR, TIMESTAMP_HOUR);
	case KEY_DAY:
		return time_text(builder, key->day * MICROSECONDS_PER_DAY, TIMESTAMP_DAY);
	default:
		return (struct slice){"", 0};
	}
}

static void give_keys(struct builder *builder, struct report_group *group,
		      const struct group_key *key)
{
	const struct rollup_options *options = builder->options;
	struct slice *text =
		arena_allocate(texts_of(builder->report), options->by_count * sizeof(*text));

	for (size_t i = 0; i < options->by_count; i++)
		text[i] = key_text(builder, key, options->by[i]);
	group->key = text;
	group->key_count = options->by_count;
}

static int compare_groups(const void *a, const void *b)
{
	const struct report_group *first = a;
	const struct report_group *second = b;
	int order = compare_tallies(&first->tally, &second->tally);

	for (size_t i = 0; order == 0 && i < first->key_count; i++)
		order = slice_compare(first->key[i], second->key[i]);
	return order;
}

static void build_groups(struct builder *builder)
{
	const struct rollup_options *options = builder->options;
	struct report *report = builder->report;
	struct rows rows = ROWS_OF(struct group_key, struct report_group);

	for (size_t i = 0; i < cell_count(builder); i++) {
		const struct cell *cell = cell_at(builder, i);
		struct group_key key = {0};
		struct report_group *group = NULL;

		if (!is_connection(cell))
			continue;
		for (size_t k = 0; k < options->by_count; k++)
			keep_key(&cell->key, options->by[k], &key);
		group = row_of(&rows, &key);
		if (group->tally.connections == 0)
			give_keys(builder, group, &key);
		tally_cell(&group->tally, cell);
	}
	report->groups = rows_release(&rows, &report->group_count);
	sort_top(report->groups, report->group_count, sizeof(report->groups[0]), options->top,
		 compare_groups);
}

/* ---- names and pairs ---- */

static int compare_names(const void *a, const void *b)
{
	const struct report_name *first = a;
	const struct report_name *second = b;
	int order = compare_tallies(&first->tally, &second->tally);

	return order ? order : slice_compare(first->name, second->name);
}

/* Adds the cell to the row of a name, and returns the row's number. */
static uint32_t name_row(struct builder *builder, struct rows *rows, uint32_t number,
			 const struct cell *cell)
{
	struct report_name *name = row_of(rows, &number);

	name->name = text_of(builder, number);
	tally_cell(&name->tally, cell);
	name->limited_by[cell->key.limited_by] += cell->records;
	name->certificate[cell->key.certificate] += cell->records;
	if (cell->key.server_supports > name->server_supports)
		name->server_supports = cell->key.server_supports;
	return (uint32_t)(name - (struct report_name *)(void *)rows->row);
}

/* Sorts names and gives where each went: place[old] = new. Free it with free. */
static uint32_t *sort_names(struct report_name *names, size_t count)
{
	uint32_t *place = table_allocate(count * sizeof(*place));

	/* `partners` is still unused: it carries the old index through the sort. */
	for (size_t i = 0; i < count; i++)
		names[i].partners = i;
	sort(names, count, sizeof(names[0]), compare_names);
	for (size_t i = 0; i < count; i++) {
		place[names[i].partners] = (uint32_t)i;
		names[i].partners = 0;
	}
	return place;
}

static int compare_pairs(const void *a, const void *b)
{
	const struct report_pair *first = a;
	const struct report_pair *second = b;

	if (first->program != second->program)
		return first->program < second->program ? -1 : 1;
	return (first->destination > second->destination) -
	       (first->destination < second->destination);
}

/* Each pair of numbers that `pairs` has, counted on both sides under the numbers' new places. */
static void count_partners(struct report *report, const struct numbering *pairs,
			   const uint32_t *program_place, const uint32_t *destination_place)
{
	const struct pair_key *pair = (const void *)pairs->key;

	for (size_t i = 0; i < pairs->count; i++) {
		report->programs[program_place[pair[i].first]].partners++;
		report->destinations[destination_place[pair[i].second]].partners++;
	}
}

/* The tallies of the pairs, in the order of programs and then destinations. */
static void build_pairs(struct builder *builder, struct numbering *pairs,
			const struct pair_key *number, const uint32_t *program_place,
			const uint32_t *destination_place)
{
	struct report *report = builder->report;
	size_t connection = 0;

	report->pair_count = pairs->count;
	report->pairs = calloc(pairs->count ? pairs->count : 1, sizeof(report->pairs[0]));
	if (!report->pairs)
		table_out_of_memory();
	for (size_t i = 0; i < cell_count(builder); i++) {
		const struct cell *cell = cell_at(builder, i);
		struct report_pair *pair = NULL;

		if (!is_connection(cell))
			continue;
		pair = &report->pairs[numbering_of(pairs, &number[connection])];
		pair->program = program_place[number[connection].first];
		pair->destination = destination_place[number[connection].second];
		tally_cell(&pair->tally, cell);
		connection++;
	}
	sort(report->pairs, report->pair_count, sizeof(report->pairs[0]), compare_pairs);
}

static void build_names(struct builder *builder)
{
	struct report *report = builder->report;
	struct rows programs = ROWS_OF(uint32_t, struct report_name);
	struct rows destinations = ROWS_OF(uint32_t, struct report_name);
	struct numbering pairs = {.key_size = sizeof(struct pair_key)};
	/* The row numbers of each connection's program and destination. */
	struct pair_key *number = table_allocate(cell_count(builder) * sizeof(*number));
	size_t connections = 0;
	uint32_t *program_place = NULL;
	uint32_t *destination_place = NULL;

	for (size_t i = 0; i < cell_count(builder); i++) {
		const struct cell *cell = cell_at(builder, i);
		struct pair_key key = {0};

		if (!is_connection(cell))
			continue;
		key.first = name_row(builder, &programs, cell->key.program, cell);
		key.second = name_row(builder, &destinations, cell->key.destination, cell);
		(void)numbering_of(&pairs, &key);
		number[connections++] = key;
	}
	report->programs = rows_release(&programs, &report->program_count);
	report->destinations = rows_release(&destinations, &report->destination_count);
	program_place = sort_names(report->programs, report->program_count);
	destination_place = sort_names(report->destinations, report->destination_count);
	count_partners(report, &pairs, program_place, destination_place);
	if (builder->options->wants & WANT_PAIRS)
		build_pairs(builder, &pairs, number, program_place, destination_place);
	numbering_free(&pairs);
	free(number);
	free(program_place);
	free(destination_place);
}

static void build_hosts_and_services(struct builder *builder)
{
	struct report *report = builder->report;
	struct rows hosts = ROWS_OF(uint32_t, struct report_name);
	struct rows services = ROWS_OF(uint32_t, struct report_name);

	for (size_t i = 0; i < cell_count(builder); i++) {
		const struct cell *cell = cell_at(builder, i);
		if (!is_connection(cell))
			continue;
		if (cell->key.host)
			name_row(builder, &hosts, cell->key.host, cell);
		if (cell->key.service)
			name_row(builder, &services, cell->key.service, cell);
	}
	report->hosts = rows_release(&hosts, &report->host_count);
	report->services = rows_release(&services, &report->service_count);
	sort(report->hosts, report->host_count, sizeof(report->hosts[0]), compare_names);
	sort(report->services, report->service_count, sizeof(report->services[0]), compare_names);
}

/* ---- findings ---- */

static int compare_findings(const void *a, const void *b)
{
	const struct report_finding *first = a;
	const struct report_finding *second = b;
	int order = compare_counts(first->records, second->records);

	if (order == 0)
		order = slice_compare(first->program, second->program);
	if (order == 0)
		order = slice_compare(first->destination, second->destination);
	return order ? order : slice_compare(first->text, second->text);
}

/* How one list of findings is made of cells. */
struct finding_rule {
	bool (*wanted)(const struct cell *cell);
	bool with_destination;
	bool certificate; /* the text is the state of the certificate, not the reason */
	bool lost;        /* counts what was lost */
	struct report_findings *(*list)(struct report *report);
};

static bool is_plaintext(const struct cell *cell)
{
	return is_connection(cell) && cell->key.version == VERSION_CLEAR &&
	       cell->key.action == ACTION_PLAINTEXT_MAIL;
}

static bool is_failure(const struct cell *cell)
{
	return is_connection(cell) &&
	       (cell->key.verdict == VERDICT_FAILED || cell->key.verdict == VERDICT_REFUSED);
}

static bool is_unverified(const struct cell *cell)
{
	return is_connection(cell) && cell->key.certificate > CERTIFICATE_VERIFIED;
}

static bool is_blind_spot(const struct cell *cell)
{
	return cell->key.action == ACTION_BLIND_SPOT;
}

static bool is_lost(const struct cell *cell)
{
	return cell->key.action == ACTION_LOST;
}

static bool is_configuration_error(const struct cell *cell)
{
	return cell->key.action == ACTION_CONFIGURATION_ERROR;
}

static struct report_findings *plaintext_list(struct report *report)
{
	return &report->plaintext;
}

static struct report_findings *failures_list(struct report *report)
{
	return &report->failures;
}

static struct report_findings *certificates_list(struct report *report)
{
	return &report->certificates;
}

static struct report_findings *blind_spots_list(struct report *report)
{
	return &report->blind_spots;
}

static struct report_findings *lost_list(struct report *report)
{
	return &report->lost;
}

static struct report_findings *configuration_errors_list(struct report *report)
{
	return &report->configuration_errors;
}

static const struct finding_rule finding_rules[] = {
	{is_plaintext, true, false, false, plaintext_list},
	{is_failure, true, false, false, failures_list},
	{is_unverified, true, true, false, certificates_list},
	{is_blind_spot, false, false, false, blind_spots_list},
	{is_lost, false, false, true, lost_list},
	{is_configuration_error, false, false, false, configuration_errors_list},
};

static void add_finding(struct builder *builder, const struct finding_rule *rule, struct rows *rows,
			const struct cell *cell)
{
	uint64_t records = rule->lost ? cell->lost : cell->records;
	struct finding_key key = {
		.program = cell->key.program,
		.destination = rule->with_destination ? cell->key.destination : 0,
		.text = rule->certificate ? cell->key.certificate : cell->key.reason,
	};
	struct report_finding *finding = row_of(rows, &key);

	if (finding->records == 0) {
		finding->program = text_of(builder, key.program);
		finding->destination = text_of(builder, key.destination);
		finding->text = rule->certificate ? slice_of(report_certificate_name(key.text))
						  : text_of(builder, key.text);
		finding->first = cell->first;
		finding->last = cell->last;
	}
	finding->records += records;
	if (cell->first < finding->first)
		finding->first = cell->first;
	if (cell->last > finding->last)
		finding->last = cell->last;
}

static void build_findings(struct builder *builder)
{
	for (size_t i = 0; i < sizeof(finding_rules) / sizeof(finding_rules[0]); i++) {
		const struct finding_rule *rule = &finding_rules[i];
		struct report_findings *list = rule->list(builder->report);
		struct rows rows = ROWS_OF(struct finding_key, struct report_finding);

		for (size_t k = 0; k < cell_count(builder); k++) {
			const struct cell *cell = cell_at(builder, k);

			if (rule->wanted(cell))
				add_finding(builder, rule, &rows, cell);
		}
		list->row = rows_release(&rows, &list->count);
		sort_top(list->row, list->count, sizeof(list->row[0]), builder->options->top_lists,
			 compare_findings);
		for (size_t row = 0; row < list->count; row++)
			list->records += list->row[row].records;
	}
}

/* ---- places ---- */

static struct place_key place_of(const struct cell_key *cell)
{
	if (!cell->file)
		return (struct place_key){.program = cell->program};
	return (struct place_key){cell->file, cell->line, cell->function, 0};
}

/* The tables of places while they are made. */
struct places {
	struct rows place;       /* place_key -> report_place */
	struct rows facts;       /* place_key -> place_facts */
	struct rows destination; /* (place, destination) -> count of connections */
	struct rows setting;     /* setting_key -> struct setting */
};

struct place_destination {
	struct pair_key key;
	uint64_t connections;
	uint64_t clear;    /* of them, plaintext */
	uint64_t limiting; /* of them, below the floor because of the server */
	struct slice name;
};

static void fill_place(struct builder *builder, struct report_place *place,
		       struct place_facts *facts, const struct place_key *key, uint32_t program,
		       uint32_t executable)
{
	struct slice name = text_of(builder, program);
	int order = facts->program ? slice_compare(name, place->program) : -1;

	/* Several programs may share a place; take the first by name, whatever came first. */
	if (order == 0)
		order = slice_compare(text_of(builder, executable),
				      text_of(builder, facts->executable));
	if (order >= 0)
		return;
	facts->key = *key;
	facts->program = program;
	facts->executable = executable;
	place->file = text_of(builder, key->file);
	place->line = key->line;
	place->function = text_of(builder, key->function);
	place->program = name;
}

static void add_to_place(struct builder *builder, struct places *places, const struct cell *cell)
{
	struct place_key key = place_of(&cell->key);
	struct report_place *place = row_of(&places->place, &key);
	struct place_facts *facts = row_of(&places->facts, &key);
	struct pair_key pair = {
		(uint32_t)(place - (struct report_place *)(void *)places->place.row),
		cell->key.destination};
	struct place_destination *destination = row_of(&places->destination, &pair);

	fill_place(builder, place, facts, &key, cell->key.program, cell->key.executable);
	tally_cell(&place->tally, cell);
	place->limited_by[cell->key.limited_by] += cell->records;
	if (cell->key.server_supports > facts->supports)
		facts->supports = cell->key.server_supports;
	destination->key = pair;
	destination->connections += cell->records;
	if (cell->key.version == VERSION_CLEAR)
		destination->clear += cell->records;
	else if (cell->key.verdict >= VERDICT_REFUSED && cell->key.limited_by == LIMIT_SERVER)
		destination->limiting += cell->records;
	destination->name = text_of(builder, cell->key.destination);
}

static void add_setting(struct builder *builder, struct places *places, const struct cell *cell)
{
	struct setting_key key = {cell->key.program, cell->key.setting, cell->key.file,
				  cell->key.line, cell->key.function};
	struct setting *setting = row_of(&places->setting, &key);

	setting->key = key;
	setting->place = place_of(&cell->key);
	if (setting->records == 0 || slice_compare(text_of(builder, cell->key.executable),
						   text_of(builder, setting->executable)) < 0)
		setting->executable = cell->key.executable;
	setting->records += cell->records;
}

/* By place, then the most connections first, then by name. */
static int compare_place_destinations(const void *a, const void *b)
{
	const struct place_destination *first = a;
	const struct place_destination *second = b;

	if (first->key.first != second->key.first)
		return first->key.first < second->key.first ? -1 : 1;
	if (first->connections != second->connections)
		return compare_counts(first->connections, second->connections);
	return slice_compare(first->name, second->name);
}

static void add_server(struct advice_servers *servers, uint64_t connections, struct slice name)
{
	if (connections == 0)
		return;
	if (servers->count == 0)
		servers->first = name;
	servers->count++;
}

static void give_destinations(struct report *report, struct places *places,
			      struct report_place *place, struct place_facts *facts)
{
	size_t count = 0;
	struct place_destination *row = rows_release(&places->destination, &count);
	struct slice *name = NULL;

	/* Sorted by place, so that each has its part of one array of names. */
	sort(row, count, sizeof(*row), compare_place_destinations);
	name = arena_allocate(texts_of(report), count * sizeof(*name));
	for (size_t i = 0; i < count; i++) {
		struct report_place *owner = &place[row[i].key.first];

		if (owner->destination_count == 0)
			owner->destinations = name + i;
		owner->destinations[owner->destination_count++] = row[i].name;
		add_server(&facts[row[i].key.first].clear, row[i].clear, row[i].name);
		add_server(&facts[row[i].key.first].limiting, row[i].limiting, row[i].name);
	}
	free(row);
}

static int compare_settings(const void *a, const void *b)
{
	const struct report_setting *first = a;
	const struct report_setting *second = b;
	int order = compare_counts(first->records, second->records);

	if (order == 0)
		order = slice_compare(first->text, second->text);
	if (order == 0)
		order = slice_compare(first->file, second->file);
	if (order == 0 && first->line != second->line)
		order = first->line < second->line ? -1 : 1;
	return order ? order : slice_compare(first->function, second->function);
}

static void append_setting(struct builder *builder, struct report_place *place,
			   const struct setting *setting)
{
	place->settings = table_resize(place->settings,
				       (place->setting_count + 1) * sizeof(place->settings[0]));
	place->settings[place->setting_count++] = (struct report_setting){
		.text = text_of(builder, setting->key.text),
		.file = text_of(builder, setting->key.file),
		.line = setting->key.line,
		.function = text_of(builder, setting->key.function),
		.records = setting->records,
	};
}

/* The settings of a program, so that each place need not search them all. */
struct program_settings {
	size_t count;
	size_t *setting; /* indexes */
};

static struct rows index_settings(const struct setting *settings, size_t count)
{
	struct rows rows = ROWS_OF(uint32_t, struct program_settings);

	for (size_t i = 0; i < count; i++) {
		struct program_settings *of = row_of(&rows, &settings[i].key.program);

		of->setting = table_resize(of->setting, (of->count + 1) * sizeof(of->setting[0]));
		of->setting[of->count++] = i;
	}
	return rows;
}

static void free_setting_index(struct rows *rows)
{
	size_t count = 0;
	struct program_settings *row = rows_release(rows, &count);

	for (size_t i = 0; i < count; i++)
		free(row[i].setting);
	free(row);
}

/*
 * A setting is seldom made where the connection is: a context is made in one
 * function and used in another. So a place shows what its program set anywhere,
 * unless only servers are to blame for it.
 */
static void give_settings(struct builder *builder, struct report_place *places,
			  const struct place_facts *facts, size_t place_count,
			  struct setting *settings, size_t setting_count)
{
	struct rows index = {0};

	if (!places || !settings)
		return;
	index = index_settings(settings, setting_count);
	for (size_t i = 0; i < place_count; i++) {
		const struct program_settings *of = row_of(&index, &facts[i].program);

		if (places[i].tally.connections > 0 &&
		    places[i].limited_by[LIMIT_SERVER] == places[i].tally.connections)
			continue;
		for (size_t k = 0; k < of->count; k++) {
			append_setting(builder, &places[i], &settings[of->setting[k]]);
			settings[of->setting[k]].shown = true;
		}
		sort(places[i].settings, places[i].setting_count, sizeof(places[i].settings[0]),
		     compare_settings);
	}
	free_setting_index(&index);
}

/* Settings that no connection was made with yet are places of their own. */
static void add_unused_settings(struct builder *builder, struct places *places,
				const struct setting *settings, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct report_place *place = NULL;
		struct place_facts *facts = NULL;

		if (settings[i].shown)
			continue;
		place = row_of(&places->place, &settings[i].place);
		facts = row_of(&places->facts, &settings[i].place);
		fill_place(builder, place, facts, &settings[i].place, settings[i].key.program,
			   settings[i].executable);
		append_setting(builder, place, &settings[i]);
	}
}

static int compare_places(const void *a, const void *b)
{
	const struct report_place *first = a;
	const struct report_place *second = b;
	int order = 0;

	/* A setting without connections comes last: it did no harm yet. */
	if ((first->tally.connections == 0) != (second->tally.connections == 0))
		return first->tally.connections == 0 ? 1 : -1;
	order = compare_tallies(&first->tally, &second->tally);
	if (order == 0)
		order = slice_compare(first->file, second->file);
	if (order == 0 && first->line != second->line)
		order = first->line < second->line ? -1 : 1;
	if (order == 0)
		order = slice_compare(first->function, second->function);
	return order ? order : slice_compare(first->program, second->program);
}

/* The floor to advise: the one asked about, else the highest that any program ran under. */
static enum report_version floor_to_reach(const struct report *report)
{
	enum report_version floor = REPORT_VERSIONS - 1;

	if (report->what_if)
		return report->what_if_floor;
	while (floor > VERSION_TLS_1_2 && report->floor[floor] == 0)
		floor--;
	return floor;
}

static void give_advice(struct builder *builder, struct report_place *place,
			const struct place_facts *facts)
{
	struct advice_facts for_advice = {
		.executable = text_of(builder, facts->executable),
		.floor = floor_to_reach(builder->report),
		.supports = facts->supports,
		.clear = facts->clear,
		.limiting = facts->limiting,
	};
	char *advice = NULL;

	place->language = advice_language(for_advice.executable,
					  place->file.length ? place->file : place->program);
	advice = advice_for(place, &for_advice);
	place->advice = keep_text(builder, advice, strlen(advice) + 1).start;
	free(advice);
}

/*
 * Sorts the places, and gives those that will be looked at their advice, by the facts
 * that lie in the old order.
 */
static void order_places(struct builder *builder, const struct place_facts *facts)
{
	struct report *report = builder->report;
	size_t top = builder->options->top_lists;

	/* Until a place has its advice, the pointer says which facts are its own. */
	for (size_t i = 0; i < report->place_count; i++)
		report->places[i].advice = (const char *)&facts[i];
	sort_top(report->places, report->place_count, sizeof(report->places[0]), top,
		 compare_places);
	for (size_t i = 0; i < report->place_count; i++) {
		const struct place_facts *own = (const void *)report->places[i].advice;

		report->places[i].advice = "";
		if (top == 0 || i < top)
			give_advice(builder, &report->places[i], own);
	}
}

static void collect_places(struct builder *builder, struct places *places)
{
	for (size_t i = 0; i < cell_count(builder); i++) {
		const struct cell *cell = cell_at(builder, i);
		if (needs_change(cell))
			add_to_place(builder, places, cell);
		else if (cell->key.action == ACTION_SETTING)
			add_setting(builder, places, cell);
	}
}

static void build_places(struct builder *builder)
{
	struct report *report = builder->report;
	struct places places = {
		.place = ROWS_OF(struct place_key, struct report_place),
		.facts = ROWS_OF(struct place_key, struct place_facts),
		.destination = ROWS_OF(struct pair_key, struct place_destination),
		.setting = ROWS_OF(struct setting_key, struct setting),
	};
	struct report_place *place = NULL;
	struct place_facts *facts = NULL;
	struct setting *settings = NULL;
	size_t setting_count = 0;

	collect_places(builder, &places);
	place = (void *)places.place.row;
	facts = (void *)places.facts.row;
	give_destinations(report, &places, place, facts);
	settings = rows_release(&places.setting, &setting_count);
	give_settings(builder, place, facts, places.place.numbering.count, settings, setting_count);
	if (!builder->options->connections_chosen)
		add_unused_settings(builder, &places, settings, setting_count);
	report->places = rows_release(&places.place, &report->place_count);
	facts = rows_release(&places.facts, &setting_count);
	order_places(builder, facts);
	free(settings);
	free(facts);
}

/* ---- periods ---- */

static int compare_periods(const void *a, const void *b)
{
	const struct report_period *first = a;
	const struct report_period *second = b;

	return (first->start > second->start) - (first->start < second->start);
}

static void build_days(struct report *report)
{
	report->days = table_allocate(report->hour_count * sizeof(report->days[0]));
	for (size_t i = 0; i < report->hour_count; i++) {
		int64_t start = report->hours[i].start;
		int64_t within = start % MICROSECONDS_PER_DAY;

		start -= within < 0 ? within + MICROSECONDS_PER_DAY : within;
		if (report->day_count == 0 || report->days[report->day_count - 1].start != start)
			report->days[report->day_count++] = (struct report_period){.start = start};
		report_tally_add(&report->days[report->day_count - 1].tally,
				 &report->hours[i].tally);
	}
}

static void build_periods(struct builder *builder)
{
	struct report *report = builder->report;
	const struct aggregate *aggregate = builder->aggregate;

	report->hours = table_allocate(aggregate->hour_numbers.count * sizeof(report->hours[0]));
	for (size_t i = 0; i < aggregate->hour_numbers.count; i++)
		report->hours[report->hour_count++] = (struct report_period){
			.start = aggregate->hours[i].number * MICROSECONDS_PER_HOUR,
			.tally = aggregate->hours[i].tally};
	sort(report->hours, report->hour_count, sizeof(report->hours[0]), compare_periods);
	build_days(report);
}

struct report *rollup(const struct aggregate *aggregate, const struct rollup_options *options)
{
	struct owned_report *owned = table_allocate(sizeof(*owned));
	struct builder builder = {
		.aggregate = aggregate, .options = options, .report = &owned->report};

	memset(owned, 0, sizeof(*owned));
	memcpy(owned->report.by, options->by, sizeof(options->by));
	owned->report.by_count = options->by_count;
	owned->report.what_if = aggregate->options->what_if;
	owned->report.what_if_floor = aggregate->options->floor;
	build_totals(&builder);
	if (options->wants & WANT_GROUPS)
		build_groups(&builder);
	if (options->wants & WANT_PLACES)
		build_places(&builder);
	if (options->wants & (WANT_NAMES | WANT_PAIRS))
		build_names(&builder);
	if (options->wants & (WANT_NAMES | WANT_PAIRS | WANT_HOSTS))
		build_hosts_and_services(&builder);
	if (options->wants & WANT_FINDINGS)
		build_findings(&builder);
	if (options->wants & WANT_PERIODS)
		build_periods(&builder);
	return &owned->report;
}

void report_free(struct report *report)
{
	if (!report)
		return;
	for (size_t i = 0; i < report->place_count; i++)
		free(report->places[i].settings);
	free(report->groups);
	free(report->places);
	free(report->programs);
	free(report->destinations);
	free(report->hosts);
	free(report->services);
	free(report->pairs);
	free(report->plaintext.row);
	free(report->failures.row);
	free(report->certificates.row);
	free(report->blind_spots.row);
	free(report->lost.row);
	free(report->configuration_errors.row);
	free(report->hours);
	free(report->days);
	free(report->inputs);
	arena_free(texts_of(report));
	free(report);
}
