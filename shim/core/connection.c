/*
 * The tables of descriptors and connections, and what becomes of a connection.
 */
#include "shim/core/connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <syscall.h>

#include "shim/core/connection_record.h"
#include "shim/core/dns_cache.h"
#include "shim/core/recorder.h"
#include "shim/base/sys.h"
#include "shim/base/thread.h"
#include "shim/core/tls_object.h"

/* A lock that is not free after so many tries belongs to a thread that left by longjmp. */
#define LOCK_SPINS_MAX  200
#define LOCK_YIELDS_MAX 20000

enum { UNLOCKED, LOCKED, ABANDONED };

_Atomic uint16_t connection_descriptors[CONNECTION_DESCRIPTORS_MAX];

static struct connection connections[CONNECTIONS_MAX];
static unsigned used_most; /* no connection from here on was ever used */

static unsigned first_free; /* no connection before this one is free */

/* No entry of connection_descriptors above this one was ever a connection. */
static atomic_uint descriptor_most;

/* ---- the lock ---- */

bool connection_lock(void)
{
	if (thread_state.locked || !recorder.on)
		return false;
	recorder_enter();
	thread_state.locked = true;
	atomic_signal_fence(memory_order_seq_cst);
	for (unsigned i = 0; i < LOCK_SPINS_MAX + LOCK_YIELDS_MAX; i++) {
		int expected = UNLOCKED;

		if (atomic_compare_exchange_weak_explicit(&recorder_process->locked, &expected,
							  LOCKED, memory_order_acquire,
							  memory_order_relaxed))
			return true;
		if (expected == ABANDONED)
			break;
		if (i >= LOCK_SPINS_MAX)
			syscall(SYS_sched_yield);
		if (i == LOCK_SPINS_MAX + LOCK_YIELDS_MAX - 1)
			atomic_store(&recorder_process->locked, ABANDONED);
	}
	thread_state.locked = false;
	return false;
}

void connection_unlock(void)
{
	atomic_store_explicit(&recorder_process->locked, UNLOCKED, memory_order_release);
	atomic_signal_fence(memory_order_seq_cst);
	thread_state.locked = false;
}

/* ---- endpoints ---- */

static bool endpoint_set(struct endpoint *endpoint, const struct sockaddr *address,
			 socklen_t length)
{
	static const uint8_t v4_mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (length >= sizeof(struct sockaddr_in) && address->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = (const void *)address;

		memcpy(endpoint->address, v4_mapped, sizeof(v4_mapped));
		memcpy(endpoint->address + 12, &v4->sin_addr, 4);
		endpoint->port = ntohs(v4->sin_port);
	} else if (length >= sizeof(struct sockaddr_in6) && address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const void *)address;

		memcpy(endpoint->address, &v6->sin6_addr, 16);
		endpoint->port = ntohs(v6->sin6_port);
	} else {
		return false;
	}
	endpoint->family =
		memcmp(endpoint->address, v4_mapped, sizeof(v4_mapped)) == 0 ? AF_INET : AF_INET6;
	return true;
}

/* The other end of `fd`, if that is a connected TCP socket. */
static bool endpoint_of_peer(struct endpoint *endpoint, int fd)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);
	int type = 0;
	socklen_t type_length = sizeof(type);

	return sys_getpeername(fd, (struct sockaddr *)&address, &length) == 0 &&
	       endpoint_set(endpoint, (struct sockaddr *)&address, length) &&
	       sys_getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_length) == 0 &&
	       type == SOCK_STREAM;
}

/*
 * This end of `fd`. TCP fast open puts the connection off until the first bytes
 * are sent (tcp(7)): until then there is no port, and nothing is known.
 */
static void endpoint_of_self(struct endpoint *endpoint, int fd)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);

	if (sys_getsockname(fd, (struct sockaddr *)&address, &length) != 0 ||
	    !endpoint_set(endpoint, (struct sockaddr *)&address, length) || endpoint->port == 0)
		endpoint->family = 0;
}

static bool same_endpoint(const struct endpoint *one, const struct endpoint *other)
{
	return one->port == other->port && memcmp(one->address, other->address, 16) == 0;
}

/* ---- the tables; all of these with the lock held ---- */

