/*
 * Puts together what /proc, the settings' reader and the log say of one process.
 */
#include "tools/check/process.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "shim/config/config.h"
#include "shim/record/record_values.h"
#include "shim/record/tls_names.h"
#include "tools/check/last_record.h"
#include "tools/check/process_files.h"

#define SYSTEM_PRELOAD "/etc/ld.so.preload"
#define FILE_SIZE_MAX  65536
#define ANCESTORS_MAX  64

const char *setting_origin_name(enum setting_origin origin)
{
	static const char *const names[] = {"default", "file", "environment"};

	return names[origin];
}

/* ---- its files ---- */

/*
 * A process of another mount namespace sees its own files. One that is merely
 * in another root started there if its program is below it; else it started
 * here and went there later, as Postfix's do.
 */
static void open_its_root(struct process *process)
{
	char own[PATH_MAX];
	char other[PATH_MAX];
	char path[64];
	size_t length;

	root_open(&process->root, NULL);
	(void)snprintf(path, sizeof(path), "/proc/%d/root", (int)process->pid);
	if (process_link(getpid(), "ns/mnt", own) && process_link(process->pid, "ns/mnt", other) &&
	    strcmp(own, other) != 0) {
		if (!root_open(&process->root, path))
			root_open(&process->root, NULL);
		return;
	}
	if (!process_link(process->pid, "root", other) || strcmp(other, "/") == 0)
		return;
	length = strlen(other);
	if (strncmp(process->executable, other, length) == 0 &&
	    process->executable[length] == '/' && !root_open(&process->root, path))
		root_open(&process->root, NULL);
}

/* The program's path within its root. */
static const char *path_in_root(const struct process *process)
{
	char other[PATH_MAX];
	size_t length;

	if (process->root.fd < 0 || !process_link(process->pid, "root", other))
		return process->executable;
	length = strlen(other);
	if (length > 1 && strncmp(process->executable, other, length) == 0)
		return process->executable + length;
	return process->executable;
}

/* ---- the recorder in it ---- */

struct mapping {
	unsigned long start;
	unsigned long end;
	unsigned major;
	unsigned minor;
	unsigned long inode;
	char *path;
};

/* A number of that base, and the byte that ends it, are cut off the front. */
static bool take_number(char **text, int base, char ending, unsigned long *number)
{
	char *end;

	*number = strtoul(*text, &end, base);
	if (end == *text || *end != ending)
		return false;
	*text = end + 1;
	return true;
}

/* A word, and the blanks behind it, are cut off the front. */
static void skip_word(char **text)
{
	*text += strcspn(*text, " ");
	*text += strspn(*text, " ");
}

static bool read_mapping(struct mapping *mapping, char *line)
{
	unsigned long major;
	unsigned long minor;
	char *end;

	/* START-END PERMISSIONS OFFSET MAJOR:MINOR INODE PATH */
	if (!take_number(&line, 16, '-', &mapping->start) ||
	    !take_number(&line, 16, ' ', &mapping->end))
		return false;
	skip_word(&line);
	skip_word(&line);
	if (!take_number(&line, 16, ':', &major) || !take_number(&line, 16, ' ', &minor))
		return false;
	mapping->inode = strtoul(line, &end, 10);
	if (end == line)
		return false;
	mapping->major = (unsigned)major;
	mapping->minor = (unsigned)minor;
	mapping->path = end + strspn(end, " ");
	return true;
}

/* "/usr/lib/tlswitness/libtlswitness.so", also with " (deleted)" behind it, which is cut off. */
static bool is_recorder(struct mapping *mapping, bool *is_deleted)
{
	static const char deleted[] = " (deleted)";
	size_t length = strlen(mapping->path);
	const char *slash;

	*is_deleted = length > strlen(deleted) &&
		      strcmp(mapping->path + length - strlen(deleted), deleted) == 0;
	if (*is_deleted)
		mapping->path[length - strlen(deleted)] = '\0';
	slash = strrchr(mapping->path, '/');
	return slash && strcmp(slash + 1, RECORDER_NAME) == 0;
}

