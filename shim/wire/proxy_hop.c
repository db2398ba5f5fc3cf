/*
 * One walk for each side, byte by byte: a hop has some dozens of them. Which
 * step is next depends on what has passed and on nothing else, so it makes no
 * difference where the reads and writes of the host happen to split them.
 */
#include "shim/wire/proxy_hop.h"

#include <string.h>

/* The bytes that nothing else begins with. */
static const char connect_verb[] = "CONNECT ";
static const char preamble_text[] = "PROXY ";
static const char preamble_binary[] = "\r\n\r\n\0\r\nQUIT\n";

enum {
	SOCKS4 = 4,
	SOCKS5 = 5,
	SOCKS_CONNECT = 1,
	SOCKS4_GRANTED = 90,
	METHOD_NONE = 0,
	METHOD_PASSWORD = 2,
	ADDRESS_V4 = 1,
	ADDRESS_NAME = 3,
	ADDRESS_V6 = 4,
	FAMILY_V4 = 1, /* of the PROXY protocol */
	FAMILY_V6 = 2,
	HEADERS_MAX = 32768, /* of a request or an answer: what is longer is no CONNECT */
};

/* What the next byte of the client is. */
enum client_step {
	CLIENT_BEGINS,
	CLIENT_METHOD_COUNT,
	CLIENT_METHODS,
	CLIENT_WAITS, /* for the server to choose */
	CLIENT_USER_VERSION,
	CLIENT_USER_LENGTH,
	CLIENT_USER,
	CLIENT_PASSWORD_LENGTH,
	CLIENT_PASSWORD,
	CLIENT_VERSION,
	CLIENT_COMMAND,
	CLIENT_RESERVED,
	CLIENT_ADDRESS_KIND,
	CLIENT_NAME_LENGTH,
	CLIENT_NAME,
	CLIENT_ADDRESS,
	CLIENT_PORT,
	CLIENT_SOCKS4_COMMAND,
	CLIENT_SOCKS4_PORT,
	CLIENT_SOCKS4_ADDRESS,
	CLIENT_SOCKS4_USER,
	CLIENT_SOCKS4_NAME,
	CLIENT_TARGET,
	CLIENT_HEADERS,
	CLIENT_PREAMBLE_PROTOCOL,
	CLIENT_PREAMBLE_SOURCE,
	CLIENT_PREAMBLE_REST,
	CLIENT_BINARY_COMMAND,
	CLIENT_BINARY_FAMILY,
	CLIENT_BINARY_LENGTH,
	CLIENT_BINARY_SOURCE,
	CLIENT_BINARY_REST,
	CLIENT_DONE,
};

enum server_step {
	SERVER_SILENT, /* what it says now is part of no hop */
	SERVER_METHOD_VERSION,
	SERVER_METHOD,
	SERVER_USER_VERSION,
	SERVER_USER_STATUS,
	SERVER_VERSION,
	SERVER_REPLY,
	SERVER_RESERVED,
	SERVER_ADDRESS_KIND,
	SERVER_NAME_LENGTH,
	SERVER_REST, /* the address it bound, and its port */
	SERVER_SOCKS4_NULL,
	SERVER_SOCKS4_CODE,
	SERVER_STATUS_LINE,
	SERVER_HEADERS,
	SERVER_BODY, /* of an answer that did not agree: up to the client's next request */
};

static const char *literal_of(enum proxy_protocol protocol, uint8_t first, size_t *length)
{
	if (protocol == PROXY_PROTOCOL_HTTP) {
		*length = sizeof(connect_verb) - 1;
		return connect_verb;
	}
	*length = first == 'P' ? sizeof(preamble_text) - 1 : sizeof(preamble_binary) - 1;
	return first == 'P' ? preamble_text : preamble_binary;
}

void proxy_hop_init(struct proxy_hop *hop)
{
	memset(hop, 0, sizeof(*hop));
}

static void set_step(struct proxy_hop *hop, enum client_step step)
{
	hop->step[PROXY_FROM_CLIENT] = (uint8_t)step;
	hop->filled = 0;
	hop->number = 0;
}

static void set_server_step(struct proxy_hop *hop, enum server_step step)
{
	hop->step[PROXY_FROM_SERVER] = (uint8_t)step;
	hop->line_end[PROXY_FROM_SERVER] = 0;
}

static void give_up(struct proxy_hop *hop)
{
	hop->state = PROXY_HOP_NONE;
}

