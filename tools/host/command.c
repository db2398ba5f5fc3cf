/*
 * tlswitness enable, disable and status: the settings and the targets' files,
 * in the order that makes every moment between the old state or the new one.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim/config/config_load.h"
#include "tools/base/options.h"
#include "tools/base/put.h"
#include "tools/base/table.h"
#include "tools/check/check.h"
#include "tools/check/recorder_file.h"
#include "tools/command.h"
#include "tools/host/edit.h"
#include "tools/host/settings.h"
#include "tools/host/status.h"
#include "tools/host/target.h"
#include "tools/host/trial.h"

#define SYSTEM_PRELOAD "/etc/ld.so.preload"

extern char **environ;

static const char enable_help[] =
	"Usage: tlswitness enable [OPTION...] TARGET...\n"
	"\n"
	"Has the recorder in every process of TARGET from its next start on. What is\n"
	"changed is said; what was done already is left alone.\n"
	"\n"
	"  system           every process of this host, by /etc/ld.so.preload\n"
	"  program:PATH     one program, however it is started; set-user-ID too\n"
	"  user:NAME        what a user starts\n"
	"  unit:NAME        a service of systemd\n"
	"  postfix, exim4, apache2, cron, php-fpm[:POOL]\n"
	"                   the daemon and what it starts\n"
	"\n"
	"Settings, for all targets, into /etc/tlswitness/tlswitness.conf:\n"
	"  --mode=MODE      audit, enforce or upgrade\n"
	"  --floor=VERSION  1.0, 1.1, 1.2 or 1.3\n"
	"  --log=LOG        a file, a directory, syslog:, journald: or unix:/path\n"
	"\n"
	"How:\n"
	"  --dry-run        say what would be changed, and change nothing\n"
	"  --restart        restart the services afterwards\n"
	"  --root=DIRECTORY change the system in this directory, such as an image\n"
	"  --help           this text\n"
	"\n"
	"Exit status: 0; 2 if something could not be done, with nothing half done.\n";

static const char disable_help[] =
	"Usage: tlswitness disable [OPTION...] TARGET... | --all\n"
	"\n"
	"Takes back what `tlswitness enable TARGET` changed, and nothing else.\n"
	"\n"
	"  --all            every target that is enabled\n"
	"  --dry-run        say what would be changed, and change nothing\n"
	"  --restart        restart the services afterwards\n"
	"  --root=DIRECTORY change the system in this directory, such as an image\n"
	"  --help           this text\n"
	"\n"
	"Exit status: 0, also if it was not enabled; 2 if something could not be done.\n";

static const char status_help[] =
	"Usage: tlswitness status [OPTION...]\n"
	"\n"
	"Which targets are enabled, which exceptions the settings file has and what of it\n"
	"can't be taken, whether the recorder works here (a trial process makes a\n"
	"connection), who must be restarted to have it, and who sends mail that nobody\n"
	"sees.\n"
	"\n"
	"  --restart        restart the services that must be\n"
	"  --root=DIRECTORY the system in this directory; then without the trial\n"
	"  --help           this text\n"
	"\n"
	"Exit status: 0 if all is well; 1 if not; 2 for bad use or what could not be\n"
	"read.\n";

enum setting { SETTING_MODE, SETTING_FLOOR, SETTING_LOG, SETTINGS };

static const char *const setting_names[SETTINGS] = {"mode", "floor", "log"};

struct request {
	struct host host;
	const char *setting[SETTINGS]; /* NULL: as it is */
	const char *root;
	const char *trial_port;
	bool all;
	bool restart;
	bool help;
};

/* ---- the recorder's place ---- */

static bool take_path(void *context, const char *path)
{
	(void)snprintf(context, PATH_MAX, "%s", path);
	return false;
}

