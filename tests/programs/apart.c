/*
 * One mail in TLS from the first byte to 127.0.0.1:PORT, by a libssl in a name
 * space of its own (dlmopen), with a libc of its own:
 *
 *   apart PORT outward|inward
 *
 * `inward`: the socket is opened by that other libc, too. Any version from TLS 1.0
 * on; says "sent" if the mail was taken.
 */
#include "tests/programs/client.h"

static struct openssl openssl;
static __typeof__(SSL_CTX_ctrl) *context_control;
static __typeof__(SSL_CTX_set_cipher_list) *set_cipher_list;
static int (*connect_inward)(int fd, const struct sockaddr *address, socklen_t length);
static __typeof__(socket) *socket_inward;

static void find(void *library, const char *name, void *slot)
{
	void *address = dlsym(library, name);

	if (!address)
		fail(name);
	memcpy(slot, &address, sizeof(address));
}

static void load_apart(void)
{
	void *library = dlmopen(LM_ID_NEWLM, LIBSSL, RTLD_NOW);

	if (!library)
		fail("dlmopen");
#define FIND(name) find(library, #name, &openssl.name);
	OPENSSL_CALLS(FIND)
#undef FIND
	find(library, "SSL_CTX_ctrl", &context_control);
	find(library, "SSL_CTX_set_cipher_list", &set_cipher_list);
	find(library, "connect", &connect_inward);
	find(library, "socket", &socket_inward);
}

static int dial_inward(unsigned port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons((uint16_t)port)};
	int fd = socket_inward(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect_inward(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		fail("connect");
	return fd;
}

static void say(SSL *ssl, const char *line)
{
	char reply[1024];

	if ((line && openssl.SSL_write(ssl, line, (int)strlen(line)) <= 0) ||
	    openssl.SSL_read(ssl, reply, sizeof(reply)) <= 0)
		fail("inside");
}

int main(int argc, char **argv)
{
	SSL_CTX *context = NULL;
	SSL *ssl = NULL;
	int fd = -1;

	if (argc != 3)
		return 2;
	load_apart();
	context = openssl.SSL_CTX_new(openssl.TLS_client_method());
	context_control(context, SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_VERSION, NULL);
	set_cipher_list(context, "DEFAULT:@SECLEVEL=0");
	ssl = openssl.SSL_new(context);
	fd = strcmp(argv[2], "inward") == 0 ? dial_inward(port_argument(argv[1]))
					    : dial(port_argument(argv[1]));
	openssl.SSL_set_fd(ssl, fd);
	if (openssl.SSL_connect(ssl) != 1)
		fail("handshake");
	say(ssl, NULL);
	say(ssl, "EHLO client\r\n");
	say(ssl, "MAIL FROM:<a@example.com>\r\n");
	say(ssl, "RCPT TO:<b@example.com>\r\n");
	say(ssl, "DATA\r\n");
	say(ssl, "Subject: rehearsal\r\n\r\nhello\r\n.\r\n");
	puts("sent");
	openssl.SSL_free(ssl);
	openssl.SSL_CTX_free(context);
	close(fd);
	return 0;
}
