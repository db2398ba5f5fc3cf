/*
 * What to change: the places in the code, and the settings, behind what is not ok.
 */
#include "tools/report/builder.h"

#include <stdlib.h>

#include "tools/report/advice.h"

/* A place, or a program where no place is known. */
struct place_key {
	uint32_t file;
	uint32_t line;
	uint32_t function;
	uint32_t program;
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
	enum entry_version supports;
	struct advice_servers clear;
	struct advice_servers limiting;
};

static struct place_key place_key(uint32_t file, uint32_t line, uint32_t function, uint32_t program)
{
	if (!file)
		return (struct place_key){.program = program};
	return (struct place_key){file, line, function, 0};
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
	const uint32_t *word = cell->key;
	uint32_t facts = word[PLACES_FACTS];
	enum entry_limit limit = fact_get(facts, FACT_LIMIT);
	enum entry_version supports = fact_get(facts, FACT_SUPPORTS);
	struct place_key key = place_key(word[PLACES_FILE], word[PLACES_LINE],
					 word[PLACES_FUNCTION], word[PLACES_PROGRAM]);
	struct report_place *place = row_of(&places->place, &key);
	struct place_facts *known = row_of(&places->facts, &key);
	struct pair_key pair = {
		(uint32_t)(place - (struct report_place *)(void *)places->place.row),
		word[PLACES_DESTINATION]};
	struct place_destination *destination = row_of(&places->destination, &pair);

	fill_place(builder, place, known, &key, word[PLACES_PROGRAM], word[PLACES_EXECUTABLE]);
	tally_cell(&place->tally, cell, facts);
	place->limited_by[limit] += cell->records;
	if (supports > known->supports)
		known->supports = supports;
	destination->key = pair;
	destination->connections += cell->records;
	if (fact_get(facts, FACT_VERSION) == VERSION_CLEAR)
		destination->clear += cell->records;
	else if (fact_get(facts, FACT_VERDICT) >= VERDICT_REFUSED && limit == LIMIT_SERVER)
		destination->limiting += cell->records;
	destination->name = text_of(builder, word[PLACES_DESTINATION]);
}

static void add_setting(struct builder *builder, struct places *places, const struct cell *cell)
{
	const uint32_t *word = cell->key;
	struct setting_key key = {word[SETTINGS_PROGRAM], word[SETTINGS_TEXT], word[SETTINGS_FILE],
				  word[SETTINGS_LINE], word[SETTINGS_FUNCTION]};
	struct setting *setting = row_of(&places->setting, &key);
	uint32_t executable = word[SETTINGS_EXECUTABLE];

	setting->key = key;
	setting->place = place_key(key.file, key.line, key.function, key.program);
	if (setting->records == 0 ||
	    slice_compare(text_of(builder, executable), text_of(builder, setting->executable)) < 0)
		setting->executable = executable;
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

static void give_destinations(struct builder *builder, struct places *places,
			      struct report_place *place, struct place_facts *facts)
{
	size_t count = 0;
	struct place_destination *row = rows_release(&places->destination, &count);
	struct slice *name = NULL;

	/* Sorted by place, so that each has its part of one array of names. */
	sort(row, count, sizeof(*row), compare_place_destinations);
	name = arena_allocate(builder->texts, count * sizeof(*name));
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
	const struct cells *connections = view_of(builder, VIEW_PLACES);
	const struct cells *settings = view_of(builder, VIEW_SETTINGS);

	for (size_t i = 0; i < connections->count; i++)
		add_to_place(builder, places, cell_of(connections, i));
	for (size_t i = 0; i < settings->count; i++)
		add_setting(builder, places, cell_of(settings, i));
}

void build_places(struct builder *builder)
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
	give_destinations(builder, &places, place, facts);
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
