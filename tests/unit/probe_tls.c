/*
 * The probe's ClientHello and the reading of what comes back, against OpenSSL's server over
 * memory: the server decides whether the hello is one, and says what it chose.
 */
#include "tools/probe/probe_answer.h"
#include "tools/probe/probe_hello.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <criterion/criterion.h>

#include "shim/wire/tls_wire.h"

/* Not zero at the end: there it is a public key. */
static const uint8_t some_random[PROBE_HELLO_RANDOM] = {1, 2, 3, 4, 5, [70] = 6, [95] = 7};

/* ---- the hello ---- */

Test(probe_hello, offers_one_version_and_the_name)
{
	for (uint16_t version = 0x0300; version <= 0x0304; version++) {
		uint8_t hello[PROBE_HELLO_MAX];
		struct tls_wire wire;
		size_t length = probe_hello_write(hello, version, "mail.example.net", some_random);

		tls_wire_init(&wire);
		cr_assert_eq(tls_wire_feed(&wire, TLS_FROM_CLIENT, hello, length), TLS_OFFERED,
			     "%04x", version);
		cr_expect_eq(wire.offered_count, 1);
		cr_expect_eq(wire.offered[0], version);
		cr_expect_eq(memcmp(wire.client_random, some_random, TLS_RANDOM_SIZE), 0);
		cr_expect_str_eq(wire.server_name, version == 0x0300 ? "" : "mail.example.net");
	}
}

/* RFC 7685: from 256 to 511 bytes some servers hang. */
Test(probe_hello, has_no_length_at_which_servers_hang)
{
	char name[256] = "";

	for (size_t i = 0; i <= 255; i++) {
		for (uint16_t version = 0x0301; version <= 0x0304; version++) {
			uint8_t hello[PROBE_HELLO_MAX];
			size_t length = probe_hello_write(hello, version, name, some_random) - 5;

			cr_assert(length < 256 || length >= 512, "%04x: %zu", version, length);
			cr_assert_lt(length + 5, PROBE_HELLO_MAX, "cut off");
		}
		if (i < 255)
			name[i] = 'a';
	}
}

Test(probe_hello, has_each_suite_once)
{
	for (uint16_t version = 0x0300; version <= 0x0304; version++) {
		uint8_t hello[PROBE_HELLO_MAX];

		(void)probe_hello_write(hello, version, NULL, some_random);
		const uint8_t *suites = hello + 5 + 4 + 2 + 32 + 1 + hello[5 + 4 + 2 + 32];
		size_t size = (size_t)(suites[0] << 8 | suites[1]);
		for (size_t i = 0; i < size; i += 2) {
			for (size_t j = i + 2; j < size; j += 2)
				cr_expect_neq(memcmp(suites + 2 + i, suites + 2 + j, 2), 0,
					      "%04x offers %02x%02x twice", version, suites[2 + i],
					      suites[3 + i]);
		}
	}
}

/* ---- a server ---- */

static X509 *self_signed(EVP_PKEY *key)
{
	X509 *certificate = X509_new();
	X509_NAME *name = X509_get_subject_name(certificate);

	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"localhost", -1, -1,
				   0);
	X509_set_issuer_name(certificate, name);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_set_pubkey(certificate, key);
	cr_assert_gt(X509_sign(certificate, key, EVP_sha256()), 0);
	return certificate;
}

static SSL_CTX *server_context(const char *ciphers)
{
	static EVP_PKEY *key;
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	/* One for all: a key of RSA takes long to make. */
	if (key == NULL)
		key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	X509 *certificate = self_signed(key);

	cr_assert_eq(SSL_CTX_use_certificate(context, certificate), 1);
	cr_assert_eq(SSL_CTX_use_PrivateKey(context, key), 1);
	cr_assert_eq(SSL_CTX_set_cipher_list(context, ciphers), 1);
	SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
	SSL_CTX_set_dh_auto(context, 1);
	X509_free(certificate);
	return context;
}

