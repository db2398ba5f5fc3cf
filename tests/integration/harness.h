/*
 * What the tests of real programs stand on: a directory per test, programs
 * started and waited for, sinks and their entries, logs read as JSON.
 *
 * A test suite names harness_begin and harness_end as its .init and .fini.
 * What these functions return belongs to the harness and lasts until
 * harness_end(), which also ends, by its process id, every program that still
 * runs. A function that can't do its work fails the test and says why; nothing
 * waits without a deadline, and nothing sleeps for luck.
 */
#ifndef TLSWITNESS_HARNESS_H
#define TLSWITNESS_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

/*
 * The seconds that a program, or a condition, is given, and a whole test. They end what hangs; a
 * machine with other work, on which a browser or a JVM takes a minute, doesn't come near them.
 */
#define HARNESS_DEADLINE_S 180
#define HARNESS_TEST_S     600

/* An argument vector or an environment in place: WORDS("swaks", "--to", "a@b"). */
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* No words. */
#define NO_WORDS ((const char *const[]){NULL})

void harness_begin(void);
void harness_end(void);

/* The tool and the recorder as built; TLSWITNESS_BUILD names another build tree than ./build. */
const char *tool_path(void);
const char *recorder_path(void);

/* The program built of tests/programs/NAME.c. */
const char *program_path(const char *name);

/* "DIRECTORY/NAME", in this test's own directory. */
const char *test_path(const char *name);

/* Writes the file NAME into this test's directory and returns its path. */
const char *test_file(const char *name, const char *content);

/* A new string, as printf would write it. */
const char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The words of `first`, then those of `second`. */
const char *const *join_words(const char *const first[], const char *const second[]);

/* Calls `condition` until it is true; fails the test, naming `what`, at the deadline. */
void wait_until(bool (*condition)(void *subject), void *subject, const char *what);

/*
 * A program's run. What is zero has a default; stdout and stderr are kept in
 * files, so a program may write as much as it likes and be watched meanwhile.
 */
struct program {
	const char *const *argv; /* argv[0] is looked up in PATH */
	/*
	 * "NAME=value" sets and "NAME" takes away, on top of the environment of
	 * the tests, less what would make a run depend on it (LD_PRELOAD,
	 * TLSWITNESS_*, OPENSSL_CONF, SSL_CERT_FILE, SSL_CERT_DIR).
	 */
	const char *const *env;
	const char *input;     /* stdin; NULL: empty */
	const char *directory; /* to run in; NULL: where the tests run */
	unsigned deadline_s;   /* for what does ten thousand things; 0: HARNESS_DEADLINE_S */

	/* Set by start_program() */
	const char *out_path;
	const char *err_path;
	pid_t pid; /* 0 once it has ended */

	/* Set by end_program() and run_program() */
	int status; /* its exit status; 128 + N if signal N ended it */
	const char *out;
	const char *err;
	size_t out_length;
	size_t err_length;
};

void start_program(struct program *program);

/* Waits until the program ends by itself, and returns its status. */
int end_program(struct program *program);

/* Starts it and waits for it. */
int run_program(struct program *program);

/* The whole file, with a NUL after it; "" if there is none. `length` may be NULL. */
const char *read_file(const char *path, size_t *length);

/*
 * "Mailer.connect" as `python` lets it be known: the whole since 3.11, before
 * that no more than "connect".
 */
const char *python_function(const char *python, const char *qualified);

/*
 * The file's complete lines as an array of JSON objects; a line that is none
 * fails the test. An empty array if there is no file.
 */
json_t *read_json_lines(const char *path);

/* Waits until the file has `count` lines, and returns them; more fail the test. */
json_t *await_json_lines(const char *path, size_t count);

/* The string at `key`; "" if it is not there. */
const char *field(const json_t *record, const char *key);

/* A sink that runs; its log and certificate are in this test's directory. */
struct sink {
	struct program program;
	uint16_t port;
	const char *address;     /* "127.0.0.1:PORT" */
	const char *log;         /* its entries */
	const char *certificate; /* PEM, to be trusted by clients; none with --tls=none */
};

/* The number that follows the first `label`; that there is none fails the test. */
unsigned long number_after(const char *string, const char *label);

/* Starts `tlswitness sink` with these options, and waits until it listens. */
struct sink *start_sink(const char *const options[]);

/* The same, in an environment changed as struct program's. */
struct sink *start_sink_in(const char *const options[], const char *const env[]);

/*
 * Waits until `count` connections have ended, and returns their entries in the
 * order in which they ended ("connection" numbers them as they were accepted).
 */
json_t *sink_entries(const struct sink *sink, size_t count);

/* Waits until the sink ends by itself (--connections), and returns its status. */
int await_sink(struct sink *sink);

/* Ends the sink by SIGTERM, and returns its status; from then on its entries are complete. */
int stop_sink(struct sink *sink);

/*
 * "OPENSSL_CONF=...", for an environment: clients that read it accept TLS 1.0
 * and up, at security level 0.
 */
const char *old_tls_allowed(void);

#endif