static uint16_t entry_of(int fd)
{
	if ((unsigned)fd >= CONNECTION_DESCRIPTORS_MAX)
		return DESCRIPTOR_UNMONITORED;
	return atomic_load_explicit(&connection_descriptors[fd], memory_order_relaxed);
}

static void set_entry(int fd, uint16_t entry)
{
	atomic_store_explicit(&connection_descriptors[fd], entry, memory_order_relaxed);
	if (entry >= CONNECTION_FIRST && (unsigned)fd > atomic_load(&descriptor_most))
		atomic_store(&descriptor_most, (unsigned)fd);
}

uint16_t connection_number(const struct connection *connection)
{
	return (uint16_t)(connection - connections + CONNECTION_FIRST);
}

static struct connection *connection_of_entry(uint16_t entry)
{
	return entry >= CONNECTION_FIRST ? &connections[entry - CONNECTION_FIRST] : NULL;
}

/* A connection with one reference, or NULL if all are in use. */
static struct connection *claim_connection(const struct endpoint *peer,
					   const struct endpoint *local)
{
	const char *name;
	struct connection *connection;

	while (first_free < CONNECTIONS_MAX && connections[first_free].references > 0)
		first_free++;
	if (first_free == CONNECTIONS_MAX)
		return NULL;
	connection = &connections[first_free++];
	if (first_free > used_most)
		used_most = first_free;
	memset(connection, 0, offsetof(struct connection, origin));
	connection->references = 1;
	connection->descriptor = -1;
	connection->owner = recorder_process->pid;
	smtp_dialogue_init(&connection->smtp);
	tls_wire_init(&connection->tls);
	if (!peer)
		return connection;
	connection->peer = *peer;
	connection->local = *local;
	connection->mail_port = config_is_mail_port(&recorder.config, peer->port);
	name = dns_cache_name(peer->address);
	if (name)
		memcpy(connection->looked_up, name, strlen(name) + 1);
	return connection;
}

/* ---- what becomes of a connection ---- */

bool connection_in_scope(const struct connection *connection)
{
	return recorder.config.scope_all || connection->mail_port || connection->inner_smtp ||
	       connection->smtp.state == SMTP_DIALOGUE || connection->smtp.state == SMTP_TLS;
}

static bool speaks_tls(const struct connection *connection)
{
	return connection->smtp.state == SMTP_TLS || connection->smtp.state == SMTP_IMPLICIT_TLS;
}

static bool is_loopback(const struct endpoint *endpoint)
{
	static const uint8_t v6_loopback[16] = {[15] = 1};

	if (endpoint->family == AF_INET)
		return endpoint->address[12] == 127; /* RFC 1122, 3.2.1.3 */
	return memcmp(endpoint->address, v6_loopback, sizeof(v6_loopback)) == 0;
}

static bool refuses_plaintext(const struct connection *connection)
{
	if (recorder.config.mode == MODE_AUDIT)
		return false;
	switch (recorder.config.plaintext) {
	case PLAINTEXT_RECORD:
		return false;
	case PLAINTEXT_REFUSE_REMOTE:
		return !is_loopback(&connection->peer);
	default:
		return true;
	}
}

/*
 * The server's answer is known and below the floor. A library that reports to us
 * was asked to refuse it itself, with its own error: connection_may_send sees
 * to it that nothing but its alert leaves.
 */
static bool is_below_floor(const struct connection *connection)
{
	return recorder.config.mode != MODE_AUDIT && connection->tls.version != 0 &&
	       connection->tls.version < recorder.config.floor && connection_in_scope(connection);
}

/* TLS has come to its end, one way or the other, or the bytes were none. */
static enum connection_event event_of_tls(const struct connection *connection)
{
	const struct tls_wire *tls = &connection->tls;

	/* Bytes that were TLS up to here: an offer answered in the clear, or worse. */
	if (tls->progress != TLS_NOT_TLS || tls->offered_count > 0 || tls->version != 0)
		return EVENT_HANDSHAKE;
	return connection->smtp.state == SMTP_TLS ? EVENT_BLIND_SPOT : EVENT_NONE;
}

/*
 * Is something to be recorded by now? With the lock held, after each step;
 * whoever gets an answer other than EVENT_NONE has it written.
 */
static enum connection_event next_event(struct connection *connection)
{
	enum connection_event event = EVENT_NONE;

