/*
 * One outgoing connection, as the hooks of descriptors and bytes see it.
 *
 * They tell it what happens to descriptors and which bytes pass; the witnesses
 * of TLS libraries tell what a library says of a handshake (join.h). When a
 * connection's fate is known it has one record written. It knows no TLS library
 * and interposes nothing.
 *
 * Nothing is held while the host's own call is under way, which may wait for
 * hours, be cancelled, or be left by longjmp.
 */
#ifndef TLSWITNESS_CONNECTION_H
#define TLSWITNESS_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "shim/core/descriptor_table.h"

struct connection;

/*
 * After connect() has succeeded or begun, or before a sendto() that connects.
 * `caller` is where that call will return to. False if the connection must not
 * be used, because nothing could be known of it: its stream is ended then.
 */
bool connection_opened(int fd, const struct sockaddr *address, socklen_t length,
		       const void *caller);

/* One call of the host's on a descriptor that is not unmonitored. */
struct connection_call {
	int fd;
	uint32_t entry;      /* what the descriptor was when the call began; 0: nothing of ours */
	uint32_t generation; /* of whom the entry names */
	/* Whom it names, if a connection: not held, so that it may be another one by now. */
	struct connection *connection;
};

/*
 * Before the host's call. False if the connection was refused: the call fails
 * with ECONNRESET then, and the peer sees its end.
 */
bool connection_call_begin(struct connection_call *call, int fd);

/*
 * May these bytes leave? False where they would carry mail or credentials in
 * the clear and the settings forbid that: the connection is then blocked and
 * its refusal recorded. Always true in audit mode, without a look at `parts`;
 * else nothing is read where the kernel could not read. Keeps errno.
 */
bool connection_may_send(const struct connection_call *call, const struct iovec *parts,
			 size_t count);

/*
 * May bytes pass whose content can't be looked at, such as those of a file that
 * the kernel sends? False, as above, where they might be mail in the clear that
 * the settings forbid. What passes is not forgotten: see connection_lost_track.
 */
bool connection_may_pass_unseen(const struct connection_call *call);

/* The kernel has taken the first `length` bytes of `parts`, or has filled them. */
void connection_sent(const struct connection_call *call, const struct iovec *parts, size_t length);
void connection_received(const struct connection_call *call, const struct iovec *parts,
			 size_t length);

/* Was it refused since the call began, by what it brought? */
bool connection_was_refused(const struct connection_call *call);

/* A read that found the end (error 0) or failed for good. */
void connection_ended(const struct connection_call *call, int error);

/* Bytes passed whose content we can't know. */
void connection_lost_track(const struct connection_call *call);

/* Before close(); before close_range(first, last), closefrom() and dup2() over it. */
void connection_closing(int fd);
void connection_closing_range(unsigned first, unsigned last);

/* After dup() and its like: `copy` is another name of `fd`. */
void connection_copied(int fd, int copy);

/* After a message that carried `fd` to another process. */
void connection_handed_on(int fd);

/* A descriptor came out of a control message, or was there at the start: what is it? */
void connection_arrived(int fd);

/*
 * At an end of the process that runs no destructors: whose record waits
 * (connection_wait) gets it. Quick where none ever did.
 */
void connection_finish_waiting(void);

#endif
