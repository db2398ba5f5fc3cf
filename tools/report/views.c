/*
 * Knows which view wants which record, and what it tells them apart by; must not know how
 * fields are read or cells are kept.
 */
#include "tools/report/views.h"

#include "tools/base/timestamp.h"
#include "tools/report/hours.h"
#include "tools/report/keys.h"

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

size_t view_words(enum view view, const struct aggregate_options *options)
{
	if (view == VIEW_GROUPS)
		return keys_words(options->by, options->by_count) + 1;
	return view_kinds[view].words;
}

uint64_t view_texts(enum view view, const struct aggregate_options *options)
{
	return view == VIEW_GROUPS ? texts_of_groups(options) : view_kinds[view].texts;
}

static void count(struct subject *subject, enum view view, const uint32_t *key)
{
	cells_count(&subject->aggregate->view[view], key, subject->records, subject->first,
		    subject->time);
}

/* The facts without one that a view does not tell apart. */
static uint32_t without(uint32_t facts, enum fact fact)
{
	return facts & ~fact_put(fact, 15);
}

static void count_group(struct subject *subject)
{
	const struct aggregate_options *options = subject->aggregate->options;
	uint32_t key[CELL_WORDS_MAX];
	size_t words = 0;

	for (size_t i = 0; i < options->by_count; i++) {
		subject_put_key(subject, options->by[i], key + words);
		words += keys_words(&options->by[i], 1);
	}
	key[words] =
		fact_put(FACT_VERSION, subject->version) | fact_put(FACT_VERDICT, subject->verdict);
	count(subject, VIEW_GROUPS, key);
}

static void count_name(struct subject *subject, enum view view, enum entry_field field)
{
	uint32_t name = subject_field(subject, field);

	if (name)
		count(subject, view,
		      (uint32_t[]){name,
				   without(without(subject->facts, FACT_FLOOR), FACT_SUPPORTS)});
}

static void count_names(struct subject *subject)
{
	count(subject, VIEW_NAMES,
	      (uint32_t[]){subject_program(subject), subject_destination(subject),
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
		[FINDINGS_PROGRAM] = subject_program(subject),
		[FINDINGS_DESTINATION] = subject->connection ? subject_destination(subject) : 0,
		[FINDINGS_REASON] = subject_field(subject, ENTRY_reason),
		[FINDINGS_EXCEPTION] = subject_field(subject, ENTRY_exception),
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
		*file = subject_field(subject, ENTRY_script);
		return;
	}
	*file = subject_field(subject, ENTRY_code_file);
	*line = subject_number(entry_get(subject->entry, ENTRY_code_line));
	*function = subject_field(subject, ENTRY_code_function);
}

static void count_place(struct subject *subject)
{
	uint32_t key[PLACES_WORDS] = {
		[PLACES_PROGRAM] = subject_program(subject),
		[PLACES_EXECUTABLE] = subject_field(subject, ENTRY_executable),
		[PLACES_DESTINATION] = subject_destination(subject),
		[PLACES_SETTINGS] = subject_field(subject, ENTRY_setting_ids),
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
	key[READINESS_PROGRAM] = subject_program(subject);
	key[READINESS_USER] = subject_field(subject, ENTRY_user);
	key[READINESS_SERVICE] = subject_field(subject, ENTRY_service);
	put_line_of_code(subject, &key[READINESS_FILE], &key[READINESS_LINE],
			 &key[READINESS_FUNCTION]);
	count(subject, VIEW_READINESS, key);
}

static void count_setting(struct subject *subject)
{
	count(subject, VIEW_SETTINGS,
	      (uint32_t[]){
		      [SETTINGS_PROGRAM] = subject_program(subject),
		      [SETTINGS_EXECUTABLE] = subject_field(subject, ENTRY_executable),
		      [SETTINGS_FILE] = subject_field(subject, ENTRY_code_file),
		      [SETTINGS_LINE] = subject_number(entry_get(subject->entry, ENTRY_code_line)),
		      [SETTINGS_FUNCTION] = subject_field(subject, ENTRY_code_function),
		      [SETTINGS_TEXT] = subject_field(subject, ENTRY_setting),
		      [SETTINGS_ID] = subject_field(subject, ENTRY_setting_ids),
	      });
}

static void count_certificate(struct subject *subject)
{
	if (!entry_has(subject->entry, ENTRY_server_subject) &&
	    !entry_has(subject->entry, ENTRY_server_not_after))
		return;
	count(subject, VIEW_CERTIFICATES,
	      (uint32_t[]){
		      [CERTIFICATES_DESTINATION] = subject_destination(subject),
		      [CERTIFICATES_SUBJECT] = subject_field(subject, ENTRY_server_subject),
		      [CERTIFICATES_ISSUER] = subject_field(subject, ENTRY_server_issuer),
		      [CERTIFICATES_NOT_AFTER] = subject_field(subject, ENTRY_server_not_after),
		      [CERTIFICATES_FACTS] = subject->facts & fact_put(FACT_CERTIFICATE, 15),
	      });
}

static void count_cipher(struct subject *subject)
{
	if (subject->version == VERSION_CLEAR || !entry_has(subject->entry, ENTRY_cipher))
		return;
	count(subject, VIEW_CIPHERS,
	      (uint32_t[]){
		      [CIPHERS_CIPHER] = subject_field(subject, ENTRY_cipher),
		      [CIPHERS_GROUP] = subject_field(subject, ENTRY_curve),
		      [CIPHERS_FACTS] = fact_put(FACT_VERSION, subject->version) |
					fact_put(FACT_VERDICT, subject->verdict),
	      });
}

static void count_comparison(struct subject *subject, bool before)
{
	count(subject, VIEW_COMPARISON,
	      (uint32_t[]){
		      [COMPARISON_PROGRAM] = subject_program(subject),
		      [COMPARISON_DESTINATION] = subject_destination(subject),
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

void views_count(struct subject *subject)
{
	unsigned wants = subject->aggregate->options->wants;
	uint64_t lost =
		subject->action == ACTION_LOST ? subject_count_of(subject->entry, ENTRY_lost) : 0;

	subject->facts = subject_facts(subject);
	subject->aggregate->lost += lost;
	count(subject, VIEW_TOTALS, (uint32_t[]){subject->facts});
	if (subject->connection)
		count_connection(subject, wants);
	if ((wants & WANT_PLACES) && subject->action == ACTION_SETTING)
		count_setting(subject);
	if ((wants & WANT_FINDINGS) && is_finding(subject))
		count_finding(subject, lost);
}

void views_count_compared(struct subject *subject)
{
	count_comparison(subject, true);
}
