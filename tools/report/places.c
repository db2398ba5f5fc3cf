/*
 * What to change: the lines of code, and the settings, behind what is not ok.
 */
#include "tools/report/builder.h"

#include <stdlib.h>

#include "tools/report/advice.h"
#include "tools/report/causes.h"

/* A line of code, or a program where none is known. */
struct place_key {
	uint32_t file;
	uint32_t line;
	uint32_t function;
	uint32_t program;
};

/* What the report does not keep of a place, but its making needs. */
struct place_facts {
	uint32_t program;
	uint32_t executable;
	bool by_curl;
	enum entry_version supports;
	struct advice_servers clear;
	struct advice_servers limiting;
};

/* Something that a place has several of: a destination, a program, a line that connects. */
struct part_key {
	uint32_t place;
	uint32_t text; /* or the file, with the two below */
	uint32_t line;
	uint32_t function;
};

struct part {
	struct part_key key;
	uint64_t connections;
	uint64_t clear;    /* of a destination's: in the clear */
	uint64_t limiting; /* below the floor because of the server */
	struct slice name;
};

struct setting_key {
	uint32_t place;
	uint32_t cause;
};

struct place_setting {
	struct setting_key key;
	const struct cause *cause;
};

/* The tables of places while they are made. */
struct places {
	struct builder *builder;
	struct causes *causes;
	struct rows place;       /* place_key -> report_place */
	struct rows facts;       /* place_key -> place_facts */
	struct rows destination; /* part_key -> part */
	struct rows program;
	struct rows source;
	struct rows setting; /* setting_key -> place_setting */
};

static struct place_key place_key(uint32_t file, uint32_t line, uint32_t function, uint32_t program)
{
	if (!file)
		return (struct place_key){.program = program};
	return (struct place_key){file, line, function, 0};
}

static void fill_place(struct builder *builder, struct report_place *place,
		       struct place_facts *facts, const struct place_key *key, uint32_t program,
		       uint32_t executable)
{
	struct slice name = text_of(builder, program);
	int order = facts->program ? slice_compare(name, place->program) : -1;

	place->file = text_of(builder, key->file);
	place->line = key->line;
	place->function = text_of(builder, key->function);
	/* Several programs may share a place; take the first by name, whatever came first. */
	if (order == 0)
		order = slice_compare(text_of(builder, executable),
				      text_of(builder, facts->executable));
	if (order >= 0)
		return;
	facts->program = program;
	facts->executable = executable;
	place->program = name;
}

/* ---- settings ---- */

/* As many as a record can name. */
#define CAUSES_MAX 64

struct found_causes {
	struct cause *cause[CAUSES_MAX];
	size_t count;
};

static void remember_cause(void *context, struct cause *cause)
{
	struct found_causes *found = context;

	if (found->count < CAUSES_MAX)
		found->cause[found->count++] = cause;
}

static void give_setting(struct places *places, uint32_t place, struct cause *cause)
{
	struct setting_key key = {place, (uint32_t)(cause - causes_at(places->causes, 0))};
	struct place_setting *setting = row_of(&places->setting, &key);

	setting->key = key;
	setting->cause = cause;
	cause->shown = true;
}

/* ---- connections ---- */

static bool is_library(struct slice file)
{
	return file.length > 3 && memmem(file.start, file.length, ".so", 3);
}

/* What a server limited by itself, no setting of the program can change. */
static bool is_the_programs(uint32_t facts)
{
	return fact_get(facts, FACT_LIMIT) != LIMIT_SERVER ||
	       fact_get(facts, FACT_VERDICT) == VERDICT_AT_RISK;
}

static struct part *part_of(struct rows *rows, uint32_t place, uint32_t text, uint32_t line,
			    uint32_t function)
{
	struct part_key key = {place, text, line, function};
	struct part *part = row_of(rows, &key);

	part->key = key;
	return part;
}

static void add_destination(struct places *places, uint32_t place, const struct cell *cell,
			    uint32_t facts)
{
	uint32_t name = cell->key[PLACES_DESTINATION];
	struct part *part = part_of(&places->destination, place, name, 0, 0);

	part->name = text_of(places->builder, name);
	part->connections += cell->records;
	if (fact_get(facts, FACT_VERSION) == VERSION_CLEAR)
		part->clear += cell->records;
	else if (fact_get(facts, FACT_VERDICT) >= VERDICT_REFUSED &&
		 fact_get(facts, FACT_LIMIT) == LIMIT_SERVER)
		part->limiting += cell->records;
}

