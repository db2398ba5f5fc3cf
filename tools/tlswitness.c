/*
 * tlswitness, the reader and the hand that sets everything up: finds the
 * subcommand and hands over to it.
 */
#include <stdio.h>
#include <string.h>

#include "command.h"

struct subcommand {
	const char *name;
	const char *summary;
	int (*function)(int argc, char **argv);
};

static const struct subcommand subcommands[] = {
	{"run", "run a program and record the TLS versions of its mail connections", command_run},
	{"report", "who sent where with what: aggregate the logs", command_report},
	{"watch", "show connections as they are recorded", command_watch},
	{"sink", "a small SMTP server of chosen TLS versions to rehearse against", command_sink},
};

static void print_help(FILE *out)
{
	fputs("Usage: tlswitness COMMAND [OPTION...] [ARGUMENT...]\n"
	      "\n"
	      "What TLS do your mail-sending programs really negotiate?\n"
	      "\n"
	      "Commands:\n",
	      out);
	for (size_t i = 0; i < sizeof(subcommands) / sizeof(subcommands[0]); i++)
		fprintf(out, "  %-8s %s\n", subcommands[i].name, subcommands[i].summary);
	fputs("\n"
	      "`tlswitness COMMAND --help` says more of each.\n",
	      out);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		print_help(stderr);
		return 2;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_help(stdout);
		return 0;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("tlswitness " TLSWITNESS_VERSION);
		return 0;
	}
	for (size_t i = 0; i < sizeof(subcommands) / sizeof(subcommands[0]); i++) {
		if (strcmp(argv[1], subcommands[i].name) == 0)
			return subcommands[i].function(argc - 1, argv + 1);
	}
	fprintf(stderr, "tlswitness: '%s' is no command; `tlswitness --help` lists them\n",
		argv[1]);
	return 2;
}
