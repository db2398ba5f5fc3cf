/*
 * Knows what the fields of a record mean and which view wants them; must not know
 * files, threads or formats.
 */
#include "tools/report/aggregate.h"

#include <stdlib.h>

#include "tools/base/table.h"
#include "tools/base/place_text.h"
#include "tools/base/timestamp.h"
#include "tools/log/engine.h"
#include "tools/report/domain.h"
#include "tools/report/keys.h"
#include "tools/report/what_if.h"

/* The words of a view's key that are texts: they get other numbers when aggregates are merged. */
struct view_kind {
	size_t words;
	uint64_t texts;
};

#define TEXT_AT(word) (UINT64_C(1) << (word))

/* VIEW_GROUPS depends on what is grouped by. */
static const struct view_kind view_kinds[VIEWS] = {
	[VIEW_TOTALS] = {TOTALS_WORDS, 0},
	[VIEW_NAMES] = {NAMES_WORDS, TEXT_AT(NAMES_PROGRAM) | TEXT_AT(NAMES_DESTINATION)},
	[VIEW_HOSTS] = {NAME_WORDS, TEXT_AT(NAME_NAME)},
	[VIEW_SERVICES] = {NAME_WORDS, TEXT_AT(NAME_NAME)},
	[VIEW_FINDINGS] = {FINDINGS_WORDS,
			   TEXT_AT(FINDINGS_PROGRAM) | TEXT_AT(FINDINGS_DESTINATION) |
				   TEXT_AT(FINDINGS_REASON) | TEXT_AT(FINDINGS_EXCEPTION)},
	[VIEW_PLACES] = {PLACES_WORDS, TEXT_AT(PLACES_PROGRAM) | TEXT_AT(PLACES_EXECUTABLE) |
					       TEXT_AT(PLACES_DESTINATION) | TEXT_AT(PLACES_FILE) |
					       TEXT_AT(PLACES_FUNCTION) | TEXT_AT(PLACES_SETTINGS)},
	[VIEW_SETTINGS] = {SETTINGS_WORDS,
			   TEXT_AT(SETTINGS_PROGRAM) | TEXT_AT(SETTINGS_EXECUTABLE) |
				   TEXT_AT(SETTINGS_FILE) | TEXT_AT(SETTINGS_FUNCTION) |
				   TEXT_AT(SETTINGS_TEXT) | TEXT_AT(SETTINGS_ID)},
	[VIEW_READINESS] = {READINESS_WORDS, TEXT_AT(READINESS_PROGRAM) | TEXT_AT(READINESS_USER) |
						     TEXT_AT(READINESS_SERVICE) |
						     TEXT_AT(READINESS_FILE) |
						     TEXT_AT(READINESS_FUNCTION)},
	[VIEW_CERTIFICATES] = {CERTIFICATES_WORDS, TEXT_AT(CERTIFICATES_DESTINATION) |
							   TEXT_AT(CERTIFICATES_SUBJECT) |
							   TEXT_AT(CERTIFICATES_ISSUER) |
							   TEXT_AT(CERTIFICATES_NOT_AFTER)},
	[VIEW_CIPHERS] = {CIPHERS_WORDS, TEXT_AT(CIPHERS_CIPHER) | TEXT_AT(CIPHERS_GROUP)},
	[VIEW_COMPARISON] = {COMPARISON_WORDS,
			     TEXT_AT(COMPARISON_PROGRAM) | TEXT_AT(COMPARISON_DESTINATION)},
	[VIEW_ARRIVED] = {ARRIVED_WORDS, TEXT_AT(ARRIVED_HOST)},
	[VIEW_MISSING] = {ARRIVED_WORDS, TEXT_AT(ARRIVED_HOST)},
	[VIEW_PROCESSES] = {PROCESSES_WORDS, TEXT_AT(PROCESSES_HOST)},
};

