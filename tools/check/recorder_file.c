/*
 * Knows where an installation puts things; must not know who asks.
 */
#include "tools/check/recorder_file.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As shim/base/version.c writes them. */
#define VERSION_SECTION ".tlswitness.version"
#define VERSION_PREFIX  "tlswitness recorder "

/* A recorder of another architecture may lie beside ours. */
static bool is_own_architecture(const char *path)
{
	struct elf_file self;
	struct elf_file other;
	bool same = false;

	if (!elf_file_open(&self, open("/proc/self/exe", O_RDONLY | O_CLOEXEC)))
		return true;
	if (elf_file_open(&other, open(path, O_RDONLY | O_CLOEXEC))) {
		same = self.machine == other.machine && self.word_class == other.word_class;
		elf_file_close(&other);
	}
	elf_file_close(&self);
	return same;
}

bool recorder_file_find(char path[PATH_MAX])
{
	static const char *const places[] = {"/" RECORDER_NAME, "/../lib/tlswitness/" RECORDER_NAME,
					     "/../lib/*/tlswitness/" RECORDER_NAME,
					     "/../lib64/tlswitness/" RECORDER_NAME};
	char own[PATH_MAX];
	char pattern[PATH_MAX + 64];
	ssize_t length = readlink("/proc/self/exe", own, sizeof(own) - 1);
	bool found = false;
	char *slash;

	if (length <= 0)
		return false;
	own[length] = '\0';
	slash = strrchr(own, '/');
	if (slash)
		*slash = '\0';
	for (size_t i = 0; !found && i < sizeof(places) / sizeof(places[0]); i++) {
		glob_t candidates;

		(void)snprintf(pattern, sizeof(pattern), "%s%s", own, places[i]);
		if (glob(pattern, 0, NULL, &candidates) != 0)
			continue;
		for (size_t j = 0; !found && j < candidates.gl_pathc; j++)
			found = realpath(candidates.gl_pathv[j], path) && is_own_architecture(path);
		globfree(&candidates);
	}
	return found;
}

/* What $LIB stands for in programs of this word size, and in those of the other. */
static const char *const libraries[][2] = {
#if defined(__x86_64__)
	{"/lib/x86_64-linux-gnu/", "/lib/i386-linux-gnu/"},
#elif defined(__i386__)
	{"/lib/i386-linux-gnu/", "/lib/x86_64-linux-gnu/"},
#elif defined(__aarch64__)
	{"/lib/aarch64-linux-gnu/", "/lib/arm-linux-gnueabihf/"},
#endif
#if defined(__LP64__)
	{"/lib64/", "/lib/"}, /* where it is not Debian's way */
#else
	{"/lib/", "/lib64/"},
#endif
};

/* `path` with `by` in the place of `place`; false if that is not in it, or there is no room. */
static bool replace(char result[PATH_MAX], const char *path, const char *place, const char *by)
{
	const char *found = strstr(path, place);
	int length;

	if (!found)
		return false;
	length = snprintf(result, PATH_MAX, "%.*s%s%s", (int)(found - path), path, by,
			  found + strlen(place));
	return length > 0 && length < PATH_MAX;
}

bool recorder_file_preload(const char *path, char preload[PATH_MAX])
{
	char other[PATH_MAX];

	for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++) {
		if (replace(other, path, libraries[i][0], libraries[i][1]) &&
		    access(other, R_OK) == 0 && replace(preload, path, libraries[i][0], "/$LIB/"))
			return true;
	}
	(void)snprintf(preload, PATH_MAX, "%s", path);
	return false;
}

bool recorder_file_is_musl(const char *path)
{
	struct elf_file file;
	bool found = false;

	if (!elf_file_open(&file, open(path, O_RDONLY | O_CLOEXEC)))
		return false;
	/* musl's own name for itself, and Alpine's. */
	for (size_t i = 0; i < file.needed_count; i++)
		found |= strcmp(file.needed[i], "libc.so") == 0 ||
			 strncmp(file.needed[i], "libc.musl-", 10) == 0;
	elf_file_close(&file);
	return found;
}

bool recorder_version_in(const char *bytes, size_t length, char version[RECORDER_VERSION_MAX])
{
	static const char prefix[] = VERSION_PREFIX;
	const char *at = memmem(bytes, length, prefix, sizeof(prefix) - 1);
	size_t left;

	version[0] = '\0';
	if (!at)
		return false;
	at += sizeof(prefix) - 1;
	left = length - (size_t)(at - bytes);
	(void)snprintf(version, RECORDER_VERSION_MAX, "%.*s",
		       (int)strnlen(at, left < 32 ? left : 32), at);
	return version[0] != '\0';
}

void recorder_file_version(const struct elf_file *recorder, char version[RECORDER_VERSION_MAX])
{
	size_t length = 0;
	const char *said = elf_file_section(recorder, VERSION_SECTION, &length);
	char digits[129];
	size_t used;

	version[0] = '\0';
	if (said)
		recorder_version_in(said, length, version);
	if (!elf_file_build_id(recorder, digits))
		return;
	used = strlen(version);
	(void)snprintf(version + used, RECORDER_VERSION_MAX - used, "%sbuild-id %s",
		       used ? ", " : "", digits);
}
