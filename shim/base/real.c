/*
 * Finds the real functions.
 */
#include "shim/base/real.h"

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "shim/base/loaded_objects.h"
#include "shim/base/thread.h"

#define LIBRARIES_MAX 6 /* more than one libssl in a process is rare, more than two unheard of */
#define CALLERS_MAX   1024
#define CALLER_WINDOW 4 /* neighbours among which an address may stand */

__thread struct thread_state thread_state;

struct real_libc real_libc;

/* Where a function's pointer is kept in one of the tables. */
struct slot {
	const char *name;
	size_t offset;
};

#define HOOK(family, name, base) HOOK_##family(name)

#define HOOK_LIBC(name) {#name, offsetof(struct real_libc, name)},
#define HOOK_LOADER(name)
#define HOOK_SSL(name)
#define HOOK_CRYPTO(name)
static const struct slot libc_slots[] = {
#include "shim/hooks/hooks.def"
};
#undef HOOK_LIBC

#define HOOK_LIBC(name)
#undef HOOK_SSL
#define HOOK_SSL(name)     {#name, offsetof(struct ssl_library, name)},
#define CALL(family, name) CALL_##family(name)
#define CALL_SSL(name)     {#name, offsetof(struct ssl_library, name)},
#define CALL_CRYPTO(name)
static const struct slot ssl_slots[] = {
#include "shim/hooks/hooks.def"
#include "shim/openssl/openssl_calls.def"
};
#undef HOOK_SSL
#undef HOOK_CRYPTO
#undef CALL_SSL
#undef CALL_CRYPTO

#define HOOK_SSL(name)
#define HOOK_CRYPTO(name) {#name, offsetof(struct crypto_library, name)},
#define CALL_SSL(name)
#define CALL_CRYPTO(name) {#name, offsetof(struct crypto_library, name)},
static const struct slot crypto_slots[] = {
#include "shim/hooks/hooks.def"
#include "shim/openssl/openssl_calls.def"
};
#undef HOOK_SSL
#undef HOOK_CRYPTO
#undef HOOK_LOADER

struct hook {
	const char *name;
	uintptr_t address;
};