	if (connection->finished)
		return EVENT_NONE;
	if (is_below_floor(connection) && !connection->library_pending) {
		connection->blocked = true;
		event = EVENT_HANDSHAKE;
	} else if (connection->smtp.state == SMTP_NOT_SMTP) {
		connection->finished = !connection->library_pending;
	} else if (connection->smtp.state == SMTP_DIALOGUE) {
		if (connection->smtp.mail_sent || connection->smtp.auth_sent)
			event = EVENT_PLAINTEXT;
	} else if (speaks_tls(connection) && connection->tls.progress >= TLS_ESTABLISHED &&
		   !connection->library_pending) {
		if (connection_in_scope(connection))
			event = event_of_tls(connection);
		connection->finished = true;
	}
	if (event != EVENT_NONE)
		connection->finished = true;
	return event;
}

/* The same, when the connection is over. */
static enum connection_event last_event(struct connection *connection)
{
	enum connection_event event = EVENT_NONE;

	if (connection->finished || connection->owner != recorder_process->pid)
		return EVENT_NONE;
	connection->finished = true;
	if (connection->smtp.state == SMTP_DIALOGUE)
		event = EVENT_SESSION;
	else if (speaks_tls(connection) && connection_in_scope(connection))
		event = connection->tls.progress >= TLS_OFFERED ? EVENT_HANDSHAKE
								: EVENT_BLIND_SPOT;
	return event;
}

/* The kernel's own name for a socket, never given twice; 0 where it gives none. */
static uint64_t socket_cookie(int fd)
{
	uint64_t cookie = 0;
	socklen_t length = sizeof(cookie);

	return sys_getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) == 0 ? cookie : 0;
}

/*
 * Is `fd` still this connection? A host can close it where we do not see it
 * (fclose, libuv's raw system call), and the number then means something else.
 */
static bool still_connected(const struct connection *connection, int fd)
{
	struct endpoint peer;

	if (fd < 0 || connection->peer.family == 0)
		return true;
	if (connection->cookie != 0)
		return socket_cookie(fd) == connection->cookie;
	/* Before Linux 4.12 there are no cookies: the other end has to tell. */
	if (endpoint_of_peer(&peer, fd))
		return same_endpoint(&peer, &connection->peer);
	return errno == ENOTCONN;
}

/* A native caller costs nothing to remember, and is looked up when it is wanted. */
static void capture_native_origin(struct connection *connection)
{
	if (!connection->has_origin && connection->caller)
		connection->has_origin = origin_native(&connection->origin, connection->caller);
}

static void record_event(struct connection *connection, enum connection_event event)
{
	int saved = errno;

	/* A connection that began with its first bytes had no port of its own yet. */
	if (connection->local.port == 0 && connection->descriptor >= 0 &&
	    still_connected(connection, connection->descriptor))
		endpoint_of_self(&connection->local, connection->descriptor);
	capture_native_origin(connection);
	connection_record(connection, event);
	errno = saved;
}

/* The peer sees the end of the connection; no byte of ours is put into it. */
static void end_stream(const struct connection *connection)
{
	int saved = errno;

	if (connection->descriptor >= 0 && still_connected(connection, connection->descriptor))
		sys_shutdown(connection->descriptor, SHUT_RDWR);
	errno = saved;
}

/* With the lock held. */
static void drop_reference(struct connection *connection)
{
	const unsigned index = (unsigned)(connection - connections);

	if (--connection->references == 0 && index < first_free)
		first_free = index;
}

/* Gives a reference back; the last one settles what is still open. */
void connection_release(struct connection *connection)
{
	enum connection_event event = EVENT_NONE;
	struct tls_object *object = NULL;

	if (!connection_lock())
		return;
	if (connection->references == 1)
		event = last_event(connection);
	if (event == EVENT_HANDSHAKE)
		object = tls_object_of_random(connection->tls.client_random);
	if (event == EVENT_NONE)
		drop_reference(connection);
	connection_unlock();
	if (object)
		tls_object_set_done(object);
	if (event == EVENT_NONE)
		return;
	record_event(connection, event);
	if (!connection_lock())
		return;
	drop_reference(connection);
	connection_unlock();
}

void connection_ignore(struct connection *connection)
{
	if (!connection_lock())
		return;
	connection->finished = true;
	connection_unlock();
}

