/*
 * Names, times and certificates as OpenSSL makes and prints them, and then
 * what OpenSSL would never make.
 */
#include <criterion/criterion.h>

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shim/wire/certificate_name.h"

/* RFC 4514 as OpenSSL prints it, but with UTF-8 left as it is. */
#define PRINT_FLAGS (XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB)

enum { TEXT_ROOM = 1024 };

/* A part of a name. */
struct part {
	const char *type;
	int string_type; /* of ASN.1; 0 ends the name */
	const char *value;
	int length;     /* -1: to the NUL */
	bool with_last; /* in the same RDN as the part before */
};

/* ---- what OpenSSL says ---- */

static X509_NAME *make_name(const struct part *parts)
{
	X509_NAME *name = X509_NAME_new();

	cr_assert_not_null(name);
	for (; parts->string_type != 0; parts++) {
		ASN1_OBJECT *type = OBJ_txt2obj(parts->type, 0);

		cr_assert_not_null(type, "%s", parts->type);
		cr_assert_eq(X509_NAME_add_entry_by_OBJ(
				     name, type, parts->string_type,
				     (const unsigned char *)parts->value,
				     parts->length < 0 ? (int)strlen(parts->value) : parts->length,
				     -1, parts->with_last ? -1 : 0),
			     1);
		ASN1_OBJECT_free(type);
	}
	return name;
}

static void print_name(char text[TEXT_ROOM], const X509_NAME *name)
{
	BIO *out = BIO_new(BIO_s_mem());
	int length = 0;

	cr_assert_not_null(out);
	cr_assert_geq(X509_NAME_print_ex(out, name, 0, PRINT_FLAGS), 0);
	length = BIO_read(out, text, TEXT_ROOM - 1);
	text[length > 0 ? length : 0] = '\0';
	BIO_free(out);
}

/* From a block of its own size, so that a tool that looks sees a byte too many. */
static size_t write_name(char *text, size_t room, const uint8_t *der, size_t length)
{
	uint8_t *exact = malloc(length + (length == 0));
	size_t written = 0;

	cr_assert_not_null(exact);
	memcpy(exact, der, length);
	written = certificate_name_write(text, room, exact, length);
	free(exact);
	if (room > 0) {
		cr_assert_lt(written, room);
		cr_assert_eq(strlen(text), written);
	}
	return written;
}

static void expect_as_openssl(const struct part *parts)
{
	X509_NAME *name = make_name(parts);
	X509_NAME *read = NULL;
	const unsigned char *der = NULL;
	const unsigned char *next = NULL;
	size_t length = 0;
	char expected[TEXT_ROOM];
	char text[TEXT_ROOM];

	/* Read back, since DER sorts the parts of an RDN. */
	cr_assert_eq(X509_NAME_get0_der(name, &der, &length), 1);
	next = der;
	read = d2i_X509_NAME(NULL, &next, (long)length);
	cr_assert_not_null(read);
	print_name(expected, read);
	cr_assert_gt(strlen(expected), 0);
	write_name(text, sizeof(text), der, length);
	cr_expect_str_eq(text, expected);
	X509_NAME_free(read);
	X509_NAME_free(name);
}

/* ---- names ---- */

#define UTF8(type, value)                                     \
	{                                                     \
		(type), V_ASN1_UTF8STRING, (value), -1, false \
	}

