/*
 * Knows files; must not know what is in them.
 */
#include "tools/host/edit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/base/options.h"
#include "tools/base/put.h"
#include "tools/base/table.h"

#define TEXT_SIZE_MAX (4U << 20)

char *edit_read(const struct host *host, const char *path, bool *exists)
{
	size_t length = 0;
	char *text = root_read(&host->root, path, TEXT_SIZE_MAX, &length);

	*exists = text != NULL;
	if (!text && (errno == ENOENT || errno == ENOTDIR))
		return strdup("");
	if (!text) {
		complain("%s%s: %s", host->root.path, path, strerror(errno));
	} else if (strlen(text) != length || length == TEXT_SIZE_MAX - 1) {
		complain("%s%s is no text that can be edited", host->root.path, path);
		free(text);
		text = NULL;
	}
	return text;
}

/* Where the file really is, as a path of ours: what is renamed must not be a link to it. */
static bool real_path(const struct host *host, const char *path, char real[PATH_MAX])
{
	char resolved[PATH_MAX];

	if (!root_resolve(&host->root, path, resolved))
		(void)snprintf(resolved, sizeof(resolved), "%s", path);
	return (size_t)snprintf(real, PATH_MAX, "%s%s", host->root.path, resolved) < PATH_MAX;
}

static bool make_parents(const char *path)
{
	char parents[PATH_MAX];

	(void)snprintf(parents, sizeof(parents), "%s", path);
	for (char *slash = strchr(parents + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(parents, 0755) != 0 && errno != EEXIST)
			return false;
		*slash = '/';
	}
	return true;
}

/* So that the name itself survives a loss of power. */
static void sync_directory_of(const char *path)
{
	char directory[PATH_MAX];
	char *slash;
	int fd;

	(void)snprintf(directory, sizeof(directory), "%s", path);
	slash = strrchr(directory, '/');
	if (!slash)
		return;
	slash[slash == directory] = '\0';
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

static bool write_all(int fd, const char *text)
{
	size_t length = strlen(text);

	while (length > 0) {
		ssize_t written = write(fd, text, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		text += written;
		length -= (size_t)written;
	}
	return true;
}

/* One name for all times: what a killed one left is taken over, and never piles up. */
static bool replace(const char *path, const char *text)
{
	char temporary[PATH_MAX + 32];
	struct stat status;
	bool was_there = stat(path, &status) == 0;
	bool ok = false;
	int fd;

	(void)snprintf(temporary, sizeof(temporary), "%s.tlswitness-new", path);
	(void)unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	if (!write_all(fd, text))
		goto out;
	if (was_there && fchown(fd, status.st_uid, status.st_gid) != 0)
		goto out;
	if (fchmod(fd, was_there ? status.st_mode & 07777 : 0644) != 0 || fsync(fd) != 0)
		goto out;
	ok = rename(temporary, path) == 0;
out:
	close(fd);
	if (!ok) {
		int error = errno;

		(void)unlink(temporary);
		errno = error;
	} else {
		sync_directory_of(path);
	}
	return ok;
}

/* The lines that go and come, as a reader of diff(1) expects them. */
static void say_lines(char sign, const char *text, const char *other)
{
	while (*text) {
		size_t length = strcspn(text, "\n");
		char *line = strndup(text, length);
		char *without = NULL;

		if (!line)
			table_out_of_memory();
		without = edit_without_line(other, line);
		if (strcmp(without, other) == 0)
			put_format(stdout, "  %c %s\n", sign, line);
		free(without);
		free(line);
		text += length + (text[length] == '\n');
	}
}

static void say(const struct host *host, const char *path, const char *old, const char *text)
{
	const char *verb = !text ? "removed" : *old ? "changed" : "made";

	put_format(stdout, "%s%s%s\n", host->dry_run ? "would be " : "", verb, "");
	put_format(stdout, "  %s%s\n", host->root.path, path);
	say_lines('-', old, text ? text : "");
	if (text)
		say_lines('+', text, old);
}

bool edit_write(const struct host *host, const char *path, const char *text)
{
	bool exists;
	char *old = edit_read(host, path, &exists);
	char real[PATH_MAX];
	bool ok = true;

	if (!old)
		return false;
	if (text ? exists && strcmp(old, text) == 0 : !exists)
		goto out;
	say(host, path, old, text);
	if (host->dry_run)
		goto out;
	ok = real_path(host, path, real);
	if (ok && text)
		ok = make_parents(real) && replace(real, text);
	else if (ok)
		ok = unlink(real) == 0;
	if (!ok)
		complain("%s%s: %s; nothing was changed there", host->root.path, path,
			 strerror(errno));
out:
	free(old);
	return ok;
}

void edit_remove_directory(const struct host *host, const char *path)
{
	char real[PATH_MAX];

	if (!host->dry_run &&
	    (size_t)snprintf(real, sizeof(real), "%s%s", host->root.path, path) < sizeof(real))
		(void)rmdir(real);
}
