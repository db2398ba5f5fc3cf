/*
 * What is installed beside the command: pages that name just the options that
 * there are, completions that know them, and an end that leaves nothing.
 */
#include <string.h>

#include <criterion/criterion.h>

#include "shim/record/record_values.h"
#include "tests/integration/harness.h"

TestSuite(manual, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

/* What a line of the shell says, "$1" being `argument`. */
static const char *shell(const char *line, const char *argument)
{
	struct program program = {.argv = WORDS("bash", "-c", line, "bash", argument, tool_path())};

	cr_assert_eq(run_program(&program), 0, "%s: %s%s", line, program.out, program.err);
	return text("%s", program.out);
}

static const char commands_line[] = "\"$2\" --help | sed -n 's/^  \\([a-z]*\\)  *.*/\\1/p' | sort";

static const char options_line[] =
	"\"$2\" \"$1\" --help | sed -n 's/^  \\(-.*\\)$/\\1/p' | sed 's/   .*//' |"
	" grep -oE '(^|[ ,])--?[a-z0-9][a-z0-9-]*' | tr -d ' ,' | grep -vx -e -h | sort -u";

static const char page_line[] =
	"grep -E '^[.]It Fl' man/tlswitness-$1.1 | grep -oE 'Fl -?[a-z0-9][a-z0-9-]*' |"
	" sed 's/Fl /-/' | grep -vx -e -h | sort -u";

/* Calls `visit` with each line of `lines`. */
static void each_line(const char *lines, void (*visit)(const char *line))
{
	while (*lines) {
		size_t length = strcspn(lines, "\n");

		visit(text("%.*s", (int)length, lines));
		lines += length + (lines[length] == '\n');
	}
}

static void expect_page(const char *command)
{
	cr_expect_str_eq(shell(options_line, command), shell(page_line, command),
			 "%s: its help (first) and its page name different options", command);
}

Test(manual, names_just_the_options_that_there_are)
{
	const char *commands = shell(commands_line, "");

	cr_expect_str_eq(
		commands,
		shell("ls man/tlswitness-*.1 | sed 's|man/tlswitness-||; s|.1$||' | sort", ""),
		"a page for each command, and no other");
	each_line(commands, expect_page);
}

/* ---- the record's keys and values, as people read of them ---- */

enum {
	TIME = RECORD_SETS, /* the kinds of record_fields.def that are no list */
	TEXT,
	NUMBER,
	BOOLEAN,
	VERSION,
	VERSIONS,
	STACK,
	ACTION = RECORD_SET_ACTION,
	OUTCOME = RECORD_SET_OUTCOME,
	PROTOCOL = RECORD_SET_PROTOCOL,
	TLS_PROTOCOL = RECORD_SET_TLS_PROTOCOL,
	CERTIFICATE = RECORD_SET_CERTIFICATE,
	VERDICT = RECORD_SET_VERDICT,
	MODE = RECORD_SET_MODE,
	TLS_MODE = RECORD_SET_TLS_MODE,
	LIMIT = RECORD_SET_LIMIT,
	WITNESSES = RECORD_SET_WITNESS,
};

static const struct {
	const char *key;
	unsigned kind;
} fields[] = {
#define FIELD(key, kind, member) {key, kind},
#include "shim/record/record_fields.def"
};

#define FIELDS (sizeof(fields) / sizeof(fields[0]))

/* Of each key its place, and there, or with a place of its own, every value that it can have. */
static void expect_keys_and_values(const char *file, const char *place_line, const char *head)
{
	for (size_t i = 0; i < FIELDS; i++) {
		const char *place = shell(text(place_line, fields[i].key), file);

		cr_expect_str_not_empty(place, "%s has no %s", file, fields[i].key);
		if (fields[i].kind >= RECORD_SETS)
			continue;
		for (unsigned j = 0; j < record_value_sets[fields[i].kind].count; j++) {
			const char *value = record_value_sets[fields[i].kind].value[j].text;
			if (strstr(place, value))
				continue;
			const char *own =
				shell(text("grep -c '^%s%s' \"$1\" || true", head, value), file);

			cr_expect_str_eq(own, "1\n", "%s: %s has no %s", file, fields[i].key,
					 value);
		}
	}
}

Test(manual, has_every_key_and_value_of_the_record)
{
	expect_keys_and_values("man/tlswitness-log.5",
			       "awk '/^[.]It/ { found = 0 } /^[.]It.* %s( |$)/ { found = 1 }"
			       " found' \"$1\"",
			       "[.]It Li ");
	expect_keys_and_values("README.md", "grep '^| .*`%s`.* |' \"$1\" || true", "| .");
}

Test(manual, help_names_every_verdict)
{
	const char *report = shell("\"$2\" report --help", "");
	const char *watch = shell("\"$2\" watch --help", "");

	for (unsigned i = 1; i <= record_value_sets[RECORD_SET_VERDICT].count; i++) {
		const char *verdict = record_value_text(RECORD_SET_VERDICT, i);

		cr_expect_not_null(strstr(report, verdict), "%s", verdict);
		cr_expect_not_null(strstr(watch, verdict), "%s", verdict);
	}
}

/* What mandoc can't know here: pages that are not installed. */
Test(manual, is_clean_by_mandoc)
{
	const char *said =
		shell("for page in man/*.[158]; do mandoc -Tlint $page; done 2>&1 |"
		      " grep -v -e 'referenced manual not found' -e 'outdated mandoc.db' ||"
		      " true",
		      "");

	cr_expect_str_empty(said);
}

/* What bash offers for a line typed so far. */
static const char *offers(const char *words, unsigned at)
{
	return shell(text("tlswitness() { command \"$TOOL\" \"$@\"; }; TOOL=$2;"
			  " compopt() { :; }; . tools/share/completions/tlswitness.bash;"
			  " COMP_WORDS=(%s); COMP_CWORD=%u; _tlswitness; printf '%%s\\n'"
			  " \"${COMPREPLY[@]}\"",
			  words, at),
		     "");
}

Test(manual, bash_completes_commands_and_options)
{
	cr_expect_str_eq(offers("tlswitness rep", 1), "report\n");
	cr_expect_str_eq(offers("tlswitness help ch", 2), "check\n");
	cr_expect_str_eq(offers("tlswitness run --flo", 2), "--floor=\n");
	cr_expect_str_eq(offers("tlswitness report --what", 2), "--what-if\n");
	cr_expect_str_eq(offers("tlswitness enable post", 2), "postfix\n");
	cr_expect_not_null(strstr(offers("tlswitness sink --", 2), "--strip-starttls\n"));
}

Test(manual, help_is_help)
{
	struct program with = {.argv = WORDS(tool_path(), "check", "--help")};
	struct program by = {.argv = WORDS(tool_path(), "help", "check")};
	struct program none = {.argv = WORDS(tool_path(), "help", "chekc")};

	cr_expect_eq(run_program(&with), 0);
	cr_expect_eq(run_program(&by), 0);
	cr_expect_str_eq(with.out, by.out);
	cr_expect_eq(run_program(&none), 2);
	cr_expect_not_null(strstr(none.err, "did you mean check"), "%s", none.err);
}

Test(manual, install_and_uninstall_leave_nothing)
{
	const char *root = test_path("root");
	const char *const make[] = {"make",
				    "--no-print-directory",
				    text("DESTDIR=%s", root),
				    "PREFIX=/usr",
				    "LIBDIR=/usr/lib/x86_64-linux-gnu",
				    NULL};
	struct program install = {.argv = join_words(make, WORDS("install")),
				  .env = WORDS("MAKEFLAGS", "MAKELEVEL")};
	struct program uninstall = {.argv = join_words(make, WORDS("uninstall")),
				    .env = WORDS("MAKEFLAGS", "MAKELEVEL")};

	cr_assert_eq(run_program(&install), 0, "%s", install.err);
	const char *files = shell("cd $1 && find . -type f -printf '%m %p\\n' | sort -k 2", root);
	static const char *const expected[] = {
		"644 ./usr/lib/x86_64-linux-gnu/tlswitness/libtlswitness.so\n",
		"755 ./usr/bin/tlswitness\n",
		"644 ./usr/share/man/man1/tlswitness.1\n",
		"644 ./usr/share/man/man1/tlswitness-status.1\n",
		"644 ./usr/share/man/man5/tlswitness.conf.5\n",
		"644 ./usr/share/man/man5/tlswitness-log.5\n",
		"644 ./usr/share/man/man8/libtlswitness.8\n",
		"644 ./usr/share/bash-completion/completions/tlswitness\n",
		"644 ./etc/logrotate.d/tlswitness\n",
		"644 ./usr/lib/tmpfiles.d/tlswitness.conf\n",
	};
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		cr_expect_not_null(strstr(files, expected[i]), "%s is not in:\n%s", expected[i],
				   files);
	const char *library = text("%s/usr/lib/x86_64-linux-gnu/tlswitness/libtlswitness.so", root);
	cr_expect_str_eq(
		shell("readelf -SW \"$1\" | grep -c -e '[.]symtab' -e '[.]debug' || true", library),
		"0\n", "not stripped");
	/* Cut anywhere, the loader says so and leaves it out: no process ends by that. */
	cr_expect_str_eq(shell("size=$(stat -c %s \"$1\")\n"
			       "for cut in $(seq 0 65536 $size) $((size - 1)) $size; do\n"
			       "	head -c $cut \"$1\" >\"$1.cut\"\n"
			       "	said=$(LD_PRELOAD=\"$1.cut\" /bin/true 2>&1) || echo $cut\n"
			       "	[ -n \"$said\" ] || echo all of $((size - cut))\n"
			       "done\n"
			       "rm \"$1.cut\"",
			       library),
			 "all of 0\n");
	/* It is found where it was put, from where it was put. */
	struct program run = {.argv = WORDS(text("%s/usr/bin/tlswitness", root), "run",
					    text("--log=%s", test_path("l")), "sh", "-c",
					    "echo $LD_PRELOAD")};
	cr_expect_eq(run_program(&run), 0, "%s", run.err);
	cr_expect_str_eq(run.out, text("%s\n", library));
	cr_assert_eq(run_program(&uninstall), 0, "%s", uninstall.err);
	cr_expect_str_empty(shell("cd $1 && find . -type f", root));
}
