/*
 * The join of the two witnesses: which connection a library's handshake was.
 * Connections here are opened and get bytes as by hooks; the sandbox is closed,
 * so that descriptors are mere numbers and nobody asks the kernel about them.
 */
#include <arpa/inet.h>
#include <string.h>

#include <criterion/criterion.h>

#include "shim/base/thread.h"
#include "shim/core/connection_state.h"
#include "shim/core/dns_cache.h"
#include "shim/core/hello.h"
#include "shim/core/join.h"
#include "shim/core/recorder.h"
#include "shim/core/sandbox.h"
#include "tests/unit/core_ground.h"

#define IMPLICIT_TLS 465
#define SUBMISSION   587
#define HTTPS        443

static void begin(void)
{
	core_ground_start();
	atomic_store(&sandbox_closed, true);
	core_ground.may_map = true;
}

TestSuite(join, .init = begin);

static void enforce(uint16_t floor)
{
	recorder.config.mode = MODE_ENFORCE;
	recorder.config.floor = floor;
	recorder.policy = enforcement_policy(&recorder.config);
}

static void except(const char *words)
{
	struct config_exception *exception =
		&recorder.config.exception[recorder.config.exception_count++];

	cr_assert_null(config_exception_parse(exception, words));
}

/* ---- connections as hooks make them ---- */

static void open_to(int fd, const char *address, uint16_t port)
{
	struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(port)};

	cr_assert_eq(inet_pton(AF_INET, address, &peer.sin_addr), 1);
	cr_assert(connection_opened(fd, (struct sockaddr *)&peer, sizeof(peer), NULL));
}

static struct connection *behind(int fd)
{
	const uint32_t entry = descriptor_entry(fd);

	cr_assert_eq(descriptor_kind(entry), DESCRIPTOR_CONNECTION, "%d is no connection", fd);
	return connection_at(descriptor_number(entry));
}

/* It is to a mail port, and nothing has passed. */
static struct connection *opened(int fd, const char *address)
{
	open_to(fd, address, IMPLICIT_TLS);
	return behind(fd);
}

static void pass(int fd, bool sends, const void *bytes, size_t length)
{
	struct iovec part = {(void *)(uintptr_t)bytes, length};
	struct connection_call call;

	cr_assert(connection_call_begin(&call, fd));
	if (sends)
		connection_sent(&call, &part, length);
	else
		connection_received(&call, &part, length);
}

/* No mail so far: it begins TLS to another port, and its ClientHello is not whole. */
static struct connection *opened_elsewhere(int fd)
{
	static const uint8_t begun[] = {22, 3, 1};

	open_to(fd, "192.0.2.9", HTTPS);
	pass(fd, true, begun, sizeof(begun));
	return behind(fd);
}

/* A ClientHello of TLS 1.2 with a random of 32 times this byte (RFC 5246, 7.4.1.2). */
static void send_hello(int fd, uint8_t random)
{
	uint8_t hello[50] = {22, 3, 1, 0, 45, 1, 0, 0, 41, 3, 3};
	static const uint8_t tail[] = {0, 0, 2, 0xc0, 0x2f, 1, 0};

	memset(hello + 11, random, TLS_RANDOM_SIZE);
	memcpy(hello + 11 + TLS_RANDOM_SIZE, tail, sizeof(tail));
	pass(fd, true, hello, sizeof(hello));
	/* It passed in a call of the application's own, and not within one of the library's. */
	thread_state.hello_connection = 0;
}

/* ---- views as witnesses make them ---- */

static struct library_view view_of(uint8_t random)
{
	struct library_view view = {.witness = WITNESS_OPENSSL,
				    .established = true,
				    .version = TLS_VERSION_1_2,
				    .random_known = true};

	memset(view.client_random, random, TLS_RANDOM_SIZE);
	return view;
}

/* The handshake failed before there was a ClientHello. */
static struct library_view view_without_random(const char *server_name)
{
	struct library_view view = {.witness = WITNESS_OPENSSL};

	memcpy(view.server_name, server_name, strlen(server_name) + 1);
	return view;
}

/* Joins, and expects that this one is found, its view taken over, and one reference given. */
static void expect_joined(const struct library_view *view, int fd, struct connection *expected)
{
	const uint32_t references = expected->references;
	struct connection *connection = connection_join(view, fd, NULL);

	cr_assert_eq(connection, expected, "it is another connection");
	cr_expect_eq(connection->library.witness, view->witness);
	cr_expect_eq(connection->references, references + 1);
	connection_release(connection);
	cr_expect_eq(expected->references, references);
}

