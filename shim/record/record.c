/*
 * One record: facts and verdict in, one JSON line out.
 *
 * Knows the table of fields and JSON (RFC 8259); must not know where the facts
 * come from or where the line goes. It runs inside somebody else's process on
 * a hook's path: no allocation, no locale, no stdio, and about a kilobyte of
 * somebody else's stack at most.
 */
#include "shim/record/record.h"

#include <stdbool.h>
#include <string.h>

#include "shim/record/tls_names.h"

enum field_kind {
	TIME,
	TEXT,
	NUMBER,
	BOOLEAN,
	VERSION,
	VERSIONS,
	WITNESSES,
	STACK,
	/* One of a list of values: the set of that name. */
	ACTION,
	OUTCOME,
	PROTOCOL,
	TLS_PROTOCOL,
	CERTIFICATE,
	VERDICT,
	MODE,
	TLS_MODE,
	LIMIT,
};

struct field {
	const char *key; /* `,"name":`, as it stands in the line */
	uint16_t key_length;
	uint16_t offset; /* of the member in struct record */
	enum field_kind kind;
};

static const struct field fields[] = {
#define FIELD(key, kind, member) \
	{",\"" key "\":", sizeof(",\"" key "\":") - 1, offsetof(struct record, member), kind},
#include "shim/record/record_fields.def"
#undef FIELD
};

/*
 * The table takes each member by its offset, so the compiler can't see a
 * member that is not what its kind says. Here it is made to.
 */
#define TYPE_TIME         struct timespec
#define TYPE_TEXT         const char *
#define TYPE_NUMBER       uint64_t
#define TYPE_BOOLEAN      enum record_boolean
#define TYPE_VERSION      uint16_t
#define TYPE_VERSIONS     struct record_versions
#define TYPE_WITNESSES    unsigned
#define TYPE_STACK        const struct origin *
#define TYPE_ACTION       enum record_action
#define TYPE_OUTCOME      enum record_outcome
#define TYPE_PROTOCOL     enum record_protocol
#define TYPE_TLS_PROTOCOL enum record_tls_protocol
#define TYPE_CERTIFICATE  enum record_certificate
#define TYPE_VERDICT      enum record_verdict
#define TYPE_MODE         enum record_mode
#define TYPE_TLS_MODE     enum record_tls_mode
#define TYPE_LIMIT        enum record_limit
#define FIELD(key, kind, member)                                             \
	_Static_assert(_Generic(((struct record *)NULL)->member, TYPE_##kind \
				: true, default                              \
				: false),                                    \
		       key " is of another kind");
#include "shim/record/record_fields.def"
#undef FIELD

/*
 * What has to be cut so that the line fits is found by turning one knob down:
 * above RECORD_LINE_MAX it counts the frames of the stack that are kept, and
 * below, with no frame left, the bytes that each text may take. The line's
 * length only ever falls with it, so the knob can be searched by halves. Equal
 * bytes for all cuts the longest texts first and leaves short ones whole.
 */
#define KNOB_OPEN (RECORD_LINE_MAX + ORIGIN_FRAMES_MAX)

/*
 * Even with every text long, this much of each one fits: room enough for all
 * that we word ourselves (action, outcome, verdict, mode, …), which is
 * therefore never cut. The sum below proves it.
 */
#define TEXT_LEAST 64

