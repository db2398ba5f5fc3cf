#include "shim/core/descriptor_table.h"

#include "shim/base/sys.h"
#include "shim/core/sandbox.h"

_Atomic uint32_t descriptor_none[DESCRIPTOR_GROUP];

/* Most programs never have a descriptor beyond these. */
static _Atomic uint32_t first_group[DESCRIPTOR_GROUP];

#define NONE_4  descriptor_none, descriptor_none, descriptor_none, descriptor_none
#define NONE_16 NONE_4, NONE_4, NONE_4, NONE_4
#define NONE_64 NONE_16, NONE_16, NONE_16, NONE_16

descriptor_group descriptor_groups[] = {
	first_group, descriptor_none, descriptor_none, descriptor_none, NONE_4,  NONE_4,  NONE_4,
	NONE_16,     NONE_16,         NONE_16,         NONE_64,         NONE_64, NONE_64,
};

_Static_assert(sizeof(descriptor_groups) / sizeof(descriptor_groups[0]) ==
		       DESCRIPTORS_MAX / DESCRIPTOR_GROUP,
	       "every group that there can be");

static atomic_uint most;

bool descriptor_make_room(int fd)
{
	descriptor_group *group;
	_Atomic uint32_t *none = descriptor_none;
	_Atomic uint32_t *mapped;

	if (!descriptor_in_range(fd))
		return false;
	group = &descriptor_groups[(unsigned)fd / DESCRIPTOR_GROUP];
	if (atomic_load(group) != none)
		return true;
	if (!sandbox_may_map())
		return false;
	mapped = sys_map(DESCRIPTOR_GROUP * sizeof(*mapped));
	if (!mapped)
		return false;
	if (!atomic_compare_exchange_strong(group, &none, mapped))
		sys_munmap(mapped, DESCRIPTOR_GROUP * sizeof(*mapped));
	return true;
}

static _Atomic uint32_t *entry_to_set(int fd)
{
	_Atomic uint32_t *group = atomic_load(&descriptor_groups[(unsigned)fd / DESCRIPTOR_GROUP]);

	return group == descriptor_none ? NULL : &group[(unsigned)fd % DESCRIPTOR_GROUP];
}

static void note_most(int fd)
{
	unsigned seen = atomic_load(&most);

	while ((unsigned)fd > seen && !atomic_compare_exchange_weak(&most, &seen, (unsigned)fd))
		;
}

uint32_t descriptor_exchange(int fd, uint32_t entry)
{
	_Atomic uint32_t *set = descriptor_in_range(fd) ? entry_to_set(fd) : NULL;

	if (!set)
		return DESCRIPTOR_UNMONITORED;
	if (entry != DESCRIPTOR_UNMONITORED)
		note_most(fd);
	return atomic_exchange(set, entry);
}

bool descriptor_replace(int fd, uint32_t old, uint32_t entry)
{
	_Atomic uint32_t *set = descriptor_in_range(fd) ? entry_to_set(fd) : NULL;

	return set && atomic_compare_exchange_strong(set, &old, entry);
}

unsigned descriptor_most(void)
{
	return atomic_load(&most);
}
