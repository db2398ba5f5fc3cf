/*
 * The server's side of one SMTP session. It knows the dialogue, and no socket,
 * no TLS and no clock.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tools/sink/sink_session.h"

/* RFC 5321, 4.5.3.1.8: at least this many recipients must be taken. */
#define RECIPIENTS_MAX 100

/* The longest that one command can be answered with: LMTP's reply for each recipient. */
#define REPLIES_ROOM ((size_t)RECIPIENTS_MAX * 40)

/* The first byte of a TLS handshake record (RFC 8446, 5.1): no command starts with it. */
#define TLS_RECORD_HANDSHAKE 0x16

static void reply(struct smtp_session *session, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void reply(struct smtp_session *session, const char *format, ...)
{
	va_list arguments;
	size_t room = sizeof(session->replies) - session->replies_length;

	va_start(arguments, format);
	int length = vsnprintf(session->replies + session->replies_length, room, format, arguments);
	va_end(arguments);
	/* smtp_session_take() keeps REPLIES_ROOM free, so nothing is ever cut here. */
	if (length < 0 || (size_t)length + 2 > room)
		return;
	session->replies_length += (size_t)length;
	session->replies[session->replies_length++] = '\r';
	session->replies[session->replies_length++] = '\n';
}

static void forget_mail(struct smtp_session *session)
{
	session->in_mail = false;
	session->recipients = 0;
}

void smtp_session_init(struct smtp_session *session, const struct smtp_service *service,
		       bool encrypted)
{
	memset(session, 0, sizeof(*session));
	session->service = service;
	session->encrypted = encrypted;
}

void smtp_session_greet(struct smtp_session *session)
{
	reply(session, "220 localhost ESMTP tlswitness sink");
}

void smtp_session_encrypted(struct smtp_session *session)
{
	session->encrypted = true;
	session->next = SMTP_NEXT_BYTES;
	session->input = SMTP_INPUT_COMMAND;
	session->line_length = 0;
	session->lmtp = false;
	forget_mail(session);
}

static bool auth_available(const struct smtp_session *session)
{
	switch (session->service->auth) {
	case AUTH_ALWAYS:
		return true;
	case AUTH_TLS_ONLY:
		return session->encrypted;
	case AUTH_NEVER:
		break;
	}
	return false;
}

static void answer_helo(struct smtp_session *session, const char *argument)
{
	(void)argument;
	session->facts.ehlo = true;
	session->lmtp = false;
	forget_mail(session);
	reply(session, "250 localhost");
}

static void answer_ehlo(struct smtp_session *session, const char *argument)
{
	(void)argument;
	session->facts.ehlo = true;
	session->lmtp = false;
	forget_mail(session);
	reply(session, "250-localhost");
	reply(session, "250-PIPELINING");
	/* Without a number: there is no fixed maximum to declare (RFC 1870, 4). */
	reply(session, "250-SIZE");
	if (session->service->starttls_offered && !session->encrypted) {
		session->facts.starttls_offered = true;
		reply(session, "250-STARTTLS");
	}
	if (auth_available(session))
		reply(session, "250-AUTH PLAIN LOGIN");
	reply(session, "250-ENHANCEDSTATUSCODES");
	reply(session, "250-8BITMIME");
	reply(session, "250-SMTPUTF8");
	reply(session, "250 CHUNKING");
}

static void answer_lhlo(struct smtp_session *session, const char *argument)
{
	answer_ehlo(session, argument);
	session->lmtp = true;
}

static void answer_starttls(struct smtp_session *session, const char *argument)
{
	session->facts.starttls_asked = true;
	if (session->encrypted) {
		reply(session, "503 5.5.1 TLS is on already");
		return;
	}
	switch (session->service->starttls_reply) {
	case 220:
		break;
	case 454: /* RFC 3207, 4 */
		reply(session, "454 4.7.0 TLS not available due to temporary reason");
		return;
	case 502:
		reply(session, "502 5.5.1 Command not implemented");
		return;
	default:
		reply(session, "%u TLS refused", session->service->starttls_reply);
		return;
	}
	if (*argument != '\0') {
		reply(session, "501 5.5.4 STARTTLS takes no parameter");
		return;
	}
	reply(session, "220 2.0.0 Ready to start TLS");
	session->next = SMTP_NEXT_TLS;
}

/* What follows once the line of `step` has come. */
static enum auth_step next_auth_step(enum auth_step step)
{
	return step == AUTH_LOGIN_USER ? AUTH_LOGIN_PASSWORD : AUTH_COMPLETE;
}

/* Asks for the line of this step; when there is none left, whatever came is good enough. */
static void continue_auth(struct smtp_session *session, enum auth_step step)
{
	session->auth_step = step;
	session->input = SMTP_INPUT_AUTH;
	switch (step) {
	case AUTH_COMPLETE:
		session->input = SMTP_INPUT_COMMAND;
		reply(session, "235 2.7.0 Authentication successful");
		break;
	case AUTH_PLAIN_RESPONSE:
		reply(session, "334 ");
		break;
	case AUTH_LOGIN_USER:
		reply(session, "334 VXNlcm5hbWU6"); /* "Username:" */
		break;
	case AUTH_LOGIN_PASSWORD:
		reply(session, "334 UGFzc3dvcmQ6"); /* "Password:" */
		break;
	}
}

static enum auth_step first_auth_step(const char *mechanism, size_t length)
{
	if (length == 5 && strncasecmp(mechanism, "PLAIN", length) == 0)
		return AUTH_PLAIN_RESPONSE;
	if (length == 5 && strncasecmp(mechanism, "LOGIN", length) == 0)
		return AUTH_LOGIN_USER;
	return AUTH_COMPLETE;
}

static void answer_auth(struct smtp_session *session, const char *argument)
{
	size_t length = strcspn(argument, " ");
	enum auth_step step = first_auth_step(argument, length);
	bool initial_response = argument[length] == ' ';

	if (session->service->auth == AUTH_NEVER)
		reply(session, "502 5.5.1 Command not implemented");
	else if (!auth_available(session))
		reply(session, "538 5.7.11 Encryption required for authentication");
	else if (session->in_mail)
		reply(session, "503 5.5.1 AUTH is not permitted during a mail transaction");
	else if (step == AUTH_COMPLETE)
		reply(session, "504 5.5.4 Unrecognized authentication mechanism");
	else
		continue_auth(session, initial_response ? next_auth_step(step) : step);
}

static void answer_auth_line(struct smtp_session *session)
{
	/* RFC 4954, 4: a lone "*" cancels. */
	if (strcmp(session->line, "*") == 0) {
		session->input = SMTP_INPUT_COMMAND;
		reply(session, "501 5.7.0 Authentication cancelled");
		return;
	}
	continue_auth(session, next_auth_step(session->auth_step));
}

static void answer_mail(struct smtp_session *session, const char *argument)
{
	if (strncasecmp(argument, "FROM:", 5) != 0) {
		reply(session, "501 5.5.4 Syntax: MAIL FROM:<address>");
		return;
	}
	if (session->in_mail) {
		reply(session, "503 5.5.1 Nested MAIL command");
		return;
	}
	session->in_mail = true;
	reply(session, "250 2.1.0 Ok");
}

static void answer_rcpt(struct smtp_session *session, const char *argument)
{
	if (!session->in_mail) {
		reply(session, "503 5.5.1 MAIL first");
		return;
	}
	if (strncasecmp(argument, "TO:", 3) != 0) {
		reply(session, "501 5.5.4 Syntax: RCPT TO:<address>");
		return;
	}
	if (session->recipients == RECIPIENTS_MAX) {
		reply(session, "452 4.5.3 Too many recipients");
		return;
	}
	session->recipients++;
	reply(session, "250 2.1.5 Ok");
}

static void message_taken(struct smtp_session *session)
{
	/* RFC 2033, 4.2: LMTP answers once for each recipient. */
	unsigned answers = session->lmtp ? session->recipients : 1;

	session->facts.messages++;
	session->input = SMTP_INPUT_COMMAND;
	for (unsigned i = 0; i < answers; i++)
		reply(session, "250 2.0.0 Taken and thrown away");
	forget_mail(session);
}

static void answer_data(struct smtp_session *session, const char *argument)
{
	(void)argument;
	if (session->recipients == 0) {
		reply(session, "503 5.5.1 RCPT first");
		return;
	}
	/*
	 * CRLF.CRLF alone ends a message (RFC 5321, 4.1.1.4). A person at a
	 * terminal, whose commands end in a bare LF, could not end one then.
	 */
	session->end_of_data = session->bare_newlines ? "\n.\n" : "\r\n.\r\n";
	/* The end of the DATA line itself counts: an empty message is a lone dot. */
	session->end_matched = strcspn(session->end_of_data, ".");
	session->input = SMTP_INPUT_DATA;
	reply(session, "354 End data with <CR><LF>.<CR><LF>");
}

static void chunk_ended(struct smtp_session *session)
{
	session->input = SMTP_INPUT_COMMAND;
	if (!session->chunk_taken)
		reply(session, "503 5.5.1 RCPT first");
	else if (session->chunk_last)
		message_taken(session);
	else
		reply(session, "250 2.0.0 Chunk taken");
}

/* RFC 3030, 2: "BDAT <octets> [LAST]"; the octets follow even if the answer will be an error. */
static void answer_bdat(struct smtp_session *session, const char *argument)
{
	char *end = NULL;

	if (!isdigit((unsigned char)argument[0])) {
		reply(session, "501 5.5.4 Syntax: BDAT octets [LAST]");
		return;
	}
	session->octets_left = strtoull(argument, &end, 10);
	session->chunk_last = strcasecmp(end, " LAST") == 0;
	session->chunk_taken = session->recipients > 0;
	session->input = SMTP_INPUT_CHUNK;
	if (session->octets_left == 0)
		chunk_ended(session);
}

static void answer_rset(struct smtp_session *session, const char *argument)
{
	(void)argument;
	forget_mail(session);
	reply(session, "250 2.0.0 Ok");
}

static void answer_noop(struct smtp_session *session, const char *argument)
{
	(void)argument;
	reply(session, "250 2.0.0 Ok");
}

static void answer_vrfy(struct smtp_session *session, const char *argument)
{
	(void)argument;
	reply(session, "252 2.1.5 Cannot VRFY, but will take the message");
}

static void answer_help(struct smtp_session *session, const char *argument)
{
	(void)argument;
	reply(session, "214 2.0.0 A sink: takes mail and throws it away");
}

static void answer_quit(struct smtp_session *session, const char *argument)
{
	(void)argument;
	session->facts.quit = true;
	reply(session, "221 2.0.0 Bye");
	session->next = SMTP_NEXT_CLOSE;
}

struct command {
	const char *verb;
	bool before_tls; /* allowed in the clear although TLS is required (RFC 3207, 4) */
	void (*take)(struct smtp_session *session, const char *argument);
};

static const struct command commands[] = {
	{"EHLO", true, answer_ehlo},  {"HELO", true, answer_helo},
	{"LHLO", true, answer_lhlo},  {"STARTTLS", true, answer_starttls},
	{"AUTH", false, answer_auth}, {"MAIL", false, answer_mail},
	{"RCPT", false, answer_rcpt}, {"DATA", false, answer_data},
	{"BDAT", false, answer_bdat}, {"RSET", false, answer_rset},
	{"NOOP", true, answer_noop},  {"VRFY", false, answer_vrfy},
	{"HELP", false, answer_help}, {"QUIT", true, answer_quit},
};

static const struct command *find_command(const char *line)
{
	size_t verb_length = strcspn(line, " ");

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strlen(commands[i].verb) == verb_length &&
		    strncasecmp(line, commands[i].verb, verb_length) == 0)
			return &commands[i];
	}
	return NULL;
}

