/*
 * Which descriptors are names of which connection: what opens, copies and
 * closes them.
 */
#include "shim/core/connection_state.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "shim/base/sys.h"
#include "shim/base/thread.h"
#include "shim/core/candidate.h"
#include "shim/core/enforcement.h"
#include "shim/core/join.h"
#include "shim/core/output.h"
#include "shim/core/recorder.h"
#include "shim/core/sandbox.h"

/* The descriptor that an entry was taken from is its name no more. */
static void release_entry(uint32_t entry)
{
	if (entry == DESCRIPTOR_OURS)
		output_forget();
	else if (descriptor_kind(entry) == DESCRIPTOR_CANDIDATE)
		candidate_release(descriptor_number(entry));
	else if (descriptor_kind(entry) == DESCRIPTOR_CONNECTION)
		connection_release(connection_at(descriptor_number(entry)));
}

/* The entry comes with a reference, which goes where the old one came from. */
static void replace_entry(int fd, uint32_t old, uint32_t entry)
{
	release_entry(descriptor_replace(fd, old, entry) ? old : entry);
}

/* One more name for whom the entry names; false if that is no more. */
static bool hold_entry(uint32_t entry)
{
	if (descriptor_kind(entry) == DESCRIPTOR_CANDIDATE)
		return descriptor_number(entry) == CANDIDATE_UNKNOWN ||
		       candidate_hold(descriptor_number(entry));
	if (descriptor_kind(entry) == DESCRIPTOR_CONNECTION)
		return connection_hold(connection_at(descriptor_number(entry)));
	return true;
}

/* The entry of `fd`, with a reference to whom it names. */
static uint32_t hold_descriptor(int fd)
{
	for (;;) {
		const uint32_t entry = descriptor_entry(fd);

		if (!hold_entry(entry)) {
			/* Its last name was taken from it just now. */
			if (descriptor_entry(fd) == entry)
				return DESCRIPTOR_UNMONITORED;
			continue;
		}
		if (descriptor_entry(fd) == entry)
			return entry;
		release_entry(entry);
	}
}

/* ---- opening ---- */

/* Not to be used: the kernel itself lets no byte pass from now on. */
static bool refuse_unknown(int fd)
{
	recorder_count_lost();
	if (enforcement_in_doubt(&recorder.policy, true) == ENFORCEMENT_PROCEED)
		return true;
	if (!sandbox_is_closed())
		sys_shutdown(fd, SHUT_RDWR);
	return false;
}

/* It is mail by where it leads, or scope `all` wants it. */
static bool open_connection(int fd, const struct endpoint *peer, const void *caller)
{
	struct endpoint local = {0};
	struct connection *connection;
	uint64_t cookie = 0;

	if (!sandbox_is_closed()) {
		if (!endpoint_is_stream_socket(fd))
			return true;
		endpoint_of_self(&local, fd);
		cookie = endpoint_cookie(fd);
	}
	connection = descriptor_make_room(fd) ? connection_claim(peer, &local) : NULL;
	if (!connection)
		return refuse_unknown(fd);
	connection->descriptor = fd;
	connection->cookie = cookie;
	connection->caller = caller;
	release_entry(descriptor_exchange(
		fd, descriptor_entry_of(DESCRIPTOR_CONNECTION, connection->number)));
	connection_capture_script(connection);
	return true;
}

/* Nothing is asked: by far the most that connect are no mail. */
static void open_candidate(int fd, const struct endpoint *peer, const void *caller,
			   bool joined_late)
{
	if (!descriptor_make_room(fd))
		return;
	release_entry(descriptor_exchange(
		fd, descriptor_entry_of(DESCRIPTOR_CANDIDATE,
					candidate_claim(peer, caller, joined_late))));
}

static bool is_in_scope(const struct endpoint *peer)
{
	return recorder.config.scope_all || config_is_mail_port(&recorder.config, peer->port);
}

