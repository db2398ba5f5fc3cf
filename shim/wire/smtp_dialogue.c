/*
 * The clear part of an SMTP session, from the bytes that pass.
 *
 * Knows the grammar of commands and replies, and which reply answers which
 * command; must not know who moves the bytes, and keeps nothing of what they
 * say. Both sides are read byte for byte, so it makes no difference where the
 * reads and writes of the host happen to split them.
 */
#include "shim/wire/smtp_dialogue.h"

#include <string.h>

/*
 * Until it is known what this is. RFC 5321, 4.5.3.1.5, allows a reply line 512
 * octets; greetings with a lawyer's hand in them are longer.
 */
#define UNDECIDED_LINE_MAX 2048
#define UNDECIDED_MAX      4096

/* RFC 8446, 5.1: no command begins with one of them. */
#define TLS_ALERT_RECORD     0x15
#define TLS_HANDSHAKE_RECORD 0x16

/* How far the end of a message, a dot alone on its line, has been seen (RFC 5321, 4.1.1.4). */
enum dot {
	DOT_WITHIN_LINE,
	DOT_AFTER_CR,
	DOT_AT_LINE_START,
	DOT_SEEN,
	DOT_SEEN_AND_CR,
};

enum command {
	COMMAND_INCOMPLETE, /* the verb is not known yet */
	COMMAND_OTHER,      /* nothing depends on its reply */
	COMMAND_HELO,
	COMMAND_EHLO,
	COMMAND_LHLO,
	COMMAND_STARTTLS,
	COMMAND_MAIL,
	COMMAND_RCPT,
	COMMAND_DATA,
	COMMAND_BDAT,
	COMMAND_MESSAGE, /* no command, but the end of a message awaits a reply like one */
	COMMAND_RSET,
	COMMAND_AUTH,
	COMMAND_QUIT,
	COMMAND_AUTH_OR_FTP,  /* AUTH, before it is known what is to be authenticated */
	COMMAND_MAIL_OR_HTTP, /* MAIL, before it is known whether FROM follows */
};

struct verb {
	char name[9];
	uint8_t command;
	bool opens;          /* as the client's first command, tells SMTP from its likes */
	bool opens_greeted;  /* the same, but only after a 220: IRC begins with STARTTLS too */
	bool is_shared;      /* FTP and others have it too: behind a 220 it decides nothing */
	bool wants_argument; /* without one it is a mere syntax error */
	bool carries_mail;
};

static const struct verb verbs[] = {
	{"EHLO", COMMAND_EHLO, .opens = true},
	{"HELO", COMMAND_HELO, .opens = true},
	{"LHLO", COMMAND_LHLO, .opens = true},
	{"STARTTLS", COMMAND_STARTTLS, .opens_greeted = true},
	{"MAIL", COMMAND_MAIL, .opens = true, .wants_argument = true, .carries_mail = true},
	{"AUTH", COMMAND_AUTH, .wants_argument = true, .carries_mail = true},
	{"RCPT", COMMAND_RCPT, .carries_mail = true},
	{"DATA", COMMAND_DATA, .carries_mail = true},
	{"BDAT", COMMAND_BDAT, .carries_mail = true},
	{"RSET", COMMAND_RSET, .opens_greeted = true},
	{"VRFY", COMMAND_OTHER, .opens_greeted = true},
	{"EXPN", COMMAND_OTHER, .opens_greeted = true},
	{"ETRN", COMMAND_OTHER, .opens_greeted = true},
	{"XCLIENT", COMMAND_OTHER, .opens_greeted = true},
	{"XFORWARD", COMMAND_OTHER, .opens_greeted = true},
	{"NOOP", COMMAND_OTHER, .is_shared = true},
	{"HELP", COMMAND_OTHER, .is_shared = true},
	{"QUIT", COMMAND_QUIT, .is_shared = true},
};

/* What an FTP client may begin with, behind a greeting that happens to name SMTP. */
static const char *const ftp_verbs[] = {"USER", "PASS", "ACCT", "FEAT", "SYST", "HOST", "CLNT",
					"OPTS", "PBSZ", "PROT", "PASV", "EPSV", "PORT", "TYPE"};

#define VERB_COUNT (sizeof(verbs) / sizeof(verbs[0]))

