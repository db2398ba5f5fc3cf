#include "shim/core/readable.h"

#include <errno.h>
#include <stdint.h>

#include "shim/base/sys.h"
#include "shim/core/sandbox.h"

#define PAGE 4096U

size_t readable_bytes(const void *address, size_t length)
{
	const uintptr_t begin = (uintptr_t)address;
	const int saved = errno;
	uintptr_t page;

	if (length == 0 || sandbox_is_closed())
		return length;
	if (begin + length < begin)
		return 0;
	for (page = begin / PAGE * PAGE; page < begin + length; page += PAGE) {
		/* NULL is no address to the kernel, but the absence of one. */
		// NOLINTNEXTLINE(performance-no-int-to-ptr)
		if (page == 0 || !sys_can_read((const void *)page))
			break;
	}
	errno = saved;
	if (page >= begin + length)
		return length;
	return page > begin ? page - begin : 0;
}
