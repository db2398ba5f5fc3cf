/*
 * The server's certificate in words.
 *
 * Knows as much of DER as it takes to find two names and a date; must not know
 * whose certificate it is or whether to trust it.
 */
#include "shim/wire/certificate_name.h"

#include <string.h>

/* Identifier octets (X.690, 8.1.2, and X.680, 8.6). */
enum tag {
	TAG_INTEGER = 0x02,
	TAG_OBJECT_IDENTIFIER = 0x06,
	TAG_UTF8_STRING = 0x0C,
	TAG_NUMERIC_STRING = 0x12,
	TAG_PRINTABLE_STRING = 0x13,
	TAG_TELETEX_STRING = 0x14, /* T.61 in name; in the field, Latin-1 */
	TAG_IA5_STRING = 0x16,
	TAG_UTC_TIME = 0x17,
	TAG_GENERALIZED_TIME = 0x18,
	TAG_VISIBLE_STRING = 0x1A,
	TAG_UNIVERSAL_STRING = 0x1C,
	TAG_BMP_STRING = 0x1E,
	TAG_SEQUENCE = 0x30,
	TAG_SET = 0x31,
	TAG_VERSION = 0xA0, /* [0] of TBSCertificate */
};

struct bytes {
	const uint8_t *next;
	size_t left;
};

/* One type, length and value. */
struct element {
	uint8_t tag;
	struct bytes value;
	struct bytes whole;
};

/* --- DER --- */

static uint8_t consume_byte(struct bytes *from)
{
	from->left--;
	return *from->next++;
}

/*
 * Takes the length octets. Four bytes of length are more than any certificate
 * has; the indefinite form is no DER. That a length is as short as can be is
 * not checked, because nothing depends on it.
 */
static bool consume_length(struct bytes *from, size_t *length)
{
	uint8_t count = 0;

	if (from->left == 0)
		return false;
	*length = consume_byte(from);
	if (*length < 0x80)
		return true;
	count = *length & 0x7F;
	if (count == 0 || count > 4 || count > from->left)
		return false;
	for (*length = 0; count > 0; count--)
		*length = *length << 8 | consume_byte(from);
	return true;
}

static bool consume_element(struct bytes *from, struct element *element)
{
	const uint8_t *start = from->next;
	size_t length = 0;

	if (from->left == 0)
		return false;
	element->tag = consume_byte(from);
	/* Tag numbers of 31 and more take further octets; nothing here has them. */
	if ((element->tag & 0x1F) == 0x1F)
		return false;
	if (!consume_length(from, &length) || length > from->left)
		return false;
	element->value = (struct bytes){from->next, length};
	from->next += length;
	from->left -= length;
	element->whole = (struct bytes){start, (size_t)(from->next - start)};
	return true;
}

static bool consume_tagged(struct bytes *from, enum tag tag, struct element *element)
{
	return consume_element(from, element) && element->tag == tag;
}

/* --- characters --- */

#define NO_CHARACTER UINT32_MAX

/* The bytes of one character in a string of this type; 0 where it is UTF-8's to say. */
static unsigned character_width(uint8_t tag)
{
	switch (tag) {
	case TAG_BMP_STRING:
		return 2;
	case TAG_UNIVERSAL_STRING:
		return 4;
	case TAG_UTF8_STRING:
		return 0;
	default:
		return 1;
	}
}

static bool is_string(uint8_t tag)
{
	return tag == TAG_UTF8_STRING || tag == TAG_NUMERIC_STRING || tag == TAG_PRINTABLE_STRING ||
	       tag == TAG_TELETEX_STRING || tag == TAG_IA5_STRING || tag == TAG_VISIBLE_STRING ||
	       tag == TAG_UNIVERSAL_STRING || tag == TAG_BMP_STRING;
}

/* A character that Unicode has: no surrogate, and none beyond the last plane. */
static bool is_character(uint32_t character)
{
	return character <= 0x10FFFF && (character < 0xD800 || character > 0xDFFF);
}

