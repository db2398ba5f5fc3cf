/*
 * Which name the application looked up for an address: the last answers of
 * getaddrinfo. A ring of fixed size.
 */
#ifndef TLSWITNESS_DNS_CACHE_H
#define TLSWITNESS_DNS_CACHE_H

#include <stdint.h>

#define DNS_NAME_MAX 254 /* RFC 1035, 2.3.4, as text */

/* `address` as IPv6, IPv4 v4-mapped. `name` is copied; one that is too long is ignored. */
void dns_cache_remember(const uint8_t address[16], const char *name);

/* The name looked up last for this address; "" if none is known. Thread-safe, as the other. */
void dns_cache_name(char name[DNS_NAME_MAX + 1], const uint8_t address[16]);

#endif
