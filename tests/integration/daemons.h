/*
 * Servers that can't be told to take any port: proxies, and what else stands
 * between a client and the sink.
 */
#ifndef TLSWITNESS_DAEMONS_H
#define TLSWITNESS_DAEMONS_H

#include "tests/integration/harness.h"

/*
 * A port of loopback's that nobody has, below those that the kernel gives out by
 * itself, and another one in each test that runs at the same time.
 */
uint16_t free_port(void);

/* Starts it, and waits until this port is listened at; the harness ends it. */
struct program start_daemon(const char *const argv[], uint16_t port);

/* The same, in an environment changed as struct program's. */
struct program start_daemon_in(const char *const argv[], const char *const env[], uint16_t port);

/* The path of PHP's server for FastCGI, which has its version in its name; skips where there is
 * none. */
const char *php_fpm_path(void);

#endif
