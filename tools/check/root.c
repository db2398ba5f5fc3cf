/*
 * Knows the file system; must not know what is in its files.
 */
#include "tools/check/root.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tools/base/table.h"

/* glibc 2.31 (Debian 11) has not heard of it; the same on every architecture. */
#ifndef SYS_openat2
#define SYS_openat2 437
#endif

bool root_open(struct root *root, const char *path)
{
	size_t length;

	root->path[0] = '\0';
	root->fd = -1;
	if (!path || strcmp(path, "/") == 0)
		return true;
	/* A link like /proc/PID/root is the way in, not a path to be followed. */
	length = strlen(path);
	while (length > 1 && path[length - 1] == '/')
		length--;
	if (length >= sizeof(root->path)) {
		errno = ENAMETOOLONG;
		return false;
	}
	memcpy(root->path, path, length);
	root->path[length] = '\0';
	root->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root->fd >= 0;
}

void root_close(struct root *root)
{
	if (root->fd >= 0)
		close(root->fd);
	root->fd = -1;
}

int root_open_file(const struct root *root, const char *path, int flags)
{
	struct open_how how = {.flags = (unsigned)flags | O_CLOEXEC,
			       .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};

	if (root->fd < 0)
		return open(path, flags | O_CLOEXEC);
	return (int)syscall(SYS_openat2, root->fd, path, &how, sizeof(how));
}

/* Where a descriptor leads, as the kernel says it. */
static bool read_descriptor_path(int fd, char path[PATH_MAX])
{
	char link[64];
	ssize_t length;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, PATH_MAX - 1);
	if (length <= 0)
		return false;
	path[length] = '\0';
	return true;
}

bool root_resolve(const struct root *root, const char *path, char resolved[PATH_MAX])
{
	char own[PATH_MAX];
	char found[PATH_MAX];
	size_t length;
	bool ok = false;
	int fd;

	if (root->fd < 0)
		return realpath(path, resolved) != NULL;
	fd = root_open_file(root, path, O_PATH);
	if (fd < 0)
		return false;
	if (read_descriptor_path(root->fd, own) && read_descriptor_path(fd, found)) {
		length = strcmp(own, "/") == 0 ? 0 : strlen(own);
		ok = strncmp(own, found, length) == 0 && found[length] == '/';
		if (ok)
			memcpy(resolved, found + length, strlen(found + length) + 1);
	}
	close(fd);
	return ok;
}

bool root_is_executable(const struct root *root, const char *path)
{
	struct stat status;
	bool ok;
	int fd;

	if (root->fd < 0)
		return stat(path, &status) == 0 && S_ISREG(status.st_mode) &&
		       access(path, X_OK) == 0;
	fd = root_open_file(root, path, O_PATH);
	if (fd < 0)
		return false;
	ok = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & 0111);
	close(fd);
	return ok;
}

void root_glob(const struct root *root, const char *pattern,
	       bool (*visit)(void *context, const char *path), void *context)
{
	char *whole = NULL;
	glob_t found;

	if (asprintf(&whole, "%s%s", root->path, pattern) < 0)
		table_out_of_memory();
	if (glob(whole, 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++) {
			if (!visit(context, found.gl_pathv[i] + strlen(root->path)))
				break;
		}
		globfree(&found);
	}
	free(whole);
}

char *root_read(const struct root *root, const char *path, size_t room, size_t *length)
{
	int fd = root_open_file(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	size_t used = 0;
	char *text;

	if (fd < 0)
		return NULL;
	text = table_allocate(room);
	while (used < room - 1) {
		ssize_t got = read(fd, text + used, room - 1 - used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		used += (size_t)got;
	}
	close(fd);
	text[used] = '\0';
	if (length)
		*length = used;
	return text;
}
