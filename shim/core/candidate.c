#include "shim/core/candidate.h"

#include "shim/core/connection_state.h"
#include "shim/core/join.h"
#include "shim/core/descriptor_table.h"
#include "shim/core/slab.h"

static struct slab candidates = {.size = sizeof(struct candidate), .first = 64};
static _Atomic uint32_t generations;
static _Atomic uint32_t open_count;

uint32_t candidate_claim(const struct endpoint *peer, const void *caller, bool joined_late)
{
	uint32_t number;
	struct candidate *candidate = slab_claim(&candidates, &number);

	if (!candidate)
		return CANDIDATE_UNKNOWN;
	atomic_store(&candidate->generation, atomic_fetch_add(&generations, 1) + 1);
	atomic_store(&candidate->fate, CANDIDATE_OPEN);
	candidate->peer = *peer;
	candidate->caller = caller;
	candidate->joined_late = joined_late;
	atomic_fetch_add(&open_count, 1);
	atomic_store(&candidate->references, 1);
	return number;
}

struct candidate *candidate_at(uint32_t number)
{
	return number == CANDIDATE_UNKNOWN ? NULL : slab_at(&candidates, number);
}

struct candidate *candidate_hold(uint32_t number)
{
	struct candidate *candidate = candidate_at(number);
	uint32_t references = candidate ? atomic_load(&candidate->references) : 0;

	while (references > 0) {
		if (atomic_compare_exchange_weak(&candidate->references, &references,
						 references + 1))
			return candidate;
	}
	return NULL;
}

bool candidate_settle(struct candidate *candidate, uint32_t fate)
{
	uint32_t open = CANDIDATE_OPEN;

	if (!atomic_compare_exchange_strong(&candidate->fate, &open, fate))
		return false;
	atomic_fetch_sub(&open_count, 1);
	return true;
}

void candidate_release(uint32_t number)
{
	struct candidate *candidate = candidate_at(number);
	uint32_t fate;

	if (!candidate || atomic_fetch_sub(&candidate->references, 1) != 1)
		return;
	fate = atomic_load(&candidate->fate);
	if (fate == CANDIDATE_OPEN)
		atomic_fetch_sub(&open_count, 1);
	slab_free(&candidates, number);
	if (descriptor_kind(fate) == DESCRIPTOR_CONNECTION)
		connection_release(connection_at(descriptor_number(fate)));
}

bool candidate_is_any(void)
{
	return atomic_load(&open_count) > 0;
}
