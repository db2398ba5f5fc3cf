/*
 * Whether two readings of a connection came to the same facts, for the tests
 * that feed the same bytes in different ways.
 */
#ifndef TLSWITNESS_TESTS_TLS_WIRE_FACTS_H
#define TLSWITNESS_TESTS_TLS_WIRE_FACTS_H

#include <string.h>

#include "shim/wire/tls_wire.h"

static inline bool same_offer(const struct tls_wire *a, const struct tls_wire *b)
{
	return memcmp(a->client_random, b->client_random, sizeof(a->client_random)) == 0 &&
	       a->client_legacy_version == b->client_legacy_version &&
	       a->names_versions == b->names_versions && a->offered_count == b->offered_count &&
	       memcmp(a->offered, b->offered, sizeof(a->offered)) == 0 &&
	       memcmp(a->server_name, b->server_name, sizeof(a->server_name)) == 0;
}

static inline bool same_answer(const struct tls_wire *a, const struct tls_wire *b)
{
	return a->version == b->version && a->cipher == b->cipher && a->group == b->group &&
	       a->resumed == b->resumed && a->server_supports == b->server_supports;
}

static inline bool same_end(const struct tls_wire *a, const struct tls_wire *b)
{
	return a->progress == b->progress && a->alert_seen == b->alert_seen &&
	       a->alert_from == b->alert_from && a->alert_encrypted == b->alert_encrypted &&
	       a->alert_description == b->alert_description;
}

static inline bool same_facts(const struct tls_wire *a, const struct tls_wire *b)
{
	return same_offer(a, b) && same_answer(a, b) && same_end(a, b);
}

#endif
