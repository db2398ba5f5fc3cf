/*
 * The ClientHello, byte by byte. Knows the registries and the layout; must not know what becomes
 * of it.
 */
#include "tools/probe/probe_hello.h"

#include <stdbool.h>
#include <string.h>

enum {
	SSL_3_0 = 0x0300,
	TLS_1_0 = 0x0301,
	TLS_1_2 = 0x0303,
	TLS_1_3 = 0x0304,

	RECORD_HANDSHAKE = 22,
	MESSAGE_CLIENT_HELLO = 1,

	EXTENSION_SERVER_NAME = 0,
	EXTENSION_SUPPORTED_GROUPS = 10,
	EXTENSION_POINT_FORMATS = 11,
	EXTENSION_SIGNATURE_ALGORITHMS = 13,
	EXTENSION_PADDING = 21,
	EXTENSION_MASTER_SECRET = 23,
	EXTENSION_SUPPORTED_VERSIONS = 43,
	EXTENSION_PSK_MODES = 45,
	EXTENSION_KEY_SHARE = 51,

	GROUP_X25519 = 29,
	SERVER_NAME_MAX = 255,

	/* RFC 7685: servers hang on a ClientHello of 256 to 511 bytes. */
	PADDED_FROM = 256,
	PADDED_TO = 512,
};

/*
 * Suites that are good from SSL 3.0 to TLS 1.2. The likely ones stand first: a server that is
 * old enough looks at the first 64 only.
 */
static const uint16_t old_suites[] = {
	/* AES in CBC mode, by ECDHE, RSA and DHE */
	0xC009, 0xC013, 0xC00A, 0xC014, 0x002F, 0x0035, 0x0033, 0x0039,
	/* 3DES and RC4 */
	0x000A, 0x0005, 0x0004, 0x0016, 0xC008, 0xC012, 0xC007, 0xC011,
	/* Camellia, SEED, IDEA */
	0x0041, 0x0084, 0x0045, 0x0088, 0x0096, 0x009A, 0x0007,
	/* DSS, and DH and ECDH that are fixed in the certificate */
	0x0032, 0x0038, 0x0013, 0x0066, 0x0044, 0x0087, 0x0099, 0x0030, 0x0031, 0x0036, 0x0037,
	0xC004, 0xC005, 0xC00E, 0xC00F, 0xC002, 0xC003, 0xC00C, 0xC00D,
	/* DES, export, no encryption */
	0x0009, 0x0015, 0x0012, 0x0003, 0x0006, 0x0008, 0x0014, 0x0011, 0x0002, 0x0001, 0xC006,
	0xC010,
	/* without a certificate, as Postfix allows */
	0x0034, 0x003A, 0xC018, 0xC019, 0x001B, 0xC017, 0x0018, 0xC016, 0x0046, 0x0089, 0x001A,
	0x0017, 0x0019};

/* Suites of TLS 1.2 alone (RFC 5246, 5288, 5289, 6367, 6655, 7251, 7905, 6209, 9189). */
static const uint16_t suites_1_2[] = {0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0xC023,
				      0xC027, 0xC024, 0xC028, 0x009C, 0x009D, 0x003C, 0x003D,
				      0x009E, 0x009F, 0xCCAA, 0x0067, 0x006B};

static const uint16_t rare_suites_1_2[] = {
	/* DSS, fixed DH and ECDH, anonymous */
	0x00A2, 0x00A3, 0x0040, 0x006A, 0xC02D, 0xC02E, 0xC031, 0xC032, 0xC025, 0xC026, 0xC029,
	0xC02A, 0x00A0, 0x00A1, 0x00A4, 0x00A5, 0x003F, 0x0069, 0x003E, 0x0068, 0x006C, 0x006D,
	0x00A6, 0x00A7,
	/* CCM */
	0xC0AC, 0xC0AD, 0xC0AE, 0xC0AF, 0xC09C, 0xC09D, 0xC0A0, 0xC0A1, 0xC09E, 0xC09F, 0xC0A2,
	0xC0A3,
	/* Camellia and ARIA */
	0xC072, 0xC073, 0xC076, 0xC077, 0xC086, 0xC087, 0xC08A, 0xC08B, 0xC07A, 0xC07B, 0xC07C,
	0xC07D, 0x00BA, 0x00C0, 0x00BE, 0x00C4, 0xC05C, 0xC05D, 0xC060, 0xC061, 0xC050, 0xC051,
	0xC052, 0xC053, 0xC048, 0xC049, 0xC04C, 0xC04D, 0xC03C, 0xC03D,
	/* GOST */
	0xC100, 0xC101, 0xC102,
	/* no encryption */
	0x003B};

