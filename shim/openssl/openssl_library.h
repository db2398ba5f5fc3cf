/*
 * The real functions behind OpenSSL's hooks, and what else we ask of it: one
 * table for each libssl in the process, with the libcrypto that it needs.
 */
#ifndef TLSWITNESS_OPENSSL_LIBRARY_H
#define TLSWITNESS_OPENSSL_LIBRARY_H

#include "shim/base/library_hooks.h"
#include "shim/base/thread.h"
#include "shim/openssl/openssl_api.h"

/* A function that this version does not have is NULL. */
#define HOOK(name) __typeof__(name) *name;
#define CALL(name) __typeof__(name) *name;

struct crypto_library {
#include "shim/hooks/hooks_libcrypto.def"
#include "shim/openssl/libcrypto_calls.def"
	char name[32]; /* "OpenSSL 3.0.19" */
};

struct ssl_library {
#include "shim/hooks/hooks_libssl.def"
#include "shim/openssl/libssl_calls.def"
	struct crypto_library crypto;
};

#undef HOOK
#undef CALL

extern const struct library_family openssl_family;

/*
 * For a hook, with its return address: the library that its caller is bound to,
 * or NULL where that is unloaded by now. thread_state.caller says afterwards
 * who called.
 */
static inline const struct ssl_library *openssl_library(const void *return_address)
{
	thread_state.caller = return_address;
	return library_hooks_table(&openssl_family, return_address);
}

#endif
