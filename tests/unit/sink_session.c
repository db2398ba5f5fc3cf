/*
 * The sink's SMTP session: its facts are what every record is compared with,
 * so they must hold however the client's bytes are cut into pieces.
 */
#include <string.h>

#include <criterion/criterion.h>

#include "tools/sink/sink_session.h"

static const struct smtp_service ordinary = {.starttls_offered = true, .starttls_reply = 220};

/* A session that begins in the clear, and all that it answered. */
struct talk {
	struct smtp_session session;
	char replies[65536];
	size_t length;
};

static struct talk talk;

static void begin(const struct smtp_service *service, bool encrypted)
{
	smtp_session_init(&talk.session, service, encrypted);
	talk.length = 0;
	talk.replies[0] = '\0';
}

static void take_replies(void)
{
	size_t length = talk.session.replies_length;

	cr_assert_lt(talk.length + length, sizeof(talk.replies));
	memcpy(talk.replies + talk.length, talk.session.replies, length);
	talk.length += length;
	talk.replies[talk.length] = '\0';
	talk.session.replies_length = 0;
}

/* Says `bytes` in pieces of `size`, for as long as the session listens; returns what it took. */
static size_t say_in_pieces(const char *bytes, size_t length, size_t size)
{
	size_t taken = 0;

	while (taken < length && talk.session.next == SMTP_NEXT_BYTES) {
		size_t piece = length - taken < size ? length - taken : size;
		taken += smtp_session_take(&talk.session, bytes + taken, piece);
		take_replies();
	}
	return taken;
}

static void say(const char *bytes)
{
	say_in_pieces(bytes, strlen(bytes), strlen(bytes));
}

static void forget_replies(void)
{
	talk.length = 0;
	talk.replies[0] = '\0';
}

static void expect(const char *replies)
{
	cr_expect_str_eq(talk.replies, replies, "it answered:\n%s", talk.replies);
	forget_replies();
}

static bool answered(const char *part)
{
	return strstr(talk.replies, part) != NULL;
}

static const char whole_session[] = "EHLO client\r\n"
				    "AUTH LOGIN\r\ndXNlcg==\r\ncGFzcw==\r\n"
				    "MAIL FROM:<a@b> SIZE=99\r\nRCPT TO:<c@d>\r\nDATA\r\n"
				    "Subject: QUIT\r\n\r\nAUTH PLAIN x\r\n..\r\n.\r.\r\n\r\r\n.\r\n"
				    "mail from:<>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\n"
				    "BDAT 7\r\nQUIT\r\n.BDAT 3 LAST\r\n\r\n."
				    "MAIL FROM:<>\r\nRSET\r\nNOOP\r\nVRFY x\r\nQUIT\r\n";

Test(sink_session, facts_and_replies_are_the_same_in_pieces_of_any_size)
{
	for (size_t size = 1; size <= sizeof(whole_session); size++) {
		begin(&ordinary, false);
		cr_assert_eq(say_in_pieces(whole_session, sizeof(whole_session) - 1, size),
			     sizeof(whole_session) - 1);
		const struct smtp_facts *facts = &talk.session.facts;
		cr_expect(facts->ehlo && facts->auth && facts->auth_in_clear && facts->mail &&
			  facts->mail_in_clear && facts->quit && facts->starttls_offered);
		cr_expect_not(facts->starttls_asked);
		cr_expect_eq(facts->messages, 2, "pieces of %zu: %u messages", size,
			     facts->messages);
		cr_expect_eq(talk.session.next, SMTP_NEXT_CLOSE);
		expect("250-localhost\r\n250-PIPELINING\r\n250-SIZE\r\n250-STARTTLS\r\n"
		       "250-AUTH PLAIN LOGIN\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n"
		       "250-SMTPUTF8\r\n250 CHUNKING\r\n"
		       "334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n"
		       "235 2.7.0 Authentication successful\r\n"
		       "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 End data with <CR><LF>.<CR><LF>\r\n"
		       "250 2.0.0 Taken and thrown away\r\n"
		       "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n250 2.1.5 Ok\r\n"
		       "250 2.0.0 Chunk taken\r\n250 2.0.0 Taken and thrown away\r\n"
		       "250 2.1.0 Ok\r\n250 2.0.0 Ok\r\n250 2.0.0 Ok\r\n"
		       "252 2.1.5 Cannot VRFY, but will take the message\r\n221 2.0.0 Bye\r\n");
	}
}

