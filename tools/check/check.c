/*
 * tlswitness check: which witness will see a program, which sees a process, and
 * what on this host sends mail unseen.
 */
#include "tools/check/check.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "shim/config/config_load.h"
#include "tools/base/options.h"
#include "tools/base/put.h"
#include "tools/command.h"

#define WATCH_SECONDS_MAX (7UL * 24 * 3600)

extern char **environ;

static const char help[] =
	"Usage: tlswitness check [OPTION...] PROGRAM | SCRIPT | PID\n"
	"       tlswitness check [OPTION...] --all\n"
	"\n"
	"Says who will see the TLS of a program or script, and what will not be seen\n"
	"and why; of a process, whether the recorder is in it; with --all, which\n"
	"processes of this host have connections to mail ports, and who sees them.\n"
	"\n"
	"  --all            every process with a connection to a mail port\n"
	"  --for=SECONDS    with --all: and every one that comes within this time, or\n"
	"                   until it is interrupted\n"
	"  --ports=LIST     with --all: the mail ports, instead of TLSWITNESS_PORTS\n"
	"  --root=DIRECTORY take PROGRAM from the system in this directory\n"
	"  --json           one JSON object\n"
	"  --help           this text\n"
	"\n"
	"A PROGRAM without a slash is looked for in PATH; a number is a process (a\n"
	"program of that name: ./NUMBER).\n"
	"\n"
	"Exit status: 0 if it is seen, with --all if all are; 1 if not; 2 for bad use\n"
	"or what could not be read.\n";

struct options {
	bool all;
	bool json;
	unsigned long seconds;
	const char *ports;
	const char *root;
};

static bool is_number(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == '\0';
}

static int check_program(const char *program, const struct options *options)
{
	struct target target;
	struct root root;
	int status;

	if (!root_open(&root, options->root)) {
		complain("check: --root: '%s': %s", options->root, strerror(errno));
		return 2;
	}
	target_examine(&target, &root, program);
	if (target.path[0] == '\0') {
		complain("check: '%s' is no program that can be run here; give its path", program);
		status = 2;
	} else if (!target.is_elf && !target_blindness(&target)) {
		complain("check: '%s' is neither an ELF program nor a script with a `#!` line that "
			 "leads to one",
			 program);
		status = 2;
	} else {
		target_find_witnesses(&target, &root);
		status = check_show_target(&target, options->json);
	}
	root_close(&root);
	return status;
}

static int check_process(const char *number, const struct options *options)
{
	struct process process;
	unsigned long pid;
	int status;

	if (!parse_number(number, 1, 1UL << 22, &pid)) {
		complain("check: '%s' is no process's number", number);
		return 2;
	}
	if (!process_examine(&process, (pid_t)pid, true)) {
		if (errno == ENOENT)
			complain("check: there is no process %lu", pid);
		else
			complain("check: process %lu can't be looked at (%s); ask as root", pid,
				 strerror(errno));
		return 2;
	}
	status = check_show_process(&process, options->json);
	process_close(&process);
	return status;
}

static int check_host(const struct options *options)
{
	struct config config;
	struct config_errors errors;
	char message[CONFIG_MESSAGE_MAX];

	config_load(&config, &errors, environ);
	for (unsigned i = 0; i < errors.count; i++)
		complain("check: %s", errors.message[i]);
	if (options->ports && !config_set(&config, "ports", options->ports, message)) {
		complain("check: --ports: %s", message);
		return 2;
	}
	return errors.count > 0 ? 2 : check_all(&config, options->seconds, options->json);
}

int command_check(int argc, char **argv)
{
	enum { OPTION_ALL = 256, OPTION_FOR, OPTION_PORTS, OPTION_ROOT, OPTION_JSON, OPTION_HELP };
	static const struct option long_options[] = {
		{"all", no_argument, NULL, OPTION_ALL},
		{"for", required_argument, NULL, OPTION_FOR},
		{"ports", required_argument, NULL, OPTION_PORTS},
		{"root", required_argument, NULL, OPTION_ROOT},
		{"json", no_argument, NULL, OPTION_JSON},
		{"help", no_argument, NULL, OPTION_HELP},
		{NULL, 0, NULL, 0},
	};
	struct options options = {0};

	(void)setlocale(LC_CTYPE, "");
	for (;;) {
		int option = getopt_long(argc, argv, "h", long_options, NULL);

		if (option == -1)
			break;
		switch (option) {
		case OPTION_ALL:
			options.all = true;
			break;
		case OPTION_FOR:
			if (!parse_number_option("for", optarg, 1, WATCH_SECONDS_MAX,
						 &options.seconds))
				return 2;
			break;
		case OPTION_PORTS:
			options.ports = optarg;
			break;
		case OPTION_ROOT:
			options.root = optarg;
			break;
		case OPTION_JSON:
			options.json = true;
			break;
		case OPTION_HELP:
		case 'h':
			put_text(stdout, help);
			return put_end(stdout) ? 0 : 2;
		default:
			complain("check: try `tlswitness check --help`");
			return 2;
		}
	}
	if (argc - optind != (options.all ? 0 : 1)) {
		complain("check: give one program, script or process, or --all; try `tlswitness "
			 "check --help`");
		return 2;
	}
	if (!options.all && (options.seconds || options.ports)) {
		complain("check: --for and --ports go with --all");
		return 2;
	}
	if (options.all && options.root) {
		complain("check: --root goes with a program");
		return 2;
	}
	if (options.all)
		return check_host(&options);
	if (is_number(argv[optind]) && !options.root)
		return check_process(argv[optind], &options);
	return check_program(argv[optind], &options);
}
