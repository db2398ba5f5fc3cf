/*
 * A table of fixed size, hashed by the session's address. A lookup probes a
 * window of neighbours, so an entry can be freed without marks.
 */
#include "shim/gnutls/gnutls_sessions.h"

#include <stddef.h>
#include <string.h>

#define SESSIONS_MAX 2048
#define WINDOW       16

static struct gnutls_client clients[SESSIONS_MAX + WINDOW];

static struct gnutls_client *window_of(const void *session)
{
	/* Fibonacci hashing; the low bits of an allocation are always the same. */
	uint64_t hash = ((uintptr_t)session >> 4) * UINT64_C(0x9E3779B97F4A7C15);

	return &clients[hash >> (64 - 11)];
}

_Static_assert(SESSIONS_MAX == 1 << 11, "window_of takes the upper eleven bits");

struct gnutls_client *gnutls_client_find(gnutls_session_t session)
{
	struct gnutls_client *window = window_of(session);

	for (int i = 0; session && i < WINDOW; i++) {
		if (atomic_load_explicit(&window[i].session, memory_order_acquire) == session)
			return &window[i];
	}
	return NULL;
}

struct gnutls_client *gnutls_client_begin(gnutls_session_t session)
{
	struct gnutls_client *window = window_of(session);
	struct gnutls_client *client = gnutls_client_find(session);

	for (int i = 0; i < WINDOW && !client; i++) {
		const void *expected = NULL;

		if (atomic_compare_exchange_strong(&window[i].session, &expected, session))
			client = &window[i];
	}
	if (client) {
		const size_t kept = offsetof(struct gnutls_client, priorities);

		memset((char *)client + kept, 0, sizeof(*client) - kept);
	}
	return client;
}

void gnutls_client_end(gnutls_session_t session)
{
	struct gnutls_client *client = gnutls_client_find(session);

	if (client)
		atomic_store_explicit(&client->session, NULL, memory_order_release);
}
