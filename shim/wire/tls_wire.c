/*
 * What the bytes of a TLS connection say in the clear: records, the handshake
 * messages inside them, the fields of the two hellos inside those. Knows no
 * socket, no clock, no TLS library, and keeps no byte that is not a fact or a
 * part of one.
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
#include "shim/wire/tls_wire.h"

#include <string.h>

/* RFC 8446, 5.1; heartbeat is RFC 6520. */
enum content_type {
	CONTENT_CHANGE_CIPHER_SPEC = 20,
	CONTENT_ALERT = 21,
	CONTENT_HANDSHAKE = 22,
	CONTENT_APPLICATION_DATA = 23,
	CONTENT_HEARTBEAT = 24,
};

/* RFC 8446, 4, and RFC 5246, 7.4 */
enum handshake_type {
	HANDSHAKE_HELLO_REQUEST = 0,
	HANDSHAKE_CLIENT_HELLO = 1,
	HANDSHAKE_SERVER_HELLO = 2,
	HANDSHAKE_CERTIFICATE = 11,
	HANDSHAKE_SERVER_HELLO_DONE = 14,
};

/* RFC 8446, 4.2 */
enum extension {
	EXTENSION_SERVER_NAME = 0,
	EXTENSION_PRE_SHARED_KEY = 41,
	EXTENSION_SUPPORTED_VERSIONS = 43,
	EXTENSION_KEY_SHARE = 51,
};

enum {
	RECORD_HEADER_SIZE = 5,
	MESSAGE_HEADER_SIZE = 4,
	ALERT_SIZE = 2,
	FINISHED_SIZE_MIN = 4 + 32, /* of 1.3: its header and a hash of SHA-256 (RFC 8446, 4.4.4) */
	JSSE_PADDING = 16,          /* Java's sun.security.ssl.OutputRecord */
	/* RFC 5246, 6.2.3: 2^14 and what encryption may add; no version allows more */
	RECORD_LENGTH_MAX = 16384 + 2048,
	/* every vector of a hello at its longest, rounded up */
	HELLO_LENGTH_MAX = 132 * 1024,
	SESSION_ID_MAX = 32,

	ALERT_WARNING = 1,
	ALERT_FATAL = 2,
	ALERT_CLOSE_NOTIFY = 0,
	ALERT_USER_CANCELED = 90,

