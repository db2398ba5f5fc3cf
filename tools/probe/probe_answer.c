/*
 * Records -> handshake messages and alerts -> facts. Knows the layout, and the names of the
 * suites.
 */
#include "tools/probe/probe_answer.h"

#include <string.h>

#include "shim/record/tls_names.h"

enum {
	RECORD_CHANGE_CIPHER_SPEC = 20,
	RECORD_ALERT = 21,
	RECORD_HANDSHAKE = 22,
	RECORD_PROTECTED = 23,
	RECORD_MAX = 16384 + 2048, /* RFC 5246, 6.2.3 */

	MESSAGE_HELLO_REQUEST = 0,
	MESSAGE_SERVER_HELLO = 2,
	MESSAGE_SERVER_KEY_EXCHANGE = 12,
	MESSAGE_SERVER_HELLO_DONE = 14,

	EXTENSION_SUPPORTED_VERSIONS = 43,
	EXTENSION_KEY_SHARE = 51,

	NAMED_CURVE = 3,
	ALERT_FATAL = 2,
	ALERT_CLOSE_NOTIFY = 0,

	TLS_1_2 = 0x0303,
	TLS_1_3 = 0x0304,
};

/* RFC 8446, 4.1.3: SHA-256 of "HelloRetryRequest" */
static const uint8_t retry_random[32] = {
	0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C,
	0x02, 0x1E, 0x65, 0xB8, 0x91, 0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB,
	0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
};

/* Bytes that are read one after the other; reading beyond the end is remembered, and gives 0. */
struct reader {
	const uint8_t *bytes;
	size_t left;
	bool overrun;
};

static const uint8_t *read_bytes(struct reader *reader, size_t length)
{
	const uint8_t *bytes = reader->bytes;

	if (length > reader->left) {
		reader->overrun = true;
		reader->left = 0;
		return NULL;
	}
	reader->bytes += length;
	reader->left -= length;
	return bytes;
}

static uint8_t read_8(struct reader *reader)
{
	const uint8_t *bytes = read_bytes(reader, 1);

	return bytes != NULL ? bytes[0] : 0;
}

static uint16_t read_16(struct reader *reader)
{
	const uint8_t *bytes = read_bytes(reader, 2);

	return bytes != NULL ? (uint16_t)(bytes[0] << 8 | bytes[1]) : 0;
}

static bool fail(struct probe_answer *answer)
{
	answer->state = PROBE_ANSWER_NOT_TLS;
	return false;
}

static void read_extension(struct probe_answer *answer, uint16_t type, struct reader body)
{
	if (type == EXTENSION_SUPPORTED_VERSIONS && body.left == 2)
		answer->version = read_16(&body);
	else if (type == EXTENSION_KEY_SHARE && body.left >= 2)
		answer->group = read_16(&body);
}

/* RFC 8446, 4.1.3; its layout is that of every version since SSL 3.0. */
static bool read_server_hello(struct probe_answer *answer, struct reader body)
{
	answer->version = read_16(&body);
	const uint8_t *random = read_bytes(&body, sizeof(retry_random));
	uint8_t session_id_length = read_8(&body);
	if (session_id_length > 32)
		return fail(answer);
	(void)read_bytes(&body, session_id_length);
	answer->cipher = read_16(&body);
	(void)read_8(&body);
	if (body.overrun || random == NULL)
		return fail(answer);
	answer->retry_request = memcmp(random, retry_random, sizeof(retry_random)) == 0;
	/* Extensions are optional up to 1.2. */
	if (body.left > 0) {
		uint16_t length = read_16(&body);
		/* What lies behind the head that was kept is not read. */
		if (body.overrun || length < body.left)
			return fail(answer);
		while (body.left >= 4) {
			uint16_t type = read_16(&body);
			uint16_t size = read_16(&body);
			const uint8_t *bytes = read_bytes(&body, size);
			if (bytes == NULL)
				break;
			read_extension(answer, type, (struct reader){bytes, size, false});
		}
	}
	answer->state = answer->version >= TLS_1_3 ? PROBE_ANSWER_COMPLETE : PROBE_ANSWER_CHOSEN;
	return true;
}

/* RFC 8422, 5.4: an elliptic curve is named; the prime of a finite field has no name there. */
static void read_key_exchange(struct probe_answer *answer, struct reader body)
{
	const char *cipher = tls_cipher_name(answer->cipher);
	uint8_t type = read_8(&body);
	uint16_t group = read_16(&body);

	if (cipher != NULL && strncmp(cipher, "TLS_ECDH", strlen("TLS_ECDH")) == 0 &&
	    type == NAMED_CURVE && !body.overrun)
		answer->group = group;
}

