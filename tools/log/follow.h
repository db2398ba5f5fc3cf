/*
 * Lines as they are written: from files and directories of logs that may be
 * rotated, truncated, removed and made anew while they are followed.
 *
 * A file is followed by its name. When another file takes the name, the old one
 * is read on until the next rotation, since a writer may have it open still.
 * inotify says when to look; where it can't be had (no watches left, a network file
 * system), a look is taken every second anyway.
 */
#ifndef TLSWITNESS_FOLLOW_H
#define TLSWITNESS_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/base/slice.h"

/* How often to look where nobody says that there is something. */
#define FOLLOW_INTERVAL_MS 1000

struct followed;

struct follower {
	struct followed *file;
	size_t count;
	char **directory; /* whose new logs are followed, too */
	size_t directory_count;
	int inotify;  /* to poll for reading; -1: there is none */
	char *memory; /* of the line at hand */
	size_t capacity;
	/* Called for each line, without its newline but with SCANNER_PADDING readable bytes. */
	void (*line)(void *context, const char *name, struct slice line);
	/* Called with what the user should know of a file: "truncated", "can't be read: ...". */
	void (*remark)(void *context, const char *name, const char *text);
	void *context;
};

/* The caller sets `line`, `remark` and `context` then, before it adds anything. */
void follower_init(struct follower *follower);

/* False, with errno set, if `path` is not there or can't be read. */
bool follower_add(struct follower *follower, const char *path);

/*
 * Where to begin in the files that were added: their last `lines` lines, or with
 * UINT64_MAX the first.
 */
void follower_start(struct follower *follower, uint64_t lines);

/* Hands out all lines that are complete by now. */
void follower_read(struct follower *follower);

void follower_free(struct follower *follower);

#endif
