#include "shim/core/join.h"

#include <string.h>

#include "shim/base/text.h"
#include "shim/base/thread.h"
#include "shim/core/connection_state.h"
#include "shim/core/guard.h"
#include "shim/core/recorder.h"

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
	struct connection *connection;

	for (unsigned i = 0; (connection = connection_at(i)); i++) {
		if (!awaits_hello(connection) || !connection_in_scope(connection))
			continue;
		if (server_name[0] && strcmp(connection->looked_up, server_name) == 0)
			return connection;
		if (found && !endpoint_is_same(&found->peer, &connection->peer))
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
	connection = fd >= 0 ? connection_of_entry(descriptor_entry(fd)) : NULL;
	/* A descriptor's word counts only where the wire has not seen another handshake on it. */
	if (connection && (has_hello(connection, view) || connection->tls.offered_count == 0))
		return connection;
	if (!view->random_known && fd < 0)
		return only_awaiting(view->server_name);
	for (unsigned i = 0; (connection = connection_at(i)); i++) {
		if (has_hello(connection, view))
			return connection;
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

	if (!guard_enter())
		return NULL;
	connection = find_connection(view, fd);
	if (connection)
		connection->references++;
	guard_leave();
	if (!connection) {
		connected = fd >= 0 && endpoint_of_peer(&peer, fd);
		if (connected)
			endpoint_of_self(&local, fd);
		if (!guard_enter())
			return NULL;
		connection = connection_claim(connected ? &peer : NULL, &local);
		if (connection && connected)
			connection->descriptor = fd;
		guard_leave();
	}
	if (!connection)
		return NULL;
	if (!guard_enter())
		return connection;
	if (!connection->finished) {
		connection->library = *view;
		if (view->began)
			connection->library.took = recorder_clock() - view->began;
		if (origin) {
			origin_copy(&connection->origin, origin);
			connection->has_origin = true;
		}
	}
	guard_leave();
	return connection;
}

uint16_t connection_library_version(const struct connection *connection)
{
	return connection->library.version;
}

void connection_found_mail_inside(struct connection *connection)
{
	if (!guard_enter())
		return;
	connection->inner_smtp = true;
	guard_leave();
}

void connection_set_certificate(struct connection *connection, enum record_certificate judgement,
				enum record_reason failure)
{
	const char *words = record_value_text(RECORD_SET_REASON, failure);

	if (!guard_enter())
		return;
	if (!connection->finished) {
		connection->library.peer_certificate = judgement;
		connection->library.reason[0] = '\0';
		if (words)
			text_append(connection->library.reason, CONNECTION_TEXT_MAX, words);
	}
	guard_leave();
}

void connection_record_handshake(struct connection *connection)
{
	bool first;

	if (!guard_enter())
		return;
	/* A child made by fork has a copy of what its parent waits for. */
	first = !connection->finished &&
		(!connection->waiting || connection->waiting == recorder_process->pid);
	connection->finished = true;
	guard_leave();
	if (first)
		connection_record_event(connection, EVENT_HANDSHAKE);
}

void connection_refuse(struct connection *connection)
{
	bool first;

	if (!guard_enter())
		return;
	first = !connection->finished;
	connection->finished = true;
	connection->blocked = true;
	guard_leave();
	if (first)
		connection_record_event(connection, EVENT_HANDSHAKE);
	connection_end_stream(connection);
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
	const struct connection *connection;

	for (unsigned i = 0; (connection = connection_at(i)); i++) {
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
	if (!guard_enter())
		return false;
	connection = connection_of_entry(fd >= 0 ? descriptor_entry(fd) : 0);
	if (fd < 0)
		expects = any_expects_tls(server_name);
	else
		expects = connection && connection_in_scope(connection);
	guard_leave();
	return expects || (fd >= 0 && !connection && is_mail_peer(fd));
}
