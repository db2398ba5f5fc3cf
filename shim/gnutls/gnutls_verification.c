#include "shim/gnutls/gnutls_verification.h"

#include <errno.h>

#include "shim/base/thread.h"
#include "shim/core/inside.h"
#include "shim/core/recorder.h"
#include "shim/gnutls/gnutls_facts.h"
#include "shim/gnutls/gnutls_witness.h"

/* Of a session whose record is not out yet; NULL: of no interest. */
static struct tls_object *object_of(gnutls_session_t session)
{
	struct tls_object *object;

	if (!recorder.on || !gnutls_client_find(session))
		return NULL;
	object = tls_object_find(session);
	return object && (!object->done || object->undecided) ? object : NULL;
}

bool gnutls_verification_names(const gnutls_typed_vdata_st *data, unsigned elements)
{
	for (unsigned i = 0; data && i < elements; i++) {
		if (data[i].type == GNUTLS_DT_DNS_HOSTNAME || data[i].type == GNUTLS_DT_IP_ADDRESS)
			return true;
	}
	return false;
}

void gnutls_verification_set(gnutls_session_t session, const char *name, bool with_name,
			     unsigned flags)
{
	struct gnutls_client *client = recorder.on ? gnutls_client_find(session) : NULL;

	if (!client)
		return;
	client->names_checked = with_name;
	client->verify_name = name;
	client->verify_flags = flags & GNUTLS_API_PROFILE_MASK ? flags : 0;
}

void gnutls_verification_done(const struct gnutls_library *library, gnutls_session_t session,
			      int result, const unsigned *status, bool with_name)
{
	struct tls_object *object = object_of(session);
	const int saved = errno;

	if (recorder.on)
		thread_state.session = session;
	if (!object || result < 0 || !status)
		return;
	gnutls_facts_status(&object->checks, library, session, *status, with_name);
	inside_checked(object);
	gnutls_found_wrong(library, session);
	errno = saved;
}

/*
 * The connection whose server has this certificate: of the session that this
 * thread used last, since another may be in use elsewhere.
 */
static struct tls_object *object_with(const struct gnutls_library *library,
				      gnutls_x509_crt_t certificate)
{
	gnutls_session_t session = (gnutls_session_t)thread_state.session;
	struct tls_object *object = session ? object_of(session) : NULL;
	const gnutls_datum_t *chain;
	unsigned count = 0;

	if (!object)
		return NULL;
	chain = library->gnutls_certificate_get_peers(session, &count);
	return chain && count > 0 && library->gnutls_x509_crt_equals2(certificate, &chain[0])
		       ? object
		       : NULL;
}

/* GnuTLS's calls among its own functions come through the hooks as well. */
static bool was_called_by_itself(const struct gnutls_library *library)
{
	struct loaded_object caller;
	struct loaded_object itself;

	return loaded_objects_at(thread_state.caller, &caller) &&
	       loaded_objects_at((const void *)(uintptr_t)library->gnutls_handshake, &itself) &&
	       caller.dynamic == itself.dynamic;
}

void gnutls_verification_of_chain(const struct gnutls_library *library,
				  const gnutls_x509_crt_t *chain, unsigned size, int result,
				  const unsigned *status, bool with_name)
{
	const int saved = errno;
	struct tls_object *object = chain && size > 0 ? object_with(library, chain[0]) : NULL;
	gnutls_session_t session = (gnutls_session_t)thread_state.session;

	if (object && result >= 0 && status && !was_called_by_itself(library)) {
		gnutls_facts_status(&object->checks, library, session, *status, with_name);
		inside_checked(object);
		gnutls_found_wrong(library, session);
	}
	errno = saved;
}

void gnutls_verification_name(const struct gnutls_library *library, gnutls_x509_crt_t certificate,
			      bool matches)
{
	const int saved = errno;
	struct tls_object *object = object_with(library, certificate);

	if (object) {
		object->checks.name = matches ? CHECK_PASSED : CHECK_FAILED;
		if (!matches && object->checks.chain != CHECK_FAILED)
			object->checks.failure = RECORD_REASON_CERTIFICATE_HOST_MISMATCH;
		inside_checked(object);
		gnutls_found_wrong(library, (gnutls_session_t)thread_state.session);
	}
	errno = saved;
}

void gnutls_verification_names_read(const struct gnutls_library *library,
				    gnutls_x509_crt_t certificate)
{
	const int saved = errno;
	struct tls_object *object = object_with(library, certificate);

	if (object && object->checks.name == CHECK_NONE && !was_called_by_itself(library)) {
		object->checks.name = CHECK_READ;
		inside_checked(object);
	}
	errno = saved;
}

void gnutls_verification_fingerprint(const struct gnutls_library *library,
				     gnutls_x509_crt_t certificate)
{
	const int saved = errno;
	struct tls_object *object = object_with(library, certificate);

	if (object) {
		object->checks.pinned = true;
		inside_checked(object);
	}
	errno = saved;
}

gnutls_session_t gnutls_verification_session(void)
{
	gnutls_session_t session = (gnutls_session_t)thread_state.session;

	return session && object_of(session) ? session : NULL;
}

void gnutls_verification_dane(const struct gnutls_library *library, gnutls_session_t session,
			      bool matches, bool of_server)
{
	const int saved = errno;
	struct tls_object *object = object_of(session);

	if (object) {
		if (!matches)
			object->checks.dane = CHECK_FAILED;
		else if (of_server)
			object->checks.dane = CHECK_PASSED;
		else
			object->checks.chain = CHECK_PASSED;
		inside_checked(object);
		gnutls_found_wrong(library, session);
	}
	errno = saved;
}
