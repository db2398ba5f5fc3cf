/*
 * A TLS library that moves its bytes by raw system calls, as far as anybody can
 * see from outside: the dialogue up to STARTTLS's answer passes through libc,
 * what follows does not. blind_spot PORT [LIBRARY to be mapped]
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void say(int fd, const char *command)
{
	if (write(fd, command, strlen(command)) != (ssize_t)strlen(command))
		exit(1);
}

/* Until a reply's last line (RFC 5321, 4.2.1): a code and a blank at its beginning. */
static void hear(int fd)
{
	char line[512];
	size_t length = 0;

	for (;;) {
		if (length == sizeof(line) || read(fd, line + length, 1) != 1)
			exit(1);
		if (line[length++] != '\n')
			continue;
		if (length > 3 && line[3] == ' ')
			return;
		length = 0;
	}
}

int main(int argc, char **argv)
{
	/* A handshake record of a ClientHello that never goes on. */
	static const unsigned char hello[] = {0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3};
	struct sockaddr_in address = {.sin_family = AF_INET};
	unsigned char answer[64];
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (argc < 2 || fd < 0)
		return 2;
	if (argc > 2 && !dlopen(argv[2], RTLD_NOW))
		return 2;
	address.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		return 1;
	hear(fd);
	say(fd, "EHLO client\r\n");
	hear(fd);
	say(fd, "STARTTLS\r\n");
	hear(fd);
	if (syscall(SYS_write, fd, hello, sizeof(hello)) != (long)sizeof(hello))
		return 1;
	shutdown(fd, SHUT_WR);
	/* The server may answer with an alert, or with nothing. */
	while (syscall(SYS_read, fd, answer, sizeof(answer)) > 0)
		;
	return close(fd);
}
