/*
 * Moves bytes through sockets, pipes and files by every call that the recorder
 * has a hook for, in every form, in an order and in sizes that a seed decides,
 * and prints a digest of every byte, result, errno and descriptor number that
 * came back. Whoever runs it bare and preloaded can compare the two outputs.
 *
 * transparency SEED MEGABYTES
 *
 * Both ends of each channel are in this one thread, and nothing is received
 * before it has arrived, so that a run's output depends on its arguments alone.
 * A signal storm and children made in between must not change it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/programs/old_libc.h"

/* What fortified programs call (debug/read_chk.c in glibc), and the reserved names. */
ssize_t __read_chk(int fd, void *buffer, size_t count, size_t room);
ssize_t __recv_chk(int fd, void *buffer, size_t count, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *buffer, size_t count, size_t room, int flags,
		       struct sockaddr *address, socklen_t *length);
ssize_t __read(int fd, void *buffer, size_t count);
ssize_t __write(int fd, const void *buffer, size_t count);
ssize_t __send(int fd, const void *buffer, size_t count, int flags);
int __close(int fd);

#define SIZE_MAX_LOG2   17 /* calls of up to 128 KiB */
#define BUFFER_SIZE     (1U << SIZE_MAX_LOG2)
#define IN_FLIGHT_MAX   (1U << 15) /* less than any of the channels holds */
#define CALLS_MAX       64         /* each may take a page of a pipe, or a buffer of a socket */
#define CHANNELS        10
#define LIFE_MAX        1000 /* steps after which a channel is opened anew */
#define SCRATCH_NUMBERS 900  /* descriptors from here on are nobody's */

enum kind {
	OVER_TCP_MAIL,
	OVER_TCP_SMTP,
	OVER_TCP_TLS,
	OVER_TCP_OTHER,
	OVER_TCP_FASTOPEN,
	OVER_UNIX,
	OVER_PAIR,
	OVER_PIPE,
	OVER_FILE,
	KINDS
};

struct channel {
	enum kind kind;
	int writer;
	int reader;
	size_t in_flight;
	unsigned sent; /* calls, since it was last empty */
	unsigned life;
};

static struct channel channels[CHANNELS];
static struct sockaddr_in listening[2]; /* on a mail port, and on another */
static int listeners[2];
static uint8_t random_bytes[2 * BUFFER_SIZE];
static uint8_t buffer[BUFFER_SIZE];
static uint64_t state;
static uint64_t digest = 0xcbf29ce484222325U;
static uint64_t moved;
static uint64_t calls;
static volatile int minus_one = -1; /* which the compiler must not know */
static volatile sig_atomic_t storm_errors;
static int storm[2];

/* ---- numbers and digests ---- */

/* xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators". */
static uint64_t next_random(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dU;
}

static unsigned below(unsigned limit)
{
	return (unsigned)((next_random() >> 33) % limit);
}

/* Small ones as often as large ones; none now and then. */
static size_t random_size(void)
{
	return below(1U << (1 + below(SIZE_MAX_LOG2)));
}

static void mix(uint64_t value)
{
	digest = (digest ^ value) * 0x9e3779b97f4a7c15U;
	digest ^= digest >> 29;
}

static void mix_bytes(const uint8_t *bytes, size_t length)
{
	uint64_t word = 0;

	for (; length >= sizeof(word); bytes += sizeof(word), length -= sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		mix(word);
	}
	word = length;
	memcpy(&word, bytes, length);
	mix(word);
}

/* A call's result and errno, as it left them. */
static ssize_t came_back(ssize_t result)
{
	mix((uint64_t)result);
	mix((uint64_t)errno);
	calls++;
	errno = 0;
	return result;
}

static _Noreturn void give_up(const char *what)
{
	perror(what);
	exit(1);
}

/* ---- calls that send ---- */

enum { FORMS_OF_WRITE = 3, FORMS_OF_SEND = 8 };

