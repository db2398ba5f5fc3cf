/*
 * What of the host's memory may be looked at before the kernel has: a call with
 * an address that is none has to fail with EFAULT, and not end the host.
 */
#ifndef TLSWITNESS_READABLE_H
#define TLSWITNESS_READABLE_H

#include <stddef.h>

/* How many of the `length` bytes at `address` can be read, from the first one on. Keeps errno. */
size_t readable_bytes(const void *address, size_t length);

#endif
