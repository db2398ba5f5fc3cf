/*
 * What a program is made of, as far as it decides whether a preloaded library
 * can see it.
 */
#ifndef TLSWITNESS_TARGET_H
#define TLSWITNESS_TARGET_H

#include <limits.h>
#include <stdbool.h>

struct target {
	char path[PATH_MAX];    /* the file that will be executed; "" if none was found */
	const char *blindness;  /* why nothing will be seen, for a sentence that begins with the
				   path ("is statically linked"); NULL: it can be seen. Static. */
	bool harmed_by_preload; /* its loader would choke on our library */
};

/*
 * Finds `command` as execvp does, follows `#!` lines (and `/usr/bin/env`) to the
 * binary, and looks at its ELF headers, mode and capabilities.
 */
void target_examine(struct target *target, const char *command);

#endif
