/*
 * The bytes of a connection: what has passed, and what may leave.
 */
#include "shim/core/connection_state.h"

#include <string.h>

#include "shim/base/thread.h"
#include "shim/core/enforcement.h"
#include "shim/core/guard.h"
#include "shim/core/hello.h"
#include "shim/core/recorder.h"
#include "shim/core/wire_certificate.h"

/* Is a TLS library's call under way that these first bytes of TLS come out of? */
static void note_library_call(struct connection *connection)
{
	if (thread_state.library_depth == 0)
		return;
	thread_state.hello_connection = connection_number(connection);
	connection->library_pending = true;
}

static void feed_tls(struct connection *connection, enum tls_side from, const uint8_t *bytes,
		     size_t length)
{
	const bool offered = connection->tls.offered_count > 0;

	if (length == 0)
		return;
	if (connection->began == 0) {
		connection->began = recorder_clock();
		if (from == TLS_FROM_CLIENT)
			note_library_call(connection);
	}
	wire_certificate_want(connection);
	tls_wire_feed(&connection->tls, from, bytes, length);
	wire_certificate_read(connection);
	/* A library that writes into memory has made its ClientHello before it is sent. */
	if (!offered && connection->tls.offered_count > 0 &&
	    hello_is_expected(connection->tls.client_random))
		connection->library_pending = true;
}

/* With the lock held. */
static void feed(struct connection *connection, enum smtp_side from, const uint8_t *bytes,
		 size_t length)
{
	size_t clear = 0;

	if (connection->finished || connection->lost_track)
		return;
	clear = connection_follow_hop(connection, from, bytes, length);
	bytes += clear;
	length -= clear;
	clear = 0;
	if (!connection_speaks_tls(connection))
		clear = smtp_dialogue_feed(&connection->smtp, from, bytes, length);
	if (connection_speaks_tls(connection))
		feed_tls(connection, from == SMTP_FROM_CLIENT ? TLS_FROM_CLIENT : TLS_FROM_SERVER,
			 bytes + clear, length - clear);
}

static void pass(struct connection *connection, enum smtp_side from, const void *bytes,
		 size_t length)
{
	enum connection_event event;
	bool recognised;

	if (!guard_enter())
		return;
	recognised = connection->smtp.state == SMTP_UNDECIDED;
	feed(connection, from, bytes, length);
	recognised = recognised && connection->smtp.state == SMTP_DIALOGUE;
	event = connection_next_event(connection);
	guard_leave();
	if (recognised && !connection->mail_port)
		connection_capture_script(connection);
	if (event == EVENT_NONE)
		return;
	connection_record_event(connection, event);
	if (connection->blocked)
		connection_end_stream(connection);
}

void connection_sent(struct connection *connection, const void *bytes, size_t length)
{
	pass(connection, SMTP_FROM_CLIENT, bytes, length);
}

void connection_received(struct connection *connection, const void *bytes, size_t length)
{
	pass(connection, SMTP_FROM_SERVER, bytes, length);
}

bool connection_is_blocked(const struct connection *connection)
{
	return connection->blocked;
}

/*
 * With the lock held: would these bytes be the first mail or credentials in the
 * clear? What a client sends behind its request to a proxy counts too.
 */
static bool would_send_mail(const struct connection *connection, const struct iovec *parts,
			    size_t count)
{
	struct smtp_dialogue ahead = connection->smtp;
	struct proxy_hop hop = connection->hop;

	for (size_t i = 0; i < count; i++) {
		const uint8_t *bytes = parts[i].iov_base;
		size_t length = parts[i].iov_len;

		if (smtp_dialogue_would_send_mail(&ahead, bytes, length))
			return true;
		smtp_dialogue_feed(&ahead, SMTP_FROM_CLIENT, bytes, length);
		if (hop.state != PROXY_HOP_UNDECIDED && hop.state != PROXY_HOP_BEGUN)
			continue;
		size_t taken = proxy_hop_feed(&hop, PROXY_FROM_CLIENT, bytes, length);

		if (hop.state != PROXY_HOP_ASKED && hop.state != PROXY_HOP_DONE)
			continue;
		smtp_dialogue_init(&ahead,
				   hop.protocol == PROXY_PROTOCOL_PREAMBLE
					   ? connection->mail_port
					   : config_is_mail_port(&recorder.config, hop.port));
		if (smtp_dialogue_would_send_mail(&ahead, bytes + taken, length - taken))
			return true;
		smtp_dialogue_feed(&ahead, SMTP_FROM_CLIENT, bytes + taken, length - taken);
	}
	return false;
}

/*
 * A single alert in the clear (RFC 8446, 5.1 and 6), with which a library ends a
 * handshake: it can't carry anything else.
 */
static bool is_alert(const struct iovec *parts, size_t count)
{
	uint8_t record[7];
	size_t length = 0;

	for (size_t i = 0; i < count; i++) {
		if (parts[i].iov_len > sizeof(record) - length)
			return false;
		memcpy(record + length, parts[i].iov_base, parts[i].iov_len);
		length += parts[i].iov_len;
	}
	return length == sizeof(record) && record[0] == 21 && record[1] == 3 && record[3] == 0 &&
	       record[4] == 2;
}

/* STARTTLS was accepted, and these first bytes are letters and no hello: no TLS after all. */
static bool goes_on_in_clear(const struct connection *connection, const struct iovec *parts,
			     size_t count)
{
	if (connection->smtp.state != SMTP_TLS || connection->began != 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		const uint8_t *bytes = parts[i].iov_base;

		if (parts[i].iov_len > 0)
			return bytes[0] >= ' ' && bytes[0] < 0x7f;
	}
	return false;
}

static bool refuses_plaintext(const struct connection *connection)
{
	return enforcement_of_clear_mail(&recorder.config,
					 !connection_leaves_machine(connection)) ==
	       ENFORCEMENT_REFUSE;
}

bool connection_may_send(struct connection *connection, const struct iovec *parts, size_t count)
{
	enum connection_event event = EVENT_NONE;

	if (!enforcement_refuses(&recorder.config) || connection->finished || !guard_enter())
		return true;
	if (connection->finished)
		event = EVENT_NONE;
	else if (connection_is_below_floor(connection) && !is_alert(parts, count))
		event = EVENT_HANDSHAKE;
	else if (refuses_plaintext(connection) && (would_send_mail(connection, parts, count) ||
						   goes_on_in_clear(connection, parts, count)))
		event = EVENT_PLAINTEXT;
	if (event != EVENT_NONE) {
		connection->blocked = true;
		connection->finished = true;
	}
	guard_leave();
	if (event == EVENT_NONE)
		return true;
	connection_record_event(connection, event);
	connection_end_stream(connection);
	return false;
}

void connection_ended(struct connection *connection, int error)
{
	if (!guard_enter())
		return;
	if (error == 0)
		connection->ended_by_peer = true;
	else
		connection->error = error;
	guard_leave();
}

void connection_lost_track(struct connection *connection)
{
	if (!guard_enter())
		return;
	connection->lost_track = true;
	guard_leave();
}
