/*
 * Hooks of the loader, for libraries that would go past us.
 */
#include <dlfcn.h>
#include <string.h>

#include "shim/base/real.h"
#include "shim/core/recorder.h"

/*
 * PHP loads its extensions with RTLD_DEEPBIND, which makes them prefer their
 * own libraries' symbols to ours.
 *
 * glibc looks at the return address to know whose DT_RUNPATH to search. So
 * this must jump, not call: -foptimize-sibling-calls, and a test.
 */
EXPORT void *dlopen(const char *path, int flags)
{
	if (!real_libc.dlopen)
		real_libc_find();
	if (recorder.on)
		flags &= ~RTLD_DEEPBIND;
	return real_libc.dlopen(path, flags);
}

/*
 * The hook for a function that a program resolves by hand from a library that
 * it loaded itself; NULL where the real dlsym is to answer.
 */
static void *hook_for_dlsym(void *handle, const char *name, const void *caller)
{
	void *address;

	if (!recorder.on || handle == RTLD_DEFAULT || handle == RTLD_NEXT || !name)
		return NULL;
	if (strncmp(name, "SSL_", 4) != 0 && strncmp(name, "BIO_", 4) != 0)
		return NULL;
	address = real_libc.dlsym(handle, name);
	return address ? real_openssl_hook(name, caller, address) : NULL;
}

/* RTLD_NEXT means "next after the caller": here too the real one must be jumped to. */
EXPORT void *dlsym(void *restrict handle, const char *restrict name)
{
	void *hook;

	if (!real_libc.dlsym)
		real_libc_find();
	hook = hook_for_dlsym(handle, name, __builtin_return_address(0));
	if (hook)
		return hook;
	return real_libc.dlsym(handle, name);
}
