/*
 * What the test clients share: OpenSSL found by dlsym, and sockets to the
 * sink on this machine. Clients exit with a status and one line on stderr when
 * something fails, and are silent otherwise.
 */
#ifndef TLSWITNESS_TEST_CLIENT_H
#define TLSWITNESS_TEST_CLIENT_H

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#if OPENSSL_VERSION_NUMBER < 0x30000000L
#define LIBSSL "libssl.so.1.1"
#else
#define LIBSSL "libssl.so.3"
#endif

#define OPENSSL_CALLS(CALL)         \
	CALL(TLS_client_method)     \
	CALL(SSL_CTX_new)           \
	CALL(SSL_CTX_free)          \
	CALL(SSL_new)               \
	CALL(SSL_free)              \
	CALL(SSL_clear)             \
	CALL(SSL_set_fd)            \
	CALL(SSL_set_bio)           \
	CALL(SSL_set_connect_state) \
	CALL(SSL_connect)           \
	CALL(SSL_do_handshake)      \
	CALL(SSL_is_init_finished)  \
	CALL(SSL_get_error)         \
	CALL(SSL_read)              \
	CALL(SSL_read_ex)           \
	CALL(SSL_peek)              \
	CALL(SSL_peek_ex)           \
	CALL(SSL_write)             \
	CALL(SSL_write_ex)          \
	CALL(BIO_s_mem)             \
	CALL(BIO_new)               \
	CALL(BIO_new_socket)        \
	CALL(BIO_f_ssl)             \
	CALL(BIO_push)              \
	CALL(BIO_ctrl)              \
	CALL(BIO_read)              \
	CALL(BIO_read_ex)           \
	CALL(BIO_write)             \
	CALL(BIO_write_ex)          \
	CALL(BIO_puts)              \
	CALL(BIO_gets)              \
	CALL(BIO_test_flags)        \
	CALL(BIO_free_all)          \
	CALL(ERR_clear_error)       \
	CALL(ERR_peek_error)

#define MEMBER(name) __typeof__(name) *name;
struct openssl {
	OPENSSL_CALLS(MEMBER)
};
#undef MEMBER

static inline _Noreturn void fail(const char *what)
{
	(void)fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

/* libssl, loaded as Python and Perl load theirs: outside the global scope. */
static inline void load_openssl(struct openssl *openssl)
{
	void *library = dlopen(LIBSSL, RTLD_NOW | RTLD_LOCAL);

	if (library == NULL) {
		(void)fprintf(stderr, "%s\n", dlerror());
		exit(1);
	}
#define RESOLVE(name)                                              \
	do {                                                       \
		void *address = dlsym(library, #name);             \
		if (address == NULL) {                             \
			(void)fprintf(stderr, "no %s\n", #name);   \
			exit(1);                                   \
		}                                                  \
		memcpy(&openssl->name, &address, sizeof(address)); \
	} while (0);
	OPENSSL_CALLS(RESOLVE)
#undef RESOLVE
}

/* A connection to this port of 127.0.0.1. */
static inline int dial(unsigned port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		fail("connect");
	return fd;
}

static inline void set_nonblocking(int fd)
{
	if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
		fail("fcntl");
}

static inline void await(int fd, short events)
{
	struct pollfd waiting = {.fd = fd, .events = events};

	while (poll(&waiting, 1, -1) < 0) {
		if (errno != EINTR)
			fail("poll");
	}
}

static inline unsigned port_argument(const char *argument)
{
	return (unsigned)strtoul(argument, NULL, 10);
}

#endif
