/*
 * Hops over proxies, as curl, haproxy, ssh -D and others make them, whole and
 * cut at every byte; and what looks like one.
 */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "shim/wire/proxy_hop.h"

enum { TURNS_MAX = 8 };

struct turn {
	enum proxy_side from;
	const char *bytes;
	size_t length;
};

#define C(text)                                             \
	{                                                   \
		PROXY_FROM_CLIENT, (text), sizeof(text) - 1 \
	}
#define S(text)                                             \
	{                                                   \
		PROXY_FROM_SERVER, (text), sizeof(text) - 1 \
	}

struct hop_case {
	const char *name;
	struct turn turns[TURNS_MAX];
	enum proxy_hop_state state;
	enum proxy_protocol protocol;
	const char *host;
	const char *address; /* 4 bytes, or 16 */
	uint8_t address_size;
	uint16_t port;
	size_t beyond; /* bytes that are the connection's proper */
};

/* From a block of its own size; returns how many bytes were not taken. */
static size_t feed(struct proxy_hop *hop, enum proxy_side from, const char *bytes, size_t length)
{
	uint8_t *exact = malloc(length + (length == 0));
	size_t taken = 0;

	cr_assert_not_null(exact);
	memcpy(exact, bytes, length);
	taken = proxy_hop_feed(hop, from, exact, length);
	free(exact);
	cr_assert_leq(taken, length);
	if (hop->state != PROXY_HOP_ASKED && hop->state != PROXY_HOP_DONE)
		cr_assert_eq(taken, hop->state == PROXY_HOP_NONE ? 0 : length);
	return length - taken;
}

static size_t feed_turns(struct proxy_hop *hop, const struct turn *turns, size_t split, size_t step)
{
	size_t position = 0;
	size_t beyond = 0;

	proxy_hop_init(hop);
	for (size_t i = 0; i < TURNS_MAX && turns[i].bytes; i++) {
		for (size_t done = 0; done < turns[i].length;) {
			size_t left = turns[i].length - done;
			size_t piece = left < step ? left : step;

			if (position < split && split < position + piece)
				piece = split - position;
			beyond += feed(hop, turns[i].from, turns[i].bytes + done, piece);
			done += piece;
			position += piece;
		}
	}
	return beyond;
}

static void expect_facts(const struct proxy_hop *hop, const struct hop_case *expected,
			 size_t beyond, size_t split)
{
	cr_assert_eq(hop->state, expected->state, "%s, split at %zu: state %u", expected->name,
		     split, hop->state);
	if (expected->state != PROXY_HOP_ASKED && expected->state != PROXY_HOP_DONE)
		return;
	cr_assert_eq(hop->protocol, expected->protocol, "%s", expected->name);
	cr_assert_str_eq(hop->host, expected->host ? expected->host : "", "%s", expected->name);
	cr_assert_eq(hop->address_size, expected->address_size, "%s", expected->name);
	cr_assert_eq(memcmp(hop->address, expected->address ? expected->address : "",
			    expected->address_size),
		     0, "%s", expected->name);
	cr_assert_eq(hop->port, expected->port, "%s: port %u", expected->name, hop->port);
	cr_assert_eq(beyond, expected->beyond, "%s, split at %zu: %zu bytes beyond", expected->name,
		     split, beyond);
}

static void expect(const struct hop_case *expected)
{
	struct proxy_hop hop;
	size_t length = 0;
	size_t beyond = feed_turns(&hop, expected->turns, 0, SIZE_MAX);

	expect_facts(&hop, expected, beyond, 0);
	beyond = feed_turns(&hop, expected->turns, 0, 1);
	expect_facts(&hop, expected, beyond, SIZE_MAX);
	for (size_t i = 0; i < TURNS_MAX && expected->turns[i].bytes; i++)
		length += expected->turns[i].length;
	for (size_t split = 1; split < length; split++) {
		beyond = feed_turns(&hop, expected->turns, split, SIZE_MAX);
		expect_facts(&hop, expected, beyond, split);
	}
}

#define EXPECT_ALL(cases)                                               \
	for (size_t i = 0; i < sizeof(cases) / sizeof((cases)[0]); i++) \
	expect(&(cases)[i])

#define GREETING S("220 x\r\n")
#define V6       "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x19"

