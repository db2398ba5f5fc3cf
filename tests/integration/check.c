/*
 * `tlswitness check`: what it foretells of a program against what a run of it
 * then shows; what it says of a process; and the host's connections.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "tests/integration/gnutls_mailers.h"
#include "tests/integration/mailers.h"
#include "tests/integration/records.h"
#include "tests/integration/senders.h"

TestSuite(check, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

#define NOBODY 65534

/* `tlswitness check --json` of these words; its status is `status`. */
static json_t *check(const char *const words[], const char *const env[], int status)
{
	struct program program = {.argv = join_words(WORDS(tool_path(), "check", "--json"), words),
				  .env = env};
	json_error_t error;

	cr_assert_eq(run_program(&program), status, "%s: %s%s", words[0], program.out, program.err);
	json_t *said = json_loads(program.out, 0, &error);
	cr_assert_not_null(said, "%s: %s", error.text, program.out);
	return said;
}

static bool is_blind(const json_t *said)
{
	cr_assert(json_is_boolean(json_object_get(said, "blind")));
	return json_is_true(json_object_get(said, "blind"));
}

/* Does one of its reasons hold these words? */
static bool gives_reason(const json_t *said, const char *words)
{
	size_t index;
	json_t *reason;

	json_array_foreach (json_object_get(said, "reasons"), index, reason) {
		if (strstr(json_string_value(reason), words))
			return true;
	}
	return false;
}

/* ---- the senders: who was foretold, and who saw it ---- */

/* Programs, by path, each with the witnesses that were foretold and those that saw its runs. */
struct forecast {
	json_t *foretold; /* {PROGRAM: {WITNESS: true}} */
	json_t *seen;
};

static void keep(json_t *programs, const char *program, const json_t *witnesses)
{
	json_t *set = json_object_get(programs, program);
	size_t index;
	json_t *witness;

	if (!set) {
		set = json_object();
		json_object_set_new(programs, program, set);
	}
	json_array_foreach (witnesses, index, witness)
		json_object_set_new(set, json_string_value(witness), json_true());
}

static void compare(struct forecast *forecast, const char *name, const struct program *bare,
		    struct sink *sink)
{
	const json_t *said = check(WORDS(bare->argv[0]), bare->env, 0);
	const char *log = test_file(text("%u.jsonl", sink->port), "");
	struct program program = preloaded(bare, log, NO_WORDS);

	cr_assert_eq(chmod(log, 0666), 0); /* exim delivers as another user than root */
	cr_expect_not(is_blind(said), "%s", name);
	cr_expect_eq(run_program(&program), 0, "%s: %s", name, program.err);
	const json_t *record = only_handshake(log);
	keep(forecast->foretold, field(said, "program"), json_object_get(said, "witnesses"));
	keep(forecast->seen, field(said, "program"), json_object_get(record, "tlswitness.witness"));
	stop_sink(sink);
}

/*
 * An interpreter can be seen by as many witnesses as its scripts use libraries:
 * so what is compared is what all runs of a program have shown.
 */
Test(check, foretells_who_sees_each_sender)
{
	static const struct mailer *const mailers[] = {
		&mailer_msmtp,       &mailer_neomutt,    &mailer_exim,
		&mailer_curl_gnutls, &mailer_java,       &mailer_node_official,
		&mailer_node_debian, &mailer_aiosmtplib, &mailer_php_curl,
		&mailer_gnutls_cli,  &mailer_emacs,      &mailer_putmail,
		&mailer_mailutils,   &mailer_gio,        &mailer_gnutls_ctypes,
		&mailer_curl_nss};
	struct forecast forecast = {json_object(), json_object()};

	if (geteuid() != 0)
		cr_skip("exim needs root");
	for (size_t i = 0; i < senders_count; i++) {
		struct sink *sink = start_sink(NO_WORDS);
		struct program bare =
			sender_program(&senders[i], sink, TLS_MODE_STARTTLS, NO_WORDS);

		compare(&forecast, senders[i].name, &bare, sink);
	}
	for (size_t i = 0; i < sizeof(mailers) / sizeof(mailers[0]); i++) {
		if (mailers[i] == &mailer_curl_nss && !mailer_has_nss())
			continue;
		struct sink *sink = start_sink(NO_WORDS);
		struct program bare = mailers[i]->program(sink, TLS_MODE_STARTTLS);

		compare(&forecast, mailers[i]->name, &bare, sink);
	}
	cr_expect(json_equal(forecast.foretold, forecast.seen), "foretold %s, but seen %s",
		  json_dumps(forecast.foretold, JSON_COMPACT),
		  json_dumps(forecast.seen, JSON_COMPACT));
	cr_expect_geq(json_object_size(forecast.seen), 13);
	json_decref(forecast.foretold);
	json_decref(forecast.seen);
}

