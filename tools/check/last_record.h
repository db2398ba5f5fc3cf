/*
 * When a process last wrote: its log, read from the end.
 */
#ifndef TLSWITNESS_LAST_RECORD_H
#define TLSWITNESS_LAST_RECORD_H

#include <sys/types.h>

/*
 * The @timestamp of the last record of this process that is not older than the process
 * itself (`started`, seconds since 1970; numbers are used again); "" if the file has none.
 */
void last_record_find(const char *log, pid_t pid, unsigned long long started, char timestamp[32]);

#endif
