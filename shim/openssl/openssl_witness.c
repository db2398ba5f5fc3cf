/*
 * Watches handshakes through OpenSSL's public calls, 1.1.0 to 3.x.
 */
#include "shim/openssl/openssl_witness.h"

#include <errno.h>
#include <string.h>

#include "shim/openssl/openssl_checks.h"
#include "shim/openssl/openssl_facts.h"
#include "shim/openssl/openssl_floor.h"
#include "shim/openssl/openssl_versions.h"
#include "shim/core/enforcement.h"
#include "shim/core/inside.h"
#include "shim/core/join.h"
#include "shim/core/recorder.h"
#include "shim/base/thread.h"
#include "shim/core/tls_object.h"

/*
 * Has SSL_get_error's non-fatal answers without the look at the queue, which may be
 * stale. A BIO of the application's own may set no flag where it has nothing yet, and
 * the application goes on by `error`, errno after the call (tcltls does); OpenSSL sets
 * that to 0 before it asks a BIO.
 */
static bool wants_another_call(const struct ssl_library *library, const SSL *ssl, int error)
{
	const BIO *bio;

	switch (library->SSL_want(ssl)) {
	case SSL_NOTHING:
		return false;
	case SSL_READING:
		bio = library->SSL_get_rbio(ssl);
		break;
	case SSL_WRITING:
		bio = library->SSL_get_wbio(ssl);
		break;
	default:
		return true; /* a callback or an asynchronous engine */
	}
	return bio && (library->crypto.BIO_test_flags(bio, BIO_FLAGS_SHOULD_RETRY) != 0 ||
		       error == EAGAIN || error == EWOULDBLOCK || error == EINTR);
}

/* A handshake that has ended without a version is none to go on with. */
static bool may_proceed(const struct enforcement_policy *policy, uint16_t version)
{
	return enforcement_of_version(policy, version) == ENFORCEMENT_PROCEED;
}

static bool is_zero(const uint8_t random[TLS_RANDOM_SIZE])
{
	for (int i = 0; i < TLS_RANDOM_SIZE; i++) {
		if (random[i] != 0)
			return false;
	}
	return true;
}

/* The random of the ClientHello, once there is one. */
static void learn_random(struct openssl_call *call)
{
	uint8_t random[TLS_RANDOM_SIZE];

	if (call->object->random_known)
		return;
	if (call->library->SSL_get_client_random(call->ssl, random, sizeof(random)) !=
		    sizeof(random) ||
	    is_zero(random))
		return;
	tls_object_set_random(call->object, random);
}

/* The settings as the application made them, and not as the floor left them. */
static void tell_asked(struct library_view *view, const struct tls_object *object)
{
	if (!object->asked.known)
		return;
	view->configured_min = object->asked.min;
	view->configured_max = object->asked.max;
}

/* This connection ends here: every further call on the object and on its descriptor fails. */
static void refuse(struct openssl_call *call, struct connection *connection)
{
	call->object->refused = true;
	connection_refuse(connection);
}

/*
 * The handshake's facts to the connection that they belong to, and from there
 * to the log. True if it was refused and OpenSSL's queue does not say so yet.
 */
static bool report(struct openssl_call *call, bool established, const char *abandoned)
{
	const struct ssl_library *library = call->library;
	const int call_error = errno;
	struct library_view view;
	struct connection *connection;
	struct enforcement_policy policy;
	bool unsaid = false;

	tls_object_set_done(call->object);
	learn_random(call);
	openssl_checks_read(call->object, library, call->ssl, established);
	openssl_facts(&view, library, call->ssl, established, abandoned ? 0 : call_error,
		      certificate_failure(&call->object->checks, false));
	tell_asked(&view, call->object);
	view.began = call->object->began;
	view.random_known = call->object->random_known;
	memcpy(view.client_random, call->object->client_random, TLS_RANDOM_SIZE);
	view.refused =
		!established && call->object->raised && openssl_floor_is_version_error(library);
	if (abandoned && !view.reason[0])
		memcpy(view.reason, abandoned, strlen(abandoned) + 1);
	connection = connection_join(&view, library->SSL_get_fd(call->ssl), call->object->origin);
	if (!connection) {
		call->object->refused =
			connection_refuses_unjoined(&view, library->SSL_get_fd(call->ssl));
		return call->object->refused;
	}
	policy = connection_policy(connection);
	if (!connection_in_scope(connection)) {
		if (!established)
			connection_ignore(connection);
	} else if (established && !may_proceed(&policy, view.version)) {
		refuse(call, connection);
		unsaid = true;
	} else if (view.refused) {
		/* OpenSSL's own error is in the queue, and its alert has left. */
		refuse(call, connection);
	} else if (connection_is_blocked(connection)) {
		/* The other witness was first: OpenSSL has only seen a broken connection. */
		call->object->refused = true;
		unsaid = true;
	} else if (!established) {
		connection_record_handshake(connection);
	}
	if (established && !call->object->refused) {
		inside_begin(call->object, connection);
		return unsaid;
	}
	connection_release(connection);
	return unsaid;
}

