/*
 * Knows what the fields of a record mean; must not know files, threads or
 * formats.
 */
#include "tools/report/aggregate.h"

#include <stdlib.h>

#include "tools/base/table.h"
#include "tools/base/timestamp.h"

void aggregate_init(struct aggregate *aggregate, const struct aggregate_options *options)
{
	*aggregate = (struct aggregate){.options = options,
					.hour_numbers = {.key_size = sizeof(int64_t)}};
}

static void free_cells(struct cells *cells)
{
	size_t blocks = (cells->count + CELLS_PER_BLOCK - 1) / CELLS_PER_BLOCK;

	for (size_t i = 0; i < blocks; i++)
		free(cells->block[i]);
	free(cells->block);
	index_free(&cells->index);
	*cells = (struct cells){0};
}

void aggregate_free(struct aggregate *aggregate)
{
	free_cells(&aggregate->cells);
	numbering_free(&aggregate->hour_numbers);
	free(aggregate->hours);
	aggregate->hours = NULL;
	interner_free(&aggregate->texts);
	filter_cache_free(&aggregate->filtered);
}

enum entry_action record_action_from(struct slice name)
{
	static const struct {
		struct slice name;
		enum entry_action action;
	} actions[] = {
#define ACTION(name, text, meaning) {{text, sizeof(text) - 1}, ACTION_##name},
#include "shim/record/record_values.def"
	};

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (slice_equal(name, actions[i].name))
			return actions[i].action;
	}
	return ACTION_OTHER;
}

/* The version of a text such as "1.2"; VERSION_UNKNOWN for any other. */
static enum report_version version_of(struct slice name)
{
	if (name.length == 3 && name.start[0] == '1' && name.start[1] == '.' &&
	    name.start[2] >= '0' && name.start[2] <= '3')
		return VERSION_TLS_1_0 + (unsigned)(name.start[2] - '0');
	if (slice_equal(name, SLICE_LITERAL("3.0")))
		return VERSION_SSL_3_0;
	return VERSION_UNKNOWN;
}

enum report_version record_version(const struct entry *entry, enum entry_action action)
{
	if (action == ACTION_PLAINTEXT_MAIL || action == ACTION_SESSION)
		return VERSION_CLEAR;
	return version_of(entry_get(entry, ENTRY_version));
}

enum report_verdict record_verdict(const struct entry *entry)
{
	enum report_verdict verdict = report_verdict_from(entry_get(entry, ENTRY_verdict));

	return verdict == REPORT_VERDICTS ? VERDICT_OTHER : verdict;
}

/*
 * The least version that the client would have accepted: the first that it
 * offered, else the minimum that was configured; VERSION_UNKNOWN if neither is
 * known. Offers are in the record lowest first.
 */
static enum report_version least_accepted(const struct entry *entry)
{
	struct slice offered = entry_get(entry, ENTRY_offered);

	if (offered.length >= 5 && offered.start[0] == '"')
		return version_of((struct slice){offered.start + 1, 3});
	return version_of(entry_get(entry, ENTRY_configured_min));
}

/* True if the other end is this machine: 127.0.0.0/8, ::1, or no address at all. */
static bool is_loopback(struct slice address)
{
	return address.length == 0 || slice_equal(address, SLICE_LITERAL("::1")) ||
	       (address.length > 4 && memcmp(address.start, "127.", 4) == 0);
}

/* What would have become of a connection had `floor` been enforced. */
static enum report_verdict hypothetical(const struct entry *entry, enum report_version version,
					enum report_verdict verdict, enum report_version floor)
{
	enum report_version least = least_accepted(entry);

	if (verdict == VERDICT_PLAINTEXT)
		return is_loopback(entry_get(entry, ENTRY_destination_ip)) ? VERDICT_PLAINTEXT
									   : VERDICT_REFUSED;
	/* What came to nothing, or was refused already, stays as it is. */
	if ((verdict != VERDICT_OK && verdict != VERDICT_AT_RISK &&
	     verdict != VERDICT_BELOW_FLOOR) ||
	    version <= VERSION_UNKNOWN)
		return verdict;
	if (version < floor)
		return VERDICT_REFUSED;
	if (least == VERSION_UNKNOWN)
		return verdict == VERDICT_BELOW_FLOOR ? VERDICT_OK : verdict;
	return least < floor ? VERDICT_AT_RISK : VERDICT_OK;
}

