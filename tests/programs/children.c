/*
 * Children are made again and again while two threads of their parent are within sessions, so that
 * whatever a hook holds at a moment is held when one is made: children HOW PORT COUNT
 *   fork, clone          the child makes a session of its own, in its copy of the parent's memory
 *   vfork, posix_spawn   the child becomes this program again, for one session
 *   session              that one session
 * Writes the number of sessions there were, in parent and children.
 */
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "tests/programs/client.h"

#define THREADS 2
#define STACK   (1024UL * 1024)

extern char **environ;

static unsigned port;
static const char *own_path;
static const char *port_text;
static atomic_bool over;
static atomic_uint sessions;

/* A reply of one line or more has come; a byte at a time, so that many hooks are reached. */
static void read_reply(int fd)
{
	char line[4] = "";
	size_t at = 0;
	char byte;

	for (;;) {
		if (read(fd, &byte, 1) != 1)
			fail("read");
		if (at < sizeof(line))
			line[at] = byte;
		at++;
		if (byte != '\n')
			continue;
		if (line[3] != '-')
			return;
		at = 0;
	}
}

static void say(int fd, const char *command)
{
	for (const char *byte = command; *byte; byte++) {
		if (write(fd, byte, 1) != 1)
			fail("write");
	}
	read_reply(fd);
}

static void make_session(void)
{
	int fd = dial(port);

	read_reply(fd);
	say(fd, "EHLO client\r\n");
	say(fd, "QUIT\r\n");
	close(fd);
}

static void *go_on(void *unused)
{
	(void)unused;
	do {
		make_session();
		atomic_fetch_add(&sessions, 1);
	} while (!atomic_load(&over));
	return NULL;
}

static int make_session_in_child(void *unused)
{
	(void)unused;
	make_session();
	return 0;
}

static void reap(pid_t child)
{
	int status;

	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		fail("a child failed");
	atomic_fetch_add(&sessions, 1);
}

static void by_fork(void)
{
	pid_t child = fork();

	if (child == 0)
		exit(make_session_in_child(NULL));
	reap(child);
}

/* Whatever asks to be called at a fork is not. */
static void by_clone(void)
{
	char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	if (stack == MAP_FAILED)
		fail("mmap");
	reap(clone(make_session_in_child, stack + STACK, SIGCHLD, NULL));
	munmap(stack, STACK);
}

/* NOLINTBEGIN(clang-analyzer-security.insecureAPI.vfork,clang-analyzer-unix.Vfork) */
static void by_vfork(void)
{
	pid_t child = vfork();

	if (child == 0) {
		execl(own_path, own_path, "session", port_text, "1", (char *)NULL);
		_exit(1);
	}
	reap(child);
}
/* NOLINTEND(clang-analyzer-security.insecureAPI.vfork,clang-analyzer-unix.Vfork) */

static void by_posix_spawn(void)
{
	char session[] = "session";
	char one[] = "1";
	char *path = strdup(own_path);
	char *at = strdup(port_text);
	char *const argv[] = {path, session, at, one, NULL};
	pid_t child;

	if (!path || !at || posix_spawn(&child, own_path, NULL, NULL, argv, environ) != 0)
		fail("posix_spawn");
	reap(child);
	free(path);
	free(at);
}

static const struct way {
	const char *name;
	void (*make)(void);
} ways[] = {
	{"fork", by_fork},
	{"clone", by_clone},
	{"vfork", by_vfork},
	{"posix_spawn", by_posix_spawn},
};

int main(int argc, char **argv)
{
	const struct way *way = NULL;
	pthread_t thread[THREADS];

	if (argc != 4)
		return 2;
	own_path = argv[0];
	port_text = argv[2];
	port = port_argument(argv[2]);
	if (strcmp(argv[1], "session") == 0)
		return make_session_in_child(NULL);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(argv[1], ways[i].name) == 0)
			way = &ways[i];
	}
	if (!way)
		return 2;
	for (size_t i = 0; i < THREADS; i++) {
		if (pthread_create(&thread[i], NULL, go_on, NULL) != 0)
			fail("pthread_create");
	}
	for (unsigned long left = strtoul(argv[3], NULL, 10); left > 0; left--)
		way->make();
	atomic_store(&over, true);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	printf("%u\n", atomic_load(&sessions));
	return 0;
}
