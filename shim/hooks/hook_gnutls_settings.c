/*
 * Hooks of libgnutls's settings: which versions an application allows, and how
 * it has the server's certificate checked.
 */
#include "shim/core/recorder.h"
#include "shim/core/setting.h"
#include "shim/gnutls/gnutls_library.h"
#include "shim/gnutls/gnutls_settings.h"
#include "shim/gnutls/gnutls_verification.h"

#define CALLER __builtin_return_address(0)

/* Where there is no library to call any more. */
#define GONE GNUTLS_E_INTERNAL_ERROR

/* ---- priorities ---- */

/* The application's call has made `cache` of this string, for `owner`: itself, or a session. */
static void made(const char *call, const struct gnutls_library *library, gnutls_priority_t cache,
		 const char *text, unsigned flags, const void *owner)
{
	if (!recorder.on)
		return;
	setting_forget(owner);
	gnutls_setting_priorities(call, gnutls_priorities_made(library, cache, text, flags), owner);
}

/* The session allows what `cache` allows; `owner`: the same, if it is the application's own. */
static void given(gnutls_session_t session, gnutls_priority_t cache, const void *owner)
{
	struct gnutls_client *client = recorder.on ? gnutls_client_find(session) : NULL;

	if (!client)
		return;
	client->priorities = gnutls_priorities_of(cache);
	client->cache = owner;
	client->versions = client->priorities ? client->priorities->versions : 0;
	/* GnuTLS takes these from the new ones now. */
	client->bits_set = false;
	client->verify_flags = 0;
}

int gnutls_priority_init(gnutls_priority_t *priority, const char *text, const char **error)
{
	const struct gnutls_library *library = gnutls_library(CALLER);
	int result;

	if (!library)
		return GONE;
	result = library->gnutls_priority_init(priority, text, error);
	if (result == 0)
		made("gnutls_priority_init", library, *priority, text, 0, *priority);
	return result;
}

int gnutls_priority_init2(gnutls_priority_t *priority, const char *text, const char **error,
			  unsigned int flags)
{
	const struct gnutls_library *library = gnutls_library(CALLER);
	int result;

	if (!library)
		return GONE;
	result = library->gnutls_priority_init2(priority, text, error, flags);
	if (result == 0)
		made("gnutls_priority_init2", library, *priority, text, flags, *priority);
	return result;
}

void gnutls_priority_deinit(gnutls_priority_t priority)
{
	const struct gnutls_library *library = gnutls_library(CALLER);

	if (!library)
		return;
	gnutls_priorities_gone(priority);
	library->gnutls_priority_deinit(priority);
}

int gnutls_priority_set(gnutls_session_t session, gnutls_priority_t priority)
{
	const struct gnutls_library *library = gnutls_library(CALLER);
	int result;

	if (!library)
		return GONE;
	result = library->gnutls_priority_set(session, priority);
	if (result == 0) {
		setting_forget(session);
		given(session, priority, priority);
	}
	return result;
}

/*
 * The functions that set a session's priorities by a string are, in GnuTLS
 * itself, these three calls one after the other. In between there is a cache,
 * which tells what the string allows without reading it twice.
 */
static int set_by_string(const char *call, const struct gnutls_library *library,
			 gnutls_session_t session, const char *text, const char **error,
			 unsigned flags)
{
	gnutls_priority_t cache;
	int result = flags ? library->gnutls_priority_init2(&cache, text, error, flags)
			   : library->gnutls_priority_init(&cache, text, error);

	if (result < 0)
		return result;
	result = library->gnutls_priority_set(session, cache);
	if (result < 0)
		return result;
	made(call, library, cache, text, flags, session);
	given(session, cache, NULL);
	gnutls_priorities_gone(cache);
	library->gnutls_priority_deinit(cache);
	return 0;
}

int gnutls_priority_set_direct(gnutls_session_t session, const char *text, const char **error)
{
	const struct gnutls_library *library = gnutls_library(CALLER);

	if (!library)
		return GONE;
	if (!recorder.on)
		return library->gnutls_priority_set_direct(session, text, error);
	return set_by_string("gnutls_priority_set_direct", library, session, text, error, 0);
}

int gnutls_set_default_priority(gnutls_session_t session)
{
	const struct gnutls_library *library = gnutls_library(CALLER);

	if (!library)
		return GONE;
	if (!recorder.on)
		return library->gnutls_set_default_priority(session);
	return set_by_string("gnutls_set_default_priority", library, session, NULL, NULL, 0);
}