void smtp_dialogue_init(struct smtp_dialogue *dialogue, bool expected)
{
	memset(dialogue, 0, sizeof(*dialogue));
	dialogue->state = SMTP_UNDECIDED;
	dialogue->expected = expected;
}

static bool is_blank(uint8_t byte)
{
	return byte == ' ' || byte == '\t';
}

static bool ends_word(uint8_t byte)
{
	return is_blank(byte) || byte == '\r' || byte == '\n';
}

static bool is_digit(uint8_t byte)
{
	return byte >= '0' && byte <= '9';
}

/* Whether `bytes` are the first `length` bytes of `name`, in either case (RFC 5321, 2.4). */
static bool begins(const char *name, const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		uint8_t upper = bytes[i];

		if (upper >= 'a' && upper <= 'z')
			upper = (uint8_t)(upper - 'a' + 'A');
		if (upper != (uint8_t)name[i] || name[i] == '\0')
			return false;
	}
	return true;
}

static void add_to_line(struct smtp_line *line, size_t length)
{
	size_t room = (size_t)(UINT16_MAX - line->length);

	line->length = (uint16_t)(line->length + (length < room ? length : room));
}

static void start_line(struct smtp_line *line)
{
	line->length = 0;
	line->command = COMMAND_INCOMPLETE;
}

/* How many of `bytes` are left in this line, its newline included. */
static size_t rest_of_line(const uint8_t *bytes, size_t length)
{
	const uint8_t *newline = memchr(bytes, '\n', length);

	return newline ? (size_t)(newline - bytes) + 1 : length;
}

/* --- commands that await their reply --- */

/*
 * Adjacent commands of a kind share an entry, because a client may well send a
 * thousand RCPT ahead. Sixteen changes of kind ahead of the replies is what no
 * client does: RFC 2920, 3.1, makes EHLO, DATA and AUTH wait. Beyond that a
 * command is not matched.
 */
static void expect_reply(struct smtp_dialogue *dialogue, enum command command)
{
	struct smtp_pending *last = NULL;

	if (command == COMMAND_BDAT)
		command = dialogue->chunk_last ? COMMAND_MESSAGE : COMMAND_OTHER;
	if (command == COMMAND_MAIL || (command == COMMAND_RCPT && !dialogue->lmtp))
		command = COMMAND_OTHER;
	if (dialogue->pending_count > 0)
		last = &dialogue->pending[dialogue->pending_count - 1];
	if (last && last->command == command && last->count < UINT16_MAX) {
		last->count++;
		return;
	}
	if (dialogue->pending_count == SMTP_PENDING_MAX)
		return;
	last = &dialogue->pending[dialogue->pending_count++];
	last->command = (uint8_t)command;
	last->count = 1;
}

static void drop_oldest_pending(struct smtp_dialogue *dialogue)
{
	if (--dialogue->pending[0].count > 0)
		return;
	dialogue->pending_count--;
	memmove(&dialogue->pending[0], &dialogue->pending[1],
		dialogue->pending_count * sizeof(dialogue->pending[0]));
	memset(&dialogue->pending[dialogue->pending_count], 0, sizeof(dialogue->pending[0]));
}

static bool is_pending(const struct smtp_dialogue *dialogue, enum command command)
{
	for (unsigned i = 0; i < dialogue->pending_count; i++)
		if (dialogue->pending[i].command == command)
			return true;
	return false;
}

/* --- the client's side --- */

static const struct verb *find_verb(const struct smtp_line *line)
{
	for (size_t i = 0; i < VERB_COUNT; i++)
		if (line->length == strlen(verbs[i].name) &&
		    begins(verbs[i].name, line->start, line->length))
			return &verbs[i];
	return NULL;
}

/* EHLO and LHLO are no other protocol's, whatever its server has said. */
static bool can_open(const struct smtp_dialogue *dialogue, const struct verb *verb)
{
	if (dialogue->foreign)
		return verb->command == COMMAND_EHLO || verb->command == COMMAND_LHLO;
	return verb->opens || (verb->opens_greeted && dialogue->greeted);
}

static bool is_ftp_verb(const struct smtp_line *line)
{
	for (size_t i = 0; i < sizeof(ftp_verbs) / sizeof(ftp_verbs[0]); i++)
		if (line->length == strlen(ftp_verbs[i]) &&
		    begins(ftp_verbs[i], line->start, line->length))
			return true;
	return false;
}

