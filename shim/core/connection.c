/*
 * What becomes of a connection: whether it is in scope, when its fate is known,
 * its record, and its end.
 */
#include "shim/core/connection_state.h"

#include <errno.h>
#include <stdatomic.h>

#include "shim/base/sys.h"
#include "shim/core/enforcement.h"
#include "shim/core/guard.h"
#include "shim/core/hello.h"
#include "shim/core/recorder.h"

bool connection_in_scope(const struct connection *connection)
{
	return recorder.config.scope_all || connection->mail_port || connection->inner_smtp ||
	       connection->smtp.state == SMTP_DIALOGUE || connection->smtp.state == SMTP_TLS;
}

bool connection_speaks_tls(const struct connection *connection)
{
	return connection->smtp.state == SMTP_TLS || connection->smtp.state == SMTP_IMPLICIT_TLS;
}

/*
 * The server's answer is known and below the floor. A library that reports to us
 * was asked to refuse it itself, with its own error: connection_may_send sees
 * to it that nothing but its alert leaves.
 */
bool connection_is_below_floor(const struct connection *connection)
{
	return enforcement_of_version(&recorder.config, connection->tls.version) ==
		       ENFORCEMENT_REFUSE &&
	       connection_in_scope(connection);
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
 * Is something to be recorded by now? After each step;
 * whoever gets an answer other than EVENT_NONE has it written.
 */
enum connection_event connection_next_event(struct connection *connection)
{
	enum connection_event event = EVENT_NONE;

	if (connection->finished || connection->waiting)
		return EVENT_NONE;
	if (connection_is_below_floor(connection) && !connection->library_pending) {
		connection->blocked = true;
		event = EVENT_HANDSHAKE;
	} else if (connection->smtp.state == SMTP_NOT_SMTP) {
		connection->finished =
			!connection->library_pending && !connection_may_be_hop(connection);
	} else if (connection->smtp.state == SMTP_DIALOGUE) {
		if (connection->smtp.mail_sent || connection->smtp.auth_sent)
			event = EVENT_PLAINTEXT;
	} else if (connection_speaks_tls(connection) &&
		   connection->tls.progress >= TLS_ESTABLISHED && !connection->library_pending) {
		if (connection_in_scope(connection))
			event = event_of_tls(connection);
		connection->finished = true;
	}
	if (event != EVENT_NONE)
		connection->finished = true;
	return event;
}

/* The same, when the connection is over. */
enum connection_event connection_last_event(struct connection *connection)
{
	enum connection_event event = EVENT_NONE;

	/* A child made by fork has a copy of what its parent waits for. */
	if (connection->finished ||
	    (connection->waiting ? connection->waiting : connection->owner) !=
		    recorder_process->pid)
		return EVENT_NONE;
	connection->finished = true;
	if (connection->waiting)
		event = EVENT_HANDSHAKE;
	else if (connection->smtp.state == SMTP_DIALOGUE)
		event = EVENT_SESSION;
	else if (connection_speaks_tls(connection) && connection_in_scope(connection))
		event = connection->tls.progress >= TLS_OFFERED ? EVENT_HANDSHAKE
								: EVENT_BLIND_SPOT;
	return event;
}

bool connection_is_behind(const struct connection *connection, int fd)
{
	struct endpoint peer;

	if (fd < 0 || connection->peer.family == 0)
		return true;
	if (connection->cookie != 0)
		return endpoint_cookie(fd) == connection->cookie;
	/* Before Linux 4.12 there are no cookies: the other end has to tell. */
	if (endpoint_of_peer(&peer, fd))
		return endpoint_is_same(&peer, &connection->peer);
	return errno == ENOTCONN;
}

/* A native caller costs nothing to remember, and is looked up when it is wanted. */
static void capture_native_origin(struct connection *connection)
{
	if (!connection->has_origin && connection->caller)
		connection->has_origin = origin_native(&connection->origin, connection->caller);
}

void connection_record_event(struct connection *connection, enum connection_event event)
{
	int saved = errno;

	/* A connection that began with its first bytes had no port of its own yet. */
	if (connection->local.port == 0 && connection->descriptor >= 0 &&
	    connection_is_behind(connection, connection->descriptor))
		endpoint_of_self(&connection->local, connection->descriptor);
	capture_native_origin(connection);
	connection_record(connection, event);
	errno = saved;
}

/* The peer sees the end of the connection; no byte of ours is put into it. */
void connection_end_stream(const struct connection *connection)
{
	int saved = errno;

	if (connection->descriptor >= 0 && connection_is_behind(connection, connection->descriptor))
		sys_shutdown(connection->descriptor, SHUT_RDWR);
	errno = saved;
}

/* Gives a reference back; the last one settles what is still open. */
void connection_release(struct connection *connection)
{
	enum connection_event event = EVENT_NONE;

	if (!guard_enter())
		return;
	/* A library's object that waits is no reason for the connection to go on. */
	if (connection->references == 1U + (connection->waiting != 0))
		event = connection_last_event(connection);
	if (event == EVENT_HANDSHAKE)
		hello_settle(connection->tls.client_random);
	if (event == EVENT_NONE)
		connection_drop_reference(connection);
	guard_leave();
	if (event == EVENT_NONE)
		return;
	connection_record_event(connection, event);
	if (!guard_enter())
		return;
	connection_drop_reference(connection);
	guard_leave();
}

void connection_ignore(struct connection *connection)
{
	if (!guard_enter())
		return;
	connection->finished = true;
	guard_leave();
}

/* The place in the code, for a connection that no TLS library reports. */
static void keep_origin(struct connection *connection, const struct origin *origin)
{
	if (!guard_enter())
		return;
	if (!connection->finished) {
		origin_copy(&connection->origin, origin);
		connection->has_origin = true;
	}
	guard_leave();
}

/*
 * A script's frames, while they are there: at the connect to a mail port, and
 * elsewhere once it has turned out to be mail, since they cost time.
 */
void connection_capture_script(struct connection *connection)
{
	struct origin origin;

	if (origin_of_script(&origin))
		keep_origin(connection, &origin);
}

/* Settles all of them, or those that wait for the application. */
static void finish(bool only_waiting)
{
	struct connection *connection;

	for (unsigned i = 0; (connection = connection_at(i)); i++) {
		enum connection_event event = EVENT_NONE;

		if (!guard_enter())
			return;
		if (connection->references > 0 && (connection->waiting || !only_waiting)) {
			connection->references++;
			event = connection_last_event(connection);
		}
		guard_leave();
		if (event != EVENT_NONE)
			connection_record_event(connection, event);
	}
}

void connection_finish_all(void)
{
	finish(false);
}

/* Some connection has waited in this process, or in one that it was forked from. */
static atomic_bool has_waited;

void connection_wait(struct connection *connection)
{
	if (!guard_enter())
		return;
	connection->waiting = recorder_process->pid;
	atomic_store(&has_waited, true);
	guard_leave();
}

void connection_finish_waiting(void)
{
	if (atomic_load(&has_waited))
		finish(true);
}