/* Joins, and expects a new one, of which nothing is known; those of the wire stay as they were. */
static void expect_new(const struct library_view *view, int fd)
{
	struct connection *connection = connection_join(view, fd, NULL);

	cr_assert_not_null(connection);
	cr_expect_eq(connection->peer.family, 0);
	cr_expect_eq(connection->tls.offered_count, 0);
	cr_expect_eq(connection->references, 1);
	cr_expect_eq(connection->library.witness, view->witness);
	connection_ignore(connection);
	connection_release(connection);
}

static void expect_left_alone(const struct connection *connection)
{
	cr_expect_eq(connection->library.witness, 0);
	cr_expect_eq(connection->references, 1, "it has %u references", connection->references);
}

/* ---- by the client random ---- */

Test(join, of_many_the_one_whose_hello_had_the_random)
{
	struct connection *all[20];

	for (int i = 0; i < 20; i++) {
		all[i] = opened(10 + i, "192.0.2.1");
		send_hello(10 + i, (uint8_t)(i + 1));
	}
	for (int i = 0; i < 20; i++) {
		const struct library_view view = view_of((uint8_t)(i + 1));

		expect_joined(&view, -1, all[i]);
	}
}

Test(join, a_random_that_nobody_saw_is_a_connection_of_its_own)
{
	const struct library_view view = view_of(2);
	struct connection *other = opened(10, "192.0.2.1");

	send_hello(10, 1);
	expect_new(&view, -1);
	expect_left_alone(other);
}

Test(join, a_random_counts_whatever_the_descriptor)
{
	const struct library_view view = view_of(2);
	struct connection *one = opened(10, "192.0.2.1");
	struct connection *two = opened(11, "192.0.2.1");

	send_hello(10, 1);
	send_hello(11, 2);
	/* A transport that goes through another connection's, or a number that was used again. */
	expect_joined(&view, 10, two);
	expect_left_alone(one);
}

/* ---- by the descriptor ---- */

Test(join, a_descriptor_without_a_hello_is_believed)
{
	const struct library_view view = view_of(1);

	expect_joined(&view, 10, opened(10, "192.0.2.1"));
}

Test(join, a_descriptor_is_believed_with_the_same_hello_and_with_no_other)
{
	const struct library_view same = view_of(1);
	const struct library_view another = view_of(2);
	const struct library_view none = view_without_random("");
	struct connection *connection = opened(10, "192.0.2.1");

	send_hello(10, 1);
	expect_new(&another, 10);
	expect_new(&none, 10);
	expect_left_alone(connection);
	expect_joined(&same, 10, connection);
}

Test(join, what_was_refused_is_none_to_join)
{
	const struct library_view view = view_of(1);

	cr_assert(descriptor_make_room(10));
	descriptor_exchange(10, descriptor_entry_of(DESCRIPTOR_BLOCKED, 0));
	cr_expect_null(connection_join(&view, 10, NULL));
	cr_expect(connection_refuses_unjoined(&view, 10));
	cr_expect_eq(core_ground.lost, 0, "it has its record");
}

/* ---- by the call ---- */

Test(join, the_hello_of_this_very_call_comes_before_all_else)
{
	const struct library_view failed = view_without_random("");
	const struct library_view view = view_of(1);
	struct connection *of_call = opened(10, "192.0.2.1");
	struct connection *of_descriptor = opened(11, "192.0.2.2");

	send_hello(10, 1);
	thread_state.hello_connection = of_call->number + 1;
	expect_joined(&view, 11, of_call);
	/* An alert of the library's own can come before its ClientHello. */
	expect_joined(&failed, 11, of_call);
	expect_left_alone(of_descriptor);
}

Test(join, another_hello_of_this_call_is_none)
{
	const struct library_view view = view_of(2);
	struct connection *of_call = opened(10, "192.0.2.1");
	struct connection *of_descriptor = opened(11, "192.0.2.2");

	send_hello(10, 1);
	thread_state.hello_connection = of_call->number + 1;
	expect_joined(&view, 11, of_descriptor);
	expect_left_alone(of_call);
}

Test(join, a_connection_of_this_call_that_is_gone_is_none)
{
	const struct library_view view = view_without_random("");

	thread_state.hello_connection = opened(10, "192.0.2.1")->number + 1;
	connection_closing(10);
	expect_new(&view, -1);
}

/* ---- by what awaits its hello, where there is nothing else ---- */

