/*
 * The clear part of an SMTP session: greeting, EHLO, STARTTLS, and mail or
 * credentials sent in the clear.
 *
 * Pure: bytes in, facts out; no socket, no clock, no allocation. It keeps
 * positions and booleans, never content: no command argument, address, reply
 * text or credential is stored (only the few bytes of a verb or reply that is
 * being recognised).
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
	SMTP_IMPLICIT_TLS, /* the client's first byte begins a TLS record: no clear dialogue */
};

#define SMTP_PENDING_MAX 32

struct smtp_dialogue {
	enum smtp_state state;
	bool greeted;          /* the server sent a 220 greeting */
	bool ehlo_sent;        /* or HELO, or LHLO */
	bool ehlo_answered;    /* a 250 to the last of them came in full */
	bool starttls_offered; /* by that answer */
	bool starttls_sent;
	bool starttls_refused;   /* answered with anything but 220 */
	uint16_t starttls_reply; /* the code of that answer, 0 if none came */
	bool auth_sent;          /* AUTH in the clear */
	bool mail_sent;          /* MAIL in the clear */

	/* smtp_dialogue.c's own */
	uint16_t undecided;       /* bytes that passed before it was known what this is */
	uint8_t client_start[12]; /* the first bytes of the client's current line */
	uint16_t client_length;   /* of that line so far, saturating */
	uint8_t client_mode;      /* what the client's bytes are */
	uint8_t client_command;   /* of the current line, once its verb is complete */
	uint8_t dot_state;        /* how much of a message's end has been seen */
	uint64_t chunk_left;      /* octets of a BDAT chunk that are still to come */
	uint8_t server_start[16]; /* the first bytes of the server's current line */
	uint16_t server_length;   /* of that line so far, saturating */
	uint32_t greeting_tail;   /* the greeting's last four bytes, in upper case */
	uint8_t pending_count;
	uint8_t pending[SMTP_PENDING_MAX]; /* commands that await their reply, oldest first */
};

void smtp_dialogue_init(struct smtp_dialogue *dialogue);

/*
 * Takes the next bytes that `from` sent, in the order in which they passed, and
 * returns how many of them belong to the clear dialogue. The rest, if any, comes
 * after STARTTLS's 220 or begins an implicit-TLS connection, and is TLS: 0 once
 * the state is SMTP_TLS or SMTP_IMPLICIT_TLS, `length` in every other state.
 *
 * The client's first byte alone decides for SMTP_IMPLICIT_TLS, so that no byte of
 * a ClientHello is lost to a split. SMTP_NOT_SMTP, SMTP_TLS and SMTP_IMPLICIT_TLS
 * are final.
 */
size_t smtp_dialogue_feed(struct smtp_dialogue *dialogue, enum smtp_side from, const uint8_t *bytes,
			  size_t length);

#endif
