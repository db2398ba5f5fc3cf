/*
 * Which versions a connection's OpenSSL settings leave open.
 */
#ifndef TLSWITNESS_OPENSSL_VERSIONS_H
#define TLSWITNESS_OPENSSL_VERSIONS_H

#include <stdint.h>

#include "shim/openssl/openssl_library.h"
#include "shim/wire/tls_wire.h"

/* Not in every version's header. */
#ifndef SSL_CTRL_GET_MIN_PROTO_VERSION
#define SSL_CTRL_GET_MIN_PROTO_VERSION 130
#define SSL_CTRL_GET_MAX_PROTO_VERSION 131
#endif

struct openssl_versions {
	uint16_t configured_min; /* 0: none was set */
	uint16_t configured_max;
	uint16_t lowest; /* that settings, options and security level allow; 0: none */
	uint16_t highest;
};

void openssl_versions_read(struct openssl_versions *versions, const struct ssl_library *library,
			   SSL *ssl);

#endif
