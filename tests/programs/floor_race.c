/*
 * Many implicit-TLS connections, as hasty as can be: PORT CONNECTIONS steady|race
 *
 * With `race` another thread changes what each connection allows, without a
 * pause, while its handshake is under way. Prints how many were delivered.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#define WORKERS 4

struct worker {
	pthread_t thread;
	pthread_mutex_t mutex; /* over `ssl` while it is made known or freed */
	SSL *ssl;
};

static struct worker workers[WORKERS];
static SSL_CTX *context;
static struct sockaddr_in address;
static atomic_int left;
static atomic_int delivered;
static atomic_int failed;
static atomic_bool done;

static bool say(SSL *ssl, const char *command, const char *code)
{
	char reply[4096];

	if (*command && SSL_write(ssl, command, (int)strlen(command)) <= 0)
		return false;
	int length = SSL_read(ssl, reply, sizeof(reply) - 1);
	return length > 3 && strncmp(reply, code, 3) == 0;
}

static bool send_mail(SSL *ssl)
{
	return SSL_connect(ssl) == 1 && say(ssl, "", "220") && say(ssl, "EHLO client\r\n", "250") &&
	       say(ssl, "AUTH PLAIN AHVzZXIAc2VjcmV0d29yZA==\r\n", "235") &&
	       say(ssl, "MAIL FROM:<a@example.com>\r\n", "250");
}

/* For the other thread to find. */
static void make_known(struct worker *worker, SSL *ssl)
{
	pthread_mutex_lock(&worker->mutex);
	worker->ssl = ssl;
	pthread_mutex_unlock(&worker->mutex);
}

static void connect_once(struct worker *worker)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	SSL *ssl = SSL_new(context);

	if (fd < 0 || !ssl || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		perror("connect");
		exit(2);
	}
	SSL_set_fd(ssl, fd);
	make_known(worker, ssl);
	if (send_mail(ssl))
		atomic_fetch_add(&delivered, 1);
	else
		atomic_fetch_add(&failed, 1);
	make_known(worker, NULL);
	SSL_free(ssl);
	close(fd);
}

static void *work(void *argument)
{
	while (atomic_fetch_sub(&left, 1) > 0)
		connect_once(argument);
	return NULL;
}

/* Since OpenSSL 3.2 options go on to the record layer, which the handshake may be replacing. */
static bool options_may_race(void)
{
	return OpenSSL_version_num() < 0x30200000;
}

/* One change after the other, from all that is allowed to TLS 1.0 alone. */
static void change(SSL *ssl, unsigned step)
{
	switch (step % 6) {
	case 0:
		SSL_set_min_proto_version(ssl, TLS1_VERSION);
		break;
	case 1:
		SSL_set_max_proto_version(ssl, TLS1_VERSION);
		break;
	case 2:
		if (options_may_race())
			SSL_set_options(ssl, SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_3);
		break;
	case 3:
		if (options_may_race())
			SSL_clear_options(ssl, SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_3);
		break;
	case 4:
		SSL_set_max_proto_version(ssl, 0);
		break;
	default:
		SSL_set_min_proto_version(ssl, 0);
		break;
	}
}

static void *disturb(void *unused)
{
	(void)unused;
	for (unsigned step = 0; !atomic_load(&done); step++) {
		struct worker *worker = &workers[step / 7 % WORKERS];

		pthread_mutex_lock(&worker->mutex);
		if (worker->ssl)
			change(worker->ssl, step);
		pthread_mutex_unlock(&worker->mutex);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	bool race = argc > 3 && strcmp(argv[3], "race") == 0;
	pthread_t disturber;

	if (argc < 4)
		return 2;
	(void)signal(SIGPIPE, SIG_IGN);
	address.sin_family = AF_INET;
	address.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	atomic_store(&left, (int)strtol(argv[2], NULL, 10));
	context = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_cipher_list(context, "DEFAULT:@SECLEVEL=0");
	SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
	for (size_t i = 0; i < WORKERS; i++) {
		pthread_mutex_init(&workers[i].mutex, NULL);
		pthread_create(&workers[i].thread, NULL, work, &workers[i]);
	}
	if (race)
		pthread_create(&disturber, NULL, disturb, NULL);
	for (size_t i = 0; i < WORKERS; i++)
		pthread_join(workers[i].thread, NULL);
	atomic_store(&done, true);
	if (race)
		pthread_join(disturber, NULL);
	printf("delivered %d\nfailed %d\n", atomic_load(&delivered), atomic_load(&failed));
	return 0;
}