int gnutls_set_default_priority_append(gnutls_session_t session, const char *text,
				       const char **error, unsigned int flags)
{
	const struct gnutls_library *library = gnutls_library(CALLER);

	if (!library || !library->gnutls_set_default_priority_append)
		return GONE;
	if (!recorder.on)
		return library->gnutls_set_default_priority_append(session, text, error, flags);
	return set_by_string("gnutls_set_default_priority_append", library, session, text, error,
			     GNUTLS_PRIORITY_INIT_DEF_APPEND);
}

void gnutls_dh_set_prime_bits(gnutls_session_t session, unsigned int bits)
{
	const struct gnutls_library *library = gnutls_library(CALLER);
	struct gnutls_client *client = recorder.on ? gnutls_client_find(session) : NULL;

	if (!library || !library->gnutls_dh_set_prime_bits)
		return;
	library->gnutls_dh_set_prime_bits(session, bits);
	if (!client)
		return;
	client->bits_set = true;
	client->bits = bits;
}

/* ---- the certificate, checked by the library in the handshake ---- */

void gnutls_session_set_verify_cert(gnutls_session_t session, const char *hostname,
				    unsigned int flags)
{
	const struct gnutls_library *library = gnutls_library(CALLER);

	if (!library || !library->gnutls_session_set_verify_cert)
		return;
	library->gnutls_session_set_verify_cert(session, hostname, flags);
	gnutls_verification_set(session, hostname, hostname != NULL, flags);
}

void gnutls_session_set_verify_cert2(gnutls_session_t session, gnutls_typed_vdata_st *data,
				     unsigned int elements, unsigned int flags)
{
	const struct gnutls_library *library = gnutls_library(CALLER);

	if (!library || !library->gnutls_session_set_verify_cert2)
		return;
	library->gnutls_session_set_verify_cert2(session, data, elements, flags);
	gnutls_verification_set(session, NULL, gnutls_verification_names(data, elements), 0);
}

/* ---- the certificate, checked when the application asks ---- */

int gnutls_certificate_verify_peers(gnutls_session_t session, gnutls_typed_vdata_st *data,
				    unsigned int elements, unsigned int *status)
{
	const struct gnutls_library *library = gnutls_library(CALLER);
	int result;

	if (!library || !library->gnutls_certificate_verify_peers)
		return GONE;
	result = library->gnutls_certificate_verify_peers(session, data, elements, status);
	gnutls_verification_done(library, session, result, status,
				 gnutls_verification_names(data, elements));
	return result;
}

int gnutls_certificate_verify_peers2(gnutls_session_t session, unsigned int *status)
{
	const struct gnutls_library *library = gnutls_library(CALLER);
	int result;

	if (!library || !library->gnutls_certificate_verify_peers2)
		return GONE;
	result = library->gnutls_certificate_verify_peers2(session, status);
	gnutls_verification_done(library, session, result, status, false);
	return result;
}

int gnutls_certificate_verify_peers3(gnutls_session_t session, const char *hostname,
				     unsigned int *status)
{
	const struct gnutls_library *library = gnutls_library(CALLER);
	int result;

	if (!library || !library->gnutls_certificate_verify_peers3)
		return GONE;
	result = library->gnutls_certificate_verify_peers3(session, hostname, status);
	gnutls_verification_done(library, session, result, status, hostname != NULL);
	return result;
}

/* ---- the certificate, checked apart from its session ---- */

int gnutls_x509_trust_list_verify_crt(gnutls_x509_trust_list_t list, gnutls_x509_crt_t *chain,
				      unsigned int size, unsigned int flags, unsigned int *status,
				      gnutls_verify_output_function *output)
{
	const struct gnutls_library *library = gnutls_library(CALLER);
	int result;

	if (!library || !library->gnutls_x509_trust_list_verify_crt)
		return GONE;
	result = library->gnutls_x509_trust_list_verify_crt(list, chain, size, flags, status,
							    output);
	gnutls_verification_of_chain(library, chain, size, result, status, false);
	return result;
}

