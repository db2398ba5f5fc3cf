/*
 * The real function behind each hook: one table for libc, one for each loaded
 * libssl and libcrypto.
 *
 * RTLD_NEXT is no help for the latter: Python and Perl load their TLS module
 * with RTLD_LOCAL, which puts libssl outside the global scope. So the loaded
 * objects that define the function are looked for, and where there are several,
 * the one that the caller is linked with is taken.
 */
#ifndef TLSWITNESS_REAL_H
#define TLSWITNESS_REAL_H

#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "shim/openssl/openssl_api.h"

/* Marks a hook. Everything else in this library is hidden. */
#define EXPORT __attribute__((visibility("default")))

/* Siblings that libc exports without declaring them. */
int __connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t length);
ssize_t __read(int fd, void *buffer, size_t count);
ssize_t __read_chk(int fd, void *buffer, size_t count, size_t room);
ssize_t __recv_chk(int fd, void *buffer, size_t count, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *buffer, size_t count, size_t room, int flags,
		       struct sockaddr *address, socklen_t *length);
ssize_t __write(int fd, const void *buffer, size_t count);
ssize_t __send(int fd, const void *buffer, size_t count, int flags);
int __dup2(int old_fd, int new_fd);
int __fcntl(int fd, int command, ...);
int __close(int fd);

#define HOOK_LIBC(name)   __typeof__(name) *name;
#define HOOK_LOADER(name) __typeof__(name) *name;
#define HOOK_SSL(name)
#define HOOK_CRYPTO(name)
#define HOOK(family, name, base) HOOK_##family(name)
/* Pointers that are NULL belong to functions that this libc does not have. */
struct real_libc {
#include "shim/hooks/hooks.def"
};
#undef HOOK_LIBC
#undef HOOK_LOADER
#undef HOOK_SSL
#undef HOOK_CRYPTO

extern struct real_libc real_libc;

/* Fills real_libc. At start, or at the first call of a hook before that. */
void real_libc_find(void);

#define HOOK_LIBC(name)
#define HOOK_LOADER(name)
#define HOOK_SSL(name)
#define HOOK_CRYPTO(name) __typeof__(name) *name;
/* One loaded libcrypto. Hooks first, then what we ask it; NULL where it has none. */
struct crypto_library {
#include "shim/hooks/hooks.def"
#define CALL_SSL(name)
#define CALL_CRYPTO(name)  __typeof__(name) *name;
#define CALL(family, name) CALL_##family(name)
#include "shim/openssl/openssl_calls.def"
#undef CALL_SSL
#undef CALL_CRYPTO
	uintptr_t base;
	char name[32]; /* "OpenSSL 3.0.19" */
};
#undef HOOK_SSL
#undef HOOK_CRYPTO

#define HOOK_SSL(name) __typeof__(name) *name;
#define HOOK_CRYPTO(name)
/* One loaded libssl. */
struct ssl_library {
#include "shim/hooks/hooks.def"
#define CALL_SSL(name) __typeof__(name) *name;
#define CALL_CRYPTO(name)
#include "shim/openssl/openssl_calls.def"
#undef CALL_SSL
#undef CALL_CRYPTO
	uintptr_t base;
	const struct crypto_library *crypto; /* the one that it is linked with */
	bool understood; /* an OpenSSL that we may ask: else its hooks only pass through */
};
#undef CALL
#undef HOOK_LIBC
#undef HOOK_LOADER
#undef HOOK_SSL
#undef HOOK_CRYPTO
#undef HOOK

/*
 * The library whose function was meant by the call that will return to
 * `return_address`, or NULL if none is loaded that has it. A return address of
 * our own (libssl jumps from SSL_connect to SSL_do_handshake through our hook)
 * means the library that this thread entered last. Lock-free after the first
 * call from a place.
 */
const struct ssl_library *real_ssl_library(const void *return_address);
const struct crypto_library *real_crypto_library(const void *return_address);

/* The address of `name` in the global scope (RTLD_DEFAULT), or NULL. */
void *real_symbol_global(const char *name);

/*
 * The hook in front of the function `name` at `address`, that `caller` has
 * found by dlsym; NULL if there is none, or if a call through the hook from
 * there would reach another library than the caller asked.
 */
void *real_openssl_hook(const char *name, const void *caller, const void *address);

#endif
