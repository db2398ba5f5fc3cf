/*
 * What becomes of a connection: whether it is in scope, when its fate is known,
 * its record, and its end.
 */
#include "shim/core/connection_state.h"

#include <errno.h>

#include "shim/base/sys.h"
#include "shim/core/enforcement.h"
#include "shim/core/hello.h"
#include "shim/core/join.h"
#include "shim/core/origin_pool.h"
#include "shim/core/recorder.h"
#include "shim/core/sandbox.h"

bool connection_in_scope(const struct connection *connection)
{
	return recorder.config.scope_all || connection->mail_port || connection->inner_smtp ||
	       connection->smtp.state == SMTP_DIALOGUE || connection->smtp.state == SMTP_TLS;
}

/*
 * The server's answer is known and below the floor. A library that reports to us
 * was asked to refuse it itself, with its own error: connection_may_send sees
 * to it that nothing but its alert leaves.
 */
bool connection_is_below_floor(const struct connection *connection)
{
	const struct enforcement_policy policy = connection_policy_within(connection, NULL);

	return enforcement_of_version(&policy, connection->tls.version) == ENFORCEMENT_REFUSE &&
	       connection_in_scope(connection);
}

bool connection_awaits_hello(const struct connection *connection)
{
	return !connection->finished && connection->tls.progress == TLS_NOTHING &&
	       (connection->smtp.state == SMTP_TLS || connection->smtp.state == SMTP_UNDECIDED ||
		connection->smtp.state == SMTP_IMPLICIT_TLS);
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

bool connection_finish(struct connection *connection, enum finished how)
{
	uint8_t before = NOT_FINISHED;

	return atomic_compare_exchange_strong(&connection->finished, &before, how);
}

/* What is to be recorded by now; `*over` if nothing more can come after it. */
static enum connection_event event_by_now(struct connection *connection, bool *over)
{
	*over = false;
	if (connection_is_below_floor(connection) && !connection->library_pending) {
		connection->blocked = true;
		return EVENT_HANDSHAKE;
	}
	switch (connection->smtp.state) {
	case SMTP_NOT_SMTP:
		*over = !connection->library_pending && !connection_may_be_hop(connection);
		return EVENT_NONE;
	case SMTP_DIALOGUE:
		return connection->smtp.mail_sent || connection->smtp.auth_sent ? EVENT_PLAINTEXT
										: EVENT_NONE;
	default:
		break;
	}
	if (!connection_speaks_tls(connection) || connection->tls.progress < TLS_ESTABLISHED ||
	    connection->library_pending)
		return EVENT_NONE;
	*over = true;
	return connection_in_scope(connection) ? event_of_tls(connection) : EVENT_NONE;
}

enum connection_event connection_next_event(struct connection *connection)
{
	enum connection_event event;
	bool over;

	connection->known_mail = connection_in_scope(connection);
	connection_mark(connection);
	if (connection->finished || connection->waiting)
		return EVENT_NONE;
	event = event_by_now(connection, &over);
	if ((event != EVENT_NONE || over) &&
	    !connection_finish(connection, event != EVENT_NONE ? FINISHED_OWING : FINISHED))
		return EVENT_NONE;
	return event;
}

/* A session in the clear, as far as is known: what was not seen of it may have been mail. */
static bool is_clear_session(const struct connection *connection)
{
	return connection->smtp.state == SMTP_DIALOGUE ||
	       (connection->smtp.state == SMTP_UNDECIDED && connection->mail_port);
}

/*
 * Another process may have it, and go on with it: by a message that carried the
 * descriptor, or by fork. Where this one saw no end, neither QUIT nor the
 * peer's, that process has the connection's record to write: a record of no
 * mail would be a guess.
 */
static bool went_on_elsewhere(const struct connection *connection)
{
	if (connection->handed_on)
		return true;
	return connection->forks != recorder_forks() && connection->tls.progress == TLS_NOTHING &&
	       !connection->smtp.quit_sent && !connection->ended_by_peer;
}

/* The same, when the connection is over. */
static enum connection_event event_at_end(const struct connection *connection)
{
	if (connection->waiting)
		return EVENT_HANDSHAKE;
	if (went_on_elsewhere(connection))
		return EVENT_NONE;
	if (is_clear_session(connection) &&
	    (connection->lost_track || connection->smtp.answered_unasked))
		return EVENT_BLIND_SPOT;
	if (connection->smtp.state == SMTP_DIALOGUE)
		return EVENT_SESSION;
	if (!connection_speaks_tls(connection) || !connection_in_scope(connection))
		return EVENT_NONE;
	/* Given up before its ClientHello, or made where we did not see it. */
	return connection->tls.progress >= TLS_OFFERED || connection->all_seen ? EVENT_HANDSHAKE
									       : EVENT_BLIND_SPOT;
}

/* A child made by fork has a copy of what its parent waits for, or is in the middle of. */
static bool is_of_another_process(const struct connection *connection)
{
	const pid_t waiting = connection->waiting;

	return (waiting ? waiting : connection->owner) != recorder_process->pid;
}

static enum connection_event last_event(struct connection *connection)
{
	enum connection_event event;

	if (is_of_another_process(connection))
		return EVENT_NONE;
	event = event_at_end(connection);
	return connection_finish(connection, event != EVENT_NONE ? FINISHED_OWING : FINISHED)
		       ? event
		       : EVENT_NONE;
}

void connection_in_doubt(struct connection *connection)
{
	const bool is_mail = connection->known_mail;

	if (connection->finished)
		return;
	if (enforcement_in_doubt(&recorder.policy, is_mail) == ENFORCEMENT_REFUSE)
		connection->blocked = true;
	if (!connection_finish(connection, FINISHED))
		return;
	if (is_mail)
		recorder_count_lost();
	if (connection->blocked)
		connection_end_stream(connection);
}

bool connection_is_behind(const struct connection *connection, int fd)
{
	struct endpoint peer;

	if (fd < 0 || connection->peer.family == 0 || sandbox_is_closed())
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
	if (connection->origin || !connection->caller)
		return;
	connection->origin = origin_pool_claim();
	if (connection->origin && origin_native(connection->origin, connection->caller))
		return;
	origin_pool_free(connection->origin);
	connection->origin = NULL;
}

void connection_record_event(struct connection *connection, enum connection_event event)
{
	const int fd = connection->descriptor;
	int saved = errno;

	/* A connection that began with its first bytes had no port of its own yet. */
	if (connection->local.port == 0 && fd >= 0 && !sandbox_is_closed() &&
	    connection_is_behind(connection, fd))
		endpoint_of_self(&connection->local, fd);
	capture_native_origin(connection);
	connection_record(connection, event);
	atomic_store(&connection->finished, FINISHED);
	errno = saved;
}

void connection_end_stream(const struct connection *connection)
{
	const int fd = connection->descriptor;
	int saved = errno;

	if (fd >= 0 && !sandbox_is_closed() && connection_is_behind(connection, fd))
		sys_shutdown(fd, SHUT_RDWR);
	errno = saved;
}

/* What is still open when its last name is gone. */
static void settle(struct connection *connection)
{
	enum connection_event event;

	if (connection->finished)
		return;
	if (!guard_enter(&connection->guard)) {
		/* Held by a thread of the parent's, when this process was forked, it isn't lost. */
		if (connection_finish(connection, FINISHED) && connection->known_mail &&
		    !is_of_another_process(connection))
			recorder_count_lost();
		return;
	}
	event = last_event(connection);
	guard_leave(&connection->guard);
	if (event == EVENT_HANDSHAKE)
		hello_settle(connection->tls.client_random);
	if (event != EVENT_NONE)
		connection_record_event(connection, event);
}

static void give_back(struct connection *connection, uint32_t settled_with)
{
	uint32_t references = atomic_load(&connection->references);

	for (;;) {
		if (references <= settled_with)
			settle(connection);
		if (!atomic_compare_exchange_strong(&connection->references, &references,
						    references - 1))
			continue;
		if (references == 1)
			connection_free(connection);
		return;
	}
}

void connection_release(struct connection *connection)
{
	/* A library's object that waits is no reason for the connection to go on. */
	give_back(connection, connection->waiting ? 2 : 1);
}

void connection_drop(struct connection *connection)
{
	give_back(connection, 1);
}

bool connection_is_blocked(const struct connection *connection)
{
	return connection->blocked;
}

void connection_look_for_unseen(struct connection *connection, int fd)
{
	uint64_t acknowledged;
	bool asks = false;

	if (fd < 0 || sandbox_is_closed() || !guard_enter(&connection->guard))
		return;
	/* Elsewhere not all of its first bytes were counted. */
	asks = !connection->finished && !connection->lost_track && connection->mail_port &&
	       connection->proxy == PROXY_PROTOCOL_NONE &&
	       (is_clear_session(connection) || connection->smtp.state == SMTP_TLS);
	guard_leave(&connection->guard);
	if (!asks || !connection_is_behind(connection, fd))
		return;
	acknowledged = endpoint_bytes_acknowledged(fd);
	if (!guard_enter(&connection->guard))
		return;
	if (acknowledged > connection->sent)
		connection->lost_track = true;
	else
		connection->all_seen = acknowledged > 0;
	guard_leave(&connection->guard);
}

void connection_ignore(struct connection *connection)
{
	(void)connection_finish(connection, FINISHED);
}

void connection_capture_script(struct connection *connection)
{
	struct origin *origin = origin_pool_claim();

	if (!origin)
		return;
	if (origin_of_script(origin) && guard_enter(&connection->guard)) {
		if (!connection->finished && !connection->origin) {
			connection->origin = origin;
			origin = NULL;
		}
		guard_leave(&connection->guard);
	}
	origin_pool_free(origin);
}

/* Settles all of them, or those that wait for the application. */
static void settle_all(bool only_waiting)
{
	struct connection *connection;
	uint32_t number = 0;

	while ((connection = connection_next(&number))) {
		if (!only_waiting)
			connection_look_for_unseen(connection, connection->descriptor);
		if (connection->waiting || !only_waiting)
			settle(connection);
		connection_drop(connection);
	}
}

#define OWING_YIELDS 2000

/*
 * Whose record was decided and not written. Who writes one now is given a moment;
 * the others were thrown out of the writing.
 */
static void count_owing(void)
{
	struct connection *connection;
	uint32_t number = 0;
	unsigned yields = 0;

	while ((connection = connection_next(&number))) {
		uint8_t owing = FINISHED_OWING;

		while (connection->finished == FINISHED_OWING && yields++ < OWING_YIELDS &&
		       !sandbox_is_closed())
			sys_yield();
		/* A child made by fork has a copy of what its parent writes. */
		if (connection->owner == recorder_process->pid &&
		    atomic_compare_exchange_strong(&connection->finished, &owing, FINISHED))
			recorder_count_lost();
		connection_drop(connection);
	}
}

void connection_finish_all(void)
{
	settle_all(false);
	count_owing();
}

/* Some connection has waited in this process, or in one that it was forked from. */
static atomic_bool has_waited;

void connection_wait(struct connection *connection)
{
	recorder_enter();
	connection->waiting = recorder_process->pid;
	atomic_store(&has_waited, true);
}

void connection_finish_waiting(void)
{
	if (atomic_load(&has_waited))
		settle_all(true);
}