/* What the server answers to the hello for `version`; freed by the caller. */
static uint8_t *answer_of(SSL_CTX *context, uint16_t version, size_t *length)
{
	uint8_t hello[PROBE_HELLO_MAX];
	size_t hello_length = probe_hello_write(hello, version, "localhost", some_random);
	SSL *ssl = SSL_new(context);
	BIO *in = BIO_new_mem_buf(hello, (int)hello_length);
	BIO *out = BIO_new(BIO_s_mem());

	/* After the hello the server waits; nothing has ended. */
	BIO_set_mem_eof_return(in, -1);
	char *bytes = NULL;

	SSL_set_bio(ssl, in, out);
	(void)SSL_accept(ssl);
	*length = (size_t)BIO_get_mem_data(out, &bytes);
	uint8_t *copy = malloc(*length + 1);
	memcpy(copy, bytes, *length);
	SSL_free(ssl);
	return copy;
}

/* Read at once and byte by byte, which must come to the same. */
static struct probe_answer read_answer(const uint8_t *bytes, size_t length)
{
	struct probe_answer whole = {.state = PROBE_ANSWER_NONE};
	struct probe_answer piecemeal = {.state = PROBE_ANSWER_NONE};

	probe_answer_feed(&whole, bytes, length);
	for (size_t i = 0; i < length; i++)
		probe_answer_feed(&piecemeal, bytes + i, 1);
	cr_expect_eq(whole.state, piecemeal.state);
	cr_expect_eq(whole.version, piecemeal.version);
	cr_expect_eq(whole.cipher, piecemeal.cipher);
	cr_expect_eq(whole.group, piecemeal.group);
	cr_expect_eq(whole.alert, piecemeal.alert);
	return whole;
}

static struct probe_answer ask(SSL_CTX *context, uint16_t version)
{
	size_t length = 0;
	uint8_t *bytes = answer_of(context, version, &length);
	struct probe_answer answer = read_answer(bytes, length);

	free(bytes);
	return answer;
}

Test(probe_answer, says_what_the_server_chose)
{
	static const struct {
		const char *ciphers;
		uint16_t version;
		uint16_t cipher;
		uint16_t group;
	} rows[] = {
		{"ECDHE-RSA-AES128-SHA:@SECLEVEL=0", 0x0301, 0xC013, 29},
		{"ECDHE-RSA-AES128-SHA:@SECLEVEL=0", 0x0302, 0xC013, 29},
		{"AES256-SHA:@SECLEVEL=0", 0x0301, 0x0035, 0},
		{"DHE-RSA-AES128-SHA:@SECLEVEL=0", 0x0302, 0x0033, 0},
		{"ECDHE-RSA-AES256-GCM-SHA384", 0x0303, 0xC030, 29},
		{"ECDHE-RSA-CHACHA20-POLY1305", 0x0303, 0xCCA8, 29},
		{"DHE-RSA-AES256-GCM-SHA384", 0x0303, 0x009F, 0},
		{"DEFAULT", 0x0304, 0x1301, 29},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		SSL_CTX *context = server_context(rows[i].ciphers);

		/* The choice of OpenSSL 3.5 would be a hybrid one. */
		SSL_CTX_set1_groups_list(context, "X25519");
		struct probe_answer answer = ask(context, rows[i].version);

		cr_expect_eq(answer.state, PROBE_ANSWER_COMPLETE, "row %zu: %d", i, answer.state);
		cr_expect_eq(answer.version, rows[i].version, "row %zu: %04x", i, answer.version);
		cr_expect_eq(answer.cipher, rows[i].cipher, "row %zu: %04x", i, answer.cipher);
		cr_expect_eq(answer.group, rows[i].group, "row %zu: %u", i, answer.group);
		SSL_CTX_free(context);
	}
}

Test(probe_answer, takes_a_retry_request_for_an_answer)
{
	SSL_CTX *context = server_context("DEFAULT");

	SSL_CTX_set1_groups_list(context, "P-384");
	struct probe_answer answer = ask(context, 0x0304);
	cr_expect_eq(answer.state, PROBE_ANSWER_COMPLETE);
	cr_expect(answer.retry_request);
	cr_expect_eq(answer.version, 0x0304);
	cr_expect_eq(answer.group, 24);
	SSL_CTX_free(context);
}

