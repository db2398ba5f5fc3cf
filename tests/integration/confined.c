/*
 * Programs that are started without new privileges and behind a filter, as systemd's
 * SystemCallFilter= and Kubernetes' restricted pods do: recorded, held to the floor, and not kept
 * from sending what is above it.
 */
#include <string.h>

#include <criterion/criterion.h>

#include "tests/integration/records.h"
#include "tests/integration/senders.h"

TestSuite(confined, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

struct outcome {
	json_t *entries;
	json_t *records;
	const char *log;
};

static struct outcome send_confined(const struct sender *sender, const char *tls, const char *mode)
{
	struct sink *sink = start_sink(WORDS(text("--tls=%s", tls)));
	const char *log = test_path(text("%u.jsonl", sink->port));
	struct program program = sender_program(sender, sink, TLS_MODE_STARTTLS, NO_WORDS);
	/* env comes in between, so that only the sender has the recorder. */
	const char *const confined[] = {program_path("confined"),
					"env",
					text("LD_PRELOAD=%s", recorder_path()),
					text("TLSWITNESS_LOG=%s", log),
					text("TLSWITNESS_MODE=%s", mode),
					text("TLSWITNESS_PORTS=%u", sink->port),
					NULL};

	program.argv = join_words(confined, program.argv);
	run_program(&program);
	stop_sink(sink);
	return (struct outcome){read_json_lines(sink->log), records_of(log, "tls-handshake"),
				read_file(log, NULL)};
}

static bool any_mail(const json_t *entries)
{
	for (size_t i = 0; i < json_array_size(entries); i++) {
		if (json_is_true(json_object_get(json_array_get(entries, i), "mail")))
			return true;
	}
	return false;
}

Test(confined, each_sender_is_recorded_and_delivers)
{
	static const char *const modes[] = {"audit", "enforce"};

	for (size_t i = 0; i < senders_count; i++) {
		for (size_t k = 0; k < 2; k++) {
			struct outcome outcome = send_confined(&senders[i], "1.3", modes[k]);
			const json_t *record = json_array_get(outcome.records, 0);

			cr_expect(any_mail(outcome.entries), "%s, %s", senders[i].name, modes[k]);
			cr_expect_eq(json_array_size(outcome.records), 1, "%s, %s: %s",
				     senders[i].name, modes[k], outcome.log);
			cr_expect_str_eq(field(record, "tls.version"), "1.3", "%s, %s",
					 senders[i].name, modes[k]);
		}
	}
}

Test(confined, the_floor_holds)
{
	for (size_t i = 0; i < senders_count; i++) {
		struct outcome outcome = send_confined(&senders[i], "1.0", "enforce");

		cr_expect_not(any_mail(outcome.entries), "%s", senders[i].name);
		cr_expect_eq(json_array_size(outcome.records), 1, "%s: %s", senders[i].name,
			     outcome.log);
		cr_expect_str_eq(field(json_array_get(outcome.records, 0), "tlswitness.verdict"),
				 "refused", "%s", senders[i].name);
	}
}

/* Given to a process within its sandbox: a file, and a session with a server. */
static const char handed_in[] =
	"import ctypes, os, socket, struct, sys\n"
	"ours, theirs = socket.socketpair()\n"
	"if os.fork() == 0:\n"
	"    libc = ctypes.CDLL(None)\n"
	"    allow = ctypes.create_string_buffer(struct.pack('HBBI', 6, 0, 0, 0x7fff0000))\n"
	"    filter = ctypes.create_string_buffer(struct.pack('HP', 1, ctypes.addressof(allow)))\n"
	"    assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS\n"
	"    assert libc.prctl(22, 2, filter) == 0  # PR_SET_SECCOMP\n"
	"    _, (file, session), _, _ = socket.recv_fds(theirs, 1, 2)\n"
	"    print(os.read(file, 5), os.read(file, 100))\n"
	"    try:\n"
	"        os.read(session, 200)\n"
	"        os.write(session, b'EHLO example.org\\r\\n')\n"
	"        print('answered' if os.read(session, 200) else 'ended')\n"
	"    except OSError:\n"
	"        print('ended')\n"
	"    sys.stdout.flush()\n"
	"    os._exit(0)\n"
	"session = socket.create_connection(('127.0.0.1', int(sys.argv[2])))\n"
	"with open(sys.argv[1]) as file:\n"
	"    socket.send_fds(ours, [b'x'], [file.fileno(), session.fileno()])\n"
	"os.wait()\n";

/* Nothing can be asked there, and no memory be had: what is read decides nothing, what is sent
 * does.
 */
Test(confined, a_file_that_is_handed_in_is_read_and_a_session_is_not)
{
	static const char *const contents[] = {"<h1>A page</h1>\n", "554 rows\n"};
	const char *script = test_file("handed_in.py", handed_in);

	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
		const char *path = test_file("handed_in.txt", contents[i]);
		struct program alone = {0};

		for (int recorded = 0; recorded < 2; recorded++) {
			struct sink *sink = start_sink(WORDS("--tls=1.2"));
			struct program program = {
				.argv = join_words(WORDS("/usr/bin/python3", script, path,
							 text("%u", sink->port)),
						   NO_WORDS)};

			if (recorded)
				program.env = join_words(
					WORDS(text("LD_PRELOAD=%s", recorder_path()),
					      text("TLSWITNESS_LOG=%s", test_path("handed_in.log")),
					      "TLSWITNESS_MODE=enforce",
					      "TLSWITNESS_PLAINTEXT=refuse"),
					NO_WORDS);
			run_program(&program);
			const json_t *entry = json_array_get(sink_entries(sink, 1), 0);

			stop_sink(sink);
			cr_assert_eq(program.status, 0, "%s", program.err);
			cr_expect_eq(json_is_true(json_object_get(entry, "ehlo")), !recorded, "%s",
				     contents[i]);
			if (!recorded)
				alone = program;
			else
				cr_expect(strncmp(program.out, alone.out,
						  strcspn(alone.out, "\n") + 1) == 0,
					  "%s: %s%s", contents[i], program.out, program.err);
		}
	}
}