/* RFC 3629, 3 and 4: the shortest form only. */
static uint32_t consume_utf8(struct bytes *from)
{
	static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
	uint8_t first = consume_byte(from);
	uint32_t character = 0;
	unsigned more = 0;

	if (first < 0x80)
		return first;
	if ((first & 0xE0) == 0xC0)
		more = 1;
	else if ((first & 0xF0) == 0xE0)
		more = 2;
	else if ((first & 0xF8) == 0xF0)
		more = 3;
	if (more == 0 || more > from->left)
		return NO_CHARACTER;
	character = first & (0x3FU >> more);
	for (unsigned i = 0; i < more; i++) {
		uint8_t byte = consume_byte(from);

		if ((byte & 0xC0) != 0x80)
			return NO_CHARACTER;
		character = character << 6 | (byte & 0x3FU);
	}
	return character < least[more] ? NO_CHARACTER : character;
}

/* The next character of a string that is not at its end. */
static uint32_t consume_character(struct bytes *from, uint8_t tag)
{
	unsigned width = character_width(tag);
	uint32_t character = 0;

	if (width == 0) {
		character = consume_utf8(from);
	} else {
		if (width > from->left)
			return NO_CHARACTER;
		for (unsigned i = 0; i < width; i++)
			character = character << 8 | consume_byte(from);
	}
	return is_character(character) ? character : NO_CHARACTER;
}

static bool has_characters(const struct element *element)
{
	struct bytes rest = element->value;

	if (!is_string(element->tag))
		return false;
	while (rest.left > 0)
		if (consume_character(&rest, element->tag) == NO_CHARACTER)
			return false;
	return true;
}

static size_t encode_utf8(char text[4], uint32_t character)
{
	if (character < 0x80) {
		text[0] = (char)character;
		return 1;
	}
	if (character < 0x800) {
		text[0] = (char)(0xC0 | character >> 6);
		text[1] = (char)(0x80 | (character & 0x3F));
		return 2;
	}
	if (character < 0x10000) {
		text[0] = (char)(0xE0 | character >> 12);
		text[1] = (char)(0x80 | (character >> 6 & 0x3F));
		text[2] = (char)(0x80 | (character & 0x3F));
		return 3;
	}
	text[0] = (char)(0xF0 | character >> 18);
	text[1] = (char)(0x80 | (character >> 12 & 0x3F));
	text[2] = (char)(0x80 | (character >> 6 & 0x3F));
	text[3] = (char)(0x80 | (character & 0x3F));
	return 4;
}

/* --- the text --- */

/* Once something did not fit, the text ends there. */
struct writer {
	char *next;
	size_t left;
	bool full;
};

static void put(struct writer *writer, const char *text, size_t length)
{
	writer->full = writer->full || length > writer->left;
	if (writer->full)
		return;
	memcpy(writer->next, text, length);
	writer->next += length;
	writer->left -= length;
}

/* Two digits, in `pair`. */
static void write_hex(char pair[2], uint8_t byte)
{
	static const char hex[] = "0123456789ABCDEF";

	pair[0] = hex[byte >> 4];
	pair[1] = hex[byte & 0x0F];
}

/* RFC 4514, 2.4: `#` and the value's own DER. */
static void put_hex(struct writer *writer, struct bytes der)
{
	put(writer, "#", 1);
	while (der.left > 0 && !writer->full) {
		char pair[2];

		write_hex(pair, consume_byte(&der));
		put(writer, pair, sizeof(pair));
	}
}

/* RFC 4514, 2.4: these anywhere, a number sign at the start, a space at either end. */
static bool needs_backslash(uint32_t character, bool first, bool last)
{
	switch (character) {
	case '"':
	case '+':
	case ',':
	case ';':
	case '<':
	case '>':
	case '\\':
		return true;
	case '#':
		return first;
	case ' ':
		return first || last;
	default:
		return false;
	}
}

static void put_character(struct writer *writer, uint32_t character, bool first, bool last)
{
	char text[5] = "\\";

	if (character < 0x20 || character == 0x7F) {
		write_hex(text + 1, (uint8_t)character);
		put(writer, text, 3);
	} else if (needs_backslash(character, first, last)) {
		text[1] = (char)character;
		put(writer, text, 2);
	} else {
		put(writer, text, encode_utf8(text, character));
	}
}

