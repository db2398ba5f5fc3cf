/*
 * The unmodified programs that the tests send mail with: each sends one
 * message, with credentials, to a sink.
 */
#ifndef TLSWITNESS_SENDERS_H
#define TLSWITNESS_SENDERS_H

#include <stddef.h>

#include "tests/integration/harness.h"

enum tls_mode { TLS_MODE_NONE, TLS_MODE_STARTTLS, TLS_MODE_IMPLICIT };

struct sender {
	const char *name;
	const char *const *(*argv)(const struct sink *sink, enum tls_mode mode);
	const char *input; /* its stdin */
};

extern const struct sender senders[];
extern const size_t senders_count;

/* "none", "starttls" or "implicit", as the sink's log and the records have it. */
const char *tls_mode_name(enum tls_mode mode);

/*
 * The sender as a program, to be started: it trusts the sink's certificate and
 * accepts any version. `env` is added to what it needs itself; NO_WORDS for nothing.
 */
struct program sender_program(const struct sender *sender, const struct sink *sink,
			      enum tls_mode mode, const char *const env[]);

#endif
