#include "tools/run/target.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define INTERPRETERS_MAX 4 /* as the kernel's own limit on `#!` within `#!` */
#define LINE_MAX_BYTES   256

static bool is_executable_file(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

/* execvp's search. */
static bool find_in_path(char found[PATH_MAX], const char *command)
{
	const char *path = getenv("PATH");

	if (strchr(command, '/')) {
		if ((size_t)snprintf(found, PATH_MAX, "%s", command) >= PATH_MAX)
			return false;
		return is_executable_file(found);
	}
	if (!path)
		path = "/bin:/usr/bin";
	for (;;) {
		size_t length = strcspn(path, ":");
		int written = snprintf(found, PATH_MAX, "%.*s%s%s", (int)length, path,
				       length ? "/" : "", command);

		if (written > 0 && written < PATH_MAX && is_executable_file(found))
			return true;
		if (path[length] == '\0')
			return false;
		path += length + 1;
	}
}

/*
 * The interpreter that a script's first line names, or the program that
 * `/usr/bin/env` there will look up; false where there is no such line.
 */
static bool find_interpreter(char interpreter[PATH_MAX], const char *script)
{
	char line[LINE_MAX_BYTES + 1];
	char *word;
	char *rest = NULL;
	int fd = open(script, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (fd < 0)
		return false;
	length = read(fd, line, LINE_MAX_BYTES);
	close(fd);
	if (length < 2 || line[0] != '#' || line[1] != '!')
		return false;
	line[length] = '\0';
	line[strcspn(line, "\n")] = '\0';
	word = strtok_r(line + 2, " \t", &rest);
	if (!word)
		return false;
	if (strcmp(word, "/usr/bin/env") == 0 || strcmp(word, "/bin/env") == 0) {
		do
			word = strtok_r(NULL, " \t", &rest);
		while (word && (word[0] == '-' || strchr(word, '=')));
		return word && find_in_path(interpreter, word);
	}
	return (size_t)snprintf(interpreter, PATH_MAX, "%s", word) < PATH_MAX;
}

static bool has_section(Elf *elf, const char *name)
{
	Elf_Scn *section = NULL;
	size_t strings;

	if (elf_getshdrstrndx(elf, &strings) != 0)
		return false;
	while ((section = elf_nextscn(elf, section)) != NULL) {
		GElf_Shdr header;
		const char *found;

		if (!gelf_getshdr(section, &header))
			continue;
		found = elf_strptr(elf, strings, header.sh_name);
		if (found && strcmp(found, name) == 0)
			return true;
	}
	return false;
}

/* The program's loader (PT_INTERP) into `loader`; false where it has none. */
static bool find_loader(Elf *elf, char loader[PATH_MAX])
{
	size_t count = 0;
	size_t size = 0;
	const char *bytes = elf_rawfile(elf, &size);

	if (elf_getphdrnum(elf, &count) != 0 || !bytes)
		return false;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr header;

		if (!gelf_getphdr(elf, (int)i, &header) || header.p_type != PT_INTERP)
			continue;
		if (header.p_offset >= size || header.p_filesz > size - header.p_offset)
			return false;
		return snprintf(loader, PATH_MAX, "%.*s", (int)header.p_filesz,
				bytes + header.p_offset) > 0;
	}
	return false;
}

static void examine_elf(struct target *target, Elf *elf)
{
	char loader[PATH_MAX];
	const int own_class = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;

	if (elf_kind(elf) != ELF_K_ELF)
		return;
	if (!find_loader(elf, loader)) {
		target->blindness = has_section(elf, ".go.buildinfo") ? "is a static Go program"
								      : "is statically linked";
	} else if (has_section(elf, ".go.buildinfo")) {
		target->blindness = "is a Go program, which makes its system calls itself";
	} else if (gelf_getclass(elf) != own_class) {
		target->blindness = "is of another word size than the recorder";
		target->harmed_by_preload = true;
	} else if (strstr(loader, "ld-musl")) {
		target->blindness = "is linked with musl, not glibc";
		target->harmed_by_preload = true;
	}
}

/* A program that runs with more rights than its caller ignores LD_PRELOAD: ld.so(8). */
static void examine_rights(struct target *target)
{
	struct stat status;

	if (stat(target->path, &status) != 0)
		return;
	if ((status.st_mode & S_ISUID) && status.st_uid != geteuid())
		target->blindness = "is set-user-ID and ignores LD_PRELOAD (/etc/ld.so.preload "
				    "reaches it)";
	else if ((status.st_mode & S_ISGID) && status.st_gid != getegid())
		target->blindness = "is set-group-ID and ignores LD_PRELOAD (/etc/ld.so.preload "
				    "reaches it)";
	else if (geteuid() != 0 && getxattr(target->path, "security.capability", NULL, 0) > 0)
		target->blindness = "has file capabilities and ignores LD_PRELOAD "
				    "(/etc/ld.so.preload reaches it)";
}

void target_examine(struct target *target, const char *command)
{
	char next[PATH_MAX];
	Elf *elf;
	int fd;

	memset(target, 0, sizeof(*target));
	if (!find_in_path(target->path, command)) {
		target->path[0] = '\0';
		return;
	}
	for (int i = 0; i < INTERPRETERS_MAX && find_interpreter(next, target->path); i++)
		memcpy(target->path, next, sizeof(next));
	fd = open(target->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return; /* exec will say what is wrong */
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf) {
		examine_elf(target, elf);
		elf_end(elf);
	}
	close(fd);
	if (!target->blindness)
		examine_rights(target);
}
