/*
 * Is a program that moves bytes the same with the recorder in it? The same
 * results, errors, bytes and descriptor numbers, call for call; one record
 * whichever process does the handshake; no data race of ours.
 */
#include <string.h>

#include <criterion/criterion.h>

#include "tests/integration/mailers.h"
#include "tests/integration/records.h"
#include "tests/integration/trial.h"

TestSuite(transparency, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

static const char transparency[] = "build/programs/transparency";

/* Both at once: the output depends on the arguments alone. */
static void compare(unsigned seed, unsigned megabytes)
{
	struct program bare = {
		.argv = WORDS(transparency, text("%u", seed), text("%u", megabytes))};
	struct program watched = preloaded(&bare, test_path(text("%u.jsonl", seed)), NO_WORDS);

	start_program(&bare);
	start_program(&watched);
	cr_expect_eq(end_program(&bare), 0, "%s", bare.err);
	cr_expect_eq(end_program(&watched), 0, "%s", watched.err);
	cr_expect_str_eq(watched.out, bare.out, "seed %u", seed);
	cr_expect_str_eq(watched.err, bare.err, "seed %u", seed);
}

Test(transparency, a_gigabyte_by_every_call_in_every_form)
{
	compare(1, 1024);
}

Test(transparency, other_orders_of_the_same_calls)
{
	for (unsigned seed = 2; seed < 8; seed++)
		compare(seed, 48);
}

static size_t occurrences(const char *string, const char *part)
{
	size_t count = 0;

	for (const char *found = string; (found = strstr(found, part)) != NULL; found++)
		count++;
	return count;
}

/*
 * The program races over its descriptors, which is what it is for, and
 * ThreadSanitizer says so of each; of memory it must say nothing. A write to a
 * number that another thread has closed goes to whatever was opened under it
 * since, the log too: what is no record there is the program's own.
 */
Test(transparency, connects_copies_closes_and_reads_that_race)
{
	const char *log = test_path("racing.jsonl");
	struct program racing = {.argv = WORDS("build/tsan/racing", "20000"),
				 .env = WORDS(text("TLSWITNESS_LOG=%s", log))};

	run_program(&racing);
	cr_expect(racing.status == 0 || racing.status == 66, "status %d", racing.status);
	cr_expect_eq(occurrences(racing.err, "WARNING: ThreadSanitizer"),
		     occurrences(racing.err, "Location is file descriptor"), "%s", racing.err);
	/* It was there, and at work. */
	cr_expect_neq(occurrences(read_file(log, NULL), "\"event.action\":\"plaintext-mail\""), 0);
}

/* ---- descriptors that were opened elsewhere ---- */

static const char handshake_over[] =
	"import os, socket, ssl, sys\n"
	"def shake(fd):\n"
	"    context = ssl.create_default_context(cafile=sys.argv[2])\n"
	"    tls = context.wrap_socket(socket.socket(fileno=fd), server_hostname='localhost')\n"
	"    tls.recv(100)\n"
	"    tls.sendall(b'EHLO client\\r\\n')\n"
	"    tls.recv(1000)\n"
	"    tls.sendall(b'QUIT\\r\\n')\n"
	"    tls.close()\n";

/* A Python program that knows shake() above, run to its end against a sink; its one record. */
static const json_t *handshake_by(const char *script)
{
	struct sink *sink = start_sink(WORDS("--tls=1.3", "--implicit"));
	const char *log = test_path("inherited.jsonl");
	struct program bare = {
		.argv = WORDS("/usr/bin/python3",
			      test_file("inherited.py", text("%s%s", handshake_over, script)),
			      text("%u", sink->port), sink->certificate)};
	struct program program =
		preloaded(&bare, log, WORDS(text("TLSWITNESS_PORTS=%u", sink->port)));

	cr_assert_eq(run_program(&program), 0, "%s", program.err);
	json_t *entries = sink_entries(sink, 1);
	json_t *records = records_of_connections(log);
	cr_assert_eq(json_array_size(records), 1, "%s", read_file(log, NULL));
	expect_equal_to_entry(json_array_get(records, 0), json_array_get(entries, 0), "it");
	cr_expect_eq(number_field(json_array_get(records, 0), "process.pid"),
		     (long long)number_after(program.out, "handshake by "));
	return json_array_get(records, 0);
}

Test(transparency, a_connection_inherited_over_exec)
{
	handshake_by("if len(sys.argv) > 3:\n"
		     "    print('handshake by', os.getpid())\n"
		     "    shake(5)\n"
		     "else:\n"
		     "    s = socket.create_connection(('localhost', int(sys.argv[1])))\n"
		     "    os.dup2(s.fileno(), 5)\n"
		     "    os.set_inheritable(5, True)\n"
		     "    os.execv(sys.executable, [sys.executable] + sys.argv + ['again'])\n");
}

/* In the clear nothing but the look at the start can tell; it is one call for 64 descriptors. */
static void send_over_inherited(unsigned fd, unsigned limit)
{
	struct sink *sink = start_sink(WORDS("--tls=none"));
	const char *log = test_path(text("inherited%u.jsonl", fd));
	const char *script = test_file(
		text("inherited%u.py", fd),
		text("import os, resource, socket, sys\n"
		     "if len(sys.argv) > 2:\n"
		     "    s = socket.socket(fileno=%u)\n"
		     "    s.recv(100)\n"
		     "    for line in b'EHLO x', b'MAIL FROM:<a@b>', b'QUIT':\n"
		     "        s.sendall(line + b'\\r\\n')\n"
		     "        s.recv(1000)\n"
		     "else:\n"
		     "    s = socket.create_connection(('localhost', int(sys.argv[1])))\n"
		     "    os.dup2(s.fileno(), %u)\n"
		     "    resource.setrlimit(resource.RLIMIT_NOFILE, (%u, %u))\n"
		     "    os.execv(sys.executable, [sys.executable] + sys.argv + ['again'])\n",
		     fd, fd, limit, limit));
	struct program bare = {.argv = WORDS("/usr/bin/python3", script, text("%u", sink->port))};
	struct program program =
		preloaded(&bare, log, WORDS(text("TLSWITNESS_PORTS=%u", sink->port)));

	cr_assert_eq(run_program(&program), 0, "%s", program.err);
	cr_expect_eq(json_array_size(records_of(log, "plaintext-mail")), 1, "%u of %u: %s", fd,
		     limit, read_file(log, NULL));
	stop_sink(sink);
}

Test(transparency, a_connection_inherited_wherever_it_is)
{
	send_over_inherited(5, 1024);
	send_over_inherited(70, 1024);
	send_over_inherited(30, 40); /* fewer descriptors than are asked about at once */
}

Test(transparency, a_connection_passed_to_another_process)
{
	handshake_by("ours, theirs = socket.socketpair()\n"
		     "if os.fork() == 0:\n"
		     "    fd = socket.recv_fds(theirs, 1, 1)[1][0]\n"
		     "    print('handshake by', os.getpid(), flush=True)\n"
		     "    shake(fd)\n"
		     "    os._exit(0)\n"
		     "s = socket.create_connection(('localhost', int(sys.argv[1])))\n"
		     "socket.send_fds(ours, [b'x'], [s.fileno()])\n"
		     "s.close()\n"
		     "sys.exit(os.wait()[1])\n");
}

Test(transparency, a_connection_shared_with_a_child)
{
	handshake_by("s = socket.create_connection(('localhost', int(sys.argv[1])))\n"
		     "if os.fork() == 0:\n"
		     "    print('handshake by', os.getpid(), flush=True)\n"
		     "    shake(s.detach())\n"
		     "    os._exit(0)\n"
		     "status = os.wait()[1]\n"
		     "s.close()\n"
		     "sys.exit(status)\n");
}

Test(transparency, a_child_that_closes_what_its_parent_still_uses)
{
	handshake_by("s = socket.create_connection(('localhost', int(sys.argv[1])))\n"
		     "if os.fork() == 0:\n"
		     "    s.close()\n"
		     "    os._exit(0)\n"
		     "status = os.wait()[1]\n"
		     "print('handshake by', os.getpid(), flush=True)\n"
		     "shake(s.detach())\n"
		     "sys.exit(status)\n");
}