/* ---- descriptors ---- */

/* The place in the code, for a connection that no TLS library reports. */
static void keep_origin(struct connection *connection, const struct origin *origin)
{
	if (!connection_lock())
		return;
	if (!connection->finished) {
		origin_copy(&connection->origin, origin);
		connection->has_origin = true;
	}
	connection_unlock();
}

/*
 * A script's frames, while they are there: at the connect to a mail port, and
 * elsewhere once it has turned out to be mail, since they cost time.
 */
static void capture_script_origin(struct connection *connection)
{
	struct origin origin;

	if (origin_of_script(&origin))
		keep_origin(connection, &origin);
}

void connection_opened(int fd, const struct sockaddr *address, socklen_t length, const void *caller)
{
	struct endpoint peer;
	struct endpoint local = {0};
	struct connection *connection;
	uint64_t cookie;
	int type = 0;
	socklen_t type_length = sizeof(type);

	if ((unsigned)fd >= CONNECTION_DESCRIPTORS_MAX || !recorder.on)
		return;
	connection_closing(fd); /* whatever the number meant before */
	if (!endpoint_set(&peer, address, length) ||
	    sys_getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_length) != 0 ||
	    type != SOCK_STREAM)
		return;
	endpoint_of_self(&local, fd);
	cookie = socket_cookie(fd);
	if (!connection_lock())
		return;
	connection = claim_connection(&peer, &local);
	if (connection) {
		connection->descriptor = fd;
		connection->cookie = cookie;
		connection->caller = caller;
		set_entry(fd, connection_number(connection));
	}
	connection_unlock();
	if (!connection)
		atomic_fetch_add(&recorder_process->lost, 1);
	else if (connection->mail_port)
		capture_script_origin(connection);
}

/* What is this descriptor? It was open before we were, or came from another process. */
static void adopt(int fd)
{
	struct endpoint peer = {0};
	struct endpoint local = {0};
	bool connected = endpoint_of_peer(&peer, fd);
	struct connection *connection = NULL;

	if (connected)
		endpoint_of_self(&local, fd);
	if (!connection_lock())
		return;
	if (entry_of(fd) == DESCRIPTOR_UNKNOWN) {
		if (connected)
			connection = claim_connection(&peer, &local);
		if (connection)
			connection->descriptor = fd;
		set_entry(fd, connection ? connection_number(connection) : DESCRIPTOR_UNMONITORED);
	}
	connection_unlock();
}

/* The connection behind `fd` as the table has it, with a reference. */
static struct connection *acquire_entry(int fd)
{
	struct connection *connection;
	bool finished = false;

	if (!connection_lock())
		return NULL;
	connection = connection_of_entry(entry_of(fd));
	if (connection) {
		finished = connection->finished && !connection->blocked;
		if (finished) {
			/* From now on it costs what every other descriptor costs. */
			set_entry(fd, DESCRIPTOR_UNMONITORED);
		} else {
			connection->references++;
			connection->descriptor = fd;
			connection->owner = recorder_process->pid;
		}
	}
	connection_unlock();
	if (connection && finished) {
		connection_release(connection);
		return NULL;
	}
	return connection;
}

struct connection *connection_acquire(int fd)
{
	struct connection *connection = NULL;
	int saved = errno;

	if ((unsigned)fd >= CONNECTION_DESCRIPTORS_MAX || !recorder.on)
		return NULL;
	if (entry_of(fd) == DESCRIPTOR_UNKNOWN)
		adopt(fd);
	connection = acquire_entry(fd);
	/* A TLS library's call that is under way holds its own descriptor open. */
	if (connection && thread_state.library_depth == 0 && !still_connected(connection, fd)) {
		/* Its end was not seen; what the number means now is asked anew. */
		connection_release(connection);
		connection_closing(fd);
		connection_descriptor_arrived(fd);
		adopt(fd);
		connection = acquire_entry(fd);
	}
	errno = saved;
	return connection;
}

/* The connection that `fd` names, which it names no longer. */
static struct connection *detach(int fd)
{
	struct connection *connection = NULL;

	if (entry_of(fd) < CONNECTION_FIRST || !recorder_owns_tables() || !connection_lock())
		return NULL;
	connection = connection_of_entry(entry_of(fd));
	set_entry(fd, DESCRIPTOR_UNMONITORED);
	connection_unlock();
	return connection;
}

