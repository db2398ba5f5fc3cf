/*
 * Knows what the fields of a record mean; must not know what is counted by them.
 */
#include "tools/report/subject.h"

#include "tools/base/table.h"
#include "tools/base/timestamp.h"
#include "tools/report/domain.h"
#include "tools/report/keys.h"

/*
 * The time of a record. Records in a row are mostly of one hour, so only its
 * minutes, seconds and fraction are parsed anew: "2026-11-23T13" 05:07.123456Z.
 */
bool subject_time(struct aggregate *aggregate, const struct entry *entry, int64_t *time)
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

int64_t subject_first(const struct entry *entry, int64_t last)
{
	int64_t first;

	if (!entry_has(entry, ENTRY_first) ||
	    !timestamp_parse(entry_get(entry, ENTRY_first), &first) || first > last)
		return last;
	return first;
}

uint32_t subject_number(struct slice digits)
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

uint64_t subject_count_of(const struct entry *entry, enum entry_field field)
{
	uint32_t number = subject_number(entry_get(entry, field));

	return number ? number : 1;
}

uint32_t subject_field(struct subject *subject, enum entry_field field)
{
	return intern(&subject->aggregate->texts, entry_get(subject->entry, field));
}

/* Of `"openssl","wire"`: openssl,wire. */
static uint32_t subject_list(struct subject *subject, enum entry_field field)
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

uint32_t subject_program(struct subject *subject)
{
	if (!subject->has_program) {
		subject->program = subject_field(subject, ENTRY_script);
		if (!subject->program)
			subject->program = subject_field(subject, ENTRY_executable);
		subject->has_program = true;
	}
	return subject->program;
}

uint32_t subject_destination(struct subject *subject)
{
	if (!subject->has_destination) {
		subject->destination = subject_field(subject, ENTRY_destination_domain);
		if (!subject->destination)
			subject->destination = subject_field(subject, ENTRY_destination_ip);
		subject->has_destination = true;
	}
	return subject->destination;
}

uint32_t subject_facts(const struct subject *subject)
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

/* Asked once for each destination: the list of suffixes is long. */
static uint32_t subject_domain(struct subject *subject)
{
	struct aggregate *aggregate = subject->aggregate;
	uint32_t destination = subject_destination(subject);
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

void subject_put_key(struct subject *subject, enum report_key by, uint32_t *word)
{
	switch (keys_kind(by)) {
	case KEY_IS_PROGRAM:
		word[0] = subject_program(subject);
		break;
	case KEY_IS_DESTINATION:
		word[0] = subject_destination(subject);
		break;
	case KEY_IS_VERSION:
		word[0] = subject->version;
		break;
	case KEY_IS_VERDICT:
		word[0] = subject->verdict;
		break;
	case KEY_IS_PLACE:
		word[0] = subject_field(subject, ENTRY_code_file);
		word[1] = subject_number(entry_get(subject->entry, ENTRY_code_line));
		word[2] = subject_field(subject, ENTRY_code_function);
		break;
	case KEY_IS_HOUR:
		word[0] = (uint32_t)(int32_t)floor_divide(subject->time, MICROSECONDS_PER_HOUR);
		break;
	case KEY_IS_DAY:
		word[0] = (uint32_t)(int32_t)floor_divide(subject->time, MICROSECONDS_PER_DAY);
		break;
	case KEY_IS_TEXT:
		word[0] = subject_field(subject, keys_field(by));
		break;
	case KEY_IS_LIST:
		word[0] = subject_list(subject, keys_field(by));
		break;
	case KEY_IS_DOMAIN:
		word[0] = subject_domain(subject);
		break;
	}
}
