/*
 * `tlswitness enable`, `disable` and `status`, in roots made by hand: every byte
 * of such a root is known before and after.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "tests/integration/records.h"

TestSuite(enable, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

#define RECORDER "/usr/lib/tlswitness/libtlswitness.so"

/* A small system: a program that starts, the recorder, and some daemons' files. */
static const char make_root_script[] =
	"set -e; root=$1; recorder=$2\n"
	"mkdir -p $root/bin $root/usr/lib/tlswitness $root/usr/sbin $root/usr/bin $root/proc "
	"$root/var/log/tlswitness $root/etc/postfix $root/etc/pam.d $root/etc/apache2 "
	"$root/etc/php/8.2/fpm/pool.d $root/etc/systemd/system\n"
	"cp /bin/true $root/bin/true; cp /bin/true $root/usr/sbin/exim4\n"
	"cp $recorder $root" RECORDER "\n"
	"for library in $(ldd /bin/true | grep -o '/[^ ]*'); do\n"
	"	mkdir -p $root$(dirname $library); cp -L $library $root$library; done\n"
	"printf 'root:x:0:0::/root:/bin/sh\\nwww-data:x:33:33::/:/bin/sh\\n' >$root/etc/passwd\n"
	"printf 'myhostname = a.example\\nimport_environment = TZ\\n  LANG=C\\nrelayhost = b' "
	">$root/etc/postfix/main.cf\n"
	"printf 'session required pam_unix.so\\n' >$root/etc/pam.d/cron\n"
	"printf 'export APACHE_RUN_USER=www-data\\n' >$root/etc/apache2/envvars\n"
	"chmod 640 $root/etc/apache2/envvars\n"
	": >$root/etc/php/8.2/fpm/php-fpm.conf; : >$root/etc/php/8.2/fpm/pool.d/www.conf\n";

static const char *make_root(void)
{
	const char *root = test_path("root");
	struct program program = {
		.argv = WORDS("sh", "-c", make_root_script, "sh", root, recorder_path())};

	if (geteuid() != 0)
		cr_skip("only root can change its root");
	cr_assert_eq(run_program(&program), 0, "%s", program.err);
	return root;
}

/* Names, kinds, modes, owners and contents of all that is there. */
static const char *manifest(const char *root)
{
	static const char list[] =
		"cd $1 && find . -name '*.tlswitness-new' -prune -o -path ./var -prune -o "
		"-printf '%p %y %m %U %G %l\\n' | sort && "
		"find etc -type f ! -name '*.tlswitness-new' | sort | xargs sha256sum";
	struct program program = {.argv = WORDS("sh", "-c", list, "sh", root)};

	cr_assert_eq(run_program(&program), 0, "%s", program.err);
	return text("%s", program.out);
}

static struct program host_command(const char *command, const char *root, const char *const words[])
{
	struct program program = {
		.argv = join_words(WORDS(tool_path(), command, text("--root=%s", root)), words)};

	run_program(&program);
	return program;
}

static void expect_done(const char *command, const char *root, const char *const words[])
{
	struct program program = host_command(command, root, words);

	cr_assert_eq(program.status, 0, "%s %s: %s", command, words[0], program.err);
	cr_expect_str_empty(program.err);
}

static const char *file_in(const char *root, const char *path)
{
	return read_file(text("%s%s", root, path), NULL);
}

static void put_in(const char *root, const char *path, const char *content)
{
	const char *name = test_file("content", content);
	struct program copy = {.argv = WORDS("cp", name, text("%s%s", root, path))};

	cr_assert_eq(run_program(&copy), 0, "%s", copy.err);
}

