/*
 * Whose line of code: scripts of the shapes that people write, run by real
 * interpreters, each with its line and function marked by a comment,
 * "HERE function", which the record must name.
 */
#include <glob.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "tests/integration/daemons.h"
#include "tests/integration/harness.h"

TestSuite(origin, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

#define DIRECTORY "tests/scripts/origin"

/* Debian's own: another python3 may be first in PATH. */
#define PYTHON WORDS("/usr/bin/python3")
#define PHP    WORDS("php")
#define RUBY   WORDS("ruby")
#define PERL   WORDS("perl")

/* One program and the places that its records must name. */
struct run {
	const char *const *interpreter;
	const char *script;       /* in DIRECTORY, or a path */
	const char *const *extra; /* arguments after host and port */
	bool implicit;
};

struct place {
	const char *file;
	json_int_t line;
	const char *function; /* "" if the record must have none */
};

static const char *script_path(const struct run *run)
{
	char *path;
	const char *kept;

	if (run->script[0] == '/')
		return run->script;
	path = realpath(text("%s/%s", DIRECTORY, run->script), NULL);
	cr_assert_not_null(path, "%s is there", run->script);
	kept = text("%s", path);
	free(path);
	return kept;
}

/* The marked line of a script. */
static struct place marked_place(const struct run *run)
{
	const char *path = script_path(run);
	const char *content = read_file(path, NULL);
	const char *mark = strstr(content, " HERE");
	struct place place = {.file = path, .line = 1, .function = ""};

	cr_assert_not_null(mark, "%s has a mark", path);
	for (const char *c = content; c < mark; c++)
		place.line += *c == '\n';
	mark += strlen(" HERE");
	if (*mark == ' ')
		place.function = text("%.*s", (int)strcspn(mark + 1, "\n"), mark + 1);
	if (strstr(run->interpreter[0], "python") != NULL)
		place.function = python_function(run->interpreter[0], place.function);
	return place;
}

static const char *const *environment(const struct sink *sink, const char *log)
{
	char *directory = realpath(DIRECTORY, NULL);
	const char *base;

	cr_assert_not_null(directory);
	base = text("%s", directory);
	free(directory);
	return join_words(WORDS(text("LD_PRELOAD=%s", recorder_path()),
				text("TLSWITNESS_LOG=%s", log),
				text("TLSWITNESS_PORTS=%u", sink->port),
				text("PYTHONPATH=%s/site-packages", base),
				text("RUBYLIB=%s/gems/acme_mail-1.2.0/lib", base),
				text("PERL5LIB=%s/perl5/lib/perl5", base)),
			  /* Newer frameworks check the certificate and can't be told not to. */
			  WORDS("PYTHONDONTWRITEBYTECODE=1", "RUBYOPT=-W0",
				text("SSL_CERT_FILE=%s", sink->certificate)));
}

static struct sink *sink_for(const struct run *run)
{
	return start_sink(run->implicit ? WORDS("--tls=1.2..1.3", "--implicit")
					: WORDS("--tls=1.2..1.3"));
}

static json_t *handshakes_in(const char *log)
{
	json_t *found = json_array();
	json_t *record;
	size_t index;

	json_array_foreach (read_json_lines(log), index, record) {
		if (strcmp(field(record, "event.action"), "tls-handshake") == 0)
			json_array_append(found, record);
	}
	return found;
}

/* The records of a run's handshakes. */
static json_t *handshakes(const struct run *run)
{
	struct sink *sink = sink_for(run);
	const char *log = test_path(text("%u.log", sink->port));
	struct program program = {
		.argv = join_words(join_words(run->interpreter, WORDS(script_path(run), "127.0.0.1",
								      text("%u", sink->port))),
				   run->extra ? run->extra : NO_WORDS),
		.env = environment(sink, log),
	};
	json_t *found;

	cr_assert_eq(run_program(&program), 0, "%s %s: %s%s", run->interpreter[0], run->script,
		     program.out, program.err);
	found = handshakes_in(log);
	stop_sink(sink);
	return found;
}

/* From PHP 8.4 on a closure is named by where it is: "{closure:Batch::send():9}". */
static bool is_function(const char *recorded, const char *expected)
{
	const char *closure = strstr(recorded, "{closure:");

	if (closure == NULL)
		return strcmp(recorded, expected) == 0;
	return strncmp(recorded, expected, (size_t)(closure - recorded)) == 0 &&
	       strcmp(expected + (closure - recorded), "{closure}") == 0;
}

static void expect_place(const json_t *record, const struct run *run, struct place place)
{
	const char *who = text("%s %s", run->interpreter[0], run->script);

	cr_expect_str_eq(field(record, "code.file.path"), place.file, "%s", who);
	cr_expect_eq(json_integer_value(json_object_get(record, "code.line.number")), place.line,
		     "%s: line %lld, not %lld", who,
		     (long long)json_integer_value(json_object_get(record, "code.line.number")),
		     (long long)place.line);
	cr_expect(is_function(field(record, "code.function.name"), place.function), "%s: %s", who,
		  field(record, "code.function.name"));
}

/* Every handshake of the run is made by the marked line. */
static void expect_marked(const struct run *run)
{
	const struct place place = marked_place(run);
	json_t *records = handshakes(run);
	json_t *record;
	size_t index;

	cr_assert_gt(json_array_size(records), 0, "%s %s: no handshake was recorded",
		     run->interpreter[0], run->script);
	json_array_foreach (records, index, record)
		expect_place(record, run, place);
	json_decref(records);
}

static void expect_all_marked(const char *const interpreter[], const char *const scripts[])
{
	for (; *scripts; scripts++)
		expect_marked(&(struct run){.interpreter = interpreter, .script = *scripts});
}

Test(origin, python)
{
	expect_all_marked(PYTHON, WORDS("helper_class.py", "package.py", "generator.py", "retry.py",
					"evaluated.py", "closure.py", "threads.py"));
	expect_marked(
		&(struct run){.interpreter = PYTHON, .script = "implicit.py", .implicit = true});
}

Test(origin, python_frameworks)
{
	expect_all_marked(PYTHON, WORDS("django_send_mail.py", "asyncio_client.py",
					"uvloop_client.py", "gevent_client.py"));
}

/* The interpreter's checks of itself: a lost reference or exception ends it. */
Test(origin, python_development_mode)
{
	expect_all_marked(WORDS("/usr/bin/python3", "-X", "dev", "-W", "error"),
			  WORDS("helper_class.py", "retry.py", "generator.py", "threads.py"));
}

static bool can_run(const char *path)
{
	return access(path, X_OK) == 0;
}

/* Builds of other versions, where a developer has them. */
Test(origin, python_builds)
{
	static const char *const versions[] = {"3.8.18", "3.9.18", "3.10.13",
					       "3.11.7", "3.12.1", "3.13.0"};
	const char *home = getenv("HOME") ? getenv("HOME") : "";
	unsigned found = 0;

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		const char *path = text("%s/.pyenv/versions/%s/bin/python3", home, versions[i]);
		const char *scripts[] = {"helper_class.py", "threads.py", "generator.py"};

		for (size_t k = 0; can_run(path) && k < sizeof(scripts) / sizeof(scripts[0]); k++) {
			expect_marked(
				&(struct run){.interpreter = WORDS(path), .script = scripts[k]});
			found++;
		}
	}
	if (found == 0)
		cr_skip("no other Python is here");
}

