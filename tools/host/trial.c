/*
 * Knows processes; changes nothing of the host.
 */
#include "tools/host/trial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/base/options.h"

#define TRIAL_MILLISECONDS 10000
#define CANNOT_START       127

/* Starts argv, with LD_PRELOAD or without, and one variable more unless NULL; what it says comes by
 * a pipe. */
static pid_t start(const struct host *host, const char *const argv[], bool preloaded,
		   const char *variable, int *words)
{
	char preload[PATH_MAX + 16];
	const char *environment[] = {"PATH=/usr/bin:/bin", preloaded ? preload : variable,
				     preloaded ? variable : NULL, NULL};
	int pipe_ends[2];
	pid_t child;

	(void)snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", host->recorder);
	if (pipe2(pipe_ends, O_CLOEXEC) != 0)
		return -1;
	child = fork();
	if (child == 0) {
		dup2(pipe_ends[1], STDERR_FILENO);
		dup2(pipe_ends[1], STDOUT_FILENO);
		if (host->root.path[0] && (chroot(host->root.path) != 0 || chdir("/") != 0))
			_exit(CANNOT_START);
		execve(argv[0], (char *const *)argv, (char *const *)environment);
		_exit(CANNOT_START);
	}
	close(pipe_ends[1]);
	if (child < 0)
		close(pipe_ends[0]);
	*words = pipe_ends[0];
	return child;
}

/* All that it says, cut to the room; then its status: -1 if a signal ended it. */
static int finish(pid_t child, int words, char *said, size_t room)
{
	struct pollfd ready = {.fd = words, .events = POLLIN};
	size_t used = 0;
	int status = 0;

	while (used < room - 1) {
		ssize_t got;

		if (poll(&ready, 1, TRIAL_MILLISECONDS) <= 0) {
			kill(child, SIGKILL);
			break;
		}
		got = read(words, said + used, room - 1 - used);
		if (got <= 0)
			break;
		used += (size_t)got;
	}
	said[used] = '\0';
	close(words);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Its status; what it says is in `said`. */
static int try_program(const struct host *host, const char *const argv[], bool preloaded,
		       char *said, size_t room)
{
	int words;
	pid_t child = start(host, argv, preloaded, NULL, &words);

	said[0] = '\0';
	return child > 0 ? finish(child, words, said, room) : -1;
}

bool trial_starts(const struct host *host)
{
	static const char *const programs[] = {"/bin/true", "/usr/bin/true", "/bin/sh"};
	const char *argv[] = {NULL, "-c", ":", NULL};
	char bare[1024];
	char said[1024];
	int status;

	for (size_t i = 0; !argv[0] && i < sizeof(programs) / sizeof(programs[0]); i++) {
		if (root_is_executable(&host->root, programs[i]))
			argv[0] = programs[i];
	}
	if (!argv[0]) {
		complain("%s has no /bin/true to try the recorder with; nothing was changed",
			 host->root.path[0] ? host->root.path : "/");
		return false;
	}
	/* Another preload may have its own words, which are no news. */
	status = try_program(host, argv, false, bare, sizeof(bare));
	if (try_program(host, argv, true, said, sizeof(said)) == status && status == 0 &&
	    strcmp(said, bare) == 0)
		return true;
	said[strcspn(said, "\n")] = '\0';
	complain("a trial process (%s) does not start as it should with %s%s%s%s; nothing was "
		 "changed",
		 argv[0], host->recorder, said[0] ? " (" : "", said, said[0] ? ")" : "");
	return false;
}

/* ---- are the hooks reached? ---- */

static int connect_to(const char *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

int trial_client(const char *port)
{
	static const char *const commands[] = {"", "EHLO trial\r\n", "MAIL FROM:<>\r\n",
					       "QUIT\r\n"};
	char answer[256];
	int fd = connect_to(port);

	if (fd < 0)
		return 1;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		size_t length = strlen(commands[i]);

		if (send(fd, commands[i], length, MSG_NOSIGNAL) != (ssize_t)length ||
		    recv(fd, answer, sizeof(answer), 0) <= 0)
			break;
	}
	return close(fd) == 0 ? 0 : 1;
}

/* Answers one session as any server would. */
static void serve(int listener)
{
	static const char *const answers[] = {"220 trial\r\n", "250 trial\r\n", "250 ok\r\n",
					      "221 bye\r\n"};
	struct pollfd ready = {.fd = listener, .events = POLLIN};
	char command[256];
	int fd;

	if (poll(&ready, 1, TRIAL_MILLISECONDS) <= 0)
		return;
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ready.fd = fd;
	for (size_t i = 0; fd >= 0 && i < sizeof(answers) / sizeof(answers[0]); i++) {
		size_t length = strlen(answers[i]);

		/* It speaks after the greeting; its first "command" is empty. */
		if (i > 0 && (poll(&ready, 1, TRIAL_MILLISECONDS) <= 0 ||
			      recv(fd, command, sizeof(command), 0) <= 0))
			break;
		if (send(fd, answers[i], length, MSG_NOSIGNAL) != (ssize_t)length)
			break;
	}
	if (fd >= 0)
		close(fd);
}

static int listen_anywhere(char port[16])
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (listener < 0 ||
	    bind(listener, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(listener, 1) != 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &length) != 0)
		return -1;
	(void)snprintf(port, 16, "%u", ntohs(address.sin_port));
	return listener;
}

bool trial_is_recorded(const struct host *host, char why[256])
{
	char directory[] = "/tmp/tlswitness-trial.XXXXXX";
	char log[64];
	char variable[128];
	char port[16];
	char said[1024];
	const char *const argv[] = {"/proc/self/exe", "status", "--trial", port, NULL};
	struct stat status;
	int listener = listen_anywhere(port);
	pid_t child;
	int words;
	bool ok = false;

	(void)snprintf(why, 256, "the trial could not be made (%s)", strerror(errno));
	if (listener < 0 || !mkdtemp(directory))
		return false;
	(void)snprintf(log, sizeof(log), "%s/log.jsonl", directory);
	(void)snprintf(variable, sizeof(variable), "TLSWITNESS_LOG=%s", log);
	child = start(host, argv, true, variable, &words);
	if (child > 0) {
		serve(listener);
		ok = finish(child, words, said, sizeof(said)) == 0 && stat(log, &status) == 0 &&
		     status.st_size > 0;
		said[strcspn(said, "\n")] = '\0';
		(void)snprintf(why, 256, "%.200s", said[0] ? said : "it wrote no record");
	}
	close(listener);
	(void)unlink(log);
	(void)rmdir(directory);
	return ok;
}