static void add_program(struct places *places, uint32_t place, const struct cell *cell)
{
	uint32_t name = cell->key[PLACES_PROGRAM];
	struct part *part = part_of(&places->program, place, name, 0, 0);

	part->name = text_of(places->builder, name);
	part->connections += cell->records;
}

/* Where the connection is made, which need not be where it was limited. */
static void add_source(struct places *places, uint32_t place, const struct cell *cell)
{
	const uint32_t *word = cell->key;
	struct part *part = part_of(&places->source, place, word[PLACES_FILE], word[PLACES_LINE],
				    word[PLACES_FUNCTION]);

	if (part->connections == 0)
		part->name = keep_place_text(
			places->builder, text_of(places->builder, word[PLACES_FILE]),
			word[PLACES_LINE], text_of(places->builder, word[PLACES_FUNCTION]));
	part->connections += cell->records;
}

static void add_connections(struct places *places, const struct cell *cell)
{
	struct builder *builder = places->builder;
	const uint32_t *word = cell->key;
	uint32_t facts = word[PLACES_FACTS];
	enum entry_limit limit = fact_get(facts, FACT_LIMIT);
	enum entry_version supports = fact_get(facts, FACT_SUPPORTS);
	struct place_key made = place_key(word[PLACES_FILE], word[PLACES_LINE],
					  word[PLACES_FUNCTION], word[PLACES_PROGRAM]);
	struct place_key key = made;
	struct found_causes found = {.count = 0};
	const struct cause *cause =
		is_the_programs(facts)
			? causes_of(places->causes, text_of(builder, word[PLACES_SETTINGS]), limit,
				    remember_cause, &found)
			: NULL;
	struct report_place *place = NULL;
	struct place_facts *known = NULL;
	uint32_t number = 0;

	/* A library is nobody's own line. */
	if (cause && cause->file && !is_library(text_of(builder, cause->file)))
		key = place_key(cause->file, cause->line, cause->function, 0);
	place = row_of(&places->place, &key);
	known = row_of(&places->facts, &key);
	number = (uint32_t)(place - (struct report_place *)(void *)places->place.row);
	fill_place(builder, place, known, &key, word[PLACES_PROGRAM], word[PLACES_EXECUTABLE]);
	tally_cell(&place->tally, cell, facts);
	place->limited_by[limit] += cell->records;
	if (supports > known->supports)
		known->supports = supports;
	known->by_curl |= word[PLACES_BY_CURL] != 0;
	add_destination(places, number, cell, facts);
	add_program(places, number, cell);
	if (memcmp(&key, &made, sizeof(key)) != 0)
		add_source(places, number, cell);
	for (size_t i = 0; i < found.count; i++)
		give_setting(places, number, found.cause[i]);
}

/* ---- lists of names ---- */

/* By place, then the most connections first, then by name. */
static int compare_parts(const void *a, const void *b)
{
	const struct part *first = a;
	const struct part *second = b;

	if (first->key.place != second->key.place)
		return first->key.place < second->key.place ? -1 : 1;
	if (first->connections != second->connections)
		return compare_counts(first->connections, second->connections);
	return slice_compare(first->name, second->name);
}

/* Sorted, so that each place has its part of one array of names, which lives with the report. */
static struct part *sort_parts(struct builder *builder, struct rows *rows, size_t *count,
			       struct slice **name)
{
	struct part *part = rows_release(rows, count);

	sort(part, *count, sizeof(*part), compare_parts);
	*name = arena_allocate(builder->texts, *count * sizeof(**name));
	for (size_t i = 0; i < *count; i++)
		(*name)[i] = part[i].name;
	return part;
}

static void give_names(struct slice **list, size_t *count, struct slice *name)
{
	if (*count == 0)
		*list = name;
	(*count)++;
}

static void add_server(struct advice_servers *servers, uint64_t connections, struct slice name)
{
	if (connections == 0)
		return;
	if (servers->count < ADVICE_SERVERS_NAMED)
		servers->name[servers->count] = name;
	servers->count++;
}

static void give_parts(struct places *places, struct report_place *place, struct place_facts *facts)
{
	struct slice *name = NULL;
	size_t count = 0;
	struct part *part = sort_parts(places->builder, &places->destination, &count, &name);

	for (size_t i = 0; i < count; i++) {
		uint32_t owner = part[i].key.place;

		give_names(&place[owner].destinations, &place[owner].destination_count, &name[i]);
		add_server(&facts[owner].clear, part[i].clear, part[i].name);
		add_server(&facts[owner].limiting, part[i].limiting, part[i].name);
	}
	free(part);
	part = sort_parts(places->builder, &places->program, &count, &name);
	for (size_t i = 0; i < count; i++)
		give_names(&place[part[i].key.place].programs,
			   &place[part[i].key.place].program_count, &name[i]);
	free(part);
	part = sort_parts(places->builder, &places->source, &count, &name);
	for (size_t i = 0; i < count; i++)
		give_names(&place[part[i].key.place].sources,
			   &place[part[i].key.place].source_count, &name[i]);
	free(part);
}

