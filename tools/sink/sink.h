/*
 * What `tlswitness sink` was told to do: settings, made from the options and
 * never changed after the start.
 */
#ifndef TLSWITNESS_SINK_H
#define TLSWITNESS_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/sink/sink_session.h"

/* A version of TLS as OpenSSL numbers it (TLS1_2_VERSION); 0 is none. */
typedef int sink_version;

enum sink_cut {
	SINK_CUT_NOTHING,
	SINK_CUT_GREETING,     /* closes where the greeting is due */
	SINK_CUT_SERVER_HELLO, /* closes in the middle of the ServerHello */
};

#define SINK_NAMES_MAX 32

struct sink_settings {
	sink_version min; /* both 0: a server without TLS */
	sink_version max;
	bool implicit;
	bool mix; /* each connection gets one version of the range, at random */
	bool tickets;
	enum sink_cut cut;
	struct smtp_service service;

	const char *address;
	uint16_t port;             /* 0: any that is free */
	unsigned long connections; /* to end after; 0: never */
	unsigned timeout_s;
	unsigned delay_ms;
	const char *log; /* "-": stdout */
	bool quiet;

	const char *certificate; /* NULL: made in memory */
	const char *key;
	const char *certificate_out;
	const char *names[SINK_NAMES_MAX]; /* for the certificate, besides localhost */
	unsigned names_count;
};

/* "1.2" for TLS1_2_VERSION; NULL for what is none of 1.0 to 1.3. */
const char *sink_version_name(sink_version version);

/* 0 for what is none of "1.0" to "1.3". */
sink_version sink_version_from_name(const char *name);

#endif