Test(certificate_name, as_openssl_prints_them)
{
	static const struct part names[][10] = {
		{UTF8("CN", "mail.example.org")},
		{UTF8("C", "DE"), UTF8("ST", "Bayern"), UTF8("L", "M\xC3\xBCnchen"),
		 UTF8("O", "Example"), UTF8("OU", "Post"), UTF8("CN", "mail.example.org")},
		{{"DC", V_ASN1_IA5STRING, "org", -1, false},
		 {"DC", V_ASN1_IA5STRING, "example", -1, false},
		 UTF8("UID", "jo"),
		 {"CN", V_ASN1_UTF8STRING, "Jo", -1, true}},
		/* several in one RDN, and another RDN beside it */
		{UTF8("O", "a"),
		 {"OU", V_ASN1_UTF8STRING, "b", -1, true},
		 {"CN", V_ASN1_UTF8STRING, "c", -1, true},
		 UTF8("L", "d")},
		/* each of the specials, at the start, within and at the end */
		{UTF8("CN", "\"+,;<>\\=#/")},
		{UTF8("CN", "#1 #2 #")},
		{UTF8("CN", " leading")},
		{UTF8("CN", "trailing ")},
		{UTF8("CN", " ")},
		{UTF8("CN", "   ")},
		{UTF8("CN", "in ner")},
		{UTF8("CN", "a\nb\tc\x7F"
			    "d\x1F")},
		{{"CN", V_ASN1_UTF8STRING, "mail.example.org\0.evil.example", 30, false}},
		/* characters of every length */
		{UTF8("CN", "\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF"
			    "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF")},
		/* each type of string */
		{{"CN", V_ASN1_PRINTABLESTRING, "Example, Inc.", -1, false}},
		{{"CN", V_ASN1_IA5STRING, "a@b", -1, false}},
		{{"CN", V_ASN1_NUMERICSTRING, "12 3", -1, false}},
		{{"CN", V_ASN1_T61STRING, "M\xFCnchen", -1, false}},
		{{"CN", V_ASN1_BMPSTRING, "\0M\0\xFC\x20\xAC\0,", 8, false}},
		{{"CN", V_ASN1_UNIVERSALSTRING, "\0\0\0M\0\x01\xF4\xA9\0\0\0\"", 12, false}},
		/* types without a name */
		{UTF8("1.2.3.4.5", "x")},
		{UTF8("2.999.1", "x")},
		{UTF8("2.5.4.3.1", "CN by its first half only")},
		{UTF8("1.3.6.1.4.1.4294967296", "x")},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		expect_as_openssl(names[i]);
}

struct name_case {
	const char *der; /* the contents of the Name, in pieces of less than 128 bytes */
	size_t length;
	const char *text;
};

#define DER(bytes) (bytes), sizeof(bytes) - 1
#define CN         "\x06\x03\x55\x04\x03"

/* An RDN of one attribute. */
#define RDN(set_length, sequence_length, attribute) \
	"\x31" set_length "\x30" sequence_length attribute

static void expect_name(const struct name_case *expected)
{
	uint8_t der[130] = {0x30, (uint8_t)expected->length};
	char text[TEXT_ROOM];

	cr_assert_lt(expected->length, 128);
	memcpy(der + 2, expected->der, expected->length);
	write_name(text, sizeof(text), der, expected->length + 2);
	cr_expect_str_eq(text, expected->text);
}

/* OpenSSL names these in its own way, or not at all. */
Test(certificate_name, as_rfc_4514_has_them)
{
	static const struct name_case cases[] = {
		{DER(RDN("\x0A", "\x08", "\x06\x03\x55\x04\x09\x0C\x01X")), "STREET=X"},
		/* serialNumber is not in the table of RFC 4514, 3 */
		{DER(RDN("\x0A", "\x08", "\x06\x03\x55\x04\x05\x0C\x01X")), "2.5.4.5=#0C0158"},
		{DER(RDN("\x0A", "\x08", CN "\x0C\x01\xFF")), "CN=#0C01FF"},
		{DER(RDN("\x0B", "\x09", CN "\x0C\x02\xC0\x80")), "CN=#0C02C080"},
		{DER(RDN("\x0C", "\x0A", CN "\x0C\x03\xED\xA0\x80")), "CN=#0C03EDA080"},
		{DER(RDN("\x0D", "\x0B", CN "\x0C\x04\xF4\x90\x80\x80")), "CN=#0C04F4908080"},
		{DER(RDN("\x0B", "\x09", CN "\x0C\x02\xE2\x82")), "CN=#0C02E282"},
		{DER(RDN("\x0B", "\x09", CN "\x0C\x02\xC3X")), "CN=#0C02C358"},
		{DER(RDN("\x0A", "\x08", CN "\x1E\x01X")), "CN=#1E0158"},
		{DER(RDN("\x0B", "\x09", CN "\x1E\x02\xD8\x00")), "CN=#1E02D800"},
		{DER(RDN("\x0D", "\x0B", CN "\x1C\x04\x00\x11\x00\x00")), "CN=#1C0400110000"},
		{DER(RDN("\x09", "\x07", CN "\x0C\x00")), "CN="},
		{DER(RDN("\x0B", "\x09", CN "\x1A\x02V,")), "CN=V\\,"}, /* VisibleString */
		/* no string at all */
		{DER(RDN("\x0B", "\x09", CN "\x04\x02\x01\xFE")), "CN=#040201FE"},
		/* a length in more bytes than it takes */
		{DER(RDN("\x0B", "\x09", CN "\x0C\x81\x01X")), "CN=X"},
		{DER(RDN("\x0E", "\x0C", CN "\x0C\x84\x00\x00\x00\x01X")), "CN=X"},
		{DER(RDN("\x09", "\x07", "\x06\x02\x55\x04\x0C\x01X")), "2.5.4=#0C0158"},
		{DER(RDN("\x11", "\x0F",
			 "\x06\x0A\x81\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F\x0C\x01X")),
		 "2.18446744073709551535=#0C0158"},
		{DER(RDN("\x08", "\x06", "\x06\x01\x00\x0C\x01X")), "0.0=#0C0158"},
		{DER(RDN("\x08", "\x06", "\x06\x01\x27\x0C\x01X")), "0.39=#0C0158"},
		{DER(RDN("\x08", "\x06", "\x06\x01\x4F\x0C\x01X")), "1.39=#0C0158"},
		{DER(RDN("\x08", "\x06", "\x06\x01\x50\x0C\x01X")), "2.0=#0C0158"},
		{DER(RDN("\x10", "\x0E", "\x06\x09\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F\x0C\x01X")),
		 "2.9223372036854775727=#0C0158"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_name(&cases[i]);
}

Test(certificate_name, what_is_no_name)
{
	static const struct name_case cases[] = {
		{DER(""), ""},
		{DER("\x31\x00"), ""},                                      /* an RDN of nothing */
		{DER("\x30\x0A\x30\x08" CN "\x0C\x01X"), ""},               /* no set */
		{DER("\x31\x0A\x31\x08" CN "\x0C\x01X"), ""},               /* no sequence */
		{DER("\x31\x0A\x30\x08\x05\x03\x55\x04\x03\x0C\x01X"), ""}, /* no type */
		{DER(RDN("\x07", "\x05", CN)), ""},                         /* no value */
		{DER(RDN("\x0C", "\x0A", CN "\x0C\x01X\x05\x00")), ""},     /* two values */
		{DER(RDN("\x0A", "\x08", CN "\x0C\x02X")), ""},             /* a value cut short */
		{DER(RDN("\x0A", "\x08", CN "\x0C\x80X")), ""},             /* without an end */
		{DER(RDN("\x09", "\x07", CN "\x0C\x80")), ""},             /* and without a value */
		{DER(RDN("\x0A", "\x08", CN "\x1F\x01X")), ""},            /* a tag of many bytes */
		{DER(RDN("\x0E", "\x0C", CN "\x0C\x85\0\0\0\0\x01")), ""}, /* a length of five */
		{DER(RDN("\x0F", "\x0D", CN "\x0C\x85\0\0\0\0\x01X")), ""},
		{DER(RDN("\x0A", "\x08", CN "\x0C\x82\x01")), ""},   /* half a length */
		{DER(RDN("\x07", "\x05", "\x06\x00\x0C\x01X")), ""}, /* an OID of nothing */
		{DER(RDN("\x0A", "\x08", "\x06\x03\x55\x04\x83\x0C\x01X")), ""}, /* half an OID */
		{DER(RDN("\x0A", "\x08", "\x06\x03\x55\x80\x03\x0C\x01X")), ""}, /* a padded OID */
		{DER(RDN("\x11", "\x0F",
			 "\x06\x0A\x82\x80\x80\x80\x80\x80\x80\x80\x80\x00\x0C\x01X")),
		 ""}, /* a number beyond 64 bits */
		{DER(RDN("\x0A", "\x08", CN "\x0C\x01X") "\x31"),
		 ""}, /* half an RDN behind a good one */
		{DER(RDN("\x0A", "\x08", CN "\x0C\x01X") "\x31\x02\x30\x00"),
		 ""}, /* an attribute of nothing there */
		{DER("\x31\x0C\x30\x08" CN "\x0C\x01X\x30\x00"), ""}, /* and in the same RDN */
		{DER("\x31\x0B\x30\x08" CN "\x0C\x01X\x30"), ""},     /* half an attribute there */
	};
	static const uint8_t no_sequence[] = "\x31\x0C\x31\x0A\x30\x08" CN "\x0C\x01X";
	static const uint8_t behind[] = "\x30\x0C\x31\x0A\x30\x08" CN "\x0C\x01X\x00";
	char text[TEXT_ROOM];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_name(&cases[i]);
	cr_expect_eq(write_name(text, sizeof(text), no_sequence, sizeof(no_sequence) - 1), 0);
	cr_expect_eq(write_name(text, sizeof(text), behind, sizeof(behind) - 1), 0);
	cr_expect_eq(write_name(text, sizeof(text), behind, 0), 0);
	/* The same, without what was wrong. */
	cr_expect_eq(write_name(text, sizeof(text), behind, sizeof(behind) - 2), 4);
	cr_expect_str_eq(text, "CN=X");
}

/* A character that would go on behind the end of its string, where its bytes stand. */
Test(certificate_name, no_character_beyond_its_string)
{
	static const uint8_t utf8[] = "\x30\x0D\x31\x0B\x30\x09" CN "\x0C\x02\xE2\x82\xAC";
	static const uint8_t bmp[] = "\x30\x0C\x31\x0A\x30\x08" CN "\x1E\x01\x20\xAC";
	char text[TEXT_ROOM];

	certificate_name_write(text, sizeof(text), utf8, sizeof(utf8) - 2);
	cr_expect_str_eq(text, "CN=#0C02E282");
	certificate_name_write(text, sizeof(text), bmp, sizeof(bmp) - 2);
	cr_expect_str_eq(text, "CN=#1E0120");
}

/* Cut in every place: what remains is the longest run of whole units that fits. */
Test(certificate_name, cut_at_a_character)
{
	static const struct part parts[] = {
		{"1.2.3", V_ASN1_T61STRING, "\xAB\xCD", 2, false},
		{"O", V_ASN1_UTF8STRING, "x", -1, false},
		{"CN", V_ASN1_UTF8STRING, " \xC3\xA9,\n\xE2\x82\xAC\xF0\x9F\x92\xA9", -1, true},
		{0},
	};
	static const char *const units[] = {"CN",
					    "=",
					    "\\ ",
					    "\xC3\xA9",
					    "\\,",
					    "\\0A",
					    "\xE2\x82\xAC",
					    "\xF0\x9F\x92\xA9",
					    "+",
					    "O",
					    "=",
					    "x",
					    ",",
					    "1",
					    ".",
					    "2",
					    ".",
					    "3",
					    "=",
					    "#",
					    "14",
					    "02",
					    "AB",
					    "CD"};
	X509_NAME *name = make_name(parts);
	const unsigned char *der = NULL;
	size_t length = 0;
	char text[TEXT_ROOM];

	cr_assert_eq(X509_NAME_get0_der(name, &der, &length), 1);
	cr_expect_eq(write_name(text, 0, der, length), 0);
	for (size_t room = 1; room < 80; room++) {
		char expected[TEXT_ROOM] = "";
		size_t written = 0;

		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
			if (written + strlen(units[i]) >= room)
				break;
			memcpy(expected + written, units[i], strlen(units[i]));
			written += strlen(units[i]);
		}
		memset(text, 'A', sizeof(text));
		write_name(text, room, der, length);
		cr_expect_str_eq(text, expected, "in %zu bytes", room);
		cr_expect_eq(text[room], 'A', "in %zu bytes", room);
	}
	X509_NAME_free(name);
}

/* ---- times ---- */

struct time_case {
	const char *digits;
	bool generalized;
	const char *text; /* "" if it is none */
};

static const struct time_case times[] = {
	{"261123130507Z", false, "2026-11-23T13:05:07Z"},
	{"20261123130507Z", true, "2026-11-23T13:05:07Z"},
	{"000101000000Z", false, "2000-01-01T00:00:00Z"},
	{"491231235959Z", false, "2049-12-31T23:59:59Z"},
	{"500101000000Z", false, "1950-01-01T00:00:00Z"},
	{"991231235959Z", false, "1999-12-31T23:59:59Z"},
	{"99991231235959Z", true, "9999-12-31T23:59:59Z"},
	{"00000101000000Z", true, "0000-01-01T00:00:00Z"},
	{"20240229000000Z", true, "2024-02-29T00:00:00Z"},
	{"20000229000000Z", true, "2000-02-29T00:00:00Z"},
	{"20230229000000Z", true, ""},
	{"21000229000000Z", true, ""},
	{"20240230000000Z", true, ""},
	{"20240431000000Z", true, ""},
	{"20240132000000Z", true, ""},
	{"20240100000000Z", true, ""},
	{"20240001000000Z", true, ""},
	{"20241301000000Z", true, ""},
	{"20240101240000Z", true, ""},
	{"20240101006000Z", true, ""},
	{"20240101000060Z", true, ""},
	{"2611231305Z", false, ""},
	{"261123130507+0100", false, ""},
	{"261123130507", false, ""},
	{"261123130507z", false, ""},
	{"261123130507Z ", false, ""},
	{"20261123130507.5Z", true, ""},
	{"261123130507Z", true, ""},
	{"20261123130507Z", false, ""},
	{"2A1123130507Z", false, ""},
	{"-61123130507Z", false, ""},
	{"26112313055/Z", false, ""},
	{"2611231305:7Z", false, ""},
	{"", false, ""},
	{"", true, ""},
};

Test(certificate_time, written)
{
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		size_t length = strlen(times[i].digits);
		uint8_t *exact = malloc(length + (length == 0));
		char text[CERTIFICATE_TIME_SIZE] = "before";
		bool ok = false;

		cr_assert_not_null(exact);
		memcpy(exact, times[i].digits, length);
		ok = certificate_time_write(text, exact, length, times[i].generalized);
		cr_expect_str_eq(text, times[i].text, "%s", times[i].digits);
		cr_expect_eq(ok, times[i].text[0] != '\0', "%s", times[i].digits);
		free(exact);
	}
}

/* From the year 1 to 9999, against libc's calendar. */
Test(certificate_time, in_seconds)
{
	const time_t last = 253402300799;
	int64_t seconds = 0;

	for (time_t moment = -62135596800; moment <= last; moment += 86400 * 5 + 12345) {
		char digits[32];
		struct tm parts;

		cr_assert_not_null(gmtime_r(&moment, &parts));
		(void)snprintf(digits, sizeof(digits), "%04d%02d%02d%02d%02d%02dZ",
			       parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
			       parts.tm_min, parts.tm_sec);
		cr_assert(certificate_time_seconds(&seconds, (const uint8_t *)digits, 15, true));
		cr_assert_eq(seconds, moment, "%s", digits);
	}
	cr_expect(certificate_time_seconds(&seconds, (const uint8_t *)"700101000001Z", 13, false));
	cr_expect_eq(seconds, 1);
	cr_expect_not(
		certificate_time_seconds(&seconds, (const uint8_t *)"700101000060Z", 13, false));
}

Test(certificate_time, digits_only)
{
	for (size_t i = 0; i < 12; i++) {
		uint8_t digits[] = "261123130507Z";
		char text[CERTIFICATE_TIME_SIZE];

		digits[i] = 'x';
		cr_expect_not(certificate_time_write(text, digits, 13, false), "digit %zu", i);
		digits[i] = ' ';
		cr_expect_not(certificate_time_write(text, digits, 13, false), "digit %zu", i);
	}
}

/* ---- certificates ---- */

static const struct part issuer_parts[] = {
	UTF8("O", "Example, \"CA\""), UTF8("CN", "Root #1"), {0}};
static const struct part subject_parts[] = {UTF8("DC", "org"), UTF8("CN", "m\xC3\xA4il"), {0}};

/* A certificate of version `version` + 1 that ends at `not_after`, signed with a new key. */
static X509 *make_certificate(long version, time_t not_after)
{
	X509 *certificate = X509_new();
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509_NAME *issuer = make_name(issuer_parts);
	X509_NAME *subject = make_name(subject_parts);

	cr_assert(certificate && key);
	cr_assert(X509_set_version(certificate, version));
	cr_assert(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 4711));
	cr_assert(X509_set_issuer_name(certificate, issuer));
	cr_assert(X509_set_subject_name(certificate, subject));
	cr_assert(ASN1_TIME_set(X509_getm_notBefore(certificate), 0));
	cr_assert(ASN1_TIME_set(X509_getm_notAfter(certificate), not_after));
	cr_assert(X509_set_pubkey(certificate, key));
	cr_assert_gt(X509_sign(certificate, key, EVP_sha256()), 0);
	X509_NAME_free(issuer);
	X509_NAME_free(subject);
	EVP_PKEY_free(key);
	return certificate;
}

