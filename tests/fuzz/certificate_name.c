/*
 * libFuzzer target for certificate_name. Two bytes say how much room there is
 * for the text; the rest is taken for a certificate, for a name and for a time.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shim/wire/certificate_message.h"
#include "shim/wire/certificate_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static void demand(bool condition)
{
	if (!condition)
		abort();
}

/* UTF-8 that is whole and has no control characters of ASCII. */
static void demand_text(const uint8_t *text)
{
	while (*text != '\0') {
		unsigned more = *text < 0x80 ? 0 : *text < 0xE0 ? 1 : *text < 0xF0 ? 2 : 3;

		demand(*text >= 0x20 && *text != 0x7F);
		demand(*text < 0x80 || (*text >= 0xC2 && *text <= 0xF4));
		for (text++; more > 0; more--, text++)
			demand((*text & 0xC0) == 0x80);
	}
}

static void name(const uint8_t *der, size_t length, size_t room)
{
	char *text = malloc(room + (room == 0));
	size_t written = 0;

	demand(text != NULL);
	written = certificate_name_write(text, room, der, length);
	if (room > 0) {
		demand(written < room && strlen(text) == written);
		demand_text((const uint8_t *)text);
	} else {
		demand(written == 0);
	}
	free(text);
}

static void time_of(const uint8_t *digits, size_t length, bool generalized)
{
	char text[CERTIFICATE_TIME_SIZE];
	bool ok = certificate_time_write(text, digits, length, generalized);

	demand(strlen(text) == (ok ? CERTIFICATE_TIME_SIZE - 1 : 0));
}

static bool is_same(const struct certificate_message *one, const struct certificate_message *other)
{
	return one->header_length == other->header_length &&
	       memcmp(one->header, other->header, sizeof(one->header)) == 0 &&
	       one->complete == other->complete && one->left == other->left &&
	       one->length == other->length &&
	       memcmp(one->beginning, other->beginning, sizeof(one->beginning)) == 0;
}

/* The same bytes as the body of a Certificate message, in two pieces. */
static void message(const uint8_t *bytes, size_t size, size_t split)
{
	struct certificate_message all = {0};
	struct certificate_message pieces = {0};
	struct certificate_facts facts;

	if (split > size)
		split = size;
	certificate_message_feed(&all, bytes, size);
	certificate_message_feed(&pieces, bytes, split);
	certificate_message_feed(&pieces, bytes + split, size - split);
	demand(is_same(&all, &pieces));
	if (certificate_message_read(&all, &facts)) {
		name(facts.issuer, facts.issuer_length, split);
		name(facts.subject, facts.subject_length, split);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct certificate_facts facts;
	size_t room = 0;

	if (size < 2)
		return 0;
	room = (size_t)(input[0] & 0x0F) << 8 | input[1];
	input += 2;
	size -= 2;

	/* A block of its own size: reading one byte beyond it is found. */
	uint8_t *exact = malloc(size + (size == 0));

	demand(exact != NULL);
	memcpy(exact, input, size);
	name(exact, size, room);
	time_of(exact, size, size % 2 == 1);
	time_of(exact, size, size % 2 == 0);
	message(exact, size, room);
	if (certificate_read(&facts, exact, size)) {
		name(facts.issuer, facts.issuer_length, room);
		name(facts.subject, facts.subject_length, room);
		time_of(facts.not_after, facts.not_after_length, facts.not_after_generalized);
	} else {
		demand(!facts.issuer && !facts.subject && !facts.not_after);
	}
	free(exact);
	return 0;
}
