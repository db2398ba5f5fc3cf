/*
 * Sends one mail in the clear, its bytes handed over in one of many ways:
 * ADDRESS PORT WAY. Ends with 0 if the mail was taken, with 1 and errno's words
 * where a call failed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static int fd = -1;
static struct sockaddr_in server;

static void fail(const char *call)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	char byte;

	printf("%s: %s\n", call, strerror(errno));
	/* Whoever waits for it is not left waiting. */
	printf("poll %d\n", poll(&ready, 1, 30000));
	printf("read %zd\n", read(fd, &byte, 1));
	exit(1);
}

static void by_write(const char *bytes, size_t length)
{
	if (write(fd, bytes, length) != (ssize_t)length)
		fail("write");
}

static void by_send(const char *bytes, size_t length)
{
	if (send(fd, bytes, length, MSG_NOSIGNAL) != (ssize_t)length)
		fail("send");
}

static void by_sendto(const char *bytes, size_t length)
{
	if (sendto(fd, bytes, length, 0, NULL, 0) != (ssize_t)length)
		fail("sendto");
}

static void byte_by_byte(const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		by_write(bytes + i, 1);
}

static size_t in_pieces(struct iovec parts[3], const char *bytes, size_t length)
{
	size_t first = length > 2 ? 2 : length;

	parts[0] = (struct iovec){(void *)(uintptr_t)bytes, first};
	parts[1] = (struct iovec){NULL, 0};
	parts[2] = (struct iovec){(void *)(uintptr_t)(bytes + first), length - first};
	return 3;
}

static void by_writev(const char *bytes, size_t length)
{
	struct iovec parts[3];
	size_t count = in_pieces(parts, bytes, length);

	if (writev(fd, parts, (int)count) != (ssize_t)length)
		fail("writev");
}

static void by_sendmsg(const char *bytes, size_t length)
{
	struct iovec parts[3];
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = in_pieces(parts, bytes, length)};

	if (sendmsg(fd, &message, 0) != (ssize_t)length)
		fail("sendmsg");
}

/* As many messages as there are pieces; fewer may be taken at once. */
static void by_sendmmsg(const char *bytes, size_t length)
{
	struct iovec parts[3];
	struct mmsghdr messages[3] = {0};
	int done = 0;

	in_pieces(parts, bytes, length);
	parts[1] = parts[2];
	for (int i = 0; i < 2; i++) {
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	while (done < 2) {
		int more = sendmmsg(fd, messages + done, (unsigned)(2 - done), 0);

		if (more <= 0)
			fail("sendmmsg");
		done += more;
	}
}

static const struct way {
	const char *name;
	void (*send)(const char *bytes, size_t length);
	const char *first; /* before EHLO */
	bool pipelined;
	bool lower;
	bool fast_open;
	bool starttls; /* asked for, and then ignored */
	bool held;     /* the rest comes in one write with STARTTLS */
	bool no_auth;
} ways[] = {
	{"write", .send = by_write},
	{"send", .send = by_send},
	{"sendto", .send = by_sendto},
	{"byte by byte", .send = byte_by_byte},
	{"writev", .send = by_writev},
	{"sendmsg", .send = by_sendmsg},
	{"sendmmsg", .send = by_sendmmsg},
	{"no AUTH", by_write, .no_auth = true},
	{"no AUTH, byte by byte", byte_by_byte, .no_auth = true},
	{"no AUTH, sendmmsg", by_sendmmsg, .no_auth = true},
	{"lower case", by_write, .lower = true},
	{"pipelined", by_write, .pipelined = true},
	{"pipelined, no AUTH", by_write, .pipelined = true, .no_auth = true},
	{"pipelined, byte by byte", byte_by_byte, .pipelined = true},
	{"fast open", by_write, .pipelined = true, .fast_open = true},
	{"NOOP first", by_write, .first = "NOOP\r\n"},
	{"RSET first", by_write, .first = "RSET\r\n"},
	{"HELP first", by_write, .first = "HELP\r\n"},
	{"after STARTTLS", by_write, .starttls = true},
	{"with STARTTLS", by_write, .pipelined = true, .held = true},
};

/* All of a reply has come, or of `count` replies. */
static void expect(const char *code, int count)
{
	char reply[8192];
	size_t length = 0;

	reply[0] = '\0';
	while (count > 0) {
		ssize_t more = read(fd, reply + length, sizeof(reply) - 1 - length);
		const char *line = reply;
		int complete = 0;

		if (more <= 0)
			fail("read");
		length += (size_t)more;
		reply[length] = '\0';
		for (const char *end = strchr(line, '\n'); end; end = strchr(line, '\n')) {
			complete += line[3] != '-';
			line = end + 1;
		}
		if (complete >= count)
			break;
	}
	if (strncmp(reply, code, strlen(code)) != 0) {
		printf("not %s: %s\n", code, reply);
		exit(3);
	}
}

static void open_connection(const struct way *way, const char *bytes)
{
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (!way->fast_open) {
		if (connect(fd, (struct sockaddr *)&server, sizeof(server)) != 0)
			fail("connect");
		return;
	}
	if (sendto(fd, bytes, strlen(bytes), MSG_FASTOPEN, (struct sockaddr *)&server,
		   sizeof(server)) != (ssize_t)strlen(bytes))
		fail("sendto");
}

static void say(const struct way *way, const char *command, const char *code, int replies)
{
	char lowered[200];
	size_t length = strlen(command);

	for (size_t i = 0; i <= length; i++) {
		bool is_upper = command[i] >= 'A' && command[i] <= 'Z';

		lowered[i] = (char)(is_upper ? command[i] + ('a' - 'A') : command[i]);
	}
	/* AUTH's argument is base64. */
	way->send(way->lower && strncmp(command, "AUTH", 4) != 0 ? lowered : command, length);
	expect(code, replies);
}

int main(int argc, char **argv)
{
	const struct way *way = NULL;
	const char *auth = "AUTH PLAIN AHVzZXIAc2VjcmV0d29yZA==\r\n";
	char group[300];

	for (size_t i = 0; argc > 3 && i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(ways[i].name, argv[3]) == 0)
			way = &ways[i];
	}
	if (!way)
		return 2;
	(void)signal(SIGPIPE, SIG_IGN);
	server.sin_family = AF_INET;
	server.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
	inet_pton(AF_INET, argv[1], &server.sin_addr);
	(void)snprintf(group, sizeof(group), "EHLO client\r\n%s%sMAIL FROM:<a@example.com>\r\n",
		       way->held ? "STARTTLS\r\n" : "", way->no_auth ? "" : auth);
	open_connection(way, group);
	if (way->fast_open) {
		expect("220", 4);
	} else {
		expect("220", 1);
		if (way->first)
			say(way, way->first, "2", 1);
		if (way->pipelined) {
			say(way, group, "250", 2 + !way->no_auth + way->held);
		} else {
			say(way, "EHLO client\r\n", "250", 1);
			if (way->starttls)
				say(way, "STARTTLS\r\n", "220", 1);
			if (!way->no_auth)
				say(way, auth, "235", 1);
			say(way, "MAIL FROM:<a@example.com>\r\n", "250", 1);
		}
	}
	say(way, "RCPT TO:<b@example.com>\r\n", "250", 1);
	say(way, "DATA\r\n", "354", 1);
	say(way, "Subject: rehearsal\r\n\r\nhello\r\n.\r\n", "250", 1);
	say(way, "QUIT\r\n", "221", 1);
	return 0;
}
