/*
 * The ends of a connection, and what the kernel says of the socket behind a
 * descriptor. Knows no connection and takes no lock.
 */
#ifndef TLSWITNESS_ENDPOINT_H
#define TLSWITNESS_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct endpoint {
	sa_family_t family; /* AF_INET or AF_INET6; 0: not known */
	uint16_t port;
	uint8_t address[16]; /* as IPv6; IPv4 v4-mapped */
};

/* False, with `endpoint` as it was, for an address of another family. */
bool endpoint_set(struct endpoint *endpoint, const struct sockaddr *address, socklen_t length);

/* The other end of `fd`, if that is a connected TCP socket. Sets errno. */
bool endpoint_of_peer(struct endpoint *endpoint, int fd);

/*
 * This end of `fd`. TCP fast open puts the connection off until the first bytes
 * are sent (tcp(7)): until then there is no port, and nothing is known.
 */
void endpoint_of_self(struct endpoint *endpoint, int fd);

bool endpoint_is_same(const struct endpoint *one, const struct endpoint *other);

bool endpoint_is_loopback(const struct endpoint *endpoint);

bool endpoint_is_stream_socket(int fd);

/*
 * How many bytes of the application's the peer has acknowledged; 0 where the
 * kernel does not say. Never more than were sent.
 */
uint64_t endpoint_bytes_acknowledged(int fd);

/* The kernel's own name for a socket, never given twice; 0 where it gives none. */
uint64_t endpoint_cookie(int fd);

#endif
