/*
 * Runs a program, and stops a thread of it at one instruction of a library after another: what
 * becomes of the others while it stands there, whatever it holds?
 *
 * stopper STOPS LIBRARY PROGRAM [ARGUMENT...]
 *
 * The program (scale stopped) says by a breakpoint of its own where its thread begins and ends,
 * with the place of a word to be set when it stands. The first time, it goes step by step, so that
 * the instructions are known; from then on it stands each time at another of them, at STOPS in all.
 * LIBRARY is a file name as it ends in /proc/PID/maps. The exit status is the program's, 128 +
 * signal, or 125 where the stopper could not work.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define STOPPER_FAILED 125
#define BREAKPOINT     0xcc
#define ADDRESSES_MAX  100000

enum mark { MARK_BEGIN = 1, MARK_END, MARK_DONE };

struct stopper {
	unsigned long stops;
	const char *library;
	unsigned long start; /* where the library lies; 0: not known yet */
	unsigned long end;
	unsigned long *address; /* of instructions, each once */
	unsigned long count;
	unsigned long rounds;
	unsigned long hits;
	pid_t standing; /* the thread that is stopped */
};

__attribute__((noreturn)) static void give_up(const char *what)
{
	perror(what);
	_exit(STOPPER_FAILED);
}

#ifdef __x86_64__

static void proceed(pid_t thread, int signal)
{
	if (ptrace(PTRACE_CONT, thread, NULL, (void *)(long)signal) != 0 && errno != ESRCH)
		give_up("stopper: cont");
}

static void find_library(struct stopper *stopper, pid_t process)
{
	char path[64];
	char line[4096];
	FILE *maps;

	(void)snprintf(path, sizeof(path), "/proc/%d/maps", (int)process);
	maps = fopen(path, "re");
	if (!maps)
		give_up("stopper: maps");
	while (fgets(line, sizeof(line), maps)) {
		char *after;
		unsigned long start = strtoul(line, &after, 16);
		unsigned long end = strtoul(after + 1, NULL, 16);

		line[strcspn(line, "\n")] = '\0';
		if (strlen(line) < strlen(stopper->library) ||
		    strcmp(line + strlen(line) - strlen(stopper->library), stopper->library) != 0)
			continue;
		if (stopper->start == 0)
			stopper->start = start;
		stopper->end = end;
	}
	(void)fclose(maps);
	if (stopper->start == 0)
		give_up("stopper: no such library");
}

static struct user_regs_struct registers_of(pid_t thread)
{
	struct user_regs_struct registers;

	if (ptrace(PTRACE_GETREGS, thread, NULL, &registers) != 0)
		give_up("stopper: getregs");
	return registers;
}

/* A breakpoint was met, the program's own or ours, and no single step made. */
static bool is_at_breakpoint(pid_t thread)
{
	siginfo_t why;

	return ptrace(PTRACE_GETSIGINFO, thread, NULL, &why) == 0 && why.si_signo == SIGTRAP &&
	       why.si_code == SI_KERNEL;
}

static void await_stop(pid_t thread)
{
	int status;

	if (waitpid(thread, &status, __WALL) != thread || !WIFSTOPPED(status))
		give_up("stopper: waitpid");
}

static void note(struct stopper *stopper, unsigned long address)
{
	if (address < stopper->start || address >= stopper->end || stopper->count == ADDRESSES_MAX)
		return;
	for (unsigned long i = 0; i < stopper->count; i++) {
		if (stopper->address[i] == address)
			return;
	}
	stopper->address[stopper->count++] = address;
}

static void step_through(struct stopper *stopper, pid_t thread)
{
	do {
		if (ptrace(PTRACE_SINGLESTEP, thread, NULL, NULL) != 0)
			give_up("stopper: singlestep");
		await_stop(thread);
		note(stopper, registers_of(thread).rip);
	} while (!is_at_breakpoint(thread));
}