Test(sink_session, starttls_forgets_the_clear_and_takes_none_of_what_follows)
{
	const char injected[] = "EHLO a\r\nSTARTTLS\r\nMAIL FROM:<a@b>\r\n";

	begin(&ordinary, false);
	cr_expect_eq(say_in_pieces(injected, strlen(injected), strlen(injected)),
		     strlen("EHLO a\r\nSTARTTLS\r\n"));
	cr_expect_eq(talk.session.next, SMTP_NEXT_TLS);
	cr_expect(answered("220 2.0.0 Ready to start TLS\r\n"));
	smtp_session_encrypted(&talk.session);
	forget_replies();
	say("EHLO a\r\n");
	cr_expect_not(answered("STARTTLS"));
	cr_expect(answered("AUTH PLAIN LOGIN"));
	forget_replies();
	say("STARTTLS\r\nAUTH PLAIN AHUAcA==\r\nMAIL FROM:<a@b>\r\n");
	expect("503 5.5.1 TLS is on already\r\n235 2.7.0 Authentication successful\r\n"
	       "250 2.1.0 Ok\r\n");
	cr_expect(talk.session.facts.auth && talk.session.facts.mail);
	cr_expect_not(talk.session.facts.auth_in_clear || talk.session.facts.mail_in_clear);
}

