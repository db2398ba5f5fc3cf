/*
 * Programs with a sandbox of their own do what they do without the recorder: they would be ended
 * by a system call that they do not expect. And servers that begin anew while they serve are
 * recorded afterwards as before.
 */
#include <glob.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "tests/integration/daemons.h"
#include "tests/integration/records.h"
#include "tests/integration/trial.h"

TestSuite(services, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

#define UNPACKED "build/debian"

static void expect_root(void)
{
	if (geteuid() != 0)
		cr_skip("only root can become another user, and mount");
}

static const char *unpacked(const char *path)
{
	char *whole = realpath(text("%s/%s", UNPACKED, path), NULL);
	const char *kept;

	cr_assert_not_null(whole, "%s is not there: `make setup FOR=check`", path);
	kept = text("%s", whole);
	free(whole);
	return kept;
}

/* The environment of a recorded program; its log is there for programs that became another user. */
static const char *const *recorded_in(const char *log, const char *mode, unsigned port)
{
	cr_assert(chmod(test_file(log, ""), 0666) == 0);
	return join_words(WORDS(text("LD_PRELOAD=%s", recorder_path()),
				text("TLSWITNESS_LOG=%s", test_path(log)),
				text("TLSWITNESS_MODE=%s", mode),
				text("TLSWITNESS_PORTS=%u", port)),
			  NO_WORDS);
}

/* ---- programs with a sandbox of their own ---- */

/* A daemon, and a program that asks it; both are told the port, and a directory of their own. */
struct confined {
	const char *name;
	const char *const *(*daemon)(uint16_t port, const char *directory);
	const char *const *(*client)(uint16_t port, const char *directory);
	bool has_no_listener;   /* of TCP */
	const char *last_words; /* that end it; NULL: SIGTERM does */
	const char *filtered;   /* what /proc/PID/status of the daemon itself says; NULL: nothing */
};

static const char *write_in(const char *directory, const char *name, const char *content)
{
	return test_file(text("%s/%s", strrchr(directory, '/') + 1, name), content);
}

/* Another /etc/passwd for this program alone, and an empty /run. */
static const char *const *with_user(const char *directory, const char *line,
				    const char *const command[])
{
	const char *script = write_in(directory, "start",
				      text("set -e\n"
					   "cp /etc/passwd %s/passwd\n"
					   "echo '%s' >>%s/passwd\n"
					   "mount --bind %s/passwd /etc/passwd\n"
					   "mount -t tmpfs none /run\n"
					   "mkdir -m 755 /run/sshd\n"
					   "exec \"$@\"\n",
					   directory, line, directory, directory));

	return join_words(WORDS("unshare", "--mount", "--propagation", "private", "sh", script),
			  command);
}

static const char *const *tor(uint16_t port, const char *directory)
{
	const char *settings = write_in(directory, "torrc",
					text("DataDirectory %s/data\nSandbox 1\nDisableNetwork 1\n"
					     "SocksPort 0\nControlPort 127.0.0.1:%u\n",
					     directory, port));

	return join_words(WORDS(unpacked("usr/bin/tor"), "-f", settings, "--defaults-torrc",
				"/dev/null", "--hush"),
			  NO_WORDS);
}

/* A line to be sent, another, and so on; prints what comes back. */
static const char *const *dialogue(uint16_t port, const char *lines)
{
	return join_words(WORDS("/usr/bin/python3", "-c",
				"import socket, sys\n"
				"s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
				"f = s.makefile('rw', newline='\\r\\n')\n"
				"for line in sys.argv[2].split('|'):\n"
				"    if line: f.write(line + '\\n'); f.flush()\n"
				"    print(f.readline().strip())\n",
				text("%u", port), lines),
			  NO_WORDS);
}

static const char *const *ask_tor(uint16_t port, const char *directory)
{
	(void)directory;
	return dialogue(port, "AUTHENTICATE|SETCONF Nickname=x|GETCONF Nickname");
}

static const char *const *chrony(uint16_t port, const char *directory)
{
	const char *settings = write_in(directory, "chrony.conf",
					text("local stratum 8\nallow 127.0.0.1\nport %u\n"
					     "bindaddress 127.0.0.1\ncmdport 0\n"
					     "bindcmdaddress /\npidfile %s/pid\n",
					     port, directory));

	return join_words(WORDS(unpacked("usr/sbin/chronyd"), "-d", "-x", "-F", "1", "-u", "root",
				"-f", settings),
			  NO_WORDS);
}

/* Until it answers: it has no port to connect to. */
static const char *const *ask_chrony(uint16_t port, const char *directory)
{
	(void)directory;
	return join_words(WORDS("/usr/bin/python3", "-c",
				"import socket, sys\n"
				"s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
				"s.settimeout(0.1)\n"
				"s.connect(('127.0.0.1', int(sys.argv[1])))\n"
				"for _ in range(300):\n"
				"    try:\n"
				"        s.send(b'\\x23' + bytes(47))\n"
				"        answer = s.recv(100)\n"
				"        break\n"
				"    except OSError:\n"
				"        pass\n"
				"print(len(answer), answer[0], answer[1])\n",
				text("%u", port)),
			  NO_WORDS);
}

static const char *const *vsftpd(uint16_t port, const char *directory)
{
	const char *settings;

	cr_assert(mkdir(text("%s/root", directory), 0755) == 0);
	cr_assert(mkdir(text("%s/empty", directory), 0755) == 0);
	settings = write_in(directory, "vsftpd.conf",
			    text("listen=YES\nlisten_address=127.0.0.1\nlisten_port=%u\n"
				 "background=NO\nseccomp_sandbox=YES\nanonymous_enable=YES\n"
				 "local_enable=NO\nno_anon_password=YES\nftp_username=anonymous\n"
				 "nopriv_user=nobody\nanon_root=%s/root\n"
				 "secure_chroot_dir=%s/empty\n",
				 port, directory, directory));
	return with_user(directory,
			 text("anonymous:x:65532:65534::%s/root:/usr/sbin/nologin", directory),
			 WORDS(unpacked("usr/sbin/vsftpd"), settings));
}

/* Debian's sandbox of it knows no call of today's C library that asks for a file's size. */
static const char *const *ask_vsftpd(uint16_t port, const char *directory)
{
	(void)directory;
	return dialogue(port, "|USER anonymous|SYST|PWD|NOOP|TYPE I|CWD /|QUIT");
}

static const char *const *sshd(uint16_t port, const char *directory)
{
	const char *settings =
		write_in(directory, "sshd_config",
			 text("Port %u\nListenAddress 127.0.0.1\nHostKey %s/key\n"
			      "AuthorizedKeysFile %s/key.pub\nStrictModes no\nUsePAM no\n"
			      "PermitRootLogin yes\nPidFile none\nLogLevel QUIET\n",
			      port, directory, directory));
	const char *part = text("%s/lib/openssh/sshd", unpacked("usr"));
	struct program keys = {.argv = WORDS("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
					     text("%s/key", directory))};

	cr_assert_eq(run_program(&keys), 0, "%s", keys.err);
	/* In parts since 9.8, which it would look for where they are installed. */
	if (access(text("%s-session", part), X_OK) == 0)
		write_in(directory, "sshd_config",
			 text("%sSshdSessionPath %s-session\nSshdAuthPath %s-auth\n",
			      read_file(settings, NULL), part, part));
	return with_user(directory, "sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin",
			 WORDS(unpacked("usr/sbin/sshd"), "-D", "-e", "-f", settings));
}

static const char *const *ask_sshd(uint16_t port, const char *directory)
{
	return join_words(WORDS("ssh", "-F", "none", "-i", text("%s/key", directory), "-o",
				"StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
				"-o", "BatchMode=yes", "-o", "LogLevel=ERROR", "-p",
				text("%u", port), "root@127.0.0.1", "echo logged in; cat"),
			  NO_WORDS);
}

static struct program ask_confined(const struct confined *confined, const char *mode)
{
	const char *directory = test_path(text("%s-%s", confined->name, mode));
	uint16_t port = free_port();
	const char *const *env = NO_WORDS;
	const char *const *argv;
	struct program daemon;
	struct program client = {.input = "and a line\n"};

	cr_assert(mkdir(directory, 0755) == 0);
	if (strcmp(mode, "bare") != 0)
		env = recorded_in(text("%s-%s.jsonl", confined->name, mode), mode, 25);
	argv = confined->daemon(port, directory);
	client.argv = confined->client(port, directory);
	if (confined->has_no_listener) {
		daemon = (struct program){.argv = argv, .env = env};
		start_program(&daemon);
	} else {
		daemon = start_daemon_in(argv, env, port);
	}
	run_program(&client);
	if (confined->filtered != NULL)
		cr_expect_not_null(strstr(read_file(text("/proc/%d/status", daemon.pid), NULL),
					  confined->filtered),
				   "%s", confined->name);
	cr_expect_eq(strstr(read_file(text("/proc/%d/maps", daemon.pid), NULL), "libtlswitness") !=
			     NULL,
		     strcmp(mode, "bare") != 0, "%s, %s", confined->name, mode);
	if (confined->last_words != NULL) {
		struct program end = {.argv = dialogue(port, confined->last_words)};

		run_program(&end);
	} else {
		cr_assert_eq(kill(daemon.pid, SIGTERM), 0, "%s, %s: it is gone", confined->name,
			     mode);
	}
	end_program(&daemon);
	cr_expect_eq(client.status, 0, "%s, %s: %d, %s%s", confined->name, mode, client.status,
		     client.err, daemon.err);
	return client;
}

static void expect_confined_as_bare(const struct confined *confined)
{
	static const char *const modes[] = {"audit", "enforce"};
	struct program bare = ask_confined(confined, "bare");

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		struct program with = ask_confined(confined, modes[i]);

		cr_expect_str_eq(with.out, bare.out, "%s, %s", confined->name, modes[i]);
		cr_expect_str_eq(with.err, bare.err, "%s, %s", confined->name, modes[i]);
	}
}

