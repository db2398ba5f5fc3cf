#include "shim/config/config_exception.h"

#include <stddef.h>
#include <string.h>

#include "shim/record/tls_names.h"

#define V4_BITS_BEFORE 96 /* of a v4-mapped address */

/* Not <ctype.h>'s: these do not depend on the host's locale. */
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A part of the line that is being read. */
struct part {
	const char *at;
	size_t length;
};

/* One decimal number of at most `most`, and nothing else. */
static bool read_number(struct part part, unsigned most, unsigned *number)
{
	*number = 0;
	if (part.length == 0)
		return false;
	for (size_t i = 0; i < part.length; i++) {
		if (!is_digit(part.at[i]))
			return false;
		*number = *number * 10 + (unsigned)(part.at[i] - '0');
		if (*number > most)
			return false;
	}
	return true;
}

/* ---- addresses (RFC 4291, 2.2; not libc's reader, which knows octal and more) ---- */

static bool read_v4(struct part part, uint8_t bytes[4])
{
	for (int i = 0; i < 4; i++) {
		const char *dot = memchr(part.at, '.', part.length);
		const size_t length = dot ? (size_t)(dot - part.at) : part.length;
		unsigned number;

		if ((i < 3) != (dot != NULL) || length > 3 ||
		    !read_number((struct part){part.at, length}, 255, &number))
			return false;
		bytes[i] = (uint8_t)number;
		part.at += length + (dot != NULL);
		part.length -= length + (dot != NULL);
	}
	return true;
}

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The groups up to "::" or the end, into `bytes`; false if they are none. */
static bool read_groups(struct part part, uint8_t bytes[16], size_t *count)
{
	*count = 0;
	while (part.length > 0) {
		unsigned group = 0;
		size_t length = 0;

		for (; length < part.length && hex_digit(part.at[length]) >= 0; length++)
			group = group << 4 | (unsigned)hex_digit(part.at[length]);
		if (length == 0 || length > 4 || *count > 14)
			return false;
		bytes[(*count)++] = (uint8_t)(group >> 8);
		bytes[(*count)++] = (uint8_t)group;
		part.at += length;
		part.length -= length;
		if (part.length == 0)
			return true;
		if (part.at[0] != ':' || part.length == 1)
			return false;
		part.at++;
		part.length--;
	}
	return true;
}

static bool read_v6(struct part part, uint8_t bytes[16])
{
	uint8_t head[16];
	uint8_t tail[16];
	size_t head_count;
	size_t tail_count = 0;
	size_t gap = 0;

	while (gap + 1 < part.length && (part.at[gap] != ':' || part.at[gap + 1] != ':'))
		gap++;
	if (gap + 1 >= part.length) { /* no "::" */
		if (!read_groups(part, bytes, &head_count))
			return false;
		return head_count == 16;
	}
	if (!read_groups((struct part){part.at, gap}, head, &head_count) ||
	    !read_groups((struct part){part.at + gap + 2, part.length - gap - 2}, tail,
			 &tail_count) ||
	    head_count + tail_count > 14)
		return false;
	memset(bytes, 0, 16);
	memcpy(bytes, head, head_count);
	memcpy(bytes + 16 - tail_count, tail, tail_count);
	return true;
}

/* A network with more bits than it says is a slip of the pen, not a wider network. */
static bool has_bits_behind(const uint8_t address[16], unsigned bits)
{
	for (unsigned bit = bits; bit < 128; bit++) {
		if (address[bit / 8] & (0x80U >> (bit % 8)))
			return true;
	}
	return false;
}

/* "192.0.2.1", "192.0.2.0/24", "2001:db8::/32". */
static bool read_address(struct config_exception *exception, struct part part)
{
	const char *slash = memchr(part.at, '/', part.length);
	const struct part host = {part.at, slash ? (size_t)(slash - part.at) : part.length};
	const bool is_v6 = memchr(host.at, ':', host.length) != NULL;
	const unsigned width = is_v6 ? 128 : 32;
	unsigned bits = width;

	if (is_v6) {
		if (!read_v6(host, exception->address))
			return false;
	} else {
		memset(exception->address, 0, 10);
		memset(exception->address + 10, 0xff, 2);
		if (!read_v4(host, exception->address + 12))
			return false;
	}
	if (slash &&
	    (!read_number((struct part){slash + 1, part.length - host.length - 1}, width, &bits) ||
	     bits == 0))
		return false;
	bits += is_v6 ? 0 : V4_BITS_BEFORE;
	exception->bits = (uint8_t)bits;
	return !has_bits_behind(exception->address, bits);
}

/* ---- names ---- */

/* Letters, digits, hyphens and underscores in labels; "*." before them is any labels. */
static bool is_name(struct part part)
{
	size_t label = 0;
	bool has_letter = false;

	if (part.length > 2 && part.at[0] == '*' && part.at[1] == '.') {
		part.at += 2;
		part.length -= 2;
	}
	for (size_t i = 0; i < part.length; i++) {
		const char c = part.at[i];

		if (c == '.') {
			if (label == 0)
				return false;
			label = 0;
			has_letter = false;
			continue;
		}
		if (!is_letter(c) && !is_digit(c) && c != '-' && c != '_')
			return false;
		has_letter = has_letter || is_letter(c);
		label++;
	}
	/* One whose last label is a number is an address that is none. */
	return label > 0 && has_letter;
}

