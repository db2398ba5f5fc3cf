/*
 * The sink's own entry of a connection: one JSON object a line, written with
 * one write when the connection has ended; and the sum over all of them.
 *
 * It holds what came and what was negotiated, and no credential and no byte of
 * a message.
 */
#ifndef TLSWITNESS_SINK_CONNECTION_LOG_H
#define TLSWITNESS_SINK_CONNECTION_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <openssl/ssl.h>

#include "tools/sink/sink.h"
#include "tools/sink/sink_session.h"

/* More versions than exist; GREASE is not among them. */
#define SINK_OFFERED_MAX 8

/* The ClientHello's supported_versions (RFC 8446, 4.2.1), lowest first. */
struct sink_offer {
	sink_version versions[SINK_OFFERED_MAX];
	unsigned count;
};

struct sink_log_entry {
	unsigned long connection; /* counted from 1 in the order of acceptance */
	uint16_t peer_port;
	const char *tls_mode; /* how TLS began: "starttls", "implicit"; "none" if it never did */
	sink_version given;   /* with --mix, the version that this connection was given */
	bool established;     /* the server has the client's Finished, and sent its own */
	SSL *ssl;             /* asked for the rest; NULL where TLS never began */
	const struct sink_offer *offer;
	const struct smtp_facts *facts;
	const char *error;       /* NULL: none */
	struct timespec started; /* CLOCK_REALTIME */
	struct timespec ended;
};

/* Where the entries go, and their sum. Safe for many threads after sink_connection_log_open(). */
struct sink_connection_log;

/* Opens `path` for appending ("-" is stdout); NULL with errno set. */
struct sink_connection_log *sink_connection_log_open(const char *path);

/* Writes the entry and counts it. */
void sink_connection_log_add(struct sink_connection_log *log, const struct sink_log_entry *entry);

/* "4 connections: 3 x 1.2, 1 x in the clear" to stderr. */
void sink_connection_log_summarize(struct sink_connection_log *log);

/* False if any entry could not be written (which was complained about). */
bool sink_connection_log_close(struct sink_connection_log *log);

#endif
