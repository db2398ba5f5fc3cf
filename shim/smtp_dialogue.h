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
	SMTP_UNDECIDED, /* not enough bytes to know whether this is SMTP */
	SMTP_NOT_SMTP,  /* something else: let go of it */
	SMTP_DIALOGUE,  /* an SMTP dialogue in the clear */
	SMTP_TLS,       /* STARTTLS was answered with 220: from here on the bytes are TLS */
	SMTP_IMPLICIT_TLS, /* the client's first bytes are a TLS record: no clear dialogue */
};

/* Parser state of one direction; smtp_dialogue.c's own. */
struct smtp_line {
	uint8_t start[12]; /* the first bytes of the current line, enough for a verb */
	uint16_t length;   /* bytes of the current line so far, saturating */
	bool in_data;      /* between DATA's 354 and the lone dot, or within BDAT's octets */
	uint8_t dot_state;
	uint64_t octets_left; /* of a BDAT chunk */
};

struct smtp_dialogue {
	enum smtp_state state;
	bool greeted;          /* the server sent a 220 greeting */
	bool ehlo_sent;
	bool ehlo_answered;    /* a 250 to EHLO came in full */
	bool starttls_offered; /* by an EHLO answer */
	bool starttls_sent;
	bool starttls_refused; /* answered with anything but 220 */
	uint16_t starttls_reply; /* the code of that answer, 0 if none came */
	bool auth_sent;        /* AUTH in the clear */
	bool mail_sent;        /* MAIL in the clear */
	/* smtp_dialogue.c's own */
	uint8_t pending[32]; /* commands that await their reply, oldest first (pipelining) */
	uint8_t pending_count;
	struct smtp_line client;
	struct smtp_line server;
};

void smtp_dialogue_init(struct smtp_dialogue *dialogue);

/*
 * Takes the next bytes that `from` sent and returns how many of them belong to
 * the clear dialogue. The rest, if any, comes after STARTTLS's 220 (from the
 * server) or begins an implicit-TLS connection, and is TLS. Always `length`
 * while the state is SMTP_UNDECIDED or SMTP_DIALOGUE.
 */
size_t smtp_dialogue_feed(struct smtp_dialogue *dialogue, enum smtp_side from, const uint8_t *bytes,
			  size_t length);

/*
 * Looks ahead at bytes that the client is about to send, without taking them:
 * would they carry MAIL, AUTH or what comes after them in the clear? For the
 * floor, which must know before the bytes leave.
 */
bool smtp_dialogue_would_send_mail(const struct smtp_dialogue *dialogue, const uint8_t *bytes,
				   size_t length);

#endif
