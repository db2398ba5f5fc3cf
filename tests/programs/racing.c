/*
 * Threads that connect, write, read, copy and close at once, with the recorder
 * linked into this program and all of it under ThreadSanitizer. It says nothing
 * itself: ThreadSanitizer does, and ends it with status 66.
 *
 * racing ROUNDS
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define THREADS 4

static struct sockaddr_in server;
static unsigned long rounds;
static _Atomic int shared[8]; /* descriptors that all threads use, whoever closes them */

static const char greeting[] = "220 server ESMTP\r\n250-server\r\n250 STARTTLS\r\n";
static const char dialogue[] = "EHLO client\r\nNOOP\r\nMAIL FROM:<a@example.com>\r\n";

/* Greets whoever comes, and reads what it is sent, until it is interrupted. */
static void *serve(void *listener)
{
	for (;;) {
		char bytes[256];
		int fd = accept(*(int *)listener, NULL, NULL);

		if (fd < 0)
			return NULL;
		(void)!send(fd, greeting, strlen(greeting), MSG_NOSIGNAL);
		while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
			;
		close(fd);
	}
}

static int open_one(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd >= 0)
		(void)connect(fd, (const struct sockaddr *)&server, sizeof(server));
	return fd;
}

/* On any of the shared ones, while others do the same, or close it. */
static void use(int fd, unsigned *seed)
{
	char bytes[64];
	int copy = -1;

	switch (rand_r(seed) % 6) {
	case 0:
		(void)!send(fd, dialogue, strlen(dialogue), MSG_NOSIGNAL | MSG_DONTWAIT);
		break;
	case 1:
		(void)!recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		break;
	case 2:
		(void)!write(fd, "NOOP\r\n", 6);
		break;
	case 3:
		(void)!read(fd, bytes, sizeof(bytes));
		break;
	case 4:
		copy = dup(fd);
		if (copy >= 0)
			close(copy);
		break;
	default:
		copy = fcntl(fd, F_DUPFD_CLOEXEC, 100);
		(void)!send(copy, "QUIT\r\n", 6, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (copy >= 0)
			close(copy);
	}
}

static void *race(void *number)
{
	unsigned seed = (unsigned)(size_t)number;

	for (unsigned long round = 0; round < rounds; round++) {
		unsigned slot = (unsigned)rand_r(&seed) % 8;

		if (rand_r(&seed) % 16 == 0) {
			/* Some other thread may be using the old one right now. */
			int old = atomic_exchange(&shared[slot], open_one());

			if (old >= 0)
				close(old);
			continue;
		}
		use(atomic_load(&shared[slot]), &seed);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	socklen_t length = sizeof(server);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	pthread_t serving;
	pthread_t threads[THREADS];

	if (argc != 2)
		return 2;
	(void)signal(SIGPIPE, SIG_IGN);
	rounds = strtoul(argv[1], NULL, 10);
	server.sin_family = AF_INET;
	server.sin_addr.s_addr = htonl(0x7f010000U + (unsigned)getpid() % 0xfffffeU);
	server.sin_port = htons(25);
	if (bind(listener, (const struct sockaddr *)&server, length) != 0 ||
	    listen(listener, 64) != 0)
		return 1;
	for (unsigned i = 0; i < 8; i++)
		shared[i] = open_one();
	pthread_create(&serving, NULL, serve, &listener);
	for (size_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, race, (void *)(i + 1));
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	shutdown(listener, SHUT_RDWR);
	pthread_join(serving, NULL);
	return 0;
}