Test(proxy_hop, socks5)
{
	static const struct hop_case cases[] = {
		{"an address",
		 {C("\5\1\0"), S("\5\0"), C("\5\1\0\1\xc0\0\2\1\2\x4b"), S("\5\0\0\1\0\0\0\0\0\0"),
		  GREETING},
		 PROXY_HOP_DONE,
		 PROXY_PROTOCOL_SOCKS5,
		 NULL,
		 "\xc0\0\2\1",
		 4,
		 587,
		 7},
		{"a name, and a server that answers with one",
		 {C("\5\3\0\1\2"), S("\5\0"), C("\5\1\0\3\x0amx.example\0\x19"),
		  S("\5\0\0\3\1x\1\2"), GREETING},
		 PROXY_HOP_DONE,
		 PROXY_PROTOCOL_SOCKS5,
		 "mx.example",
		 NULL,
		 0,
		 25,
		 7},
		{"an IPv6 address, and a password",
		 {C("\5\2\0\2"), S("\5\2"), C("\1\3bob\6secret"), S("\1\0"),
		  C("\5\1\0\4" V6 "\0\x19"), S("\5\0\0\4" V6 "\0\1"), C("EHLO")},
		 PROXY_HOP_DONE,
		 PROXY_PROTOCOL_SOCKS5,
		 NULL,
		 V6,
		 16,
		 25,
		 4},
		{"an empty password",
		 {C("\5\1\2"), S("\5\2"), C("\1\0\0"), S("\5\0"), C("\5\1\0\3\1x\0\x19")},
		 PROXY_HOP_ASKED,
		 PROXY_PROTOCOL_SOCKS5,
		 "x",
		 NULL,
		 0,
		 25,
		 0},
		{"a client that does not wait for the answer",
		 {C("\5\1\0"), S("\5\0"),
		  C("\5\1\0\3\1x\0\x19"
		    "EHLO x\r\n"),
		  S("\5\0\0\1\0\0\0\0\0\0"
		    "220 x\r\n")},
		 PROXY_HOP_DONE,
		 PROXY_PROTOCOL_SOCKS5,
		 "x",
		 NULL,
		 0,
		 25,
		 15},
	};

	EXPECT_ALL(cases);
}

Test(proxy_hop, socks4)
{
	static const struct hop_case cases[] = {
		{"an address",
		 {C("\4\1\0\x19\xc0\0\2\1\0"), S("\0\x5a\0\0\0\0\0\0"), GREETING},
		 PROXY_HOP_DONE,
		 PROXY_PROTOCOL_SOCKS4,
		 NULL,
		 "\xc0\0\2\1",
		 4,
		 25,
		 7},
		{"a user",
		 {C("\4\1\0\x19\xc0\0\2\1me\0"), S("\0\x5a\1\2\3\4\5\6"), GREETING},
		 PROXY_HOP_DONE,
		 PROXY_PROTOCOL_SOCKS4,
		 NULL,
		 "\xc0\0\2\1",
		 4,
		 25,
		 7},
		{"a name (4A)",
		 {C("\4\1\2\x4b\0\0\0\1me\0mx.example\0"), S("\0\x5a\0\0\0\0\0\0"), GREETING},
		 PROXY_HOP_DONE,
		 PROXY_PROTOCOL_SOCKS4,
		 "mx.example",
		 NULL,
		 0,
		 587,
		 7},
	};

	EXPECT_ALL(cases);
}

Test(proxy_hop, http)
{
	static const struct hop_case cases[] = {
		{"a name",
		 {C("CONNECT mx.example:587 HTTP/1.1\r\nHost: mx.example:587\r\n\r\n"),
		  S("HTTP/1.1 200 OK\r\n\r\n"), GREETING},
		 PROXY_HOP_DONE,
		 PROXY_PROTOCOL_HTTP,
		 "mx.example",
		 NULL,
		 0,
		 587,
		 7},
		{"an IPv6 address, and headers",
		 {C("CONNECT [2001:db8::25]:25 HTTP/1.0\r\nProxy-Authorization: Basic "
		    "eDp5\r\n\r\n"),
		  S("HTTP/1.0 200 Connection established\r\nVia: x\r\n\r\n220 x\r\n")},
		 PROXY_HOP_DONE,
		 PROXY_PROTOCOL_HTTP,
		 "2001:db8::25",
		 NULL,
		 0,
		 25,
		 7},
		{"an answer in two",
		 {C("CONNECT x:25 HTTP/1.1\n\n"), S("HTTP/1.1 100 Continue\r\nA: b\r\n\r\n"),
		  S("HTTP/1.1 204 \n\n"), GREETING},
		 PROXY_HOP_DONE,
		 PROXY_PROTOCOL_HTTP,
		 "x",
		 NULL,
		 0,
		 25,
		 7},
		{"a proxy that asks who it is",
		 {C("CONNECT x:25 HTTP/1.1\r\n\r\n"),
		  S("HTTP/1.1 407 Who?\r\nContent-Length: 9\r\n\r\n220 who\r\n"),
		  C("CONNECT y:587 HTTP/1.1\r\nProxy-Authorization: Basic eDp5\r\n\r\n"),
		  S("HTTP/1.1 200 OK\r\n\r\n"), C("EHLO")},
		 PROXY_HOP_DONE,
		 PROXY_PROTOCOL_HTTP,
		 "y",
		 NULL,
		 0,
		 587,
		 4},
	};

	EXPECT_ALL(cases);
}

