/*
 * What the tests of real programs stand on. It knows processes, files and the
 * sink; it knows nothing of the recorder but where it is.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "tests/integration/harness.h"
#include "tests/programs/old_libc.h"

#define CONDITION_INTERVAL_NS (2L * 1000 * 1000)

/* Whatever lasts until the end of the test, newest first. */
struct kept {
	struct kept *next;
	void (*release)(void *thing);
	void *thing;
};

/* Each test has a process of its own, so this is the state of one test. */
static struct kept *all_kept;
static char *directory;
static unsigned programs_started;

static void keep(void *thing, void (*release)(void *thing))
{
	struct kept *kept = calloc(1, sizeof(*kept));

	cr_assert(thing != NULL && kept != NULL, "no memory");
	kept->thing = thing;
	kept->release = release;
	kept->next = all_kept;
	all_kept = kept;
}

static void release_json(void *json)
{
	json_decref(json);
}

const char *text(const char *format, ...)
{
	va_list arguments;
	char *string = NULL;

	va_start(arguments, format);
	int length = vasprintf(&string, format, arguments);
	va_end(arguments);
	cr_assert(length >= 0, "no memory");
	keep(string, free);
	return string;
}

static size_t count_words(const char *const words[])
{
	size_t count = 0;

	while (words[count] != NULL)
		count++;
	return count;
}

const char *const *join_words(const char *const first[], const char *const second[])
{
	size_t first_count = count_words(first);
	size_t second_count = count_words(second);
	const char **joined = calloc(first_count + second_count + 1, sizeof(*joined));

	keep(joined, free);
	memcpy(joined, first, first_count * sizeof(*joined));
	memcpy(joined + first_count, second, second_count * sizeof(*joined));
	return joined;
}

void harness_begin(void)
{
	const char *parent = getenv("TMPDIR");

	if (asprintf(&directory, "%s/tlswitness-test.XXXXXX", parent != NULL ? parent : "/tmp") < 0)
		directory = NULL;
	cr_assert(directory != NULL && mkdtemp(directory) != NULL, "no directory: %s",
		  strerror(errno));
	/* Programs that became another user must reach what is for them. */
	cr_assert(chmod(directory, 0755) == 0);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
	(void)status;
	(void)type;
	(void)where;
	/* What can't be removed is left in the temporary directory, and hurts no test. */
	(void)remove(path);
	return 0;
}

void harness_end(void)
{
	while (all_kept != NULL) {
		struct kept *kept = all_kept;
		all_kept = kept->next;
		kept->release(kept->thing);
		free(kept);
	}
	if (directory != NULL)
		(void)nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(directory);
	directory = NULL;
}

static const char *built(const char *name)
{
	const char *build = getenv("TLSWITNESS_BUILD");
	char *path = realpath(text("%s/%s", build != NULL ? build : "build", name), NULL);

	cr_assert(path != NULL, "%s is not built: run the tests from the project's root", name);
	keep(path, free);
	return path;
}

const char *tool_path(void)
{
	return built("tlswitness");
}

const char *recorder_path(void)
{
	return built("libtlswitness.so");
}

const char *program_path(const char *name)
{
	return built(text("programs/%s", name));
}

const char *test_path(const char *name)
{
	return text("%s/%s", directory, name);
}

const char *test_file(const char *name, const char *content)
{
	const char *path = test_path(name);
	FILE *file = fopen(path, "we");

	cr_assert(file != NULL, "%s: %s", path, strerror(errno));
	bool written = fputs(content, file) >= 0;
	cr_assert(fclose(file) == 0 && written, "%s could not be written", path);
	return path;
}

const char *read_file(const char *path, size_t *length)
{
	char *content = NULL;
	size_t size = 0;
	FILE *file = fopen(path, "re");

	if (length != NULL)
		*length = 0;
	if (file == NULL)
		return "";
	ssize_t got = getdelim(&content, &size, EOF, file);
	(void)fclose(file);
	keep(content, free);
	if (got <= 0)
		return "";
	if (length != NULL)
		*length = (size_t)got;
	return content;
}

static struct timespec deadline(unsigned seconds)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	time.tv_sec += seconds;
	return time;
}

static long milliseconds_left(const struct timespec *until)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	long left = (until->tv_sec - now.tv_sec) * 1000 + (until->tv_nsec - now.tv_nsec) / 1000000;
	return left > 0 ? left : 0;
}

void wait_until(bool (*condition)(void *subject), void *subject, const char *what)
{
	const struct timespec until = deadline(HARNESS_DEADLINE_S);
	const struct timespec interval = {.tv_nsec = CONDITION_INTERVAL_NS};

	while (!condition(subject)) {
		cr_assert(milliseconds_left(&until) > 0, "waited in vain until %s", what);
		nanosleep(&interval, NULL);
	}
}

/* The child's side */

static _Noreturn void child_failed(const char *what)
{
	/* Into the program's stderr, which end_program() shows. */
	dprintf(STDERR_FILENO, "%s: %s\n", what, strerror(errno));
	_exit(127);
}

