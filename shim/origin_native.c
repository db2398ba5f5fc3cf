/*
 * Native code: the object that holds an address, and the function where its
 * dynamic symbols name one. Knows the loader only.
 */
#include "origin.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define PATH_ROOM 512

/*
 * The loader has no name for the main program but argv[0], over which daemons
 * write their title. What the kernel says is right, as long as /proc is there.
 */
static size_t main_program(char path[PATH_ROOM])
{
	ssize_t length = readlink("/proc/self/exe", path, PATH_ROOM);

	return length > 0 ? (size_t)length : 0;
}

static bool is_main_program(const struct link_map *map)
{
	return map && map->l_name[0] == '\0';
}

bool origin_native(struct origin *origin, const void *address)
{
	const int saved_errno = errno;
	const char *file;
	const char *function;
	char program[PATH_ROOM];
	struct link_map *map = NULL;
	size_t length;
	Dl_info info;

	origin_init(origin);
	if (!address)
		return false;
	/* A call that never returns can be the last instruction of its function. */
	address = (const char *)address - 1;
	if (dladdr1(address, &info, (void **)&map, RTLD_DL_LINKMAP) == 0)
		return false;
	file = info.dli_fname ? info.dli_fname : "";
	length = strlen(file);
	if (is_main_program(map)) {
		size_t known = main_program(program);

		if (known > 0) {
			file = program;
			length = known;
		}
	}
	function = info.dli_sname ? info.dli_sname : "";
	origin_add(origin, file, length, function, strlen(function), 0, !is_main_program(map));
	errno = saved_errno;
	return true;
}