static bool can_wait(const struct smtp_dialogue *dialogue, const struct verb *verb)
{
	return verb->is_shared && dialogue->greeted && !dialogue->foreign;
}

/* Whether the client's command may still become one that only SMTP has, or decides nothing. */
static bool may_become_smtp(const struct smtp_dialogue *dialogue)
{
	for (size_t i = 0; i < VERB_COUNT; i++)
		if ((can_open(dialogue, &verbs[i]) || can_wait(dialogue, &verbs[i])) &&
		    begins(verbs[i].name, dialogue->client.start, dialogue->client.length))
			return true;
	return false;
}

static void begin_auth(struct smtp_dialogue *dialogue)
{
	bool held = is_pending(dialogue, COMMAND_STARTTLS);

	dialogue->client.command = COMMAND_AUTH;
	dialogue->carried_mail = true;
	*(held ? &dialogue->auth_held : &dialogue->auth_sent) = true;
}

/* The state that the client's command, whose verb is this or none, leads to. */
static enum smtp_state state_after(struct smtp_dialogue *dialogue, const struct verb *verb)
{
	if (dialogue->expected)
		return SMTP_DIALOGUE;
	if (dialogue->state == SMTP_DIALOGUE)
		return !dialogue->confirmed && is_ftp_verb(&dialogue->client) ? SMTP_NOT_SMTP
									      : SMTP_DIALOGUE;
	if (verb && can_open(dialogue, verb))
		return SMTP_DIALOGUE;
	/* An empty line, or what FTP says as well, decides nothing behind a 220. */
	if (verb ? can_wait(dialogue, verb) : dialogue->client.length == 0 && dialogue->greeted)
		return SMTP_UNDECIDED;
	return SMTP_NOT_SMTP;
}

/* A client that does not wait for a greeting may as well begin an HTTP request, and a method of
 * HTTP may have any name (RFC 9110, 9.1). */
static bool may_be_http(const struct smtp_dialogue *dialogue)
{
	return dialogue->state == SMTP_UNDECIDED && !dialogue->expected && !dialogue->greeted &&
	       !dialogue->foreign;
}

/* The byte after the verb has come, so the verb is complete. */
static void consume_verb(struct smtp_dialogue *dialogue, uint8_t next)
{
	const struct verb *verb = find_verb(&dialogue->client);
	bool held = is_pending(dialogue, COMMAND_STARTTLS);

	if (verb && verb->wants_argument && !is_blank(next))
		verb = NULL;
	if (verb && verb->command == COMMAND_MAIL && may_be_http(dialogue)) {
		start_line(&dialogue->client);
		dialogue->client.command = COMMAND_MAIL_OR_HTTP;
		return;
	}
	dialogue->state = state_after(dialogue, verb);
	dialogue->client.command = verb ? verb->command : COMMAND_OTHER;
	if (dialogue->state != SMTP_DIALOGUE || !verb)
		return;

	if (verb->opens || verb->opens_greeted)
		dialogue->confirmed = true;
	if (verb->command == COMMAND_AUTH) {
		if (dialogue->confirmed || dialogue->expected) {
			begin_auth(dialogue);
		} else {
			start_line(&dialogue->client);
			dialogue->client.command = COMMAND_AUTH_OR_FTP;
		}
		return;
	}
	if (verb->carries_mail)
		dialogue->carried_mail = true;
	if (verb->command == COMMAND_MAIL)
		*(held ? &dialogue->mail_held : &dialogue->mail_sent) = true;
	if (verb->command == COMMAND_BDAT)
		dialogue->chunk_last = false;
}

/*
 * `AUTH TLS` is FTP's STARTTLS (RFC 4217, 4), and no mechanism of SMTP's is
 * called so. It is asked only where a greeting is all that speaks for SMTP.
 */
