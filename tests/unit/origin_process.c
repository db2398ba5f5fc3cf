/*
 * Which argument is an interpreter's main script.
 */
#include <stddef.h>

#include <criterion/criterion.h>

#include "shim/origin/origin_process.h"

struct command {
	const char *interpreter;
	int script; /* the argument that it is; 0: none */
	const char *argv[9];
};

static const struct command commands[] = {
	{"python3.11", 1, {"python3", "send.py"}},
	{"python3.11", 1, {"python3", "send.py", "-c", "x"}},
	{"python3.11", 2, {"python3", "-E", "send.py"}},
	{"python3.11", 3, {"python3", "-W", "ignore", "send.py"}},
	{"python3.11", 2, {"python3", "-Wignore", "send.py"}},
	{"python3.11", 4, {"python3", "-u", "-X", "dev", "send.py"}},
	{"python3.11", 3, {"python3", "-EX", "dev", "send.py"}},
	{"python3.11", 2, {"python3", "--", "send.py"}},
	{"python3.11", 0, {"python3", "-c", "import smtplib"}},
	{"python3.11", 0, {"python3", "-Ec", "import smtplib"}},
	{"python3.11", 0, {"python3", "-m", "smtpd", "send.py"}},
	{"python3.11", 0, {"python3", "-"}},
	{"python3.11", 0, {"python3"}},
	{"python3.11", 0, {"python3", "--"}},
	{"pypy3", 1, {"pypy3", "send.py"}},
	{"perl", 1, {"perl", "send.pl"}},
	{"perl", 2, {"perl", "-w", "send.pl"}},
	{"perl", 2, {"perl", "-Ilib", "send.pl"}},
	{"perl", 3, {"perl", "-I", "lib", "send.pl"}},
	{"perl", 2, {"perl", "-MIO::Socket::SSL", "send.pl"}},
	{"perl", 2, {"perl", "-Mre=debug", "send.pl"}},
	{"perl", 0, {"perl", "-e", "print"}},
	{"perl", 0, {"perl", "-we", "print"}},
	{"perl", 0, {"perl", "-E", "say"}},
	{"php8.2", 1, {"php", "send.php"}},
	{"php8.2", 2, {"php", "-f", "send.php"}},
	{"php8.2", 3, {"php", "-d", "display_errors=1", "send.php"}},
	{"php8.2", 2, {"php", "-ddisplay_errors=1", "send.php"}},
	{"php8.2", 2, {"php", "-q", "send.php"}},
	{"php8.2", 0, {"php", "-r", "mail();"}},
	{"ruby3.1", 1, {"ruby", "send.rb"}},
	{"ruby3.1", 2, {"ruby", "-w", "send.rb"}},
	{"ruby3.1", 3, {"ruby", "-I", "lib", "send.rb"}},
	{"ruby3.1", 2, {"ruby", "-rnet/smtp", "send.rb"}},
	{"ruby3.1", 3, {"ruby", "-r", "net/smtp", "send.rb"}},
	{"ruby3.1", 0, {"ruby", "-rnet/smtp", "-e", "x"}},
	{"node", 1, {"node", "send.js"}},
	{"node", 2, {"node", "--no-warnings", "send.js"}},
	{"node", 3, {"node", "-r", "hook.js", "send.js"}},
	{"node", 0, {"node", "-e", "x"}},
	{"curl", 0, {"curl", "send.py"}},
	{"swaks", 0, {"swaks"}},
	{"", 0, {""}},
};

Test(origin_process, script_among_the_arguments)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command *command = &commands[i];
		int argc = 0;

		while (command->argv[argc] != NULL)
			argc++;
		int found =
			origin_script_argument(command->interpreter, argc, (char **)command->argv);
		cr_expect_eq(found, command->script, "%s %s %s: %d", command->interpreter,
			     argc > 1 ? command->argv[1] : "", argc > 2 ? command->argv[2] : "",
			     found);
	}
}

Test(origin_process, no_arguments_at_all)
{
	cr_expect_eq(origin_script_argument("python3", 0, NULL), 0);
}