static const uint16_t suites_1_3[] = {0x1301, 0x1302, 0x1303, 0x1304, 0x1305};

/* RFC 5746, 3.3: some servers end the handshake without it. */
static const uint16_t renegotiation_signal[] = {0x00FF};

/* IANA "TLS Supported Groups": elliptic curves, finite fields, and with ML-KEM. */
static const uint16_t groups[] = {29,  23,  24,  25,     30,     26,     27,    28,
				  31,  32,  33,  22,     21,     19,     256,   257,
				  258, 259, 260, 0x11EC, 0x11EB, 0x11ED, 0x6399};

/* IANA "TLS SignatureScheme", with what TLS 1.2 had before: down to SHA-1 and DSA. */
static const uint16_t signature_schemes[] = {0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0809, 0x080A,
					     0x080B, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601,
					     0x081A, 0x081B, 0x081C, 0x0303, 0x0301, 0x0203, 0x0201,
					     0x0402, 0x0502, 0x0602, 0x0302, 0x0202, 0x0101};

struct writer {
	uint8_t *bytes;
	size_t length;
};

/* All lengths are known to the compiler or bounded by SERVER_NAME_MAX: nothing can overflow. */
static void put_8(struct writer *writer, unsigned number)
{
	if (writer->length < PROBE_HELLO_MAX)
		writer->bytes[writer->length++] = (uint8_t)number;
}

static void put_16(struct writer *writer, unsigned number)
{
	put_8(writer, number >> 8);
	put_8(writer, number & 0xFF);
}

static void put_bytes(struct writer *writer, const void *bytes, size_t length)
{
	const uint8_t *byte = bytes;

	for (size_t i = 0; i < length; i++)
		put_8(writer, byte[i]);
}

static void put_numbers(struct writer *writer, const uint16_t *numbers, size_t size)
{
	for (size_t i = 0; i < size / sizeof(numbers[0]); i++)
		put_16(writer, numbers[i]);
}

/* Leaves room for a length of two bytes; end_length() fills it in. */
static size_t begin_length(struct writer *writer)
{
	put_16(writer, 0);
	return writer->length;
}

static void end_length(struct writer *writer, size_t start)
{
	size_t length = writer->length - start;

	writer->bytes[start - 2] = (uint8_t)(length >> 8);
	writer->bytes[start - 1] = (uint8_t)length;
}

static void put_suites(struct writer *writer, uint16_t version)
{
	size_t start = begin_length(writer);

	if (version == TLS_1_3)
		put_numbers(writer, suites_1_3, sizeof(suites_1_3));
	if (version == TLS_1_2)
		put_numbers(writer, suites_1_2, sizeof(suites_1_2));
	if (version <= TLS_1_2)
		put_numbers(writer, old_suites, sizeof(old_suites));
	if (version == TLS_1_2)
		put_numbers(writer, rare_suites_1_2, sizeof(rare_suites_1_2));
	put_numbers(writer, renegotiation_signal, sizeof(renegotiation_signal));
	end_length(writer, start);
}

static void put_server_name(struct writer *writer, const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length > SERVER_NAME_MAX)
		return;
	put_16(writer, EXTENSION_SERVER_NAME);
	put_16(writer, (unsigned)length + 5);
	put_16(writer, (unsigned)length + 3);
	put_8(writer, 0);
	put_16(writer, (unsigned)length);
	put_bytes(writer, name, length);
}