static void expect_same_name(const uint8_t *der, size_t length, const X509_NAME *name)
{
	char expected[TEXT_ROOM];
	char text[TEXT_ROOM];

	print_name(expected, name);
	write_name(text, sizeof(text), der, length);
	cr_expect_str_eq(text, expected);
}

static void expect_certificate(long version, time_t not_after, bool generalized,
			       const char *not_after_text)
{
	X509 *certificate = make_certificate(version, not_after);
	unsigned char *der = NULL;
	int length = i2d_X509(certificate, &der);
	struct certificate_facts facts;
	char text[CERTIFICATE_TIME_SIZE];

	cr_assert_gt(length, 0);
	cr_assert(certificate_read(&facts, der, (size_t)length));
	expect_same_name(facts.issuer, facts.issuer_length, X509_get_issuer_name(certificate));
	expect_same_name(facts.subject, facts.subject_length, X509_get_subject_name(certificate));
	cr_expect_eq(facts.not_after_generalized, generalized);
	cr_expect(certificate_time_write(text, facts.not_after, facts.not_after_length,
					 facts.not_after_generalized));
	cr_expect_str_eq(text, not_after_text);
	OPENSSL_free(der);
	X509_free(certificate);
}

Test(certificate, read)
{
	expect_certificate(X509_VERSION_3, 1795439107, false, "2026-11-23T13:05:07Z");
	expect_certificate(X509_VERSION_1, 1795439107, false, "2026-11-23T13:05:07Z");
	/* RFC 5280, 4.1.2.5: GeneralizedTime from 2050 on */
	expect_certificate(X509_VERSION_3, 2524607999, false, "2049-12-31T23:59:59Z");
	expect_certificate(X509_VERSION_3, 2524608000, true, "2050-01-01T00:00:00Z");
}

