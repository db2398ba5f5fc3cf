/*
 * What tls_wire learns from real handshakes (vectors/, each with the commands
 * that made it), and from made-up ones where no program could be brought to
 * misbehave like that. Expected facts are those that the programs themselves
 * printed, or what they were told to do.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shim/wire/tls_wire.h"
#include "tests/unit/tls_wire_facts.h"

enum { TURNS_MAX = 8, BYTES_MAX = 65536 };

/* A run of bytes in one direction. */
struct turn {
	enum tls_side from;
	size_t start;
	size_t length;
};

/* The bytes of a connection in the order in which they passed. */
struct conversation {
	struct turn turns[TURNS_MAX];
	size_t turn_count;
	uint8_t bytes[BYTES_MAX];
	size_t length;
};

static struct turn *turn_of(struct conversation *all, enum tls_side from)
{
	if (all->turn_count > 0 && all->turns[all->turn_count - 1].from == from)
		return &all->turns[all->turn_count - 1];
	cr_assert_lt(all->turn_count, TURNS_MAX);
	all->turns[all->turn_count] = (struct turn){.from = from, .start = all->length};
	return &all->turns[all->turn_count++];
}

static void say(struct conversation *all, enum tls_side from, const void *bytes, size_t length)
{
	cr_assert_leq(all->length + length, sizeof(all->bytes));
	memcpy(all->bytes + all->length, bytes, length);
	turn_of(all, from)->length += length;
	all->length += length;
}

