/*
 * The floor, by GnuTLS's own means: the session's own priorities without the
 * versions below it. The application then meets GnuTLS's own error.
 */
#ifndef TLSWITNESS_GNUTLS_FLOOR_H
#define TLSWITNESS_GNUTLS_FLOOR_H

#include <stdbool.h>

#include "shim/core/enforcement.h"
#include "shim/gnutls/gnutls_sessions.h"

enum gnutls_floor {
	GNUTLS_FLOOR_KEPT,      /* nothing below it was allowed, or what is allowed is not known */
	GNUTLS_FLOOR_RAISED,    /* a failure over the version is our doing from now on */
	GNUTLS_FLOOR_NONE_LEFT, /* nothing at or above it is allowed: to be refused */
};

/*
 * Before the first step of the handshake of a connection in scope: takes the
 * versions below the floor away, and in upgrade mode adds those above it where
 * none is left. Takes nothing else away and lifts nothing else: what the
 * application has set beside its priorities is set again.
 */
enum gnutls_floor gnutls_floor_raise(const struct gnutls_library *library, gnutls_session_t session,
				     struct gnutls_client *client,
				     const struct enforcement_policy *policy);

/* Is this failed call's error about the version, the peer's alert included? */
bool gnutls_floor_is_version_error(const struct gnutls_library *library, gnutls_session_t session,
				   int error);

#endif