static void consume_auth_argument(struct smtp_dialogue *dialogue, uint8_t byte)
{
	static const char *const ftp_mechanisms[] = {"TLS", "SSL", "TLS-C", "TLS-P"};
	struct smtp_line *line = &dialogue->client;
	bool complete = ends_word(byte);

	if (complete && line->length == 0) {
		line->command = byte == '\n' ? COMMAND_OTHER : COMMAND_AUTH_OR_FTP;
		return;
	}
	if (!complete && line->length < sizeof(line->start))
		line->start[line->length++] = byte;
	for (size_t i = 0; i < sizeof(ftp_mechanisms) / sizeof(ftp_mechanisms[0]); i++) {
		const char *name = ftp_mechanisms[i];

		if (!begins(name, line->start, line->length))
			continue;
		if (!complete)
			return;
		if (line->length == strlen(name)) {
			dialogue->state = SMTP_NOT_SMTP;
			return;
		}
	}
	begin_auth(dialogue);
}

/* Behind MAIL comes FROM (RFC 5321, 4.1.1.2), and no target of HTTP begins so (RFC 9112, 3.2). */
static void consume_mail_argument(struct smtp_dialogue *dialogue, uint8_t byte)
{
	static const char from[] = "FROM";
	struct smtp_line *line = &dialogue->client;

	if (line->length == 0 && is_blank(byte))
		return;
	line->start[line->length++] = byte;
	if (!begins(from, line->start, line->length)) {
		dialogue->state = SMTP_NOT_SMTP;
	} else if (line->length == strlen(from)) {
		dialogue->state = SMTP_DIALOGUE;
		dialogue->confirmed = true;
		dialogue->carried_mail = true;
		dialogue->mail_sent = true;
		line->command = COMMAND_MAIL;
	}
}

/*
 * `BDAT 1000 LAST` (RFC 3030, 2). Anything else in the argument is a syntax
 * error, of which nothing is expected but the error.
 */
static void consume_chunk_argument(struct smtp_dialogue *dialogue, uint8_t byte)
{
	if (byte == 'L' || byte == 'l')
		dialogue->chunk_last = true;
	if (!is_digit(byte))
		return;
	if (dialogue->chunk_left > (UINT64_MAX - 9) / 10)
		dialogue->chunk_left = UINT64_MAX;
	else
		dialogue->chunk_left = dialogue->chunk_left * 10 + (uint64_t)(byte - '0');
}

static void say_hello(struct smtp_dialogue *dialogue, enum command command)
{
	if (command == COMMAND_LHLO)
		dialogue->lmtp = true;
	dialogue->ehlo_sent = true;
	dialogue->ehlo_answered = false;
	dialogue->offered_before = dialogue->offered_before || dialogue->starttls_offered;
	dialogue->starttls_offered = false;
}

/* The command's line is complete; `bare`: its newline was LF without CR. */
static void end_command(struct smtp_dialogue *dialogue, bool bare)
{
	enum command command = dialogue->client.command;

	start_line(&dialogue->client);
	expect_reply(dialogue, command);
	switch (command) {
	case COMMAND_HELO:
	case COMMAND_EHLO:
	case COMMAND_LHLO:
		say_hello(dialogue, command);
		break;
	case COMMAND_STARTTLS:
		dialogue->starttls_sent = true;
		break;
	case COMMAND_QUIT:
		dialogue->quit_sent = true;
		break;
	case COMMAND_AUTH:
		/* The last of a pipelined group (RFC 4954, 4): until it is answered for good,
		   whatever the client sends is its credentials. */
		dialogue->in_auth = true;
		break;
	case COMMAND_DATA:
		/* Likewise (RFC 2920, 3.1). Not to wait for the 354 keeps the message of a
		   careless client, which doesn't wait either, from being read as commands. */
		dialogue->in_data = true;
		dialogue->dot = DOT_AT_LINE_START;
		dialogue->newlines_bare = bare;
		break;
	case COMMAND_BDAT:
		/* The octets follow at once, and whatever the reply is (RFC 3030, 2). */
		dialogue->in_chunk = dialogue->chunk_left > 0;
		break;
	default:
		break;
	}
}

/* One more byte of the verb. */
static void add_to_verb(struct smtp_dialogue *dialogue, uint8_t byte)
{
	struct smtp_line *line = &dialogue->client;

	if (line->length == sizeof(line->start)) {
		line->command = COMMAND_OTHER;
		return;
	}
	line->start[line->length++] = byte;
	if (dialogue->state == SMTP_UNDECIDED && !dialogue->expected && !may_become_smtp(dialogue))
		dialogue->state = SMTP_NOT_SMTP;
}