static uint8_t hex_digit(char digit)
{
	return (uint8_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

static void say_hex(struct conversation *all, enum tls_side from, const char *hex)
{
	for (; hex[0] >= '0' && hex[1] >= '0'; hex += 2) {
		uint8_t byte = (uint8_t)(hex_digit(hex[0]) << 4 | hex_digit(hex[1]));

		say(all, from, &byte, 1);
	}
}

/* Vectors lie beside this file, whose path the compiler was given from the project's root. */
static void read_vector(struct conversation *all, const char *name)
{
	char path[512] = __FILE__;
	char line[512] = "";
	FILE *file = NULL;

	char *folder_end = strrchr(path, '/');

	cr_assert_not_null(folder_end);
	(void)snprintf(folder_end, sizeof(path) - (size_t)(folder_end - path), "/vectors/%s.txt",
		       name);
	file = fopen(path, "r");
	cr_assert_not_null(file, "%s", path);
	memset(all, 0, sizeof(*all));
	while (fgets(line, sizeof(line), file))
		if (line[0] == '>' || line[0] == '<')
			say_hex(all, line[0] == '>' ? TLS_FROM_CLIENT : TLS_FROM_SERVER, line + 2);
	(void)fclose(file);
	cr_assert_gt(all->turn_count, 1, "%s", path);
}

/* Feeds `length` bytes from `start` on, cut where the side changes and every `step` bytes. */
static void feed_range(struct tls_wire *wire, const struct conversation *all, size_t start,
		       size_t length, size_t step)
{
	for (size_t i = 0; i < all->turn_count; i++) {
		const struct turn *turn = &all->turns[i];
		size_t from = start > turn->start ? start : turn->start;
		size_t end = turn->start + turn->length;

		if (end > start + length)
			end = start + length;
		for (; from < end; from += step) {
			enum tls_progress before = wire->progress;
			size_t piece = end - from < step ? end - from : step;
			enum tls_progress after =
				tls_wire_feed(wire, turn->from, all->bytes + from, piece);

			cr_assert_eq(after, wire->progress);
			cr_assert_geq(after, before, "progress went back");
		}
	}
}

static void feed_all(struct tls_wire *wire, const struct conversation *all)
{
	tls_wire_init(wire);
	feed_range(wire, all, 0, all->length, SIZE_MAX / 2);
}

static void feed_turns(struct tls_wire *wire, const struct conversation *all, size_t count)
{
	const struct turn *last = &all->turns[count - 1];

	cr_assert_leq(count, all->turn_count);
	tls_wire_init(wire);
	feed_range(wire, all, 0, last->start + last->length, SIZE_MAX / 2);
}

struct expectation {
	const char *vector;
	uint16_t offered[TLS_OFFERED_MAX];
	uint16_t version;
	uint16_t cipher;
	uint16_t group;
	uint16_t server_supports;
	enum tls_progress progress;
	bool names_versions;
	bool resumed;
	bool alert_encrypted;
	uint8_t alert;
	enum tls_side alert_from; /* the client, if nothing is said */
	const char *server_name;  /* mail.example.org, if nothing is said */
};

static const struct expectation expectations[] = {
	{.vector = "openssl-1.0",
	 .offered = {0x301},
	 .version = 0x301,
	 .cipher = 0xC00A,
	 .server_supports = 0x303,
	 .progress = TLS_ESTABLISHED},
	{.vector = "openssl-1.1",
	 .offered = {0x302},
	 .version = 0x302,
	 .cipher = 0xC00A,
	 .server_supports = 0x303,
	 .progress = TLS_ESTABLISHED},
	{.vector = "openssl-1.2",
	 .offered = {0x303},
	 .version = 0x303,
	 .cipher = 0xC02C,
	 .server_supports = 0x304,
	 .progress = TLS_ESTABLISHED},
	{.vector = "openssl-1.3",
	 .offered = {0x304},
	 .version = 0x304,
	 .cipher = 0x1302,
	 .group = 29,
	 .progress = TLS_ESTABLISHED,
	 .names_versions = true},
	{.vector = "gnutls-1.0",
	 .offered = {0x301},
	 .version = 0x301,
	 .cipher = 0xC00A,
	 .server_supports = 0x303,
	 .progress = TLS_ESTABLISHED},
	{.vector = "gnutls-1.1",
	 .offered = {0x302},
	 .version = 0x302,
	 .cipher = 0xC00A,
	 .server_supports = 0x303,
	 .progress = TLS_ESTABLISHED},
	{.vector = "gnutls-1.2",
	 .offered = {0x303},
	 .version = 0x303,
	 .cipher = 0xC02C,
	 .server_supports = 0x304,
	 .progress = TLS_ESTABLISHED},
	{.vector = "gnutls-1.3",
	 .offered = {0x304},
	 .version = 0x304,
	 .cipher = 0x1302,
	 .group = 23,
	 .progress = TLS_ESTABLISHED,
	 .names_versions = true},
	{.vector = "java-1.0",
	 .offered = {0x301},
	 .version = 0x301,
	 .cipher = 0xC00A,
	 .server_supports = 0x303,
	 .progress = TLS_ESTABLISHED,
	 .names_versions = true},
	{.vector = "java-1.1",
	 .offered = {0x302},
	 .version = 0x302,
	 .cipher = 0xC00A,
	 .server_supports = 0x303,
	 .progress = TLS_ESTABLISHED,
	 .names_versions = true},
	{.vector = "java-1.2",
	 .offered = {0x303},
	 .version = 0x303,
	 .cipher = 0xC02C,
	 .server_supports = 0x304,
	 .progress = TLS_ESTABLISHED,
	 .names_versions = true},
	{.vector = "java-1.3",
	 .offered = {0x304},
	 .version = 0x304,
	 .cipher = 0x1302,
	 .group = 29,
	 .progress = TLS_ESTABLISHED,
	 .names_versions = true},
	{.vector = "java-3.0",
	 .offered = {0x300},
	 .version = 0x300,
	 .cipher = 0xC014,
	 .progress = TLS_ESTABLISHED,
	 .names_versions = true},
	{.vector = "java-ssl2hello",
	 .offered = {0x301},
	 .version = 0x301,
	 .cipher = 0x003A,
	 .server_supports = 0x303,
	 .progress = TLS_ESTABLISHED,
	 .server_name = ""},
	{.vector = "java-flexible",
	 .offered = {0x301, 0x302, 0x303, 0x304},
	 .version = 0x304,
	 .cipher = 0x1302,
	 .group = 29,
	 .progress = TLS_ESTABLISHED,
	 .names_versions = true},
	{.vector = "gnutls-flexible",
	 .offered = {0x301, 0x302, 0x303, 0x304},
	 .version = 0x304,
	 .cipher = 0x1302,
	 .group = 23,
	 .progress = TLS_ESTABLISHED,
	 .names_versions = true},
	{.vector = "openssl-gnutls-1.2",
	 .offered = {0x303},
	 .version = 0x303,
	 .cipher = 0xC02C,
	 .server_supports = 0x304,
	 .progress = TLS_ESTABLISHED},
	{.vector = "openssl-rsa",
	 .offered = {0x303},
	 .version = 0x303,
	 .cipher = 0x002F,
	 .server_supports = 0x304,
	 .progress = TLS_ESTABLISHED,
	 .server_name = ""},
	{.vector = "openssl-server-limited",
	 .offered = {0x301, 0x302, 0x303, 0x304},
	 .version = 0x302,
	 .cipher = 0xC00A,
	 .progress = TLS_ESTABLISHED,
	 .names_versions = true},
	{.vector = "openssl-retry",
	 .offered = {0x301, 0x302, 0x303, 0x304},
	 .version = 0x304,
	 .cipher = 0x1302,
	 .group = 24,
	 .progress = TLS_ESTABLISHED,
	 .names_versions = true},
	{.vector = "openssl-client-certificate",
	 .offered = {0x301, 0x302, 0x303, 0x304},
	 .version = 0x304,
	 .cipher = 0x1302,
	 .group = 29,
	 .progress = TLS_ESTABLISHED,
	 .names_versions = true},
	{.vector = "openssl-ccm8",
	 .offered = {0x301, 0x302, 0x303, 0x304},
	 .version = 0x304,
	 .cipher = 0x1305,
	 .group = 29,
	 .progress = TLS_ESTABLISHED,
	 .names_versions = true},
	{.vector = "openssl-ticket-1.2",
	 .offered = {0x303},
	 .version = 0x303,
	 .cipher = 0xC02C,
	 .server_supports = 0x304,
	 .progress = TLS_ESTABLISHED,
	 .resumed = true},
	{.vector = "openssl-ticket-refused-1.2",
	 .offered = {0x303},
	 .version = 0x303,
	 .cipher = 0xC02C,
	 .server_supports = 0x304,
	 .progress = TLS_ESTABLISHED},
	{.vector = "openssl-session-id-1.2",
	 .offered = {0x303},
	 .version = 0x303,
	 .cipher = 0xC02C,
	 .server_supports = 0x304,
	 .progress = TLS_ESTABLISHED,
	 .resumed = true},
	{.vector = "openssl-ticket-1.3",
	 .offered = {0x301, 0x302, 0x303, 0x304},
	 .version = 0x304,
	 .cipher = 0x1302,
	 .group = 29,
	 .progress = TLS_ESTABLISHED,
	 .names_versions = true,
	 .resumed = true},
	{.vector = "openssl-early-data",
	 .offered = {0x301, 0x302, 0x303, 0x304},
	 .version = 0x304,
	 .cipher = 0x1302,
	 .group = 29,
	 .progress = TLS_ESTABLISHED,
	 .names_versions = true,
	 .resumed = true},
	{.vector = "openssl-early-data-refused",
	 .offered = {0x301, 0x302, 0x303, 0x304},
	 .version = 0x304,
	 .cipher = 0x1302,
	 .group = 24,
	 .progress = TLS_ESTABLISHED,
	 .names_versions = true},
	{.vector = "openssl-unrecognized-name",
	 .offered = {0x303},
	 .version = 0x303,
	 .cipher = 0xC02C,
	 .server_supports = 0x304,
	 .progress = TLS_ESTABLISHED},
	{.vector = "openssl-protocol-version",
	 .offered = {0x301},
	 .progress = TLS_FAILED,
	 .alert = 70,
	 .alert_from = TLS_FROM_SERVER},
	{.vector = "openssl-handshake-failure",
	 .offered = {0x303},
	 .progress = TLS_FAILED,
	 .alert = 40,
	 .alert_from = TLS_FROM_SERVER},
	{.vector = "openssl-untrusted-1.2",
	 .offered = {0x303},
	 .version = 0x303,
	 .cipher = 0xC02C,
	 .server_supports = 0x304,
	 .progress = TLS_FAILED,
	 .alert = 48},
	{.vector = "openssl-untrusted-1.3",
	 .offered = {0x301, 0x302, 0x303, 0x304},
	 .version = 0x304,
	 .cipher = 0x1302,
	 .group = 29,
	 .progress = TLS_FAILED,
	 .names_versions = true,
	 .alert = 48},
	{.vector = "gnutls-untrusted-1.3",
	 .offered = {0x301, 0x302, 0x303, 0x304},
	 .version = 0x304,
	 .cipher = 0x1302,
	 .group = 23,
	 .progress = TLS_FAILED,
	 .names_versions = true,
	 .alert_encrypted = true},
	{.vector = "gnutls-untrusted-ccm8",
	 .offered = {0x304},
	 .version = 0x304,
	 .cipher = 0x1305,
	 .group = 23,
	 .progress = TLS_FAILED,
	 .names_versions = true,
	 .alert_encrypted = true},
	{.vector = "java-untrusted-1.2",
	 .offered = {0x303},
	 .version = 0x303,
	 .cipher = 0xC02C,
	 .server_supports = 0x304,
	 .progress = TLS_FAILED,
	 .names_versions = true,
	 .alert = 46},
	{.vector = "java-untrusted-1.3",
	 .offered = {0x304},
	 .version = 0x304,
	 .cipher = 0x1302,
	 .group = 29,
	 .progress = TLS_FAILED,
	 .names_versions = true,
	 .alert_encrypted = true},
};

enum { EXPECTATION_COUNT = sizeof(expectations) / sizeof(expectations[0]) };

static size_t count_offered(const struct expectation *expected)
{
	size_t count = 0;

	while (count < TLS_OFFERED_MAX && expected->offered[count] != 0)
		count++;
	return count;
}

static void expect_alert(const struct tls_wire *wire, const struct expectation *expected)
{
	const char *name = expected->vector;

	cr_expect_eq(wire->alert_seen, expected->progress == TLS_FAILED, "%s", name);
	cr_expect_eq(wire->alert_encrypted, expected->alert_encrypted, "%s", name);
	cr_expect_eq(wire->alert_description, expected->alert, "%s: %u", name,
		     wire->alert_description);
	cr_expect_eq(wire->alert_from, expected->alert_from, "%s", name);
}

static void expect_facts(const struct tls_wire *wire, const struct expectation *expected)
{
	const char *name = expected->vector;
	const char *server_name =
		expected->server_name ? expected->server_name : "mail.example.org";

	cr_expect_eq(wire->progress, expected->progress, "%s: %d", name, wire->progress);
	cr_expect_eq(wire->version, expected->version, "%s: %#x", name, wire->version);
	cr_expect_eq(wire->cipher, expected->cipher, "%s: %#x", name, wire->cipher);
	cr_expect_eq(wire->group, expected->group, "%s: %u", name, wire->group);
	cr_expect_eq(wire->resumed, expected->resumed, "%s", name);
	cr_expect_eq(wire->server_supports, expected->server_supports, "%s: %#x", name,
		     wire->server_supports);
	cr_expect_eq(wire->names_versions, expected->names_versions, "%s", name);
	cr_expect_eq(wire->offered_count, count_offered(expected), "%s", name);
	cr_expect_arr_eq(wire->offered, expected->offered, sizeof(wire->offered), "%s", name);
	cr_expect_str_eq(wire->server_name, server_name, "%s: %s", name, wire->server_name);
	expect_alert(wire, expected);
}

Test(tls_wire, real_handshakes_give_their_facts)
{
	static struct conversation all;
	static struct tls_wire wire;

	for (size_t i = 0; i < EXPECTATION_COUNT; i++) {
		read_vector(&all, expectations[i].vector);
		feed_all(&wire, &all);
		expect_facts(&wire, &expectations[i]);
	}
}

Test(tls_wire, client_random_is_the_one_sent)
{
	static struct conversation all;
	static struct tls_wire wire;

	for (size_t i = 0; i < EXPECTATION_COUNT; i++) {
		const uint8_t *sent = all.bytes + 11;

		read_vector(&all, expectations[i].vector);
		feed_all(&wire, &all);
		/* The challenge ends the hello of SSL 2.0. */
		if (strcmp(expectations[i].vector, "java-ssl2hello") == 0)
			sent = all.bytes + all.turns[0].length - TLS_RANDOM_SIZE;
		cr_expect_arr_eq(wire.client_random, sent, TLS_RANDOM_SIZE, "%s",
				 expectations[i].vector);
	}
}

static void expect_same(const struct tls_wire *wire, const struct tls_wire *whole, const char *name,
			size_t split)
{
	cr_expect(same_facts(wire, whole), "%s, split at %zu", name, split);
}

Test(tls_wire, bytes_may_come_one_by_one)
{
	static struct conversation all;
	static struct tls_wire whole;
	static struct tls_wire wire;

	for (size_t i = 0; i < EXPECTATION_COUNT; i++) {
		read_vector(&all, expectations[i].vector);
		feed_all(&whole, &all);
		for (size_t step = 1; step < 8; step++) {
			tls_wire_init(&wire);
			feed_range(&wire, &all, 0, all.length, step);
			expect_same(&wire, &whole, expectations[i].vector, step);
		}
	}
}

Test(tls_wire, bytes_may_be_split_anywhere)
{
	static struct conversation all;
	static struct tls_wire whole;
	static struct tls_wire wire;

	for (size_t i = 0; i < EXPECTATION_COUNT; i++) {
		read_vector(&all, expectations[i].vector);
		feed_all(&whole, &all);
		for (size_t split = 0; split <= all.length; split++) {
			tls_wire_init(&wire);
			feed_range(&wire, &all, 0, split, SIZE_MAX / 2);
			feed_range(&wire, &all, split, all.length - split, SIZE_MAX / 2);
			expect_same(&wire, &whole, expectations[i].vector, split);
		}
	}
}

/* Says one record's body anew in records of at most `size` bytes. */
static void say_in_fragments(struct conversation *to, enum tls_side from, const uint8_t *record,
			     size_t length, size_t size)
{
	for (size_t i = 0; i < length; i += size) {
		size_t piece = length - i < size ? length - i : size;
		uint8_t header[5] = {record[0], record[1], record[2], (uint8_t)(piece >> 8),
				     (uint8_t)piece};

		say(to, from, header, sizeof(header));
		say(to, from, record + 5 + i, piece);
	}
}

/* The same conversation with the plain handshake records before ChangeCipherSpec split. */
static void fragment(struct conversation *to, const struct conversation *all, size_t size)
{
	memset(to, 0, sizeof(*to));
	for (size_t i = 0; i < all->turn_count; i++) {
		const struct turn *turn = &all->turns[i];
		size_t at = turn->start;
		bool plain = true;

		while (at < turn->start + turn->length) {
			const uint8_t *record = all->bytes + at;
			size_t length = (size_t)record[3] << 8 | record[4];

			plain = plain && record[0] == 22;
			say_in_fragments(to, turn->from, record, length,
					 plain && length > 0 ? size : SIZE_MAX / 2);
			at += 5 + length;
		}
	}
}

Test(tls_wire, messages_may_be_split_over_records)
{
	static const char *const vectors[] = {"openssl-1.0", "gnutls-1.2", "java-1.3",
					      "openssl-retry"};
	static const size_t sizes[] = {1, 2, 3, 4, 5, 7, 36, 100};
	static struct conversation all;
	static struct conversation fragments;
	static struct tls_wire whole;
	static struct tls_wire wire;

	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		for (size_t j = 0; j < sizeof(sizes) / sizeof(sizes[0]); j++) {
			read_vector(&all, vectors[i]);
			fragment(&fragments, &all, sizes[j]);
			feed_all(&whole, &all);
			feed_all(&wire, &fragments);
			expect_same(&wire, &whole, vectors[i], sizes[j]);
		}
	}
}

/* The subject as a vector's certificate has it, with the message in pieces of this size. */
static void expect_certificate(const char *vector, size_t piece, const char *subject)
{
	static struct conversation all;
	static struct conversation fragments;
	struct certificate_message message = {0};
	struct certificate_facts facts;
	struct tls_wire wire;
	char text[256] = "";

	read_vector(&all, vector);
	fragment(&fragments, &all, piece);
	tls_wire_init(&wire);
	wire.certificate = &message;
	feed_range(&wire, &fragments, 0, fragments.length, piece);
	if (certificate_message_read(&message, &facts))
		certificate_name_write(text, sizeof(text), facts.subject, facts.subject_length);
	cr_expect_str_eq(text, subject, "%s in pieces of %zu: '%s'", vector, piece, text);
}

/* Up to 1.2 it is in the clear; in 1.3, and where a session is resumed, there is none. */
Test(tls_wire, certificate_of_the_server)
{
	static const size_t pieces[] = {1, 7, 100, SIZE_MAX / 2};

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		expect_certificate("openssl-1.0", pieces[i], "CN=mail.example.org");
		expect_certificate("openssl-1.2", pieces[i], "CN=mail.example.org");
		expect_certificate("gnutls-1.1", pieces[i], "CN=mail.example.org");
		expect_certificate("java-1.2", pieces[i], "CN=mail.example.org");
		expect_certificate("openssl-1.3", pieces[i], "");
		expect_certificate("openssl-ticket-1.2", pieces[i], "");
	}
}