/* Packages of a virtual environment are installed ones, in the project's own tree. */
Test(origin, python_virtual_environment)
{
	const char *venv = test_path("project/venv");
	const char *const make[] = {"/usr/bin/python3", "-m", "venv", "--without-pip", venv, NULL};
	struct program venv_program = {.argv = make};
	glob_t packages;
	struct run run = {.interpreter = WORDS(text("%s/bin/python3", venv))};

	cr_assert_eq(run_program(&venv_program), 0, "%s%s", venv_program.out, venv_program.err);
	cr_assert_eq(glob(text("%s/lib/python3.*/site-packages", venv), 0, NULL, &packages), 0);
	test_file(text("%s/in_venv.py", packages.gl_pathv[0] + strlen(test_path(""))),
		  "import acme_mail\n\ndef connect(host, port):\n"
		  "    return acme_mail.connect(host, port)\n");
	globfree(&packages);
	run.script = test_file("project/app.py",
			       "import sys\nimport in_venv\n\n"
			       "def main():\n"
			       "    in_venv.connect(*sys.argv[1:]).quit()  # HERE main\n"
			       "\nmain()\n");
	expect_marked(&run);
}

/* Names as nobody writes them make valid records: read_json_lines() has checked that. */
Test(origin, python_odd_names)
{
	struct run run = {.interpreter = PYTHON, .script = "odd_names.py"};
	json_t *records = handshakes(&run);
	static const char *const files[] = {"/srv/\x1b[31m\n\t.py",
					    "/srv/\xef\xbf\xbd\xef\xbf\xbd.py", "/srv/\\ud800.py"};
	const char *file;

	cr_assert_eq(json_array_size(records), 5);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		cr_expect_str_eq(field(json_array_get(records, i), "code.file.path"), files[i]);
	cr_expect_str_eq(field(json_array_get(records, 0), "code.function.name"), "caf\u00e9");
	file = field(json_array_get(records, 3), "code.file.path");
	cr_expect(strlen(file) > 200 && strstr(file, "xxx/end.py"), "the end is kept: %s", file);
	cr_expect_str_eq(field(json_array_get(records, 4), "code.file.path"), script_path(&run));
	json_decref(records);
}

