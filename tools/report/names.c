/*
 * Programs, destinations, hosts and services, and who sends where.
 */
#include "tools/report/builder.h"

#include <stdlib.h>

struct pair_key {
	uint32_t first;
	uint32_t second;
};

static int compare_names(const void *a, const void *b)
{
	const struct report_name *first = a;
	const struct report_name *second = b;
	int order = compare_tallies(&first->tally, &second->tally);

	return order ? order : slice_compare(first->name, second->name);
}

/* Adds the cell to the row of a name, and returns the row's number. */
static uint32_t name_row(struct builder *builder, struct rows *rows, uint32_t number,
			 const struct cell *cell, uint32_t facts)
{
	struct report_name *name = row_of(rows, &number);
	enum entry_version supports = fact_get(facts, FACT_SUPPORTS);

	name->name = text_of(builder, number);
	tally_cell(&name->tally, cell, facts);
	name->limited_by[fact_get(facts, FACT_LIMIT)] += cell->records;
	name->certificate[fact_get(facts, FACT_CERTIFICATE)] += cell->records;
	if (supports > name->server_supports)
		name->server_supports = supports;
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
	const struct cells *cells = view_of(builder, VIEW_NAMES);
	struct report *report = builder->report;

	report->pair_count = pairs->count;
	report->pairs = calloc(pairs->count ? pairs->count : 1, sizeof(report->pairs[0]));
	if (!report->pairs)
		table_out_of_memory();
	for (size_t i = 0; i < cells->count; i++) {
		const struct cell *cell = cell_of(cells, i);
		struct report_pair *pair = &report->pairs[numbering_of(pairs, &number[i])];

		pair->program = program_place[number[i].first];
		pair->destination = destination_place[number[i].second];
		tally_cell(&pair->tally, cell, cell->key[NAMES_FACTS]);
	}
	sort(report->pairs, report->pair_count, sizeof(report->pairs[0]), compare_pairs);
}

void build_names(struct builder *builder)
{
	const struct cells *cells = view_of(builder, VIEW_NAMES);
	struct report *report = builder->report;
	struct rows programs = ROWS_OF(uint32_t, struct report_name);
	struct rows destinations = ROWS_OF(uint32_t, struct report_name);
	struct numbering pairs = {.key_size = sizeof(struct pair_key)};
	/* The row numbers of each cell's program and destination. */
	struct pair_key *number = table_allocate(cells->count * sizeof(*number));
	uint32_t *program_place = NULL;
	uint32_t *destination_place = NULL;

	for (size_t i = 0; i < cells->count; i++) {
		const struct cell *cell = cell_of(cells, i);
		uint32_t facts = cell->key[NAMES_FACTS];

		number[i].first =
			name_row(builder, &programs, cell->key[NAMES_PROGRAM], cell, facts);
		number[i].second =
			name_row(builder, &destinations, cell->key[NAMES_DESTINATION], cell, facts);
		(void)numbering_of(&pairs, &number[i]);
	}
	report->programs = rows_release(&programs, &report->program_count);
	report->destinations = rows_release(&destinations, &report->destination_count);
	program_place = sort_names(report->programs, report->program_count);
	destination_place = sort_names(report->destinations, report->destination_count);
	count_partners(report, &pairs, program_place, destination_place);
	if (builder->aggregate->options->wants & WANT_PAIRS)
		build_pairs(builder, &pairs, number, program_place, destination_place);
	numbering_free(&pairs);
	free(number);
	free(program_place);
	free(destination_place);
}

static struct report_name *build_list(struct builder *builder, enum view view, size_t *count)
{
	const struct cells *cells = view_of(builder, view);
	struct rows rows = ROWS_OF(uint32_t, struct report_name);
	struct report_name *names = NULL;

	for (size_t i = 0; i < cells->count; i++) {
		const struct cell *cell = cell_of(cells, i);

		name_row(builder, &rows, cell->key[NAME_NAME], cell, cell->key[NAME_FACTS]);
	}
	names = rows_release(&rows, count);
	sort(names, *count, sizeof(names[0]), compare_names);
	return names;
}

void build_hosts_and_services(struct builder *builder)
{
	struct report *report = builder->report;

	report->hosts = build_list(builder, VIEW_HOSTS, &report->host_count);
	report->services = build_list(builder, VIEW_SERVICES, &report->service_count);
}
