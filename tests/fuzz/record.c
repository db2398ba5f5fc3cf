/*
 * libFuzzer target for record. The input's first bytes fill the numbers; the
 * rest is cut at its NULs into texts, for the members in turn and then for the
 * stack. Whatever they are, jansson has to read the line back.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shim/record/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static void demand(bool condition)
{
	if (!condition)
		abort();
}

/* What is left of the input, with a NUL behind it. */
struct supply {
	const char *text;
	size_t left;
};

/* The next text: NULL where an empty one stands at the end of the input. */
static const char *next_text(struct supply *supply)
{
	const char *text = supply->text;
	size_t length = strlen(text);

	if (supply->left == 0)
		return NULL;
	length += length < supply->left;
	supply->text += length;
	supply->left -= length;
	return text;
}

static uint8_t next_byte(struct supply *supply)
{
	if (supply->left == 0)
		return 0;
	supply->left--;
	return (uint8_t)*supply->text++;
}

static uint64_t next_number(struct supply *supply)
{
	unsigned shift = next_byte(supply) & 0x3F;
	uint64_t number = next_byte(supply);

	return (number << 8 | next_byte(supply)) << shift;
}

static void fill_stack(struct origin *stack, struct supply *supply)
{
	memset(stack, 0, sizeof(*stack));
	stack->count = next_byte(supply) % (ORIGIN_FRAMES_MAX + 1);
}

static void fill_frames(struct origin *stack, struct supply *supply)
{
	for (unsigned i = 0; i < stack->count; i++) {
		const char *file = next_text(supply);
		const char *function = next_text(supply);

		stack->frame[i].file = file ? file : "";
		stack->frame[i].function = function ? function : "";
		stack->frame[i].line = i * 0x01010101U;
	}
}

/* Numbers come first, so that the texts take the rest. */
static void fill_numbers(struct record *record, struct supply *supply)
{
	record->timestamp.tv_sec = (time_t)next_number(supply);
	record->timestamp.tv_nsec = (long)next_number(supply);
	record->established = next_byte(supply) & 3;
	record->resumed = next_byte(supply) & 3;
	record->witnesses = next_byte(supply);
	record->offered.count = next_byte(supply);
	for (unsigned i = 0; i < TLS_OFFERED_MAX; i++)
		record->offered.version[i] = (uint16_t)(0x0300 | (next_byte(supply) & 7));
	record->version = (uint16_t)(0x0300 | (next_byte(supply) & 7));
#define FIELD(key, kind, member) FILL_##kind(member)
#define FILL_NUMBER(member)      record->member = next_number(supply);
#define FILL_TIME(member)
#define FILL_TEXT(member)
#define FILL_BOOLEAN(member)
#define FILL_VERSION(member)
#define FILL_VERSIONS(member)
#define FILL_WITNESSES(member)
#define FILL_STACK(member)
/* One beyond the last value is none. */
#define FILL_ACTION(member)   record->member = next_byte(supply) % (RECORD_ACTION_END + 1);
#define FILL_OUTCOME(member)  record->member = next_byte(supply) % (RECORD_OUTCOME_END + 1);
#define FILL_PROTOCOL(member) record->member = next_byte(supply) % (RECORD_PROTOCOL_END + 1);
#define FILL_TLS_PROTOCOL(member) \
	record->member = next_byte(supply) % (RECORD_TLS_PROTOCOL_END + 1);
#define FILL_CERTIFICATE(member) record->member = next_byte(supply) % (RECORD_CERTIFICATE_END + 1);
#define FILL_VERDICT(member)     record->member = next_byte(supply) % (RECORD_VERDICT_END + 1);
#define FILL_MODE(member)        record->member = next_byte(supply) % (RECORD_MODE_END + 1);
#define FILL_TLS_MODE(member)    record->member = next_byte(supply) % (RECORD_TLS_MODE_END + 1);
#define FILL_LIMIT(member)       record->member = next_byte(supply) % (RECORD_LIMIT_END + 1);
#include "shim/record/record_fields.def"
#undef FILL_NUMBER
#undef FILL_TEXT
#undef FILL_ACTION
#undef FILL_OUTCOME
#undef FILL_PROTOCOL
#undef FILL_TLS_PROTOCOL
#undef FILL_CERTIFICATE
#undef FILL_VERDICT
#undef FILL_MODE
#undef FILL_TLS_MODE
#undef FILL_LIMIT
}

static void fill_texts(struct record *record, struct supply *supply)
{
#define FILL_NUMBER(member)
#define FILL_TEXT(member) record->member = next_text(supply);
#define FILL_ACTION(member)
#define FILL_OUTCOME(member)
#define FILL_PROTOCOL(member)
#define FILL_TLS_PROTOCOL(member)
#define FILL_CERTIFICATE(member)
#define FILL_VERDICT(member)
#define FILL_MODE(member)
#define FILL_TLS_MODE(member)
#define FILL_LIMIT(member)
#include "shim/record/record_fields.def"
#undef FIELD
}

static void demand_json(const char *line, size_t length)
{
	json_t *parsed = NULL;

	demand(length >= 3 && length <= RECORD_LINE_MAX);
	demand(line[length - 1] == '\n' && line[length - 2] == '}');
	demand(memchr(line, '\n', length) == line + length - 1);
	for (size_t i = 0; i < length - 1; i++)
		demand((uint8_t)line[i] >= 0x20 && line[i] != 0x7F);
	parsed = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
	demand(json_is_object(parsed));
	json_decref(parsed);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	/* Blocks of their own size: one byte beyond them is found. */
	char *texts = malloc(size + 1);
	char *line = malloc(RECORD_LINE_MAX);
	struct supply supply = {texts, size};
	struct record record;
	struct origin stack;

	demand(texts && line);
	memcpy(texts, input, size);
	texts[size] = '\0';
	memset(&record, 0, sizeof(record));
	fill_stack(&stack, &supply);
	fill_numbers(&record, &supply);
	fill_texts(&record, &supply);
	fill_frames(&stack, &supply);
	record.stack = &stack;
	demand_json(line, record_write(line, &record));
	free(line);
	free(texts);
	return 0;
}