/* ---- programs of every kind ---- */

/* Mail in the clear by libc's own calls: PORT. */
static const char client_source[] =
	"#include <arpa/inet.h>\n"
	"#include <stdlib.h>\n"
	"#include <string.h>\n"
	"#include <sys/socket.h>\n"
	"#include <unistd.h>\n"
	"int main(int argc, char **argv)\n"
	"{\n"
	"	static const char *const say[] = {\"\", \"EHLO client\\r\\n\",\n"
	"		\"MAIL FROM:<a@example.com>\\r\\n\", \"QUIT\\r\\n\"};\n"
	"	struct sockaddr_in address = {.sin_family = AF_INET};\n"
	"	char answer[1024];\n"
	"	int fd = socket(AF_INET, SOCK_STREAM, 0);\n"
	"	address.sin_port = htons((unsigned short)atoi(argv[argc - 1]));\n"
	"	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);\n"
	"	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)\n"
	"		return 1;\n"
	"	for (int i = 0; i < 4; i++) {\n"
	"		if (write(fd, say[i], strlen(say[i])) != (ssize_t)strlen(say[i]) ||\n"
	"		    read(fd, answer, sizeof(answer)) <= 0)\n"
	"			return 1;\n"
	"	}\n"
	"	return close(fd);\n"
	"}\n";

static const char *compile(const char *compiler, const char *name, const char *const options[])
{
	const char *source = test_file(text("%s.c", name), client_source);
	const char *path = test_path(name);
	struct program program = {.argv = join_words(WORDS(compiler, "-o", path, source), options)};

	cr_assert_eq(run_program(&program), 0, "%s", program.err);
	return path;
}

/*
 * The program delivers under `run`, and there is a record of it just where
 * `check` foretold one; it gives this reason ("" for none).
 */
static void expect_forecast(const char *const command[], const char *reason)
{
	bool blind = reason[0] != '\0';
	struct sink *sink = start_sink(WORDS("--tls=none"));
	const char *log = test_path(text("%u.jsonl", sink->port));
	const json_t *said = check(WORDS(command[0]), NO_WORDS, blind ? 1 : 0);
	struct program bare = {.argv = join_words(command, WORDS(text("%u", sink->port)))};
	struct program program = preloaded(&bare, log, NO_WORDS);

	cr_expect_eq(run_program(&program), 0, "%s: %s", command[0], program.err);
	cr_expect_eq(json_is_true(json_object_get(json_array_get(sink_entries(sink, 1), 0),
						  "mail_in_clear")),
		     1, "%s", command[0]);
	cr_expect_eq(is_blind(said), blind, "%s", command[0]);
	cr_expect_eq(json_array_size(json_object_get(said, "witnesses")), blind ? 0U : 1U);
	cr_expect_eq(json_array_size(records_of(log, "plaintext-mail")), blind ? 0U : 1U, "%s: %s",
		     command[0], read_file(log, NULL));
	if (blind) {
		cr_expect(gives_reason(said, reason), "%s: %s", command[0],
			  json_dumps(said, JSON_COMPACT));
		cr_expect_str_not_empty(field(said, "remedy"));
		cr_expect_not_null(strstr(program.err, reason), "%s", program.err);
	} else {
		cr_expect_str_empty(program.err);
	}
	stop_sink(sink);
}

