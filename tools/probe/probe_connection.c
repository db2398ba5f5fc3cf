/*
 * The steps of one connection. It knows sockets and the order of the dialogue; what is said in it
 * is read by probe_reply.c and probe_answer.c.
 */
#include "tools/probe/probe_connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "shim/record/tls_names.h"
#include "tools/probe/probe_hello.h"
#include "tools/probe/probe_tls.h"

#define READ_SIZE 8192

enum {
	ALERT_PROTOCOL_VERSION = 70,
	/* Reads for one wake-up, so that a server that floods us does not starve the others. */
	READS_MAX = 4,
};

int64_t probe_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- the end ---- */

static void end(struct probe_connection *connection, enum probe_outcome outcome, const char *format,
		...) __attribute__((format(printf, 3, 4)));

static void end(struct probe_connection *connection, enum probe_outcome outcome, const char *format,
		...)
{
	char words[2 * PROBE_WORDS];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(words, sizeof(words), format, arguments);
	va_end(arguments);
	probe_words(connection->how, "%s", words);
	connection->outcome = outcome;
	connection->step = PROBE_STEP_ENDED;
}

/* The last words: nothing waits for them, and if they don't fit into the socket they are lost. */
static void send_last(const struct probe_connection *connection, const void *bytes, size_t length)
{
	(void)send(connection->descriptor, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void say_quit(const struct probe_connection *connection)
{
	static const char quit[] = "QUIT\r\n";

	send_last(connection, quit, sizeof(quit) - 1);
}

/* A ClientHello that goes no further is taken back by an alert. */
static void say_user_canceled(const struct probe_connection *connection)
{
	uint16_t version = probe_version(connection->version);
	const uint8_t alert[] = {21, 3, version < 0x0303 ? (uint8_t)version : 3, 0, 2, 2, 90};

	send_last(connection, alert, sizeof(alert));
}

static void say_close_notify(struct probe_connection *connection)
{
	uint8_t bytes[1024];

	if (!connection->target->implicit)
		(void)SSL_write(connection->ssl, "QUIT\r\n", 6);
	(void)SSL_shutdown(connection->ssl);
	size_t length = probe_tls_take(connection->ssl, bytes, sizeof(bytes));
	send_last(connection, bytes, length);
}

static const char *alert_name(uint8_t alert)
{
	static char number[sizeof("255")];
	const char *name = tls_alert_name(alert);

	if (name != NULL)
		return name;
	(void)snprintf(number, sizeof(number), "%u", alert);
	return number;
}

/*
 * The server has answered, and the answer is no. If OpenSSL asked, its ClientHello may be to
 * blame unless the answer names the version.
 */
static void end_refused(struct probe_connection *connection, bool for_the_version,
			const char *format, ...) __attribute__((format(printf, 3, 4)));

static void end_refused(struct probe_connection *connection, bool for_the_version,
			const char *format, ...)
{
	char words[PROBE_WORDS];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(words, sizeof(words), format, arguments);
	va_end(arguments);
	end(connection,
	    connection->ssl != NULL && !for_the_version ? PROBE_OUTCOME_ASK_BY_HAND
							: PROBE_OUTCOME_REFUSED,
	    "%s", words);
}

static void end_accepted(struct probe_connection *connection, const char *trouble)
{
	probe_words(connection->trouble, "%s", trouble);
	end(connection, PROBE_OUTCOME_ACCEPTED, "%s",
	    connection->handshake_done ? "handshake" : "ServerHello");
}

/* ---- TLS ---- */

/*
 * In 1.3 all but the ServerHello is encrypted: whether the server goes on with its choice is known
 * by completing the handshake, and by nothing that a ClientHello of ours would bring.
 */
static bool is_handshake_1_3(const struct probe_connection *connection)
{
	return connection->ssl != NULL && probe_version(connection->version) == 0x0304;
}

/* The server ended, or failed, while the answer stood as it stands. */
static void end_in_tls(struct probe_connection *connection, const char *what)
{
	const struct probe_answer *answer = &connection->answer;

	if (connection->complete)
		end_accepted(connection, what);
	else if (answer->version != 0)
		end_refused(connection, is_handshake_1_3(connection), "chose it, then %s", what);
	else
		end_refused(connection, false, "%s", what);
}

static void end_alert(struct probe_connection *connection)
{
	const struct probe_answer *answer = &connection->answer;
	char what[PROBE_WORDS];

	probe_words(what, "alert %s", alert_name(answer->alert));
	if (!connection->complete && answer->version == 0)
		end_refused(connection, answer->alert == ALERT_PROTOCOL_VERSION, "%s", what);
	else if (!connection->complete)
		end_refused(connection, false, "chose it, then %s", what);
	else
		end_accepted(connection, what);
}

/* The first line of what came where TLS was due. */
static void end_not_tls(struct probe_connection *connection, const uint8_t *bytes, size_t length)
{
	char words[PROBE_WORDS];
	size_t line = 0;

	while (line < length && bytes[line] != '\r' && bytes[line] != '\n')
		line++;
	probe_words(words, "%.*s", (int)(line < PROBE_WORDS ? line : PROBE_WORDS),
		    (const char *)bytes);
	if (connection->answer.state != PROBE_ANSWER_NOT_TLS || connection->answer.version != 0)
		end(connection, PROBE_OUTCOME_NOT_TESTED, "what it answered is no TLS");
	else if (connection->target->implicit && strncmp(words, "220", 3) == 0)
		end(connection, PROBE_OUTCOME_HOPELESS,
		    "no TLS from the first byte there, but SMTP in the clear: try --starttls");
	else
		end(connection, PROBE_OUTCOME_NOT_TESTED, "no TLS, but: %s", words);
}

static void drain_library(struct probe_connection *connection)
{
	if (connection->out_sent == connection->out_length) {
		connection->out_sent = 0;
		connection->out_length = 0;
	}
	connection->out_length +=
		probe_tls_take(connection->ssl, connection->out + connection->out_length,
			       sizeof(connection->out) - connection->out_length);
}

static void take_library(struct probe_connection *connection, const uint8_t *bytes, size_t length)
{
	uint8_t alert = 0;

	switch (probe_tls_feed(connection->ssl, bytes, length)) {
	case PROBE_TLS_DONE:
		drain_library(connection);
		/* Finished goes out first: with the last words it would not be a whole handshake.
		 */
		send_last(connection, connection->out + connection->out_sent,
			  connection->out_length - connection->out_sent);
		connection->handshake_done = true;
		say_close_notify(connection);
		end_accepted(connection, "");
		break;
	case PROBE_TLS_FAILED:
		drain_library(connection);
		if (connection->complete)
			end_accepted(connection, probe_tls_reason());
		else if (is_handshake_1_3(connection) && probe_tls_alert(&alert))
			end_refused(connection, true, "chose it, then alert %s", alert_name(alert));
		else
			end(connection, PROBE_OUTCOME_ASK_BY_HAND, "%s", probe_tls_reason());
		break;
	case PROBE_TLS_GOES_ON:
		drain_library(connection);
		break;
	}
}

static void take_tls(struct probe_connection *connection, const uint8_t *bytes, size_t length)
{
	struct probe_answer *answer = &connection->answer;
	uint16_t version = probe_version(connection->version);
	enum probe_answer_state state = probe_answer_feed(answer, bytes, length);

	if ((state == PROBE_ANSWER_CHOSEN || state == PROBE_ANSWER_COMPLETE) &&
	    answer->version != version) {
		const char *name = tls_version_name(answer->version);
		end_refused(connection, true, "chose %s%s",
			    name != NULL ? (answer->version == 0x0300 ? "SSL " : "TLS ") : "",
			    name != NULL ? name : "no version that we know");
		say_user_canceled(connection);
		return;
	}
	if (state == PROBE_ANSWER_COMPLETE && !is_handshake_1_3(connection))
		connection->complete = true;
	switch (state) {
	case PROBE_ANSWER_ALERT:
		end_alert(connection);
		return;
	case PROBE_ANSWER_CLOSED:
		end_in_tls(connection, "close_notify");
		return;
	case PROBE_ANSWER_NOT_TLS:
		end_not_tls(connection, bytes, length);
		return;
	default:
		break;
	}
	if (connection->ssl != NULL) {
		take_library(connection, bytes, length);
	} else if (connection->complete) {
		end_accepted(connection, "");
		say_user_canceled(connection);
	}
}

static void begin_tls(struct probe_connection *connection)
{
	const struct probe_target *target = connection->target;
	uint8_t random[PROBE_HELLO_RANDOM];

	connection->step = PROBE_STEP_TLS;
	if (connection->ssl != NULL) {
		take_library(connection, NULL, 0);
		return;
	}
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
		end(connection, PROBE_OUTCOME_UNSUPPORTED_HERE, "no random numbers here");
		return;
	}
	_Static_assert(PROBE_HELLO_MAX <= sizeof(connection->out), "a ClientHello fits");
	connection->out_sent = 0;
	connection->out_length =
		probe_hello_write(connection->out, probe_version(connection->version),
				  target->is_address ? NULL : target->host, random);
}

/* ---- SMTP ---- */

static void say(struct probe_connection *connection, enum probe_step step, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void say(struct probe_connection *connection, enum probe_step step, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	int length = vsnprintf((char *)connection->out, sizeof(connection->out), format, arguments);
	va_end(arguments);
	connection->out_sent = 0;
	connection->out_length = (size_t)length;
	connection->step = step;
	probe_reply_init(&connection->reply);
}

/* RFC 5321, 4.1.3: who has no name that he is sure of gives his address. */
static void say_ehlo(struct probe_connection *connection)
{
	struct sockaddr_storage own = {.ss_family = AF_UNSPEC};
	socklen_t length = sizeof(own);
	char text[INET6_ADDRSTRLEN] = "127.0.0.1";
	bool is_ipv6 = false;

	if (connection->settings->helo != NULL) {
		say(connection, PROBE_STEP_EHLO, "EHLO %s\r\n", connection->settings->helo);
		return;
	}
	if (getsockname(connection->descriptor, (struct sockaddr *)&own, &length) == 0) {
		is_ipv6 = own.ss_family == AF_INET6;
		(void)inet_ntop(own.ss_family,
				is_ipv6 ? (const void *)&((struct sockaddr_in6 *)&own)->sin6_addr
					: (const void *)&((struct sockaddr_in *)&own)->sin_addr,
				text, sizeof(text));
	}
	say(connection, PROBE_STEP_EHLO, "EHLO [%s%s]\r\n", is_ipv6 ? "IPv6:" : "", text);
}

static const char *const step_names[] = {
	[PROBE_STEP_CONNECT] = "connecting",
	[PROBE_STEP_GREETING] = "the greeting",
	[PROBE_STEP_EHLO] = "the answer to EHLO",
	[PROBE_STEP_STARTTLS] = "the answer to STARTTLS",
	[PROBE_STEP_TLS] = "the answer to the ClientHello",
};

/* A reply that ends the dialogue: for now with 4xx, for good with the others. */
static void end_by_reply(struct probe_connection *connection)
{
	const struct probe_reply *reply = &connection->reply;
	bool for_now = reply->code >= 400 && reply->code < 500;

	end(connection, for_now ? PROBE_OUTCOME_NOT_TESTED : PROBE_OUTCOME_HOPELESS, "%s: %s",
	    step_names[connection->step], reply->line);
	say_quit(connection);
}

static void after_ehlo(struct probe_connection *connection)
{
	struct probe_target *target = connection->target;

	if (connection->reply.code != 250) {
		end_by_reply(connection);
		return;
	}
	if (!connection->reply.offers_starttls) {
		if (target->starttls == PROBE_STARTTLS_UNKNOWN)
			target->starttls = PROBE_STARTTLS_NOT_OFFERED;
		end(connection, PROBE_OUTCOME_HOPELESS, "STARTTLS not offered");
		say_quit(connection);
		return;
	}
	target->starttls = PROBE_STARTTLS_OFFERED;
	say(connection, PROBE_STEP_STARTTLS, "STARTTLS\r\n");
}

static void after_starttls(struct probe_connection *connection)
{
	struct probe_target *target = connection->target;
	const struct probe_reply *reply = &connection->reply;

	if (reply->code == 220) {
		begin_tls(connection);
		return;
	}
	probe_words(target->starttls_reply, "%s", reply->line);
	/* RFC 3207, 4: 454 and 5xx are about TLS; 421 is about the connection (RFC 5321, 3.8). */
	if (reply->code != 421)
		target->starttls = PROBE_STARTTLS_REFUSED;
	end(connection, reply->code == 421 ? PROBE_OUTCOME_NOT_TESTED : PROBE_OUTCOME_HOPELESS,
	    "STARTTLS answered with %s", reply->line);
	say_quit(connection);
}

static void after_reply(struct probe_connection *connection)
{
	switch (connection->reply.state) {
	case PROBE_REPLY_WAITING:
		return;
	case PROBE_REPLY_NO_SMTP:
		end(connection, PROBE_OUTCOME_HOPELESS, "%s is no SMTP: %s",
		    step_names[connection->step], connection->reply.line);
		return;
	case PROBE_REPLY_TOO_LONG:
		end(connection, PROBE_OUTCOME_HOPELESS, "%s has no end",
		    step_names[connection->step]);
		return;
	case PROBE_REPLY_COMPLETE:
		break;
	}
	connection->deadline = probe_now() + connection->settings->timeout_ms;
	if (connection->step == PROBE_STEP_EHLO)
		after_ehlo(connection);
	else if (connection->step == PROBE_STEP_STARTTLS)
		after_starttls(connection);
	else if (connection->reply.code == 220)
		say_ehlo(connection);
	else
		end_by_reply(connection);
}

/* ---- the socket ---- */

/* 0: the server has closed. */
static void take_end(struct probe_connection *connection, int error)
{
	const char *what = error == 0 ? "closed" : error == ECONNRESET ? "reset" : strerror(error);

	if (connection->step == PROBE_STEP_TLS)
		end_in_tls(connection, what);
	else
		end(connection, PROBE_OUTCOME_NOT_TESTED, "%s instead of %s", what,
		    step_names[connection->step]);
}

static void take(struct probe_connection *connection, const uint8_t *bytes, size_t length)
{
	while (length > 0 && connection->step < PROBE_STEP_TLS) {
		size_t taken = probe_reply_take(&connection->reply, (const char *)bytes, length);
		bytes += taken;
		length -= taken;
		after_reply(connection);
	}
	if (length > 0 && connection->step == PROBE_STEP_TLS)
		take_tls(connection, bytes, length);
}

static void read_some(struct probe_connection *connection)
{
	uint8_t bytes[READ_SIZE];

	for (unsigned i = 0; i < READS_MAX && connection->step != PROBE_STEP_ENDED; i++) {
		ssize_t length = recv(connection->descriptor, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (length > 0) {
			take(connection, bytes, (size_t)length);
		} else if (length == 0 || (errno != EAGAIN && errno != EINTR)) {
			take_end(connection, length == 0 ? 0 : errno);
		} else {
			return;
		}
	}
}

static void write_some(struct probe_connection *connection)
{
	while (connection->step != PROBE_STEP_ENDED &&
	       connection->out_sent < connection->out_length) {
		ssize_t length = send(
			connection->descriptor, connection->out + connection->out_sent,
			connection->out_length - connection->out_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (length < 0) {
			/* What the server said before it went is still to be read. */
			if (errno != EAGAIN && errno != EINTR)
				connection->out_length = connection->out_sent;
			return;
		}
		connection->out_sent += (size_t)length;
		if (connection->ssl != NULL && connection->step == PROBE_STEP_TLS)
			drain_library(connection);
	}
}

static void after_connect(struct probe_connection *connection, int error)
{
	if (error == EINPROGRESS)
		return;
	if (error != 0) {
		end(connection, PROBE_OUTCOME_HOPELESS, "%s", strerror(error));
		return;
	}
	connection->deadline = probe_now() + connection->settings->timeout_ms;
	if (connection->target->implicit) {
		begin_tls(connection);
	} else {
		connection->step = PROBE_STEP_GREETING;
		probe_reply_init(&connection->reply);
	}
}

void probe_connection_begin(struct probe_connection *connection,
			    const struct probe_settings *settings, struct probe_target *target,
			    size_t version, SSL_CTX *context)
{
	*connection = (struct probe_connection){
		.settings = settings,
		.target = target,
		.version = version,
		.deadline = probe_now() + settings->timeout_ms,
	};
	connection->descriptor =
		socket(target->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (connection->descriptor < 0) {
		end(connection, PROBE_OUTCOME_UNSUPPORTED_HERE, "no socket here: %s",
		    strerror(errno));
		return;
	}
	if (context != NULL) {
		connection->ssl = probe_tls_new(context, probe_version(version),
						target->is_address ? NULL : target->host);
		if (connection->ssl == NULL) {
			end(connection, PROBE_OUTCOME_ASK_BY_HAND, "%s", probe_tls_reason());
			return;
		}
	}
	int failed = connect(connection->descriptor, (const struct sockaddr *)&target->address,
			     target->address_length);
	after_connect(connection, failed ? errno : 0);
	write_some(connection);
}

short probe_connection_events(const struct probe_connection *connection)
{
	if (connection->step == PROBE_STEP_CONNECT)
		return POLLOUT;
	return connection->out_sent < connection->out_length ? POLLIN | POLLOUT : POLLIN;
}

void probe_connection_go_on(struct probe_connection *connection, short events)
{
	if (connection->step == PROBE_STEP_CONNECT) {
		int error = 0;
		socklen_t length = sizeof(error);

		if (getsockopt(connection->descriptor, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
			error = errno;
		after_connect(connection, error);
	} else if (events & (POLLIN | POLLHUP | POLLERR)) {
		read_some(connection);
	}
	/* What was read may want an answer, and the socket nearly always has room. */
	write_some(connection);
}

void probe_connection_expire(struct probe_connection *connection)
{
	const struct probe_answer *answer = &connection->answer;
	double seconds = connection->settings->timeout_ms / 1000.0;

	if (connection->step == PROBE_STEP_TLS && connection->complete)
		end_accepted(connection, "timeout within the handshake");
	else if (connection->step == PROBE_STEP_TLS && answer->version != 0)
		end_refused(connection, is_handshake_1_3(connection),
			    "chose it, then timeout after %g s", seconds);
	else if (connection->step == PROBE_STEP_TLS)
		end(connection, PROBE_OUTCOME_SILENT, "timeout: no answer within %g s", seconds);
	else if (connection->step == PROBE_STEP_CONNECT)
		end(connection, PROBE_OUTCOME_HOPELESS, "timeout: no connection within %g s",
		    seconds);
	else
		end(connection, PROBE_OUTCOME_HOPELESS, "timeout: %s took more than %g s",
		    step_names[connection->step], seconds);
}

void probe_connection_close(struct probe_connection *connection)
{
	SSL_free(connection->ssl);
	connection->ssl = NULL;
	if (connection->descriptor >= 0)
		close(connection->descriptor);
	connection->descriptor = -1;
}
