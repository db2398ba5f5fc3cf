/*
 * A connection from inside: for the files of core/ alone. Members are read and
 * written within the guard; what a finished connection says no longer changes.
 */
#ifndef TLSWITNESS_CONNECTION_STATE_H
#define TLSWITNESS_CONNECTION_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "shim/core/connection.h"
#include "shim/core/connection_record.h"
#include "shim/core/dns_cache.h"
#include "shim/core/endpoint.h"
#include "shim/core/library_view.h"
#include "shim/origin/origin.h"
#include "shim/wire/proxy_hop.h"
#include "shim/wire/smtp_dialogue.h"
#include "shim/wire/tls_wire.h"

struct connection {
	unsigned references; /* descriptors, TLS objects and calls under way; 0: free */
	int descriptor;      /* the one used last; -1: none */
	pid_t owner;         /* the process that used it last */
	bool mail_port;
	bool inner_smtp;      /* known as SMTP by the first bytes inside TLS */
	bool finished;        /* recorded or ignored: nothing more is learned */
	bool blocked;         /* below the floor and refused: every further call on it fails */
	bool library_pending; /* a TLS library drives the handshake and will report it */
	pid_t waiting; /* the process whose handshake is over, while its record waits; or 0 */
	bool ended_by_peer;
	bool lost_track; /* bytes passed that could not be seen */
	int error;       /* errno that a call ended with, 0: none */
	struct endpoint local;
	struct endpoint peer;
	struct endpoint destination; /* the peer, unless a proxy was asked for another */
	struct endpoint forwarded;   /* on whose behalf, by a PROXY preamble; family 0: not known */
	enum proxy_protocol proxy;   /* by which the peer was asked to go on; 0: not at all */
	uint64_t cookie;             /* the kernel's name for the socket; 0: not known */
	const void *caller;          /* where its connect() returned to */
	uint64_t began;              /* recorder_clock() at the first TLS byte */
	char looked_up[DNS_NAME_MAX + 1];
	struct proxy_hop hop;
	struct smtp_dialogue smtp;
	struct tls_wire tls;
	struct library_view library;
	bool has_origin;
	struct origin origin;
};

/* ---- connection_pool.c: within the guard ---- */

/*
 * A connection with one reference, or NULL if all are in use. Without `peer`
 * neither end is known.
 */
struct connection *connection_claim(const struct endpoint *peer, const struct endpoint *local);

/* Without settling anything: see connection_release. */
void connection_drop_reference(struct connection *connection);

/* Its number in the descriptor table and in thread_state.hello_connection. */
uint16_t connection_number(const struct connection *connection);

/* NULL where the entry is no connection's. */
struct connection *connection_of_entry(uint16_t entry);

/* Each connection that there is or was, for 0, 1, 2, ...; then NULL. Free ones have no references.
 */
struct connection *connection_at(unsigned index);

/* ---- connection.c: within the guard ---- */

/* TLS was begun, by STARTTLS or from the first byte. */
bool connection_speaks_tls(const struct connection *connection);

/* The server's answer is known and below the floor, and that is to be refused. */
bool connection_is_below_floor(const struct connection *connection);

/*
 * Is something to be recorded by now? After each step; whoever gets an answer
 * other than EVENT_NONE has it written, outside the guard.
 */
enum connection_event connection_next_event(struct connection *connection);

/* The same, when the connection is over. */
enum connection_event connection_last_event(struct connection *connection);

/* ---- connection_hop.c: within the guard ---- */

/*
 * Takes the bytes that pass to or from a proxy, notes the destination that it is
 * asked for, and returns how many of them are none of the dialogue's.
 */
size_t connection_follow_hop(struct connection *connection, enum smtp_side from,
			     const uint8_t *bytes, size_t length);

/* Are its first bytes, as far as they go, those to a proxy? */
bool connection_may_be_hop(const struct connection *connection);

/* Do its bytes, by the destination that was asked for, leave this machine? */
bool connection_leaves_machine(const struct connection *connection);

/* ---- connection.c: outside the guard, with a reference ---- */

/*
 * Is `fd` still this connection? A host can close it where we do not see it
 * (fclose, libuv's raw system call), and the number then means something else.
 */
bool connection_is_behind(const struct connection *connection, int fd);

/* Writes the record of `event`. Keeps errno. */
void connection_record_event(struct connection *connection, enum connection_event event);

/* The peer sees the end of the connection; no byte of ours is put into it. Keeps errno. */
void connection_end_stream(const struct connection *connection);

/* A script's frames, while they are there: they cost time. */
void connection_capture_script(struct connection *connection);

/* At the end of the process: what was left open gets its record. */
void connection_finish_all(void);

/* The same, of connections whose record waits (connection_wait), and quick where none ever did. */
void connection_finish_waiting(void);

#endif