/*
 * The time of a record. Records in a row are mostly of one hour, so only its
 * minutes, seconds and fraction are parsed anew: "2026-11-23T13" 05:07.123456Z.
 */
static bool time_of(struct aggregate *aggregate, const struct entry *entry, int64_t *time)
{
	enum { HOUR_LENGTH = 13, FULL_LENGTH = 27 };
	struct slice text = entry_get(entry, ENTRY_timestamp);
	const char *at = text.start;
	unsigned digit[10];
	unsigned wrong = 0;

	if (text.length != FULL_LENGTH || memcmp(at, aggregate->hour_text, HOUR_LENGTH) != 0 ||
	    at[13] != ':' || at[16] != ':' || at[19] != '.' || at[26] != 'Z')
		goto general;
	for (int i = 0; i < 4; i++)
		digit[i] = (unsigned)(unsigned char)at[14 + i + (i >= 2)] - '0';
	for (int i = 4; i < 10; i++)
		digit[i] = (unsigned)(unsigned char)at[16 + i] - '0';
	for (int i = 0; i < 10; i++)
		wrong |= digit[i] > 9;
	if (wrong || digit[0] > 5 || digit[2] > 5)
		goto general;
	*time = aggregate->hour_start +
		(int64_t)(((digit[0] * 10 + digit[1]) * 60 + digit[2] * 10 + digit[3])) *
			MICROSECONDS_PER_SECOND +
		(int64_t)(digit[4] * 100000 + digit[5] * 10000 + digit[6] * 1000 + digit[7] * 100 +
			  digit[8] * 10 + digit[9]);
	return true;

general:
	if (!timestamp_parse(text, time))
		return false;
	if (text.length == FULL_LENGTH && at[26] == 'Z') {
		memcpy(aggregate->hour_text, at, HOUR_LENGTH);
		aggregate->hour_start = *time - *time % MICROSECONDS_PER_HOUR;
		if (*time % MICROSECONDS_PER_HOUR < 0)
			aggregate->hour_start -= MICROSECONDS_PER_HOUR;
	}
	return true;
}

static int64_t floor_divide(int64_t dividend, int64_t divisor)
{
	return dividend / divisor - (dividend % divisor < 0);
}

static void count_in_tally(struct report_tally *tally, const struct cell_key *key, int64_t time)
{
	if (tally->connections == 0 || time < tally->first)
		tally->first = time;
	if (tally->connections == 0 || time > tally->last)
		tally->last = time;
	tally->connections++;
	tally->version[key->version]++;
	tally->verdict[key->verdict]++;
}

static struct hour *hour_at(struct aggregate *aggregate, int64_t number)
{
	size_t before = aggregate->hour_numbers.count;
	size_t at = aggregate->last_hour;

	if (at < before && aggregate->hours[at].number == number)
		return &aggregate->hours[at];
	at = numbering_of(&aggregate->hour_numbers, &number);
	if (aggregate->hour_numbers.count > aggregate->hour_capacity) {
		aggregate->hour_capacity =
			aggregate->hour_capacity ? aggregate->hour_capacity * 2 : 64;
		aggregate->hours = table_resize(
			aggregate->hours, aggregate->hour_capacity * sizeof(aggregate->hours[0]));
	}
	if (aggregate->hour_numbers.count > before)
		aggregate->hours[at] = (struct hour){.number = number};
	aggregate->last_hour = at;
	return &aggregate->hours[at];
}

static struct cell *add_cell(struct cells *cells, const struct cell_key *key)
{
	size_t number = cells->count++;
	struct cell *cell = NULL;

	if (number % CELLS_PER_BLOCK == 0) {
		size_t blocks = number / CELLS_PER_BLOCK + 1;

		cells->block = table_resize(cells->block, blocks * sizeof(struct cell *));
		cells->block[blocks - 1] = table_allocate(CELLS_PER_BLOCK * sizeof(struct cell));
	}
	cell = cell_of(cells, number);
	*cell = (struct cell){.key = *key, .first = INT64_MAX, .last = INT64_MIN};
	return cell;
}

