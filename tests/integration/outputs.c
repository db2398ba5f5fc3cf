/*
 * Records that go to syslog, the journal or a socket: one datagram each, as the
 * receiver's own protocol has it, and what the receiver does not take is counted
 * and never waited for. The sockets are the tests' own, at their usual places in
 * a mount namespace.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "tests/integration/records.h"
#include "tests/integration/senders.h"

TestSuite(outputs, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

/* Longer than any record with its fields. */
#define DATAGRAM_MAX 16384

static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	cr_assert_lt(strlen(path), sizeof(address.sun_path));
	strcpy(address.sun_path, path);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0, "%s",
		     strerror(errno));
	cr_assert_eq(chmod(path, 0666), 0);
	return fd;
}

/* The next datagram, with a NUL behind it; 0 if there is none. */
static size_t take(int fd, char datagram[DATAGRAM_MAX])
{
	ssize_t got = recv(fd, datagram, DATAGRAM_MAX - 1, MSG_DONTWAIT);

	if (got < 0)
		return 0;
	datagram[got] = '\0';
	return (size_t)got;
}

/* A program where /dev has nothing but what every program needs and `log`, and /run our own. */
static struct program within(const struct program *bare)
{
	static const char script[] = "set -e\n"
				     "mkdir -p \"$1/dev\" \"$1/run\"\n"
				     "for name in null zero random urandom; do\n"
				     "	touch \"$1/dev/$name\"\n"
				     "	mount --bind \"/dev/$name\" \"$1/dev/$name\"\n"
				     "done\n"
				     "mount --rbind \"$1/dev\" /dev\n"
				     "mount --bind \"$1/run\" /run\n"
				     "shift\n"
				     "exec \"$@\"\n";
	struct program program = *bare;
	struct program probe = {.argv = WORDS("unshare", "-m", "true")};

	if (run_program(&probe) != 0)
		cr_skip("no private mount namespace may be made here");
	program.argv = join_words(
		WORDS("unshare", "-m", "sh", test_file("within.sh", script), test_path("")),
		bare->argv);
	return program;
}

static void make_directories(void)
{
	cr_assert_eq(mkdir(test_path("dev"), 0755), 0);
	cr_assert_eq(mkdir(test_path("run"), 0755), 0);
	cr_assert_eq(mkdir(test_path("run/systemd"), 0755), 0);
	cr_assert_eq(mkdir(test_path("run/systemd/journal"), 0755), 0);
}

/* One mail in TLS 1.1, its record to `log`. */
static struct sink *send_one(const char *log)
{
	struct sink *sink = start_sink(WORDS("--tls=1.1"));
	struct program program =
		sender_program(&senders[0], sink, TLS_MODE_STARTTLS,
			       WORDS(text("LD_PRELOAD=%s", realpath(recorder_path(), NULL)),
				     text("TLSWITNESS_LOG=%s", log)));

	program = within(&program);
	cr_assert_eq(run_program(&program), 0, "%s", program.err);
	return sink;
}

static json_t *json_of(const char *line, size_t length, const char *what)
{
	json_error_t error;
	json_t *record = json_loadb(line, length, 0, &error);

	cr_assert_not_null(record, "%s: %s", what, line);
	return record;
}

Test(outputs, syslog_has_messages_of_rfc_5424)
{
	char datagram[DATAGRAM_MAX];
	char host[256];
	size_t handshakes = 0;
	struct sink *sink;
	int fd;

	make_directories();
	fd = listen_at(test_path("dev/log"));
	sink = send_one("syslog:");
	cr_assert_eq(gethostname(host, sizeof(host)), 0);
	for (size_t length; (length = take(fd, datagram)) > 0;) {
		const char *body = strstr(datagram, " - {");
		char timestamp[40];
		char name[256];
		char action[40];
		char pid[24];

		cr_assert_not_null(body, "%s", datagram);
		cr_expect_eq(sscanf(datagram, "<22>1 %39s %255s tlswitness %23s %39s - {",
				    timestamp, name, pid, action),
			     4, "%s", datagram);
		cr_expect_neq(datagram[length - 1], '\n');

		json_t *record =
			json_of(body + 3, length - (size_t)(body + 3 - datagram), "syslog");
		cr_expect_str_eq(timestamp, field(record, "@timestamp"));
		cr_expect_str_eq(name, host);
		cr_expect_str_eq(name, field(record, "host.name"));
		cr_expect_str_eq(pid, text("%lld", number_field(record, "process.pid")));
		cr_expect_str_eq(action, field(record, "event.action"));
		if (strcmp(action, "tls-handshake") != 0)
			continue;
		handshakes++;
		expect_equal_to_entry(record, json_array_get(sink_entries(sink, 1), 0), "syslog");
	}
	cr_expect_eq(handshakes, 1);
	close(fd);
}

