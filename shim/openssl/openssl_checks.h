/*
 * How the server's certificate was checked: by OpenSSL in the handshake, and by
 * the application after it or in a callback, as far as that goes through
 * OpenSSL's calls.
 */
#ifndef TLSWITNESS_OPENSSL_CHECKS_H
#define TLSWITNESS_OPENSSL_CHECKS_H

#include "shim/core/tls_object.h"
#include "shim/openssl/openssl_library.h"

/* After a handshake: what OpenSSL has verified, and what the application has read in callbacks. */
void openssl_checks_read(struct tls_object *object, const struct ssl_library *library, SSL *ssl,
			 bool established);

/* RFC 8460, 4.3: the result type that an X.509 verification error belongs to. */
enum record_reason openssl_checks_failure(long error);

/* The application was told the result of OpenSSL's verification. Keeps errno, as do all below. */
void openssl_checks_result(SSL *ssl, long result);

/* It had a certificate compared with a name or an address, and it did match or not. */
void openssl_checks_name(const struct ssl_library *library, const X509 *certificate, bool matches);

/* It has read a certificate's names, to compare them by itself. */
void openssl_checks_names_read(const struct ssl_library *library, const X509 *certificate);

/* It has taken a certificate's fingerprint. */
void openssl_checks_fingerprint(const struct ssl_library *library, const X509 *certificate);

#endif
