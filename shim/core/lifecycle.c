/*
 * The beginning and the end: what is set up before main, and what is settled
 * after it.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "shim/base/library_hooks.h"
#include "shim/base/sys.h"
#include "shim/config/config_load.h"
#include "shim/core/connection_state.h"
#include "shim/core/recorder.h"
#include "shim/origin/origin_caller.h"

/* Of this process alone: a child made by fork finds it zeroed. */
static void map_process_state(void)
{
	void *page = sys_map(sizeof(struct recorder_process));

	if (page) {
		sys_madvise(page, sizeof(struct recorder_process), MADV_WIPEONFORK);
		recorder_process = page;
	}
	/* Asked later, a child made by vfork might be the first to ask, and what it says of
	   itself would hold for its parent. */
	recorder_process->pid = sys_getpid();
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
	recorder.event_random[1] = (uintptr_t)__builtin_frame_address(0);
}

static _Atomic unsigned forks;

void recorder_count_fork(void)
{
	atomic_fetch_add(&forks, 1);
}

unsigned recorder_forks(void)
{
	return atomic_load(&forks);
}

#ifndef __GLIBC__

#define ARGUMENTS_MAX 65536

/*
 * Other libcs do not: there they lie where the kernel put them, on the stack
 * before the environment, with their number before them. None where somebody
 * has put the environment elsewhere by now.
 */
static void find_arguments(int *argc, char ***argv, char ***environment)
{
	char **end; /* the NULL behind the arguments */

	*argc = 0;
	*argv = NULL;
	*environment = environ;
	if ((uintptr_t)environ < (uintptr_t)__builtin_frame_address(0))
		return;
	end = environ - 1;
	for (int count = 0; !*end && count < ARGUMENTS_MAX; count++) {
		if ((uintptr_t)end[-1 - count] != (uintptr_t)count)
			continue;
		*argc = count;
		*argv = end - count;
		return;
	}
}

#endif

/* As many as are asked about at once. Behind so many that are not open no more are looked for. */
#define INHERITED_GROUP 64

static void look_at_descriptor(int fd)
{
	struct stat status;

	if (sys_fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode))
		connection_arrived(fd);
}

/* False if none of the group is open. */
static bool look_at_group(int first)
{
	struct sys_polled polled[INHERITED_GROUP];
	bool any = false;

	for (int i = 0; i < INHERITED_GROUP; i++)
		polled[i] = (struct sys_polled){first + i, 0, 0};
	/* It refuses a program that may have fewer descriptors than that. */
	if (sys_poll(polled, INHERITED_GROUP) < 0) {
		for (int i = 0; i < INHERITED_GROUP; i++)
			look_at_descriptor(first + i);
		return false;
	}
	for (int i = 0; i < INHERITED_GROUP; i++) {
		if (polled[i].returned & SYS_POLL_NOT_OPEN)
			continue;
		any = true;
		look_at_descriptor(polled[i].fd);
	}
	return any;
}

/*
 * The descriptors that were open before us: one that is a socket may be a
 * connection. What comes later is told by the calls that bring it.
 */
static void look_at_inherited(void)
{
	for (int first = 0; look_at_group(first); first += INHERITED_GROUP)
		;
}

static bool begins(const char *text, const char *beginning)
{
	return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* Some hosts scrub their environment before they start a mail program (PHP-FPM's clear_env). */
static void keep_given(char **environment)
{
	size_t used = 0;
	bool preloaded = false;

	for (char **variable = environment; variable && *variable; variable++) {
		const size_t size = strlen(*variable) + 1;
		const bool preload = begins(*variable, "LD_PRELOAD=") &&
				     strstr(*variable, "libtlswitness.so") != NULL;

		if ((!preload && !begins(*variable, CONFIG_PREFIX)) ||
		    begins(*variable, ORIGIN_CALLER) || used + size >= sizeof(recorder.given))
			continue;
		memcpy(recorder.given + used, *variable, size);
		used += size;
		preloaded |= preload;
	}
	if (!preloaded)
		used = 0;
	recorder.given[used] = '\0';
}

/* glibc hands constructors main's arguments. */
__attribute__((constructor)) static void start(int argc, char **argv, char **environment)
{
	int saved = errno;

#ifndef __GLIBC__
	find_arguments(&argc, &argv, &environment);
#endif
	config_load(&recorder.config, &recorder_errors, environment);
	recorder.policy = enforcement_policy(&recorder.config);
	if (!recorder.config.off) {
		origin_process_read(&recorder.process, argc, argv);
		if (!getauxval(AT_SECURE)) {
			origin_caller_read(recorder.process.caller, sizeof(recorder.process.caller),
					   environment);
			keep_given(environment);
		}
		map_process_state();
		draw_event_random();
		recorder.on = true;
		look_at_inherited();
	}
	library_hooks_start(recorder.on);
	loaded_objects_hold_signals(recorder.on);
	errno = saved;
}

void recorder_settle(void)
{
	int saved = errno;

	if (recorder.on && recorder_owns_tables()) {
		connection_finish_all();
		recorder_finish();
	}
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
