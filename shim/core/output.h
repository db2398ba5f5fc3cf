/*
 * The line -> file, syslog, journald or datagram socket.
 *
 * No descriptor is kept between lines: a host may close or reuse any number,
 * and may need every one that its limit allows. So a line costs an open and a
 * close, and rotation by rename is followed without asking. The one exception
 * is a process that changes its root or enters a sandbox, see output_keep.
 */
#ifndef TLSWITNESS_OUTPUT_H
#define TLSWITNESS_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "shim/config/config.h"
#include "shim/record/record_envelope.h"

/* "/dir/1000.jsonl", or the file as it was named. */
struct log_path {
	char text[CONFIG_PATH_MAX + 32];
};

/* What a line may get in front of it, and behind its newline. */
#define OUTPUT_PREFIX_MAX ENVELOPE_HEADER_MAX
#define OUTPUT_SUFFIX_MAX ENVELOPE_FIELDS_MAX

/*
 * Writes one whole line, its newline included, with one write; OUTPUT_PREFIX_MAX
 * bytes before it and OUTPUT_SUFFIX_MAX behind it are room as well. False if it could not be
 * written as a whole. `user` is whom the process acts for, `path` room for its name of the log.
 * Thread-safe, takes no lock, never blocks on a socket, never raises a signal. Sets errno.
 */
bool output_write(const struct config *config, char *line, size_t length, uid_t user,
		  struct log_path *path);

/*
 * Opens the log now, high above the descriptors that programs use, because its
 * path will not be reachable in the new root, or nothing can be opened in the
 * sandbox. Keeps errno.
 */
void output_keep(const struct config *config);

/* The host is about to close the descriptor that was kept. */
void output_forget(void);

#endif
