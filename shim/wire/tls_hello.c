/*
 * The fields of the two hellos.
 */
#include "shim/wire/tls_walk.h"

#include <string.h>

/* RFC 8446, 4.2 */
enum extension {
	EXTENSION_SERVER_NAME = 0,
	EXTENSION_PRE_SHARED_KEY = 41,
	EXTENSION_SUPPORTED_VERSIONS = 43,
	EXTENSION_KEY_SHARE = 51,
};

enum {
	SESSION_ID_MAX = 32,
	NAME_TYPE_HOST_NAME = 0,
};

/* RFC 8446, 4.1.3: SHA-256 of "HelloRetryRequest" */
static const uint8_t hello_retry_request_random[TLS_RANDOM_SIZE] = {
	0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C,
	0x02, 0x1E, 0x65, 0xB8, 0x91, 0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB,
	0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
};

/* RFC 8446, 4.1.3: "DOWNGRD" and a byte that says from where */
static const uint8_t downgrade_sentinel[7] = {0x44, 0x4F, 0x57, 0x4E, 0x47, 0x52, 0x44};

static bool is_version_known(uint32_t version)
{
	return version >= TLS_VERSION_SSL_3_0 && version <= TLS_VERSION_1_3;
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
	tls_walk_advance(wire, TLS_OFFERED);
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
	tls_walk_advance(wire, TLS_NEGOTIATED);
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
		tls_walk_give_up(walk->wire, TLS_NOT_TLS);
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

size_t tls_hello_consume(struct walk *walk, const uint8_t *bytes, size_t length)
{
	size_t taken = 0;

	do {
		size_t skipped = skip_extensions(walk, bytes + taken, length - taken);

		if (skipped == 0)
			skipped = consume_field(walk, bytes + taken, length - taken);
		taken += skipped;
	} while (taken < length && walk->direction->walking && !tls_walk_is_over(walk->wire));
	return taken;
}

void tls_hello_start(struct walk *walk, bool is_ssl2)
{
	walk->direction->greeted = true;
	walk->direction->walking = true;
	walk->direction->in_extension = false;
	if (walk->from == TLS_FROM_SERVER)
		memset(&walk->wire->server_hello, 0, sizeof(walk->wire->server_hello));
	enter(walk, is_ssl2 ? STEP_SSL2_CIPHERS_LENGTH : STEP_VERSION);
}
