/*
 * One connection of a probe, which asks for one version: TCP, the SMTP dialogue as far as
 * STARTTLS, a ClientHello, and the answer to it. It never blocks; each step has a deadline that
 * no slow byte moves, and its memory is bounded whatever the server sends.
 */
#ifndef TLSWITNESS_PROBE_CONNECTION_H
#define TLSWITNESS_PROBE_CONNECTION_H

#include <openssl/ssl.h>

#include "tools/probe/probe.h"
#include "tools/probe/probe_answer.h"
#include "tools/probe/probe_reply.h"

enum probe_step {
	PROBE_STEP_CONNECT,
	PROBE_STEP_GREETING,
	PROBE_STEP_EHLO,
	PROBE_STEP_STARTTLS,
	PROBE_STEP_TLS,
	PROBE_STEP_ENDED,
};

/* How it ended. */
enum probe_outcome {
	PROBE_OUTCOME_ACCEPTED,
	PROBE_OUTCOME_REFUSED,
	PROBE_OUTCOME_SILENT,      /* no answer to the ClientHello in time */
	PROBE_OUTCOME_NOT_TESTED,  /* not asked; another connection may fare better */
	PROBE_OUTCOME_HOPELESS,    /* not asked; another connection would not fare better */
	PROBE_OUTCOME_ASK_BY_HAND, /* OpenSSL's ClientHello was not taken: ours must decide */
	PROBE_OUTCOME_UNSUPPORTED_HERE,
};

struct probe_connection {
	const struct probe_settings *settings;
	struct probe_target *target;
	size_t version; /* index */
	int descriptor;
	enum probe_step step;
	int64_t deadline; /* milliseconds of probe_now() */
	SSL *ssl;         /* OpenSSL makes the ClientHello; NULL: probe_hello.c does */

	struct probe_reply reply;
	struct probe_answer answer;
	bool complete; /* the server has said all that it says before our turn */
	uint8_t out[4096];
	size_t out_length;
	size_t out_sent;

	/* once the step is PROBE_STEP_ENDED */
	enum probe_outcome outcome;
	char how[PROBE_WORDS];
	bool handshake_done;       /* by OpenSSL: `ssl` has the certificate */
	char trouble[PROBE_WORDS]; /* accepted, but OpenSSL could not finish: why */
};

/* CLOCK_MONOTONIC in milliseconds. */
int64_t probe_now(void);

/*
 * Begins. With `context` OpenSSL makes the ClientHello. Ends at once where this host can't; in
 * any case probe_connection_close() must follow.
 */
void probe_connection_begin(struct probe_connection *connection,
			    const struct probe_settings *settings, struct probe_target *target,
			    size_t version, SSL_CTX *context);

/* What to poll(2) for. */
short probe_connection_events(const struct probe_connection *connection);

/* Goes on after poll(2) returned `events`. */
void probe_connection_go_on(struct probe_connection *connection, short events);

/* The deadline has passed. */
void probe_connection_expire(struct probe_connection *connection);

void probe_connection_close(struct probe_connection *connection);

#endif