/* What arrived is noted before it is answered: a refused MAIL has left the client all the same. */
static void note_arrival(struct smtp_session *session, const struct command *command)
{
	if (command->take == answer_auth) {
		session->facts.auth = true;
		session->facts.auth_in_clear |= !session->encrypted;
	} else if (command->take == answer_mail) {
		session->facts.mail = true;
		session->facts.mail_in_clear |= !session->encrypted;
	}
}

static void answer_command(struct smtp_session *session)
{
	const struct command *command = find_command(session->line);

	if (command == NULL) {
		reply(session, "500 5.5.2 Command not recognized");
		return;
	}
	note_arrival(session, command);
	if (session->service->require_tls && !session->encrypted && !command->before_tls) {
		reply(session, "530 5.7.0 Must issue a STARTTLS command first");
		return;
	}
	const char *argument = session->line + strlen(command->verb);
	command->take(session, argument + strspn(argument, " "));
}

/* A command that never came to its end, or never to an acceptable one. */
static void note_broken_line(struct smtp_session *session)
{
	session->line[session->line_length] = '\0';
	const struct command *command = find_command(session->line);
	if (session->input == SMTP_INPUT_COMMAND && command != NULL)
		note_arrival(session, command);
}

void smtp_session_end(struct smtp_session *session)
{
	if (session->line_length > 0)
		note_broken_line(session);
}

