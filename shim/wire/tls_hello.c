/*
 * The fields of the two hellos, in the order in which they stand (RFC 8446, 4.1.2
 * and 4.1.3, whose layout is that of every version since SSL 3.0), those of the
 * extensions that say something, and those of the SSL 2.0 hello by which old
 * clients offer SSL 3.0 and up (RFC 5246, E.2).
 *
 * A step is entered only if it fits into what is left around it, and is made
 * when all of its bytes are there: they are looked at where they lie, and only
 * gathered if they came in pieces. A server's name and what says nothing are
 * taken as far as they have come.
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

enum step {
	STEP_BEGINNING, /* version, random, length of the session id */
	STEP_CIPHERS_LENGTH,
	STEP_COMPRESSIONS_LENGTH,
	STEP_CHOICE, /* of a server: cipher suite, compression */
	STEP_EXTENSIONS_LENGTH,
	STEP_EXTENSION, /* type, length */
	STEP_NAMES,     /* length of the list, type and length of its first entry */
	STEP_VERSIONS_LENGTH,
	STEP_OFFERED_VERSION,
	STEP_SELECTED_VERSION,
	STEP_KEY_SHARE_GROUP,
	STEP_SSL2_LENGTHS, /* of the ciphers, the session id and the challenge */
	/* as they come: */
	STEP_NAME,
	STEP_SSL2_CHALLENGE,
	STEP_SKIPPED, /* what says nothing; then `after_skipped` */
	STEP_DONE,
	STEP_MALFORMED,
};

/* In bytes; 0: as it comes. */
static const uint8_t sizes[STEP_DONE] = {
	[STEP_BEGINNING] = 2 + TLS_RANDOM_SIZE + 1,
	[STEP_CIPHERS_LENGTH] = 2,
	[STEP_COMPRESSIONS_LENGTH] = 1,
	[STEP_CHOICE] = 2 + 1,
	[STEP_EXTENSIONS_LENGTH] = 2,
	[STEP_EXTENSION] = 2 + 2,
	[STEP_NAMES] = 2 + 1 + 2,
	[STEP_VERSIONS_LENGTH] = 1,
	[STEP_OFFERED_VERSION] = 2,
	[STEP_SELECTED_VERSION] = 2,
	[STEP_KEY_SHARE_GROUP] = 2,
	[STEP_SSL2_LENGTHS] = 2 + 2 + 2,
};

_Static_assert(TLS_GATHERED_MAX >= 2 + TLS_RANDOM_SIZE + 1, "the longest step is the beginning");

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

static uint16_t number(const uint8_t bytes[2])
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

/* The bytes at hand. */
struct input {
	const uint8_t *at;
	size_t length;
};

static void advance(struct tls_direction *direction, struct input *input, size_t count)
{
	input->at += count;
	input->length -= count;
	direction->message_left -= (uint32_t)count;
}

/* The bytes of a field that came in pieces; NULL: some are still to come. */
static const uint8_t *gather(struct tls_direction *direction, struct input *input, size_t size)
{
	size_t count = size - direction->gathered_length;

	if (count > input->length)
		count = input->length;
	memcpy(direction->gathered + direction->gathered_length, input->at, count);
	direction->gathered_length = (uint8_t)(direction->gathered_length + count);
	advance(direction, input, count);
	if (direction->gathered_length < size)
		return NULL;
	direction->gathered_length = 0;
	return direction->gathered;
}

static inline const uint8_t *consume_field(struct tls_direction *direction, struct input *input,
					   size_t size)
{
	const uint8_t *field = input->at;

	if (direction->gathered_length > 0 || input->length < size)
		return gather(direction, input, size);
	advance(direction, input, size);
	return field;
}

/*
 * To the step that follows, if it fits into the message. Extensions are optional
 * up to TLS 1.2: a hello may end before them (RFC 5246, 7.4.1.2).
 */
static enum step enter(const struct tls_direction *direction, enum step step)
{
	if (direction->message_left == 0 && (step == STEP_EXTENSIONS_LENGTH ||
					     step == STEP_EXTENSION || step == STEP_SSL2_CHALLENGE))
		return STEP_DONE;
	return sizes[step] <= direction->message_left ? step : STEP_MALFORMED;
}

static enum step consume_skipped(struct tls_direction *direction, struct input *input)
{
	size_t count = direction->left < input->length ? direction->left : input->length;