bool connection_opened(int fd, const struct sockaddr *address, socklen_t length, const void *caller)
{
	struct endpoint peer = {0};

	if (!descriptor_in_range(fd) || !recorder.on)
		return true;
	sandbox_look();
	connection_closing(fd); /* whatever the number meant before */
	if (!endpoint_set(&peer, address, length))
		return true;
	if (is_in_scope(&peer))
		return open_connection(fd, &peer, caller);
	open_candidate(fd, &peer, caller, false);
	return true;
}

/*
 * What others have sent over it is none of ours; and who leaves it alone, as a child does that was
 * started while its parent was within a session, has nothing to say of it.
 */
static void note_sent_before(int fd)
{
	struct connection *connection = connection_of_descriptor(fd);
	uint64_t sent;

	if (!connection)
		return;
	sent = sandbox_is_closed() ? 0 : endpoint_bytes_acknowledged(fd);
	if (guard_enter(&connection->guard)) {
		connection->owner = 0;
		connection->joined_late = sent > 0;
		connection->sent += sandbox_is_closed() ? UINT64_MAX / 2 : sent + 2;
		guard_leave(&connection->guard);
	}
	connection_release(connection);
}

void connection_arrived(int fd)
{
	struct endpoint peer = {0};

	if (!descriptor_in_range(fd) || !recorder.on || !recorder_owns_tables())
		return;
	sandbox_look();
	connection_closing(fd);
	/* Within a sandbox its bytes alone can tell. */
	if (!sandbox_is_closed() && !endpoint_of_peer(&peer, fd))
		return;
	if (peer.family != 0 && is_in_scope(&peer)) {
		(void)open_connection(fd, &peer, NULL);
		note_sent_before(fd);
	} else {
		open_candidate(fd, &peer, NULL,
			       peer.family != 0 && endpoint_bytes_acknowledged(fd) > 0);
	}
}

/* ---- what a descriptor is ---- */

/*
 * A candidate is about to be looked at. It was made without a question to the
 * kernel, and its number may mean something else by now: false then.
 */
static bool ask_for_ends(const struct candidate *candidate, int fd, struct endpoint *peer,
			 struct endpoint *local)
{
	*peer = candidate->peer;
	*local = (struct endpoint){0};
	if (sandbox_is_closed())
		return true;
	errno = 0;
	if (!endpoint_of_peer(peer, fd))
		return errno == ENOTCONN;
	endpoint_of_self(local, fd);
	return true;
}

/* A reference to the connection that a held candidate becomes. */
static struct connection *promote(struct candidate *candidate, int fd)
{
	struct endpoint peer;
	struct endpoint local;
	struct connection *connection;
	uint32_t fate;

	if (!ask_for_ends(candidate, fd, &peer, &local)) {
		(void)candidate_settle(candidate, DESCRIPTOR_UNMONITORED);
		return NULL;
	}
	connection = connection_claim(&peer, &local);
	if (!connection)
		return NULL;
	connection->descriptor = fd;
	connection->caller = candidate->caller;
	connection->joined_late = candidate->joined_late;
	if (!sandbox_is_closed())
		connection->cookie = endpoint_cookie(fd);
	fate = descriptor_entry_of(DESCRIPTOR_CONNECTION, connection->number);
	(void)connection_hold(connection); /* the candidate's */
	if (candidate_settle(candidate, fate))
		return connection;
	/* Another thread was first. */
	connection_ignore(connection);
	connection_release(connection);
	connection_release(connection);
	fate = atomic_load(&candidate->fate);
	if (descriptor_kind(fate) != DESCRIPTOR_CONNECTION)
		return NULL;
	connection = connection_at(descriptor_number(fate));
	return connection_hold(connection) ? connection : NULL;
}

/* The descriptor follows its candidate's fate. */
static void follow(int fd, uint32_t entry, const struct candidate *candidate)
{
	const uint32_t fate = atomic_load(&candidate->fate);

	if (fate == CANDIDATE_OPEN)
		return;
	if (descriptor_kind(fate) == DESCRIPTOR_CONNECTION && !hold_entry(fate))
		return;
	replace_entry(fd, entry, fate);
}

