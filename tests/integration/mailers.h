/*
 * Unmodified mail programs whose TLS the library witness can't see, or sees
 * without a descriptor: GnuTLS, NSS, Java, a statically linked OpenSSL, memory BIOs,
 * a library loaded with RTLD_DEEPBIND. Each sends one message to a sink.
 */
#ifndef TLSWITNESS_MAILERS_H
#define TLSWITNESS_MAILERS_H

#include <stddef.h>

#include "tests/integration/harness.h"
#include "tests/integration/senders.h"

struct mailer {
	const char *name;
	/* To be started; it trusts the sink's certificate and accepts any version. */
	struct program (*program)(const struct sink *sink, enum tls_mode mode);
	const char *witnesses; /* as the record has them, in JSON */
	const char *domain; /* as the record has it; "": it sends no SNI and asks gethostbyname2 */
};

extern const struct mailer mailer_msmtp;
extern const struct mailer mailer_neomutt;
extern const struct mailer mailer_exim;
extern const struct mailer mailer_curl_gnutls;
extern const struct mailer mailer_curl_nss;
extern const struct mailer mailer_java;
extern const struct mailer mailer_node_official;
extern const struct mailer mailer_node_debian;
extern const struct mailer mailer_aiosmtplib;
extern const struct mailer mailer_php_curl;

/* Is libcurl's NSS flavour here? Releases after Debian 12 have none. */
bool mailer_has_nss(void);

/* exim4 with these lines in its transport: how it is to check the certificate. */
struct program mailer_exim_checking(const struct sink *sink, enum tls_mode mode,
				    const char *checks);

#endif
