/*
 * tlswitness run: puts the recorder into a program's environment and becomes
 * that program. What stands in the way is said first, in one line.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/command.h"
#include "shim/config/config_load.h"
#include "shim/record/record_values.h"
#include "tools/base/options.h"
#include "tools/check/recorder_file.h"
#include "tools/check/target.h"

/* As env(1) and the shell have it. */
enum { STATUS_NOT_EXECUTABLE = 126, STATUS_NOT_FOUND = 127 };

extern char **environ;

static const char help[] =
	"Usage: tlswitness run [OPTION...] [--] COMMAND [ARGUMENT...]\n"
	"\n"
	"Runs COMMAND and records the TLS version of each mail connection that it and\n"
	"its children make. COMMAND keeps its process id, exit status and signals.\n"
	"\n"
	"  --log=LOG        a file, a directory (one file per user in it), syslog:,\n"
	"                   journald: or unix:/path; without it TLSWITNESS_LOG, else\n"
	"                   /var/log/tlswitness/ where that can be written, else\n"
	"                   ~/.local/state/tlswitness/\n"
	"  --log-optional   run COMMAND even if the log can't be written\n"
	"  --service=NAME   a name for this workload in the records\n"
	"  --enforce        refuse connections below the floor\n"
	"  --upgrade        --enforce, and lift the program's own ceilings and pins\n"
	"  --floor=VERSION  1.0, 1.1, 1.2 (the default) or 1.3\n"
	"  --plaintext=WHAT refuse-remote (the default), refuse or record: what becomes\n"
	"                   of mail in the clear with --enforce and --upgrade\n"
	"  --scope=SCOPE    smtp (the default) or all: every outgoing TLS connection\n"
	"  --ports=LIST     the ports taken for mail before a byte is seen\n"
	"  --help           this text\n"
	"\n"
	"Each option stands for the environment variable of its name (TLSWITNESS_LOG,\n"
	"TLSWITNESS_MODE, ...), which works as well.\n"
	"\n"
	"Exit status: COMMAND's; 2 for bad use, or a log that can't be written; 126 if\n"
	"COMMAND can't be run, 127 if it was not found.\n";

static void set_variable(const char *name, const char *value)
{
	if (setenv(name, value, 1) != 0) {
		complain("run: no memory for the environment");
		exit(2);
	}
}

/* ---- the log ---- */

/* Makes a directory with the parents that it lacks below $HOME; true if it is there. */
static bool make_directories(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0700) != 0 && errno != EEXIST) {
			*slash = '/';
			return false;
		}
		*slash = '/';
	}
	return true;
}

/* Other users' processes make their files in it and can't touch each other's: as /tmp, unlisted. */
static bool is_system_log_usable(void)
{
	if (geteuid() == 0 && mkdir(CONFIG_LOG, 01733) == 0 && chmod(CONFIG_LOG, 01733) != 0)
		return false;
	return access(CONFIG_LOG, W_OK | X_OK) == 0;
}

static void choose_log(void)
{
	char path[PATH_MAX];
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	int length;

	if (is_system_log_usable()) {
		set_variable("TLSWITNESS_LOG", CONFIG_LOG);
		return;
	}
	if (state && state[0] == '/')
		length = snprintf(path, sizeof(path), "%s/tlswitness/", state);
	else if (home && home[0] == '/')
		length = snprintf(path, sizeof(path), "%s/.local/state/tlswitness/", home);
	else
		return;
	if (length > 0 && (size_t)length < sizeof(path) && make_directories(path))
		set_variable("TLSWITNESS_LOG", path);
}

