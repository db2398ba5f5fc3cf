/*
 * The ClientHello of `tlswitness probe`: offers one version and, with it, every cipher suite
 * and every group that a mail server may be limited to. What a TLS library would leave out by
 * policy, or no longer knows, is offered all the same, so that a refusal is the server's.
 *
 * Pure: no socket, no clock, no source of randomness, no allocation.
 *
 * Standards: RFC 8446, 4.1.2 (TLS 1.3), RFC 5246, 7.4.1.2 (1.2), RFC 6101, 5.6.1.2 (SSL 3.0),
 * RFC 6066, 3 (server_name), RFC 7685 (padding), RFC 5746, 3.3 (renegotiation).
 */
#ifndef TLSWITNESS_PROBE_HELLO_H
#define TLSWITNESS_PROBE_HELLO_H

#include <stddef.h>
#include <stdint.h>

#define PROBE_HELLO_MAX    1280
#define PROBE_HELLO_RANDOM 96 /* the random, the session ID and the key share */

/*
 * Writes the record with the ClientHello for `version` (0x0300 to 0x0304) and returns its
 * length. `server_name` is a host name of at most 255 bytes, or NULL; SSL 3.0 has no extensions
 * and leaves it out. The handshake can't be completed: nobody knows the key of the key share.
 */
size_t probe_hello_write(uint8_t hello[PROBE_HELLO_MAX], uint16_t version, const char *server_name,
			 const uint8_t random[PROBE_HELLO_RANDOM]);

#endif
