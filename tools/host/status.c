/*
 * Looks; changes nothing but what it is asked to restart.
 */
#include "tools/host/status.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim/config/config_load.h"
#include "tools/base/options.h"
#include "tools/base/put.h"
#include "tools/check/check.h"
#include "tools/check/process_files.h"
#include "tools/check/recorder_file.h"
#include "tools/host/settings.h"
#include "tools/host/target.h"
#include "tools/host/trial.h"

extern char **environ;

/* ---- systemd ---- */

static void systemctl(const struct host *host, const char *verb, const char *unit)
{
	struct stat status;
	pid_t child;
	int result = 0;

	if (host->root.path[0] || host->dry_run || stat("/run/systemd/system", &status) != 0)
		return;
	child = fork();
	if (child == 0) {
		execlp("systemctl", "systemctl", verb, unit, (char *)NULL);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &result, 0) < 0 || result != 0)
		complain("systemctl %s %s did not succeed", verb, unit ? unit : "");
}

void host_reload_systemd(const struct host *host)
{
	systemctl(host, "daemon-reload", NULL);
}

void host_restart(const struct host *host, const char *unit)
{
	systemctl(host, "try-restart", unit);
}

/* ---- targets ---- */

struct look {
	const struct host *host;
	bool restart;
	bool is_well;
	unsigned targets;
};

static bool is_in_place(const struct host *host, const struct host_plan *plan)
{
	bool in_place = true;

	for (size_t i = 0; in_place && i < plan->change_count; i++) {
		bool exists;
		char *text = edit_read(host, plan->change[i].path, &exists);

		in_place = text && exists && strcmp(text, plan->change[i].text) == 0;
		free(text);
	}
	if (in_place && plan->only[0]) {
		bool exists;
		char *text = edit_read(host, "/etc/ld.so.preload", &exists);
		char *with = text ? edit_with_line(text, host->recorder) : NULL;

		in_place = with && strcmp(with, text) == 0;
		free(with);
		free(text);
	}
	return in_place;
}

static bool has_recorder(pid_t pid)
{
	char *maps = process_file(pid, "maps", NULL);
	bool has = maps && strstr(maps, "/" RECORDER_NAME);

	free(maps);
	return has;
}

/* Is this process of the target, and without the recorder? */
static bool lacks_recorder(const struct host_plan *plan, pid_t pid)
{
	char executable[PATH_MAX];
	char unit[256];
	char container[256];

	if (!process_link(pid, "exe", executable) || has_recorder(pid))
		return false;
	if (strncmp(plan->only, "program:", 8) == 0)
		return strcmp(executable, plan->only + 8) == 0;
	process_group(pid, unit, container);
	for (size_t i = 0; i < plan->restart_count; i++) {
		if (strcmp(unit, plan->restart[i]) == 0)
			return true;
	}
	return false;
}

static void show_restarts(struct look *look, const struct host_plan *plan)
{
	DIR *directory = opendir("/proc");
	const struct dirent *entry;

	while (directory && (entry = readdir(directory)) != NULL) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		char executable[PATH_MAX] = "";

		if (!isdigit((unsigned char)entry->d_name[0]) || !lacks_recorder(plan, pid))
			continue;
		process_link(pid, "exe", executable);
		put_format(stdout, "    to be restarted: process %d, %s\n", (int)pid, executable);
		look->is_well = false;
	}
	if (directory)
		closedir(directory);
}

static void show_target(void *context, const char *target)
{
	struct look *look = context;
	struct host_plan plan;

	look->targets++;
	put_format(stdout, "  %s", target);
	if (!host_target_plan(&plan, look->host, target, true)) {
		put_text(stdout, ": is no more; tlswitness disable takes it back\n");
		look->is_well = false;
		return;
	}
	if (is_in_place(look->host, &plan)) {
		put_text(stdout, "\n");
	} else {
		put_text(stdout, ": incomplete; enable it again\n");
		look->is_well = false;
	}
	if (!look->host->root.path[0]) {
		if (look->restart) {
			for (size_t i = 0; i < plan.restart_count; i++)
				host_restart(look->host, plan.restart[i]);
		}
		show_restarts(look, &plan);
	}
	host_plan_free(&plan);
}

static void show_setting(const char *lines, const char *name)
{
	char before[64];
	const char *at;

	(void)snprintf(before, sizeof(before), "%s = ", name);
	at = strstr(lines, before);
	if (at)
		put_format(stdout, "  %.*s\n", (int)strcspn(at, "\n"), at);
}

/* What the file holds open, until when, and what of it can't be taken. */
static void show_file(struct look *look)
{
	static struct config config; /* too large for some stacks */
	char message[CONFIG_MESSAGE_MAX];
	bool exists;
	char *text = edit_read(look->host, CONFIG_FILE, &exists);
	char *rest = NULL;

	config_defaults(&config);
	for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (config_line(&config, line, message))
			continue;
		put_format(stdout, "  %s: %s\n", CONFIG_FILE, message);
		look->is_well = false;
	}
	free(text);
	for (unsigned i = 0; i < config.exception_count; i++) {
		const bool is_over = config.exception[i].until <= (int64_t)time(NULL);

		put_format(stdout, "  exception%s: %s\n", is_over ? " that is over" : "",
			   config.exception[i].text);
		if (is_over)
			look->is_well = false;
	}
}

static void show_trial(struct look *look)
{
	char why[256];

	if (look->host->root.path[0] || !look->host->recorder[0])
		return;
	if (trial_is_recorded(look->host, why)) {
		put_text(stdout, "Trial: a process that was given the recorder is recorded.\n");
		return;
	}
	put_format(stdout, "Trial: a process that was given the recorder is NOT recorded: %s\n",
		   why);
	look->is_well = false;
}

int host_show_status(const struct host *host, bool restart)
{
	struct look look = {.host = host, .restart = restart, .is_well = true};
	struct config config;
	struct config_errors errors;
	char *lines = settings_read(host);
	int senders = 0;

	if (!lines)
		return 2;
	put_format(stdout, "Recorder: %s%s\n", host->root.path,
		   host->recorder[0] ? host->recorder : "none");
	put_text(stdout, "Enabled:\n");
	settings_each_target(lines, show_target, &look);
	if (look.targets == 0)
		put_text(stdout, "  nothing\n");
	show_setting(lines, "mode");
	show_setting(lines, "floor");
	show_setting(lines, "log");
	free(lines);
	show_file(&look);
	show_trial(&look);
	if (!host->root.path[0]) {
		config_load(&config, &errors, environ);
		put_text(stdout, "Senders:\n");
		senders = check_all(&config, 0, false);
	}
	if (!put_end(stdout) || senders == 2)
		return 2;
	return look.is_well && senders == 0 ? 0 : 1;
}