Test(services, tor_in_its_sandbox)
{
	expect_confined_as_bare(&(struct confined){"tor", tor, ask_tor, false,
						   "AUTHENTICATE|SIGNAL SHUTDOWN", "Seccomp:\t2"});
}

Test(services, chrony_behind_its_filter)
{
	expect_confined_as_bare(&(struct confined){
		"chrony", chrony, ask_chrony, .has_no_listener = true, .filtered = "Seccomp:\t2"});
}

Test(services, vsftpd_in_its_sandbox)
{
	expect_root();
	expect_confined_as_bare(
		&(struct confined){"vsftpd", vsftpd, ask_vsftpd, false, NULL, NULL});
}

Test(services, openssh_in_its_sandbox)
{
	expect_root();
	expect_confined_as_bare(&(struct confined){"sshd", sshd, ask_sshd, false, NULL, NULL});
}

#define ORDINARY_USER 4321

/* Chromium as an ordinary user, since for root it has no sandbox. */
static struct program browse(const char *page, const char *mode)
{
	const char *home = test_path(text("home-%s", mode));
	struct program browser = {
		.argv = WORDS("setpriv", text("--reuid=%d", ORDINARY_USER),
			      text("--regid=%d", ORDINARY_USER), "--clear-groups", "env",
			      text("HOME=%s", home), "chromium", "--headless", "--disable-gpu",
			      "--disable-dev-shm-usage", "--no-first-run",
			      "--disable-background-networking", "--disable-component-update",
			      "--disable-sync", "--disable-default-apps", "--disable-extensions",
			      "--disable-domain-reliability", "--no-proxy-server",
			      "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
			      text("--user-data-dir=%s/profile", home),
			      "--virtual-time-budget=5000", "--dump-dom", page)};

