/*
 * One record: facts and verdict in, one JSON line out.
 *
 * Pure: no clock, no system call, no allocation. What the keys mean is said in
 * the README; which there are, in record_fields.def.
 */
#ifndef TLSWITNESS_RECORD_H
#define TLSWITNESS_RECORD_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "shim/origin/origin.h"
#include "shim/record/record_values.h"
#include "shim/wire/tls_wire.h"

/* A line's size with its newline; never exceeded. */
#define RECORD_LINE_MAX 4096

/* The Elastic Common Schema version whose names the keys are. */
#define RECORD_ECS_VERSION "8.17.0"

enum record_boolean { RECORD_UNKNOWN, RECORD_FALSE, RECORD_TRUE };

struct record_versions {
	uint8_t count;
	uint16_t version[TLS_OFFERED_MAX];
};

/*
 * All that a record can hold. Zero means "not known" for every member, so a
 * zeroed struct is an empty record. Texts are borrowed for the length of the
 * call that writes them, and may hold any bytes: record_write makes them valid
 * UTF-8.
 */
struct record {
	struct timespec timestamp; /* CLOCK_REALTIME */
	const char *ecs_version;
	const char *event_id; /* as event_id.h makes it */
	enum record_action action;
	enum record_outcome outcome;
	const char *reason;
	uint64_t duration; /* nanoseconds */
	enum record_protocol network_protocol;
	const char *forwarded_ip;
	const char *source_ip;
	uint64_t source_port;
	const char *destination_ip;
	uint64_t destination_port;
	const char *destination_domain;
	const char *proxy; /* "socks5://192.0.2.1:1080" */
	enum record_boolean established;
	uint16_t version;
	enum record_tls_protocol version_protocol;
	const char *cipher;
	const char *curve;
	enum record_boolean resumed;
	const char *server_name;
	const char *server_subject;
	const char *server_issuer;
	const char *server_not_after;
	enum record_certificate peer_certificate;
	enum record_verdict verdict;
	enum record_mode mode;
	uint16_t floor;
	const char *exception;
	enum record_tls_mode tls_mode;
	unsigned witnesses; /* of enum record_witness */
	const char *conflict;
	struct record_versions offered;
	uint16_t configured_min;
	uint16_t configured_max;
	enum record_limit limited_by;
	uint16_t server_supports;
	const char *library;
	const char *service;
	const char *host;
	uint64_t pid;
	const char *executable;
	const char *user;
	uint64_t parent_pid;
	const char *parent_executable;
	const char *script;
	const char *caller; /* "file:line function" of the script that started this program */
	const char *code_file;
	uint64_t code_line;
	const char *code_function;
	const struct origin *stack; /* NULL if not known */
	const char *setting;
	const char *setting_ids;
	uint64_t lost;
	uint64_t count;
	struct timespec first;
};

/*
 * Writes `record` as one JSON line with its newline into `line` and returns
 * its length, at most RECORD_LINE_MAX. Every text is valid UTF-8 afterwards
 * (invalid bytes become U+FFFD), control characters are escaped, and what does
 * not fit is cut: first the outer frames of the stack, then the longest texts.
 */
size_t record_write(char line[RECORD_LINE_MAX], const struct record *record);

#endif