/* Takes a command as far as its newline. */
static size_t consume_command(struct smtp_dialogue *dialogue, const uint8_t *bytes, size_t length)
{
	struct smtp_line *line = &dialogue->client;
	size_t verb = 0;

	/* Servers pass over blanks before a verb, so they can't hide one. */
	if (line->command == COMMAND_INCOMPLETE && line->length == 0 && is_blank(bytes[0]))
		return 1;
	while (line->command == COMMAND_INCOMPLETE && verb < length &&
	       dialogue->state != SMTP_NOT_SMTP) {
		if (ends_word(bytes[verb]))
			consume_verb(dialogue, bytes[verb]);
		else
			add_to_verb(dialogue, bytes[verb++]);
	}
	while (line->command == COMMAND_AUTH_OR_FTP && verb < length &&
	       dialogue->state != SMTP_NOT_SMTP) {
		consume_auth_argument(dialogue, bytes[verb]);
		/* The newline ends the command, below. */
		verb += bytes[verb] != '\n';
		line->after_cr = verb > 0 && bytes[verb - 1] == '\r';
	}
	while (line->command == COMMAND_MAIL_OR_HTTP && verb < length &&
	       dialogue->state != SMTP_NOT_SMTP)
		consume_mail_argument(dialogue, bytes[verb++]);
	if (verb == length || dialogue->state == SMTP_NOT_SMTP)
		return length;

	const uint8_t *rest = bytes + verb;
	size_t rest_length = rest_of_line(rest, length - verb);
	bool after_cr = rest_length > 1 ? rest[rest_length - 2] == '\r' : line->after_cr;

	for (size_t i = 0; line->command == COMMAND_BDAT && i < rest_length; i++)
		consume_chunk_argument(dialogue, rest[i]);
	add_to_line(line, rest_length);
	line->after_cr = rest[rest_length - 1] == '\r';
	if (rest[rest_length - 1] == '\n')
		end_command(dialogue, !after_cr);
	return verb + rest_length;
}

/* Takes what answers a 334; nothing in it is looked at but the newline. */
static size_t consume_credentials(struct smtp_dialogue *dialogue, const uint8_t *bytes,
				  size_t length)
{
	size_t taken = rest_of_line(bytes, length);

	dialogue->carried_mail = true;
	add_to_line(&dialogue->client, taken);
	if (bytes[taken - 1] == '\n')
		start_line(&dialogue->client);
	return taken;
}

static size_t consume_chunk(struct smtp_dialogue *dialogue, size_t length)
{
	size_t taken = length < dialogue->chunk_left ? length : (size_t)dialogue->chunk_left;

	dialogue->carried_mail = true;
	dialogue->chunk_left -= taken;
	dialogue->in_chunk = dialogue->chunk_left > 0;
	return taken;
}

/*
 * Within a line only its newline can matter, so all else of it is passed over
 * at the speed of memchr.
 *
 * A line ends with CR LF and nothing else (RFC 5321, 2.3.8): were a bare LF
 * taken for it, the message could smuggle in what we would read as commands
 * and the server would not. Only a client whose DATA itself ended with a bare
 * LF is taken to end its message likewise.
 */
static size_t consume_message_line(struct smtp_dialogue *dialogue, const uint8_t *bytes,
				   size_t length)
{
	size_t taken = rest_of_line(bytes, length);
	bool after_cr = taken > 1 ? bytes[taken - 2] == '\r' : dialogue->dot == DOT_AFTER_CR;

	if (bytes[taken - 1] == '\n')
		dialogue->dot =
			after_cr || dialogue->newlines_bare ? DOT_AT_LINE_START : DOT_WITHIN_LINE;
	else
		dialogue->dot = bytes[taken - 1] == '\r' ? DOT_AFTER_CR : DOT_WITHIN_LINE;
	return taken;
}

