/*
 * The sink's own account of a connection: one JSON object a line, written with
 * one write when the connection has ended; and the sum over all of them.
 *
 * It holds what came and what was negotiated, and no credential and no byte of
 * a message.
 */
#ifndef TLSWITNESS_SINK_ACCOUNT_H
#define TLSWITNESS_SINK_ACCOUNT_H

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

struct sink_account {
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

/* Where the accounts go, and their sum. Safe for many threads after sink_ledger_open(). */
struct sink_ledger;

/* Opens `path` for appending ("-" is stdout); NULL with errno set. */
struct sink_ledger *sink_ledger_open(const char *path);

/* Writes the account and counts it. */
void sink_ledger_add(struct sink_ledger *ledger, const struct sink_account *account);

/* "4 connections: 3 x 1.2, 1 x in the clear" to stderr. */
void sink_ledger_summarize(struct sink_ledger *ledger);

/* False if any account could not be written (which was complained about). */
bool sink_ledger_close(struct sink_ledger *ledger);

#endif
