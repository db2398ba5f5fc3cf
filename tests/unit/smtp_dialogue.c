/*
 * Dialogues, as they are and as they should not be. Each is fed whole, byte by
 * byte, and cut at every byte: what is known at the end must not depend on how
 * the bytes were split.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shim/wire/smtp_dialogue.h"

enum { TURNS_MAX = 14 };

/* What one side says before the other does. */
struct turn {
	enum smtp_side from;
	const char *bytes;
	size_t length;
};

#define C(text)                                            \
	{                                                  \
		SMTP_FROM_CLIENT, (text), sizeof(text) - 1 \
	}
#define S(text)                                            \
	{                                                  \
		SMTP_FROM_SERVER, (text), sizeof(text) - 1 \
	}

enum fact {
	GREETED = 1 << 0,
	HELLO = 1 << 1,
	ANSWERED = 1 << 2,
	OFFERED = 1 << 3,
	STARTTLS = 1 << 4,
	REFUSED = 1 << 5,
	AUTH = 1 << 6,
	MAIL = 1 << 7,
	OPENED = GREETED | HELLO | ANSWERED,
};

struct dialogue_case {
	const char *name;
	struct turn turns[TURNS_MAX];
	enum smtp_state state;
	unsigned facts;
	uint16_t reply; /* to STARTTLS */
	size_t tls;     /* bytes that were not the dialogue's */
};

/* ---- feeding ---- */

static unsigned facts_of(const struct smtp_dialogue *dialogue)
{
	unsigned facts = 0;

	facts |= dialogue->greeted ? GREETED : 0;
	facts |= dialogue->ehlo_sent ? HELLO : 0;
	facts |= dialogue->ehlo_answered ? ANSWERED : 0;
	facts |= dialogue->starttls_offered ? OFFERED : 0;
	facts |= dialogue->starttls_sent ? STARTTLS : 0;
	facts |= dialogue->starttls_refused ? REFUSED : 0;
	facts |= dialogue->auth_sent ? AUTH : 0;
	facts |= dialogue->mail_sent ? MAIL : 0;
	return facts;
}

static bool may_follow(enum smtp_state before, enum smtp_state after)
{
	return before == after || before == SMTP_UNDECIDED ||
	       (before == SMTP_DIALOGUE && (after == SMTP_TLS || after == SMTP_NOT_SMTP));
}

/* Feeds one piece, from a block of its own size, and returns how many bytes were not taken. */
static size_t feed(struct smtp_dialogue *dialogue, enum smtp_side from, const char *bytes,
		   size_t length)
{
	enum smtp_state before = dialogue->state;
	uint8_t *exact = malloc(length + (length == 0));

	cr_assert_not_null(exact);
	memcpy(exact, bytes, length);
	size_t taken = smtp_dialogue_feed(dialogue, from, exact, length);

	free(exact);
	cr_assert_leq(taken, length);
	cr_assert(may_follow(before, dialogue->state), "from %u to %u", before, dialogue->state);
	if (before == SMTP_TLS || before == SMTP_IMPLICIT_TLS)
		cr_assert_eq(taken, 0);
	if (dialogue->state != SMTP_TLS && dialogue->state != SMTP_IMPLICIT_TLS)
		cr_assert_eq(taken, length);
	return length - taken;
}

/* Feeds all turns, each cut where the whole stream's byte `split` is, and every `step` bytes. */
static size_t feed_turns(struct smtp_dialogue *dialogue, const struct turn *turns, size_t split,
			 size_t step)
{
	size_t position = 0;
	size_t tls = 0;

	for (size_t i = 0; i < TURNS_MAX && turns[i].bytes; i++) {
		size_t done = 0;

		while (done < turns[i].length) {
			size_t piece =
				turns[i].length - done < step ? turns[i].length - done : step;

			if (position < split && split < position + piece)
				piece = split - position;
			tls += feed(dialogue, turns[i].from, turns[i].bytes + done, piece);
			done += piece;
			position += piece;
		}
	}
	return tls;
}

static size_t length_of(const struct turn *turns)
{
	size_t length = 0;

	for (size_t i = 0; i < TURNS_MAX && turns[i].bytes; i++)
		length += turns[i].length;
	return length;
}

static void expect_facts(const struct smtp_dialogue *dialogue, const struct dialogue_case *expected,
			 size_t tls, const char *how, size_t where)
{
	cr_assert_eq(dialogue->state, expected->state, "%s (%s %zu): state %u", expected->name, how,
		     where, dialogue->state);
	cr_assert_eq(facts_of(dialogue), expected->facts, "%s (%s %zu): facts %#x, not %#x",
		     expected->name, how, where, facts_of(dialogue), expected->facts);
	cr_assert_eq(dialogue->starttls_reply, expected->reply, "%s (%s %zu): reply %u",
		     expected->name, how, where, dialogue->starttls_reply);
	cr_assert_eq(tls, expected->tls, "%s (%s %zu): %zu bytes of TLS", expected->name, how,
		     where, tls);
}

static void expect_at(const struct dialogue_case *expected, bool mail_port)
{
	struct smtp_dialogue dialogue;
	size_t length = length_of(expected->turns);
	size_t tls = 0;

	smtp_dialogue_init(&dialogue, mail_port);
	tls = feed_turns(&dialogue, expected->turns, 0, SIZE_MAX);
	expect_facts(&dialogue, expected, tls, "whole", length);

	smtp_dialogue_init(&dialogue, mail_port);
	tls = feed_turns(&dialogue, expected->turns, 0, 1);
	expect_facts(&dialogue, expected, tls, "in bytes", length);

	for (size_t split = 1; split < length; split++) {
		smtp_dialogue_init(&dialogue, mail_port);
		tls = feed_turns(&dialogue, expected->turns, split, SIZE_MAX);
		expect_facts(&dialogue, expected, tls, "split at", split);
	}
}

static void expect_all(const struct dialogue_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		expect_at(&cases[i], false);
}

static void expect_all_at_port(const struct dialogue_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		expect_at(&cases[i], true);
}

#define EXPECT_ALL(cases) expect_all((cases), sizeof(cases) / sizeof((cases)[0]))

/* ---- what is SMTP ---- */

#define GREETING S("220 mx.example.org ESMTP\r\n")
#define EHLO     C("EHLO client.example.org\r\n")
#define OFFER    S("250-mx.example.org\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 8BITMIME\r\n")
#define NO_OFFER S("250-mx.example.org\r\n250 PIPELINING\r\n")

/* What FTP could say as well. */
#define NAMELESS S("220 mx.example.org ready\r\n")

