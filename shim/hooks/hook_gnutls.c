/*
 * Hooks of libgnutls: the handshake, and the bytes inside TLS.
 */
#include "shim/gnutls/gnutls_library.h"
#include "shim/gnutls/gnutls_witness.h"

#define CALLER __builtin_return_address(0)

/* Where there is no library to call any more. */
#define GONE GNUTLS_E_INTERNAL_ERROR

/* ---- the session ---- */

int gnutls_init(gnutls_session_t *session, unsigned int flags)
{
	const struct gnutls_library *library = gnutls_library(CALLER);
	int result;

	if (!library)
		return GONE;
	result = library->gnutls_init(session, flags);
	if (result == 0)
		gnutls_session_made(*session, flags);
	return result;
}

void gnutls_deinit(gnutls_session_t session)
{
	const struct gnutls_library *library = gnutls_library(CALLER);

	if (!library)
		return;
	gnutls_session_gone(library, session);
	library->gnutls_deinit(session);
}

int gnutls_handshake(gnutls_session_t session)
{
	const struct gnutls_library *library = gnutls_library(CALLER);
	struct gnutls_call call;
	int refused;

	if (!library)
		return GONE;
	refused = gnutls_call_begin(&call, library, session);
	if (refused)
		return refused;
	return gnutls_call_end(&call, library->gnutls_handshake(session));
}

/* ---- the transport: the last calls before the handshake ---- */

void gnutls_transport_set_ptr(gnutls_session_t session, gnutls_transport_ptr_t pointer)
{
	const struct gnutls_library *library = gnutls_library(CALLER);

	if (!library)
		return;
	gnutls_transport_set(session);
	library->gnutls_transport_set_ptr(session, pointer);
}

void gnutls_transport_set_ptr2(gnutls_session_t session, gnutls_transport_ptr_t receiving,
			       gnutls_transport_ptr_t sending)
{
	const struct gnutls_library *library = gnutls_library(CALLER);

	if (!library)
		return;
	gnutls_transport_set(session);
	library->gnutls_transport_set_ptr2(session, receiving, sending);
}

void gnutls_transport_set_int2(gnutls_session_t session, int receiving, int sending)
{
	const struct gnutls_library *library = gnutls_library(CALLER);

	if (!library)
		return;
	gnutls_transport_set(session);
	library->gnutls_transport_set_int2(session, receiving, sending);
}

/* ---- bytes that are received ---- */

/* Before a call that receives: 0, or what the hook gives instead of calling. */
static int before_receiving(const struct gnutls_library *library, gnutls_session_t session)
{
	const int refused = gnutls_may_receive(session);

	return library ? refused : GONE;
}

/* What the call gives, once the bytes were looked at. */
static ssize_t received(gnutls_session_t session, const void *data, ssize_t result)
{
	int refused = result > 0 ? gnutls_inside(session, false, data, (size_t)result) : 0;

	return refused ? refused : result;
}

ssize_t gnutls_record_recv(gnutls_session_t session, void *data, size_t size)
{
	const struct gnutls_library *library = gnutls_library(CALLER);
	int refused = before_receiving(library, session);

	if (refused)
		return refused;
	return received(session, data, library->gnutls_record_recv(session, data, size));
}

ssize_t gnutls_record_recv_seq(gnutls_session_t session, void *data, size_t size,
			       unsigned char *sequence)
{
	const struct gnutls_library *library = gnutls_library(CALLER);
	int refused = before_receiving(library, session);

	if (refused)
		return refused;
	return received(session, data,
			library->gnutls_record_recv_seq(session, data, size, sequence));
}

ssize_t gnutls_record_recv_packet(gnutls_session_t session, gnutls_packet_t *packet)
{
	const struct gnutls_library *library = gnutls_library(CALLER);
	int refused = before_receiving(library, session);
	gnutls_datum_t datum = {0};
	ssize_t result;

	if (refused)
		return refused;
	if (!library->gnutls_record_recv_packet)
		return GONE;
	result = library->gnutls_record_recv_packet(session, packet);
	if (result <= 0 || !library->gnutls_packet_get)
		return result;
	library->gnutls_packet_get(*packet, &datum, NULL);
	refused = datum.data ? gnutls_inside(session, false, datum.data, datum.size) : 0;
	return refused ? refused : result;
}

/* ---- bytes that are sent ---- */

/* As before_receiving. */
static int before_sending(const struct gnutls_library *library, gnutls_session_t session,
			  const void *data, size_t size)
{
	const int refused = gnutls_may_send(session, data, size);

	return library ? refused : GONE;
}

static ssize_t sent(gnutls_session_t session, const void *data, ssize_t result)
{
	int refused = result > 0 && data ? gnutls_inside(session, true, data, (size_t)result) : 0;

	return refused ? refused : result;
}

ssize_t gnutls_record_send(gnutls_session_t session, const void *data, size_t size)
{
	const struct gnutls_library *library = gnutls_library(CALLER);
	int refused = before_sending(library, session, data, size);

	if (refused)
		return refused;
	return sent(session, data, library->gnutls_record_send(session, data, size));
}

ssize_t gnutls_record_send2(gnutls_session_t session, const void *data, size_t size, size_t pad,
			    unsigned int flags)
{
	const struct gnutls_library *library = gnutls_library(CALLER);
	int refused = before_sending(library, session, data, size);

	if (refused)
		return refused;
	if (!library->gnutls_record_send2)
		return GONE;
	return sent(session, data, library->gnutls_record_send2(session, data, size, pad, flags));
}

ssize_t gnutls_record_send_range(gnutls_session_t session, const void *data, size_t size,
				 const gnutls_range_st *range)
{
	const struct gnutls_library *library = gnutls_library(CALLER);
	int refused = before_sending(library, session, data, size);

	if (refused)
		return refused;
	if (!library->gnutls_record_send_range)
		return GONE;
	return sent(session, data, library->gnutls_record_send_range(session, data, size, range));
}
