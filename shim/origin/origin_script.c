/*
 * Asks the interpreters that may be in this process, one after the other.
 */
#include "shim/origin/origin.h"

#include <errno.h>

bool origin_of_script(struct origin *origin)
{
	const int saved_errno = errno;
	bool found;

	found = origin_python(origin) || origin_php(origin) || origin_ruby(origin) ||
		origin_perl(origin);
	errno = saved_errno;
	return found;
}
