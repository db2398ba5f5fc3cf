/*
 * What the wire witness takes to read one connection's handshake.
 *
 *   wire VECTOR COUNT
 *
 * VECTOR is one of tests/unit/vectors. Prints nanoseconds per connection; how
 * many instructions that are, run-15-wire has counted by valgrind.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "shim/wire/tls_wire.h"

struct turn {
	enum tls_side from;
	size_t length;
	uint8_t bytes[16384];
};

static struct turn turns[64];
static size_t turn_count;

/* Two hexadecimal digits; false where the line has no more of them. */
static bool parse_byte(const char *at, uint8_t *byte)
{
	char digits[3] = {at[0]};
	char *end;

	if (digits[0])
		digits[1] = at[1];
	*byte = (uint8_t)strtoul(digits, &end, 16);
	return end == digits + 2;
}

static void read_vector(FILE *file)
{
	char line[1024];
	char last = '\0';

	while (fgets(line, sizeof(line), file)) {
		struct turn *turn = NULL;
		uint8_t byte;

		if (line[0] != '>' && line[0] != '<')
			continue;
		if (line[0] != last && turn_count < 64)
			turn_count++;
		last = line[0];
		turn = &turns[turn_count - 1];
		turn->from = last == '>' ? TLS_FROM_CLIENT : TLS_FROM_SERVER;
		for (const char *at = line + 2;
		     turn->length < sizeof(turn->bytes) && parse_byte(at, &byte); at += 2)
			turn->bytes[turn->length++] = byte;
	}
}

/* Each turn as it would be read: a record's header, then its body. */
static void feed_records(struct tls_wire *wire, const struct turn *turn)
{
	size_t at = 0;

	while (at + 5 <= turn->length) {
		size_t body = (size_t)turn->bytes[at + 3] << 8 | turn->bytes[at + 4];

		if (body > turn->length - at - 5)
			body = turn->length - at - 5;
		tls_wire_feed(wire, turn->from, turn->bytes + at, 5);
		tls_wire_feed(wire, turn->from, turn->bytes + at + 5, body);
		at += 5 + body;
	}
}

int main(int argc, char **argv)
{
	FILE *file = argc == 3 ? fopen(argv[1], "r") : NULL;
	unsigned long count = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	struct timespec began;
	struct timespec ended;
	struct tls_wire wire;

	if (!file || count == 0) {
		(void)fputs("usage: wire VECTOR COUNT\n", stderr);
		return 2;
	}
	read_vector(file);
	(void)fclose(file);
	clock_gettime(CLOCK_MONOTONIC, &began);
	for (unsigned long i = 0; i < count; i++) {
		tls_wire_init(&wire);
		for (size_t turn = 0; turn < turn_count; turn++)
			feed_records(&wire, &turns[turn]);
	}
	clock_gettime(CLOCK_MONOTONIC, &ended);
	printf("%.0f\n", ((double)(ended.tv_sec - began.tv_sec) * 1e9 +
			  (double)(ended.tv_nsec - began.tv_nsec)) /
				 (double)count);
	return wire.version == 0;
}