/* Is the file at its path still the one that is mapped? Then the file can say which one it is. */
static bool read_version_of_file(struct process *process, const struct mapping *mapping)
{
	struct stat status;
	struct elf_file file;
	int fd = root_open_file(&process->root, mapping->path, O_RDONLY);

	if (fd < 0)
		return false;
	if (fstat(fd, &status) != 0 || status.st_ino != mapping->inode ||
	    makedev(mapping->major, mapping->minor) != status.st_dev) {
		close(fd);
		return false;
	}
	if (!elf_file_open(&file, fd))
		return false;
	recorder_file_version(&file, process->version);
	elf_file_close(&file);
	return true;
}

/* From the process's own memory, where the file has been replaced. */
static void read_version_of_memory(struct process *process, const struct mapping *mapping)
{
	char path[64];
	size_t length = mapping->end - mapping->start;
	char *bytes;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)process->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || length > (1U << 24))
		goto out;
	bytes = malloc(length);
	if (bytes && pread(fd, bytes, length, (off_t)mapping->start) == (ssize_t)length)
		recorder_version_in(bytes, length, process->version);
	free(bytes);
out:
	if (fd >= 0)
		close(fd);
}

static bool find_recorder(struct process *process)
{
	char *text = process_file(process->pid, "maps", NULL);
	char *rest = NULL;

	if (!text)
		return false;
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		struct mapping mapping;
		bool is_deleted;

		if (!read_mapping(&mapping, line) || !is_recorder(&mapping, &is_deleted))
			continue;
		if (!process->is_mapped) {
			process->is_mapped = true;
			process->is_replaced =
				is_deleted || !read_version_of_file(process, &mapping);
			(void)snprintf(process->recorder, sizeof(process->recorder), "%s",
				       mapping.path);
		}
		if (process->version[0] == '\0')
			read_version_of_memory(process, &mapping);
	}
	free(text);
	return true;
}

static bool lists_recorder(const char *list)
{
	return list && strstr(list, RECORDER_NAME);
}

static void find_way(struct process *process, const char *environment, size_t length)
{
	const char *list = environment_value(environment, length, "LD_PRELOAD");
	char *system = root_read(&process->root, SYSTEM_PRELOAD, FILE_SIZE_MAX, NULL);
	pid_t pid = process->pid;

	if (!process->is_secure && lists_recorder(list)) {
		process->way = PRELOAD_ENVIRONMENT;
		for (int i = 0; i < ANCESTORS_MAX && pid > 0; i++) {
			size_t size = 0;
			char *block = process_file(pid, "environ", &size);
			bool has = block &&
				   lists_recorder(environment_value(block, size, "LD_PRELOAD"));

			free(block);
			if (!has)
				break;
			process->since = pid;
			pid = process_parent(pid);
		}
		process_link(process->since, "exe", process->since_executable);
	} else if (lists_recorder(system)) {
		process->way = PRELOAD_SYSTEM;
	}
	free(system);
}

/* ---- its settings ---- */

static const char *const setting_names[PROCESS_SETTINGS_MAX] = {
	"mode", "floor", "log", "scope", "ports", "plaintext", "service", "off"};

static void default_text(const struct config *config, const char *name, char text[1024])
{
	size_t used = 0;

	text[0] = '\0';
	if (strcmp(name, "mode") == 0) {
		(void)snprintf(text, 1024, "%s",
			       record_value_text(RECORD_SET_MODE, RECORD_MODE_AUDIT));
	} else if (strcmp(name, "floor") == 0) {
		(void)snprintf(text, 1024, "%s", tls_version_name(config->floor));
	} else if (strcmp(name, "log") == 0) {
		(void)snprintf(text, 1024, "%s", config->log);
	} else if (strcmp(name, "scope") == 0) {
		(void)snprintf(text, 1024, "smtp");
	} else if (strcmp(name, "plaintext") == 0) {
		(void)snprintf(text, 1024, "refuse-remote");
	} else if (strcmp(name, "off") == 0) {
		(void)snprintf(text, 1024, "0");
	} else if (strcmp(name, "ports") == 0) {
		for (unsigned i = 0; i < config->port_count && used < 1000; i++)
			used += (size_t)snprintf(text + used, 1024 - used, "%s%u", i ? "," : "",
						 config->ports[i]);
	}
}

