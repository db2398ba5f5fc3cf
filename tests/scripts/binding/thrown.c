/*
 * Connects to a port, and is thrown out of that by longjmp a little later each
 * time; another thread needs the loader then. Each time in a new process, for which
 * it is the first connection. thrown PORT
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIMES 300

static sigjmp_buf back;
static volatile sig_atomic_t may_throw;

static void leave(int number)
{
	(void)number;
	if (may_throw)
		siglongjmp(back, 1);
}

static void dial(const char *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((unsigned short)strtol(port, NULL, 10)),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	(void)!connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address,
		       sizeof(address));
}

static void *need_loader(void *data)
{
	void *library = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL);

	if (!library)
		_exit(3);
	dlclose(library);
	return data;
}

/* The signal comes after so many microseconds, if the call takes that long. */
static void throw_after(int microseconds, const char *port)
{
	const struct itimerval timer = {.it_value.tv_usec = microseconds};
	pthread_t thread;

	if (sigsetjmp(back, 1) == 0) {
		may_throw = 1;
		setitimer(ITIMER_REAL, &timer, NULL);
		dial(port);
	}
	may_throw = 0;
	if (pthread_create(&thread, NULL, need_loader, NULL) != 0 ||
	    pthread_join(thread, NULL) != 0)
		_exit(3);
	_exit(0);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	(void)signal(SIGALRM, leave);
	for (int i = 1; i <= TIMES; i++) {
		int status = 0;
		pid_t child = fork();

		if (child == 0)
			throw_after(3 * i, argv[1]);
		if (waitpid(child, &status, 0) != child || status != 0)
			return 3;
	}
	puts("went on");
	return 0;
}
