/*
 * The priority strings that an application has used, and the versions that each
 * of them allows. GnuTLS itself does not tell the string of a priority cache or
 * of a session.
 *
 * What is remembered is never forgotten; there is room for a few dozen strings,
 * and a program has one or two. Lock-free, any thread.
 */
#ifndef TLSWITNESS_GNUTLS_PRIORITIES_H
#define TLSWITNESS_GNUTLS_PRIORITIES_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/gnutls/gnutls_library.h"

#define GNUTLS_PRIORITIES_TEXT_MAX 480

struct gnutls_priorities {
	const char *text;  /* as the application gave it; NULL: the library's own default */
	unsigned flags;    /* of gnutls_priority_init2 */
	unsigned versions; /* bit n: 0x0300 + n is allowed */
};

/*
 * The application has made `cache` of this string (NULL: the default). What is
 * remembered of it, or NULL if there is no room.
 */
const struct gnutls_priorities *gnutls_priorities_made(const struct gnutls_library *library,
						       gnutls_priority_t cache, const char *text,
						       unsigned flags);

/* What `cache` was made of, or NULL if that is not known. */
const struct gnutls_priorities *gnutls_priorities_of(gnutls_priority_t cache);

/* The application gives `cache` back. Sessions may still use it. */
void gnutls_priorities_gone(gnutls_priority_t cache);

/* 0x0303 for TLS 1.2; 0 where none is allowed. */
uint16_t gnutls_versions_lowest(unsigned versions);
uint16_t gnutls_versions_highest(unsigned versions);

/* The version as it stands on the wire, of a gnutls_protocol_t; 0 for DTLS and what is none. */
uint16_t gnutls_version_on_wire(unsigned protocol);

#endif