/* A value that the recorder takes; one that it refuses leaves what was there. */
static void take_setting(struct process *process, struct config *config, const char *name,
			 const char *value, enum setting_origin origin)
{
	char message[CONFIG_MESSAGE_MAX];

	if (*value == '\0' || !config_set(config, name, value, message))
		return;
	for (size_t i = 0; i < process->setting_count; i++) {
		if (strcmp(process->setting[i].name, name) != 0)
			continue;
		(void)snprintf(process->setting[i].value, sizeof(process->setting[i].value), "%s",
			       value);
		process->setting[i].origin = origin;
	}
}

static char *trim(char *text)
{
	size_t length;

	text += strspn(text, " \t\r");
	length = strlen(text);
	while (length > 0 && isspace((unsigned char)text[length - 1]))
		text[--length] = '\0';
	return text;
}

static void take_settings_file(struct process *process, struct config *config)
{
	char *text = root_read(&process->root, CONFIG_FILE, FILE_SIZE_MAX, NULL);
	char message[CONFIG_MESSAGE_MAX];
	char *rest = NULL;

	for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line;
	     line = strtok_r(NULL, "\n", &rest)) {
		char *equals = strchr(line, '=');

		if (!equals || trim(line)[0] == '#')
			continue;
		*equals = '\0';
		if (strcmp(trim(line), "only") == 0)
			config_only(config, trim(equals + 1), message);
		else
			take_setting(process, config, trim(line), trim(equals + 1), SETTING_FILE);
	}
	free(text);
}

static void read_settings(struct process *process, struct config *config, const char *environment,
			  size_t length)
{
	config_defaults(config);
	config->program = path_in_root(process);
	config->user = process->user;
	process->setting_count = PROCESS_SETTINGS_MAX;
	for (size_t i = 0; i < PROCESS_SETTINGS_MAX; i++) {
		process->setting[i].name = setting_names[i];
		default_text(config, setting_names[i], process->setting[i].value);
	}
	take_settings_file(process, config);
	for (size_t i = 0; !process->is_secure && i < PROCESS_SETTINGS_MAX; i++) {
		char name[64];
		const char *value;

		(void)snprintf(name, sizeof(name), CONFIG_PREFIX "%s", setting_names[i]);
		for (char *at = name; *at; at++)
			*at = (char)toupper((unsigned char)*at);
		value = environment_value(environment, length, name);
		if (value)
			take_setting(process, config, setting_names[i], value, SETTING_ENVIRONMENT);
	}
	process->is_off = config->off;
	if (config->has_only && !config->is_meant && process->way != PRELOAD_ENVIRONMENT)
		process->is_left_out = true;
}

static void find_last_record(struct process *process, const struct config *config)
{
	struct stat status;

	if (config->log_kind > LOG_DIRECTORY)
		return;
	(void)snprintf(process->log, sizeof(process->log), "%s%s", process->root.path, config->log);
	if (config->log_kind == LOG_DIRECTORY ||
	    (stat(process->log, &status) == 0 && S_ISDIR(status.st_mode)))
		(void)snprintf(process->log, sizeof(process->log), "%s%s%s%u.jsonl",
			       process->root.path, config->log,
			       config->log_kind == LOG_DIRECTORY ? "" : "/",
			       (unsigned)process->user);
	last_record_find(process->log, process->pid, process->started, process->last_record);
}

/* ---- why not ---- */

