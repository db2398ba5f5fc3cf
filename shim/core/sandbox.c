#include "shim/core/sandbox.h"

#include <errno.h>
#include <string.h>

#include "shim/base/loaded_objects.h"
#include "shim/base/sys.h"
#include "shim/core/output.h"
#include "shim/core/recorder.h"

atomic_bool sandbox_closed;

static atomic_bool closed_strictly;
static atomic_bool inherited; /* there before the program */
static atomic_bool looked;

void sandbox_prepare(void)
{
	if (!recorder.on || sandbox_is_closed())
		return;
	recorder_prepare_sandbox();
	output_keep(&recorder.config);
}

bool sandbox_is_strict(void)
{
	return atomic_load(&closed_strictly);
}

void sandbox_close(bool strict)
{
	atomic_store(&closed_strictly, strict);
	atomic_store(&inherited, false);
	atomic_store(&looked, true);
	if (recorder.on)
		atomic_store(&sandbox_closed, true);
	loaded_objects_hold_signals(false);
}

bool sandbox_may_map(void)
{
	return !sandbox_is_closed() || atomic_load_explicit(&inherited, memory_order_relaxed);
}

/* The digit behind "name:\t" at the beginning of a line; '0' where there is none. */
static char status_digit(const char *status, const char *name)
{
	const char *line = strstr(status, name);

	if (!line || strlen(line) <= strlen(name))
		return '0';
	return line[strlen(name)];
}

void sandbox_look(void)
{
	static char status[4096];
	const int saved = errno;
	ssize_t length = 0;
	int fd;

	if (atomic_load_explicit(&looked, memory_order_relaxed) || atomic_exchange(&looked, true))
		return;
	fd = sys_open("/proc/self/status", O_RDONLY | O_CLOEXEC, 0);
	if (fd >= 0) {
		length = sys_read(fd, status, sizeof(status) - 1);
		sys_close(fd);
	}
	/* Without having given up new privileges nobody can put itself into a sandbox. */
	if (length > 0 && status_digit(status, "\nSeccomp:\t") != '0' &&
	    status_digit(status, "\nNoNewPrivs:\t") != '0') {
		sandbox_prepare();
		sandbox_close(false);
		atomic_store(&inherited, true);
	}
	errno = saved;
}
