/*
 * Knows settings and their names; must not know places. Its tables grow with the lines
 * of code that make settings, not with the log: uthash.
 */
#include "tools/report/causes.h"

#include <stdlib.h>
#include <uthash.h>

/* A line of code that makes a setting may be reached by several programs: one cause each. */
struct named {
	uint32_t id;
	size_t first; /* into cause[]; the others follow by `next` */
	UT_hash_handle hh;
};

struct of_program {
	uint32_t program;
	size_t first;
	UT_hash_handle hh;
};

#define NONE SIZE_MAX

struct causes {
	const struct builder *builder;
	struct cause *cause;
	size_t *next; /* of the same name, or, without a name, of the same program */
	size_t count;
	struct named *named;
	struct of_program *unnamed;
	struct interner ids; /* names as they stand in lists -> numbers of their own */
};

static void add_named(struct causes *causes, size_t number)
{
	struct named *named = NULL;
	uint32_t id = intern(&causes->ids, text_of(causes->builder, causes->cause[number].id));

	HASH_FIND(hh, causes->named, &id, sizeof(id), named);
	if (!named) {
		named = table_allocate(sizeof(*named));
		*named = (struct named){.id = id, .first = NONE};
		HASH_ADD(hh, causes->named, id, sizeof(id), named);
	}
	causes->next[number] = named->first;
	named->first = number;
}

static void add_unnamed(struct causes *causes, size_t number)
{
	struct of_program *of = NULL;
	uint32_t program = causes->cause[number].program;

	HASH_FIND(hh, causes->unnamed, &program, sizeof(program), of);
	if (!of) {
		of = table_allocate(sizeof(*of));
		*of = (struct of_program){.program = program, .first = NONE};
		HASH_ADD(hh, causes->unnamed, program, sizeof(program), of);
	}
	causes->next[number] = of->first;
	of->first = number;
}

struct causes *causes_collect(const struct builder *builder)
{
	const struct cells *cells = view_of(builder, VIEW_SETTINGS);
	struct causes *causes = table_allocate(sizeof(*causes));

	*causes = (struct causes){.builder = builder, .count = cells->count};
	causes->cause = table_allocate(cells->count * sizeof(causes->cause[0]));
	causes->next = table_allocate(cells->count * sizeof(causes->next[0]));
	for (size_t i = 0; i < cells->count; i++) {
		const struct cell *cell = cell_of(cells, i);
		const uint32_t *word = cell->key;

		causes->cause[i] = (struct cause){
			.program = word[SETTINGS_PROGRAM],
			.executable = word[SETTINGS_EXECUTABLE],
			.file = word[SETTINGS_FILE],
			.line = word[SETTINGS_LINE],
			.function = word[SETTINGS_FUNCTION],
			.text = word[SETTINGS_TEXT],
			.id = word[SETTINGS_ID],
			.records = cell->records,
		};
		if (causes->cause[i].id)
			add_named(causes, i);
		else
			add_unnamed(causes, i);
	}
	return causes;
}

size_t causes_count(const struct causes *causes)
{
	return causes->count;
}

struct cause *causes_at(struct causes *causes, size_t number)
{
	return &causes->cause[number];
}

static bool has(struct slice text, const char *part)
{
	return text.length && memmem(text.start, text.length, part, strlen(part)) != NULL;
}

/* How likely a call is the one to blame; 0: it is not. */
static int rank(struct slice call, enum entry_limit limit)
{
	bool pins = has(call, "_method)");
	bool caps = has(call, "_max_proto_version") || has(call, "_set_options") ||
		    has(call, "MaxProtocol") || has(call, "-no_tls");
	bool lowers = has(call, "_min_proto_version") || has(call, "_clear_options") ||
		      has(call, "MinProtocol");

	if (pins)
		return 4;
	/* A cap does no harm to what the server limited. */
	if (caps)
		return limit == LIMIT_CLIENT ? 3 : 0;
	return lowers ? 2 : 1;
}

struct cause *causes_of(struct causes *causes, struct slice ids, enum entry_limit limit,
			void (*found)(void *context, struct cause *cause), void *context)
{
	struct cause *best = NULL;
	int best_rank = 0;

	while (ids.length > 0) {
		const char *blank = memchr(ids.start, ' ', ids.length);
		size_t length = blank ? (size_t)(blank - ids.start) : ids.length;
		uint32_t id = intern(&causes->ids, (struct slice){ids.start, length});
		struct named *named = NULL;

		ids = slice_from(ids, blank ? length + 1 : length);
		HASH_FIND(hh, causes->named, &id, sizeof(id), named);
		for (size_t i = named ? named->first : NONE; i != NONE; i = causes->next[i]) {
			struct cause *cause = &causes->cause[i];
			int its = rank(text_of(causes->builder, cause->text), limit);

			found(context, cause);
			if (its > best_rank) {
				best = cause;
				best_rank = its;
			}
		}
	}
	return best;
}

void causes_unnamed(struct causes *causes, uint32_t program,
		    void (*found)(void *context, struct cause *cause), void *context)
{
	struct of_program *of = NULL;

	HASH_FIND(hh, causes->unnamed, &program, sizeof(program), of);
	for (size_t i = of ? of->first : NONE; i != NONE; i = causes->next[i])
		found(context, &causes->cause[i]);
}

void causes_free(struct causes *causes)
{
	struct named *named = NULL;
	struct named *next_named = NULL;
	struct of_program *of = NULL;
	struct of_program *next_of = NULL;

	named = causes->named;
	HASH_CLEAR(hh, causes->named);
	for (; named; named = next_named) {
		next_named = named->hh.next;
		free(named);
	}
	of = causes->unnamed;
	HASH_CLEAR(hh, causes->unnamed);
	for (; of; of = next_of) {
		next_of = of->hh.next;
		free(of);
	}
	interner_free(&causes->ids);
	free(causes->cause);
	free(causes->next);
	free(causes);
}
