/*
 * Runs a program and lets the N-th system call of one library in it fail, and no other: what
 * would a full disk, a lack of memory or a filter at just that moment do?
 *
 * fault_injector WHICH LIBRARY COUNT_FILE PROGRAM [ARGUMENT...]
 *
 * LIBRARY is a file name as it ends in /proc/PID/maps. WHICH is
 *   0          nothing fails
 *   N          the N-th call, as such a call fails when the world is against it
 *   N=ERROR    the N-th, with this error: EINTR, ESTALE, EDQUOT, EROFS, ENOSPC, EIO
 *   *=ERROR    each of those that may fail so: of files, and for EINTR of whatever can wait
 *   N=late     the N-th call is made a little later
 *   *=late     each is
 *   mmap       each of its calls of mmap fails, and only those are counted
 * COUNT_FILE gets the number of the library's calls and, where one failed, the last one's
 * system call: "CALLS FAILED_SYSCALL\n" (-1: none). The exit status is the program's,
 * 128 + signal, or 125 where the injector itself could not work.
 *
 * Every system call is handed to us by the kernel (seccomp_unotify(2)); whether it is the
 * library's is told by the address of the instruction. So it works on an unchanged library, and
 * knows nothing about it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define INJECTOR_FAILED 125
#define PROCESSES_MAX   64

/* Where the library lies in each process that has been seen; few are there at once. */
struct mapping {
	pid_t pid;
	unsigned long start;
	unsigned long end;
};

struct injector {
	unsigned long fail_at;
	bool fails_all;
	bool maps_nothing;
	bool delays;
	int error; /* 0: as error_of() says */
	const char *library;
	unsigned long calls;
	long failed_syscall;
	struct mapping mapping[PROCESSES_MAX];
	unsigned next;
};

static void give_up(const char *what)
{
	perror(what);
	_exit(INJECTOR_FAILED);
}

/* The listener to the parent; sendmsg is the one call that the filter lets through for that. */
static void send_descriptor(int channel, int fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	char byte = 0;
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes)};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
	if (sendmsg(channel, &message, 0) != 1)
		give_up("fault_injector: sendmsg");
}

static int receive_descriptor(int channel)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	char byte;
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes)};
	int fd;

	if (recvmsg(channel, &message, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&message))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
	return fd;
}

static void become_program(int channel, char **argv)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendmsg, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};
	int listener;

	/* Root needs no promise; with it, the program would take itself for sandboxed. */
	if (geteuid() != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		give_up("fault_injector: no_new_privs");
	listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
				SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
	if (listener < 0)
		give_up("fault_injector: seccomp");
	send_descriptor(channel, listener);
	close(listener);
	close(channel);
	execvp(argv[0], argv);
	give_up(argv[0]);
}

/* All of its segments as one stretch; the library is one file, mapped once. */
static void read_mapping(const char *library, struct mapping *mapping)
{
	char path[64];
	char line[4096];
	FILE *maps;

	mapping->start = mapping->end = 0;
	(void)snprintf(path, sizeof(path), "/proc/%d/maps", (int)mapping->pid);
	maps = fopen(path, "re");
	if (!maps)
		return;
	while (fgets(line, sizeof(line), maps)) {
		size_t length = strcspn(line, "\n");
		char *after;
		unsigned long start = strtoul(line, &after, 16);
		unsigned long end = strtoul(after + 1, NULL, 16);

		line[length] = '\0';
		if (length < strlen(library) ||
		    strcmp(line + length - strlen(library), library) != 0)
			continue;
		if (mapping->start == 0)
			mapping->start = start;
		mapping->end = end;
	}
	(void)fclose(maps);
}

static bool is_the_librarys(struct injector *injector, const struct seccomp_notif *call)
{
	struct mapping *mapping = NULL;

	for (unsigned i = 0; i < PROCESSES_MAX && !mapping; i++) {
		if (injector->mapping[i].pid == (pid_t)call->pid)
			mapping = &injector->mapping[i];
	}
	if (!mapping) {
		mapping = &injector->mapping[injector->next++ % PROCESSES_MAX];
		mapping->pid = (pid_t)call->pid;
		mapping->start = 0;
	}
	/* The loader maps it after the first calls, and another program lies elsewhere. */
	if (call->data.nr == SYS_execve || call->data.nr == SYS_execveat)
		mapping->start = 0;
	else if (mapping->start == 0)
		read_mapping(injector->library, mapping);
	return call->data.instruction_pointer >= mapping->start &&
	       call->data.instruction_pointer < mapping->end;
}

