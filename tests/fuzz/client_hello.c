/*
 * libFuzzer target that holds the wire's reading of a ClientHello against OpenSSL's and GnuTLS's
 * own. The input's first byte says how long the records are into which the message is cut; the
 * rest is the body of the message.
 *
 * What OpenSSL reads as a ClientHello the wire must read, too; and where a library and the wire
 * both do, the random, the versions and the server's name are the same.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/gnutls.h>
#include <openssl/ssl.h>

#include "shim/wire/tls_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

#define EXTENSION_SERVER_NAME        0
#define EXTENSION_SUPPORTED_VERSIONS 43
#define MESSAGE_MAX                  16384

/* What a library has read; the extensions lie in its memory. */
struct reading {
	bool read;
	bool has_random;
	uint8_t random[TLS_RANDOM_SIZE];
	uint16_t legacy_version;
	const uint8_t *versions;
	size_t versions_length;
	const uint8_t *name;
	size_t name_length;
};

static void demand(bool condition, const char *what)
{
	if (condition)
		return;
	(void)fprintf(stderr, "not so: %s\n", what);
	abort();
}

static size_t number(const uint8_t *bytes)
{
	return (size_t)(bytes[0] << 8 | bytes[1]);
}

/* ---- the libraries ---- */

static void compare(const struct reading *reading, const struct tls_wire *wire, const char *who);

/* While the hello is there. */
static int take_hello(SSL *ssl, int *alert, void *wire)
{
	struct reading reading = {.read = true, .has_random = true};
	const unsigned char *random;

	reading.legacy_version = (uint16_t)SSL_client_hello_get0_legacy_version(ssl);
	demand(SSL_client_hello_get0_random(ssl, &random) == TLS_RANDOM_SIZE, "a random of 32");
	memcpy(reading.random, random, TLS_RANDOM_SIZE);
	(void)SSL_client_hello_get0_ext(ssl, EXTENSION_SUPPORTED_VERSIONS, &reading.versions,
					&reading.versions_length);
	(void)SSL_client_hello_get0_ext(ssl, EXTENSION_SERVER_NAME, &reading.name,
					&reading.name_length);
	compare(&reading, wire, "OpenSSL");
	*alert = SSL_AD_HANDSHAKE_FAILURE;
	return SSL_CLIENT_HELLO_ERROR;
}

static void ask_openssl(const uint8_t *records, size_t length, struct tls_wire *wire)
{
	static SSL_CTX *context;
	SSL *ssl;

	if (!context) {
		context = SSL_CTX_new(TLS_server_method());
		demand(context != NULL, "a context");
		SSL_CTX_set_security_level(context, 0);
		SSL_CTX_set_min_proto_version(context, SSL3_VERSION);
	}
	SSL_CTX_set_client_hello_cb(context, take_hello, wire);
	ssl = SSL_new(context);
	demand(ssl != NULL, "a session");
	SSL_set_bio(ssl, BIO_new_mem_buf(records, (int)length), BIO_new(BIO_s_mem()));
	(void)SSL_accept(ssl);
	SSL_free(ssl);
}

static int take_extension(void *context, unsigned type, const unsigned char *bytes, unsigned length)
{
	struct reading *reading = context;

	if (type == EXTENSION_SUPPORTED_VERSIONS) {
		reading->versions = bytes;
		reading->versions_length = length;
	} else if (type == EXTENSION_SERVER_NAME) {
		reading->name = bytes;
		reading->name_length = length;
	}
	return 0;
}

static void ask_gnutls(const uint8_t *body, size_t length, const struct tls_wire *wire)
{
	struct reading reading = {0};
	gnutls_datum_t hello = {(unsigned char *)(uintptr_t)body, (unsigned)length};

	if (gnutls_ext_raw_parse(&reading, take_extension, &hello,
				 GNUTLS_EXT_RAW_FLAG_TLS_CLIENT_HELLO) < 0)
		return;
	reading.read = true;
	reading.legacy_version = (uint16_t)number(body);
	if (wire->progress == TLS_OFFERED)
		compare(&reading, wire, "GnuTLS");
}

