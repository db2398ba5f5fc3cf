/*
 * The line -> file, syslog, journald or datagram socket.
 *
 * No descriptor is kept between lines: a host may close or reuse any number,
 * and may need every one that its limit allows. So a line costs an open and a
 * close, and rotation by rename is followed without asking. The one exception
 * is a process that changes its root, see output_before_chroot.
 */
#ifndef TLSWITNESS_OUTPUT_H
#define TLSWITNESS_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "shim/config/config.h"

/*
 * Writes one whole line, its newline included, with one write. False if it
 * could not be written as a whole. Thread-safe, takes no lock, never blocks on
 * a socket, never raises a signal. Sets errno.
 */
bool output_write(const struct config *config, const char *line, size_t length);

/*
 * Opens the log now, high above the descriptors that programs use, because
 * its path will not be reachable in the new root.
 */
void output_before_chroot(const struct config *config);

#endif
