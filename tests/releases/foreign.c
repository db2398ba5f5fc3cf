/*
 * The recorder built for another processor, in programs of that under
 * qemu-user: each sender's record is held against the entry of a sink that runs
 * natively.
 *
 * TLSWITNESS_FOREIGN_ROOT is where the programs are unpacked,
 * TLSWITNESS_FOREIGN_RECORDER the recorder that was cross-built, and
 * TLSWITNESS_FOREIGN_EMULATOR qemu's name, as "qemu-aarch64-static".
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "tests/integration/mailers.h"
#include "tests/integration/records.h"
#include "tests/integration/senders.h"

TestSuite(foreign, .init = harness_begin, .fini = harness_end, .timeout = 600);

static const char *set_by_make(const char *name)
{
	const char *value = getenv(name);

	cr_assert_not_null(value, "%s is not set: call `make check-arm64` or `make check-i386`",
			   name);
	return text("%s", value);
}

/* The root's own modules: the emulator does not look below it for what is asked of by statx(). */
static const char *perl_modules(const char *root)
{
	static const char *const folders[] = {"lib/*/perl/5.*", "lib/*/perl5/5.*",
					      "lib/*/perl-base", "share/perl/5.*", "share/perl5"};
	const char *list = "PERL5LIB=";

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		glob_t found;

		if (glob(text("%s/usr/%s", root, folders[i]), 0, NULL, &found) != 0)
			continue;
		for (size_t j = 0; j < found.gl_pathc; j++)
			list = text("%s%s:", list, found.gl_pathv[j]);
		globfree(&found);
	}
	return list;
}

/*
 * The same program from the unpacked root, under the emulator, which looks for
 * files below that root first. swaks is a script: the kernel would start its
 * interpreter natively.
 */
static struct program emulated(const struct program *bare, const struct sink *sink, const char *log)
{
	const char *root = set_by_make("TLSWITNESS_FOREIGN_ROOT");
	const char *slash = strrchr(bare->argv[0], '/');
	const char *name = text("%s/usr/bin/%s", root, slash ? slash + 1 : bare->argv[0]);
	const char *preload = text("LD_PRELOAD=%s", set_by_make("TLSWITNESS_FOREIGN_RECORDER"));
	const char *const *command =
		strcmp(bare->argv[0], "swaks") == 0
			? join_words(WORDS(text("%s/usr/bin/perl", root), name), NO_WORDS)
			: join_words(WORDS(name), NO_WORDS);
	struct program program = *bare;

	program.argv = join_words(join_words(WORDS(set_by_make("TLSWITNESS_FOREIGN_EMULATOR"), "-L",
						   root, "-E", preload),
					     command),
				  bare->argv + 1);
	program.env =
		join_words(bare->env ? bare->env : NO_WORDS,
			   WORDS(text("TLSWITNESS_LOG=%s", log),
				 text("TLSWITNESS_PORTS=%u", sink->port), perl_modules(root)));
	return program;
}

/* Runs it; is its one record right by the sink's newest entry, the `index`-th? */
static bool is_recorded(const char *name, const struct program *bare, const struct sink *sink,
			size_t index, const char *version)
{
	const char *log = test_path(text("log%u-%zu.jsonl", sink->port, index));
	struct program program = emulated(bare, sink, log);
	json_t *records;
	const json_t *entry;
	bool right;

	cr_expect_eq(run_program(&program), 0, "%s, TLS %s: %s%s", name, version, program.out,
		     program.err);
	entry = json_array_get(sink_entries(sink, index + 1), index);
	records = records_of(log, "tls-handshake");
	cr_expect_eq(json_array_size(records), 1, "%s, TLS %s: %s", name, version,
		     read_file(log, NULL));
	right = json_array_size(records) == 1 && strcmp(field(entry, "version"), version) == 0 &&
		strcmp(field(json_array_get(records, 0), "tls.version"), version) == 0 &&
		number_field(json_array_get(records, 0), "source.port") ==
			number_field(entry, "peer_port");
	cr_expect(right, "%s, TLS %s: %s", name, version, read_file(log, NULL));
	return right;
}

/* The script's own line: by the same means as natively. */
static void expect_frames(const char *name, const struct sink *sink, size_t index)
{
	static const struct {
		const char *sender;
		const char *script;
	} scripts[] = {{"python3 smtplib", "smtplib_sender.py"},
		       {"PHPMailer", "phpmailer_sender.php"},
		       {"Net::SMTP", "net_smtp_sender.pl"}};
	const char *log = test_path(text("log%u-%zu.jsonl", sink->port, index));

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		const char *file;

		if (strcmp(scripts[i].sender, name) != 0)
			continue;
		file = field(json_array_get(records_of(log, "tls-handshake"), 0), "code.file.path");
		cr_expect(strstr(file, scripts[i].script) != NULL, "%s: the place is '%s' in %s",
			  name, file, read_file(log, NULL));
	}
}

static void deliver(const char *version, enum tls_mode mode)
{
	struct sink *sink =
		start_sink(mode == TLS_MODE_IMPLICIT ? WORDS("--tls", version, "--implicit")
						     : WORDS("--tls", version));
	struct program msmtp = mailer_msmtp.program(sink, mode);
	size_t right = 0;

	for (size_t i = 0; i < senders_count; i++) {
		struct program bare = sender_program(&senders[i], sink, mode, NO_WORDS);

		right += is_recorded(senders[i].name, &bare, sink, i, version);
		expect_frames(senders[i].name, sink, i);
	}
	right += is_recorded("msmtp", &msmtp, sink, senders_count, version);
	(void)fprintf(stderr, "matrix: %zu of %zu senders right, TLS %s, %s\n", right,
		      senders_count + 1, version, tls_mode_name(mode));
	stop_sink(sink);
}

