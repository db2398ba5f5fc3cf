/*
 * The names against those of the installed OpenSSL, which takes them from IANA
 * too, and against the number of entries, which a table out of order would not
 * reach: the search would miss some.
 */
#include <criterion/criterion.h>

#include <openssl/ssl.h>
#include <string.h>

#include "shim/record/tls_names.h"

Test(tls_names, ciphers_are_named_as_openssl_names_them)
{
	SSL_CTX *context = SSL_CTX_new(TLS_method());
	SSL *ssl = SSL_new(context);
	size_t compared = 0;

	cr_assert_not_null(ssl);
	for (unsigned int number = 0; number <= UINT16_MAX; number++) {
		const uint8_t bytes[2] = {(uint8_t)(number >> 8), (uint8_t)number};
		const SSL_CIPHER *cipher = SSL_CIPHER_find(ssl, bytes);
		const char *expected = cipher ? SSL_CIPHER_standard_name(cipher) : NULL;

		/* GOST of 2001 has a name in OpenSSL, but none that IANA registered. */
		if (!expected || (number >= 0x0080 && number <= 0x0083))
			continue;
		cr_expect_str_eq(tls_cipher_name((uint16_t)number), expected);
		compared++;
	}
	cr_expect_gt(compared, 100);
	SSL_free(ssl);
	SSL_CTX_free(context);
}

static size_t count_named(const char *(*name)(uint16_t number))
{
	size_t count = 0;

	for (unsigned int number = 0; number <= UINT16_MAX; number++)
		if (name((uint16_t)number))
			count++;
	return count;
}

static const char *alert_name(uint16_t number)
{
	return number <= UINT8_MAX ? tls_alert_name((uint8_t)number) : NULL;
}

Test(tls_names, every_entry_is_found)
{
	cr_expect_eq(count_named(tls_version_name), 5);
	cr_expect_eq(count_named(tls_cipher_name), 352);
	cr_expect_eq(count_named(tls_group_name), 57);
	cr_expect_eq(count_named(alert_name), 37);
}

Test(tls_names, ciphers_that_openssl_lacks)
{
	cr_expect_str_eq(tls_cipher_name(0x0018), "TLS_DH_anon_WITH_RC4_128_MD5");
	cr_expect_str_eq(tls_cipher_name(0x0003), "TLS_RSA_EXPORT_WITH_RC4_40_MD5");
	cr_expect_str_eq(tls_cipher_name(0xC08A), "TLS_ECDHE_RSA_WITH_CAMELLIA_128_GCM_SHA256");
	cr_expect_str_eq(tls_cipher_name(0xC102), "TLS_GOSTR341112_256_WITH_28147_CNT_IMIT");
	cr_expect_null(tls_cipher_name(0x0A0A), "GREASE has no name");
	cr_expect_null(tls_cipher_name(0xFFFF));
}

Test(tls_names, versions_both_ways)
{
	static const char *const names[] = {"1.0", "1.1", "1.2", "1.3"};

	for (uint16_t i = 0; i < 4; i++) {
		cr_expect_str_eq(tls_version_name(0x0301 + i), names[i]);
		cr_expect_eq(tls_version_from_name(names[i]), 0x0301 + i);
	}
	cr_expect_str_eq(tls_version_name(0x0300), "3.0");
	cr_expect_null(tls_version_name(0));
	cr_expect_null(tls_version_name(0x0305));
}

Test(tls_names, no_setting_but_1_0_to_1_3_is_a_version)
{
	static const char *const names[] = {"", "3.0", "1", "1.4", "1.2 ", "TLSv1.2", "1.20"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		cr_expect_eq(tls_version_from_name(names[i]), 0, "'%s'", names[i]);
	cr_expect_eq(tls_version_from_name(NULL), 0);
}

Test(tls_names, groups_as_iana_spells_them)
{
	cr_expect_str_eq(tls_group_name(23), "secp256r1");
	cr_expect_str_eq(tls_group_name(29), "x25519");
	cr_expect_str_eq(tls_group_name(30), "x448");
	cr_expect_str_eq(tls_group_name(256), "ffdhe2048");
	cr_expect_str_eq(tls_group_name(4588), "X25519MLKEM768");
	cr_expect_null(tls_group_name(0));
	cr_expect_null(tls_group_name(0x1A1A));
}

Test(tls_names, alerts_as_the_rfcs_spell_them)
{
	cr_expect_str_eq(tls_alert_name(0), "close_notify");
	cr_expect_str_eq(tls_alert_name(40), "handshake_failure");
	cr_expect_str_eq(tls_alert_name(48), "unknown_ca");
	cr_expect_str_eq(tls_alert_name(70), "protocol_version");
	cr_expect_str_eq(tls_alert_name(120), "no_application_protocol");
	cr_expect_null(tls_alert_name(1));
	cr_expect_null(tls_alert_name(255));
}