/*
 * The value of a field of the journal's native protocol; NULL if there is none.
 * Read as its document says, by nothing of ours.
 */
static const char *journal_field(const char *datagram, size_t length, const char *name,
				 size_t *count)
{
	const char *end = datagram + length;
	const char *found = NULL;

	*count = 0;
	for (const char *at = datagram; at < end;) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));
		const char *equals = line_end ? memchr(at, '=', (size_t)(line_end - at)) : NULL;
		size_t name_length;
		const char *value;
		uint64_t size = 0;

		cr_assert_not_null(line_end, "a field without its end");
		name_length = (size_t)((equals ? equals : line_end) - at);
		cr_expect_eq(strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"), name_length);
		cr_expect_neq(*at, '_');
		cr_expect_leq(name_length, 64);
		if (equals) {
			value = equals + 1;
			size = (uint64_t)(line_end - value);
		} else {
			for (int i = 0; i < 8; i++)
				size |= (uint64_t)(uint8_t)line_end[1 + i] << (8 * i);
			value = line_end + 9;
			cr_assert_leq(size, (uint64_t)(end - value));
		}
		cr_assert_eq(value[size], '\n');
		if (strlen(name) == name_length && memcmp(at, name, name_length) == 0) {
			found = text("%.*s", (int)size, value);
			(*count)++;
		}
		at = value + size + 1;
	}
	return found;
}

static void expect_field(const char *datagram, size_t length, const char *name, const char *value)
{
	size_t count;
	const char *found = journal_field(datagram, length, name, &count);

	cr_expect_eq(count, 1, "%s: %zu", name, count);
	cr_expect(found && strcmp(found, value) == 0, "%s is %s and not %s", name, found, value);
}

Test(outputs, the_journal_has_native_fields)
{
	char datagram[DATAGRAM_MAX];
	size_t handshakes = 0;
	struct sink *sink;
	int fd;

	make_directories();
	fd = listen_at(test_path("run/systemd/journal/socket"));
	sink = send_one("journald:");
	for (size_t length; (length = take(fd, datagram)) > 0;) {
		size_t count;
		const char *message = journal_field(datagram, length, "MESSAGE", &count);
		json_t *record;

		cr_assert_eq(count, 1);
		record = json_of(message, strlen(message), "the journal");
		expect_field(datagram, length, "SYSLOG_IDENTIFIER", "tlswitness");
		expect_field(datagram, length, "PRIORITY", "6");
		expect_field(datagram, length, "EVENT_ACTION", field(record, "event.action"));
		expect_field(datagram, length, "EVENT_ID", field(record, "event.id"));
		if (strcmp(field(record, "event.action"), "tls-handshake") != 0)
			continue;
		handshakes++;
		expect_equal_to_entry(record, json_array_get(sink_entries(sink, 1), 0), "journal");
		expect_field(datagram, length, "TLS_VERSION", "1.1");
		expect_field(datagram, length, "TLSWITNESS_VERDICT", "below-floor");
		expect_field(datagram, length, "DESTINATION_PORT", text("%u", sink->port));
		expect_field(datagram, length, "CODE_STACKTRACE", field(record, "code.stacktrace"));
		cr_expect_not_null(strchr(field(record, "code.stacktrace"), '\n'));
		(void)journal_field(datagram, length, "TLSWITNESS_WITNESS", &count);
		cr_expect_eq(count, 2);
	}
	cr_expect_eq(handshakes, 1);
	close(fd);
}

static bool is_done(void *subject)
{
	const struct program *program = subject;

	return strstr(read_file(program->out_path, NULL), "done") != NULL;
}

struct counts {
	unsigned long sessions;
	unsigned long lost;
};

static struct counts drain(int fd)
{
	struct counts counts = {0};
	char datagram[DATAGRAM_MAX];

	for (size_t length; (length = take(fd, datagram)) > 0;) {
		json_t *record = json_of(datagram, length, "a datagram");

		if (strcmp(field(record, "event.action"), "smtp-session") == 0)
			counts.sessions++;
		if (strcmp(field(record, "event.action"), "records-lost") == 0)
			counts.lost += (unsigned long)number_field(record, "tlswitness.lost");
	}
	return counts;
}