Test(check, foretells_static_musl_sanitized_and_plain_programs)
{
	expect_forecast(WORDS(compile("gcc", "plain", NO_WORDS)), "");
	expect_forecast(WORDS(compile("gcc", "static", WORDS("-static"))), "statically linked");
	expect_forecast(WORDS(compile("gcc", "static-pie", WORDS("-static-pie"))),
			"statically linked");
	expect_forecast(WORDS(compile("musl-gcc", "musl", NO_WORDS)), "musl");
	expect_forecast(WORDS(compile("musl-gcc", "static-musl", WORDS("-static"))),
			"statically linked");
	expect_forecast(WORDS(compile("gcc", "asan", WORDS("-fsanitize=address"))),
			"AddressSanitizer");
	expect_forecast(WORDS(compile("gcc", "static-asan",
				      WORDS("-fsanitize=address", "-static-libasan"))),
			"");
}

Test(check, foretells_what_more_rights_do)
{
	if (geteuid() != 0)
		cr_skip("only root can give a file away");
	const char *program = compile("gcc", "program", NO_WORDS);

	cr_assert_eq(chown(program, NOBODY, NOBODY), 0);
	cr_assert_eq(chmod(program, 04755), 0);
	expect_forecast(WORDS(program), "is set-user-ID");
	cr_assert_eq(chmod(program, 02755), 0);
	expect_forecast(WORDS(program), "is set-group-ID");
	/* Root gains nothing by root's own; others do, and that is said. */
	cr_assert_eq(chown(program, 0, 0), 0);
	cr_assert_eq(chmod(program, 04755), 0);
	expect_forecast(WORDS(program), "");
	cr_expect(gives_reason(check(WORDS(program), NO_WORDS, 0), "when others start it"));
}

static const char *script(const char *name, const char *first_line, const char *program)
{
	const char *path = test_file(name, text("#!%s %s\n", first_line, program));

	cr_assert_eq(chmod(path, 0755), 0);
	return path;
}

Test(check, foretells_scripts_by_their_interpreters)
{
	const char *seen = compile("gcc", "seen", NO_WORDS);
	const char *unseen = compile("gcc", "unseen", WORDS("-static"));

	expect_forecast(WORDS(script("one", "", seen)), "");
	expect_forecast(WORDS(script("two", "/usr/bin/env -S", seen)), "");
	expect_forecast(WORDS(script("three", "/usr/bin/env -S A=b", seen)), "");
	expect_forecast(WORDS(script("four", "", unseen)), "statically linked");
	expect_forecast(WORDS(script("five", "", test_path("four"))), "statically linked");
	expect_forecast(WORDS(script("six", "/usr/bin/env -S -i", seen)), "without LD_PRELOAD");
	expect_forecast(WORDS(script("seven", "/usr/bin/env -S -u LD_PRELOAD", seen)),
			"without LD_PRELOAD");
	const json_t *said = check(WORDS(test_path("five")), NO_WORDS, 1);
	cr_expect_str_eq(field(said, "script"), test_path("five"));
	cr_expect_str_eq(field(said, "program"), unseen);
}

/* A Go program from Debian asks a server by TLS; with scope all it would be recorded. */
Test(check, foretells_go)
{
	static const char promtool[] = "build/debian/usr/bin/promtool";
	struct sink *sink = start_sink(WORDS("--implicit"));
	const json_t *said = check(WORDS(promtool), NO_WORDS, 1);
	struct program bare = {.argv = WORDS(promtool, "query", "instant",
					     text("https://%s/", sink->address), "up")};
	struct program program =
		preloaded(&bare, test_path("log.jsonl"), WORDS("TLSWITNESS_SCOPE=all"));

	run_program(&program);
	cr_expect_geq(json_array_size(sink_entries(sink, 1)), 1);
	cr_expect(is_blind(said));
	cr_expect(gives_reason(said, "Go program"));
	cr_expect_not_null(strstr(program.err, "Go program"), "%s", program.err);
	cr_expect_eq(json_array_size(records_of(test_path("log.jsonl"), NULL)), 0);
}