Test(proxy_hop, preamble)
{
	static const struct hop_case cases[] = {
		{"in words",
		 {C("PROXY TCP4 203.0.113.9 192.0.2.1 4000 25\r\n"), GREETING, C("EHLO")},
		 PROXY_HOP_DONE,
		 PROXY_PROTOCOL_PREAMBLE,
		 "203.0.113.9",
		 NULL,
		 0,
		 0,
		 11},
		{"of nobody",
		 {C("PROXY UNKNOWN\r\nEHLO x\r\n")},
		 PROXY_HOP_DONE,
		 PROXY_PROTOCOL_PREAMBLE,
		 NULL,
		 NULL,
		 0,
		 0,
		 8},
		{"of nobody, with more words",
		 {C("PROXY UNKNOWN a b 1 2\r\n")},
		 PROXY_HOP_DONE,
		 PROXY_PROTOCOL_PREAMBLE,
		 NULL,
		 NULL,
		 0,
		 0,
		 0},
		{"in bytes",
		 {C("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x09\xc0\0\2\1\x0f\xa0\0\x19"
		    "EHLO"),
		  GREETING},
		 PROXY_HOP_DONE,
		 PROXY_PROTOCOL_PREAMBLE,
		 NULL,
		 "\xcb\0\x71\x09",
		 4,
		 0,
		 11},
		{"of the proxy itself",
		 {C("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"), GREETING},
		 PROXY_HOP_DONE,
		 PROXY_PROTOCOL_PREAMBLE,
		 NULL,
		 NULL,
		 0,
		 0,
		 7},
		{"of a family that is none of ours",
		 {C("\r\n\r\n\0\r\nQUIT\n\x21\x31\0\3abc"), GREETING},
		 PROXY_HOP_DONE,
		 PROXY_PROTOCOL_PREAMBLE,
		 NULL,
		 NULL,
		 0,
		 0,
		 7},
		{"shorter than its addresses",
		 {C("\r\n\r\n\0\r\nQUIT\n\x21\x21\0\3abc"), GREETING},
		 PROXY_HOP_DONE,
		 PROXY_PROTOCOL_PREAMBLE,
		 NULL,
		 NULL,
		 0,
		 0,
		 7},
	};

	EXPECT_ALL(cases);
}

