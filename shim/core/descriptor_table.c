#include "shim/core/descriptor_table.h"

#include "shim/base/sys.h"
#include "shim/core/sandbox.h"

struct descriptor_own_groups descriptor_own_groups;

/* Most programs never have a descriptor beyond the first group's. */
_Atomic ptrdiff_t descriptor_groups[DESCRIPTORS_MAX / DESCRIPTOR_GROUP] = {
	offsetof(struct descriptor_own_groups, first),
};

static atomic_uint most;

bool descriptor_make_room(int fd)
{
	_Atomic ptrdiff_t *group;
	_Atomic uint32_t *mapped;
	ptrdiff_t none = 0;

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
	if (!atomic_compare_exchange_strong(group, &none,
					    (char *)mapped - (char *)&descriptor_own_groups))
		sys_munmap(mapped, DESCRIPTOR_GROUP * sizeof(*mapped));
	return true;
}

static _Atomic uint32_t *entry_to_set(int fd)
{
	_Atomic uint32_t *group = descriptor_group_of(fd);

	return group == descriptor_own_groups.none ? NULL : &group[(unsigned)fd % DESCRIPTOR_GROUP];
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