/* It names libssl among its texts and finds all functions itself. */
static const char loader_source[] =
	"#include <dlfcn.h>\n"
	"#include <arpa/inet.h>\n"
	"#include <stdlib.h>\n"
	"#include <sys/socket.h>\n"
	"int main(int argc, char **argv)\n"
	"{\n"
	"	struct sockaddr_in address = {.sin_family = AF_INET};\n"
	"	int fd = socket(AF_INET, SOCK_STREAM, 0);\n"
	"	void *library = dlopen(\"libssl.so.3\", RTLD_NOW | RTLD_LOCAL);\n"
	"	if (!library || argc < 2)\n"
	"		return 1;\n"
	"	void *(*method)(void) = (void *(*)(void))dlsym(library, \"TLS_client_method\");\n"
	"	void *(*new_context)(void *) =\n"
	"		(void *(*)(void *))dlsym(library, \"SSL_CTX_new\");\n"
	"	void *(*new_ssl)(void *) = (void *(*)(void *))dlsym(library, \"SSL_new\");\n"
	"	int (*set_fd)(void *, int) = (int (*)(void *, int))dlsym(library, "
	"\"SSL_set_fd\");\n"
	"	int (*handshake)(void *) = (int (*)(void *))dlsym(library, \"SSL_connect\");\n"
	"	address.sin_port = htons((unsigned short)atoi(argv[1]));\n"
	"	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);\n"
	"	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)\n"
	"		return 1;\n"
	"	void *ssl = new_ssl(new_context(method()));\n"
	"	return set_fd(ssl, fd) == 1 && handshake(ssl) == 1 ? 0 : 1;\n"
	"}\n";

Test(check, foretells_programs_that_load_the_library_themselves)
{
	struct sink *sink = start_sink(WORDS("--implicit"));
	const char *source = test_file("loads.c", loader_source);
	const char *path = test_path("loads");
	struct program compiler = {.argv = WORDS("gcc", "-o", path, source)};
	const char *log = test_path("log.jsonl");

	cr_assert_eq(run_program(&compiler), 0, "%s", compiler.err);
	const json_t *said = check(WORDS(path), NO_WORDS, 0);
	struct program bare = {.argv = WORDS(path, text("%u", sink->port))};
	struct program program = preloaded(&bare, log, WORDS("TLSWITNESS_SCOPE=all"));
	cr_expect_eq(run_program(&program), 0, "%s", program.err);
	const json_t *library = json_array_get(json_object_get(said, "libraries"), 0);
	cr_expect_str_eq(field(library, "name"), "OpenSSL");
	cr_expect_str_eq(field(library, "how"), "loaded");
	cr_expect(json_equal(json_object_get(said, "witnesses"),
			     json_object_get(only_handshake(log), "tlswitness.witness")),
		  "%s, but %s", json_dumps(said, JSON_COMPACT), read_file(log, NULL));
}

/* Postfix's smtp(8) has TLS through a library of its own, which no other directory has. */
Test(check, says_which_library_it_does_not_find)
{
	static const char smtp[] = "build/postfix/usr/lib/postfix/sbin/smtp";
	const json_t *missed = check(WORDS(smtp), NO_WORDS, 0);
	const json_t *found =
		check(WORDS(smtp), WORDS("LD_LIBRARY_PATH=build/postfix/usr/lib/postfix"), 0);

	cr_expect(gives_reason(missed, "libpostfix-master.so, which is not found here"), "%s",
		  json_dumps(missed, JSON_COMPACT));
	cr_expect_eq(json_array_size(json_object_get(found, "reasons")), 0);
	cr_expect_str_eq(json_string_value(json_array_get(json_object_get(found, "witnesses"), 0)),
			 "openssl");
}

/* ---- the host's policies, of a system in a directory ---- */

static void put_file(const char *path, const char *content)
{
	struct program mkdir = {.argv = WORDS("mkdir", "-p", text("%s.", test_path(path)))};

	/* "a/b." is made and taken away, for "a" to be there. */
	cr_assert_eq(run_program(&mkdir), 0, "%s", mkdir.err);
	cr_assert_eq(rmdir(text("%s.", test_path(path))), 0);
	test_file(path, content);
}

