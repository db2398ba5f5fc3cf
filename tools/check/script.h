/*
 * A script's first line: which program the kernel starts for it.
 */
#ifndef TLSWITNESS_SCRIPT_H
#define TLSWITNESS_SCRIPT_H

#include <limits.h>
#include <stdbool.h>

struct script_line {
	char interpreter[PATH_MAX]; /* a path, or a name that `env` looks up in PATH */
	bool drops_preload;         /* env -i, env -u LD_PRELOAD, env LD_PRELOAD=... */
};

/*
 * Reads `text`, a file's beginning. False if this is no `#!` line, or names
 * nothing. env(1) is read through, with -S, -i, -u, -C and assignments.
 */
bool script_line_parse(struct script_line *line, const char *text);

#endif
