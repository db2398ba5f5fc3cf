/*
 * The slots through which a loaded object calls functions of others: the
 * entries of its global offset table, and pointers in its data, that the
 * loader fills by name (the relocations of the ELF gABI, chapter 5).
 *
 * Knows the relocation types of each architecture. On one that it does not
 * know, no object has any slot.
 */
#ifndef TLSWITNESS_IMPORT_SLOTS_H
#define TLSWITNESS_IMPORT_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/base/loaded_objects.h"

struct import_slot {
	const char *name;       /* of the function */
	_Atomic(uintptr_t) *at; /* where the loader puts its address */
	bool lazy;              /* it may be filled by the first call through it only */
};

/*
 * Asks `choose` for each slot of `object` for a function that it does not define
 * itself, and writes what it answers, unless that is 0; also where the loader has
 * made the slots read-only since, for which they are opened once. Only for
 * objects that are completely loaded, and with the loader's lock held
 * (loaded_objects_locked), so that nobody else writes there.
 */
void import_slots_set(const struct loaded_object *object,
		      uintptr_t (*choose)(const struct import_slot *slot, void *data), void *data);

#endif
