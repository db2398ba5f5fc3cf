/*
 * The registered names of TLS numbers, and back where a setting needs it.
 * Pure tables; every string returned is static.
 *
 * Source: the IANA registries "TLS Cipher Suites", "TLS Supported Groups" and
 * "TLS Alerts".
 */
#ifndef TLSWITNESS_TLS_NAMES_H
#define TLSWITNESS_TLS_NAMES_H

#include <stdint.h>

/* "1.2" for 0x0303; "3.0" for SSLv3; NULL for what is no version. */
const char *tls_version_name(uint16_t version);

/* 0x0303 for "1.2" ("1.0" to "1.3"); 0 for anything else. */
uint16_t tls_version_from_name(const char *name);

/* "TLS_AES_128_GCM_SHA256" for 0x1301; NULL where IANA has none. */
const char *tls_cipher_name(uint16_t cipher);

/* "x25519" for 29; NULL where IANA has none. */
const char *tls_group_name(uint16_t group);

/* "protocol_version" for 70, as RFC 8446, 6 spells it; NULL where there is none. */
const char *tls_alert_name(uint8_t description);

#endif