static size_t consume_message(struct smtp_dialogue *dialogue, const uint8_t *bytes, size_t length)
{
	bool ended = false;

	dialogue->carried_mail = true;
	if (dialogue->dot == DOT_AT_LINE_START && bytes[0] == '.') {
		dialogue->dot = DOT_SEEN;
		return 1;
	}
	if (dialogue->dot == DOT_SEEN && bytes[0] == '\r') {
		dialogue->dot = DOT_SEEN_AND_CR;
		return 1;
	}
	ended = bytes[0] == '\n' && (dialogue->dot == DOT_SEEN_AND_CR ||
				     (dialogue->dot == DOT_SEEN && dialogue->newlines_bare));
	if (!ended)
		return consume_message_line(dialogue, bytes, length);
	dialogue->in_data = false;
	expect_reply(dialogue, COMMAND_MESSAGE);
	return 1;
}

/*
 * A client that finds no version left to offer begins with an alert. Behind a
 * STARTTLS that is not answered yet, only a ClientHello can come: its answer
 * then went by where nobody saw it. Where nothing was seen of the client before,
 * STARTTLS itself went by.
 */
static bool begins_tls(const struct smtp_dialogue *dialogue, uint8_t byte)
{
	if (dialogue->client.length > 0 || dialogue->client.command != COMMAND_INCOMPLETE)
		return false;
	return (byte == TLS_HANDSHAKE_RECORD || byte == TLS_ALERT_RECORD) &&
	       (dialogue->state == SMTP_UNDECIDED || !dialogue->client_seen ||
		is_pending(dialogue, COMMAND_STARTTLS));
}

static bool is_over(const struct smtp_dialogue *dialogue)
{
	return dialogue->state != SMTP_UNDECIDED && dialogue->state != SMTP_DIALOGUE;
}

static size_t consume_from_client(struct smtp_dialogue *dialogue, const uint8_t *bytes,
				  size_t length)
{
	size_t taken = 0;

	while (taken < length && !is_over(dialogue)) {
		const uint8_t *rest = bytes + taken;
		size_t left = length - taken;

		if (dialogue->in_chunk)
			taken += consume_chunk(dialogue, left);
		else if (dialogue->in_data)
			taken += consume_message(dialogue, rest, left);
		else if (dialogue->in_auth)
			taken += consume_credentials(dialogue, rest, left);
		else if (begins_tls(dialogue, rest[0]))
			dialogue->state =
				dialogue->state == SMTP_DIALOGUE ? SMTP_TLS : SMTP_IMPLICIT_TLS;
		else
			taken += consume_command(dialogue, rest, left);
		dialogue->client_seen = true;
	}
	return taken;
}

/* --- the server's side --- */

static bool is_hello(enum command command)
{
	return command == COMMAND_HELO || command == COMMAND_EHLO || command == COMMAND_LHLO;
}

/*
 * What the client is in the middle of sending, when a reply says that it is no
 * message or credential after all, is the rest of some line and no command.
 */
static void resume_commands(struct smtp_dialogue *dialogue, bool within_line)
{
	start_line(&dialogue->client);
	if (within_line)
		dialogue->client.command = COMMAND_OTHER;
}

static void consume_starttls_reply(struct smtp_dialogue *dialogue, uint16_t code)
{
	dialogue->starttls_reply = code;
	dialogue->starttls_refused = code != 220;
	if (code == 220) {
		dialogue->state = SMTP_TLS;
		return;
	}
	if (is_pending(dialogue, COMMAND_STARTTLS))
		return;
	dialogue->mail_sent = dialogue->mail_sent || dialogue->mail_held;
	dialogue->auth_sent = dialogue->auth_sent || dialogue->auth_held;
	dialogue->mail_held = false;
	dialogue->auth_held = false;
}

/* True where the same command will get yet another reply. */
static bool reply_is_one_of_many(struct smtp_dialogue *dialogue, enum command command,
				 uint16_t code)
{
	if (command == COMMAND_AUTH)
		return code == 334;
	/* LMTP answers a message once for each recipient (RFC 2033, 4.2). */
	if (command == COMMAND_MESSAGE && dialogue->lmtp && dialogue->recipients > 1) {
		dialogue->recipients--;
		return true;
	}
	return false;
}

