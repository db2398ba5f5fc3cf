/*
 * The Certificate message in pieces, around a certificate that OpenSSL made.
 */
#include <criterion/criterion.h>

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "shim/wire/certificate_message.h"
#include "tools/sink/openssl_3.h"

enum { BODY_MAX = 8192 };

struct body {
	uint8_t bytes[BODY_MAX];
	size_t length;
};

static void put(struct body *body, const void *bytes, size_t length)
{
	cr_assert_leq(body->length + length, sizeof(body->bytes));
	memcpy(body->bytes + body->length, bytes, length);
	body->length += length;
}

static void put_number(struct body *body, size_t number)
{
	const uint8_t bytes[3] = {(uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};

	put(body, bytes, sizeof(bytes));
}

/* A certificate in DER, to be freed; its subject's organisation is a text of this length. */
static size_t make_certificate(unsigned char **der, int organisation)
{
	X509 *certificate = X509_new();
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509_NAME *subject = X509_NAME_new();
	char text[64];
	int length;

	cr_assert(certificate && key && subject);
	memset(text, 'o', sizeof(text));
	cr_assert(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
					     (const unsigned char *)"mx.example", -1, -1, 0));
	for (; organisation > 0; organisation -= length) {
		length = organisation < (int)sizeof(text) ? organisation : (int)sizeof(text);
		cr_assert(X509_NAME_add_entry_by_txt(subject, "OU", MBSTRING_ASC,
						     (const unsigned char *)text, length, -1, 0));
	}
	cr_assert(X509_set_version(certificate, X509_VERSION_3) &&
		  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 42) &&
		  X509_set_subject_name(certificate, subject) &&
		  X509_set_issuer_name(certificate, subject) &&
		  ASN1_TIME_set(X509_getm_notBefore(certificate), 0) &&
		  ASN1_TIME_set(X509_getm_notAfter(certificate), 1795439107) &&
		  X509_set_pubkey(certificate, key) &&
		  X509_sign(certificate, key, EVP_sha256()) > 0);
	length = i2d_X509(certificate, der);
	cr_assert_gt(length, 0);
	X509_NAME_free(subject);
	EVP_PKEY_free(key);
	X509_free(certificate);
	return (size_t)length;
}

/* The body of a Certificate message with two certificates, of which the first counts. */
static void make_body(struct body *body, int organisation)
{
	unsigned char *der = NULL;
	size_t length = make_certificate(&der, organisation);

	body->length = 0;
	put_number(body, 3 + length + 3 + 5);
	put_number(body, length);
	put(body, der, length);
	put_number(body, 5);
	put(body, "other", 5);
	OPENSSL_free(der);
}

static void expect_subject(const struct certificate_message *message, const char *begins)
{
	struct certificate_facts facts;
	char text[256];

	cr_assert(certificate_message_read(message, &facts));
	certificate_name_write(text, sizeof(text), facts.subject, facts.subject_length);
	cr_expect_eq(strncmp(text, begins, strlen(begins)), 0, "%s", text);
	cr_expect(certificate_time_write(text, facts.not_after, facts.not_after_length,
					 facts.not_after_generalized));
	cr_expect_str_eq(text, "2026-11-23T13:05:07Z");
}

/* From blocks of their own size, so that a sanitizer sees a byte too many. */
static void feed_exactly(struct certificate_message *message, const uint8_t *bytes, size_t length)
{
	uint8_t *exact = malloc(length + (length == 0));

	cr_assert_not_null(exact);
	memcpy(exact, bytes, length);
	certificate_message_feed(message, exact, length);
	free(exact);
}

Test(certificate_message, split_anywhere)
{
	struct certificate_message message;
	struct body body;

	make_body(&body, 0);
	for (size_t i = 0; i <= body.length; i++) {
		memset(&message, 0, sizeof(message));
		feed_exactly(&message, body.bytes, i);
		feed_exactly(&message, body.bytes + i, body.length - i);
		expect_subject(&message, "CN=mx.example");
	}
}

Test(certificate_message, byte_by_byte)
{
	struct certificate_message message = {0};
	struct certificate_facts facts;
	struct body body;
	size_t end;

	make_body(&body, 0);
	end = body.length - 3 - 5;
	for (size_t i = 0; i < body.length; i++) {
		cr_expect_eq(certificate_message_read(&message, &facts), i >= end, "%zu", i);
		feed_exactly(&message, body.bytes + i, 1);
	}
	expect_subject(&message, "CN=mx.example");
}

/* Longer than what is kept, and its names are not: they stand at the beginning. */
Test(certificate_message, longer_than_what_is_kept)
{
	struct certificate_message message = {0};
	struct body body;

	make_body(&body, 540);
	cr_assert_gt(body.length, CERTIFICATE_BEGINNING_MAX + 14);
	feed_exactly(&message, body.bytes, body.length);
	expect_subject(&message, "OU=ooo");
}

Test(certificate_message, names_longer_than_what_is_kept)
{
	struct certificate_message message = {0};
	struct certificate_facts facts;
	struct body body;

	make_body(&body, CERTIFICATE_BEGINNING_MAX);
	feed_exactly(&message, body.bytes, body.length);
	cr_expect(message.complete);
	cr_expect_not(certificate_message_read(&message, &facts));
	cr_expect_null(facts.subject);
}

Test(certificate_message, without_a_certificate)
{
	static const uint8_t empty_list[] = {0, 0, 0, 0, 0, 0};
	static const uint8_t empty_first[] = {0, 0, 9, 0, 0, 0, 1, 2, 3, 4, 5, 6};
	static const uint8_t beyond_list[] = {0, 0, 9, 0, 0, 7, 1, 2, 3, 4, 5, 6, 7};
	static const uint8_t no_der[] = {0, 0, 9, 0, 0, 6, 1, 2, 3, 4, 5, 6};
	const struct {
		const uint8_t *bytes;
		size_t length;
	} bodies[] = {{empty_list, sizeof(empty_list)},
		      {empty_first, sizeof(empty_first)},
		      {beyond_list, sizeof(beyond_list)},
		      {no_der, sizeof(no_der)}};
	struct certificate_facts facts;

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct certificate_message message = {0};

		feed_exactly(&message, bodies[i].bytes, bodies[i].length);
		cr_expect(message.complete, "%zu", i);
		cr_expect_not(certificate_message_read(&message, &facts), "%zu", i);
	}
}