static const struct {
	const char *target;
	const char *path; /* a file that is changed */
	const char *line; /* and a line in it then */
} targets[] = {
	{"system", "/etc/ld.so.preload", RECORDER "\n"},
	{"system", "/etc/tlswitness/tlswitness.conf", "\nonly = system\n"},
	{"program:/usr/sbin/exim4", "/etc/tlswitness/tlswitness.conf",
	 "\nonly = program:/usr/sbin/exim4\n"},
	{"program:/usr/sbin/exim4", "/etc/ld.so.preload", RECORDER "\n"},
	{"exim4", "/etc/tlswitness/tlswitness.conf", "\nonly = program:/usr/sbin/exim4\n"},
	{"user:www-data", "/etc/tlswitness/tlswitness.conf", "\nonly = user:33\n"},
	{"unit:shop", "/etc/systemd/system/shop.service.d/tlswitness.conf",
	 "\n[Service]\nEnvironment=LD_PRELOAD=" RECORDER "\n"},
	{"php-fpm", "/etc/systemd/system/php8.2-fpm.service.d/tlswitness.conf",
	 "\nEnvironment=LD_PRELOAD=" RECORDER "\n"},
	{"php-fpm:www", "/etc/systemd/system/php8.2-fpm.service.d/tlswitness.conf",
	 "\nEnvironment=LD_PRELOAD=" RECORDER "\n"},
	{"postfix", "/etc/postfix/main.cf",
	 "\nimport_environment = TZ   LANG=C LD_PRELOAD=" RECORDER "\n"},
	{"apache2", "/etc/apache2/envvars", "\nexport LD_PRELOAD=" RECORDER "\n"},
	{"cron", "/etc/pam.d/cron",
	 "\nsession optional pam_env.so envfile=/etc/tlswitness/environment\n"},
	{"cron", "/etc/tlswitness/environment", "LD_PRELOAD=" RECORDER "\n"},
};

#define TARGETS_COUNT (sizeof(targets) / sizeof(targets[0]))

Test(enable, each_target_there_and_back)
{
	const char *root = make_root();
	const char *before = manifest(root);

	for (size_t i = 0; i < TARGETS_COUNT; i++) {
		const char *target = targets[i].target;

		struct program dry = host_command("enable", root, WORDS("--dry-run", target));
		cr_expect_eq(dry.status, 0, "%s: %s", target, dry.err);
		cr_expect_not_null(strstr(dry.out, targets[i].path), "%s: %s", target, dry.out);
		cr_expect_str_eq(manifest(root), before, "--dry-run %s", target);

		expect_done("enable", root, WORDS("--mode=enforce", target));
		cr_expect_not_null(
			strstr(text("\n%s", file_in(root, targets[i].path)), targets[i].line),
			"%s: %s", target, file_in(root, targets[i].path));
		cr_expect_not_null(strstr(file_in(root, "/etc/tlswitness/tlswitness.conf"),
					  "\nmode = enforce\n"));
		const char *enabled = manifest(root);
		struct program again = host_command("enable", root, WORDS(target));
		cr_expect_eq(again.status, 0, "%s", again.err);
		cr_expect_null(strstr(again.out, "changed"), "%s twice: %s", target, again.out);
		cr_expect_str_eq(manifest(root), enabled, "%s twice", target);
		struct program status = host_command("status", root, NO_WORDS);
		cr_expect_eq(status.status, 0, "%s: %s%s", target, status.out, status.err);
		cr_expect_null(strstr(status.out, "incomplete"), "%s", status.out);

		expect_done("disable", root, WORDS(target));
		cr_expect_str_eq(manifest(root), before, "%s is not undone:\n%s", target,
				 manifest(root));
		expect_done("disable", root, WORDS(target));
		cr_expect_str_eq(manifest(root), before, "%s twice undone", target);
	}
}

Test(enable, undoes_its_own_alone)
{
	const char *root = make_root();

	put_in(root, "/etc/ld.so.preload", "/foreign.so\n# words");
	struct program mkdir = {.argv = WORDS("mkdir", text("%s/etc/tlswitness", root))};
	cr_assert_eq(run_program(&mkdir), 0);
	put_in(root, "/etc/tlswitness/tlswitness.conf", "service = mine\nmode = audit");
	const char *before = manifest(root);

	/* All at once, then one after the other, not in their order. */
	for (size_t i = 0; i < TARGETS_COUNT; i++)
		expect_done("enable", root, WORDS("--floor=1.3", targets[i].target));
	cr_expect_not_null(strstr(file_in(root, "/etc/ld.so.preload"), "\n/foreign.so\n# words"));
	cr_expect_eq(strncmp(file_in(root, "/etc/tlswitness/tlswitness.conf"),
			     "service = mine\nmode = audit\n", 28),
		     0);
	/* Two of them need the same line; it stays for the second. */
	expect_done("disable", root, WORDS("exim4"));
	cr_expect_not_null(strstr(file_in(root, "/etc/tlswitness/tlswitness.conf"),
				  "only = program:/usr/sbin/exim4\n"));
	expect_done("disable", root, WORDS("program:/usr/sbin/exim4", "system"));
	cr_expect_not_null(strstr(file_in(root, "/etc/ld.so.preload"), RECORDER "\n"),
			   "another user still needs it");
	expect_done("disable", root, WORDS("--all"));
	cr_expect_str_eq(manifest(root), before, "%s", manifest(root));
}