/* A reply has come in full: it answers the oldest command that awaits one. */
static void consume_reply(struct smtp_dialogue *dialogue, uint16_t code)
{
	enum command command = dialogue->pending[0].command;

	if (dialogue->pending_count == 0) {
		/* A server that has to leave says so unasked (RFC 5321, 3.8). */
		dialogue->answered_unasked = dialogue->answered_unasked || code != 421;
		return;
	}
	if (reply_is_one_of_many(dialogue, command, code))
		return;
	drop_oldest_pending(dialogue);
	switch (command) {
	case COMMAND_HELO:
	case COMMAND_EHLO:
	case COMMAND_LHLO:
		if (code == 250)
			dialogue->ehlo_answered = true;
		else
			/* RFC 5321, 4.1.4: all is then as it was. */
			dialogue->starttls_offered = dialogue->offered_before;
		break;
	case COMMAND_STARTTLS:
		consume_starttls_reply(dialogue, code);
		break;
	case COMMAND_AUTH:
		if (dialogue->in_auth)
			resume_commands(dialogue, dialogue->client.length > 0);
		dialogue->in_auth = false;
		break;
	case COMMAND_DATA:
		if (code == 354 || !dialogue->in_data || is_pending(dialogue, COMMAND_DATA))
			break;
		dialogue->in_data = false;
		resume_commands(dialogue, dialogue->dot != DOT_AT_LINE_START);
		break;
	case COMMAND_RCPT:
		if (code / 100 == 2)
			dialogue->recipients++;
		break;
	case COMMAND_MESSAGE:
	case COMMAND_RSET:
		dialogue->recipients = 0;
		break;
	default:
		break;
	}
}

/*
 * The three digits at the start of a complete line; 0 if it is no reply. Of a
 * short line, the newline stands where a digit should.
 */
static uint16_t reply_code(const struct smtp_line *line)
{
	uint16_t code = 0;

	for (unsigned i = 0; i < 3; i++) {
		if (!is_digit(line->start[i]))
			return 0;
		code = (uint16_t)(code * 10 + (line->start[i] - '0'));
	}
	return line->start[3] == '-' || ends_word(line->start[3]) ? code : 0;
}

/* `250-STARTTLS` or `250 STARTTLS`, and no longer word (RFC 3207, 3). */
static bool names_starttls(const struct smtp_line *line)
{
	return begins("STARTTLS", line->start + 4, 8) && ends_word(line->start[12]);
}

/* A line of the answer to EHLO. The first names the server, and nothing else. */
static void consume_hello_line(struct smtp_dialogue *dialogue, enum command command)
{
	if (dialogue->reply_lines == 0) {
		dialogue->starttls_offered = false;
		dialogue->offered_before = false;
		dialogue->recipients = 0;
	} else if (command != COMMAND_HELO && names_starttls(&dialogue->server)) {
		dialogue->starttls_offered = true;
	}
}

/* A line from the server is complete. */
static void end_reply_line(struct smtp_dialogue *dialogue)
{
	uint16_t code = reply_code(&dialogue->server);
	bool last = dialogue->server.start[3] != '-';

	if (code == 0) {
		/* At a mail port, even words alone are a greeting. */
		if (dialogue->expected && !dialogue->client_seen)
			dialogue->greeting_over = true;
		return;
	}

	/* If the first reply is no greeting, the greeting went by before we looked. */
	if (!dialogue->greeting_over && (code == 220 || code >= 400)) {
		dialogue->greeting_over = last;
		dialogue->greeted = last && code == 220;
		return;
	}
	dialogue->greeting_over = true;

	if (code == 250 && dialogue->pending_count > 0 && is_hello(dialogue->pending[0].command))
		consume_hello_line(dialogue, dialogue->pending[0].command);
	if (dialogue->reply_lines < UINT8_MAX)
		dialogue->reply_lines++;
	if (!last)
		return;
	dialogue->reply_lines = 0;
	consume_reply(dialogue, code);
}

/*
 * Whether a line may still become a greeting: 220, or 4yz or 5yz from a server
 * that has no time (RFC 5321, 4.3.2). FTP greets with 220 too; there the
 * client's first command decides.
 */
static bool may_become_greeting(const struct smtp_line *line)
{
	static const char greeting[] = "220";
	bool turned_away = line->start[0] == '4' || line->start[0] == '5';

	for (unsigned i = 0; i < 3 && i < line->length; i++) {
		if (!turned_away && line->start[i] != (uint8_t)greeting[i])
			return false;
		if (!is_digit(line->start[i]))
			return false;
	}
	return line->length < 4 || line->start[3] == '-' || ends_word(line->start[3]);
}