	NAME_TYPE_HOST_NAME = 0,

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

/* RFC 8446, 4.1.3: SHA-256 of "HelloRetryRequest" */
static const uint8_t hello_retry_request_random[TLS_RANDOM_SIZE] = {
	0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C,
	0x02, 0x1E, 0x65, 0xB8, 0x91, 0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB,
	0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
};

/* RFC 8446, 4.1.3: "DOWNGRD" and a byte that says from where */
static const uint8_t downgrade_sentinel[7] = {0x44, 0x4F, 0x57, 0x4E, 0x47, 0x52, 0x44};

/* One direction of one connection: whose bytes they are, and where they write. */
struct walk {
	struct tls_wire *wire;
	struct tls_direction *direction;
	enum tls_side from;
};

static bool is_version_known(uint32_t version)
{
	return version >= TLS_VERSION_SSL_3_0 && version <= TLS_VERSION_1_3;
}

static bool is_over(const struct tls_wire *wire)
{
	return wire->progress >= TLS_ESTABLISHED;
}

static void advance(struct tls_wire *wire, enum tls_progress progress)
{
	if (progress > wire->progress)
		wire->progress = progress;
}

/* Ends in failure. Half a ClientHello is no fact, so what it left behind goes. */
static void give_up(struct tls_wire *wire, enum tls_progress progress)
{
	if (wire->direction[TLS_FROM_CLIENT].walking) {
		memset(wire->client_random, 0, sizeof(wire->client_random));
		memset(wire->server_name, 0, sizeof(wire->server_name));
		wire->client_legacy_version = 0;
		wire->names_versions = false;
	}
	wire->progress = progress;
}

static void not_tls(struct tls_wire *wire)
{
	give_up(wire, TLS_NOT_TLS);
}

static void fail(struct walk *walk, bool encrypted, uint8_t description)
{
	walk->wire->alert_seen = true;
	walk->wire->alert_from = walk->from;
	walk->wire->alert_encrypted = encrypted;
	walk->wire->alert_description = description;
	give_up(walk->wire, TLS_FAILED);
}

/*
 * The fields of the hellos, in the order in which they stand (RFC 8446, 4.1.2
 * and 4.1.3, whose layout is that of every version since SSL 3.0), then those of
 * the extensions that say something, then those of the SSL 2.0 hello by which
 * old clients offer SSL 3.0 and up (RFC 5246, E.2).
 */
enum step {
	STEP_VERSION,
	STEP_RANDOM,
	STEP_SESSION_ID_LENGTH,
	STEP_SESSION_ID,
	STEP_CIPHERS_LENGTH,
	STEP_CIPHERS,
	STEP_COMPRESSIONS_LENGTH,
	STEP_COMPRESSIONS,
	STEP_CIPHER,
	STEP_COMPRESSION,
	STEP_EXTENSIONS_LENGTH,
	STEP_EXTENSION_TYPE,
	STEP_EXTENSION_LENGTH,
	STEP_EXTENSION_REST,
	STEP_NAMES_LENGTH,
	STEP_NAME_TYPE,
	STEP_NAME_LENGTH,
	STEP_NAME,
	STEP_VERSIONS_LENGTH,
	STEP_OFFERED_VERSION,
	STEP_SELECTED_VERSION,
	STEP_KEY_SHARE_GROUP,
	STEP_SSL2_CIPHERS_LENGTH,
	STEP_SSL2_SESSION_ID_LENGTH,
	STEP_SSL2_CHALLENGE_LENGTH,
	STEP_SSL2_SKIPPED,
	STEP_SSL2_CHALLENGE,
	STEP_COUNT,
	STEP_DONE = STEP_COUNT,
	STEP_MALFORMED,
};

/* What is left of the extension around the walk, or of the message if there is none. */
static uint32_t room(const struct tls_direction *direction)
{
	return direction->in_extension ? direction->extension_left : direction->message_left;
}

static void consume_random(struct walk *walk, uint32_t position, const uint8_t *bytes,
			   size_t length)
{
	uint8_t *random = walk->from == TLS_FROM_CLIENT ? walk->wire->client_random
							: walk->wire->server_hello.random;

	memcpy(random + position, bytes, length);
}

/* An SSL 2.0 challenge is the random, right-justified (RFC 5246, E.2). */
static void consume_challenge(struct walk *walk, uint32_t position, const uint8_t *bytes,
			      size_t length)
{
	size_t left_out = TLS_RANDOM_SIZE - (size_t)walk->direction->step_size;

	memcpy(walk->wire->client_random + left_out + position, bytes, length);
}

/* A name that is too long for DNS, or has a NUL in it, is no name: see after_name(). */
static void consume_name(struct walk *walk, uint32_t position, const uint8_t *bytes, size_t length)
{
	size_t room = position < TLS_SERVER_NAME_MAX ? TLS_SERVER_NAME_MAX - position : 0;

	if (room > 0)
		memcpy(walk->wire->server_name + position, bytes, length < room ? length : room);
}

/* A server that means 1.3 or later says 1.2 here; more is no answer (RFC 8446, 4.1.3). */
static enum step after_version(struct walk *walk)
{
	uint16_t version = (uint16_t)walk->direction->number;

