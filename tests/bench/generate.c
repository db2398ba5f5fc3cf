/*
 * Makes logs for benchmarks and tests, through the recorder's own record.c.
 *
 *   generate RECORDS [PROGRAMS [DESTINATIONS [HOSTS]]]
 *
 * The records are those of a busy host over a year: a few programs, some of them
 * scripts with stacks, that send to some destinations with every version. They
 * are pseudo-random but the same for the same arguments, so that runs compare.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shim/origin/origin.h"
#include "shim/record/event_id.h"
#include "shim/record/record.h"

#define YEAR_START       INT64_C(1764000000) /* 2025-11-24 16:00 UTC */
#define SECONDS_PER_YEAR 31536000.0

static unsigned program_count = 40;
static unsigned destination_count = 25;
static unsigned host_count; /* 0: two, of which each program has one */

static uint32_t *written; /* by each process: a program on a host */

static uint64_t state = 0x9e3779b97f4a7c15U;

/* xorshift64: good enough to vary, and the same everywhere. */
static uint64_t draw(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % below;
}

/* Low numbers often, high ones seldom, as programs and destinations are. */
static unsigned draw_skewed(unsigned below)
{
	uint64_t a = draw(below);
	uint64_t b = draw(below);

	return (unsigned)(a < b ? a : b);
}

/* What the texts of one record are printed into. */
struct texts {
	char script[64];
	char code_file[64];
	char event_id[EVENT_ID_SIZE];
	char domain[64];
	char address[32];
	char subject[80];
	char host[16];
	char frame_file[3][64];
};

static const char *const hosts[] = {"web1", "web2"};

static void fill_stack(struct origin *stack, struct texts *texts, unsigned program)
{
	static const char *const functions[] = {"deliver", "send_receipt", "main"};

	stack->count = 0;
	for (int i = 0; i < 3; i++) {
		(void)snprintf(texts->frame_file[i], sizeof(texts->frame_file[i]),
			       i ? "/srv/app%u/notify/mail%d.py"
				 : "/usr/lib/python3.11/smtplib%u%d.py",
			       program, i);
		stack->frame[stack->count++] = (struct origin_frame){.file = texts->frame_file[i],
								     .function = functions[i],
								     .line = 40U + (unsigned)i};
	}
}

static void name_event(struct texts *texts, unsigned program, unsigned host)
{
	unsigned process = program * (host_count ? host_count : 1) + host;

	event_id_write(texts->event_id,
		       &(struct event_id){.pid = process + 1, .count = ++written[process]});
}

static void fill_program(struct record *record, struct texts *texts, struct origin *stack)
{
	unsigned program = draw_skewed(program_count);
	unsigned host = 0;

	record->pid = 1000 + draw(60000);
	record->parent_pid = 1;
	record->parent_executable = "/usr/lib/systemd/systemd";
	record->user = "33";
	record->host = hosts[program % 2];
	if (host_count) {
		host = (unsigned)draw(host_count);
		(void)snprintf(texts->host, sizeof(texts->host), "web%u", host + 1);
		record->host = texts->host;
	}
	name_event(texts, program, host);
	record->service = program % 3 ? "shop" : "newsletter";
	record->library = "OpenSSL 3.0.19";
	if (program % 4 == 3) {
		record->executable = "/usr/bin/curl";
		return;
	}
	record->executable = program % 4 == 2 ? "/usr/bin/php8.2" : "/usr/bin/python3.11";
	(void)snprintf(texts->script, sizeof(texts->script), "/srv/app%u/bin/send.%s", program,
		       program % 4 == 2 ? "php" : "py");
	(void)snprintf(texts->code_file, sizeof(texts->code_file), "/srv/app%u/notify/mail.%s",
		       program, program % 4 == 2 ? "php" : "py");
	record->script = texts->script;
	record->code_file = texts->code_file;
	record->code_line = 20 + program % 7;
	record->code_function = "deliver";
	fill_stack(stack, texts, program);
	record->stack = stack;
}

static void fill_destination(struct record *record, struct texts *texts, unsigned destination)
{
	(void)snprintf(texts->domain, sizeof(texts->domain), "mx%u.example%u.com", destination % 3,
		       destination);
	(void)snprintf(texts->address, sizeof(texts->address), "198.51.%u.%u",
		       destination / 256 % 256, destination % 256);
	record->network_protocol = RECORD_PROTOCOL_SMTP;
	record->source_ip = "192.0.2.10";
	record->source_port = 32768 + draw(28000);
	record->destination_ip = texts->address;
	record->destination_port = 587;
	record->destination_domain = texts->domain;
}

