/*
 * Knows the form of our recorder's lines, and what shippers make of it; must not know what
 * they mean.
 */
#include "tools/log/scanner.h"

#include "tools/base/utf8.h"

#define KEY_TEXT_MAX 32

/* `,"key":` and the bracket or quote that opens the value; zero bytes behind it. */
struct key {
	char text[KEY_TEXT_MAX + 1];
	uint8_t length;
	uint8_t name_length; /* of the key alone */
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
#define FIELD(key, kind, member)                                                                \
	{",\"" key "\":" OPEN_##kind, sizeof(",\"" key "\":" OPEN_##kind) - 1, sizeof(key) - 1, \
	 ENTRY_KIND_##kind},
#include "shim/record/record_fields.def"
#undef FIELD
};

#define FIELD(key, kind, member)                                                        \
	_Static_assert(sizeof(",\"" key "\":" OPEN_##kind) > sizeof(uint64_t) &&        \
			       sizeof(",\"" key "\":" OPEN_##kind) <= KEY_TEXT_MAX + 1, \
		       "as key_is_at compares: " key);
#include "shim/record/record_fields.def"
#undef FIELD

#define FIRST_KEY "{\"@timestamp\":\""

/* Before the name of a key of the table, in its text. */
#define NAME_AT 2

static unsigned name_hash(const char *name, size_t length)
{
	const unsigned char *byte = (const unsigned char *)name;

	return ((unsigned)length * 7U + byte[length - 1] * 31U + byte[length / 2] * 13U +
		byte[length - (length > 3 ? 4 : 1)]) %
	       SCANNER_NAMES;
}

/* Keys by their names, for lines that have others too, or ours in another order. */
static void index_names(struct scanner *scanner)
{
	memset(scanner->names, ENTRY_FIELDS, sizeof(scanner->names));
	for (unsigned field = 0; field < ENTRY_FIELDS; field++) {
		unsigned at = name_hash(keys[field].text + NAME_AT, keys[field].name_length);

		while (scanner->names[at] < ENTRY_FIELDS)
			at = (at + 1) % SCANNER_NAMES;
		scanner->names[at] = (uint8_t)field;
	}
}

/* ENTRY_FIELDS if it is none of ours. */
static unsigned field_of_name(const struct scanner *scanner, const char *name, size_t length)
{
	unsigned at = 0;

	if (length == 0 || length > KEY_TEXT_MAX)
		return ENTRY_FIELDS;
	for (at = name_hash(name, length); scanner->names[at] < ENTRY_FIELDS;
	     at = (at + 1) % SCANNER_NAMES) {
		const struct key *key = &keys[scanner->names[at]];

		if (key->name_length == length && memcmp(key->text + NAME_AT, name, length) == 0)
			return scanner->names[at];
	}
	return ENTRY_FIELDS;
}

void scanner_init(struct scanner *scanner)
{
	index_names(scanner);
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
 * Two words from either end, which overlap, and of a long key the two within: no loop and no
 * mask, where memcmp would have a call and more. No key is shorter than a word or longer than
 * four.
 */
static inline bool key_is_at(const char *at, const struct key *key)
{
	const char *text = key->text;
	size_t last = key->length - sizeof(uint64_t);
	uint64_t difference =
		(load_word(at) ^ load_word(text)) | (load_word(at + last) ^ load_word(text + last));

	if (key->length > 2 * sizeof(uint64_t)) {
		difference |= load_word(at + 8) ^ load_word(text + 8);
		difference |= load_word(at + last - 8) ^ load_word(text + last - 8);
	}
	return difference == 0;
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

/* Checks every escape, notes where they are, and takes the quotes that are escaped out of the
 * bitmap. */
static bool clear_escaped_quotes(struct scanner *scanner, struct slice line)
{
	const char *at = memchr(line.start, '\\', line.length);

	scanner->escapes = (struct slice){at, 0};
	scanner->has_codes = false;
	while (at) {
		size_t position = (size_t)(at - line.start);
		uint8_t character = 0;
		size_t length = read_escape(at, line.length - position, &character);

		if (!length)
			return false;
		scanner->has_codes |= at[1] == 'u';
		scanner->escapes.length = (size_t)(at - scanner->escapes.start) + length;
		scanner->quote[(position + 1) / 64] &= ~(UINT64_C(1) << ((position + 1) % 64));
		position += length;
		at = memchr(line.start + position, '\\', line.length - position);
	}
	return true;
}

size_t scanner_unescape(struct slice slice, char *out)
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
	const char *begin = scanner->escapes.start;
	const char *end = begin + scanner->escapes.length;
	bool leaves_stack = scanner->stack_as_it_stands && !scanner->has_codes;
	struct slice stack = entry_get(entry, ENTRY_stack);
	char *out = scanner->unescaped;

	/* Mostly: between the lines of the stack alone. */
	if (leaves_stack && stack.start <= begin && end <= stack.start + stack.length)
		return true;
	for (uint64_t left = entry->present; left; left &= left - 1) {
		unsigned field = (unsigned)__builtin_ctzll(left);
		struct slice text = entry->field[field];
		size_t length = 0;

		if (text.start + text.length <= begin || text.start >= end ||
		    (leaves_stack && field == ENTRY_stack) ||
		    !memchr(text.start, '\\', text.length))
			continue;
		if (keys[field].kind > ENTRY_KIND_TEXT)
			return false;
		length = scanner_unescape(text, out);
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

/*
 * Takes the value that starts at `position`; returns the position behind it, 0 if it is none.
 * That the field is there is for the caller to note.
 */
static inline size_t parse_value(const struct scanner *scanner, struct slice line, size_t position,
				 const struct key *key, struct slice *value)
{
	const char *text = line.start;
	size_t end = 0;
	size_t behind = 0;

	if (key->kind <= ENTRY_KIND_VERSION) {
		end = next_quote(scanner, position, line.length);
		behind = end + 1;
	} else if (key->kind <= ENTRY_KIND_BOOLEAN) {
		end = key->kind == ENTRY_KIND_NUMBER ? number_end(text, position)
						     : boolean_end(text, position);
		behind = end;
		if (end == position)
			return 0;
	} else {
		end = array_end(scanner, line, position);
		behind = end + 1;
		if (end == 0)
			return 0;
	}
	if (behind >= line.length)
		return 0;
	*value = (struct slice){text + position, end - position};
	return behind;
}

/* ---- keys that are not ours, or not where they are in our lines ---- */

/*
 * A number that any parser of JSON takes (RFC 8259, 6), and none for its size: no exponent,
 * at most 18 digits. Returns the position behind it, or `position`.
 */
static size_t plain_number_end(const char *text, size_t position)
{
	size_t begin = position + (text[position] == '-');
	size_t end = number_end(text, begin);
	size_t fraction = end + 1;

	if (end == begin || text[end] != '.')
		return end == begin ? position : end;
	while (is_digit(text[fraction]) && fraction - end <= 18)
		fraction++;
	return fraction > end + 1 && fraction - end <= 18 ? fraction : position;
}

/* Behind a value that is neither object nor array; 0 if it is none, or one for json_line. */
static size_t scalar_end(const struct scanner *scanner, struct slice line, size_t position)
{
	const char *text = line.start;
	size_t end = position;

	switch (text[position]) {
	case '"':
		end = next_quote(scanner, position + 1, line.length);
		return end < line.length ? end + 1 : 0;
	case 't':
	case 'f':
		end = boolean_end(text, position);
		break;
	case 'n':
		end += memcmp(text + position, "null", 4) == 0 ? 4 : 0;
		break;
	default:
		end = plain_number_end(text, position);
		break;
	}
	return end > position && end < line.length ? end : 0;
}

/* The same of an array of such values, too. */
static size_t skipped_end(const struct scanner *scanner, struct slice line, size_t position)
{
	if (line.start[position] != '[')
		return scalar_end(scanner, line, position);
	position++;
	if (position < line.length && line.start[position] == ']')
		return position + 1;
	for (;;) {
		position = scalar_end(scanner, line, position);
		if (position == 0 || position + 1 >= line.length)
			return 0;
		if (line.start[position] == ']')
			return position + 1;
		if (line.start[position++] != ',')
			return 0;
	}
}

/* The names of the objects that the walk is in, "tls.server.", and where each ends. */
struct nest {
	char name[KEY_TEXT_MAX + 1];
	size_t length[SCANNER_DEPTH];
	unsigned depth;
	/* Of objects that were there: the last of two with one name is the one that counts, so a
	 * name that comes again is left to json_line. */
	struct slice seen[SCANNER_OBJECTS];
	unsigned seen_count;
};

static bool was_object(const struct nest *nest, struct slice name)
{
	for (unsigned i = 0; i < nest->seen_count; i++) {
		if (slice_equal(nest->seen[i], name))
			return true;
	}
	return false;
}

/* Enters the object of this name; false if it is one for json_line. */
static bool enter(struct nest *nest, struct slice name)
{
	size_t used = nest->depth ? nest->length[nest->depth - 1] : 0;

	if (nest->depth == SCANNER_DEPTH || nest->seen_count == SCANNER_OBJECTS ||
	    used + name.length + 1 > KEY_TEXT_MAX || name.length == 0)
		return false;
	nest->seen[nest->seen_count++] = name;
	memcpy(nest->name + used, name.start, name.length);
	nest->name[used + name.length] = '.';
	nest->length[nest->depth++] = used + name.length + 1;
	return true;
}

/* The field of a name within the objects that the walk is in. */
static unsigned nested_field(const struct scanner *scanner, const struct nest *nest,
			     struct slice name)
{
	size_t used = nest->depth ? nest->length[nest->depth - 1] : 0;
	char whole[KEY_TEXT_MAX + 1];

	if (used == 0)
		return field_of_name(scanner, name.start, name.length);
	if (used + name.length > KEY_TEXT_MAX)
		return ENTRY_FIELDS;
	memcpy(whole, nest->name, used);
	memcpy(whole + used, name.start, name.length);
	return field_of_name(scanner, whole, used + name.length);
}

/* Texts that another program may have wrapped a record in. */
static void note_message(struct scanner *scanner, struct slice name, struct slice value)
{
	if (slice_is(name, "MESSAGE"))
		scanner->message[0] = value;
	else if (slice_is(name, "message"))
		scanner->message[1] = value;
	else if (slice_is(name, "log"))
		scanner->message[2] = value;
}

/* What opens the value of a field, as our lines have it; 0: nothing. */
static char opening_of(unsigned field)
{
	const struct key *key = &keys[field];
	const char last = key->text[key->length - 1];

	if (last == ':')
		return 0;
	return last;
}

/*
 * Takes the key at `position`, behind a brace or comma, and its value, whatever it is;
 * returns the position behind it, or 0 if json_line has to look.
 */
static size_t take_any(struct scanner *scanner, struct slice line, size_t position,
		       struct nest *nest, struct entry *entry)
{
	const char *text = line.start;
	size_t name_end = 0;
	struct slice name;
	unsigned field = ENTRY_FIELDS;
	char opening = 0;

	if (position >= line.length || text[position] != '"')
		return 0;
	name_end = next_quote(scanner, position + 1, line.length);
	if (name_end + 2 >= line.length || text[name_end + 1] != ':')
		return 0;
	name = (struct slice){text + position + 1, name_end - position - 1};
	position = name_end + 2;
	if (memchr(name.start, '\\', name.length) || was_object(nest, name))
		return 0;
	if (text[position] == '{')
		return enter(nest, name) ? position + 1 : 0;
	field = nested_field(scanner, nest, name);
	if (field == ENTRY_FIELDS || text[position] == 'n') {
		size_t end = skipped_end(scanner, line, position);

		if (nest->depth == 0 && end && text[position] == '"')
			note_message(scanner, name,
				     (struct slice){text + position + 1, end - position - 2});
		return end;
	}
	opening = opening_of(field);
	if (entry_has(entry, field) || (opening && text[position] != opening))
		return 0;
	entry->present |= UINT64_C(1) << field;
	return parse_value(scanner, line, position + (opening != 0), &keys[field],
			   &entry->field[field]);
}

/* On from `position`, behind a value or within the braces of an object, to the end. */
static bool parse_any(struct scanner *scanner, struct slice line, size_t position,
		      struct entry *entry)
{
	struct nest nest = {.depth = 0};
	bool begins = position == 1;

	for (;;) {
		if (position >= line.length)
			return false;
		if (!begins && line.start[position] == '}') {
			position++;
			if (nest.depth-- == 0)
				return position == line.length;
			continue;
		}
		if (!begins && line.start[position++] != ',')
			return false;
		position = take_any(scanner, line, position, &nest, entry);
		if (position == 0)
			return false;
		/* An empty object is one for json_line. */
		begins = line.start[position - 1] == '{';
	}
}

/* The field whose key, and what opens its value, is at `position`; ENTRY_FIELDS if none is. */
static unsigned known_key(const struct scanner *scanner, struct slice line, size_t position)
{
	const char *name = line.start + position + NAME_AT;
	size_t end = next_quote(scanner, position + NAME_AT, line.length);
	unsigned field = ENTRY_FIELDS;

	if (position + NAME_AT >= line.length || line.start[position + 1] != '"')
		return ENTRY_FIELDS;
	field = field_of_name(scanner, name, end - position - NAME_AT);
	if (field < ENTRY_FIELDS && !key_is_at(line.start + position, &keys[field]))
		return ENTRY_FIELDS;
	return field;
}

/* The walk from key to key over a line that has been indexed. */
static bool parse_fields(struct scanner *scanner, struct slice line, struct entry *entry)
{
	size_t position = sizeof(FIRST_KEY) - 1;
	unsigned field = ENTRY_timestamp;
	const struct key *key = &keys[field];
	uint64_t present = 0; /* entry->present, which each value would write and read again */

	if (memcmp(line.start, FIRST_KEY, sizeof(FIRST_KEY) - 1) != 0)
		return parse_any(scanner, line, 1, entry);
	for (;;) {
		unsigned before = field;

		position = parse_value(scanner, line, position, key, &entry->field[field]);
		if (position == 0)
			return false;
		present |= UINT64_C(1) << field;
		if (line.start[position] == '}') {
			entry->present = present;
			return position + 1 == line.length;
		}
		/* Guessed from the line before: ours are much alike. */
		field = scanner->following[before];
		key = &keys[field];
		if (!key_is_at(line.start + position, key) || (present >> field & 1)) {
			field = known_key(scanner, line, position);
			if (field == ENTRY_FIELDS || (present >> field & 1)) {
				entry->present = present;
				return parse_any(scanner, line, position, entry);
			}
			scanner->following[before] = (uint8_t)field;
			key = &keys[field];
		}
		position += key->length;
	}
}

/* The walk over a line, and its texts without their escapes. */
static bool parse_line(struct scanner *scanner, struct slice line, struct entry *entry)
{
	unsigned flags = scanner->index(line.start, line.length, scanner->quote);

	entry_clear(entry);
	memset(scanner->message, 0, sizeof(scanner->message));
	if ((flags & SCANNER_UNUSUAL) && !utf8_is_clean(line))
		return false;
	if ((flags & SCANNER_BACKSLASH) && !clear_escaped_quotes(scanner, line))
		return false;
	return parse_fields(scanner, line, entry) &&
	       (!(flags & SCANNER_BACKSLASH) || unescape_texts(scanner, entry));
}

/* Where a blank parts nothing: beside what parts by itself. */
static bool parts(char c)
{
	return c == ':' || c == ',' || c == '{' || c == '}' || c == '[' || c == ']';
}

/*
 * The line without the blanks that writers of JSON put beside colons and commas, in the
 * scanner's own room; its quotes are known. What has none comes back as long as it was.
 */
static struct slice without_blanks(struct scanner *scanner, struct slice line)
{
	char *out = scanner->compact;
	size_t used = 0;
	bool within = false; /* a text */

	for (size_t at = 0; at < line.length;) {
		size_t quote = next_quote(scanner, at, line.length);
		size_t end = quote < line.length ? quote + 1 : line.length;

		for (; !within && at < end; at++) {
			char c = line.start[at];

			if (c == ' ' && used > 0 && parts(out[used - 1]))
				continue;
			while (parts(c) && used > 0 && out[used - 1] == ' ')
				used--;
			out[used++] = c;
		}
		if (within) {
			memcpy(out + used, line.start + at, end - at);
			used += end - at;
			at = end;
		}
		within = !within;
	}
	return (struct slice){out, used};
}

bool scanner_read(struct scanner *scanner, struct slice line, struct entry *entry)
{
	struct slice compact = {NULL, 0};

	entry_clear(entry);
	if (line.length < sizeof(FIRST_KEY) || line.length > SCANNER_LINE_MAX ||
	    line.start[0] != '{')
		return false;
	if (parse_line(scanner, line, entry))
		return true;
	compact = without_blanks(scanner, line);
	if (compact.length < line.length && parse_line(scanner, compact, entry))
		return true;
	entry_clear(entry);
	return false;
}