Test(check, knows_confinement)
{
	const char *program = compile("gcc", "program", NO_WORDS);
	const char *root = test_path("root");

	put_file("root/usr/sbin/mailer", "");
	struct program copy = {.argv = WORDS("cp", program, test_path("root/usr/sbin/mailer"))};
	cr_assert_eq(run_program(&copy), 0, "%s", copy.err);
	cr_assert_eq(chmod(test_path("root/usr/sbin/mailer"), 0755), 0);
	put_file("root/etc/apparmor.d/usr.bin.shop", "profile shop /usr/bin/shop {\n"
						     "  # /usr/sbin/mailer Px,\n"
						     "  /usr/sbin/other Px,\n"
						     "  /usr/sbin/mailer rix,\n"
						     "  /{,usr/}sbin/m* rPUx -> mailer,\n"
						     "}\n");
	const char *const words[] = {text("--root=%s", root), "/usr/sbin/mailer", NULL};

	/* Nothing is enforced where AppArmor is not on. */
	cr_expect_not(gives_reason(check(words, NO_WORDS, 0), "apparmor.d"));
	put_file("root/sys/module/apparmor/parameters/enabled", "Y\n");
	const json_t *said = check(words, NO_WORDS, 0);
	cr_expect(gives_reason(said, "/etc/apparmor.d/usr.bin.shop:5"), "%s",
		  json_dumps(said, JSON_COMPACT));
	cr_expect_not(is_blind(said));
	put_file("root/etc/fapolicyd/fapolicyd.rules",
		 "allow perm=any uid=0 : dir=/\ndeny_audit perm=any pattern=ld_preload : all\n");
	cr_expect_not(gives_reason(check(words, NO_WORDS, 0), "fapolicyd"));
	put_file("root/run/fapolicyd.pid", "1\n");
	said = check(words, NO_WORDS, 1);
	cr_expect(gives_reason(said, "fapolicyd denies it (/etc/fapolicyd/fapolicyd.rules:2)"));
	cr_expect(is_blind(said));
}

/* ---- a process ---- */

/* Sends one mail in the clear, says so, and stays with a second connection open: PORT. */
static const char staying_source[] =
	"import smtplib, sys, time\n"
	"client = smtplib.SMTP('127.0.0.1', int(sys.argv[1]))\n"
	"client.sendmail('a@example.com', ['b@example.com'], 'Subject: x\\r\\n\\r\\nx\\r\\n')\n"
	"client.quit()\n"
	"client = smtplib.SMTP('127.0.0.1', int(sys.argv[1]))\n"
	"print('stays', flush=True)\n"
	"time.sleep(float(sys.argv[2]))\n";

static bool has_said_something(void *subject)
{
	const struct program *program = subject;

	return read_file(program->out_path, NULL)[0] != '\0';
}

static void start_staying(struct program *program, const struct sink *sink, const char *const env[])
{
	*program = (struct program){
		.argv = join_words(WORDS("/usr/bin/python3", test_file("stay.py", staying_source),
					 text("%u", sink->port), "1000"),
				   NO_WORDS),
		.env = env};
	start_program(program);
	wait_until(has_said_something, program, "the mail to be sent");
}

Test(check, says_what_is_in_a_process)
{
	struct sink *sink = start_sink(WORDS("--tls=none"));
	const char *recorder = test_path("libtlswitness.so");
	const char *log = test_path("log.jsonl");
	struct program copy = {.argv = WORDS("cp", recorder_path(), recorder)};
	struct program program;

	cr_assert_eq(run_program(&copy), 0, "%s", copy.err);
	start_staying(&program, sink,
		      WORDS(text("LD_PRELOAD=%s", recorder), text("TLSWITNESS_LOG=%s", log),
			    "TLSWITNESS_SERVICE=shop", "TLSWITNESS_FLOOR=9"));
	const char *pid = text("%d", (int)program.pid);
	json_t *said = check(WORDS(pid), NO_WORDS, 0);
	const json_t *in = json_object_get(said, "recorder");
	const json_t *settings = json_object_get(said, "settings");
	cr_expect_not(is_blind(said));
	cr_expect_eq(number_field(said, "pid"), program.pid);
	cr_expect_str_eq(field(in, "path"), recorder);
	cr_expect_str_eq(field(in, "by"), "LD_PRELOAD");
	cr_expect_eq(strncmp(field(in, "version"), "0.", 2), 0, "%s", field(in, "version"));
	cr_expect(json_is_false(json_object_get(in, "replaced")));
	cr_expect_eq(number_field(json_object_get(in, "since"), "pid"), program.pid);
	cr_expect_str_eq(field(json_object_get(settings, "service"), "value"), "shop");
	cr_expect_str_eq(field(json_object_get(settings, "service"), "origin"), "environment");
	cr_expect_str_eq(field(json_object_get(settings, "log"), "value"), log);
	/* What the recorder does not take is not said to be in force. */
	cr_expect_str_eq(field(json_object_get(settings, "floor"), "value"), "1.2");
	cr_expect_str_eq(field(json_object_get(settings, "floor"), "origin"), "default");
	const json_t *records = records_of(log, "plaintext-mail");
	cr_assert_eq(json_array_size(records), 1);
	cr_expect_str_eq(field(said, "last_record"),
			 field(json_array_get(records, 0), "@timestamp"));

	/* An upgrade by rename: the process keeps what it has, and can still say which. */
	cr_assert_eq(rename(test_file("new", "not a library"), recorder), 0);
	said = check(WORDS(pid), NO_WORDS, 0);
	in = json_object_get(said, "recorder");
	cr_expect(json_is_true(json_object_get(in, "replaced")));
	cr_expect_eq(strncmp(field(in, "version"), "0.", 2), 0, "%s", field(in, "version"));
}

