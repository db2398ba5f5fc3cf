/*
 * Under load: connections and settings that race, in the shapes of real
 * servers, bare and recorded. Nothing crashes or hangs (each program has the
 * harness's deadline), what is printed and answered is the same, and every
 * connection has its one record.
 *
 * TLSWITNESS_TEST_SECONDS makes each of them last longer.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <criterion/logging.h>

#include "tests/integration/daemons.h"
#include "tests/integration/records.h"

TestSuite(load, .init = harness_begin, .fini = harness_end, .timeout = 900);

#define DIRECTORY     "tests/scripts/load"
#define ROUND_SECONDS 20 /* well within the harness's deadline */

struct scene {
	struct sink *sink;
	const char *log; /* the recorder's; NULL: bare */
};

/* What the programs of a scene printed, and what came of their connections. */
struct outcome {
	const char *out;
	json_t *entries;
	json_t *records;
};

typedef const char *(*play)(const struct scene *scene, int seconds);

static int seconds_wanted(void)
{
	const char *wanted = getenv("TLSWITNESS_TEST_SECONDS");

	int seconds = wanted ? (int)strtol(wanted, NULL, 10) : 0;

	return seconds > 0 ? seconds : 3;
}

static const char *whole_path(const char *name)
{
	char *path = realpath(text("%s/%s", DIRECTORY, name), NULL);
	const char *kept;

	cr_assert_not_null(path, "%s is there", name);
	kept = text("%s", path);
	free(path);
	return kept;
}

static const char *const *environment(const struct scene *scene)
{
	if (!scene->log)
		return join_words(WORDS("PYTHONDONTWRITEBYTECODE=1"), NO_WORDS);
	return join_words(WORDS("PYTHONDONTWRITEBYTECODE=1", text("LD_PRELOAD=%s", recorder_path()),
				text("TLSWITNESS_LOG=%s", scene->log),
				text("TLSWITNESS_PORTS=%u", scene->sink->port)),
			  NO_WORDS);
}

static size_t port_at(const json_t *objects, size_t index, const char *key)
{
	long long port = number_field(json_array_get(objects, index), key);

	return port > 0 && port <= UINT16_MAX ? (size_t)port : 0;
}

/* In so many a port comes again: then as often in the records as in the entries. */
static void expect_one_record_of_each(const struct outcome *outcome)
{
	static int balance[UINT16_MAX + 1];

	memset(balance, 0, sizeof(balance));
	cr_expect_eq(json_array_size(outcome->records), json_array_size(outcome->entries),
		     "%zu records of %zu connections", json_array_size(outcome->records),
		     json_array_size(outcome->entries));
	for (size_t i = 0; i < json_array_size(outcome->entries); i++)
		balance[port_at(outcome->entries, i, "peer_port")]++;
	for (size_t i = 0; i < json_array_size(outcome->records); i++)
		balance[port_at(outcome->records, i, "source.port")]--;
	for (size_t i = 0; i <= UINT16_MAX; i++)
		cr_expect_eq(balance[i], 0, "port %zu: %d", i, balance[i]);
}

/* Once for each place and words in a process. */
static void expect_settings_once(const json_t *settings)
{
	json_t *seen = json_object();

	cr_expect_gt(json_array_size(settings), 0);
	for (size_t i = 0; i < json_array_size(settings); i++) {
		const json_t *record = json_array_get(settings, i);
		const char *key =
			text("%lld %s %s:%lld", number_field(record, "process.pid"),
			     field(record, "tlswitness.setting"), field(record, "code.file.path"),
			     number_field(record, "code.line.number"));

		cr_expect_null(json_object_get(seen, key), "twice: %s", key);
		json_object_set_new(seen, key, json_true());
	}
	json_decref(seen);
}

static struct outcome watch(play play, const char *log, int seconds)
{
	struct scene scene = {start_sink(WORDS("--tls=1.2..1.3", "--implicit")), log};
	struct outcome outcome = {.out = play(&scene, seconds)};

	cr_assert_eq(stop_sink(scene.sink), 0);
	outcome.entries = read_json_lines(scene.sink->log);
	return outcome;
}

