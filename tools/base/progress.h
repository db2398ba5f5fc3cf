/*
 * A progress bar on stderr, for work that takes long enough to wonder about, and
 * only where stderr is a terminal. It is erased at the end, and by the signals that
 * end us.
 */
#ifndef TLSWITNESS_PROGRESS_H
#define TLSWITNESS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool wanted;
	bool shown;
	int64_t start; /* microseconds */
	int64_t next;  /* when to write again */
};

void progress_begin(struct progress *progress);

/* `done` of `total` bytes; a total of 0 is not known. Cheap where there is nothing to write. */
void progress_show(struct progress *progress, uint64_t done, uint64_t total);

/* The same for `done` of `total` things; `noun` names them. */
void progress_count(struct progress *progress, const char *noun, uint64_t done, uint64_t total);

void progress_end(struct progress *progress);

#endif
