/*
 * Watches handshakes through GnuTLS's public calls, 3.6 to 3.8. Only
 * gnutls_handshake drives one; what may follow (a rehandshake, tickets, key
 * updates) can't change the version, and the session has its record by then.
 */
#include "shim/gnutls/gnutls_witness.h"

#include <errno.h>
#include <string.h>

#include "shim/base/text.h"
#include "shim/base/thread.h"
#include "shim/core/descriptor_table.h"
#include "shim/core/enforcement.h"
#include "shim/core/inside.h"
#include "shim/core/join.h"
#include "shim/core/recorder.h"
#include "shim/gnutls/gnutls_facts.h"
#include "shim/gnutls/gnutls_floor.h"

/* What the application gets for a refusal: GnuTLS's own words for a version that is off. */
#define REFUSED GNUTLS_E_UNSUPPORTED_VERSION_PACKET

/*
 * The descriptor, where the application has set one: it is a pointer to GnuTLS,
 * and to an application with a transport of its own it may be any. Nobody's
 * pointer is as small as a descriptor, and a pointer that was never set is 0.
 */
static int descriptor_of(const struct gnutls_library *library, gnutls_session_t session)
{
	uintptr_t pointer = (uintptr_t)library->gnutls_transport_get_ptr(session);

	return pointer > 0 && pointer < DESCRIPTORS_MAX ? (int)pointer : -1;
}

/* The random of the ClientHello, once there is one. */
static void learn_random(struct gnutls_call *call)
{
	static const uint8_t none[TLS_RANDOM_SIZE];
	gnutls_datum_t client = {0};
	gnutls_datum_t server = {0};

	if (call->object->random_known)
		return;
	call->library->gnutls_session_get_random(call->session, &client, &server);
	if (client.data && client.size == TLS_RANDOM_SIZE &&
	    memcmp(client.data, none, TLS_RANDOM_SIZE) != 0)
		tls_object_set_random(call->object, client.data);
}

static void fill_view(struct library_view *view, const struct gnutls_call *call, int error)
{
	gnutls_facts(view, call->library, call->session, call->client, error);
	view->began = call->object->began;
	view->random_known = call->object->random_known;
	memcpy(view->client_random, call->object->client_random, TLS_RANDOM_SIZE);
}

/* Failed over the certificate: by the library, or by the application's own callback. */
static void add_certificate(struct library_view *view, const struct tls_object *object)
{
	const char *reason =
		record_value_text(RECORD_SET_REASON, certificate_failure(&object->checks, false));
	char words[sizeof(view->reason)];

	if (!reason)
		return;
	view->peer_certificate = RECORD_CERTIFICATE_FAILED;
	memcpy(words, view->reason, sizeof(words));
	view->reason[0] = '\0';
	text_append(view->reason, sizeof(view->reason), reason);
	text_append(view->reason, sizeof(view->reason), " (");
	text_append(view->reason, sizeof(view->reason), words);
	text_append(view->reason, sizeof(view->reason), ")");
}

/* This connection ends here: every further call on the session and on its descriptor fails. */
static void refuse(struct tls_object *object, struct connection *connection)
{
	object->refused = true;
	connection_refuse(connection);
	connection_release(connection);
}

static void report_success(struct gnutls_call *call)
{
	struct library_view view;
	struct connection *connection;
	struct enforcement_policy policy;

	fill_view(&view, call, 0);
	gnutls_facts_verified(&call->object->checks, call->library, call->session, call->client);
	connection = connection_join(&view, descriptor_of(call->library, call->session),
				     call->object->origin);
	if (!connection) {
		call->object->refused = connection_refuses_unjoined(
			&view, descriptor_of(call->library, call->session));
		return;
	}
	policy = connection_policy(connection);
	if (connection_in_scope(connection) &&
	    (enforcement_of_version(&policy, view.version) != ENFORCEMENT_PROCEED ||
	     connection_is_blocked(connection)))
		refuse(call->object, connection);
	else
		inside_begin(call->object, connection);
}

/* `abandoned`: in words, where no call has failed. */
static void report_failure(struct gnutls_call *call, int error, const char *abandoned)
{
	struct library_view view;
	struct connection *connection;

	fill_view(&view, call, error);
	gnutls_facts_verified(&call->object->checks, call->library, call->session, call->client);
	add_certificate(&view, call->object);
	view.established = false;
	view.refused = call->object->raised &&
		       gnutls_floor_is_version_error(call->library, call->session, error);
	if (abandoned)
		memcpy(view.reason, abandoned, strlen(abandoned) + 1);
	connection = connection_join(&view, descriptor_of(call->library, call->session),
				     call->object->origin);
	if (!connection)
		return;
	if (connection_in_scope(connection) &&
	    (view.refused || connection_is_blocked(connection))) {
		refuse(call->object, connection);
		return;
	}
	if (connection_in_scope(connection))
		connection_record_handshake(connection);
	else
		connection_ignore(connection);
	connection_release(connection);
}

/* Nothing at or above the floor is allowed: no step is made. */
static void refuse_at_once(struct gnutls_call *call)
{
	struct library_view view;
	struct connection *connection;

	tls_object_set_done(call->object);
	call->object->refused = true;
	fill_view(&view, call, REFUSED);
	connection = connection_join(&view, descriptor_of(call->library, call->session),
				     call->object->origin);
	if (connection)
		refuse(call->object, connection);
}

