/*
 * A datagram socket that programs under the recorder write to
 * (TLSWITNESS_LOG=unix:/path): one record in each datagram.
 */
#ifndef TLSWITNESS_LOG_SOCKET_H
#define TLSWITNESS_LOG_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

struct log_socket {
	int descriptor; /* to poll for reading */
	const char *path;
	dev_t device; /* so that at the end nobody else's socket is removed */
	ino_t inode;
};

/*
 * Makes the socket at `path` (which is borrowed), for this user alone (mode 0600).
 * What lies there is replaced only if it is a socket of this user (or we are root)
 * on which nobody listens. False, with a complaint made, if it can't.
 */
bool log_socket_open(struct log_socket *socket, const char *path);

/* The next datagram, at most `size` bytes of it; -1 if there is none now. */
ssize_t log_socket_read(const struct log_socket *socket, char *to, size_t size);

/* Closes the socket and removes its name. */
void log_socket_close(struct log_socket *socket);

#endif
