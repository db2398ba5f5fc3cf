#include "tests/unit/json/lines.h"

#include <stdlib.h>

#include <criterion/criterion.h>

#include "shim/origin/origin.h"

static struct origin stack = {
	.count = 2,
	.frame = {{"/srv/app/mail.py", "deliver", 20}, {"/srv/app/main.py", "main", 7}},
};

struct slice padded(const char *text, size_t length)
{
	/* Allocated anew each time, so that a sanitizer sees a step too far. */
	static char *memory;

	free(memory);
	memory = calloc(1, length + SCANNER_PADDING);
	cr_assert_not_null(memory);
	if (length)
		memcpy(memory, text, length);
	return (struct slice){memory, length};
}

struct slice written(const struct record *record)
{
	char line[RECORD_LINE_MAX];
	size_t length = record_write(line, record);

	cr_assert_gt(length, 0);
	return padded(line, length - 1);
}

struct record full_record(void)
{
	return (struct record){
		.timestamp = {.tv_sec = 1795439107, .tv_nsec = 123456000},
		.ecs_version = RECORD_ECS_VERSION,
		.event_id = "0123456789abcdef0123456700000001",
		.action = RECORD_ACTION_HANDSHAKE,
		.outcome = RECORD_OUTCOME_SUCCESS,
		.reason = "none",
		.duration = 1234567890,
		.network_protocol = RECORD_PROTOCOL_SMTP,
		.forwarded_ip = "203.0.113.9",
		.source_ip = "192.0.2.1",
		.source_port = 40000,
		.destination_ip = "198.51.100.7",
		.destination_port = 587,
		.destination_domain = "mx.example.com",
		.proxy = "socks5://192.0.2.1:1080",
		.established = RECORD_TRUE,
		.version = 0x0303,
		.version_protocol = RECORD_TLS_PROTOCOL_TLS,
		.cipher = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
		.curve = "x25519",
		.resumed = RECORD_FALSE,
		.server_name = "mx.example.com",
		.server_subject = "CN=mx.example.com,O=Acme\\, Inc.",
		.server_issuer = "CN=R11,O=Let's Encrypt,C=US",
		.server_not_after = "2027-01-30T12:00:00Z",
		.peer_certificate = RECORD_CERTIFICATE_VERIFIED,
		.verdict = RECORD_VERDICT_AT_RISK,
		.mode = RECORD_MODE_AUDIT,
		.floor = 0x0303,
		.exception = "*.example.com: 1.0",
		.tls_mode = RECORD_TLS_MODE_STARTTLS,
		.witnesses = WITNESS_OPENSSL | WITNESS_WIRE,
		.conflict = "1.1",
		.offered = {.count = 3, .version = {0x0301, 0x0302, 0x0303}},
		.configured_min = 0x0301,
		.configured_max = 0x0303,
		.limited_by = RECORD_LIMIT_CLIENT,
		.server_supports = 0x0304,
		.library = "OpenSSL 3.0.19",
		.service = "shop",
		.host = "web1",
		.pid = 4711,
		.executable = "/usr/bin/python3.11",
		.user = "33",
		.parent_pid = 1,
		.parent_executable = "/usr/sbin/cron",
		.script = "/srv/app/send.py",
		.caller = "/srv/app/shell.php:7 notify",
		.code_file = "/srv/app/mail.py",
		.code_line = 20,
		.code_function = "deliver",
		.stack = &stack,
		.setting_ids = "0123456789abcdef0123456700000002",
		.setting = "SSL_CTX_set_max_proto_version(TLS 1.2)",
		.lost = 3,
		.count = 12,
		.first = {.tv_sec = 1795439100, .tv_nsec = 5000},
	};
}

void expect_field(const struct entry *entry, enum entry_field field, const char *text)
{
	struct slice slice = entry_get(entry, field);

	cr_expect(entry_has(entry, field), "field %d is missing", (int)field);
	cr_expect(slice_is(slice, text), "field %d is '%.*s', not '%s'", (int)field,
		  (int)slice.length, slice.start, text);
}
