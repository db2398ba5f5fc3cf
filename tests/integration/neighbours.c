/*
 * Other libraries that are preloaded, before the recorder and behind it: a
 * program that sends mail does the same with both as with the neighbour alone,
 * and its connection has one true record.
 */
#include <dlfcn.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "tests/integration/records.h"
#include "tests/integration/trial.h"

TestSuite(neighbours, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

static const char by_python[] =
	"import smtplib, ssl, sys\n"
	"context = ssl.create_default_context(cafile=sys.argv[2])\n"
	"with smtplib.SMTP('127.0.0.1', int(sys.argv[1])) as server:\n"
	"    print(server.starttls(context=context))\n"
	"    print(server.sendmail('a@example.org', ['b@example.org'], 'Subject: x\\n\\nx'))\n";

static const char by_perl[] =
	"use Net::SMTP;\n"
	"my $server = Net::SMTP->new('127.0.0.1', Port => $ARGV[0]) or die;\n"
	"print $server->starttls(SSL_ca_file => $ARGV[1]), \"\\n\";\n"
	"$server->mail('a@example.org'); $server->to('b@example.org');\n"
	"print $server->data(\"Subject: x\\n\\nx\\n\"), \"\\n\"; $server->quit;\n";

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static struct program sender(const char *interpreter, const struct sink *sink,
			     const char *const env[])
{
	const char *script = strcmp(interpreter, "perl") == 0 ? test_file("send.pl", by_perl)
							      : test_file("send.py", by_python);

	return (struct program){
		.argv = join_words(
			WORDS(interpreter, script, text("%u", sink->port), sink->certificate),
			NO_WORDS),
		.env = join_words(env, NO_WORDS),
	};
}

/*
 * Runs it with the neighbour alone and with the recorder behind and before it.
 * `preload` is what the neighbour is preloaded by; `env` is what it needs besides.
 */
static void live_with(const char *preload, const char *interpreter, const char *const env[])
{
	struct sink *sink = start_sink(WORDS("--tls=1.2"));
	const char *const rows[] = {preload, text("%s:%s", preload, recorder_path()),
				    text("%s:%s", recorder_path(), preload)};
	struct program alone = {0};

	for (size_t i = 0; i < 3; i++) {
		const char *log = test_path(text("%s-%zu.jsonl", base_name(interpreter), i));
		struct program program = sender(interpreter, sink, env);

		program.env = join_words(program.env, WORDS(text("LD_PRELOAD=%s", rows[i]),
							    text("TLSWITNESS_LOG=%s", log)));
		run_program(&program);
		if (i == 0)
			alone = program;
		cr_assert_eq(alone.status, 0, "%s %s: %s", interpreter, rows[0], alone.err);
		cr_expect_eq(program.status, 0, "%s %s: status %d, %s", interpreter, rows[i],
			     program.status, program.err);
		cr_expect_str_eq(program.out, alone.out, "%s %s", interpreter, rows[i]);
		/* torsocks says the time and its process with each line. */
		if (strstr(preload, "torsocks") == NULL)
			cr_expect_str_eq(program.err, alone.err, "%s %s", interpreter, rows[i]);
		json_t *entries = sink_entries(sink, i + 1);
		if (i == 0)
			continue;
		const json_t *record = only_handshake(log);
		const json_t *entry = json_array_get(entries, i);
		cr_expect_str_eq(field(record, "tls.version"), field(entry, "version"), "%s",
				 rows[i]);
		/* Before us it asks the C library itself for its functions: no socket call of
		   its host comes by, and the library's witness alone is left. */
		if (i == 2 || strstr(preload, "torsocks") == NULL)
			expect_equal_to_entry(record, entry, rows[i]);
	}
	stop_sink(sink);
}

static void live_with_both(const char *preload, const char *const env[])
{
	live_with(preload, "/usr/bin/python3", env);
	live_with(preload, "perl", env);
}

Test(neighbours, jemalloc)
{
	live_with_both("libjemalloc.so.2", NO_WORDS);
}

Test(neighbours, mimalloc)
{
	void *newer = dlopen("libmimalloc.so.3", RTLD_LAZY); /* from Debian 13 on */

	live_with_both(newer != NULL ? "libmimalloc.so.3" : "libmimalloc.so.2", NO_WORDS);
	if (newer != NULL)
		dlclose(newer);
}

/* The one of sotruss(1): the loader binds every call by way of it. */
Test(neighbours, an_auditor_of_the_loader)
{
	live_with_both("libeatmydata.so", WORDS("LD_AUDIT=/usr/$LIB/audit/sotruss-lib.so",
						text("SOTRUSS_OUTNAME=%s", test_path("calls"))));
}

Test(neighbours, tcmalloc)
{
	live_with_both("libtcmalloc_minimal.so.4", NO_WORDS);
}

/* The certificate of the sink is of today and good for a month. */
Test(neighbours, libfaketime)
{
	live_with_both("/usr/$LIB/faketime/libfaketime.so.1", WORDS("FAKETIME=+2d"));
}

Test(neighbours, eatmydata)
{
	live_with_both("libeatmydata.so", NO_WORDS);
}

Test(neighbours, socket_wrapper_that_wraps_nothing)
{
	live_with_both("libsocket_wrapper_noop.so", NO_WORDS);
}

/*
 * The sockets of this machine's addresses are files of a directory then, for both ends. It asks
 * the C library itself for its functions, so that behind it there is nothing to see of the wire.
 */
Test(neighbours, socket_wrapper)
{
	static const char library[] = "libsocket_wrapper.so";
	const char *const *wrapped =
		join_words(WORDS(text("SOCKET_WRAPPER_DIR=%s", test_path("wrapped")),
				 "SOCKET_WRAPPER_DEFAULT_IFACE=1"),
			   NO_WORDS);
	const char *const rows[] = {library, text("%s:%s", library, recorder_path()),
				    text("%s:%s", recorder_path(), library)};
	const char *out = NULL;
	struct sink *sink;

	cr_assert(mkdir(test_path("wrapped"), 0700) == 0);
	sink = start_sink_in(WORDS("--tls=1.2"),
			     join_words(wrapped, WORDS(text("LD_PRELOAD=%s", library))));
	for (size_t i = 0; i < 3; i++) {
		const char *log = test_path(text("wrapped-%zu.jsonl", i));
		struct program program = sender("/usr/bin/python3", sink, wrapped);
		const json_t *record;
		const json_t *entry;

		program.env =
			join_words(program.env, WORDS(text("LD_PRELOAD=%s", rows[i]),
						      text("TLSWITNESS_LOG=%s", log),
						      text("TLSWITNESS_PORTS=%u", sink->port)));
		cr_assert_eq(run_program(&program), 0, "%s: %s", rows[i], program.err);
		cr_expect_str_empty(program.err, "%s", rows[i]);
		if (out != NULL)
			cr_expect_str_eq(program.out, out, "%s", rows[i]);
		out = program.out;
		entry = json_array_get(sink_entries(sink, i + 1), i);
		cr_expect_eq(number_field(entry, "messages"), 1);
		if (i == 0)
			continue;
		record = only_handshake(log);
		cr_expect_str_eq(field(record, "tls.version"), field(entry, "version"), "%s",
				 rows[i]);
		cr_expect_str_eq(field(record, "tls.cipher"), field(entry, "cipher"), "%s",
				 rows[i]);
		cr_expect_eq(json_array_size(records_of_connections(log)), 1, "%s", rows[i]);
	}
	/* It was between them indeed. */
	cr_expect_eq(access(text("%s/T01%04X", test_path("wrapped"), sink->port), F_OK), 0);
	stop_sink(sink);
}

/* It owns syscall(), and goes to Tor but for what is on this machine. */
Test(neighbours, torsocks)
{
	const char *settings = test_file("torsocks.conf", "AllowOutboundLocalhost 1\n");

	live_with_both("/usr/$LIB/torsocks/libtorsocks.so",
		       WORDS(text("TORSOCKS_CONF_FILE=%s", settings)));
}

/* It starts a daemon of its own, and the program behind a script; it puts itself before or behind.
 */
Test(neighbours, fakeroot)
{
	struct sink *sink = start_sink(WORDS("--tls=1.2"));
	struct program python = sender("/usr/bin/python3", sink, NO_WORDS);
	struct program bare = {
		.argv = join_words(WORDS("fakeroot", "--"), python.argv),
	};
	const char *log = test_path("fakeroot.jsonl");
	const char *behind = test_path("behind.jsonl");
	struct program with = preloaded(&bare, log, NO_WORDS);
	struct program other = preloaded(&python, behind, NO_WORDS);

	other.argv = join_words(WORDS("fakeroot", "--"), other.argv);
	cr_expect_eq(run_program(&bare), 0, "%s", bare.err);
	cr_expect_eq(run_program(&with), 0, "%s", with.err);
	cr_expect_eq(run_program(&other), 0, "%s", other.err);
	cr_expect_str_eq(with.out, bare.out);
	cr_expect_str_eq(with.err, bare.err);
	cr_expect_str_eq(other.out, bare.out);
	cr_expect_str_eq(other.err, bare.err);
	json_t *entries = sink_entries(sink, 3);
	expect_equal_to_entry(only_handshake(log), json_array_get(entries, 1), "fakeroot");
	expect_equal_to_entry(only_handshake(behind), json_array_get(entries, 2), "fakeroot");
}

/*
 * ThreadSanitizer looks for the functions that it replaces when each is first called, and
 * dl_iterate_phdr, which we need, is one of them.
 */
Test(neighbours, a_host_with_thread_sanitizer)
{
	const char *source =
		test_file("host.c", "#include <unistd.h>\n"
				    "int main(void)\n"
				    "{\n"
				    "	return write(1, \"here\\n\", 5) == 5 ? 3 : 1;\n"
				    "}\n");
	const char *path = test_path("host");
	struct program compiler = {.argv = WORDS("gcc", "-fsanitize=thread", "-o", path, source)};

	cr_assert_eq(run_program(&compiler), 0, "%s", compiler.err);
	struct program bare = {.argv = WORDS("setarch", "-R", path)};
	struct program program =
		preloaded(&bare, test_path("log.jsonl"), WORDS("TLSWITNESS_SCOPE=all"));
	cr_assert_eq(run_program(&bare), 3, "%s", bare.err);
	cr_expect_eq(run_program(&program), 3, "%s", program.err);
	cr_expect_str_eq(program.out, "here\n");
	cr_expect_str_empty(program.err);
}