	cr_assert(mkdir(home, 0755) == 0 && chown(home, ORDINARY_USER, ORDINARY_USER) == 0);
	if (strcmp(mode, "bare") != 0)
		browser.env = recorded_in(text("%s.jsonl", mode), mode, 25);
	run_program(&browser);
	return browser;
}

Test(services, chromium_in_its_sandbox)
{
	static const char *const modes[] = {"audit", "enforce"};
	uint16_t port = free_port();
	struct program server;
	const char *page = text("http://127.0.0.1:%u/page.html", port);

	expect_root();
	cr_assert(mkdir(test_path("page"), 0755) == 0);
	test_file("page/page.html",
		  "<!doctype html><title>a page</title><p id=p></p><script>\n"
		  "fetch('/data.txt').then(answer => answer.text()).then(text => {\n"
		  "  document.getElementById('p').textContent = text + [1, 2, 3].map(x => x * x)\n"
		  "})\n</script>\n");
	test_file("page/data.txt", "fetched ");
	server = start_daemon(WORDS("/usr/bin/python3", "-m", "http.server", "--bind", "127.0.0.1",
				    "--directory", test_path("page"), text("%u", port)),
			      port);
	struct program bare = browse(page, "bare");
	if (strstr(bare.err, "No usable sandbox") != NULL)
		cr_skip("this system lets an ordinary user have no sandbox");
	cr_assert_eq(bare.status, 0, "%s", bare.err);
	cr_assert_not_null(strstr(bare.out, "<p id=\"p\">fetched 1,4,9</p>"), "%s", bare.out);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		struct program with = browse(page, modes[i]);

		cr_expect_eq(with.status, 0, "%s: %s", modes[i], with.err);
		cr_expect_str_eq(with.out, bare.out, "%s", modes[i]);
	}
	cr_assert_eq(kill(server.pid, SIGTERM), 0);
	end_program(&server);
}

