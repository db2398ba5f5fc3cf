/*
 * Records, and what they say by being there. Knows no socket, no clock, no TLS
 * library, and keeps no byte that is not a fact or a part of one.
 */
#include "shim/wire/tls_wire.h"

#include <string.h>

#include "shim/wire/tls_walk.h"

/* RFC 8446, 5.1; heartbeat is RFC 6520. */
enum content_type {
	CONTENT_CHANGE_CIPHER_SPEC = 20,
	CONTENT_ALERT = 21,
	CONTENT_HANDSHAKE = 22,
	CONTENT_APPLICATION_DATA = 23,
	CONTENT_HEARTBEAT = 24,
};

enum {
	RECORD_HEADER_SIZE = 5,
	ALERT_SIZE = 2,
	FINISHED_SIZE_MIN = 4 + 32, /* of 1.3: its header and a hash of SHA-256 (RFC 8446, 4.4.4) */
	JSSE_PADDING = 16,          /* Java's sun.security.ssl.OutputRecord */
	/* RFC 5246, 6.2.3: 2^14 and what encryption may add; no version allows more */
	RECORD_LENGTH_MAX = 16384 + 2048,

	ALERT_WARNING = 1,
	ALERT_FATAL = 2,
	ALERT_CLOSE_NOTIFY = 0,
	ALERT_USER_CANCELED = 90,

	/* RFC 8446, 5.2 and B.4: the only suite there whose tag is not of 16 bytes */
	CIPHER_AES_128_CCM_8_SHA256 = 0x1305,
};

/* What a record is taken for, decided when its header is complete. */
enum record_kind {
	RECORD_IGNORED, /* says nothing in the clear, and nothing by being there */
	RECORD_HANDSHAKE,
	RECORD_ALERT,
	RECORD_CHANGE_CIPHER_SPEC, /* up to 1.2, once the version is known */
	RECORD_ENCRYPTED_HANDSHAKE,
	RECORD_ENCRYPTED_ALERT,
	RECORD_PROTECTED, /* 1.3 after ServerHello: type 23, whatever is inside */
};

void tls_walk_give_up(struct tls_wire *wire, enum tls_progress progress)
{
	if (wire->direction[TLS_FROM_CLIENT].walking) {
		memset(wire->client_random, 0, sizeof(wire->client_random));
		memset(wire->server_name, 0, sizeof(wire->server_name));
		wire->client_legacy_version = 0;
		wire->names_versions = false;
	}
	wire->progress = progress;
}

static void fail(struct walk *walk, bool encrypted, uint8_t description)
{
	walk->wire->alert_seen = true;
	walk->wire->alert_from = walk->from;
	walk->wire->alert_encrypted = encrypted;
	walk->wire->alert_description = description;
	tls_walk_give_up(walk->wire, TLS_FAILED);
}

/*
 * A warning ends nothing, unless it says that the sender is leaving: old servers
 * send unrecognized_name as one and go on (RFC 6066, 3). In 1.3 every alert in
 * the clear is fatal whatever its level says (RFC 8446, 6).
 */
static void judge_alert(struct walk *walk, uint8_t level, uint8_t description)
{
	const struct tls_wire *wire = walk->wire;
	bool leaving = description == ALERT_CLOSE_NOTIFY || description == ALERT_USER_CANCELED;

	if (wire->version == TLS_VERSION_1_3 || level == ALERT_FATAL ||
	    (level == ALERT_WARNING && leaving))
		fail(walk, false, description);
	else if (level != ALERT_WARNING && !walk->direction->greeted)
		tls_walk_give_up(walk->wire, TLS_NOT_TLS);
}

/* Up to 1.2 an alert may be split over records like a message (RFC 5246, 6.2.1). */
static void consume_alert_byte(struct walk *walk, uint8_t byte)
{
	struct tls_direction *direction = walk->direction;

	direction->alert[direction->alert_length++] = byte;
	if (direction->alert_length < ALERT_SIZE)
		return;
	direction->alert_length = 0;
	judge_alert(walk, direction->alert[0], direction->alert[1]);
}

/*
 * ChangeCipherSpec of up to 1.2. A full handshake has ServerHelloDone before the
 * server's; only an abbreviated one has not (RFC 5246, 7.3; RFC 5077, 3.1). That
 * is what tells a resumption. The session id does not: with tickets the client
 * makes one up, or may send none, and 1.3 has it echoed in any case.
 */
static void change_cipher_spec_passed(struct walk *walk)
{
	walk->direction->ciphered = true;
	if (walk->from == TLS_FROM_SERVER)
		walk->wire->resumed = !walk->wire->server_hello_done;
}

