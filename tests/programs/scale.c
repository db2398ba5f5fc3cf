/*
 * Hosts that have much, or little: connections by the thousands, a sandbox, no
 * memory, a small stack. HOW PORT [COUNT]; ends with 0 if what it tried went
 * through, with 1 and one line where it did not.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/seccomp.h>

static unsigned port;

static void fail(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	exit(1);
}

/* From several addresses of this machine, so that there are ports enough. */
static int dial(unsigned number)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons((uint16_t)port)};
	struct sockaddr_in from = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(0x7f000101U + number % 8)};
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		fail("socket");
	if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) != 0 ||
	    bind(fd, (struct sockaddr *)&from, sizeof(from)) != 0)
		fail("bind");
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		fail("connect");
	return fd;
}

static void expect(int fd, const char *code)
{
	char reply[2048];
	ssize_t length = read(fd, reply, sizeof(reply) - 1);

	if (length <= 0)
		fail("read");
	reply[length] = '\0';
	if (strncmp(reply, code, strlen(code)) != 0) {
		printf("not %s: %s\n", code, reply);
		exit(1);
	}
}

static void say(int fd, const char *command, const char *code)
{
	if (write(fd, command, strlen(command)) != (ssize_t)strlen(command))
		fail("write");
	expect(fd, code);
}

static void greet(int fd)
{
	expect(fd, "220");
	say(fd, "EHLO client\r\n", "250");
}

static void send_mail(int fd)
{
	say(fd, "MAIL FROM:<a@example.com>\r\n", "250");
	say(fd, "RCPT TO:<b@example.com>\r\n", "250");
	say(fd, "DATA\r\n", "354");
	say(fd, "Subject: rehearsal\r\n\r\nhello\r\n.\r\n", "250");
	say(fd, "QUIT\r\n", "221");
}

/* Does the server answer so? Where nothing may fail the program. */
static bool is_answered(int fd, const char *command, const char *code)
{
	char reply[2048];

	if (command && write(fd, command, strlen(command)) != (ssize_t)strlen(command))
		return false;
	return read(fd, reply, sizeof(reply)) > 3 && strncmp(reply, code, 3) == 0;
}

static unsigned delivered;
static unsigned refused;

/* A session that may be refused. */
static void try_mail(void)
{
	int fd = dial(0);

	if (is_answered(fd, NULL, "220") && is_answered(fd, "EHLO client\r\n", "250") &&
	    is_answered(fd, "MAIL FROM:<a@example.com>\r\n", "250") &&
	    is_answered(fd, "RCPT TO:<b@example.com>\r\n", "250") &&
	    is_answered(fd, "DATA\r\n", "354") &&
	    is_answered(fd, "Subject: rehearsal\r\n\r\nhello\r\n.\r\n", "250"))
		delivered++;
	else
		refused++;
	close(fd);
}

static void tell_tried(void)
{
	printf("delivered: %u\nrefused: %u\n", delivered, refused);
}

static void mail(void)
{
	int fd = dial(0);

	greet(fd);
	send_mail(fd);
	close(fd);
}

/* `count` connections that nothing is said on, to a listener of our own, and then mail. */
static void idle(unsigned count)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001U)};
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(listener, 64) != 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &length) != 0)
		fail("listen");
	/* Half of the descriptors of a pair is a connection; the other is accepted. */
	for (unsigned i = 0; i < count / 2; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
			fail("connect");
		if (accept(listener, NULL, NULL) < 0)
			fail("accept");
	}
	mail();
}

/* `count` sessions of which each has begun before the first sends its mail. */
static void at_once(unsigned count)
{
	int *fds = calloc(count, sizeof(*fds));

	for (unsigned i = 0; i < count; i++) {
		fds[i] = dial(i);
		greet(fds[i]);
	}
	for (unsigned i = 0; i < count; i++) {
		say(fds[i], "MAIL FROM:<a@example.com>\r\n", "250");
		close(fds[i]);
	}
	free(fds);
}

/* As many as there can be, and what becomes of them if no memory is to be had. */
static void without_memory(unsigned count)
{
	struct rlimit limit = {0, RLIM_INFINITY};
	int *fds = calloc(count, sizeof(*fds));

	if (setrlimit(RLIMIT_AS, &limit) != 0)
		fail("setrlimit");
	for (unsigned i = 0; i < count; i++) {
		struct sockaddr_in address = {.sin_family = AF_INET,
					      .sin_addr.s_addr = htonl(0x7f000001U),
					      .sin_port = htons((uint16_t)port)};
		const char greeting[] = "EHLO c\r\nMAIL FROM:<a@example.com>\r\n";

		fds[i] = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(fds[i], (struct sockaddr *)&address, sizeof(address)) != 0 ||
		    send(fds[i], greeting, strlen(greeting), MSG_NOSIGNAL) < 0)
			refused++;
	}
	printf("refused: %u\n", refused);
	free(fds);
}

