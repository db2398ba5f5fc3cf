/*
 * event.id: a name for each record, never the same twice.
 *
 * 24 digits stand for the process and 8 count its records. The process's are a
 * hash of what no other process has all of: random bytes from its start, which
 * the children made by fork share, with its number and the time of its first
 * record, which they don't. So a child has a name of its own without a system
 * call, which its sandbox might forbid. Pure.
 */
#ifndef TLSWITNESS_EVENT_ID_H
#define TLSWITNESS_EVENT_ID_H

#include <stdint.h>

#define EVENT_ID_SIZE (32 + 1)

struct event_id {
	uint64_t random[2]; /* from the start of the program */
	uint64_t pid;
	uint64_t since; /* when this process counted its first record, in nanoseconds */
	uint32_t count; /* of this process's records, this one included */
};

/* 32 hexadecimal digits and a NUL. */
void event_id_write(char text[EVENT_ID_SIZE], const struct event_id *id);

#endif