Test(tls_wire, progress_follows_the_handshake_of_1_3)
{
	static struct conversation all;
	static struct tls_wire wire;

	read_vector(&all, "openssl-1.3");
	feed_turns(&wire, &all, 1);
	cr_expect_eq(wire.progress, TLS_OFFERED);
	feed_turns(&wire, &all, 2);
	cr_expect_eq(wire.progress, TLS_NEGOTIATED);
	tls_wire_init(&wire);
	feed_range(&wire, &all, 0, all.length - 1, SIZE_MAX / 2);
	cr_expect_eq(wire.progress, TLS_NEGOTIATED, "half a Finished is none");
}

Test(tls_wire, progress_follows_the_handshake_of_1_2)
{
	static struct conversation all;
	static struct tls_wire wire;

	read_vector(&all, "openssl-1.2");
	tls_wire_init(&wire);
	feed_range(&wire, &all, 0, all.turns[0].length - 1, SIZE_MAX / 2);
	cr_expect_eq(wire.progress, TLS_NOTHING, "half a ClientHello is none");
	feed_turns(&wire, &all, 1);
	cr_expect_eq(wire.progress, TLS_OFFERED);
	feed_turns(&wire, &all, 3);
	cr_expect_eq(wire.progress, TLS_NEGOTIATED, "only one side has finished");
	tls_wire_init(&wire);
	feed_range(&wire, &all, 0, all.length - 1, SIZE_MAX / 2);
	cr_expect_eq(wire.progress, TLS_NEGOTIATED, "half a Finished is none");
}