Test(proxy_hop, what_is_none)
{
	static const struct hop_case cases[] = {
		{"nothing yet", {C("")}, .state = PROXY_HOP_UNDECIDED},
		{"half a word", {C("CONN")}, .state = PROXY_HOP_UNDECIDED},
		{"half a word, and an answer", {C("CONN"), S("x")}, .state = PROXY_HOP_NONE},
		{"half a hop", {C("\5\1\0")}, .state = PROXY_HOP_BEGUN},
		{"SMTP", {GREETING}, .state = PROXY_HOP_NONE},
		{"SMTP of a client that can't wait", {C("EHLO x\r\n")}, .state = PROXY_HOP_NONE},
		{"TLS", {C("\x16\3\1")}, .state = PROXY_HOP_NONE},
		{"a word that begins so", {C("CONNECTED ")}, .state = PROXY_HOP_NONE},
		{"another word", {C("PROXIED")}, .state = PROXY_HOP_NONE},
		{"no port", {C("CONNECT x HTTP/1.1\r\n")}, .state = PROXY_HOP_NONE},
		{"port 0", {C("CONNECT x:0 ")}, .state = PROXY_HOP_NONE},
		{"too large a port", {C("CONNECT x:65536 ")}, .state = PROXY_HOP_NONE},
		{"a port that is none", {C("CONNECT x:2a ")}, .state = PROXY_HOP_NONE},
		{"no host", {C("CONNECT :25 ")}, .state = PROXY_HOP_NONE},
		{"half a bracket", {C("CONNECT [::1:25 ")}, .state = PROXY_HOP_NONE},
		{"no method", {C("\5\0")}, .state = PROXY_HOP_NONE},
		{"a method that we can't follow (GSSAPI)",
		 {C("\5\1\1"), S("\5\1")},
		 .state = PROXY_HOP_NONE},
		{"no method will do", {C("\5\1\0"), S("\5\xff")}, .state = PROXY_HOP_NONE},
		{"no SOCKS answer", {C("\5\1\0"), S("HTTP")}, .state = PROXY_HOP_NONE},
		{"a wrong password",
		 {C("\5\1\2"), S("\5\2"), C("\1\1a\1b"), S("\1\1")},
		 .state = PROXY_HOP_NONE},
		{"a look-up", {C("\5\1\0"), S("\5\0"), C("\5\xf0\0\3")}, .state = PROXY_HOP_NONE},
		{"refused",
		 {C("\5\1\0"), S("\5\0"), C("\5\1\0\3\1x\0\x19"), S("\5\5\0\1\0\0\0\0\0\0")},
		 .state = PROXY_HOP_NONE},
		{"refused by SOCKS 4",
		 {C("\4\1\0\x19\xc0\0\2\1\0"), S("\0\x5b\0\0\0\0\0\0")},
		 .state = PROXY_HOP_NONE},
		{"to listen", {C("\4\2")}, .state = PROXY_HOP_NONE},
		{"refused by HTTP",
		 {C("CONNECT x:25 HTTP/1.1\r\n\r\n"), S("HTTP/1.1 403 no\r\n\r\n220 no\r\n")},
		 .state = PROXY_HOP_BEGUN},
		{"a preamble of the wrong version",
		 {C("\r\n\r\n\0\r\nQUIT\n\x11")},
		 .state = PROXY_HOP_NONE},
	};

	EXPECT_ALL(cases);
}

/* No name of a user, and no password, is in what is kept. */
Test(proxy_hop, keeps_no_secret)
{
	static const char secret[] = "hunter2";
	struct proxy_hop hop;

	proxy_hop_init(&hop);
	feed(&hop, PROXY_FROM_CLIENT, "\5\1\2", 3);
	feed(&hop, PROXY_FROM_SERVER, "\5\2", 2);
	feed(&hop, PROXY_FROM_CLIENT, "\1\7hunter2\7hunter2\5\1", 19);
	cr_expect_null(memmem(&hop, sizeof(hop), secret, sizeof(secret) - 1));
	proxy_hop_init(&hop);
	feed(&hop, PROXY_FROM_CLIENT, "CONNECT x:25 HTTP/1.1\r\nA: hunter2", 33);
	cr_expect_null(memmem(&hop, sizeof(hop), secret, sizeof(secret) - 1));
	proxy_hop_init(&hop);
	feed(&hop, PROXY_FROM_CLIENT, "\4\1\0\x19\0\0\0\1hunter2\0x", 17);
	cr_expect_null(memmem(&hop, sizeof(hop), secret, sizeof(secret) - 1));
}

Test(proxy_hop, no_endless_names)
{
	struct proxy_hop hop;

	proxy_hop_init(&hop);
	feed(&hop, PROXY_FROM_CLIENT, "CONNECT ", 8);
	for (size_t i = 0; i < 255; i++)
		feed(&hop, PROXY_FROM_CLIENT, "x", 1);
	cr_expect_eq(hop.state, PROXY_HOP_BEGUN);
	feed(&hop, PROXY_FROM_CLIENT, "x", 1);
	cr_expect_eq(hop.state, PROXY_HOP_NONE);
	proxy_hop_init(&hop);
	feed(&hop, PROXY_FROM_CLIENT, "CONNECT x:25 HTTP/1.1\r\n", 23);
	for (size_t i = 0; i < 40000; i++)
		feed(&hop, PROXY_FROM_CLIENT, "x", 1);
	cr_expect_eq(hop.state, PROXY_HOP_NONE);
}
