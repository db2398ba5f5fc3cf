/*
 * The clear part of an SMTP session, from the bytes that pass.
 *
 * Knows the grammar of commands and replies, and which reply answers which
 * command. Both sides are read byte by byte, so it makes no difference where
 * the host's reads and writes happen to split them.
 */
#include "smtp_dialogue.h"

#include <string.h>

/* A greeting that is longer than this belongs to another protocol. */
#define UNDECIDED_MAX 4096

#define TLS_HANDSHAKE_RECORD 0x16 /* RFC 8446, 5.1; no SMTP command begins with it */

enum command {
	COMMAND_UNKNOWN, /* the verb is not complete yet */
	COMMAND_OTHER,
	COMMAND_EHLO,
	COMMAND_STARTTLS,
	COMMAND_MAIL,
	COMMAND_AUTH,
	COMMAND_DATA,
	COMMAND_BDAT,
};

enum client_mode {
	CLIENT_COMMANDS,
	CLIENT_CREDENTIALS, /* one line of an AUTH exchange (RFC 4954, 4) */
	CLIENT_MESSAGE,     /* up to the lone dot (RFC 5321, 4.1.1.4) */
	CLIENT_CHUNK,       /* chunk_left octets (RFC 3030, 2) */
};

/* How much of CR LF . CR LF has been seen; a message begins at the start of a line. */
enum dot_state { DOT_NONE, DOT_CR, DOT_LINE_START, DOT_DOT, DOT_DOT_CR };

struct verb {
	char name[9];
	uint8_t command;
};

static const struct verb verbs[] = {
	{"EHLO", COMMAND_EHLO}, {"HELO", COMMAND_EHLO}, {"LHLO", COMMAND_EHLO},
	{"MAIL", COMMAND_MAIL}, {"AUTH", COMMAND_AUTH}, {"STARTTLS", COMMAND_STARTTLS},
	{"DATA", COMMAND_DATA}, {"BDAT", COMMAND_BDAT},
};

void smtp_dialogue_init(struct smtp_dialogue *dialogue)
{
	memset(dialogue, 0, sizeof(*dialogue));
}

static uint8_t upper(uint8_t byte)
{
	return byte >= 'a' && byte <= 'z' ? (uint8_t)(byte - 'a' + 'A') : byte;
}

static bool is_digit(uint8_t byte)
{
	return byte >= '0' && byte <= '9';
}

static bool ends_word(uint8_t byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static void count(uint16_t *length)
{
	if (*length < UINT16_MAX)
		(*length)++;
}

/* Is `word` the name, in either case (RFC 5321, 2.4)? */
static bool is_word(const uint8_t *word, size_t length, const char *name)
{
	if (length != strlen(name))
		return false;
	for (size_t i = 0; i < length; i++) {
		if (upper(word[i]) != (uint8_t)name[i])
			return false;
	}
	return true;
}

/* ---- commands and the replies that they await ---- */

/*
 * Beyond the room a command is not matched: a client that sends so many ahead
 * of their replies sends recipients, whose replies tell nothing here.
 */
static void expect_reply(struct smtp_dialogue *dialogue, uint8_t command)
{
	if (dialogue->pending_count < SMTP_PENDING_MAX)
		dialogue->pending[dialogue->pending_count++] = command;
}

static uint8_t take_pending(struct smtp_dialogue *dialogue)
{
	uint8_t command = dialogue->pending_count ? dialogue->pending[0] : COMMAND_OTHER;

	if (dialogue->pending_count > 0) {
		dialogue->pending_count--;
		memmove(dialogue->pending, dialogue->pending + 1, dialogue->pending_count);
	}
	return command;
}

/* ---- the client's side ---- */

static uint8_t find_command(const struct smtp_dialogue *dialogue)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (is_word(dialogue->client_start, dialogue->client_length, verbs[i].name))
			return verbs[i].command;
	}
	return COMMAND_OTHER;
}

/* The byte after the verb has come. MAIL and AUTH without an argument are mere errors. */
static void take_verb(struct smtp_dialogue *dialogue, uint8_t next)
{
	const bool has_argument = next == ' ' || next == '\t';

	dialogue->client_command = find_command(dialogue);
	if (dialogue->state == SMTP_UNDECIDED)
		dialogue->state =
			dialogue->client_command == COMMAND_EHLO ? SMTP_DIALOGUE : SMTP_NOT_SMTP;
	if (dialogue->state != SMTP_DIALOGUE)
		return;
	if (dialogue->client_command == COMMAND_MAIL && has_argument)
		dialogue->mail_sent = true;
	if (dialogue->client_command == COMMAND_AUTH && has_argument)
		dialogue->auth_sent = true;
	if (dialogue->client_command == COMMAND_BDAT)
		dialogue->chunk_left = 0;
}

