/*
 * Hashes a process into 96 bits. Knows no process and no clock.
 */
#include "shim/record/event_id.h"

/* The finalizer of MurmurHash3: a bijection in which every bit changes half of the others. */
static uint64_t mix(uint64_t word)
{
	word = (word ^ word >> 33) * UINT64_C(0xff51afd7ed558ccd);
	word = (word ^ word >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return word ^ word >> 33;
}

static void write_hex(char *text, uint64_t number, unsigned digits)
{
	static const char hex[] = "0123456789abcdef";

	for (unsigned i = digits; i > 0; i--) {
		text[i - 1] = hex[number & 0x0f];
		number >>= 4;
	}
}

void event_id_write(char text[EVENT_ID_SIZE], const struct event_id *id)
{
	uint64_t high = mix(mix(id->random[0] ^ id->pid) ^ id->since);
	uint64_t low = mix(mix(id->random[1] ^ id->since) ^ id->pid);

	write_hex(text, high, 16);
	write_hex(text + 16, low >> 32, 8);
	write_hex(text + 24, id->count, 8);
	text[32] = '\0';
}
