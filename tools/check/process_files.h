/*
 * The files of /proc/PID, as text and numbers: proc(5).
 */
#ifndef TLSWITNESS_PROCESS_FILES_H
#define TLSWITNESS_PROCESS_FILES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The whole file /proc/PID/NAME with a NUL behind it, to be freed; NULL with errno. */
char *process_file(pid_t pid, const char *name, size_t *length);

/* Where the link /proc/PID/NAME leads; false with errno. */
bool process_link(pid_t pid, const char *name, char target[PATH_MAX]);

/* The value of a variable in a block like /proc/PID/environ; NULL if it is not there. */
const char *environment_value(const char *block, size_t length, const char *name);

/* From /proc/PID/stat; 0 if it can't be known. */
pid_t process_parent(pid_t pid);
unsigned long long process_start(pid_t pid); /* seconds since 1970 */

/* From /proc/PID/auxv: did the loader ignore the environment? */
bool process_is_secure(pid_t pid);

/* From /proc/PID/cgroup: "postfix.service" and "docker 3fa2..."; "" where there is none. */
void process_group(pid_t pid, char unit[256], char container[256]);

/* Does the process have a descriptor that proc(5) shows as this link ("anon_inode:[io_uring]")? */
bool process_has_descriptor(pid_t pid, const char *link);

#endif