/* The first handshake message after ChangeCipherSpec is Finished (RFC 5246, 7.4.9). */
static void encrypted_handshake_passed(struct walk *walk)
{
	const struct tls_direction *direction = walk->wire->direction;

	if (walk->direction->record_length == 0)
		return;
	walk->direction->finished = true;
	if (direction[TLS_FROM_CLIENT].finished && direction[TLS_FROM_SERVER].finished)
		tls_walk_advance(walk->wire, TLS_ESTABLISHED);
}

/*
 * Whether a side's first protected record is an alert. Its type is hidden but not
 * its length (RFC 8446, 5.2), and two bytes are fewer than any handshake message
 * has. JSSE pads every record with 16 bytes: 18 is then an alert from a client,
 * which can begin with nothing else of that size, while a server's
 * EncryptedExtensions may well be as long. Other padding hides the alert.
 */
static bool is_alert_size(enum tls_side from, uint32_t content)
{
	return content == ALERT_SIZE ||
	       (from == TLS_FROM_CLIENT && content == ALERT_SIZE + JSSE_PADDING);
}

/*
 * A client protects its first record after ServerHello when it has accepted the
 * server's Finished, if it is not an alert, and its own Finished ends that flight
 * (RFC 8446, 2). What is shorter than a Finished, EndOfEarlyData or an empty
 * Certificate, is waited out; what is as long may also be a Certificate with the
 * Finished close behind. Early data comes before ServerHello: see classify().
 */
static void protected_record_passed(struct walk *walk)
{
	struct tls_direction *direction = walk->direction;
	uint32_t tag = walk->wire->cipher == CIPHER_AES_128_CCM_8_SHA256 ? 8 : 16;
	uint32_t content = 0;

	/* The last byte of what is protected is the type. */
	if (direction->record_length > tag)
		content = direction->record_length - tag - 1;
	if (!direction->ciphered && is_alert_size(walk->from, content))
		fail(walk, true, 0);
	else if (walk->from == TLS_FROM_CLIENT && content >= FINISHED_SIZE_MIN)
		tls_walk_advance(walk->wire, TLS_ESTABLISHED);
	direction->ciphered = true;
}

static void end_record(struct walk *walk)
{
	walk->direction->header_length = 0;
	switch ((enum record_kind)walk->direction->record_kind) {
	case RECORD_CHANGE_CIPHER_SPEC:
		change_cipher_spec_passed(walk);
		break;
	case RECORD_ENCRYPTED_HANDSHAKE:
		encrypted_handshake_passed(walk);
		break;
	case RECORD_ENCRYPTED_ALERT:
		fail(walk, true, 0);
		break;
	case RECORD_PROTECTED:
		protected_record_passed(walk);
		break;
	case RECORD_IGNORED:
	case RECORD_HANDSHAKE:
	case RECORD_ALERT:
		break;
	}
}

/*
 * What a record means depends on the version, and that is known only once
 * ServerHello has passed. Until then a client that hopes for 1.3 may send a
 * ChangeCipherSpec for middleboxes' sake and early data of any length
 * (RFC 8446, D.4 and 2.3); neither says anything.
 */
static enum record_kind classify(const struct walk *walk)
{
	const struct tls_direction *direction = walk->direction;
	bool negotiated = walk->wire->progress >= TLS_NEGOTIATED;
	bool is_1_3 = walk->wire->version == TLS_VERSION_1_3;
	bool encrypted = direction->ciphered && !is_1_3;

	switch (direction->header[0]) {
	case CONTENT_CHANGE_CIPHER_SPEC:
		return negotiated && !is_1_3 ? RECORD_CHANGE_CIPHER_SPEC : RECORD_IGNORED;
	case CONTENT_ALERT:
		return encrypted ? RECORD_ENCRYPTED_ALERT : RECORD_ALERT;
	case CONTENT_HANDSHAKE:
		return encrypted ? RECORD_ENCRYPTED_HANDSHAKE : RECORD_HANDSHAKE;
	case CONTENT_APPLICATION_DATA:
		return negotiated && is_1_3 ? RECORD_PROTECTED : RECORD_IGNORED;
	default:
		return RECORD_IGNORED;
	}
}

static void start_record(struct walk *walk)
{
	struct tls_direction *direction = walk->direction;
	const uint8_t *header = direction->header;

	direction->record_kind = (uint8_t)classify(walk);
	direction->record_length = (uint16_t)(header[3] << 8 | header[4]);
	direction->record_left = direction->record_length;
	if (direction->record_left == 0)
		end_record(walk);
}