/* ---- the words ---- */

static struct config_word word_of(const struct config_exception *exception, struct part part)
{
	return (struct config_word){(uint8_t)(part.at - exception->text), (uint8_t)part.length};
}

static bool set_to(struct config_exception *exception, struct part part)
{
	if (is_name(part)) {
		exception->name = word_of(exception, part);
		return true;
	}
	return read_address(exception, part);
}

static bool set_port(struct config_exception *exception, struct part part)
{
	unsigned port;

	if (!read_number(part, UINT16_MAX, &port) || port == 0)
		return false;
	exception->port = (uint16_t)port;
	return true;
}

static bool set_program(struct config_exception *exception, struct part part)
{
	if (part.length < 2 || part.at[0] != '/')
		return false;
	exception->program = word_of(exception, part);
	return true;
}

static bool set_service(struct config_exception *exception, struct part part)
{
	if (part.length == 0)
		return false;
	exception->service = word_of(exception, part);
	return true;
}

static bool set_floor(struct config_exception *exception, struct part part)
{
	char text[8];

	if (part.length >= sizeof(text))
		return false;
	memcpy(text, part.at, part.length);
	text[part.length] = '\0';
	exception->floor = tls_version_from_name(text);
	return exception->floor != 0 || strcmp(text, "none") == 0;
}

/* Days from 1970 to the day of a year that begins in March (Hinnant's days_from_civil). */
static int64_t days(unsigned year, unsigned month, unsigned day)
{
	const unsigned y = year - (month <= 2);
	const unsigned era = y / 400;
	const unsigned of_era = y - era * 400;
	const unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return (int64_t)era * 146097 + (int64_t)of_era * 365 + of_era / 4 - of_era / 100 + of_year -
	       719468;
}

static bool is_day(unsigned year, unsigned month, unsigned day)
{
	static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	const bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return year >= 1970 && month >= 1 && month <= 12 && day >= 1 &&
	       day <= lengths[month - 1] + (month == 2 && is_leap ? 1U : 0U);
}

/* "2027-03-31", that day in UTC included. */
static bool set_until(struct config_exception *exception, struct part part)
{
	unsigned year;
	unsigned month;
	unsigned day;

	if (part.length != 10 || part.at[4] != '-' || part.at[7] != '-' ||
	    !read_number((struct part){part.at, 4}, 9999, &year) ||
	    !read_number((struct part){part.at + 5, 2}, 99, &month) ||
	    !read_number((struct part){part.at + 8, 2}, 99, &day) || !is_day(year, month, day))
		return false;
	exception->until = (days(year, month, day) + 1) * 86400;
	return true;
}

static const struct kind {
	const char *name; /* with its colon */
	const char *wrong;
	bool (*set)(struct config_exception *exception, struct part part);
} kinds[] = {
	{"to:", "to: takes a host name, *.DOMAIN, an address, or ADDRESS/BITS with no bit behind",
	 set_to},
	{"port:", "port: takes a number from 1 to 65535", set_port},
	{"program:", "program: takes an absolute path", set_program},
	{"service:", "service: takes a name without blanks", set_service},
	{"floor:", "floor: takes 1.0, 1.1, 1.2, 1.3 or none", set_floor},
	{"until:", "until: takes a day that there is, as 2027-03-31", set_until},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* The kinds that say what it is about, and those that it can't be without. */
#define ABOUT 0x0fU
#define FLOOR 0x10U
#define UNTIL 0x20U

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* What is wrong with this word; NULL: nothing. */
static const char *take(struct config_exception *exception, struct part part, unsigned *seen)
{
	for (size_t i = 0; i < KINDS; i++) {
		const size_t length = strlen(kinds[i].name);

		if (part.length < length || strncmp(part.at, kinds[i].name, length) != 0)
			continue;
		if (*seen & 1U << i)
			return "the same is said twice";
		*seen |= 1U << i;
		return kinds[i].set(exception,
				    (struct part){part.at + length, part.length - length})
			       ? NULL
			       : kinds[i].wrong;
	}
	return "its words are to:, port:, program:, service:, floor: and until:";
}

const char *config_exception_parse(struct config_exception *exception, const char *text)
{
	unsigned seen = 0;
	const char *wrong = NULL;

	memset(exception, 0, sizeof(*exception));
	if (strlen(text) >= sizeof(exception->text))
		return "it is longer than 255 bytes";
	memcpy(exception->text, text, strlen(text) + 1);
	for (const char *at = exception->text; !wrong;) {
		struct part part = {at, 0};

		while (is_blank(*part.at))
			part.at++;
		while (part.at[part.length] && !is_blank(part.at[part.length]))
			part.length++;
		if (part.length == 0)
			break;
		wrong = take(exception, part, &seen);
		at = part.at + part.length;
	}
	if (wrong)
		return wrong;
	if (!(seen & ABOUT))
		return "it names no to:, port:, program: or service:";
	if (!(seen & FLOOR))
		return "it has no floor:";
	return seen & UNTIL ? NULL : "it has no until:";
}

bool config_exception_word_is(const struct config_exception *exception, struct config_word word,
			      const char *value)
{
	return strlen(value) == word.length &&
	       memcmp(exception->text + word.at, value, word.length) == 0;
}