Test(enable, nothing_where_the_recorder_does_not_start)
{
	const char *root = make_root();

	put_in(root, RECORDER, "no library\n");
	const char *before = manifest(root);
	for (size_t i = 0; i < TARGETS_COUNT; i++) {
		struct program program = host_command("enable", root, WORDS(targets[i].target));

		cr_expect_eq(program.status, 2, "%s", targets[i].target);
		cr_expect_not_null(strstr(program.err, "nothing was changed"), "%s", program.err);
		cr_expect_str_eq(manifest(root), before);
	}
}

Test(enable, of_what_is_not_there)
{
	const char *root = make_root();
	const char *before = manifest(root);
	static const struct {
		const char *word;
		const char *said;
	} wrong[] = {
		{"unti:shop", "is no target; there are system"},
		{"unit", "is no target"},
		{"unit:../x", "no name of a unit"},
		{"unit:x.socket", "only a service"},
		{"system:all", "is no target"},
		{"program:exim4", "absolute path"},
		{"program:/usr/bin/none", "no such program"},
		{"user:nobody-here", "no such user"},
		{"php-fpm:shop", "there is no"},
		{"--mode=enforced", "audit, enforce or upgrade"},
		{"--floor=1.4", "1.0, 1.1, 1.2 or 1.3"},
		{"--log=relative", "an absolute path"},
		{"--all", "no option --all"},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct program program =
			host_command("enable", root, WORDS(wrong[i].word, "system"));

		cr_expect_eq(program.status, 2, "%s", wrong[i].word);
		cr_expect_not_null(strstr(program.err, wrong[i].said), "%s: %s", wrong[i].word,
				   program.err);
		cr_expect_str_eq(manifest(root), before, "%s", wrong[i].word);
	}
	/* A build tree in somebody's home is no place for what all processes load. */
	struct program copy = {.argv = WORDS("cp", tool_path(), recorder_path(), test_path(""))};
	cr_assert_eq(run_program(&copy), 0, "%s", copy.err);
	cr_assert_eq(chmod(test_path("libtlswitness.so"), 0666), 0);
	struct program program = {
		.argv = WORDS(test_path("tlswitness"), "enable", "--dry-run", "system")};
	cr_expect_eq(run_program(&program), 2);
	cr_expect_not_null(strstr(program.err, "can be changed by others than root"), "%s",
			   program.err);
}

Test(enable, status_lists_exceptions_and_what_is_wrong_with_the_file)
{
	const char *root = make_root();

	cr_assert_eq(mkdir(text("%s/etc/tlswitness", root), 0755), 0);
	put_in(root, "/etc/tlswitness/tlswitness.conf",
	       "exception = to:a.example floor:1.0 until:9999-12-31\n");
	struct program status = host_command("status", root, NO_WORDS);
	cr_expect_eq(status.status, 0, "%s%s", status.out, status.err);
	cr_expect_not_null(
		strstr(status.out, "  exception: to:a.example floor:1.0 until:9999-12-31\n"), "%s",
		status.out);
	put_in(root, "/etc/tlswitness/tlswitness.conf",
	       "exception = to:a.example floor:1.0 until:2026-01-31\nexception = to:a.example\n"
	       "exception = program:/usr/bin/erp floor:none until:9999-12-31\n");
	status = host_command("status", root, NO_WORDS);
	cr_expect_eq(status.status, 1);
	cr_expect_not_null(strstr(status.out, "  exception that is over: to:a.example floor:1.0"),
			   "%s", status.out);
	cr_expect_not_null(strstr(status.out, "  exception: program:/usr/bin/erp floor:none"), "%s",
			   status.out);
	cr_expect_not_null(strstr(status.out, "'to:a.example' is no exception: it has no floor:"),
			   "%s", status.out);
}

