/*
 * The hop over a proxy with which a connection may begin, before the bytes that
 * it was made for: SOCKS, HTTP CONNECT, and the PROXY protocol's preamble.
 *
 * Pure: bytes in, facts out; no socket, no clock, no allocation. It keeps where
 * the client asked to go, and nothing else: user names, passwords and headers
 * are stepped over.
 *
 * Standards: RFC 1928 and RFC 1929 (SOCKS 5), the SOCKS 4 and 4A protocols as
 * OpenSSH's socks.protocol documents have them, RFC 9110, 9.3.6 (CONNECT), the
 * PROXY protocol of HAProxy's doc/proxy-protocol.txt, 2.1 and 2.2.
 */
#ifndef TLSWITNESS_PROXY_HOP_H
#define TLSWITNESS_PROXY_HOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum proxy_hop_state {
	PROXY_HOP_UNDECIDED, /* not enough bytes to know whether there is one */
	PROXY_HOP_BEGUN,     /* there seems to be one; where to is not known yet */
	PROXY_HOP_ASKED,     /* the client has asked for its destination */
	PROXY_HOP_DONE,      /* the proxy has agreed: what follows is the connection proper */
	PROXY_HOP_NONE,      /* there is none, or the proxy refused, or it can't be followed */
};

enum proxy_protocol {
	PROXY_PROTOCOL_NONE,
	PROXY_PROTOCOL_SOCKS4,
	PROXY_PROTOCOL_SOCKS5,
	PROXY_PROTOCOL_HTTP,
	PROXY_PROTOCOL_PREAMBLE, /* the PROXY protocol: the client is the proxy, and says for whom
				  */
};

enum proxy_side { PROXY_FROM_CLIENT, PROXY_FROM_SERVER };

#define PROXY_HOST_MAX 255

/*
 * `host`, `address` and `port` hold from PROXY_HOP_ASKED on: where the client
 * wants to go, or, of a PROXY preamble, on whose behalf it comes. Either `host`
 * is a name or an address as text, or `address` has `address_size` bytes (4 or
 * 16) in network order. A preamble may say neither ("PROXY UNKNOWN").
 */
struct proxy_hop {
	enum proxy_hop_state state;
	enum proxy_protocol protocol;
	char host[PROXY_HOST_MAX + 1];
	uint8_t address[16];
	uint8_t address_size;
	uint16_t port;

	/* proxy_hop.c's own, from here on */
	uint8_t step[2];    /* of each side */
	uint8_t recognised; /* bytes of a literal beginning that have come */
	bool wants_password;
	bool name_follows; /* SOCKS 4A: the address is none */
	uint16_t filled;   /* bytes of the field at hand, by the client */
	uint16_t left;     /* bytes of it that are to come, by either side */
	uint32_t number;
	uint8_t line_end[2]; /* how much of an empty line has come, by side */
};

void proxy_hop_init(struct proxy_hop *hop);

/*
 * Takes the next bytes that `from` sent, in the order in which they passed, and
 * returns how many of them belong to the hop. The rest belongs to the
 * connection proper: what a server sends once it has agreed, and what a client
 * sends once it has asked, whether or not it waits for the answer. 0 where the
 * state is PROXY_HOP_NONE.
 *
 * Of a client whose first bytes turn out to begin no hop, those of this call
 * are not taken, but earlier ones were: whoever reads the connection proper
 * should have read them as well until PROXY_HOP_ASKED.
 */
size_t proxy_hop_feed(struct proxy_hop *hop, enum proxy_side from, const uint8_t *bytes,
		      size_t length);

#endif