Test(join, the_only_one_that_awaits_its_hello)
{
	const struct library_view view = view_without_random("");
	struct connection *begun = opened(10, "192.0.2.1");
	struct connection *awaiting = opened(11, "192.0.2.2");

	send_hello(10, 1);
	expect_joined(&view, -1, awaiting);
	expect_left_alone(begun);
}

Test(join, what_is_no_mail_or_is_over_awaits_none)
{
	const struct library_view view = view_without_random("");
	struct connection *elsewhere = opened_elsewhere(10);
	struct connection *over = opened(11, "192.0.2.1");

	connection_ignore(over);
	expect_new(&view, -1);
	expect_left_alone(elsewhere);
	expect_left_alone(over);
}

Test(join, who_has_a_descriptor_means_no_other)
{
	const struct library_view view = view_without_random("");
	struct connection *connection = opened(10, "192.0.2.1");

	expect_new(&view, 11);
	expect_left_alone(connection);
}

Test(join, of_two_to_different_servers_neither)
{
	const struct library_view view = view_without_random("mx.example.org");
	struct connection *one = opened(10, "192.0.2.1");
	struct connection *two = opened(11, "192.0.2.2");

	expect_new(&view, -1);
	expect_left_alone(one);
	expect_left_alone(two);
}

Test(join, of_two_the_one_whose_name_was_looked_up)
{
	const struct library_view view = view_without_random("mx.example.org");
	static const uint8_t address[16] = {[10] = 0xff, 0xff, 192, 0, 2, 2};
	struct connection *one = opened(10, "192.0.2.1");
	struct connection *two;

	dns_cache_remember(address, "mx.example.org");
	two = opened(11, "192.0.2.2");
	expect_joined(&view, -1, two);
	expect_left_alone(one);
	(void)opened(12, "192.0.2.3");
	expect_joined(&view, -1, two);
}

Test(join, of_two_to_the_same_server_any)
{
	const struct library_view view = view_without_random("");
	struct connection *one = opened(10, "192.0.2.1");
	struct connection *two = opened(11, "192.0.2.1");
	struct connection *joined = connection_join(&view, -1, NULL);

	cr_expect(joined == one || joined == two);
	connection_release(joined);
	cr_expect_eq(one->references, 1);
	cr_expect_eq(two->references, 1);
}

Test(join, one_that_is_in_the_clear_awaits_none)
{
	const struct library_view view = view_without_random("");
	static const char greeting[] = "220 mx.example.org ESMTP\r\n";
	static const char ready[] = "220 go ahead\r\n";
	struct connection *connection;

	open_to(10, "192.0.2.1", SUBMISSION);
	connection = behind(10);
	pass(10, false, greeting, sizeof(greeting) - 1);
	expect_new(&view, -1);
	pass(10, true, "STARTTLS\r\n", 10);
	expect_new(&view, -1);
	pass(10, false, ready, sizeof(ready) - 1);
	expect_joined(&view, -1, connection);
}

/* The random is known, and nobody saw it pass: over stdio, or by system calls. */
Test(join, a_hello_that_passed_unseen_is_that_of_who_lost_track)
{
	const struct library_view view = view_of(1);
	struct connection *connection = opened(10, "192.0.2.1");
	struct connection_call call;

	expect_new(&view, -1);
	expect_left_alone(connection);
	cr_assert(connection_call_begin(&call, 10));
	connection_lost_track(&call);
	expect_joined(&view, -1, connection);
}

/* ---- what is taken over ---- */

Test(join, what_is_recorded_changes_no_more)
{
	const struct library_view view = view_of(1);
	struct connection *connection = opened(10, "192.0.2.1");
	struct connection *joined;

	send_hello(10, 1);
	connection_ignore(connection);
	joined = connection_join(&view, 10, NULL);
	if (joined == connection)
		cr_expect_eq(connection->library.witness, 0);
	cr_expect_eq(core_ground.emitted, 0);
}

Test(join, how_long_it_took_ends_with_the_join)
{
	struct library_view view = view_of(1);
	struct connection *connection = opened(10, "192.0.2.1");

	core_ground.clock = 9000;
	view.began = 2000;
	expect_joined(&view, 10, connection);
	cr_expect_eq(connection->library.took, 7000);
}