	if (walk->from == TLS_FROM_CLIENT)
		walk->wire->client_legacy_version = version;
	else if (version <= TLS_VERSION_1_2)
		walk->wire->server_hello.version = version;
	return STEP_RANDOM;
}

static enum step after_session_id_length(struct walk *walk)
{
	return walk->direction->number <= SESSION_ID_MAX ? STEP_SESSION_ID : STEP_MALFORMED;
}

static enum step after_session_id(struct walk *walk)
{
	return walk->from == TLS_FROM_CLIENT ? STEP_CIPHERS_LENGTH : STEP_CIPHER;
}

static enum step after_cipher(struct walk *walk)
{
	walk->wire->server_hello.cipher = (uint16_t)walk->direction->number;
	return STEP_COMPRESSION;
}

/* Extensions are optional up to TLS 1.2: a hello may end here (RFC 5246, 7.4.1.2). */
static enum step after_compression(struct walk *walk)
{
	return room(walk->direction) == 0 ? STEP_DONE : STEP_EXTENSIONS_LENGTH;
}

/* Extensions reach to the end of the message, so message_left bounds them from here on. */
static enum step after_extensions_length(struct walk *walk)
{
	const struct tls_direction *direction = walk->direction;

	if (direction->number != direction->message_left)
		return STEP_MALFORMED;
	return direction->message_left == 0 ? STEP_DONE : STEP_EXTENSION_TYPE;
}

static enum step after_extension_type(struct walk *walk)
{
	walk->direction->extension_type = (uint16_t)walk->direction->number;
	return STEP_EXTENSION_LENGTH;
}

static enum step first_of_client_extension(const struct walk *walk)
{
	switch (walk->direction->extension_type) {
	case EXTENSION_SERVER_NAME:
		return STEP_NAMES_LENGTH;
	case EXTENSION_SUPPORTED_VERSIONS:
		walk->wire->names_versions = true;
		return STEP_VERSIONS_LENGTH;
	default:
		return STEP_EXTENSION_REST;
	}
}

static enum step first_of_server_extension(const struct walk *walk)
{
	switch (walk->direction->extension_type) {
	case EXTENSION_SUPPORTED_VERSIONS:
		return STEP_SELECTED_VERSION;
	case EXTENSION_KEY_SHARE:
		return STEP_KEY_SHARE_GROUP;
	case EXTENSION_PRE_SHARED_KEY:
		walk->wire->server_hello.pre_shared_key = true;
		return STEP_EXTENSION_REST;
	default:
		return STEP_EXTENSION_REST;
	}
}

static enum step after_extension_length(struct walk *walk)
{
	struct tls_direction *direction = walk->direction;

	if (direction->number > direction->message_left)
		return STEP_MALFORMED;
	direction->extension_left = (uint16_t)direction->number;
	direction->in_extension = true;
	return walk->from == TLS_FROM_CLIENT ? first_of_client_extension(walk)
					     : first_of_server_extension(walk);
}

static enum step after_extension(struct walk *walk)
{
	walk->direction->in_extension = false;
	return walk->direction->message_left == 0 ? STEP_DONE : STEP_EXTENSION_TYPE;
}

/* No other type was ever defined, and how an entry of one would look is not known. */
static enum step after_name_type(struct walk *walk)
{
	return walk->direction->number == NAME_TYPE_HOST_NAME ? STEP_NAME_LENGTH
							      : STEP_EXTENSION_REST;
}

static enum step after_name_length(struct walk *walk)
{
	/* An extension that is sent twice must not leave the tail of its first name. */
	memset(walk->wire->server_name, 0, sizeof(walk->wire->server_name));
	return STEP_NAME;
}

static enum step after_name(struct walk *walk)
{
	struct tls_wire *wire = walk->wire;
	size_t length = 0;

	length = strlen(wire->server_name);
	if (length != walk->direction->step_size)
		memset(wire->server_name, 0, sizeof(wire->server_name));
	return STEP_EXTENSION_REST;
}

/* RFC 8446, 4.2.1: the list fills its extension, two bytes a version. */
static enum step after_versions_length(struct walk *walk)
{
	uint32_t length = walk->direction->number;

	if (length != room(walk->direction) || length % 2 != 0)
		return STEP_MALFORMED;
	return length == 0 ? STEP_EXTENSION_REST : STEP_OFFERED_VERSION;
}

/* GREASE (RFC 8701), drafts and versions to come fall out: they are none we know. */
static enum step after_offered_version(struct walk *walk)
{
	uint32_t version = walk->direction->number;

