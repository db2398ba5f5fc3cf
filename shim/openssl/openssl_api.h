/*
 * OpenSSL's declarations, and those of its functions that only some of the
 * versions we meet declare (the header may be 1.1's and the library 3's, or
 * the other way round).
 */
#ifndef TLSWITNESS_OPENSSL_API_H
#define TLSWITNESS_OPENSSL_API_H

/* We ask for whatever a host may use, old calls included: as 3.0 has it, and 1.1. */
#define OPENSSL_SUPPRESS_DEPRECATED
#define DECLARE_DEPRECATED(declaration) declaration;

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

/* Macros or absent where the header's version has no such function. */
#undef ERR_put_error
void ERR_put_error(int library, int function, int reason, const char *file, int line);
void ERR_new(void);
void ERR_set_error(int library, int reason, const char *format, ...);
const SSL_METHOD *SSLv3_method(void);
const SSL_METHOD *SSLv3_client_method(void);

/* 3.0 and later; the same function is SSL_get_peer_certificate before. */
X509 *SSL_get1_peer_certificate(const SSL *ssl);
/* 3.0 and later. */
#if OPENSSL_VERSION_NUMBER < 0x30000000L
typedef struct ossl_lib_ctx_st OSSL_LIB_CTX;
#endif
SSL_CTX *SSL_CTX_new_ex(OSSL_LIB_CTX *library, const char *properties, const SSL_METHOD *method);
char *X509_VERIFY_PARAM_get1_ip_asc(X509_VERIFY_PARAM *param);

#endif
