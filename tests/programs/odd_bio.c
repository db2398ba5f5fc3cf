/*
 * One mail in TLS from the first byte to the server at 127.0.0.1:PORT, over a
 * BIO that is not OpenSSL's for sockets, or by an SSL that was used before:
 *
 *   odd_bio PORT own|raw|later|stdio|clear [FIRST-PORT]
 *
 *   own     a BIO of the program's, by send() and recv()
 *   raw     the same by system calls, which pass no hook
 *   later   the first, which at first has nothing and says so by errno alone
 *   stdio   the BIO of a FILE
 *   clear   the SSL had a connection to FIRST-PORT, and SSL_clear
 *
 * Any version from TLS 1.0 on; says "sent" if the mail was taken.
 */
#include <errno.h>
#include <sys/syscall.h>

#include "tests/programs/client.h"

static int write_bytes(BIO *bio, const char *bytes, int length)
{
	return (int)send((int)(intptr_t)BIO_get_data(bio), bytes, (size_t)length, MSG_NOSIGNAL);
}

static bool later;

static int read_bytes(BIO *bio, char *bytes, int length)
{
	if (later) {
		later = false;
		errno = EAGAIN;
		return -1;
	}
	return (int)recv((int)(intptr_t)BIO_get_data(bio), bytes, (size_t)length, 0);
}

static int write_raw(BIO *bio, const char *bytes, int length)
{
	return (int)syscall(SYS_write, (int)(intptr_t)BIO_get_data(bio), bytes, (size_t)length);
}

static int read_raw(BIO *bio, char *bytes, int length)
{
	return (int)syscall(SYS_read, (int)(intptr_t)BIO_get_data(bio), bytes, (size_t)length);
}

static long control(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH;
}

static BIO *own_bio(int fd, bool raw)
{
	BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "own");
	BIO *bio = NULL;

	BIO_meth_set_write(method, raw ? write_raw : write_bytes);
	BIO_meth_set_read(method, raw ? read_raw : read_bytes);
	BIO_meth_set_ctrl(method, control);
	bio = BIO_new(method);
	BIO_set_data(bio, (void *)(intptr_t)fd);
	BIO_set_init(bio, 1);
	return bio;
}

/* Without a buffer: OpenSSL reads no more of a FILE than there is. */
static BIO *stdio_bio(int fd, const char *mode)
{
	FILE *stream = fdopen(dup(fd), mode);

	if (!stream)
		fail("fdopen");
	(void)setvbuf(stream, NULL, _IONBF, 0);
	return BIO_new_fp(stream, BIO_CLOSE);
}

static void say(SSL *ssl, const char *line)
{
	char reply[1024];

	if ((line && SSL_write(ssl, line, (int)strlen(line)) <= 0) ||
	    SSL_read(ssl, reply, sizeof(reply)) <= 0)
		fail("inside");
}

static void attach(SSL *ssl, const char *way, int fd)
{
	if (strcmp(way, "stdio") == 0)
		SSL_set_bio(ssl, stdio_bio(fd, "r"), stdio_bio(fd, "w"));
	else if (strcmp(way, "clear") == 0)
		SSL_set_fd(ssl, fd);
	else
		SSL_set_bio(ssl, own_bio(fd, strcmp(way, "raw") == 0),
			    own_bio(fd, strcmp(way, "raw") == 0));
}

/* A session without mail, after which the SSL is as new. */
static void use(SSL *ssl, unsigned port)
{
	int fd = dial(port);

	SSL_set_fd(ssl, fd);
	if (SSL_connect(ssl) != 1)
		fail("the first handshake");
	say(ssl, NULL);
	say(ssl, "QUIT\r\n");
	SSL_shutdown(ssl);
	if (SSL_clear(ssl) != 1)
		fail("SSL_clear");
	close(fd);
}

int main(int argc, char **argv)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = NULL;
	int fd = -1;

	if (argc < 3)
		return 2;
	SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
	SSL_CTX_set_cipher_list(context, "DEFAULT:@SECLEVEL=0");
	ssl = SSL_new(context);
	if (argc == 4)
		use(ssl, port_argument(argv[3]));
	fd = dial(port_argument(argv[1]));
	attach(ssl, argv[2], fd);
	later = strcmp(argv[2], "later") == 0;
	if (SSL_connect(ssl) != 1 && (errno != EAGAIN || SSL_connect(ssl) != 1))
		fail("handshake");
	say(ssl, NULL);
	say(ssl, "EHLO client\r\n");
	say(ssl, "MAIL FROM:<a@example.com>\r\n");
	say(ssl, "RCPT TO:<b@example.com>\r\n");
	say(ssl, "DATA\r\n");
	say(ssl, "Subject: rehearsal\r\n\r\nhello\r\n.\r\n");
	puts("sent");
	SSL_free(ssl);
	SSL_CTX_free(context);
	close(fd);
	return 0;
}
