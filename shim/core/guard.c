#include "shim/core/guard.h"

#include <stdatomic.h>

#include "shim/base/sys.h"
#include "shim/base/thread.h"
#include "shim/core/recorder.h"

/* A lock that is not free after so many tries belongs to a thread that left by longjmp. */
#define LOCK_SPINS_MAX  200
#define LOCK_YIELDS_MAX 20000

enum { UNLOCKED, LOCKED, ABANDONED };

bool guard_enter(void)
{
	if (thread_state.locked || !recorder.on)
		return false;
	recorder_enter();
	thread_state.locked = true;
	atomic_signal_fence(memory_order_seq_cst);
	for (unsigned i = 0; i < LOCK_SPINS_MAX + LOCK_YIELDS_MAX; i++) {
		int expected = UNLOCKED;

		if (atomic_compare_exchange_weak_explicit(&recorder_process->locked, &expected,
							  LOCKED, memory_order_acquire,
							  memory_order_relaxed))
			return true;
		if (expected == ABANDONED)
			break;
		if (i >= LOCK_SPINS_MAX)
			sys_yield();
		if (i == LOCK_SPINS_MAX + LOCK_YIELDS_MAX - 1)
			atomic_store(&recorder_process->locked, ABANDONED);
	}
	thread_state.locked = false;
	return false;
}

void guard_leave(void)
{
	atomic_store_explicit(&recorder_process->locked, UNLOCKED, memory_order_release);
	atomic_signal_fence(memory_order_seq_cst);
	thread_state.locked = false;
}