/* Raises the floor under the first step; false if the connection can only be refused. */
static bool enforce(struct gnutls_call *call)
{
	struct enforcement_policy policy;

	if (call->object->raised || call->object->random_known ||
	    !connection_expects_tls(descriptor_of(call->library, call->session), NULL, &policy) ||
	    !enforcement_refuses(&policy))
		return true;
	switch (gnutls_floor_raise(call->library, call->session, call->client, &policy)) {
	case GNUTLS_FLOOR_NONE_LEFT:
		refuse_at_once(call);
		return false;
	case GNUTLS_FLOOR_RAISED:
		call->object->raised = true;
		return true;
	default:
		return true;
	}
}

void gnutls_session_made(gnutls_session_t session, unsigned flags)
{
	struct tls_object *stale;

	if (!recorder.on)
		return;
	/* Another session at the same address, whose end was not seen. */
	stale = tls_object_find(session);
	if (stale)
		tls_object_forget(stale);
	gnutls_client_end(session);
	setting_forget(session);
	if ((flags & GNUTLS_CLIENT) && !(flags & GNUTLS_DATAGRAM))
		(void)gnutls_client_begin(session);
}

void gnutls_session_gone(const struct gnutls_library *library, gnutls_session_t session)
{
	struct gnutls_client *client = gnutls_client_find(session);
	struct tls_object *object;
	int saved = errno;

	if (!recorder.on || !client)
		return;
	object = tls_object_find(session);
	if (object) {
		struct gnutls_call call = {library, session, client, object, 0};

		if (!object->done && object->random_known &&
		    object->owner == recorder_process->pid) {
			tls_object_set_done(object);
			report_failure(&call, GNUTLS_E_PULL_ERROR,
				       "the client gave up during the handshake");
		}
		tls_object_forget(object);
	}
	gnutls_client_end(session);
	setting_forget(session);
	errno = saved;
}

void gnutls_transport_set(gnutls_session_t session)
{
	const int saved = errno;
	struct tls_object *object;

	if (recorder.on && gnutls_client_find(session)) {
		object = tls_object_find(session);
		if (!object || !object->done)
			object = tls_object_prepare(session);
		if (object && !object->done)
			tls_object_capture_origin(object);
	}
	errno = saved;
}

/* Has the connection of `session` been refused? */
static bool is_refused(gnutls_session_t session)
{
	const struct tls_object *object;

	if (!enforcement_refuses(&recorder.policy))
		return false;
	object = tls_object_find(session);
	return object && object->refused;
}

int gnutls_call_begin(struct gnutls_call *call, const struct gnutls_library *library,
		      gnutls_session_t session)
{
	const int saved = errno;
	struct gnutls_client *client;
	struct tls_object *object;
	bool allowed;

	*call = (struct gnutls_call){library, session, NULL, NULL, thread_state.hello_connection};
	client = recorder.on ? gnutls_client_find(session) : NULL;
	if (!client)
		return 0;
	if (is_refused(session))
		return REFUSED;
	object = tls_object_find(session);
	if (!object)
		object = tls_object_begin(session);
	if (!object || object->done)
		return 0;
	thread_state.session = session;
	call->client = client;
	call->object = object;
	recorder_enter();
	object->owner = recorder_process->pid;
	tls_object_capture_origin(object);
	allowed = !enforcement_refuses(&recorder.policy) || enforce(call);
	thread_state.hello_connection = 0;
	thread_state.library_depth += allowed;
	errno = saved;
	return allowed ? 0 : REFUSED;
}

int gnutls_call_end(struct gnutls_call *call, int result)
{
	const int saved = errno;

	if (!call->object)
		return result;
	thread_state.library_depth--;
	learn_random(call);
	if (result == 0) {
		tls_object_set_done(call->object);
		report_success(call);
	} else if (call->library->gnutls_error_is_fatal(result)) {
		tls_object_set_done(call->object);
		report_failure(call, result, NULL);
	}
	thread_state.hello_connection = call->outer_hello;
	errno = saved;
	return call->object->refused ? REFUSED : result;
}

void gnutls_found_wrong(const struct gnutls_library *library, gnutls_session_t session)
{
	struct tls_object *object = tls_object_find(session);
	struct gnutls_call call = {library, session, gnutls_client_find(session), object, 0};
	struct library_view view;
	struct connection *connection;

	if (!object || object->done || !call.client || thread_state.library_depth == 0 ||
	    certificate_failure(&object->checks, false) == RECORD_REASON_UNKNOWN)
		return;
	learn_random(&call);
	fill_view(&view, &call, GNUTLS_E_CERTIFICATE_ERROR);
	add_certificate(&view, object);
	connection = connection_join(&view, descriptor_of(library, session), object->origin);
	if (connection)
		connection_release(connection);
}

/* ---- inside TLS ---- */

static struct tls_object *object_inside(gnutls_session_t session)
{
	struct tls_object *object = recorder.on ? tls_object_find(session) : NULL;

	return object && object->undecided ? object : NULL;
}

int gnutls_may_send(gnutls_session_t session, const void *bytes, size_t length)
{
	struct tls_object *object;
	int saved = errno;
	bool allowed;

	if (!recorder.on || !enforcement_refuses(&recorder.policy))
		return 0;
	if (is_refused(session))
		return REFUSED;
	object = object_inside(session);
	if (!object || !bytes)
		return 0;
	allowed = inside_may_write(object, bytes, length);
	errno = saved;
	return allowed ? 0 : REFUSED;
}

int gnutls_may_receive(gnutls_session_t session)
{
	return recorder.on && is_refused(session) ? REFUSED : 0;
}

int gnutls_inside(gnutls_session_t session, bool sent, const void *bytes, size_t length)
{
	struct tls_object *object = object_inside(session);
	int saved = errno;
	bool allowed;

	if (!object)
		return 0;
	allowed = inside_passed(object, sent ? SMTP_FROM_CLIENT : SMTP_FROM_SERVER, bytes, length);
	errno = saved;
	return allowed ? 0 : REFUSED;
}
