/*
 * Knows the exact form of our recorder's lines; must not know what they mean.
 */
#include "tools/log/scanner.h"

#include "tools/base/utf8.h"

#define KEY_TEXT_MAX 32

/* `,"key":` and the bracket or quote that opens the value; zero bytes behind it. */
struct key {
	char text[KEY_TEXT_MAX + 1];
	uint8_t length;
	uint8_t kind;
};

#define OPEN_TIME         "\""
#define OPEN_TEXT         "\""
#define OPEN_VERSION      "\""
#define OPEN_NUMBER       ""
#define OPEN_BOOLEAN      ""
#define OPEN_VERSIONS     "["
#define OPEN_WITNESSES    "["
#define OPEN_STACK        OPEN_TEXT
#define OPEN_ACTION       OPEN_TEXT
#define OPEN_OUTCOME      OPEN_TEXT
#define OPEN_PROTOCOL     OPEN_TEXT
#define OPEN_TLS_PROTOCOL OPEN_TEXT
#define OPEN_CERTIFICATE  OPEN_TEXT
#define OPEN_VERDICT      OPEN_TEXT
#define OPEN_MODE         OPEN_TEXT
#define OPEN_TLS_MODE     OPEN_TEXT
#define OPEN_LIMIT        OPEN_TEXT

static const struct key keys[ENTRY_FIELDS] = {
#define FIELD(key, kind, member) \
	{",\"" key "\":" OPEN_##kind, sizeof(",\"" key "\":" OPEN_##kind) - 1, ENTRY_KIND_##kind},
#include "shim/record/record_fields.def"
#undef FIELD
};

#define FIRST_KEY "{\"@timestamp\":\""

void scanner_init(struct scanner *scanner)
{
	scanner->index = scanner_index_best();
	for (unsigned field = 0; field < ENTRY_FIELDS; field++)
		scanner->following[field] = (uint8_t)(field + 1 < ENTRY_FIELDS ? field + 1 : field);
}

static uint64_t load_word(const void *at)
{
	uint64_t word = 0;

	memcpy(&word, at, sizeof(word));
	return word;
}

/*
 * Compares all 32 bytes that a key can have and masks out those that it does
 * not: four words without a branch, where memcmp would have a call and several.
 * The padding behind every line makes the loads safe.
 */
static inline bool key_is_at(const char *at, const struct key *key)
{
	static const uint8_t mask[2 * KEY_TEXT_MAX] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	};
	const uint8_t *key_mask = mask + KEY_TEXT_MAX - key->length;
	uint64_t difference = 0;

	for (size_t i = 0; i < KEY_TEXT_MAX; i += sizeof(uint64_t))
		difference |=
			(load_word(at + i) ^ load_word(key->text + i)) & load_word(key_mask + i);
	return difference == 0;
}

/* The field whose key is at `at` and comes after `field` in the table; ENTRY_FIELDS if none. */
static unsigned next_field(struct scanner *scanner, const char *at, unsigned field)
{
	unsigned guess = scanner->following[field];

	if (guess > field && key_is_at(at, &keys[guess]))
		return guess;
	for (unsigned next = field + 1; next < ENTRY_FIELDS; next++) {
		if (key_is_at(at, &keys[next])) {
			scanner->following[field] = (uint8_t)next;
			return next;
		}
	}
	return ENTRY_FIELDS;
}

/* The first quote at or behind `position`; `length` if there is none. */
static inline size_t next_quote(const struct scanner *scanner, size_t position, size_t length)
{
	size_t word = position / 64;
	uint64_t bits = position < length ? scanner->quote[word] >> (position % 64) : 0;

	if (bits)
		return position + (size_t)__builtin_ctzll(bits);
	for (word++; word * 64 < length; word++) {
		if (scanner->quote[word])
			return word * 64 + (size_t)__builtin_ctzll(scanner->quote[word]);
	}
	return length;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		return (c | 0x20) - 'a' + 10;
	return -1;
}

/*
 * The escapes that the recorder writes: the short ones but \/, and \u00XX for
 * other control characters, DEL and C1 included. NUL is never written. Returns
 * the escape's length and its character, or 0 for any other escape, which
 * json_line may accept.
 */
static size_t read_escape(const char *at, size_t left, uint8_t *character)
{
	static const char names[] = "\"\\bfnrt";
	static const char values[] = "\"\\\b\f\n\r\t";
	const char *name = NULL;
	int high = 0;
	int low = 0;

	if (left < 2)
		return 0;
	name = memchr(names, at[1], sizeof(names) - 1);
	if (name) {
		*character = (uint8_t)values[name - names];
		return 2;
	}
	if (left < 6 || memcmp(at, "\\u00", 4) != 0)
		return 0;
	high = hex_digit(at[4]);
	low = hex_digit(at[5]);
	if (high < 0 || low < 0 || high * 16 + low == 0)
		return 0;
	*character = (uint8_t)(high * 16 + low);
	return 6;
}

/* Checks every escape and takes the quotes that are escaped out of the bitmap. */
static bool clear_escaped_quotes(struct scanner *scanner, struct slice line)
{
	size_t position = 0;

	while (position < line.length) {
		const char *at = memchr(line.start + position, '\\', line.length - position);
		uint8_t character = 0;
		size_t length = 0;

		if (!at)
			return true;
		position = (size_t)(at - line.start);
		length = read_escape(at, line.length - position, &character);
		if (!length)
			return false;
		scanner->quote[(position + 1) / 64] &= ~(UINT64_C(1) << ((position + 1) % 64));
		position += length;
	}
	return true;
}