void connection_closing(int fd)
{
	struct connection *connection;

	if ((unsigned)fd >= CONNECTION_DESCRIPTORS_MAX)
		return;
	connection = detach(fd);
	if (connection)
		connection_release(connection);
}

void connection_closing_range(unsigned first, unsigned last)
{
	unsigned most = atomic_load(&descriptor_most);

	for (unsigned fd = first; fd <= last && fd <= most; fd++)
		connection_closing((int)fd);
}

void connection_copied(int fd, int copy)
{
	struct connection *connection;
	uint16_t entry;

	if ((unsigned)copy >= CONNECTION_DESCRIPTORS_MAX || !recorder.on ||
	    !recorder_owns_tables() || !connection_lock())
		return;
	entry = entry_of(fd);
	connection = connection_of_entry(entry);
	if (connection)
		connection->references++;
	set_entry(copy, entry);
	connection_unlock();
}

void connection_descriptor_arrived(int fd)
{
	if ((unsigned)fd >= CONNECTION_DESCRIPTORS_MAX || !recorder.on || !recorder_owns_tables() ||
	    !connection_lock())
		return;
	if (entry_of(fd) == DESCRIPTOR_UNMONITORED)
		set_entry(fd, DESCRIPTOR_UNKNOWN);
	connection_unlock();
}

/* ---- bytes ---- */

/* Is a TLS library's call under way that these first bytes of TLS come out of? */
static void note_library_call(struct connection *connection)
{
	if (thread_state.library_depth == 0)
		return;
	thread_state.hello_connection = connection_number(connection);
	connection->library_pending = true;
}

static void feed_tls(struct connection *connection, enum tls_side from, const uint8_t *bytes,
		     size_t length)
{
	const bool offered = connection->tls.offered_count > 0;

	if (length == 0)
		return;
	if (connection->began == 0) {
		connection->began = recorder_clock();
		if (from == TLS_FROM_CLIENT)
			note_library_call(connection);
	}
	tls_wire_feed(&connection->tls, from, bytes, length);
	/* A library that writes into memory has made its ClientHello before it is sent. */
	if (!offered && connection->tls.offered_count > 0 &&
	    tls_object_of_random(connection->tls.client_random))
		connection->library_pending = true;
}

/* With the lock held. */
static void feed(struct connection *connection, enum smtp_side from, const uint8_t *bytes,
		 size_t length)
{
	size_t clear = 0;

	if (connection->finished || connection->lost_track)
		return;
	if (!speaks_tls(connection))
		clear = smtp_dialogue_feed(&connection->smtp, from, bytes, length);
	if (speaks_tls(connection))
		feed_tls(connection, from == SMTP_FROM_CLIENT ? TLS_FROM_CLIENT : TLS_FROM_SERVER,
			 bytes + clear, length - clear);
}

static void pass(struct connection *connection, enum smtp_side from, const void *bytes,
		 size_t length)
{
	enum connection_event event;
	bool recognised;

	if (!connection_lock())
		return;
	recognised = connection->smtp.state == SMTP_UNDECIDED;
	feed(connection, from, bytes, length);
	recognised = recognised && connection->smtp.state == SMTP_DIALOGUE;
	event = next_event(connection);
	connection_unlock();
	if (recognised && !connection->mail_port)
		capture_script_origin(connection);
	if (event == EVENT_NONE)
		return;
	record_event(connection, event);
	if (connection->blocked)
		end_stream(connection);
}

void connection_sent(struct connection *connection, const void *bytes, size_t length)
{
	pass(connection, SMTP_FROM_CLIENT, bytes, length);
}

void connection_received(struct connection *connection, const void *bytes, size_t length)
{
	pass(connection, SMTP_FROM_SERVER, bytes, length);
}

bool connection_is_blocked(const struct connection *connection)
{
	return connection->blocked;
}

