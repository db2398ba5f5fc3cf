/*
 * Knows how a record looks on one line; must not know where it came from.
 */
#include "tools/log/connection_line.h"

#include "tools/log/values.h"
#include "tools/base/put.h"
#include "tools/base/terminal.h"
#include "tools/base/text_table.h"
#include "tools/base/timestamp.h"

enum {
	SIGN_WIDTH = 2,
	TIME_WIDTH = 10,
	VERSION_WIDTH = 7,
	CIPHER_WIDTH = 17,
	VERDICT_WIDTH = 11,
	GAPS = 6,
	/* For program and destination, if nothing limits the width. */
	PROGRAM_USUAL = 32,
	DESTINATION_USUAL = 28,
	NAME_LEAST = 8,
};

struct widths {
	size_t program;
	size_t destination;
	size_t cipher; /* 0: no room for it */
	bool cut;
};

static struct widths widths_of(const struct connection_line *line)
{
	size_t fixed = SIGN_WIDTH + TIME_WIDTH + VERSION_WIDTH + VERDICT_WIDTH + GAPS;
	size_t left = 0;

	if (line->style.width == 0)
		return (struct widths){PROGRAM_USUAL, DESTINATION_USUAL, CIPHER_WIDTH, false};
	left = line->style.width > fixed ? line->style.width - fixed : 0;
	if (left >= (size_t)CIPHER_WIDTH + (size_t)4 * NAME_LEAST) {
		left -= CIPHER_WIDTH;
		return (struct widths){left - left / 2, left / 2, CIPHER_WIDTH, true};
	}
	/* A narrow terminal does without the cipher, and the gap before it. */
	left = left + 1 > (size_t)2 * NAME_LEAST ? left + 1 : (size_t)2 * NAME_LEAST;
	return (struct widths){left - left / 2, left / 2, 0, true};
}

static const char *sign_of(enum entry_verdict verdict)
{
	switch (verdict) {
	case VERDICT_PLAINTEXT:
	case VERDICT_BELOW_FLOOR:
		return "!!";
	case VERDICT_AT_RISK:
		return "!";
	case VERDICT_REFUSED:
	case VERDICT_FAILED:
		return "x";
	default:
		return "";
	}
}

static enum text_colour colour_of(enum entry_verdict verdict)
{
	switch (verdict) {
	case VERDICT_PLAINTEXT:
	case VERDICT_BELOW_FLOOR:
		return COLOUR_BAD;
	case VERDICT_AT_RISK:
	case VERDICT_REFUSED:
	case VERDICT_FAILED:
		return COLOUR_WARNING;
	case VERDICT_OK:
		return COLOUR_GOOD;
	default:
		return COLOUR_NONE;
	}
}

static void put_padded(FILE *out, const struct text_style *style, enum text_colour colour,
		       const char *text, size_t width)
{
	if (text[0])
		text_put(out, style, colour, text);
	if (strlen(text) < width)
		put_spaces(out, width - strlen(text));
	put_byte(out, ' ');
}

static void put_name(FILE *out, const struct connection_line *line, struct slice text, size_t width,
		     bool keep_end)
{
	bool cut = line->style.width > 0;
	size_t used = 0;

	if (text.length == 0)
		text = SLICE_LITERAL("-");
	used = terminal_put(out, text, cut ? width : SIZE_MAX, keep_end, line->style.utf8);
	if (used < width)
		put_spaces(out, width - used);
	put_byte(out, ' ');
}

/*
 * "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" and "TLS_AES_256_GCM_SHA384" both
 * protect with AES-256-GCM. A name of another form stays as it is.
 */
static struct slice short_cipher(struct slice name, char *room, size_t size)
{
	const char *with = name.length ? memmem(name.start, name.length, "_WITH_", 6) : NULL;
	const char *hash = NULL;

	if (with)
		name = slice_from(name, (size_t)(with + 6 - name.start));
	else if (name.length > 4 && memcmp(name.start, "TLS_", 4) == 0)
		name = slice_from(name, 4);
	hash = name.length ? memrchr(name.start, '_', name.length) : NULL;
	if (hash && name.length - (size_t)(hash - name.start) > 4 &&
	    (memcmp(hash, "_SHA", 4) == 0 || memcmp(hash, "_MD5", 4) == 0))
		name.length = (size_t)(hash - name.start);
	if (name.length > size)
		return name;
	for (size_t i = 0; i < name.length; i++)
		room[i] = (char)(name.start[i] == '_' ? '-' : name.start[i]);
	return (struct slice){room, name.length};
}

static struct slice first_known(const struct entry *entry, enum entry_field first,
				enum entry_field second)
{
	struct slice text = entry_get(entry, first);

	return text.length ? text : entry_get(entry, second);
}

