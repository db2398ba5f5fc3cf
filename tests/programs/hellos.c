/*
 * Handshakes at once, up to where the server has sent its certificate: hellos COUNT VECTOR
 * VECTOR is one of tests/unit/vectors: its first turn of the client's and of the server's are
 * sent over each of COUNT connections, piece by piece, each over all of them before the next.
 * Prints nothing.
 */
#include <ctype.h>
#include <sys/resource.h>

#include "tests/programs/client.h"

#define CONNECTIONS_MAX 4096

/* Of the server's turn: a certificate comes in several. */
#define PART 200U

struct turn {
	size_t length;
	unsigned char bytes[16384];
};

static struct turn client;
static struct turn server;

/* Of two hexadecimal digits. */
static unsigned char byte_of(const char *digits)
{
	const char two[] = {digits[0], digits[1], '\0'};

	return (unsigned char)strtoul(two, NULL, 16);
}

static void read_vector(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[1024];

	if (!file)
		fail(path);
	while (fgets(line, sizeof(line), file)) {
		struct turn *turn = line[0] == '>' ? &client : &server;

		if (line[0] != '>' && line[0] != '<')
			continue;
		if (line[0] == '>' && server.length > 0)
			break;
		for (const char *at = line + 2;
		     turn->length < sizeof(turn->bytes) && isxdigit((unsigned char)at[0]) &&
		     isxdigit((unsigned char)at[1]);
		     at += 2)
			turn->bytes[turn->length++] = byte_of(at);
	}
	(void)fclose(file);
}

static void send_part(int fd, const struct turn *turn, size_t from, size_t length)
{
	if (write(fd, turn->bytes + from, length) != (ssize_t)length)
		fail("write");
}

static void receive(int fd, size_t length)
{
	char bytes[16384];

	for (size_t at = 0; at < length;) {
		ssize_t count = read(fd, bytes, length - at);

		if (count <= 0)
			fail("read");
		at += (size_t)count;
	}
}

int main(int argc, char **argv)
{
	static int ends[CONNECTIONS_MAX][2];
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct rlimit limit;
	socklen_t length = sizeof(address);
	const int listener = socket(AF_INET, SOCK_STREAM, 0);
	unsigned count;

	if (argc != 3)
		return 2;
	count = (unsigned)strtoul(argv[1], NULL, 10);
	if (count > CONNECTIONS_MAX || getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 2;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	read_vector(argv[2]);
	if (bind(listener, (struct sockaddr *)&address, length) != 0 ||
	    listen(listener, SOMAXCONN) != 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &length) != 0)
		fail("listen");
	for (unsigned i = 0; i < count; i++) {
		ends[i][0] = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(ends[i][0], (struct sockaddr *)&address, sizeof(address)) != 0)
			fail("connect");
		ends[i][1] = accept(listener, NULL, NULL);
	}
	for (unsigned i = 0; i < count; i++)
		send_part(ends[i][0], &client, 0, client.length);
	for (size_t at = 0, part; at < server.length; at += part) {
		part = server.length - at < PART ? server.length - at : PART;
		for (unsigned i = 0; i < count; i++)
			send_part(ends[i][1], &server, at, part);
		for (unsigned i = 0; i < count; i++)
			receive(ends[i][0], part);
	}
	for (unsigned i = 0; i < count; i++) {
		close(ends[i][0]);
		close(ends[i][1]);
	}
	return 0;
}
