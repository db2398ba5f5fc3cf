/*
 * Lays the facts of both witnesses side by side and hands them on.
 */
#include "shim/core/connection_record.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <string.h>

#include "shim/base/error_text.h"
#include "shim/base/loaded_objects.h"
#include "shim/base/start_page.h"
#include "shim/core/connection_state.h"
#include "shim/core/enforcement.h"
#include "shim/core/recorder.h"
#include "shim/core/setting.h"
#include "shim/base/text.h"
#include "shim/record/tls_names.h"

/* Room for texts that are made for one record. */
struct texts {
	char source[INET6_ADDRSTRLEN];
	char destination[INET6_ADDRSTRLEN];
	char forwarded[INET6_ADDRSTRLEN];
	char proxy[sizeof("socks5://[]:65535") + INET6_ADDRSTRLEN];
	char reason[128];
	char library[48];
};

static const char *known(const char *text)
{
	return text[0] ? text : NULL;
}

/* inet_ntop does it by sprintf. */
static const char *v4_text(const uint8_t address[4], char text[INET6_ADDRSTRLEN])
{
	text[0] = '\0';
	for (int i = 0; i < 4; i++) {
		if (i > 0)
			text_append(text, INET6_ADDRSTRLEN, ".");
		text_append_number(text, INET6_ADDRSTRLEN, address[i]);
	}
	return text;
}

static const char *address_text(const struct endpoint *endpoint, char text[INET6_ADDRSTRLEN])
{
	if (endpoint->family == 0)
		return NULL;
	if (endpoint->family == AF_INET)
		return v4_text(endpoint->address + 12, text);
	return inet_ntop(endpoint->family, endpoint->address, text, INET6_ADDRSTRLEN);
}

/* "socks5://192.0.2.1:1080", as curl's and others' settings name a proxy. */
static const char *proxy_text(const struct connection *connection, char *text, size_t size)
{
	static const char *const schemes[] = {
		[PROXY_PROTOCOL_SOCKS4] = "socks4://",
		[PROXY_PROTOCOL_SOCKS5] = "socks5://",
		[PROXY_PROTOCOL_HTTP] = "http://",
	};
	char address[INET6_ADDRSTRLEN];
	const char *scheme = schemes[connection->proxy];

	if (!scheme || !address_text(&connection->peer, address))
		return NULL;
	text_append(text, size, scheme);
	text_append(text, size, connection->peer.family == AF_INET6 ? "[" : "");
	text_append(text, size, address);
	text_append(text, size, connection->peer.family == AF_INET6 ? "]:" : ":");
	text_append_number(text, size, connection->peer.port);
	return text;
}

static bool wire_saw_hello(const struct connection *connection)
{
	return connection->tls.offered_count > 0;
}

static void add_ends(struct record *record, const struct connection *connection,
		     struct texts *texts)
{
	record->source_ip = address_text(&connection->local, texts->source);
	record->source_port = connection->local.port;
	record->destination_ip = address_text(&connection->destination, texts->destination);
	record->destination_port = connection->destination.port;
	if (connection->proxy != PROXY_PROTOCOL_NONE)
		record->proxy = proxy_text(connection, texts->proxy, sizeof(texts->proxy));
	record->forwarded_ip = address_text(&connection->forwarded, texts->forwarded);
	record->server_name = known(connection->library.server_name);
	if (!record->server_name)
		record->server_name = known(connection->tls.server_name);
	record->destination_domain = record->server_name;
	if (!record->destination_domain)
		record->destination_domain = known(connection->looked_up);
	if (connection->mail_port || connection->inner_smtp ||
	    connection->smtp.state == SMTP_DIALOGUE || connection->smtp.state == SMTP_TLS)
		record->network_protocol = RECORD_PROTOCOL_SMTP;
}