/* The context knows one version only, and that is below the floor: no step is made. */
static void refuse_pinned(struct openssl_call *call)
{
	struct library_view view;
	struct connection *connection;

	tls_object_set_done(call->object);
	call->object->refused = true;
	openssl_facts(&view, call->library, call->ssl, false, 0, RECORD_REASON_UNKNOWN);
	connection =
		connection_join(&view, call->library->SSL_get_fd(call->ssl), call->object->origin);
	if (!connection)
		return;
	connection_refuse(connection);
	connection_release(connection);
}

/* The entry of a client's handshake that is not over and has no record yet, or NULL. */
static struct tls_object *object_to_watch(const struct ssl_library *library, SSL *ssl,
					  bool connects)
{
	struct tls_object *object;

	if (library->SSL_is_init_finished(ssl) || (!connects && library->SSL_is_server(ssl)) ||
	    (library->SSL_is_dtls && library->SSL_is_dtls(ssl)))
		return NULL;
	object = tls_object_find(ssl);
	/* A new object, one that was cleared, or another one at the same address; an entry
	   that has seen nothing yet is this handshake's, from a hook around this one. */
	if (library->SSL_in_before(ssl) && (!object || object->random_known || object->done))
		object = tls_object_begin(ssl);
	return object && !object->done ? object : NULL;
}

/* Refused, and not made ready for another connection since. */
static bool is_refused(const struct ssl_library *library, const SSL *ssl)
{
	const struct tls_object *object;

	if (!enforcement_refuses(&recorder.policy))
		return false;
	object = tls_object_find(ssl);
	return object && object->refused && !library->SSL_in_before(ssl);
}

/* Keeps what the application set; what is found at a later step may be of our making. */
static void keep_asked(struct tls_object *object, const struct openssl_versions *found,
		       const struct enforcement_policy *policy)
{
	if (!object->asked.known || enforcement_is_below_floor(policy, found->configured_min))
		object->asked.min = found->configured_min;
	if (!object->asked.known || found->configured_max)
		object->asked.max = found->configured_max;
	object->asked.known = true;
}

/*
 * The object was used before, and its minimum is still the one that we raised
 * it to; or the application has set another one since.
 */
static void keep_raised(struct tls_object *object, const struct openssl_versions *found,
			const struct enforcement_policy *policy)
{
	if (!object->raised_before || object->raised)
		return;
	if (enforcement_is_floor(policy, found->configured_min))
		object->raised = true;
	else if (!object->random_known)
		object->asked.known = false;
}

static const char *server_name_of(const struct openssl_call *call)
{
	if (!call->library->SSL_get_servername)
		return NULL;
	return call->library->SSL_get_servername(call->ssl, TLSEXT_NAMETYPE_host_name);
}

/* Raises the floor under this step; false if the connection can only be refused. */
static bool enforce(struct openssl_call *call)
{
	struct openssl_versions found;
	struct enforcement_policy policy;

	if (!connection_expects_tls(call->library->SSL_get_fd(call->ssl), server_name_of(call),
				    &policy) ||
	    !enforcement_refuses(&policy))
		return true;
	if (openssl_floor_is_pinned_below(call->library, call->ssl, &policy)) {
		refuse_pinned(call);
		return false;
	}
	if (openssl_floor_raise(call->library, call->ssl, &policy, &found))
		call->object->raised = true;
	keep_raised(call->object, &found, &policy);
	keep_asked(call->object, &found, &policy);
	return true;
}

void openssl_transport_set(const struct ssl_library *library, SSL *ssl)
{
	const int saved = errno;
	struct tls_object *object;

	if (recorder.on && ssl && library->SSL_in_before(ssl)) {
		object = tls_object_prepare(ssl);
		if (object)
			tls_object_capture_origin(object);
	}
	errno = saved;
}