struct connection *connection_of_descriptor(int fd)
{
	const uint32_t entry = hold_descriptor(fd);
	struct candidate *candidate;
	struct connection *connection = NULL;

	if (descriptor_kind(entry) == DESCRIPTOR_CONNECTION)
		return connection_at(descriptor_number(entry));
	candidate = descriptor_kind(entry) == DESCRIPTOR_CANDIDATE
			    ? candidate_at(descriptor_number(entry))
			    : NULL;
	if (candidate) {
		connection = promote(candidate, fd);
		follow(fd, entry, candidate);
	}
	release_entry(entry);
	return connection;
}

void connection_dismiss_candidate(int fd, uint32_t entry)
{
	struct candidate *candidate = candidate_hold(descriptor_number(entry));

	if (!candidate) {
		(void)descriptor_replace(fd, entry, DESCRIPTOR_UNMONITORED);
		return;
	}
	(void)candidate_settle(candidate, DESCRIPTOR_UNMONITORED);
	follow(fd, entry, candidate);
	candidate_release(descriptor_number(entry));
}

void connection_block_candidate(int fd, uint32_t entry)
{
	struct candidate *candidate = candidate_hold(descriptor_number(entry));

	if (candidate) {
		(void)candidate_settle(candidate, DESCRIPTOR_BLOCKED);
		follow(fd, entry, candidate);
		candidate_release(descriptor_number(entry));
	} else {
		(void)descriptor_replace(fd, entry, DESCRIPTOR_BLOCKED);
	}
	if (!sandbox_is_closed())
		sys_shutdown(fd, SHUT_RDWR);
}

/*
 * The number of a connection that was refused, or of something else by now that
 * we did not see come? We have shut the socket down.
 */
static bool is_still_blocked(int fd, uint32_t entry)
{
	struct tcp_info info;
	socklen_t length = sizeof(info);

	if (entry == DESCRIPTOR_OURS)
		return false;
	if (sandbox_is_closed())
		return true;
	return sys_getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 &&
	       info.tcpi_state != TCP_ESTABLISHED;
}

void connection_settle_descriptor(int fd, const struct connection *connection)
{
	const uint32_t entry = descriptor_entry_of(DESCRIPTOR_CONNECTION, connection->number);

	/* Who refused it may be thrown out (longjmp) before this, which is what keeps it refused.
	 */
	if (connection->blocked && connection->finished && descriptor_entry(fd) == entry)
		connection_end_stream(connection);
	/* From now on it costs what every other descriptor costs. */
	if (connection->finished)
		replace_entry(fd, entry,
			      connection->blocked ? DESCRIPTOR_BLOCKED : DESCRIPTOR_UNMONITORED);
}

/* The connection that a call is about; true if the call may be made. */
static bool begin_on_connection(struct connection_call *call, uint32_t entry,
				struct connection *connection)
{
	bool proceeds = true;

	if (connection->finished) {
		proceeds = !connection->blocked || !connection_is_behind(connection, call->fd);
		if (proceeds)
			replace_entry(call->fd, entry, DESCRIPTOR_UNMONITORED);
		else
			connection_settle_descriptor(call->fd, connection);
		return proceeds;
	}
	/* A TLS library's call that is under way holds its own descriptor open; and what passes
	   behind a handshake that only waits for its record adds nothing to it. */
	if (thread_state.library_depth == 0 && !connection->waiting &&
	    !connection_is_behind(connection, call->fd)) {
		/* Its end was not seen; what the number means now is asked anew. */
		connection_arrived(call->fd);
		/* A child made by vfork leaves the table as it is (this entry is held, and can't
		   mean another connection by now): its number is none of ours in this call. */
		if (descriptor_entry(call->fd) == entry)
			return true;
		return connection_call_begin(call, call->fd);
	}
	connection->descriptor = call->fd;
	if (recorder_process->pid == 0)
		recorder_enter();
	connection->owner = recorder_process->pid;
	call->entry = entry;
	call->generation = connection->generation;
	call->connection = connection;
	return true;
}

