/*
 * Does every call reach the function that it would have reached without the
 * recorder, and is it seen all the same? Other interposers, copies of OpenSSL
 * beside each other, libraries loaded in every way, and names that are only
 * asked for.
 */
#include <dlfcn.h>
#include <glob.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "tests/integration/records.h"
#include "tests/integration/senders.h"
#include "tests/integration/trial.h"

TestSuite(binding, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

/* Compiles `source` of tests/scripts/binding, and returns the path of NAME in this test's
 * directory. */
static const char *compiled(const char *name, const char *source, const char *const more[])
{
	const char *path = test_path(name);
	struct program compiler = {
		.argv = join_words(WORDS("gcc", "-D_GNU_SOURCE", "-fPIC", "-O1", "-o", path,
					 text("tests/scripts/binding/%s", source)),
				   more)};

	cr_assert_eq(run_program(&compiler), 0, "%s", compiler.err);
	return path;
}

/* The client of tests/scripts/binding, bound lazily or at once, to libssl. */
static const char *client_library(const char *name, bool lazily)
{
	return compiled(
		name, "client.c",
		WORDS("-shared", lazily ? "-Wl,-z,lazy" : "-Wl,-z,now", "-lssl", "-lcrypto"));
}

static struct sink *start_tls_sink(void)
{
	return start_sink(WORDS("--tls=1.2", "--implicit"));
}

/* The program of tests/programs/binding.c, told where the sink is. */
static struct program bare_program(const struct sink *sink, const char *const arguments[])
{
	return (struct program){
		.argv = join_words(WORDS(program_path("binding")), arguments),
		.env = join_words(WORDS(text("BINDING_PORT=%u", sink->port),
					text("TLSWITNESS_PORTS=%u", sink->port)),
				  NO_WORDS),
	};
}

/*
 * The program does the same bare, recorded and with the recorder off; and the
 * recorder has one true record of each of its `count` connections, seen by this
 * witness.
 */
static void expect_as_bare_by(const char *witness, struct program *bare, struct sink *sink,
			      size_t count, const char *said)
{
	const char *log = test_path("as-bare.jsonl");
	struct program with = preloaded(bare, log, NO_WORDS);
	struct program off = preloaded(bare, test_path("off.jsonl"), WORDS("TLSWITNESS_OFF=1"));
	json_t *entries;
	json_t *records;

	cr_assert_eq(run_program(bare), 0, "bare: status %d, %s", bare->status, bare->err);
	cr_assert_eq(run_program(&off), 0, "off: status %d, %s", off.status, off.err);
	cr_assert_eq(run_program(&with), 0, "recorded: status %d, %s", with.status, with.err);
	if (said != NULL)
		cr_expect_str_eq(bare->out, said);
	cr_expect_str_eq(with.out, bare->out);
	cr_expect_str_eq(with.err, bare->err);
	cr_expect_str_eq(off.out, bare->out);
	cr_expect_str_eq(off.err, bare->err);
	cr_expect_eq(json_array_size(read_json_lines(test_path("off.jsonl"))), 0);
	entries = sink_entries(sink, 3 * count);
	records = records_of(log, "tls-handshake");
	cr_assert_eq(json_array_size(records), count, "%s", read_file(log, NULL));
	for (size_t i = 0; i < count; i++) {
		const json_t *record = json_array_get(records, i);

		cr_expect(array_holds(record, "tlswitness.witness", witness), "%s",
			  read_file(log, NULL));
		for (size_t j = 2 * count; j < 3 * count; j++) {
			const json_t *entry = json_array_get(entries, j);

			if (number_field(entry, "peer_port") != number_field(record, "source.port"))
				continue;
			cr_expect_str_eq(field(record, "tls.version"), field(entry, "version"));
			/* In a name space of its own, libc's calls go to another libc; the wire
			   alone does not know the group of TLS 1.2, nor does OpenSSL 1.1 say it. */
			if (array_holds(record, "tlswitness.witness", "wire") &&
			    array_holds(record, "tlswitness.witness", "openssl") &&
			    strncmp(field(record, "tlswitness.library"), "OpenSSL 1.", 10) != 0)
				expect_equal_to_entry(record, entry, "it");
		}
	}
}

static void expect_as_bare(struct program *bare, struct sink *sink, size_t count, const char *said)
{
	expect_as_bare_by("openssl", bare, sink, count, said);
}

/* ---- other interposers ---- */

/* Is this line all that was said, once or more often? */
static bool says_only(const char *said, const char *line)
{
	while (strncmp(said, line, strlen(line)) == 0)
		said += strlen(line);
	return *said == '\0';
}

static void pass_with_key_log(const char *what, struct program bare, struct sink *sink)
{
	const char *shim = compiled("key_log.so", "key_log.c", WORDS("-shared", "-ldl"));
	const char *const before = text("%s:%s", shim, recorder_path());
	const char *const after = text("%s:%s", recorder_path(), shim);
	const struct {
		const char *preload;
		const char *off;
	} rows[] = {{shim, "A=1"},
		    {before, "A=1"},
		    {after, "A=1"},
		    {before, "TLSWITNESS_OFF=1"},
		    {after, "TLSWITNESS_OFF=1"}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *log = test_path(text("%s-%zu.jsonl", what, i));
		struct program program = bare;

		program.env = join_words(bare.env != NULL ? bare.env : NO_WORDS,
					 WORDS(text("LD_PRELOAD=%s", rows[i].preload),
					       text("TLSWITNESS_LOG=%s", log), rows[i].off));
		cr_expect_eq(run_program(&program), 0, "%s, %s %s: status %d, %s", what,
			     rows[i].preload, rows[i].off, program.status, program.err);
		cr_expect_neq(program.err_length, 0, "%s, %s", what, rows[i].preload);
		/* How often depends on how the server's bytes arrive. */
		cr_expect(says_only(program.err, "key log\n"), "%s, %s: %s", what, rows[i].preload,
			  program.err);
		json_t *entries = sink_entries(sink, i + 1);
		if (i == 1 || i == 2)
			expect_equal_to_entry(only_handshake(log), json_array_get(entries, i),
					      rows[i].preload);
		else
			cr_expect_eq(json_array_size(read_json_lines(log)), 0, "%s", log);
	}
}

Test(binding, passes_a_key_logger_before_and_behind_in_curl)
{
	struct sink *sink = start_tls_sink();
	struct program curl = {
		.argv = WORDS("curl", "--silent", "--cacert", sink->certificate,
			      text("smtps://localhost:%u", sink->port)),
		.env = WORDS(text("TLSWITNESS_PORTS=%u", sink->port)),
	};

	/* Without a mail to send, curl asks for HELP and is content. */
	pass_with_key_log("curl", curl, sink);
}

Test(binding, passes_a_key_logger_before_and_behind_in_python)
{
	struct sink *sink = start_tls_sink();
	struct program python = {
		.argv = WORDS("/usr/bin/python3", "-c",
			      text("import smtplib, ssl\n"
				   "c = ssl.create_default_context(cafile='%s')\n"
				   "smtplib.SMTP_SSL('localhost', %u, context=c).quit()\n",
				   sink->certificate, sink->port)),
		.env = WORDS(text("TLSWITNESS_PORTS=%u", sink->port)),
	};

	pass_with_key_log("python", python, sink);
}

Test(binding, passes_a_key_logger_before_and_behind_in_perl)
{
	struct sink *sink = start_tls_sink();
	struct program perl = {
		.argv = WORDS("perl", "-MIO::Socket::SSL", "-e",
			      text("my $s = IO::Socket::SSL->new(PeerAddr => 'localhost',"
				   " PeerPort => %u, SSL_ca_file => '%s') or die $SSL_ERROR;"
				   " <$s>; print $s \"QUIT\\r\\n\"; <$s>;",
				   sink->port, sink->certificate)),
		.env = WORDS(text("TLSWITNESS_PORTS=%u", sink->port)),
	};

	pass_with_key_log("perl", perl, sink);
}

/* ---- a TLS library loaded in every way ---- */

Test(binding, sees_a_library_that_is_loaded_locally)
{
	struct sink *sink = start_tls_sink();
	const char *lazy = client_library("lazy.so", true);
	const char *now = client_library("now.so", false);
	struct program bare = bare_program(sink, WORDS("local", lazy, now));

	expect_as_bare(&bare, sink, 2, "libssl.so.3\nlibssl.so.3\n");
}

Test(binding, sees_a_library_that_is_bound_deeply)
{
	struct sink *sink = start_tls_sink();
	const char *lazy = client_library("lazy.so", true);
	const char *now = client_library("now.so", false);
	struct program bare = bare_program(sink, WORDS("deep", lazy, now));

	expect_as_bare(&bare, sink, 2, "libssl.so.3\nlibssl.so.3\n");
}

Test(binding, sees_a_library_in_a_name_space_of_its_own)
{
	struct sink *sink = start_tls_sink();
	const char *lazy = client_library("lazy.so", true);
	struct program bare = bare_program(sink, WORDS("apart", lazy));

	expect_as_bare(&bare, sink, 1, "libssl.so.3\n");
}

Test(binding, sees_a_library_that_comes_and_goes)
{
	struct sink *sink = start_tls_sink();
	const char *lazy = client_library("lazy.so", true);
	const char *now = client_library("now.so", false);
	struct program bare = bare_program(sink, WORDS("again", lazy, now, lazy, now));

	expect_as_bare(&bare, sink, 4, "libssl.so.3\nlibssl.so.3\nlibssl.so.3\nlibssl.so.3\n");
}

/* ---- copies of OpenSSL beside each other ---- */

/* Copies a file, under other names of the same length. */
static const char *renamed(const char *name, const char *from)
{
	const char *path = test_path(name);
	struct program copy = {.argv = WORDS("cp", from, path)};
	struct program sed = {.argv = WORDS("sed", "-i", "-e", "s/libssl\\.so\\.3/libssl.so.9/g",
					    "-e", "s/libcrypto\\.so\\.3/libcrypto.so.9/g", path),
			      .env = WORDS("LC_ALL=C")};

	cr_assert_eq(run_program(&copy), 0, "%s", copy.err);
	cr_assert_eq(run_program(&sed), 0, "%s", sed.err);
	return path;
}

static const char *path_of_library(const char *function)
{
	Dl_info info;

	cr_assert(dladdr(dlsym(RTLD_DEFAULT, function), &info) != 0, "no %s", function);
	return info.dli_fname;
}

/* As wheels and Node's add-ons carry it: a copy under another name, with its own libcrypto. */
static struct program with_bundled_copy(const struct sink *sink, const char *mode)
{
	const char *system = client_library("system.so", true);
	const char *bundled = renamed("bundled.so", system);
	struct program bare;

	renamed("libssl.so.9", path_of_library("SSL_connect"));
	renamed("libcrypto.so.9", path_of_library("BIO_ctrl"));
	bare = bare_program(sink, WORDS(mode, system, bundled, system, bundled));
	bare.env = join_words(bare.env, WORDS(text("LD_LIBRARY_PATH=%s", test_path(""))));
	return bare;
}

Test(binding, tells_two_copies_of_libssl_apart)
{
	struct sink *sink = start_tls_sink();
	struct program bare = with_bundled_copy(sink, "local");

	expect_as_bare(&bare, sink, 4, "libssl.so.3\nlibssl.so.9\nlibssl.so.3\nlibssl.so.9\n");
}

Test(binding, tells_two_copies_of_libssl_apart_that_come_and_go)
{
	struct sink *sink = start_tls_sink();
	struct program bare = with_bundled_copy(sink, "again");

	expect_as_bare(&bare, sink, 4, NULL);
}

#define UNPACKED "build/debian/usr/lib/x86_64-linux-gnu"

/* The system's library and one of the years before it: other names, other calls, other structs. */
static struct program with_openssl_1_1(const struct sink *sink, const char *mode)
{
	const char *newer = client_library("newer.so", true);
	const char *older = compiled("older.so", "client.c",
				     WORDS("-shared", "-Wl,-z,lazy", text("-L%s", UNPACKED),
					   "-l:libssl.so.1.1", "-l:libcrypto.so.1.1"));
	struct program bare = bare_program(sink, WORDS(mode, newer, older, older, newer));

	bare.env = join_words(bare.env, WORDS("LD_LIBRARY_PATH=" UNPACKED));
	return bare;
}

Test(binding, tells_two_versions_of_libssl_apart)
{
	struct sink *sink = start_tls_sink();
	struct program bare = with_openssl_1_1(sink, "local");
	json_t *records;

	expect_as_bare(&bare, sink, 4, "libssl.so.3\nlibssl.so.1.1\nlibssl.so.1.1\nlibssl.so.3\n");
	records = records_of(test_path("as-bare.jsonl"), "tls-handshake");
	for (size_t i = 0; i < 4; i++)
		cr_expect(strncmp(field(json_array_get(records, i), "tlswitness.library"),
				  i == 1 || i == 2 ? "OpenSSL 1." : "OpenSSL 3.", 10) == 0,
			  "%s", field(json_array_get(records, i), "tlswitness.library"));
}

Test(binding, tells_two_versions_of_libssl_apart_that_come_and_go)
{
	struct sink *sink = start_tls_sink();
	struct program bare = with_openssl_1_1(sink, "again");

	expect_as_bare(&bare, sink, 4, "libssl.so.3\nlibssl.so.1.1\nlibssl.so.1.1\nlibssl.so.3\n");
}

/* The program's own OpenSSL, which it exports, comes before libssl.so.3 for everyone. */
static void leave_own_copy(const char *ssl, const char *crypto)
{
	struct sink *sink = start_tls_sink();
	const char *client = client_library("libclient.so", false);
	const char *main_file =
		test_file("main.c", "#include <stdio.h>\n"
				    "const char *handshake(void);\n"
				    "int main(void) { puts(handshake()); return 0; }\n");
	const char *path = test_path("own");
	struct program compiler = {.argv = WORDS("gcc", "-o", path, main_file, client,
						 "-Wl,--export-dynamic", "-Wl,--whole-archive", ssl,
						 crypto, "-Wl,--no-whole-archive",
						 "-Wl,--as-needed", "-lz", "-lzstd", "-lpthread",
						 "-ldl", text("-Wl,-rpath,%s", test_path("")))};
	struct program bare = bare_program(sink, WORDS("unused"));

	cr_assert_eq(run_program(&compiler), 0, "%s", compiler.err);
	bare.argv = WORDS(path);
	expect_as_bare(&bare, sink, 1, "own\n");
}

Test(binding, leaves_a_program_its_own_copy)
{
	leave_own_copy("-l:libssl.a", "-l:libcrypto.a");
}

/* OpenSSL 1.1.1, whose structures are others: not one call may go to the wrong one. */
Test(binding, leaves_a_program_its_own_copy_of_another_version)
{
	static const char directory[] = "build/bullseye/usr/lib/x86_64-linux-gnu";

	leave_own_copy(text("%s/libssl.a", directory), text("%s/libcrypto.a", directory));
}

/* ---- libraries that are called libssl, too ---- */

/* What the system's libssl has of names in each version, and any other in the first of 3.x, but
 * for those that are kept within (`local: NAME;`). */
static const char *versions_of_libssl(const char *within)
{
	struct program awk = {
		.argv = WORDS("sh", "-c",
			      "objdump -T \"$0\" | awk -v within=\"$1\" '"
			      "$2 == \"g\" && $6 ~ /^OPENSSL_/ && $6 != \"OPENSSL_3.0.0\" "
			      "&& $7 != $6 "
			      "{ names[$6] = names[$6] $7 \"; \" } "
			      "END { print \"OPENSSL_3.0.0 { global: *; \" within \" };\"; "
			      "for (version in names) "
			      "print version, \"{ global:\", names[version], \"};\" }'",
			      path_of_library("SSL_connect"), within)};

	cr_assert_eq(run_program(&awk), 0, "%s", awk.err);
	return test_file("versions", awk.out);
}

/* A libssl.so.3 of this test's own, in place of the system's. */
static struct program with_own_libssl(const struct sink *sink, const char *within)
{
	const char *client = client_library("client.so", true);
	const char *versions = versions_of_libssl(within);
	const char *path = test_path("libssl.so.3");
	struct program linker = {
		.argv = WORDS("gcc", "-shared", "-Wl,-Bsymbolic", "-Wl,-soname,libssl.so.3", "-o",
			      path, text("-Wl,--version-script,%s", versions),
			      "-Wl,--whole-archive", "-l:libssl.a", "-Wl,--no-whole-archive",
			      "-l:libcrypto.a", "-Wl,--as-needed", "-lz", "-lzstd")};
	struct program bare = bare_program(sink, WORDS("local", client));

	cr_assert_eq(run_program(&linker), 0, "%s", linker.err);
	bare.env = join_words(bare.env, WORDS(text("LD_LIBRARY_PATH=%s", test_path(""))));
	return bare;
}

/* As upstream links it, whose calls of itself pass no slot. */
Test(binding, sees_a_libssl_that_is_linked_symbolically)
{
	struct sink *sink = start_tls_sink();
	struct program bare = with_own_libssl(sink, "");

	expect_as_bare(&bare, sink, 1, "libssl.so.3\n");
}

/* Of what is to be asked, one is not there: it is left alone, and the wire tells. */
Test(binding, leaves_a_libssl_that_has_not_all_alone)
{
	struct sink *sink = start_tls_sink();
	struct program bare = with_own_libssl(sink, "local: SSL_get_client_random;");

	expect_as_bare_by("wire", &bare, sink, 1, "libssl.so.3\n");
}

/* BoringSSL has not all that we would ask: it is left alone, and the wire tells. */
Test(binding, leaves_boringssl_alone)
{
	static const char directory[] = UNPACKED "/android";
	struct sink *sink = start_tls_sink();
	const char *client = compiled(
		"client.so", "client.c",
		WORDS("-shared", text("-L%s", directory), "-l:libssl.so.0", "-l:libcrypto.so.0"));
	struct program bare = bare_program(sink, WORDS("local", client));

	bare.env = join_words(bare.env, WORDS(text("LD_LIBRARY_PATH=%s", directory)));
	expect_as_bare_by("wire", &bare, sink, 1, "libssl.so.0\n");
}

/* Its SSL is another struct than OpenSSL's. */
Test(binding, leaves_gnutls_in_the_clothes_of_openssl_alone)
{
	struct sink *sink = start_tls_sink();
	const char *client =
		compiled("client.so", "client.c",
			 WORDS("-DOLD_CALLS", "-shared", "-l:libgnutls-openssl.so.27"));
	struct program bare = bare_program(sink, WORDS("local", client));

	expect_as_bare_by("wire", &bare, sink, 1, "an old library\n");
}

/* Its header gives its own functions OpenSSL's names: no symbol of OpenSSL's is there. */
Test(binding, leaves_wolfssl_in_the_clothes_of_openssl_alone)
{
	struct sink *sink = start_tls_sink();
	glob_t library; /* one only, whose number is another in each release */
	struct program bare;

	cr_assert_eq(glob("/usr/lib/*/libwolfssl.so.[0-9][0-9]", 0, NULL, &library), 0);
	bare = bare_program(
		sink, WORDS("local", compiled("client.so", "client.c",
					      WORDS("-DBY_WOLFSSL", "-Ibuild/debian/usr/include",
						    "-shared", library.gl_pathv[0]))));
	globfree(&library);
	expect_as_bare_by("wire", &bare, sink, 1, "wolfSSL\n");
}

/* A plugin's private library of the same name as the application's, kept apart by RTLD_DEEPBIND. */
Test(binding, leaves_a_plugin_its_private_library)
{
	const char *ours = test_path("libours.so");
	const char *theirs = test_path("libtheirs.so");
	const char *plugin = test_path("plugin.so");
	const char *host = test_path("host");
	const char *steps[][3] = {
		{"const char *version(void) { return \"the application's\"; }\n", ours, NULL},
		{"const char *version(void) { return \"the plugin's\"; }\n", theirs, NULL},
		{"const char *version(void);\nconst char *asked(void) { return version(); }\n",
		 plugin, theirs},
	};

	for (size_t i = 0; i < 3; i++) {
		const char *source = test_file(text("step%zu.c", i), steps[i][0]);
		struct program compiler = {.argv = WORDS("gcc", "-shared", "-fPIC", "-o",
							 steps[i][1], source, steps[i][2])};

		cr_assert_eq(run_program(&compiler), 0, "%s", compiler.err);
	}
	const char *source = test_file(
		"host.c", "#include <dlfcn.h>\n#include <stdio.h>\n"
			  "const char *version(void);\n"
			  "int main(int argc, char **argv)\n"
			  "{\n"
			  "	void *plugin = dlopen(argv[argc - 1], RTLD_LAZY | RTLD_DEEPBIND);\n"
			  "	const char *(*asked)(void) = dlsym(plugin, \"asked\");\n"
			  "	printf(\"%s, %s\\n\", version(), asked());\n"
			  "	return 0;\n"
			  "}\n");
	struct program compiler = {
		.argv = WORDS("gcc", "-D_GNU_SOURCE", "-o", host, source, ours, "-ldl")};
	struct program bare = {.argv = WORDS(host, plugin)};

	cr_assert_eq(run_program(&compiler), 0, "%s", compiler.err);
	struct program with = preloaded(&bare, test_path("log.jsonl"), NO_WORDS);
	cr_expect_eq(run_program(&bare), 0, "%s", bare.err);
	cr_expect_eq(run_program(&with), 0, "%s", with.err);
	cr_expect_str_eq(bare.out, "the application's, the plugin's\n");
	cr_expect_str_eq(with.out, bare.out);
}

/* ---- names that are only asked for ---- */

Test(binding, finds_no_function_that_is_not_there)
{
	struct program bare = {.argv = WORDS(program_path("binding"), "names")};
	struct program with = preloaded(&bare, test_path("log.jsonl"), NO_WORDS);

	cr_expect_eq(run_program(&bare), 0, "%s", bare.err);
	cr_expect_eq(run_program(&with), 0, "%s", with.err);
	cr_expect_not_null(strstr(bare.out, "SSL_CTX_new: none, next none\n"), "%s", bare.out);
	cr_expect_not_null(strstr(bare.out, "weak: 0 0\n"), "%s", bare.out);
	cr_expect_str_eq(with.out, bare.out);
}

/* A function that a program asks a library for by name is watched; unless nothing is. */
Test(binding, answers_who_asks_a_library_by_name)
{
	struct program bare = {
		.argv = WORDS(program_path("binding"), "owner", "libssl.so.3", "SSL_connect")};
	struct program with = preloaded(&bare, test_path("log.jsonl"), NO_WORDS);
	struct program off = preloaded(&bare, test_path("log.jsonl"), WORDS("TLSWITNESS_OFF=1"));

	cr_expect_eq(run_program(&bare), 0, "%s", bare.err);
	cr_expect_eq(run_program(&with), 0, "%s", with.err);
	cr_expect_eq(run_program(&off), 0, "%s", off.err);
	cr_expect_str_eq(bare.out, "libssl.so.3\n");
	cr_expect_str_eq(with.out, "libtlswitness.so\n");
	cr_expect_str_eq(off.out, "libssl.so.3\n");
}

/* And a plugin that asks for a function of what it needs, which is in nobody else's scope. */
Test(binding, answers_a_plugin_that_asks_by_name)
{
	const char *plugin =
		compiled("asks.so", "asks.c", WORDS("-shared", "-Wl,--no-as-needed", "-lssl"));
	struct program bare = {.argv = WORDS(program_path("binding"), "local", plugin)};
	struct program with = preloaded(&bare, test_path("log.jsonl"), NO_WORDS);
	struct program off = preloaded(&bare, test_path("log.jsonl"), WORDS("TLSWITNESS_OFF=1"));

	cr_expect_eq(run_program(&bare), 0, "%s", bare.err);
	cr_expect_eq(run_program(&with), 0, "%s", with.err);
	cr_expect_eq(run_program(&off), 0, "%s", off.err);
	cr_expect_str_eq(bare.out, "libssl.so.3\n");
	cr_expect_str_eq(with.out, "libtlswitness.so\n");
	cr_expect_str_eq(off.out, "libssl.so.3\n");
}

/* Whoever goes to libc for connect() gets libc's, but for a preload before us that stands in for
 * it (neighbours/torsocks). */
Test(binding, leaves_who_asks_libc_itself_alone)
{
	struct program bare = {
		.argv = WORDS(program_path("binding"), "owner", "libc.so.6", "connect")};
	struct program with = preloaded(&bare, test_path("log.jsonl"), NO_WORDS);

	cr_expect_eq(run_program(&bare), 0, "%s", bare.err);
	cr_expect_eq(run_program(&with), 0, "%s", with.err);
	cr_expect_str_eq(bare.out, "libc.so.6\n");
	cr_expect_str_eq(with.out, "libc.so.6\n");
}

/*
 * Of the preloads that have a dl_iterate_phdr none is asked by us, who would be
 * asked for the real one; and the loader's lock is not left behind by who is thrown
 * out of there: other threads need it.
 */
Test(binding, a_walk_through_the_loaded_objects_is_left_alone)
{
	struct sink *sink = start_tls_sink();
	const char *program = compiled("thrown", "thrown.c", WORDS("-lpthread", "-ldl"));
	const char *walk = compiled("walk.so", "walk.c", WORDS("-shared", "-ldl"));
	const char *const rows[] = {walk, text("%s:%s", walk, recorder_path()),
				    text("%s:%s", recorder_path(), walk), recorder_path()};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct program thrown = {
			.argv = WORDS(program, text("%u", sink->port)),
			.env = WORDS(text("LD_PRELOAD=%s", rows[i]),
				     text("TLSWITNESS_PORTS=%u", sink->port),
				     text("TLSWITNESS_LOG=%s", test_path("log.jsonl")))};

		cr_expect_eq(run_program(&thrown), 0, "%s: status %d, %s", rows[i], thrown.status,
			     thrown.err);
		cr_expect_str_eq(thrown.out, "went on\n", "%s", rows[i]);
	}
}

