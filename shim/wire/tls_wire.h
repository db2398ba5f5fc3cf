/*
 * What the bytes of a TLS connection say in the clear.
 *
 * Pure: takes the bytes of both directions as they pass, split or joined
 * anywhere, and returns facts. Knows no socket, no clock and no TLS library,
 * allocates nothing and never reads beyond what it is given. One object serves
 * one connection and one thread at a time.
 *
 * Standards: RFC 8446 (TLS 1.3), RFC 5246 (1.2), RFC 4346 (1.1), RFC 2246
 * (1.0), RFC 6101 (SSL 3.0), RFC 6066 (server_name).
 */
#ifndef TLSWITNESS_TLS_WIRE_H
#define TLSWITNESS_TLS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/wire/certificate_message.h"

/* Protocol versions as they stand on the wire (RFC 8446, 4.1.2). 0 is "not known". */
enum tls_version {
	TLS_VERSION_UNKNOWN = 0,
	TLS_VERSION_SSL_3_0 = 0x0300,
	TLS_VERSION_1_0 = 0x0301,
	TLS_VERSION_1_1 = 0x0302,
	TLS_VERSION_1_2 = 0x0303,
	TLS_VERSION_1_3 = 0x0304,
};

enum tls_side { TLS_FROM_CLIENT, TLS_FROM_SERVER };

/* How far the handshake has come. It only ever moves down this list. */
enum tls_progress {
	TLS_NOTHING,     /* no complete ClientHello yet */
	TLS_OFFERED,     /* the ClientHello is known */
	TLS_NEGOTIATED,  /* the ServerHello is known, and with it the version */
	TLS_ESTABLISHED, /* both sides have sent their Finished (up to 1.2), or the client what
			    it sends only after the server's (1.3) */
	TLS_FAILED,      /* an alert ended the handshake; see alert_* */
	TLS_NOT_TLS,     /* the bytes are no TLS, or a hello whose lengths contradict each
			    other; nothing more will be learned, what was learned stands */
};

#define TLS_RANDOM_SIZE     32
#define TLS_OFFERED_MAX     5
#define TLS_SERVER_NAME_MAX 255

/* The bytes of a hello that are looked at together. */
#define TLS_GATHERED_MAX 35

/* Parser state of one direction; the members are its own. */
struct tls_direction {
	/* the record: its header as it comes in, what it was taken for, what is left of it */
	uint8_t header[5];
	uint8_t header_length;
	uint8_t record_kind;
	uint16_t record_length;
	uint16_t record_left;
	/* the handshake message, which may span records or share one */
	uint8_t message_header[4];
	uint8_t message_header_length;
	uint32_t message_left;
	/* the walk through a hello: its step, and what is left of that and of the extension */
	uint8_t step;
	uint8_t after_skipped; /* the step behind what is passed over */
	bool walking;
	uint8_t gathered_length;
	uint8_t gathered[TLS_GATHERED_MAX]; /* a field that comes in pieces */
	uint16_t extension_left;
	uint16_t name_length;
	uint16_t left; /* of a name, or of what is passed over */
	uint8_t alert[2];
	uint8_t alert_length;
	bool greeted;  /* its first hello has passed, or its SSL 2.0 counterpart */
	bool ciphered; /* its ChangeCipherSpec has passed (<= 1.2), or its first protected
			  record (1.3) */
	bool finished; /* its Finished has passed (<= 1.2) */
};

/* What a ServerHello says, until all of it has come in and it is known to be the answer. */
struct tls_server_hello {
	uint16_t version;
	uint16_t cipher;
	uint16_t group;
	bool pre_shared_key;
	uint8_t random[TLS_RANDOM_SIZE];
};

/*
 * The facts. Those of the ClientHello hold from TLS_OFFERED on, those of the
 * ServerHello from TLS_NEGOTIATED on: before that they may be there in part. When
 * TLS_FAILED or TLS_NOT_TLS came first they are 0. A ServerHello counts even if
 * its ClientHello was never seen, so TLS_NEGOTIATED may come without an offer.
 */
struct tls_wire {
	enum tls_progress progress;

	/* from the first ClientHello: one that follows a HelloRetryRequest adds nothing */
	uint8_t client_random[TLS_RANDOM_SIZE];
	uint16_t client_legacy_version;
	bool names_versions; /* it has supported_versions: `offered` is the whole truth */
	uint8_t offered_count;
	uint16_t offered[TLS_OFFERED_MAX]; /* lowest first, GREASE left out; without
					      supported_versions only the legacy version */
	char server_name[TLS_SERVER_NAME_MAX + 1];

	/* from the ServerHello; a HelloRetryRequest is not the answer yet */
	uint16_t version;         /* negotiated */
	uint16_t cipher;          /* TLS cipher suite number */
	uint16_t group;           /* named group of the key share, TLS 1.3 only; else 0 */
	bool resumed;             /* 1.3: pre_shared_key accepted. Up to 1.2: the handshake was
				     abbreviated, known only with the server's ChangeCipherSpec */
	uint16_t server_supports; /* what the downgrade sentinel proves (RFC 8446, 4.1.3), else 0 */

	/* the alert that ended the handshake, if one did */
	bool alert_seen;
	enum tls_side alert_from;
	bool alert_encrypted;      /* an alert, but its description is not readable */
	uint8_t alert_description; /* RFC 8446, 6 */

	/* Up to 1.2: where the server's certificate is kept as it passes; NULL: it is not wanted */
	struct certificate_message *certificate;

	/* the parser's own */
	uint8_t versions_seen; /* bit n: 0x0300 + n is offered */
	bool server_hello_done;
	struct tls_server_hello server_hello;
	struct tls_direction direction[2];
};

/* Makes `wire` ready for a new connection. */
void tls_wire_init(struct tls_wire *wire);

/*
 * Takes the next `length` bytes that `from` sent, in the order in which they
 * passed, and returns how far the handshake has come. May be called with any
 * number of bytes, none included. After TLS_ESTABLISHED, TLS_FAILED or
 * TLS_NOT_TLS further calls change nothing.
 */
enum tls_progress tls_wire_feed(struct tls_wire *wire, enum tls_side from, const uint8_t *bytes,
				size_t length);

#endif