/* The client has said all that it has to say before the connection proper. */
static void client_is_done(struct proxy_hop *hop, enum server_step answer)
{
	set_step(hop, CLIENT_DONE);
	hop->state = PROXY_HOP_ASKED;
	set_server_step(hop, answer);
	if (answer == SERVER_SILENT)
		hop->state = PROXY_HOP_DONE;
}

/* A byte of a name; what is too long is none that anybody could be asked for. */
static void add_to_host(struct proxy_hop *hop, uint8_t byte)
{
	if (hop->filled == PROXY_HOST_MAX || byte <= ' ' || byte >= 0x7f) {
		give_up(hop);
		return;
	}
	hop->host[hop->filled++] = (char)byte;
	hop->host[hop->filled] = '\0';
}

static void start_address(struct proxy_hop *hop, enum client_step step, uint8_t size)
{
	hop->address_size = size;
	set_step(hop, step);
	hop->left = size;
}

/* ---- how it begins ---- */

static void begin_literal(struct proxy_hop *hop, enum proxy_protocol protocol)
{
	hop->protocol = protocol;
	hop->recognised = 1;
}

static void begin(struct proxy_hop *hop, uint8_t byte)
{
	memset(hop->host, 0, sizeof(hop->host));
	hop->address_size = 0;
	hop->port = 0;
	if (byte == SOCKS5) {
		hop->protocol = PROXY_PROTOCOL_SOCKS5;
		hop->state = PROXY_HOP_BEGUN;
		set_step(hop, CLIENT_METHOD_COUNT);
		set_server_step(hop, SERVER_METHOD_VERSION);
	} else if (byte == SOCKS4) {
		hop->protocol = PROXY_PROTOCOL_SOCKS4;
		hop->state = PROXY_HOP_BEGUN;
		set_step(hop, CLIENT_SOCKS4_COMMAND);
		set_server_step(hop, SERVER_SOCKS4_NULL);
	} else if (byte == (uint8_t)connect_verb[0]) {
		begin_literal(hop, PROXY_PROTOCOL_HTTP);
	} else if (byte == (uint8_t)preamble_text[0] || byte == (uint8_t)preamble_binary[0]) {
		begin_literal(hop, PROXY_PROTOCOL_PREAMBLE);
		hop->number = byte;
	} else {
		give_up(hop);
	}
}

/* One more byte of the beginning of CONNECT or of a preamble. */
static void recognise(struct proxy_hop *hop, uint8_t byte)
{
	size_t length = 0;
	const char *literal = literal_of(hop->protocol, (uint8_t)hop->number, &length);
	uint8_t first = (uint8_t)hop->number;

	if (byte != (uint8_t)literal[hop->recognised]) {
		give_up(hop);
		return;
	}
	if (++hop->recognised < length)
		return;
	hop->recognised = 0;
	hop->state = PROXY_HOP_BEGUN;
	if (hop->protocol == PROXY_PROTOCOL_HTTP)
		set_step(hop, CLIENT_TARGET);
	else if (first == 'P')
		set_step(hop, CLIENT_PREAMBLE_PROTOCOL);
	else
		set_step(hop, CLIENT_BINARY_COMMAND);
	set_server_step(hop, SERVER_SILENT);
}

static void begin_or_recognise(struct proxy_hop *hop, uint8_t byte)
{
	if (hop->recognised == 0)
		begin(hop, byte);
	else
		recognise(hop, byte);
}

/* ---- numbers and lengths ---- */

/* A number of two bytes in network order; true when it is complete. */
static bool add_to_number(struct proxy_hop *hop, uint8_t byte)
{
	hop->number = hop->number << 8 | byte;
	return ++hop->filled == 2;
}

/* So many bytes that say nothing, or the next step at once where there are none. */
static void skip(struct proxy_hop *hop, enum client_step step, uint16_t count,
		 enum client_step next)
{
	set_step(hop, count > 0 ? step : next);
	hop->left = count;
}

static void skipped(struct proxy_hop *hop, enum client_step next)
{
	if (--hop->left == 0)
		set_step(hop, next);
}

/* ---- SOCKS 5: what the client says ---- */

static void consume_command(struct proxy_hop *hop, uint8_t byte)
{
	if (byte == SOCKS_CONNECT)
		set_step(hop, CLIENT_RESERVED);
	else
		give_up(hop);
}

