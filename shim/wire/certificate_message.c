#include "shim/wire/certificate_message.h"

#include <string.h>

static uint32_t number(const uint8_t bytes[3])
{
	return (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2];
}

/* An empty list, or a first certificate that is longer than it: nothing will come. */
static void end_header(struct certificate_message *message)
{
	const uint32_t list = number(message->header);
	const uint32_t first = number(message->header + 3);

	if (first == 0 || list < 3 || first > list - 3)
		message->complete = true;
	else
		message->left = first;
}

static size_t least(size_t one, size_t other)
{
	return one < other ? one : other;
}

void certificate_message_feed(struct certificate_message *message, const uint8_t *bytes,
			      size_t length)
{
	size_t kept;

	for (; length > 0 && message->header_length < sizeof(message->header); length--) {
		message->header[message->header_length++] = *bytes++;
		if (message->header_length == sizeof(message->header))
			end_header(message);
	}
	if (length == 0 || message->complete)
		return;
	kept = least(length, least(message->left, sizeof(message->beginning) - message->length));
	memcpy(message->beginning + message->length, bytes, kept);
	message->length = (uint16_t)(message->length + kept);
	message->left -= (uint32_t)kept;
	message->complete = message->left == 0 || message->length == sizeof(message->beginning);
}

bool certificate_message_read(const struct certificate_message *message,
			      struct certificate_facts *facts)
{
	return message->complete &&
	       certificate_read_beginning(facts, message->beginning, message->length);
}
