/*
 * More unmodified programs that send a mail with GnuTLS. Each can be told whom
 * to trust: `authority` is a file, or "off" for nobody, with no check at all.
 */
#ifndef TLSWITNESS_GNUTLS_MAILERS_H
#define TLSWITNESS_GNUTLS_MAILERS_H

#include "tests/integration/mailers.h"

struct program gnutls_cli(const struct sink *sink, enum tls_mode mode, const char *authority);
struct program gnutls_nullmailer(const struct sink *sink, enum tls_mode mode,
				 const char *authority);
struct program gnutls_emacs(const struct sink *sink, enum tls_mode mode, const char *authority);
struct program gnutls_gio(const struct sink *sink, enum tls_mode mode, const char *authority);
struct program gnutls_ctypes(const struct sink *sink, enum tls_mode mode, const char *authority);

/* These two check nothing and can't be told to. */
struct program gnutls_putmail(const struct sink *sink, enum tls_mode mode);
struct program gnutls_mail(const struct sink *sink, enum tls_mode mode);

extern const struct mailer mailer_gnutls_cli;
extern const struct mailer mailer_nullmailer;
extern const struct mailer mailer_emacs;
extern const struct mailer mailer_gio;
extern const struct mailer mailer_gnutls_ctypes;
extern const struct mailer mailer_putmail;
extern const struct mailer mailer_mailutils;

#endif
