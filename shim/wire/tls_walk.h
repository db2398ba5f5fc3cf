/*
 * What the parts of the wire witness share: records (tls_wire.c), the handshake
 * messages inside them (tls_handshake.c), the fields of the two hellos inside
 * those (tls_hello.c).
 *
 * There is one walk per direction and it never looks back: each byte is taken
 * once, so how the bytes were split or joined cannot change what is learned. A
 * field is taken as far as it has come in, and what says nothing is stepped
 * over as a whole.
 *
 * Lengths nest: record, message, extension, field. A field is entered only if
 * it fits into what is left of the extension or message around it, so a walk
 * that runs out of bytes inside a message can only mean that more are to come.
 */
#ifndef TLSWITNESS_TLS_WALK_H
#define TLSWITNESS_TLS_WALK_H

#include "shim/wire/tls_wire.h"

/* RFC 8446, 4, and RFC 5246, 7.4 */
enum handshake_type {
	HANDSHAKE_HELLO_REQUEST = 0,
	HANDSHAKE_CLIENT_HELLO = 1,
	HANDSHAKE_SERVER_HELLO = 2,
	HANDSHAKE_CERTIFICATE = 11,
	HANDSHAKE_SERVER_HELLO_DONE = 14,
};

#define TLS_MESSAGE_HEADER_SIZE 4

/* One direction of one connection: whose bytes they are, and where they write. */
struct walk {
	struct tls_wire *wire;
	struct tls_direction *direction;
	enum tls_side from;
};

static inline bool tls_walk_is_over(const struct tls_wire *wire)
{
	return wire->progress >= TLS_ESTABLISHED;
}

static inline void tls_walk_advance(struct tls_wire *wire, enum tls_progress progress)
{
	if (progress > wire->progress)
		wire->progress = progress;
}

/* Ends in failure. Half a ClientHello is no fact, so what it left behind goes. */
void tls_walk_give_up(struct tls_wire *wire, enum tls_progress progress);

/* ---- tls_handshake.c ---- */

/* Takes at least one and at most `length` bytes of messages; returns how many. */
size_t tls_handshake_consume(struct walk *walk, const uint8_t *bytes, size_t length);

/* ---- tls_hello.c ---- */

/* A hello begins, of which message_left bytes are to come; one of SSL 2.0 from its lengths on. */
void tls_hello_start(struct walk *walk, bool is_ssl2);

/* Takes at least one and at most `length` bytes of a hello; returns how many. */
size_t tls_hello_consume(struct walk *walk, const uint8_t *bytes, size_t length);

#endif
