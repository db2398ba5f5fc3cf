#include "shim/core/tls_object.h"

#include <string.h>

#include "shim/base/thread.h"
#include "shim/core/address_table.h"
#include "shim/core/hello.h"
#include "shim/core/origin_pool.h"
#include "shim/core/recorder.h"

ADDRESS_TABLE(objects, sizeof(struct tls_object), 32);

struct tls_object *tls_object_find(const void *object)
{
	return address_table_find(&objects, object);
}

static void reset(struct tls_object *entry)
{
	hello_forget(entry->hello);
	entry->hello = HELLO_NONE;
	entry->done = false;
	entry->raised = false;
	entry->raised_before = false;
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

static struct tls_object *add(const void *object)
{
	struct tls_object *entry = address_table_add(&objects, object);

	if (entry) {
		entry->object = object;
		entry->hello = HELLO_NONE;
	}
	return entry;
}

struct tls_object *tls_object_begin(const void *object)
{
	struct tls_object *entry = tls_object_find(object);
	struct connection *undecided = entry ? entry->undecided : NULL;
	const bool raised = entry && (entry->raised || entry->raised_before);
	const struct asked_versions asked = entry ? entry->asked : (struct asked_versions){0};

	if (!entry)
		entry = add(object);
	if (entry)
		reset(entry);
	/* Cleared and used again: what we set is still there. */
	if (raised) {
		entry->raised_before = true;
		entry->asked = asked;
	}
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
	address_table_remove(&objects, entry->object);
	if (undecided)
		connection_release(undecided);
}

void tls_object_capture_origin(struct tls_object *entry)
{
	if (entry->origin)
		return;
	entry->origin = origin_pool_claim();
	if (!entry->origin || origin_of_script(entry->origin) ||
	    origin_native(entry->origin, thread_state.caller))
		return;
	origin_pool_free(entry->origin);
	entry->origin = NULL;
}