Test(tls_wire, resumption_in_1_2_is_known_with_the_servers_turn)
{
	static struct conversation all;
	static struct tls_wire wire;

	read_vector(&all, "openssl-ticket-1.2");
	feed_turns(&wire, &all, 2);
	cr_expect_eq(wire.progress, TLS_NEGOTIATED);
	cr_expect(wire.resumed);
}

Test(tls_wire, hello_retry_request_is_not_the_answer)
{
	static struct conversation all;
	static struct tls_wire wire;
	static struct tls_wire first;

	read_vector(&all, "openssl-retry");
	feed_turns(&first, &all, 1);
	feed_turns(&wire, &all, 2);
	cr_expect_eq(wire.progress, TLS_OFFERED);
	cr_expect_eq(wire.version, TLS_VERSION_UNKNOWN);
	cr_expect_eq(wire.cipher, 0);
	cr_expect_eq(wire.group, 0);
	feed_turns(&wire, &all, 3);
	cr_expect_eq(wire.progress, TLS_OFFERED);
	cr_expect_eq(wire.offered_count, first.offered_count, "the second hello adds nothing");
	cr_expect_arr_eq(wire.client_random, first.client_random, TLS_RANDOM_SIZE);
	feed_turns(&wire, &all, 4);
	cr_expect_eq(wire.progress, TLS_NEGOTIATED);
	cr_expect_eq(wire.version, TLS_VERSION_1_3);
}

/* Early data says nothing, not even if it is as long as an alert or a Finished would be. */
Test(tls_wire, early_data_is_neither_finished_nor_alert)
{
	static const size_t lengths[] = {1, 11, 19, 35, 69, 16384};
	static struct conversation all;
	static struct conversation early;
	static struct tls_wire wire;

	read_vector(&all, "openssl-1.3");
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		static const uint8_t body[16384];
		uint8_t header[11] = {20, 3, 3, 0, 1, 1, 23, 3, 3};

		header[9] = (uint8_t)(lengths[i] >> 8);
		header[10] = (uint8_t)lengths[i];
		memset(&early, 0, sizeof(early));
		tls_wire_init(&wire);
		(void)tls_wire_feed(&wire, TLS_FROM_CLIENT, all.bytes, all.turns[0].length);
		(void)tls_wire_feed(&wire, TLS_FROM_CLIENT, header, sizeof(header));
		(void)tls_wire_feed(&wire, TLS_FROM_CLIENT, body, lengths[i]);
		cr_expect_eq(wire.progress, TLS_OFFERED, "%zu: %d", lengths[i], wire.progress);
		feed_range(&wire, &all, all.turns[1].start, all.turns[1].length, SIZE_MAX / 2);
		cr_expect_eq(wire.progress, TLS_NEGOTIATED, "%zu", lengths[i]);
		feed_range(&wire, &all, all.turns[2].start, all.turns[2].length, SIZE_MAX / 2);
		cr_expect_eq(wire.progress, TLS_ESTABLISHED, "%zu", lengths[i]);
	}
}

/* A 1.2 handshake up to the server's ChangeCipherSpec, then what `hex` says. */
static void end_1_2_with(struct tls_wire *wire, enum tls_side from, const char *hex)
{
	static struct conversation all;
	static struct conversation end;

	read_vector(&all, "openssl-1.2");
	feed_turns(wire, &all, 3);
	memset(&end, 0, sizeof(end));
	say_hex(&end, from, hex);
	feed_range(wire, &end, 0, end.length, SIZE_MAX / 2);
}

Test(tls_wire, alert_after_change_cipher_spec_is_encrypted)
{
	static struct tls_wire wire;

	end_1_2_with(&wire, TLS_FROM_SERVER, "1403030001011503030002022a");
	cr_expect_eq(wire.progress, TLS_FAILED);
	cr_expect(wire.alert_encrypted);
	cr_expect_eq(wire.alert_description, 0);
	cr_expect_eq(wire.alert_from, TLS_FROM_SERVER);
	end_1_2_with(&wire, TLS_FROM_CLIENT, "15030300020100");
	cr_expect_eq(wire.progress, TLS_FAILED);
	cr_expect(wire.alert_encrypted);
	cr_expect_eq(wire.alert_from, TLS_FROM_CLIENT);
}

/* The client has changed, the server has not: decrypt_error comes in the clear. */
Test(tls_wire, alert_before_the_same_sides_change_cipher_spec_is_plain)
{
	static struct tls_wire wire;

	end_1_2_with(&wire, TLS_FROM_SERVER, "15030300020233");
	cr_expect_eq(wire.progress, TLS_FAILED);
	cr_expect_not(wire.alert_encrypted);
	cr_expect_eq(wire.alert_description, 51);
}

Test(tls_wire, empty_record_is_no_finished)
{
	static struct tls_wire wire;

	end_1_2_with(&wire, TLS_FROM_SERVER, "1403030001011603030000");
	cr_expect_eq(wire.progress, TLS_NEGOTIATED);
}

/* After the two hellos of a 1.3 handshake, one record of the client's. */
static enum tls_progress after_first_protected(enum tls_side from, const char *vector,
					       uint16_t length)
{
	static struct conversation all;
	static struct tls_wire wire;
	static const uint8_t body[128];
	uint8_t header[5] = {23, 3, 3, (uint8_t)(length >> 8), (uint8_t)length};
	size_t answer_length = 0;

	read_vector(&all, vector);
	answer_length = 5 + ((size_t)all.bytes[all.turns[1].start + 3] << 8 |
			     all.bytes[all.turns[1].start + 4]);
	tls_wire_init(&wire);
	feed_range(&wire, &all, 0, all.turns[0].length + answer_length, SIZE_MAX / 2);
	cr_assert_eq(wire.progress, TLS_NEGOTIATED);
	(void)tls_wire_feed(&wire, from, header, sizeof(header));
	return tls_wire_feed(&wire, from, body, length);
}