/* Strict mode knows read, write, _exit and sigreturn. */
static void strict(void)
{
	int fd = dial(0);
	int other[2];

	if (pipe(other) != 0)
		fail("pipe");
	greet(fd);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
		fail("prctl");
	if (write(other[1], "x", 1) != 1)
		syscall(SYS_exit, 3);
	send_mail(fd);
	syscall(SYS_exit, 0);
}

static void said(const char *call, ssize_t result)
{
	printf("%s %zd %s\n", call, result, result < 0 ? strerror(errno) : "");
}

/* Addresses that are none: each call has to fail as the kernel would have it. */
static void bad_addresses(void)
{
	void *volatile unknown = (void *)8; /* the compiler must not know, it would warn */
	void *nowhere = unknown;
	int fd = dial(0);
	int open_fast = socket(AF_INET, SOCK_STREAM, 0);
	struct iovec part = {nowhere, 10};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	struct msghdr no_parts = {.msg_iov = nowhere, .msg_iovlen = 1};

	greet(fd);
	said("write", write(fd, nowhere, 10));
	said("send", send(fd, nowhere, 10, 0));
	said("writev", writev(fd, &part, 1));
	said("writev", writev(fd, nowhere, 1));
	said("sendmsg", sendmsg(fd, nowhere, 0));
	said("sendmsg", sendmsg(fd, &message, 0));
	said("sendmsg", sendmsg(fd, &no_parts, 0));
	said("sendmmsg", sendmmsg(fd, nowhere, 1, 0));
	said("read", readv(fd, nowhere, 1));
	said("connect", connect(open_fast, nowhere, 16));
	said("sendto", sendto(open_fast, "x", 1, MSG_FASTOPEN, nowhere, 16));
	said("sendmsg", sendmsg(open_fast, nowhere, MSG_FASTOPEN));
	say(fd, "QUIT\r\n", "221");
}

/* ---- little room ---- */

#define STACK ((size_t)64 * 1024)

static unsigned char *stack;

static void on_signal(int number)
{
	(void)number;
	mail();
}

/* How much of an alternative stack a whole session takes. */
static void on_small_stack(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
	stack_t alternative;
	size_t untouched = 0;

	stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mail(); /* what is done once is done */
	memset(stack, 0xa5, STACK);
	alternative = (stack_t){.ss_sp = stack, .ss_size = STACK};
	if (sigaltstack(&alternative, NULL) != 0 || sigaction(SIGUSR1, &action, NULL) != 0)
		fail("sigaction");
	(void)raise(SIGUSR1);
	while (untouched < STACK && stack[untouched] == 0xa5)
		untouched++;
	printf("stack: %zu\n", STACK - untouched);
}

static void locked(void)
{
	if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0)
		fail("mlockall");
	mail();
}

/* ---- threads and signals that come at the wrong time ---- */

static sigjmp_buf back;
static _Atomic bool may_throw;
static _Atomic bool over;

static void leave(int number)
{
	(void)number;
	siglongjmp(back, 1);
}

/* A signal throws this thread out of whatever it does; other threads' mail must go on. */
static void *thrown(void *data)
{
	volatile int rounds = 0;
	volatile int fd = -1;

	(void)data;
	while (rounds < 2000) {
		const int before = fd;

		/* Never twice: the number may be another thread's by then. */
		fd = -1;
		rounds++;
		if (before >= 0)
			close(before);
		if (sigsetjmp(back, 1) != 0)
			continue;
		may_throw = true; /* there is something to go back to from now on */
		fd = dial(0);
		for (int i = 0; i < 50; i++)
			(void)!write(fd, "NOOP\r\n", 6);
		(void)raise(SIGALRM);
	}
	(void)signal(SIGALRM, SIG_IGN);
	over = true;
	return NULL;
}

static void *throwing(void *thread)
{
	while (!may_throw)
		sched_yield();
	while (!over) {
		(void)pthread_kill(*(pthread_t *)thread, SIGALRM);
		usleep(50);
	}
	return NULL;
}

static void jumps(void)
{
	pthread_t victim;
	pthread_t other;
	sigset_t alarm;

	(void)signal(SIGALRM, leave);
	if (pthread_create(&victim, NULL, thrown, NULL) != 0)
		fail("pthread_create");
	/* Ours is no thread to be thrown. */
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &alarm, NULL);
	if (pthread_create(&other, NULL, throwing, &victim) != 0)
		fail("pthread_create");
	for (int i = 0; i < 20; i++)
		try_mail();
	pthread_join(victim, NULL);
	pthread_join(other, NULL);
	try_mail();
	tell_tried();
}