static bool begin_on_candidate(struct connection_call *call, uint32_t entry)
{
	const struct candidate *candidate = candidate_at(descriptor_number(entry));

	if (candidate && atomic_load(&candidate->fate) != CANDIDATE_OPEN) {
		follow(call->fd, entry, candidate);
		return descriptor_entry(call->fd) == entry || connection_call_begin(call, call->fd);
	}
	call->entry = entry;
	call->generation = candidate ? candidate->generation : 0;
	return true;
}

/* What is no connection, or was none just now; keeps no errno. */
static bool begin_on_other(struct connection_call *call)
{
	const int fd = call->fd;
	const uint32_t entry = hold_descriptor(fd);
	bool proceeds = true;

	switch (descriptor_kind(entry)) {
	case DESCRIPTOR_UNMONITORED:
		return true;
	case DESCRIPTOR_BLOCKED:
		proceeds = !is_still_blocked(fd, entry);
		if (proceeds)
			(void)descriptor_replace(fd, entry, DESCRIPTOR_UNMONITORED);
		break;
	case DESCRIPTOR_CANDIDATE:
		proceeds = begin_on_candidate(call, entry);
		break;
	case DESCRIPTOR_CONNECTION:
		proceeds =
			begin_on_connection(call, entry, connection_at(descriptor_number(entry)));
		break;
	}
	release_entry(entry);
	return proceeds;
}

bool connection_call_begin(struct connection_call *call, int fd)
{
	const int saved = errno;
	struct connection *connection = NULL;
	uint32_t entry;
	bool proceeds;

	*call = (struct connection_call){.fd = fd};
	if (!recorder.on)
		return true;
	entry = descriptor_entry(fd);
	if (descriptor_kind(entry) == DESCRIPTOR_CONNECTION)
		connection = connection_at(descriptor_number(entry));
	/* By far the most; for the others the entry is held first. */
	if (connection && connection_hold(connection)) {
		proceeds = descriptor_entry(fd) == entry
				   ? begin_on_connection(call, entry, connection)
				   : begin_on_other(call);
		connection_release(connection);
	} else {
		proceeds = begin_on_other(call);
	}
	errno = saved;
	return proceeds;
}

/* ---- closing and copying ---- */

void connection_handed_on(int fd)
{
	struct connection *connection;

	if (!recorder.on || descriptor_unmonitored(fd) || !recorder_owns_tables())
		return;
	connection = connection_of_descriptor(fd);
	if (!connection)
		return;
	if (guard_enter(&connection->guard)) {
		connection->handed_on = true;
		guard_leave(&connection->guard);
	}
	connection_release(connection);
}

void connection_closing(int fd)
{
	struct connection *connection;

	if (descriptor_unmonitored(fd) || !recorder_owns_tables())
		return;
	connection = sandbox_is_closed() ? NULL : connection_of_descriptor(fd);
	if (connection) {
		connection_look_for_unseen(connection, fd);
		connection_release(connection);
	}
	release_entry(descriptor_exchange(fd, DESCRIPTOR_UNMONITORED));
}

void connection_closing_range(unsigned first, unsigned last)
{
	const unsigned most = descriptor_most();

	for (unsigned fd = first; fd <= last && fd <= most; fd++)
		connection_closing((int)fd);
}

void connection_copied(int fd, int copy)
{
	uint32_t entry;

	if (!recorder.on || !recorder_owns_tables())
		return;
	entry = hold_descriptor(fd);
	if (entry != DESCRIPTOR_UNMONITORED && !descriptor_make_room(copy)) {
		/* What passes under the other name can't be seen. */
		if (descriptor_kind(entry) == DESCRIPTOR_CONNECTION)
			connection_in_doubt(connection_at(descriptor_number(entry)));
		release_entry(entry);
		return;
	}
	release_entry(descriptor_exchange(copy, entry));
}