static struct msghdr message_of(struct iovec *parts, size_t count)
{
	return (struct msghdr){.msg_iov = parts, .msg_iovlen = count};
}

static ssize_t call_to_send(int fd, const uint8_t *bytes, size_t size, unsigned form)
{
	size_t half = size / 3;
	struct iovec parts[3] = {{(void *)(uintptr_t)bytes, half},
				 {NULL, 0},
				 {(void *)(uintptr_t)(bytes + half), size - half}};
	struct msghdr message = message_of(parts, 3);
	struct mmsghdr messages[2] = {{.msg_hdr = message_of(&parts[0], 1)},
				      {.msg_hdr = message_of(&parts[2], 1)}};

	switch (form) {
	case 0:
		return write(fd, bytes, size);
	case 1:
		return __write(fd, bytes, size);
	case 2:
		return writev(fd, parts, 3);
	case 3:
		return send(fd, bytes, size, MSG_NOSIGNAL);
	case 4:
		return __send(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
	case 5:
		return sendto(fd, bytes, size, MSG_NOSIGNAL, NULL, 0);
	case 6:
		return sendmsg(fd, &message, MSG_NOSIGNAL);
	default:
		if (came_back(sendmmsg(fd, messages, 2, MSG_NOSIGNAL)) != 2)
			return 0;
		return (ssize_t)messages[0].msg_len + messages[1].msg_len;
	}
}

static bool is_socket(const struct channel *channel)
{
	return channel->kind < OVER_PIPE;
}

static void drain(struct channel *channel);

static void send_some(struct channel *channel)
{
	size_t room = IN_FLIGHT_MAX - channel->in_flight;
	size_t size = random_size();
	const uint8_t *bytes = random_bytes + below(BUFFER_SIZE);
	unsigned form = below(is_socket(channel) ? FORMS_OF_SEND : FORMS_OF_WRITE);
	ssize_t sent = 0;

	if (channel->sent++ == CALLS_MAX)
		drain(channel);
	if (size > room)
		size = room;
	sent = came_back(call_to_send(channel->writer, bytes, size, form));
	if (sent > 0)
		channel->in_flight += (size_t)sent;
}

/* ---- calls that receive ---- */

enum { FORMS_OF_READ = 4, FORMS_OF_RECEIVE = 14 };

static ssize_t receive_messages(int fd, struct mmsghdr messages[2], int flags)
{
	int count = (int)came_back(recvmmsg(fd, messages, 2, flags, NULL));
	ssize_t length = 0;

	for (int i = 0; i < count; i++)
		length += messages[i].msg_len;
	return length;
}

static ssize_t call_to_read(int fd, size_t size, unsigned form)
{
	size_t half = size / 3;
	struct iovec parts[3] = {{buffer, half}, {NULL, 0}, {buffer + half, size - half}};

	switch (form) {
	case 0:
		return read(fd, buffer, size);
	case 1:
		return __read(fd, buffer, size);
	case 2:
		return __read_chk(fd, buffer, size, sizeof(buffer));
	default:
		return readv(fd, parts, 3);
	}
}

static ssize_t call_to_receive(int fd, size_t size, size_t arrived, unsigned form)
{
	size_t half = size / 3;
	struct iovec parts[3] = {{buffer, half}, {NULL, 0}, {buffer + half, size - half}};
	struct msghdr message = message_of(parts, 3);
	struct mmsghdr messages[2] = {{.msg_hdr = message_of(&parts[0], 1)},
				      {.msg_hdr = message_of(&parts[2], 1)}};
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);

	switch (form) {
	case 4:
		return recv(fd, buffer, size, 0);
	case 5:
		return recv(fd, buffer, size, MSG_PEEK);
	case 6:
		return recv(fd, buffer, size, MSG_DONTWAIT | MSG_TRUNC);
	case 7:
		return recv(fd, buffer, size < arrived ? size : arrived, MSG_WAITALL);
	case 8:
		return __recv_chk(fd, buffer, size, sizeof(buffer), MSG_DONTWAIT);
	case 9:
		return recvfrom(fd, buffer, size, 0, NULL, NULL);
	case 10:
		return __recvfrom_chk(fd, buffer, size, sizeof(buffer), 0,
				      (struct sockaddr *)&address, &length);
	case 11:
		return recvmsg(fd, &message, MSG_DONTWAIT);
	case 12:
		return recvmsg(fd, &message, MSG_PEEK | MSG_DONTWAIT);
	default:
		return receive_messages(fd, messages, MSG_DONTWAIT);
	}
}

