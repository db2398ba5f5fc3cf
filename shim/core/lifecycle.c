/*
 * The beginning and the end: what is set up before main, and what is settled
 * after it.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>

#include "shim/base/library_hooks.h"
#include "shim/base/sys.h"
#include "shim/config/config_load.h"
#include "shim/core/connection_state.h"
#include "shim/core/recorder.h"

/* Of this process alone: a child made by fork finds it zeroed. */
static void map_process_state(void)
{
	void *page = sys_map(sizeof(struct recorder_process));

	if (!page)
		return;
	sys_madvise(page, sizeof(struct recorder_process), MADV_WIPEONFORK);
	recorder_process = page;
}

/* Early in the boot, or where the call is not to be had: the time and where the loader put us. */
static void draw_event_random(void)
{
	struct timespec now;

	if (sys_getrandom(recorder.event_random, sizeof(recorder.event_random), GRND_NONBLOCK) ==
	    (ssize_t)sizeof(recorder.event_random))
		return;
	sys_clock(CLOCK_REALTIME, &now);
	recorder.event_random[0] = (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
	recorder.event_random[1] = (uintptr_t)&now;
}

/* glibc hands constructors main's arguments. */
__attribute__((constructor)) static void start(int argc, char **argv, char **environment)
{
	int saved = errno;

	config_load(&recorder.config, &recorder_errors, environment);
	if (!recorder.config.off) {
		origin_process_read(&recorder.process, argc, argv);
		map_process_state();
		draw_event_random();
		recorder.on = true;
	}
	library_hooks_start(recorder.on);
	errno = saved;
}

__attribute__((destructor)) static void finish(void)
{
	if (!recorder.on || !recorder_owns_tables())
		return;
	connection_finish_all();
	connection_record_finish();
	recorder_finish();
}
