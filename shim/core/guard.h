/*
 * The lock of one connection, or of one small table.
 *
 * It is held over memory only: no system call, no real function, no
 * allocation. Nothing waits for it without end. Who can't have it, because its
 * own thread holds it (a signal handler that came in between, or what a longjmp
 * out of one left behind), because another thread has stopped with it, or
 * because it was held when this process was forked, can't know what it guards:
 * enforcement_in_doubt says what then.
 */
#ifndef TLSWITNESS_GUARD_H
#define TLSWITNESS_GUARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct guard {
	_Atomic uint64_t owner; /* process and thread; 0: free */
	atomic_bool given_up;   /* it was waited for in vain: later ones only try */
};

/* False: what it guards is not to be touched, and there is nothing to leave. */
bool guard_enter(struct guard *guard);
void guard_leave(struct guard *guard);

#endif
