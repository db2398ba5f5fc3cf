/*
 * Who asked: the process, its parent, its user and its host.
 */
#ifndef TLSWITNESS_ORIGIN_PROCESS_H
#define TLSWITNESS_ORIGIN_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define ORIGIN_PATH_MAX 512

/* What stays true for the life of the process image. Strings are "" if not known. */
struct origin_process {
	char executable[ORIGIN_PATH_MAX]; /* the real path of the binary */
	char script[ORIGIN_PATH_MAX];     /* the interpreter's main script */
	char caller[ORIGIN_PATH_MAX];     /* the line of a script that started this program */
	char host[65];
};

/*
 * Reads them. To be called at start: some daemons overwrite their arguments
 * and change their root later. `argv` is main's.
 */
void origin_process_read(struct origin_process *process, int argc, char **argv);

/* The executable of `pid`, NUL-terminated, or "" where it may not be read. */
void origin_executable_of(pid_t pid, char path[ORIGIN_PATH_MAX]);

/*
 * Pure: which of the arguments is the main script, for an interpreter whose
 * executable has this base name ("python3.11", "perl", "php8.2", "ruby"); its
 * index, or 0 where there is none (`python -m`, `perl -e`, no interpreter).
 */
int origin_script_argument(const char *interpreter, int argc, char **argv);

#endif