/*
 * The five bytes of a record header are, in an SSL 2.0 hello, its length, its
 * type and the version; the rest is walked like a message that fills its record.
 */
static void start_ssl2_hello(struct walk *walk)
{
	struct tls_direction *direction = walk->direction;
	const uint8_t *header = direction->header;

	direction->record_kind = RECORD_HANDSHAKE;
	direction->record_length = (uint16_t)((header[0] & 0x7F) << 8 | header[1]) - 3;
	direction->record_left = direction->record_length;
	direction->message_header_length = TLS_MESSAGE_HEADER_SIZE;
	direction->message_left = direction->record_length;
	walk->wire->client_legacy_version = (uint16_t)(header[3] << 8 | header[4]);
	tls_hello_start(walk, true);
}

/* Only a client's very first byte can have the high bit: no record type does. */
static bool is_ssl2_hello(const struct walk *walk)
{
	return (walk->direction->header[0] & 0x80) != 0 && walk->from == TLS_FROM_CLIENT &&
	       !walk->direction->greeted;
}

static bool is_type_plausible(const struct tls_direction *direction)
{
	uint8_t type = direction->header[0];

	if (!direction->greeted)
		return type == CONTENT_HANDSHAKE || type == CONTENT_ALERT;
	return type >= CONTENT_CHANGE_CIPHER_SPEC && type <= CONTENT_HEARTBEAT;
}

/* Judges the header as far as it has come in, so that text is told by its first byte. */
static bool is_header_plausible(const struct walk *walk)
{
	const uint8_t *header = walk->direction->header;
	unsigned known = walk->direction->header_length;
	unsigned length = (unsigned)header[3] << 8 | header[4];

	if (is_ssl2_hello(walk))
		return (known < 3 || header[2] == HANDSHAKE_CLIENT_HELLO) &&
		       (known < 4 || header[3] == 3) &&
		       (known < 5 || ((header[0] & 0x7F) << 8 | header[1]) >= 9);
	return is_type_plausible(walk->direction) && (known < 2 || header[1] == 3) &&
	       (known < 5 || length <= RECORD_LENGTH_MAX);
}

/* Takes at least one and at most `length` bytes of a record's header; returns how many. */
static size_t consume_header(struct walk *walk, const uint8_t *bytes, size_t length)
{
	struct tls_direction *direction = walk->direction;
	size_t taken = 0;

	if (direction->header_length == 0 && length >= RECORD_HEADER_SIZE) {
		memcpy(direction->header, bytes, RECORD_HEADER_SIZE);
		direction->header_length = RECORD_HEADER_SIZE;
		taken = RECORD_HEADER_SIZE;
	}
	while (taken < length && direction->header_length < RECORD_HEADER_SIZE)
		direction->header[direction->header_length++] = bytes[taken++];
	if (!is_header_plausible(walk))
		tls_walk_give_up(walk->wire, TLS_NOT_TLS);
	else if (direction->header_length < RECORD_HEADER_SIZE)
		return taken;
	else if (is_ssl2_hello(walk))
		start_ssl2_hello(walk);
	else
		start_record(walk);
	return taken;
}

/* Takes at least one and at most `length` bytes of a record's body; returns how many. */
static size_t consume_body(struct walk *walk, const uint8_t *bytes, size_t length)
{
	struct tls_direction *direction = walk->direction;
	size_t taken = length < direction->record_left ? length : direction->record_left;

	if (direction->record_kind == RECORD_HANDSHAKE) {
		taken = tls_handshake_consume(walk, bytes, taken);
	} else if (direction->record_kind == RECORD_ALERT) {
		consume_alert_byte(walk, bytes[0]);
		taken = 1;
	}
	direction->record_left -= (uint16_t)taken;
	if (direction->record_left == 0 && !tls_walk_is_over(walk->wire))
		end_record(walk);
	return taken;
}

void tls_wire_init(struct tls_wire *wire)
{
	memset(wire, 0, sizeof(*wire));
}

enum tls_progress tls_wire_feed(struct tls_wire *wire, enum tls_side from, const uint8_t *bytes,
				size_t length)
{
	struct walk walk = {.wire = wire, .direction = &wire->direction[from], .from = from};

	while (length > 0 && !tls_walk_is_over(wire)) {
		size_t taken = 0;

		if (walk.direction->header_length < RECORD_HEADER_SIZE)
			taken = consume_header(&walk, bytes, length);
		else
			taken = consume_body(&walk, bytes, length);
		bytes += taken;
		length -= taken;
	}
	return wire->progress;
}
