#include "shim/gnutls/gnutls_sessions.h"

#include <stddef.h>
#include <string.h>

#include "shim/core/address_table.h"

ADDRESS_TABLE(clients, sizeof(struct gnutls_client), 32);

struct gnutls_client *gnutls_client_find(gnutls_session_t session)
{
	return address_table_find(&clients, session);
}

struct gnutls_client *gnutls_client_begin(gnutls_session_t session)
{
	struct gnutls_client *client = gnutls_client_find(session);

	if (!client)
		return address_table_add(&clients, session);
	memset(client, 0, sizeof(*client));
	return client;
}

void gnutls_client_end(gnutls_session_t session)
{
	address_table_remove(&clients, session);
}