/* The line is complete: its newline is taken off, and it is answered. */
static void end_line(struct smtp_session *session)
{
	size_t length = session->line_length;

	if (session->line_too_long) {
		note_broken_line(session);
		session->line_too_long = false;
		session->line_length = 0;
		session->input = SMTP_INPUT_COMMAND;
		reply(session, "500 5.5.2 Line too long");
		return;
	}
	session->line_length = 0;
	session->bare_newlines = length == 0 || session->line[length - 1] != '\r';
	if (!session->bare_newlines)
		length--;
	session->line[length] = '\0';
	if (session->input == SMTP_INPUT_AUTH)
		answer_auth_line(session);
	else
		answer_command(session);
}

static bool is_tls_unasked(const struct smtp_session *session, char first)
{
	return session->line_length == 0 && !session->encrypted &&
	       session->input == SMTP_INPUT_COMMAND && first == TLS_RECORD_HANDSHAKE;
}

static size_t answer_line(struct smtp_session *session, const char *bytes, size_t length)
{
	const char *newline = memchr(bytes, '\n', length);
	size_t part = newline != NULL ? (size_t)(newline - bytes) : length;

	if (is_tls_unasked(session, bytes[0])) {
		session->facts.tls_unasked = true;
		session->next = SMTP_NEXT_CLOSE;
		return 0;
	}
	size_t room = SMTP_LINE_MAX - session->line_length;
	session->line_too_long |= part > room;
	size_t kept = part < room ? part : room;
	memcpy(session->line + session->line_length, bytes, kept);
	session->line_length += kept;
	if (newline == NULL)
		return length;
	end_line(session);
	return part + 1;
}

