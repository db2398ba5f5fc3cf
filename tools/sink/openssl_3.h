/*
 * What is used of OpenSSL 3, for a build against the headers of 1.1.1 (Debian
 * 11), where it is missing.
 */
#ifndef TLSWITNESS_OPENSSL_3_H
#define TLSWITNESS_OPENSSL_3_H

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#if OPENSSL_VERSION_NUMBER < 0x30000000L

#include <openssl/ec.h>

#define X509_VERSION_3 2L

/* 1.1.1 takes such an end for what it is anyway. */
#define SSL_OP_IGNORE_UNEXPECTED_EOF 0

/* 1.1.1 does not tell the server which group it chose. */
static inline int SSL_get_negotiated_group(SSL *ssl)
{
	(void)ssl;
	return 0;
}

static inline const char *SSL_group_to_name(SSL *ssl, int group)
{
	(void)ssl;
	(void)group;
	return NULL;
}

/* To be freed by the caller; NULL without memory or for a curve that is none. */
static inline EVP_PKEY *EVP_EC_gen(const char *curve)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
	EVP_PKEY *key = NULL;

	if (context == NULL || EVP_PKEY_keygen_init(context) != 1 ||
	    EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, EC_curve_nist2nid(curve)) != 1 ||
	    EVP_PKEY_CTX_set_ec_param_enc(context, OPENSSL_EC_NAMED_CURVE) != 1 ||
	    EVP_PKEY_keygen(context, &key) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(context);
	return key;
}

#endif

#endif