static void put_string(struct writer *writer, const struct element *string)
{
	struct bytes rest = string->value;

	while (rest.left > 0 && !writer->full) {
		bool first = rest.left == string->value.left;
		uint32_t character = consume_character(&rest, string->tag);

		put_character(writer, character, first, rest.left == 0);
	}
}

static void put_number(struct writer *writer, uint64_t number)
{
	char digits[20];
	size_t first = sizeof(digits);

	do {
		digits[--first] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	put(writer, digits + first, sizeof(digits) - first);
}

/* --- attribute types --- */

/* One arc of an object identifier: base 128, most significant first (X.690, 8.19.2). */
static bool consume_arc(struct bytes *from, uint64_t *arc)
{
	uint8_t byte = 0x80;

	*arc = 0;
	if (from->left == 0 || from->next[0] == 0x80)
		return false;
	while (byte & 0x80) {
		if (from->left == 0 || *arc >> 57 != 0)
			return false;
		byte = consume_byte(from);
		*arc = *arc << 7 | (byte & 0x7F);
	}
	return true;
}

static bool is_object_identifier(struct bytes arcs)
{
	uint64_t arc = 0;

	do {
		if (!consume_arc(&arcs, &arc))
			return false;
	} while (arcs.left > 0);
	return true;
}

static void put_dotted(struct writer *writer, struct bytes arcs)
{
	uint64_t arc = 0;

	/* The first number holds two arcs (X.690, 8.19.4). */
	consume_arc(&arcs, &arc);
	put_number(writer, arc < 80 ? arc / 40 : 2);
	put(writer, ".", 1);
	put_number(writer, arc < 80 ? arc % 40 : arc - 80);
	while (arcs.left > 0 && consume_arc(&arcs, &arc)) {
		put(writer, ".", 1);
		put_number(writer, arc);
	}
}

/* The table of RFC 4514, 3. */
static const struct {
	const char *name;
	uint8_t length;
	uint8_t arcs[10];
} attribute_types[] = {
	{"CN", 3, {0x55, 4, 3}},
	{"L", 3, {0x55, 4, 7}},
	{"ST", 3, {0x55, 4, 8}},
	{"O", 3, {0x55, 4, 10}},
	{"OU", 3, {0x55, 4, 11}},
	{"C", 3, {0x55, 4, 6}},
	{"STREET", 3, {0x55, 4, 9}},
	{"DC", 10, {0x09, 0x92, 0x26, 0x89, 0x93, 0xF2, 0x2C, 0x64, 1, 25}},
	{"UID", 10, {0x09, 0x92, 0x26, 0x89, 0x93, 0xF2, 0x2C, 0x64, 1, 1}},
};

static const char *attribute_name(struct bytes arcs)
{
	for (size_t i = 0; i < sizeof(attribute_types) / sizeof(attribute_types[0]); i++)
		if (arcs.left == attribute_types[i].length &&
		    memcmp(arcs.next, attribute_types[i].arcs, arcs.left) == 0)
			return attribute_types[i].name;
	return NULL;
}

/* --- names --- */

/* AttributeTypeAndValue ::= SEQUENCE { type, value } (RFC 5280, 4.1.2.4). */
static bool read_attribute(const struct element *attribute, struct element *type,
			   struct element *value)
{
	struct bytes rest = attribute->value;

	return attribute->tag == TAG_SEQUENCE &&
	       consume_tagged(&rest, TAG_OBJECT_IDENTIFIER, type) &&
	       is_object_identifier(type->value) && consume_element(&rest, value) && rest.left == 0;
}

static void put_attribute(struct writer *writer, const struct element *attribute)
{
	struct element type;
	struct element value;
	const char *name;

	if (!read_attribute(attribute, &type, &value))
		return;
	name = attribute_name(type.value);
	if (name)
		put(writer, name, strlen(name));
	else
		put_dotted(writer, type.value);
	put(writer, "=", 1);
	if (name && has_characters(&value))
		put_string(writer, &value);
	else
		put_hex(writer, value.whole);
}

/*
 * Calls `element` on the members of a sequence or set from the last to the
 * first, which is the order of RFC 4514, 2.1. DER can be walked forwards only,
 * so each is walked to anew; it ends with the room for the text, so a name of
 * thousands of parts costs no more than its first few.
 */
static void put_backwards(struct writer *writer, struct bytes members, const char *separator,
			  void (*put_member)(struct writer *writer, const struct element *member))
{
	struct bytes rest = members;
	struct element member;
	size_t count = 0;

	while (consume_element(&rest, &member))
		count++;
	for (size_t i = count; i > 0 && !writer->full; i--) {
		rest = members;
		for (size_t j = 0; j < i; j++)
			consume_element(&rest, &member);
		if (i < count)
			put(writer, separator, 1);
		put_member(writer, &member);
	}
}

/* RelativeDistinguishedName ::= SET SIZE (1..MAX) OF AttributeTypeAndValue. */
static void put_relative_name(struct writer *writer, const struct element *set)
{
	put_backwards(writer, set->value, "+", put_attribute);
}

static bool is_relative_name(const struct element *set)
{
	struct bytes rest = set->value;
	struct element attribute;
	struct element type;
	struct element value;

	if (set->tag != TAG_SET)
		return false;
	do {
		if (!consume_element(&rest, &attribute) ||
		    !read_attribute(&attribute, &type, &value))
			return false;
	} while (rest.left > 0);
	return true;
}

static bool is_name(const struct element *name)
{
	struct bytes rest = name->value;
	struct element set;

	while (rest.left > 0)
		if (!consume_element(&rest, &set) || !is_relative_name(&set))
			return false;
	return name->tag == TAG_SEQUENCE;
}

size_t certificate_name_write(char *text, size_t room, const uint8_t *der, size_t length)
{
	struct writer writer = {.next = text, .left = room};
	struct bytes rest = {der, length};
	struct element name;

	if (room == 0)
		return 0;
	text[0] = '\0';
	writer.left--;
	if (!consume_element(&rest, &name) || rest.left > 0 || !is_name(&name))
		return 0;
	put_backwards(&writer, name.value, ",", put_relative_name);
	*writer.next = '\0';
	return (size_t)(writer.next - text);
}

/* --- times --- */

/* `count` digits, or -1 if one is none. */
static int read_digits(const uint8_t *digits, unsigned count)
{
	int number = 0;

	for (unsigned i = 0; i < count; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			return -1;
		number = number * 10 + (digits[i] - '0');
	}
	return number;
}

static int days_of_month(int year, int month)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

static bool is_moment(int year, const int part[5])
{
	return year >= 0 && part[0] >= 1 && part[0] <= 12 && part[1] >= 1 &&
	       part[1] <= days_of_month(year, part[0]) && part[2] >= 0 && part[2] <= 23 &&
	       part[3] >= 0 && part[3] <= 59 && part[4] >= 0 && part[4] <= 59;
}

static char *write_digits(char *text, int number, unsigned count)
{
	for (unsigned i = count; i > 0; i--) {
		text[i - 1] = (char)('0' + number % 10);
		number /= 10;
	}
	return text + count;
}

/* `part`: month, day, hour, minute, second. */
static bool read_moment(int *year, int part[5], const uint8_t *digits, size_t length,
			bool generalized)
{
	const unsigned year_digits = generalized ? 4 : 2;

	if (length != year_digits + 11 || digits[length - 1] != 'Z')
		return false;
	*year = read_digits(digits, year_digits);
	/* RFC 5280, 4.1.2.5.1: two digits are of 1950 to 2049. */
	if (!generalized && *year >= 0)
		*year += *year < 50 ? 2000 : 1900;
	for (unsigned i = 0; i < 5; i++)
		part[i] = read_digits(digits + year_digits + (size_t)2 * i, 2);
	return is_moment(*year, part);
}

/* Days since 1970-01-01, in years that begin in March (Howard Hinnant's days_from_civil). */
static int64_t days_since_1970(int year, int month, int day)
{
	const int64_t march_year = year - (month <= 2);
	const int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return march_year * 365 + march_year / 4 - march_year / 100 + march_year / 400 +
	       day_of_year - 719468;
}

bool certificate_time_seconds(int64_t *seconds, const uint8_t *digits, size_t length,
			      bool generalized)
{
	int year;
	int part[5];

	/* In March of the year 0 that reckoning begins. */
	if (!read_moment(&year, part, digits, length, generalized) || year == 0)
		return false;
	*seconds = days_since_1970(year, part[0], part[1]) * 86400 +
		   ((int64_t)part[2] * 60 + part[3]) * 60 + part[4];
	return true;
}

bool certificate_time_write(char text[CERTIFICATE_TIME_SIZE], const uint8_t *digits, size_t length,
			    bool generalized)
{
	static const char before[5] = {'-', '-', 'T', ':', ':'};
	int year;
	int part[5];
	char *next = text;

	text[0] = '\0';
	if (!read_moment(&year, part, digits, length, generalized))
		return false;

	next = write_digits(next, year, 4);
	for (unsigned i = 0; i < 5; i++) {
		*next++ = before[i];
		next = write_digits(next, part[i], 2);
	}
	*next++ = 'Z';
	*next = '\0';
	return true;
}

/* --- the certificate --- */

/* Validity ::= SEQUENCE { notBefore Time, notAfter Time } */
static bool read_validity(struct certificate_facts *facts, struct bytes validity)
{
	struct element not_before;
	struct element time;

	if (!consume_element(&validity, &not_before) || !consume_element(&validity, &time) ||
	    validity.left > 0 || (time.tag != TAG_UTC_TIME && time.tag != TAG_GENERALIZED_TIME))
		return false;
	facts->not_after = time.value.next;
	facts->not_after_length = time.value.left;
	facts->not_after_generalized = time.tag == TAG_GENERALIZED_TIME;
	return true;
}

/* TBSCertificate, as far as the subject (RFC 5280, 4.1). */
static bool read_signed_part(struct certificate_facts *facts, struct bytes rest)
{
	struct element element;

	/* The version may be left out, and is from version 1. */
	if (!consume_element(&rest, &element))
		return false;
	if (element.tag == TAG_VERSION && !consume_element(&rest, &element))
		return false;
	if (element.tag != TAG_INTEGER)
		return false;
	if (!consume_tagged(&rest, TAG_SEQUENCE, &element)) /* the signature's algorithm */
		return false;
	if (!consume_tagged(&rest, TAG_SEQUENCE, &element))
		return false;
	facts->issuer = element.whole.next;
	facts->issuer_length = element.whole.left;
	if (!consume_tagged(&rest, TAG_SEQUENCE, &element) || !read_validity(facts, element.value))
		return false;
	if (!consume_tagged(&rest, TAG_SEQUENCE, &element))
		return false;
	facts->subject = element.whole.next;
	facts->subject_length = element.whole.left;
	return true;
}

bool certificate_read(struct certificate_facts *facts, const uint8_t *der, size_t length)
{
	struct bytes rest = {der, length};
	struct element element;

	memset(facts, 0, sizeof(*facts));
	if (!consume_tagged(&rest, TAG_SEQUENCE, &element))
		return false;
	rest = element.value;
	if (consume_tagged(&rest, TAG_SEQUENCE, &element) && read_signed_part(facts, element.value))
		return true;
	memset(facts, 0, sizeof(*facts));
	return false;
}

/* Enters a SEQUENCE of which only the beginning may be there. */
static bool enter_sequence(struct bytes *from)
{
	size_t length;

	if (from->left == 0 || consume_byte(from) != TAG_SEQUENCE || !consume_length(from, &length))
		return false;
	if (length < from->left)
		from->left = length;
	return true;
}

bool certificate_read_beginning(struct certificate_facts *facts, const uint8_t *der, size_t length)
{
	struct bytes rest = {der, length};
	bool inside = enter_sequence(&rest); /* the certificate, and in it what is signed */

	memset(facts, 0, sizeof(*facts));
	inside = inside && enter_sequence(&rest);
	if (inside && read_signed_part(facts, rest))
		return true;
	memset(facts, 0, sizeof(*facts));
	return false;
}
