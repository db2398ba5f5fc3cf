/*
 * The server's side of one SMTP session: takes whatever mail it is given and
 * throws it away, and notes what was asked of it.
 *
 * Pure: the client's bytes in, the server's replies out; no socket, no TLS, no
 * clock, no allocation. It is told whether the bytes came encrypted. It keeps
 * no credential and no message byte beyond the line that it is working on.
 *
 * Standards: RFC 5321 (SMTP), RFC 3207 (STARTTLS), RFC 4954 (AUTH), RFC 2920
 * (PIPELINING), RFC 3030 (CHUNKING), RFC 2033 (LMTP), RFC 2034 (enhanced codes).
 */
#ifndef TLSWITNESS_SINK_SESSION_H
#define TLSWITNESS_SINK_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum auth_offer { AUTH_ALWAYS, AUTH_TLS_ONLY, AUTH_NEVER };

/* What a server offers, and how it answers: the same for all its sessions. */
struct smtp_service {
	bool starttls_offered;
	unsigned starttls_reply; /* 220 starts TLS; anything else refuses it */
	bool require_tls;        /* 530 to all but EHLO, STARTTLS, NOOP, QUIT in the clear */
	enum auth_offer auth;
};

/*
 * What came in this session. AUTH and MAIL count by their arrival, whatever
 * the answer was: they have left the client.
 */
struct smtp_facts {
	bool ehlo; /* EHLO, HELO or LHLO */
	bool starttls_offered;
	bool starttls_asked;
	bool auth;
	bool auth_in_clear;
	bool mail;
	bool mail_in_clear;
	bool quit;
	bool tls_unasked;  /* a TLS record where a command in the clear was due */
	unsigned messages; /* that were taken in full */
};

/* What the session waits for after its replies were sent. */
enum smtp_next {
	SMTP_NEXT_BYTES,
	SMTP_NEXT_TLS, /* do the handshake, then call smtp_session_encrypted() */
	SMTP_NEXT_CLOSE,
};

enum smtp_input {
	SMTP_INPUT_COMMAND,
	SMTP_INPUT_AUTH, /* a line of an AUTH dialogue */
	SMTP_INPUT_DATA,
	SMTP_INPUT_CHUNK, /* BDAT's octets */
};

/* The line that an AUTH dialogue waits for. */
enum auth_step { AUTH_COMPLETE, AUTH_PLAIN_RESPONSE, AUTH_LOGIN_USER, AUTH_LOGIN_PASSWORD };

/* RFC 4954, 4: an AUTH line may have 12,288 octets. */
#define SMTP_LINE_MAX    12288
#define SMTP_REPLIES_MAX 16384

struct smtp_session {
	const struct smtp_service *service;
	struct smtp_facts facts;
	enum smtp_next next;
	bool encrypted;
	/* The replies that wait to be sent; the caller sends them and sets the length to 0. */
	char replies[SMTP_REPLIES_MAX];
	size_t replies_length;

	/* sink_session.c's own */
	enum smtp_input input;
	bool lmtp;
	bool in_mail;
	unsigned recipients;
	enum auth_step auth_step;
	char line[SMTP_LINE_MAX + 1];
	size_t line_length;
	bool line_too_long;
	bool bare_newlines; /* the last command ended in LF alone */
	const char *end_of_data;
	size_t end_matched;
	uint64_t octets_left;
	bool chunk_taken;
	bool chunk_last;
};

/* `service` must outlive the session. `encrypted`: the first byte comes over TLS already. */
void smtp_session_init(struct smtp_session *session, const struct smtp_service *service,
		       bool encrypted);

/* Queues the greeting. */
void smtp_session_greet(struct smtp_session *session);

/*
 * Takes the client's next bytes and returns how many it took: fewer than
 * `length` if the replies have to be sent first, or if session->next is no
 * longer SMTP_NEXT_BYTES.
 */
size_t smtp_session_take(struct smtp_session *session, const char *bytes, size_t length);

/* The handshake after STARTTLS is done: forgets what was learnt in the clear (RFC 3207, 4.2). */
void smtp_session_encrypted(struct smtp_session *session);

/* The client's bytes have ended: a command that was cut off in mid-line has arrived, too. */
void smtp_session_end(struct smtp_session *session);

#endif