/* The library may be gone before it is disabled: the loader would complain for ever. */
Test(enable, is_disabled_without_the_library)
{
	const char *root = make_root();
	const char *before;

	put_in(root, "/etc/ld.so.preload", "/foreign.so\n");
	before = manifest(root);
	expect_done("enable", root, WORDS("system"));
	struct program move = {.argv = WORDS("mv", text("%s" RECORDER, root), test_path("gone"))};
	cr_assert_eq(run_program(&move), 0, "%s", move.err);
	expect_done("disable", root, WORDS("--all"));
	move.argv = WORDS("mv", test_path("gone"), text("%s" RECORDER, root));
	cr_assert_eq(run_program(&move), 0, "%s", move.err);
	cr_expect_str_eq(file_in(root, "/etc/ld.so.preload"), "/foreign.so\n");
	cr_expect_str_eq(manifest(root), before);
}

/* ---- killed on the way ---- */

/* The command under strace, which kills it before the N-th of these calls; false: it ended. */
static bool kill_at(const char *command, const char *root, const char *target, unsigned call)
{
	static const char calls[] =
		"openat,openat2,write,fchown,fchmod,fsync,rename,unlink,mkdir,rmdir";
	const char *const strace[] = {"strace",
				      "-qq",
				      "-o",
				      "/dev/null",
				      "-e",
				      text("trace=%s", calls),
				      "-e",
				      text("inject=%s:signal=KILL:when=%u", calls, call),
				      tool_path(),
				      command,
				      text("--root=%s", root),
				      target,
				      NULL};
	bool on = strcmp(command, "enable") == 0;
	struct program program = {
		.argv = join_words(strace, on ? WORDS("--mode=enforce") : NO_WORDS)};

	run_program(&program);
	cr_assert(program.status == 0 || program.status == 128 + 9, "%d: %s", program.status,
		  program.err);
	return program.status != 0;
}

static bool has(const char *root, const char *path, const char *words)
{
	return strstr(file_in(root, path), words) != NULL;
}

/*
 * A process is without the recorder, or it has all settings that came with it. And whatever
 * was left, the same command again ends it.
 */
static void expect_old_or_new(const char *root, const char *target, const char *path,
			      const char *line)
{
	if (has(root, path, line)) {
		cr_expect(has(root, "/etc/tlswitness/tlswitness.conf", "mode = enforce"), "%s",
			  target);
		cr_expect(
			has(root, "/etc/tlswitness/tlswitness.conf", text("# target %s\n", target)),
			"%s", target);
	}
	cr_expect_str_not_empty(file_in(root, "/etc/postfix/main.cf"));
	cr_expect(has(root, "/etc/postfix/main.cf", "relayhost = b"));
	cr_expect(has(root, "/etc/ld.so.preload", "/foreign.so\n"));
}

static void kill_everywhere(const char *target, const char *path, const char *line)
{
	const char *root = make_root();
	unsigned kills = 0;

	put_in(root, "/etc/ld.so.preload", "/foreign.so\n");
	const char *before = manifest(root);
	for (bool killed = true; killed;) {
		killed = kill_at("enable", root, target, ++kills);
		expect_old_or_new(root, target, path, line);
		if (killed) {
			expect_done("enable", root, WORDS("--mode=enforce", target));
			expect_old_or_new(root, target, path, line);
			expect_done("disable", root, WORDS(target));
			cr_assert_str_eq(manifest(root), before, "%s, killed at %u", target, kills);
		}
	}
	cr_expect_gt(kills, 20U);
	kills = 0;
	for (bool killed = true; killed;) {
		expect_done("enable", root, WORDS("--mode=enforce", target));
		killed = kill_at("disable", root, target, ++kills);
		expect_old_or_new(root, target, path, line);
		expect_done("disable", root, WORDS(target));
		cr_assert_str_eq(manifest(root), before, "%s, killed at %u", target, kills);
	}
}

