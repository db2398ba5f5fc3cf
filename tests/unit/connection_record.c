/*
 * What becomes of two witnesses that disagree. No real program makes them, so
 * here is the one step between the model and the record.
 */
#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

#include "shim/core/connection_record.h"
#include "shim/core/connection_state.h"
#include "tests/unit/core_ground.h"

/* An established handshake of OpenSSL's, as the wire has seen it too. */
static struct connection seen_by_both(uint16_t by_library, uint16_t by_wire)
{
	return (struct connection){
		.mail_port = true,
		.began = 1000,
		.smtp = {.state = SMTP_TLS},
		.tls = {.progress = TLS_ESTABLISHED, .version = by_wire, .cipher = 0xc02f},
		.library = {.witness = WITNESS_OPENSSL,
			    .established = true,
			    .version = by_library,
			    .cipher = 0xc030},
	};
}

Test(connection_record, witnesses_that_disagree_are_a_conflict)
{
	struct connection connection = seen_by_both(TLS_VERSION_1_3, TLS_VERSION_1_2);

	connection_record(&connection, EVENT_HANDSHAKE);
	cr_expect_eq(core_ground.record.version, TLS_VERSION_1_3);
	cr_assert_not_null(core_ground.record.conflict);
	cr_expect_str_eq(core_ground.record.conflict, "1.2");
	cr_expect_eq(core_ground.record.witnesses, WITNESS_OPENSSL | WITNESS_WIRE);
}

Test(connection_record, witnesses_that_agree_are_none)
{
	struct connection connection = seen_by_both(TLS_VERSION_1_2, TLS_VERSION_1_2);

	connection_record(&connection, EVENT_HANDSHAKE);
	cr_expect_null(core_ground.record.conflict);
	cr_expect_eq(core_ground.record.witnesses, WITNESS_OPENSSL | WITNESS_WIRE);
}

Test(connection_record, a_witness_that_saw_no_version_contradicts_nobody)
{
	struct connection connection = seen_by_both(0, TLS_VERSION_1_2);

	connection_record(&connection, EVENT_HANDSHAKE);
	cr_expect_eq(core_ground.record.version, TLS_VERSION_1_2);
	cr_expect_null(core_ground.record.conflict);
	cr_expect_eq(core_ground.record.witnesses, WITNESS_WIRE);
}

/* By the wire alone: it lasts from the first byte of TLS to this record. */
Test(connection_record, a_handshake_of_the_wire_alone_has_a_duration)
{
	struct connection connection = seen_by_both(0, TLS_VERSION_1_2);

	memset(&connection.library, 0, sizeof(connection.library));
	connection_record(&connection, EVENT_HANDSHAKE);
	cr_expect_eq(core_ground.record.duration, 4000);
	cr_expect_eq(core_ground.record.established, RECORD_TRUE);
}

Test(connection_record, a_version_outlives_bytes_that_are_no_tls)
{
	struct connection connection = seen_by_both(0, TLS_VERSION_1_2);

	memset(&connection.library, 0, sizeof(connection.library));
	connection.tls.progress = TLS_NOT_TLS;
	connection_record(&connection, EVENT_HANDSHAKE);
	cr_expect_eq(core_ground.record.version, TLS_VERSION_1_2);
	cr_expect_eq(core_ground.record.outcome, RECORD_OUTCOME_FAILURE);
	cr_expect_str_eq(core_ground.record.reason, "what followed the ServerHello was no TLS");
}

/* A library that failed before its ClientHello, and of which nothing else passed: the port says how
 * TLS was to begin (RFC 8314, 3). */
Test(connection_record, where_nothing_passed_the_port_says_how_tls_begins)
{
	static const struct {
		uint16_t port;
		enum record_tls_mode mode;
	} cases[] = {
		{25, RECORD_TLS_MODE_STARTTLS},   {587, RECORD_TLS_MODE_STARTTLS},
		{2525, RECORD_TLS_MODE_STARTTLS}, {2587, RECORD_TLS_MODE_STARTTLS},
		{465, RECORD_TLS_MODE_IMPLICIT},  {2465, RECORD_TLS_MODE_IMPLICIT},
		{4650, RECORD_TLS_MODE_IMPLICIT},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct connection connection = {.mail_port = true,
						.began = 1000,
						.peer = {.port = cases[i].port},
						.destination = {.port = cases[i].port},
						.library = {.witness = WITNESS_OPENSSL}};

		connection_record(&connection, EVENT_HANDSHAKE);
		cr_expect_eq(core_ground.record.tls_mode, cases[i].mode, "%u", cases[i].port);
	}
}

/* A handshake that failed where no library said why. */
static void expect_reason(const struct connection *seen, const char *reason)
{
	struct connection connection = *seen;

	connection.mail_port = true;
	connection_record(&connection, EVENT_HANDSHAKE);
	cr_expect_eq(core_ground.record.established, RECORD_FALSE);
	cr_expect_str_eq(core_ground.reason, reason);
}

Test(connection_record, whose_alert_ended_the_handshake)
{
	struct connection connection = {.tls_begun = true,
					.tls = {.progress = TLS_FAILED,
						.alert_seen = true,
						.alert_from = TLS_FROM_SERVER,
						.alert_description = 70}};

	expect_reason(&connection, "alert from the server: protocol_version");
	connection.tls.alert_from = TLS_FROM_CLIENT;
	expect_reason(&connection, "alert from the client: protocol_version");
	connection.tls.alert_description = 255;
	expect_reason(&connection, "alert from the client: unknown");
	connection.tls.alert_encrypted = true;
	expect_reason(&connection, "alert from the client: encrypted");
	/* What a client says to a server that has gone explains nothing, what the server said does.
	 */
	connection.ended_by_peer = true;
	expect_reason(&connection, "the server closed the connection before its ServerHello");
	connection.error = EPIPE;
	expect_reason(&connection, "Broken pipe");
	connection.tls.alert_from = TLS_FROM_SERVER;
	expect_reason(&connection, "alert from the server: encrypted");
}

Test(connection_record, how_a_handshake_without_an_alert_ended)
{
	struct connection connection = {0};

	expect_reason(&connection, "the client closed the connection before its ClientHello");
	connection.ended_by_peer = true;
	expect_reason(&connection, "the server closed the connection before the ClientHello");
	connection.tls_begun = true;
	expect_reason(&connection, "the server closed the connection before its ServerHello");
	connection.ended_by_peer = false;
	expect_reason(&connection, "the client closed the connection before the ServerHello");
	connection.tls.version = TLS_VERSION_1_2;
	expect_reason(&connection, "the client closed the connection during the handshake");
	connection.ended_by_peer = true;
	expect_reason(&connection, "the server closed the connection during the handshake");
	connection.error = 4095;
	expect_reason(&connection, "the connection failed");
	connection.error = ECONNRESET;
	expect_reason(&connection, "Connection reset by peer");
	connection.tls.progress = TLS_NOT_TLS;
	expect_reason(&connection, "what followed the ServerHello was no TLS");
	connection.tls.version = 0;
	expect_reason(&connection, "the ClientHello was answered with no TLS");
}
