/*
 * The facts that OpenSSL can tell of a handshake, in the words of the model.
 */
#ifndef TLSWITNESS_OPENSSL_FACTS_H
#define TLSWITNESS_OPENSSL_FACTS_H

#include "shim/core/library_view.h"
#include "shim/openssl/openssl_library.h"

/*
 * Fills `view` but for what only the hooks know (began, random). To be called
 * by the thread that uses `ssl`, right after the handshake's end. May push to
 * OpenSSL's error queue: the caller sets a mark before and pops to it.
 * `system_error` is the errno that the failed call left; 0: no call failed.
 * `reason` says what was wrong with the certificate, where that was the end.
 */
void openssl_facts(struct library_view *view, const struct ssl_library *library, SSL *ssl,
		   bool established, int system_error, enum record_reason reason);

#endif
