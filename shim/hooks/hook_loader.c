/*
 * Hooks of the loader: libraries that come and go while the program runs, and
 * functions that are asked for by name.
 *
 * glibc looks at the return address to know whose DT_RUNPATH to search (dlopen)
 * and what "next" means (dlsym). So each of these must jump to the real
 * function, not call it: -foptimize-sibling-calls, and tests.
 */
#include <dlfcn.h>
#include <link.h>
#include <string.h>
#include <sys/socket.h>

#include "shim/base/library_hooks.h"
#include "shim/base/loaded_objects.h"
#include "shim/base/thread.h"
#include "shim/hooks/real_libc.h"

#define CALLER __builtin_return_address(0)

/*
 * Nothing can be done after a jump. Whoever loads a library asks it for a
 * symbol next: that is when the hooks are put in place.
 */
EXPORT void *dlopen(const char *path, int flags)
{
	thread_state.loads_deeply = flags & RTLD_DEEPBIND;
	return libc()->dlopen(path, flags);
}

EXPORT void *dlmopen(Lmid_t name_space, const char *path, int flags)
{
	thread_state.loads_deeply = false;
	return libc()->dlmopen(name_space, path, flags);
}

/* This one needs no jump: nobody is asked for. */
EXPORT int dlclose(void *handle)
{
	int result = libc()->dlclose(handle);

	library_hooks_unloaded();
	return result;
}

static bool is_handle(const void *handle)
{
	return handle && handle != RTLD_DEFAULT && handle != RTLD_NEXT;
}

/* glibc's and musl's handle is the loader's entry of the object, whose head link.h tells. */
static void before_question(void *handle)
{
	if (is_handle(handle))
		library_hooks_loaded(handle, thread_state.loads_deeply);
}

/* The hook that is the answer, given what the library itself would answer; or NULL. */
static void *hook_for(void *handle, const char *name, const void *address, const void *caller)
{
	if (handle == RTLD_NEXT)
		return library_hooks_next(name, caller);
	if (handle == RTLD_DEFAULT)
		return library_hooks_default(name, caller);
	return address ? library_hooks_of(name, address, caller) : NULL;
}

struct caller_search {
	const void *address;
	bool found;
};

static bool find_caller(const struct loaded_object *object, void *data)
{
	struct caller_search *search = data;

	search->found = object->path[0] != '\0' && loaded_object_holds(object, search->address);
	return !search->found;
}

/* Is `caller` in a library that stands before us, where preloads alone are? */
static bool is_preload_before(const void *caller)
{
	struct caller_search any = {caller, false};
	struct caller_search behind = {caller, false};

	loaded_objects_each(find_caller, &any);
	loaded_objects_each_behind(find_caller, &behind);
	return any.found && !behind.found;
}

/*
 * A preload before us that asks libc itself for connect(), as torsocks does,
 * calls it for its host: through us, or what the host sends could not be told
 * from anything else.
 */
static void *connect_for_preload(void *handle, const char *name, const void *caller)
{
	void *own = NULL;
	void *real = NULL;
	__typeof__(connect) *hook = hook_connect;

	if (!is_handle(handle) || strcmp(name, "connect") != 0 || !is_preload_before(caller))
		return NULL;
	memcpy(&real, &libc()->connect, sizeof(real));
	memcpy(&own, &hook, sizeof(own));
	return libc()->dlsym(handle, name) == real ? own : NULL;
}

EXPORT void *dlsym(void *restrict handle, const char *restrict name)
{
	void *hook = connect_for_preload(handle, name, CALLER);

	if (hook)
		return hook;
	before_question(handle);
	if (!library_hooks_know(name))
		return libc()->dlsym(handle, name);
	hook = hook_for(handle, name, is_handle(handle) ? libc()->dlsym(handle, name) : NULL,
			CALLER);
	return hook ? hook : libc()->dlsym(handle, name);
}

EXPORT void *dlvsym(void *restrict handle, const char *restrict name, const char *restrict version)
{
	void *hook;

	before_question(handle);
	if (!library_hooks_know(name))
		return libc()->dlvsym(handle, name, version);
	hook = hook_for(handle, name,
			is_handle(handle) ? libc()->dlvsym(handle, name, version) : NULL, CALLER);
	return hook ? hook : libc()->dlvsym(handle, name, version);
}
