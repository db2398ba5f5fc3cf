/*
 * The recorder built for arm64, in programs of arm64 under qemu-user: each
 * sender's record is held against the entry of a sink that runs natively.
 *
 * TLSWITNESS_ARM64_ROOT is where the programs are unpacked,
 * TLSWITNESS_ARM64_RECORDER the recorder that was cross-built.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "tests/integration/mailers.h"
#include "tests/integration/records.h"
#include "tests/integration/senders.h"

TestSuite(arm64, .init = harness_begin, .fini = harness_end, .timeout = 600);

static const char *const versions[] = {"1.0", "1.1", "1.2", "1.3"};

#define VERSIONS_COUNT (sizeof(versions) / sizeof(versions[0]))

static const char *set_by_make(const char *name)
{
	const char *value = getenv(name);

	cr_assert_not_null(value, "%s is not set: call `make check-arm64`", name);
	return text("%s", value);
}

/*
 * The same program from the unpacked root, under the emulator, which looks for
 * files below that root first. swaks is a script: the kernel would start its
 * interpreter natively.
 */
static struct program emulated(const struct program *bare, const struct sink *sink, const char *log)
{
	const char *root = set_by_make("TLSWITNESS_ARM64_ROOT");
	const char *slash = strrchr(bare->argv[0], '/');
	const char *name = text("%s/usr/bin/%s", root, slash ? slash + 1 : bare->argv[0]);
	const char *preload = text("LD_PRELOAD=%s", set_by_make("TLSWITNESS_ARM64_RECORDER"));
	const char *const *command =
		strcmp(bare->argv[0], "swaks") == 0
			? join_words(WORDS(text("%s/usr/bin/perl", root), name), NO_WORDS)
			: join_words(WORDS(name), NO_WORDS);
	struct program program = *bare;

	program.argv = join_words(
		join_words(WORDS("qemu-aarch64-static", "-L", root, "-E", preload), command),
		bare->argv + 1);
	program.env = join_words(
		bare->env ? bare->env : NO_WORDS,
		WORDS(text("TLSWITNESS_LOG=%s", log), text("TLSWITNESS_PORTS=%u", sink->port)));
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

Test(arm64, of_each_sender_by_starttls)
{
	for (size_t i = 0; i < VERSIONS_COUNT; i++)
		deliver(versions[i], TLS_MODE_STARTTLS);
}

Test(arm64, of_each_sender_with_tls_from_the_first_byte)
{
	deliver("1.2", TLS_MODE_IMPLICIT);
}

/* Not one AUTH or MAIL below the floor, and the library witness refuses natively. */
Test(arm64, the_floor_holds)
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
