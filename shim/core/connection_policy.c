/*
 * What is held of a connection: the process's policy, or an exception's. The
 * facts are laid out here; enforcement.c decides.
 */
#include "shim/core/connection_state.h"

#include "shim/core/enforcement.h"
#include "shim/core/join.h"
#include "shim/core/recorder.h"

struct enforcement_policy connection_policy_within(const struct connection *connection,
						   const char *server_name)
{
	struct enforcement_target target;

	if (recorder.config.exception_count == 0)
		return recorder.policy;
	target = (struct enforcement_target){
		.name = {connection->looked_up, connection->library.server_name[0]
							? connection->library.server_name
							: connection->tls.server_name},
		.address = connection->destination.family != 0 ? connection->destination.address
							       : NULL,
		.port = connection->destination.port,
		.began = connection->opened,
	};

	if (server_name && server_name[0])
		target.name[1] = server_name;
	return enforcement_policy_of(&recorder.config, &target);
}

struct enforcement_policy connection_policy(struct connection *connection)
{
	struct enforcement_policy policy = recorder.policy;

	if (recorder.config.exception_count == 0)
		return policy;
	/* What is finished does not change any more. */
	if (connection->finished)
		return connection_policy_within(connection, NULL);
	if (guard_enter(&connection->guard)) {
		policy = connection_policy_within(connection, NULL);
		guard_leave(&connection->guard);
	}
	return policy;
}

struct enforcement_policy connection_policy_to(const struct endpoint *peer, const char *server_name)
{
	char looked_up[DNS_NAME_MAX + 1] = "";
	struct enforcement_target target = {
		.name = {looked_up, server_name ? server_name : ""},
		.address = peer->address,
		.port = peer->port,
	};

	if (recorder.config.exception_count == 0)
		return recorder.policy;
	dns_cache_name(looked_up, peer->address);
	target.began = recorder_seconds();
	return enforcement_policy_of(&recorder.config, &target);
}
