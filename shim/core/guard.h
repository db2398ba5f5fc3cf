/*
 * The lock of the tables of descriptors, connections and TLS objects.
 *
 * It is held over memory only: no system call, no real function, no
 * allocation. A signal handler that comes while its own thread holds it does
 * not get it.
 */
#ifndef TLSWITNESS_GUARD_H
#define TLSWITNESS_GUARD_H

#include <stdbool.h>

/* False: nothing may be looked at, and there is nothing to leave. */
bool guard_enter(void);
void guard_leave(void);

#endif
