/*
 * Hosts that leave the recorder little to stand on: host HOW PORT [ARGUMENT]
 * Each says what it sees and makes `handshakes` over TLS to PORT.
 *   exhaust         opens files until no descriptor is left, then closes just one
 *   exhaust-twice   the same, and closes one more for a second handshake
 *   closefrom       closes everything above the standard streams
 *   overwrite       puts /dev/null on every low descriptor
 *   no-streams      closes 0, 1 and 2
 *   file-size       may write no file at all
 *   chroot DIR      changes its root and becomes nobody
 *   signals         is interrupted by a timer whose handler writes and closes
 *   cancel          ends a thread in the middle of its handshake
 *   stack BYTES     in a thread with a stack of this size
 *   stack-use       says how many bytes of a thread's stack a handshake took
 *   spawn-stack-use PROGRAM   the same of posix_spawn, with a hundred variables
 */
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "tests/programs/client.h"
#include "tests/programs/old_libc.h"

#define LOW_DESCRIPTORS 1024
#define NOBODY          65534
#define STACK_BYTES     (1024UL * 1024)
#define PAINT           0xA5

static SSL_CTX *context;
static unsigned port;

static void converse(void)
{
	char bytes[1024];
	SSL *ssl = SSL_new(context);
	int fd = dial(port);

	SSL_set_fd(ssl, fd);
	if (SSL_connect(ssl) != 1 || SSL_write(ssl, "QUIT\r\n", 6) != 6)
		fail("handshake");
	while (SSL_read(ssl, bytes, sizeof(bytes)) > 0)
		;
	SSL_free(ssl);
	close(fd);
}

static void say(const char *what, long number)
{
	printf("%s: %ld\n", what, number);
	(void)fflush(stdout);
}

/* How many files can still be opened; the highest goes to `last`. */
static long open_all(int *last)
{
	long count = 0;
	int fd;

	while ((fd = open("/dev/null", O_RDONLY)) >= 0) {
		*last = fd;
		count++;
	}
	say("opened", count);
	say("errno", errno);
	return count;
}

static void exhaust(void)
{
	int last = -1;

	open_all(&last);
	close(last);
	converse();
	/* The same number of descriptors as before: nothing was kept. */
	if (open("/dev/null", O_RDONLY) != last || open("/dev/null", O_RDONLY) >= 0)
		fail("a descriptor more or less");
}

static void exhaust_twice(void)
{
	int last = -1;

	open_all(&last);
	close(last);
	converse();
	close(last - 1);
	converse();
	/* Both are there again. */
	open_all(&last);
}

static void close_all(void)
{
	closefrom(3);
	converse();
	say("next", open("/dev/null", O_RDONLY));
}

static void overwrite(void)
{
	int null = open("/dev/null", O_RDWR);

	for (int fd = 3; fd < LOW_DESCRIPTORS; fd++) {
		if (fd != null && dup2(null, fd) != fd)
			fail("dup2");
	}
	say("next", dup(null));
	converse();
	say("next", dup(null));
}

static void no_streams(void)
{
	close(0);
	close(1);
	close(2);
	converse();
	/* Were one of them taken by now, its number would not come first. */
	for (int i = 0; i < 3; i++) {
		if (open("/dev/null", O_RDWR) != i)
			_exit(3);
	}
}

static void limit_file_size(void)
{
	const struct rlimit none = {0, 0};

	if (setrlimit(RLIMIT_FSIZE, &none) != 0)
		fail("setrlimit");
	converse();
}

static void change_root(const char *directory)
{
	if (chroot(directory) != 0 || chdir("/") != 0 || setgroups(0, NULL) != 0 ||
	    setgid(NOBODY) != 0 || setuid(NOBODY) != 0)
		fail(directory);
	converse();
	converse();
}

static volatile sig_atomic_t ticks;

static void on_tick(int number)
{
	int saved = errno;
	int fd = open("/dev/null", O_WRONLY);

	(void)number;
	if (fd >= 0 && write(fd, "tick\n", 5) == 5)
		ticks++;
	close(fd);
	errno = saved;
}

static void take_signals(void)
{
	const struct itimerval interval = {{0, 200}, {0, 200}};
	const struct itimerval none = {{0, 0}, {0, 0}};
	const struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &interval, NULL);
	for (int i = 0; i < 50; i++)
		converse();
	setitimer(ITIMER_REAL, &none, NULL);
	say("ticked", ticks > 0);
}