/* --log as the recorder wants it: absolute, a directory with its slash. */
static void set_log(const char *log)
{
	char path[PATH_MAX];
	struct stat status;
	char directory[PATH_MAX];
	int length;

	if (strcmp(log, "syslog:") == 0 || strcmp(log, "journald:") == 0 ||
	    strncmp(log, "unix:", 5) == 0 || log[0] == '\0') {
		set_variable("TLSWITNESS_LOG", log);
		return;
	}
	if (log[0] == '/') {
		length = snprintf(path, sizeof(path) - 1, "%s", log);
	} else {
		if (!getcwd(directory, sizeof(directory))) {
			complain("run: --log: the current directory is unknown "
				 "(%s); give an absolute path",
				 strerror(errno));
			exit(2);
		}
		length = snprintf(path, sizeof(path) - 1, "%s/%s", directory, log);
	}
	if (length < 0 || (size_t)length >= sizeof(path) - 1) {
		complain("run: --log: the path is too long");
		exit(2);
	}
	if (stat(path, &status) == 0 && S_ISDIR(status.st_mode) && path[length - 1] != '/')
		memcpy(path + length, "/", 2);
	set_variable("TLSWITNESS_LOG", path);
}

static bool complain_of_log(const char *path, const char *why)
{
	complain("run: the log %s can't be written: %s; give another with --log, or --log-optional "
		 "to run all the same",
		 path, why);
	return false;
}

/*
 * Could the recorder write a line now? It takes a regular file with one name that is this
 * user's own, or root's where the file was named (README); what it would not write to
 * loses every record, and nobody hears of it.
 */
static bool is_log_writable(void)
{
	const char *log = getenv("TLSWITNESS_LOG");
	char directory[PATH_MAX];
	struct stat status;
	const char *slash;
	size_t length;

	if (!log || log[0] != '/')
		return true;
	slash = strrchr(log, '/');
	length = slash == log ? 1 : (size_t)(slash - log);
	(void)snprintf(directory, sizeof(directory), "%.*s", (int)length, log);
	if (slash[1] != '\0' && lstat(log, &status) == 0) {
		if (S_ISLNK(status.st_mode))
			return complain_of_log(log, "it is a symbolic link");
		if (!S_ISREG(status.st_mode))
			return complain_of_log(log, "it is no regular file");
		if (status.st_nlink != 1)
			return complain_of_log(log, "it has several names");
		if (status.st_uid != geteuid() && status.st_uid != 0)
			return complain_of_log(log, "it belongs to another user");
		if (access(log, W_OK) != 0)
			return complain_of_log(log, strerror(errno));
		return true;
	}
	if (stat(directory, &status) != 0)
		return complain_of_log(log, strerror(errno));
	if (!S_ISDIR(status.st_mode))
		return complain_of_log(log, "what it should lie in is no directory");
	if (access(directory, W_OK | X_OK) != 0)
		return complain_of_log(log, strerror(errno));
	return true;
}

/* ---- the recorder ---- */

static bool is_preloaded(const char *list, const char *path)
{
	size_t length = strlen(path);

	for (const char *at = strstr(list, path); at; at = strstr(at + 1, path)) {
		if ((at == list || strchr(": ", at[-1])) && strchr(": ", at[length]))
			return true;
	}
	return false;
}

static int preload_recorder(void)
{
	char path[PATH_MAX];
	char preload[PATH_MAX];
	const char *list = getenv("LD_PRELOAD");
	char *longer;

	if (!recorder_file_find(path)) {
		complain("run: " RECORDER_NAME " is neither beside this command nor in "
			 "../lib/tlswitness; build or install it");
		return 2;
	}
	recorder_file_preload(path, preload);
	if (strpbrk(preload, ": ")) {
		complain("run: LD_PRELOAD can't hold '%s', which has a space or colon; "
			 "install tlswitness elsewhere",
			 preload);
		return 2;
	}
	if (!list || !*list) {
		set_variable("LD_PRELOAD", preload);
		return 0;
	}
	if (is_preloaded(list, preload) || is_preloaded(list, path))
		return 0;
	if (asprintf(&longer, "%s:%s", list, preload) < 0)
		return 2;
	set_variable("LD_PRELOAD", longer);
	free(longer);
	return 0;
}