static bool may_become_dialogue(struct smtp_dialogue *dialogue, size_t taken)
{
	if (taken > (size_t)(UNDECIDED_MAX - dialogue->undecided))
		return false;
	dialogue->undecided = (uint16_t)(dialogue->undecided + taken);
	if (!dialogue->greeting_over && !may_become_greeting(&dialogue->server))
		dialogue->foreign = true;
	return dialogue->server.length <= UNDECIDED_LINE_MAX;
}

/*
 * A server that names SMTP or LMTP in its greeting, as nearly all do (RFC 5321,
 * 4.3.1), needs no client's command to be known by.
 */
static void look_for_protocol(struct smtp_dialogue *dialogue, const uint8_t *bytes, size_t length)
{
	static const uint32_t smtp = 0x534d5450;
	static const uint32_t lmtp = 0x4c4d5450;

	for (size_t i = 0; i < length; i++) {
		uint8_t byte = bytes[i];

		if (byte >= 'a' && byte <= 'z')
			byte = (uint8_t)(byte - 'a' + 'A');
		dialogue->greeting_tail = dialogue->greeting_tail << 8 | byte;
		if (dialogue->greeting_tail == smtp || dialogue->greeting_tail == lmtp)
			dialogue->names_protocol = true;
	}
	if (bytes[length - 1] == '\n' && dialogue->names_protocol &&
	    reply_code(&dialogue->server) == 220)
		dialogue->state = SMTP_DIALOGUE;
}

static size_t consume_reply_line(struct smtp_dialogue *dialogue, const uint8_t *bytes,
				 size_t length)
{
	struct smtp_line *line = &dialogue->server;
	size_t taken = rest_of_line(bytes, length);

	for (size_t i = 0; i < taken && line->length + i < sizeof(line->start); i++)
		line->start[line->length + i] = bytes[i];
	add_to_line(line, taken);
	if (dialogue->state == SMTP_UNDECIDED && !dialogue->expected &&
	    !may_become_dialogue(dialogue, taken)) {
		dialogue->state = SMTP_NOT_SMTP;
		return taken;
	}
	if (dialogue->state == SMTP_UNDECIDED && !dialogue->greeting_over)
		look_for_protocol(dialogue, bytes, taken);
	if (bytes[taken - 1] == '\n') {
		if (dialogue->expected)
			dialogue->state = SMTP_DIALOGUE;
		end_reply_line(dialogue);
		start_line(line);
	}
	return taken;
}

static size_t consume_from_server(struct smtp_dialogue *dialogue, const uint8_t *bytes,
				  size_t length)
{
	size_t taken = 0;

	while (taken < length && !is_over(dialogue))
		taken += consume_reply_line(dialogue, bytes + taken, length - taken);
	return taken;
}

size_t smtp_dialogue_feed(struct smtp_dialogue *dialogue, enum smtp_side from, const uint8_t *bytes,
			  size_t length)
{
	size_t taken = from == SMTP_FROM_CLIENT ? consume_from_client(dialogue, bytes, length)
						: consume_from_server(dialogue, bytes, length);

	return dialogue->state == SMTP_NOT_SMTP ? length : taken;
}

/*
 * A verb is complete only with the byte after it, but its letters alone are what
 * a server that sees the connection end there takes for the command.
 */
static bool ends_in_mail_verb(const struct smtp_dialogue *dialogue)
{
	const struct verb *verb = find_verb(&dialogue->client);

	bool doubtful = verb && verb->command == COMMAND_AUTH && !dialogue->expected &&
			!dialogue->confirmed;

	if (dialogue->client.command == COMMAND_MAIL_OR_HTTP)
		return dialogue->state == SMTP_UNDECIDED;
	return !doubtful &&
	       (dialogue->state == SMTP_DIALOGUE || dialogue->state == SMTP_UNDECIDED) &&
	       dialogue->client.command == COMMAND_INCOMPLETE && verb && verb->carries_mail;
}

bool smtp_dialogue_would_send_mail(const struct smtp_dialogue *dialogue, const uint8_t *bytes,
				   size_t length)
{
	struct smtp_dialogue ahead = *dialogue;

	ahead.carried_mail = false;
	consume_from_client(&ahead, bytes, length);
	return ahead.carried_mail || ends_in_mail_verb(&ahead);
}
