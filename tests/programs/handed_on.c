/*
 * One mail to the server at 127.0.0.1:PORT, in which one process begins the
 * session and another goes on with it:
 *
 *   handed_on PORT WHEN HOW
 *
 * WHEN: greeting, hello, starttls: what the first process does last. HOW:
 *   fork      a child goes on while the parent has it open, too
 *   close     the same, but the parent closes it before
 *   quit      the parent ends before the child goes on
 *   message   a child of before gets it in a control message
 *   exec      the same process goes on in another program
 *   parent    a child has it open and does nothing; the parent goes on
 *   idle      nobody goes on
 *
 * Whoever goes on makes a handshake of any version from TLS 1.0 on, and trusts
 * everybody. Ends with 0 if the mail was taken.
 */
#include <signal.h>
#include <sys/wait.h>

#include "tests/programs/client.h"

static const char *const *arguments;

static void hear(int fd)
{
	char line[1024];

	if (recv(fd, line, sizeof(line), 0) <= 0)
		exit(1);
}

static void say(int fd, const char *line)
{
	if (send(fd, line, strlen(line), MSG_NOSIGNAL) < 0)
		exit(1);
	hear(fd);
}

/* What is said before `until`, or from there on. */
static void speak(int fd, const char *until, bool before)
{
	static const char *const steps[] = {"greeting", "hello", "starttls"};
	static const char *const words[] = {NULL, "EHLO client\r\n", "STARTTLS\r\n"};
	bool past = false;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (past != before && words[i])
			say(fd, words[i]);
		else if (past != before)
			hear(fd);
		past = past || strcmp(steps[i], until) == 0;
	}
}

static void say_inside(SSL *ssl, const char *line)
{
	char reply[1024];

	if (SSL_write(ssl, line, (int)strlen(line)) <= 0 ||
	    SSL_read(ssl, reply, sizeof(reply)) <= 0)
		exit(1);
}

static int go_on(int fd)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = NULL;

	speak(fd, arguments[2], false);
	SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
	SSL_CTX_set_cipher_list(context, "DEFAULT:@SECLEVEL=0");
	ssl = SSL_new(context);
	if (SSL_set_fd(ssl, fd) != 1 || SSL_connect(ssl) != 1)
		return 1;
	say_inside(ssl, "EHLO client\r\n");
	say_inside(ssl, "MAIL FROM:<a@example.com>\r\n");
	say_inside(ssl, "RCPT TO:<b@example.com>\r\n");
	say_inside(ssl, "DATA\r\n");
	say_inside(ssl, "Subject: rehearsal\r\n\r\nhello\r\n.\r\n");
	say_inside(ssl, "QUIT\r\n");
	SSL_free(ssl);
	SSL_CTX_free(context);
	close(fd);
	return 0;
}

static int end_of(pid_t child)
{
	int status = 1;

	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* `closes`: the child waits until the parent has closed its end; `ends`: by ending. */
static int in_child(int fd, bool closes, bool ends)
{
	int ends_of_pipe[2];
	char byte;
	pid_t child = -1;

	if (pipe(ends_of_pipe) != 0 || (child = fork()) < 0)
		fail("fork");
	if (child == 0) {
		close(ends_of_pipe[1]);
		if (closes && read(ends_of_pipe[0], &byte, 1) != 0)
			exit(2);
		exit(go_on(fd));
	}
	if (closes)
		close(fd);
	if (ends)
		exit(0);
	close(ends_of_pipe[1]);
	return end_of(child);
}

union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

static int receive(int from)
{
	union control control;
	char byte;
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	int fd = -1;

	if (recvmsg(from, &message, 0) != 1 || !CMSG_FIRSTHDR(&message))
		exit(2);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return go_on(fd);
}

static void send_on(int to, int fd)
{
	union control control = {.header = {.cmsg_len = CMSG_LEN(sizeof(fd)),
					    .cmsg_level = SOL_SOCKET,
					    .cmsg_type = SCM_RIGHTS}};
	struct iovec part = {(void *)"x", 1};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	if (sendmsg(to, &message, 0) != 1)
		fail("sendmsg");
}

static int by_message(unsigned port)
{
	int ends[2];
	pid_t child = -1;
	int fd = -1;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || (child = fork()) < 0)
		fail("fork");
	if (child == 0)
		exit(receive(ends[1]));
	fd = dial(port);
	speak(fd, arguments[2], true);
	send_on(ends[0], fd);
	close(fd);
	return end_of(child);
}

static int in_parent(int fd)
{
	int ends[2];
	char byte;
	pid_t child = -1;
	int status = 1;

	if (pipe(ends) != 0 || (child = fork()) < 0)
		fail("fork");
	if (child == 0) {
		close(ends[1]);
		exit(read(ends[0], &byte, 1) != 0);
	}
	status = go_on(fd);
	close(ends[1]);
	return status + end_of(child);
}

int main(int argc, char **argv)
{
	const char *how = argc == 4 ? argv[3] : "";
	char number[16];
	int fd = -1;

	if (argc != 4)
		return 2;
	arguments = (const char *const *)argv;
	(void)signal(SIGPIPE, SIG_IGN);
	if (strncmp(how, "fd:", 3) == 0)
		return go_on((int)strtol(how + 3, NULL, 10));
	if (strcmp(how, "message") == 0)
		return by_message(port_argument(argv[1]));
	fd = dial(port_argument(argv[1]));
	speak(fd, argv[2], true);
	if (strcmp(how, "fork") == 0 || strcmp(how, "close") == 0 || strcmp(how, "quit") == 0)
		return in_child(fd, strcmp(how, "fork") != 0, strcmp(how, "quit") == 0);
	if (strcmp(how, "parent") == 0)
		return in_parent(fd);
	if (strcmp(how, "idle") == 0)
		return 0;
	(void)snprintf(number, sizeof(number), "fd:%d", fd);
	execl("/proc/self/exe", argv[0], argv[1], argv[2], number, (char *)NULL);
	return 2;
}