/* Within its sandbox: a session whose greeting does not say what it speaks. */
static const char undecided[] =
	"import ctypes, os, socket, struct, sys\n"
	"ours, theirs = socket.socketpair()\n"
	"if os.fork() == 0:\n"
	"    ours.close()\n"
	"    libc = ctypes.CDLL(None)\n"
	"    allow = ctypes.create_string_buffer(struct.pack('HBBI', 6, 0, 0, 0x7fff0000))\n"
	"    filter = ctypes.create_string_buffer(struct.pack('HP', 1, ctypes.addressof(allow)))\n"
	"    assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS\n"
	"    assert libc.prctl(22, 2, filter) == 0  # PR_SET_SECCOMP\n"
	"    _, (session,), _, _ = socket.recv_fds(theirs, 1, 1)\n"
	"    for call in [lambda: os.read(session, int(sys.argv[1])),\n"
	"                 lambda: os.write(session, b'NOOP\\r\\n'),\n"
	"                 lambda: os.write(session, b'EHLO example.org\\r\\n')]:\n"
	"        try:\n"
	"            call()\n"
	"        except OSError:\n"
	"            pass\n"
	"    os._exit(0)\n"
	"theirs.close()\n"
	"listener = socket.create_server(('127.0.0.1', 0))\n"
	"session = socket.create_connection(listener.getsockname())\n"
	"server, _ = listener.accept()\n"
	"server.sendall(b'220 ready\\r\\n')\n"
	"socket.send_fds(ours, [b'x'], [session.fileno()])\n"
	"session.close()\n"
	"got = b''\n"
	"try:\n"
	"    while some := server.recv(100):\n"
	"        got += some\n"
	"except ConnectionResetError:  # what it has not read is nobody's any more\n"
	"    pass\n"
	"print(got)\n"
	"os.wait()\n";

/* What may yet be mail is not let go on: nothing could tell later, and a NOOP is no answer. */
Test(confined, a_greeting_that_tells_nothing_lets_nothing_out)
{
	const char *script = test_file("undecided.py", undecided);
	static const char *const at_once[] = {"1", "200"};

	for (size_t i = 0; i < 4; i++) {
		const bool recorded = i >= 2;
		struct program program = {
			.argv = join_words(WORDS("/usr/bin/python3", script, at_once[i % 2]),
					   NO_WORDS)};

		if (recorded)
			program.env = join_words(
				WORDS(text("LD_PRELOAD=%s", recorder_path()),
				      text("TLSWITNESS_LOG=%s", test_path("undecided.log")),
				      "TLSWITNESS_MODE=enforce", "TLSWITNESS_PLAINTEXT=refuse"),
				NO_WORDS);
		cr_assert_eq(run_program(&program), 0, "%s", program.err);
		cr_expect_str_eq(program.out,
				 recorded ? "b''\n" : "b'NOOP\\r\\nEHLO example.org\\r\\n'\n",
				 "%s at once, %s", at_once[i % 2], recorded ? "enforce" : "bare");
	}
}