static void add_origin(struct record *record, const struct connection *connection)
{
	const struct origin *origin = connection->origin;
	const struct origin_frame *frame;

	if (!origin || origin->count == 0)
		return;
	frame = &origin->frame[origin->own];
	record->code_file = known(frame->file);
	record->code_line = frame->line;
	record->code_function = known(frame->function);
	record->stack = origin;
}

/* The submission and relay ports, on which TLS begins with STARTTLS (RFC 8314, 3). */
static bool is_starttls_port(uint16_t port)
{
	return port == 25 || port == 587 || port == 2525 || port == 2587;
}

/* Where the wire saw nothing of the beginning, the port has to say. */
static enum record_tls_mode tls_mode(const struct connection *connection)
{
	switch (connection->smtp.state) {
	case SMTP_TLS:
		return RECORD_TLS_MODE_STARTTLS;
	case SMTP_IMPLICIT_TLS:
		/* A connection that came from another process can begin in its middle. */
		return connection->joined_late || is_starttls_port(connection->destination.port)
			       ? RECORD_TLS_MODE_STARTTLS
			       : RECORD_TLS_MODE_IMPLICIT;
	case SMTP_DIALOGUE:
		return RECORD_TLS_MODE_NONE;
	default:
		break;
	}
	if (connection->joined_late && connection->mail_port)
		return RECORD_TLS_MODE_STARTTLS;
	if (connection->destination.port == 465 || connection->destination.port == 2465)
		return RECORD_TLS_MODE_IMPLICIT;
	if (!connection->mail_port)
		return RECORD_TLS_MODE_UNKNOWN;
	/* A library that failed before its ClientHello, with no word in the clear before. */
	return connection->library.witness && !is_starttls_port(connection->destination.port)
		       ? RECORD_TLS_MODE_IMPLICIT
		       : RECORD_TLS_MODE_STARTTLS;
}

static void add_offer(struct record *record, const struct connection *connection)
{
	const struct tls_wire *tls = &connection->tls;

	if (!wire_saw_hello(connection))
		return;
	record->offered.count = tls->offered_count;
	memcpy(record->offered.version, tls->offered, sizeof(tls->offered));
}

/* The version, and who saw it. */
static void add_version(struct record *record, const struct connection *connection)
{
	const struct library_view *library = &connection->library;
	uint16_t wire = connection->tls.version;

	record->version = library->version ? library->version : wire;
	if (library->version)
		record->witnesses |= library->witness;
	if (wire)
		record->witnesses |= WITNESS_WIRE;
	if (library->version && wire && library->version != wire)
		record->conflict = tls_version_name(wire);
	if (record->version)
		record->version_protocol = record->version == TLS_VERSION_SSL_3_0
						   ? RECORD_TLS_PROTOCOL_SSL
						   : RECORD_TLS_PROTOCOL_TLS;
	/* A library that failed may still tell what it was; it has seen no version then. */
	if (!record->witnesses && library->witness)
		record->witnesses = library->witness;
	if (!record->witnesses && wire_saw_hello(connection))
		record->witnesses = WITNESS_WIRE;
}

static void add_session(struct record *record, const struct connection *connection)
{
	const struct library_view *library = &connection->library;
	const struct tls_wire *tls = &connection->tls;
	uint16_t group = library->group ? library->group : tls->group;

	/* Number 0 is a cipher too (RFC 5246, A.5), which nobody negotiates. */
	if (library->cipher || tls->cipher)
		record->cipher = tls_cipher_name(library->cipher ? library->cipher : tls->cipher);
	record->curve = group ? tls_group_name(group) : NULL;
	record->resumed = library->resumed;
	if (record->resumed == RECORD_UNKNOWN && tls->version)
		record->resumed = tls->resumed ? RECORD_TRUE : RECORD_FALSE;
	record->server_supports =
		tls->server_supports ? tls->server_supports : library->server_supports;
	record->server_subject = known(library->subject);
	record->server_issuer = known(library->issuer);
	record->server_not_after = known(library->not_after);
	record->peer_certificate = library->peer_certificate;
	record->configured_min = library->configured_min;
	record->configured_max = library->configured_max;
	record->setting_ids = known(library->setting_ids);
}