bool openssl_call_begin(struct openssl_call *call, const struct ssl_library *library, SSL *ssl,
			bool connects)
{
	const int saved = errno;
	bool allowed = true;

	call->object = NULL;
	if (!recorder.on || !ssl)
		return true;
	thread_state.session = ssl;
	*call = (struct openssl_call){library, ssl, NULL, thread_state.hello_connection};
	if (is_refused(library, ssl)) {
		openssl_floor_raise_error(library);
		return false;
	}
	call->object = object_to_watch(library, ssl, connects);
	if (call->object) {
		recorder_enter();
		call->object->owner = recorder_process->pid;
		tls_object_capture_origin(call->object);
		library->crypto.ERR_set_mark();
		allowed = !enforcement_refuses(&recorder.policy) || enforce(call);
		library->crypto.ERR_pop_to_mark();
		thread_state.hello_connection = 0;
		thread_state.library_depth += allowed;
	}
	if (!allowed)
		openssl_floor_raise_error(library);
	errno = saved;
	return allowed;
}

bool openssl_call_end(struct openssl_call *call, bool succeeded)
{
	const struct ssl_library *library = call->library;
	const int saved = errno;
	bool unsaid = false;
	bool refused;

	if (!call->object)
		return true;
	if (!call->object->done && !library->SSL_is_server(call->ssl)) {
		library->crypto.ERR_set_mark();
		if (library->SSL_is_init_finished(call->ssl))
			unsaid = report(call, true, NULL);
		else if (!succeeded && !wants_another_call(library, call->ssl, saved))
			unsaid = report(call, false, NULL);
		else
			learn_random(call);
		library->crypto.ERR_pop_to_mark();
	}
	refused = call->object->refused;
	thread_state.library_depth--;
	thread_state.hello_connection = call->outer_hello;
	/* Once: a hook around this one, which ends after it, adds nothing. */
	if (unsaid)
		openssl_floor_raise_error(library);
	errno = saved;
	return !refused;
}

bool openssl_handshake_comes_first(const struct openssl_call *call)
{
	return call->object && enforcement_refuses(&recorder.policy);
}

bool openssl_may_write(const struct ssl_library *library, SSL *ssl, const void *bytes,
		       size_t length)
{
	struct tls_object *object;
	int saved = errno;
	bool allowed;

	if (!recorder.on || !enforcement_refuses(&recorder.policy))
		return true;
	object = tls_object_find(ssl);
	if (!object)
		return true;
	allowed = inside_may_write(object, bytes, length);
	if (!allowed)
		openssl_floor_raise_error(library);
	errno = saved;
	return allowed;
}

bool openssl_inside(const struct ssl_library *library, SSL *ssl, bool written, const void *bytes,
		    size_t length)
{
	struct tls_object *object;
	int saved = errno;
	bool allowed;

	if (!recorder.on)
		return true;
	object = tls_object_find(ssl);
	if (!object || !object->undecided)
		return true;
	allowed =
		inside_passed(object, written ? SMTP_FROM_CLIENT : SMTP_FROM_SERVER, bytes, length);
	if (!allowed)
		openssl_floor_raise_error(library);
	errno = saved;
	return allowed;
}

void openssl_asked(const struct ssl_library *library, SSL *ssl)
{
	struct tls_object *object = recorder.on ? tls_object_find(ssl) : NULL;
	struct openssl_call call = {library, ssl, object, 0};
	int saved = errno;

	if (!object || object->done || object->owner != recorder_process->pid ||
	    library->SSL_is_server(ssl) || !library->SSL_is_init_finished(ssl) ||
	    !may_proceed(&recorder.policy, (uint16_t)library->SSL_version(ssl)))
		return;
	library->crypto.ERR_set_mark();
	(void)report(&call, true, NULL);
	library->crypto.ERR_pop_to_mark();
	errno = saved;
}

void openssl_object_freed(const struct ssl_library *library, SSL *ssl)
{
	struct tls_object *object;
	int saved = errno;

	if (!recorder.on || !ssl)
		return;
	object = tls_object_find(ssl);
	if (object) {
		struct openssl_call call = {library, ssl, object, 0};

		if (!object->done && object->random_known &&
		    object->owner == recorder_process->pid) {
			library->crypto.ERR_set_mark();
			(void)report(&call, false, "the client gave up during the handshake");
			library->crypto.ERR_pop_to_mark();
		}
		tls_object_forget(object);
	}
	errno = saved;
}