static void consume_address_kind(struct proxy_hop *hop, uint8_t byte)
{
	if (byte == ADDRESS_V4)
		start_address(hop, CLIENT_ADDRESS, 4);
	else if (byte == ADDRESS_V6)
		start_address(hop, CLIENT_ADDRESS, 16);
	else if (byte == ADDRESS_NAME)
		set_step(hop, CLIENT_NAME_LENGTH);
	else
		give_up(hop);
}

/* Where a step has a fixed first byte. */
static void expect(struct proxy_hop *hop, uint8_t byte, uint8_t expected, enum client_step next)
{
	if (byte == expected)
		set_step(hop, next);
	else
		give_up(hop);
}

static void consume_address(struct proxy_hop *hop, uint8_t byte, enum client_step next)
{
	hop->address[hop->filled++] = byte;
	if (--hop->left == 0)
		set_step(hop, next);
}

static void consume_port(struct proxy_hop *hop, uint8_t byte)
{
	if (!add_to_number(hop, byte))
		return;
	hop->port = (uint16_t)hop->number;
	client_is_done(hop, SERVER_VERSION);
}

static void consume_name(struct proxy_hop *hop, uint8_t byte)
{
	add_to_host(hop, byte);
	if (hop->state != PROXY_HOP_NONE && --hop->left == 0)
		set_step(hop, CLIENT_PORT);
}

static void consume_name_length(struct proxy_hop *hop, uint8_t byte)
{
	set_step(hop, CLIENT_NAME);
	hop->left = byte;
	if (byte == 0)
		give_up(hop);
}

/* ---- SOCKS 4 and 4A ---- */

static void consume_socks4_address(struct proxy_hop *hop, uint8_t byte)
{
	hop->address[hop->filled++] = byte;
	if (--hop->left > 0)
		return;
	/* 0.0.0.x with another x than 0: a name follows (4A). */
	hop->name_follows = hop->address[0] == 0 && hop->address[1] == 0 && hop->address[2] == 0 &&
			    hop->address[3] != 0;
	if (hop->name_follows)
		hop->address_size = 0;
	set_step(hop, CLIENT_SOCKS4_USER);
}

static void consume_socks4_user(struct proxy_hop *hop, uint8_t byte)
{
	if (byte != 0) {
		if (++hop->filled > PROXY_HOST_MAX)
			give_up(hop);
		return;
	}
	if (hop->name_follows)
		set_step(hop, CLIENT_SOCKS4_NAME);
	else
		client_is_done(hop, SERVER_SOCKS4_NULL);
}

static void consume_socks4_name(struct proxy_hop *hop, uint8_t byte)
{
	if (byte != 0)
		add_to_host(hop, byte);
	else if (hop->filled == 0)
		give_up(hop);
	else
		client_is_done(hop, SERVER_SOCKS4_NULL);
}

static void consume_socks4_port(struct proxy_hop *hop, uint8_t byte)
{
	if (!add_to_number(hop, byte))
		return;
	hop->port = (uint16_t)hop->number;
	start_address(hop, CLIENT_SOCKS4_ADDRESS, 4);
}

/* ---- HTTP CONNECT ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Cuts "host:port" or "[address]:port" in two (RFC 9112, 3.2.3). False if it is neither. */
static bool cut_target(struct proxy_hop *hop)
{
	char *colon = strrchr(hop->host, ':');
	size_t length = 0;
	uint32_t port = 0;

	if (!colon || colon == hop->host || colon[1] == '\0')
		return false;
	for (const char *at = colon + 1; *at; at++) {
		if (!is_digit(*at) || port > UINT16_MAX)
			return false;
		port = port * 10 + (uint32_t)(*at - '0');
	}
	if (port == 0 || port > UINT16_MAX)
		return false;
	*colon = '\0';
	hop->port = (uint16_t)port;
	length = strlen(hop->host);
	if (hop->host[0] != '[')
		return true;
	if (length < 3 || hop->host[length - 1] != ']')
		return false;
	memmove(hop->host, hop->host + 1, length - 2);
	hop->host[length - 2] = '\0';
	return true;
}

static void consume_target(struct proxy_hop *hop, uint8_t byte)
{
	if (byte != ' ') {
		add_to_host(hop, byte);
		return;
	}
	if (!cut_target(hop)) {
		give_up(hop);
		return;
	}
	set_step(hop, CLIENT_HEADERS);
	hop->left = HEADERS_MAX;
	hop->line_end[PROXY_FROM_CLIENT] = 0;
}