static void redirect(int target, const char *path, int flags)
{
	int fd = open(path, flags, 0644);

	if (fd < 0 || dup2(fd, target) < 0)
		child_failed(path);
	if (fd != target)
		close(fd);
}

static void set_environment(const char *const *env)
{
	static const char *const removed[] = {"LD_PRELOAD", "OPENSSL_CONF", "SSL_CERT_FILE",
					      "SSL_CERT_DIR", NULL};

	for (const char *const *name = removed; *name != NULL; name++)
		unsetenv(*name);
	for (char **variable = environ; variable != NULL && *variable != NULL;) {
		if (strncmp(*variable, "TLSWITNESS_", strlen("TLSWITNESS_")) != 0) {
			variable++;
			continue;
		}
		unsetenv(text("%.*s", (int)strcspn(*variable, "="), *variable));
		variable = environ; /* which has moved up */
	}
	for (; env != NULL && *env != NULL; env++) {
		if (strchr(*env, '=') == NULL)
			unsetenv(*env);
		else if (putenv(strdup(*env)) != 0)
			child_failed(*env);
	}
}

static _Noreturn void become(const struct program *program, const char *input)
{
	static const int defaults[] = {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM, SIGCHLD};
	sigset_t none;

	/* It must not outlive a test that crashed. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* A shell's background job ignores SIGINT, and so would a program that the runner starts.
	 */
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		(void)signal(defaults[i], SIG_DFL);
	redirect(STDIN_FILENO, input, O_RDONLY);
	redirect(STDOUT_FILENO, program->out_path, O_WRONLY | O_CREAT | O_TRUNC);
	redirect(STDERR_FILENO, program->err_path, O_WRONLY | O_CREAT | O_TRUNC);
	/* None of the test runner's own descriptors. */
	close_range(STDERR_FILENO + 1, ~0U, 0);
	if (program->directory != NULL && chdir(program->directory) != 0)
		child_failed(program->directory);
	set_environment(program->env);
	execvp(program->argv[0], (char *const *)program->argv);
	child_failed(program->argv[0]);
}

/* The test's side */

static void collect(struct program *program, int wait_status)
{
	program->pid = 0;
	program->status =
		WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
	program->out = read_file(program->out_path, &program->out_length);
	program->err = read_file(program->err_path, &program->err_length);
}

static void kill_running(void *pid_pointer)
{
	pid_t *pid = pid_pointer;

	/* A child that was not waited for is still ours, even if it has ended: the pid is its. */
	if (waitpid(*pid, NULL, WNOHANG) == 0) {
		kill(*pid, SIGKILL);
		waitpid(*pid, NULL, 0);
	}
	free(pid);
}

static void remember_running(pid_t pid)
{
	pid_t *kept_pid = malloc(sizeof(*kept_pid));

	cr_assert(kept_pid != NULL, "no memory");
	*kept_pid = pid;
	keep(kept_pid, kill_running);
}

void start_program(struct program *program)
{
	unsigned number = ++programs_started;
	const char *input = "/dev/null";

	program->out_path = test_path(text("program%u.out", number));
	program->err_path = test_path(text("program%u.err", number));
	if (program->input != NULL)
		input = test_file(text("program%u.in", number), program->input);
	program->pid = fork();
	cr_assert(program->pid >= 0, "fork: %s", strerror(errno));
	if (program->pid == 0)
		become(program, input);
	remember_running(program->pid);
}

int end_program(struct program *program)
{
	const struct timespec until =
		deadline(program->deadline_s ? program->deadline_s : HARNESS_DEADLINE_S);
	pid_t pid = program->pid;
	int wait_status = 0;

	cr_assert(pid > 0, "%s does not run", program->argv[0]);
	struct pollfd ended = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
	cr_assert(ended.fd >= 0, "pidfd_open: %s", strerror(errno));
	while (poll(&ended, 1, (int)milliseconds_left(&until)) < 0 && errno == EINTR)
		;
	close(ended.fd);
	if (ended.revents == 0)
		kill(pid, SIGKILL);
	cr_assert(waitpid(pid, &wait_status, 0) == pid, "waitpid: %s", strerror(errno));
	collect(program, wait_status);
	cr_assert(ended.revents != 0, "%s did not end by itself; it said:\n%s\n%s",
		  program->argv[0], program->out, program->err);
	return program->status;
}

int run_program(struct program *program)
{
	start_program(program);
	return end_program(program);
}

static void append_json_line(json_t *lines, const char *line, size_t length, const char *path)
{
	json_error_t error;
	json_t *object = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);

	cr_assert(json_is_object(object), "%s holds a line that is no record (%s): %.*s", path,
		  error.text, (int)length, line);
	json_array_append_new(lines, object);
}

const char *python_function(const char *python, const char *qualified)
{
	struct program is_old = {
		.argv = WORDS(python, "-c", "import sys; print(sys.version_info < (3, 11))")};
	const char *point = strrchr(qualified, '.');

	cr_assert_eq(run_program(&is_old), 0, "%s: %s", python, is_old.err);
	return point && strcmp(is_old.out, "True\n") == 0 ? point + 1 : qualified;
}