/* Reads the certificate from a block of its own size. */
static bool read_exactly(struct certificate_facts *facts, const uint8_t *der, size_t length)
{
	uint8_t *exact = malloc(length + (length == 0));
	bool ok = false;

	cr_assert_not_null(exact);
	memcpy(exact, der, length);
	ok = certificate_read(facts, exact, length);
	if (!ok)
		cr_expect(!facts->issuer && !facts->subject && !facts->not_after);
	free(exact);
	return ok;
}

Test(certificate, not_all_there)
{
	X509 *certificate = make_certificate(X509_VERSION_3, 1795439107);
	unsigned char *der = NULL;
	int length = i2d_X509(certificate, &der);
	struct certificate_facts facts;

	cr_assert_gt(length, 0);
	for (int i = 0; i < length; i++)
		cr_expect_not(read_exactly(&facts, der, (size_t)i), "%d bytes", i);
	cr_expect(read_exactly(&facts, der, (size_t)length));
	OPENSSL_free(der);
	X509_free(certificate);
}

/* A certificate of next to nothing, as far as the subject: `time` is the validity. */
#define SMALL(length, signed_length, time, subject)               \
	"\x30" length "\x30" signed_length "\xA0\x03\x02\x01\x02" \
	"\x02\x01\x01"                                            \
	"\x30\x00\x30\x00\x30" time "\x30" subject