/* Loopback delivers at once, but not always within the sender's call. */
static void await_arrival(const struct channel *channel)
{
	int arrived = 0;

	do {
		if (ioctl(channel->reader, FIONREAD, &arrived) != 0)
			give_up("FIONREAD");
	} while ((size_t)arrived < channel->in_flight);
}

static void receive_some(struct channel *channel)
{
	size_t size = random_size();
	unsigned form = below(is_socket(channel) ? FORMS_OF_RECEIVE : FORMS_OF_READ);
	bool peeks = form == 5 || form == 12;
	ssize_t received = 0;

	if (channel->in_flight == 0 && form != 6 && form != 8)
		return; /* it would wait for ever */
	await_arrival(channel);
	if (form < FORMS_OF_READ)
		received = call_to_read(channel->reader, size, form);
	else
		received = call_to_receive(channel->reader, size, channel->in_flight, form);
	came_back(received);
	if (received <= 0)
		return;
	mix_bytes(buffer, (size_t)received < sizeof(buffer) ? (size_t)received : sizeof(buffer));
	if (!peeks) {
		channel->in_flight -= (size_t)received;
		moved += (uint64_t)received;
	}
}

static void drain(struct channel *channel)
{
	while (channel->in_flight > 0) {
		ssize_t received = 0;

		await_arrival(channel);
		received = came_back(read(channel->reader, buffer, sizeof(buffer)));
		if (received <= 0)
			give_up("drain");
		mix_bytes(buffer, (size_t)received);
		channel->in_flight -= (size_t)received;
		moved += (uint64_t)received;
	}
	channel->sent = 0;
}

/* ---- channels ---- */

static void open_tcp(struct channel *channel, bool mail, bool fast)
{
	const struct sockaddr *address = (const struct sockaddr *)&listening[mail ? 0 : 1];
	socklen_t length = sizeof(listening[0]);
	const int one = 1;
	int fd = (int)came_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

	if (fast) {
		size_t size = random_size() % 512;

		channel->in_flight = (size_t)came_back(
			sendto(fd, random_bytes, size, MSG_FASTOPEN, address, length));
	} else {
		came_back(connect(fd, address, length));
	}
	channel->writer = fd;
	channel->reader = (int)came_back(accept(listeners[mail ? 0 : 1], NULL, NULL));
	if (channel->writer < 0 || channel->reader < 0)
		give_up("TCP");
	/* What is sent arrives now, and not with what is sent later. */
	came_back(setsockopt(channel->writer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)));
}

static void open_file(struct channel *channel)
{
	char path[] = "/tmp/transparency.XXXXXX";

	channel->writer = (int)came_back(mkstemp(path));
	channel->reader = (int)came_back(open(path, O_RDONLY));
	unlink(path);
}

/* The first bytes decide what the recorder takes a connection for. */
static void begin_with(struct channel *channel, const void *bytes, size_t length)
{
	if (came_back(send(channel->writer, bytes, length, 0)) != (ssize_t)length)
		give_up("first bytes");
	channel->in_flight += length;
}

