/*
 * OpenSSL as the client of a probe: for the connection that completes its handshake and learns
 * the certificate. No configuration file, no security level and no list of ciphers of this host
 * takes part.
 */
#ifndef TLSWITNESS_PROBE_TLS_H
#define TLSWITNESS_PROBE_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

/* NULL, with a complaint made, if OpenSSL does not start. Must be its first use in the process. */
SSL_CTX *probe_tls_context(void);

/*
 * A client of this one version over two memory BIOs; `server_name` may be NULL. NULL if this
 * OpenSSL has not the version, or no memory.
 */
SSL *probe_tls_new(SSL_CTX *context, uint16_t version, const char *server_name);

enum probe_tls_step { PROBE_TLS_GOES_ON, PROBE_TLS_DONE, PROBE_TLS_FAILED };

/* Gives it the server's bytes and goes on with the handshake as far as it can. */
enum probe_tls_step probe_tls_feed(SSL *ssl, const uint8_t *bytes, size_t length);

/* Bytes for the server, at most `size`; 0: none. */
size_t probe_tls_take(SSL *ssl, uint8_t *bytes, size_t size);

/* True if it failed by an alert of the server, of which `alert` is then the description. */
bool probe_tls_alert(uint8_t *alert);

/* Why it failed, in OpenSSL's words; a static string. */
const char *probe_tls_reason(void);

#endif
