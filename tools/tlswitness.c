/*
 * tlswitness, the reader and the hand that sets everything up: finds the
 * subcommand and hands over to it.
 */
#include <stdio.h>
#include <string.h>

#include "tools/command.h"
#include "tools/base/options.h"
#include "tools/base/put.h"

struct subcommand {
	const char *name;
	const char *summary;
	int (*function)(int argc, char **argv);
};

static const struct subcommand subcommands[] = {
	{"run", "run a program and record the TLS versions of its mail connections", command_run},
	{"report", "who sent where with what: aggregate the logs", command_report},
	{"rollup", "a year of records in megabytes, with the same reports", command_rollup},
	{"watch", "show connections as they are recorded", command_watch},
	{"sink", "a small SMTP server of chosen TLS versions to rehearse against", command_sink},
	{"probe", "what TLS a mail server really accepts", command_probe},
	{"check", "who will see a program's TLS, and what on this host nobody sees", command_check},
	{"enable", "have the recorder in a daemon, a program, a user's processes, or all",
	 command_enable},
	{"disable", "take back what enable did", command_disable},
	{"status", "what is enabled, does it work, who must be restarted", command_status},
};

static void print_help(FILE *out)
{
	put_text(out, "Usage: tlswitness COMMAND [OPTION...] [ARGUMENT...]\n"
		      "\n"
		      "What TLS do your mail-sending programs really negotiate?\n"
		      "\n"
		      "Commands:\n");
	for (size_t i = 0; i < sizeof(subcommands) / sizeof(subcommands[0]); i++)
		put_format(out, "  %-8s %s\n", subcommands[i].name, subcommands[i].summary);
	put_text(out,
		 "\n"
		 "`tlswitness COMMAND --help`, or `tlswitness help COMMAND`, says more of each.\n");
}

static void complain_of_command(const char *word)
{
	enum { COUNT = sizeof(subcommands) / sizeof(subcommands[0]) };
	const char *names[COUNT + 1] = {NULL};
	const char *nearest = NULL;

	for (size_t i = 0; i < COUNT; i++)
		names[i] = subcommands[i].name;
	nearest = options_nearest(word, names);
	if (nearest)
		complain("'%s' is no command; did you mean %s? `tlswitness --help` lists them",
			 word, nearest);
	else
		complain("'%s' is no command; `tlswitness --help` lists them", word);
}

static int run_subcommand(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(subcommands) / sizeof(subcommands[0]); i++) {
		if (strcmp(argv[0], subcommands[i].name) == 0)
			return subcommands[i].function(argc, argv);
	}
	complain_of_command(argv[0]);
	return 2;
}

/* `tlswitness help [COMMAND]`, as the option --help has it. */
static int show_help_of(char *command)
{
	char option[] = "--help";
	char *words[] = {command, option, NULL};

	if (command)
		return run_subcommand(2, words);
	print_help(stdout);
	return put_end(stdout) ? 0 : 2;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		print_help(stderr);
		return 2;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_help(stdout);
		return put_end(stdout) ? 0 : 2;
	}
	if (strcmp(argv[1], "--version") == 0) {
		put_text(stdout, "tlswitness " TLSWITNESS_VERSION "\n");
		return put_end(stdout) ? 0 : 2;
	}
	if (strcmp(argv[1], "help") == 0)
		return show_help_of(argv[2]);
	return run_subcommand(argc - 1, argv + 1);
}
