/*
 * A table of fixed size, hashed by the object's address. A lookup probes a
 * window of neighbours, so an entry can be freed without marks.
 */
#include "shim/core/tls_object.h"

#include <string.h>

#include "shim/core/guard.h"
#include "shim/core/hello.h"
#include "shim/core/recorder.h"

#define OBJECTS_MAX 4096
#define WINDOW      16

static struct tls_object objects[OBJECTS_MAX + WINDOW];

/*
 * Origins are large and wanted only until the handshake has its record, so they
 * have a pool of their own.
 */
#define ORIGINS_MAX 512

static struct origin origins[ORIGINS_MAX];
static _Atomic bool origin_taken[ORIGINS_MAX];

struct origin *tls_object_claim_origin(void)
{
	for (int i = 0; i < ORIGINS_MAX; i++) {
		if (!atomic_exchange_explicit(&origin_taken[i], true, memory_order_acquire))
			return &origins[i];
	}
	return NULL;
}

void tls_object_free_origin(struct origin *origin)
{
	if (origin)
		atomic_store_explicit(&origin_taken[origin - origins], false, memory_order_release);
}

static struct tls_object *window_of(const void *object)
{
	/* Fibonacci hashing; the low bits of an allocation are always the same. */
	uint64_t hash = ((uintptr_t)object >> 4) * UINT64_C(0x9E3779B97F4A7C15);

	return &objects[hash >> (64 - 12)];
}

_Static_assert(OBJECTS_MAX == 1 << 12, "window_of takes the upper twelve bits");

struct tls_object *tls_object_find(const void *object)
{
	struct tls_object *window = window_of(object);

	for (int i = 0; i < WINDOW; i++) {
		if (atomic_load_explicit(&window[i].object, memory_order_acquire) == object)
			return &window[i];
	}
	return NULL;
}

static void reset(struct tls_object *entry)
{
	hello_forget(&entry->done);
	entry->done = false;
	entry->raised = false;
	entry->refused = false;
	entry->asked.known = false;
	entry->random_known = false;
	entry->checks = (struct certificate_checks){0};
	entry->certificate = 0;
	atomic_store(&entry->busy, false);
	entry->undecided = NULL;
	tls_object_free_origin(entry->origin);
	entry->origin = NULL;
	entry->began = recorder_clock();
}

/* A free entry, else one whose record is out and which nothing waits for. */
static struct tls_object *claim(const void *object)
{
	struct tls_object *window = window_of(object);
	struct tls_object *chosen = NULL;

	for (int i = 0; i < WINDOW; i++) {
		const void *other = atomic_load_explicit(&window[i].object, memory_order_relaxed);

		if (!other) {
			chosen = &window[i];
			break;
		}
		if (!chosen && window[i].done && !window[i].undecided)
			chosen = &window[i];
	}
	if (chosen)
		atomic_store_explicit(&chosen->object, object, memory_order_release);
	return chosen;
}

struct tls_object *tls_object_begin(const void *object)
{
	struct tls_object *entry = tls_object_find(object);
	struct connection *undecided = entry ? entry->undecided : NULL;

	if (!guard_enter())
		return NULL;
	if (!entry)
		entry = claim(object);
	if (entry)
		reset(entry);
	guard_leave();
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
	if (!guard_enter())
		return;
	if (!entry->random_known) {
		memcpy(entry->client_random, random, TLS_RANDOM_SIZE);
		entry->random_known = true;
		if (!entry->done)
			hello_expect(random, &entry->done);
	}
	guard_leave();
}

void tls_object_set_done(struct tls_object *entry)
{
	if (!guard_enter())
		return;
	hello_forget(&entry->done);
	entry->done = true;
	guard_leave();
}

void tls_object_forget(struct tls_object *entry)
{
	struct connection *undecided = entry->undecided;

	if (!guard_enter())
		return;
	reset(entry);
	atomic_store_explicit(&entry->object, NULL, memory_order_release);
	guard_leave();
	if (undecided)
		connection_release(undecided);
}
