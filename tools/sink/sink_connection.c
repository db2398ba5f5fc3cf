/*
 * One connection of the sink. It joins the three that know nothing of each
 * other: the socket, TLS, and the SMTP session.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#include <openssl/err.h>

#include "tools/sink/sink_connection.h"
#include "tools/sink/sink_tls.h"

#define READ_SIZE 16384

/* How long a client may keep its end open after ours was closed. */
#define LINGER_MS    1000
#define LINGER_READS 64

struct connection {
	struct sink *sink;
	int fd;
	SSL *ssl; /* NULL until TLS begins */
	const char *tls_mode;
	bool established;
	sink_version given;
	struct sink_offer offer;
	struct smtp_session session;
	char error[160]; /* empty: none */
};

/* The first error is the cause; what follows from it is not kept. */
static void set_error(struct connection *connection, const char *error)
{
	if (connection->error[0] != '\0')
		return;
	if (atomic_load(&connection->sink->stopping))
		error = "the sink was stopped";
	(void)snprintf(connection->error, sizeof(connection->error), "%s", error);
}

static void set_socket_error(struct connection *connection, int error_number)
{
	/* For a number that the system knows this is a constant: safe in any thread. */
	const char *reason = strerror(error_number);

	/* EAGAIN is what SO_RCVTIMEO and SO_SNDTIMEO make of a wait that is too long. */
	set_error(connection, error_number == EAGAIN ? "timed out" : reason);
}

/* `result` is what the SSL call returned, `error_number` the errno it left. */
static void set_tls_error(struct connection *connection, int result, int error_number)
{
	const char *reason = NULL;

	switch (SSL_get_error(connection->ssl, result)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		set_error(connection, "timed out");
		return;
	case SSL_ERROR_ZERO_RETURN:
		set_error(connection, "closed by the client");
		return;
	case SSL_ERROR_SYSCALL:
		set_socket_error(connection, error_number);
		return;
	default:
		reason = ERR_reason_error_string(ERR_peek_last_error());
		set_error(connection, reason != NULL ? reason : "TLS failed");
	}
}

/* A client's leaving is no error; but it looks the same when we were told to stop. */
static void note_stop(struct connection *connection)
{
	if (atomic_load(&connection->sink->stopping))
		set_error(connection, "the sink was stopped");
}

/* Bytes read; 0 at the end of the client's bytes or on an error, which is noted. */
static size_t read_some(struct connection *connection, char *bytes, size_t size)
{
	errno = 0;
	if (connection->ssl == NULL) {
		ssize_t length = recv(connection->fd, bytes, size, 0);
		if (length < 0)
			set_socket_error(connection, errno);
		else if (length == 0)
			note_stop(connection);
		return length > 0 ? (size_t)length : 0;
	}
	size_t length = 0;
	ERR_clear_error();
	int result = SSL_read_ex(connection->ssl, bytes, size, &length);
	if (result == 1)
		return length;
	if (SSL_get_error(connection->ssl, result) != SSL_ERROR_ZERO_RETURN)
		set_tls_error(connection, result, errno);
	else
		note_stop(connection);
	return 0;
}

static bool write_clear(struct connection *connection, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = send(connection->fd, bytes, length, MSG_NOSIGNAL);
		if (written < 0) {
			set_socket_error(connection, errno);
			return false;
		}
		bytes += written;
		length -= (size_t)written;
	}
	return true;
}

static bool write_encrypted(struct connection *connection, const char *bytes, size_t length)
{
	size_t written = 0;

	errno = 0;
	ERR_clear_error();
	int result = SSL_write_ex(connection->ssl, bytes, length, &written);
	if (result != 1)
		set_tls_error(connection, result, errno);
	return result == 1;
}

static bool send_replies(struct connection *connection)
{
	struct smtp_session *session = &connection->session;
	size_t length = session->replies_length;

	session->replies_length = 0;
	if (length == 0)
		return true;
	if (connection->ssl == NULL)
		return write_clear(connection, session->replies, length);
	return write_encrypted(connection, session->replies, length);
}

/*
 * In TLS 1.3 the server has all that it needs once the client's Finished came;
 * only the tickets may still fail to reach a client that has left already.
 */
static bool only_tickets_failed(const SSL *ssl)
{
	return SSL_version(ssl) == TLS1_3_VERSION && SSL_get_state(ssl) == TLS_ST_SW_SESSION_TICKET;
}

static bool handshake(struct connection *connection, const char *tls_mode)
{
	struct sink *sink = connection->sink;
	bool cut = sink->settings.cut == SINK_CUT_SERVER_HELLO;

	if (sink->settings.mix)
		connection->given = sink_tls_any_version(&sink->settings);
	connection->ssl = sink_tls_new(sink->context, connection->fd, connection->given, cut,
				       &connection->offer);
	if (connection->ssl == NULL) {
		set_error(connection, "no memory for TLS");
		return false;
	}
	connection->tls_mode = tls_mode;
	errno = 0;
	ERR_clear_error();
	int result = SSL_accept(connection->ssl);
	int error_number = errno;
	connection->established = result == 1 || only_tickets_failed(connection->ssl);
	if (result == 1)
		return true;
	if (cut && SSL_get_pending_cipher(connection->ssl) != NULL)
		set_error(connection, "the ServerHello was cut, as told");
	set_tls_error(connection, result, error_number);
	return false;
}