Test(sink_session, a_refused_starttls_leaves_the_session_in_the_clear)
{
	const struct {
		struct smtp_service service;
		const char *reply;
	} cases[] = {
		{{.starttls_offered = true, .starttls_reply = 454},
		 "454 4.7.0 TLS not available due to temporary reason\r\n250 2.1.0 Ok\r\n"},
		{{.starttls_offered = false, .starttls_reply = 502},
		 "502 5.5.1 Command not implemented\r\n250 2.1.0 Ok\r\n"},
		{{.starttls_offered = true, .starttls_reply = 421},
		 "421 TLS refused\r\n250 2.1.0 Ok\r\n"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(&cases[i].service, false);
		say("EHLO a\r\n");
		cr_expect_eq(answered("STARTTLS"), cases[i].service.starttls_offered);
		forget_replies();
		say("STARTTLS\r\nMAIL FROM:<a@b>\r\n");
		expect(cases[i].reply);
		cr_expect(talk.session.facts.starttls_asked && talk.session.facts.mail_in_clear);
	}
}

Test(sink_session, what_arrives_counts_even_if_it_is_refused)
{
	const struct smtp_service strict = {
		.starttls_offered = true, .starttls_reply = 220, .require_tls = true};
	const struct smtp_service tls_only = {
		.starttls_offered = true, .starttls_reply = 220, .auth = AUTH_TLS_ONLY};
	const struct smtp_service never = {
		.starttls_offered = true, .starttls_reply = 220, .auth = AUTH_NEVER};

	begin(&strict, false);
	say("NOOP\r\nMAIL FROM:<a@b>\r\nauth plain x\r\n");
	expect("250 2.0.0 Ok\r\n530 5.7.0 Must issue a STARTTLS command first\r\n"
	       "530 5.7.0 Must issue a STARTTLS command first\r\n");
	cr_expect(talk.session.facts.auth_in_clear && talk.session.facts.mail_in_clear);

	begin(&tls_only, false);
	say("EHLO a\r\n");
	cr_expect_not(answered("AUTH"));
	forget_replies();
	say("AUTH PLAIN x\r\n");
	expect("538 5.7.11 Encryption required for authentication\r\n");
	cr_expect(talk.session.facts.auth_in_clear);

	begin(&never, true);
	say("AUTH PLAIN x\r\nMAIL x\r\n");
	expect("502 5.5.1 Command not implemented\r\n501 5.5.4 Syntax: MAIL FROM:<address>\r\n");
	cr_expect(talk.session.facts.auth && talk.session.facts.mail);
	cr_expect_not(talk.session.facts.auth_in_clear || talk.session.facts.mail_in_clear);
}

Test(sink_session, a_command_cut_off_in_mid_line_has_arrived)
{
	begin(&ordinary, false);
	say("AUTH PLAIN AHVzZXIAcGF");
	cr_expect_not(talk.session.facts.auth);
	smtp_session_end(&talk.session);
	cr_expect(talk.session.facts.auth_in_clear);

	/* Within a message the same bytes are no command. */
	begin(&ordinary, false);
	say("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nAUTH PLAIN x");
	smtp_session_end(&talk.session);
	cr_expect_not(talk.session.facts.auth);
	cr_expect_eq(talk.session.facts.messages, 0);
}

Test(sink_session, an_endless_line_is_answered_once_and_its_command_is_known)
{
	/* With blanks from the verb to the end of the array. */
	static char line[3 * SMTP_LINE_MAX] = "MAIL";

	memset(line + strlen("MAIL"), ' ', sizeof(line) - strlen("MAIL"));
	for (size_t size = 1; size < sizeof(line); size = size * 7 + 1) {
		begin(&ordinary, false);
		cr_assert_eq(say_in_pieces(line, sizeof(line), size), sizeof(line));
		say("\r\nNOOP\r\n");
		expect("500 5.5.2 Line too long\r\n250 2.0.0 Ok\r\n");
		cr_expect(talk.session.facts.mail_in_clear);
	}
}

Test(sink_session, tls_bytes_in_the_clear_end_it)
{
	begin(&ordinary, false);
	say("\x16\x03\x01\x02");
	cr_expect(talk.session.facts.tls_unasked);
	cr_expect_eq(talk.session.next, SMTP_NEXT_CLOSE);
	expect("");
}

Test(sink_session, pipelined_commands_are_all_answered)
{
	static const char command[] = {'N', 'O', 'O', 'P', '\r', '\n'};
	char bytes[2000 * sizeof(command)];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = command[i % sizeof(command)];
	begin(&ordinary, true);
	cr_assert_eq(say_in_pieces(bytes, sizeof(bytes), sizeof(bytes)), sizeof(bytes));
	cr_expect_eq(talk.length, 2000 * strlen("250 2.0.0 Ok\r\n"));
}

Test(sink_session, lmtp_answers_for_each_recipient)
{
	begin(&ordinary, true);
	say("LHLO a\r\n");
	forget_replies();
	say("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nDATA\r\n.\r\n");
	expect("250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n250 2.1.5 Ok\r\n"
	       "354 End data with <CR><LF>.<CR><LF>\r\n"
	       "250 2.0.0 Taken and thrown away\r\n250 2.0.0 Taken and thrown away\r\n");
	cr_expect_eq(talk.session.facts.messages, 1);
}

Test(sink_session, recipients_have_a_limit_and_all_their_lmtp_replies_fit)
{
	begin(&ordinary, true);
	say("LHLO a\r\nMAIL FROM:<a@b>\r\n");
	for (int i = 0; i < 100; i++)
		say("RCPT TO:<c@d>\r\n");
	cr_expect_not(answered("452"));
	say("RCPT TO:<c@d>\r\n");
	cr_expect(answered("452 4.5.3 Too many recipients\r\n"));
	forget_replies();
	say("BDAT 0 LAST\r\n");
	cr_expect_eq(talk.length, 100 * strlen("250 2.0.0 Taken and thrown away\r\n"));
}

Test(sink_session, commands_out_of_order_are_refused)
{
	begin(&ordinary, true);
	say("RCPT TO:<c@d>\r\nDATA\r\nBDAT 5\r\nQUIT\nBDAT x\r\nMAIL FROM:<>\r\nMAIL FROM:<>\r\n"
	    "RCPT c@d\r\nAUTH PLAIN x\r\nXYZZY\r\n\r\n");
	expect("503 5.5.1 MAIL first\r\n503 5.5.1 RCPT first\r\n503 5.5.1 RCPT first\r\n"
	       "501 5.5.4 Syntax: BDAT octets [LAST]\r\n250 2.1.0 Ok\r\n"
	       "503 5.5.1 Nested MAIL command\r\n501 5.5.4 Syntax: RCPT TO:<address>\r\n"
	       "503 5.5.1 AUTH is not permitted during a mail transaction\r\n"
	       "500 5.5.2 Command not recognized\r\n500 5.5.2 Command not recognized\r\n");
	cr_expect_not(talk.session.facts.quit);
}

Test(sink_session, auth_dialogues)
{
	begin(&ordinary, true);
	say("AUTH PLAIN\r\nAHUAcA==\r\nAUTH LOGIN dXNlcg==\r\ncGFzcw==\r\nAUTH LOGIN\r\n*\r\n"
	    "AUTH CRAM-MD5\r\nNOOP\r\n");
	expect("334 \r\n235 2.7.0 Authentication successful\r\n"
	       "334 UGFzc3dvcmQ6\r\n235 2.7.0 Authentication successful\r\n"
	       "334 VXNlcm5hbWU6\r\n501 5.7.0 Authentication cancelled\r\n"
	       "504 5.5.4 Unrecognized authentication mechanism\r\n250 2.0.0 Ok\r\n");
}

Test(sink_session, a_person_at_a_terminal_ends_a_message_with_bare_newlines)
{
	begin(&ordinary, true);
	say("MAIL FROM:<a@b>\nRCPT TO:<c@d>\nDATA\nhello\n.\nQUIT\n");
	cr_expect_eq(talk.session.facts.messages, 1);
	cr_expect(talk.session.facts.quit);

	/* A program that ends its commands with CRLF does not (RFC 5321, 4.1.1.4). */
	begin(&ordinary, true);
	say("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nhello\n.\nQUIT\r\n");
	cr_expect_eq(talk.session.facts.messages, 0);
	cr_expect_not(talk.session.facts.quit);
}
