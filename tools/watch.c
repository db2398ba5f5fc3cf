/*
 * tlswitness watch: the log live. Its place; the next step fills it.
 */
#include "command.h"
#include "options.h"

int command_watch(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	complain("watch is not built yet; `tlswitness report` reads what is logged so far");
	return 2;
}