	advance(direction, input, count);
	direction->left = (uint16_t)(direction->left - count);
	return direction->left > 0 ? STEP_SKIPPED
				   : enter(direction, (enum step)direction->after_skipped);
}

/* Steps over so many bytes of the message. */
static inline enum step skip(struct tls_direction *direction, struct input *input, uint32_t size,
			     enum step next)
{
	if (size > direction->message_left)
		return STEP_MALFORMED;
	direction->left = (uint16_t)size;
	direction->after_skipped = (uint8_t)next;
	return consume_skipped(direction, input);
}

/* A server that means 1.3 or later says 1.2 here; more is no answer (RFC 8446, 4.1.3). */
static enum step after_beginning(struct walk *walk, struct input *input, const uint8_t *field)
{
	const uint8_t session_id_length = field[2 + TLS_RANDOM_SIZE];
	const uint16_t version = number(field);
	struct tls_wire *wire = walk->wire;

	if (session_id_length > SESSION_ID_MAX)
		return STEP_MALFORMED;
	if (walk->from == TLS_FROM_CLIENT) {
		wire->client_legacy_version = version;
		memcpy(wire->client_random, field + 2, TLS_RANDOM_SIZE);
		return skip(walk->direction, input, session_id_length, STEP_CIPHERS_LENGTH);
	}
	if (version <= TLS_VERSION_1_2)
		wire->server_hello.version = version;
	memcpy(wire->server_hello.random, field + 2, TLS_RANDOM_SIZE);
	return skip(walk->direction, input, session_id_length, STEP_CHOICE);
}

/* Extensions reach to the end of the message, so message_left bounds them from here on. */
static enum step after_extensions_length(const struct tls_direction *direction,
					 const uint8_t *field)
{
	return number(field) == direction->message_left ? enter(direction, STEP_EXTENSION)
							: STEP_MALFORMED;
}

static enum step skip_rest(struct tls_direction *direction, struct input *input)
{
	return skip(direction, input, direction->extension_left, STEP_EXTENSION);
}

/* To a field within the extension. */
static enum step enter_extension(struct tls_direction *direction, enum step step)
{
	return sizes[step] <= direction->extension_left ? step : STEP_MALFORMED;
}

static enum step after_client_extension(struct walk *walk, struct input *input, uint16_t type)
{
	struct tls_direction *direction = walk->direction;

	switch (type) {
	case EXTENSION_SERVER_NAME:
		/* In disorder it alone is passed over: it takes no part in the choice of the
		   version, and not every server looks at it. */
		return direction->extension_left >= sizes[STEP_NAMES] ? STEP_NAMES
								      : skip_rest(direction, input);
	case EXTENSION_SUPPORTED_VERSIONS:
		walk->wire->names_versions = true;
		return enter_extension(direction, STEP_VERSIONS_LENGTH);
	default:
		return skip_rest(direction, input);
	}
}

static enum step after_server_extension(struct walk *walk, struct input *input, uint16_t type)
{
	struct tls_direction *direction = walk->direction;

	switch (type) {
	case EXTENSION_SUPPORTED_VERSIONS:
		return enter_extension(direction, STEP_SELECTED_VERSION);
	case EXTENSION_KEY_SHARE:
		return enter_extension(direction, STEP_KEY_SHARE_GROUP);
	case EXTENSION_PRE_SHARED_KEY:
		walk->wire->server_hello.pre_shared_key = true;
		return skip_rest(direction, input);
	default:
		return skip_rest(direction, input);
	}
}

static enum step after_extension(struct walk *walk, struct input *input, const uint8_t *field)
{
	walk->direction->extension_left = number(field + 2);
	if (walk->direction->extension_left > walk->direction->message_left)
		return STEP_MALFORMED;
	return walk->from == TLS_FROM_CLIENT ? after_client_extension(walk, input, number(field))
					     : after_server_extension(walk, input, number(field));
}

/* No other type was ever defined, and how an entry of one would look is not known. */
static enum step after_names(struct walk *walk, struct input *input, const uint8_t *field)
{
	struct tls_direction *direction = walk->direction;

