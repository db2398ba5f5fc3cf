/*
 * Where connections live.
 */
#include "shim/core/connection_state.h"

#include <stddef.h>
#include <string.h>

#include "shim/core/origin_pool.h"
#include "shim/core/recorder.h"
#include "shim/core/slab.h"
#include "shim/core/wire_certificate.h"

#define AWAITS_HELLO 1U

static struct slab connections = {.size = sizeof(struct connection), .first = 16};
static _Atomic uint32_t generations;

/* No random has a mark that means something else. */
static uint32_t mark_of(const uint8_t random[TLS_RANDOM_SIZE])
{
	uint32_t mark;

	memcpy(&mark, random, sizeof(mark));
	return mark | 1U << 31;
}

struct connection *connection_claim(const struct endpoint *peer, const struct endpoint *local)
{
	uint32_t number;
	struct connection *connection = slab_claim(&connections, &number);

	if (!connection)
		return NULL;
	/* Whoever holds an old number may look at what comes before. */
	memset(&connection->mail_port, 0,
	       sizeof(*connection) - offsetof(struct connection, mail_port));
	connection->number = number;
	atomic_store(&connection->guard.owner, 0);
	atomic_store(&connection->guard.given_up, false);
	connection->generation = atomic_fetch_add(&generations, 1) + 1;
	connection->descriptor = -1;
	recorder_enter();
	connection->owner = recorder_process->pid;
	connection->finished = NOT_FINISHED;
	connection->blocked = false;
	connection->waiting = 0;
	connection->began = 0;
	connection->known_mail = recorder.config.scope_all;
	connection->opened = recorder.config.exception_count > 0 ? recorder_seconds() : 0;
	connection->forks = recorder_forks();
	connection->handed_on = false;
	connection->lost_track = false;
	connection->sent = 0;
	proxy_hop_init(&connection->hop);
	smtp_dialogue_init(&connection->smtp, false);
	tls_wire_init(&connection->tls);
	if (peer) {
		connection->peer = *peer;
		connection->destination = *peer;
		connection->local = *local;
		connection->mail_port = config_is_mail_port(&recorder.config, peer->port);
		connection->known_mail = connection->known_mail || connection->mail_port;
		smtp_dialogue_init(&connection->smtp, connection->mail_port);
		dns_cache_name(connection->looked_up, peer->address);
	}
	atomic_store(&connection->references, 1);
	connection_mark(connection);
	return connection;
}

struct connection *connection_at(uint32_t number)
{
	return slab_at(&connections, number);
}

bool connection_hold(struct connection *connection)
{
	uint32_t references = atomic_load(&connection->references);

	while (references > 0) {
		if (atomic_compare_exchange_weak(&connection->references, &references,
						 references + 1))
			return true;
	}
	return false;
}

void connection_free(struct connection *connection)
{
	/* Who stopped within the guard may still write: the room is not used again. */
	if (atomic_load(&connection->guard.owner) != 0)
		return;
	origin_pool_free(connection->origin);
	connection->origin = NULL;
	wire_certificate_forget(connection);
	slab_free(&connections, connection->number);
}

void connection_mark(struct connection *connection)
{
	uint32_t mark = SLAB_NO_MARK;

	if (connection->tls.offered_count > 0)
		mark = mark_of(connection->tls.client_random);
	else if (connection_awaits_hello(connection))
		mark = AWAITS_HELLO;
	slab_mark(&connections, connection->number, mark);
}

struct connection *connection_find(const uint8_t *random, uint32_t *number)
{
	const uint32_t mark = random ? mark_of(random) : AWAITS_HELLO;

	while (slab_find(&connections, mark, number)) {
		struct connection *connection = connection_at((*number)++);

		if (connection && connection_hold(connection))
			return connection;
	}
	return NULL;
}

struct connection *connection_next(uint32_t *number)
{
	while (slab_next(&connections, number)) {
		struct connection *connection = connection_at((*number)++);

		if (connection && connection_hold(connection))
			return connection;
	}
	return NULL;
}