static const char move_headers[] = "cp -L \"$(gcc -print-file-name=libcurl.so.4)\" \"$1\"\n"
				   "truncate -s +300M \"$1\"\n"
				   "exec tools/share/headers-last \"$1\"";

/*
 * Program headers that a tool has put where no memory is, as patchelf and our own
 * headers-last may: what of such a library may be written isn't known.
 */
Test(binding, a_library_apart_with_its_headers_moved_is_left_alone)
{
	struct sink *sink = start_sink(WORDS("--implicit", "--tls=1.2"));
	const char *program = compiled("apart_curl", "apart_curl.c", WORDS("-ldl"));
	const char *library = test_path("libcurl.so.4");
	struct program move = {.argv = WORDS("sh", "-ec", move_headers, "sh", library)};

	cr_assert_eq(run_program(&move), 0, "%s", move.err);
	for (size_t i = 0; i < 2; i++) {
		struct program curl = {
			.argv = WORDS(program, text("smtps://127.0.0.1:%u", sink->port)),
			.env = WORDS(text("LD_LIBRARY_PATH=%s", test_path(".")),
				     text("LD_PRELOAD=%s", i == 0 ? "" : recorder_path()),
				     text("TLSWITNESS_LOG=%s", test_path("log.jsonl")))};

		cr_expect_eq(run_program(&curl), 0, "status %d, %s", curl.status, curl.err);
		cr_expect_str_eq(curl.out, "0\n");
	}
	cr_expect_eq(json_array_size(sink_entries(sink, 2)), 2);
	stop_sink(sink);
}
