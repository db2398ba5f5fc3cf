/*
 * Pure: the names that systemd and container engines give to control groups.
 */
#include "tools/check/group_names.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool ends_with(const char *text, size_t length, const char *end)
{
	size_t size = strlen(end);

	return length > size && strncmp(text + length - size, end, size) == 0;
}

static size_t count_hexadecimal(const char *text)
{
	size_t count = 0;

	while (isxdigit((unsigned char)text[count]))
		count++;
	return count;
}

/* "docker-<id>.scope", "libpod-<id>", "<id>" below "docker": 64 digits, of which 12 name it. */
static bool read_container(const char *name, size_t length, const char *above, size_t above_length,
			   char container[256])
{
	static const char *const engines[][2] = {
		{"docker-", "docker"},   {"libpod-", "podman"},
		{"crio-", "cri-o"},      {"cri-containerd-", "containerd"},
		{"lxc.payload.", "lxc"}, {"machine-", "machine"},
	};

	for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++) {
		size_t size = strlen(engines[i][0]);
		size_t left = length - size;

		if (length <= size || strncmp(name, engines[i][0], size) != 0)
			continue;
		if (ends_with(name, length, ".scope"))
			left -= strlen(".scope");
		if (count_hexadecimal(name + size) == 64)
			left = 12;
		(void)snprintf(container, 256, "%s %.*s", engines[i][1], (int)left, name + size);
		return true;
	}
	if (length == 64 && count_hexadecimal(name) == 64) {
		(void)snprintf(container, 256, "%.*s %.12s",
			       above_length ? (int)above_length : (int)strlen("container"),
			       above_length ? above : "container", name);
		return true;
	}
	return false;
}

void group_names(const char *path, char unit[256], char container[256])
{
	const char *above = "";
	size_t above_length = 0;

	unit[0] = '\0';
	container[0] = '\0';
	while (*path) {
		size_t length;

		path += strspn(path, "/");
		length = strcspn(path, "/\n");
		if (!read_container(path, length, above, above_length, container) &&
		    (ends_with(path, length, ".service") || ends_with(path, length, ".socket") ||
		     ends_with(path, length, ".scope")) &&
		    length < 256) {
			memcpy(unit, path, length);
			unit[length] = '\0';
		}
		above = path;
		above_length = length;
		path += length;
		path += strspn(path, "\n");
	}
}
