/*
 * What is cached is guarded by a sequence count: whoever meets a writer looks
 * the symbols up for himself, so that nobody waits and nobody sees half of two
 * answers.
 */
#include "shim/origin/origin_lookup.h"

#include <link.h>
#include <string.h>

#include "shim/base/loaded_objects.h"

static int read_counter(struct dl_phdr_info *info, size_t size, void *counter)
{
	(void)size;
	*(uint64_t *)counter = info->dlpi_adds;
	return 1; /* it is the same in every entry */
}

/* How many objects were ever loaded into this process. */
static uint64_t objects_added(void)
{
	uint64_t counter = 0;

	dl_iterate_phdr(read_counter, &counter);
	return counter;
}

/* What the object that holds `address` is known by, or NULL. */
static const void *object_of(const void *address)
{
	struct loaded_object object;

	return loaded_objects_at(address, &object) ? object.dynamic : NULL;
}

static void *function_of_any(const char *name)
{
	struct loaded_object object;

	return loaded_objects_defining(name, &object, 1) > 0 ? loaded_object_function(&object, name)
							     : NULL;
}

/*
 * Functions come from the object that defines the first of them, so that two
 * interpreters of a kind are never mixed, and RTLD_LOCAL does not hide them.
 * A variable may have been copied into the main program (a COPY relocation):
 * there the global scope knows which is the one in use.
 */
static bool look_up(const char *const *names, void **address)
{
	struct loaded_object object = {0};

	if (loaded_objects_defining(names[0], &object, 1) == 0)
		return false;
	for (unsigned i = 0; names[i]; i++) {
		if (names[i][0] == '=')
			address[i] = loaded_objects_variable(names[i] + 1);
		else if (names[i][0] == '+')
			address[i] = function_of_any(names[i] + 1);
		else
			address[i] =
				loaded_object_function(&object, names[i] + (names[i][0] == '?'));
		if (!address[i] && !strchr("=+?", names[i][0]))
			return false;
	}
	return true;
}

static void remember(struct origin_symbols *symbols, void *const *address, bool found,
		     uint64_t added)
{
	uint32_t sequence = atomic_load_explicit(&symbols->sequence, memory_order_relaxed);

	if (sequence & 1 ||
	    !atomic_compare_exchange_strong(&symbols->sequence, &sequence, sequence + 1))
		return;
	for (unsigned i = 0; found && symbols->names[i]; i++)
		atomic_store_explicit(&symbols->address[i], address[i], memory_order_relaxed);
	atomic_store_explicit(&symbols->object, found ? object_of(address[0]) : NULL,
			      memory_order_relaxed);
	atomic_store_explicit(&symbols->objects_added, added, memory_order_relaxed);
	atomic_store_explicit(&symbols->sequence, sequence + 2, memory_order_release);
}

enum remembered { FOUND, NOT_THERE, NOT_KNOWN };

static enum remembered recall(struct origin_symbols *symbols, void **address)
{
	uint32_t sequence = atomic_load_explicit(&symbols->sequence, memory_order_acquire);
	uint64_t added;
	const void *object;

	if (sequence == 0 || sequence & 1)
		return NOT_KNOWN;
	for (unsigned i = 0; symbols->names[i]; i++)
		address[i] = atomic_load_explicit(&symbols->address[i], memory_order_relaxed);
	object = atomic_load_explicit(&symbols->object, memory_order_relaxed);
	added = atomic_load_explicit(&symbols->objects_added, memory_order_relaxed);
	atomic_thread_fence(memory_order_acquire);
	if (atomic_load_explicit(&symbols->sequence, memory_order_relaxed) != sequence)
		return NOT_KNOWN;
	if (object)
		return object_of(address[0]) == object ? FOUND : NOT_KNOWN;
	return added == objects_added() ? NOT_THERE : NOT_KNOWN;
}

bool origin_symbols_find(struct origin_symbols *symbols, void **address)
{
	uint64_t added;
	bool found;

	switch (recall(symbols, address)) {
	case FOUND:
		return true;
	case NOT_THERE:
		return false;
	case NOT_KNOWN:
		break;
	}
	/* Before the search: what is loaded during it may be missed and is looked for again. */
	added = objects_added();
	found = look_up(symbols->names, address);
	remember(symbols, address, found, added);
	return found;
}
