/*
 * What a record says of the server's certificate, from the certificate's DER:
 * its names as text, and the end of its validity.
 *
 * Pure: bytes in, text out; no allocation, no TLS library, and no judgement:
 * nothing here verifies anything. Never reads beyond what it is given,
 * whatever the bytes claim.
 *
 * Standards: X.690 (DER), RFC 5280, 4.1 (certificates), RFC 4514 (names as text).
 */
#ifndef TLSWITNESS_CERTIFICATE_NAME_H
#define TLSWITNESS_CERTIFICATE_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where things stand in the certificate: pointers into what was read. */
struct certificate_facts {
	const uint8_t *issuer; /* a whole Name, for certificate_name_write */
	size_t issuer_length;
	const uint8_t *subject;
	size_t subject_length;
	const uint8_t *not_after; /* the digits, for certificate_time_write */
	size_t not_after_length;
	bool not_after_generalized;
};

/*
 * Finds the names and notAfter of an X.509 certificate. False, and `facts`
 * then holds nothing, if it is no certificate as far as the subject, or not
 * all there.
 */
bool certificate_read(struct certificate_facts *facts, const uint8_t *der, size_t length);

/* The same, of a certificate of which only the first `length` bytes are there. */
bool certificate_read_beginning(struct certificate_facts *facts, const uint8_t *der, size_t length);

/*
 * Writes an X.501 Name as RFC 4514 wants it, the most significant part last,
 * with a terminating NUL, into `room` bytes. Returns the length without the
 * NUL; 0 and "" if the Name is empty or malformed.
 *
 * Attribute types outside RFC 4514's own table are dotted numbers with the
 * value in hexadecimal, and so are strings that are not what their type says.
 * The text is valid UTF-8 without control characters from ASCII (they become
 * \XX); what does not fit is cut before a character or an escape.
 */
size_t certificate_name_write(char *text, size_t room, const uint8_t *der, size_t length);

#define CERTIFICATE_TIME_SIZE 21

/*
 * Writes the contents of a UTCTime ("261123130507Z") or GeneralizedTime
 * ("20261123130507Z") as "2026-11-23T13:05:07Z" with a NUL. False, and text is
 * "", for anything that RFC 5280, 4.1.2.5, does not allow: no seconds,
 * fractions, another zone, no such day.
 */
bool certificate_time_write(char text[CERTIFICATE_TIME_SIZE], const uint8_t *digits, size_t length,
			    bool generalized);

/* The same as seconds since 1970; false for what is no such time. */
bool certificate_time_seconds(int64_t *seconds, const uint8_t *digits, size_t length,
			      bool generalized);

#endif
