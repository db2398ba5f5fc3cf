/*
 * Native code: the object that holds an address, and the function where its
 * dynamic symbols name one. Knows the loader, and the path of the main program.
 */
#include "shim/origin/origin.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "shim/base/loaded_objects.h"
#include "shim/core/recorder.h"

static bool is_main_program(const struct loaded_object *object)
{
	return object->path[0] == '\0';
}

bool origin_native(struct origin *origin, const void *address)
{
	const int saved_errno = errno;
	const char *file;
	const char *function;
	struct loaded_object object;

	origin_init(origin);
	if (!address)
		return false;
	/* A call that never returns can be the last instruction of its function. */
	address = (const char *)address - 1;
	if (!loaded_objects_of_caller(address, &object))
		return false;
	file = object.path;
	/* The loader has no name for the main program but argv[0], over which daemons
	   write their title. */
	if (is_main_program(&object))
		file = recorder.process.executable;
	function = loaded_object_function_at(&object, address);
	if (!function)
		function = "";
	origin_add(origin, file, strlen(file), function, strlen(function), 0,
		   !is_main_program(&object));
	errno = saved_errno;
	return true;
}