static bool read_message(struct probe_answer *answer)
{
	struct reader body = {answer->head, answer->head_length, false};

	switch (answer->message_header[0]) {
	case MESSAGE_SERVER_HELLO:
		/* The answer to the second ClientHello of a library repeats the choice. */
		return read_server_hello(answer, body);
	case MESSAGE_SERVER_KEY_EXCHANGE:
		if (answer->state == PROBE_ANSWER_CHOSEN)
			read_key_exchange(answer, body);
		return true;
	case MESSAGE_SERVER_HELLO_DONE:
		if (answer->state == PROBE_ANSWER_CHOSEN)
			answer->state = PROBE_ANSWER_COMPLETE;
		return true;
	case MESSAGE_HELLO_REQUEST:
		return true;
	default:
		/* A certificate and its like; but a ServerHello comes before any of them. */
		return answer->state != PROBE_ANSWER_NONE || fail(answer);
	}
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Handshake messages may share a record, or span several. */
static bool take_handshake(struct probe_answer *answer, const uint8_t *bytes, size_t length)
{
	while (length > 0) {
		if (answer->message_header_length < sizeof(answer->message_header)) {
			const uint8_t *header = answer->message_header;

			answer->message_header[answer->message_header_length++] = *bytes++;
			length--;
			if (answer->message_header_length < sizeof(answer->message_header))
				continue;
			answer->message_left =
				(uint32_t)header[1] << 16 | (uint32_t)header[2] << 8 | header[3];
			answer->head_length = 0;
		}
		size_t taken = smaller(length, answer->message_left);
		size_t kept = smaller(taken, PROBE_MESSAGE_HEAD - answer->head_length);
		memcpy(answer->head + answer->head_length, bytes, kept);
		answer->head_length += kept;
		answer->message_left -= (uint32_t)taken;
		bytes += taken;
		length -= taken;
		if (answer->message_left > 0)
			return true;
		answer->message_header_length = 0;
		if (!read_message(answer))
			return false;
		/* In 1.3 whatever follows is encrypted, and comes as another type of record. */
		if (answer->state == PROBE_ANSWER_COMPLETE)
			return true;
	}
	return true;
}

static bool take_alert(struct probe_answer *answer, const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		answer->alert_bytes[answer->alert_length++] = bytes[i];
		if (answer->alert_length < sizeof(answer->alert_bytes))
			continue;
		answer->alert_length = 0;
		/* Warnings, as unrecognized_name is with some, change nothing. */
		if (answer->alert_bytes[0] == ALERT_FATAL) {
			answer->state = PROBE_ANSWER_ALERT;
			answer->alert = answer->alert_bytes[1];
			return false;
		}
		if (answer->alert_bytes[1] == ALERT_CLOSE_NOTIFY) {
			answer->state = PROBE_ANSWER_CLOSED;
			return false;
		}
	}
	return true;
}

/* RFC 8446, 5.1: the header of a record. What is none ends it at once, as far as it came. */
static bool take_header(struct probe_answer *answer, uint8_t byte)
{
	answer->header[answer->header_length++] = byte;
	switch (answer->header_length) {
	case 1:
		return (byte >= RECORD_CHANGE_CIPHER_SPEC && byte <= RECORD_PROTECTED) ||
		       fail(answer);
	case 2:
		return byte == 3 || fail(answer);
	case 5:
		answer->record_left = (uint16_t)(answer->header[3] << 8 | byte);
		return answer->record_left <= RECORD_MAX || fail(answer);
	default:
		return true;
	}
}

static bool take_body(struct probe_answer *answer, const uint8_t *bytes, size_t length)
{
	switch (answer->header[0]) {
	case RECORD_HANDSHAKE:
		/* After all that can be read, what looks like a message may be encrypted. */
		if (answer->state == PROBE_ANSWER_COMPLETE && !answer->retry_request)
			return true;
		return take_handshake(answer, bytes, length);
	case RECORD_ALERT:
		return take_alert(answer, bytes, length);
	default:
		return answer->state != PROBE_ANSWER_NONE || fail(answer);
	}
}

enum probe_answer_state probe_answer_feed(struct probe_answer *answer, const uint8_t *bytes,
					  size_t length)
{
	answer->began = answer->began || length > 0;
	while (length > 0 && answer->state < PROBE_ANSWER_ALERT) {
		if (answer->header_length < sizeof(answer->header)) {
			if (!take_header(answer, *bytes))
				break;
			bytes++;
			length--;
			/* An empty record is one, too. */
			if (answer->header_length == sizeof(answer->header) &&
			    answer->record_left == 0)
				answer->header_length = 0;
			continue;
		}
		size_t taken = smaller(length, answer->record_left);
		if (!take_body(answer, bytes, taken))
			break;
		answer->record_left = (uint16_t)(answer->record_left - taken);
		if (answer->record_left == 0)
			answer->header_length = 0;
		bytes += taken;
		length -= taken;
	}
	return answer->state;
}
