/*
 * A host that talks much and sends no mail: idle ROUNDS
 * Every kind of descriptor, of which some were open before the program and some come later, is
 * read and written in every way, copied and closed, ROUNDS times. Prints nothing.
 */
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "tests/programs/client.h"

/* Both ends of a descriptor; what is written to one is read from the other. */
struct pair {
	int here;
	int there;
	bool is_socket;
	bool is_one_way;
};

static struct pair pipe_pair(void)
{
	int ends[2];

	if (pipe(ends) != 0)
		fail("pipe");
	return (struct pair){ends[1], ends[0], false, true};
}

static struct pair socket_pair(int type)
{
	int ends[2];

	if (socketpair(AF_UNIX, type, 0, ends) != 0)
		fail("socketpair");
	return (struct pair){ends[0], ends[1], true, false};
}

static struct pair internet_pair(int type)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	const int listener = socket(AF_INET, type, 0);
	struct pair pair = {.is_socket = true, .is_one_way = type == SOCK_DGRAM};

	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    (type == SOCK_STREAM && listen(listener, 1) != 0) ||
	    getsockname(listener, (struct sockaddr *)&address, &length) != 0)
		fail("bind");
	pair.here = socket(AF_INET, type, 0);
	if (connect(pair.here, (struct sockaddr *)&address, sizeof(address)) != 0)
		fail("connect");
	pair.there = type == SOCK_STREAM ? accept(listener, NULL, NULL) : listener;
	if (type == SOCK_STREAM)
		close(listener);
	return pair;
}

static void demand(bool condition, const char *what)
{
	if (!condition)
		fail(what);
}

static void talk(struct pair *pair)
{
	char bytes[64] = "GET / HTTP/1.0\r\n\r\n";
	struct iovec part = {bytes, 18};
	struct iovec room = {bytes, sizeof(bytes)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	struct msghdr answer = {.msg_iov = &room, .msg_iovlen = 1};

	demand(write(pair->here, bytes, 18) == 18, "write");
	demand(read(pair->there, bytes, sizeof(bytes)) == 18, "read");
	demand(writev(pair->here, &part, 1) == 18, "writev");
	demand(readv(pair->there, &room, 1) == 18, "readv");
	demand(dprintf(pair->here, "%s", "GET / HTTP/1.0\r\n\r\n") == 18, "dprintf");
	demand(read(pair->there, bytes, sizeof(bytes)) == 18, "read");
	if (!pair->is_socket)
		return;
	/* By its answer an end that was open before is known as a server's. */
	if (!pair->is_one_way) {
		demand(write(pair->there, "HTTP/1.0 200 OK\r\n\r\n", 19) == 19, "write");
		demand(read(pair->here, bytes, sizeof(bytes)) == 19, "read");
	}
	demand(send(pair->here, bytes, 18, 0) == 18, "send");
	demand(recv(pair->there, bytes, sizeof(bytes), 0) == 18, "recv");
	demand(sendto(pair->here, bytes, 18, 0, NULL, 0) == 18, "sendto");
	demand(recvfrom(pair->there, bytes, sizeof(bytes), 0, NULL, NULL) == 18, "recvfrom");
	demand(sendmsg(pair->here, &message, 0) == 18, "sendmsg");
	demand(recvmsg(pair->there, &answer, 0) == 18, "recvmsg");
}

/* As a host does it that hands its descriptors around. */
static void copy(const struct pair *pair)
{
	int copy = dup(pair->here);

	demand(copy >= 0 && dup2(pair->here, copy) == copy, "dup2");
	demand(close(copy) == 0, "close");
	copy = fcntl(pair->there, F_DUPFD_CLOEXEC, 100);
	demand(copy >= 100 && close(copy) == 0, "fcntl");
}

static void use_files(void)
{
	struct pair pair = socket_pair(SOCK_STREAM);
	char bytes[16];
	int fd = open("/proc/self/exe", O_RDONLY);

	demand(fd >= 0 && read(fd, bytes, sizeof(bytes)) == sizeof(bytes), "read of a file");
	demand(sendfile(pair.here, fd, NULL, 16) == 16, "sendfile");
	demand(read(pair.there, bytes, sizeof(bytes)) == sizeof(bytes), "read of a socket");
	close(pair.here);
	close(pair.there);
	close(fd);
}

static int number(const char *text)
{
	return (int)strtol(text, NULL, 10);
}

int main(int argc, char **argv)
{
	/* Those that are open before the program: their numbers are arguments. */
	static struct pair pairs[8];
	static char numbers[4][16];
	unsigned count = 0;
	unsigned long rounds;

	if (argc == 2) {
		const struct pair first = internet_pair(SOCK_STREAM);
		const struct pair second = socket_pair(SOCK_STREAM);
		const int inherited[] = {first.here, first.there, second.here, second.there};
		char *again[] = {argv[0],    argv[1],    numbers[0], numbers[1],
				 numbers[2], numbers[3], NULL};

		for (int i = 0; i < 4; i++)
			(void)snprintf(numbers[i], sizeof(numbers[i]), "%d", inherited[i]);
		execv(argv[0], again);
		fail("execv");
	}
	if (argc != 6)
		return 2;
	rounds = strtoul(argv[1], NULL, 10);
	for (int i = 2; i < 6; i += 2)
		pairs[count++] = (struct pair){number(argv[i]), number(argv[i + 1]), true, false};
	pairs[count++] = pipe_pair();
	pairs[count++] = socket_pair(SOCK_STREAM);
	pairs[count++] = socket_pair(SOCK_DGRAM);
	pairs[count++] = internet_pair(SOCK_STREAM);
	pairs[count++] = internet_pair(SOCK_DGRAM);
	for (unsigned long round = 0; round < rounds; round++) {
		for (unsigned i = 0; i < count; i++) {
			talk(&pairs[i]);
			copy(&pairs[i]);
		}
		use_files();
	}
	return 0;
}
