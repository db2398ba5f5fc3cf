/*
 * The clear part of an SMTP session: greeting, EHLO, STARTTLS, and mail or
 * credentials sent in the clear.
 *
 * Pure: bytes in, facts out; no socket, no clock, no allocation. It keeps
 * positions and booleans, never content: no command argument, address, reply
 * text or credential is stored (only the few bytes of a verb or reply code
 * that is being recognised).
 *
 * Standards: RFC 5321 (SMTP), RFC 3207 (STARTTLS), RFC 4954 (AUTH), RFC 2920
 * (PIPELINING), RFC 2033 (LMTP: LHLO is taken as EHLO), RFC 3030 (BDAT).
 */
#ifndef TLSWITNESS_SMTP_DIALOGUE_H
#define TLSWITNESS_SMTP_DIALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum smtp_side { SMTP_FROM_CLIENT, SMTP_FROM_SERVER };

enum smtp_state {
	SMTP_UNDECIDED,    /* not enough bytes to know whether this is SMTP */
	SMTP_NOT_SMTP,     /* something else: let go of it */
	SMTP_DIALOGUE,     /* an SMTP dialogue in the clear */
	SMTP_TLS,          /* STARTTLS was answered with 220: from here on the bytes are TLS */
	SMTP_IMPLICIT_TLS, /* the client's first bytes are a TLS record: no clear dialogue */
};

/* The line that one side is in the middle of. */
struct smtp_line {
	uint8_t start[13]; /* its first bytes: a verb, or as far as `250-STARTTLS` and one more */
	uint8_t command;   /* the client's, once the verb is complete */
	bool after_cr;
	uint16_t length; /* in bytes so far, saturating */
};

/* Commands of one kind, sent one after the other, that await their replies. */
struct smtp_pending {
	uint8_t command;
	uint16_t count;
};

#define SMTP_PENDING_MAX 16

struct smtp_dialogue {
	enum smtp_state state;
	bool greeted;          /* the server sent a 220 greeting */
	bool ehlo_sent;        /* or HELO or LHLO */
	bool ehlo_answered;    /* a 250 to the last of them came in full */
	bool starttls_offered; /* by the answer to the last EHLO or LHLO */
	bool starttls_sent;
	bool starttls_refused;   /* answered with anything but 220 */
	uint16_t starttls_reply; /* the code of the last answer, 0 if none came */
	bool auth_sent;          /* AUTH in the clear */
	bool mail_sent;          /* MAIL in the clear */
	bool quit_sent;
	bool answered_unasked; /* a reply came to a command that was not seen */
	bool carried_mail;     /* something of a mail or a credential has passed: see
				  smtp_dialogue_would_send_mail */

	/* smtp_dialogue.c's own, from here on */
	bool expected;  /* the port says that this is SMTP */
	bool confirmed; /* the client has sent what no other protocol has */
	bool foreign;   /* the server's first words are no SMTP server's */
	bool client_seen;
	struct smtp_line client;
	struct smtp_line server;
	struct smtp_pending pending[SMTP_PENDING_MAX]; /* oldest first (RFC 2920) */
	uint8_t pending_count;
	uint32_t greeting_tail; /* its last four bytes, in upper case */
	bool names_protocol;    /* the greeting has SMTP or LMTP in it */
	uint16_t undecided;     /* bytes that passed before it was known what this is */
	uint8_t reply_lines;    /* of the server's current reply that are complete, saturating */
	bool greeting_over;
	bool offered_before; /* by the EHLO answer before the one that is awaited */
	bool lmtp;
	uint32_t recipients; /* accepted so far, LMTP only */
	bool in_auth;        /* the client's lines are credentials */
	bool in_data;        /* the client's bytes are a message */
	bool in_chunk;       /* the client's next chunk_left bytes are a message's */
	bool chunk_last;
	uint64_t chunk_left;
	uint8_t dot;        /* how far the end of the message has been seen */
	bool newlines_bare; /* the client ends its lines with LF alone */
	bool mail_held;     /* MAIL and AUTH behind a STARTTLS that is not answered yet */
	bool auth_held;
};

/*
 * `expected`: the connection leads to a mail port, so that it is SMTP until TLS
 * begins or the connection ends, whatever its bytes look like: it never becomes
 * SMTP_NOT_SMTP. Elsewhere what is not known to be SMTP is let go of.
 */
void smtp_dialogue_init(struct smtp_dialogue *dialogue, bool expected);

/*
 * Takes the next bytes that `from` sent, in the order in which they passed,
 * and returns how many of them belong to the clear dialogue. The rest, if any,
 * comes after STARTTLS's 220 (from the server) or begins an implicit-TLS
 * connection, and is TLS: 0 once the state is SMTP_TLS or SMTP_IMPLICIT_TLS,
 * all of `length` in every other state.
 *
 * The client's first byte alone decides for SMTP_IMPLICIT_TLS, so that no byte
 * of a ClientHello is ever lost to a split; whether it really is TLS, the
 * reader of those bytes finds out. SMTP_NOT_SMTP, SMTP_TLS and
 * SMTP_IMPLICIT_TLS are final. A dialogue that is SMTP by its greeting alone may
 * still turn out to be FTP, and become SMTP_NOT_SMTP.
 *
 * MAIL or AUTH that the client sends behind STARTTLS without waiting count
 * when the server refuses STARTTLS; else the server has to discard them
 * (RFC 3207, 4.2), and they are forgotten.
 */
size_t smtp_dialogue_feed(struct smtp_dialogue *dialogue, enum smtp_side from, const uint8_t *bytes,
			  size_t length);

/*
 * Looks ahead at bytes that the client is about to send, without taking them:
 * would they carry MAIL, AUTH or what comes after them (RCPT, DATA, BDAT, a
 * line of an AUTH exchange, a message) in the clear? For the floor, which must
 * know before the bytes leave. What is held behind a STARTTLS counts too, for
 * on the wire it is in the clear; and so do a verb's letters alone. For bytes
 * in several pieces: copy the dialogue, ask about a piece, feed it, and so on.
 */
bool smtp_dialogue_would_send_mail(const struct smtp_dialogue *dialogue, const uint8_t *bytes,
				   size_t length);

#endif
