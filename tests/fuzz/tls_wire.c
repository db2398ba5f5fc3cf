/*
 * libFuzzer target for tls_wire. The input is a sequence of chunks: two bytes,
 * of which the highest bit says who speaks (set: the server) and the rest how
 * many bytes follow; then those bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shim/wire/tls_wire.h"
#include "tests/unit/tls_wire_facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static void demand(bool condition)
{
	if (!condition)
		abort();
}

static void demand_offer_in_order(const struct tls_wire *wire)
{
	demand(wire->offered_count <= TLS_OFFERED_MAX);
	for (size_t i = 0; i < wire->offered_count; i++) {
		demand(wire->offered[i] >= TLS_VERSION_SSL_3_0);
		demand(wire->offered[i] <= TLS_VERSION_1_3);
		demand(i == 0 || wire->offered[i - 1] < wire->offered[i]);
	}
}

/* What holds whatever the bytes are. */
static void demand_sense(const struct tls_wire *wire)
{
	bool negotiated = wire->progress == TLS_NEGOTIATED || wire->progress == TLS_ESTABLISHED;

	demand_offer_in_order(wire);
	demand(memchr(wire->server_name, 0, sizeof(wire->server_name)) != NULL);
	demand(wire->alert_seen == (wire->progress == TLS_FAILED));
	demand(wire->alert_seen || !wire->alert_encrypted);
	demand(!wire->alert_encrypted || wire->alert_description == 0);
	demand(!negotiated || wire->version != TLS_VERSION_UNKNOWN);
	demand(wire->server_supports == 0 || wire->server_supports > wire->version);
	demand(wire->group == 0 || wire->version == TLS_VERSION_1_3);
}

static void feed(struct tls_wire *wire, enum tls_side from, const uint8_t *bytes, size_t length)
{
	struct tls_wire before = *wire;
	enum tls_progress after = tls_wire_feed(wire, from, bytes, length);

	demand(after == wire->progress);
	demand(after >= before.progress);
	if (before.progress >= TLS_ESTABLISHED)
		demand(same_facts(wire, &before));
	demand_sense(wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct tls_wire whole;
	struct tls_wire piecemeal;

	tls_wire_init(&whole);
	tls_wire_init(&piecemeal);
	while (size >= 2) {
		enum tls_side from = input[0] & 0x80 ? TLS_FROM_SERVER : TLS_FROM_CLIENT;
		size_t length = (size_t)(input[0] & 0x7F) << 8 | input[1];
		uint8_t *exact = NULL;

		input += 2;
		size -= 2;
		if (length > size)
			length = size;
		/* A block of its own size: reading one byte beyond it is found. */
		exact = malloc(length + (length == 0));
		demand(exact != NULL);
		memcpy(exact, input, length);
		feed(&whole, from, exact, length);
		for (size_t i = 0; i < length; i++)
			feed(&piecemeal, from, exact + i, 1);
		demand(same_facts(&whole, &piecemeal));
		free(exact);
		input += length;
		size -= length;
	}
	return 0;
}
