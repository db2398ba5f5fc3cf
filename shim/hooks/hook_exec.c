/*
 * Hooks of what starts programs: a mail program that a script starts is told the
 * script's line (origin_caller.h), in its environment and nowhere else; a program
 * that runs with more rights is told nothing, not even what others were.
 *
 * All of it may run in a child made by vfork, within its parent's memory: nothing
 * is kept, and what the started program gets is on the stack.
 */
#include <errno.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "shim/base/sys.h"
#include "shim/base/text.h"
#include "shim/core/origin_pool.h"
#include "shim/core/readable.h"
#include "shim/core/recorder.h"
#include "shim/core/sandbox.h"
#include "shim/hooks/real_libc.h"
#include "shim/origin/origin_caller.h"

/*
 * A larger environment is left as it is: the copy of its pointers takes less than
 * 3 KB of a stack with 290 variables.
 */
#define VARIABLES_MAX 512

/* What is added to it at most: a variable for each setting, LD_PRELOAD and the caller. */
#define ADDED_MAX 16

/* As posix_spawn and exec take it; glibc's own are not const either. */
typedef char *const *strings;

struct environment {
	strings used; /* what the program is to get */
	char **copy;
	size_t room; /* of the copy, its NULL included */
	char variable[ORIGIN_CALLER_MAX];
};

#define PAGE 4096U

/* Can this byte be read? `known` is a page that can be, so that the kernel is asked once for each.
 */
static bool is_readable(const void *address, uintptr_t *known)
{
	const uintptr_t page = (uintptr_t)address / PAGE;

	if (page != *known && readable_bytes(address, 1) < 1)
		return false;
	*known = page;
	return true;
}

/* Can it be read to its NUL? Else the kernel has to say so. */
static bool is_readable_text(const char *text, uintptr_t *known)
{
	for (size_t rest;; text += rest) {
		if (!is_readable(text, known))
			return false;
		rest = PAGE - (uintptr_t)text % PAGE;
		if (memchr(text, '\0', rest))
			return true;
	}
}

/* How many texts stand before the NULL, or `most`; SIZE_MAX if one can't be read. */
static size_t count_readable(strings array, size_t most)
{
	uintptr_t slots = 0;
	uintptr_t texts = 0;
	size_t count;

	for (count = 0; count < most; count++) {
		if (!is_readable(array + count, &slots))
			return SIZE_MAX;
		if (!array[count])
			break;
		if (!is_readable_text(array[count], &texts))
			return SIZE_MAX;
	}
	return count;
}

static bool is_told(const char *variable)
{
	return strncmp(variable, ORIGIN_CALLER, sizeof(ORIGIN_CALLER) - 1) == 0;
}

static bool has_name_of(strings environment, const char *variable)
{
	const size_t length = strcspn(variable, "=") + 1;

	for (size_t i = 0; environment[i]; i++) {
		if (strncmp(environment[i], variable, length) == 0)
			return true;
	}
	return false;
}

/* What this process was given the recorder by, where its host has scrubbed it since. */
static size_t give_again(struct environment *made, size_t count, strings environment)
{
	char *variable = recorder.given;

	/* Behind them the caller, and the NULL. */
	for (; *variable && count + 2 < made->room; variable += strlen(variable) + 1) {
		if (!has_name_of(environment, variable))
			made->copy[count++] = variable;
	}
	return count;
}

/*
 * The environment with `variable` (NULL: without any) in the place of what it said
 * of callers; false if another thread has made it too large for the copy.
 */
static bool replace(struct environment *made, strings environment, char *variable)
{
	size_t count = 0;

	for (size_t i = 0; environment[i]; i++) {
		if (is_told(environment[i]))
			continue;
		if (count + 2 >= made->room)
			return false;
		made->copy[count++] = environment[i];
	}
	if (variable) {
		count = give_again(made, count, environment);
		made->copy[count++] = variable;
	}
	made->copy[count] = NULL;
	made->used = made->copy;
	return true;
}

static bool is_any_told(strings environment)
{
	for (size_t i = 0; environment[i]; i++) {
		if (is_told(environment[i]))
			return true;
	}
	return false;
}

