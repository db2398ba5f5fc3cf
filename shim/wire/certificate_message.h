/*
 * The server's own certificate out of the Certificate message of TLS 1.0 to
 * 1.2 (RFC 5246, 7.4.2), where it passes in the clear. In TLS 1.3 it is
 * encrypted.
 *
 * Pure: takes the message's body as it passes, split anywhere, and keeps the
 * beginning of the first certificate, in which the names and the end of its
 * validity stand. Allocates nothing and judges nothing.
 */
#ifndef TLSWITNESS_CERTIFICATE_MESSAGE_H
#define TLSWITNESS_CERTIFICATE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/wire/certificate_name.h"

/* Up to the subject a certificate rarely has more than 500 bytes. */
#define CERTIFICATE_BEGINNING_MAX 1500

/* To be zeroed before the message's first byte. */
struct certificate_message {
	uint8_t header[6]; /* the list's length, and the first certificate's */
	uint8_t header_length;
	bool complete;   /* all that will be kept is there */
	uint32_t left;   /* of the first certificate's bytes, those still to come */
	uint16_t length; /* of those kept */
	uint8_t beginning[CERTIFICATE_BEGINNING_MAX];
};

/* Takes the next bytes of the body. After `complete` they change nothing. */
void certificate_message_feed(struct certificate_message *message, const uint8_t *bytes,
			      size_t length);

/*
 * Finds what the certificate says; pointers into `message`. False if it is not
 * all there yet, or if there was none, or no certificate, or one whose names
 * reach beyond what was kept.
 */
bool certificate_message_read(const struct certificate_message *message,
			      struct certificate_facts *facts);

#endif
