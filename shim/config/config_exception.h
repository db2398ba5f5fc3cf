/*
 * What the floor does not hold for, until when: one old relay must go on while
 * all else is held.
 *
 * Pure: the text of a line in, what it says out. Whether it applies to a
 * connection is core/enforcement's to say.
 */
#ifndef TLSWITNESS_CONFIG_EXCEPTION_H
#define TLSWITNESS_CONFIG_EXCEPTION_H

#include <stdbool.h>
#include <stdint.h>

#define CONFIG_EXCEPTIONS_MAX     32
#define CONFIG_EXCEPTION_TEXT_MAX 256

/* A part of an exception's text; of length 0 where the exception does not name it. */
struct config_word {
	uint8_t at;
	uint8_t length;
};

/* All that it names must be so of a connection. It names something. */
struct config_exception {
	char text[CONFIG_EXCEPTION_TEXT_MAX]; /* as written */
	struct config_word name;              /* "relay.example.net", "*.example.net" */
	struct config_word program;
	struct config_word service;
	uint8_t address[16]; /* as IPv6; IPv4 v4-mapped */
	uint8_t bits;        /* how many of them count; 0: no address is named */
	uint16_t port;       /* 0: any */
	uint16_t floor;      /* enum tls_version; 0: none at all */
	int64_t until;       /* the first second since 1970, UTC, in which it is over */
};

/*
 * Reads "to:relay.example.net port:25 floor:1.0 until:2027-03-31". On a line
 * that is none: what is wrong with it, as "'x' is ...", and `exception` means
 * nothing. NULL: all is well.
 */
const char *config_exception_parse(struct config_exception *exception, const char *text);

/* Is this word of the exception's text `value`? */
bool config_exception_word_is(const struct config_exception *exception, struct config_word word,
			      const char *value);

#endif
