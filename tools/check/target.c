/*
 * Knows what keeps a preload out; the files that it reads are the root's.
 */
#include "tools/check/target.h"

#include <elf.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "shim/record/record_values.h"
#include "tools/check/confinement.h"
#include "tools/check/recorder_file.h"
#include "tools/check/script.h"

#define INTERPRETERS_MAX 4 /* as the kernel's own limit on `#!` within `#!` */
#define FIRST_LINE_SIZE  512

static const char by_system_preload[] =
	"have the loader itself preload the recorder: tlswitness enable program:PATH";

static const char without_io_uring[] = "have it use the socket calls of libc";

__attribute__((format(printf, 4, 5))) static void
add_reason(struct target *target, bool blinds, const char *remedy, const char *format, ...)
{
	struct target_reason *reason;
	va_list arguments;

	if (target->reason_count == TARGET_REASONS_MAX)
		return;
	reason = &target->reason[target->reason_count++];
	reason->blinds = blinds;
	reason->remedy = remedy;
	va_start(arguments, format);
	(void)vsnprintf(reason->text, sizeof(reason->text), format, arguments);
	va_end(arguments);
}

const struct target_reason *target_blindness(const struct target *target)
{
	for (size_t i = 0; i < target->reason_count; i++) {
		if (target->reason[i].blinds)
			return &target->reason[i];
	}
	return NULL;
}

/* ---- which file it is ---- */

/* execvp's search. */
static bool find_in_path(const struct root *root, char found[PATH_MAX], const char *command)
{
	const char *path = getenv("PATH");

	if (strchr(command, '/')) {
		if ((size_t)snprintf(found, PATH_MAX, "%s", command) >= PATH_MAX)
			return false;
		return root_is_executable(root, found);
	}
	if (!path)
		path = "/bin:/usr/bin";
	for (;;) {
		size_t length = strcspn(path, ":");
		int written = snprintf(found, PATH_MAX, "%.*s%s%s", (int)length, path,
				       length ? "/" : "", command);

		if (written > 0 && written < PATH_MAX && root_is_executable(root, found))
			return true;
		if (path[length] == '\0')
			return false;
		path += length + 1;
	}
}

/* From a script to what the kernel starts for it; false where it is none. */
static bool follow_script(struct target *target, const struct root *root)
{
	char next[PATH_MAX];
	struct script_line line;
	char *text = root_read(root, target->path, FIRST_LINE_SIZE, NULL);
	bool is_script = text && script_line_parse(&line, text);

	free(text);
	if (!is_script || !find_in_path(root, next, line.interpreter))
		return false;
	if (target->script[0] == '\0')
		memcpy(target->script, target->path, sizeof(target->script));
	if (line.drops_preload)
		add_reason(target, true, by_system_preload,
			   "is started by env without LD_PRELOAD, as the first line of %.200s says",
			   target->path);
	memcpy(target->path, next, sizeof(next));
	return true;
}

/* ---- what it is made of ---- */

static enum target_libc libc_of(const char *loader)
{
	const char *name = strrchr(loader, '/');

	if (loader[0] == '\0')
		return TARGET_LIBC_NONE;
	name = name ? name + 1 : loader;
	if (strncmp(name, "ld-musl", 7) == 0)
		return TARGET_LIBC_MUSL;
	if (strncmp(name, "ld-linux", 8) == 0 || strncmp(name, "ld64.so", 7) == 0 ||
	    strncmp(name, "ld.so", 5) == 0)
		return TARGET_LIBC_GLIBC;
	return TARGET_LIBC_OTHER;
}

static bool needs(const struct elf_file *file, const char *library)
{
	for (size_t i = 0; i < file->needed_count; i++) {
		if (strncmp(file->needed[i], library, strlen(library)) == 0)
			return true;
	}
	return false;
}

static bool is_own_word_size(const struct elf_file *file)
{
	return file->word_class == (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32);
}

/* This command and its recorder are of one architecture. */
static int own_machine(void)
{
	struct elf_file self;
	int machine = EM_NONE;

	if (elf_file_open(&self, open("/proc/self/exe", O_RDONLY | O_CLOEXEC))) {
		machine = self.machine;
		elf_file_close(&self);
	}
	return machine;
}

