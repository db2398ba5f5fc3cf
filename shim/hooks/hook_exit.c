/*
 * Hooks of the ends of a process that run no destructor. What is still open, or
 * waits for the application's next step (core/inside.h), gets its record here.
 */
#include "shim/core/recorder.h"
#include "shim/hooks/real_libc.h"

/*
 * A child made by vfork ends often so, and must leave its parent's tables alone. Who never asked
 * who it is began nothing.
 */
static void finish(void)
{
	if (recorder.on && recorder_process->pid != 0 && recorder_owns_tables())
		recorder_settle();
}

EXPORT _Noreturn void _exit(int status)
{
	finish();
	libc()->_exit(status);
	__builtin_unreachable();
}

EXPORT _Noreturn void _Exit(int status)
{
	finish();
	libc()->_Exit(status);
	__builtin_unreachable();
}
