/*
 * The way over proxies: where a connection really goes to, and from which byte
 * on its bytes are the dialogue's.
 */
#include "shim/core/connection_state.h"

#include <arpa/inet.h>
#include <string.h>

#include "shim/core/recorder.h"

/* Until the client has asked for a destination, its bytes may still be no hop's but the dialogue's.
 */
static bool is_known(const struct proxy_hop *hop)
{
	return hop->state == PROXY_HOP_ASKED || hop->state == PROXY_HOP_DONE;
}

/* What the hop says as an address, if it is one. */
static bool read_address(struct endpoint *endpoint, const struct proxy_hop *hop)
{
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(hop->port)};
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(hop->port)};

	if (hop->address_size == sizeof(v6.sin6_addr))
		memcpy(&v6.sin6_addr, hop->address, sizeof(v6.sin6_addr));
	else if (hop->address_size == sizeof(v4.sin_addr))
		memcpy(&v4.sin_addr, hop->address, sizeof(v4.sin_addr));
	else if (inet_pton(AF_INET, hop->host, &v4.sin_addr) != 1 &&
		 inet_pton(AF_INET6, hop->host, &v6.sin6_addr) != 1)
		return false;
	if (v4.sin_addr.s_addr != 0)
		return endpoint_set(endpoint, (const struct sockaddr *)&v4, sizeof(v4));
	return endpoint_set(endpoint, (const struct sockaddr *)&v6, sizeof(v6));
}

/* "localhost" and its like are the proxy's own machine, which is not ours (RFC 6761, 6.3). */
static void set_destination(struct connection *connection)
{
	const struct proxy_hop *hop = &connection->hop;
	const char *name = hop->host[0] ? hop->host : NULL;

	/* The first proxy is the one that is at the other end. */
	if (connection->proxy == PROXY_PROTOCOL_NONE)
		connection->proxy = hop->protocol;
	connection->destination = (struct endpoint){.port = hop->port};
	if (read_address(&connection->destination, hop)) {
		dns_cache_name(connection->looked_up, connection->destination.address);
		name = NULL;
	} else {
		connection->looked_up[0] = '\0';
	}
	if (name && strlen(name) < sizeof(connection->looked_up))
		memcpy(connection->looked_up, name, strlen(name) + 1);
	connection->mail_port = config_is_mail_port(&recorder.config, hop->port);
}

bool connection_leaves_machine(const struct connection *connection)
{
	/* A proxy carries it on, even one on this machine, and to where a name leads is not known.
	 */
	if (connection->destination.family == 0)
		return connection->proxy != PROXY_PROTOCOL_NONE;
	return !endpoint_is_loopback(&connection->destination);
}

/* The client has said where to, or for whom: what follows begins anew. */
static void begin_anew(struct connection *connection)
{
	struct endpoint forwarded = {0};

	if (connection->hop.protocol != PROXY_PROTOCOL_PREAMBLE)
		set_destination(connection);
	else if (read_address(&forwarded, &connection->hop))
		connection->forwarded = forwarded;
	smtp_dialogue_init(&connection->smtp, connection->mail_port);
}

bool connection_may_be_hop(const struct connection *connection)
{
	return connection->hop.state == PROXY_HOP_BEGUN ||
	       connection->hop.state == PROXY_HOP_ASKED || connection->hop.recognised > 0;
}

size_t connection_follow_hop(struct connection *connection, enum smtp_side from,
			     const uint8_t *bytes, size_t length)
{
	struct proxy_hop *hop = &connection->hop;
	const bool was_known = is_known(hop);
	size_t taken = 0;

	if (hop->state == PROXY_HOP_NONE || connection_speaks_tls(connection))
		return 0;
	taken = proxy_hop_feed(hop,
			       from == SMTP_FROM_CLIENT ? PROXY_FROM_CLIENT : PROXY_FROM_SERVER,
			       bytes, length);
	if (!was_known && is_known(hop))
		begin_anew(connection);
	else if (!was_known && connection->proxy == PROXY_PROTOCOL_NONE)
		taken = 0;
	/* There may be another one behind it. */
	if (hop->state == PROXY_HOP_DONE)
		proxy_hop_init(hop);
	return taken;
}
