/*
 * One outgoing connection, as the hooks of descriptors and bytes see it.
 *
 * They tell it what happens to descriptors and which bytes pass; the witnesses
 * of TLS libraries tell what a library says of a handshake (join.h). When a
 * connection's fate is known it has one record written. It knows no TLS library
 * and interposes nothing.
 */
#ifndef TLSWITNESS_CONNECTION_H
#define TLSWITNESS_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "shim/core/descriptor_table.h"

struct connection;

/*
 * After connect(), or a sendto() that connects, has succeeded or begun.
 * `caller` is where that call will return to.
 */
void connection_opened(int fd, const struct sockaddr *address, socklen_t length,
		       const void *caller);

/*
 * The connection behind a descriptor that is not unmonitored, with a reference
 * to be given back; NULL if the call is to pass through. Asks the kernel about a
 * descriptor seen for the first time (inherited, or received from elsewhere).
 */
struct connection *connection_acquire(int fd);
void connection_release(struct connection *connection);

/* Bytes that the kernel has taken from, or given to, the application. */
void connection_sent(struct connection *connection, const void *bytes, size_t length);
void connection_received(struct connection *connection, const void *bytes, size_t length);

/*
 * May these bytes leave? False where they would carry mail or credentials in
 * the clear and the settings forbid that: the connection is then blocked and
 * its refusal recorded. Always true in audit mode.
 */
bool connection_may_send(struct connection *connection, const struct iovec *parts, size_t count);

/* Was it refused? Then its calls fail with ECONNRESET, and the peer sees its end. */
bool connection_is_blocked(const struct connection *connection);

/* A read that found the end (error 0) or failed for good. */
void connection_ended(struct connection *connection, int error);

/* Bytes passed whose content we can't know. */
void connection_lost_track(struct connection *connection);

/* Before close(); before close_range(first, last), closefrom() and dup2() over it. */
void connection_closing(int fd);
void connection_closing_range(unsigned first, unsigned last);

/* After dup() and its like: `copy` is another name of `fd`. */
void connection_copied(int fd, int copy);

/* A descriptor came out of a control message: nothing is known of it. */
void connection_descriptor_arrived(int fd);

#endif