json_t *read_json_lines(const char *path)
{
	json_t *lines = json_array();
	const char *rest = read_file(path, NULL);
	const char *newline = NULL;

	keep(lines, release_json);
	while ((newline = strchr(rest, '\n')) != NULL) {
		append_json_line(lines, rest, (size_t)(newline - rest), path);
		rest = newline + 1;
	}
	return lines;
}

struct awaited_lines {
	const char *path;
	size_t count;
};

/* Counted with no more memory kept, since it may be asked often and of long logs. */
static bool has_lines(void *subject)
{
	const struct awaited_lines *awaited = subject;
	char bytes[65536];
	size_t lines = 0;
	size_t length = 0;
	FILE *file = fopen(awaited->path, "re");

	if (file == NULL)
		return awaited->count == 0;
	while ((length = fread(bytes, 1, sizeof(bytes), file)) > 0) {
		for (size_t i = 0; i < length; i++)
			lines += bytes[i] == '\n';
	}
	(void)fclose(file);
	return lines >= awaited->count;
}

json_t *await_json_lines(const char *path, size_t count)
{
	struct awaited_lines awaited = {.path = path, .count = count};

	wait_until(has_lines, &awaited, text("%s has %zu lines", path, count));
	json_t *lines = read_json_lines(path);
	cr_assert(json_array_size(lines) == count, "%s has %zu lines, and not %zu:\n%s", path,
		  json_array_size(lines), count, read_file(path, NULL));
	return lines;
}

const char *field(const json_t *record, const char *key)
{
	const char *value = json_string_value(json_object_get(record, key));

	return value != NULL ? value : "";
}

unsigned long number_after(const char *string, const char *label)
{
	const char *start = strstr(string, label);
	char *end = NULL;

	cr_assert_not_null(start, "'%s' is not in: %s", label, string);
	start += strlen(label);
	unsigned long number = strtoul(start, &end, 10);
	cr_assert_neq(end, start, "no number follows '%s' in: %s", label, string);
	return number;
}

/* Sinks */

static const char *const *sink_argv(const struct sink *sink, const char *const options[])
{
	bool has_certificate = true;
	const char *log = text("--log=%s", sink->log);
	const char *certificate = text("--cert-out=%s", sink->certificate);

	for (const char *const *option = options; *option != NULL; option++)
		has_certificate &= strcmp(*option, "--tls=none") != 0;
	return join_words(WORDS(tool_path(), "sink", log, has_certificate ? certificate : NULL),
			  options);
}

/* "listening on 127.0.0.1:PORT" has been said, or nothing will be any more. */
static bool sink_is_ready(void *subject)
{
	const struct sink *sink = subject;
	siginfo_t ended = {0};

	if (strchr(read_file(sink->program.out_path, NULL), '\n') != NULL)
		return true;
	waitid(P_PID, (id_t)sink->program.pid, &ended, WEXITED | WNOHANG | WNOWAIT);
	cr_assert(ended.si_pid == 0, "the sink did not start: %s",
		  read_file(sink->program.err_path, NULL));
	return false;
}

struct sink *start_sink(const char *const options[])
{
	return start_sink_in(options, NULL);
}

struct sink *start_sink_in(const char *const options[], const char *const env[])
{
	static unsigned sinks_started;
	unsigned number = ++sinks_started;
	struct sink *sink = calloc(1, sizeof(*sink));

	cr_assert(sink != NULL, "no memory");
	keep(sink, free);
	sink->log = test_path(text("sink%u.json", number));
	sink->certificate = test_path(text("sink%u.pem", number));
	sink->program.argv = sink_argv(sink, options);
	sink->program.env = env;
	start_program(&sink->program);
	wait_until(sink_is_ready, sink, "the sink listens");
	unsigned long port =
		number_after(read_file(sink->program.out_path, NULL), "listening on 127.0.0.1:");
	cr_assert(port > 0 && port <= UINT16_MAX, "the sink listens on no port");
	sink->port = (uint16_t)port;
	sink->address = text("127.0.0.1:%u", sink->port);
	return sink;
}

json_t *sink_entries(const struct sink *sink, size_t count)
{
	return await_json_lines(sink->log, count);
}

int await_sink(struct sink *sink)
{
	return end_program(&sink->program);
}

int stop_sink(struct sink *sink)
{
	kill(sink->program.pid, SIGTERM);
	return end_program(&sink->program);
}

const char *old_tls_allowed(void)
{
	return text("OPENSSL_CONF=%s",
		    test_file("old-tls.cnf", "openssl_conf = openssl\n"
					     "[openssl]\n"
					     "ssl_conf = ssl\n"
					     "[ssl]\n"
					     "system_default = old_tls\n"
					     "[old_tls]\n"
					     "MinProtocol = TLSv1\n"
					     "CipherString = DEFAULT@SECLEVEL=0\n"));
}
