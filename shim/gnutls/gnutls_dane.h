/*
 * libgnutls-dane: the server's certificate, held against the TLSA records of
 * its name (RFC 6698, 7672) by an application that asks for it.
 */
#ifndef TLSWITNESS_GNUTLS_DANE_H
#define TLSWITNESS_GNUTLS_DANE_H

#include "shim/base/library_hooks.h"
#include "shim/gnutls/gnutls_library.h"

/* A function that this version does not have is NULL. */
struct dane_library {
#define HOOK(name) __typeof__(name) *name;
#include "shim/hooks/hooks_libgnutls_dane.def"
#undef HOOK
	__typeof__(dane_query_data) *dane_query_data;
};

extern const struct library_family dane_family;

/* As gnutls_library(). */
static inline const struct dane_library *dane_library(const void *return_address)
{
	return library_hooks_table(&dane_family, return_address);
}

/* The certificates of the server that an application has had held against them. */
struct dane_question {
	const gnutls_datum_t *chain;
	unsigned chain_size;
	dane_query_t records; /* NULL: the library has asked for them by itself */
	unsigned flags;
};

/* What `session` (or, if NULL, the one that this thread used last) was told. Keeps errno. */
void gnutls_dane_answered(const struct gnutls_library *library, const struct dane_library *dane,
			  gnutls_session_t session, const struct dane_question *question,
			  int result, const unsigned *status);

#endif
