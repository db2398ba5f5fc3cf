/*
 * What a server answers to a ClientHello, as far as it stands in the clear: the version, the
 * cipher and the group that it chose, or the alert by which it refused.
 *
 * Pure: takes the server's bytes as they come, split or joined anywhere; no socket, no clock, no
 * allocation; keeps the first bytes of one message and no more, whatever the server sends.
 *
 * Standards: RFC 8446, 4.1.3 and 4.1.4 (TLS 1.3), RFC 5246, 7.2 and 7.4 (1.2), RFC 8422, 5.4
 * (ServerKeyExchange), RFC 6101 (SSL 3.0).
 */
#ifndef TLSWITNESS_PROBE_ANSWER_H
#define TLSWITNESS_PROBE_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum probe_answer_state {
	PROBE_ANSWER_NONE,     /* no complete ServerHello and no alert yet */
	PROBE_ANSWER_CHOSEN,   /* the ServerHello is known; up to 1.2 more follows in the clear */
	PROBE_ANSWER_COMPLETE, /* the server has said all that it says before the client's turn:
				  a ServerHelloDone, or in 1.3 its ServerHello */
	PROBE_ANSWER_ALERT,    /* a fatal alert */
	PROBE_ANSWER_CLOSED,   /* close_notify */
	PROBE_ANSWER_NOT_TLS,
};

/* Enough of a message for the facts: a ServerHello is that long only with large extensions. */
#define PROBE_MESSAGE_HEAD 2048

struct probe_answer {
	enum probe_answer_state state;
	uint16_t
		version; /* chosen; holds from PROBE_ANSWER_CHOSEN on, an alert after it included */
	uint16_t cipher;
	uint16_t group;     /* 0: not known, or none */
	bool retry_request; /* a HelloRetryRequest: it would go on with this group */
	uint8_t alert;      /* its description, if the state is PROBE_ANSWER_ALERT */
	bool began;         /* one byte at least came */

	/* probe_answer.c's own */
	uint8_t header[5];
	uint8_t header_length;
	uint16_t record_left;
	uint8_t message_header[4];
	uint8_t message_header_length;
	uint32_t message_left;
	uint8_t head[PROBE_MESSAGE_HEAD];
	size_t head_length;
	uint8_t alert_bytes[2];
	uint8_t alert_length;
};

/* Zeroed is ready. */

/*
 * Takes the next bytes, and returns the state. From PROBE_ANSWER_COMPLETE on nothing changes but
 * by an alert in the clear.
 */
enum probe_answer_state probe_answer_feed(struct probe_answer *answer, const uint8_t *bytes,
					  size_t length);

#endif