#define WIDEST_TIME         (sizeof("\"2026-11-23T13:05:07.123456Z\"") - 1)
#define WIDEST_TEXT         (sizeof("\"\"") - 1 + TEXT_LEAST)
#define WIDEST_NUMBER       (sizeof("9223372036854775807") - 1)
#define WIDEST_BOOLEAN      (sizeof("false") - 1)
#define WIDEST_VERSION      (sizeof("\"1.2\"") - 1)
#define WIDEST_VERSIONS     (sizeof("[") + TLS_OFFERED_MAX * sizeof("\"1.2\""))
#define WIDEST_WITNESSES    (sizeof("[]") - 1 + WITNESS_NUMBER_END * sizeof("\"openssl\","))
#define WIDEST_STACK        0
#define WIDEST_ACTION       WIDEST_TEXT
#define WIDEST_OUTCOME      WIDEST_TEXT
#define WIDEST_PROTOCOL     WIDEST_TEXT
#define WIDEST_TLS_PROTOCOL WIDEST_TEXT
#define WIDEST_CERTIFICATE  WIDEST_TEXT
#define WIDEST_VERDICT      WIDEST_TEXT
#define WIDEST_MODE         WIDEST_TEXT
#define WIDEST_TLS_MODE     WIDEST_TEXT
#define WIDEST_LIMIT        WIDEST_TEXT
struct widest_line {
	char ends[sizeof("{}\n") - 1];
#define FIELD(key, kind, member) char member[sizeof(",\"" key "\":") - 1 + WIDEST_##kind];
#include "shim/record/record_fields.def"
#undef FIELD
};
_Static_assert(sizeof(struct widest_line) <= RECORD_LINE_MAX,
	       "a full record would not fit: lower TEXT_LEAST");

/* Where the line is being written. Once full it stays full, and nothing more is written. */
struct writer {
	char *position;
	char *end;
	bool full;
	size_t text_limit; /* bytes between the quotes of a text */
	unsigned frame_limit;
};

static void put(struct writer *writer, const char *bytes, size_t length)
{
	if (writer->full || length > (size_t)(writer->end - writer->position)) {
		writer->full = true;
		return;
	}
	memcpy(writer->position, bytes, length);
	writer->position += length;
}

#define PUT_LITERAL(writer, literal) put((writer), (literal), sizeof(literal) - 1)