static bool is_set_id(const char *path)
{
	struct stat status;
	int fd = sys_open(path, O_PATH | O_CLOEXEC, 0);
	bool set_id;

	if (fd < 0)
		return false;
	set_id = sys_fstat(fd, &status) == 0 && (status.st_mode & (S_ISUID | S_ISGID));
	sys_close(fd);
	return set_id;
}

/* Not getenv(3), which a program may have of its own. */
static const char *search_path(void)
{
	for (char **variable = environ; variable && *variable; variable++) {
		if (strncmp(*variable, "PATH=", 5) == 0)
			return *variable + 5;
	}
	return NULL;
}

/* The first program of this name in PATH, where the name has no slash. */
static __attribute__((noinline)) bool gains_rights(const char *name)
{
	const char *path = search_path();
	char whole[1024];

	if (strchr(name, '/'))
		return is_set_id(name);
	for (; path && *path; path += strcspn(path, ":"), path += *path == ':') {
		size_t length = strcspn(path, ":");

		if (length + strlen(name) + 2 > sizeof(whole))
			continue;
		memcpy(whole, path, length);
		whole[length] = '\0';
		text_append(whole, sizeof(whole), "/");
		text_append(whole, sizeof(whole), name);
		if (is_set_id(whole))
			return true;
	}
	return false;
}

/* `sh -c COMMAND` is about the command. */
#define COMMAND_ARGUMENTS 3
static const char *command_of(const char *path, strings arguments)
{
	if (arguments[0] && arguments[1] && arguments[2] && strcmp(arguments[1], "-c") == 0)
		return arguments[2];
	return path;
}

/* clearenv(3) leaves no environment at all. */
static strings or_empty(strings environment)
{
	static char *const none[] = {NULL};

	return environment ? environment : none;
}

/* Puts the script's line in; false, and nothing is changed, where there is no script. */
static bool add_caller(struct environment *made, strings environment)
{
	struct origin *origin = origin_pool_claim();
	const bool written =
		origin && origin_of_script(origin) && origin_caller_write(made->variable, origin);

	origin_pool_free(origin);
	return written && replace(made, or_empty(environment), made->variable);
}

enum change {
	CHANGE_NOTHING,
	CHANGE_TELL,    /* it is a mail program: who starts it? */
	CHANGE_SILENCE, /* it has more rights, and was told of somebody */
};

/* By far the most are none of ours, and may have little stack. Keeps errno. */
static enum change change_of(const char *path, strings arguments, strings environment)
{
	const int saved = errno;
	enum change change = CHANGE_NOTHING;
	uintptr_t known = 0;
	bool told;
	bool mail;

	environment = or_empty(environment);
	if (!recorder.on || sandbox_is_closed() || !path || !arguments ||
	    !is_readable_text(path, &known) ||
	    count_readable(arguments, COMMAND_ARGUMENTS) == SIZE_MAX)
		return change;
	mail = origin_is_mail_command(command_of(path, arguments));
	/* Without having been told itself, this process has nothing to pass on. */
	if ((!mail && !recorder.process.caller[0]) ||
	    count_readable(environment, VARIABLES_MAX + 1) > VARIABLES_MAX)
		return change;
	told = is_any_told(environment);
	if ((told || mail) && gains_rights(path))
		change = told ? CHANGE_SILENCE : CHANGE_NOTHING;
	else if (mail)
		change = CHANGE_TELL;
	errno = saved;
	return change;
}

/* How many pointers its copy takes; no more were counted. */
static size_t room_for(strings environment)
{
	size_t count = 0;

	environment = or_empty(environment);
	while (count < VARIABLES_MAX && environment[count])
		count++;
	return count + ADDED_MAX + 1;
}

/*
 * Makes the change, with `copy` of as much room as room_for said: what the program
 * is to be started with. Keeps errno.
 */
static strings changed(struct environment *made, char *copy[], size_t room, enum change change,
		       strings environment)
{
	const int saved = errno;

	made->copy = copy;
	made->room = room;
	made->used = environment;
	if (change == CHANGE_SILENCE)
		(void)replace(made, environment, NULL);
	else
		(void)add_caller(made, environment);
	errno = saved;
	return made->used;
}

static __attribute__((noinline)) int execve_changed(const char *path, strings arguments,
						    strings environment, enum change change)
{
	const size_t room = room_for(environment);
	struct environment made;
	char *copy[room];

	return libc()->execve(path, arguments, changed(&made, copy, room, change, environment));
}