/* ---- the settings of each place ---- */

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

/* Two programs may make the same setting at the same line: it is shown once. */
static void append_setting(struct builder *builder, struct report_place *place,
			   const struct cause *cause)
{
	struct report_setting setting = {
		.text = text_of(builder, cause->text),
		.file = text_of(builder, cause->file),
		.line = cause->line,
		.function = text_of(builder, cause->function),
		.records = cause->records,
	};

	for (size_t i = 0; i < place->setting_count; i++) {
		struct report_setting *known = &place->settings[i];

		if (known->line == setting.line && slice_equal(known->text, setting.text) &&
		    slice_equal(known->file, setting.file) &&
		    slice_equal(known->function, setting.function)) {
			known->records += setting.records;
			return;
		}
	}
	place->settings = table_resize(place->settings,
				       (place->setting_count + 1) * sizeof(place->settings[0]));
	place->settings[place->setting_count++] = setting;
}

/* Where no record says which settings belong to a connection: those of its program. */
static void guess_settings(struct places *places, const struct report_place *place,
			   const struct place_facts *facts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct found_causes found = {.count = 0};

		if (place[i].limited_by[LIMIT_SERVER] == place[i].tally.connections)
			continue;
		causes_unnamed(places->causes, facts[i].program, remember_cause, &found);
		for (size_t k = 0; k < found.count; k++)
			give_setting(places, (uint32_t)i, found.cause[k]);
	}
}

/* Settings that limited no connection yet are places of their own. */
static void add_unused_settings(struct places *places)
{
	for (size_t i = 0; i < causes_count(places->causes); i++) {
		struct cause *cause = causes_at(places->causes, i);
		struct place_key key =
			place_key(cause->file, cause->line, cause->function, cause->program);
		struct report_place *place = NULL;

		if (cause->shown)
			continue;
		place = row_of(&places->place, &key);
		fill_place(places->builder, place, row_of(&places->facts, &key), &key,
			   cause->program, cause->executable);
		give_setting(places,
			     (uint32_t)(place - (struct report_place *)(void *)places->place.row),
			     cause);
	}
}

static void give_settings(struct places *places, struct report_place *place, size_t place_count)
{
	size_t count = 0;
	struct place_setting *setting = rows_release(&places->setting, &count);

	for (size_t i = 0; i < count; i++)
		append_setting(places->builder, &place[setting[i].key.place], setting[i].cause);
	for (size_t i = 0; i < place_count; i++)
		sort(place[i].settings, place[i].setting_count, sizeof(place[i].settings[0]),
		     compare_settings);
	free(setting);
}

/* ---- order and advice ---- */

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
static enum entry_version floor_to_reach(const struct report *report)
{
	enum entry_version floor = ENTRY_VERSIONS - 1;

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

	place->language =
		advice_language(for_advice.executable,
				place->file.length ? place->file : place->program, facts->by_curl);
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

void build_places(struct builder *builder)
{
	const struct cells *connections = view_of(builder, VIEW_PLACES);
	struct report *report = builder->report;
	struct places places = {
		.builder = builder,
		.causes = causes_collect(builder),
		.place = ROWS_OF(struct place_key, struct report_place),
		.facts = ROWS_OF(struct place_key, struct place_facts),
		.destination = ROWS_OF(struct part_key, struct part),
		.program = ROWS_OF(struct part_key, struct part),
		.source = ROWS_OF(struct part_key, struct part),
		.setting = ROWS_OF(struct setting_key, struct place_setting),
	};
	struct place_facts *facts = NULL;

	for (size_t i = 0; i < connections->count; i++)
		add_connections(&places, cell_of(connections, i));
	guess_settings(&places, (void *)places.place.row, (void *)places.facts.row,
		       places.place.numbering.count);
	if (!builder->options->connections_chosen)
		add_unused_settings(&places);
	report->places = rows_release(&places.place, &report->place_count);
	facts = rows_release(&places.facts, &report->place_count);
	give_parts(&places, report->places, facts);
	give_settings(&places, report->places, report->place_count);
	order_places(builder, facts);
	causes_free(places.causes);
	free(facts);
}
