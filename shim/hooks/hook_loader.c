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

#include "shim/base/library_hooks.h"
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

EXPORT void *dlsym(void *restrict handle, const char *restrict name)
{
	void *hook;

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
