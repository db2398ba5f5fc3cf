/*
 * The bytes of a connection: what has passed, and what may leave.
 */
#include "shim/core/connection_state.h"

#include <string.h>

#include "shim/base/thread.h"
#include "shim/core/enforcement.h"
#include "shim/core/hello.h"
#include "shim/core/join.h"
#include "shim/core/readable.h"
#include "shim/core/recorder.h"
#include "shim/core/wire_certificate.h"

/* How much of this part is among the `length` bytes from it on. */
static size_t part_of(const struct iovec *part, size_t length)
{
	return part->iov_len < length ? part->iov_len : length;
}

/* Is a TLS library's call under way that these first bytes of TLS come out of? */
static void note_library_call(struct connection *connection)
{
	if (thread_state.library_depth == 0)
		return;
	thread_state.hello_connection = connection->number + 1;
	connection->library_pending = true;
}

static void feed_tls(struct connection *connection, enum tls_side from, const uint8_t *bytes,
		     size_t length)
{
	const bool offered = connection->tls.offered_count > 0;

	if (length == 0)
		return;
	if (!connection->tls_begun) {
		connection->tls_begun = true;
		if (from == TLS_FROM_CLIENT)
			note_library_call(connection);
	}
	tls_wire_feed(&connection->tls, from, bytes, length);
	/* A library that writes into memory has made its ClientHello before it is sent. */
	if (!offered && connection->tls.offered_count > 0 &&
	    hello_is_expected(connection->tls.client_random))
		connection->library_pending = true;
}

/* Within the guard. */
static void feed(struct connection *connection, enum smtp_side from, const uint8_t *bytes,
		 size_t length)
{
	size_t clear = 0;

	if (connection->finished)
		return;
	if (from == SMTP_FROM_CLIENT)
		connection->sent += length;
	connection->handed_on = false;
	if (!connection_speaks_tls(connection)) {
		clear = connection_follow_hop(connection, from, bytes, length);
		bytes += clear;
		length -= clear;
		clear = smtp_dialogue_feed(&connection->smtp, from, bytes, length);
	}
	/* A line can be missed, a record's boundary can't. */
	if (connection_speaks_tls(connection) && !connection->lost_track)
		feed_tls(connection, from == SMTP_FROM_CLIENT ? TLS_FROM_CLIENT : TLS_FROM_SERVER,
			 bytes + clear, length - clear);
}

/* ---- a candidate's first bytes ---- */

/* Do the first bytes that pass ask a proxy to go on? */
static bool begins_as_hop(enum smtp_side from, const struct iovec *parts, size_t length)
{
	struct proxy_hop hop;

	proxy_hop_init(&hop);
	for (; length > 0 && hop.state == PROXY_HOP_UNDECIDED;
	     length -= part_of(parts, length), parts++)
		proxy_hop_feed(&hop,
			       from == SMTP_FROM_CLIENT ? PROXY_FROM_CLIENT : PROXY_FROM_SERVER,
			       parts->iov_base, part_of(parts, length));
	return hop.state != PROXY_HOP_NONE;
}

/* What the first bytes that pass say. */
static enum smtp_state first_look(enum smtp_side from, const struct iovec *parts, size_t length)
{
	struct smtp_dialogue dialogue;

	smtp_dialogue_init(&dialogue, false);
	for (; length > 0 && dialogue.state == SMTP_UNDECIDED;
	     length -= part_of(parts, length), parts++)
		smtp_dialogue_feed(&dialogue, from, parts->iov_base, part_of(parts, length));
	return dialogue.state;
}

/* Can these be a server's first words after which mail may follow (220: RFC 5321, 4.2)? */
static bool may_greet(const struct iovec *parts, size_t length)
{
	while (length > 0 && parts->iov_len == 0)
		parts++;
	return length > 0 && *(const char *)parts->iov_base == '2';
}

/*
 * There is no memory to know more of it. TLS from its first byte on a port that
 * is not mail's passes; what begins as SMTP is for enforcement to decide. What
 * is read and can't be a greeting waits for what is sent: it may be a file that a
 * sandboxed process was given, as those of browsers are. True if it may go on.
 */
static bool decide_without_memory(const struct connection_call *call, enum smtp_side from,
				  enum smtp_state state, const struct iovec *parts, size_t length)
{
	const bool is_mail = state == SMTP_DIALOGUE || state == SMTP_UNDECIDED;