static void end_command(struct smtp_dialogue *dialogue)
{
	const uint8_t command = dialogue->client_command;

	dialogue->client_length = 0;
	dialogue->client_command = COMMAND_UNKNOWN;
	expect_reply(dialogue, command);
	switch (command) {
	case COMMAND_EHLO:
		dialogue->ehlo_sent = true;
		dialogue->ehlo_answered = false;
		dialogue->starttls_offered = false;
		break;
	case COMMAND_STARTTLS:
		dialogue->starttls_sent = true;
		break;
	case COMMAND_BDAT:
		if (dialogue->chunk_left > 0)
			dialogue->client_mode = CLIENT_CHUNK;
		break;
	default:
		break;
	}
}

/* `BDAT 1000 LAST`: the digits of the argument. */
static void take_chunk_size(struct smtp_dialogue *dialogue, uint8_t byte)
{
	if (!is_digit(byte))
		return;
	if (dialogue->chunk_left > UINT64_MAX / 10 - 1)
		dialogue->chunk_left = UINT64_MAX;
	else
		dialogue->chunk_left = dialogue->chunk_left * 10 + (uint64_t)(byte - '0');
}

static void take_command_byte(struct smtp_dialogue *dialogue, uint8_t byte)
{
	if (dialogue->client_command == COMMAND_UNKNOWN) {
		/* Complete at its end, or when it is too long for any verb. */
		if (ends_word(byte) || dialogue->client_length == sizeof(dialogue->client_start))
			take_verb(dialogue, byte);
		else
			dialogue->client_start[dialogue->client_length] = byte;
	} else if (dialogue->client_command == COMMAND_BDAT) {
		take_chunk_size(dialogue, byte);
	}
	count(&dialogue->client_length);
	if (byte == '\n')
		end_command(dialogue);
}

/* One byte of a message; true at its end. */
static bool take_message_byte(struct smtp_dialogue *dialogue, uint8_t byte)
{
	const uint8_t before = dialogue->dot_state;

	if (byte == '\n') {
		dialogue->dot_state = DOT_LINE_START;
		return before == DOT_DOT || before == DOT_DOT_CR;
	}
	if (byte == '.' && before == DOT_LINE_START)
		dialogue->dot_state = DOT_DOT;
	else if (byte == '\r')
		dialogue->dot_state = before == DOT_DOT ? DOT_DOT_CR : DOT_CR;
	else
		dialogue->dot_state = DOT_NONE;
	return false;
}

/* Takes a stretch of a message and returns its length: a message is mostly no line end. */
static size_t take_message(struct smtp_dialogue *dialogue, const uint8_t *bytes, size_t length)
{
	const uint8_t *newline;

	if (dialogue->dot_state == DOT_NONE) {
		newline = memchr(bytes, '\n', length);
		if (!newline)
			return length;
		dialogue->dot_state = DOT_LINE_START;
		return (size_t)(newline - bytes) + 1;
	}
	if (take_message_byte(dialogue, *bytes)) {
		dialogue->client_mode = CLIENT_COMMANDS;
		expect_reply(dialogue, COMMAND_OTHER);
	}
	return 1;
}

static size_t take_chunk(struct smtp_dialogue *dialogue, size_t length)
{
	const size_t taken = length < dialogue->chunk_left ? length : (size_t)dialogue->chunk_left;

	dialogue->chunk_left -= taken;
	if (dialogue->chunk_left == 0)
		dialogue->client_mode = CLIENT_COMMANDS;
	return taken;
}

/* At least one byte; returns how many were taken. */
static size_t take_client(struct smtp_dialogue *dialogue, const uint8_t *bytes, size_t length)
{
	switch (dialogue->client_mode) {
	case CLIENT_MESSAGE:
		return take_message(dialogue, bytes, length);
	case CLIENT_CHUNK:
		return take_chunk(dialogue, length);
	case CLIENT_CREDENTIALS:
		if (*bytes == '\n')
			dialogue->client_mode = CLIENT_COMMANDS;
		return 1;
	default:
		take_command_byte(dialogue, *bytes);
		return 1;
	}
}

/* ---- the server's side ---- */

static uint16_t reply_code(const struct smtp_dialogue *dialogue)
{
	const uint8_t *start = dialogue->server_start;

	return (uint16_t)((start[0] - '0') * 100 + (start[1] - '0') * 10 + (start[2] - '0'));
}

/* "250-STARTTLS", whatever its case and whatever blanks follow. */
static bool offers_starttls(const struct smtp_dialogue *dialogue)
{
	size_t length = dialogue->server_length;

	if (length > sizeof(dialogue->server_start))
		length = sizeof(dialogue->server_start);
	while (length > 4 && ends_word(dialogue->server_start[length - 1]))
		length--;
	return length > 4 && is_word(dialogue->server_start + 4, length - 4, "STARTTLS");
}

