#include "shim/core/join.h"

#include <string.h>

#include "shim/base/text.h"
#include "shim/base/thread.h"
#include "shim/core/candidate.h"
#include "shim/core/connection_state.h"
#include "shim/core/enforcement.h"
#include "shim/core/origin_pool.h"
#include "shim/core/recorder.h"
#include "shim/core/sandbox.h"

/* ---- which connection ---- */

/* What of a connection the join looks at, all of it of the same moment. */
struct seen {
	bool has_hello; /* its ClientHello has passed, and is the view's if that has a random */
	bool awaits_hello;
	bool in_scope;
	bool is_named; /* the application looked up this name for it */
	struct enforcement_policy policy;
};

static bool look(struct seen *seen, struct connection *connection, const uint8_t *random,
		 const char *server_name)
{
	if (!guard_enter(&connection->guard))
		return false;
	*seen = (struct seen){
		.has_hello = connection->tls.offered_count > 0,
		.awaits_hello = connection_awaits_hello(connection),
		.in_scope = connection_in_scope(connection),
		.is_named = server_name && server_name[0] &&
			    strcmp(connection->looked_up, server_name) == 0,
		.policy = connection_policy_within(connection, server_name),
	};
	if (random && seen->has_hello)
		seen->has_hello =
			memcmp(connection->tls.client_random, random, TLS_RANDOM_SIZE) == 0;
	guard_leave(&connection->guard);
	return true;
}

/*
 * A library without a descriptor failed before there was a ClientHello to tell
 * connections apart: the one in scope that awaits its ClientHello; of several
 * the one to the server of this name, or any if they all have the same peer.
 */
static struct connection *only_awaiting(const char *server_name)
{
	struct connection *found = NULL;
	struct connection *connection;
	struct seen seen;
	uint32_t number = 0;

	while ((connection = connection_find(NULL, &number))) {
		if (!look(&seen, connection, NULL, server_name) || !seen.awaits_hello ||
		    !seen.in_scope) {
			connection_drop(connection);
			continue;
		}
		if (found && !seen.is_named && !endpoint_is_same(&found->peer, &connection->peer)) {
			connection_drop(connection);
			connection_drop(found);
			return NULL;
		}
		if (found)
			connection_drop(found);
		found = connection;
		if (seen.is_named)
			break;
	}
	return found;
}

/* The one whose ClientHello had this random. */
static struct connection *with_random(const uint8_t *random)
{
	struct connection *connection;
	struct seen seen;
	uint32_t number = 0;

	while ((connection = connection_find(random, &number))) {
		if (look(&seen, connection, random, NULL) && seen.has_hello)
			return connection;
		connection_drop(connection);
	}
	return NULL;
}

/* The connection whose ClientHello passed within this thread's call, with a reference. */
static struct connection *of_this_call(const struct library_view *view)
{
	struct connection *connection = thread_state.hello_connection == 0
						? NULL
						: connection_at(thread_state.hello_connection - 1);
	struct seen seen;

	if (!connection || !connection_hold(connection))
		return NULL;
	/* Without a ClientHello there is nothing to compare: an alert can come first. */
	if (!view->random_known ||
	    (look(&seen, connection, view->client_random, NULL) && seen.has_hello))
		return connection;
	connection_drop(connection);
	return NULL;
}

/* A descriptor's word counts only where the wire has not seen another handshake on it. */
static struct connection *of_descriptor(const struct library_view *view, int fd)
{
	struct connection *connection = fd >= 0 ? connection_of_descriptor(fd) : NULL;
	struct seen any;
	struct seen same;

	if (!connection)
		return NULL;
	if (look(&any, connection, NULL, NULL) &&
	    look(&same, connection, view->random_known ? view->client_random : NULL, NULL) &&
	    (!any.has_hello || (view->random_known && same.has_hello)))
		return connection;
	connection_drop(connection);
	return NULL;
}

/*
 * A library without a descriptor made a ClientHello that passed no hook, by stdio
 * or by system calls: the connection that awaits one, if the kernel has sent what
 * was not seen.
 */
static struct connection *only_unseen(const char *server_name)
{
	struct connection *connection = only_awaiting(server_name);

	if (!connection)
		return NULL;
	connection_look_for_unseen(connection, connection->descriptor);
	if (connection->lost_track)
		return connection;
	connection_drop(connection);
	return NULL;
}

/* The connection whose bytes were this handshake's, with a reference, or NULL. */
static struct connection *find_connection(const struct library_view *view, int fd)
{
	struct connection *connection = of_this_call(view);

	if (!connection)
		connection = of_descriptor(view, fd);
	if (!connection && view->random_known)
		connection = with_random(view->client_random);
	if (connection || fd >= 0)
		return connection;
	return view->random_known ? only_unseen(view->server_name)
				  : only_awaiting(view->server_name);
}

static struct connection *make_connection(int fd)
{
	struct endpoint peer = {0};
	struct endpoint local = {0};
	struct connection *connection;
	bool connected = fd >= 0 && !sandbox_is_closed() && endpoint_of_peer(&peer, fd);

	if (connected)
		endpoint_of_self(&local, fd);
	connection = connection_claim(connected ? &peer : NULL, &local);
	if (connection && connected)
		connection->descriptor = fd;
	return connection;
}

/* The wire witness was first: it is refused, has its record, and nothing is kept of it. */
static bool is_blocked_descriptor(int fd)
{
	return fd >= 0 && descriptor_kind(descriptor_entry(fd)) == DESCRIPTOR_BLOCKED;
}