static struct cell *cell_at(struct cells *cells, const struct cell_key *key)
{
	struct index *index = &cells->index;
	uint32_t hash = table_hash(key, sizeof(*key));
	size_t slot = 0;

	for (slot = index_slot(index, hash); index_is_taken(index, slot);
	     slot = index_next(index, slot)) {
		struct cell *cell = NULL;

		if (index_hash(index, slot) != hash)
			continue;
		cell = cell_of(cells, index_number(index, slot));
		if (memcmp(&cell->key, key, sizeof(*key)) == 0)
			return cell;
	}
	index_put(index, slot, hash, (uint32_t)cells->count);
	return add_cell(cells, key);
}

static uint32_t number_of(struct slice digits)
{
	uint64_t number = 0;

	for (size_t i = 0; i < digits.length; i++) {
		unsigned digit = (unsigned)(unsigned char)digits.start[i] - '0';

		if (digit > 9)
			return 0;
		number = number * 10 + digit;
		if (number > UINT32_MAX)
			return UINT32_MAX;
	}
	return (uint32_t)number;
}

/* As number_of, but a field that is there counts at least one: a loss is a loss. */
static uint64_t lost_of(const struct entry *entry)
{
	uint32_t number = number_of(entry_get(entry, ENTRY_lost));

	return number ? number : 1;
}

static uint32_t intern_field(struct aggregate *aggregate, const struct entry *entry,
			     enum entry_field field)
{
	return intern(&aggregate->texts, entry_get(entry, field));
}

static uint32_t intern_either(struct aggregate *aggregate, const struct entry *entry,
			      enum entry_field first, enum entry_field second)
{
	uint32_t number = intern_field(aggregate, entry, first);

	return number ? number : intern_field(aggregate, entry, second);
}

static void fill_texts(struct aggregate *aggregate, const struct entry *entry, struct cell_key *key)
{
	key->executable = intern_field(aggregate, entry, ENTRY_executable);
	key->program = intern_field(aggregate, entry, ENTRY_script);
	if (!key->program)
		key->program = key->executable;
	key->destination =
		intern_either(aggregate, entry, ENTRY_destination_domain, ENTRY_destination_ip);
	key->file = intern_field(aggregate, entry, ENTRY_code_file);
	key->function = intern_field(aggregate, entry, ENTRY_code_function);
	key->line = number_of(entry_get(entry, ENTRY_code_line));
	key->service = intern_field(aggregate, entry, ENTRY_service);
	key->host = intern_field(aggregate, entry, ENTRY_host);
	key->reason = intern_field(aggregate, entry, ENTRY_reason);
	key->setting = intern_field(aggregate, entry, ENTRY_setting);
	if (aggregate->options->by_user)
		key->user = intern_field(aggregate, entry, ENTRY_user);
}

static void fill_facts(const struct entry *entry, struct cell_key *key)
{
	enum report_limit limit = report_limit_from(entry_get(entry, ENTRY_limited_by));
	enum report_certificate certificate =
		report_certificate_from(entry_get(entry, ENTRY_peer_certificate));

	key->limited_by = (uint8_t)(limit == REPORT_LIMITS ? LIMIT_UNKNOWN : limit);
	key->certificate =
		(uint8_t)(certificate == REPORT_CERTIFICATES ? CERTIFICATE_UNKNOWN : certificate);
	key->server_supports =
		(uint8_t)(entry_has(entry, ENTRY_server_supports)
				  ? version_of(entry_get(entry, ENTRY_server_supports))
				  : VERSION_CLEAR);
	key->floor = (uint8_t)version_of(entry_get(entry, ENTRY_floor));
	key->conflict = entry_has(entry, ENTRY_conflict);
}

static int32_t hour_key(const struct aggregate_options *options, int64_t hour)
{
	if (options->by_hour)
		return (int32_t)hour;
	return options->by_day ? (int32_t)(floor_divide(hour, 24) * 24) : 0;
}

static void judge(const struct aggregate_options *options, const struct entry *entry,
		  struct cell_key *key)
{
	enum report_version version = record_version(entry, key->action);
	enum report_verdict verdict = record_verdict(entry);