/* An extension that is a list of numbers of two bytes. */
static void put_list(struct writer *writer, unsigned extension, const uint16_t *numbers,
		     size_t size)
{
	put_16(writer, extension);
	put_16(writer, (unsigned)size + 2);
	put_16(writer, (unsigned)size);
	put_numbers(writer, numbers, size);
}

/*
 * One key share, of 32 random bytes: each is a public key of X25519 (RFC 7748, 5). A server that
 * wants another group asks for it, which is an answer too.
 */
static void put_version_1_3(struct writer *writer, const uint8_t *key)
{
	put_16(writer, EXTENSION_SUPPORTED_VERSIONS);
	put_16(writer, 3);
	put_8(writer, 2);
	put_16(writer, TLS_1_3);
	put_16(writer, EXTENSION_PSK_MODES);
	put_16(writer, 2);
	put_8(writer, 1);
	put_8(writer, 1);
	put_16(writer, EXTENSION_KEY_SHARE);
	put_16(writer, 38);
	put_16(writer, 36);
	put_16(writer, GROUP_X25519);
	put_16(writer, 32);
	put_bytes(writer, key, 32);
}

/* `message` is where the handshake message begins, its header included. */
static void put_padding(struct writer *writer, size_t message)
{
	size_t length = writer->length - message;

	if (length < PADDED_FROM || length >= PADDED_TO)
		return;
	put_16(writer, EXTENSION_PADDING);
	size_t start = begin_length(writer);
	while (writer->length - message < PADDED_TO)
		put_8(writer, 0);
	end_length(writer, start);
}

static void put_extensions(struct writer *writer, uint16_t version, const char *server_name,
			   const uint8_t *key, size_t message)
{
	static const uint8_t point_formats[] = {3, 0, 1, 2};
	size_t start = begin_length(writer);

	if (server_name != NULL)
		put_server_name(writer, server_name);
	put_list(writer, EXTENSION_SUPPORTED_GROUPS, groups, sizeof(groups));
	put_16(writer, EXTENSION_POINT_FORMATS);
	put_16(writer, sizeof(point_formats));
	put_bytes(writer, point_formats, sizeof(point_formats));
	put_16(writer, EXTENSION_MASTER_SECRET);
	put_16(writer, 0);
	if (version >= TLS_1_2)
		put_list(writer, EXTENSION_SIGNATURE_ALGORITHMS, signature_schemes,
			 sizeof(signature_schemes));
	if (version == TLS_1_3)
		put_version_1_3(writer, key);
	put_padding(writer, message);
	end_length(writer, start);
}

size_t probe_hello_write(uint8_t hello[PROBE_HELLO_MAX], uint16_t version, const char *server_name,
			 const uint8_t random[PROBE_HELLO_RANDOM])
{
	struct writer writer = {hello, 0};

	put_8(&writer, RECORD_HANDSHAKE);
	/* RFC 8446, 5.1 and RFC 5246, E.1: what every server takes in the first record. */
	put_16(&writer, version == SSL_3_0 ? SSL_3_0 : TLS_1_0);
	size_t record = begin_length(&writer);
	put_8(&writer, MESSAGE_CLIENT_HELLO);
	put_8(&writer, 0);
	size_t body = begin_length(&writer);
	put_16(&writer, version < TLS_1_3 ? version : TLS_1_2);
	put_bytes(&writer, random, 32);
	/* RFC 8446, D.4: with a session ID, 1.3 passes middle boxes. */
	put_8(&writer, version == TLS_1_3 ? 32 : 0);
	if (version == TLS_1_3)
		put_bytes(&writer, random + 32, 32);
	put_suites(&writer, version);
	put_8(&writer, 1);
	put_8(&writer, 0);
	if (version != SSL_3_0)
		put_extensions(&writer, version, server_name, random + 64, record);
	end_length(&writer, body);
	end_length(&writer, record);
	return writer.length;
}
