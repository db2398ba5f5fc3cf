/*
 * libFuzzer target for proxy_hop. The input is a sequence of chunks: two bytes,
 * of which the highest bit says who speaks (set: the server) and the rest how
 * many bytes follow; then those bytes. Whole and byte by byte they have to give
 * the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shim/wire/proxy_hop.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static void demand(bool condition)
{
	if (!condition)
		abort();
}

static bool same_facts(const struct proxy_hop *one, const struct proxy_hop *other)
{
	if (one->state != other->state)
		return false;
	if (one->state != PROXY_HOP_ASKED && one->state != PROXY_HOP_DONE)
		return true;
	return one->protocol == other->protocol && one->port == other->port &&
	       one->address_size == other->address_size && strcmp(one->host, other->host) == 0 &&
	       memcmp(one->address, other->address, one->address_size) == 0;
}

static void demand_sense(const struct proxy_hop *hop)
{
	demand(memchr(hop->host, 0, sizeof(hop->host)) != NULL);
	demand(hop->address_size == 0 || hop->address_size == 4 || hop->address_size == 16);
	if (hop->state == PROXY_HOP_ASKED)
		demand(hop->port != 0 || hop->protocol != PROXY_PROTOCOL_HTTP);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct proxy_hop whole;
	struct proxy_hop piecemeal;

	proxy_hop_init(&whole);
	proxy_hop_init(&piecemeal);
	while (size >= 2) {
		enum proxy_side from = input[0] & 0x80 ? PROXY_FROM_SERVER : PROXY_FROM_CLIENT;
		size_t length = (size_t)(input[0] & 0x7F) << 8 | input[1];
		uint8_t *exact = NULL;

		input += 2;
		size -= 2;
		if (length > size)
			length = size;
		exact = malloc(length + (length == 0));
		demand(exact != NULL);
		memcpy(exact, input, length);
		demand(proxy_hop_feed(&whole, from, exact, length) <= length);
		demand_sense(&whole);
		for (size_t i = 0; i < length; i++)
			demand(proxy_hop_feed(&piecemeal, from, exact + i, 1) <= 1);
		demand(same_facts(&whole, &piecemeal));
		free(exact);
		input += length;
		size -= length;
	}
	return 0;
}
