/*
 * One session in the clear with the server at 127.0.0.1:PORT, in which MAIL goes
 * by another way than write and send.
 *
 *   unseen PORT
 * stdio|dprintf|long|pwritev2|sendfile|splice|vmsplice|preadv2|raw|uring|fork|hand-on|exit|peek
 *
 *   unseen PORT reused                  closed by a raw call, and MAIL goes to what has its number
 *   unseen PORT recv|recvmsg|recvmmsg   each reply is looked at first, by MSG_PEEK; no MAIL
 *   unseen PORT errors                  calls that fail and end nothing; STARTTLS, and then no more
 *   unseen 0 files                      no session, but the same calls over files; says what they
 * returned
 *
 * Says "sent" if MAIL left. Never speaks TLS.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static const char mail[] = "MAIL FROM:<a@example.com>\r\n";

enum { MAIL_LENGTH = sizeof(mail) - 1 };

static int connect_to(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		exit(2);
	return fd;
}

static bool by_preadv2;

/* By which call a reply is looked at before it is read; NULL: by none. */
static const char *looks_by;

static void look(int fd)
{
	char line[1024];
	struct iovec part = {line, sizeof(line)};
	struct mmsghdr messages = {.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}};

	if (strcmp(looks_by, "recv") == 0      ? recv(fd, line, sizeof(line), MSG_PEEK) <= 0
	    : strcmp(looks_by, "recvmsg") == 0 ? recvmsg(fd, &messages.msg_hdr, MSG_PEEK) <= 0
					       : recvmmsg(fd, &messages, 1, MSG_PEEK, NULL) <= 0)
		exit(1);
}

static void hear(int fd)
{
	char line[1024];
	struct iovec part = {line, sizeof(line)};

	if (looks_by)
		look(fd);
	if ((by_preadv2 ? preadv2(fd, &part, 1, -1, 0) : recv(fd, line, sizeof(line), 0)) <= 0)
		exit(1);
}

static void say(int fd, const char *line)
{
	if (send(fd, line, strlen(line), MSG_NOSIGNAL) < 0)
		exit(1);
	hear(fd);
}

static bool by_stdio(int fd)
{
	FILE *stream = fdopen(dup(fd), "w");

	if (!stream)
		return false;
	return fputs(mail, stream) >= 0 && fclose(stream) == 0;
}

static bool by_file(int fd, bool splices)
{
	int file = memfd_create("mail", 0);
	int ends[2];

	if (file < 0 || write(file, mail, MAIL_LENGTH) != MAIL_LENGTH || pipe(ends) != 0)
		exit(2);
	if (!splices)
		return sendfile(fd, file, &(off_t){0}, MAIL_LENGTH) == MAIL_LENGTH;
	if (write(ends[1], mail, MAIL_LENGTH) != MAIL_LENGTH)
		exit(2);
	return splice(ends[0], NULL, fd, NULL, MAIL_LENGTH, 0) == MAIL_LENGTH;
}

/* By way of a pipe, as vmsplice gives pages to nothing else. */
static bool by_pages(int fd)
{
	struct iovec part = {(void *)(uintptr_t)mail, MAIL_LENGTH};
	int ends[2];

	if (pipe(ends) != 0 || vmsplice(ends[1], &part, 1, 0) != MAIL_LENGTH)
		exit(2);
	return splice(ends[0], NULL, fd, NULL, MAIL_LENGTH, 0) == MAIL_LENGTH;
}

/* One send by the kernel's own hands, with no library. */
static bool by_ring(int fd)
{
	struct io_uring_params params = {0};
	int ring = (int)syscall(SYS_io_uring_setup, 1, &params);
	size_t size = params.sq_off.array + params.sq_entries * sizeof(unsigned);
	struct io_uring_sqe *entry = NULL;
	char *queue = NULL;

	if (ring < 0)
		exit(77); /* the kernel gives none */
	queue = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring,
		     IORING_OFF_SQ_RING);
	entry = mmap(NULL, sizeof(*entry), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring,
		     IORING_OFF_SQES);
	if (queue == MAP_FAILED || (void *)entry == MAP_FAILED)
		exit(2);
	*entry = (struct io_uring_sqe){
		.opcode = IORING_OP_SEND, .fd = fd, .addr = (uintptr_t)mail, .len = MAIL_LENGTH};
	*(unsigned *)(void *)(queue + params.sq_off.array) = 0;
	__atomic_store_n((unsigned *)(void *)(queue + params.sq_off.tail), 1, __ATOMIC_RELEASE);
	return syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) == 1;
}

/* `early`: the parent lets go of the connection before the child sends. */
static bool by_child(int fd, bool early)
{
	int status = 1;
	int ends[2];
	pid_t child = -1;

	if (pipe(ends) != 0 || (child = fork()) < 0)
		exit(2);
	if (child == 0) {
		close(ends[1]);
		if (early && read(ends[0], &status, 1) != 0)
			_exit(2);
		_exit(send(fd, mail, MAIL_LENGTH, MSG_NOSIGNAL) == MAIL_LENGTH ? 0 : 1);
	}
	if (early)
		close(fd);
	close(ends[1]);
	waitpid(child, &status, 0);
	if (early)
		exit(status != 0);
	return status == 0;
}

