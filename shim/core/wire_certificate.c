#include "shim/core/wire_certificate.h"

#include <string.h>

#include "shim/core/connection_state.h"
#include "shim/core/join.h"
#include "shim/core/slab.h"

static struct slab rooms = {.size = sizeof(struct certificate_message), .first = 2};

/* The ClientHello has passed, and the ServerHello has not: it is now or never. */
static bool is_time(const struct connection *connection)
{
	return connection->tls.progress == TLS_OFFERED && !connection->library_pending &&
	       connection->certificate_room == 0 && connection_in_scope(connection);
}

static void provide_room(struct connection *connection)
{
	uint32_t number;
	struct certificate_message *room = slab_claim(&rooms, &number);
	bool provided = false;

	if (!room)
		return;
	memset(room, 0, offsetof(struct certificate_message, beginning));
	if (guard_enter(&connection->guard)) {
		provided = is_time(connection);
		if (provided) {
			connection->tls.certificate = room;
			connection->certificate_room = number + 1;
		}
		guard_leave(&connection->guard);
	}
	if (!provided)
		slab_free(&rooms, number);
}

static void give_room_back(struct connection *connection)
{
	uint32_t room;

	if (!guard_enter(&connection->guard))
		return;
	connection->tls.certificate = NULL;
	room = connection->certificate_room;
	connection->certificate_room = 0;
	guard_leave(&connection->guard);
	if (room != 0)
		slab_free(&rooms, room - 1);
}

void wire_certificate_provide(struct connection *connection, enum wire_certificate_need need)
{
	if (need == WIRE_CERTIFICATE_ROOM)
		provide_room(connection);
	else if (need == WIRE_CERTIFICATE_SPARE)
		give_room_back(connection);
}

void wire_certificate_forget(struct connection *connection)
{
	if (connection->certificate_room != 0)
		slab_free(&rooms, connection->certificate_room - 1);
	connection->certificate_room = 0;
	connection->tls.certificate = NULL;
}

static void write_facts(struct library_view *view, const struct certificate_facts *facts)
{
	certificate_name_write(view->subject, sizeof(view->subject), facts->subject,
			       facts->subject_length);
	certificate_name_write(view->issuer, sizeof(view->issuer), facts->issuer,
			       facts->issuer_length);
	certificate_time_write(view->not_after, facts->not_after, facts->not_after_length,
			       facts->not_after_generalized);
}

enum wire_certificate_need wire_certificate_read(struct connection *connection)
{
	const struct certificate_message *certificate = connection->tls.certificate;
	struct certificate_facts facts;

	if (!certificate)
		return is_time(connection) ? WIRE_CERTIFICATE_ROOM : WIRE_CERTIFICATE_NOTHING;
	if (certificate->complete) {
		if (!connection->library.witness && certificate_message_read(certificate, &facts))
			write_facts(&connection->library, &facts);
		return WIRE_CERTIFICATE_SPARE;
	}
	if (connection->tls.version == TLS_VERSION_1_3 ||
	    connection->tls.progress >= TLS_ESTABLISHED)
		return WIRE_CERTIFICATE_SPARE;
	return WIRE_CERTIFICATE_NOTHING;
}