static void put_number(struct writer *writer, uint64_t number)
{
	char digits[20];
	size_t first = sizeof(digits);

	/* No reader's integers go further (RFC 8259, 6, promises even less). */
	if (number > INT64_MAX)
		number = INT64_MAX;
	do {
		digits[--first] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	put(writer, digits + first, sizeof(digits) - first);
}

/* Exactly `width` digits into `text`. */
static char *write_digits(char *text, uint64_t number, unsigned width)
{
	for (unsigned i = width; i > 0; i--) {
		text[i - 1] = (char)('0' + number % 10);
		number /= 10;
	}
	return text + width;
}

/*
 * UTC as ISO 8601. gmtime_r takes the lock of the time zone, which the host
 * may hold while a signal handler or fork brings us here; so the calendar is
 * reckoned here, in years that begin in March, where the leap day is the last.
 * (The method is Howard Hinnant's civil_from_days.)
 */
static bool put_time(struct writer *writer, const struct timespec *time)
{
	const int64_t first = INT64_C(-719468) * 86400; /* 0000-03-01 */
	const int64_t last = INT64_C(253402300799);     /* 9999-12-31T23:59:59 */
	char text[WIDEST_TIME];
	char *next = text;

	if (time->tv_sec == 0 && time->tv_nsec == 0)
		return false;
	if (time->tv_sec < first || time->tv_sec > last || time->tv_nsec < 0 ||
	    time->tv_nsec > 999999999)
		return false;

	/* Counted from there, nothing below is negative. */
	uint64_t seconds = (uint64_t)(time->tv_sec - first);
	uint64_t days = seconds / 86400;
	uint64_t era = days / 146097; /* 400 years each */
	uint64_t day_of_era = days % 146097;
	uint64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	uint64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	uint64_t month = (5 * day_of_year + 2) / 153; /* 0 is March */
	uint64_t day = day_of_year - (153 * month + 2) / 5 + 1;
	uint64_t year = era * 400 + year_of_era + (month >= 10);

	seconds %= 86400;
	*next++ = '"';
	next = write_digits(next, year, 4);
	*next++ = '-';
	next = write_digits(next, month < 10 ? month + 3 : month - 9, 2);
	*next++ = '-';
	next = write_digits(next, day, 2);
	*next++ = 'T';
	next = write_digits(next, seconds / 3600, 2);
	*next++ = ':';
	next = write_digits(next, seconds / 60 % 60, 2);
	*next++ = ':';
	next = write_digits(next, seconds % 60, 2);
	*next++ = '.';
	next = write_digits(next, (uint64_t)time->tv_nsec / 1000, 6);
	*next++ = 'Z';
	*next++ = '"';
	put(writer, text, (size_t)(next - text));
	return true;
}

/*
 * The length of the well-formed UTF-8 sequence at `bytes`, or if there is none
 * minus the length of the part that one U+FFFD replaces: the maximal subpart
 * of The Unicode Standard, 3.9. Never looks beyond a terminating NUL, because
 * that is no continuation byte.
 */
static int utf8_length(const uint8_t *bytes)
{
	uint8_t low = 0x80;
	uint8_t high = 0xBF;
	int length = 0;

	/* Table 3-7: overlong forms, surrogates and what lies beyond U+10FFFF show in byte two. */
	if (bytes[0] < 0x80)
		return 1;
	if (bytes[0] >= 0xC2 && bytes[0] <= 0xDF) {
		length = 2;
	} else if ((bytes[0] & 0xF0) == 0xE0) {
		length = 3;
		if (bytes[0] == 0xE0)
			low = 0xA0;
		if (bytes[0] == 0xED)
			high = 0x9F;
	} else if (bytes[0] >= 0xF0 && bytes[0] <= 0xF4) {
		length = 4;
		if (bytes[0] == 0xF0)
			low = 0x90;
		if (bytes[0] == 0xF4)
			high = 0x8F;
	} else {
		return -1;
	}
	if (bytes[1] < low || bytes[1] > high)
		return -1;
	for (int i = 2; i < length; i++)
		if (bytes[i] < 0x80 || bytes[i] > 0xBF)
			return -i;
	return length;
}

/* Whether the byte is a character of its own that stands in JSON as it is. */
static bool is_plain(uint8_t byte)
{
	return byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\';
}

#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))

/* A byte's highest bit is set if it is 0, or if one before it is. */
static uint64_t zeros(uint64_t word)
{
	return (word - EACH_BYTE(1)) & ~word & EACH_BYTE(0x80);
}

/* Whether all of eight bytes are plain. */
static bool are_plain(const uint8_t bytes[8])
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return ((word & EACH_BYTE(0x80)) | ((word - EACH_BYTE(0x20)) & EACH_BYTE(0x80)) |
		zeros(word ^ EACH_BYTE('"')) | zeros(word ^ EACH_BYTE('\\')) |
		zeros(word ^ EACH_BYTE(0x7F))) == 0;
}

/*
 * Writes the character at `*bytes`, which is not plain, as it has to stand in
 * JSON into `text`, moves on by its length in the input, and returns its
 * length in the output. Besides what RFC 8259, 7 asks for, DEL and the C1
 * controls are escaped: a terminal that shows the log would obey them.
 */
static size_t escape(char text[6], const uint8_t **bytes)
{
	static const char hex[] = "0123456789abcdef";
	static const char control_start[] = {'\\', 'u', '0', '0'};
	static const char replacement[] = {'\xEF', '\xBF', '\xBD'}; /* U+FFFD */
	static const char letters[] = "\"\"\\\\\bb\ff\nn\rr\tt";    /* in pairs: what, and how */
	const uint8_t *first = *bytes;
	int length = utf8_length(first);

	*bytes += length < 0 ? -length : length;
	if (length < 0) {
		memcpy(text, replacement, sizeof(replacement));
		return sizeof(replacement);
	}
	if (length == 1) {
		text[0] = '\\';
		for (size_t i = 0; i < sizeof(letters) - 1; i += 2) {
			if (first[0] == (uint8_t)letters[i]) {
				text[1] = letters[i + 1];
				return 2;
			}
		}
	}
	if (length == 1 || (first[0] == 0xC2 && first[1] < 0xA0)) {
		uint8_t control = first[length - 1];

		memcpy(text, control_start, sizeof(control_start));
		text[4] = hex[control >> 4];
		text[5] = hex[control & 0x0F];
		return 6;
	}
	memcpy(text, first, (size_t)length);
	return (size_t)length;
}