/* The connection's number means a pair of sockets, and nobody has told. */
static bool into_what_has_its_number(int fd)
{
	int ends[2];

	return syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, ends) == 0 &&
	       syscall(SYS_dup3, ends[0], fd, 0) == fd &&
	       write(fd, mail, MAIL_LENGTH) == MAIL_LENGTH;
}

/* Each of the calls over a file and a pipe, at an offset; results, and the bytes that came back. */
static int use_files(void)
{
	char first[4] = "";
	char second[4] = "";
	char third[16] = "";
	struct iovec out = {(void *)(uintptr_t)mail, 4};
	struct iovec in[] = {{first, 3}, {second, 3}};
	off_t offset = 5;
	off64_t offset64 = 6;
	int file = memfd_create("file", 0);
	int ends[2];

	if (file < 0 || pipe(ends) != 0)
		return 2;
	printf("%zd ", pwritev2(file, &out, 1, 5, 0));
	printf("%zd ", pwritev64v2(file, &out, 1, 9, 0));
	printf("%zd ", preadv2(file, &in[0], 1, 5, 0));
	printf("%zd ", preadv64v2(file, &in[1], 1, 10, 0));
	printf("%zd ", sendfile(ends[1], file, &offset, 2));
	printf("%zd ", sendfile64(ends[1], file, &offset64, 2));
	offset64 = 7;
	printf("%zd ", splice(file, &offset64, ends[1], NULL, 3, 0));
	printf("%zd ", vmsplice(ends[1], &out, 1, 0));
	printf("%zd ", read(ends[0], third, sizeof(third) - 1));
	printf("%s %s %s\n", first, second, third);
	return 0;
}

static void nothing(int signal)
{
	(void)signal;
}

/* It waits for us to speak: what is received now fails, each time for another reason. */
static bool fail_in_each_way(int fd)
{
	const struct sigaction action = {.sa_handler = nothing}; /* no SA_RESTART */
	const struct itimerval soon = {.it_value.tv_usec = 20000, .it_interval.tv_usec = 20000};
	const struct itimerval never = {0};
	struct iovec part = {(void *)8, 8};
	volatile int too_few = -1;
	char byte;
	bool failed;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	failed = recv(fd, &byte, 1, 0) < 0 && errno == EINTR;
	setitimer(ITIMER_REAL, &never, NULL);
	return failed && recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN &&
	       writev(fd, &part, 1) < 0 && errno == EFAULT && readv(fd, &part, too_few) < 0 &&
	       errno == EINVAL;
}

static bool send_mail(int fd, const char *way)
{
	struct iovec part = {(void *)(uintptr_t)mail, MAIL_LENGTH};

	if (strcmp(way, "stdio") == 0)
		return by_stdio(fd);
	if (strcmp(way, "dprintf") == 0)
		return dprintf(fd, "MAIL FROM:<%s>\r\n", "a@example.com") == MAIL_LENGTH;
	if (strcmp(way, "long") == 0)
		return dprintf(fd, "%s%2000s\r\n", mail, "NOOP") > 0;
	if (strcmp(way, "pwritev2") == 0 || by_preadv2)
		return pwritev2(fd, &part, 1, -1, 0) == MAIL_LENGTH;
	if (strcmp(way, "sendfile") == 0 || strcmp(way, "splice") == 0)
		return by_file(fd, strcmp(way, "splice") == 0);
	if (strcmp(way, "vmsplice") == 0)
		return by_pages(fd);
	if (strcmp(way, "uring") == 0)
		return by_ring(fd);
	if (strcmp(way, "raw") == 0)
		return syscall(SYS_write, fd, mail, MAIL_LENGTH) == MAIL_LENGTH;
	if (strcmp(way, "fork") == 0 || strcmp(way, "hand-on") == 0)
		return by_child(fd, strcmp(way, "hand-on") == 0);
	return true;
}

int main(int argc, char **argv)
{
	char byte;
	int fd;

	if (argc != 3)
		return 2;
	if (strcmp(argv[2], "files") == 0)
		return use_files();
	fd = connect_to((uint16_t)strtoul(argv[1], NULL, 10));

	if (strncmp(argv[2], "recv", 4) == 0)
		looks_by = argv[2];
	by_preadv2 = strcmp(argv[2], "preadv2") == 0;
	if (strcmp(argv[2], "peek") == 0 && recv(fd, &byte, 512, MSG_TRUNC) <= 0)
		return 1;
	if (strcmp(argv[2], "peek") != 0)
		hear(fd);
	say(fd, "EHLO client\r\n");
	if (strcmp(argv[2], "exit") == 0)
		_exit(0);
	if (strcmp(argv[2], "reused") == 0)
		return into_what_has_its_number(fd) ? 0 : 1;
	if (strcmp(argv[2], "errors") == 0 && !fail_in_each_way(fd))
		return 1;
	if (looks_by || strcmp(argv[2], "errors") == 0) {
		say(fd, looks_by ? "QUIT\r\n" : "STARTTLS\r\n");
		close(fd);
		return 0;
	}
	if (strcmp(argv[2], "peek") == 0)
		return 0;
	if (!send_mail(fd, argv[2]))
		return 1;
	hear(fd);
	puts("sent");
	close(fd);
	return 0;
}
