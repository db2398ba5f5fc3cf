/*
 * Native code: the object that holds an address, and the function where its
 * dynamic symbols name one. Knows the loader, and the path of the main program.
 */
#include "shim/origin/origin.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <string.h>

#include "shim/core/recorder.h"

static bool is_main_program(const struct link_map *map)
{
	return map && map->l_name[0] == '\0';
}

bool origin_native(struct origin *origin, const void *address)
{
	const int saved_errno = errno;
	const char *file;
	const char *function;
	struct link_map *map = NULL;
	Dl_info info;

	origin_init(origin);
	if (!address)
		return false;
	/* A call that never returns can be the last instruction of its function. */
	address = (const char *)address - 1;
	if (dladdr1(address, &info, (void **)&map, RTLD_DL_LINKMAP) == 0)
		return false;
	file = info.dli_fname ? info.dli_fname : "";
	/* The loader has no name for the main program but argv[0], over which daemons
	   write their title. */
	if (is_main_program(map) && recorder.process.executable[0])
		file = recorder.process.executable;
	function = info.dli_sname ? info.dli_sname : "";
	origin_add(origin, file, strlen(file), function, strlen(function), 0,
		   !is_main_program(map));
	errno = saved_errno;
	return true;
}