struct own_recorder {
	bool has_other_size; /* one of the other word size is installed in its place */
	bool is_musl;
};

static struct own_recorder own_recorder(void)
{
	char path[PATH_MAX];
	char preload[PATH_MAX];

	if (!recorder_file_find(path))
		return (struct own_recorder){false, false};
	return (struct own_recorder){recorder_file_preload(path, preload),
				     recorder_file_is_musl(path)};
}

static void examine_elf(struct target *target, const struct elf_file *file)
{
	const struct own_recorder recorder = own_recorder();
	static const char by_relay[] =
		"send its mail through a program that is seen, such as a relay on this host";

	target->is_elf = true;
	target->machine = file->machine;
	target->word_class = file->word_class;
	target->is_go = file->is_go;
	target->needs_io_uring = needs(file, "liburing.so");
	target->libc = libc_of(file->loader);
	memcpy(target->loader, file->loader, sizeof(target->loader));
	if (file->loader[0] == '\0') {
		if (file->is_go)
			add_reason(target, true, by_relay, "is a static Go program");
		else
			add_reason(target, true, "link it dynamically with glibc",
				   "is statically linked");
	} else if (file->is_go) {
		add_reason(target, true, by_relay,
			   "is a Go program, which makes its system calls itself");
	} else if (!is_own_word_size(file) && !recorder.has_other_size) {
		target->harmed_by_preload = true;
		add_reason(target, true, "install a recorder of that word size beside this one",
			   "is of another word size than the recorder, and none of that size is "
			   "installed");
	} else if (is_own_word_size(file) && file->machine != own_machine()) {
		target->harmed_by_preload = true;
		add_reason(target, true, "build a recorder of that architecture for it",
			   "is of another architecture than the recorder (%s)",
			   elf_file_machine_name(file->machine));
	} else if (recorder.is_musl && target->libc != TARGET_LIBC_MUSL) {
		target->harmed_by_preload = true;
		add_reason(target, true, "build a recorder for its libc",
			   "is not linked with musl, as the recorder is");
	} else if (!recorder.is_musl && target->libc == TARGET_LIBC_MUSL) {
		target->harmed_by_preload = true;
		add_reason(target, true, "build it for glibc", "is linked with musl, not glibc");
	} else if (target->libc == TARGET_LIBC_OTHER) {
		target->harmed_by_preload = true;
		add_reason(target, true, "build it for glibc",
			   "is started by another loader than glibc's (%.200s)", file->loader);
	} else if (needs(file, "libasan.so")) {
		target->harmed_by_preload = true;
		add_reason(target, true, "build it with -static-libasan, or without the sanitizer",
			   "is built with AddressSanitizer, which refuses any preload");
	}
}

/* ---- what it may ---- */

/* Where set-user-ID and capabilities mean nothing: a mount's option, or an ancestor's promise. */
static bool are_rights_ignored(const char *path)
{
	struct statvfs mount;

	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ||
	       (statvfs(path, &mount) == 0 && (mount.f_flag & ST_NOSUID));
}

/* A program that runs with more rights than its caller ignores LD_PRELOAD: ld.so(8). */
static void examine_rights(struct target *target, const struct root *root)
{
	char link[64];
	struct stat status;
	int fd = root_open_file(root, target->path, O_PATH);

	if (fd < 0 || fstat(fd, &status) != 0) {
		if (fd >= 0)
			close(fd);
		return;
	}
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (are_rights_ignored(link))
		;
	else if ((status.st_mode & S_ISUID) && status.st_uid != geteuid())
		add_reason(target, true, by_system_preload,
			   "is set-user-ID and ignores LD_PRELOAD (/etc/ld.so.preload reaches it)");
	else if ((status.st_mode & S_ISGID) && status.st_gid != getegid())
		add_reason(
			target, true, by_system_preload,
			"is set-group-ID and ignores LD_PRELOAD (/etc/ld.so.preload reaches it)");
	else if (status.st_mode & (S_ISUID | S_ISGID))
		add_reason(target, false, by_system_preload,
			   "has the rights of its owner and ignores LD_PRELOAD when others start "
			   "it (/etc/ld.so.preload reaches it)");
	else if (getxattr(link, "security.capability", NULL, 0) > 0)
		add_reason(target, geteuid() != 0, by_system_preload,
			   "has file capabilities and ignores LD_PRELOAD%s "
			   "(/etc/ld.so.preload reaches it)",
			   geteuid() == 0 ? " when others than root start it" : "");
	close(fd);
}