static __attribute__((noinline)) int execvpe_changed(const char *file, strings arguments,
						     strings environment, enum change change)
{
	const size_t room = room_for(environment);
	struct environment made;
	char *copy[room];

	return libc()->execvpe(file, arguments, changed(&made, copy, room, change, environment));
}

EXPORT int execve(const char *path, strings arguments, strings environment)
{
	const enum change change = change_of(path, arguments, environment);

	return change == CHANGE_NOTHING ? libc()->execve(path, arguments, environment)
					: execve_changed(path, arguments, environment, change);
}

EXPORT int execv(const char *path, strings arguments)
{
	const enum change change = change_of(path, arguments, environ);

	return change == CHANGE_NOTHING ? libc()->execv(path, arguments)
					: execve_changed(path, arguments, environ, change);
}

EXPORT int execvp(const char *file, strings arguments)
{
	const enum change change = change_of(file, arguments, environ);

	return change == CHANGE_NOTHING ? libc()->execvp(file, arguments)
					: execvpe_changed(file, arguments, environ, change);
}

EXPORT int execvpe(const char *file, strings arguments, strings environment)
{
	const enum change change = change_of(file, arguments, environment);

	return change == CHANGE_NOTHING ? libc()->execvpe(file, arguments, environment)
					: execvpe_changed(file, arguments, environment, change);
}

typedef int spawn_function(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
			   const posix_spawnattr_t *attributes, strings arguments,
			   strings environment);

static __attribute__((noinline)) int
spawn_changed(spawn_function *spawn, pid_t *pid, const char *path,
	      const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes,
	      strings arguments, strings environment, enum change change)
{
	const size_t room = room_for(environment);
	struct environment made;
	char *copy[room];

	return spawn(pid, path, actions, attributes, arguments,
		     changed(&made, copy, room, change, environment));
}

EXPORT int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
		       const posix_spawnattr_t *attributes, strings arguments, strings environment)
{
	const enum change change = change_of(path, arguments, environment);

	if (change == CHANGE_NOTHING)
		return libc()->posix_spawn(pid, path, actions, attributes, arguments, environment);
	return spawn_changed(libc()->posix_spawn, pid, path, actions, attributes, arguments,
			     environment, change);
}

EXPORT int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
			const posix_spawnattr_t *attributes, strings arguments, strings environment)
{
	const enum change change = change_of(file, arguments, environment);

	if (change == CHANGE_NOTHING)
		return libc()->posix_spawnp(pid, file, actions, attributes, arguments, environment);
	return spawn_changed(libc()->posix_spawnp, pid, file, actions, attributes, arguments,
			     environment, change);
}

/* /proc/self/task has a link for itself, one for "." and one for each thread. */
static bool has_other_threads(void)
{
	struct stat status;
	int fd = sys_open("/proc/self/task", O_PATH | O_CLOEXEC, 0);
	bool alone = false;

	if (fd < 0)
		return true;
	alone = sys_fstat(fd, &status) == 0 && status.st_nlink == 3;
	sys_close(fd);
	return !alone;
}

/*
 * It takes the environment of the process: for the length of the call that is a
 * copy, where no other thread can look at it. A longjmp out of the call would
 * leave the copy there, so that it is no part of this stack.
 */
EXPORT FILE *popen(const char *command, const char *type)
{
	static _Atomic bool taken;
	static char *copy[VARIABLES_MAX + ADDED_MAX + 1];
	static struct environment made;
	const int saved = errno;
	FILE *pipe;
	char **own = environ;
	uintptr_t known = 0;
	bool copied = false;

	if (recorder.on && !sandbox_is_closed() && command && is_readable_text(command, &known) &&
	    origin_is_mail_command(command) &&
	    count_readable(or_empty(environ), VARIABLES_MAX + 1) <= VARIABLES_MAX &&
	    !has_other_threads() && !atomic_exchange(&taken, true)) {
		made.copy = copy;
		made.room = VARIABLES_MAX + ADDED_MAX + 1;
		copied = add_caller(&made, environ);
		if (copied)
			environ = made.copy;
		else
			atomic_store(&taken, false);
	}
	errno = saved;
	pipe = libc()->popen(command, type);
	if (copied) {
		environ = own;
		atomic_store(&taken, false);
	}
	return pipe;
}