	direction->extension_left = (uint16_t)(direction->extension_left - sizes[STEP_NAMES]);
	if (field[2] != NAME_TYPE_HOST_NAME)
		return skip_rest(direction, input);
	/* An extension that is sent twice must not leave the tail of its first name. */
	memset(walk->wire->server_name, 0, sizeof(walk->wire->server_name));
	direction->name_length = number(field + 3);
	direction->left = direction->name_length;
	if (direction->left == 0 || direction->left > direction->extension_left)
		return skip_rest(direction, input);
	direction->extension_left = (uint16_t)(direction->extension_left - direction->left);
	return STEP_NAME;
}

/* A name that is too long for DNS, or has a NUL in it, is none. */
static enum step consume_name(struct walk *walk, struct input *input)
{
	struct tls_direction *direction = walk->direction;
	char *name = walk->wire->server_name;
	const size_t position = (size_t)direction->name_length - direction->left;
	const size_t room = position < TLS_SERVER_NAME_MAX ? TLS_SERVER_NAME_MAX - position : 0;
	const size_t count = direction->left < input->length ? direction->left : input->length;

	if (room > 0)
		memcpy(name + position, input->at, count < room ? count : room);
	advance(direction, input, count);
	direction->left = (uint16_t)(direction->left - count);
	if (direction->left > 0)
		return STEP_NAME;
	if (strlen(name) != direction->name_length)
		memset(name, 0, TLS_SERVER_NAME_MAX);
	return skip_rest(direction, input);
}

/* RFC 8446, 4.2.1: the list fills its extension, two bytes a version. */
static enum step after_versions_length(struct tls_direction *direction, struct input *input,
				       const uint8_t *field)
{
	direction->extension_left--;
	if (field[0] != direction->extension_left || field[0] % 2 != 0)
		return STEP_MALFORMED;
	return field[0] == 0 ? skip_rest(direction, input) : STEP_OFFERED_VERSION;
}

/* GREASE (RFC 8701), drafts and versions to come fall out: they are none we know. */
static enum step after_offered_version(struct walk *walk, struct input *input, const uint8_t *field)
{
	const uint32_t version = number(field);

	if (is_version_known(version))
		walk->wire->versions_seen |= (uint8_t)(1U << (version - TLS_VERSION_SSL_3_0));
	walk->direction->extension_left = (uint16_t)(walk->direction->extension_left - 2);
	return walk->direction->extension_left == 0 ? skip_rest(walk->direction, input)
						    : STEP_OFFERED_VERSION;
}

static enum step after_selected_version(struct walk *walk, struct input *input,
					const uint8_t *field)
{
	walk->wire->server_hello.version = number(field);
	walk->direction->extension_left = (uint16_t)(walk->direction->extension_left - 2);
	return walk->direction->extension_left == 0 ? skip_rest(walk->direction, input)
						    : STEP_MALFORMED;
}

static enum step after_key_share_group(struct walk *walk, struct input *input, const uint8_t *field)
{
	walk->wire->server_hello.group = number(field);
	walk->direction->extension_left = (uint16_t)(walk->direction->extension_left - 2);
	return skip_rest(walk->direction, input);
}

/* Ciphers and session id are passed over; the challenge ends the message. */
static enum step after_ssl2_lengths(struct tls_direction *direction, struct input *input,
				    const uint8_t *field)
{
	const uint32_t before = (uint32_t)number(field) + number(field + 2);
	const uint16_t challenge = number(field + 4);

	if (challenge > TLS_RANDOM_SIZE || before + challenge != direction->message_left)
		return STEP_MALFORMED;
	return skip(direction, input, before, STEP_SSL2_CHALLENGE);
}

/* It is the random, right-justified (RFC 5246, E.2). */
static enum step consume_ssl2_challenge(struct walk *walk, struct input *input)
{
	struct tls_direction *direction = walk->direction;
	const uint32_t left = direction->message_left;
	const size_t count = left < input->length ? left : input->length;

	memcpy(walk->wire->client_random + (TLS_RANDOM_SIZE - left), input->at, count);
	advance(direction, input, count);
	return enter(direction, STEP_SSL2_CHALLENGE);
}

/* Bit n: the extension n of that side says something. */
static const uint64_t telling[] = {
	[TLS_FROM_CLIENT] =
		UINT64_C(1) << EXTENSION_SERVER_NAME | UINT64_C(1) << EXTENSION_SUPPORTED_VERSIONS,
	[TLS_FROM_SERVER] = UINT64_C(1) << EXTENSION_SUPPORTED_VERSIONS |
			    UINT64_C(1) << EXTENSION_KEY_SHARE |
			    UINT64_C(1) << EXTENSION_PRE_SHARED_KEY,
};