/* Whether the empty line that ends the headers is complete; a bare LF will do (RFC 9112, 2.2). */
static bool headers_end(struct proxy_hop *hop, enum proxy_side from, uint8_t byte)
{
	if (byte == '\n')
		hop->line_end[from]++;
	else if (byte != '\r')
		hop->line_end[from] = 0;
	return hop->line_end[from] == 2;
}

static void consume_headers(struct proxy_hop *hop, uint8_t byte)
{
	if (headers_end(hop, PROXY_FROM_CLIENT, byte))
		client_is_done(hop, SERVER_STATUS_LINE);
	else if (--hop->left == 0)
		give_up(hop);
}

/* ---- the PROXY protocol ---- */

/* Its longest line is one of 107 bytes. */
#define PREAMBLE_MAX 107

/* Behind "PROXY ": "TCP4", "TCP6" or "UNKNOWN". */
static void consume_preamble_protocol(struct proxy_hop *hop, uint8_t byte)
{
	if (byte == '\n')
		client_is_done(hop, SERVER_SILENT);
	else if (byte == ' ' && hop->number == 'T')
		set_step(hop, CLIENT_PREAMBLE_SOURCE);
	else if (++hop->filled > PREAMBLE_MAX)
		give_up(hop);
	else if (hop->number == 0)
		hop->number = byte;
}

static void consume_preamble_source(struct proxy_hop *hop, uint8_t byte)
{
	if (byte == ' ')
		set_step(hop, CLIENT_PREAMBLE_REST);
	else
		add_to_host(hop, byte);
}

static void consume_preamble_rest(struct proxy_hop *hop, uint8_t byte)
{
	if (byte == '\n')
		client_is_done(hop, SERVER_SILENT);
	else if (++hop->filled > PREAMBLE_MAX)
		give_up(hop);
}

static void consume_binary_command(struct proxy_hop *hop, uint8_t byte)
{
	if (byte >> 4 == 2)
		set_step(hop, CLIENT_BINARY_FAMILY);
	else
		give_up(hop);
}

static void consume_binary_family(struct proxy_hop *hop, uint8_t byte)
{
	hop->address_size = byte >> 4 == FAMILY_V4 ? 4 : byte >> 4 == FAMILY_V6 ? 16 : 0;
	set_step(hop, CLIENT_BINARY_LENGTH);
}

/* The source comes first; what is shorter than it has none. */
static void consume_binary_length(struct proxy_hop *hop, uint8_t byte)
{
	if (!add_to_number(hop, byte))
		return;
	hop->left = (uint16_t)hop->number;
	if (hop->left < hop->address_size)
		hop->address_size = 0;
	if (hop->left == 0)
		client_is_done(hop, SERVER_SILENT);
	else if (hop->address_size == 0)
		set_step(hop, CLIENT_BINARY_REST);
	else
		set_step(hop, CLIENT_BINARY_SOURCE);
}

static void consume_binary_source(struct proxy_hop *hop, uint8_t byte)
{
	hop->address[hop->filled++] = byte;
	if (--hop->left == 0)
		client_is_done(hop, SERVER_SILENT);
	else if (hop->filled == hop->address_size)
		set_step(hop, CLIENT_BINARY_REST);
}

static void consume_binary_rest(struct proxy_hop *hop)
{
	if (--hop->left == 0)
		client_is_done(hop, SERVER_SILENT);
}

/* ---- the client ---- */

static void consume_greeting(struct proxy_hop *hop, enum client_step step, uint8_t byte)
{
	switch (step) {
	case CLIENT_METHOD_COUNT:
		skip(hop, CLIENT_METHODS, byte, CLIENT_WAITS);
		if (byte == 0)
			give_up(hop);
		break;
	case CLIENT_METHODS:
		skipped(hop, CLIENT_WAITS);
		break;
	case CLIENT_USER_VERSION:
		expect(hop, byte, 1, CLIENT_USER_LENGTH);
		break;
	case CLIENT_USER_LENGTH:
		skip(hop, CLIENT_USER, byte, CLIENT_PASSWORD_LENGTH);
		break;
	case CLIENT_USER:
		skipped(hop, CLIENT_PASSWORD_LENGTH);
		break;
	case CLIENT_PASSWORD_LENGTH:
		skip(hop, CLIENT_PASSWORD, byte, CLIENT_VERSION);
		break;
	case CLIENT_PASSWORD:
		skipped(hop, CLIENT_VERSION);
		break;
	default:
		/* A client that does not wait for the choice: what it means depends on it. */
		give_up(hop);
		break;
	}
}

