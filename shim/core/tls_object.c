/*
 * A table of chains, hashed by the object's address. An entry stays in its chain
 * for good and is used again for another object of the same chain, so that a
 * look-up needs no lock.
 */
#include "shim/core/tls_object.h"

#include <string.h>

#include "shim/core/hello.h"
#include "shim/core/origin_pool.h"
#include "shim/core/recorder.h"
#include "shim/core/slab.h"

#define CHAINS_BITS 12
#define CHAINS      (1U << CHAINS_BITS)

struct chained {
	struct tls_object object; /* first */
	uint32_t next;            /* number + 1; 0: the last one */
};

static struct slab objects = {.size = sizeof(struct chained), .first = 32};
static _Atomic uint32_t chains[CHAINS]; /* the first one's number + 1 */

static _Atomic uint32_t *chain_of(const void *object)
{
	/* Fibonacci hashing; the low bits of an allocation are always the same. */
	uint64_t hash = ((uintptr_t)object >> 4) * UINT64_C(0x9E3779B97F4A7C15);

	return &chains[hash >> (64 - CHAINS_BITS)];
}

static struct chained *at(uint32_t link)
{
	return link == 0 ? NULL : slab_at(&objects, link - 1);
}

struct tls_object *tls_object_find(const void *object)
{
	struct chained *entry = at(atomic_load_explicit(chain_of(object), memory_order_acquire));

	for (; entry; entry = at(entry->next)) {
		if (atomic_load_explicit(&entry->object.object, memory_order_acquire) == object)
			return &entry->object;
	}
	return NULL;
}

static void reset(struct tls_object *entry)
{
	hello_forget(entry->hello);
	entry->hello = HELLO_NONE;
	entry->done = false;
	entry->raised = false;
	entry->refused = false;
	entry->asked.known = false;
	entry->random_known = false;
	entry->checks = (struct certificate_checks){0};
	entry->certificate = 0;
	atomic_store(&entry->busy, false);
	entry->undecided = NULL;
	origin_pool_free(entry->origin);
	entry->origin = NULL;
	entry->began = recorder_clock();
}

/* One of the chain that is nobody's, for `object` from now on. */
static struct tls_object *claim_free(_Atomic uint32_t *chain, const void *object)
{
	struct chained *entry = at(atomic_load_explicit(chain, memory_order_acquire));

	for (; entry; entry = at(entry->next)) {
		const void *nobody = NULL;

		if (atomic_compare_exchange_strong(&entry->object.object, &nobody, object))
			return &entry->object;
	}
	return NULL;
}

static struct tls_object *claim(const void *object)
{
	_Atomic uint32_t *chain = chain_of(object);
	struct tls_object *free_one = claim_free(chain, object);
	struct chained *entry;
	uint32_t number;

	if (free_one)
		return free_one;
	entry = slab_claim(&objects, &number);
	if (!entry)
		return NULL;
	memset(entry, 0, sizeof(*entry));
	entry->object.hello = HELLO_NONE;
	atomic_store(&entry->object.object, object);
	entry->next = atomic_load(chain);
	while (!atomic_compare_exchange_weak(chain, &entry->next, number + 1))
		;
	return &entry->object;
}

struct tls_object *tls_object_begin(const void *object)
{
	struct tls_object *entry = tls_object_find(object);
	struct connection *undecided = entry ? entry->undecided : NULL;

	if (!entry)
		entry = claim(object);
	if (entry)
		reset(entry);
	if (undecided)
		connection_release(undecided);
	return entry;
}

struct tls_object *tls_object_prepare(const void *object)
{
	struct tls_object *entry = tls_object_find(object);

	if (entry && !entry->done && !entry->random_known)
		return entry;
	return tls_object_begin(object);
}

void tls_object_set_random(struct tls_object *entry, const uint8_t random[TLS_RANDOM_SIZE])
{
	if (entry->random_known)
		return;
	memcpy(entry->client_random, random, TLS_RANDOM_SIZE);
	entry->random_known = true;
	if (!entry->done)
		entry->hello = hello_expect(random, &entry->done);
}

void tls_object_set_done(struct tls_object *entry)
{
	hello_forget(entry->hello);
	entry->hello = HELLO_NONE;
	entry->done = true;
}

void tls_object_forget(struct tls_object *entry)
{
	struct connection *undecided = entry->undecided;

	reset(entry);
	atomic_store_explicit(&entry->object, NULL, memory_order_release);
	if (undecided)
		connection_release(undecided);
}

struct origin *tls_object_claim_origin(void)
{
	return origin_pool_claim();
}

void tls_object_free_origin(struct origin *origin)
{
	origin_pool_free(origin);
}
