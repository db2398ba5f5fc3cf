/*
 * Room for origins: they are large, and wanted only until a handshake has its
 * record. Lock-free.
 */
#ifndef TLSWITNESS_ORIGIN_POOL_H
#define TLSWITNESS_ORIGIN_POOL_H

#include "shim/origin/origin.h"

/* Room for an origin, empty; NULL if no memory can be had. */
struct origin *origin_pool_claim(void);

/* NULL is let be. */
void origin_pool_free(struct origin *origin);

#endif
