/*
 * Protocol settings: each call that allows or forces what is old is recorded
 * once for each place, in words, with the library that called and the line of
 * the script; those that are welcome are not, and nothing is in a process that
 * sends no mail.
 *
 * The scripts say themselves what is expected of a line: "HERE FUNCTION: WORDS",
 * with " + " between the words of several calls, and FUNCTION "-" for none.
 */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "tests/integration/records.h"

TestSuite(settings, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

#define DIRECTORY "tests/scripts/settings"
#define TIMES     "5"

struct language {
	const char *interpreter;
	const char *library; /* how the path of the library that calls OpenSSL ends, or a part */
};

static const struct language python = {"/usr/bin/python3", "/_ssl.cpython-"};
static const struct language php = {"php", "/php"}; /* Debian's has it built in */
static const struct language perl = {"perl", "/SSLeay.so"};
static const struct language ruby = {"ruby", "/openssl.so"};

static const char *whole_path(const char *name)
{
	char *path = realpath(text("%s/%s", DIRECTORY, name), NULL);
	const char *kept;

	cr_assert_not_null(path, "%s is there", name);
	kept = text("%s", path);
	free(path);
	return kept;
}

/* What the log has of settings after a run; `env` is added to the environment. */
static json_t *settings_of(const char *const argv[], const struct sink *sink,
			   const char *const env[])
{
	const char *log = test_path("log.jsonl");
	struct program program = {
		.argv = argv,
		.env = join_words(WORDS(text("LD_PRELOAD=%s", recorder_path()),
					text("TLSWITNESS_LOG=%s", log),
					text("TLSWITNESS_PORTS=%u", sink->port), "RUBYOPT=-W0"),
				  env)};

	cr_assert_eq(run_program(&program), 0, "%s: %s%s", argv[1], program.out, program.err);
	return records_of(log, "protocol-setting");
}

static json_t *settings_of_script(const struct language *language, const char *script,
				  const struct sink *sink, const char *port, const char *times)
{
	return settings_of(
		WORDS(language->interpreter, whole_path(script), "127.0.0.1", port, times), sink,
		NO_WORDS);
}

static bool says(const json_t *record, const char *words, size_t length)
{
	const char *said = field(record, "tlswitness.setting");

	return strlen(said) == length && memcmp(said, words, length) == 0;
}

/* How many records say these words of this line; the last of them goes to `found`. */
static size_t count_of(const json_t *records, const char *words, size_t length, long long line,
		       const json_t **found)
{
	size_t count = 0;

	for (size_t i = 0; i < json_array_size(records); i++) {
		const json_t *record = json_array_get(records, i);

		if (!says(record, words, length) ||
		    number_field(record, "code.line.number") != line)
			continue;
		count++;
		*found = record;
	}
	return count;
}

static void expect_setting(const json_t *records, const char *words, size_t length,
			   const char *path, long long line, const char *function,
			   const struct language *language)
{
	const json_t *record = NULL;
	const char *first;

	cr_assert_eq(count_of(records, words, length, line, &record), 1,
		     "%s:%lld: %.*s: not once, in %s", path, line, (int)length, words,
		     json_dumps(records, JSON_INDENT(1)));
	cr_expect_str_eq(field(record, "code.file.path"), path);
	cr_expect_str_eq(field(record, "code.function.name"), function, "line %lld", line);
	first = json_string_value(json_object_get(record, "code.stacktrace"));
	first = first ? text("%.*s", (int)strcspn(first, "\n"), first) : "";
	cr_expect(strstr(first, language->library), "%s calls", first);
}

/* Each word of one mark; their number. */
static size_t expect_mark(const json_t *records, const char *mark, const char *path, long long line,
			  const struct language *language)
{
	const char *end = mark + strcspn(mark, "\n");
	const char *words = strstr(mark, ": ");
	const char *function = text("%.*s", (int)(words - mark), mark);
	size_t count = 0;

	for (words += 2; words < end; count++) {
		const char *next = strstr(words, " + ");
		size_t length = (size_t)((next && next < end ? next : end) - words);

		expect_setting(records, words, length, path, line,
			       strcmp(function, "-") == 0 ? "" : function, language);
		words = next && next < end ? next + 3 : end;
	}
	return count;
}

/* The records are those that the script's marks ask for, and no others. */
static void expect_marks(const json_t *records, const char *script, const struct language *language)
{
	const char *path = whole_path(script);
	const char *content = read_file(path, NULL);
	const char *position = content;
	long long line = 1;
	size_t count = 0;

	for (const char *mark; (mark = strpbrk(position, "#/\n")); position = mark + 1) {
		static const size_t length = sizeof(" HERE ") - 1;

		line += *mark == '\n';
		if (*mark != '\n' && strncmp(mark + 1, " HERE ", length) == 0)
			count += expect_mark(records, mark + 1 + length, path, line, language);
	}
	cr_assert_gt(count, 0, "%s has marks", path);
	cr_expect_eq(json_array_size(records), count, "%s: %zu records, not %zu:\n%s", script,
		     json_array_size(records), count, json_dumps(records, JSON_INDENT(1)));
}

static void check_script(const struct language *language, const char *script)
{
	struct sink *sink = start_sink(WORDS("--tls=1.2..1.3"));
	json_t *records = settings_of_script(language, script, sink, text("%u", sink->port), TIMES);

	expect_marks(records, script, language);
	stop_sink(sink);
	json_decref(records);
}

Test(settings, python)
{
	check_script(&python, "settings.py");
}

Test(settings, php)
{
	check_script(&php, "settings.php");
}

Test(settings, perl)
{
	check_script(&perl, "settings.pl");
}

Test(settings, ruby)
{
	check_script(&ruby, "settings.rb");
}

/* ---- native code ---- */

/* Cut where the room ends, and it says so. */
static const char cut_words[] =
	"SSL_CONF_cmd(Protocol,  TLSv1, TLSv1.2,  TLSv1.1, TLSv1.2,  TLSv1.1, TLSv1.2,  TLSv1.1, "
	"TLS...)";

static const char *const native_words[] = {
	"SSL_CTX_new(TLSv1_1_client_method)",
	"SSL_CTX_new(TLSv1_2_client_method)",
	"SSL_CTX_set_min_proto_version(TLS 1.1)",
	"SSL_set_min_proto_version(TLS 1.1)",
	"SSL_CTX_set_max_proto_version(TLS 1.1)",
	"SSL_set_max_proto_version(TLS 1.1)",
	"SSL_CTX_set_min_proto_version(lowest)",
	"SSL_set_min_proto_version(lowest)",
	"SSL_CTX_set_max_proto_version(TLS 1.2)",
	"SSL_set_max_proto_version(TLS 1.2)",
	"SSL_CTX_set_options(NO_TLSv1_2)",
	"SSL_set_options(NO_TLSv1_3)",
	"SSL_CTX_clear_options(NO_TLSv1)",
	"SSL_clear_options(NO_TLSv1)",
	"SSL_CTX_set_security_level(0)",
	"SSL_set_security_level(0)",
	"SSL_CTX_set_cipher_list(@SECLEVEL=0)",
	"SSL_set_cipher_list(@SECLEVEL=0)",
	"SSL_CONF_cmd(MinProtocol, TLSv1)",
	"SSL_CONF_cmd(minprotocol, None)",
	"SSL_CONF_cmd(MaxProtocol, TLSv1.1)",
	"SSL_CONF_cmd(Protocol, TLSv1.1)",
	"SSL_CONF_cmd(Protocol, ALL,-TLSv1.3)",
	"SSL_CONF_cmd(Protocol, -ALL,TLSv1.2)",
	"SSL_CONF_cmd(CipherString, DEFAULT:@SECLEVEL=0)",
	"SSL_CONF_cmd(Protocol, \t\v\r\nTLSv1\n)",
	cut_words,
	"SSL_CONF_cmd(-no_tls1_3)",
	"SSL_CTX_set_ssl_version(TLSv1_client_method)",
	"SSL_set_ssl_method(TLSv1_1_client_method)",
};

#define NATIVE_WORDS (sizeof(native_words) / sizeof(native_words[0]))

static void check_native(const char *const how[])
{
	struct sink *sink = start_sink(WORDS("--tls=1.2..1.3", "--implicit"));
	const char *program = program_path("settings");
	char *executable = realpath(program, NULL);
	json_t *records =
		settings_of(join_words(WORDS(program, text("%u", sink->port), TIMES), how), sink,
			    WORDS("OPENSSL_CONF=/dev/null"));

	cr_assert_not_null(executable);
	cr_expect_eq(json_array_size(records), NATIVE_WORDS, "%zu records, not %zu:\n%s",
		     json_array_size(records), NATIVE_WORDS, json_dumps(records, JSON_INDENT(1)));
	for (size_t i = 0; i < NATIVE_WORDS; i++) {
		const json_t *record = NULL;

		cr_expect_eq(
			count_of(records, native_words[i], strlen(native_words[i]), -1, &record), 1,
			"%s", native_words[i]);
		cr_expect_str_eq(field(record, "code.file.path"), executable);
	}
	free(executable);
	stop_sink(sink);
	json_decref(records);
}

Test(settings, native)
{
	check_native(NO_WORDS);
}

Test(settings, native_by_hand)
{
	check_native(WORDS("by-hand"));
}

/* ---- which processes, and how often ---- */

Test(settings, a_process_that_makes_no_mail_connection_has_none)
{
	static const struct {
		const struct language *language;
		const char *script;
	} scripts[] = {{&python, "settings.py"},
		       {&php, "settings.php"},
		       {&perl, "settings.pl"},
		       {&ruby, "settings.rb"}};
	struct sink *sink = start_sink(WORDS("--tls=1.2..1.3"));

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
		settings_of_script(scripts[i].language, scripts[i].script, sink, "0", TIMES);
	settings_of(WORDS(program_path("settings"), "0", TIMES), sink, NO_WORDS);
	cr_expect_eq(json_array_size(read_json_lines(test_path("log.jsonl"))), 0);
	stop_sink(sink);
}

Test(settings, a_thousand_connections_leave_one_record_of_each_place)
{
	struct sink *sink = start_sink(WORDS("--tls=1.2..1.3", "--implicit"));
	json_t *records =
		settings_of_script(&python, "loop.py", sink, text("%u", sink->port), "1000");

	expect_marks(records, "loop.py", &python);
	cr_expect_eq(json_array_size(records_of(test_path("log.jsonl"), "tls-handshake")), 1000);
	stop_sink(sink);
}

Test(settings, the_floor_says_what_is_welcome)
{
	struct sink *sink = start_sink(WORDS("--tls=1.2..1.3", "--implicit"));
	const char *const argv[] = {python.interpreter, whole_path("floor.py"), "127.0.0.1",
				    text("%u", sink->port), NULL};
	json_t *records = settings_of(argv, sink, WORDS("TLSWITNESS_FLOOR=1.1"));

	cr_expect_eq(json_array_size(records), 0, "1.1 is welcome there");
	records = settings_of(argv, sink, WORDS("TLSWITNESS_FLOOR=1.2"));
	cr_assert_eq(json_array_size(records), 1);
	cr_expect_str_eq(field(json_array_get(records, 0), "tlswitness.setting"),
			 "SSL_CTX_set_min_proto_version(TLS 1.1)");
	records = settings_of(argv, sink, WORDS("TLSWITNESS_FLOOR=1.3"));
	cr_assert_eq(json_array_size(records), 3, "the one before, and two");
	cr_expect_str_eq(field(json_array_get(records, 2), "tlswitness.setting"),
			 "SSL_CTX_set_min_proto_version(TLS 1.2)");
	stop_sink(sink);
}
