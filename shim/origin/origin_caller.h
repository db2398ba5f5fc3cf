/*
 * The script behind a mail program: whoever starts one says in its environment
 * which line of code that was, and the program's own recorder says it in turn.
 *
 * Pure. A line of code is no secret; nothing else is handed over.
 */
#ifndef TLSWITNESS_ORIGIN_CALLER_H
#define TLSWITNESS_ORIGIN_CALLER_H

#include <stdbool.h>

#include "shim/origin/origin.h"

#define ORIGIN_CALLER     "TLSWITNESS_CALLER="
#define ORIGIN_CALLER_MAX 512

/*
 * Does this command line start a mail program? By the base names of its words;
 * what stands behind a path that begins with '-' does not count.
 */
bool origin_is_mail_command(const char *command);

/* ORIGIN_CALLER and "file:line function" of the origin's own frame; false if there is no file. */
bool origin_caller_write(char variable[ORIGIN_CALLER_MAX], const struct origin *origin);

/* What the variable says, cut to the room; "" if it is not there. */
void origin_caller_read(char *caller, unsigned room, char **environment);

#endif
