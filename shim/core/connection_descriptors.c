/*
 * Which descriptors are names of which connection: what opens, copies and
 * closes them.
 */
#include "shim/core/connection_state.h"

#include <errno.h>
#include <stdatomic.h>

#include "shim/base/thread.h"
#include "shim/core/guard.h"
#include "shim/core/recorder.h"

void connection_opened(int fd, const struct sockaddr *address, socklen_t length, const void *caller)
{
	struct endpoint peer;
	struct endpoint local = {0};
	struct connection *connection;
	uint64_t cookie;

	if (!descriptor_in_range(fd) || !recorder.on)
		return;
	connection_closing(fd); /* whatever the number meant before */
	if (!endpoint_set(&peer, address, length) || !endpoint_is_stream_socket(fd))
		return;
	endpoint_of_self(&local, fd);
	cookie = endpoint_cookie(fd);
	if (!guard_enter())
		return;
	connection = connection_claim(&peer, &local);
	if (connection) {
		connection->descriptor = fd;
		connection->cookie = cookie;
		connection->caller = caller;
		descriptor_set(fd, connection_number(connection));
	}
	guard_leave();
	if (!connection)
		atomic_fetch_add(&recorder_process->lost, 1);
	else if (connection->mail_port)
		connection_capture_script(connection);
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
	if (!guard_enter())
		return;
	if (descriptor_entry(fd) == DESCRIPTOR_UNKNOWN) {
		if (connected)
			connection = connection_claim(&peer, &local);
		if (connection)
			connection->descriptor = fd;
		descriptor_set(fd,
			       connection ? connection_number(connection) : DESCRIPTOR_UNMONITORED);
	}
	guard_leave();
}

/* The connection behind `fd` as the table has it, with a reference. */
static struct connection *acquire_entry(int fd)
{
	struct connection *connection;
	bool finished = false;

	if (!guard_enter())
		return NULL;
	connection = connection_of_entry(descriptor_entry(fd));
	if (connection) {
		finished = connection->finished && !connection->blocked;
		if (finished) {
			/* From now on it costs what every other descriptor costs. */
			descriptor_set(fd, DESCRIPTOR_UNMONITORED);
		} else {
			connection->references++;
			connection->descriptor = fd;
			connection->owner = recorder_process->pid;
		}
	}
	guard_leave();
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

	if (!descriptor_in_range(fd) || !recorder.on)
		return NULL;
	if (descriptor_entry(fd) == DESCRIPTOR_UNKNOWN)
		adopt(fd);
	connection = acquire_entry(fd);
	/* A TLS library's call that is under way holds its own descriptor open. */
	if (connection && thread_state.library_depth == 0 &&
	    !connection_is_behind(connection, fd)) {
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

	if (descriptor_entry(fd) < DESCRIPTOR_CONNECTION || !recorder_owns_tables() ||
	    !guard_enter())
		return NULL;
	connection = connection_of_entry(descriptor_entry(fd));
	descriptor_set(fd, DESCRIPTOR_UNMONITORED);
	guard_leave();
	return connection;
}

void connection_closing(int fd)
{
	struct connection *connection;

	if (!descriptor_in_range(fd))
		return;
	connection = detach(fd);
	if (connection)
		connection_release(connection);
}

void connection_closing_range(unsigned first, unsigned last)
{
	unsigned most = descriptor_most();

	for (unsigned fd = first; fd <= last && fd <= most; fd++)
		connection_closing((int)fd);
}

void connection_copied(int fd, int copy)
{
	struct connection *connection;
	uint16_t entry;

	if (!descriptor_in_range(copy) || !recorder.on || !recorder_owns_tables() || !guard_enter())
		return;
	entry = descriptor_entry(fd);
	connection = connection_of_entry(entry);
	if (connection)
		connection->references++;
	descriptor_set(copy, entry);
	guard_leave();
}

void connection_descriptor_arrived(int fd)
{
	if (!descriptor_in_range(fd) || !recorder.on || !recorder_owns_tables() || !guard_enter())
		return;
	if (descriptor_entry(fd) == DESCRIPTOR_UNMONITORED)
		descriptor_set(fd, DESCRIPTOR_UNKNOWN);
	guard_leave();
}
