#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "tests/integration/authority.h"
#include "tools/sink/openssl_3.h"

#define SECONDS_A_DAY (24L * 60 * 60)

/* Of three months, of which `days` are left. */
#define AGE_DAYS 90

const char *certificate_path(const char *name)
{
	return test_path(text("%s.pem", name));
}

static const char *key_path(const char *name)
{
	return test_path(text("%s.key", name));
}

static FILE *open_file(const char *path, const char *mode)
{
	FILE *file = fopen(path, mode);

	cr_assert_not_null(file, "%s", path);
	return file;
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	cr_assert_not_null(extension, "%s", value);
	cr_assert_eq(X509_add_ext(certificate, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

static X509 *new_certificate(EVP_PKEY *key, const char *common_name, int days)
{
	static long serial = 1;
	X509 *certificate = X509_new();
	X509_NAME *name = X509_NAME_new();

	cr_assert(certificate && name && key);
	cr_assert(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					     (const unsigned char *)common_name, -1, -1, 0));
	cr_assert(X509_set_version(certificate, X509_VERSION_3) &&
		  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++) &&
		  X509_set_subject_name(certificate, name) &&
		  X509_gmtime_adj(X509_getm_notBefore(certificate),
				  (days - AGE_DAYS) * SECONDS_A_DAY) &&
		  X509_gmtime_adj(X509_getm_notAfter(certificate), days * SECONDS_A_DAY) &&
		  X509_set_pubkey(certificate, key));
	X509_NAME_free(name);
	return certificate;
}

static void sign_and_write(const char *name, X509 *certificate, EVP_PKEY *key, EVP_PKEY *signer)
{
	FILE *file = open_file(certificate_path(name), "w");

	cr_assert_gt(X509_sign(certificate, signer, EVP_sha256()), 0);
	cr_assert_eq(PEM_write_X509(file, certificate), 1);
	cr_assert_eq(fclose(file), 0);
	file = open_file(key_path(name), "w");
	cr_assert_eq(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
	cr_assert_eq(fclose(file), 0);
}

void make_authority(const char *name)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = new_certificate(key, name, 30);

	X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
	add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
	add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
	add_extension(certificate, certificate, NID_subject_key_identifier, "hash");
	sign_and_write(name, certificate, key, key);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

void make_certificate(const char *name, const char *authority, const char *host, int days)
{
	FILE *file = open_file(certificate_path(authority), "r");
	X509 *issuer = PEM_read_X509(file, NULL, NULL, NULL);
	EVP_PKEY *signer;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = new_certificate(key, host, days);

	(void)fclose(file);
	file = open_file(key_path(authority), "r");
	signer = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	(void)fclose(file);
	cr_assert(issuer && signer);
	X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
	add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE");
	add_extension(certificate, issuer, NID_key_usage, "critical,digitalSignature");
	add_extension(certificate, issuer, NID_subject_key_identifier, "hash");
	add_extension(certificate, issuer, NID_authority_key_identifier, "keyid:always");
	add_extension(certificate, issuer, NID_subject_alt_name, text("DNS:%s", host));
	sign_and_write(name, certificate, key, signer);
	X509_free(certificate);
	X509_free(issuer);
	EVP_PKEY_free(key);
	EVP_PKEY_free(signer);
}

const char *const *sink_with_certificate(const char *name)
{
	return join_words(WORDS("--cert", certificate_path(name), "--key", key_path(name)),
			  NO_WORDS);
}

const char *const *sink_with_chain(const char *name, const char *authority)
{
	const char *chain = test_file(text("%s-chain.pem", name),
				      text("%s%s", read_file(certificate_path(name), NULL),
					   read_file(certificate_path(authority), NULL)));

	return join_words(WORDS("--cert", chain, "--key", key_path(name)), NO_WORDS);
}

const char *tlsa_record(unsigned usage, const char *name)
{
	FILE *file = open_file(certificate_path(name), "r");
	X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
	unsigned char *der = NULL;
	int length = i2d_X509(certificate, &der);
	char hex[8192] = "";

	(void)fclose(file);
	cr_assert(length > 0 && (size_t)length < sizeof(hex) / 2);
	for (int i = 0; i < length; i++)
		(void)sprintf(hex + (size_t)i * 2, "%02x", der[i]);
	OPENSSL_free(der);
	X509_free(certificate);
	return text("%u 0 0 %s", usage, hex);
}