Test(smtp_dialogue, known_by_its_first_command)
{
	static const struct dialogue_case cases[] = {
		{"nothing yet", {S("")}, .state = SMTP_UNDECIDED},
		{"a greeting that names its protocol",
		 {GREETING},
		 .state = SMTP_DIALOGUE,
		 .facts = GREETED},
		{"one that names LMTP, in any case",
		 {S("220-hello\r\n220 mx.example.org lmtp\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = GREETED},
		{"one that names it, but turns away",
		 {S("554 no SMTP here\r\n")},
		 .state = SMTP_UNDECIDED},
		{"one that nearly names it",
		 {S("220 SMT P\r\n")},
		 .state = SMTP_UNDECIDED,
		 .facts = GREETED},
		{"a greeting", {NAMELESS}, .state = SMTP_UNDECIDED, .facts = GREETED},
		{"half a verb", {NAMELESS, C("EHL")}, .state = SMTP_UNDECIDED, .facts = GREETED},
		{"a verb that may go on",
		 {NAMELESS, C("EHLO")},
		 .state = SMTP_UNDECIDED,
		 .facts = GREETED},
		{"half a command",
		 {NAMELESS, C("EHLO ")},
		 .state = SMTP_DIALOGUE,
		 .facts = GREETED},
		{"EHLO", {NAMELESS, EHLO, NO_OFFER}, .state = SMTP_DIALOGUE, .facts = OPENED},
		{"a bare EHLO",
		 {NAMELESS, C("EHLO\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = GREETED | HELLO},
		{"HELO",
		 {NAMELESS, C("helo x\r\n"), S("250 x\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED},
		{"LHLO",
		 {NAMELESS, C("Lhlo x\r\n"), NO_OFFER},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED},
		{"no patience for EHLO",
		 {NAMELESS, C("MAIL FROM:<>\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = GREETED | MAIL},
		{"nor for its answer",
		 {NAMELESS, C("STARTTLS\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = GREETED | STARTTLS},
		{"a greeting of many lines",
		 {S("220-mx.example.org\r\n220-\r\n220-and a dog\r\n220 ESMTP\r\n"), EHLO, OFFER},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | OFFERED},
		{"a greeting not yet over",
		 {S("220-mx.example.org\r\n"), EHLO, S("220 x\r\n"), OFFER},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | OFFERED},
		{"a greeting without words",
		 {S("220\r\n"), EHLO},
		 .state = SMTP_DIALOGUE,
		 .facts = GREETED | HELLO},
		{"a greeting with odd bytes",
		 {S("220 \0\xFF\r\n"), EHLO},
		 .state = SMTP_DIALOGUE,
		 .facts = GREETED | HELLO},
		{"a server that has no time",
		 {S("554 no\r\n"), EHLO},
		 .state = SMTP_DIALOGUE,
		 .facts = HELLO},
		{"nor today",
		 {S("421 later\r\n"), EHLO, S("503 no\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = HELLO},
		{"a client that can't wait",
		 {EHLO, NAMELESS, OFFER},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | OFFERED},
		{"a greeting that went by before we looked",
		 {EHLO, OFFER},
		 .state = SMTP_DIALOGUE,
		 .facts = HELLO | ANSWERED | OFFERED},
		{"a greeting that went by, and STARTTLS",
		 {EHLO, OFFER, C("STARTTLS\r\n"), S("220 go\r\n")},
		 .state = SMTP_TLS,
		 .facts = HELLO | ANSWERED | OFFERED | STARTTLS,
		 .reply = 220},
		{"sent away, and then not",
		 {EHLO, S("554 no\r\n"), OFFER},
		 .state = SMTP_DIALOGUE,
		 .facts = HELLO | ANSWERED | OFFERED},
		{"and mail that can't wait",
		 {C("MAIL FROM:<>\r\n"), GREETING},
		 .state = SMTP_DIALOGUE,
		 .facts = GREETED | MAIL},
		{"in small letters, with more blanks, and before its address",
		 {C("mail \t from")},
		 .state = SMTP_DIALOGUE,
		 .facts = MAIL},
		{"between the two, a greeting",
		 {C("MAIL "), GREETING, C("FROM:<>\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = GREETED | MAIL},
	};

	EXPECT_ALL(cases);
}

Test(smtp_dialogue, what_is_no_smtp)
{
	static const struct dialogue_case cases[] = {
		{"FTP",
		 {S("220 ftp\r\n"), C("USER anonymous\r\n")},
		 .state = SMTP_NOT_SMTP,
		 .facts = GREETED},
		{"FTP over TLS",
		 {S("220 ftp\r\n"), C("AUTH TLS\r\n")},
		 .state = SMTP_NOT_SMTP,
		 .facts = GREETED},
		{"FTP that asks",
		 {S("220 ftp\r\n"), C("FEAT\r\n")},
		 .state = SMTP_NOT_SMTP,
		 .facts = GREETED},
		{"FTP says much",
		 {S("220-ftp\r\n welcome\r\n220 go\r\n"), C("USER x\r\n")},
		 .state = SMTP_NOT_SMTP,
		 .facts = GREETED},
		{"FTP with a wait",
		 {S("120 in a minute\r\n220 now\r\n"), C("USER x\r\n")},
		 .state = SMTP_NOT_SMTP},
		{"FTP that is idle first",
		 {S("220 ftp\r\n"), C("NOOP\r\n"), S("200 ok\r\n"), C("USER x\r\n")},
		 .state = SMTP_NOT_SMTP,
		 .facts = GREETED},
		{"FTP over TLS, whose greeting names SMTP",
		 {S("220 files and ESMTP\r\n"), C("AUTH TLS\r\n"), S("234 go\r\n")},
		 .state = SMTP_NOT_SMTP,
		 .facts = GREETED},
		{"the same, the old way",
		 {S("220 files and ESMTP\r\n"), C("auth ssl\r\n")},
		 .state = SMTP_NOT_SMTP,
		 .facts = GREETED},
		{"FTP whose greeting names SMTP",
		 {S("220 files and ESMTP\r\n"), C("FEAT\r\n")},
		 .state = SMTP_NOT_SMTP,
		 .facts = GREETED},
		{"no verb, but it begins like one",
		 {S("220 x\r\n"), C("EHLOX y\r\n")},
		 .state = SMTP_NOT_SMTP,
		 .facts = GREETED},
		{"a verb cut short",
		 {S("220 x\r\n"), C("EHL y\r\n")},
		 .state = SMTP_NOT_SMTP,
		 .facts = GREETED},
		{"MAIL, but what?",
		 {S("220 x\r\n"), C("MAIL\r\n")},
		 .state = SMTP_NOT_SMTP,
		 .facts = GREETED},
		{"EHLO with a NUL",
		 {NAMELESS, C("EHLO\0")},
		 .state = SMTP_NOT_SMTP,
		 .facts = GREETED},
		{"IRC", {C("STARTTLS\r\n")}, .state = SMTP_NOT_SMTP},
		{"POP3", {S("+OK ready\r\n"), C("USER x\r\n")}, .state = SMTP_NOT_SMTP},
		{"POP3, AUTH first",
		 {S("+OK ready\r\n"), C("AUTH PLAIN\r\n")},
		 .state = SMTP_NOT_SMTP},
		{"IMAP", {S("* OK ready\r\n"), C("a1 CAPABILITY\r\n")}, .state = SMTP_NOT_SMTP},
		{"SSH", {S("SSH-2.0-x\r\n"), C("SSH-2.0-y\r\n")}, .state = SMTP_NOT_SMTP},
		{"NNTP", {S("200 news\r\n"), C("MODE READER\r\n")}, .state = SMTP_NOT_SMTP},
		{"NNTP, to read", {S("201 news\r\n"), C("QUIT\r\n")}, .state = SMTP_NOT_SMTP},
		{"HTTP answers", {S("HTTP/1.1 400 \r\n"), C("GET /\r\n")}, .state = SMTP_NOT_SMTP},
		{"MySQL",
		 {S("J\0\0\0\x0A"
		    "8.0\0"),
		  C("\x20\0\0\1")},
		 .state = SMTP_NOT_SMTP},
		{"Redis", {C("*1\r\n$4\r\nPING\r\n")}, .state = SMTP_NOT_SMTP},
		{"Redis, by hand", {C("AUTH secret\r\n")}, .state = SMTP_NOT_SMTP},
		{"XMPP", {C("<?xml version='1.0'?>")}, .state = SMTP_NOT_SMTP},
		{"PostgreSQL", {C("\0\0\0\x08\x04\xD2\x16\x2F")}, .state = SMTP_NOT_SMTP},
		{"a code and more, and HELO",
		 {S("2200 x\r\n"), C("HELO x\r\n")},
		 .state = SMTP_NOT_SMTP},
		{"a code that is no greeting's, and HELO",
		 {S("250 x\r\n"), C("HELO x\r\n")},
		 .state = SMTP_NOT_SMTP},
		{"half a code, and MAIL", {S("22\r\n"), C("MAIL x\r\n")}, .state = SMTP_NOT_SMTP},
		{"HTTP asks", {C("GET / HTTP/1.1\r\n")}, .state = SMTP_NOT_SMTP},
		{"HTTP, by a method of that name",
		 {C("MAIL / HTTP/1.1\r\n")},
		 .state = SMTP_NOT_SMTP},
		{"and of a whole address",
		 {C("MAIL http://from/ HTTP/1.1\r\n")},
		 .state = SMTP_NOT_SMTP},
		{"and almost", {C("MAIL FRO \r\n")}, .state = SMTP_NOT_SMTP},
		{"and it may be either", {C("MAIL FRO")}, .state = SMTP_UNDECIDED},
		{"old TLS in new clothes", {C("\x80\x2E\x01\x03\x01")}, .state = SMTP_NOT_SMTP},
		{"what comes after is not looked at",
		 {C("GET /\r\n"), S("220 x\r\n"), C("EHLO x\r\nMAIL FROM:<>\r\n\x16\x03\x01")},
		 .state = SMTP_NOT_SMTP},
	};

	EXPECT_ALL(cases);
}

/* Not to be known by its greeting, but by the client's first command. */
Test(smtp_dialogue, known_by_the_client_alone)
{
	static const struct dialogue_case cases[] = {
		{"a greeting that is none", {S("250 hello\r\n")}, .state = SMTP_UNDECIDED},
		{"and EHLO",
		 {S("250 hello\r\n"), EHLO, OFFER},
		 .state = SMTP_DIALOGUE,
		 .facts = HELLO | ANSWERED | OFFERED},
		{"words, and EHLO",
		 {S("hello there\r\n"), EHLO, NO_OFFER, C("MAIL FROM:<>\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = HELLO | ANSWERED | MAIL},
		{"an empty line, and LHLO",
		 {S("\r\n"), C("LHLO x\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = HELLO},
		{"an idle client",
		 {NAMELESS, C("NOOP\r\n")},
		 .state = SMTP_UNDECIDED,
		 .facts = GREETED},
		{"which goes on",
		 {NAMELESS, C("NOOP\r\n"), S("250 ok\r\n"), EHLO, OFFER},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | OFFERED},
		{"one that is lost",
		 {NAMELESS, C("HELP\r\n"), S("214-x\r\n214 y\r\n"), C("MAIL FROM:<>\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = GREETED | MAIL},
		{"one that says nothing",
		 {NAMELESS, C("\r\n"), S("500 what\r\n"), C("HELO x\r\n"), S("250 x\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED},
		{"RSET", {NAMELESS, C("RSET\r\n")}, .state = SMTP_DIALOGUE, .facts = GREETED},
		{"VRFY", {NAMELESS, C("VRFY x\r\n")}, .state = SMTP_DIALOGUE, .facts = GREETED},
		{"EXPN", {NAMELESS, C("EXPN x\r\n")}, .state = SMTP_DIALOGUE, .facts = GREETED},
		{"ETRN", {NAMELESS, C("ETRN x\r\n")}, .state = SMTP_DIALOGUE, .facts = GREETED},
		{"XFORWARD",
		 {NAMELESS, C("XFORWARD NAME=x\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = GREETED},
		{"XCLIENT",
		 {NAMELESS, C("XCLIENT NAME=x\r\n"), S("220 again\r\n"), EHLO, OFFER},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | OFFERED},
		{"a blank before the verb",
		 {NAMELESS, C(" \tEHLO x\r\n"), NO_OFFER, C(" MAIL FROM:<>\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | MAIL},
		{"AUTH that is no FTP",
		 {GREETING, C("AUTH PLAIN AGEAYg==\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = GREETED | AUTH},
		{"nor this, though it begins so",
		 {GREETING, C("AUTH  TLSX\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = GREETED | AUTH},
		{"nor this, behind EHLO",
		 {GREETING, EHLO, OFFER, C("AUTH TLS\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | OFFERED | AUTH},
		{"AUTH, but what?",
		 {GREETING, C("AUTH \r\n"), S("501 what\r\n"), EHLO, OFFER},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | OFFERED},
	};

	EXPECT_ALL(cases);
}

/* On a mail port: SMTP whatever it looks like, until TLS begins. */
Test(smtp_dialogue, expected_by_the_port)
{
	static const struct dialogue_case cases[] = {
		{"nothing yet", {S("220 x")}, .state = SMTP_UNDECIDED},
		{"a greeting of words",
		 {S("hello\r\n"), C("MAIL FROM:<>\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = MAIL},
		{"a greeting with 250",
		 {S("250 hello\r\n"), C("NOOP\r\n"), S("250 ok\r\n"), C("MAIL FROM:<>\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = MAIL},
		{"no greeting, and words of no meaning",
		 {C("HI THERE\r\n"), S("500 what\r\n"), C("auth login\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = AUTH},
		{"an empty line first",
		 {NAMELESS, C("\r\n"), S("500 x\r\n"), C("MAIL FROM:<>\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = GREETED | MAIL},
		{"FTP's words",
		 {NAMELESS, C("USER x\r\nAUTH TLS\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = GREETED | AUTH},
		{"bytes without sense",
		 {C("\0\1\2\xFF\nMAIL FROM:<>\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = MAIL},
		{"a blank before MAIL",
		 {GREETING, C(" MAIL FROM:<>\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = GREETED | MAIL},
		{"implicit TLS", {C("\x16\x03\x01")}, .state = SMTP_IMPLICIT_TLS, .tls = 3},
		{"STARTTLS that was not seen",
		 {GREETING, OFFER, S("220 go\r\n"), C("\x16\x03\x01")},
		 .state = SMTP_TLS,
		 .facts = GREETED,
		 .tls = 3},
		{"STARTTLS behind a greeting of words",
		 {S("hello\r\n"), C("STARTTLS\r\n"), S("220 go\r\n"), C("\x16\x03\x01")},
		 .state = SMTP_TLS,
		 .facts = STARTTLS,
		 .reply = 220,
		 .tls = 3},
		{"a greeting without end",
		 {S("220-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"),
		  C("MAIL FROM:<>\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = MAIL},
	};

	expect_all_at_port(cases, sizeof(cases) / sizeof(cases[0]));
}

Test(smtp_dialogue, ignored_at_once)
{
	struct smtp_dialogue dialogue;

	smtp_dialogue_init(&dialogue, false);
	feed(&dialogue, SMTP_FROM_SERVER, "+", 1);
	cr_expect_eq(dialogue.state, SMTP_UNDECIDED);
	feed(&dialogue, SMTP_FROM_CLIENT, "U", 1);
	cr_expect_eq(dialogue.state, SMTP_NOT_SMTP);
	smtp_dialogue_init(&dialogue, false);
	feed(&dialogue, SMTP_FROM_CLIENT, "G", 1);
	cr_expect_eq(dialogue.state, SMTP_NOT_SMTP);
	smtp_dialogue_init(&dialogue, false);
	feed(&dialogue, SMTP_FROM_SERVER, "220 x\r\n", 7);
	feed(&dialogue, SMTP_FROM_CLIENT, "U", 1);
	cr_expect_eq(dialogue.state, SMTP_NOT_SMTP);
}

Test(smtp_dialogue, tls_from_the_first_byte)
{
	static const struct dialogue_case cases[] = {
		{"a ClientHello",
		 {C("\x16\x03\x01\x02\x00\x01")},
		 .state = SMTP_IMPLICIT_TLS,
		 .tls = 6},
		{"and its answer",
		 {C("\x16\x03\x01"), S("\x16\x03\x03"), C("EHLO")},
		 .state = SMTP_IMPLICIT_TLS,
		 .tls = 10},
		{"an alert of a client with nothing to offer",
		 {C("\x15\x03\x01")},
		 .state = SMTP_IMPLICIT_TLS,
		 .tls = 3},
		{"another record", {C("\x17\x03\x01")}, .state = SMTP_NOT_SMTP},
		{"where a greeting was",
		 {NAMELESS, C("\x16\x03\x01")},
		 .state = SMTP_IMPLICIT_TLS,
		 .facts = GREETED,
		 .tls = 3},
	};

	EXPECT_ALL(cases);
}

/* A greeting line of `line` bytes with its newline, again and again until there are `total`. */
static enum smtp_state state_after_greeting(size_t line, size_t total, size_t step)
{
	static const char code[] = {'2', '2', '0', '-'};
	struct smtp_dialogue dialogue;
	char *greeting = malloc(total);

	cr_assert_not_null(greeting);
	memset(greeting, 'x', total);
	for (size_t start = 0; start + line <= total; start += line) {
		memcpy(greeting + start, code, sizeof(code));
		greeting[start + line - 1] = '\n';
	}
	/* What is left is the start of another line. */
	for (size_t i = 0; i < total % line && i < 4; i++)
		greeting[total - total % line + i] = greeting[i];
	smtp_dialogue_init(&dialogue, false);
	for (size_t i = 0; i < total; i += step)
		feed(&dialogue, SMTP_FROM_SERVER, greeting + i,
		     total - i < step ? total - i : step);
	free(greeting);
	return dialogue.state;
}

Test(smtp_dialogue, no_endless_greeting)
{
	for (size_t step = 1; step < 10000; step += 511) {
		cr_expect_eq(state_after_greeting(2048, 2048, step), SMTP_UNDECIDED);
		cr_expect_eq(state_after_greeting(2049, 2049, step), SMTP_NOT_SMTP);
		cr_expect_eq(state_after_greeting(64, 4096, step), SMTP_UNDECIDED);
		cr_expect_eq(state_after_greeting(64, 4097, step), SMTP_NOT_SMTP);
	}
}

/* ---- EHLO and its answer ---- */

Test(smtp_dialogue, who_offers_starttls)
{
	static const struct dialogue_case cases[] = {
		{"in the middle",
		 {GREETING, EHLO, OFFER},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | OFFERED},
		{"at the end",
		 {GREETING, EHLO, S("250-x\r\n250 STARTTLS\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | OFFERED},
		{"in small letters",
		 {GREETING, EHLO, S("250-x\r\n250 StartTls\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | OFFERED},
		{"with spaces behind",
		 {GREETING, EHLO, S("250-x\r\n250 STARTTLS  \r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | OFFERED},
		{"with LF alone",
		 {GREETING, EHLO, S("250-x\n250 STARTTLS\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | OFFERED},
		{"not all lines yet",
		 {GREETING, EHLO, S("250-x\r\n250-STARTTLS\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = GREETED | HELLO | OFFERED},
		{"not all of the word yet",
		 {GREETING, EHLO, S("250-x\r\n250-STARTTLS")},
		 .state = SMTP_DIALOGUE,
		 .facts = GREETED | HELLO},
		{"nobody", {GREETING, EHLO, NO_OFFER}, .state = SMTP_DIALOGUE, .facts = OPENED},
		{"a longer word",
		 {GREETING, EHLO, S("250-x\r\n250 STARTTLSX\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED},
		{"a word that ends so",
		 {GREETING, EHLO, S("250-x\r\n250 XSTARTTLS\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED},
		{"a shorter word",
		 {GREETING, EHLO, S("250-x\r\n250 STARTTL\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED},
		{"a server of that name",
		 {GREETING, EHLO, S("250-STARTTLS\r\n250 X\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED},
		{"nobody who was not asked",
		 {GREETING, C("HELO x\r\n"), S("250-x\r\n250 STARTTLS\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED},
		{"a refusal",
		 {GREETING, EHLO, S("550-x\r\n550 STARTTLS\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = GREETED | HELLO},
		{"the answer to something else",
		 {GREETING, EHLO, NO_OFFER, C("HELP\r\n"), S("250-x\r\n250 STARTTLS\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED},
		{"a line that is no reply",
		 {GREETING, EHLO, S("250-x\r\nSTARTTLS\r\n250 X\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED},
	};

	EXPECT_ALL(cases);
}

Test(smtp_dialogue, a_second_ehlo)
{
	static const struct dialogue_case cases[] = {
		{"not answered yet",
		 {GREETING, EHLO, OFFER, EHLO},
		 .state = SMTP_DIALOGUE,
		 .facts = GREETED | HELLO},
		{"offered again",
		 {GREETING, EHLO, OFFER, EHLO, OFFER},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | OFFERED},
		{"offered no more",
		 {GREETING, EHLO, OFFER, EHLO, NO_OFFER},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED},
		{"refused, and so nothing new",
		 {GREETING, EHLO, OFFER, EHLO, S("503 again?\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = GREETED | HELLO | OFFERED},
		{"refused, and so nothing new here either",
		 {GREETING, EHLO, NO_OFFER, EHLO, S("503 again?\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = GREETED | HELLO},
		{"offered once, then no more, then refused",
		 {GREETING, EHLO, OFFER, EHLO, NO_OFFER, EHLO, S("503 again?\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = GREETED | HELLO},
		{"both ahead of their answers",
		 {GREETING, C("EHLO x\r\nEHLO x\r\n"),
		  S("250-x\r\n250 STARTTLS\r\n250-x\r\n250 X\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED},
		{"HELO where EHLO is not known",
		 {GREETING, EHLO, S("502 what?\r\n"), C("HELO x\r\n"), S("250 x\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED},
	};

	EXPECT_ALL(cases);
}

/* ---- STARTTLS ---- */

#define START    C("STARTTLS\r\n")
#define GO_AHEAD S("220 go ahead\r\n")

Test(smtp_dialogue, starttls)
{
	static const struct dialogue_case cases[] = {
		{"not answered yet",
		 {GREETING, EHLO, OFFER, START},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | OFFERED | STARTTLS},
		{"half answered",
		 {GREETING, EHLO, OFFER, START, S("220 go ahead\r")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | OFFERED | STARTTLS},
		{"taken",
		 {GREETING, EHLO, OFFER, START, GO_AHEAD},
		 .state = SMTP_TLS,
		 .facts = OPENED | OFFERED | STARTTLS,
		 .reply = 220},
		{"in small letters",
		 {GREETING, EHLO, OFFER, C("starttls\n"), S("220\n")},
		 .state = SMTP_TLS,
		 .facts = OPENED | OFFERED | STARTTLS,
		 .reply = 220},
		{"taken in many words",
		 {GREETING, EHLO, OFFER, START, S("220-go\r\n220 ahead\r\n")},
		 .state = SMTP_TLS,
		 .facts = OPENED | OFFERED | STARTTLS,
		 .reply = 220},
		{"TLS on its heels",
		 {GREETING, EHLO, OFFER, START, S("220 go\r\n\x16\x03\x03\r\n")},
		 .state = SMTP_TLS,
		 .facts = OPENED | OFFERED | STARTTLS,
		 .reply = 220,
		 .tls = 5},
		{"and then only TLS",
		 {GREETING, EHLO, OFFER, START, GO_AHEAD, C("\x16\x03\x01MAIL FROM:<>\r\n"),
		  S("250 \r\n")},
		 .state = SMTP_TLS,
		 .facts = OPENED | OFFERED | STARTTLS,
		 .reply = 220,
		 .tls = 23},
		{"not offered, but taken",
		 {GREETING, EHLO, NO_OFFER, START, GO_AHEAD},
		 .state = SMTP_TLS,
		 .facts = OPENED | STARTTLS,
		 .reply = 220},
		{"refused",
		 {GREETING, EHLO, OFFER, START, S("454 not now\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | OFFERED | STARTTLS | REFUSED,
		 .reply = 454},
		{"refused with a smile",
		 {GREETING, EHLO, OFFER, START, S("250 ok\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | OFFERED | STARTTLS | REFUSED,
		 .reply = 250},
		{"refused, then mail",
		 {GREETING, EHLO, OFFER, START, S("454 no\r\n"), C("MAIL FROM:<>\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | OFFERED | STARTTLS | REFUSED | MAIL,
		 .reply = 454},
		{"refused, then taken",
		 {GREETING, EHLO, OFFER, START, S("454 no\r\n"), START, GO_AHEAD},
		 .state = SMTP_TLS,
		 .facts = OPENED | OFFERED | STARTTLS,
		 .reply = 220},
		{"behind others",
		 {GREETING, EHLO, OFFER, C("NOOP\r\nNOOP\r\nSTARTTLS\r\n"),
		  S("250 a\r\n250 b\r\n220 c\r\n\x16")},
		 .state = SMTP_TLS,
		 .facts = OPENED | OFFERED | STARTTLS,
		 .reply = 220,
		 .tls = 1},
		{"another's 220",
		 {GREETING, EHLO, OFFER, C("XCLIENT ADDR=1\r\nSTARTTLS\r\n"),
		  S("220 x\r\n454 no\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | OFFERED | STARTTLS | REFUSED,
		 .reply = 454},
		{"an answer that nobody asked for",
		 {GREETING, EHLO, OFFER, S("421 bye\r\n"), START, GO_AHEAD},
		 .state = SMTP_TLS,
		 .facts = OPENED | OFFERED | STARTTLS,
		 .reply = 220},
		{"a longer word",
		 {GREETING, EHLO, OFFER, C("STARTTLSX\r\n"), GO_AHEAD},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | OFFERED},
		{"a very long word",
		 {GREETING, EHLO, OFFER, C("STARTTLSSTARTTLSSTARTTLS\r\n"), GO_AHEAD},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | OFFERED},
		{"a code that is none",
		 {GREETING, EHLO, OFFER, START, S("2200 x\r\n22\r\n454 no\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | OFFERED | STARTTLS | REFUSED,
		 .reply = 454},
		{"no TLS within a line",
		 {GREETING, EHLO, OFFER, C("STARTTLS\r\nNO\x16OP\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | OFFERED | STARTTLS},
		{"not at the start",
		 {GREETING, EHLO, OFFER, C("NOOP STARTTLS\r\n"), GO_AHEAD},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | OFFERED},
		{"its answer went by unseen",
		 {GREETING, EHLO, OFFER, START, C("\x16\x03\x01")},
		 .state = SMTP_TLS,
		 .facts = OPENED | OFFERED | STARTTLS,
		 .tls = 3},
		{"and the client has nothing to offer",
		 {GREETING, EHLO, OFFER, START, C("\x15\x03\x01")},
		 .state = SMTP_TLS,
		 .facts = OPENED | OFFERED | STARTTLS,
		 .tls = 3},
		{"it was the first command, and its answer went by unseen",
		 {NAMELESS, START, C("\x16\x03\x01")},
		 .state = SMTP_TLS,
		 .facts = GREETED | STARTTLS,
		 .tls = 3},
		{"no TLS without it",
		 {GREETING, EHLO, OFFER, C("\x16\x03\x01\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | OFFERED},
		{"nor after it was refused",
		 {GREETING, EHLO, OFFER, START, S("454 no\r\n"), C("\x16\x03\x01\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | OFFERED | STARTTLS | REFUSED,
		 .reply = 454},
	};

	EXPECT_ALL(cases);
}

/* RFC 3207, 4.2: a server forgets what came before TLS; CVE-2011-0411 is about one that didn't. */
Test(smtp_dialogue, commands_behind_starttls)
{
	static const struct dialogue_case cases[] = {
		{"not answered yet",
		 {GREETING, EHLO, OFFER, C("STARTTLS\r\nMAIL FROM:<>\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | OFFERED | STARTTLS},
		{"the server discards them",
		 {GREETING, EHLO, OFFER, C("STARTTLS\r\nMAIL FROM:<>\r\nAUTH PLAIN x\r\n"),
		  GO_AHEAD},
		 .state = SMTP_TLS,
		 .facts = OPENED | OFFERED | STARTTLS,
		 .reply = 220},
		{"the server heeds them",
		 {GREETING, EHLO, OFFER, C("STARTTLS\r\nMAIL FROM:<>\r\n"), S("454 no\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | OFFERED | STARTTLS | REFUSED | MAIL,
		 .reply = 454},
		{"credentials too",
		 {GREETING, EHLO, OFFER, C("STARTTLS\r\nAUTH PLAIN x\r\n"),
		  S("454 no\r\n235 \r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | OFFERED | STARTTLS | REFUSED | AUTH,
		 .reply = 454},
		{"and a second attempt",
		 {GREETING, EHLO, OFFER, C("STARTTLS\r\nSTARTTLS\r\nMAIL FROM:<>\r\n"),
		  S("454 no\r\n220 yes\r\n")},
		 .state = SMTP_TLS,
		 .facts = OPENED | OFFERED | STARTTLS,
		 .reply = 220},
	};

	EXPECT_ALL(cases);
}

/* ---- mail and credentials ---- */

Test(smtp_dialogue, mail_is_a_command)
{
	static const struct dialogue_case cases[] = {
		{"mail",
		 {GREETING, EHLO, NO_OFFER, C("mail from:<a@b>\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | MAIL},
		{"as soon as the verb is over",
		 {GREETING, EHLO, NO_OFFER, C("MAIL ")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | MAIL},
		{"with a tab",
		 {GREETING, EHLO, NO_OFFER, C("MAIL\tFROM:<>\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | MAIL},
		{"not before",
		 {GREETING, EHLO, NO_OFFER, C("MAIL")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED},
		{"not without more",
		 {GREETING, EHLO, NO_OFFER, C("MAIL\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED},
		{"not as part of a word",
		 {GREETING, EHLO, NO_OFFER, C("MAILER x\r\nXMAIL x\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED},
		{"not later in the line",
		 {GREETING, EHLO, NO_OFFER, C("VRFY MAIL \rMAIL FROM:<>\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED},
		{"not with a NUL in it",
		 {GREETING, EHLO, NO_OFFER, C("MAIL\0 FROM:<>\r\nNO\0OP\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED},
		{"after a command with a NUL",
		 {GREETING, EHLO, NO_OFFER, C("NO\0OP\r\nMAIL FROM:<>\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | MAIL},
		{"with LF alone",
		 {GREETING, EHLO, NO_OFFER, C("NOOP\nMAIL FROM:<>\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | MAIL},
		{"recipients alone are no mail",
		 {GREETING, EHLO, NO_OFFER, C("RCPT TO:<x>\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED},
		{"all at once",
		 {C("EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<x>\r\nDATA\r\n"), GREETING, OFFER,
		  S("250 \r\n250 \r\n354 \r\n"), C("STARTTLS\r\n.\r\nQUIT\r\n"),
		  S("250 \r\n221 \r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | OFFERED | MAIL},
	};

	EXPECT_ALL(cases);
}

Test(smtp_dialogue, auth_is_a_command_and_credentials_are_none)
{
	static const struct dialogue_case cases[] = {
		{"auth",
		 {GREETING, EHLO, NO_OFFER, C("auth plain AHgAeA==\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | AUTH},
		{"as soon as the verb is over",
		 {GREETING, EHLO, NO_OFFER, C("AUTH ")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | AUTH},
		{"not without more",
		 {GREETING, EHLO, NO_OFFER, C("AUTH\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED},
		{"answered at once",
		 {GREETING, EHLO, NO_OFFER, C("AUTH PLAIN AHgAeA==\r\n"), S("235 ok\r\n"),
		  C("MAIL FROM:<>\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | AUTH | MAIL},
		{"asked for more, twice",
		 {GREETING, EHLO, NO_OFFER, C("AUTH LOGIN\r\n"), S("334 VXNlcg==\r\n"),
		  C("MAIL FROM:<>\r\n"), S("334 UGFzcw==\r\n"), C("STARTTLS\r\n"), S("235 ok\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | AUTH},
		{"and then commands again",
		 {GREETING, EHLO, OFFER, C("AUTH LOGIN\r\n"), S("334 \r\n"), C("STARTTLS\r\n"),
		  S("535 no\r\n"), START, GO_AHEAD},
		 .state = SMTP_TLS,
		 .facts = OPENED | OFFERED | AUTH | STARTTLS,
		 .reply = 220},
		{"cancelled",
		 {GREETING, EHLO, NO_OFFER, C("AUTH LOGIN\r\n"), S("334 \r\n"), C("*\r\n"),
		  S("501 ok\r\n"), C("MAIL FROM:<>\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | AUTH | MAIL},
		{"refused at once",
		 {GREETING, EHLO, NO_OFFER, C("AUTH X\r\n"), S("504 no\r\n"),
		  C("MAIL FROM:<>\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | AUTH | MAIL},
		{"an answer in the midst of a line",
		 {GREETING, EHLO, NO_OFFER, C("AUTH X\r\nxx"), S("504 no\r\n"),
		  C("STARTTLS\r\nMAIL FROM:<>\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | AUTH | MAIL},
		{"TLS is no credential's first byte, but a credential may be that byte",
		 {GREETING, EHLO, NO_OFFER, C("AUTH X\r\n"), S("334 \r\n"), C("\x16\x03\x01\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = OPENED | AUTH},
	};

	EXPECT_ALL(cases);
}

/* ---- messages ---- */

#define TO_DATA                                                              \
	GREETING, EHLO, OFFER, C("MAIL FROM:<>\r\nRCPT TO:<x>\r\nDATA\r\n"), \
		S("250 a\r\n250 b\r\n354 c\r\n")
#define BASE (OPENED | OFFERED | MAIL)

Test(smtp_dialogue, a_message_is_no_command)
{
	static const struct dialogue_case cases[] = {
		{"commands in it",
		 {TO_DATA, C("STARTTLS\r\nAUTH PLAIN x\r\n\x16\x03\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = BASE},
		{"and commands after it",
		 {TO_DATA, C("AUTH x\r\n.\r\nSTARTTLS\r\n"), S("250 d\r\n220 e\r\n\x16")},
		 .state = SMTP_TLS,
		 .facts = BASE | STARTTLS,
		 .reply = 220,
		 .tls = 1},
		{"an empty one",
		 {TO_DATA, C(".\r\nSTARTTLS\r\n"), S("250 d\r\n220 e\r\n")},
		 .state = SMTP_TLS,
		 .facts = BASE | STARTTLS,
		 .reply = 220},
		{"dots of its own",
		 {TO_DATA, C("..\r\n.x\r\n. \r\nx.\r\n.\r.\r\n\r\r\n..\r\nAUTH x\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = BASE},
		{"a dot after an odd line end",
		 {TO_DATA, C("\r\r\n.\r\nAUTH x\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = BASE | AUTH},
		{"a dot, CR and no LF",
		 {TO_DATA, C("x\r\n.\rx\r\nAUTH x\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = BASE},
		{"a dot, two CR",
		 {TO_DATA, C("x\r\n.\r\r\nAUTH x\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = BASE},
		{"two CR, and then the end",
		 {TO_DATA, C("x\r\n.\r\r\n.\r\nAUTH x\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = BASE | AUTH},
		{"no end by LF: smuggling",
		 {TO_DATA, C("x\n.\nAUTH x\n\n.\r\nAUTH x\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = BASE},
		{"nor by LF behind the dot",
		 {TO_DATA, C("x\r\n.\nAUTH x\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = BASE},
		{"a client that knows LF only",
		 {GREETING, EHLO, OFFER, C("MAIL FROM:<>\nDATA\n"), S("250 \n354 \n"),
		  C("AUTH x\n..\n.x\n.\nSTARTTLS\n"), S("250 d\n220 e\n")},
		 .state = SMTP_TLS,
		 .facts = BASE | STARTTLS,
		 .reply = 220},
		{"that client's CR",
		 {GREETING, EHLO, OFFER, C("MAIL FROM:<>\nDATA\n"), S("250 \n354 \n"),
		  C("x\n.\r\nAUTH x\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = BASE | AUTH},
		{"a message that doesn't wait",
		 {GREETING, EHLO, OFFER, C("MAIL FROM:<>\r\nDATA\r\nAUTH x\r\n.\r\nSTARTTLS\r\n"),
		  S("250 \r\n354 \r\n250 \r\n220 \r\n")},
		 .state = SMTP_TLS,
		 .facts = BASE | STARTTLS,
		 .reply = 220},
		{"DATA refused",
		 {GREETING, EHLO, OFFER, C("MAIL FROM:<>\r\nDATA\r\n"), S("250 \r\n554 no\r\n"),
		  START, GO_AHEAD},
		 .state = SMTP_TLS,
		 .facts = BASE | STARTTLS,
		 .reply = 220},
		{"refused within a line",
		 {GREETING, EHLO, OFFER, C("MAIL FROM:<>\r\nDATA\r\nx"), S("250 \r\n554 no\r\n"),
		  C("AUTH x\r\nSTARTTLS\r\n"), S("500 \r\n220 \r\n")},
		 .state = SMTP_TLS,
		 .facts = BASE | STARTTLS,
		 .reply = 220},
		{"refused, but another is under way",
		 {GREETING, EHLO, OFFER, C("MAIL FROM:<>\r\nDATA\r\n.\r\nDATA\r\nx\r\n"),
		  S("250 \r\n554 no\r\n"), C("AUTH x\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = BASE},
		{"refused, but the message is over",
		 {GREETING, EHLO, OFFER, C("MAIL FROM:<>\r\nDATA\r\n.\r\nSTART"),
		  S("250 \r\n554 no\r\n"), C("TLS\r\n"), S("500 \r\n220 \r\n")},
		 .state = SMTP_TLS,
		 .facts = BASE | STARTTLS,
		 .reply = 220},
		{"two messages",
		 {TO_DATA, C("x\r\n.\r\n"), S("250 \r\n"), C("MAIL FROM:<>\r\nDATA\r\n"),
		  S("250 \r\n354 \r\n"), C("AUTH x\r\n.\r\nSTARTTLS\r\n"), S("250 \r\n220 \r\n")},
		 .state = SMTP_TLS,
		 .facts = BASE | STARTTLS,
		 .reply = 220},
	};

	EXPECT_ALL(cases);
}

Test(smtp_dialogue, chunks)
{
	static const struct dialogue_case cases[] = {
		{"counted",
		 {GREETING, EHLO, OFFER, C("MAIL FROM:<>\r\nBDAT 8 LAST\r\nAUTH x\r\nSTARTTLS\r\n"),
		  S("250 \r\n250 \r\n220 \r\n\x16")},
		 .state = SMTP_TLS,
		 .facts = BASE | STARTTLS,
		 .reply = 220,
		 .tls = 1},
		{"not over yet",
		 {GREETING, EHLO, OFFER,
		  C("MAIL FROM:<>\r\nBDAT 9 LAST\r\nAUTH x\r\nSTARTTLS\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = BASE},
		{"two of them",
		 {GREETING, EHLO, OFFER,
		  C("MAIL FROM:<>\r\nbdat  10\r\nAUTH x\r\n\r\nBDAT 010 LAST\r\nAUTH "
		    "x\r\n\r\nSTARTTLS\r\n"),
		  S("250 \r\n250 \r\n250 \r\n220 \r\n")},
		 .state = SMTP_TLS,
		 .facts = BASE | STARTTLS,
		 .reply = 220},
		{"an empty last one",
		 {GREETING, EHLO, OFFER, C("MAIL FROM:<>\r\nBDAT 0 LAST\r\nSTARTTLS\r\n"),
		  S("250 \r\n250 \r\n220 \r\n")},
		 .state = SMTP_TLS,
		 .facts = BASE | STARTTLS,
		 .reply = 220},
		{"no size",
		 {GREETING, EHLO, OFFER, C("MAIL FROM:<>\r\nBDAT\r\nSTARTTLS\r\n"),
		  S("250 \r\n501 \r\n220 \r\n")},
		 .state = SMTP_TLS,
		 .facts = BASE | STARTTLS,
		 .reply = 220},
		{"refused, but sent",
		 {GREETING, EHLO, OFFER, C("MAIL FROM:<>\r\nBDAT 8\r\n"), S("250 \r\n503 \r\n"),
		  C("AUTH x\r\nSTARTTLS\r\n"), S("220 \r\n")},
		 .state = SMTP_TLS,
		 .facts = BASE | STARTTLS,
		 .reply = 220},
		{"a size beyond all bounds",
		 {GREETING, EHLO, OFFER,
		  C("MAIL FROM:<>\r\nBDAT 18446744073709551616\r\nAUTH x\r\n")},
		 .state = SMTP_DIALOGUE,
		 .facts = BASE},
	};

	EXPECT_ALL(cases);
}

/* RFC 2033, 4.2: one reply to the message for each recipient that was accepted. */
Test(smtp_dialogue, lmtp)
{
	static const struct turn hello = C("LHLO x\r\n");
	const struct dialogue_case cases[] = {
		{"three, of which two",
		 {GREETING, hello, OFFER,
		  C("MAIL FROM:<>\r\nRCPT TO:<a>\r\nRCPT TO:<b>\r\nRCPT TO:<c>\r\nDATA\r\n"),
		  S("250 \r\n250 a\r\n550 b\r\n250 c\r\n354 \r\n"), C("x\r\n.\r\nSTARTTLS\r\n"),
		  S("250 a\r\n250 c\r\n220 \r\n")},
		 .state = SMTP_TLS,
		 .facts = BASE | STARTTLS,
		 .reply = 220},
		{"one",
		 {GREETING, hello, OFFER, C("MAIL FROM:<>\r\nRCPT TO:<a>\r\nDATA\r\n"),
		  S("250 \r\n250 a\r\n354 \r\n"), C("x\r\n.\r\nSTARTTLS\r\n"),
		  S("250 a\r\n220 \r\n")},
		 .state = SMTP_TLS,
		 .facts = BASE | STARTTLS,
		 .reply = 220},
		{"in chunks",
		 {GREETING, hello, OFFER,
		  C("MAIL FROM:<>\r\nRCPT TO:<a>\r\nRCPT TO:<b>\r\nBDAT 1\r\nxBDAT 1 "
		    "LAST\r\nxSTARTTLS\r\n"),
		  S("250 \r\n250 a\r\n250 b\r\n250 \r\n250 a\r\n250 b\r\n220 \r\n")},
		 .state = SMTP_TLS,
		 .facts = BASE | STARTTLS,
		 .reply = 220},
		{"forgotten by LHLO",
		 {GREETING, hello, OFFER, C("MAIL FROM:<>\r\nRCPT TO:<a>\r\nRCPT TO:<b>\r\n"),
		  S("250 \r\n250 a\r\n250 b\r\n"), hello, OFFER,
		  C("RCPT TO:<a>\r\nDATA\r\n.\r\nSTARTTLS\r\n"),
		  S("250 a\r\n354 \r\n250 a\r\n220 \r\n")},
		 .state = SMTP_TLS,
		 .facts = BASE | STARTTLS,
		 .reply = 220},
		{"a chunk that is not the last",
		 {GREETING, hello, OFFER,
		  C("MAIL FROM:<>\r\nRCPT TO:<a>\r\nBDAT 1 LAST\r\nxRCPT TO:<a>\r\nRCPT "
		    "TO:<b>\r\nBDAT 1\r\nxRSET\r\nSTARTTLS\r\n"),
		  S("250 \r\n250 a\r\n250 a\r\n250 a\r\n250 b\r\n250 chunk\r\n250 reset\r\n220 "
		    "\r\n")},
		 .state = SMTP_TLS,
		 .facts = BASE | STARTTLS,
		 .reply = 220},
		{"forgotten by RSET",
		 {GREETING, hello, OFFER,
		  C("MAIL FROM:<>\r\nRCPT TO:<a>\r\nRCPT TO:<b>\r\nRSET\r\nMAIL FROM:<>\r\nRCPT "
		    "TO:<a>\r\nDATA\r\n"),
		  S("250 \r\n250 a\r\n250 b\r\n250 \r\n250 \r\n250 a\r\n354 \r\n"),
		  C("x\r\n.\r\nSTARTTLS\r\n"), S("250 a\r\n220 \r\n")},
		 .state = SMTP_TLS,
		 .facts = BASE | STARTTLS,
		 .reply = 220},
		{"forgotten after the message",
		 {GREETING, hello, OFFER, C("RCPT TO:<a>\r\nRCPT TO:<b>\r\nDATA\r\n"),
		  S("250 a\r\n250 b\r\n354 \r\n"), C(".\r\n"), S("250 a\r\n250 b\r\n"),
		  C("MAIL FROM:<>\r\nRCPT TO:<a>\r\nDATA\r\n"), S("250 \r\n250 a\r\n354 \r\n"),
		  C(".\r\nSTARTTLS\r\n"), S("250 a\r\n220 \r\n")},
		 .state = SMTP_TLS,
		 .facts = BASE | STARTTLS,
		 .reply = 220},
		{"not in SMTP",
		 {GREETING, EHLO, OFFER,
		  C("MAIL FROM:<>\r\nRCPT TO:<a>\r\nRCPT TO:<b>\r\nDATA\r\n"),
		  S("250 \r\n250 a\r\n250 b\r\n354 \r\n"), C("x\r\n.\r\nSTARTTLS\r\n"),
		  S("250 both\r\n220 \r\n")},
		 .state = SMTP_TLS,
		 .facts = BASE | STARTTLS,
		 .reply = 220},
	};

	EXPECT_ALL(cases);
}

/* ---- many commands ahead ---- */

static void say(struct smtp_dialogue *dialogue, enum smtp_side from, const char *text,
		unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		feed(dialogue, from, text, strlen(text));
}

static void open_dialogue(struct smtp_dialogue *dialogue, const char *hello)
{
	smtp_dialogue_init(dialogue, false);
	say(dialogue, SMTP_FROM_SERVER, "220 x\r\n", 1);
	say(dialogue, SMTP_FROM_CLIENT, hello, 1);
	say(dialogue, SMTP_FROM_SERVER, "250-x\r\n250 STARTTLS\r\n", 1);
	cr_assert(dialogue->starttls_offered);
}

Test(smtp_dialogue, many_recipients_ahead)
{
	static const char *const hellos[] = {"EHLO x\r\n", "LHLO x\r\n"};
	struct smtp_dialogue dialogue;

	for (unsigned i = 0; i < 2; i++) {
		open_dialogue(&dialogue, hellos[i]);
		say(&dialogue, SMTP_FROM_CLIENT, "MAIL FROM:<>\r\n", 1);
		say(&dialogue, SMTP_FROM_CLIENT, "RCPT TO:<x>\r\n", 70000);
		say(&dialogue, SMTP_FROM_CLIENT, "RSET\r\nSTARTTLS\r\n", 1);
		say(&dialogue, SMTP_FROM_SERVER, "250 \r\n", 70002);
		cr_assert_eq(dialogue.state, SMTP_DIALOGUE);
		say(&dialogue, SMTP_FROM_SERVER, "220 \r\n", 1);
		cr_expect_eq(dialogue.state, SMTP_TLS);
	}
}

/* Senders and recipients are of one kind, and need no room of their own. */
Test(smtp_dialogue, many_senders_ahead)
{
	struct smtp_dialogue dialogue;

	open_dialogue(&dialogue, "EHLO x\r\n");
	say(&dialogue, SMTP_FROM_CLIENT, "MAIL FROM:<>\r\nRCPT TO:<x>\r\n", SMTP_PENDING_MAX);
	say(&dialogue, SMTP_FROM_CLIENT, "STARTTLS\r\n", 1);
	say(&dialogue, SMTP_FROM_SERVER, "250 \r\n", 2 * SMTP_PENDING_MAX);
	cr_expect_eq(dialogue.state, SMTP_DIALOGUE);
	say(&dialogue, SMTP_FROM_SERVER, "220 \r\n", 1);
	cr_expect_eq(dialogue.state, SMTP_TLS);
}

/* More than sixteen bits can count. */
Test(smtp_dialogue, many_recipients_of_a_message)
{
	struct smtp_dialogue dialogue;

	open_dialogue(&dialogue, "LHLO x\r\n");
	say(&dialogue, SMTP_FROM_CLIENT, "RCPT TO:<x>\r\n", 70000);
	say(&dialogue, SMTP_FROM_CLIENT, "DATA\r\n", 1);
	say(&dialogue, SMTP_FROM_SERVER, "250 \r\n", 70000);
	say(&dialogue, SMTP_FROM_SERVER, "354 \r\n", 1);
	say(&dialogue, SMTP_FROM_CLIENT, ".\r\nSTARTTLS\r\n", 1);
	say(&dialogue, SMTP_FROM_SERVER, "250 \r\n", 70000);
	cr_expect_eq(dialogue.starttls_reply, 0);
	say(&dialogue, SMTP_FROM_SERVER, "220 \r\n", 1);
	cr_expect_eq(dialogue.state, SMTP_TLS);
}

/* A line's length is counted in sixteen bits too. */
Test(smtp_dialogue, a_very_long_line)
{
	enum { LENGTH = 65538 };
	struct smtp_dialogue dialogue;
	char *line = malloc(LENGTH + 1);

	cr_assert_not_null(line);
	memset(line, 'x', LENGTH);
	line[LENGTH - 1] = '\n';
	line[LENGTH] = '\0';
	open_dialogue(&dialogue, "EHLO x\r\n");
	say(&dialogue, SMTP_FROM_CLIENT, line, 1);
	say(&dialogue, SMTP_FROM_CLIENT, "STARTTLS\r\n", 1);
	line[LENGTH - 1] = 'x';
	memcpy(line, "500 ", 4);
	say(&dialogue, SMTP_FROM_SERVER, line, 1);
	say(&dialogue, SMTP_FROM_SERVER, "STARTTLS \r\n", 1);
	cr_expect_eq(dialogue.starttls_reply, 0);
	say(&dialogue, SMTP_FROM_SERVER, "220 \r\n", 1);
	cr_expect_eq(dialogue.state, SMTP_TLS);
	free(line);
}

/* No client does this. Whatever is lost track of, it is neither memory nor mail. */
Test(smtp_dialogue, more_kinds_ahead_than_there_is_room_for)
{
	struct smtp_dialogue dialogue;

	open_dialogue(&dialogue, "EHLO x\r\n");
	for (unsigned i = 1; i < 1000; i++) {
		say(&dialogue, SMTP_FROM_CLIENT, i % 2 == 0 ? "NOOP\r\n" : "RSET\r\n", 1);
		cr_assert_eq(dialogue.pending_count, i < SMTP_PENDING_MAX ? i : SMTP_PENDING_MAX);
	}
	say(&dialogue, SMTP_FROM_CLIENT, "MAIL FROM:<>\r\n", 1);
	cr_expect(dialogue.mail_sent);
	say(&dialogue, SMTP_FROM_SERVER, "250 \r\n", 2001);
	say(&dialogue, SMTP_FROM_CLIENT, "STARTTLS\r\n", 1);
	say(&dialogue, SMTP_FROM_SERVER, "220 \r\n", 1);
	cr_expect_eq(dialogue.state, SMTP_TLS);
}

/* ---- nothing is kept ---- */

Test(smtp_dialogue, keeps_no_content)
{
	static const char secret[] = "Zm9vYmFy";
	struct smtp_dialogue dialogue;

	open_dialogue(&dialogue, "EHLO Zm9vYmFy\r\n");
	say(&dialogue, SMTP_FROM_CLIENT, "AUTH PLAIN Zm9vYmFy\r\n", 1);
	cr_expect_null(memmem(&dialogue, sizeof(dialogue), secret, 4));
	say(&dialogue, SMTP_FROM_SERVER, "334 \r\n", 1);
	say(&dialogue, SMTP_FROM_CLIENT, "Zm9vYmFy", 1);
	cr_expect_null(memmem(&dialogue, sizeof(dialogue), secret, 4));
	say(&dialogue, SMTP_FROM_CLIENT, "\r\n", 1);
	say(&dialogue, SMTP_FROM_SERVER, "235 \r\n", 1);
	say(&dialogue, SMTP_FROM_CLIENT, "MAIL FROM:<Zm9vYmFy>\r\nDATA\r\n", 1);
	say(&dialogue, SMTP_FROM_SERVER, "250 \r\n354 \r\n", 1);
	say(&dialogue, SMTP_FROM_CLIENT, "Zm9vYmFy\r\nZm9vYmFy", 1);
	cr_expect_null(memmem(&dialogue, sizeof(dialogue), secret, 4));
}

/* ---- the look ahead ---- */

struct ahead_case {
	const char *name;
	struct turn turns[TURNS_MAX];
	struct turn ahead;
	bool mail;
};

static const struct ahead_case ahead_cases[] = {
	{"EHLO", {GREETING}, EHLO, false},
	{"STARTTLS", {GREETING, EHLO, OFFER}, START, false},
	{"RSET, NOOP, QUIT", {GREETING, EHLO, OFFER}, C("RSET\r\nNOOP\r\nQUIT\r\n"), false},
	{"MAIL", {GREETING, EHLO, OFFER}, C("MAIL FROM:<>\r\n"), true},
	{"AUTH", {GREETING, EHLO, OFFER}, C("AUTH PLAIN x\r\n"), true},
	{"half of MAIL", {GREETING, EHLO, OFFER}, C("MAI"), false},
	{"all of MAIL but what ends it", {GREETING, EHLO, OFFER}, C("MAIL"), true},
	{"all of AUTH, at last", {GREETING, EHLO, OFFER, C("NOOP\r\nAUT")}, C("H"), true},
	{"all of MAIL, by who doesn't greet", {NAMELESS}, C("MAIL"), true},
	{"all of STARTTLS", {GREETING, EHLO, OFFER}, C("STARTTLS"), false},
	{"all of FTP's", {S("220 x\r\n"), C("USER x\r\n")}, C("MAIL"), false},
	{"the other half", {GREETING, EHLO, OFFER, C("MAI")}, C("L FROM:<>\r\n"), true},
	{"MAIL behind others",
	 {GREETING, EHLO, OFFER},
	 C("NOOP\r\nRSET\r\nMAIL FROM:<>\r\n"),
	 true},
	{"MAIL behind EHLO", {GREETING}, C("EHLO x\r\nMAIL FROM:<>\r\n"), true},
	{"MAIL in a word", {GREETING, EHLO, OFFER}, C("NOOP MAIL FROM:<>\r\n"), false},
	{"MAIL behind STARTTLS", {GREETING, EHLO, OFFER}, C("STARTTLS\r\nMAIL FROM:<>\r\n"), true},
	{"MAIL behind an open STARTTLS",
	 {GREETING, EHLO, OFFER, START},
	 C("MAIL FROM:<>\r\n"),
	 true},
	{"AUTH behind an open STARTTLS", {GREETING, EHLO, OFFER, START}, C("AUTH x\r\n"), true},
	{"RCPT",
	 {GREETING, EHLO, OFFER, C("MAIL FROM:<>\r\n"), S("250 \r\n")},
	 C("RCPT TO:<x>\r\n"),
	 true},
	{"DATA",
	 {GREETING, EHLO, OFFER, C("MAIL FROM:<>\r\n"), S("250 \r\n")},
	 C("DATA\r\n"),
	 true},
	{"BDAT",
	 {GREETING, EHLO, OFFER, C("MAIL FROM:<>\r\n"), S("250 \r\n")},
	 C("BDAT 1\r\n"),
	 true},
	{"a message", {TO_DATA}, C("x"), true},
	{"the end of a message", {TO_DATA, C("x\r\n.\r")}, C("\n"), true},
	{"after a message", {TO_DATA, C("x\r\n.\r\n"), S("250 \r\n")}, C("QUIT\r\n"), false},
	{"a chunk", {GREETING, EHLO, OFFER, C("BDAT 2\r\nx")}, C("x"), true},
	{"after a chunk", {GREETING, EHLO, OFFER, C("BDAT 2\r\nxx")}, C("QUIT\r\n"), false},
	{"a password",
	 {GREETING, EHLO, OFFER, C("AUTH LOGIN\r\n"), S("334 \r\n")},
	 C("x\r\n"),
	 true},
	{"after a password",
	 {GREETING, EHLO, OFFER, C("AUTH LOGIN\r\n"), S("334 \r\n"), C("x\r\n"), S("235 \r\n")},
	 C("QUIT\r\n"),
	 false},
	{"TLS", {GREETING, EHLO, OFFER, START, GO_AHEAD}, C("MAIL FROM:<>\r\n"), false},
	{"implicit TLS", {C("\x16")}, C("MAIL FROM:<>\r\n"), false},
	{"FTP", {S("220 x\r\n"), C("USER x\r\n")}, C("MAIL FROM:<>\r\n"), false},
	{"FTP over TLS", {S("220 ESMTP\r\n")}, C("AUTH TLS\r\n"), false},
	{"AUTH behind a greeting", {S("220 ESMTP\r\n")}, C("AUTH LOGIN\r\n"), true},
	{"a blank before MAIL", {GREETING}, C(" MAIL FROM:<>\r\n"), true},
	{"the first half of what may be MAIL or HTTP", {C("")}, C("MAIL "), true},
	{"MAIL, by who waits for nobody", {C("MAIL FR")}, C("OM:<>\r\n"), true},
	{"POP3, after MAIL", {C("MAIL"), S("+OK\r\n")}, C(" "), false},
	{"nothing", {GREETING, EHLO, OFFER}, C(""), false},
};

Test(smtp_dialogue, looks_ahead)
{
	for (size_t i = 0; i < sizeof(ahead_cases) / sizeof(ahead_cases[0]); i++) {
		const struct ahead_case *expected = &ahead_cases[i];
		const uint8_t *bytes = (const uint8_t *)expected->ahead.bytes;
		struct smtp_dialogue before;
		struct smtp_dialogue dialogue;
		bool piecewise = false;

		smtp_dialogue_init(&dialogue, false);
		feed_turns(&dialogue, expected->turns, 0, SIZE_MAX);
		memcpy(&before, &dialogue, sizeof(before));
		cr_expect_eq(
			smtp_dialogue_would_send_mail(&dialogue, bytes, expected->ahead.length),
			expected->mail, "%s", expected->name);
		cr_expect_arr_eq(&dialogue, &before, sizeof(before), "%s: not only a look",
				 expected->name);

		/* Asked before each byte, it says so before the first byte that matters. */
		for (size_t j = 0; j < expected->ahead.length; j++) {
			piecewise =
				piecewise || smtp_dialogue_would_send_mail(&dialogue, bytes + j, 1);
			if (!piecewise)
				cr_expect(!dialogue.mail_sent || before.mail_sent);
			smtp_dialogue_feed(&dialogue, SMTP_FROM_CLIENT, bytes + j, 1);
		}
		cr_expect_eq(piecewise, expected->mail, "%s, in bytes", expected->name);
	}
}