	if (is_version_known(version))
		walk->wire->versions_seen |= (uint8_t)(1U << (version - TLS_VERSION_SSL_3_0));
	return room(walk->direction) == 0 ? STEP_EXTENSION_REST : STEP_OFFERED_VERSION;
}

static enum step after_selected_version(struct walk *walk)
{
	walk->wire->server_hello.version = (uint16_t)walk->direction->number;
	return room(walk->direction) == 0 ? STEP_EXTENSION_REST : STEP_MALFORMED;
}

static enum step after_key_share_group(struct walk *walk)
{
	walk->wire->server_hello.group = (uint16_t)walk->direction->number;
	return STEP_EXTENSION_REST;
}

/*
 * An SSL 2.0 hello says three lengths, then the ciphers, the session id and the
 * challenge. extension_left, free here, sums up what lies before the challenge.
 */
static enum step after_ssl2_ciphers_length(struct walk *walk)
{
	walk->direction->extension_left = (uint16_t)walk->direction->number;
	return STEP_SSL2_SESSION_ID_LENGTH;
}

static enum step after_ssl2_session_id_length(struct walk *walk)
{
	struct tls_direction *direction = walk->direction;

	if (direction->number + direction->extension_left > direction->message_left)
		return STEP_MALFORMED;
	direction->extension_left = (uint16_t)(direction->extension_left + direction->number);
	return STEP_SSL2_CHALLENGE_LENGTH;
}

static enum step after_ssl2_challenge_length(struct walk *walk)
{
	struct tls_direction *direction = walk->direction;
	uint32_t length = direction->number;