/* Writes the text of `slice` without escapes to `out` and returns its length. */
static size_t unescape(struct slice slice, char *out)
{
	size_t used = 0;

	for (size_t i = 0; i < slice.length;) {
		uint8_t character = (uint8_t)slice.start[i];
		size_t escape = 0;

		if (character == '\\')
			escape = read_escape(slice.start + i, slice.length - i, &character);
		/* Above ASCII, an escaped character takes two bytes of UTF-8. */
		if (escape && character >= 0x80) {
			out[used++] = (char)(0xc0 | character >> 6);
			character = 0x80 | (character & 0x3f);
		}
		out[used++] = (char)character;
		i += escape ? escape : 1;
	}
	return used;
}

/*
 * Texts that have escapes move into the scanner's own room. The recorder never escapes the names of
 * versions and witnesses: a line in which they are spelt so is left to json_line, since they are
 * compared as they stand.
 */
static bool unescape_texts(struct scanner *scanner, struct entry *entry)
{
	char *out = scanner->unescaped;

	for (unsigned field = 0; field < ENTRY_FIELDS; field++) {
		struct slice text = entry_get(entry, field);
		size_t length = 0;

		if (!memchr(text.start, '\\', text.length))
			continue;
		if (keys[field].kind > ENTRY_KIND_TEXT)
			return false;
		length = unescape(text, out);
		entry_set(entry, field, out, length);
		out += length;
	}
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Behind a number as the recorder writes it: no sign, fraction, leading zero or overflow. */
static size_t number_end(const char *text, size_t position)
{
	size_t end = position;

	while (is_digit(text[end]) && end - position <= 18)
		end++;
	if (end - position > 18 || (end - position > 1 && text[position] == '0'))
		return position;
	return end;
}

static size_t boolean_end(const char *text, size_t position)
{
	if (memcmp(text + position, "true", 4) == 0)
		return position + 4;
	if (memcmp(text + position, "false", 5) == 0)
		return position + 5;
	return position;
}

/* The position of the bracket that closes an array of texts; 0 if it is none. */
static size_t array_end(const struct scanner *scanner, struct slice line, size_t position)
{
	for (;;) {
		size_t end = 0;

		if (position >= line.length || line.start[position] != '"')
			return 0;
		end = next_quote(scanner, position + 1, line.length);
		if (end + 1 >= line.length)
			return 0;
		if (line.start[end + 1] == ']')
			return end + 1;
		if (line.start[end + 1] != ',')
			return 0;
		position = end + 2;
	}
}

/* Takes the value that starts at `position`; returns the position behind it, 0 if it is none. */
static inline size_t parse_value(struct scanner *scanner, struct slice line, size_t position,
				 unsigned field, struct entry *entry)
{
	const char *text = line.start;
	size_t end = 0;
	size_t closing = 1; /* the quote or bracket behind the value */

	switch (keys[field].kind) {
	case ENTRY_KIND_NUMBER:
		end = number_end(text, position);
		closing = 0;
		break;
	case ENTRY_KIND_BOOLEAN:
		end = boolean_end(text, position);
		closing = 0;
		break;
	case ENTRY_KIND_VERSIONS:
	case ENTRY_KIND_WITNESSES:
		end = array_end(scanner, line, position);
		break;
	default:
		end = next_quote(scanner, position, line.length);
		break;
	}
	if (end + closing >= line.length || (closing == 0 && end == position) || end == 0)
		return 0;
	entry_set(entry, field, text + position, end - position);
	return end + closing;
}

/* The walk from key to key over a line that has been indexed. */
static bool parse_fields(struct scanner *scanner, struct slice line, struct entry *entry)
{
	size_t position = sizeof(FIRST_KEY) - 1;
	unsigned field = ENTRY_timestamp;

	for (;;) {
		position = parse_value(scanner, line, position, field, entry);
		if (position == 0)
			return false;
		if (line.start[position] == '}')
			return position + 1 == line.length;
		field = next_field(scanner, line.start + position, field);
		if (field == ENTRY_FIELDS)
			return false;
		position += keys[field].length;
	}
}

bool scanner_read(struct scanner *scanner, struct slice line, struct entry *entry)
{
	unsigned flags = 0;

	entry_clear(entry);
	if (line.length < sizeof(FIRST_KEY) || line.length > SCANNER_LINE_MAX ||
	    memcmp(line.start, FIRST_KEY, sizeof(FIRST_KEY) - 1) != 0)
		return false;
	flags = scanner->index(line.start, line.length, scanner->quote);
	if ((flags & SCANNER_UNUSUAL) && !utf8_is_clean(line))
		return false;
	if ((flags & SCANNER_BACKSLASH) && !clear_escaped_quotes(scanner, line))
		return false;
	if (!parse_fields(scanner, line, entry))
		goto not_mine;
	if ((flags & SCANNER_BACKSLASH) && !unescape_texts(scanner, entry))
		goto not_mine;
	return true;

not_mine:
	entry_clear(entry);
	return false;
}