/* In a root of its own, and in one without /proc, it is what was installed there. */
static bool find_recorder(struct host *host)
{
	static const char *const places[] = {"/usr/lib/*-linux-gnu*/tlswitness/" RECORDER_NAME,
					     "/usr/lib/tlswitness/" RECORDER_NAME,
					     "/usr/lib64/tlswitness/" RECORDER_NAME,
					     "/usr/local/lib/tlswitness/" RECORDER_NAME};

	host->recorder[0] = '\0';
	/* Beside this command, which /proc names where there is one. */
	if (!host->root.path[0] && recorder_file_find(host->recorder))
		return true;
	for (size_t i = 0; !host->recorder[0] && i < sizeof(places) / sizeof(places[0]); i++)
		root_glob(&host->root, places[i], take_path, host->recorder);
	return host->recorder[0] != '\0';
}

/* Whoever can change the library, or a directory above it, would be in every process. */
static bool is_safe_place(const struct host *host)
{
	char path[PATH_MAX];
	struct stat status;

	(void)snprintf(path, sizeof(path), "%s", host->recorder);
	for (;;) {
		char *slash = strrchr(path, '/');

		if (stat(path[0] ? path : "/", &status) != 0 || status.st_uid != 0 ||
		    (status.st_mode & 022)) {
			complain("%s can be changed by others than root, at %s; install it (make "
				 "install), and enable it from there",
				 host->recorder, path[0] ? path : "/");
			return false;
		}
		if (!slash || path[0] == '\0')
			return true;
		*slash = '\0';
	}
}

static bool is_recorder_usable(struct request *request)
{
	struct host *host = &request->host;

	if (!find_recorder(host)) {
		complain("there is no " RECORDER_NAME " %s%s; install tlswitness there",
			 host->root.path[0] ? "in " : "beside this command", host->root.path);
		return false;
	}
	if (strpbrk(host->recorder, ": \t\n")) {
		complain("LD_PRELOAD can't hold '%s', which has a space or colon; install "
			 "tlswitness elsewhere",
			 host->recorder);
		return false;
	}
	return (host->root.path[0] || is_safe_place(host)) && trial_starts(host);
}

/* ---- what both do ---- */

/* Without the lines that name a recorder, wherever it lies or lay: it may be gone by now. */
static char *without_recorder(const char *text)
{
	static const char end[] = "/" RECORDER_NAME;
	char *made = strdup("");

	for (const char *at = text; made && *at;) {
		const size_t length = strcspn(at, "\n");
		const size_t whole = length + (at[length] == '\n');
		char *more = NULL;

		if (length < sizeof(end) - 1 ||
		    strncmp(at + length - (sizeof(end) - 1), end, sizeof(end) - 1) != 0) {
			if (asprintf(&more, "%s%.*s", made, (int)whole, at) < 0)
				more = NULL;
			free(made);
			made = more;
		}
		at += whole;
	}
	if (!made)
		table_out_of_memory();
	return made;
}

/* The loader's own preload: our line first, foreign ones as they are. */
static bool write_preload(const struct host *host, bool on)
{
	bool exists;
	char *text = edit_read(host, SYSTEM_PRELOAD, &exists);
	char *made;
	bool ok;

	if (!text)
		return false;
	made = on ? edit_with_line(text, host->recorder) : without_recorder(text);
	ok = edit_write(host, SYSTEM_PRELOAD, *made ? made : NULL);
	free(text);
	free(made);
	return ok;
}

static bool write_changes(const struct host *host, const struct host_plan *plan, bool on)
{
	char directory[PATH_MAX];
	char *slash;

	for (size_t i = 0; i < plan->change_count; i++) {
		if (!edit_write(host, plan->change[i].path, plan->change[i].text))
			return false;
		if (on || plan->change[i].text)
			continue;
		/* "…/NAME.d" is ours too if nobody else is in it. */
		(void)snprintf(directory, sizeof(directory), "%s", plan->change[i].path);
		slash = strrchr(directory, '/');
		*slash = '\0';
		edit_remove_directory(host, directory);
	}
	return true;
}

static void restart(const struct request *request, const struct host_plan *plan)
{
	for (size_t i = 0; i < plan->restart_count; i++) {
		if (request->restart)
			host_restart(&request->host, plan->restart[i]);
		else if (!request->host.dry_run)
			put_format(stdout, "to be restarted: %s\n", plan->restart[i]);
	}
}