	if (length > TLS_RANDOM_SIZE ||
	    length + direction->extension_left != direction->message_left)
		return STEP_MALFORMED;
	direction->number = direction->extension_left;
	return STEP_SSL2_SKIPPED;
}

/* Sizes of fields that are no fixed number of bytes. */
enum {
	SIZE_ANNOUNCED = 0, /* as long as the number before it said */
	SIZE_REST = 255,    /* all that is left of the extension, or of the message */
};

/*
 * What a field is: its size; who gets the bytes of one that is worth keeping;
 * and, when it is complete, what it means and which one comes next. Where
 * nothing has to be decided, `next` says that by itself.
 */
static const struct {
	void (*take)(struct walk *walk, uint32_t position, const uint8_t *bytes, size_t length);
	enum step (*after)(struct walk *walk);
	enum step next;
	uint8_t size;
} steps[STEP_COUNT] = {
	[STEP_VERSION] = {.size = 2, .after = after_version},
	[STEP_RANDOM] = {.size = 32, .take = consume_random, .next = STEP_SESSION_ID_LENGTH},
	[STEP_SESSION_ID_LENGTH] = {.size = 1, .after = after_session_id_length},
	[STEP_SESSION_ID] = {.size = SIZE_ANNOUNCED, .after = after_session_id},
	[STEP_CIPHERS_LENGTH] = {.size = 2, .next = STEP_CIPHERS},
	[STEP_CIPHERS] = {.size = SIZE_ANNOUNCED, .next = STEP_COMPRESSIONS_LENGTH},
	[STEP_COMPRESSIONS_LENGTH] = {.size = 1, .next = STEP_COMPRESSIONS},
	[STEP_COMPRESSIONS] = {.size = SIZE_ANNOUNCED, .after = after_compression},
	[STEP_CIPHER] = {.size = 2, .after = after_cipher},
	[STEP_COMPRESSION] = {.size = 1, .after = after_compression},
	[STEP_EXTENSIONS_LENGTH] = {.size = 2, .after = after_extensions_length},
	[STEP_EXTENSION_TYPE] = {.size = 2, .after = after_extension_type},
	[STEP_EXTENSION_LENGTH] = {.size = 2, .after = after_extension_length},
	[STEP_EXTENSION_REST] = {.size = SIZE_REST, .after = after_extension},
	[STEP_NAMES_LENGTH] = {.size = 2, .next = STEP_NAME_TYPE},
	[STEP_NAME_TYPE] = {.size = 1, .after = after_name_type},
	[STEP_NAME_LENGTH] = {.size = 2, .after = after_name_length},
	[STEP_NAME] = {.size = SIZE_ANNOUNCED, .take = consume_name, .after = after_name},
	[STEP_VERSIONS_LENGTH] = {.size = 1, .after = after_versions_length},
	[STEP_OFFERED_VERSION] = {.size = 2, .after = after_offered_version},
	[STEP_SELECTED_VERSION] = {.size = 2, .after = after_selected_version},
	[STEP_KEY_SHARE_GROUP] = {.size = 2, .after = after_key_share_group},
	[STEP_SSL2_CIPHERS_LENGTH] = {.size = 2, .after = after_ssl2_ciphers_length},
	[STEP_SSL2_SESSION_ID_LENGTH] = {.size = 2, .after = after_ssl2_session_id_length},
	[STEP_SSL2_CHALLENGE_LENGTH] = {.size = 2, .after = after_ssl2_challenge_length},
	[STEP_SSL2_SKIPPED] = {.size = SIZE_ANNOUNCED, .next = STEP_SSL2_CHALLENGE},
	[STEP_SSL2_CHALLENGE] = {.size = SIZE_REST, .take = consume_challenge, .next = STEP_DONE},
};

static void client_hello_done(struct tls_wire *wire)
{
	/* Without supported_versions a server may go no higher than 1.2 (RFC 8446, 4.2.1). */
	if (!wire->names_versions) {
		uint16_t highest = wire->client_legacy_version;

		if (highest > TLS_VERSION_1_2)
			highest = TLS_VERSION_1_2;
		if (is_version_known(highest))
			wire->versions_seen = (uint8_t)(1U << (highest - TLS_VERSION_SSL_3_0));
	}
	for (uint16_t i = 0; i < TLS_OFFERED_MAX; i++)
		if (wire->versions_seen & (1U << i))
			wire->offered[wire->offered_count++] = TLS_VERSION_SSL_3_0 + i;
	advance(wire, TLS_OFFERED);
}

/*
 * The sentinel proves something only together with the version that it was meant
 * for: a server that can do 1.3 marks 1.2 with 01, one that can do 1.2 marks 1.1
 * and below with 00 (RFC 8446, 4.1.3). Anything else is chance.
 */
static uint16_t proven_by_sentinel(const struct tls_server_hello *hello)
{
	const uint8_t *sentinel = hello->random + TLS_RANDOM_SIZE - 8;

	if (memcmp(sentinel, downgrade_sentinel, sizeof(downgrade_sentinel)) != 0)
		return TLS_VERSION_UNKNOWN;
	if (hello->version == TLS_VERSION_1_2 && sentinel[7] == 1)
		return TLS_VERSION_1_3;
	if (hello->version <= TLS_VERSION_1_1 && sentinel[7] == 0)
		return TLS_VERSION_1_2;
	return TLS_VERSION_UNKNOWN;
}

static void server_hello_done(struct tls_wire *wire)
{
	const struct tls_server_hello *hello = &wire->server_hello;

	/* A request to say hello again; the answer is still to come. */
	if (memcmp(hello->random, hello_retry_request_random, TLS_RANDOM_SIZE) == 0)
		return;
	/* A version that no client knows either: it will say so in an alert. */
	if (!is_version_known(hello->version))
		return;
	wire->version = hello->version;
	wire->cipher = hello->cipher;
	if (hello->version == TLS_VERSION_1_3) {
		wire->group = hello->group;
		wire->resumed = hello->pre_shared_key;
	}
	wire->server_supports = proven_by_sentinel(hello);
	advance(wire, TLS_NEGOTIATED);
}

static uint32_t size_of(const struct tls_direction *direction, enum step step)
{
	switch (steps[step].size) {
	case SIZE_ANNOUNCED:
		return direction->number;
	case SIZE_REST:
		return room(direction);
	default:
		return steps[step].size;
	}
}

static void leave_hello(struct walk *walk, enum step step)
{
	if (step == STEP_MALFORMED) {
		not_tls(walk->wire);
		return;
	}
	walk->direction->walking = false;
	if (walk->from == TLS_FROM_CLIENT)
		client_hello_done(walk->wire);
	else
		server_hello_done(walk->wire);
}

static enum step next_step(struct walk *walk, enum step step)
{
	return steps[step].after ? steps[step].after(walk) : steps[step].next;
}

/*
 * A field that reaches beyond what encloses it: the hello is malformed, and every
 * library would refuse it. A server name in disorder alone is passed over: it
 * takes no part in the choice of the version, and not every server looks at it.
 */
static enum step too_long(const struct tls_direction *direction)
{
	bool is_server_name =
		direction->in_extension && direction->extension_type == EXTENSION_SERVER_NAME;