Test(tls_wire, protected_alert_is_told_by_its_length)
{
	cr_expect_eq(after_first_protected(TLS_FROM_CLIENT, "openssl-1.3", 19), TLS_FAILED);
	cr_expect_eq(after_first_protected(TLS_FROM_SERVER, "openssl-1.3", 19), TLS_FAILED);
	cr_expect_eq(after_first_protected(TLS_FROM_CLIENT, "openssl-ccm8", 11), TLS_FAILED);
	/* what the other tag length would make of it */
	cr_expect_eq(after_first_protected(TLS_FROM_CLIENT, "openssl-1.3", 11), TLS_NEGOTIATED);
	cr_expect_eq(after_first_protected(TLS_FROM_CLIENT, "openssl-ccm8", 19), TLS_NEGOTIATED);
	/* as JSSE pads it; EncryptedExtensions may be as long */
	cr_expect_eq(after_first_protected(TLS_FROM_CLIENT, "openssl-1.3", 35), TLS_FAILED);
	cr_expect_eq(after_first_protected(TLS_FROM_SERVER, "openssl-1.3", 35), TLS_NEGOTIATED);
}

Test(tls_wire, protected_record_too_short_for_finished_is_waited_out)
{
	cr_expect_eq(after_first_protected(TLS_FROM_CLIENT, "openssl-1.3", 0), TLS_NEGOTIATED);
	cr_expect_eq(after_first_protected(TLS_FROM_CLIENT, "openssl-1.3", 17), TLS_NEGOTIATED);
	cr_expect_eq(after_first_protected(TLS_FROM_CLIENT, "openssl-1.3", 21), TLS_NEGOTIATED,
		     "EndOfEarlyData");
	cr_expect_eq(after_first_protected(TLS_FROM_CLIENT, "openssl-1.3", 25), TLS_NEGOTIATED,
		     "empty Certificate");
	cr_expect_eq(after_first_protected(TLS_FROM_CLIENT, "openssl-1.3", 53), TLS_ESTABLISHED);
	cr_expect_eq(after_first_protected(TLS_FROM_SERVER, "openssl-1.3", 53), TLS_NEGOTIATED);
}

Test(tls_wire, after_the_end_nothing_changes)
{
	static const uint8_t text[] = "220 mail.example.org ESMTP\r\n";
	static struct conversation all;
	static struct tls_wire wire;
	static struct tls_wire before;

	read_vector(&all, "openssl-1.2");
	feed_all(&wire, &all);
	before = wire;
	cr_expect_eq(tls_wire_feed(&wire, TLS_FROM_SERVER, text, sizeof(text)), TLS_ESTABLISHED);
	cr_expect(same_facts(&wire, &before));
}

Test(tls_wire, no_bytes_are_no_change)
{
	static struct tls_wire wire;

	tls_wire_init(&wire);
	cr_expect_eq(tls_wire_feed(&wire, TLS_FROM_CLIENT, NULL, 0), TLS_NOTHING);
}

/*
 * Made-up hellos. A message is built inside out: its fields, then its header,
 * then the record around it.
 */
struct hello {
	uint8_t bytes[2048];
	size_t length;
};

static void put(struct hello *hello, uint32_t value, size_t size)
{
	while (size-- > 0) {
		cr_assert_lt(hello->length, sizeof(hello->bytes));
		hello->bytes[hello->length++] = (uint8_t)(value >> (8 * size));
	}
}

static void put_all(struct hello *hello, const void *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		put(hello, ((const uint8_t *)bytes)[i], 1);
}

static void put_extension(struct hello *hello, uint16_t type, const struct hello *body)
{
	put(hello, type, 2);
	put(hello, (uint32_t)body->length, 2);
	put_all(hello, body->bytes, body->length);
}

static const uint8_t plain_random[TLS_RANDOM_SIZE] = {1, 2, 3};

static struct hello client_hello(uint16_t legacy_version, const struct hello *extensions)
{
	struct hello hello = {.length = 0};

	put(&hello, legacy_version, 2);
	put_all(&hello, plain_random, TLS_RANDOM_SIZE);
	put(&hello, 0, 1);
	put(&hello, 2, 2);
	put(&hello, 0x1301, 2);
	put(&hello, 1, 1);
	put(&hello, 0, 1);
	if (extensions) {
		put(&hello, (uint32_t)extensions->length, 2);
		put_all(&hello, extensions->bytes, extensions->length);
	}
	return hello;
}

static struct hello server_hello(uint16_t legacy_version, const uint8_t *random,
				 const struct hello *extensions)
{
	struct hello hello = {.length = 0};

	put(&hello, legacy_version, 2);
	put_all(&hello, random, TLS_RANDOM_SIZE);
	put(&hello, 0, 1);
	put(&hello, 0x1301, 2);
	put(&hello, 0, 1);
	if (extensions) {
		put(&hello, (uint32_t)extensions->length, 2);
		put_all(&hello, extensions->bytes, extensions->length);
	}
	return hello;
}

static enum tls_progress feed_message(struct tls_wire *wire, enum tls_side from, uint8_t type,
				      const struct hello *body)
{
	struct hello record = {.length = 0};

	put(&record, 22, 1);
	put(&record, 0x0301, 2);
	put(&record, (uint32_t)body->length + 4, 2);
	put(&record, type, 1);
	put(&record, (uint32_t)body->length, 3);
	put_all(&record, body->bytes, body->length);
	return tls_wire_feed(wire, from, record.bytes, record.length);
}

static enum tls_progress offer(struct tls_wire *wire, uint16_t legacy_version,
			       const struct hello *extensions)
{
	struct hello hello = client_hello(legacy_version, extensions);

	tls_wire_init(wire);
	return feed_message(wire, TLS_FROM_CLIENT, 1, &hello);
}

static enum tls_progress answer(struct tls_wire *wire, uint16_t legacy_version,
				const uint8_t *random, const struct hello *extensions)
{
	struct hello hello = server_hello(legacy_version, random, extensions);

	cr_assert_eq(offer(wire, 0x0303, NULL), TLS_OFFERED);
	return feed_message(wire, TLS_FROM_SERVER, 2, &hello);
}

static struct hello versions_extension(const uint16_t *versions, size_t count)
{
	struct hello body = {.length = 0};
	struct hello extensions = {.length = 0};

	put(&body, (uint32_t)count * 2, 1);
	for (size_t i = 0; i < count; i++)
		put(&body, versions[i], 2);
	put_extension(&extensions, 43, &body);
	return extensions;
}

Test(tls_wire, offered_versions_are_sorted_known_and_told_once)
{
	static const uint16_t sent[] = {0x0A0A, 0x0304, 0x0303, 0x7F1C, 0x0301, 0x0303,
					0x0300, 0xFAFA, 0x0305, 0x0002, 0x0304};
	static const uint16_t expected[] = {0x0300, 0x0301, 0x0303, 0x0304};
	static struct tls_wire wire;
	struct hello extensions = versions_extension(sent, sizeof(sent) / sizeof(sent[0]));

	cr_expect_eq(offer(&wire, 0x0303, &extensions), TLS_OFFERED);
	cr_expect(wire.names_versions);
	cr_expect_eq(wire.offered_count, 4);
	cr_expect_arr_eq(wire.offered, expected, sizeof(expected));
}