Test(check, says_what_is_not_in_a_process)
{
	struct sink *sink = start_sink(WORDS("--tls=none"));
	struct program bare;
	struct program off;

	start_staying(&bare, sink, NO_WORDS);
	const json_t *said = check(WORDS(text("%d", (int)bare.pid)), NO_WORDS, 1);
	cr_expect(is_blind(said));
	cr_expect(gives_reason(said, "without the recorder"));
	cr_expect_null(json_object_get(said, "recorder"));
	cr_expect_str_not_empty(field(said, "remedy"));
	start_staying(&off, sink,
		      WORDS(text("LD_PRELOAD=%s", recorder_path()), "TLSWITNESS_OFF=1"));
	said = check(WORDS(text("%d", (int)off.pid)), NO_WORDS, 1);
	cr_expect(is_blind(said));
	cr_expect(gives_reason(said, "switched off"));
}

/* One that makes an io_uring by a system call of its own is told only while it runs. */
Test(check, says_that_a_process_has_an_io_uring)
{
	struct program program = {
		.argv = WORDS("/usr/bin/python3", "-c",
			      "import ctypes, time\n"
			      "ring = ctypes.CDLL(None).syscall(425, 1, "
			      "ctypes.create_string_buffer(120))\n"
			      "print('ring' if ring >= 0 else 'none', flush=True)\n"
			      "time.sleep(1000)\n"),
		.env = WORDS(text("LD_PRELOAD=%s", recorder_path()))};
	const json_t *said;

	start_program(&program);
	wait_until(has_said_something, &program, "the ring");
	if (strstr(read_file(program.out_path, NULL), "none"))
		cr_skip("the kernel gives no io_uring");
	said = check(WORDS(text("%d", (int)program.pid)), NO_WORDS, 0);
	cr_expect_not(is_blind(said));
	cr_expect(gives_reason(said, "has an io_uring"), "%s", json_dumps(said, JSON_COMPACT));
	cr_expect_str_not_empty(field(said, "remedy"));
}

/* ---- the host ---- */

static const json_t *row_of(const json_t *said, pid_t pid)
{
	const json_t *rows = json_object_get(said, "processes");
	size_t index;
	json_t *row;

	json_array_foreach (rows, index, row) {
		if (number_field(row, "pid") == pid)
			return row;
	}
	return NULL;
}

Test(check, finds_every_sender_of_the_host)
{
	struct sink *sink = start_sink(WORDS("--tls=none"));
	const char *ports = text("--ports=%u", sink->port);
	struct program seen;
	struct program unseen;

	cr_expect_eq(json_array_size(json_object_get(check(WORDS("--all", ports), NO_WORDS, 0),
						     "processes")),
		     0);
	start_staying(&seen, sink,
		      WORDS(text("LD_PRELOAD=%s", recorder_path()),
			    text("TLSWITNESS_LOG=%s", test_path("log.jsonl"))));
	const json_t *said = check(WORDS("--all", ports), NO_WORDS, 0);
	cr_assert_not_null(row_of(said, seen.pid), "%s", json_dumps(said, JSON_COMPACT));
	cr_expect_not(is_blind(row_of(said, seen.pid)));
	cr_expect_str_eq(field(row_of(said, seen.pid), "remote"), sink->address);
	start_staying(&unseen, sink, NO_WORDS);
	said = check(WORDS("--all", ports), NO_WORDS, 1);
	cr_assert_not_null(row_of(said, unseen.pid));
	cr_expect(is_blind(row_of(said, unseen.pid)));
	cr_expect_not(is_blind(row_of(said, seen.pid)));
	cr_expect(gives_reason(row_of(said, unseen.pid), "without the recorder"));
	cr_expect_eq(json_array_size(json_object_get(said, "processes")), 2);

	struct program program = {.argv = WORDS(tool_path(), "check", "--all", ports)};
	cr_expect_eq(run_program(&program), 1);
	cr_expect_not_null(strstr(program.out, text("%d", (int)unseen.pid)), "%s", program.out);
	cr_expect_not_null(strstr(program.out, "nobody"), "%s", program.out);
}

