/*
 * Watches handshakes through OpenSSL's public calls, 1.1.0 to 3.x.
 */
#include "openssl_witness.h"

#include <errno.h>
#include <string.h>

#include "openssl_facts.h"
#include "recorder.h"
#include "thread.h"
#include "tls_object.h"

/* Has SSL_get_error's non-fatal answers without the look at the queue, which may be stale. */
static bool wants_another_call(const struct ssl_library *library, const SSL *ssl)
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
	return bio && library->crypto->BIO_test_flags(bio, BIO_FLAGS_SHOULD_RETRY) != 0;
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

bool openssl_call_begin(struct openssl_call *call, const struct ssl_library *library, SSL *ssl,
			bool connects)
{
	struct tls_object *object;
	int saved;

	if (!recorder.on || !library->understood || !ssl || library->SSL_is_init_finished(ssl))
		return false;
	if (!connects && library->SSL_is_server(ssl))
		return false;
	saved = errno;
	object = tls_object_find(ssl);
	/* A new object, one that was cleared, or another one at the same address. */
	if (library->SSL_in_before(ssl))
		object = tls_object_begin(ssl);
	errno = saved;
	if (!object || object->done)
		return false;
	if (recorder_owns_tables())
		object->owner = recorder_process->pid;
	*call = (struct openssl_call){library, ssl, object, thread_state.hello_connection};
	thread_state.hello_connection = 0;
	thread_state.library_depth++;
	return true;
}

/* The handshake's facts to the connection that they belong to, and from there to the log. */
static void report(struct openssl_call *call, bool established, const char *abandoned)
{
	struct library_view view;
	struct connection *connection;

	tls_object_set_done(call->object);
	learn_random(call);
	openssl_facts(&view, call->library, call->ssl, established);
	view.began = call->object->began;
	view.random_known = call->object->random_known;
	memcpy(view.client_random, call->object->client_random, TLS_RANDOM_SIZE);
	if (abandoned && !view.reason[0])
		memcpy(view.reason, abandoned, strlen(abandoned) + 1);
	connection = connection_join(&view, call->library->SSL_get_fd(call->ssl));
	if (!connection)
		return;
	if (connection_in_scope(connection)) {
		connection_record_handshake(connection);
		connection_release(connection);
	} else if (established) {
		/* Only the bytes inside can say whether this is mail. */
		smtp_dialogue_init(&call->object->inside);
		call->object->undecided = connection;
	} else {
		connection_let_go(connection);
		connection_release(connection);
	}
}

void openssl_call_end(struct openssl_call *call, bool succeeded)
{
	const struct ssl_library *library = call->library;
	int saved = errno;

	if (!call->object->done && !library->SSL_is_server(call->ssl)) {
		library->crypto->ERR_set_mark();
		if (library->SSL_is_init_finished(call->ssl))
			report(call, true, NULL);
		else if (!succeeded && !wants_another_call(library, call->ssl))
			report(call, false, NULL);
		else
			learn_random(call);
		library->crypto->ERR_pop_to_mark();
	}
	thread_state.library_depth--;
	thread_state.hello_connection = call->outer_hello;
	errno = saved;
}

void openssl_inside(const struct ssl_library *library, SSL *ssl, bool written, const void *bytes,
		    size_t length)
{
	struct tls_object *object;
	struct connection *connection;
	int saved = errno;

	if (!recorder.on || !library->understood)
		return;
	object = tls_object_find(ssl);
	if (!object || !object->undecided)
		return;
	smtp_dialogue_feed(&object->inside, written ? SMTP_FROM_CLIENT : SMTP_FROM_SERVER, bytes,
			   length);
	if (object->inside.state == SMTP_UNDECIDED)
		return;
	connection = object->undecided;
	object->undecided = NULL;
	if (object->inside.state == SMTP_DIALOGUE) {
		connection->inner_smtp = true;
		connection_record_handshake(connection);
	} else {
		connection_let_go(connection);
	}
	connection_release(connection);
	errno = saved;
}

void openssl_object_freed(const struct ssl_library *library, SSL *ssl)
{
	struct tls_object *object;
	int saved = errno;

	if (!recorder.on || !library->understood || !ssl)
		return;
	object = tls_object_find(ssl);
	if (object && recorder_owns_tables()) {
		struct openssl_call call = {library, ssl, object, 0};

		if (!object->done && object->random_known &&
		    object->owner == recorder_process->pid) {
			library->crypto->ERR_set_mark();
			report(&call, false, "the client gave up during the handshake");
			library->crypto->ERR_pop_to_mark();
		}
		tls_object_forget(object);
	}
	errno = saved;
}