/* A test of its own for each, so that they run beside one another. */
#define KILLED(name, target, path, line)             \
	Test(enable, killed_at_every_step_of_##name) \
	{                                            \
		kill_everywhere(target, path, line); \
	}

#define UNITS "/etc/systemd/system/"

KILLED(the_system, "system", "/etc/ld.so.preload", RECORDER "\n")
KILLED(a_program, "program:/usr/sbin/exim4", "/etc/ld.so.preload", RECORDER "\n")
KILLED(exim4, "exim4", "/etc/ld.so.preload", RECORDER "\n")
KILLED(a_user, "user:33", "/etc/ld.so.preload", RECORDER "\n")
KILLED(a_unit, "unit:shop.service", UNITS "shop.service.d/tlswitness.conf", RECORDER "\n")
KILLED(php_fpm, "php-fpm", UNITS "php8.2-fpm.service.d/tlswitness.conf", RECORDER "\n")
KILLED(postfix, "postfix", "/etc/postfix/main.cf", "LD_PRELOAD=" RECORDER)
KILLED(apache2, "apache2", "/etc/apache2/envvars", "LD_PRELOAD=" RECORDER)
KILLED(cron, "cron", "/etc/pam.d/cron", "pam_env.so")

/* ---- what the processes then do ---- */

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

/* Runs a program in the root, as a user, with its own /proc; the records of that user's log. */
static size_t records_in(const char *root, const char *program, const char *user,
			 const struct sink *sink)
{
	struct program run = {.argv = WORDS("unshare", "-mpf", text("--mount-proc=%s/proc", root),
					    "chroot", text("--userspec=%s", user), root, program,
					    text("%u", sink->port)),
			      .env = WORDS("LD_PRELOAD")};
	const char *log = text("%s/var/log/tlswitness/%s.jsonl", root, user);

	unlink(log);
	cr_assert_eq(run_program(&run), 0, "%s: %s%s", program, run.out, run.err);
	cr_expect_str_empty(run.err);
	return json_array_size(records_of(log, "plaintext-mail"));
}

Test(enable, is_for_those_that_were_named)
{
	const char *root = make_root();
	struct sink *sink = start_sink(WORDS("--tls=none"));
	const char *source = test_file("client.c", client_source);
	struct program compiler = {
		.argv = WORDS("gcc", "-o", text("%s/usr/bin/one", root), source)};
	struct program copy = {
		.argv = WORDS("cp", text("%s/usr/bin/one", root), text("%s/usr/bin/two", root))};
	struct program probe = {.argv = WORDS("unshare", "-mpf", "true")};

	if (run_program(&probe) != 0)
		cr_skip("no namespaces here");
	cr_assert_eq(run_program(&compiler), 0, "%s", compiler.err);
	cr_assert_eq(run_program(&copy), 0, "%s", copy.err);
	cr_assert_eq(chmod(text("%s/var/log/tlswitness", root), 01777), 0);
	cr_expect_eq(records_in(root, "/usr/bin/one", "0", sink), 0);
	expect_done("enable", root, WORDS("program:/usr/bin/one"));
	cr_expect_eq(records_in(root, "/usr/bin/one", "0", sink), 1);
	cr_expect_eq(records_in(root, "/usr/bin/two", "0", sink), 0);
	expect_done("enable", root, WORDS("user:www-data"));
	cr_expect_eq(records_in(root, "/usr/bin/two", "33", sink), 1);
	cr_expect_eq(records_in(root, "/usr/bin/two", "0", sink), 0);
	expect_done("enable", root, WORDS("system"));
	cr_expect_eq(records_in(root, "/usr/bin/two", "0", sink), 1);
	/* With more rights than who started it, it is reached as well. */
	cr_assert_eq(chmod(text("%s/usr/bin/two", root), 04755), 0);
	cr_assert_eq(unlink(text("%s/var/log/tlswitness/0.jsonl", root)), 0);
	records_in(root, "/usr/bin/two", "33", sink);
	cr_expect_eq(json_array_size(records_of(text("%s/var/log/tlswitness/0.jsonl", root),
						"plaintext-mail")),
		     1);
	expect_done("disable", root, WORDS("--all"));
	cr_expect_eq(records_in(root, "/usr/bin/one", "0", sink), 0);
	/* A library that is gone harms nobody once it is disabled. */
	cr_expect_str_empty(file_in(root, "/etc/ld.so.preload"));
}

Test(enable, status_proves_that_it_works)
{
	struct program program = {.argv = WORDS(tool_path(), "status")};

	run_program(&program);
	cr_expect_not_null(strstr(program.out, "given the recorder is recorded"), "%s%s",
			   program.out, program.err);
}
