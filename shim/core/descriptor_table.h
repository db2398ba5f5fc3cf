/*
 * What each descriptor of this process is: nothing of ours, or a connection's
 * number. Memory only; knows no connection.
 */
#ifndef TLSWITNESS_DESCRIPTOR_TABLE_H
#define TLSWITNESS_DESCRIPTOR_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define DESCRIPTORS_MAX (1U << 20)

/* What an entry says; from DESCRIPTOR_CONNECTION on it is a connection's number. */
enum { DESCRIPTOR_UNKNOWN, DESCRIPTOR_UNMONITORED, DESCRIPTOR_CONNECTION };

extern _Atomic uint16_t descriptor_table[DESCRIPTORS_MAX] __attribute__((visibility("hidden")));

static inline bool descriptor_in_range(int fd)
{
	return (unsigned)fd < DESCRIPTORS_MAX;
}

/* The whole cost of a descriptor that is no mail connection. */
static inline bool descriptor_unmonitored(int fd)
{
	return descriptor_in_range(fd) &&
	       atomic_load_explicit(&descriptor_table[fd], memory_order_relaxed) ==
		       DESCRIPTOR_UNMONITORED;
}

/* DESCRIPTOR_UNMONITORED where `fd` is out of range. */
uint16_t descriptor_entry(int fd);

/* `fd` is in range. */
void descriptor_set(int fd, uint16_t entry);

/* No descriptor above this one was ever a connection. */
unsigned descriptor_most(void);

#endif
