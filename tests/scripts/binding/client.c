/*
 * A library that is a TLS client, compiled by the tests in several ways: bound
 * at once or lazily, to libssl or to a copy of it. Its one function makes a
 * connection to localhost:$BINDING_PORT, with TLS from the first byte, and
 * returns the file name of the library that has really done the handshake, or
 * what went wrong. OLD_CALLS: for a library that has a part of OpenSSL's calls
 * only; it does not say who it is. BY_WOLFSSL: by the header that gives wolfSSL's
 * functions OpenSSL's names; it does not say either.
 */
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef BY_WOLFSSL
#include <wolfssl/options.h>
#include <wolfssl/openssl/ssl.h>
#else
#include <openssl/ssl.h>
#endif

#ifdef OLD_CALLS
#undef SSLv23_client_method
extern const SSL_METHOD *SSLv23_client_method(void);
#define METHOD                        SSLv23_client_method()
#define SSL_set_info_callback(ssl, f) (void)(f)
static char owner[512] = "an old library";
#elif defined(BY_WOLFSSL)
#define METHOD                        TLSv1_2_client_method()
#define SSL_set_info_callback(ssl, f) (void)(f)
static char owner[512] = "wolfSSL";
#else
#define METHOD TLS_client_method()
static char owner[512];
#endif

/* libssl itself calls this, so whoever this returns to is the library. */
static void look_at_caller(const SSL *ssl, int where, int result)
{
	Dl_info info;

	(void)ssl;
	(void)where;
	(void)result;
	if (dladdr(__builtin_return_address(0), &info) == 0 || info.dli_fname == NULL)
		return;
	const char *slash = strrchr(info.dli_fname, '/');
	(void)snprintf(owner, sizeof(owner), "%s", slash != NULL ? slash + 1 : info.dli_fname);
}

static const char *converse(SSL *ssl)
{
	char greeting[512];

	if (SSL_connect(ssl) != 1)
		return "no handshake";
	if (SSL_read(ssl, greeting, sizeof(greeting)) <= 0)
		return "no greeting";
	if (SSL_write(ssl, "QUIT\r\n", 6) != 6 || SSL_read(ssl, greeting, sizeof(greeting)) <= 0)
		return "no answer";
	return owner;
}

const char *handshake(void)
{
	const char *port = getenv("BINDING_PORT");
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((unsigned short)(port != NULL ? strtoul(port, NULL, 10) : 0)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const char *said = "no connection";

	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0) {
		SSL_CTX *context = SSL_CTX_new(METHOD);
		SSL *ssl = context != NULL ? SSL_new(context) : NULL;

#ifdef BY_WOLFSSL
		SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
#endif
		if (ssl != NULL && SSL_set_fd(ssl, fd) == 1) {
			SSL_set_info_callback(ssl, look_at_caller);
			said = converse(ssl);
		}
		SSL_free(ssl);
		SSL_CTX_free(context);
	}
	close(fd);
	return said;
}
