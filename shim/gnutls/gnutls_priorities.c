#include "shim/gnutls/gnutls_priorities.h"

#include <stdatomic.h>
#include <string.h>

#include "shim/wire/tls_wire.h"

#define STRINGS_MAX 32
#define CACHES_MAX  64
#define WINDOW      8

/* ---- the strings ---- */

enum state { FREE, BEING_FILLED, READY };

struct entry {
	_Atomic int state;
	struct gnutls_priorities priorities;
	char text[GNUTLS_PRIORITIES_TEXT_MAX];
};

static struct entry entries[STRINGS_MAX];

uint16_t gnutls_version_on_wire(unsigned protocol)
{
	return protocol >= 1 && protocol <= GNUTLS_TLS1_3
		       ? (uint16_t)(TLS_VERSION_SSL_3_0 + protocol - 1)
		       : 0;
}

static bool is_same(const struct gnutls_priorities *one, const struct gnutls_priorities *other)
{
	if (one->flags != other->flags || one->versions != other->versions)
		return false;
	if (!one->text || !other->text)
		return one->text == other->text;
	return strcmp(one->text, other->text) == 0;
}

/* In order and never given back; two threads may both keep the same: twice is not wrong. */
static const struct gnutls_priorities *keep(const struct gnutls_priorities *priorities)
{
	const size_t length = priorities->text ? strlen(priorities->text) : 0;

	if (length >= GNUTLS_PRIORITIES_TEXT_MAX)
		return NULL;
	for (int i = 0; i < STRINGS_MAX; i++) {
		struct entry *entry = &entries[i];
		int expected = FREE;

		if (atomic_load_explicit(&entry->state, memory_order_acquire) == READY &&
		    is_same(&entry->priorities, priorities))
			return &entry->priorities;
		if (!atomic_compare_exchange_strong(&entry->state, &expected, BEING_FILLED))
			continue;
		entry->priorities = *priorities;
		if (priorities->text) {
			memcpy(entry->text, priorities->text, length + 1);
			entry->priorities.text = entry->text;
		}
		atomic_store_explicit(&entry->state, READY, memory_order_release);
		return &entry->priorities;
	}
	return NULL;
}

static unsigned read_versions(const struct gnutls_library *library, gnutls_priority_t cache)
{
	const unsigned *protocols;
	int count = library->gnutls_priority_protocol_list(cache, &protocols);
	unsigned versions = 0;

	for (int i = 0; i < count; i++) {
		uint16_t version = gnutls_version_on_wire(protocols[i]);

		if (version)
			versions |= 1U << (version - TLS_VERSION_SSL_3_0);
	}
	return versions;
}

uint16_t gnutls_versions_lowest(unsigned versions)
{
	for (uint16_t i = 0; i < TLS_OFFERED_MAX; i++) {
		if (versions & (1U << i))
			return TLS_VERSION_SSL_3_0 + i;
	}
	return 0;
}

uint16_t gnutls_versions_highest(unsigned versions)
{
	for (uint16_t i = TLS_OFFERED_MAX; i-- > 0;) {
		if (versions & (1U << i))
			return TLS_VERSION_SSL_3_0 + i;
	}
	return 0;
}

/* ---- the caches that were made of them ---- */

struct cache {
	_Atomic(const void *) cache; /* NULL: free */
	_Atomic(const struct gnutls_priorities *) priorities;
};

static struct cache caches[CACHES_MAX + WINDOW];

static struct cache *window_of(const void *cache)
{
	/* Fibonacci hashing; the low bits of an allocation are always the same. */
	uint64_t hash = ((uintptr_t)cache >> 4) * UINT64_C(0x9E3779B97F4A7C15);

	return &caches[hash >> (64 - 6)];
}

_Static_assert(CACHES_MAX == 1 << 6, "window_of takes the upper six bits");

static struct cache *find(const void *cache)
{
	struct cache *window = window_of(cache);

	for (int i = 0; i < WINDOW; i++) {
		if (atomic_load_explicit(&window[i].cache, memory_order_acquire) == cache)
			return &window[i];
	}
	return NULL;
}

static void remember(const void *cache, const struct gnutls_priorities *priorities)
{
	struct cache *window = window_of(cache);
	struct cache *chosen = find(cache);

	for (int i = 0; i < WINDOW && !chosen; i++) {
		const void *expected = NULL;

		if (atomic_compare_exchange_strong(&window[i].cache, &expected, cache))
			chosen = &window[i];
	}
	if (chosen)
		atomic_store_explicit(&chosen->priorities, priorities, memory_order_release);
}

const struct gnutls_priorities *gnutls_priorities_made(const struct gnutls_library *library,
						       gnutls_priority_t cache, const char *text,
						       unsigned flags)
{
	struct gnutls_priorities priorities = {text, flags, read_versions(library, cache)};
	const struct gnutls_priorities *kept = keep(&priorities);

	gnutls_priorities_gone(cache); /* whatever the address meant before */
	if (kept)
		remember(cache, kept);
	return kept;
}

const struct gnutls_priorities *gnutls_priorities_of(gnutls_priority_t cache)
{
	const struct cache *entry = find(cache);

	return entry ? atomic_load_explicit(&entry->priorities, memory_order_acquire) : NULL;
}

void gnutls_priorities_gone(gnutls_priority_t cache)
{
	struct cache *entry = cache ? find(cache) : NULL;

	if (!entry)
		return;
	atomic_store_explicit(&entry->priorities, NULL, memory_order_relaxed);
	atomic_store_explicit(&entry->cache, NULL, memory_order_release);
}