	if (state == SMTP_UNDECIDED && from == SMTP_FROM_SERVER && !may_greet(parts, length))
		return true;
	if (is_mail)
		recorder_count_lost();
	if (enforcement_in_doubt(&recorder.policy, is_mail) == ENFORCEMENT_PROCEED) {
		connection_dismiss_candidate(call->fd, call->entry);
		return true;
	}
	connection_block_candidate(call->fd, call->entry);
	return false;
}

/* The connection of a call, if its descriptor still is a name of it, with a reference. */
static struct connection *connection_held_since(const struct connection_call *call)
{
	struct connection *connection = call->connection;

	if (!connection || !connection_hold(connection))
		return NULL;
	/* Another thread may have closed it while the call was under way. */
	if (descriptor_entry(call->fd) == call->entry && connection->generation == call->generation)
		return connection;
	connection_release(connection);
	return NULL;
}

/*
 * The connection that a call is about, with a reference; NULL if it is nothing of
 * ours, or not any more. A candidate whose first bytes these are becomes one, or
 * is dismissed.
 */
static struct connection *connection_of_call(const struct connection_call *call,
					     enum smtp_side from, const struct iovec *parts,
					     size_t length)
{
	const enum descriptor_kind kind = descriptor_kind(call->entry);
	struct connection *connection;
	enum smtp_state state;

	if (kind == DESCRIPTOR_UNMONITORED || length == 0)
		return NULL;
	if (call->connection)
		return connection_held_since(call);
	if (kind == DESCRIPTOR_CANDIDATE && descriptor_entry(call->fd) == call->entry) {
		state = first_look(from, parts, length);
		if (state == SMTP_NOT_SMTP && !begins_as_hop(from, parts, length)) {
			connection_dismiss_candidate(call->fd, call->entry);
			return NULL;
		}
		connection = connection_of_descriptor(call->fd);
		if (!connection && descriptor_entry(call->fd) == call->entry)
			(void)decide_without_memory(call, from, state, parts, length);
		return connection;
	}
	return connection_of_descriptor(call->fd);
}

/* ---- what has passed ---- */

static void feed_parts(struct connection *connection, enum smtp_side from,
		       const struct iovec *parts, size_t length)
{
	for (; length > 0; length -= part_of(parts, length), parts++)
		feed(connection, from, parts->iov_base, part_of(parts, length));
}

static bool refuses_plaintext(const struct connection *connection)
{
	const struct enforcement_policy policy = connection_policy_within(connection, NULL);

	return enforcement_of_clear_mail(&policy, !connection_leaves_machine(connection)) ==
	       ENFORCEMENT_REFUSE;
}

/* Within the guard: is it a session in the clear that may not carry what can't be looked at? */
static bool refuses_unseen(const struct connection *connection)
{
	return !connection->finished &&
	       (connection->smtp.state == SMTP_DIALOGUE ||
		(connection->smtp.state == SMTP_UNDECIDED && connection->mail_port)) &&
	       refuses_plaintext(connection) &&
	       enforcement_in_doubt(&recorder.policy, true) == ENFORCEMENT_REFUSE;
}

/*
 * The server has answered what no hook sent, and the kernel has sent more than
 * was seen: by stdio over a descriptor that was made its own, by system calls, by
 * io_uring. What comes next would be mail.
 */
static void refuse_if_unseen(struct connection *connection)
{
	bool refused = false;

	connection_look_for_unseen(connection, connection->descriptor);
	if (!connection->lost_track)
		return;
	if (!guard_enter(&connection->guard)) {
		connection_in_doubt(connection);
		return;
	}
	if (refuses_unseen(connection)) {
		connection->blocked = true;
		refused = connection_finish(connection, FINISHED_OWING);
	}
	guard_leave(&connection->guard);
	if (!refused)
		return;
	connection_record_event(connection, EVENT_PLAINTEXT);
	connection_end_stream(connection);
}

/* What of TLS decides with its mail what is to be recorded. */
struct stage {
	enum tls_progress progress;
	uint16_t version;
	bool pending;
};

static struct stage stage_of(const struct connection *connection)
{
	return (struct stage){connection->tls.progress, connection->tls.version,
			      connection->library_pending};
}

/*
 * Bytes of TLS that said nothing new: of most records only the length is of
 * interest. What was decided before them stands then. Exceptions apply by names
 * that may have become known since.
 */
static bool says_nothing(const struct connection *connection, const struct stage *before)
{
	return connection->tls.progress == before->progress &&
	       connection->tls.version == before->version &&
	       connection->library_pending == before->pending && !connection->tls.certificate &&
	       recorder.config.exception_count == 0;
}