static void give_reason(struct process *process)
{
	const struct target_reason *blindness = target_blindness(&process->target);
	const char *unit = process->unit;
	struct stat preload;

	if (process->is_mapped && process->is_left_out) {
		(void)snprintf(process->reason, sizeof(process->reason),
			       "is none of those that `only` names in " CONFIG_FILE);
		(void)snprintf(process->remedy, sizeof(process->remedy),
			       "tlswitness enable program:%.200s, then restart it",
			       process->executable);
		return;
	}
	if (process->is_mapped && process->is_off) {
		(void)snprintf(process->reason, sizeof(process->reason),
			       "has the recorder switched off (TLSWITNESS_OFF)");
		(void)snprintf(process->remedy, sizeof(process->remedy),
			       "take TLSWITNESS_OFF out of its environment and restart it");
		return;
	}
	if (process->is_mapped && !blindness)
		return;
	if (blindness && !process->is_secure) {
		(void)snprintf(process->reason, sizeof(process->reason), "%s", blindness->text);
		(void)snprintf(process->remedy, sizeof(process->remedy), "%s", blindness->remedy);
		return;
	}
	if (process->is_mapped)
		return;
	if (process->way == PRELOAD_SYSTEM) {
		bool is_older = stat(SYSTEM_PRELOAD, &preload) == 0 &&
				process->started <= (unsigned long long)preload.st_mtime;

		(void)snprintf(process->reason, sizeof(process->reason), "%s",
			       is_older ? "was started before the recorder was enabled"
					: "has not loaded the recorder, which " SYSTEM_PRELOAD
					  " names");
	} else if (process->way == PRELOAD_ENVIRONMENT) {
		(void)snprintf(process->reason, sizeof(process->reason),
			       "has not loaded the recorder, which its LD_PRELOAD names");
		(void)snprintf(process->remedy, sizeof(process->remedy),
			       "see what the loader says of it on standard error when it starts");
		return;
	} else if (process->is_secure) {
		(void)snprintf(process->reason, sizeof(process->reason),
			       "runs with more rights than who started it, and ignores LD_PRELOAD");
		(void)snprintf(process->remedy, sizeof(process->remedy),
			       "tlswitness enable program:%.200s, then restart it",
			       process->executable);
		return;
	} else {
		(void)snprintf(process->reason, sizeof(process->reason),
			       "was started without the recorder");
		if (unit[0] && strstr(unit, ".service"))
			(void)snprintf(process->remedy, sizeof(process->remedy),
				       "tlswitness enable unit:%s, then restart it", unit);
		else
			(void)snprintf(process->remedy, sizeof(process->remedy),
				       "start it with `tlswitness run`, or tlswitness enable "
				       "program:%.200s and restart it",
				       process->executable);
		return;
	}
	(void)snprintf(process->remedy, sizeof(process->remedy), "restart it%s%s",
		       unit[0] ? ": systemctl restart " : "", unit);
}

bool process_examine(struct process *process, pid_t pid, bool with_log)
{
	static const char deleted[] = " (deleted)";
	struct config config;
	struct stat status;
	char path[64];
	size_t length = 0;
	size_t end;
	char *environment;

	memset(process, 0, sizeof(*process));
	process->pid = pid;
	process->root.fd = -1;
	(void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	if (stat(path, &status) != 0 || !process_link(pid, "exe", process->executable))
		return false;
	end = strlen(process->executable);
	if (end > strlen(deleted) &&
	    strcmp(process->executable + end - strlen(deleted), deleted) == 0)
		process->executable[end - strlen(deleted)] = '\0';
	process->user = status.st_uid;
	process->started = process_start(pid);
	process->is_secure = process_is_secure(pid);
	process_group(pid, process->unit, process->container);
	open_its_root(process);
	if (!find_recorder(process)) {
		process_close(process);
		return false;
	}
	environment = process_file(pid, "environ", &length);
	find_way(process, environment ? environment : "", environment ? length : 0);
	read_settings(process, &config, environment ? environment : "", environment ? length : 0);
	free(environment);
	target_examine(&process->target, &process->root, path_in_root(process));
	target_find_witnesses(&process->target, &process->root);
	give_reason(process);
	if (process_has_descriptor(pid, "anon_inode:[io_uring]")) {
		const char *remedy = target_has_io_uring(&process->target);

		if (process->reason[0] == '\0')
			(void)snprintf(process->remedy, sizeof(process->remedy), "%s", remedy);
	}
	if (with_log && process->is_mapped)
		find_last_record(process, &config);
	return true;
}

void process_close(struct process *process)
{
	root_close(&process->root);
}