/*
 * Steps over the extensions that say nothing and have come in whole, of which a
 * hello has a dozen, as a step for each of them would.
 */
static enum step skip_extensions(struct walk *walk, struct input *input)
{
	const size_t most = input->length < walk->direction->message_left
				    ? input->length
				    : walk->direction->message_left;
	const uint64_t tell = telling[walk->from];
	size_t taken = 0;

	while (most - taken >= sizes[STEP_EXTENSION]) {
		const uint8_t *field = input->at + taken;
		const size_t size = sizes[STEP_EXTENSION] + (size_t)number(field + 2);

		if (size > most - taken || (field[0] == 0 && field[1] < 64 && tell >> field[1] & 1))
			break;
		taken += size;
	}
	advance(walk->direction, input, taken);
	return enter(walk->direction, STEP_EXTENSION);
}

/* The step after this one, whose bytes are in `field`. */
static inline enum step after_field(struct walk *walk, struct input *input, enum step step,
				    const uint8_t *field)
{
	struct tls_direction *direction = walk->direction;

	switch (step) {
	case STEP_BEGINNING:
		return after_beginning(walk, input, field);
	case STEP_CIPHERS_LENGTH:
		return skip(direction, input, number(field), STEP_COMPRESSIONS_LENGTH);
	case STEP_COMPRESSIONS_LENGTH:
		return skip(direction, input, field[0], STEP_EXTENSIONS_LENGTH);
	case STEP_CHOICE:
		walk->wire->server_hello.cipher = number(field);
		return enter(direction, STEP_EXTENSIONS_LENGTH);
	case STEP_EXTENSIONS_LENGTH:
		return after_extensions_length(direction, field);
	case STEP_EXTENSION:
		return after_extension(walk, input, field);
	case STEP_NAMES:
		return after_names(walk, input, field);
	case STEP_VERSIONS_LENGTH:
		return after_versions_length(direction, input, field);
	case STEP_OFFERED_VERSION:
		return after_offered_version(walk, input, field);
	case STEP_SELECTED_VERSION:
		return after_selected_version(walk, input, field);
	case STEP_KEY_SHARE_GROUP:
		return after_key_share_group(walk, input, field);
	default:
		return after_ssl2_lengths(direction, input, field);
	}
}

/* What is taken as it comes. */
static enum step consume_stream(struct walk *walk, struct input *input, enum step step)
{
	if (step == STEP_NAME)
		return consume_name(walk, input);
	if (step == STEP_SSL2_CHALLENGE)
		return consume_ssl2_challenge(walk, input);
	return consume_skipped(walk->direction, input);
}

/* The same step if the bytes at hand don't end it. */
static inline enum step consume_step(struct walk *walk, struct input *input, enum step step)
{
	const uint8_t *field;

	if (step > STEP_SSL2_LENGTHS)
		return consume_stream(walk, input, step);
	if (step == STEP_EXTENSION && walk->direction->gathered_length == 0) {
		step = skip_extensions(walk, input);
		if (input->length == 0 || step >= STEP_DONE)
			return step;
	}
	field = consume_field(walk->direction, input, sizes[step]);
	return field ? after_field(walk, input, step, field) : step;
}

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

static void leave(struct walk *walk, enum step step)
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

size_t tls_hello_consume(struct walk *walk, const uint8_t *bytes, size_t length)
{
	struct input input = {bytes, length};
	enum step step = (enum step)walk->direction->step;

	while (input.length > 0 && step < STEP_DONE)
		step = consume_step(walk, &input, step);
	walk->direction->step = (uint8_t)step;
	if (step >= STEP_DONE)
		leave(walk, step);
	return length - input.length;
}

void tls_hello_start(struct walk *walk, bool is_ssl2)
{
	struct tls_direction *direction = walk->direction;
	enum step step = enter(direction, is_ssl2 ? STEP_SSL2_LENGTHS : STEP_BEGINNING);

	direction->greeted = true;
	direction->walking = true;
	direction->gathered_length = 0;
	direction->step = (uint8_t)step;
	if (walk->from == TLS_FROM_SERVER)
		memset(&walk->wire->server_hello, 0, sizeof(walk->wire->server_hello));
	if (step >= STEP_DONE)
		leave(walk, step);
}