Test(join, who_asked_is_copied)
{
	const struct library_view view = view_of(1);
	struct connection *connection = opened(10, "192.0.2.1");
	struct origin origin;

	origin_init(&origin);
	origin_add(&origin, "/srv/mail.py", 12, "send", 4, 7, false);
	expect_joined(&view, 10, connection);
	cr_expect_null(connection->origin);
	connection_release(connection_join(&view, 10, &origin));
	cr_assert_not_null(connection->origin);
	cr_expect_neq(connection->origin, &origin);
	cr_expect_eq(connection->origin->count, 1);
}

/* A signal handler within our own code, or what a longjmp left behind. */
Test(join, one_that_cannot_be_looked_at_is_in_doubt)
{
	const struct library_view view = view_without_random("");
	struct connection *connection = opened(10, "192.0.2.1");
	struct connection *joined;

	enforce(TLS_VERSION_1_2);
	thread_state.hello_connection = connection->number + 1;
	cr_assert(guard_enter(&connection->guard));
	joined = connection_join(&view, -1, NULL);
	cr_expect_eq(joined, connection);
	cr_expect(connection->finished);
	cr_expect(connection->blocked, "mail that nobody can look at is below any floor");
	cr_expect_eq(core_ground.lost, 1);
	guard_leave(&connection->guard);
}

/* ---- below the floor, before the library has said so ---- */

/* A ServerHello of TLS 1.0 (RFC 2246, 7.4.1.3). */
static void receive_old_hello(int fd)
{
	uint8_t hello[47] = {22, 3, 1, 0, 42, 2, 0, 0, 38, 3, 1};

	hello[44] = 0xc0;
	hello[45] = 0x13;
	pass(fd, false, hello, sizeof(hello));
}

/* Below the floor by the wire, and its library, whose hello was known, will report it. */
static struct connection *opened_below_the_floor(int fd)
{
	static _Atomic bool settled;
	struct connection *connection = opened(fd, "192.0.2.1");
	uint8_t random[TLS_RANDOM_SIZE];

	memset(random, fd, sizeof(random));
	(void)hello_expect(random, &settled);
	send_hello(fd, (uint8_t)fd);
	receive_old_hello(fd);
	cr_assert_eq(connection->tls.version, TLS_VERSION_1_0);
	cr_assert_not(connection->blocked);
	return connection;
}

static bool may_send(int fd, const struct iovec *parts, size_t count)
{
	struct connection_call call;

	return connection_call_begin(&call, fd) && connection_may_send(&call, parts, count);
}

Test(join, below_the_floor_a_library_may_send_its_alert)
{
	uint8_t alert[] = {21, 3, 1, 0, 2, 2, 70};
	const struct iovec whole = {alert, 7};
	const struct iovec parts[] = {{alert, 1}, {alert, 0}, {alert + 1, 3}, {alert + 4, 3}};
	struct connection *connection;

	enforce(TLS_VERSION_1_2);
	connection = opened_below_the_floor(700);
	cr_expect(may_send(700, &whole, 1));
	cr_expect(may_send(700, parts, 4));
	cr_expect_not(connection->blocked);
	cr_expect_eq(core_ground.emitted, 0);
}

Test(join, below_the_floor_a_library_may_send_nothing_else)
{
	static const uint8_t others[][8] = {
		{22, 3, 1, 0, 2, 2, 70}, {23, 3, 1, 0, 2, 2, 70},
		{21, 2, 1, 0, 2, 2, 70}, {21, 3, 1, 1, 2, 2, 70},
		{21, 3, 1, 0, 1, 2, 70}, {'Q', 'U', 'I', 'T', '\r', '\n', 0},
	};
	static const uint8_t more[] = {21, 3, 1, 0, 2, 2, 70, 23};
	const struct iovec longer = {(void *)(uintptr_t)more, sizeof(more)};
	const size_t count = sizeof(others) / sizeof(others[0]);

	enforce(TLS_VERSION_1_2);
	for (size_t i = 0; i < count; i++) {
		const struct iovec part = {(void *)(uintptr_t)others[i], 7};
		const int fd = 700 + (int)i;
		const struct connection *connection = opened_below_the_floor(fd);

		cr_expect_not(may_send(fd, &part, 1), "%zu", i);
		cr_expect(connection->blocked, "%zu", i);
		cr_expect_eq(core_ground.emitted, i + 1, "%zu", i);
		cr_expect_not(may_send(fd, &part, 1), "%zu: again", i);
	}
	(void)opened_below_the_floor(700 + (int)count);
	cr_expect_not(may_send(700 + (int)count, &longer, 1), "an alert and more");
}

/* ---- what could not be joined ---- */

