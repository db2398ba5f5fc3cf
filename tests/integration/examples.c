/*
 * What examples/ promises: each runs as it stands, and says what it is there to say.
 */
#include <string.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "tests/integration/harness.h"

TestSuite(examples, .init = harness_begin, .fini = harness_end, .timeout = HARNESS_TEST_S);

/* Ends with `status`, and says these words. */
static void expect_example(const char *name, const char *const arguments[], int status,
			   const char *const words[])
{
	struct program example = {
		.argv = join_words(WORDS(text("examples/%s/run", name)), arguments)};

	cr_assert_eq(run_program(&example), status, "%s: %d: %s%s", name, example.status,
		     example.out, example.err);
	for (; *words; words++)
		cr_expect_not_null(strstr(example.out, *words), "%s: no '%s': %s%s", name, *words,
				   example.out, example.err);
}

Test(examples, wrap_one_command)
{
	expect_example("wrap-one-command", NO_WORDS, 0,
		       WORDS("1 connection,", "/usr/bin/curl", "TLS"));
}

Test(examples, find_the_line)
{
	expect_example("find-the-line", NO_WORDS, 0, WORDS("mailer.py:11 old_context"));
}

Test(examples, stop_it_tonight)
{
	expect_example("stop-it-tonight", NO_WORDS, 0,
		       WORDS("TLS 1.1, 1 message(s)", "0 message(s)", "TLS 1.3, 1 message(s)"));
}

Test(examples, a_pool_of_php_fpm)
{
	expect_example("php-fpm-pool", NO_WORDS, 0,
		       WORDS("sent", "1 connection,", "php-fpm-pool/send.php:19"));
}

Test(examples, django_with_gunicorn)
{
	expect_example("django-gunicorn", NO_WORDS, 0,
		       WORDS("sent\nsent\nsent\n", "3 connections,", "shop/urls.py:7 order"));
}

Test(examples, postfix)
{
	expect_example("postfix", NO_WORDS, 0,
		       WORDS("import_environment = ", "LD_PRELOAD=/usr/lib/tlswitness/",
			     "status=sent", "1 connection,", "below-floor", "postfix/sbin/smtp"));
}

Test(examples, a_job_of_cron)
{
	expect_example("cron-job", NO_WORDS, 0,
		       WORDS("nightly-invoices", "1 connection,", "mailer.py:11 old_context"));
}

Test(examples, a_container_image)
{
	struct program probe = {.argv = WORDS("unshare", "-mpf", "true")};

	if (run_program(&probe) != 0)
		cr_skip("no namespaces may be made here");
	expect_example("container-image", NO_WORDS, 0,
		       WORDS("invoices", "1 connection,", "/srv/app/mailer.py:18"));
}

/* It fails where an old line is, and passes where none is. */
Test(examples, a_gate_for_ci)
{
	const char *good =
		test_file("good.py", "import smtplib, ssl, sys\n"
				     "context = ssl.create_default_context()\n"
				     "context.check_hostname = False\n"
				     "context.verify_mode = ssl.CERT_NONE\n"
				     "context.minimum_version = ssl.TLSVersion.TLSv1_2\n"
				     "server = smtplib.SMTP('localhost', int(sys.argv[1]))\n"
				     "server.starttls(context=context)\n"
				     "server.sendmail('a@b.example', ['c@d.example'], 'hello')\n"
				     "server.quit()\n");

	expect_example("ci-gate", NO_WORDS, 1, WORDS("mailer.py:11 old_context"));
	expect_example("ci-gate", WORDS(good), 0, WORDS("ok  "));
	/* No mail, no proof. */
	expect_example("ci-gate", WORDS(test_file("nothing.py", "")), 1, NO_WORDS);
}

Test(examples, a_textfile_for_prometheus)
{
	const char *log = test_file(
		"log.jsonl", "{\"@timestamp\":\"2026-11-23T13:05:07.123456Z\",\"event.action\":"
			     "\"tls-handshake\",\"event.outcome\":\"success\",\"tls.version\":"
			     "\"1.0\",\"tls.established\":true,\"tlswitness.verdict\":"
			     "\"below-floor\"}\n");
	const char *page;

	expect_example("prometheus", WORDS(log, test_path("")), 0, NO_WORDS);
	page = read_file(test_path("tlswitness.prom"), NULL);
	cr_expect_not_null(strstr(page, "verdict=\"below-floor\""), "%s", page);
	cr_expect_not_null(strstr(page, "# EOF"), "%s", page);
	expect_example("nightly-report", WORDS("/nonexistent"), 2, NO_WORDS);
}

Test(examples, the_day_on_which_ses_requires_tls_1_2)
{
	expect_example("ses-migration", NO_WORDS, 0,
		       WORDS("== 1. probe", "== 2. audit", "== 3. readiness", "== 4. fix",
			     "== 5. enforce", "mailer.py:11 old_context", "would", "refused"));
}