static void fill_clear(struct record *record)
{
	record->action = RECORD_ACTION_PLAINTEXT_MAIL;
	record->reason = "starttls-not-offered";
	record->verdict = RECORD_VERDICT_PLAINTEXT;
	record->tls_mode = RECORD_TLS_MODE_NONE;
	record->witnesses = WITNESS_WIRE;
	record->established = RECORD_FALSE;
}

static void fill_tls(struct record *record, struct texts *texts, unsigned destination)
{
	static const uint16_t versions[] = {0x0304, 0x0304, 0x0304, 0x0304, 0x0303,
					    0x0303, 0x0303, 0x0304, 0x0301, 0x0302};
	uint16_t version = versions[destination % 10];
	uint16_t least = destination % 5 == 0 ? 0x0301 : 0x0303;

	record->action = RECORD_ACTION_HANDSHAKE;
	record->established = RECORD_TRUE;
	record->version = version;
	record->version_protocol = RECORD_TLS_PROTOCOL_TLS;
	record->cipher = version == 0x0304 ? "TLS_AES_256_GCM_SHA384"
					   : "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384";
	record->curve = "x25519";
	record->resumed = RECORD_FALSE;
	record->server_name = record->destination_domain;
	(void)snprintf(texts->subject, sizeof(texts->subject), "CN=%s", texts->domain);
	record->server_subject = texts->subject;
	record->server_issuer = "CN=R11,O=Let's Encrypt,C=US";
	record->server_not_after = "2027-01-30T12:00:00Z";
	record->peer_certificate =
		destination % 6 ? RECORD_CERTIFICATE_VERIFIED : RECORD_CERTIFICATE_UNCHECKED;
	record->verdict = version < 0x0303 ? RECORD_VERDICT_BELOW_FLOOR
			  : least < 0x0303 ? RECORD_VERDICT_AT_RISK
					   : RECORD_VERDICT_OK;
	record->tls_mode = RECORD_TLS_MODE_STARTTLS;
	record->witnesses = WITNESS_OPENSSL | WITNESS_WIRE;
	for (uint16_t offer = version < least ? version : least; offer <= 0x0304; offer++)
		record->offered.version[record->offered.count++] = offer;
	record->configured_min = least;
	record->limited_by = version == 0x0304 ? RECORD_LIMIT_NONE : RECORD_LIMIT_SERVER;
}

static void write_record(uint64_t number, uint64_t count)
{
	struct texts texts;
	struct origin stack = {0};
	struct record record = {.ecs_version = RECORD_ECS_VERSION};
	char line[RECORD_LINE_MAX];
	unsigned destination = draw_skewed(destination_count);

	record.timestamp.tv_sec =
		(time_t)(YEAR_START + (int64_t)((double)number * SECONDS_PER_YEAR / (double)count));
	record.timestamp.tv_nsec = (long)draw(1000000000);
	record.event_id = texts.event_id;
	record.outcome = RECORD_OUTCOME_SUCCESS;
	record.duration = 1000000 + draw(90000000);
	record.mode = RECORD_MODE_AUDIT;
	record.floor = 0x0303;
	fill_program(&record, &texts, &stack);
	fill_destination(&record, &texts, destination);
	if (draw(200) == 0)
		fill_clear(&record);
	else
		fill_tls(&record, &texts, destination);
	size_t length = record_write(line, &record);
	(void)fwrite(line, 1, length, stdout);
}

int main(int argc, char **argv)
{
	uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000;

	if (argc > 2)
		program_count = (unsigned)strtoul(argv[2], NULL, 10);
	if (argc > 3)
		destination_count = (unsigned)strtoul(argv[3], NULL, 10);
	if (argc > 4)
		host_count = (unsigned)strtoul(argv[4], NULL, 10);
	if (count == 0 || program_count == 0 || destination_count == 0) {
		(void)fputs("usage: generate RECORDS [PROGRAMS [DESTINATIONS [HOSTS]]]\n", stderr);
		return 2;
	}
	written = calloc((size_t)program_count * (host_count ? host_count : 1), sizeof(*written));
	if (!written)
		return 1;
	for (uint64_t i = 0; i < count; i++)
		write_record(i, count);
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