/* ---- servers that begin anew ---- */

/* A server that sends mail for whoever asks, and the signal at which it begins anew. */
struct renewed {
	const char *name;
	const char *const *argv;
	const char *const *client;
	const char *socket; /* what it listens on; NULL: `port` */
	uint16_t port;
	int signal;
};

static bool is_there(void *path)
{
	return access(path, F_OK) == 0;
}

/* What the client prints is the process that served it. */
struct question {
	const char *const *client;
	const char *before;
	size_t answers;
};

/* NULL if nobody answers: while it begins anew it may not. */
static const char *ask(struct question *question)
{
	struct program client = {.argv = question->client};

	if (run_program(&client) != 0 || *client.out == '\0')
		return NULL;
	question->answers++;
	return client.out;
}

static bool answers_anew(void *data)
{
	struct question *question = data;
	const char *answer = ask(question);

	return answer != NULL && strcmp(answer, question->before) != 0;
}

static void expect_recorded_anew(const struct renewed *renewed, struct sink *sink, const char *log,
				 const char *action)
{
	const char *const *env = recorded_in(log, "audit", sink->port);
	struct program server = {.argv = renewed->argv, .env = env};
	struct question question = {.client = renewed->client};
	json_t *entries;
	json_t *records;

	if (renewed->socket != NULL) {
		start_program(&server);
		wait_until(is_there, (void *)renewed->socket, renewed->name);
	} else {
		server = start_daemon_in(renewed->argv, env, renewed->port);
	}
	for (unsigned i = 0; i < 3; i++) {
		question.before = ask(&question);
		cr_assert_not_null(question.before, "%s does not answer", renewed->name);
		cr_assert_eq(kill(server.pid, renewed->signal), 0);
		wait_until(answers_anew, &question, "another process that serves");
		cr_assert_not_null(ask(&question), "%s does not answer", renewed->name);
	}
	cr_assert_eq(kill(server.pid, SIGTERM), 0);
	end_program(&server);
	stop_sink(sink);
	entries = read_json_lines(sink->log);
	records = records_of(test_path(log), action);
	cr_expect_geq(json_array_size(entries), question.answers);
	cr_assert_eq(json_array_size(records), json_array_size(entries), "%s: %zu records of %zu",
		     renewed->name, json_array_size(records), json_array_size(entries));
	if (strcmp(action, "tls-handshake") == 0)
		expect_one_record_each(records, entries, renewed->name);
	cr_expect_eq(json_array_size(records_of_connections(test_path(log))),
		     json_array_size(entries));
}

/* One mail, and the process that sent it. */
static const char *mail_script(const struct sink *sink)
{
	test_file("mail.php", text("<?php\n"
				   "$c = stream_context_create(['ssl' => ['cafile' => '%s']]);\n"
				   "$s = stream_socket_client('tls://localhost:%u', $n, $e, 10,\n"
				   "    STREAM_CLIENT_CONNECT, $c);\n"
				   "fgets($s); fwrite($s, \"QUIT\\r\\n\"); fgets($s); fclose($s);\n"
				   "echo getmypid();\n",
				   sink->certificate, sink->port));
	return test_path("mail.php");
}

/* In a session of its own, since it ends its whole group of processes. */
Test(services, apache_is_recorded_after_graceful)
{
	struct sink *sink = start_sink(WORDS("--tls=1.2..1.3", "--implicit"));
	const uint16_t port = free_port();
	glob_t php; /* one only, whose version is another in each release */

	cr_assert_eq(glob(UNPACKED "/usr/lib/apache2/modules/libphp8.[0-9].so", 0, NULL, &php), 0);
	const char *settings = test_file(
		"apache.conf",
		text("ServerRoot %s\nServerName localhost\nPidFile %s\nDefaultRuntimeDir %s\n"
		     "ErrorLog %s\nListen 127.0.0.1:%u\n"
		     "LoadModule mpm_prefork_module modules/mod_mpm_prefork.so\n"
		     "LoadModule authz_core_module modules/mod_authz_core.so\n"
		     "LoadModule php_module %s\n"
		     "StartServers 1\nMinSpareServers 1\nMaxSpareServers 1\nMaxRequestWorkers 1\n"
		     "User nobody\nGroup nogroup\nDocumentRoot %s\n"
		     "<FilesMatch \"\\.php$\">\nSetHandler application/x-httpd-php\n"
		     "</FilesMatch>\n",
		     unpacked("usr/lib/apache2"), test_path("pid"), test_path(""),
		     test_path("error"), port, unpacked(php.gl_pathv[0] + strlen(UNPACKED "/")),
		     test_path("")));

	globfree(&php);

	expect_root();
	mail_script(sink);
	expect_recorded_anew(
		&(struct renewed){.name = "apache2",
				  .argv = WORDS("setsid", unpacked("usr/sbin/apache2"),
						"-DFOREGROUND", "-f", settings),
				  .client = WORDS("curl", "--silent", "--fail",
						  text("http://127.0.0.1:%u/mail.php", port)),
				  .port = port,
				  .signal = SIGUSR1},
		sink, "apache.jsonl", "tls-handshake");
}