Test(join, what_could_not_be_joined_is_lost_and_below_the_floor_refused)
{
	struct library_view old = view_of(1);
	struct library_view good = view_of(1);

	(void)opened(10, "192.0.2.1");
	old.version = TLS_VERSION_1_0;
	cr_expect_not(connection_refuses_unjoined(&old, 10), "audit refuses nothing");
	enforce(TLS_VERSION_1_2);
	cr_expect_not(connection_refuses_unjoined(&good, 10));
	cr_expect(connection_refuses_unjoined(&old, 10));
	cr_expect_eq(core_ground.lost, 3);
	old.established = false;
	cr_expect_not(connection_refuses_unjoined(&old, 10), "it failed by itself");
	cr_expect_eq(core_ground.lost, 4);
}

Test(join, what_could_not_be_joined_and_is_no_mail_is_nothing_to_us)
{
	struct library_view old = view_of(1);

	old.version = TLS_VERSION_1_0;
	enforce(TLS_VERSION_1_2);
	open_to(10, "192.0.2.1", HTTPS);
	cr_expect_not(connection_refuses_unjoined(&old, 10));
	cr_expect_eq(core_ground.lost, 0);
}

/* ---- what is about to come ---- */

static struct enforcement_policy expected_policy;

static bool expects_tls(int fd, const char *server_name)
{
	memset(&expected_policy, 0, sizeof(expected_policy));
	return connection_expects_tls(fd, server_name, &expected_policy);
}

Test(join, tls_is_expected_where_mail_is)
{
	open_to(10, "192.0.2.1", HTTPS);
	cr_expect_not(expects_tls(10, NULL));
	cr_expect_not(expects_tls(11, NULL), "there is none");
	(void)opened(11, "192.0.2.1");
	cr_expect(expects_tls(11, NULL));
	(void)opened_elsewhere(12);
	cr_expect_not(expects_tls(12, NULL));
	recorder.config.scope_all = true;
	cr_expect(expects_tls(10, NULL));
}

Test(join, without_a_descriptor_tls_is_expected_where_no_other_could_be_meant)
{
	static const uint8_t address[16] = {[10] = 0xff, 0xff, 192, 0, 2, 1};

	cr_expect_not(expects_tls(-1, NULL), "there is none");
	dns_cache_remember(address, "mx.example.org");
	(void)opened(10, "192.0.2.1");
	cr_expect(expects_tls(-1, NULL));
	open_to(11, "192.0.2.9", HTTPS);
	cr_expect_not(expects_tls(-1, NULL), "it may be the other's");
	cr_expect_not(expects_tls(-1, "www.example.org"));
	cr_expect(expects_tls(-1, "mx.example.org"), "the name tells");
	connection_closing(11);
	cr_expect(expects_tls(-1, NULL));
	(void)opened_elsewhere(12);
	cr_expect_not(expects_tls(-1, NULL), "it may be that one's");
	connection_closing(12);
	send_hello(10, 1);
	cr_expect_not(expects_tls(-1, NULL), "its hello has passed");
}

Test(join, what_is_held_is_that_of_the_connection_which_is_meant)
{
	static const uint8_t address[16] = {[10] = 0xff, 0xff, 192, 0, 2, 1};

	enforce(TLS_VERSION_1_2);
	except("to:192.0.2.1 floor:1.0 until:2099-12-31");
	dns_cache_remember(address, "mx.example.org");
	(void)opened(11, "192.0.2.2");
	(void)opened(10, "192.0.2.1");
	open_to(12, "192.0.2.1", HTTPS);
	cr_expect_not(expects_tls(12, NULL));
	cr_expect_eq(expected_policy.floor, TLS_VERSION_1_2);
	connection_closing(12);
	cr_expect(expects_tls(10, NULL));
	cr_expect_eq(expected_policy.floor, TLS_VERSION_1_0);
	cr_expect(expects_tls(11, NULL));
	cr_expect_eq(expected_policy.floor, TLS_VERSION_1_2);
	cr_expect_not(expects_tls(-1, NULL), "they have different floors");
	cr_expect_eq(expected_policy.floor, TLS_VERSION_1_2);
	cr_expect(expects_tls(-1, "mx.example.org"));
	cr_expect_eq(expected_policy.floor, TLS_VERSION_1_0);
	recorder.config.scope_all = true;
	cr_expect(expects_tls(-1, NULL), "with scope `all` each is, at the process's floor");
	cr_expect_eq(expected_policy.floor, TLS_VERSION_1_2);
}