static void compare(play play)
{
	const char *log = test_path("log.jsonl");
	struct outcome bare = watch(play, NULL, 1);
	struct outcome recorded;

	/* Also for workers of other users. */
	cr_assert_eq(chmod(test_file("log.jsonl", ""), 0666), 0);
	recorded = watch(play, log, seconds_wanted());
	recorded.records = records_of(log, "tls-handshake");
	cr_expect_str_eq(recorded.out, bare.out);
	cr_expect_gt(json_array_size(recorded.entries), 0);
	expect_one_record_of_each(&recorded);
	expect_settings_once(records_of(log, "protocol-setting"));
	cr_expect_eq(json_array_size(records_of(log, "records-lost")), 0);
	cr_log_info("%zu connections in %d s, %zu settings", json_array_size(recorded.entries),
		    seconds_wanted(), json_array_size(records_of(log, "protocol-setting")));
}

static int next_round(int left)
{
	return left < ROUND_SECONDS ? left : ROUND_SECONDS;
}

/* ---- a program with threads ---- */

static const char *threads(const struct scene *scene, int seconds)
{
	const char *out = "";

	for (int left = seconds; left > 0; left -= ROUND_SECONDS) {
		struct program program = {
			.argv = WORDS("/usr/bin/python3", whole_path("threads.py"), "127.0.0.1",
				      text("%u", scene->sink->port), text("%d", next_round(left))),
			.env = environment(scene)};

		cr_assert_eq(run_program(&program), 0, "%d: %s", program.status, program.err);
		cr_expect(!*out || strcmp(out, program.out) == 0, "%s%s", out, program.out);
		out = text("%s%s", program.out, program.err);
	}
	return out;
}

Test(load, python_threads)
{
	compare(threads);
}

/* ---- servers whose workers send mail while they answer ---- */

static bool is_there(void *path)
{
	return access(path, F_OK) == 0;
}

static const char *ask(const struct scene *scene, struct program *server, const char *kind,
		       const char *socket, const char *script, int seconds)
{
	const char *out = "";

	start_program(server);
	wait_until(is_there, (void *)socket, "the server's socket");
	for (int left = seconds; left > 0; left -= ROUND_SECONDS) {
		struct program client = {
			.argv = WORDS("/usr/bin/python3", whole_path("requests.py"), kind, socket,
				      text("host=127.0.0.1&port=%u", scene->sink->port),
				      text("%d", next_round(left)), script)};

		cr_assert_eq(run_program(&client), 0, "%s", client.err);
		cr_expect(!*out || strcmp(out, client.out) == 0, "%s%s", out, client.out);
		out = text("%s", client.out);
	}
	cr_assert_eq(kill(server->pid, SIGTERM), 0);
	end_program(server);
	unlink(socket);
	return out;
}

static const char *gunicorn(const struct scene *scene, int seconds)
{
	const char *socket = test_path("gunicorn.sock");
	struct program server = {.argv = WORDS("/usr/bin/gunicorn", "--workers", "2", "--threads",
					       "4", "--bind", text("unix:%s", socket), "--chdir",
					       DIRECTORY, "wsgi_app:application"),
				 .env = environment(scene)};
	const char *out = ask(scene, &server, "http", socket, "", seconds);

	cr_expect_null(strstr(server.err, "was sent SIG"), "a worker died: %s", server.err);
	return out;
}

Test(load, gunicorn)
{
	compare(gunicorn);
}

static const char *php_fpm(const struct scene *scene, int seconds)
{
	const char *socket = test_path("fpm.sock");
	const char *log = test_path("fpm.err");
	const char *settings = test_file(
		"fpm.conf", text("[global]\nerror_log = %s\ndaemonize = no\n[www]\nuser = root\n"
				 "group = root\nlisten = %s\npm = static\npm.max_children = 3\n"
				 "pm.max_requests = 50\n",
				 log, socket));
	struct program server = {.argv = WORDS(php_fpm_path(), "-R", "-y", settings),
				 .env = environment(scene)};
	const char *out =
		ask(scene, &server, "fastcgi", socket, whole_path("request.php"), seconds);

	cr_expect_null(strstr(read_file(log, NULL), "exited on signal"), "%s",
		       read_file(log, NULL));
	return out;
}

Test(load, php_fpm)
{
	compare(php_fpm);
}