/* The application ended it over the certificate, though the handshake had succeeded. */
static bool is_rejected(const struct connection *connection)
{
	return connection->library.peer_certificate == RECORD_CERTIFICATE_FAILED;
}

static void add_policy(struct record *record, const struct connection *connection)
{
	const struct enforcement_policy policy = connection_policy_within(connection, NULL);
	const struct library_view *library = &connection->library;
	const struct tls_wire *tls = &connection->tls;
	struct enforcement_facts facts = {
		.floor = policy.floor,
		.established = record->established == RECORD_TRUE && !is_rejected(connection),
		.refused = connection->blocked || library->refused,
		.version = record->version,
		.lowest_offer = library->lowest,
		.highest_offer = library->highest,
	};

	if (wire_saw_hello(connection)) {
		facts.highest_offer = tls->offered[tls->offered_count - 1];
		if (tls->names_versions)
			facts.lowest_offer = tls->offered[0];
	}
	record->verdict = enforcement_verdict(&facts);
	record->limited_by = enforcement_limited_by(&facts);
}

/* Why the handshake failed, by what the wire saw. */
static const char *wire_reason(const struct connection *connection, char text[128])
{
	const struct tls_wire *tls = &connection->tls;
	const char *name = tls_alert_name(tls->alert_description);
	/* A client that has found the end may still complain into the void. */
	bool farewell = tls->alert_from == TLS_FROM_CLIENT &&
			(connection->ended_by_peer || connection->error != 0);

	if (tls->alert_seen && !farewell) {
		text[0] = '\0';
		text_append(text, 128,
			    tls->alert_from == TLS_FROM_SERVER ? "alert from the server: "
							       : "alert from the client: ");
		text_append(text, 128,
			    tls->alert_encrypted ? "encrypted"
			    : name               ? name
						 : "unknown");
		return text;
	}
	if (tls->progress == TLS_NOT_TLS)
		return tls->version ? "what followed the ServerHello was no TLS"
				    : "the ClientHello was answered with no TLS";
	if (connection->error != 0) {
		const char *words = error_text(connection->error);

		return words ? words : "the connection failed";
	}
	if (!connection->tls_begun)
		return connection->ended_by_peer
			       ? "the server closed the connection before the ClientHello"
			       : "the client closed the connection before its ClientHello";
	if (connection->ended_by_peer)
		return tls->version ? "the server closed the connection during the handshake"
				    : "the server closed the connection before its ServerHello";
	return tls->version ? "the client closed the connection during the handshake"
			    : "the client closed the connection before the ServerHello";
}

static void record_handshake(struct record *record, const struct connection *connection,
			     struct texts *texts)
{
	const struct library_view *library = &connection->library;
	bool established = library->witness ? library->established
					    : connection->tls.progress == TLS_ESTABLISHED;

	if (connection->blocked)
		established = false;

	record->action = RECORD_ACTION_HANDSHAKE;
	record->outcome = established && !is_rejected(connection) ? RECORD_OUTCOME_SUCCESS
								  : RECORD_OUTCOME_FAILURE;
	record->established = established ? RECORD_TRUE : RECORD_FALSE;
	record->timestamp = library->ended;
	if (library->took)
		record->duration = library->took;
	else if (connection->began)
		record->duration = recorder_clock() - connection->began;
	record->tls_mode = tls_mode(connection);
	record->library = known(library->name);
	add_version(record, connection);
	add_session(record, connection);
	add_offer(record, connection);
	add_policy(record, connection);
	if (library->reason[0])
		record->reason = library->reason;
	else if (connection->blocked)
		record->reason = record_value_text(RECORD_SET_REASON, RECORD_REASON_BELOW_FLOOR);
	else if (!established)
		record->reason = wire_reason(connection, texts->reason);
}