/* ---- the comparison ---- */

static void compare_versions(const struct reading *reading, const struct tls_wire *wire)
{
	unsigned expected = 0;
	unsigned found = 0;

	for (size_t i = 1; reading->versions && i + 1 < reading->versions_length; i += 2) {
		size_t version = number(reading->versions + i);

		if (version >= TLS_VERSION_SSL_3_0 && version <= TLS_VERSION_1_3)
			expected |= 1U << (version - TLS_VERSION_SSL_3_0);
	}
	if (!reading->versions && reading->legacy_version >= TLS_VERSION_SSL_3_0 &&
	    reading->legacy_version <= TLS_VERSION_1_2)
		expected = 1U << (reading->legacy_version - TLS_VERSION_SSL_3_0);
	else if (!reading->versions)
		return; /* of no version that there is */
	for (size_t i = 0; i < wire->offered_count; i++)
		found |= 1U << (wire->offered[i] - TLS_VERSION_SSL_3_0);
	demand(wire->names_versions == (reading->versions != NULL), "whether versions are named");
	demand(found == expected, "the versions");
}

/* One name of a host, and nothing beside it: what is else is no name to OpenSSL either. */
static void compare_name(const struct reading *reading, const struct tls_wire *wire)
{
	const uint8_t *name = reading->name;
	size_t length = reading->name_length;

	if (!name) {
		demand(wire->server_name[0] == '\0', "no name");
		return;
	}
	if (length < 6 || number(name) != length - 2 || name[2] != 0 ||
	    number(name + 3) != length - 5)
		return;
	name += 5;
	length -= 5;
	if (length > TLS_SERVER_NAME_MAX || memchr(name, 0, length))
		demand(wire->server_name[0] == '\0', "a name that is none");
	else
		demand(strlen(wire->server_name) == length &&
			       memcmp(wire->server_name, name, length) == 0,
		       "the name");
}

static void compare(const struct reading *reading, const struct tls_wire *wire, const char *who)
{
	/* What a library finds out only when it chooses. */
	if (reading->versions &&
	    (reading->versions_length < 1 || reading->versions_length % 2 != 1 ||
	     reading->versions[0] != reading->versions_length - 1))
		return;
	demand(wire->progress == TLS_OFFERED, who);
	if (reading->has_random)
		demand(memcmp(reading->random, wire->client_random, TLS_RANDOM_SIZE) == 0, who);
	demand(reading->legacy_version == wire->client_legacy_version, "the legacy version");
	compare_versions(reading, wire);
	compare_name(reading, wire);
}

/* ---- the bytes ---- */

/* The message in records of `each` bytes, behind one another. */
static size_t make_records(uint8_t *records, const uint8_t *body, size_t length, size_t each)
{
	static uint8_t message[4 + MESSAGE_MAX];
	size_t done = 0;

	message[0] = 1; /* client_hello */
	message[1] = 0;
	message[2] = (uint8_t)(length >> 8);
	message[3] = (uint8_t)length;
	memcpy(message + 4, body, length);
	for (size_t at = 0; at < length + 4; at += each) {
		size_t part = length + 4 - at < each ? length + 4 - at : each;
		const uint8_t header[] = {22, 3, 1, (uint8_t)(part >> 8), (uint8_t)part};

		memcpy(records + done, header, sizeof(header));
		memcpy(records + done + sizeof(header), message + at, part);
		done += sizeof(header) + part;
	}
	return done;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	static uint8_t records[(4 + MESSAGE_MAX) * 6];
	struct tls_wire wire;
	size_t length;

	if (size < 3 || size > 8192)
		return 0;
	/* OpenSSL takes no more than some empty or tiny records in a row for an attack. */
	length = make_records(records, input + 1, size - 1,
			      input[0] < 16 ? MESSAGE_MAX : (size_t)input[0] * 4);
	tls_wire_init(&wire);
	(void)tls_wire_feed(&wire, TLS_FROM_CLIENT, records, length);
	ask_openssl(records, length, &wire);
	ask_gnutls(input + 1, size - 1, &wire);
	return 0;
}