static void learn(struct connection *connection, enum smtp_side from, const struct iovec *parts,
		  size_t length)
{
	enum wire_certificate_need need = WIRE_CERTIFICATE_NOTHING;
	enum connection_event event;
	bool recognised;
	bool suspicious;
	bool began;

	if (!guard_enter(&connection->guard)) {
		connection_in_doubt(connection);
		return;
	}
	began = connection->tls_begun;
	recognised = connection->smtp.state == SMTP_UNDECIDED;
	if (began && !connection->finished) {
		const struct stage before = stage_of(connection);

		feed_parts(connection, from, parts, length);
		if (says_nothing(connection, &before)) {
			guard_leave(&connection->guard);
			return;
		}
	} else {
		feed_parts(connection, from, parts, length);
	}
	recognised = recognised && connection->smtp.state == SMTP_DIALOGUE;
	began = !began && connection->tls_begun;
	if (connection->tls_begun)
		need = wire_certificate_read(connection);
	event = connection_next_event(connection);
	suspicious = event == EVENT_NONE && connection->smtp.answered_unasked &&
		     refuses_unseen(connection);
	guard_leave(&connection->guard);
	wire_certificate_provide(connection, need);
	if (suspicious)
		refuse_if_unseen(connection);
	if (began)
		connection->began = recorder_clock();
	if (recognised && !connection->mail_port)
		connection_capture_script(connection);
	if (event == EVENT_NONE)
		return;
	connection_record_event(connection, event);
	if (connection->blocked)
		connection_end_stream(connection);
}

static void pass(const struct connection_call *call, enum smtp_side from, const struct iovec *parts,
		 size_t length)
{
	struct connection *connection = connection_of_call(call, from, parts, length);

	if (!connection)
		return;
	if (!connection->finished)
		learn(connection, from, parts, length);
	if (connection->finished)
		connection_settle_descriptor(call->fd, connection);
	connection_release(connection);
}

void connection_sent(const struct connection_call *call, const struct iovec *parts, size_t length)
{
	pass(call, SMTP_FROM_CLIENT, parts, length);
}

void connection_received(const struct connection_call *call, const struct iovec *parts,
			 size_t length)
{
	pass(call, SMTP_FROM_SERVER, parts, length);
}

bool connection_was_refused(const struct connection_call *call)
{
	return descriptor_kind(descriptor_entry(call->fd)) == DESCRIPTOR_BLOCKED &&
	       call->entry != DESCRIPTOR_UNMONITORED;
}

/* ---- what may leave ---- */

/* What a client sends behind its request to a proxy is judged from there on. */
static bool would_send_behind_hop(struct smtp_dialogue *ahead, struct proxy_hop *hop,
				  const struct connection *connection, const uint8_t *bytes,
				  size_t length)
{
	size_t taken;

	if (hop->state != PROXY_HOP_UNDECIDED && hop->state != PROXY_HOP_BEGUN)
		return false;
	taken = proxy_hop_feed(hop, PROXY_FROM_CLIENT, bytes, length);
	if (hop->state != PROXY_HOP_ASKED && hop->state != PROXY_HOP_DONE)
		return false;
	smtp_dialogue_init(ahead, hop->protocol == PROXY_PROTOCOL_PREAMBLE
					  ? connection->mail_port
					  : config_is_mail_port(&recorder.config, hop->port));
	if (smtp_dialogue_would_send_mail(ahead, bytes + taken, length - taken))
		return true;
	smtp_dialogue_feed(ahead, SMTP_FROM_CLIENT, bytes + taken, length - taken);
	return false;
}

/* Within the guard: would these bytes be the first mail or credentials in the clear? */
static bool would_send_mail(const struct connection *connection, const struct iovec *parts,
			    size_t length)
{
	struct smtp_dialogue ahead = connection->smtp;
	struct proxy_hop hop = connection->hop;

	for (; length > 0; length -= part_of(parts, length), parts++) {
		const size_t part = part_of(parts, length);

		if (smtp_dialogue_would_send_mail(&ahead, parts->iov_base, part))
			return true;
		smtp_dialogue_feed(&ahead, SMTP_FROM_CLIENT, parts->iov_base, part);
		if (would_send_behind_hop(&ahead, &hop, connection, parts->iov_base, part))
			return true;
	}
	return false;
}

/*
 * A single alert in the clear (RFC 8446, 5.1 and 6), with which a library ends a
 * handshake: it can't carry anything else.
 */
