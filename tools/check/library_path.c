/*
 * The order of ld.so(8): DT_RPATH where there is no DT_RUNPATH, LD_LIBRARY_PATH,
 * DT_RUNPATH, the directories of ld.so.conf (whose cache ldconfig makes), then
 * the ones that are built in. The cache is not read: it holds nothing else.
 */
#include "tools/check/library_path.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/base/table.h"

#define CONFIGURATION      "/etc/ld.so.conf"
#define CONFIGURATION_SIZE 65536
#define INCLUDES_MAX       8 /* a file that includes itself ends there */

static void add_directory(struct library_path *search, const char *directory)
{
	search->directory =
		table_resize(search->directory, (search->count + 1) * sizeof(search->directory[0]));
	search->directory[search->count] = strdup(directory);
	if (!search->directory[search->count])
		table_out_of_memory();
	search->count++;
}

struct reading {
	struct library_path *search;
	unsigned depth;
};

static bool read_configuration(void *context, const char *path);

static void read_line(struct reading *reading, char *line)
{
	char *rest = NULL;
	char *word = strtok_r(line, " \t", &rest);

	if (!word)
		return;
	if (word[0] == '/') {
		add_directory(reading->search, word);
		return;
	}
	if (strcmp(word, "include") != 0)
		return;
	while ((word = strtok_r(NULL, " \t", &rest)) != NULL) {
		char pattern[PATH_MAX];

		(void)snprintf(pattern, sizeof(pattern), "%s%s", word[0] == '/' ? "" : "/etc/",
			       word);
		root_glob(reading->search->root, pattern, read_configuration, reading);
	}
}

static bool read_configuration(void *context, const char *path)
{
	struct reading *reading = context;
	char *text;
	char *rest = NULL;

	if (reading->depth >= INCLUDES_MAX)
		return true;
	text = root_read(reading->search->root, path, CONFIGURATION_SIZE, NULL);
	if (!text)
		return true;
	reading->depth++;
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		line[strcspn(line, "#")] = '\0';
		read_line(reading, line);
	}
	reading->depth--;
	free(text);
	return true;
}

static bool add_matching(void *context, const char *path)
{
	add_directory(context, path);
	return true;
}

void library_path_read(struct library_path *search, const struct root *root)
{
	static const char *const built_in[] = {
		"/lib/*-linux-gnu*", "/usr/lib/*-linux-gnu*", "/lib64", "/usr/lib64", "/lib",
		"/usr/lib"};
	struct reading reading = {.search = search};

	*search = (struct library_path){.root = root};
	read_configuration(&reading, CONFIGURATION);
	for (size_t i = 0; i < sizeof(built_in) / sizeof(built_in[0]); i++)
		root_glob(root, built_in[i], add_matching, search);
}

void library_path_free(struct library_path *search)
{
	for (size_t i = 0; i < search->count; i++)
		free(search->directory[i]);
	free(search->directory);
}

static bool open_library(const struct library_path *search, const struct elf_file *user,
			 const char *path, struct elf_file *library, char found[PATH_MAX])
{
	if (!elf_file_open(library, root_open_file(search->root, path, O_RDONLY)))
		return false;
	if (library->machine != user->machine || library->word_class != user->word_class) {
		elf_file_close(library);
		return false;
	}
	return (size_t)snprintf(found, PATH_MAX, "%s", path) < PATH_MAX;
}

/* One directory of a list, in which $ORIGIN stands for that of the file which asks. */
static bool open_in_directory(const struct library_path *search, const struct elf_file *user,
			      const char *user_path, const char *directory, size_t length,
			      const char *name, struct elf_file *library, char found[PATH_MAX])
{
	static const char *const origins[] = {"$ORIGIN", "${ORIGIN}"};
	const char *slash = strrchr(user_path, '/');
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) {
		size_t origin = strlen(origins[i]);

		if (length < origin || strncmp(directory, origins[i], origin) != 0)
			continue;
		if ((size_t)snprintf(path, sizeof(path), "%.*s%.*s/%s",
				     slash ? (int)(slash - user_path) : 0, user_path,
				     (int)(length - origin), directory + origin,
				     name) >= sizeof(path))
			return false;
		return open_library(search, user, path, library, found);
	}
	if (length == 0 || (size_t)snprintf(path, sizeof(path), "%.*s/%s", (int)length, directory,
					    name) >= sizeof(path))
		return false;
	return open_library(search, user, path, library, found);
}

/* A list with colons, as of DT_RUNPATH; NULL is an empty one. */
static bool open_in_list(const struct library_path *search, const struct elf_file *user,
			 const char *user_path, const char *list, const char *name,
			 struct elf_file *library, char found[PATH_MAX])
{
	while (list && *list) {
		size_t length = strcspn(list, ":;");

		if (open_in_directory(search, user, user_path, list, length, name, library, found))
			return true;
		list += length;
		list += strspn(list, ":;");
	}
	return false;
}

bool library_path_open(const struct library_path *search, const struct elf_file *user,
		       const char *user_path, const char *name, struct elf_file *library,
		       char found[PATH_MAX])
{
	if (strchr(name, '/'))
		return open_library(search, user, name, library, found);
	if (!user->run_path &&
	    open_in_list(search, user, user_path, user->old_run_path, name, library, found))
		return true;
	if (search->root->fd < 0 &&
	    open_in_list(search, user, user_path, getenv("LD_LIBRARY_PATH"), name, library, found))
		return true;
	if (open_in_list(search, user, user_path, user->run_path, name, library, found))
		return true;
	for (size_t i = 0; i < search->count; i++) {
		const char *directory = search->directory[i];

		if (open_in_directory(search, user, user_path, directory, strlen(directory), name,
				      library, found))
			return true;
	}
	return false;
}