void aggregate_init(struct aggregate *aggregate, const struct aggregate_options *options)
{
	*aggregate = (struct aggregate){.options = options,
					.hour_numbers = {.key_size = sizeof(int64_t)}};
	for (unsigned view = 0; view < VIEWS; view++)
		aggregate->view[view].key_words = view_kinds[view].words;
	aggregate->view[VIEW_GROUPS].key_words = keys_words(options->by, options->by_count) + 1;
}

void aggregate_free(struct aggregate *aggregate)
{
	for (unsigned view = 0; view < VIEWS; view++)
		cells_free(&aggregate->view[view]);
	numbering_free(&aggregate->hour_numbers);
	free(aggregate->hours);
	free(aggregate->domains);
	aggregate->domains = NULL;
	aggregate->domain_capacity = 0;
	aggregate->hours = NULL;
	interner_free(&aggregate->texts);
	filter_cache_free(&aggregate->filtered);
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

/* The earliest of the records that this one stands for; they are of one hour (RECORD). */
static int64_t first_of(const struct entry *entry, int64_t last)
{
	int64_t first;

	if (!entry_has(entry, ENTRY_first) ||
	    !timestamp_parse(entry_get(entry, ENTRY_first), &first) || first > last)
		return last;
	return first;
}

static int64_t floor_divide(int64_t dividend, int64_t divisor)
{
	return dividend / divisor - (dividend % divisor < 0);
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

/* As number_of, but whatever is there counts at least one: a loss is a loss. */
static uint64_t count_of(const struct entry *entry, enum entry_field field)
{
	uint32_t number = number_of(entry_get(entry, field));

	return number ? number : 1;
}

uint64_t aggregate_records(const struct entry *entry)
{
	return count_of(entry, ENTRY_count);
}

/* What is known of one record while it is counted. Texts are interned when a view asks. */
struct subject {
	struct aggregate *aggregate;
	const struct entry *entry;
	enum entry_action action;
	bool connection;
	enum entry_version version;
	enum entry_verdict verdict;
	uint32_t facts;
	uint64_t records; /* that it stands for: 1, or what somebody made one of many */
	int64_t first;    /* of them */
	int64_t time;     /* of the last of them */
	bool has_program;
	bool has_destination;
	uint32_t program;
	uint32_t destination;
};

static uint32_t field_number(struct subject *subject, enum entry_field field)
{
	return intern(&subject->aggregate->texts, entry_get(subject->entry, field));
}

/* Of `"openssl","wire"`: openssl,wire. */
static uint32_t list_number(struct subject *subject, enum entry_field field)
{
	struct slice list = entry_get(subject->entry, field);
	char text[256];
	size_t used = 0;

	for (size_t i = 0; i < list.length && used < sizeof(text); i++) {
		if (list.start[i] != '"')
			text[used++] = list.start[i];
	}
	return intern(&subject->aggregate->texts, (struct slice){text, used});
}

/* The script, else the executable. */
static uint32_t program_of(struct subject *subject)
{
	if (!subject->has_program) {
		subject->program = field_number(subject, ENTRY_script);
		if (!subject->program)
			subject->program = field_number(subject, ENTRY_executable);
		subject->has_program = true;
	}
	return subject->program;
}

/* The domain, else the address. */
static uint32_t destination_of(struct subject *subject)
{
	if (!subject->has_destination) {
		subject->destination = field_number(subject, ENTRY_destination_domain);
		if (!subject->destination)
			subject->destination = field_number(subject, ENTRY_destination_ip);
		subject->has_destination = true;
	}
	return subject->destination;
}

static void count(struct subject *subject, enum view view, const uint32_t *key)
{
	cells_count(&subject->aggregate->view[view], key, subject->records, subject->first,
		    subject->time);
}

static uint32_t facts_of(const struct subject *subject)
{
	const struct entry *entry = subject->entry;

	return fact_put(FACT_ACTION, subject->action) | fact_put(FACT_VERSION, subject->version) |
	       fact_put(FACT_VERDICT, subject->verdict) | fact_put(FACT_LIMIT, entry_limit(entry)) |
	       fact_put(FACT_CERTIFICATE, entry_certificate(entry)) |
	       fact_put(FACT_SUPPORTS, entry_has(entry, ENTRY_server_supports)
					       ? entry_version_of(entry, ENTRY_server_supports)
					       : VERSION_CLEAR) |
	       fact_put(FACT_FLOOR, entry_version_of(entry, ENTRY_floor)) |
	       fact_put(FACT_CONFLICT, entry_has(entry, ENTRY_conflict));
}

/* The facts without one that a view does not tell apart. */
static uint32_t without(uint32_t facts, enum fact fact)
{
	return facts & ~fact_put(fact, 15);
}

/* Asked once for each destination: the list of suffixes is long. */
static uint32_t domain_of(struct subject *subject)
{
	struct aggregate *aggregate = subject->aggregate;
	uint32_t destination = destination_of(subject);
	char room[DOMAIN_MAX];

	if (destination >= aggregate->domain_capacity) {
		uint32_t capacity = destination * 2 + 64;

		aggregate->domains =
			table_resize(aggregate->domains, capacity * sizeof(aggregate->domains[0]));
		memset(aggregate->domains + aggregate->domain_capacity, 0,
		       (capacity - aggregate->domain_capacity) * sizeof(aggregate->domains[0]));
		aggregate->domain_capacity = capacity;
	}
	if (destination && !aggregate->domains[destination])
		aggregate->domains[destination] = intern(
			&aggregate->texts,
			registrable_domain(interned_text(&aggregate->texts, destination), room));
	return aggregate->domains[destination];
}

static void put_group_key(struct subject *subject, enum report_key by, uint32_t *word)
{
	switch (keys_kind(by)) {
	case KEY_IS_PROGRAM:
		word[0] = program_of(subject);
		break;
	case KEY_IS_DESTINATION:
		word[0] = destination_of(subject);
		break;
	case KEY_IS_VERSION:
		word[0] = subject->version;
		break;
	case KEY_IS_VERDICT:
		word[0] = subject->verdict;
		break;
	case KEY_IS_PLACE:
		word[0] = field_number(subject, ENTRY_code_file);
		word[1] = number_of(entry_get(subject->entry, ENTRY_code_line));
		word[2] = field_number(subject, ENTRY_code_function);
		break;
	case KEY_IS_HOUR:
		word[0] = (uint32_t)(int32_t)floor_divide(subject->time, MICROSECONDS_PER_HOUR);
		break;
	case KEY_IS_DAY:
		word[0] = (uint32_t)(int32_t)floor_divide(subject->time, MICROSECONDS_PER_DAY);
		break;
	case KEY_IS_TEXT:
		word[0] = field_number(subject, keys_field(by));
		break;
	case KEY_IS_LIST:
		word[0] = list_number(subject, keys_field(by));
		break;
	case KEY_IS_DOMAIN:
		word[0] = domain_of(subject);
		break;
	}
}

static void count_group(struct subject *subject)
{
	const struct aggregate_options *options = subject->aggregate->options;
	uint32_t key[CELL_WORDS_MAX];
	size_t words = 0;

	for (size_t i = 0; i < options->by_count; i++) {
		put_group_key(subject, options->by[i], key + words);
		words += keys_words(&options->by[i], 1);
	}
	key[words] =
		fact_put(FACT_VERSION, subject->version) | fact_put(FACT_VERDICT, subject->verdict);
	count(subject, VIEW_GROUPS, key);
}

static void count_name(struct subject *subject, enum view view, enum entry_field field)
{
	uint32_t name = field_number(subject, field);

	if (name)
		count(subject, view,
		      (uint32_t[]){name,
				   without(without(subject->facts, FACT_FLOOR), FACT_SUPPORTS)});
}

static void count_names(struct subject *subject)
{
	count(subject, VIEW_NAMES,
	      (uint32_t[]){program_of(subject), destination_of(subject),
			   without(subject->facts, FACT_FLOOR)});
}

/* A connection that came to nothing, went out in the clear, to whom is not known or by an
 * exception; what the recorder says of itself. */
static bool is_finding(const struct subject *subject)
{
	if (!subject->connection)
		return subject->action != ACTION_SETTING && subject->action != ACTION_OTHER;
	return entry_has(subject->entry, ENTRY_exception) ||
	       subject->action == ACTION_PLAINTEXT_MAIL || subject->verdict == VERDICT_FAILED ||
	       subject->verdict == VERDICT_REFUSED ||
	       fact_get(subject->facts, FACT_CERTIFICATE) > CERTIFICATE_CHAIN_ONLY;
}

static void count_finding(struct subject *subject, uint64_t lost)
{
	const uint32_t key[] = {
		[FINDINGS_PROGRAM] = program_of(subject),
		[FINDINGS_DESTINATION] = subject->connection ? destination_of(subject) : 0,
		[FINDINGS_REASON] = field_number(subject, ENTRY_reason),
		[FINDINGS_EXCEPTION] = field_number(subject, ENTRY_exception),
		[FINDINGS_FACTS] = fact_put(FACT_ACTION, subject->action) |
				   fact_put(FACT_VERSION, subject->version) |
				   fact_put(FACT_VERDICT, subject->verdict) |
				   (subject->facts & fact_put(FACT_CERTIFICATE, 15)),
	};

	cells_count(&subject->aggregate->view[VIEW_FINDINGS], key,
		    subject->action == ACTION_LOST ? lost : subject->records, subject->first,
		    subject->time);
}

/* Programs that use libcurl are told versions by its options, whatever their language. */
static bool is_by_curl(const struct entry *entry)
{
	static const char name[] = "/libcurl";
	struct slice stack = entry_get(entry, ENTRY_stack);
	struct slice file = entry_get(entry, ENTRY_code_file);

	return (stack.length && memmem(stack.start, stack.length, name, sizeof(name) - 1)) ||
	       (file.length && memmem(file.start, file.length, name, sizeof(name) - 1));
}

/* A library is nobody's own line: where there is a script, that is the place. */
static bool is_library(struct slice file)
{
	return file.length > 3 && memmem(file.start, file.length, ".so", 3);
}

static void put_line_of_code(struct subject *subject, uint32_t *file, uint32_t *line,
			     uint32_t *function)
{
	if (is_library(entry_get(subject->entry, ENTRY_code_file)) &&
	    entry_has(subject->entry, ENTRY_script)) {
		*file = field_number(subject, ENTRY_script);
		return;
	}
	*file = field_number(subject, ENTRY_code_file);
	*line = number_of(entry_get(subject->entry, ENTRY_code_line));
	*function = field_number(subject, ENTRY_code_function);
}

static void count_place(struct subject *subject)
{
	uint32_t key[PLACES_WORDS] = {
		[PLACES_PROGRAM] = program_of(subject),
		[PLACES_EXECUTABLE] = field_number(subject, ENTRY_executable),
		[PLACES_DESTINATION] = destination_of(subject),
		[PLACES_SETTINGS] = field_number(subject, ENTRY_setting_ids),
		[PLACES_BY_CURL] = is_by_curl(subject->entry),
		[PLACES_FACTS] = without(without(subject->facts, FACT_FLOOR), FACT_CERTIFICATE),
	};

	put_line_of_code(subject, &key[PLACES_FILE], &key[PLACES_LINE], &key[PLACES_FUNCTION]);
	count(subject, VIEW_PLACES, key);
}

/*
 * Had every server required `required`, would this connection have failed? What the
 * client offered says so; mail in the clear would have had no TLS to begin with.
 */
static void count_readiness(struct subject *subject)
{
	enum entry_version required = subject->aggregate->options->required;
	enum entry_version most = entry_most_offered(subject->entry);
	uint32_t key[READINESS_WORDS] = {0};

	if (subject->action == ACTION_SESSION)
		return;
	if (subject->version != VERSION_CLEAR && most == VERSION_UNKNOWN)
		most = subject->version;
	if (subject->version != VERSION_CLEAR && most == VERSION_UNKNOWN) {
		subject->aggregate->ready_unknown += subject->records;
		return;
	}
	if (subject->version != VERSION_CLEAR && most >= required)
		return;
	subject->aggregate->not_ready += subject->records;
	key[READINESS_PROGRAM] = program_of(subject);
	key[READINESS_USER] = field_number(subject, ENTRY_user);
	key[READINESS_SERVICE] = field_number(subject, ENTRY_service);
	put_line_of_code(subject, &key[READINESS_FILE], &key[READINESS_LINE],
			 &key[READINESS_FUNCTION]);
	count(subject, VIEW_READINESS, key);
}

static void count_setting(struct subject *subject)
{
	count(subject, VIEW_SETTINGS,
	      (uint32_t[]){
		      [SETTINGS_PROGRAM] = program_of(subject),
		      [SETTINGS_EXECUTABLE] = field_number(subject, ENTRY_executable),
		      [SETTINGS_FILE] = field_number(subject, ENTRY_code_file),
		      [SETTINGS_LINE] = number_of(entry_get(subject->entry, ENTRY_code_line)),
		      [SETTINGS_FUNCTION] = field_number(subject, ENTRY_code_function),
		      [SETTINGS_TEXT] = field_number(subject, ENTRY_setting),
		      [SETTINGS_ID] = field_number(subject, ENTRY_setting_ids),
	      });
}

static void count_certificate(struct subject *subject)
{
	if (!entry_has(subject->entry, ENTRY_server_subject) &&
	    !entry_has(subject->entry, ENTRY_server_not_after))
		return;
	count(subject, VIEW_CERTIFICATES,
	      (uint32_t[]){
		      [CERTIFICATES_DESTINATION] = destination_of(subject),
		      [CERTIFICATES_SUBJECT] = field_number(subject, ENTRY_server_subject),
		      [CERTIFICATES_ISSUER] = field_number(subject, ENTRY_server_issuer),
		      [CERTIFICATES_NOT_AFTER] = field_number(subject, ENTRY_server_not_after),
		      [CERTIFICATES_FACTS] = subject->facts & fact_put(FACT_CERTIFICATE, 15),
	      });
}

static void count_cipher(struct subject *subject)
{
	if (subject->version == VERSION_CLEAR || !entry_has(subject->entry, ENTRY_cipher))
		return;
	count(subject, VIEW_CIPHERS,
	      (uint32_t[]){
		      [CIPHERS_CIPHER] = field_number(subject, ENTRY_cipher),
		      [CIPHERS_GROUP] = field_number(subject, ENTRY_curve),
		      [CIPHERS_FACTS] = fact_put(FACT_VERSION, subject->version) |
					fact_put(FACT_VERDICT, subject->verdict),
	      });
}

static void count_comparison(struct subject *subject, bool before)
{
	count(subject, VIEW_COMPARISON,
	      (uint32_t[]){
		      [COMPARISON_PROGRAM] = program_of(subject),
		      [COMPARISON_DESTINATION] = destination_of(subject),
		      [COMPARISON_BEFORE] = before,
		      [COMPARISON_FACTS] = fact_put(FACT_VERSION, subject->version) |
					   fact_put(FACT_VERDICT, subject->verdict),
	      });
}

static void count_connection(struct subject *subject, unsigned wants)
{
	if (wants & WANT_GROUPS)
		count_group(subject);
	if (wants & (WANT_NAMES | WANT_PAIRS))
		count_names(subject);
	if (wants & (WANT_NAMES | WANT_HOSTS)) {
		count_name(subject, VIEW_HOSTS, ENTRY_host);
		count_name(subject, VIEW_SERVICES, ENTRY_service);
	}
	/* Nothing has to be changed where all is well. */
	if ((wants & WANT_PLACES) && subject->verdict >= VERDICT_AT_RISK)
		count_place(subject);
	if (subject->aggregate->options->required != VERSION_CLEAR)
		count_readiness(subject);
	if (wants & WANT_CERTIFICATES)
		count_certificate(subject);
	if (wants & WANT_CIPHERS)
		count_cipher(subject);
	if (subject->aggregate->options->compares)
		count_comparison(subject, false);
	if (wants & WANT_PERIODS) {
		struct hour *hour = hour_at(subject->aggregate,
					    floor_divide(subject->time, MICROSECONDS_PER_HOUR));

		report_tally_count(&hour->tally, subject->version, subject->verdict,
				   subject->records, subject->first, subject->time);
	}
}

static void count_in_views(struct subject *subject)
{
	unsigned wants = subject->aggregate->options->wants;
	uint64_t lost = subject->action == ACTION_LOST ? count_of(subject->entry, ENTRY_lost) : 0;

	subject->facts = facts_of(subject);
	subject->aggregate->lost += lost;
	count(subject, VIEW_TOTALS, (uint32_t[]){subject->facts});
	if (subject->connection)
		count_connection(subject, wants);
	if ((wants & WANT_PLACES) && subject->action == ACTION_SETTING)
		count_setting(subject);
	if ((wants & WANT_FINDINGS) && is_finding(subject))
		count_finding(subject, lost);
}

/* "/srv/a.py:7 send", of the numbers of a place. */
static bool is_place(struct aggregate *aggregate, const uint32_t *word, struct slice wanted)
{
	struct slice file = interned_text(&aggregate->texts, word[0]);
	struct slice function = interned_text(&aggregate->texts, word[2]);
	char *text = table_allocate(place_text_room(file, function) + 1);
	size_t length = place_text(text, file, word[1], function);
	bool same = slice_equal((struct slice){text, length}, wanted);

	free(text);
	return same;
}

static bool has_value(struct subject *subject, const struct report_where *where)
{
	uint32_t word[3] = {0};
	char time[TIMESTAMP_TEXT_MAX];
	enum key_kind kind = keys_kind(where->key);

	put_group_key(subject, where->key, word);
	switch (kind) {
	case KEY_IS_VERSION:
		return slice_is(where->value, entry_version_name(word[0]));
	case KEY_IS_VERDICT:
		return slice_is(where->value, entry_verdict_name(word[0]));
	case KEY_IS_PLACE:
		return is_place(subject->aggregate, word, where->value);
	case KEY_IS_HOUR:
	case KEY_IS_DAY:
		(void)timestamp_print(time, subject->time,
				      kind == KEY_IS_HOUR ? TIMESTAMP_HOUR : TIMESTAMP_DAY);
		return slice_is(where->value, time);
	default:
		return slice_equal(interned_text(&subject->aggregate->texts, word[0]),
				   where->value);
	}
}

static bool passes_where(struct subject *subject)
{
	const struct aggregate_options *options = subject->aggregate->options;

	for (size_t i = 0; subject->connection && i < options->where_count; i++) {
		bool any = false;

		for (size_t k = 0; k < options->where_count && !any; k++)
			any = options->where[k].key == options->where[i].key &&
			      has_value(subject, &options->where[k]);
		if (!any)
			return false;
	}
	return true;
}

static bool is_double(const struct subject *subject)
{
	struct doubles *doubles = subject->aggregate->options->doubles;

	return doubles && entry_has(subject->entry, ENTRY_event_id) &&
	       doubles_seen(doubles, entry_get(subject->entry, ENTRY_event_id));
}

static bool passes(struct subject *subject, const struct filter *filter)
{
	const struct filter_subject asked = {subject->time, subject->connection, subject->verdict};

	return filter_passes(filter, &subject->aggregate->filtered, &asked, subject->entry) &&
	       passes_where(subject);
}

/* False, and counted as a double, if it was there before; `is_new` where that was asked. */
static bool counts_once(struct subject *subject, bool is_new)
{
	bool asked = (subject->aggregate->options->wants & WANT_DELIVERY) &&
		     !subject->aggregate->options->delivered_is_told;

	if (!asked)
		is_new = !is_double(subject);
	if (!is_new)
		subject->aggregate->doubles += subject->records;
	return is_new;
}

/* Of the time that is compared with only the connections count, and only for that. */
static enum aggregate_result add_compared(struct subject *subject, bool is_new)
{
	if (!counts_once(subject, is_new))
		return AGGREGATE_DOUBLE;
	subject->facts = facts_of(subject);
	if (subject->connection)
		count_comparison(subject, true);
	return AGGREGATE_COMPARED;
}

/* ---- what arrived ---- */

/* So many processes are told apart; of those beyond it is known what arrived, not what did not. */
#define PROCESSES_MAX ((size_t)1 << 21)

/* Eight hexadecimal digits; false if they are none. */
static bool parse_word(const char *digits, uint32_t *word)
{
	*word = 0;
	for (int i = 0; i < 8; i++) {
		const char digit = digits[i];
		uint32_t value;

		if (digit >= '0' && digit <= '9')
			value = (uint32_t)(digit - '0');
		else if (digit >= 'a' && digit <= 'f')
			value = (uint32_t)(digit - 'a') + 10;
		else
			return false;
		*word = *word << 4 | value;
	}
	return true;
}

/* By whole days, whatever else was asked for; the day before tells where the first one begins. */
static bool day_is_wanted(const struct filter *filter, int64_t day)
{
	return (!filter->has_since ||
		day >= floor_divide(filter->since, MICROSECONDS_PER_DAY) - 1) &&
	       (!filter->has_until || day <= floor_divide(filter->until, MICROSECONDS_PER_DAY));
}

static void count_arrived(struct subject *subject)
{
	struct aggregate *aggregate = subject->aggregate;
	struct cells *processes = &aggregate->view[VIEW_PROCESSES];
	struct slice id = entry_get(subject->entry, ENTRY_event_id);
	int64_t day = floor_divide(subject->time, MICROSECONDS_PER_DAY);
	uint32_t key[PROCESSES_WORDS];
	uint32_t number;

	if (!day_is_wanted(aggregate->options->filter, day) ||
	    !filter_passes_host(aggregate->options->filter, &aggregate->filtered, subject->entry))
		return;
	key[PROCESSES_HOST] = field_number(subject, ENTRY_host);
	key[PROCESSES_DAY] = (uint32_t)day;
	/* The last of a cell: is there one without a number? */
	cells_count(&aggregate->view[VIEW_ARRIVED], key, subject->records, 0, id.length != 32);
	if (id.length != 32 || processes->count >= PROCESSES_MAX)
		return;
	for (size_t i = 0; i < 3; i++) {
		if (!parse_word(id.start + 8 * i, &key[PROCESSES_ID + i]))
			return;
	}
	if (parse_word(id.start + 24, &number))
		cells_count(processes, key, 1, number, number);
}

/* As an engine has counted it. */
static enum aggregate_result add_delivered(struct subject *subject)
{
	struct aggregate *aggregate = subject->aggregate;
	int64_t day = floor_divide(subject->time, MICROSECONDS_PER_DAY);
	uint64_t lost = number_of(entry_get(subject->entry, ENTRY_lost));
	uint32_t key[ARRIVED_WORDS];

	if ((aggregate->options->wants & WANT_DELIVERY) == 0 ||
	    !day_is_wanted(aggregate->options->filter, day) ||
	    !filter_passes_host(aggregate->options->filter, &aggregate->filtered, subject->entry))
		return AGGREGATE_DELIVERED;
	key[ARRIVED_HOST] = field_number(subject, ENTRY_host);
	key[ARRIVED_DAY] = (uint32_t)day;
	cells_count(&aggregate->view[VIEW_ARRIVED], key,
		    number_of(entry_get(subject->entry, ENTRY_count)), 0, 0);
	if (lost)
		cells_count(&aggregate->view[VIEW_MISSING], key, lost, 0, 0);
	return AGGREGATE_DELIVERED;
}

enum aggregate_result aggregate_add(struct aggregate *aggregate, const struct entry *entry)
{
	const struct aggregate_options *options = aggregate->options;
	struct subject subject = {.aggregate = aggregate, .entry = entry};
	bool is_new = true;

	if (!entry_has(entry, ENTRY_action))
		return AGGREGATE_NO_ACTION;
	if (!time_of(aggregate, entry, &subject.time))
		return AGGREGATE_NO_TIMESTAMP;
	if (options->delivered_is_told &&
	    slice_is(entry_get(entry, ENTRY_action), ENGINE_DELIVERED))
		return add_delivered(&subject);
	subject.records = count_of(entry, ENTRY_count);
	subject.first = first_of(entry, subject.time);
	subject.action = entry_action(entry);
	subject.connection = action_is_connection(subject.action);
	if (subject.connection) {
		subject.version = entry_version(entry, subject.action);
		subject.verdict = entry_verdict(entry);
		if (options->what_if)
			subject.verdict =
				what_if(entry, subject.version, subject.verdict, options->floor);
	}
	/* Of those that no filter lets pass, too: that they are there is what counts here. */
	if ((options->wants & WANT_DELIVERY) && !options->delivered_is_told) {
		is_new = !is_double(&subject);
		if (is_new)
			count_arrived(&subject);
	}
	if (!passes(&subject, options->filter)) {
		if (options->compares && passes(&subject, &options->compared))
			return add_compared(&subject, is_new);
		aggregate->filtered_out += subject.records;
		return AGGREGATE_FILTERED_OUT;
	}
	if (!counts_once(&subject, is_new))
		return AGGREGATE_DOUBLE;
	count_in_views(&subject);
	return AGGREGATE_COUNTED;
}

/* ---- merging ---- */

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

static uint64_t texts_of_groups(const struct aggregate_options *options)
{
	uint64_t texts = 0;
	size_t words = 0;

	for (size_t i = 0; i < options->by_count; i++) {
		texts |= (uint64_t)keys_texts(options->by[i]) << words;
		words += keys_words(&options->by[i], 1);
	}
	return texts;
}

static void merge_view(struct cells *into, struct cells *from, uint64_t texts,
		       const uint32_t *number)
{
	uint32_t key[CELL_WORDS_MAX];

	for (size_t i = 0; i < from->count; i++) {
		const struct cell *cell = cell_of(from, i);

		for (size_t word = 0; word < from->key_words; word++)
			key[word] =
				texts & TEXT_AT(word) ? number[cell->key[word]] : cell->key[word];
		cells_count(into, key, cell->records, cell->first, cell->last);
		if (i % CELLS_PER_BLOCK == CELLS_PER_BLOCK - 1)
			cells_forget_before(from, i + 1);
	}
}

void aggregate_absorb(struct aggregate *into, struct aggregate *from)
{
	uint32_t *number = translate(into, from);

	interner_free(&from->texts);
	for (unsigned view = 0; view < VIEWS; view++)
		merge_view(&into->view[view], &from->view[view],
			   view == VIEW_GROUPS ? texts_of_groups(into->options)
					       : view_kinds[view].texts,
			   number);
	for (size_t i = 0; i < from->hour_numbers.count; i++)
		report_tally_add(&hour_at(into, from->hours[i].number)->tally,
				 &from->hours[i].tally);
	into->filtered_out += from->filtered_out;
	into->doubles += from->doubles;
	into->lost += from->lost;
	into->not_ready += from->not_ready;
	into->ready_unknown += from->ready_unknown;
	free(number);
	aggregate_free(from);
}
