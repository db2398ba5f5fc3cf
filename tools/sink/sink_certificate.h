/*
 * A certificate for the sink, made in memory: P-256, self-signed, good for a
 * month, for localhost, 127.0.0.1, ::1 and whatever names are added.
 */
#ifndef TLSWITNESS_SINK_CERTIFICATE_H
#define TLSWITNESS_SINK_CERTIFICATE_H

#include <stdbool.h>

#include <openssl/ssl.h>

/*
 * Makes a key and its certificate and has `context` use them. `names` are host
 * names or addresses. False if OpenSSL could not; the reason is in its error queue.
 */
bool sink_certificate_make(SSL_CTX *context, const char *const *names, unsigned count);

/* Writes the certificate that `context` uses as PEM; false with errno set. */
bool sink_certificate_write(const SSL_CTX *context, const char *path);

#endif
