/*
 * Where connections live.
 */
#include "shim/core/connection_state.h"

#include <string.h>

#include "shim/core/recorder.h"
#include "shim/core/wire_certificate.h"

#define CONNECTIONS_MAX 2048

static struct connection connections[CONNECTIONS_MAX];
static unsigned used_most; /* no connection from here on was ever used */

static unsigned first_free; /* no connection before this one is free */

uint16_t connection_number(const struct connection *connection)
{
	return (uint16_t)(connection - connections + DESCRIPTOR_CONNECTION);
}

struct connection *connection_of_entry(uint16_t entry)
{
	return entry >= DESCRIPTOR_CONNECTION ? &connections[entry - DESCRIPTOR_CONNECTION] : NULL;
}

/* A connection with one reference, or NULL if all are in use. */
struct connection *connection_claim(const struct endpoint *peer, const struct endpoint *local)
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
	proxy_hop_init(&connection->hop);
	smtp_dialogue_init(&connection->smtp, false);
	tls_wire_init(&connection->tls);
	if (!peer)
		return connection;
	connection->peer = *peer;
	connection->destination = *peer;
	connection->local = *local;
	connection->mail_port = config_is_mail_port(&recorder.config, peer->port);
	smtp_dialogue_init(&connection->smtp, connection->mail_port);
	name = dns_cache_name(peer->address);
	if (name)
		memcpy(connection->looked_up, name, strlen(name) + 1);
	return connection;
}

void connection_drop_reference(struct connection *connection)
{
	const unsigned index = (unsigned)(connection - connections);

	if (--connection->references > 0)
		return;
	wire_certificate_forget(connection);
	if (index < first_free)
		first_free = index;
}

struct connection *connection_at(unsigned index)
{
	return index < used_most ? &connections[index] : NULL;
}