#define NOT_BEFORE \
	"\x17\x01" \
	"1"
#define NOT_AFTER  \
	"\x18\x03" \
	"234"

/* The tag of each part on the way to the subject matters. */
Test(certificate, not_a_certificate)
{
	static const uint8_t good[] = SMALL("\x1A", "\x18", "\x08" NOT_BEFORE NOT_AFTER, "\x00");
	static const uint8_t tags[] = {0, 2, 4, 9, 12, 14, 16, 21, 26};
	struct certificate_facts facts;
	uint8_t bad[sizeof(good)];

	cr_assert(read_exactly(&facts, good, sizeof(good) - 1));
	cr_expect_eq(facts.not_after_length, 3);
	cr_expect(facts.not_after_generalized);
	cr_expect_eq(facts.issuer_length, 2);
	cr_expect_eq(facts.subject_length, 2);
	for (size_t i = 0; i < sizeof(tags); i++) {
		memcpy(bad, good, sizeof(good));
		bad[tags[i]] = 0x04;
		cr_expect_not(read_exactly(&facts, bad, sizeof(bad) - 1), "tag at %u", tags[i]);
	}
}

Test(certificate, more_or_less_than_a_certificate)
{
	static const uint8_t third_time[] =
		SMALL("\x1D", "\x1B", "\x0B" NOT_BEFORE NOT_AFTER NOT_BEFORE, "\x00");
	static const uint8_t one_time[] = SMALL("\x17", "\x15", "\x05" NOT_AFTER, "\x00");
	/* The subject's length stands behind the end of the part that is signed. */
	static const uint8_t length_outside[] =
		SMALL("\x1B", "\x18", "\x08" NOT_BEFORE NOT_AFTER, "\x81\x00");
	struct certificate_facts facts;

	cr_expect_not(read_exactly(&facts, third_time, sizeof(third_time) - 1));
	cr_expect_not(read_exactly(&facts, one_time, sizeof(one_time) - 1));
	cr_expect_not(read_exactly(&facts, length_outside, sizeof(length_outside) - 1));
}