static void examine_confinement(struct target *target, const struct root *root)
{
	char place[256];

	if (confinement_apparmor_scrubs(root, target->script[0] ? target->script : target->path,
					place, sizeof(place)))
		add_reason(target, false, by_system_preload,
			   "loses LD_PRELOAD where AppArmor's rule at %s starts it", place);
	if (confinement_fapolicyd_denies(root, place, sizeof(place)))
		add_reason(target, true, by_system_preload,
			   "can't be started with LD_PRELOAD: fapolicyd denies it (%s)", place);
}

void target_examine(struct target *target, const struct root *root, const char *command)
{
	struct elf_file file;

	memset(target, 0, sizeof(*target));
	if (!find_in_path(root, target->path, command)) {
		target->path[0] = '\0';
		return;
	}
	for (int i = 0; i < INTERPRETERS_MAX && follow_script(target, root); i++)
		;
	if (elf_file_open(&file, root_open_file(root, target->path, O_RDONLY))) {
		examine_elf(target, &file);
		elf_file_close(&file);
	}
	examine_rights(target, root);
	examine_confinement(target, root);
}

/* ---- who will see it ---- */

/* As record_value_text counts. */
static void add_witness(struct target *target, unsigned number)
{
	const char *witness = record_value_text(RECORD_SET_WITNESS, number);

	for (size_t i = 0; i < target->witness_count; i++) {
		if (strcmp(target->witness[i], witness) == 0)
			return;
	}
	if (target->witness_count < TARGET_WITNESSES_MAX)
		target->witness[target->witness_count++] = witness;
}

/* A library's own witness, if the recorder has one and the calls pass it. */
static void add_library_witnesses(struct target *target)
{
	char path[PATH_MAX];
	struct elf_file recorder;

	if (!recorder_file_find(path) ||
	    !elf_file_open(&recorder, open(path, O_RDONLY | O_CLOEXEC)))
		return;
	for (size_t i = 0; i < target->libraries.count; i++) {
		const struct tls_library_use *use = &target->libraries.use[i];

		if (use->is_nearest && use->way != TLS_LIBRARY_BUILT_IN && use->library->witness &&
		    elf_file_holds_word(&recorder, use->library->hook))
			add_witness(target, use->library->witness);
	}
	elf_file_close(&recorder);
}

void target_find_witnesses(struct target *target, const struct root *root)
{
	char path[PATH_MAX];
	struct elf_file file;

	/* The module tables go by where the interpreter really lies: php is a link to php8.2. */
	if (!root_resolve(root, target->path, path) ||
	    !elf_file_open(&file, root_open_file(root, path, O_RDONLY)))
		return;
	tls_libraries_find(&target->libraries, root, path, &file);
	elf_file_close(&file);
	if (target->libraries.missing[0] != '\0')
		add_reason(target, false, "ask with the LD_LIBRARY_PATH that it is started with",
			   "links %s, which is not found here: what that brings is not known",
			   target->libraries.missing);
	if (target_blindness(target))
		return;
	add_library_witnesses(target);
	if (!target->libraries.links_io_uring)
		add_witness(target, WITNESS_NUMBER_WIRE + 1);
	else
		add_reason(target, target->witness_count == 0, without_io_uring,
			   "links liburing: what it moves by io_uring passes no hook of libc");
}

const char *target_has_io_uring(struct target *target)
{
	if (!target->libraries.links_io_uring)
		add_reason(target, false, without_io_uring,
			   "has an io_uring: what it moves by that passes no hook of libc");
	return without_io_uring;
}
