/*
 * Hooks of the calls that close a sandbox around this process or change its
 * root, and of those that take the way past libc's own functions.
 */
#include <errno.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "shim/core/output.h"
#include "shim/core/recorder.h"
#include "shim/core/sandbox.h"
#include "shim/hooks/hook_descriptor.h"
#include "shim/hooks/real_libc.h"

/* seccomp(2); musl-gcc sees no header of Linux's. */
#ifndef SECCOMP_MODE_STRICT
#define SECCOMP_MODE_STRICT              1
#define SECCOMP_SET_MODE_STRICT          0
#define SECCOMP_SET_MODE_FILTER          1
#define SECCOMP_FILTER_FLAG_NEW_LISTENER (1UL << 3)
#endif

/*
 * Both are variadic in libc's headers and read a fixed number of registers in
 * libc's code. As functions of that many arguments they hand on exactly what
 * they were given, whatever it was.
 */
EXPORT int prctl_hook(int option, unsigned long a, unsigned long b, unsigned long c,
		      unsigned long d) __asm__("prctl");
EXPORT long syscall_hook(long number, long a, long b, long c, long d, long e,
			 long f) __asm__("syscall");

typedef int prctl_function(int option, unsigned long a, unsigned long b, unsigned long c,
			   unsigned long d);
typedef long syscall_function(long number, long a, long b, long c, long d, long e, long f);

int prctl_hook(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	prctl_function *real = (prctl_function *)(uintptr_t)libc()->prctl;
	int result;

	if (option != PR_SET_SECCOMP || !recorder.on)
		return real(option, a, b, c, d);
	sandbox_prepare();
	result = real(option, a, b, c, d);
	if (result == 0)
		sandbox_close(a == SECCOMP_MODE_STRICT);
	return result;
}

static long enter_sandbox(syscall_function *real, long operation, long flags, long filter)
{
	long result;

	sandbox_prepare();
	result = real(SYS_seccomp, operation, flags, filter, 0, 0, 0);
	if (result == 0 ||
	    (result > 0 && ((unsigned long)flags & SECCOMP_FILTER_FLAG_NEW_LISTENER)))
		sandbox_close(operation == SECCOMP_SET_MODE_STRICT);
	return result;
}

/* This must jump, not call: what is behind it may return twice, or on another stack. */
long syscall_hook(long number, long a, long b, long c, long d, long e, long f)
{
	syscall_function *real = (syscall_function *)(uintptr_t)libc()->syscall;

	if (number == SYS_seccomp && recorder.on &&
	    (a == SECCOMP_SET_MODE_STRICT || a == SECCOMP_SET_MODE_FILTER))
		return enter_sandbox(real, a, b, c);
	/* libuv closes its sockets this way. */
	if (number == SYS_close)
		before_close((int)a);
	return real(number, a, b, c, d, e, f);
}

/* The path of the log may not be reachable in the new root. */
EXPORT int chroot(const char *path)
{
	int saved = errno;

	if (recorder.on)
		output_keep(&recorder.config);
	errno = saved;
	return libc()->chroot(path);
}
