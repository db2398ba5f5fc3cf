/*
 * The model: what is known of one outgoing connection, and the join of the two
 * witnesses.
 *
 * The hooks of hook_socket.c tell it what happens to descriptors and which
 * bytes pass; the hooks of a TLS library tell it what that library says of a
 * handshake. It joins both, and when a connection's fate is known it has one
 * record written. It knows no TLS library and interposes nothing.
 *
 * One lock guards the tables. It is held over memory only: no system call, no
 * real function, no allocation. A signal handler that comes while its own
 * thread holds it passes through.
 */
#ifndef TLSWITNESS_CONNECTION_H
#define TLSWITNESS_CONNECTION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include "shim/origin/origin.h"
#include "shim/record/record.h"
#include "shim/wire/smtp_dialogue.h"
#include "shim/wire/tls_wire.h"

#define CONNECTION_DESCRIPTORS_MAX (1U << 20)
#define CONNECTIONS_MAX            2048
#define CONNECTION_NAME_MAX        254 /* RFC 1035, 2.3.4, as text */
#define CONNECTION_TEXT_MAX        256

/* What a descriptor's entry in the table says; from CONNECTION_FIRST on, a connection. */
enum { DESCRIPTOR_UNKNOWN, DESCRIPTOR_UNMONITORED, CONNECTION_FIRST };

extern _Atomic uint16_t connection_descriptors[CONNECTION_DESCRIPTORS_MAX]
	__attribute__((visibility("hidden")));

/* The whole cost of a descriptor that is no mail connection. */
static inline bool connection_unmonitored(int fd)
{
	return (unsigned)fd < CONNECTION_DESCRIPTORS_MAX &&
	       atomic_load_explicit(&connection_descriptors[fd], memory_order_relaxed) ==
		       DESCRIPTOR_UNMONITORED;
}

struct endpoint {
	sa_family_t family; /* AF_INET or AF_INET6; 0: not known */
	uint16_t port;
	uint8_t address[16]; /* as IPv6; IPv4 v4-mapped */
};

/* What a TLS library knows of a handshake. Zero means "not known". */
struct library_view {
	enum record_witness witness;
	char name[32]; /* "OpenSSL 3.0.19" */
	bool established;
	bool refused;          /* it failed because the floor took its versions away */
	uint64_t began;        /* recorder_clock() at the first handshake call */
	struct timespec ended; /* CLOCK_REALTIME */
	uint16_t version;
	uint16_t cipher;
	uint16_t group;
	enum record_boolean resumed;
	uint16_t server_supports;
	bool random_known;
	uint8_t client_random[TLS_RANDOM_SIZE];
	uint16_t configured_min; /* as the application set them, 0 where it did not */
	uint16_t configured_max;
	uint16_t lowest; /* what it would have accepted, by settings and security level */
	uint16_t highest;
	enum record_certificate peer_certificate;
	char server_name[CONNECTION_TEXT_MAX];
	char subject[CONNECTION_TEXT_MAX];
	char issuer[CONNECTION_TEXT_MAX];
	char not_after[24];
	char reason[CONNECTION_TEXT_MAX];
};

struct connection {
	unsigned references; /* descriptors, TLS objects and calls under way; 0: free */
	int descriptor;      /* the one used last; -1: none */
	pid_t owner;         /* the process that used it last */
	bool mail_port;
	bool inner_smtp;      /* known as SMTP by the first bytes inside TLS */
	bool finished;        /* recorded or let go: nothing more is learned */
	bool blocked;         /* below the floor and refused: every further call on it fails */
	bool library_pending; /* a TLS library drives the handshake and will report it */
	bool ended_by_peer;
	bool lost_track; /* bytes passed that could not be seen */
	int error;       /* errno that a call ended with, 0: none */
	struct endpoint local;
	struct endpoint peer;
	uint64_t cookie;    /* the kernel's name for the socket; 0: not known */
	const void *caller; /* where its connect() returned to */
	uint64_t began;     /* recorder_clock() at the first TLS byte */
	char looked_up[CONNECTION_NAME_MAX + 1];
	struct smtp_dialogue smtp;
	struct tls_wire tls;
	struct library_view library;
	bool has_origin;
	struct origin origin;
};

/* ---- for hook_socket.c ---- */

/*
 * After connect(), or a sendto() that connects, has succeeded or begun.
 * `caller` is where that call will return to.
 */
void connection_opened(int fd, const struct sockaddr *address, socklen_t length,
		       const void *caller);

/*
 * The connection behind a descriptor that does not pass, with a reference to
 * be given back; NULL if the call is to pass through. Asks the kernel about a
 * descriptor seen for the first time (inherited, or received from elsewhere).
 */
struct connection *connection_acquire(int fd);
void connection_release(struct connection *connection);

/* Bytes that the kernel has taken from, or given to, the application. */
void connection_sent(struct connection *connection, const void *bytes, size_t length);
void connection_received(struct connection *connection, const void *bytes, size_t length);

/*
 * May these bytes leave? False where they would carry mail or credentials in
 * the clear and the settings forbid that: the connection is then blocked and
 * its refusal recorded. Always true in audit mode.
 */
bool connection_may_send(struct connection *connection, const struct iovec *parts, size_t count);

/* Was it refused? Then its calls fail with ECONNRESET, and the peer sees its end. */
bool connection_is_blocked(const struct connection *connection);

/* A read that found the end (error 0) or failed for good. */
void connection_ended(struct connection *connection, int error);

/* Bytes passed whose content we can't know. */
void connection_lost_track(struct connection *connection);

/* Before close(); before close_range(first, last), closefrom() and dup2() over it. */
void connection_closing(int fd);
void connection_closing_range(unsigned first, unsigned last);

/* After dup() and its like: `copy` is another name of `fd`. */
void connection_copied(int fd, int copy);

/* A descriptor came out of a control message: nothing is known of it. */
void connection_descriptor_arrived(int fd);

/* ---- for the hooks of TLS libraries; see tls_object.h ---- */

/*
 * The library has ended a handshake, one way or the other, over `fd` (-1: not
 * known). Finds the connection that it belongs to, by client random or else by
 * descriptor, or makes one, and takes the view and the origin (which may be
 * NULL) over. The connection is returned with a reference, NULL if there is no
 * room for one.
 */
struct connection *connection_join(const struct library_view *view, int fd,
				   const struct origin *origin);

/* Is it certain by now that this is mail, or that scope `all` wants it? */
bool connection_in_scope(const struct connection *connection);

/* Has the record of a joined connection written, once. `origin` may be NULL. */
void connection_record_handshake(struct connection *connection);

/*
 * Blocks a joined connection whose handshake ended below the floor: the
 * refusal is recorded, once, and the peer sees the connection end.
 */
void connection_refuse(struct connection *connection);

/*
 * Is a connection in scope about to begin TLS over `fd`? With -1, for a library
 * that has no descriptor: is any, and none that is out of scope, or one to the
 * server of this name? NULL: no name is known.
 */
bool connection_expects_tls(int fd, const char *server_name);

/* Nothing of it is to be recorded. */
void connection_ignore(struct connection *connection);

/* The number of `connection` for thread_state.hello_connection. */
uint16_t connection_number(const struct connection *connection);

/* At the end of the process: what was left open gets its record. */
void connection_finish_all(void);

/* The lock, also for tls_object.c's table. False: pass through. */
bool connection_lock(void);
void connection_unlock(void);

#endif