Test(services, php_fpm_is_recorded_after_a_reload)
{
	struct sink *sink = start_sink(WORDS("--tls=1.2..1.3", "--implicit"));
	const char *socket = test_path("fpm.sock");
	const char *settings = test_file(
		"fpm.conf", text("[global]\nerror_log = %s\ndaemonize = no\n"
				 "process_control_timeout = 10s\n[www]\nuser = root\n"
				 "group = root\nlisten = %s\npm = static\npm.max_children = 1\n",
				 test_path("fpm.err"), socket));
	const char *script = mail_script(sink);

	expect_recorded_anew(
		&(struct renewed){.name = "php-fpm",
				  .argv = WORDS(php_fpm_path(), "-R", "-y", settings),
				  .client = WORDS("env", "REQUEST_METHOD=GET",
						  text("SCRIPT_FILENAME=%s", script), "cgi-fcgi",
						  "-bind", "-connect", socket),
				  .socket = socket,
				  .signal = SIGUSR2},
		sink, "fpm.jsonl", "tls-handshake");
}

/* As a proxy for mail; the process is not told, but each has a connection of its own to a helper.
 */
Test(services, nginx_is_recorded_after_a_reload)
{
	struct sink *sink = start_sink(WORDS("--tls=none"));
	const uint16_t port = free_port();
	const uint16_t http = free_port();
	const char *settings = test_file(
		"nginx.conf",
		text("load_module %s;\ndaemon off;\nerror_log %s;\npid %s;\nworker_processes 1;\n"
		     "events { worker_connections 64; }\n"
		     "http {\n"
		     "	access_log off; client_body_temp_path %s/b; proxy_temp_path %s/p;\n"
		     "	fastcgi_temp_path %s/f; uwsgi_temp_path %s/u; scgi_temp_path %s/s;\n"
		     "	server {\n"
		     "		listen 127.0.0.1:%u;\n"
		     "		location /pid { add_header Worker $pid always; return 204; }\n"
		     "		location / { add_header Auth-Status OK;\n"
		     "			add_header Auth-Server 127.0.0.1;\n"
		     "			add_header Auth-Port %u; return 204; }\n"
		     "	}\n"
		     "}\n"
		     "mail {\n"
		     "	auth_http 127.0.0.1:%u/; server_name localhost;\n"
		     "	server { listen 127.0.0.1:%u; protocol smtp; smtp_auth none; xclient off; "
		     "}\n"
		     "}\n",
		     unpacked("usr/lib/nginx/modules/ngx_mail_module.so"), test_path("error"),
		     test_path("pid"), test_path(""), test_path(""), test_path(""), test_path(""),
		     test_path(""), http, sink->port, http, port));

	expect_root();
	expect_recorded_anew(
		&(struct renewed){
			.name = "nginx",
			.argv = WORDS(unpacked("usr/sbin/nginx"), "-c", settings, "-p",
				      test_path("")),
			.client =
				WORDS("/usr/bin/python3", "-c",
				      text("import smtplib, urllib.request\n"
					   "s = smtplib.SMTP('127.0.0.1', %u)\n"
					   "s.sendmail('a@example.org', ['b@example.org'],"
					   " 'Subject: x\\n\\nx')\n"
					   "s.quit()\n"
					   "a = urllib.request.urlopen('http://127.0.0.1:%u/pid')\n"
					   "print(a.headers['Worker'])\n",
					   port, http)),
			.port = port,
			.signal = SIGHUP},
		sink, "nginx.jsonl", "plaintext-mail");
}