static void put_time(FILE *out, struct connection_line *line, int64_t time)
{
	char text[TIMESTAMP_TEXT_MAX];
	int64_t day = time / MICROSECONDS_PER_DAY - (time % MICROSECONDS_PER_DAY < 0);

	if (!line->has_day || day != line->day) {
		timestamp_print(text, time, TIMESTAMP_DAY);
		text_put(out, &line->style, COLOUR_DIM, text);
		put_byte(out, '\n');
	}
	line->has_day = true;
	line->day = day;
}

/* "13:05:07" of "2026-11-23T13:05:07.123456Z". */
static void clock_text(char clock[9], int64_t time)
{
	char text[TIMESTAMP_TEXT_MAX];

	timestamp_print(text, time, TIMESTAMP_RFC3339);
	memcpy(clock, text + 11, 8);
	clock[8] = '\0';
}

/* What is no connection says in words what it is: a lost record, a setting, a blind spot. */
static void put_event(FILE *out, const struct connection_line *line, const struct entry *entry,
		      enum entry_action action, const struct widths *widths)
{
	struct slice text = entry_get(entry, ENTRY_reason);

	if (action == ACTION_SETTING)
		text = entry_get(entry, ENTRY_setting);
	put_name(out, line, first_known(entry, ENTRY_script, ENTRY_executable), widths->program,
		 true);
	(void)terminal_put(out, entry_get(entry, ENTRY_action), SIZE_MAX, false, line->style.utf8);
	if (action == ACTION_LOST) {
		put_text(out, " ");
		text = entry_get(entry, ENTRY_lost);
	}
	if (text.length) {
		size_t used = SIGN_WIDTH + TIME_WIDTH + 5 + widths->program +
			      terminal_columns(entry_get(entry, ENTRY_action), line->style.utf8);
		size_t left = line->style.width > used ? line->style.width - used : 0;

		put_text(out, action == ACTION_LOST ? "" : ": ");
		(void)terminal_put(out, text, widths->cut ? left : SIZE_MAX, false,
				   line->style.utf8);
	}
	put_byte(out, '\n');
}

static void put_connection(FILE *out, const struct connection_line *line, const struct entry *entry,
			   enum entry_action action, const struct widths *widths)
{
	enum entry_verdict verdict = entry_verdict(entry);
	enum entry_version version = entry_version(entry, action);
	char room[64];

	put_name(out, line, first_known(entry, ENTRY_script, ENTRY_executable), widths->program,
		 true);
	put_name(out, line, first_known(entry, ENTRY_destination_domain, ENTRY_destination_ip),
		 widths->destination, false);
	put_padded(out, &line->style,
		   version > VERSION_UNKNOWN && version < VERSION_TLS_1_2 ? COLOUR_BAD
									  : COLOUR_NONE,
		   entry_version_name(version), VERSION_WIDTH);
	if (widths->cipher)
		put_name(out, line,
			 short_cipher(entry_get(entry, ENTRY_cipher), room, sizeof(room)),
			 widths->cipher, false);
	text_put(out, &line->style, colour_of(verdict), entry_verdict_name(verdict));
	put_byte(out, '\n');
}

void connection_line_heading(FILE *out, const struct connection_line *line)
{
	struct widths widths = widths_of(line);

	put_spaces(out, SIGN_WIDTH + 1);
	put_padded(out, &line->style, COLOUR_BOLD, "TIME (UTC)", TIME_WIDTH);
	put_padded(out, &line->style, COLOUR_BOLD, "PROGRAM", widths.program);
	put_padded(out, &line->style, COLOUR_BOLD, "DESTINATION", widths.destination);
	put_padded(out, &line->style, COLOUR_BOLD, "TLS", VERSION_WIDTH);
	if (widths.cipher)
		put_padded(out, &line->style, COLOUR_BOLD, "CIPHER", widths.cipher);
	text_put(out, &line->style, COLOUR_BOLD, "VERDICT");
	put_byte(out, '\n');
}

void connection_line_write(FILE *out, struct connection_line *line, const struct entry *entry,
			   int64_t time)
{
	enum entry_action action = entry_action_from(entry_get(entry, ENTRY_action));
	struct widths widths = widths_of(line);
	bool connection = action_is_connection(action);
	enum entry_verdict verdict = connection ? entry_verdict(entry) : VERDICT_OTHER;
	char clock[9];

	put_time(out, line, time);
	clock_text(clock, time);
	put_padded(out, &line->style, colour_of(verdict),
		   action == ACTION_LOST ? "!!" : sign_of(verdict), SIGN_WIDTH);
	put_padded(out, &line->style, COLOUR_NONE, clock, TIME_WIDTH);
	if (connection)
		put_connection(out, line, entry, action, &widths);
	else
		put_event(out, line, entry, action, &widths);
}
