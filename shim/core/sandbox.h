/*
 * Whether this process may be asked to make system calls of ours. In a seccomp
 * sandbox one that is not among those its filter lets through ends the process.
 */
#ifndef TLSWITNESS_SANDBOX_H
#define TLSWITNESS_SANDBOX_H

#include <stdatomic.h>
#include <stdbool.h>

extern atomic_bool sandbox_closed __attribute__((visibility("hidden")));

/* Then nothing is asked, and a record goes where a descriptor is open already. */
static inline bool sandbox_is_closed(void)
{
	return atomic_load_explicit(&sandbox_closed, memory_order_relaxed);
}

/*
 * Before a call that may close a sandbox around this process: the way to the log
 * is opened now. After it, if it has: sandbox_close.
 */
void sandbox_prepare(void);
void sandbox_close(bool strict);

/*
 * May memory be mapped? Always where the sandbox was there before the program: the
 * loader has mapped it through the same filter, with more rights than we ask for. A
 * hardened unit or pod (no new privileges and a filter) is such a one.
 */
bool sandbox_may_map(void);

/* Of the kind that knows read, write, _exit and sigreturn alone. */
bool sandbox_is_strict(void);

/*
 * Was this process started within a sandbox of its own? Asked once, before the
 * first question to the kernel. A container's filter, which a process gets
 * without having given up anything, is none: whatever the loader may do, we may.
 */
void sandbox_look(void);

#endif
