/*
 * One reply of an SMTP server (RFC 5321, 4.2): the code, the words of its last line, and
 * whether one of its lines offers STARTTLS (RFC 3207, 4).
 *
 * Pure: takes the server's bytes as they come; no socket, no clock, no allocation; bounded
 * whatever the server sends.
 */
#ifndef TLSWITNESS_PROBE_REPLY_H
#define TLSWITNESS_PROBE_REPLY_H

#include <stdbool.h>
#include <stddef.h>

enum probe_reply_state {
	PROBE_REPLY_WAITING,
	PROBE_REPLY_COMPLETE,
	PROBE_REPLY_NO_SMTP,  /* a line that is none of a reply */
	PROBE_REPLY_TOO_LONG, /* a line, or all of them together */
};

/* RFC 5321, 4.5.3.1.5 allows 512 bytes a line; servers are known to say more. */
#define PROBE_REPLY_LINE  2048
#define PROBE_REPLY_BYTES 65536

struct probe_reply {
	enum probe_reply_state state;
	unsigned code;        /* 200 to 599, of the last line */
	bool offers_starttls; /* a line after the first says so */
	/* The line that is being read; when complete, the last one, without its CR LF, with a NUL.
	 * Printable ASCII: other bytes are '?'. */
	char line[PROBE_REPLY_LINE + 1];
	size_t line_length;

	/* probe_reply.c's own */
	unsigned lines;
	size_t bytes;
};

/* Makes it ready for the next reply. */
void probe_reply_init(struct probe_reply *reply);

/* Takes bytes up to the end of the reply, and returns how many those were. */
size_t probe_reply_take(struct probe_reply *reply, const char *bytes, size_t length);

#endif