static bool is_alert(const struct iovec *parts, size_t length)
{
	uint8_t record[7];
	size_t seen = 0;

	if (length != sizeof(record))
		return false;
	for (; seen < length; parts++) {
		const size_t part = part_of(parts, length - seen);

		memcpy(record + seen, parts->iov_base, part);
		seen += part;
	}
	return record[0] == 21 && record[1] == 3 && record[3] == 0 && record[4] == 2;
}

/* STARTTLS was accepted, and these first bytes are letters and no hello: no TLS after all. */
static bool goes_on_in_clear(const struct connection *connection, const struct iovec *parts,
			     size_t length)
{
	const uint8_t *bytes;

	if (connection->smtp.state != SMTP_TLS || connection->tls_begun || length == 0)
		return false;
	while (parts->iov_len == 0)
		parts++;
	bytes = parts->iov_base;
	return bytes[0] >= ' ' && bytes[0] < 0x7f;
}

/* Within the guard: what is to be recorded because these bytes must not leave. */
static enum connection_event reason_to_refuse(const struct connection *connection,
					      const struct iovec *parts, size_t length)
{
	if (connection_is_below_floor(connection) && !is_alert(parts, length))
		return EVENT_HANDSHAKE;
	if (refuses_plaintext(connection) && (would_send_mail(connection, parts, length) ||
					      goes_on_in_clear(connection, parts, length)))
		return EVENT_PLAINTEXT;
	return EVENT_NONE;
}

/* Nothing of what it is asked to judge may be where the kernel could not read. */
static bool may_pass(struct connection *connection, const struct iovec *parts, size_t length)
{
	enum connection_event event;

	if (!guard_enter(&connection->guard)) {
		connection_in_doubt(connection);
		return !connection->blocked;
	}
	event = connection->finished ? EVENT_NONE : reason_to_refuse(connection, parts, length);
	if (event != EVENT_NONE) {
		connection->blocked = true;
		if (!connection_finish(connection, FINISHED_OWING))
			event = EVENT_NONE;
	}
	guard_leave(&connection->guard);
	if (event != EVENT_NONE) {
		connection_record_event(connection, event);
		connection_end_stream(connection);
	}
	return !connection->blocked;
}

/* What comes behind an address that is none is never sent by the same call. */
static size_t readable_length(const struct iovec *parts, size_t count)
{
	size_t length = 0;

	if (readable_bytes(parts, count * sizeof(*parts)) < count * sizeof(*parts))
		return 0;
	for (size_t i = 0; i < count; i++) {
		const size_t part = readable_bytes(parts[i].iov_base, parts[i].iov_len);

		length += part;
		if (part < parts[i].iov_len)
			break;
	}
	return length;
}

bool connection_may_send(const struct connection_call *call, const struct iovec *parts,
			 size_t count)
{
	struct connection *connection;
	size_t length;
	bool may;

	if (call->entry == DESCRIPTOR_UNMONITORED || !enforcement_refuses(&recorder.policy))
		return true;
	length = readable_length(parts, count);
	connection = connection_of_call(call, SMTP_FROM_CLIENT, parts, length);
	if (!connection)
		return !connection_was_refused(call);
	may = may_pass(connection, parts, length);
	connection_settle_descriptor(call->fd, connection);
	connection_release(connection);
	return may;
}

/* ---- what became of it ---- */

void connection_ended(const struct connection_call *call, int error)
{
	struct connection *connection = connection_held_since(call);

	if (!connection)
		return;
	if (guard_enter(&connection->guard)) {
		if (error == 0)
			connection->ended_by_peer = true;
		else
			connection->error = error;
		guard_leave(&connection->guard);
	}
	connection_release(connection);
}

void connection_lost_track(const struct connection_call *call)
{
	struct connection *connection = connection_held_since(call);

	if (!connection)
		return;
	if (guard_enter(&connection->guard)) {
		connection->lost_track = true;
		guard_leave(&connection->guard);
	}
	connection_release(connection);
}

bool connection_may_pass_unseen(const struct connection_call *call)
{
	struct connection *connection = connection_held_since(call);
	bool refused = false;

	if (!connection)
		return !connection_was_refused(call);
	if (!guard_enter(&connection->guard)) {
		connection_in_doubt(connection);
		refused = connection->blocked;
		connection_release(connection);
		return !refused;
	}
	refused = refuses_unseen(connection);
	if (refused)
		connection->blocked = true;
	else
		connection->lost_track = true;
	refused = refused && connection_finish(connection, FINISHED_OWING);
	guard_leave(&connection->guard);
	if (refused) {
		connection_record_event(connection, EVENT_PLAINTEXT);
		connection_end_stream(connection);
	}
	refused = connection->blocked;
	connection_release(connection);
	return !refused;
}