/* With the lock held: would these bytes be the first mail or credentials in the clear? */
static bool would_send_mail(const struct connection *connection, const struct iovec *parts,
			    size_t count)
{
	struct smtp_dialogue ahead = connection->smtp;

	for (size_t i = 0; i < count; i++) {
		if (ahead.state != SMTP_UNDECIDED && ahead.state != SMTP_DIALOGUE)
			return false;
		if (smtp_dialogue_would_send_mail(&ahead, parts[i].iov_base, parts[i].iov_len))
			return true;
		smtp_dialogue_feed(&ahead, SMTP_FROM_CLIENT, parts[i].iov_base, parts[i].iov_len);
	}
	return false;
}

/*
 * A single alert in the clear (RFC 8446, 5.1 and 6), with which a library ends a
 * handshake: it can't carry anything else.
 */
static bool is_alert(const struct iovec *parts, size_t count)
{
	uint8_t record[7];
	size_t length = 0;

	for (size_t i = 0; i < count; i++) {
		if (parts[i].iov_len > sizeof(record) - length)
			return false;
		memcpy(record + length, parts[i].iov_base, parts[i].iov_len);
		length += parts[i].iov_len;
	}
	return length == sizeof(record) && record[0] == 21 && record[1] == 3 && record[3] == 0 &&
	       record[4] == 2;
}

/* STARTTLS was accepted, and these first bytes are letters and no hello: no TLS after all. */
static bool goes_on_in_clear(const struct connection *connection, const struct iovec *parts,
			     size_t count)
{
	if (connection->smtp.state != SMTP_TLS || connection->began != 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		const uint8_t *bytes = parts[i].iov_base;

		if (parts[i].iov_len > 0)
			return bytes[0] >= ' ' && bytes[0] < 0x7f;
	}
	return false;
}

bool connection_may_send(struct connection *connection, const struct iovec *parts, size_t count)
{
	enum connection_event event = EVENT_NONE;

	if (recorder.config.mode == MODE_AUDIT || connection->finished || !connection_lock())
		return true;
	if (connection->finished)
		event = EVENT_NONE;
	else if (is_below_floor(connection) && !is_alert(parts, count))
		event = EVENT_HANDSHAKE;
	else if (refuses_plaintext(connection) && (would_send_mail(connection, parts, count) ||
						   goes_on_in_clear(connection, parts, count)))
		event = EVENT_PLAINTEXT;
	if (event != EVENT_NONE) {
		connection->blocked = true;
		connection->finished = true;
	}
	connection_unlock();
	if (event == EVENT_NONE)
		return true;
	record_event(connection, event);
	end_stream(connection);
	return false;
}

void connection_ended(struct connection *connection, int error)
{
	if (!connection_lock())
		return;
	if (error == 0)
		connection->ended_by_peer = true;
	else
		connection->error = error;
	connection_unlock();
}

void connection_lost_track(struct connection *connection)
{
	if (!connection_lock())
		return;
	connection->lost_track = true;
	connection_unlock();
}

/* ---- the join ---- */

static bool has_hello(const struct connection *connection, const struct library_view *view)
{
	return connection->references > 0 && view->random_known &&
	       connection->tls.offered_count > 0 &&
	       memcmp(connection->tls.client_random, view->client_random, TLS_RANDOM_SIZE) == 0;
}

/* With the lock held: is TLS about to begin on it, as far as its bytes say? */
static bool awaits_hello(const struct connection *connection)
{
	return connection->references > 0 && !connection->finished &&
	       connection->tls.progress == TLS_NOTHING &&
	       (connection->smtp.state == SMTP_TLS || connection->smtp.state == SMTP_UNDECIDED ||
		connection->smtp.state == SMTP_IMPLICIT_TLS);
}

/*
 * A library without a descriptor failed before there was a ClientHello to tell
 * connections apart. With the lock held: the one in scope that awaits its
 * ClientHello; of several the one to the server of this name, or any if they
 * all have the same peer.
 */
static struct connection *only_awaiting(const char *server_name)
{
	struct connection *found = NULL;

	for (unsigned i = 0; i < used_most; i++) {
		struct connection *connection = &connections[i];

		if (!awaits_hello(connection) || !connection_in_scope(connection))
			continue;
		if (server_name[0] && strcmp(connection->looked_up, server_name) == 0)
			return connection;
		if (found && !same_endpoint(&found->peer, &connection->peer))
			return NULL;
		found = connection;
	}
	return found;
}

/* With the lock held. The connection whose bytes were this handshake's, or NULL. */
static struct connection *find_connection(const struct library_view *view, int fd)
{
	struct connection *connection = connection_of_entry(thread_state.hello_connection);