static void open_channel(struct channel *channel)
{
	static const char smtp[] = "EHLO client\r\nNOOP\r\n";
	static const uint8_t tls[] = {0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3};
	int ends[2] = {-1, -1};

	channel->kind = below(KINDS);
	channel->in_flight = 0;
	channel->sent = 0;
	channel->life = below(LIFE_MAX);
	switch (channel->kind) {
	case OVER_UNIX:
		came_back(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
		break;
	case OVER_PAIR:
		came_back(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
		break;
	case OVER_PIPE:
		came_back(pipe2(ends, O_CLOEXEC));
		came_back(fcntl(ends[1], F_SETPIPE_SZ, 1 << 20));
		break;
	case OVER_FILE:
		open_file(channel);
		return;
	default:
		open_tcp(channel, channel->kind != OVER_TCP_OTHER,
			 channel->kind == OVER_TCP_FASTOPEN);
		if (channel->kind == OVER_TCP_SMTP)
			begin_with(channel, smtp, strlen(smtp));
		else if (channel->kind == OVER_TCP_TLS)
			begin_with(channel, tls, sizeof(tls));
		return;
	}
	channel->writer = ends[channel->kind == OVER_PIPE ? 1 : 0];
	channel->reader = ends[channel->kind == OVER_PIPE ? 0 : 1];
}

/* The end of a stream as its reader sees it, twice, and as its writer does. */
static void close_channel(struct channel *channel)
{
	drain(channel);
	if (is_socket(channel))
		came_back(shutdown(channel->writer, SHUT_WR));
	else
		came_back(close(channel->writer));
	/* A FIN too may take its time; the read waits for it. */
	came_back(read(channel->reader, buffer, sizeof(buffer)));
	came_back(read(channel->reader, buffer, 1));
	if (is_socket(channel)) {
		came_back(send(channel->writer, "x", 1, MSG_NOSIGNAL));
		came_back(below(2) ? __close(channel->writer) : close(channel->writer));
	}
	came_back(close(channel->reader));
}

/* ---- other names for a descriptor ---- */

static int passed_in_a_message(int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} control = {.bytes = {0}};
	char byte = 'f';
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	int pair[2];
	int arrived = -1;

	came_back(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
	came_back(sendmsg(pair[0], &message, 0));
	came_back(close(fd));
	came_back(recvmsg(pair[1], &message, 0));
	memcpy(&arrived, CMSG_DATA(&control.header), sizeof(int));
	came_back(close(pair[0]));
	came_back(close(pair[1]));
	return arrived;
}

static int renamed(int fd)
{
	int target = SCRATCH_NUMBERS - 1 - (int)below(50);
	int copy = -1;

	switch (below(6)) {
	case 0:
		copy = dup(fd);
		break;
	case 1:
		copy = fcntl(fd, F_DUPFD, 20 + (int)below(20));
		break;
	case 2:
		copy = fcntl(fd, F_DUPFD_CLOEXEC, 20 + (int)below(20));
		break;
	case 3:
		copy = passed_in_a_message(fd);
		came_back(copy);
		return copy;
	default:
		/* Not over a descriptor that a channel has. */
		if (fcntl(target, F_GETFD) >= 0)
			return fd;
		errno = 0;
		copy = below(2) ? dup2(fd, target) : dup3(fd, target, O_CLOEXEC);
	}
	came_back(copy);
	came_back(close(fd));
	return copy;
}

static void close_many(const struct channel *channel)
{
	for (int i = 0; i < 5; i++)
		came_back(dup2(i % 2 ? channel->writer : channel->reader, SCRATCH_NUMBERS + i));
	came_back(dup2(channel->writer, SCRATCH_NUMBERS + 1)); /* over a copy */
	came_back(dup2(SCRATCH_NUMBERS, SCRATCH_NUMBERS));     /* over itself */
	came_back(close_range(SCRATCH_NUMBERS, SCRATCH_NUMBERS + 2, 0));
	closefrom(SCRATCH_NUMBERS);
	came_back(fcntl(SCRATCH_NUMBERS + 4, F_GETFD));
}

/* ---- what must fail, and how ---- */

static int bad_descriptor(void)
{
	static const int bad[] = {-1,      INT32_MAX,     INT32_MIN,
				  1 << 20, (1 << 20) - 1, SCRATCH_NUMBERS};

	return bad[below(sizeof(bad) / sizeof(bad[0]))];
}

static void use_bad_descriptor(void)
{
	int fd = bad_descriptor();
	int other = bad_descriptor();
	size_t size = 1 + random_size() % 100;

	came_back(call_to_send(fd, random_bytes, size, below(FORMS_OF_SEND)));
	came_back(call_to_read(fd, size, below(FORMS_OF_READ)));
	came_back(call_to_receive(fd, size, size,
				  FORMS_OF_READ + below(FORMS_OF_RECEIVE - FORMS_OF_READ)));
	came_back(dup(fd));
	came_back(dup2(fd, other));
	came_back(dup3(fd, other, below(2) ? O_CLOEXEC : 1));
	came_back(fcntl(fd, F_DUPFD, 0));
	came_back(close(fd));
	came_back(connect(fd, (const struct sockaddr *)&listening[0], sizeof(listening[0])));
	came_back(close_range(10, 5, 0));
	came_back(close_range(SCRATCH_NUMBERS, SCRATCH_NUMBERS, 1U << 20));
}

/* Addresses that no compiler may reason about. */
static void *bad_pointer(void)
{
	static void *volatile const bad[] = {NULL, (void *)1, (void *)UINTPTR_MAX};

	return bad[below(3)];
}

static void use_bad_pointer(const struct channel *channel)
{
	struct iovec parts[2] = {{random_bytes, 0}, {bad_pointer(), 10}};
	struct msghdr message = message_of(parts, 2);
	struct msghdr no_parts = message_of(bad_pointer(), 2);

	came_back(write(channel->writer, bad_pointer(), 10));
	came_back(writev(channel->writer, parts, 2));
	came_back(writev(channel->writer, bad_pointer(), 2));
	came_back(writev(channel->writer, parts, minus_one));
	came_back(readv(channel->reader, bad_pointer(), 2));
	came_back(readv(channel->reader, parts, minus_one));
	if (!is_socket(channel))
		return;
	came_back(send(channel->writer, bad_pointer(), 10, 0));
	came_back(sendmsg(channel->writer, &message, 0));
	came_back(sendmsg(channel->writer, &no_parts, 0));
	came_back(sendmsg(channel->writer, bad_pointer(), 0));
	came_back(sendmmsg(channel->writer, bad_pointer(), 1, 0));
	came_back(recvmsg(channel->reader, bad_pointer(), MSG_DONTWAIT));
	came_back(recvmsg(channel->reader, &no_parts, MSG_DONTWAIT));
	came_back(recvmmsg(channel->reader, bad_pointer(), 1, MSG_DONTWAIT, NULL));
	came_back(recv(channel->reader, bad_pointer(), 10, MSG_DONTWAIT));
	/* The sending end of a TCP connection is the one that the recorder watches. */
	came_back(recvmsg(channel->writer, bad_pointer(), MSG_DONTWAIT));
	came_back(recvmsg(channel->writer, &no_parts, MSG_DONTWAIT));
	came_back(recvmmsg(channel->writer, bad_pointer(), 1, MSG_DONTWAIT, NULL));
	came_back(recv(channel->writer, bad_pointer(), 10, MSG_DONTWAIT));
	came_back(readv(channel->writer, parts, minus_one));
	came_back(connect(channel->writer, bad_pointer(), sizeof(struct sockaddr_in)));
}

/* ---- in between ---- */

/* A child writes into the channel, and closes what it has of it. */
static void fork_between(struct channel *channel)
{
	size_t size = random_size() % 512;
	pid_t child = 0;
	int status = 0;

	if (size > IN_FLIGHT_MAX - channel->in_flight)
		return;
	child = fork();
	if (child == 0) {
		ssize_t sent = write(channel->writer, random_bytes, size);

		close(channel->writer);
		close(channel->reader);
		_exit(sent == (ssize_t)size ? 42 : 1);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	errno = 0;
	came_back(status);
	channel->in_flight += size;
}

/* Comes at any moment, also within the recorder; what it calls must work as ever. */
static void on_signal(int number)
{
	char bytes[3] = {0};
	int saved = errno;

	(void)number;
	errno = 7777;
	if (write(storm[0], "abc", 3) != 3 || errno != 7777 || recv(storm[1], bytes, 3, 0) != 3 ||
	    memcmp(bytes, "abc", 3) != 0 || recv(storm[1], bytes, 3, MSG_DONTWAIT) != -1 ||
	    errno != EAGAIN)
		storm_errors++;
	errno = saved;
}

static void begin_storm(void)
{
	const struct itimerval often = {{0, 500}, {0, 500}};
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, storm) != 0 ||
	    sigaction(SIGALRM, &action, NULL) != 0 || setitimer(ITIMER_REAL, &often, NULL) != 0)
		give_up("storm");
	(void)signal(SIGPIPE, SIG_IGN);
	errno = 0;
}

/* An address of this process alone, so that port 25 is free on it. */
static void listen_on(unsigned i, uint16_t port)
{
	socklen_t length = sizeof(listening[i]);
	const int one = 1;
	const int window = 1 << 17; /* inherited; all that is in flight has to fit */

	listening[i].sin_family = AF_INET;
	listening[i].sin_addr.s_addr = htonl(0x7f010000U + (unsigned)getpid() % 0xfffffeU);
	listening[i].sin_port = htons(port);
	listeners[i] = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(listeners[i], SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(listeners[i], SOL_SOCKET, SO_RCVBUF, &window, sizeof(window));
	if (bind(listeners[i], (struct sockaddr *)&listening[i], length) != 0 ||
	    listen(listeners[i], 64) != 0 ||
	    getsockname(listeners[i], (struct sockaddr *)&listening[i], &length) != 0)
		give_up("listen");
}

static void step(struct channel *channel)
{
	unsigned what = below(1000);

	if (channel->life-- == 0) {
		close_channel(channel);
		open_channel(channel);
	} else if (what < 500) {
		send_some(channel);
	} else if (what < 985) {
		receive_some(channel);
	} else if (what < 990) {
		int *end = below(2) ? &channel->writer : &channel->reader;

		*end = renamed(*end);
	} else if (what < 993) {
		close_many(channel);
	} else if (what < 996) {
		use_bad_descriptor();
	} else if (what < 999) {
		use_bad_pointer(channel);
	} else if (below(20) == 0) {
		fork_between(channel);
	}
}

static void report(void)
{
	printf("%llu bytes, %llu calls, digest %016llx\n", (unsigned long long)moved,
	       (unsigned long long)calls, (unsigned long long)digest);
	if (fflush(stdout) != 0)
		exit(1);
}

int main(int argc, char **argv)
{
	uint64_t total = 0;
	uint64_t reported = 0;

	if (argc != 3)
		return 2;
	state = strtoull(argv[1], NULL, 10) * 2 + 1;
	total = strtoull(argv[2], NULL, 10) << 20;
	listen_on(0, 25);
	listen_on(1, 0);
	for (size_t i = 0; i < sizeof(random_bytes); i++)
		random_bytes[i] = (uint8_t)(next_random() >> 40);
	begin_storm();
	for (unsigned i = 0; i < CHANNELS; i++)
		open_channel(&channels[i]);
	while (moved < total) {
		step(&channels[below(CHANNELS)]);
		/* Often enough to find the first difference by its line. */
		if (moved - reported >= (total >> 6) + 1) {
			reported = moved;
			report();
		}
	}
	for (unsigned i = 0; i < CHANNELS; i++)
		close_channel(&channels[i]);
	report();
	printf("%d errors in signal handlers\n", (int)storm_errors);
	return storm_errors != 0;
}
