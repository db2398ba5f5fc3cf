/*
 * Knows places; must not know what is in a log.
 */
#include "tools/log/default_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/config/config.h"
#include "tools/base/options.h"
#include "tools/base/table.h"

static char *path_of(const char *directory, const char *rest)
{
	char *path = NULL;

	if (asprintf(&path, "%s%s", directory, rest) < 0)
		table_out_of_memory();
	return path;
}

/* NULL if neither variable names a place. */
static char *state_log(void)
{
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");

	if (state && state[0] == '/')
		return path_of(state, "/tlswitness/");
	if (home && home[0] == '/')
		return path_of(home, "/.local/state/tlswitness/");
	return NULL;
}

/*
 * Not everybody may list the common directory, in which each user has a file:
 * who may not gets his own.
 */
static char *system_log(void)
{
	char *own = NULL;

	if (access(CONFIG_LOG, R_OK | X_OK) == 0)
		return path_of(CONFIG_LOG, "");
	if (asprintf(&own, CONFIG_LOG "%u.jsonl", (unsigned)geteuid()) < 0)
		table_out_of_memory();
	if (access(own, R_OK) == 0)
		return own;
	free(own);
	return NULL;
}

static char *log_by_environment(const char *log)
{
	if (strncmp(log, "unix:", 5) == 0 || !strchr(log, ':'))
		return path_of(log, "");
	complain("the log is $TLSWITNESS_LOG, %s; for what is in the journal, use "
		 "`journalctl -t tlswitness -o cat | tlswitness ... -`, else name the file",
		 log);
	return NULL;
}

char *default_log(void)
{
	const char *named = getenv("TLSWITNESS_LOG");
	char *state = NULL;
	char *system = NULL;

	if (named && *named)
		return log_by_environment(named);
	state = state_log();
	system = system_log();
	/* Where both are there, the one that `run` would choose. */
	if (system && state && access(CONFIG_LOG, W_OK | X_OK) != 0 && access(state, F_OK) == 0) {
		free(system);
		system = NULL;
	}
	if (system || (state && access(state, F_OK) == 0)) {
		if (!system)
			return state;
		free(state);
		return system;
	}
	complain("there is no log in " CONFIG_LOG "%s%s; name a file or directory",
		 state ? " or " : "", state ? state : "");
	free(state);
	return NULL;
}
