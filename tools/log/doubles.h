/*
 * Records that are there twice: log shippers deliver at least once, and a log may be read
 * beside its copy. Each record has an event.id that no other has; one that was seen
 * already is not counted again. One set serves all threads.
 */
#ifndef TLSWITNESS_DOUBLES_H
#define TLSWITNESS_DOUBLES_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/base/slice.h"

/*
 * So many ids of processes that write one record each are remembered, in 32 to 64 bytes;
 * up to 64 of one process take no more. Beyond, records are counted without a look, and the
 * report says so.
 */
#define DOUBLES_MAX (UINT64_C(1) << 22)

struct doubles;

struct doubles *doubles_new(void);
void doubles_free(struct doubles *doubles);

/* True if this id was asked about before; false for what is no id. Thread-safe. */
bool doubles_seen(struct doubles *doubles, struct slice text);

/* True if there were more ids than are remembered. */
bool doubles_overflowed(const struct doubles *doubles);

#endif
