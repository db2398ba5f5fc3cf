/*
 * As handshake.c, with GnuTLS: gnutls_handshake PORT CA-FILE COUNT
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#define WARM_UP 20

static double cpu_microseconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static ssize_t receive(gnutls_session_t session, char *bytes, size_t size)
{
	ssize_t result;

	do {
		result = gnutls_record_recv(session, bytes, size);
	} while (result == GNUTLS_E_AGAIN); /* a ticket has passed */
	return result;
}

static void converse(gnutls_certificate_credentials_t credentials, unsigned port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons((uint16_t)port)};
	const int on = 1;
	char bytes[1024];
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	gnutls_session_t session;

	/* As curl does; else its Finished waits for an acknowledgement, 40 ms a time. */
	if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    gnutls_init(&session, GNUTLS_CLIENT) != 0 ||
	    gnutls_set_default_priority(session) != 0 ||
	    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials) != 0)
		exit(1);
	gnutls_session_set_verify_cert(session, "localhost", 0);
	gnutls_transport_set_int(session, fd);
	if (gnutls_handshake(session) != 0 || receive(session, bytes, sizeof(bytes)) <= 0 ||
	    gnutls_record_send(session, "QUIT\r\n", 6) != 6)
		exit(1);
	while (receive(session, bytes, sizeof(bytes)) > 0)
		;
	gnutls_deinit(session);
	close(fd);
}

int main(int argc, char **argv)
{
	gnutls_certificate_credentials_t credentials;

	if (argc != 4 || gnutls_certificate_allocate_credentials(&credentials) != 0 ||
	    gnutls_certificate_set_x509_trust_file(credentials, argv[2], GNUTLS_X509_FMT_PEM) <= 0)
		return 2;
	const unsigned port = (unsigned)strtoul(argv[1], NULL, 10);
	const unsigned long count = strtoul(argv[3], NULL, 10);
	for (int i = 0; i < WARM_UP; i++)
		converse(credentials, port);
	const double before = cpu_microseconds();
	for (unsigned long i = 0; i < count; i++)
		converse(credentials, port);
	printf("%.3f\n", (cpu_microseconds() - before) / (double)count);
	gnutls_certificate_free_credentials(credentials);
	return 0;
}