	/* Without a ClientHello there is nothing to compare: an alert can come first. */
	if (connection && (has_hello(connection, view) || !view->random_known))
		return connection;
	connection = fd >= 0 ? connection_of_entry(entry_of(fd)) : NULL;
	/* A descriptor's word counts only where the wire has not seen another handshake on it. */
	if (connection && (has_hello(connection, view) || connection->tls.offered_count == 0))
		return connection;
	if (!view->random_known && fd < 0)
		return only_awaiting(view->server_name);
	for (unsigned i = 0; i < used_most; i++) {
		if (has_hello(&connections[i], view))
			return &connections[i];
	}
	return NULL;
}

struct connection *connection_join(const struct library_view *view, int fd,
				   const struct origin *origin)
{
	struct connection *connection;
	struct endpoint peer = {0};
	struct endpoint local = {0};
	bool connected;

	if (!connection_lock())
		return NULL;
	connection = find_connection(view, fd);
	if (connection)
		connection->references++;
	connection_unlock();
	if (!connection) {
		connected = fd >= 0 && endpoint_of_peer(&peer, fd);
		if (connected)
			endpoint_of_self(&local, fd);
		if (!connection_lock())
			return NULL;
		connection = claim_connection(connected ? &peer : NULL, &local);
		if (connection && connected)
			connection->descriptor = fd;
		connection_unlock();
	}
	if (!connection)
		return NULL;
	if (!connection_lock())
		return connection;
	if (!connection->finished) {
		connection->library = *view;
		if (origin) {
			origin_copy(&connection->origin, origin);
			connection->has_origin = true;
		}
	}
	connection_unlock();
	return connection;
}

void connection_record_handshake(struct connection *connection)
{
	bool first;

	if (!connection_lock())
		return;
	first = !connection->finished;
	connection->finished = true;
	connection_unlock();
	if (first)
		record_event(connection, EVENT_HANDSHAKE);
}

void connection_refuse(struct connection *connection)
{
	bool first;

	if (!connection_lock())
		return;
	first = !connection->finished;
	connection->finished = true;
	connection->blocked = true;
	connection_unlock();
	if (first)
		record_event(connection, EVENT_HANDSHAKE);
	end_stream(connection);
}

static bool is_mail_peer(int fd)
{
	struct endpoint peer;

	return endpoint_of_peer(&peer, fd) && config_is_mail_port(&recorder.config, peer.port);
}

/* With the lock held, for a library that has no descriptor. */
static bool any_expects_tls(const char *server_name)
{
	bool in_scope = false;
	bool out_of_scope = false;

	for (unsigned i = 0; i < used_most; i++) {
		const struct connection *connection = &connections[i];

		if (!awaits_hello(connection))
			continue;
		if (!connection_in_scope(connection))
			out_of_scope = true;
		else if (server_name && strcmp(connection->looked_up, server_name) == 0)
			return true;
		else
			in_scope = true;
	}
	/* In doubt the handshake stays as it is: below the floor the wire will end it. */
	return in_scope && !out_of_scope;
}

bool connection_expects_tls(int fd, const char *server_name)
{
	const struct connection *connection;
	bool expects;

	if (recorder.config.scope_all)
		return true;
	if (!connection_lock())
		return false;
	connection = connection_of_entry(fd >= 0 ? entry_of(fd) : 0);
	if (fd < 0)
		expects = any_expects_tls(server_name);
	else
		expects = connection && connection_in_scope(connection);
	connection_unlock();
	return expects || (fd >= 0 && !connection && is_mail_peer(fd));
}

/* ---- the end ---- */

void connection_finish_all(void)
{
	for (unsigned i = 0; i < used_most; i++) {
		enum connection_event event = EVENT_NONE;

		if (!connection_lock())
			return;
		if (connections[i].references > 0) {
			connections[i].references++;
			event = last_event(&connections[i]);
		}
		connection_unlock();
		if (event != EVENT_NONE)
			record_event(&connections[i], event);
	}
}

__attribute__((destructor)) static void finish(void)
{
	if (!recorder.on || !recorder_owns_tables())
		return;
	connection_finish_all();
	connection_record_finish();
	recorder_finish();
}