Test(tls_wire, only_grease_is_no_known_version)
{
	static const uint16_t sent[] = {0x0A0A, 0x1A1A};
	static struct tls_wire wire;
	struct hello extensions = versions_extension(sent, 2);

	cr_expect_eq(offer(&wire, 0x0303, &extensions), TLS_OFFERED);
	cr_expect(wire.names_versions);
	cr_expect_eq(wire.offered_count, 0);
}

/* RFC 8446, 4.2.1: without the extension a server goes no higher than 1.2. */
Test(tls_wire, without_the_extension_the_legacy_version_is_offered)
{
	static struct tls_wire wire;

	cr_expect_eq(offer(&wire, 0x0302, NULL), TLS_OFFERED);
	cr_expect_eq(wire.offered_count, 1);
	cr_expect_eq(wire.offered[0], 0x0302);
	cr_expect_not(wire.names_versions);
	cr_expect_eq(offer(&wire, 0x03FF, NULL), TLS_OFFERED);
	cr_expect_eq(wire.client_legacy_version, 0x03FF);
	cr_expect_eq(wire.offered[0], 0x0303);
	cr_expect_eq(offer(&wire, 0x0200, NULL), TLS_OFFERED);
	cr_expect_eq(wire.offered_count, 0);
}

static void feed_server_name(struct tls_wire *wire, uint8_t type, const void *name, size_t length,
			     uint16_t said_length)
{
	struct hello body = {.length = 0};
	struct hello extensions = {.length = 0};

	put(&body, (uint32_t)length + 3, 2);
	put(&body, type, 1);
	put(&body, said_length, 2);
	put_all(&body, name, length);
	put_extension(&extensions, 0, &body);
	cr_expect_eq(offer(wire, 0x0303, &extensions), TLS_OFFERED);
}

Test(tls_wire, server_name_is_kept_if_it_is_one)
{
	static struct tls_wire wire;
	char longest[256];

	memset(longest, 'a', sizeof(longest));
	feed_server_name(&wire, 0, "a.example", 9, 9);
	cr_expect_str_eq(wire.server_name, "a.example");
	feed_server_name(&wire, 0, longest, 255, 255);
	cr_expect_eq(strlen(wire.server_name), 255);
	feed_server_name(&wire, 0, longest, 256, 256);
	cr_expect_str_eq(wire.server_name, "", "longer than a name in DNS can be");
	feed_server_name(&wire, 0, "a\0.example", 10, 10);
	cr_expect_str_eq(wire.server_name, "", "a NUL in it");
	feed_server_name(&wire, 0, "a.example\0", 10, 10);
	cr_expect_str_eq(wire.server_name, "", "a NUL behind it");
	feed_server_name(&wire, 1, "a.example", 9, 9);
	cr_expect_str_eq(wire.server_name, "", "no host_name");
	feed_server_name(&wire, 0, "", 0, 0);
	cr_expect_str_eq(wire.server_name, "");
}

/* Takes no part in the choice of the version, so it must not cost it. */
Test(tls_wire, server_name_whose_length_lies_is_passed_over)
{
	static struct tls_wire wire;
	struct hello empty = {.length = 0};
	struct hello extensions = {.length = 0};

	feed_server_name(&wire, 0, "a.example", 9, 10);
	cr_expect_str_eq(wire.server_name, "");
	put_extension(&extensions, 0, &empty);
	cr_expect_eq(offer(&wire, 0x0303, &extensions), TLS_OFFERED);
}

Test(tls_wire, sentinel_proves_only_what_it_was_meant_for)
{
	static const struct {
		uint16_t version;
		uint8_t last;
		uint16_t supports;
	} cases[] = {
		{0x0303, 1, 0x0304}, {0x0303, 0, 0},      {0x0302, 0, 0x0303}, {0x0302, 1, 0},
		{0x0301, 0, 0x0303}, {0x0300, 0, 0x0303}, {0x0303, 2, 0},      {0x0301, 1, 0},
	};
	static struct tls_wire wire;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t random[TLS_RANDOM_SIZE] = {[24] = 'D', 'O', 'W', 'N',
						   'G',        'R', 'D', cases[i].last};

		cr_expect_eq(answer(&wire, cases[i].version, random, NULL), TLS_NEGOTIATED);
		cr_expect_eq(wire.server_supports, cases[i].supports, "%zu: %#x", i,
			     wire.server_supports);
		random[25]++;
		(void)answer(&wire, cases[i].version, random, NULL);
		cr_expect_eq(wire.server_supports, 0, "%zu: no sentinel", i);
	}
}

static struct hello selected_version(uint16_t version)
{
	struct hello body = {.length = 0};
	struct hello extensions = {.length = 0};

	put(&body, version, 2);
	put_extension(&extensions, 43, &body);
	return extensions;
}

Test(tls_wire, supported_versions_of_the_server_decides)
{
	static struct tls_wire wire;
	struct hello extensions = selected_version(0x0304);

	cr_expect_eq(answer(&wire, 0x0303, plain_random, &extensions), TLS_NEGOTIATED);
	cr_expect_eq(wire.version, 0x0304);
	cr_expect_eq(answer(&wire, 0x0303, plain_random, NULL), TLS_NEGOTIATED);
	cr_expect_eq(wire.version, 0x0303);
}

/* Where the client's half went unseen, the version is known all the same. */
Test(tls_wire, answer_counts_without_the_offer)
{
	static struct tls_wire wire;
	struct hello hello = server_hello(0x0302, plain_random, NULL);

	tls_wire_init(&wire);
	cr_expect_eq(feed_message(&wire, TLS_FROM_SERVER, 2, &hello), TLS_NEGOTIATED);
	cr_expect_eq(wire.version, 0x0302);
	cr_expect_eq(wire.offered_count, 0);
}

/* The client will refuse it, and its alert then tells more than a guess would. */
Test(tls_wire, answer_with_an_unknown_version_is_none)
{
	static const uint8_t alert[] = {21, 3, 3, 0, 2, 2, 70};
	static struct tls_wire wire;
	struct hello extensions = selected_version(0x0305);

	cr_expect_eq(answer(&wire, 0x0303, plain_random, &extensions), TLS_OFFERED);
	cr_expect_eq(answer(&wire, 0x0304, plain_random, NULL), TLS_OFFERED);
	cr_expect_eq(answer(&wire, 0x0002, plain_random, NULL), TLS_OFFERED);
	cr_expect_eq(wire.version, 0);
	cr_expect_eq(tls_wire_feed(&wire, TLS_FROM_CLIENT, alert, sizeof(alert)), TLS_FAILED);
	cr_expect_eq(wire.alert_description, 70);
}

static enum tls_progress after_alert(struct tls_wire *wire, enum tls_side from, uint8_t level,
				     uint8_t description)
{
	uint8_t alert[] = {21, 3, 1, 0, 2, level, description};

	cr_assert_eq(offer(wire, 0x0303, NULL), TLS_OFFERED);
	return tls_wire_feed(wire, from, alert, sizeof(alert));
}