int gnutls_x509_trust_list_verify_crt2(gnutls_x509_trust_list_t list, gnutls_x509_crt_t *chain,
				       unsigned int size, gnutls_typed_vdata_st *data,
				       unsigned int elements, unsigned int flags,
				       unsigned int *status, gnutls_verify_output_function *output)
{
	const struct gnutls_library *library = gnutls_library(CALLER);
	int result;

	if (!library || !library->gnutls_x509_trust_list_verify_crt2)
		return GONE;
	result = library->gnutls_x509_trust_list_verify_crt2(list, chain, size, data, elements,
							     flags, status, output);
	gnutls_verification_of_chain(library, chain, size, result, status,
				     gnutls_verification_names(data, elements));
	return result;
}

int gnutls_x509_crt_list_verify(const gnutls_x509_crt_t *chain, unsigned int size,
				const gnutls_x509_crt_t *authorities, unsigned int authority_count,
				const gnutls_x509_crl_t *lists, unsigned int list_count,
				unsigned int flags, unsigned int *status)
{
	const struct gnutls_library *library = gnutls_library(CALLER);
	int result;

	if (!library || !library->gnutls_x509_crt_list_verify)
		return GONE;
	result = library->gnutls_x509_crt_list_verify(chain, size, authorities, authority_count,
						      lists, list_count, flags, status);
	gnutls_verification_of_chain(library, chain, size, result, status, false);
	return result;
}

/* ---- the certificate, compared by the application ---- */

unsigned int gnutls_x509_crt_check_hostname(gnutls_x509_crt_t certificate, const char *hostname)
{
	const struct gnutls_library *library = gnutls_library(CALLER);
	unsigned matches;

	if (!library || !library->gnutls_x509_crt_check_hostname)
		return 0;
	matches = library->gnutls_x509_crt_check_hostname(certificate, hostname);
	gnutls_verification_name(library, certificate, matches != 0);
	return matches;
}

unsigned int gnutls_x509_crt_check_hostname2(gnutls_x509_crt_t certificate, const char *hostname,
					     unsigned int flags)
{
	const struct gnutls_library *library = gnutls_library(CALLER);
	unsigned matches;

	if (!library || !library->gnutls_x509_crt_check_hostname2)
		return 0;
	matches = library->gnutls_x509_crt_check_hostname2(certificate, hostname, flags);
	gnutls_verification_name(library, certificate, matches != 0);
	return matches;
}

unsigned int gnutls_x509_crt_check_ip(gnutls_x509_crt_t certificate, const unsigned char *ip,
				      unsigned int size, unsigned int flags)
{
	const struct gnutls_library *library = gnutls_library(CALLER);
	unsigned matches;

	if (!library || !library->gnutls_x509_crt_check_ip)
		return 0;
	matches = library->gnutls_x509_crt_check_ip(certificate, ip, size, flags);
	gnutls_verification_name(library, certificate, matches != 0);
	return matches;
}

int gnutls_x509_crt_get_subject_alt_name(gnutls_x509_crt_t certificate, unsigned int index,
					 void *name, size_t *size, unsigned int *critical)
{
	const struct gnutls_library *library = gnutls_library(CALLER);
	int result;

	if (!library || !library->gnutls_x509_crt_get_subject_alt_name)
		return GONE;
	result = library->gnutls_x509_crt_get_subject_alt_name(certificate, index, name, size,
							       critical);
	gnutls_verification_names_read(library, certificate);
	return result;
}

int gnutls_x509_crt_get_subject_alt_name2(gnutls_x509_crt_t certificate, unsigned int index,
					  void *name, size_t *size, unsigned int *type,
					  unsigned int *critical)
{
	const struct gnutls_library *library = gnutls_library(CALLER);
	int result;

	if (!library || !library->gnutls_x509_crt_get_subject_alt_name2)
		return GONE;
	result = library->gnutls_x509_crt_get_subject_alt_name2(certificate, index, name, size,
								type, critical);
	gnutls_verification_names_read(library, certificate);
	return result;
}

int gnutls_x509_crt_get_fingerprint(gnutls_x509_crt_t certificate, unsigned int algorithm,
				    void *bytes, size_t *size)
{
	const struct gnutls_library *library = gnutls_library(CALLER);
	int result;

	if (!library || !library->gnutls_x509_crt_get_fingerprint)
		return GONE;
	result = library->gnutls_x509_crt_get_fingerprint(certificate, algorithm, bytes, size);
	gnutls_verification_fingerprint(library, certificate);
	return result;
}