/* What such a call fails with when the world is against it. */
static int error_of(int number)
{
	switch (number) {
	case SYS_openat:
		return EMFILE;
	case SYS_write:
	case SYS_pwrite64:
		return ENOSPC;
	case SYS_mmap:
	case SYS_mremap:
		return ENOMEM;
	case SYS_socket:
		return ENFILE;
	default:
		return EPERM;
	}
}

static bool is_of_files(int number)
{
	switch (number) {
	case SYS_openat:
	case SYS_read:
	case SYS_write:
	case SYS_pread64:
	case SYS_pwrite64:
	case SYS_lseek:
	case SYS_fstat:
	case SYS_readlinkat:
		return true;
	default:
		return false;
	}
}

static bool may_wait(int number)
{
	switch (number) {
	case SYS_connect:
	case SYS_sendto:
	case SYS_poll:
	case SYS_getrandom:
		return true;
	default:
		return is_of_files(number);
	}
}

static bool is_to_fail(const struct injector *injector, int number)
{
	if (injector->maps_nothing)
		return true;
	if (!injector->fails_all)
		return injector->calls == injector->fail_at;
	return injector->delays || (injector->error == EINTR ? may_wait : is_of_files)(number);
}

/* Long enough for whoever races with it to be first. */
static void wait_a_little(void)
{
	const struct timespec little = {.tv_nsec = 2000000};

	nanosleep(&little, NULL);
}

static void answer(struct injector *injector, int listener)
{
	struct seccomp_notif call = {0};
	struct seccomp_notif_resp response = {0};

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0)
		return; /* its process has ended meanwhile */
	response.id = call.id;
	response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	if (injector->maps_nothing && call.data.nr != SYS_mmap && call.data.nr != SYS_execve) {
		(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
		return;
	}
	if (is_the_librarys(injector, &call)) {
		injector->calls++;
		if (is_to_fail(injector, call.data.nr)) {
			injector->failed_syscall = call.data.nr;
			if (injector->delays) {
				wait_a_little();
			} else {
				response.flags = 0;
				response.error = -(injector->error ? injector->error
								   : error_of(call.data.nr));
			}
		}
	}
	(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

static void serve(struct injector *injector, int listener)
{
	struct pollfd wanted = {.fd = listener, .events = POLLIN};

	while (poll(&wanted, 1, -1) > 0 || errno == EINTR) {
		if (wanted.revents & POLLIN)
			answer(injector, listener);
		else if (wanted.revents)
			return; /* nobody is left who has the filter */
	}
}

/* False where it is none of what the head of this file has. */
static bool read_which(struct injector *injector, const char *which)
{
	static const struct {
		const char *name;
		int error;
	} errors[] = {{"EINTR", EINTR}, {"ESTALE", ESTALE}, {"EDQUOT", EDQUOT},
		      {"EROFS", EROFS}, {"ENOSPC", ENOSPC}, {"EIO", EIO}};
	const char *equals = strchr(which, '=');

	injector->maps_nothing = strcmp(which, "mmap") == 0;
	injector->fails_all = which[0] == '*';
	injector->fail_at = strtoul(which, NULL, 10);
	if (!equals)
		return true;
	injector->delays = strcmp(equals + 1, "late") == 0;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (strcmp(equals + 1, errors[i].name) == 0)
			injector->error = errors[i].error;
	}
	return injector->delays || injector->error != 0;
}

int main(int argc, char **argv)
{
	struct injector injector = {.failed_syscall = -1};
	int channel[2];
	int listener;
	int status;
	FILE *counted;
	pid_t child;

	if (argc < 5 || !read_which(&injector, argv[1])) {
		(void)fprintf(stderr, "fault_injector WHICH LIBRARY COUNT_FILE PROGRAM...\n");
		return INJECTOR_FAILED;
	}
	injector.library = argv[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) != 0)
		give_up("fault_injector: socketpair");
	child = fork();
	if (child < 0)
		give_up("fault_injector: fork");
	if (child == 0)
		become_program(channel[1], argv + 4);
	close(channel[1]);
	listener = receive_descriptor(channel[0]);
	if (listener < 0)
		return INJECTOR_FAILED;
	serve(&injector, listener);
	if (waitpid(child, &status, 0) != child)
		give_up("fault_injector: waitpid");
	counted = fopen(argv[3], "we");
	if (!counted ||
	    fprintf(counted, "%lu %ld\n", injector.calls, injector.failed_syscall) < 0 ||
	    fclose(counted) != 0)
		give_up(argv[3]);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
