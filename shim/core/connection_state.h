/*
 * A connection from inside: for the files of core/ alone.
 *
 * Atomic members may be read by whoever holds a reference; the others are read
 * and written within the connection's guard, or once it is finished by the one
 * thread that writes its record.
 */
#ifndef TLSWITNESS_CONNECTION_STATE_H
#define TLSWITNESS_CONNECTION_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "shim/core/connection.h"
#include "shim/core/connection_record.h"
#include "shim/core/dns_cache.h"
#include "shim/core/endpoint.h"
#include "shim/core/enforcement.h"
#include "shim/core/guard.h"
#include "shim/core/library_view.h"
#include "shim/origin/origin.h"
#include "shim/wire/proxy_hop.h"
#include "shim/wire/smtp_dialogue.h"
#include "shim/wire/tls_wire.h"

enum finished {
	NOT_FINISHED,
	FINISHED_OWING, /* its record is decided, and not written yet */
	FINISHED,       /* recorded, ignored or lost */
};

struct connection {
	struct guard guard;
	uint32_t number;
	_Atomic uint32_t references; /* descriptors, TLS objects, calls under way; 0: free */
	_Atomic uint32_t generation; /* never the same for two of them */
	atomic_int descriptor;       /* the one used last; -1: none */
	_Atomic pid_t owner;      /* the process that used it last; 0: came from another, unused */
	_Atomic uint8_t finished; /* enum finished: nothing more is learned */
	atomic_bool blocked;      /* refused: every further call on it fails */
	_Atomic pid_t
		waiting; /* the process whose handshake is over, while its record waits; or 0 */
	atomic_bool known_mail; /* in scope, as far as its bytes and its port say */
	_Atomic uint64_t began; /* recorder_clock() at the first TLS byte; 0: none yet */
	bool mail_port;
	bool tls_begun;       /* a byte of TLS has passed */
	bool inner_smtp;      /* known as SMTP by the first bytes inside TLS */
	bool library_pending; /* a TLS library drives the handshake and will report it */
	bool ended_by_peer;
	bool lost_track;  /* bytes passed that could not be seen */
	bool all_seen;    /* the kernel has sent no more over it than was seen */
	bool joined_late; /* another process had sent bytes over it before it came to this one */
	bool handed_on;   /* its descriptor was given to another process, and not used since */
	int64_t opened;   /* seconds since 1970, where exceptions ask for it; else 0 */
	unsigned forks;   /* how often this process had forked when it was opened */
	uint64_t sent;    /* bytes of the client's that were seen */
	int error;        /* errno that a call ended with, 0: none */
	struct endpoint local;
	struct endpoint peer;
	struct endpoint destination; /* the peer, unless a proxy was asked for another */
	struct endpoint forwarded;   /* on whose behalf, by a PROXY preamble; family 0: not known */
	enum proxy_protocol proxy;   /* by which the peer was asked to go on; 0: not at all */
	uint64_t cookie;             /* the kernel's name for the socket; 0: not known */
	const void *caller;          /* where its connect() returned to */
	char looked_up[DNS_NAME_MAX + 1];
	struct proxy_hop hop;
	struct smtp_dialogue smtp;
	struct tls_wire tls;
	uint32_t certificate_room; /* wire_certificate.c's; 0: none */
	struct library_view library;
	struct origin *origin; /* from origin_pool.h; NULL: not known */
};

/* ---- connection_pool.c ---- */

/*
 * A connection with one reference, or NULL if no memory can be had. Without
 * `peer` neither end is known.
 */
struct connection *connection_claim(const struct endpoint *peer, const struct endpoint *local);

/* The connection of this number, in use or not; NULL if there never was one. */
struct connection *connection_at(uint32_t number);

/* Gives one back that was taken for a look only: it settles what waits for nobody but the look. */
void connection_drop(struct connection *connection);

/* Takes one more reference; false if it has none, and is free. */
bool connection_hold(struct connection *connection);

/* The last reference is gone. */
void connection_free(struct connection *connection);

/* Marks it by its ClientHello's random, or as one that awaits one; within the guard. */
void connection_mark(struct connection *connection);

/*
 * The next connection from *number on that bears the mark of this random, or
 * with NULL of one that awaits its ClientHello; with a reference. The mark is a
 * hint: look at it within the guard. NULL if there is none.
 */
struct connection *connection_find(const uint8_t *random, uint32_t *number);

/* The next one in use from *number on, with a reference; NULL if there is none. */
struct connection *connection_next(uint32_t *number);

/* ---- connection.c ---- */

/* TLS was begun, by STARTTLS or from the first byte. Within the guard. */
static inline bool connection_speaks_tls(const struct connection *connection)
{
	return connection->smtp.state == SMTP_TLS || connection->smtp.state == SMTP_IMPLICIT_TLS;
}

/* Is TLS about to begin on it, as far as its bytes say? Within the guard. */
bool connection_awaits_hello(const struct connection *connection);

/* The server's answer is known and below the floor, and that is to be refused. Within the guard. */
bool connection_is_below_floor(const struct connection *connection);

/*
 * Is something to be recorded by now? After each step, within the guard; whoever
 * gets an answer other than EVENT_NONE has it written, outside the guard.
 */
enum connection_event connection_next_event(struct connection *connection);

/*
 * This caller is the one who decides what becomes of it; nobody can be it again.
 * For FINISHED_OWING it writes the record next. A thread that is thrown out of
 * there (longjmp, cancellation) leaves it owing: it is counted at the end.
 */
bool connection_finish(struct connection *connection, enum finished how);

/*
 * Something of it can't be known, its guard for example: it is settled as
 * enforcement_in_doubt says, and what can't be recorded is counted. Nothing more
 * is learned of it.
 */
void connection_in_doubt(struct connection *connection);

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

/*
 * Asks the kernel whether more was sent over it than was seen, as long as it is
 * a session in the clear: `fd` is about to be closed, or the process to end.
 */
void connection_look_for_unseen(struct connection *connection, int fd);

/* At the end of the process: what was left open gets its record. */
void connection_finish_all(void);

/* ---- connection_policy.c ---- */

/*
 * What is held of it, by what is known of it so far, and by `server_name`, the SNI
 * that a library is about to send; NULL: none is known. Within the guard, or finished.
 */
struct enforcement_policy connection_policy_within(const struct connection *connection,
						   const char *server_name);

/* The same of one to this peer that has no entry yet. */
struct enforcement_policy connection_policy_to(const struct endpoint *peer,
					       const char *server_name);

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

/* ---- connection_descriptors.c ---- */

/*
 * The connection that `fd` is a name of, with a reference; a candidate becomes
 * one. NULL if it is none, or no memory can be had for it.
 */
struct connection *connection_of_descriptor(int fd);

/* The candidate that `entry` of `fd` names is no mail. */
void connection_dismiss_candidate(int fd, uint32_t entry);

/* It is refused for want of memory. */
void connection_block_candidate(int fd, uint32_t entry);

/* If it is finished, `fd` costs nothing any more but what its entry says. */
void connection_settle_descriptor(int fd, const struct connection *connection);

#endif
