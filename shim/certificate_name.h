/*
 * Names and times of X.509 certificates, as text.
 *
 * Pure: DER in, text out; no TLS library, no allocation, never reads beyond
 * what it is given.
 *
 * Standards: X.690 (DER), RFC 5280 (certificates), RFC 4514 (names as text).
 */
#ifndef TLSWITNESS_CERTIFICATE_NAME_H
#define TLSWITNESS_CERTIFICATE_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "2026-11-23T13:05:07Z" with its NUL. */
#define CERTIFICATE_TIME_MAX 21

/*
 * Writes the Name (RFC 5280, 4.1.2.4) at `der` as an RFC 4514 string, most
 * specific part first, NUL-terminated, into `room` bytes, and returns its
 * length. What does not fit is cut at the end of a part. 0, with an empty text,
 * for what is no Name.
 */
size_t certificate_name_write(char *text, size_t room, const uint8_t *der, size_t length);

/*
 * Writes the time that the content octets of a UTCTime ("YYMMDDHHMMSSZ"), or
 * with `generalized` of a GeneralizedTime, stand for (RFC 5280, 4.1.2.5). False,
 * with an empty text, for what is none.
 */
bool certificate_time_write(char text[CERTIFICATE_TIME_MAX], const uint8_t *digits, size_t length,
			    bool generalized);

#endif
