#include "shim/core/hello.h"

#include <stddef.h>
#include <string.h>

#include "shim/core/guard.h"
#include "shim/core/slab.h"

struct hello {
	struct guard guard;
	uint8_t random[TLS_RANDOM_SIZE];
	_Atomic bool *settled; /* NULL: nobody waits */
};

static struct slab hellos = {.size = sizeof(struct hello), .first = 64};
static _Atomic uint32_t expected; /* how many are; spares the search */

/* Any but SLAB_NO_MARK. */
static uint32_t mark_of(const uint8_t random[TLS_RANDOM_SIZE])
{
	uint32_t mark;

	memcpy(&mark, random, sizeof(mark));
	return mark | 1;
}

uint32_t hello_expect(const uint8_t random[TLS_RANDOM_SIZE], _Atomic bool *settled)
{
	uint32_t number;
	struct hello *hello = slab_claim(&hellos, &number);

	if (!hello)
		return HELLO_NONE;
	atomic_store(&hello->guard.owner, 0);
	atomic_store(&hello->guard.given_up, false);
	if (guard_enter(&hello->guard)) {
		memcpy(hello->random, random, TLS_RANDOM_SIZE);
		hello->settled = settled;
		guard_leave(&hello->guard);
	}
	slab_mark(&hellos, number, mark_of(random));
	atomic_fetch_add(&expected, 1);
	return number;
}

/* Is there one, and shall it be told that its handshake has its record? */
static bool find(const uint8_t random[TLS_RANDOM_SIZE], bool settle)
{
	uint32_t number = 0;

	if (atomic_load(&expected) == 0)
		return false;
	for (; slab_find(&hellos, mark_of(random), &number); number++) {
		struct hello *hello = slab_at(&hellos, number);
		bool found;

		if (!guard_enter(&hello->guard))
			continue;
		found = hello->settled && memcmp(hello->random, random, TLS_RANDOM_SIZE) == 0;
		if (found && settle) {
			atomic_store(hello->settled, true);
			hello->settled = NULL;
		}
		guard_leave(&hello->guard);
		if (found)
			return true;
	}
	return false;
}

bool hello_is_expected(const uint8_t random[TLS_RANDOM_SIZE])
{
	return find(random, false);
}

void hello_settle(const uint8_t random[TLS_RANDOM_SIZE])
{
	(void)find(random, true);
}

void hello_forget(uint32_t number)
{
	struct hello *hello = number == HELLO_NONE ? NULL : slab_at(&hellos, number);

	if (!hello)
		return;
	slab_mark(&hellos, number, SLAB_NO_MARK);
	atomic_fetch_sub(&expected, 1);
	/* Who stopped within the guard may still write: the room is not used again. */
	if (!guard_enter(&hello->guard))
		return;
	hello->settled = NULL;
	guard_leave(&hello->guard);
	slab_free(&hellos, number);
}