/* A handshake with a server that accepts and stays silent. */
static void *wait_in_vain(void *argument)
{
	SSL *ssl = SSL_new(context);
	int fd = dial(*(const unsigned *)argument);

	SSL_set_fd(ssl, fd);
	SSL_connect(ssl);
	return NULL;
}

static void cancel(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int silent = socket(AF_INET, SOCK_STREAM, 0);
	pthread_t thread;
	void *result;
	char byte;

	if (bind(silent, (struct sockaddr *)&address, length) != 0 || listen(silent, 1) != 0 ||
	    getsockname(silent, (struct sockaddr *)&address, &length) != 0)
		fail("listen");
	unsigned silent_port = ntohs(address.sin_port);
	if (pthread_create(&thread, NULL, wait_in_vain, &silent_port) != 0)
		fail("pthread_create");
	/* Its ClientHello has come: it waits for the answer now, or will in a moment. */
	int peer = accept(silent, NULL, NULL);
	if (read(peer, &byte, 1) != 1)
		fail("read");
	pthread_cancel(thread);
	pthread_join(thread, &result);
	say("cancelled", result == PTHREAD_CANCELED);
	converse();
}

static void *converse_in_thread(void *argument)
{
	(void)argument;
	converse();
	return NULL;
}

static void run_thread(const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
	pthread_t thread;

	if (pthread_create(&thread, attributes, run, argument) != 0 ||
	    pthread_join(thread, NULL) != 0)
		fail("pthread");
}

static void use_small_stack(const char *bytes)
{
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	if (pthread_attr_setstacksize(&attributes, strtoul(bytes, NULL, 10)) != 0)
		fail("pthread_attr_setstacksize");
	run_thread(&attributes, converse_in_thread, NULL);
}

static void measure_stack(void *(*run)(void *), void *argument)
{
	unsigned char *stack =
		mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_attr_t attributes;
	size_t untouched = 0;

	(void)run(argument); /* what is done but once is done here */
	memset(stack, PAINT, STACK_BYTES);
	pthread_attr_init(&attributes);
	pthread_attr_setstack(&attributes, stack, STACK_BYTES);
	run_thread(&attributes, run, argument);
	while (stack[untouched] == PAINT)
		untouched++;
	say("stack", (long)(STACK_BYTES - untouched));
}

#define VARIABLES 100

static void *spawn_in_thread(void *program)
{
	static char variable[] = "NAME=value";
	char *environment[VARIABLES + 1];
	char *arguments[] = {program, NULL};
	pid_t child;

	for (int i = 0; i < VARIABLES; i++)
		environment[i] = variable;
	environment[VARIABLES] = NULL;
	if (posix_spawn(&child, program, NULL, NULL, arguments, environment) != 0 ||
	    waitpid(child, NULL, 0) != child)
		fail("posix_spawn");
	return NULL;
}

int main(int argc, char **argv)
{
	const char *how = argc > 2 ? argv[1] : "";
	const char *argument = argc > 3 ? argv[3] : "";

	if (argc < 3)
		return 2;
	port = port_argument(argv[2]);
	context = SSL_CTX_new(TLS_client_method());
	if (strcmp(how, "exhaust") == 0)
		exhaust();
	else if (strcmp(how, "exhaust-twice") == 0)
		exhaust_twice();
	else if (strcmp(how, "closefrom") == 0)
		close_all();
	else if (strcmp(how, "overwrite") == 0)
		overwrite();
	else if (strcmp(how, "no-streams") == 0)
		no_streams();
	else if (strcmp(how, "file-size") == 0)
		limit_file_size();
	else if (strcmp(how, "chroot") == 0)
		change_root(argument);
	else if (strcmp(how, "signals") == 0)
		take_signals();
	else if (strcmp(how, "cancel") == 0)
		cancel();
	else if (strcmp(how, "stack") == 0)
		use_small_stack(argument);
	else if (strcmp(how, "stack-use") == 0)
		measure_stack(converse_in_thread, NULL);
	else if (strcmp(how, "spawn-stack-use") == 0)
		measure_stack(spawn_in_thread, argv[3]);
	else
		return 2;
	return 0;
}