Test(origin, php)
{
	expect_all_marked(PHP, WORDS("helper_class.php", "stream.php", "closure.php",
				     "generator.php", "retry.php", "evaluated.php"));
}

Test(origin, php_fiber)
{
	struct program has_fibers = {
		.argv = WORDS("php", "-r", "exit(class_exists('Fiber') ? 0 : 1);")};

	if (run_program(&has_fibers) != 0)
		cr_skip("a PHP before 8.1 has no fibers");
	expect_all_marked(PHP, WORDS("fiber.php"));
}

Test(origin, php_opcache)
{
	expect_all_marked(WORDS("php", "-d", "opcache.enable_cli=1", "-d", "opcache.jit=tracing",
				"-d", "opcache.jit_buffer_size=16M"),
			  WORDS("helper_class.php", "closure.php", "generator.php"));
}

Test(origin, php_mailers)
{
	static const char *const parts[] = {"Exception", "SMTP", "PHPMailer"};

	expect_all_marked(PHP, WORDS("symfony_mailer.php"));
	cr_assert_eq(mkdir(test_path("inc"), 0700), 0);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		const char *source = text("/usr/share/php/libphp-phpmailer/src/%s.php", parts[i]);

		test_file(text("inc/%s.php", parts[i]), read_file(source, NULL));
	}
	expect_marked(&(struct run){
		.interpreter = PHP, .script = "phpmailer.php", .extra = WORDS(test_path("inc"))});
}

Test(origin, perl)
{
	expect_all_marked(PERL, WORDS("helper_class.pl", "top.pl", "chunks.pl", "closure.pl",
				      "evaluated.pl", "retry.pl", "threads.pl"));
}

Test(origin, perl_taint_mode)
{
	char *library = realpath(DIRECTORY "/perl5/lib/perl5", NULL);

	cr_assert_not_null(library);
	/* -T does not read PERL5LIB */
	expect_all_marked(WORDS("perl", "-T", text("-I%s", library)),
			  WORDS("helper_class.pl", "retry.pl"));
	free(library);
}

static const char *output(const struct run *run, bool recorded)
{
	struct sink *sink = sink_for(run);
	const char *log = test_path(text("%u.log", sink->port));
	const char *const *env = environment(sink, log);
	struct program program = {
		.argv = join_words(run->interpreter,
				   WORDS(script_path(run), "127.0.0.1", text("%u", sink->port))),
		.env = recorded ? env : join_words(env, WORDS("LD_PRELOAD")),
	};

	cr_assert_eq(run_program(&program), 0, "%s: %s%s", run->script, program.out, program.err);
	stop_sink(sink);
	return text("%s%s", program.out, program.err);
}

/* $@, $_, $1 and the numbers of its evals: the script prints them, and what it prints is the same.
 */
