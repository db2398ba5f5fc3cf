/*
 * Makes a certificate in memory. It knows OpenSSL and no settings of the sink.
 *
 * P-256 rather than RSA: the key is there in a millisecond, and its signature
 * costs a busy sink a tenth of RSA's. Every client that speaks TLS 1.0 with
 * elliptic curves (RFC 8422) takes it; for one that does not, the sink takes
 * an RSA certificate from a file.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "tools/sink/sink_certificate.h"
#include "tools/sink/openssl_3.h"

#define SECONDS_A_DAY (24L * 60 * 60)

static bool is_address(const char *name)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

static bool add_extension(X509 *certificate, int nid, const char *value)
{
	X509V3_CTX context;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	if (extension == NULL)
		return false;
	bool ok = X509_add_ext(certificate, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return ok;
}

static bool add_name(GENERAL_NAMES *names, const char *name)
{
	/* No configuration syntax comes in between: a name with a comma is a name with a comma. */
	int type = is_address(name) ? GEN_IPADD : GEN_DNS;
	GENERAL_NAME *entry = a2i_GENERAL_NAME(NULL, NULL, NULL, type, name, 0);
	if (entry == NULL)
		return false;
	if (sk_GENERAL_NAME_push(names, entry) == 0) {
		GENERAL_NAME_free(entry);
		return false;
	}
	return true;
}

static bool add_names(X509 *certificate, const char *const *added, unsigned count)
{
	static const char *const always[] = {"localhost", "127.0.0.1", "::1"};
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	bool ok = names != NULL;

	for (size_t i = 0; ok && i < sizeof(always) / sizeof(always[0]); i++)
		ok = add_name(names, always[i]);
	for (unsigned i = 0; ok && i < count; i++)
		ok = add_name(names, added[i]);
	ok = ok && X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, 0) == 1;
	GENERAL_NAMES_free(names);
	return ok;
}

/* Random, so that no two runs share issuer and serial: NSS refuses a second such certificate. */
static bool set_serial(X509 *certificate)
{
	uint64_t serial = 0;

	if (RAND_bytes((unsigned char *)&serial, sizeof(serial)) != 1)
		return false;
	/* RFC 5280, 4.1.2.2: positive. */
	return ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1 | 1) == 1;
}

static bool set_names_and_times(X509 *certificate)
{
	X509_NAME *subject = X509_get_subject_name(certificate);

	/* A day back, for a client whose clock is a little behind. */
	return X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
					  (const unsigned char *)"localhost", -1, -1, 0) == 1 &&
	       X509_set_issuer_name(certificate, subject) == 1 &&
	       X509_gmtime_adj(X509_getm_notBefore(certificate), -SECONDS_A_DAY) != NULL &&
	       X509_gmtime_adj(X509_getm_notAfter(certificate), 30 * SECONDS_A_DAY) != NULL;
}

static bool fill(X509 *certificate, EVP_PKEY *key, const char *const *names, unsigned count)
{
	return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
	       set_names_and_times(certificate) && X509_set_pubkey(certificate, key) == 1 &&
	       add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
	       add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
	       add_extension(certificate, NID_subject_key_identifier, "hash") &&
	       add_names(certificate, names, count) &&
	       X509_sign(certificate, key, EVP_sha256()) != 0;
}

bool sink_certificate_make(SSL_CTX *context, const char *const *names, unsigned count)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();

	bool ok = key != NULL && certificate != NULL && fill(certificate, key, names, count) &&
		  SSL_CTX_use_certificate(context, certificate) == 1 &&
		  SSL_CTX_use_PrivateKey(context, key) == 1;
	X509_free(certificate);
	EVP_PKEY_free(key);
	return ok;
}

bool sink_certificate_write(const SSL_CTX *context, const char *path)
{
	FILE *file = fopen(path, "we");
	if (file == NULL)
		return false;
	bool ok = PEM_write_X509(file, SSL_CTX_get0_certificate(context)) == 1;
	/* The last bytes may fail only here. */
	if (fclose(file) != 0)
		ok = false;
	return ok;
}
