/*
 * The sink's TLS: a context for the versions asked for, whatever the system's
 * openssl.cnf says, and a middle box that cuts a ServerHello in two.
 */
#ifndef TLSWITNESS_SINK_TLS_H
#define TLSWITNESS_SINK_TLS_H

#include <openssl/ssl.h>

#include "tools/sink/sink.h"
#include "tools/sink/sink_connection_log.h"

/*
 * Makes the context, with a certificate from the settings or a new one. NULL,
 * with a complaint made, if it can't. Must be the program's first use of OpenSSL.
 */
SSL_CTX *sink_tls_context(const struct sink_settings *settings);

/*
 * One connection's server side over `fd`, which stays the caller's. Narrowed
 * to the one version `given`, unless that is 0. `offer` is filled when the
 * ClientHello comes. NULL without memory.
 */
SSL *sink_tls_new(SSL_CTX *context, int fd, sink_version given, bool cut_server_hello,
		  struct sink_offer *offer);

/* One of the range's versions, at random. */
sink_version sink_tls_any_version(const struct sink_settings *settings);

#endif
