/*
 * The client of run-25-threads: threads PORT CA-FILE THREADS COUNT
 * Each of THREADS makes COUNT conversations, one after the other, all at once: a
 * whole handshake with the certificate checked, greeting read and QUIT said.
 * Prints how many there were each second.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/ssl.h>

#define STACK_SIZE ((size_t)256 * 1024)

static SSL_CTX *context;
static unsigned port;
static unsigned long count;
static pthread_barrier_t begin;

static void converse(void)
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

static void *client(void *data)
{
	pthread_barrier_wait(&begin);
	for (unsigned long i = 0; i < count; i++)
		converse();
	return data;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	struct rlimit limit;
	pthread_attr_t attributes;

	context = SSL_CTX_new(TLS_client_method());
	if (argc != 5 || context == NULL || !SSL_CTX_load_verify_locations(context, argv[2], NULL))
		return 2;
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	port = (unsigned)strtoul(argv[1], NULL, 10);
	count = strtoul(argv[4], NULL, 10);
	const unsigned threads = (unsigned)strtoul(argv[3], NULL, 10);
	pthread_t *thread = calloc(threads, sizeof(*thread));

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	pthread_barrier_init(&begin, NULL, threads + 1);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	for (unsigned i = 0; i < threads; i++) {
		if (thread == NULL || pthread_create(&thread[i], &attributes, client, NULL) != 0)
			return 1;
	}
	pthread_barrier_wait(&begin);
	const double before = seconds();

	for (unsigned i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	printf("%.1f\n", (double)threads * (double)count / (seconds() - before));
	free(thread);
	SSL_CTX_free(context);
	return 0;
}
