/*
 * What a TLS library knows of a handshake: filled by its witness, and read
 * where the record is made. Zero means "not known".
 */
#ifndef TLSWITNESS_LIBRARY_VIEW_H
#define TLSWITNESS_LIBRARY_VIEW_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "shim/core/setting.h"
#include "shim/record/record.h"
#include "shim/wire/tls_wire.h"

#define CONNECTION_TEXT_MAX 256

struct library_view {
	enum record_witness witness;
	char name[32]; /* "OpenSSL 3.0.19" */
	bool established;
	bool refused;          /* it failed because the floor took its versions away */
	uint64_t began;        /* recorder_clock() at the first handshake call */
	uint64_t took;         /* nanoseconds from there to its end; set by connection_join */
	struct timespec ended; /* CLOCK_REALTIME */
	uint16_t version;
	uint16_t cipher;
	uint16_t group;
	enum record_boolean resumed;
	uint16_t server_supports;
	bool random_known;
	uint8_t client_random[TLS_RANDOM_SIZE];
	uint16_t configured_min; /* as the application set them, 0 where it did not */
	uint16_t configured_max;
	uint16_t lowest; /* what it would have accepted, by settings and security level */
	uint16_t highest;
	enum record_certificate peer_certificate;
	char server_name[CONNECTION_TEXT_MAX];
	char subject[CONNECTION_TEXT_MAX];
	char issuer[CONNECTION_TEXT_MAX];
	char not_after[24];
	char reason[CONNECTION_TEXT_MAX];
	char setting_ids[SETTING_IDS_MAX]; /* of what was set to the object or its context */
};

#endif