/* Each container has a network of its own; none is left out. */
Test(check, finds_senders_in_other_networks)
{
	struct program holder = {
		.argv = WORDS("unshare", "-n", "sh", "-c",
			      text("ip link set lo up; exec %s sink --tls=none", tool_path()))};
	struct program probe = {.argv = WORDS("unshare", "-n", "true")};
	struct program client;

	if (run_program(&probe) != 0)
		cr_skip("no network namespaces here");
	start_program(&holder);
	wait_until(has_said_something, &holder, "the sink in its network");
	struct sink inside = {
		.port = (uint16_t)number_after(read_file(holder.out_path, NULL), "127.0.0.1:")};
	client = (struct program){.argv = WORDS("nsenter", "-n", "-t", text("%d", (int)holder.pid),
						"/usr/bin/python3",
						test_file("stay.py", staying_source),
						text("%u", inside.port), "1000")};
	start_program(&client);
	wait_until(has_said_something, &client, "the mail to be sent");
	const json_t *said = check(WORDS("--all", text("--ports=%u", inside.port)), NO_WORDS, 1);
	cr_expect_not_null(row_of(said, client.pid), "%s", json_dumps(said, JSON_COMPACT));
}

/* One that comes and goes while check looks is told of at the end. */
Test(check, remembers_who_was_there)
{
	struct sink *sink = start_sink(WORDS("--tls=none"));
	struct program watching = {.argv = WORDS(tool_path(), "check", "--json", "--all",
						 text("--ports=%u", sink->port), "--for=600")};
	struct program client = {.argv = WORDS("/usr/bin/python3",
					       test_file("stay.py", staying_source),
					       text("%u", sink->port), "2")};
	json_error_t error;

	start_program(&watching);
	cr_expect_eq(run_program(&client), 0, "%s", client.err);
	cr_assert_eq(kill(watching.pid, SIGINT), 0);
	cr_expect_eq(end_program(&watching), 1, "%s", watching.err);
	const json_t *said = json_loads(watching.out, 0, &error);
	const json_t *rows = json_object_get(said, "processes");
	cr_assert_eq(json_array_size(rows), 1, "%s", watching.out);
	cr_expect(gives_reason(json_array_get(rows, 0), "without the recorder"));
}

/* ---- bad use ---- */

static void expect_complaint(const char *const words[], const char *part)
{
	struct program program = {.argv = join_words(WORDS(tool_path(), "check"), words)};

	cr_expect_eq(run_program(&program), 2, "%s", program.out);
	cr_expect_str_empty(program.out);
	cr_expect_not_null(strstr(program.err, part), "'%s' is not in: %s", part, program.err);
}

Test(check, of_nothing)
{
	expect_complaint(NO_WORDS, "--help");
	expect_complaint(WORDS("--all", "curl"), "--help");
	expect_complaint(WORDS("curl", "php"), "--help");
	expect_complaint(WORDS("no-such-program"), "no-such-program");
	expect_complaint(WORDS("4194304"), "there is no process");
	expect_complaint(WORDS("9999999"), "no process's number");
	expect_complaint(WORDS("--for=3", "curl"), "--all");
	expect_complaint(WORDS("--all", "--ports=0"), "ports");
	expect_complaint(WORDS("--root=/no/such/place", "curl"), "/no/such/place");
	const char *words = test_file("words", "only words\n");
	cr_assert_eq(chmod(words, 0755), 0);
	expect_complaint(WORDS(words), "neither an ELF program nor a script");
}