Test(tls_wire, warning_ends_nothing_unless_it_says_goodbye)
{
	static struct tls_wire wire;

	cr_expect_eq(after_alert(&wire, TLS_FROM_SERVER, 1, 112), TLS_OFFERED);
	cr_expect_not(wire.alert_seen);
	cr_expect_eq(after_alert(&wire, TLS_FROM_SERVER, 1, 0), TLS_FAILED);
	cr_expect_eq(after_alert(&wire, TLS_FROM_CLIENT, 1, 90), TLS_FAILED);
	cr_expect_eq(wire.alert_from, TLS_FROM_CLIENT);
	cr_expect_eq(wire.alert_description, 90);
	cr_expect_eq(after_alert(&wire, TLS_FROM_SERVER, 2, 112), TLS_FAILED);
	cr_expect_eq(wire.alert_description, 112);
}

/* RFC 8446, 6: the level says nothing in 1.3. */
Test(tls_wire, plain_alert_in_1_3_is_fatal_at_any_level)
{
	static const uint8_t alert[] = {21, 3, 3, 0, 2, 1, 42};
	static struct tls_wire wire;
	struct hello extensions = selected_version(0x0304);

	cr_assert_eq(answer(&wire, 0x0303, plain_random, &extensions), TLS_NEGOTIATED);
	cr_expect_eq(tls_wire_feed(&wire, TLS_FROM_CLIENT, alert, sizeof(alert)), TLS_FAILED);
	cr_expect_eq(wire.alert_description, 42);
	cr_assert_eq(answer(&wire, 0x0303, plain_random, NULL), TLS_NEGOTIATED);
	cr_expect_eq(tls_wire_feed(&wire, TLS_FROM_CLIENT, alert, sizeof(alert)), TLS_NEGOTIATED);
}

Test(tls_wire, alert_may_be_split_or_joined)
{
	static const uint8_t split[] = {21, 3, 1, 0, 1, 2, 21, 3, 1, 0, 1, 40};
	static const uint8_t joined[] = {21, 3, 1, 0, 4, 1, 112, 2, 40};
	static struct tls_wire wire;

	cr_assert_eq(offer(&wire, 0x0301, NULL), TLS_OFFERED);
	cr_expect_eq(tls_wire_feed(&wire, TLS_FROM_SERVER, split, sizeof(split)), TLS_FAILED);
	cr_expect_eq(wire.alert_description, 40);
	cr_assert_eq(offer(&wire, 0x0301, NULL), TLS_OFFERED);
	cr_expect_eq(tls_wire_feed(&wire, TLS_FROM_SERVER, joined, sizeof(joined)), TLS_FAILED);
	cr_expect_eq(wire.alert_description, 40);
}

Test(tls_wire, empty_records_are_passed_over)
{
	static const uint8_t empty[] = {22, 3, 1, 0, 0, 21, 3, 1, 0, 0};
	static struct tls_wire wire;
	struct hello hello = client_hello(0x0301, NULL);

	tls_wire_init(&wire);
	cr_expect_eq(tls_wire_feed(&wire, TLS_FROM_CLIENT, empty, sizeof(empty)), TLS_NOTHING);
	cr_expect_eq(feed_message(&wire, TLS_FROM_CLIENT, 1, &hello), TLS_OFFERED);
}

Test(tls_wire, hello_request_before_server_hello_is_passed_over)
{
	static struct tls_wire wire;
	struct hello empty = {.length = 0};
	struct hello hello = server_hello(0x0303, plain_random, NULL);

	cr_assert_eq(offer(&wire, 0x0303, NULL), TLS_OFFERED);
	cr_expect_eq(feed_message(&wire, TLS_FROM_SERVER, 0, &empty), TLS_OFFERED);
	cr_expect_eq(feed_message(&wire, TLS_FROM_SERVER, 2, &hello), TLS_NEGOTIATED);
}

static enum tls_progress first_bytes(struct tls_wire *wire, enum tls_side from, const void *bytes,
				     size_t length)
{
	tls_wire_init(wire);
	return tls_wire_feed(wire, from, bytes, length);
}

Test(tls_wire, text_is_told_by_its_first_byte)
{
	static struct tls_wire wire;

	cr_expect_eq(first_bytes(&wire, TLS_FROM_SERVER, "2", 1), TLS_NOT_TLS);
	cr_expect_eq(first_bytes(&wire, TLS_FROM_CLIENT, "E", 1), TLS_NOT_TLS);
	cr_expect_eq(first_bytes(&wire, TLS_FROM_CLIENT, "EHLO a.example\r\n", 16), TLS_NOT_TLS);
	cr_expect_eq(first_bytes(&wire, TLS_FROM_SERVER, "\0", 1), TLS_NOT_TLS);
	cr_expect_eq(first_bytes(&wire, TLS_FROM_SERVER, "\x16\x03", 2), TLS_NOTHING);
	cr_expect_eq(first_bytes(&wire, TLS_FROM_SERVER, "\x16\x02", 2), TLS_NOT_TLS);
}

/* Nobody begins with ChangeCipherSpec, application data or anything but a hello. */
Test(tls_wire, what_cannot_begin_a_connection_is_not_tls)
{
	static const char *const beginnings[] = {
		"1403030001",         "1703030020", "1803010003",         "160301004a0b000046",
		"160301004a02000046", "160301ffff", "16030100040103ffff",
	};
	static struct conversation all;
	static struct tls_wire wire;

	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
		memset(&all, 0, sizeof(all));
		say_hex(&all, TLS_FROM_CLIENT, beginnings[i]);
		cr_expect_eq(first_bytes(&wire, TLS_FROM_CLIENT, all.bytes, all.length),
			     TLS_NOT_TLS, "%s", beginnings[i]);
	}
}

Test(tls_wire, junk_never_becomes_a_handshake)
{
	static struct tls_wire wire;
	uint8_t junk[64];
	uint32_t state = 1;

	for (int round = 0; round < 100000; round++) {
		for (size_t i = 0; i < sizeof(junk); i++) {
			state = state * 1664525U + 1013904223U;
			junk[i] = (uint8_t)(state >> 24);
		}
		tls_wire_init(&wire);
		(void)tls_wire_feed(&wire, TLS_FROM_CLIENT, junk, 32);
		(void)tls_wire_feed(&wire, TLS_FROM_SERVER, junk + 32, 32);
		cr_assert(wire.progress == TLS_NOTHING || wire.progress == TLS_NOT_TLS);
	}
}

/* Every length of a hello, one at a time, made to lie in both directions. */
static void expect_lies_found(enum tls_side from, const struct hello *honest, const size_t *places,
			      size_t count)
{
	for (size_t i = 0; i < 2 * count; i++) {
		static struct tls_wire wire;
		struct hello hello = *honest;
		uint8_t *length = &hello.bytes[places[i / 2]];

		*length = (uint8_t)(i % 2 ? *length + 1 : *length - 1);
		(void)offer(&wire, 0x0303, NULL);
		if (from == TLS_FROM_CLIENT)
			tls_wire_init(&wire);
		cr_expect_eq(feed_message(&wire, from, from == TLS_FROM_CLIENT ? 1 : 2, &hello),
			     TLS_NOT_TLS, "byte %zu: %d", places[i / 2], wire.progress);
	}
}