/* Goes on up to `address`, or to its end if it does not come by there. */
static void go_to(struct stopper *stopper, pid_t thread, unsigned long address)
{
	struct user_regs_struct registers;
	long before;

	errno = 0;
	before = ptrace(PTRACE_PEEKTEXT, thread, (void *)address, NULL);
	if (errno != 0 || ptrace(PTRACE_POKETEXT, thread, (void *)address,
				 (void *)((before & ~0xffL) | BREAKPOINT)) != 0)
		give_up("stopper: poketext");
	proceed(thread, 0);
	await_stop(thread);
	if (ptrace(PTRACE_POKETEXT, thread, (void *)address, (void *)before) != 0)
		give_up("stopper: poketext");
	registers = registers_of(thread);
	if (registers.rip != address + 1)
		return;
	stopper->hits++;
	registers.rip = address;
	if (ptrace(PTRACE_SETREGS, thread, NULL, &registers) != 0)
		give_up("stopper: setregs");
}

/* While it goes, the others only wait for the word. */
static void stop(struct stopper *stopper, pid_t thread, unsigned long long word)
{
	bool last;

	if (stopper->rounds == 0)
		step_through(stopper, thread);
	else
		go_to(stopper, thread,
		      stopper->address[(stopper->rounds - 1) * stopper->count / stopper->stops]);
	last = stopper->rounds++ == stopper->stops;
	stopper->standing = thread;
	if (ptrace(PTRACE_POKEDATA, thread, (void *)word, (void *)(last ? 2UL : 1UL)) != 0)
		give_up("stopper: pokedata");
}

static void on_stop(struct stopper *stopper, pid_t process, pid_t thread, int status)
{
	const int signal = WSTOPSIG(status);
	struct user_regs_struct registers;

	/* A new thread's first stop, or one of ptrace's own. */
	if (status >> 16 != 0 || signal == SIGSTOP) {
		proceed(thread, 0);
		return;
	}
	if (signal != SIGTRAP || !is_at_breakpoint(thread)) {
		proceed(thread, signal == SIGTRAP ? 0 : signal);
		return;
	}
	registers = registers_of(thread);
	switch ((enum mark)registers.rax) {
	case MARK_BEGIN:
		if (stopper->start == 0)
			find_library(stopper, process);
		stop(stopper, thread, registers.rdi);
		return;
	case MARK_END:
		break;
	case MARK_DONE:
		proceed(stopper->standing, 0);
		break;
	}
	proceed(thread, 0);
}

static int serve(struct stopper *stopper, pid_t process)
{
	for (;;) {
		int status;
		pid_t thread = waitpid(-1, &status, __WALL);

		if (thread < 0)
			give_up("stopper: waitpid");
		if (WIFSTOPPED(status))
			on_stop(stopper, process, thread, status);
		else if (thread == process)
			return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	}
}

int main(int argc, char **argv)
{
	struct stopper stopper = {0};
	pid_t process;
	int status;

	if (argc < 4)
		return STOPPER_FAILED;
	stopper.stops = strtoul(argv[1], NULL, 10);
	stopper.library = argv[2];
	stopper.address = calloc(ADDRESSES_MAX, sizeof(*stopper.address));
	process = stopper.address ? fork() : -1;
	if (process < 0)
		give_up("stopper: fork");
	if (process == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 || raise(SIGSTOP) != 0)
			give_up("stopper: traceme");
		execvp(argv[3], argv + 3);
		give_up(argv[3]);
	}
	await_stop(process);
	if (ptrace(PTRACE_SETOPTIONS, process, NULL,
		   PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL) != 0)
		give_up("stopper: setoptions");
	proceed(process, 0);
	status = serve(&stopper, process);
	printf("instructions: %lu, stops: %lu\n", stopper.count, stopper.hits);
	free(stopper.address);
	return status;
}

#else

/* It reads registers by their names. */
int main(void)
{
	give_up("stopper: not for this processor");
}

#endif