/* Texts end at their NUL; one that needs more than `limit` bytes is cut before a character. */
static void put_escaped(struct writer *writer, const char *text, size_t limit)
{
	const uint8_t *bytes = (const uint8_t *)text;
	size_t room = (size_t)(writer->end - writer->position);
	char *stop = writer->position + (limit < room ? limit : room);
	char *next = writer->position;
	const uint8_t *end = bytes + strlen(text);

	while (*bytes != '\0') {
		char escaped[6];
		size_t length = 0;

		for (; end - bytes >= 8 && stop - next >= 8 && are_plain(bytes); bytes += 8) {
			memcpy(next, bytes, 8);
			next += 8;
		}
		while (is_plain(*bytes) && next < stop)
			*next++ = (char)*bytes++;
		if (*bytes == '\0')
			break;
		if (next < stop)
			length = escape(escaped, &bytes);
		if (length == 0 || length > (size_t)(stop - next)) {
			writer->full = writer->full || limit >= room;
			break;
		}
		memcpy(next, escaped, length);
		next += length;
	}
	writer->position = next;
}

static bool put_text(struct writer *writer, const char *text)
{
	if (!text || text[0] == '\0')
		return false;
	PUT_LITERAL(writer, "\"");
	put_escaped(writer, text, writer->text_limit);
	PUT_LITERAL(writer, "\"");
	return true;
}

static bool put_boolean(struct writer *writer, enum record_boolean boolean)
{
	if (boolean == RECORD_TRUE)
		PUT_LITERAL(writer, "true");
	else if (boolean == RECORD_FALSE)
		PUT_LITERAL(writer, "false");
	return boolean == RECORD_TRUE || boolean == RECORD_FALSE;
}

/* An array is opened by its first element, so that one without any is left out. */
static void put_separator(struct writer *writer, bool *opened)
{
	put(writer, *opened ? "," : "[", 1);
	*opened = true;
}

static bool put_versions(struct writer *writer, const struct record_versions *versions)
{
	bool opened = false;

	for (unsigned i = 0; i < versions->count && i < TLS_OFFERED_MAX; i++) {
		const char *name = tls_version_name(versions->version[i]);

		if (!name)
			continue;
		put_separator(writer, &opened);
		put_text(writer, name);
	}
	if (opened)
		PUT_LITERAL(writer, "]");
	return opened;
}

static bool put_witnesses(struct writer *writer, unsigned witnesses)
{
	bool opened = false;

	for (unsigned i = 0; i < WITNESS_NUMBER_END; i++) {
		if (!(witnesses & 1U << i))
			continue;
		put_separator(writer, &opened);
		put_text(writer, record_value_text(RECORD_SET_WITNESS, i + 1));
	}
	if (opened)
		PUT_LITERAL(writer, "]");
	return opened;
}

/* `file:line function`, each part only where it is known. */
static void put_frame(struct writer *writer, const struct origin_frame *frame)
{
	put_escaped(writer, frame->file, SIZE_MAX);
	if (frame->file[0] != '\0' && frame->line != 0) {
		PUT_LITERAL(writer, ":");
		put_number(writer, frame->line);
	}
	if (frame->file[0] != '\0' && frame->function[0] != '\0')
		PUT_LITERAL(writer, " ");
	put_escaped(writer, frame->function, SIZE_MAX);
}