Test(origin, perl_keeps_its_state)
{
	static const char *const scripts[] = {"retry.pl", "evaluated.pl", "helper_class.pl"};

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		const struct run run = {.interpreter = PERL, .script = scripts[i]};

		cr_expect_str_eq(output(&run, true), output(&run, false), "%s", scripts[i]);
	}
}

Test(origin, ruby)
{
	expect_all_marked(RUBY, WORDS("helper_class.rb", "top.rb", "closure.rb", "retry.rb",
				      "threads.rb", "evaluated.rb"));
}

/*
 * Servers whose workers send mail while they answer. They were forked from a
 * process that had loaded the recorder, and answer one request after the other.
 */
#define REQUESTS 12

static bool is_there(void *path)
{
	return access(path, F_OK) == 0;
}

static const char *query_for(const struct sink *sink)
{
	return text("host=127.0.0.1&port=%u", sink->port);
}

/* Every request made one handshake, by the marked line. */
static void expect_requests(struct program *server, const struct run *run, const char *log)
{
	const struct place place = marked_place(run);
	json_t *records;
	json_t *record;
	size_t index;

	cr_assert_eq(kill(server->pid, SIGTERM), 0);
	end_program(server);
	records = handshakes_in(log);
	cr_expect_eq(json_array_size(records), REQUESTS, "%zu records: %s",
		     json_array_size(records), server->err);
	json_array_foreach (records, index, record)
		expect_place(record, run, place);
	json_decref(records);
}

Test(origin, php_fpm)
{
	const struct run run = {.interpreter = PHP, .script = "helper_class.php"};
	struct sink *sink = sink_for(&run);
	const char *log = test_path("fpm.log");
	const char *socket = test_path("fpm.sock");
	const char *settings = test_file(
		"fpm.conf", text("[global]\nerror_log = %s\ndaemonize = no\n[www]\nuser = root\n"
				 "group = root\nlisten = %s\npm = static\npm.max_children = 3\n",
				 test_path("fpm.err"), socket));
	struct program server = {.argv = WORDS(php_fpm_path(), "-R", "-y", settings),
				 .env = environment(sink, log)};

	start_program(&server);
	wait_until(is_there, (void *)socket, "php-fpm's socket");
	for (int i = 0; i < REQUESTS; i++) {
		struct program request = {
			.argv = WORDS("cgi-fcgi", "-bind", "-connect", socket),
			.env = WORDS(text("SCRIPT_FILENAME=%s", script_path(&run)),
				     "REQUEST_METHOD=GET",
				     text("QUERY_STRING=%s", query_for(sink)))};

		cr_assert_eq(run_program(&request), 0, "%s", request.err);
		cr_assert_null(strstr(request.out, "Status: 500"), "%s", request.out);
	}
	expect_requests(&server, &run, log);
	stop_sink(sink);
}

Test(origin, php_cgi)
{
	const struct run run = {.interpreter = WORDS("php-cgi", "-q", "-d", "cgi.force_redirect=0",
						     "-d", "register_argc_argv=1", "-f"),
				.script = "helper_class.php"};

	expect_marked(&run);
}

Test(origin, gunicorn)
{
	const struct run run = {.interpreter = PYTHON, .script = "wsgi_app.py"};
	struct sink *sink = sink_for(&run);
	const char *log = test_path("gunicorn.log");
	const char *socket = test_path("gunicorn.sock");
	struct program requests[REQUESTS];
	struct program server = {.argv = WORDS("/usr/bin/gunicorn", "--workers", "2", "--threads",
					       "4", "--bind", text("unix:%s", socket), "--chdir",
					       DIRECTORY, "wsgi_app:application"),
				 .env = environment(sink, log)};

	start_program(&server);
	wait_until(is_there, (void *)socket, "gunicorn's socket");
	for (int i = 0; i < REQUESTS; i++) {
		requests[i] = (struct program){
			.argv = WORDS("curl", "--silent", "--fail", "--unix-socket", socket,
				      text("http://localhost/?%s", query_for(sink)))};
		start_program(&requests[i]);
	}
	for (int i = 0; i < REQUESTS; i++)
		cr_expect_eq(end_program(&requests[i]), 0, "%s", requests[i].err);
	expect_requests(&server, &run, log);
	stop_sink(sink);
}