static void consume_request(struct proxy_hop *hop, enum client_step step, uint8_t byte)
{
	switch (step) {
	case CLIENT_VERSION:
		expect(hop, byte, SOCKS5, CLIENT_COMMAND);
		break;
	case CLIENT_COMMAND:
		consume_command(hop, byte);
		break;
	case CLIENT_RESERVED:
		set_step(hop, CLIENT_ADDRESS_KIND);
		break;
	case CLIENT_ADDRESS_KIND:
		consume_address_kind(hop, byte);
		break;
	case CLIENT_NAME_LENGTH:
		consume_name_length(hop, byte);
		break;
	case CLIENT_NAME:
		consume_name(hop, byte);
		break;
	case CLIENT_ADDRESS:
		consume_address(hop, byte, CLIENT_PORT);
		break;
	case CLIENT_PORT:
		consume_port(hop, byte);
		break;
	case CLIENT_SOCKS4_COMMAND:
		expect(hop, byte, SOCKS_CONNECT, CLIENT_SOCKS4_PORT);
		break;
	case CLIENT_SOCKS4_PORT:
		consume_socks4_port(hop, byte);
		break;
	case CLIENT_SOCKS4_ADDRESS:
		consume_socks4_address(hop, byte);
		break;
	case CLIENT_SOCKS4_USER:
		consume_socks4_user(hop, byte);
		break;
	case CLIENT_SOCKS4_NAME:
		consume_socks4_name(hop, byte);
		break;
	default:
		give_up(hop);
		break;
	}
}

static void consume_text_or_preamble(struct proxy_hop *hop, enum client_step step, uint8_t byte)
{
	switch (step) {
	case CLIENT_TARGET:
		consume_target(hop, byte);
		break;
	case CLIENT_HEADERS:
		consume_headers(hop, byte);
		break;
	case CLIENT_PREAMBLE_PROTOCOL:
		consume_preamble_protocol(hop, byte);
		break;
	case CLIENT_PREAMBLE_SOURCE:
		consume_preamble_source(hop, byte);
		break;
	case CLIENT_PREAMBLE_REST:
		consume_preamble_rest(hop, byte);
		break;
	case CLIENT_BINARY_COMMAND:
		consume_binary_command(hop, byte);
		break;
	case CLIENT_BINARY_FAMILY:
		consume_binary_family(hop, byte);
		break;
	case CLIENT_BINARY_LENGTH:
		consume_binary_length(hop, byte);
		break;
	case CLIENT_BINARY_SOURCE:
		consume_binary_source(hop, byte);
		break;
	default:
		consume_binary_rest(hop);
		break;
	}
}

static void consume_client_byte(struct proxy_hop *hop, uint8_t byte)
{
	enum client_step step = (enum client_step)hop->step[PROXY_FROM_CLIENT];

	if (step == CLIENT_BEGINS)
		begin_or_recognise(hop, byte);
	else if (step < CLIENT_VERSION)
		consume_greeting(hop, step, byte);
	else if (step < CLIENT_TARGET)
		consume_request(hop, step, byte);
	else
		consume_text_or_preamble(hop, step, byte);
}

/* ---- the server ---- */

static void expect_of_server(struct proxy_hop *hop, uint8_t byte, uint8_t expected,
			     enum server_step next)
{
	if (byte == expected)
		set_server_step(hop, next);
	else
		give_up(hop);
}

static void consume_method(struct proxy_hop *hop, uint8_t byte)
{
	/* It answers a question that must have been asked in full. */
	if (hop->step[PROXY_FROM_CLIENT] != CLIENT_WAITS ||
	    (byte != METHOD_NONE && byte != METHOD_PASSWORD)) {
		give_up(hop);
		return;
	}
	hop->wants_password = byte == METHOD_PASSWORD;
	set_step(hop, hop->wants_password ? CLIENT_USER_VERSION : CLIENT_VERSION);
	set_server_step(hop, hop->wants_password ? SERVER_USER_VERSION : SERVER_VERSION);
}

static void consume_bound_kind(struct proxy_hop *hop, uint8_t byte)
{
	if (byte == ADDRESS_NAME) {
		set_server_step(hop, SERVER_NAME_LENGTH);
		return;
	}
	if (byte != ADDRESS_V4 && byte != ADDRESS_V6) {
		give_up(hop);
		return;
	}
	set_server_step(hop, SERVER_REST);
	hop->left = (byte == ADDRESS_V4 ? 4 : 16) + 2;
}

