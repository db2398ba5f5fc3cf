/*
 * Handshake messages, which may span records or share one.
 */
#include "shim/wire/tls_walk.h"

/* Every vector of a hello at its longest, rounded up. */
#define HELLO_LENGTH_MAX (132 * 1024)

/* Whether a side that has not said hello yet may begin with this message. */
static bool is_beginning(enum tls_side from, uint8_t type, uint32_t length)
{
	if (from == TLS_FROM_CLIENT)
		return type == HANDSHAKE_CLIENT_HELLO && length <= HELLO_LENGTH_MAX;
	if (type == HANDSHAKE_HELLO_REQUEST)
		return length == 0;
	return type == HANDSHAKE_SERVER_HELLO && length <= HELLO_LENGTH_MAX;
}

/*
 * The first ClientHello counts: one that follows a HelloRetryRequest repeats it.
 * Of the server's hellos each counts until one was the answer.
 */
static bool is_worth_walking(const struct walk *walk, uint8_t type)
{
	if (walk->from == TLS_FROM_CLIENT)
		return type == HANDSHAKE_CLIENT_HELLO && !walk->direction->greeted;
	return type == HANDSHAKE_SERVER_HELLO && walk->wire->progress < TLS_NEGOTIATED;
}

static void start_message(struct walk *walk)
{
	struct tls_direction *direction = walk->direction;
	const uint8_t *header = direction->message_header;
	uint32_t length = (uint32_t)header[1] << 16 | (uint32_t)header[2] << 8 | header[3];

	direction->message_left = length;
	if (!direction->greeted && !is_beginning(walk->from, header[0], length)) {
		tls_walk_give_up(walk->wire, TLS_NOT_TLS);
		return;
	}
	if (walk->from == TLS_FROM_SERVER && header[0] == HANDSHAKE_SERVER_HELLO_DONE)
		walk->wire->server_hello_done = true;
	if (is_worth_walking(walk, header[0]))
		tls_hello_start(walk, false);
}

/* Of a message that is stepped over: does anybody want it? */
static bool is_wanted(const struct walk *walk)
{
	return walk->wire->certificate && walk->from == TLS_FROM_SERVER &&
	       walk->direction->message_header[0] == HANDSHAKE_CERTIFICATE;
}

size_t tls_handshake_consume(struct walk *walk, const uint8_t *bytes, size_t length)
{
	struct tls_direction *direction = walk->direction;
	size_t taken = 0;

	if (direction->message_header_length < TLS_MESSAGE_HEADER_SIZE) {
		while (taken < length && direction->message_header_length < TLS_MESSAGE_HEADER_SIZE)
			direction->message_header[direction->message_header_length++] =
				bytes[taken++];
		if (direction->message_header_length == TLS_MESSAGE_HEADER_SIZE)
			start_message(walk);
	} else if (direction->walking) {
		taken = tls_hello_consume(walk, bytes, length);
	} else {
		taken = length < direction->message_left ? length : direction->message_left;
		direction->message_left -= (uint32_t)taken;
		if (is_wanted(walk))
			certificate_message_feed(walk->wire->certificate, bytes, taken);
	}
	if (direction->message_header_length == TLS_MESSAGE_HEADER_SIZE &&
	    direction->message_left == 0)
		direction->message_header_length = 0;
	return taken;
}