/* Why a session stayed clear, or was ended. */
static enum record_reason clear_reason(const struct connection *connection)
{
	const struct smtp_dialogue *smtp = &connection->smtp;

	if (connection->blocked && connection->lost_track)
		return RECORD_REASON_BYTES_UNSEEN;
	if (smtp->starttls_refused)
		return RECORD_REASON_STARTTLS_REFUSED;
	if (smtp->starttls_offered)
		return RECORD_REASON_STARTTLS_NOT_ATTEMPTED;
	return smtp->ehlo_answered ? RECORD_REASON_STARTTLS_NOT_OFFERED
				   : RECORD_REASON_STARTTLS_NOT_ATTEMPTED;
}

static void record_clear(struct record *record, const struct connection *connection,
			 enum connection_event event)
{
	record->action =
		event == EVENT_PLAINTEXT ? RECORD_ACTION_PLAINTEXT_MAIL : RECORD_ACTION_SESSION;
	record->outcome = connection->blocked ? RECORD_OUTCOME_FAILURE : RECORD_OUTCOME_SUCCESS;
	record->reason = record_value_text(RECORD_SET_REASON, clear_reason(connection));
	record->established = RECORD_FALSE;
	record->tls_mode = RECORD_TLS_MODE_NONE;
	if (connection->blocked)
		record->verdict = RECORD_VERDICT_REFUSED;
	else
		record->verdict = event == EVENT_PLAINTEXT ? RECORD_VERDICT_PLAINTEXT
							   : RECORD_VERDICT_NO_MAIL;
}

/* The TLS libraries that a mail program may use, by the beginning of their file names. */
static const char *const tls_libraries[] = {"libgnutls.so",  "libssl.so",     "libssl3.so",
					    "libmbedtls.so", "libwolfssl.so", "libbearssl.so"};

static void record_blind_spot(struct record *record, const struct connection *connection,
			      struct texts *texts)
{
	struct loaded_object object = {0};

	record->action = RECORD_ACTION_BLIND_SPOT;
	record->outcome = RECORD_OUTCOME_FAILURE;
	record->tls_mode = tls_mode(connection);
	if (connection->smtp.state == SMTP_DIALOGUE || connection->smtp.state == SMTP_UNDECIDED) {
		record->tls_mode = RECORD_TLS_MODE_UNKNOWN;
		record->reason = record_value_text(RECORD_SET_REASON, RECORD_REASON_BYTES_UNSEEN);
		return;
	}
	record->reason = record_value_text(RECORD_SET_REASON, RECORD_REASON_TLS_UNSEEN);
	for (size_t i = 0; i < sizeof(tls_libraries) / sizeof(tls_libraries[0]); i++) {
		if (!loaded_objects_named(tls_libraries[i], &object))
			continue;
		text_append(texts->library, sizeof(texts->library), tls_libraries[i]);
		texts->library[strlen(tls_libraries[i]) - strlen(".so")] = '\0';
		record->library = texts->library;
		return;
	}
}

/* This process has sent, or tried to: its settings matter. */
START_PAGE static atomic_bool has_recorded; /* read in each process at its end */

void connection_record_finish(void)
{
	if (atomic_load(&has_recorded))
		setting_tell_all();
}

void connection_record(const struct connection *connection, enum connection_event event)
{
	const struct enforcement_policy policy = connection_policy_within(connection, NULL);
	struct record record = {0};
	struct texts texts = {0};

	setting_tell_all();
	atomic_store(&has_recorded, true);

	recorder_tell_policy(&record, &policy);
	add_ends(&record, connection, &texts);
	add_origin(&record, connection);
	if (event == EVENT_HANDSHAKE)
		record_handshake(&record, connection, &texts);
	else if (event == EVENT_BLIND_SPOT)
		record_blind_spot(&record, connection, &texts);
	else
		record_clear(&record, connection, event);
	recorder_emit(&record);
}