struct connection *connection_join(const struct library_view *view, int fd,
				   const struct origin *origin)
{
	struct connection *connection = find_connection(view, fd);
	const uint64_t took = recorder_clock() - view->began;
	struct origin *room;

	if (!connection && !is_blocked_descriptor(fd))
		connection = make_connection(fd);
	if (!connection)
		return NULL;
	/* It may have to be mapped, which is no work for within the guard. */
	room = origin ? origin_pool_claim() : NULL;
	if (!guard_enter(&connection->guard)) {
		origin_pool_free(room);
		connection_in_doubt(connection);
		return connection;
	}
	if (!connection->finished) {
		connection->library = *view;
		if (view->began)
			connection->library.took = took;
		if (!connection->origin) {
			connection->origin = room;
			room = NULL;
		}
		if (origin && connection->origin)
			origin_copy(connection->origin, origin);
	}
	guard_leave(&connection->guard);
	origin_pool_free(room);
	return connection;
}

/* ---- what becomes of it ---- */

uint16_t connection_library_version(const struct connection *connection)
{
	return connection->library.version;
}

void connection_found_mail_inside(struct connection *connection)
{
	if (!guard_enter(&connection->guard)) {
		connection->known_mail = true;
		connection_in_doubt(connection);
		return;
	}
	connection->inner_smtp = true;
	connection->known_mail = true;
	guard_leave(&connection->guard);
}

void connection_set_certificate(struct connection *connection, enum record_certificate judgement,
				enum record_reason failure)
{
	const char *words = record_value_text(RECORD_SET_REASON, failure);

	if (!guard_enter(&connection->guard)) {
		connection_in_doubt(connection);
		return;
	}
	if (!connection->finished) {
		connection->library.peer_certificate = judgement;
		connection->library.reason[0] = '\0';
		if (words)
			text_append(connection->library.reason, CONNECTION_TEXT_MAX, words);
	}
	guard_leave(&connection->guard);
}

void connection_record_handshake(struct connection *connection)
{
	const pid_t waiting = connection->waiting;
	bool writes;

	recorder_enter();
	/* A child made by fork has a copy of what its parent waits for. */
	writes = !waiting || waiting == recorder_process->pid;
	if (connection_finish(connection, writes ? FINISHED_OWING : FINISHED) && writes)
		connection_record_event(connection, EVENT_HANDSHAKE);
}

void connection_refuse(struct connection *connection)
{
	connection->blocked = true;
	connection_record_handshake(connection);
	connection_end_stream(connection);
}

bool connection_refuses_unjoined(const struct library_view *view, int fd)
{
	struct enforcement_policy policy;
	const bool is_mail =
		connection_expects_tls(fd, view->server_name, &policy) || recorder.config.scope_all;

	if (is_blocked_descriptor(fd))
		return true;
	if (!is_mail)
		return false;
	recorder_count_lost();
	return view->established &&
	       enforcement_of_version(&policy, view->version) != ENFORCEMENT_PROCEED;
}

/* ---- what is about to come ---- */

static bool is_mail_peer(int fd, const char *server_name, struct enforcement_policy *policy)
{
	struct endpoint peer;

	if (sandbox_is_closed() || !endpoint_of_peer(&peer, fd))
		return false;
	*policy = connection_policy_to(&peer, server_name);
	return config_is_mail_port(&recorder.config, peer.port);
}

/* For a library that has no descriptor. */
static bool any_expects_tls(const char *server_name, struct enforcement_policy *policy)
{
	bool in_scope = false;
	bool differs = false;
	bool out_of_scope = candidate_is_any();
	struct connection *connection;
	struct seen seen;
	uint32_t number = 0;

	while ((connection = connection_find(NULL, &number))) {
		const bool known = look(&seen, connection, NULL, server_name);

		connection_drop(connection);
		if (!known || !seen.awaits_hello)
			continue;
		if (!seen.in_scope) {
			out_of_scope = true;
			continue;
		}
		differs = differs || (in_scope && seen.policy.exception != policy->exception);
		*policy = seen.policy;
		if (seen.is_named)
			return true;
		in_scope = true;
	}
	/* In doubt the handshake stays as it is: below the floor the wire will end it. */
	if (differs)
		*policy = recorder.policy;
	return in_scope && !out_of_scope && !differs;
}

static bool expects_tls(int fd, const char *server_name, struct enforcement_policy *policy)
{
	struct connection *connection;
	struct seen seen;
	bool expects;

	if (fd < 0)
		return any_expects_tls(server_name, policy);
	switch (descriptor_kind(descriptor_entry(fd))) {
	case DESCRIPTOR_CANDIDATE: /* not to a mail port, and not one byte has passed */
		return false;
	case DESCRIPTOR_CONNECTION:
		break;
	default:
		return is_mail_peer(fd, server_name, policy);
	}
	connection = connection_of_descriptor(fd);
	expects = connection && connection->known_mail;
	if (connection && look(&seen, connection, NULL, server_name))
		*policy = seen.policy;
	if (connection)
		connection_release(connection);
	return expects;
}

bool connection_expects_tls(int fd, const char *server_name, struct enforcement_policy *policy)
{
	*policy = recorder.policy;
	/* Scope `all` has every connection, but exceptions ask for which. */
	if (recorder.config.scope_all && recorder.config.exception_count == 0)
		return true;
	return expects_tls(fd, server_name, policy) || recorder.config.scope_all;
}
