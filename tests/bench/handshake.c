/*
 * The client of run-10-recorder: handshake PORT CA-FILE COUNT
 * Makes COUNT handshakes, one after the other, each a whole one with the
 * certificate checked, greeting read and QUIT said, and prints the microseconds
 * of CPU time that each took this process, user and system.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#define WARM_UP 20

static double cpu_microseconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void converse(SSL_CTX *context, unsigned port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons((uint16_t)port)};
	char bytes[1024];
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	SSL *ssl = SSL_new(context);

	if (fd < 0 || ssl == NULL || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		exit(1);
	SSL_set_fd(ssl, fd);
	if (SSL_connect(ssl) != 1 || SSL_read(ssl, bytes, sizeof(bytes)) <= 0 ||
	    SSL_write(ssl, "QUIT\r\n", 6) != 6)
		exit(1);
	while (SSL_read(ssl, bytes, sizeof(bytes)) > 0)
		;
	SSL_free(ssl);
	close(fd);
}

int main(int argc, char **argv)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	if (argc != 4 || context == NULL || !SSL_CTX_load_verify_locations(context, argv[2], NULL))
		return 2;
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	const unsigned port = (unsigned)strtoul(argv[1], NULL, 10);
	const unsigned long count = strtoul(argv[3], NULL, 10);
	for (int i = 0; i < WARM_UP; i++)
		converse(context, port);
	const double before = cpu_microseconds();
	for (unsigned long i = 0; i < count; i++)
		converse(context, port);
	printf("%.3f\n", (cpu_microseconds() - before) / (double)count);
	SSL_CTX_free(context);
	return 0;
}
