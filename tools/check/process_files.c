/*
 * Knows proc(5); must not know the recorder.
 */
#include "tools/check/process_files.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/base/table.h"
#include "tools/check/group_names.h"

char *process_file(pid_t pid, const char *name, size_t *length)
{
	char path[64 + 32];
	char *text = NULL;
	size_t room = 0;
	size_t used = 0;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	for (;;) {
		ssize_t got;

		if (used + 4096 > room) {
			room = room ? room * 2 : 16384;
			text = table_resize(text, room);
		}
		got = read(fd, text + used, room - used - 1);
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

bool process_link(pid_t pid, const char *name, char target[PATH_MAX])
{
	char path[128];
	ssize_t length;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	length = readlink(path, target, PATH_MAX - 1);
	if (length < 0)
		return false;
	target[length] = '\0';
	return true;
}

bool process_has_descriptor(pid_t pid, const char *link)
{
	char path[64];
	char target[PATH_MAX];
	const struct dirent *entry;
	bool found = false;
	DIR *directory;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	directory = opendir(path);
	while (directory && !found && (entry = readdir(directory))) {
		(void)snprintf(path, sizeof(path), "fd/%.20s", entry->d_name);
		found = process_link(pid, path, target) && strcmp(target, link) == 0;
	}
	if (directory)
		(void)closedir(directory);
	return found;
}

const char *environment_value(const char *block, size_t length, const char *name)
{
	size_t size = strlen(name);
	const char *end = block + length;

	for (const char *at = block; at < end; at += strlen(at) + 1) {
		if (strncmp(at, name, size) == 0 && at[size] == '=')
			return at + size + 1;
	}
	return NULL;
}

/* The field of this number (1 is the pid) of /proc/PID/stat, from the third on; "" if unknown. */
static unsigned long long stat_field(pid_t pid, unsigned number)
{
	char *text = process_file(pid, "stat", NULL);
	/* The name, the second field, may hold blanks and brackets. */
	const char *at = text ? strrchr(text, ')') : NULL;
	unsigned long long value = 0;

	for (unsigned field = 2; at && field < number; field++)
		at = strchr(at + 1, ' ');
	if (at)
		value = strtoull(at + 1, NULL, 10);
	free(text);
	return value;
}

pid_t process_parent(pid_t pid)
{
	return (pid_t)stat_field(pid, 4);
}

unsigned long long process_start(pid_t pid)
{
	unsigned long long ticks = stat_field(pid, 22);
	FILE *file = fopen("/proc/stat", "re");
	unsigned long long boot = 0;
	char line[4096];

	if (!file)
		return 0;
	while (boot == 0 && fgets(line, sizeof(line), file)) {
		if (strncmp(line, "btime ", 6) == 0)
			boot = strtoull(line + 6, NULL, 10);
	}
	(void)fclose(file);
	return boot && ticks ? boot + ticks / (unsigned long long)sysconf(_SC_CLK_TCK) : 0;
}

bool process_is_secure(pid_t pid)
{
	size_t length = 0;
	char *text = process_file(pid, "auxv", &length);
	ElfW(auxv_t) entry;
	bool secure = false;

	for (size_t at = 0; text && at + sizeof(entry) <= length; at += sizeof(entry)) {
		memcpy(&entry, text + at, sizeof(entry));
		if (entry.a_type == AT_SECURE)
			secure = entry.a_un.a_val != 0;
	}
	free(text);
	return secure;
}

void process_group(pid_t pid, char unit[256], char container[256])
{
	char *text = process_file(pid, "cgroup", NULL);
	char *rest = NULL;

	unit[0] = '\0';
	container[0] = '\0';
	/* "0::/PATH" of version 2, "1:name=systemd:/PATH" of version 1. */
	for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line;
	     line = strtok_r(NULL, "\n", &rest)) {
		char found_unit[256];
		char found_container[256];
		const char *path = strchr(line, ':');

		path = path ? strchr(path + 1, ':') : NULL;
		if (!path)
			continue;
		group_names(path + 1, found_unit, found_container);
		if (found_unit[0] && !unit[0])
			memcpy(unit, found_unit, sizeof(found_unit));
		if (found_container[0] && !container[0])
			memcpy(container, found_container, sizeof(found_container));
	}
	free(text);
}