/* One text with a line for each frame, which is what OpenTelemetry's code.stacktrace is. */
static bool put_stack(struct writer *writer, const struct origin *stack)
{
	bool opened = false;

	if (!stack)
		return false;
	for (unsigned i = 0; i < stack->count && i < writer->frame_limit; i++) {
		const struct origin_frame *frame = &stack->frame[i];

		if (frame->file[0] == '\0' && frame->function[0] == '\0')
			continue;
		if (opened)
			PUT_LITERAL(writer, "\\n");
		else
			PUT_LITERAL(writer, "\"");
		opened = true;
		put_frame(writer, frame);
	}
	if (opened)
		PUT_LITERAL(writer, "\"");
	return opened;
}

/* A value of the set that the field's kind names. */
static bool put_value_of_set(struct writer *writer, enum field_kind kind, const void *member)
{
	static const enum record_set sets[] = {
		[ACTION] = RECORD_SET_ACTION,
		[OUTCOME] = RECORD_SET_OUTCOME,
		[PROTOCOL] = RECORD_SET_PROTOCOL,
		[TLS_PROTOCOL] = RECORD_SET_TLS_PROTOCOL,
		[CERTIFICATE] = RECORD_SET_CERTIFICATE,
		[VERDICT] = RECORD_SET_VERDICT,
		[MODE] = RECORD_SET_MODE,
		[TLS_MODE] = RECORD_SET_TLS_MODE,
		[LIMIT] = RECORD_SET_LIMIT,
	};
	unsigned value = 0;

	_Static_assert(sizeof(enum record_action) == sizeof(value), "an enumeration's size");
	memcpy(&value, member, sizeof(value));
	return put_text(writer, record_value_text(sets[kind], value));
}

/* False, and then whatever was written is to be taken back, if the value is not known. */
static bool put_value(struct writer *writer, enum field_kind kind, const void *member)
{
	switch (kind) {
	case TIME:
		return put_time(writer, member);
	case TEXT:
		return put_text(writer, *(const char *const *)member);
	case NUMBER:
		put_number(writer, *(const uint64_t *)member);
		return *(const uint64_t *)member != 0;
	case BOOLEAN:
		return put_boolean(writer, *(const enum record_boolean *)member);
	case VERSION:
		return put_text(writer, tls_version_name(*(const uint16_t *)member));
	case VERSIONS:
		return put_versions(writer, member);
	case WITNESSES:
		return put_witnesses(writer, *(const unsigned *)member);
	case STACK:
		return put_stack(writer, *(const struct origin *const *)member);
	default:
		return put_value_of_set(writer, kind, member);
	}
}

/* The whole line with the knob at `knob`: its length, or 0 if it does not fit. */
static size_t write_line(char *line, const struct record *record, unsigned knob)
{
	struct writer writer = {
		.position = line,
		.end = line + RECORD_LINE_MAX - (sizeof("}\n") - 1),
		.text_limit = knob < RECORD_LINE_MAX ? knob : SIZE_MAX,
		.frame_limit = knob > RECORD_LINE_MAX ? knob - RECORD_LINE_MAX : 0,
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const struct field *field = &fields[i];
		const struct writer before = writer;

		put(&writer, field->key, field->key_length);
		if (!put_value(&writer, field->kind, (const char *)record + field->offset))
			writer = before;
		else if (writer.full)
			return 0;
	}

	/* Every key came with its comma; the first one's place is the brace's. */
	if (writer.position == line)
		writer.position++;
	line[0] = '{';
	memcpy(writer.position, "}\n", 2);
	return (size_t)(writer.position - line) + 2;
}

size_t record_write(char line[RECORD_LINE_MAX], const struct record *record)
{
	size_t length = write_line(line, record, KNOB_OPEN);
	unsigned fits = TEXT_LEAST;
	unsigned too_much = KNOB_OPEN;

	if (length > 0)
		return length;
	while (too_much - fits > 1) {
		unsigned middle = fits + (too_much - fits) / 2;

		if (write_line(line, record, middle) > 0)
			fits = middle;
		else
			too_much = middle;
	}
	return write_line(line, record, fits);
}