/*
 * A receiver that takes nothing: the queue fills, the host goes on, and what had
 * no room is told to the last record as soon as there is room.
 */
Test(outputs, a_full_socket_stops_nobody_and_losses_are_told)
{
	const char *path = test_path("socket");
	unsigned long queue =
		strtoul(read_file("/proc/sys/net/unix/max_dgram_qlen", NULL), NULL, 10);
	unsigned long sessions = queue + 40;
	struct sink *sink = start_sink(WORDS("--tls=none"));
	const char *go_on = test_path("go-on");
	int fd = listen_at(path);
	struct program program = {
		.argv = WORDS("sh", "-c", "mkfifo \"$0\" && exec \"$@\" <\"$0\"", go_on,
			      "/usr/bin/python3", "tests/scripts/many_sessions.py",
			      text("%u", sink->port), text("%lu", sessions)),
		.env = join_words(WORDS(text("LD_PRELOAD=%s", realpath(recorder_path(), NULL)),
					text("TLSWITNESS_LOG=unix:%s", path),
					text("TLSWITNESS_PORTS=%u", sink->port)),
				  NO_WORDS)};
	struct counts before;
	struct counts after;
	struct program teller = {.argv = WORDS("sh", "-c", "echo >\"$0\"", go_on)};

	start_program(&program);
	/* The shell opens the pipe when somebody writes: this one keeps it open. */
	struct program keeper = {
		.argv = WORDS("sh", "-c",
			      "until [ -p \"$0\" ]; do :; done; exec tail -f /dev/null >\"$0\"",
			      go_on)};
	start_program(&keeper);
	wait_until(is_done, &program, "the sessions");
	before = drain(fd);
	cr_expect_gt(before.sessions, 0);
	cr_expect_lt(before.sessions, sessions);
	cr_expect_eq(before.lost, 0);
	cr_assert_eq(run_program(&teller), 0);
	cr_assert_eq(kill(keeper.pid, SIGTERM), 0);
	cr_expect_eq(end_program(&program), 0, "%s", program.err);
	after = drain(fd);
	cr_expect_eq(after.sessions, 1);
	cr_expect_eq(before.sessions + after.lost, sessions);
	(void)sink_entries(sink, sessions + 1);
	stop_sink(sink);
	close(fd);
}

/* The journal itself, in namespaces of its own: found by the fields, and by nothing else. */
Test(outputs, journalctl_finds_records_by_their_fields)
{
	static const char script[] = "set -e\n"
				     "mount --bind \"$1/run\" /run\n"
				     "mkdir -p /run/log/journal\n"
				     "/lib/systemd/systemd-journald 2>/dev/null &\n"
				     "journald=$!\n"
				     "until [ -S /run/systemd/journal/socket ]; do :; done\n"
				     "shift\n"
				     "\"$@\"\n"
				     "find() { journalctl --sync >/dev/null 2>&1 || true\n"
				     "	journalctl -q -D /run/log/journal -o cat \"$1\"; }\n"
				     "until [ -n \"$(find TLS_VERSION=1.1)\" ]; do :; done\n"
				     "find TLS_VERSION=1.1\n"
				     "find TLS_VERSION=1.0\n"
				     "kill \"$journald\"\n";
	struct program probe = {.argv = WORDS("unshare", "-mpf", "--mount-proc", "true")};
	struct sink *sink = start_sink(WORDS("--tls=1.1"));
	struct program program =
		sender_program(&senders[0], sink, TLS_MODE_STARTTLS,
			       WORDS(text("LD_PRELOAD=%s", realpath(recorder_path(), NULL)),
				     "TLSWITNESS_LOG=journald:"));

	if (run_program(&probe) != 0)
		cr_skip("no namespaces may be made here");
	make_directories();
	program.argv = join_words(WORDS("unshare", "-mpf", "--mount-proc", "sh",
					test_file("journal.sh", script), test_path("")),
				  program.argv);
	cr_assert_eq(run_program(&program), 0, "%s", program.err);
	/* The one line is the record. */
	json_t *record = json_of(program.out, program.out_length, "journalctl");
	expect_equal_to_entry(record, json_array_get(sink_entries(sink, 1), 0), "journalctl");
	stop_sink(sink);
}
