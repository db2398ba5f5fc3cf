/*
 * Nanoseconds for a call on a descriptor that is no mail connection, and how
 * fast bytes go through a loopback connection. calls ROUNDS: one line of
 * figures, of read, write, recv and send on a descriptor that is not open (the
 * shortest way there and back), of a byte to /dev/null, and MB/s.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOT_OPEN 500
#define BULK     (512UL << 20)
#define PIECE    65536

static char bytes[PIECE];

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

#define TIME_OF(call)                                              \
	do {                                                       \
		double start = now();                              \
                                                                   \
		for (long i = 0; i < rounds; i++)                  \
			(void)!(call);                             \
		printf("%.2f ", (now() - start) / (double)rounds); \
	} while (0)

static double bulk(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	double start = 0;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (struct sockaddr *)&address, length) != 0 || listen(listener, 1) != 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &length) != 0 ||
	    connect(fd, (struct sockaddr *)&address, length) != 0)
		exit(1);
	if (fork() == 0) {
		int accepted = accept(listener, NULL, NULL);

		close(fd);
		while (read(accepted, bytes, sizeof(bytes)) > 0)
			;
		_exit(0);
	}
	start = now();
	for (size_t sent = 0; sent < BULK; sent += sizeof(bytes)) {
		if (write(fd, bytes, sizeof(bytes)) != sizeof(bytes))
			exit(1);
	}
	close(fd);
	wait(NULL);
	return (double)BULK / (now() - start) * 1e3;
}

int main(int argc, char **argv)
{
	int null = open("/dev/null", O_WRONLY);
	long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 0;

	if (rounds <= 0 || null < 0)
		return 2;
	TIME_OF(read(NOT_OPEN, bytes, 1));
	TIME_OF(write(NOT_OPEN, bytes, 1));
	TIME_OF(recv(NOT_OPEN, bytes, 1, 0));
	TIME_OF(send(NOT_OPEN, bytes, 1, 0));
	TIME_OF(write(null, bytes, 1));
	printf("%.0f\n", bulk());
	return 0;
}
