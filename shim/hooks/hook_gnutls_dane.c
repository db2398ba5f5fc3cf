/*
 * Hooks of libgnutls-dane: the certificate, held against TLSA records. These
 * functions call each other; whichever of them is seen, what is noted is the same.
 */
#include "shim/gnutls/gnutls_dane.h"

#define CALLER __builtin_return_address(0)

/* Where there is no library to call any more. */
#define GONE DANE_E_INITIALIZATION_ERROR

int dane_verify_crt_raw(dane_state_t state, const gnutls_datum_t *chain, unsigned chain_size,
			gnutls_certificate_type_t type, dane_query_t records,
			unsigned int source_flags, unsigned int flags, unsigned int *status)
{
	const struct gnutls_library *library = gnutls_library(CALLER);
	const struct dane_library *dane = dane_library(CALLER);
	const struct dane_question question = {chain, chain_size, records, flags};
	int result;

	if (!dane)
		return GONE;
	result = dane->dane_verify_crt_raw(state, chain, chain_size, type, records, source_flags,
					   flags, status);
	gnutls_dane_answered(library, dane, NULL, &question, result, status);
	return result;
}

int dane_verify_crt(dane_state_t state, const gnutls_datum_t *chain, unsigned chain_size,
		    gnutls_certificate_type_t type, const char *hostname, const char *protocol,
		    unsigned int port, unsigned int source_flags, unsigned int flags,
		    unsigned int *status)
{
	const struct gnutls_library *library = gnutls_library(CALLER);
	const struct dane_library *dane = dane_library(CALLER);
	const struct dane_question question = {chain, chain_size, NULL, flags};
	int result;

	if (!dane || !dane->dane_verify_crt)
		return GONE;
	result = dane->dane_verify_crt(state, chain, chain_size, type, hostname, protocol, port,
				       source_flags, flags, status);
	gnutls_dane_answered(library, dane, NULL, &question, result, status);
	return result;
}

int dane_verify_session_crt(dane_state_t state, gnutls_session_t session, const char *hostname,
			    const char *protocol, unsigned int port, unsigned int source_flags,
			    unsigned int flags, unsigned int *status)
{
	const struct gnutls_library *library = gnutls_library(CALLER);
	const struct dane_library *dane = dane_library(CALLER);
	const struct dane_question question = {NULL, 0, NULL, flags};
	int result;

	if (!dane || !dane->dane_verify_session_crt)
		return GONE;
	result = dane->dane_verify_session_crt(state, session, hostname, protocol, port,
					       source_flags, flags, status);
	gnutls_dane_answered(library, dane, session, &question, result, status);
	return result;
}