/*
 * Drops message bytes up to the lone dot. After a mismatch a new match can only
 * begin with the very byte that broke the old one: the patterns contain their
 * own beginning nowhere but where it would have matched.
 */
static size_t answer_message(struct smtp_session *session, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == session->end_of_data[session->end_matched])
			session->end_matched++;
		else
			session->end_matched = bytes[i] == session->end_of_data[0] ? 1 : 0;
		if (session->end_of_data[session->end_matched] == '\0') {
			message_taken(session);
			return i + 1;
		}
	}
	return length;
}

static size_t answer_chunk(struct smtp_session *session, size_t length)
{
	size_t part = length < session->octets_left ? length : (size_t)session->octets_left;

	session->octets_left -= part;
	if (session->octets_left == 0)
		chunk_ended(session);
	return part;
}

size_t smtp_session_take(struct smtp_session *session, const char *bytes, size_t length)
{
	size_t taken = 0;

	while (taken < length && session->next == SMTP_NEXT_BYTES &&
	       sizeof(session->replies) - session->replies_length > REPLIES_ROOM) {
		switch (session->input) {
		case SMTP_INPUT_COMMAND:
		case SMTP_INPUT_AUTH:
			taken += answer_line(session, bytes + taken, length - taken);
			break;
		case SMTP_INPUT_DATA:
			taken += answer_message(session, bytes + taken, length - taken);
			break;
		case SMTP_INPUT_CHUNK:
			taken += answer_chunk(session, length - taken);
			break;
		}
	}
	return taken;
}