/* What nobody should ask for is just what is tried. */
static void at_any_moment(void)
{
	/* NOLINTNEXTLINE(cert-pos47-c) */
	(void)pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
}

/* Threads that are cancelled wherever they are. */
static void *cancelled(void *data)
{
	(void)data;
	at_any_moment();
	for (;;) {
		int fd = dial(0);

		for (int i = 0; i < 20; i++)
			(void)!write(fd, "NOOP\r\n", 6);
		close(fd);
	}
	return NULL;
}

static void cancellation(void)
{
	for (int i = 0; i < 200; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, cancelled, NULL) != 0)
			fail("pthread_create");
		usleep((unsigned)(i * 7 % 1000));
		pthread_cancel(thread);
		pthread_join(thread, NULL);
		if (i % 10 == 9)
			try_mail();
	}
	tell_tried();
}

/* ---- a thread that is stopped, by tests/programs/stopper.c ---- */

enum mark { MARK_BEGIN = 1, MARK_END, MARK_DONE };

enum fate { FATE_GOES_ON, FATE_THROWN, FATE_CANCELLED };

static _Atomic long is_stopped; /* 2: for the last time */
static int shared_fd;

/* Tells the tracer where this thread is, and what it may set. */
static void tell_tracer(enum mark mark)
{
#ifdef __x86_64__
	__asm__ volatile("int3" : : "a"((long)mark), "D"(&is_stopped) : "memory");
#else
	(void)mark;
	raise(SIGTRAP);
#endif
}

static const char mail_from[] = "MAIL FROM:<a@example.com>\r\n";

static void *stopped_thread(void *data)
{
	(void)data;
	at_any_moment();
	if (sigsetjmp(back, 1) == 0) {
		tell_tracer(MARK_BEGIN);
		(void)!write(shared_fd, mail_from, strlen(mail_from));
		(void)!write(shared_fd, "RSET\r\n", 6);
	}
	tell_tracer(MARK_END);
	return NULL;
}

/*
 * A thread is stopped at one instruction after another while it writes. Meanwhile there is mail
 * over another connection, and the same is tried over its own; then it goes on, or doesn't.
 */
static void stopped(enum fate fate)
{
	bool last = false;

	(void)signal(SIGALRM, leave);
	while (!last) {
		pthread_t thread;

		shared_fd = dial(0);
		greet(shared_fd);
		is_stopped = 0;
		if (pthread_create(&thread, NULL, stopped_thread, NULL) != 0)
			fail("pthread_create");
		while (!is_stopped)
			sched_yield();
		last = is_stopped == 2;
		try_mail();
		(void)!write(shared_fd, mail_from, strlen(mail_from));
		if (fate == FATE_THROWN)
			pthread_kill(thread, SIGALRM);
		else if (fate == FATE_CANCELLED)
			pthread_cancel(thread);
		tell_tracer(MARK_DONE);
		pthread_join(thread, NULL);
		(void)!write(shared_fd, mail_from, strlen(mail_from));
		close(shared_fd);
		try_mail();
	}
	tell_tried();
}

int main(int argc, char **argv)
{
	const char *how = argc > 2 ? argv[1] : "";
	unsigned count = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 1;
	struct rlimit files;

	if (argc < 3)
		return 2;
	port = (unsigned)strtoul(argv[2], NULL, 10);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	if (strcmp(how, "idle") == 0)
		idle(count);
	else if (strcmp(how, "at-once") == 0)
		at_once(count);
	else if (strcmp(how, "without-memory") == 0)
		without_memory(count);
	else if (strcmp(how, "strict") == 0)
		strict();
	else if (strcmp(how, "bad-addresses") == 0)
		bad_addresses();
	else if (strcmp(how, "small-stack") == 0)
		on_small_stack();
	else if (strcmp(how, "mlockall") == 0)
		locked();
	else if (strcmp(how, "jumps") == 0)
		jumps();
	else if (strcmp(how, "cancellation") == 0)
		cancellation();
	else if (strcmp(how, "stopped") == 0)
		stopped(FATE_GOES_ON);
	else if (strcmp(how, "thrown") == 0)
		stopped(FATE_THROWN);
	else if (strcmp(how, "cancelled") == 0)
		stopped(FATE_CANCELLED);
	else if (strcmp(how, "mail") == 0)
		mail();
	else
		return 2;
	return 0;
}
