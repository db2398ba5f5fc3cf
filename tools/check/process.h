/*
 * What a running process says of the recorder: is it mapped, which one, with
 * which settings from where, and when did it last write.
 */
#ifndef TLSWITNESS_PROCESS_H
#define TLSWITNESS_PROCESS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "tools/check/recorder_file.h"
#include "tools/check/root.h"
#include "tools/check/target.h"

enum setting_origin { SETTING_DEFAULT, SETTING_FILE, SETTING_ENVIRONMENT };

#define PROCESS_SETTINGS_MAX 8

struct process_setting {
	const char *name;
	char value[1024];
	enum setting_origin origin;
};

enum preload_way { PRELOAD_UNKNOWN, PRELOAD_ENVIRONMENT, PRELOAD_SYSTEM };

struct process {
	pid_t pid;
	uid_t user;
	char executable[PATH_MAX];
	unsigned long long started; /* seconds since 1970 */
	char unit[256];             /* systemd's, from the control group; "" if unknown */
	char container[256]; /* "docker 3fa2...", from the control group; "" if there is none */
	bool is_secure;      /* AT_SECURE: it reads no environment */
	struct root root;    /* its files; closed by process_close */

	bool is_mapped;
	bool is_replaced; /* the file is another one by now */
	char recorder[PATH_MAX];
	char version[RECORDER_VERSION_MAX];
	bool is_off;
	bool is_left_out; /* `only` in the settings file names others */
	enum preload_way way;
	pid_t since; /* the outermost ancestor in whose environment it is; 0: unknown */
	char since_executable[PATH_MAX];

	struct process_setting setting[PROCESS_SETTINGS_MAX];
	size_t setting_count;

	char last_record[32]; /* its @timestamp; "" if there is none, or none that can be read */
	char log[PATH_MAX];   /* the file that was looked through; "" if it is no file */

	struct target target; /* the executable, as check PROGRAM has it */
	char reason[512];     /* why it is not witnessed; "": it is */
	char remedy[512];
};

/*
 * False, with errno, if there is no such process or it may not be looked at.
 * `with_log` looks its last record up, which reads the log from its end.
 */
bool process_examine(struct process *process, pid_t pid, bool with_log);
void process_close(struct process *process);

const char *setting_origin_name(enum setting_origin origin);

#endif
