/*
 * Who has connections to mail ports: the kernel's socket tables, by sock_diag(7),
 * of every network namespace that can be entered, joined with the descriptors
 * of all processes.
 */
#ifndef TLSWITNESS_CONNECTIONS_H
#define TLSWITNESS_CONNECTIONS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "shim/config/config.h"

/* One connection, made by this host, to a mail port. */
struct mail_connection {
	char remote[INET6_ADDRSTRLEN + 8]; /* "192.0.2.1:587", "[2001:db8::1]:587" */
	uid_t user;
	pid_t pid; /* 0: we may not see whose it is */
};

/*
 * Calls `visit` with each connection that is there now, at least once for each process that has
 * it. `ended` grows by those that ended before their process was found. False, with a
 * complaint, if the kernel can't be asked.
 */
bool connections_visit(const struct config *config,
		       void (*visit)(void *context, const struct mail_connection *connection),
		       void *context, unsigned long *ended);

#endif