/* STARTTLS was answered with 220: what the client sent before that answer does not count. */
static bool start_tls(struct connection *connection)
{
	if (!handshake(connection, "starttls"))
		return false;
	smtp_session_encrypted(&connection->session);
	return true;
}

/* Takes all of `bytes`, unless the session ends before; false when the connection is over. */
static bool converse(struct connection *connection, const char *bytes, size_t length)
{
	struct smtp_session *session = &connection->session;

	while (length > 0 && session->next == SMTP_NEXT_BYTES) {
		size_t taken = smtp_session_take(session, bytes, length);
		bytes += taken;
		length -= taken;
		if (!send_replies(connection))
			return false;
	}
	if (session->facts.tls_unasked)
		set_error(connection, "TLS came where a command in the clear was due");
	if (session->next == SMTP_NEXT_TLS) {
		if (length > 0)
			set_error(connection, "bytes came after STARTTLS before its answer");
		return start_tls(connection);
	}
	return session->next == SMTP_NEXT_BYTES;
}

/* Waits with the greeting; a socket that is shut down ends the wait. */
static void delay(const struct connection *connection)
{
	struct pollfd closed = {.fd = connection->fd, .events = 0};

	if (connection->sink->settings.delay_ms > 0)
		poll(&closed, 1, (int)connection->sink->settings.delay_ms);
}

static void run_session(struct connection *connection)
{
	const struct sink_settings *settings = &connection->sink->settings;
	char bytes[READ_SIZE];
	size_t length = 0;

	if (settings->implicit && !handshake(connection, "implicit"))
		return;
	if (settings->cut == SINK_CUT_GREETING)
		return;
	delay(connection);
	smtp_session_greet(&connection->session);
	if (!send_replies(connection))
		return;
	do
		length = read_some(connection, bytes, sizeof(bytes));
	while (length > 0 && converse(connection, bytes, length));
	smtp_session_end(&connection->session);
}

static void add_entry(const struct connection *connection, unsigned long number, uint16_t peer_port,
		      const struct timespec *started)
{
	struct sink_log_entry entry = {
		.connection = number,
		.peer_port = peer_port,
		.tls_mode = connection->tls_mode,
		.given = connection->given,
		.established = connection->established,
		.ssl = connection->ssl,
		.offer = &connection->offer,
		.facts = &connection->session.facts,
		.error = connection->error[0] != '\0' ? connection->error : NULL,
		.started = *started,
	};

	clock_gettime(CLOCK_REALTIME, &entry.ended);
	sink_connection_log_add(connection->sink->log, &entry);
}

/*
 * Closes so that the client still gets what was sent: a close with bytes
 * unread, such as the client's close_notify, resets the connection instead
 * (RFC 1122, 4.2.2.13). So its bytes are read to their end, within a limit.
 */
static void close_gently(struct connection *connection)
{
	char unread[512];
	struct pollfd readable = {.fd = connection->fd, .events = POLLIN};

	if (connection->established && connection->error[0] == '\0')
		SSL_shutdown(connection->ssl);
	if (shutdown(connection->fd, SHUT_WR) != 0)
		return;
	for (int reads = 0; reads < LINGER_READS; reads++) {
		if (poll(&readable, 1, LINGER_MS) != 1 ||
		    recv(connection->fd, unread, sizeof(unread), 0) <= 0)
			return;
	}
}

static void set_socket_options(const struct connection *connection)
{
	const struct timeval timeout = {.tv_sec = connection->sink->settings.timeout_s};
	const int on = 1;

	/* If any of these fails, the sink is less patient or slower, but no less true. */
	(void)setsockopt(connection->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	(void)setsockopt(connection->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	(void)setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

void sink_connection_give_up(struct sink *sink, unsigned long number, uint16_t peer_port,
			     const char *error)
{
	struct timespec now;
	struct smtp_facts facts = {0};

	clock_gettime(CLOCK_REALTIME, &now);
	struct sink_log_entry entry = {
		.connection = number,
		.peer_port = peer_port,
		.tls_mode = "none",
		.facts = &facts,
		.error = error,
		.started = now,
		.ended = now,
	};
	sink_connection_log_add(sink->log, &entry);
}

void sink_connection_serve(struct sink *sink, int fd, unsigned long number, uint16_t peer_port)
{
	struct timespec started;

	clock_gettime(CLOCK_REALTIME, &started);
	struct connection *connection = calloc(1, sizeof(*connection));
	if (connection == NULL) {
		sink_connection_give_up(sink, number, peer_port, "no memory");
		return;
	}
	connection->sink = sink;
	connection->fd = fd;
	connection->tls_mode = "none";
	smtp_session_init(&connection->session, &sink->settings.service, sink->settings.implicit);
	set_socket_options(connection);
	run_session(connection);
	add_entry(connection, number, peer_port, &started);
	close_gently(connection);
	SSL_free(connection->ssl);
	/* It may hold the last line of a client's credentials. */
	explicit_bzero(&connection->session, sizeof(connection->session));
	free(connection);
}