	return is_server_name ? STEP_EXTENSION_REST : STEP_MALFORMED;
}

/*
 * Stands on `step`, or, as long as a field is empty, on the one that follows.
 * Every way around the loop without a return passes a vector, and every number
 * between two vectors costs bytes, so it ends.
 */
static void enter(struct walk *walk, enum step step)
{
	struct tls_direction *direction = walk->direction;

	while (step < STEP_COUNT) {
		uint32_t size = size_of(direction, step);

		if (size > room(direction)) {
			step = too_long(direction);
			continue;
		}
		direction->step = (uint8_t)step;
		direction->step_size = (uint16_t)size;
		direction->step_left = (uint16_t)size;
		direction->number = 0;
		if (size > 0)
			return;
		step = next_step(walk, step);
	}
	leave_hello(walk, step);
}

static bool says_something(enum tls_side from, uint32_t extension)
{
	if (extension == EXTENSION_SUPPORTED_VERSIONS)
		return true;
	if (from == TLS_FROM_CLIENT)
		return extension == EXTENSION_SERVER_NAME;
	return extension == EXTENSION_KEY_SHARE || extension == EXTENSION_PRE_SHARED_KEY;
}

/*
 * Steps over the extensions that say nothing and have come in whole, of which a
 * hello has a dozen: what the walk from field to field would do, in a fraction
 * of the time. What is not whole, or does not fit, is left to that walk. Returns
 * how many bytes that were, or 0 if the walk does not stand before an extension.
 */
static size_t skip_extensions(struct walk *walk, const uint8_t *bytes, size_t length)
{
	struct tls_direction *direction = walk->direction;
	size_t most = length < direction->message_left ? length : direction->message_left;
	size_t taken = 0;

	if (direction->step != STEP_EXTENSION_TYPE || direction->step_left != direction->step_size)
		return 0;
	while (most - taken >= 4) {
		const uint8_t *extension = bytes + taken;
		size_t size = 4 + ((size_t)extension[2] << 8 | extension[3]);

		if (size > most - taken ||
		    says_something(walk->from, (uint32_t)extension[0] << 8 | extension[1]))
			break;
		taken += size;
	}
	direction->message_left -= (uint32_t)taken;
	if (taken > 0)
		enter(walk, after_extension(walk));
	return taken;
}

/* Takes at least one and at most `length` bytes of the field at hand; returns how many. */
static size_t consume_field(struct walk *walk, const uint8_t *bytes, size_t length)
{
	struct tls_direction *direction = walk->direction;
	enum step step = (enum step)direction->step;
	size_t taken = length < direction->step_left ? length : direction->step_left;
	if (steps[step].take)
		steps[step].take(walk, (uint32_t)direction->step_size - direction->step_left, bytes,
				 taken);
	else if (direction->step_size <= sizeof(uint16_t)) /* no number is longer */
		for (size_t i = 0; i < taken; i++)
			direction->number = direction->number << 8 | bytes[i];
	direction->message_left -= (uint32_t)taken;
	if (direction->in_extension)
		direction->extension_left -= (uint16_t)taken;
	direction->step_left -= (uint16_t)taken;
	if (direction->step_left == 0)
		enter(walk, next_step(walk, step));
	return taken;
}

/* Takes at least one and at most `length` bytes of a hello; returns how many. */
static size_t consume_hello(struct walk *walk, const uint8_t *bytes, size_t length)
{
	size_t taken = 0;

	do {
		size_t skipped = skip_extensions(walk, bytes + taken, length - taken);

		if (skipped == 0)
			skipped = consume_field(walk, bytes + taken, length - taken);
		taken += skipped;
	} while (taken < length && walk->direction->walking && !is_over(walk->wire));
	return taken;
}

static void start_hello(struct walk *walk, enum step step)
{
	walk->direction->greeted = true;
	walk->direction->walking = true;
	walk->direction->in_extension = false;
	if (walk->from == TLS_FROM_SERVER)
		memset(&walk->wire->server_hello, 0, sizeof(walk->wire->server_hello));
	enter(walk, step);
}

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
		not_tls(walk->wire);
		return;
	}
	if (walk->from == TLS_FROM_SERVER && header[0] == HANDSHAKE_SERVER_HELLO_DONE)
		walk->wire->server_hello_done = true;
	if (is_worth_walking(walk, header[0]))
		start_hello(walk, STEP_VERSION);
}

