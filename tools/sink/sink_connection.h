/*
 * One connection of the sink, from its acceptance to its entry: the socket,
 * TLS over it, and the SMTP session inside.
 */
#ifndef TLSWITNESS_SINK_CONNECTION_H
#define TLSWITNESS_SINK_CONNECTION_H

#include <stdatomic.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "tools/sink/sink.h"
#include "tools/sink/sink_connection_log.h"

/* What all connections share; nothing of it changes once the first is served. */
struct sink {
	struct sink_settings settings;
	SSL_CTX *context; /* NULL without TLS */
	struct sink_connection_log *log;
	atomic_bool stopping; /* set before the connections' sockets are shut down */
};

/*
 * Serves the connection on the blocking socket `fd` to its end and adds its
 * entry to the log. `fd` stays the caller's. Shutting `fd` down from
 * another thread ends it.
 */
void sink_connection_serve(struct sink *sink, int fd, unsigned long number, uint16_t peer_port);

/* Adds the entry of a connection that could not be served. */
void sink_connection_give_up(struct sink *sink, unsigned long number, uint16_t peer_port,
			     const char *error);

#endif
