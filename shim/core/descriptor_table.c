#include "shim/core/descriptor_table.h"

_Atomic uint16_t descriptor_table[DESCRIPTORS_MAX];

static atomic_uint most;

uint16_t descriptor_entry(int fd)
{
	if (!descriptor_in_range(fd))
		return DESCRIPTOR_UNMONITORED;
	return atomic_load_explicit(&descriptor_table[fd], memory_order_relaxed);
}

void descriptor_set(int fd, uint16_t entry)
{
	atomic_store_explicit(&descriptor_table[fd], entry, memory_order_relaxed);
	if (entry >= DESCRIPTOR_CONNECTION && (unsigned)fd > atomic_load(&most))
		atomic_store(&most, (unsigned)fd);
}

unsigned descriptor_most(void)
{
	return atomic_load(&most);
}
