/*
 * The real functions behind GnuTLS's hooks, and what else we ask of it: one
 * table for each libgnutls in the process.
 */
#ifndef TLSWITNESS_GNUTLS_LIBRARY_H
#define TLSWITNESS_GNUTLS_LIBRARY_H

#include "shim/base/library_hooks.h"
#include "shim/base/thread.h"
#include "shim/gnutls/gnutls_api.h"

/* A function that this version does not have is NULL. */
struct gnutls_library {
#define HOOK(name) __typeof__(name) *name;
#define CALL(name) __typeof__(name) *name;
#include "shim/gnutls/libgnutls_calls.def"
#include "shim/hooks/hooks_libgnutls.def"
#undef HOOK
#undef CALL
	char name[32]; /* "GnuTLS 3.7.9" */
};

extern const struct library_family gnutls_family;

/*
 * For a hook, with its return address: the library that its caller is bound to,
 * or NULL where that is unloaded by now. thread_state.caller says afterwards
 * who called.
 */
static inline const struct gnutls_library *gnutls_library(const void *return_address)
{
	thread_state.caller = return_address;
	return library_hooks_table(&gnutls_family, return_address);
}

#endif