#define HOOK_LOADER(name)
#define HOOK_SSL(name)    {#name, (uintptr_t)name},
#define HOOK_CRYPTO(name) {#name, (uintptr_t)name},
static const struct hook openssl_hooks[] = {
#include "shim/hooks/hooks.def"
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void fill(void *table, const struct slot *slot, void *address)
{
	memcpy((char *)table + slot->offset, &address, sizeof(address));
}

static const struct slot loader_slots[] = {
	{"dlsym", offsetof(struct real_libc, dlsym)},
	{"dlopen", offsetof(struct real_libc, dlopen)},
};

/*
 * libc's own dlsym. The name alone would find our hook, so it is asked for
 * under the version that glibc gave it: GLIBC_2.34 when libdl was joined to
 * libc, before that the port's first version.
 */
static void find_loader(void)
{
	static const char *const versions[] = {"GLIBC_2.34", "GLIBC_2.2.5", "GLIBC_2.17",
					       "GLIBC_2.0",  "GLIBC_2.4",   "GLIBC_2.27"};

	for (size_t i = 0; i < COUNT(versions); i++) {
		for (size_t j = 0; j < COUNT(loader_slots); j++) {
			void *address = dlvsym(RTLD_NEXT, loader_slots[j].name, versions[i]);

			if (address)
				fill(&real_libc, &loader_slots[j], address);
		}
		if (real_libc.dlsym && real_libc.dlopen)
			return;
	}
}

void real_libc_find(void)
{
	if (real_libc.dlsym)
		return;
	find_loader();
	for (size_t i = 0; real_libc.dlsym && i < COUNT(libc_slots); i++)
		fill(&real_libc, &libc_slots[i], real_libc.dlsym(RTLD_NEXT, libc_slots[i].name));
}

void *real_symbol_global(const char *name)
{
	real_libc_find();
	return real_libc.dlsym ? real_libc.dlsym(RTLD_DEFAULT, name) : NULL;
}

/* The libraries found so far. An entry is complete before `count` counts it, and never changes. */
static struct ssl_library ssl_libraries[LIBRARIES_MAX];
static struct crypto_library crypto_libraries[LIBRARIES_MAX];
static atomic_uint ssl_reserved;
static atomic_uint crypto_reserved;
static _Atomic bool ssl_ready[LIBRARIES_MAX];
static _Atomic bool crypto_ready[LIBRARIES_MAX];

/*
 * Return address -> library, a cache. An entry holds the address (shifted), the
 * library's index + 1, and whether the caller is that library itself, so that it
 * is read and written whole.
 */
#define CALLER_INDEX    7U
#define CALLER_INTERNAL 8U

typedef _Atomic uint64_t caller_cache[CALLERS_MAX + CALLER_WINDOW];
static caller_cache ssl_callers;
static caller_cache crypto_callers;

static _Atomic uint64_t *window_of(caller_cache cache, const void *caller)
{
	uintptr_t address = (uintptr_t)caller;

	return &cache[(address ^ (address >> 10)) % CALLERS_MAX];
}

static int cached_index(caller_cache cache, const void *caller, bool *internal)
{
	_Atomic uint64_t *window = window_of(cache, caller);

	for (int i = 0; i < CALLER_WINDOW; i++) {
		uint64_t entry = atomic_load_explicit(&window[i], memory_order_acquire);

		*internal = entry & CALLER_INTERNAL;
		if (entry >> 4 == (uintptr_t)caller)
			return (int)(entry & CALLER_INDEX) - 1;
	}
	return -1;
}

static void remember_index(caller_cache cache, const void *caller, int index, bool internal)
{
	_Atomic uint64_t *window = window_of(cache, caller);
	int chosen = 0;

	while (chosen < CALLER_WINDOW - 1 &&
	       atomic_load_explicit(&window[chosen], memory_order_relaxed) != 0)
		chosen++;
	atomic_store_explicit(&window[chosen],
			      ((uint64_t)(uintptr_t)caller << 4) | (unsigned)(index + 1) |
				      (internal ? CALLER_INTERNAL : 0),
			      memory_order_release);
}

static bool is_in(uintptr_t base, const void *address)
{
	struct loaded_object object = {0};

	return loaded_objects_at(address, &object) && object.base == base;
}

/* Of the objects that define `symbol`, the one that the caller means. */
static bool choose_object(const char *symbol, const void *caller, struct loaded_object *chosen)
{
	struct loaded_object candidates[LIBRARIES_MAX] = {0};
	struct loaded_object from = {0};
	unsigned count = loaded_objects_defining(symbol, candidates, LIBRARIES_MAX);

	if (count == 0)
		return false;
	*chosen = candidates[0];
	if (count == 1 || !loaded_objects_at(caller, &from))
		return true;
	for (unsigned i = 0; i < count; i++) {
		if (candidates[i].base == from.base) {
			*chosen = candidates[i];
			return true;
		}
	}
	for (unsigned i = 0; i < count; i++) {
		if (loaded_object_needs(&from, &candidates[i])) {
			*chosen = candidates[i];
			return true;
		}
	}
	return true;
}

/* The hook of this name, and the function by which its kind of library is known. */
static const struct hook *find_hook(const char *name, const char **known_by)
{
	for (size_t i = 0; i < COUNT(openssl_hooks); i++) {
		if (strcmp(openssl_hooks[i].name, name) != 0)
			continue;
		*known_by = strncmp(name, "BIO_", 4) == 0 ? "BIO_ctrl" : "SSL_connect";
		return &openssl_hooks[i];
	}
	return NULL;
}

void *real_openssl_hook(const char *name, const void *caller, const void *address)
{
	struct loaded_object chosen = {0};
	const char *known_by;
	const struct hook *hook = find_hook(name, &known_by);

	if (!hook || !choose_object(known_by, caller, &chosen) ||
	    loaded_object_function(&chosen, name) != address)
		return NULL;
	return (void *)hook->address;
}

static void fill_all(void *table, const struct slot *slots, size_t count,
		     const struct loaded_object *object)
{
	for (size_t i = 0; i < count; i++)
		fill(table, &slots[i], loaded_object_function(object, slots[i].name));
}

/* "OpenSSL 3.0.19" of "OpenSSL 3.0.19 27 Jan 2026". */
static void copy_name(struct crypto_library *library)
{
	const char *text = library->OpenSSL_version ? library->OpenSSL_version(0) : "";
	size_t length = 0;
	int words = 0;

	while (length < sizeof(library->name) - 1 && text[length]) {
		if (text[length] == ' ' && ++words == 2)
			break;
		length++;
	}
	memcpy(library->name, text, length);
	library->name[length] = '\0';
}

static int crypto_index(const void *caller)
{
	struct loaded_object object = {0};
	unsigned index;

	if (!choose_object("BIO_ctrl", caller, &object))
		return -1;
	for (index = 0; index < LIBRARIES_MAX; index++) {
		if (atomic_load(&crypto_ready[index]) &&
		    crypto_libraries[index].base == object.base)
			return (int)index;
	}
	/* Two threads may both describe the same library: twice is not wrong. */
	index = atomic_fetch_add(&crypto_reserved, 1);
	if (index >= LIBRARIES_MAX)
		return -1;
	fill_all(&crypto_libraries[index], crypto_slots, COUNT(crypto_slots), &object);
	crypto_libraries[index].base = object.base;
	copy_name(&crypto_libraries[index]);
	atomic_store(&crypto_ready[index], true);
	return (int)index;
}

/*
 * May we ask this library about its connections? OpenSSL from 1.1.0 on has all
 * of these; libgnutls-openssl, whose SSL is another struct, has not.
 */
static bool is_understood(const struct ssl_library *library)
{
	const struct crypto_library *crypto = library->crypto;

	return library->SSL_is_init_finished && library->SSL_in_before && library->SSL_is_server &&
	       library->SSL_version && library->SSL_want && library->SSL_get_fd &&
	       library->SSL_get_rbio && library->SSL_get_wbio && library->SSL_get_client_random &&
	       library->SSL_get_current_cipher && library->SSL_CIPHER_get_id && crypto &&
	       crypto->BIO_test_flags && crypto->BIO_ctrl && crypto->ERR_peek_last_error &&
	       crypto->ERR_set_mark && crypto->ERR_pop_to_mark;
}

static void describe_ssl(struct ssl_library *library, const struct loaded_object *object)
{
	fill_all(library, ssl_slots, COUNT(ssl_slots), object);
	if (!library->SSL_get1_peer_certificate) {
		void *address = loaded_object_function(object, "SSL_get_peer_certificate");

		memcpy(&library->SSL_get1_peer_certificate, &address, sizeof(address));
	}
	library->base = object->base;
	library->crypto = real_crypto_library((const void *)object->dynamic);
	library->understood = is_understood(library);
}

static int ssl_index(const void *caller)
{
	struct loaded_object object = {0};
	unsigned index;

	if (!choose_object("SSL_connect", caller, &object))
		return -1;
	for (index = 0; index < LIBRARIES_MAX; index++) {
		if (atomic_load(&ssl_ready[index]) && ssl_libraries[index].base == object.base)
			return (int)index;
	}
	index = atomic_fetch_add(&ssl_reserved, 1);
	if (index >= LIBRARIES_MAX)
		return -1;
	describe_ssl(&ssl_libraries[index], &object);
	atomic_store(&ssl_ready[index], true);
	return (int)index;
}

const struct ssl_library *real_ssl_library(const void *return_address)
{
	bool internal;
	int index = cached_index(ssl_callers, return_address, &internal);

	if (index < 0) {
		if (loaded_objects_is_own(return_address))
			return thread_state.ssl_library;
		index = ssl_index(return_address);
		if (index < 0)
			return NULL;
		internal = is_in(ssl_libraries[index].base, return_address);
		remember_index(ssl_callers, return_address, index, internal);
	}
	thread_state.ssl_library = &ssl_libraries[index];
	if (!internal)
		thread_state.caller = return_address;
	return thread_state.ssl_library;
}

const struct crypto_library *real_crypto_library(const void *return_address)
{
	bool internal;
	int index = cached_index(crypto_callers, return_address, &internal);

	if (index < 0) {
		if (loaded_objects_is_own(return_address))
			return thread_state.crypto_library;
		index = crypto_index(return_address);
		if (index < 0)
			return NULL;
		remember_index(crypto_callers, return_address, index, false);
	}
	thread_state.crypto_library = &crypto_libraries[index];
	return thread_state.crypto_library;
}