Test(probe_answer, names_the_alert_and_the_lower_version)
{
	SSL_CTX *context = server_context("DEFAULT:@SECLEVEL=0");
	struct probe_answer answer = ask(context, 0x0300);

	cr_expect_eq(answer.state, PROBE_ANSWER_ALERT);
	cr_expect_eq(answer.version, 0);
	SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
	answer = ask(context, 0x0303);
	cr_expect_eq(answer.state, PROBE_ANSWER_ALERT);
	cr_expect_eq(answer.alert, 70);
	SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(context, TLS1_VERSION);
	answer = ask(context, 0x0303);
	cr_expect_eq(answer.state, PROBE_ANSWER_COMPLETE);
	cr_expect_eq(answer.version, 0x0301);
	SSL_CTX_free(context);
}

/* OpenSSL 3.5 prefers it, and asks for its share. */
Test(probe_answer, reads_a_hybrid_group_where_the_library_has_one)
{
	SSL_CTX *context = server_context("DEFAULT");

	if (SSL_CTX_set1_groups_list(context, "X25519MLKEM768") != 1) {
		SSL_CTX_free(context);
		cr_skip("OpenSSL before 3.5 has no hybrid group");
	}
	struct probe_answer answer = ask(context, 0x0304);
	cr_expect_eq(answer.state, PROBE_ANSWER_COMPLETE);
	cr_expect(answer.retry_request);
	cr_expect_eq(answer.group, 4588);
	SSL_CTX_free(context);
}

/* What no library here sends any more. */
Test(probe_answer, reads_ssl_3_and_several_messages_in_a_record)
{
	/* record; ServerHello: version, random, no session ID, cipher, no compression */
	uint8_t bytes[5 + 4 + 38 + 4] = {22, 3, 0, 0, 46, 2, 0, 0, 38, 3, 0};
	static const uint8_t rest[] = {0, 0x00, 0x0A, 0, 14, 0, 0, 0};

	memcpy(bytes + sizeof(bytes) - sizeof(rest), rest, sizeof(rest));
	struct probe_answer answer = read_answer(bytes, sizeof(bytes) - 1);

	cr_expect_eq(answer.state, PROBE_ANSWER_CHOSEN);
	answer = read_answer(bytes, sizeof(bytes));
	cr_expect_eq(answer.state, PROBE_ANSWER_COMPLETE, "%d", answer.state);
	cr_expect_eq(answer.version, 0x0300);
	cr_expect_eq(answer.cipher, 0x000A);
	cr_expect_eq(answer.group, 0);
}

Test(probe_answer, knows_what_is_no_tls)
{
	static const struct {
		const char *bytes;
		size_t length;
		enum probe_answer_state state;
	} rows[] = {
		{"421 too many\r\n", 14, PROBE_ANSWER_NOT_TLS},
		{"\x16\x02", 2, PROBE_ANSWER_NOT_TLS},
		{"\x16\x03\x01\xFF\xFF", 5, PROBE_ANSWER_NOT_TLS},
		/* encrypted data before any ServerHello; a certificate; a ChangeCipherSpec */
		{"\x17\x03\x03\x00\x01x", 6, PROBE_ANSWER_NOT_TLS},
		{"\x16\x03\x01\x00\x04\x0B\x00\x00\x00", 9, PROBE_ANSWER_NOT_TLS},
		{"\x14\x03\x01\x00\x01\x01", 6, PROBE_ANSWER_NOT_TLS},
		/* a ServerHello that is cut off within its own length */
		{"\x16\x03\x01\x00\x06\x02\x00\x00\x02\x03\x01", 11, PROBE_ANSWER_NOT_TLS},
		/* a warning, then close_notify, then a fatal alert */
		{"\x15\x03\x01\x00\x02\x01\x70", 7, PROBE_ANSWER_NONE},
		{"\x15\x03\x01\x00\x02\x01\x00", 7, PROBE_ANSWER_CLOSED},
		{"\x15\x03\x01\x00\x02\x02\x46", 7, PROBE_ANSWER_ALERT},
		{"", 0, PROBE_ANSWER_NONE},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct probe_answer answer =
			read_answer((const uint8_t *)rows[i].bytes, rows[i].length);
		cr_expect_eq(answer.state, rows[i].state, "row %zu: %d", i, answer.state);
	}
}