Test(tls_wire, lengths_of_a_client_hello_may_not_lie)
{
	/* extensions, the extension, the list of versions */
	static const size_t places[] = {42, 46, 47};
	static const uint16_t version = 0x0304;
	struct hello extensions = versions_extension(&version, 1);
	struct hello hello = client_hello(0x0303, &extensions);

	expect_lies_found(TLS_FROM_CLIENT, &hello, places, 3);
}

Test(tls_wire, lengths_of_a_server_hello_may_not_lie)
{
	/* extensions, the extension */
	static const size_t places[] = {39, 43};
	struct hello extensions = selected_version(0x0304);
	struct hello hello = server_hello(0x0303, plain_random, &extensions);

	expect_lies_found(TLS_FROM_SERVER, &hello, places, 2);
}

Test(tls_wire, vectors_that_reach_beyond_the_hello_are_refused)
{
	/* session id, ciphers, compressions */
	static const size_t places[] = {34, 35, 39};
	static struct tls_wire wire;
	struct hello honest = client_hello(0x0303, NULL);

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct hello hello = honest;

		hello.bytes[places[i]] = 0xFF;
		tls_wire_init(&wire);
		cr_expect_eq(feed_message(&wire, TLS_FROM_CLIENT, 1, &hello), TLS_NOT_TLS, "%zu",
			     places[i]);
	}
}

/* An extension that nobody looks into is bounded by the message all the same. */
Test(tls_wire, unknown_extension_may_not_reach_beyond_the_hello)
{
	static struct tls_wire wire;
	struct hello body = {.length = 4};
	struct hello extensions = {.length = 0};
	struct hello hello = {.length = 0};

	put_extension(&extensions, 21, &body);
	extensions.bytes[3]++;
	hello = client_hello(0x0303, &extensions);
	tls_wire_init(&wire);
	cr_expect_eq(feed_message(&wire, TLS_FROM_CLIENT, 1, &hello), TLS_NOT_TLS);
	cr_expect_eq(answer(&wire, 0x0303, plain_random, &extensions), TLS_NOT_TLS);
}

/* RFC 8446, 4.1.2: 32 bytes at most, also where there is room for more. */
Test(tls_wire, session_id_of_more_than_32_bytes_is_refused)
{
	static struct tls_wire wire;

	for (uint32_t length = 32; length <= 33; length++) {
		struct hello hello = {.length = 0};

		put(&hello, 0x0303, 2);
		put_all(&hello, plain_random, TLS_RANDOM_SIZE);
		put(&hello, length, 1);
		for (uint32_t i = 0; i < length; i++)
			put(&hello, 0, 1);
		put(&hello, 0x00021301, 4);
		put(&hello, 0x0100, 2);
		tls_wire_init(&wire);
		cr_expect_eq(feed_message(&wire, TLS_FROM_CLIENT, 1, &hello),
			     length == 32 ? TLS_OFFERED : TLS_NOT_TLS, "%u", length);
	}
}

Test(tls_wire, hello_cut_short_is_refused_at_every_length)
{
	static struct tls_wire wire;
	struct hello honest = client_hello(0x0303, NULL);

	for (size_t length = 0; length < honest.length; length++) {
		struct hello hello = honest;

		hello.length = length;
		tls_wire_init(&wire);
		cr_expect_eq(feed_message(&wire, TLS_FROM_CLIENT, 1, &hello), TLS_NOT_TLS, "%zu",
			     length);
	}
}

Test(tls_wire, half_a_client_hello_leaves_no_facts)
{
	static const uint8_t alert[] = {21, 3, 1, 0, 2, 2, 40};
	static struct tls_wire wire;
	struct hello hello = client_hello(0x0303, NULL);

	hello.length--;
	tls_wire_init(&wire);
	cr_expect_eq(feed_message(&wire, TLS_FROM_CLIENT, 1, &hello), TLS_NOT_TLS);
	cr_expect_eq(wire.client_legacy_version, 0);
	cr_expect_eq(wire.client_random[0], 0);
	hello.length -= 10;
	tls_wire_init(&wire);
	(void)tls_wire_feed(&wire, TLS_FROM_CLIENT,
			    (const uint8_t *)"\x16\x03\x01\x00\x40\x01\x00\x00\x3c\x03\x03\x01",
			    12);
	cr_expect_eq(tls_wire_feed(&wire, TLS_FROM_SERVER, alert, sizeof(alert)), TLS_FAILED);
	cr_expect_eq(wire.client_legacy_version, 0);
	cr_expect_eq(wire.client_random[0], 0);
}

/* RFC 5246, E.2: a challenge of less than 32 bytes stands at the end of the random. */
Test(tls_wire, ssl2_challenge_is_right_justified)
{
	static const uint8_t expected[TLS_RANDOM_SIZE] = {[16] = 0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5,
							  0xA6,        0xA7, 0xA8, 0xA9, 0xAA, 0xAB,
							  0xAC,        0xAD, 0xAE, 0xAF};
	static struct conversation all;
	static struct tls_wire wire;

	memset(&all, 0, sizeof(all));
	say_hex(&all, TLS_FROM_CLIENT,
		"801f010301000600000010"
		"00000a010080a0a1a2a3a4a5a6a7a8a9aaabacadaeaf");
	feed_all(&wire, &all);
	cr_expect_eq(wire.progress, TLS_OFFERED);
	cr_expect_eq(wire.offered[0], 0x0301);
	cr_expect_arr_eq(wire.client_random, expected, TLS_RANDOM_SIZE);
}

/* It would not fit into the random. */
Test(tls_wire, ssl2_challenge_of_more_than_32_bytes_is_refused)
{
	static const uint8_t challenge[33];
	static struct conversation all;
	static struct tls_wire wire;

	memset(&all, 0, sizeof(all));
	say_hex(&all, TLS_FROM_CLIENT, "802d01030100030000002100000a");
	say(&all, TLS_FROM_CLIENT, challenge, sizeof(challenge));
	feed_all(&wire, &all);
	cr_expect_eq(wire.progress, TLS_NOT_TLS);
	memset(&all, 0, sizeof(all));
	say_hex(&all, TLS_FROM_CLIENT, "802c01030100030000002000000a");
	say(&all, TLS_FROM_CLIENT, challenge, 32);
	feed_all(&wire, &all);
	cr_expect_eq(wire.progress, TLS_OFFERED);
}

Test(tls_wire, ssl2_hello_whose_lengths_lie_is_refused)
{
	/* too short to be one; of SSL 2.0 itself; ciphers, session id, challenge too long */
	static const char *const hellos[] = {
		"8008010301",
		"801f010002",
		"801f010301ffff00000010",
		"801f0103010006ffff0010",
		"801f010301000600000030",
		"801f010301000600000011",
		"801f0103010006000000ff",
	};
	static struct conversation all;
	static struct tls_wire wire;

	for (size_t i = 0; i < sizeof(hellos) / sizeof(hellos[0]); i++) {
		memset(&all, 0, sizeof(all));
		say_hex(&all, TLS_FROM_CLIENT, hellos[i]);
		feed_all(&wire, &all);
		cr_expect_eq(wire.progress, TLS_NOT_TLS, "%s", hellos[i]);
	}
}
