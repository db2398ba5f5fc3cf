#include "shim/core/guard.h"

#include "shim/base/sys.h"
#include "shim/base/thread.h"
#include "shim/core/recorder.h"
#include "shim/core/sandbox.h"

/* Memory only is touched within it, so one that is not free by then is not soon. */
#define SPINS_MAX  200
#define YIELDS_MAX 2000

static uint64_t own_name(void)
{
	if (recorder_process->pid == 0)
		recorder_enter();
	/* Threads' states are less than 2^36 bytes apart, or share a name: then both wait less. */
	return (uint64_t)recorder_process->pid << 32 | (uint32_t)((uintptr_t)&thread_state >> 4) |
	       1;
}

static bool try_enter(struct guard *guard, uint64_t own, uint64_t *owner)
{
	*owner = 0;
	return atomic_compare_exchange_weak_explicit(&guard->owner, owner, own,
						     memory_order_acquire, memory_order_relaxed);
}

bool guard_enter(struct guard *guard)
{
	const uint64_t own = own_name();
	uint64_t owner;

	for (unsigned i = 0; i < SPINS_MAX + YIELDS_MAX; i++) {
		if (try_enter(guard, own, &owner))
			return true;
		if (owner == 0)
			continue;
		if (owner == own || owner >> 32 != own >> 32)
			return false;
		if (i < SPINS_MAX)
			continue;
		if (sandbox_is_closed() ||
		    atomic_load_explicit(&guard->given_up, memory_order_relaxed))
			return false;
		sys_yield();
	}
	atomic_store(&guard->given_up, true);
	return false;
}

void guard_leave(struct guard *guard)
{
	atomic_store_explicit(&guard->owner, 0, memory_order_release);
}
