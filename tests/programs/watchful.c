/*
 * Looks at errno and at OpenSSL's error queue after every call:
 *   watchful PORT CA-FILE
 * One handshake with a certificate that is trusted, one with one that is not,
 * and one with a port where nobody listens.
 */
#include <netdb.h>
#include <signal.h>
#include <sys/uio.h>

#include "tests/programs/client.h"
#include "tests/programs/old_libc.h"

#define MARK 4242 /* no errno */

static void say(const char *call, long result)
{
	const int error = errno;

	printf("%s: %ld, errno %d, queue %lx %lx\n", call, result, error, ERR_peek_error(),
	       ERR_peek_last_error());
	errno = MARK;
}

static void converse(SSL_CTX *context, unsigned port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons((uint16_t)port)};
	char bytes[1024];
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	errno = MARK;
	say("connect", connect(fd, (struct sockaddr *)&address, sizeof(address)));
	SSL *ssl = SSL_new(context);
	say("SSL_new", ssl != NULL);
	say("SSL_set_fd", SSL_set_fd(ssl, fd));
	say("SSL_connect", SSL_connect(ssl));
	say("SSL_do_handshake", SSL_do_handshake(ssl));
	say("SSL_peek", SSL_peek(ssl, bytes, 1));
	say("SSL_write", SSL_write(ssl, "QUIT\r\n", 6));
	while (SSL_read(ssl, bytes, sizeof(bytes)) > 0)
		;
	say("SSL_read", 0);
	say("SSL_get_error", SSL_get_error(ssl, -1));
	SSL_free(ssl);
	say("SSL_free", 0);
	say("close", close(fd));
	say("close again", close(fd));
	say("read", read(fd, bytes, 1));
	ERR_clear_error();
	errno = MARK;
}

static void use_descriptors(void)
{
	struct iovec part = {"", 1};
	struct addrinfo *answers = NULL;
	char byte;
	int pair[2];

	say("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	say("write", write(pair[0], "a", 1));
	say("writev", writev(pair[0], &part, 1));
	say("read", read(pair[1], &byte, 1));
	say("recv", recv(pair[1], &byte, 1, MSG_PEEK));
	say("recv", recv(pair[1], &byte, 1, 0));
	say("recv", recv(pair[1], &byte, 1, MSG_DONTWAIT));
	say("dup2", dup2(pair[0], 50));
	say("dup2", dup2(1000, 50));
	say("dup3", dup3(50, 50, 0));
	say("fcntl", fcntl(50, F_DUPFD, 60));
	say("fcntl", fcntl(61, F_GETFD));
	say("close_range", close_range(50, 60, 0));
	say("close", close(50));
	say("getaddrinfo", getaddrinfo("127.0.0.1", NULL, NULL, &answers));
	freeaddrinfo(answers);
	say("chroot", chroot("/nonexistent"));
}

/* The loader's message is the host's, whatever happened since. */
static void say_loader(void)
{
	for (int i = 0; i < 2; i++) {
		const char *message = dlerror();

		printf("dlerror: %s\n", message != NULL ? message : "nothing");
	}
}

int main(int argc, char **argv)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	if (argc != 3)
		return 2;
	(void)signal(SIGPIPE, SIG_IGN);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	/* An error of the host's own stays in the queue throughout. */
	SSL_CTX_load_verify_locations(context, "/nonexistent", NULL);
	errno = MARK;
	say("begin", 0);
	dlopen("/nonexistent", RTLD_NOW);
	converse(context, port_argument(argv[1]));
	say_loader();
	SSL_CTX_load_verify_locations(context, argv[2], NULL);
	ERR_clear_error();
	converse(context, port_argument(argv[1]));
	converse(context, 1);
	use_descriptors();
	dlopen("/nonexistent", RTLD_NOW);
	converse(context, port_argument(argv[1]));
	say_loader();
	SSL_CTX_free(context);
	return 0;
}
