/*
 * What is cached is guarded by a sequence count: whoever meets a writer looks
 * the symbols up for himself, so that nobody waits and nobody sees half of two
 * answers.
 */
#include "shim/origin/origin_lookup.h"

#include <string.h>

#include "shim/base/loaded_objects.h"

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
		     const struct loaded_objects_mark *mark)
{
	uint32_t sequence = atomic_load_explicit(&symbols->sequence, memory_order_relaxed);

	if (sequence & 1 ||
	    !atomic_compare_exchange_strong(&symbols->sequence, &sequence, sequence + 1))
		return;
	for (unsigned i = 0; found && symbols->names[i]; i++)
		atomic_store_explicit(&symbols->address[i], address[i], memory_order_relaxed);
	atomic_store_explicit(&symbols->object, found ? loaded_objects_name_at(address[0]) : NULL,
			      memory_order_relaxed);
	atomic_store_explicit(&symbols->last, mark->last, memory_order_relaxed);
	atomic_store_explicit(&symbols->inside, mark->inside, memory_order_relaxed);
	atomic_store_explicit(&symbols->sequence, sequence + 2, memory_order_release);
}

enum remembered { FOUND, NOT_THERE, NOT_KNOWN };

static enum remembered recall(struct origin_symbols *symbols, void **address)
{
	uint32_t sequence = atomic_load_explicit(&symbols->sequence, memory_order_acquire);
	struct loaded_objects_mark mark;
	const void *object;

	if (sequence == 0 || sequence & 1)
		return NOT_KNOWN;
	object = atomic_load_explicit(&symbols->object, memory_order_relaxed);
	for (unsigned i = 0; object && symbols->names[i]; i++)
		address[i] = atomic_load_explicit(&symbols->address[i], memory_order_relaxed);
	mark.last = atomic_load_explicit(&symbols->last, memory_order_relaxed);
	mark.inside = atomic_load_explicit(&symbols->inside, memory_order_relaxed);
	atomic_thread_fence(memory_order_acquire);
	if (atomic_load_explicit(&symbols->sequence, memory_order_relaxed) != sequence)
		return NOT_KNOWN;
	if (object)
		return loaded_objects_name_at(address[0]) == object ? FOUND : NOT_KNOWN;
	return loaded_objects_are_as(&mark) ? NOT_THERE : NOT_KNOWN;
}

bool origin_symbols_find(struct origin_symbols *symbols, void **address)
{
	struct loaded_objects_mark mark;
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
	mark = loaded_objects_mark();
	found = look_up(symbols->names, address);
	remember(symbols, address, found, &mark);
	return found;
}