/* A test for each version: emulated, all in one take minutes on a machine with other work. */
Test(foreign, of_each_sender_by_tls_1_0)
{
	deliver("1.0", TLS_MODE_STARTTLS);
}

Test(foreign, of_each_sender_by_tls_1_1)
{
	deliver("1.1", TLS_MODE_STARTTLS);
}

Test(foreign, of_each_sender_by_tls_1_2)
{
	deliver("1.2", TLS_MODE_STARTTLS);
}

Test(foreign, of_each_sender_by_tls_1_3)
{
	deliver("1.3", TLS_MODE_STARTTLS);
}

Test(foreign, of_each_sender_with_tls_from_the_first_byte)
{
	deliver("1.2", TLS_MODE_IMPLICIT);
}

/* Not one AUTH or MAIL below the floor, and the library witness refuses natively. */
Test(foreign, the_floor_holds)
{
	struct sink *sink = start_sink(WORDS("--tls=1.1"));

	for (size_t i = 0; i <= senders_count; i++) {
		struct program bare =
			i < senders_count
				? sender_program(&senders[i], sink, TLS_MODE_STARTTLS, NO_WORDS)
				: mailer_msmtp.program(sink, TLS_MODE_STARTTLS);
		struct program program = emulated(&bare, sink, test_path("floor.jsonl"));
		const char *name = i < senders_count ? senders[i].name : "msmtp";

		program.env =
			join_words(program.env, WORDS("TLSWITNESS_MODE=enforce",
						      text("TLSWITNESS_PORTS=%u", sink->port)));
		cr_expect_neq(run_program(&program), 0, "%s: %s", name, program.out);
	}
	stop_sink(sink);
	json_t *entries = read_json_lines(sink->log);
	for (size_t i = 0; i < json_array_size(entries); i++) {
		const json_t *entry = json_array_get(entries, i);

		cr_expect_not(json_is_true(json_object_get(entry, "auth")) ||
			      json_is_true(json_object_get(entry, "mail")));
	}
	cr_expect_geq(json_array_size(entries), senders_count + 1);
}

/*
 * One setting for both word sizes: under `run` a shell of this machine starts a
 * curl of each. The foreign one runs natively here, by its own loader.
 */
Test(foreign, one_run_serves_both_word_sizes)
{
	const char *root = set_by_make("TLSWITNESS_FOREIGN_ROOT");
	const char *installed = test_path("installed");
	const char *const places[][2] = {
		{tool_path(), "bin/tlswitness"},
		{recorder_path(), "lib/x86_64-linux-gnu/tlswitness/libtlswitness.so"},
		{set_by_make("TLSWITNESS_FOREIGN_RECORDER"),
		 "lib/i386-linux-gnu/tlswitness/libtlswitness.so"},
	};
	const char *loader = text("%s/lib/ld-linux.so.2", root);
	struct program can_run = {.argv = WORDS(loader, "--version")};

	if (strstr(set_by_make("TLSWITNESS_FOREIGN_EMULATOR"), "i386") == NULL)
		cr_skip("of another word size than this machine's is i386 alone");
	if (run_program(&can_run) != 0)
		cr_skip("this kernel runs no program of 32 bits");
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct program install = {.argv = WORDS("install", "-D", places[i][0],
							text("%s/%s", installed, places[i][1]))};

		cr_assert_eq(run_program(&install), 0, "%s", install.err);
	}
	struct sink *sink = start_sink(WORDS("--tls=1.2"));
	const char *send =
		text("--silent --show-error --ssl-reqd --cacert %s --mail-from a@example.com "
		     "--mail-rcpt b@example.com --upload-file /etc/hostname "
		     "smtp://localhost:%u",
		     sink->certificate, sink->port);
	const char *log = test_path("both.jsonl");
	struct program both = {
		.argv = WORDS(text("%s/bin/tlswitness", installed), "run", "--log", log,
			      text("--ports=25,%u", sink->port), "--", "sh", "-c",
			      text("curl %s && %s --library-path %s/lib/i386-linux-gnu:"
				   "%s/usr/lib/i386-linux-gnu %s/usr/bin/curl %s",
				   send, loader, root, root, root, send))};

	cr_assert_eq(run_program(&both), 0, "%s%s", both.out, both.err);
	json_t *entries = sink_entries(sink, 2);
	json_t *records = records_of(log, "tls-handshake");
	cr_assert_eq(json_array_size(records), 2, "%s%s", read_file(log, NULL), both.err);
	for (size_t i = 0; i < 2; i++) {
		const json_t *record = json_array_get(records, i);

		cr_expect_str_eq(field(record, "tls.version"), "1.2");
		cr_expect(array_holds(record, "tlswitness.witness", "openssl"));
		cr_expect_eq(number_field(record, "source.port"),
			     number_field(json_array_get(entries, i), "peer_port"));
	}
	cr_expect(strstr(field(json_array_get(records, 0), "process.executable"), root) == NULL);
	cr_expect(strstr(field(json_array_get(records, 1), "process.executable"), root) != NULL);
	stop_sink(sink);
}
