/*
 * Files as a program of another root sees them: a container's, a process that
 * changed its root, a directory that holds a system. Absolute links stay within.
 */
#ifndef TLSWITNESS_ROOT_H
#define TLSWITNESS_ROOT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct root {
	char path[PATH_MAX]; /* without a slash at its end; "" is this process's own root */
	int fd;              /* -1 with "" */
};

/* `path` NULL or "/": our own. False, with errno, if there is no such directory. */
bool root_open(struct root *root, const char *path);
void root_close(struct root *root);

/* A descriptor for the file that `path` (absolute, or relative to our directory where the root
 * is ours) is in this root; -1 with errno. */
int root_open_file(const struct root *root, const char *path, int flags);

/* The path in the root without links; false, with errno, if there is nothing. */
bool root_resolve(const struct root *root, const char *path, char resolved[PATH_MAX]);

/*
 * Whether `path` can be executed by this process; for another root whether it
 * is a regular file with any execute bit.
 */
bool root_is_executable(const struct root *root, const char *path);

/*
 * Calls `visit` with each path of the root, without the root before it, that
 * the pattern (glob(7), absolute) matches, in order; ends early where it returns false.
 */
void root_glob(const struct root *root, const char *pattern,
	       bool (*visit)(void *context, const char *path), void *context);

/* The file's first `room` - 1 bytes as a string, to be freed; NULL with errno where there is none.
 * `length` may be NULL. */
char *root_read(const struct root *root, const char *path, size_t room, size_t *length);

#endif