/* Values that the recorder would refuse are refused here, before anything runs. */
static int check_settings(void)
{
	struct config config;
	struct config_errors errors;

	config_load(&config, &errors, environ);
	for (unsigned i = 0; i < errors.count; i++)
		complain("run: %s", errors.message[i]);
	return errors.count > 0 ? 2 : 0;
}

static int become(char **argv)
{
	int error;

	execvp(argv[0], argv);
	error = errno;
	complain("run: %s: %s", argv[0], strerror(error));
	return error == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
}

int command_run(int argc, char **argv)
{
	enum {
		OPTION_LOG = 256,
		OPTION_ENFORCE,
		OPTION_UPGRADE,
		OPTION_HELP,
		OPTION_LOG_OPTIONAL,
		OPTION_VARIABLE
	};
	static const struct option options[] = {
		{"log", required_argument, NULL, OPTION_LOG},
		{"enforce", no_argument, NULL, OPTION_ENFORCE},
		{"upgrade", no_argument, NULL, OPTION_UPGRADE},
		{"help", no_argument, NULL, OPTION_HELP},
		{"log-optional", no_argument, NULL, OPTION_LOG_OPTIONAL},
		{"service", required_argument, NULL, OPTION_VARIABLE},
		{"floor", required_argument, NULL, OPTION_VARIABLE},
		{"plaintext", required_argument, NULL, OPTION_VARIABLE},
		{"scope", required_argument, NULL, OPTION_VARIABLE},
		{"ports", required_argument, NULL, OPTION_VARIABLE},
		{NULL, 0, NULL, 0},
	};
	static const char *const variables[] = {"TLSWITNESS_SERVICE", "TLSWITNESS_FLOOR",
						"TLSWITNESS_PLAINTEXT", "TLSWITNESS_SCOPE",
						"TLSWITNESS_PORTS"};
	struct target target;
	struct root root;
	const struct target_reason *blindness;
	const char *log;
	bool log_given = false;
	bool log_optional = false;
	int index = 0;
	bool begun = false;
	int status;

	for (;;) {
		int option = options_next(argc, argv, "+h", options, &index, &begun);

		if (option == OPTIONS_END)
			break;
		switch (option) {
		case OPTION_LOG:
			set_log(optarg);
			log_given = true;
			break;
		case OPTION_ENFORCE:
			set_variable("TLSWITNESS_MODE",
				     record_value_text(RECORD_SET_MODE, RECORD_MODE_ENFORCE));
			break;
		case OPTION_UPGRADE:
			set_variable("TLSWITNESS_MODE",
				     record_value_text(RECORD_SET_MODE, RECORD_MODE_UPGRADE));
			break;
		case OPTION_VARIABLE:
			set_variable(variables[index - 5], optarg);
			break;
		case OPTION_LOG_OPTIONAL:
			log_optional = true;
			break;
		case OPTION_HELP:
		case 'h':
			return fputs(help, stdout) < 0 ? 2 : 0;
		default:
			return 2;
		}
	}
	if (optind == argc) {
		complain("run: no command to run; try `tlswitness run --help`");
		return 2;
	}
	log = getenv("TLSWITNESS_LOG");
	if (!log_given && (!log || log[0] == '\0'))
		choose_log();
	status = check_settings();
	if (status != 0)
		return status;
	if (!is_log_writable() && !log_optional)
		return 2;
	root_open(&root, NULL);
	target_examine(&target, &root, argv[optind]);
	blindness = target_blindness(&target);
	if (blindness)
		complain("run: %s %s: its connections will not be recorded",
			 target.path[0] ? target.path : argv[optind], blindness->text);
	else if (target.needs_io_uring)
		complain("run: %s links liburing: what it moves by io_uring will not be recorded",
			 target.path);
	if (!target.harmed_by_preload) {
		status = preload_recorder();
		if (status != 0)
			return status;
	}
	return become(argv + optind);
}
