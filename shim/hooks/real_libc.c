/*
 * Finds the C library's functions in the loader's tables: no dlsym, which is a
 * hook of ours, may allocate, and sets dlerror().
 */
#include "shim/hooks/real_libc.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "shim/base/library_hooks.h"
#include "shim/base/loaded_objects.h"
#include "shim/base/start_page.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

START_PAGE struct real_libc real_libc;

#define HOOK(name, base) {#name, offsetof(struct real_libc, name), (uintptr_t)(name)},
static const struct library_function functions[] = {
#include "shim/hooks/hooks_libc.def"
#include "shim/hooks/hooks_loader.def"
};
#undef HOOK

/* For what is bound deeply and would pass by these symbols. */
static struct library_state state;

static const struct library_family libc_family = {
	.functions = functions,
	.function_count = COUNT(functions),
	.state = &state,
};

LIBRARY_FAMILY(libc_family);

/* In the place of any function that libc does not have; all of those give a number. */
static long missing(void)
{
	errno = ENOSYS;
	return -1;
}

bool real_libc_has(uintptr_t function)
{
	return function != (uintptr_t)missing;
}

/* True as long as a function is missing. */
static bool fill_missing(const struct loaded_object *object, void *data)
{
	struct real_libc *table = data;
	bool incomplete = false;

	for (size_t i = 0; i < COUNT(functions); i++) {
		void **slot = (void **)(void *)((char *)table + functions[i].offset);

		if (!*slot)
			*slot = loaded_object_function(object, functions[i].name);
		incomplete |= !*slot;
	}
	return incomplete;
}

/*
 * Several threads may do this at once, with the same result: it is written
 * whole, the pointer by which it is known to be there (read) last.
 */
void real_libc_find(void)
{
	struct real_libc found = {0};

	if (__atomic_load_n(&real_libc.read, __ATOMIC_ACQUIRE))
		return;
	loaded_objects_each_behind(fill_missing, &found);
	for (size_t i = 0; i < COUNT(functions); i++) {
		uintptr_t address;

		if (functions[i].offset == offsetof(struct real_libc, read))
			continue;
		memcpy(&address, (char *)&found + functions[i].offset, sizeof(address));
		if (!address)
			address = (uintptr_t)missing;
		memcpy((char *)&real_libc + functions[i].offset, &address, sizeof(address));
	}
	__atomic_store_n(&real_libc.read, found.read, __ATOMIC_RELEASE);
}

/* Before every other constructor of ours. */
__attribute__((constructor(101))) static void find(void)
{
	real_libc_find();
}
