/*
 * libFuzzer target for the two parsers of a line: whatever the scanner accepts,
 * json_line must accept too, with the same fields and in each the same text; an
 * array is the same if it is the same JSON (escapes may be spelt in another way).
 * What the scanner refuses it must leave empty. The index without SIMD must
 * agree with the best one.
 *
 * The input is one line; its first byte chooses what shapes the scanner has seen
 * before (it guesses keys by them).
 *
 *   build/tlswitness-bench-log 200 | split -l 1 - CORPUS/ (any records will do)
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tools/log/json_line.h"
#include "tools/log/scanner.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static void demand(bool condition)
{
	if (!condition)
		abort();
}

static bool is_array(unsigned field)
{
	static const enum entry_kind kinds[ENTRY_FIELDS] = {
#define FIELD(key, kind, member) ENTRY_KIND_##kind,
#include "shim/record/record_fields.def"
#undef FIELD
	};

	return kinds[field] >= ENTRY_KIND_VERSIONS;
}

static json_t *parse_array(struct slice inner)
{
	char *text = malloc(inner.length + 2);
	json_t *array = NULL;

	demand(text != NULL);
	text[0] = '[';
	memcpy(text + 1, inner.start, inner.length);
	text[inner.length + 1] = ']';
	array = json_loadb(text, inner.length + 2, JSON_ALLOW_NUL, NULL);
	free(text);
	return array;
}

static bool same_array(struct slice a, struct slice b)
{
	json_t *first = parse_array(a);
	json_t *second = parse_array(b);
	bool same = first && second && json_equal(first, second);

	json_decref(first);
	json_decref(second);
	return same;
}

static void demand_same(const struct entry *scanned, const struct entry *parsed)
{
	demand(scanned->present == parsed->present);
	for (unsigned field = 0; field < ENTRY_FIELDS; field++) {
		struct slice a = entry_get(scanned, field);
		struct slice b = entry_get(parsed, field);

		demand(slice_equal(a, b) || (is_array(field) && same_array(a, b)));
	}
}

/* Every guess of a next key that is possible, right or wrong, must do no harm. */
static void teach(struct scanner *scanner, uint8_t seed)
{
	scanner_init(scanner);
	for (unsigned field = 0; field < ENTRY_FIELDS; field++)
		if (seed & 1)
			scanner->following[field] = (uint8_t)((field * 7U + seed) % ENTRY_FIELDS);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	static struct scanner scanner;
	static struct scanner portable;
	struct json_line json = {0};
	struct entry scanned;
	struct entry again;
	struct entry parsed;
	struct slice line = {NULL, 0};
	char *memory = NULL;
	bool accepted = false;

	if (size == 0)
		return 0;
	line.length = size - 1;
	memory = malloc(line.length + SCANNER_PADDING);
	demand(memory != NULL);
	memcpy(memory, input + 1, line.length);
	memset(memory + line.length, input[0], SCANNER_PADDING);
	line.start = memory;
	teach(&scanner, input[0]);
	teach(&portable, 0);
	portable.index = scanner_index_portable;

	accepted = scanner_read(&scanner, line, &scanned);
	demand(scanner_read(&portable, line, &again) == accepted);
	if (accepted) {
		demand(json_line_read(&json, line, &parsed) == JSON_LINE_OBJECT);
		demand_same(&scanned, &parsed);
		demand_same(&scanned, &again);
	} else {
		demand(scanned.present == 0);
		(void)json_line_read(&json, line, &parsed);
	}
	json_line_free(&json);
	free(memory);
	return 0;
}