/* The last line of a reply is complete. */
static void end_reply(struct smtp_dialogue *dialogue, uint16_t code)
{
	/* The first reply is the greeting, even to a client that did not wait for it. */
	if (!dialogue->greeted) {
		dialogue->greeted = code == 220;
		return;
	}
	switch (take_pending(dialogue)) {
	case COMMAND_EHLO:
		dialogue->ehlo_answered = code == 250;
		break;
	case COMMAND_STARTTLS:
		dialogue->starttls_reply = code;
		dialogue->starttls_refused = code != 220;
		if (code == 220)
			dialogue->state = SMTP_TLS;
		break;
	case COMMAND_AUTH:
		if (code != 334)
			break;
		/* The next line is a credential, and has a reply of its own. */
		dialogue->client_mode = CLIENT_CREDENTIALS;
		expect_reply(dialogue, COMMAND_AUTH);
		break;
	case COMMAND_DATA:
		if (code != 354)
			break;
		dialogue->client_mode = CLIENT_MESSAGE;
		dialogue->dot_state = DOT_LINE_START;
		break;
	default:
		break;
	}
}

/* A server that names its protocol in its greeting needs no client to be known by. */
static void look_at_greeting(struct smtp_dialogue *dialogue, uint8_t byte)
{
	dialogue->greeting_tail = dialogue->greeting_tail << 8 | upper(byte);
	if (dialogue->state == SMTP_UNDECIDED && dialogue->server_length > 3 &&
	    (dialogue->greeting_tail == ('S' << 24 | 'M' << 16 | 'T' << 8 | 'P') ||
	     dialogue->greeting_tail == ('L' << 24 | 'M' << 16 | 'T' << 8 | 'P')))
		dialogue->state = SMTP_DIALOGUE;
}

/* A reply begins with three digits and a blank, a hyphen or the line's end (RFC 5321, 4.2). */
static bool fits_reply(size_t position, uint8_t byte)
{
	if (position < 3)
		return is_digit(byte);
	return position > 3 || byte == '-' || ends_word(byte);
}

static void end_server_line(struct smtp_dialogue *dialogue)
{
	const bool more = dialogue->server_length > 3 && dialogue->server_start[3] == '-';
	const uint16_t code = dialogue->server_length > 3 ? reply_code(dialogue) : 0;
	const bool answers_ehlo = dialogue->greeted && dialogue->pending_count > 0 &&
				  dialogue->pending[0] == COMMAND_EHLO;

	if (answers_ehlo && code == 250 && offers_starttls(dialogue))
		dialogue->starttls_offered = true;
	dialogue->server_length = 0;
	if (!more)
		end_reply(dialogue, code);
}

static void take_server_byte(struct smtp_dialogue *dialogue, uint8_t byte)
{
	if (!fits_reply(dialogue->server_length, byte)) {
		/* In the midst of a dialogue a server may well send a line that is none. */
		if (dialogue->state == SMTP_UNDECIDED) {
			dialogue->state = SMTP_NOT_SMTP;
			return;
		}
		memset(dialogue->server_start, '0', 3);
	}
	if (!dialogue->greeted)
		look_at_greeting(dialogue, byte);
	if (dialogue->server_length < sizeof(dialogue->server_start))
		dialogue->server_start[dialogue->server_length] = byte;
	count(&dialogue->server_length);
	if (byte == '\n')
		end_server_line(dialogue);
}

/* ---- both ---- */

static bool is_clear(const struct smtp_dialogue *dialogue)
{
	return dialogue->state == SMTP_UNDECIDED || dialogue->state == SMTP_DIALOGUE;
}

/* Gives up on what has gone on for too long without a decision. */
static void count_undecided(struct smtp_dialogue *dialogue, size_t length)
{
	if (dialogue->state != SMTP_UNDECIDED)
		return;
	if (length > (size_t)(UNDECIDED_MAX - dialogue->undecided))
		dialogue->state = SMTP_NOT_SMTP;
	else
		dialogue->undecided = (uint16_t)(dialogue->undecided + length);
}

size_t smtp_dialogue_feed(struct smtp_dialogue *dialogue, enum smtp_side from, const uint8_t *bytes,
			  size_t length)
{
	size_t taken = 0;

	if (dialogue->state == SMTP_NOT_SMTP)
		return length;
	if (from == SMTP_FROM_CLIENT && length > 0 && dialogue->state == SMTP_UNDECIDED &&
	    dialogue->client_length == 0 && bytes[0] == TLS_HANDSHAKE_RECORD)
		dialogue->state = SMTP_IMPLICIT_TLS;
	while (taken < length && is_clear(dialogue)) {
		if (from == SMTP_FROM_CLIENT) {
			taken += take_client(dialogue, bytes + taken, length - taken);
		} else {
			take_server_byte(dialogue, bytes[taken]);
			taken++;
		}
	}
	count_undecided(dialogue, taken);
	return dialogue->state == SMTP_NOT_SMTP ? length : taken;
}
