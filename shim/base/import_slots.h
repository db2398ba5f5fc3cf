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

/* Each slot of `object` for a function that it does not define itself. */
void import_slots_each(const struct loaded_object *object,
		       void (*visit)(const struct import_slot *slot, void *data), void *data);

/*
 * Writes to a slot of `object`, also where the loader has made it read-only
 * since. Only for objects that are completely loaded, and with the loader's
 * lock held (loaded_objects_locked), so that nobody else writes to that page.
 */
bool import_slot_set(const struct loaded_object *object, const struct import_slot *slot,
		     uintptr_t address);

#endif
