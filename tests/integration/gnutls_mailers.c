/*
 * The programs of gnutls_mailers.h, and how each is told what to do. In
 * build/debian tests/unpack-debian unpacks what is not to be installed.
 */
#include <string.h>

#include "tests/integration/gnutls_mailers.h"

#define WITNESSES "[\"gnutls\",\"wire\"]"

static const char message[] =
	"From: a@example.com\nTo: b@example.com\nSubject: rehearsal\n\nhello\n";

static bool is_off(const char *authority)
{
	return strcmp(authority, "off") == 0;
}

static const char *const *home(void)
{
	return join_words(WORDS(text("HOME=%s", test_path("."))), NO_WORDS);
}

/* Blindly, as the sink allows: it knows no SMTP beyond STARTTLS. */
struct program gnutls_cli(const struct sink *sink, enum tls_mode mode, const char *authority)
{
	const char *const *checks =
		is_off(authority) ? WORDS("--insecure") : WORDS("--x509cafile", authority);
	const char *const *start =
		mode == TLS_MODE_STARTTLS ? WORDS("--starttls-proto=smtp") : NO_WORDS;

	return (struct program){
		.argv = join_words(
			join_words(WORDS("gnutls-cli", "--port", text("%u", sink->port)), start),
			join_words(checks, WORDS("localhost"))),
		.input = "EHLO client\r\nAUTH PLAIN AHVzZXIAc2VjcmV0d29yZA==\r\n"
			 "MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"
			 "Subject: rehearsal\r\n\r\nhello\r\n.\r\nQUIT\r\n"};
}

/* The program that nullmailer starts for each message, which is at descriptor 3. */
struct program gnutls_nullmailer(const struct sink *sink, enum tls_mode mode, const char *authority)
{
	const char *mail = test_file("mail", "a@example.com\nb@example.com\n\nSubject: rehearsal\n"
					     "\nhello\n");
	const char *const words[] = {"sh",
				     "-c",
				     "exec \"$@\" 3<\"$0\"",
				     mail,
				     "build/debian/usr/lib/nullmailer/smtp",
				     "--host=localhost",
				     "--user=user",
				     "--pass=secretword",
				     text("--port=%u", sink->port),
				     is_off(authority) ? "--insecure"
						       : text("--x509cafile=%s", authority),
				     NULL};

	return (struct program){.argv = join_words(words, mode == TLS_MODE_STARTTLS
								  ? WORDS("--starttls")
								  : WORDS("--tls")),
				.env = join_words(WORDS("HELOHOST=client.example.com"), NO_WORDS)};
}

struct program gnutls_emacs(const struct sink *sink, enum tls_mode mode, const char *authority)
{
	test_file(".authinfo",
		  text("machine localhost port %u login user password secretword\n", sink->port));
	return (struct program){
		.argv = join_words(WORDS("emacs", "-Q", "--batch", "-l",
					 "tests/senders/smtpmail_sender.el", text("%u", sink->port),
					 tls_mode_name(mode), authority),
				   NO_WORDS),
		.env = home()};
}

/* Debian's own Python: another may be first in PATH. */
static struct program python(const char *script, const struct sink *sink, enum tls_mode mode,
			     const char *authority)
{
	return (struct program){
		.argv = join_words(WORDS("/usr/bin/python3", script, "localhost",
					 text("%u", sink->port), tls_mode_name(mode), authority),
				   NO_WORDS)};
}

struct program gnutls_gio(const struct sink *sink, enum tls_mode mode, const char *authority)
{
	return python("tests/senders/gio_sender.py", sink, mode, authority);
}

struct program gnutls_ctypes(const struct sink *sink, enum tls_mode mode, const char *authority)
{
	return python("tests/senders/gnutls_ctypes_sender.py", sink, mode, authority);
}

static const char *mailutils_url(const struct sink *sink, enum tls_mode mode)
{
	return text("%s://user:secretword@localhost:%u;auth=plain%s",
		    mode == TLS_MODE_IMPLICIT ? "smtps" : "smtp", sink->port,
		    mode == TLS_MODE_NONE ? ";notls" : "");
}

struct program gnutls_putmail(const struct sink *sink, enum tls_mode mode)
{
	return (struct program){
		.argv = join_words(WORDS("build/debian/usr/bin/putmail", "--no-config",
					 "--from=a@example.com",
					 text("%s;to=b@example.com", mailutils_url(sink, mode))),
				   NO_WORDS),
		.env = home(),
		.input = message};
}

struct program gnutls_mail(const struct sink *sink, enum tls_mode mode)
{
	return (struct program){
		.argv = join_words(WORDS("build/debian/usr/bin/mail.mailutils", "--no-config", "-n",
					 "-E",
					 text("set sendmail=\"%s\"", mailutils_url(sink, mode)),
					 "-r", "a@example.com", "-s", "rehearsal", "b@example.com"),
				   NO_WORDS),
		.env = home(),
		.input = "hello\n"};
}

/* ---- with the sink's certificate trusted ---- */

static struct program trusting_cli(const struct sink *sink, enum tls_mode mode)
{
	return gnutls_cli(sink, mode, sink->certificate);
}

static struct program trusting_nullmailer(const struct sink *sink, enum tls_mode mode)
{
	return gnutls_nullmailer(sink, mode, sink->certificate);
}

static struct program trusting_emacs(const struct sink *sink, enum tls_mode mode)
{
	return gnutls_emacs(sink, mode, sink->certificate);
}

static struct program trusting_gio(const struct sink *sink, enum tls_mode mode)
{
	return gnutls_gio(sink, mode, sink->certificate);
}

static struct program trusting_ctypes(const struct sink *sink, enum tls_mode mode)
{
	return gnutls_ctypes(sink, mode, sink->certificate);
}

const struct mailer mailer_gnutls_cli = {"gnutls-cli", trusting_cli, WITNESSES, "localhost"};
const struct mailer mailer_nullmailer = {"nullmailer", trusting_nullmailer, WITNESSES, "localhost"};
const struct mailer mailer_emacs = {"Emacs's smtpmail", trusting_emacs, WITNESSES, "localhost"};
const struct mailer mailer_gio = {"GLib's TLS", trusting_gio, WITNESSES, "localhost"};
const struct mailer mailer_gnutls_ctypes = {"GnuTLS by ctypes", trusting_ctypes, WITNESSES,
					    "localhost"};
const struct mailer mailer_putmail = {"putmail", gnutls_putmail, WITNESSES, "localhost"};
const struct mailer mailer_mailutils = {"mail of mailutils", gnutls_mail, WITNESSES, "localhost"};
