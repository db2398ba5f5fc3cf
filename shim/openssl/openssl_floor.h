/*
 * The floor, by OpenSSL's own means: the application then meets OpenSSL's own
 * refusal, through its own error queue.
 */
#ifndef TLSWITNESS_OPENSSL_FLOOR_H
#define TLSWITNESS_OPENSSL_FLOOR_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/core/enforcement.h"
#include "shim/openssl/openssl_versions.h"
#include "shim/openssl/openssl_library.h"

/*
 * Before each step of the handshake of a connection in scope: raises the
 * minimum to the floor, and in upgrade mode lifts what would leave nothing at
 * or above it. Never lowers a minimum. True if the application would have
 * accepted less, so that a failure over the version is our doing. `found` are
 * the settings as they were before.
 */
bool openssl_floor_raise(const struct ssl_library *library, SSL *ssl,
			 const struct enforcement_policy *policy, struct openssl_versions *found);

/*
 * Is this connection's context made for one version below the floor only? A
 * minimum does nothing there: it has to be refused.
 */
bool openssl_floor_is_pinned_below(const struct ssl_library *library, SSL *ssl,
				   const struct enforcement_policy *policy);

/*
 * A context made for one version below the floor does not know minimum and
 * maximum. The flexible method to take instead, and in `pin` the version that
 * the context is then to be limited to; `method` itself and 0 where nothing is
 * to be changed.
 */
const SSL_METHOD *openssl_floor_flexible(const struct ssl_library *library,
					 const SSL_METHOD *method, uint16_t *pin);

/* "TLSv1_client_method" where `method` is made for one version below TLS 1.3, else NULL. Static. */
const char *openssl_floor_pinned_name(const struct ssl_library *library, const SSL_METHOD *method);

/* Limits a context to one version, by minimum and maximum. */
void openssl_floor_pin(const struct ssl_library *library, SSL_CTX *context, uint16_t pin);

/* Puts the error into OpenSSL's queue that it has for versions that are off. */
void openssl_floor_raise_error(const struct ssl_library *library);

/* Is the queue's last error about the version, the peer's alert included? */
bool openssl_floor_is_version_error(const struct ssl_library *library);

#endif