static void consume_rest(struct proxy_hop *hop)
{
	if (--hop->left == 0)
		hop->state = PROXY_HOP_DONE;
}

/* "HTTP/1.1 200 ...": of the status, its first digit decides. */
static void consume_status_line(struct proxy_hop *hop, uint8_t byte)
{
	if (byte == ' ' && hop->number == 0)
		hop->number = ' ';
	else if (hop->number == ' ')
		hop->number = byte;
	if (byte != '\n')
		return;
	set_server_step(hop, SERVER_HEADERS);
	hop->line_end[PROXY_FROM_SERVER] = 1;
}

/*
 * 2yz agrees, 1yz is no answer yet, and after any other, 407 most of all, the
 * client may ask again on the same connection (RFC 9110, 9.3.6 and 15).
 */
static void consume_answer_headers(struct proxy_hop *hop, uint8_t byte)
{
	if (!headers_end(hop, PROXY_FROM_SERVER, byte))
		return;
	if (hop->number == '2') {
		hop->state = PROXY_HOP_DONE;
	} else if (hop->number == '1') {
		set_server_step(hop, SERVER_STATUS_LINE);
		hop->number = 0;
	} else {
		set_server_step(hop, SERVER_BODY);
		set_step(hop, CLIENT_BEGINS);
		hop->recognised = 0;
		hop->state = PROXY_HOP_BEGUN;
	}
}

static void consume_server_byte(struct proxy_hop *hop, uint8_t byte)
{
	switch ((enum server_step)hop->step[PROXY_FROM_SERVER]) {
	case SERVER_METHOD_VERSION:
		expect_of_server(hop, byte, SOCKS5, SERVER_METHOD);
		break;
	case SERVER_METHOD:
		consume_method(hop, byte);
		break;
	case SERVER_USER_VERSION:
		/* RFC 1929 has 1; some say 5. */
		set_server_step(hop, SERVER_USER_STATUS);
		break;
	case SERVER_USER_STATUS:
		expect_of_server(hop, byte, 0, SERVER_VERSION);
		break;
	case SERVER_VERSION:
		expect_of_server(hop, byte, SOCKS5, SERVER_REPLY);
		break;
	case SERVER_REPLY:
		expect_of_server(hop, byte, 0, SERVER_RESERVED);
		break;
	case SERVER_RESERVED:
		set_server_step(hop, SERVER_ADDRESS_KIND);
		break;
	case SERVER_ADDRESS_KIND:
		consume_bound_kind(hop, byte);
		break;
	case SERVER_NAME_LENGTH:
		set_server_step(hop, SERVER_REST);
		hop->left = (uint16_t)(byte + 2);
		break;
	case SERVER_SOCKS4_NULL:
		expect_of_server(hop, byte, 0, SERVER_SOCKS4_CODE);
		break;
	case SERVER_SOCKS4_CODE:
		expect_of_server(hop, byte, SOCKS4_GRANTED, SERVER_REST);
		hop->left = 6;
		break;
	case SERVER_REST:
		consume_rest(hop);
		break;
	case SERVER_STATUS_LINE:
		consume_status_line(hop, byte);
		break;
	case SERVER_HEADERS:
		consume_answer_headers(hop, byte);
		break;
	case SERVER_BODY:
		break;
	case SERVER_SILENT:
		give_up(hop);
		break;
	}
}

static bool is_over(const struct proxy_hop *hop, enum proxy_side from)
{
	if (hop->state == PROXY_HOP_DONE || hop->state == PROXY_HOP_NONE)
		return true;
	return from == PROXY_FROM_CLIENT && hop->state == PROXY_HOP_ASKED;
}

size_t proxy_hop_feed(struct proxy_hop *hop, enum proxy_side from, const uint8_t *bytes,
		      size_t length)
{
	size_t taken = 0;

	/* Every hop is begun by the client. */
	if (from == PROXY_FROM_SERVER && length > 0 && hop->state == PROXY_HOP_UNDECIDED)
		give_up(hop);
	while (taken < length && !is_over(hop, from)) {
		if (from == PROXY_FROM_CLIENT)
			consume_client_byte(hop, bytes[taken]);
		else
			consume_server_byte(hop, bytes[taken]);
		taken++;
	}
	return hop->state == PROXY_HOP_NONE ? 0 : taken;
}