static void reload_systemd(const struct request *request, const struct host_plan *plan)
{
	if (plan->restart_count > 0)
		host_reload_systemd(&request->host);
}

/* Settings first: a process then has all that was asked for, or is as it was. */
static bool enable(struct request *request, const char *target)
{
	const struct host *host = &request->host;
	struct host_plan plan;
	char *lines = settings_read(host);
	char *more;
	bool ok;

	if (!lines)
		return false;
	ok = host_target_plan(&plan, host, target, true);
	if (!ok) {
		free(lines);
		return false;
	}
	more = settings_with_target(lines, plan.target, plan.only[0] ? plan.only : NULL);
	free(lines);
	for (size_t i = 0; i < SETTINGS; i++) {
		if (!request->setting[i])
			continue;
		lines = settings_with_value(more, setting_names[i], request->setting[i]);
		free(more);
		more = lines;
	}
	ok = settings_write(host, more) && write_changes(host, &plan, true) &&
	     (!plan.only[0] || write_preload(host, true));
	if (ok) {
		reload_systemd(request, &plan);
		restart(request, &plan);
	}
	host_plan_free(&plan);
	free(more);
	return ok;
}

struct sharing {
	const struct host *host;
	const char *only;
	bool is_shared;
};

static void find_sharing(void *context, const char *target)
{
	struct sharing *sharing = context;
	struct host_plan plan;

	if (!host_target_plan(&plan, sharing->host, target, false))
		return;
	if (strcmp(plan.only, sharing->only) == 0)
		sharing->is_shared = true;
	host_plan_free(&plan);
}

/* The way back: what puts the recorder into processes goes before the settings. */
static bool disable(struct request *request, const char *target)
{
	const struct host *host = &request->host;
	struct host_plan plan;
	struct sharing sharing = {.host = host};
	char *lines = settings_read(host);
	char *less = NULL;
	bool ok = false;

	if (!lines)
		return false;
	if (!host_target_plan(&plan, host, target, false)) {
		free(lines);
		return false;
	}
	less = settings_without_target(lines, plan.target, NULL);
	sharing.only = plan.only;
	settings_each_target(less, find_sharing, &sharing);
	free(less);
	less = settings_without_target(lines, plan.target,
				       plan.only[0] && !sharing.is_shared ? plan.only : NULL);
	ok = (settings_has_only(less) || !plan.only[0] || write_preload(host, false)) &&
	     write_changes(host, &plan, false) && settings_write(host, less);
	if (ok) {
		reload_systemd(request, &plan);
		restart(request, &plan);
	}
	host_plan_free(&plan);
	free(lines);
	free(less);
	return ok;
}

/* ---- the commands ---- */

static bool parse(struct request *request, int argc, char **argv, const char *options_allowed)
{
	enum {
		OPTION_SETTING = 256,
		OPTION_DRY_RUN,
		OPTION_RESTART,
		OPTION_ROOT,
		OPTION_ALL,
		OPTION_TRIAL,
		OPTION_HELP
	};
	static const struct option options[] = {
		{"mode", required_argument, NULL, OPTION_SETTING},
		{"floor", required_argument, NULL, OPTION_SETTING},
		{"log", required_argument, NULL, OPTION_SETTING},
		{"dry-run", no_argument, NULL, OPTION_DRY_RUN},
		{"restart", no_argument, NULL, OPTION_RESTART},
		{"root", required_argument, NULL, OPTION_ROOT},
		{"all", no_argument, NULL, OPTION_ALL},
		{"trial", required_argument, NULL, OPTION_TRIAL},
		{"help", no_argument, NULL, OPTION_HELP},
		{NULL, 0, NULL, 0},
	};
	int index = 0;

	memset(request, 0, sizeof(*request));
	request->host.root.fd = -1;
	(void)setlocale(LC_CTYPE, "");
	for (;;) {
		char name[32];
		int option = getopt_long(argc, argv, "h", options, &index);

		if (option == -1)
			return true;
		if (option == 'h')
			option = OPTION_HELP;
		else if (option == '?')
			break;
		(void)snprintf(name, sizeof(name), " %s ", options[index].name);
		if (option != OPTION_HELP && !strstr(options_allowed, name)) {
			complain("%s has no option --%s", argv[0], options[index].name);
			break;
		}
		if (option == OPTION_SETTING)
			request->setting[index] = optarg;
		else if (option == OPTION_DRY_RUN)
			request->host.dry_run = true;
		else if (option == OPTION_RESTART)
			request->restart = true;
		else if (option == OPTION_ROOT)
			request->root = optarg;
		else if (option == OPTION_ALL)
			request->all = true;
		else if (option == OPTION_TRIAL)
			request->trial_port = optarg;
		else
			request->help = true;
	}
	complain("try `tlswitness %s --help`", argv[0]);
	return false;
}