/* Of a message that is stepped over: does anybody want it? */
static bool is_wanted(const struct walk *walk)
{
	return walk->wire->certificate && walk->from == TLS_FROM_SERVER &&
	       walk->direction->message_header[0] == HANDSHAKE_CERTIFICATE;
}

/* Takes at least one and at most `length` bytes of messages; returns how many. */
static size_t consume_handshake(struct walk *walk, const uint8_t *bytes, size_t length)
{
	struct tls_direction *direction = walk->direction;
	size_t taken = 0;

	if (direction->message_header_length < MESSAGE_HEADER_SIZE) {
		while (taken < length && direction->message_header_length < MESSAGE_HEADER_SIZE)
			direction->message_header[direction->message_header_length++] =
				bytes[taken++];
		if (direction->message_header_length == MESSAGE_HEADER_SIZE)
			start_message(walk);
	} else if (direction->walking) {
		taken = consume_hello(walk, bytes, length);
	} else {
		taken = length < direction->message_left ? length : direction->message_left;
		direction->message_left -= (uint32_t)taken;
		if (is_wanted(walk))
			certificate_message_feed(walk->wire->certificate, bytes, taken);
	}
	if (direction->message_header_length == MESSAGE_HEADER_SIZE && direction->message_left == 0)
		direction->message_header_length = 0;
	return taken;
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
		not_tls(walk->wire);
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
		advance(walk->wire, TLS_ESTABLISHED);
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
		advance(walk->wire, TLS_ESTABLISHED);
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
	direction->message_header_length = MESSAGE_HEADER_SIZE;
	direction->message_left = direction->record_length;
	walk->wire->client_legacy_version = (uint16_t)(header[3] << 8 | header[4]);
	start_hello(walk, STEP_SSL2_CIPHERS_LENGTH);
}

/* Only a client's very first byte can have the high bit: no record type does. */
static bool is_ssl2_hello(const struct walk *walk)
{
	return walk->from == TLS_FROM_CLIENT && !walk->direction->greeted &&
	       (walk->direction->header[0] & 0x80) != 0;
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

	while (taken < length && direction->header_length < RECORD_HEADER_SIZE)
		direction->header[direction->header_length++] = bytes[taken++];
	if (!is_header_plausible(walk))
		not_tls(walk->wire);
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
		taken = consume_handshake(walk, bytes, taken);
	} else if (direction->record_kind == RECORD_ALERT) {
		consume_alert_byte(walk, bytes[0]);
		taken = 1;
	}
	direction->record_left -= (uint16_t)taken;
	if (direction->record_left == 0 && !is_over(walk->wire))
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

	while (length > 0 && !is_over(wire)) {
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