	if (options->what_if)
		verdict = hypothetical(entry, version, verdict, options->floor);
	key->version = (uint8_t)version;
	key->verdict = (uint8_t)verdict;
}

enum aggregate_result aggregate_add(struct aggregate *aggregate, const struct entry *entry)
{
	struct cell_key key = {0};
	struct filter_subject subject = {0};
	struct cell *cell = NULL;
	int64_t hour = 0;

	if (!entry_has(entry, ENTRY_action))
		return AGGREGATE_NO_ACTION;
	if (!time_of(aggregate, entry, &subject.time))
		return AGGREGATE_NO_TIMESTAMP;
	key.action = (uint8_t)record_action_from(entry_get(entry, ENTRY_action));
	subject.connection = action_is_connection(key.action);
	if (subject.connection)
		judge(aggregate->options, entry, &key);
	subject.verdict = key.verdict;
	if (!filter_passes(aggregate->options->filter, &aggregate->filtered, &subject, entry)) {
		aggregate->filtered_out++;
		return AGGREGATE_FILTERED_OUT;
	}

	hour = floor_divide(subject.time, MICROSECONDS_PER_HOUR);
	fill_texts(aggregate, entry, &key);
	fill_facts(entry, &key);
	key.hour = hour_key(aggregate->options, hour);
	cell = cell_at(&aggregate->cells, &key);
	cell->records++;
	if (key.action == ACTION_LOST)
		cell->lost += lost_of(entry);
	if (subject.time < cell->first)
		cell->first = subject.time;
	if (subject.time > cell->last)
		cell->last = subject.time;
	if (subject.connection)
		count_in_tally(&hour_at(aggregate, hour)->tally, &key, subject.time);
	return AGGREGATE_COUNTED;
}

/* The numbers that the texts of `from` have in `into`. */
static uint32_t *translate(struct aggregate *into, const struct aggregate *from)
{
	size_t count = from->texts.count ? from->texts.count : 1;
	uint32_t *number = table_allocate(count * sizeof(*number));

	number[0] = 0;
	for (uint32_t i = 1; i < from->texts.count; i++)
		number[i] = intern(&into->texts, interned_text(&from->texts, i));
	return number;
}

static void merge_cell(struct aggregate *into, const struct cell *from, const uint32_t *number)
{
	struct cell_key key = from->key;
	struct cell *cell = NULL;

	key.program = number[key.program];
	key.executable = number[key.executable];
	key.destination = number[key.destination];
	key.file = number[key.file];
	key.function = number[key.function];
	key.service = number[key.service];
	key.host = number[key.host];
	key.user = number[key.user];
	key.reason = number[key.reason];
	key.setting = number[key.setting];
	cell = cell_at(&into->cells, &key);
	cell->records += from->records;
	cell->lost += from->lost;
	if (from->first < cell->first)
		cell->first = from->first;
	if (from->last > cell->last)
		cell->last = from->last;
}

static void merge_hour(struct aggregate *into, const struct hour *from)
{
	struct report_tally *tally = &hour_at(into, from->number)->tally;

	if (tally->connections == 0 || from->tally.first < tally->first)
		tally->first = from->tally.first;
	if (tally->connections == 0 || from->tally.last > tally->last)
		tally->last = from->tally.last;
	tally->connections += from->tally.connections;
	for (int i = 0; i < REPORT_VERSIONS; i++)
		tally->version[i] += from->tally.version[i];
	for (int i = 0; i < REPORT_VERDICTS; i++)
		tally->verdict[i] += from->tally.verdict[i];
}

void aggregate_absorb(struct aggregate *into, struct aggregate *from)
{
	uint32_t *number = translate(into, from);

	interner_free(&from->texts);
	for (size_t i = 0; i < from->cells.count; i++) {
		merge_cell(into, cell_of(&from->cells, i), number);
		if (i % CELLS_PER_BLOCK == CELLS_PER_BLOCK - 1) {
			free(from->cells.block[i / CELLS_PER_BLOCK]);
			from->cells.block[i / CELLS_PER_BLOCK] = NULL;
		}
	}
	for (size_t i = 0; i < from->hour_numbers.count; i++)
		merge_hour(into, &from->hours[i]);
	into->filtered_out += from->filtered_out;
	free(number);
	aggregate_free(from);
}