static bool enter_root(struct request *request)
{
	if (root_open(&request->host.root, request->root))
		return true;
	complain("--root: '%s': %s", request->root, strerror(errno));
	return false;
}

/* Values that the recorder would refuse are refused before anything is changed. */
static bool are_settings_valid(const struct request *request)
{
	struct config config;
	char message[CONFIG_MESSAGE_MAX];

	config_defaults(&config);
	for (size_t i = 0; i < SETTINGS; i++) {
		if (request->setting[i] &&
		    (strpbrk(request->setting[i], "\n") ||
		     !config_set(&config, setting_names[i], request->setting[i], message))) {
			complain("--%s: %s", setting_names[i], message);
			return false;
		}
	}
	return true;
}

static int show_help(const char *help)
{
	put_text(stdout, help);
	return put_end(stdout) ? 0 : 2;
}

int command_enable(int argc, char **argv)
{
	struct request request;
	bool ok;

	if (!parse(&request, argc, argv, " mode floor log dry-run restart root "))
		return 2;
	if (request.help)
		return show_help(enable_help);
	if (optind == argc) {
		complain("enable: name a target: %s", host_target_names);
		return 2;
	}
	ok = enter_root(&request) && are_settings_valid(&request) && is_recorder_usable(&request);
	for (int i = optind; ok && i < argc; i++)
		ok = enable(&request, argv[i]);
	root_close(&request.host.root);
	return put_end(stdout) && ok ? 0 : 2;
}

struct disabling {
	struct request *request;
	bool ok;
};

static void disable_one(void *context, const char *target)
{
	struct disabling *disabling = context;

	disabling->ok = disable(disabling->request, target) && disabling->ok;
}

int command_disable(int argc, char **argv)
{
	struct request request;
	struct disabling disabling = {&request, true};

	if (!parse(&request, argc, argv, " dry-run restart root all "))
		return 2;
	if (request.help)
		return show_help(disable_help);
	if ((optind == argc) != request.all) {
		complain("disable: name a target, or give --all; `tlswitness status` lists what is "
			 "enabled");
		return 2;
	}
	if (!enter_root(&request))
		return 2;
	/* Gone or not: what names it must go. */
	if (!find_recorder(&request.host))
		(void)snprintf(request.host.recorder, sizeof(request.host.recorder),
			       "/usr/lib/tlswitness/" RECORDER_NAME);
	if (request.all) {
		char *lines = settings_read(&request.host);

		disabling.ok = lines != NULL;
		if (lines)
			settings_each_target(lines, disable_one, &disabling);
		free(lines);
	}
	for (int i = optind; i < argc; i++)
		disable_one(&disabling, argv[i]);
	root_close(&request.host.root);
	return put_end(stdout) && disabling.ok ? 0 : 2;
}

int command_status(int argc, char **argv)
{
	struct request request;
	int status;

	if (!parse(&request, argc, argv, " restart root trial "))
		return 2;
	if (request.trial_port)
		return trial_client(request.trial_port);
	if (request.help)
		return show_help(status_help);
	if (optind != argc) {
		complain("status: takes no '%s'; try `tlswitness status --help`", argv[optind]);
		return 2;
	}
	if (!enter_root(&request))
		return 2;
	find_recorder(&request.host);
	status = host_show_status(&request.host, request.restart);
	root_close(&request.host.root);
	return status;
}
