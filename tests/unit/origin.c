/*
 * The stack of frames: what is kept when there is no room for all, and which
 * frame is the application's own.
 */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "shim/origin/origin.h"

static void add(struct origin *origin, const char *file, uint32_t line)
{
	origin_add(origin, file, strlen(file), "f", 1, line,
		   origin_is_installed(file, strlen(file)));
}

static const char *const installed[] = {
	"/usr/lib/python3.11/smtplib.py",
	"/usr/lib/python311.zip/smtplib.py/x",
	"/usr/lib/python3/dist-packages/django/core/mail/__init__.py",
	"/usr/local/lib/python3.11/dist-packages/x.py",
	"/home/me/.local/lib/python3.9/site-packages/x.py",
	"/srv/app/venv/lib/python3.12/site-packages/acme/mail.py",
	"/home/me/.pyenv/versions/3.13.0/lib/python3.13t/asyncio/sslproto.py",
	"/srv/app/eggs/Acme-1.0-py3.8.egg/acme/mail.py",
	"<frozen importlib._bootstrap>",
	"/usr/share/php/Symfony/Component/Mailer/Mailer.php",
	"/usr/share/php/libphp-phpmailer/src/SMTP.php",
	"/usr/local/lib/php/Net/SMTP.php",
	"/srv/shop/vendor/phpmailer/phpmailer/src/SMTP.php",
	"/srv/shop/vendor/acme/mailer/Client.php(3) : eval()'d code",
	"/srv/shop/vendor/autoload.php",
	"/srv/shop/vendor/composer/ClassLoader.php",
	"phar:///usr/local/bin/tool.phar/src/Mail.php",
	"/var/www/html/wp-includes/PHPMailer/SMTP.php",
	"/usr/lib/ruby/3.1.0/net/protocol.rb",
	"/usr/lib/ruby/vendor_ruby/mail/message.rb",
	"/usr/lib/x86_64-linux-gnu/ruby/3.1.0/socket.rb",
	"/usr/lib/ruby/gems/3.1.0/gems/net-smtp-0.3.1/lib/net/smtp.rb",
	"/srv/app/vendor/bundle/ruby/3.1.0/gems/mail-2.8.1/lib/mail.rb",
	"/srv/app/vendor/bundle/ruby/3.1.0/bundler/gems/mail-0123abc/lib/mail.rb",
	"/usr/share/rubygems-integration/all/gems/mail-2.7.1/lib/mail.rb",
	"<internal:kernel>",
	"/usr/share/perl/5.36/Net/SMTP.pm",
	"/usr/share/perl5/IO/Socket/SSL.pm",
	"/usr/lib/x86_64-linux-gnu/perl-base/IO/Socket.pm",
	"/usr/lib/x86_64-linux-gnu/perl/5.36/IO/Handle.pm",
	"/usr/lib/x86_64-linux-gnu/perl5/5.36/Net/SSLeay.pm",
	"/usr/local/share/perl/5.36.0/Acme/Mail.pm",
	"/home/me/perl5/lib/perl5/Acme/Mail.pm",
	"/home/me/perl5/perlbrew/perls/perl-5.38.0/lib/5.38.0/Net/SMTP.pm",
	"/home/me/perl5/perlbrew/perls/perl-5.38.0/lib/site_perl/5.38.0/Acme.pm",
};

static const char *const own[] = {
	"/srv/app/report.py",
	"report.py",
	"",
	"/",
	"/srv/vendor/orders/models/stock.py",  /* PHP's rule is no other's */
	"/var/www/shop/admin/vendor/edit.php", /* too shallow for composer's */
	"/var/www/shop/app/vendor/x/edit.php",
	"/srv/app/lib/perl/Acme/Mail.pm",
	"/srv/app/lib/ruby/acme.rb",
	"/srv/app/lib/python/acme.py",
	"/home/me/perl5/send.pl",
	"/home/me/gems/acme/lib/acme.rb",
	"/home/me/site-packages", /* a file of that name */
	"/usr/bin/swaks",
	"/srv/app/venv/bin/send-report",
	"/srv/app/lib/1.2.3/send.pl",
	"<string>",
	"(eval 3)",
};

Test(origin_rule, installed)
{
	for (size_t i = 0; i < sizeof(installed) / sizeof(installed[0]); i++)
		cr_expect(origin_is_installed(installed[i], strlen(installed[i])), "%s",
			  installed[i]);
}

Test(origin_rule, own)
{
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		cr_expect_not(origin_is_installed(own[i], strlen(own[i])), "%s", own[i]);
}

Test(origin_rule, no_read_past_the_end)
{
	/* Each prefix of each path, without a terminator, for the sanitizers to watch. */
	for (size_t i = 0; i < sizeof(installed) / sizeof(installed[0]); i++) {
		for (size_t length = 0; length <= strlen(installed[i]); length++) {
			char exact[128];

			memset(exact, '/', sizeof(exact));
			memcpy(exact + sizeof(exact) - length, installed[i], length);
			origin_is_installed(exact + sizeof(exact) - length, length);
		}
	}
}

Test(origin_rule, package_is_less)
{
	static const char library[] = "/usr/lib/python3.11/smtplib.py";
	static const char package[] = "/usr/lib/python3/dist-packages/x.py";

	cr_expect_not(origin_is_package(library, strlen(library)));
	cr_expect(origin_is_package(package, strlen(package)));
}

Test(origin, empty)
{
	struct origin origin;

	origin_init(&origin);
	cr_expect_eq(origin.count, 0);
	cr_expect_not(origin.own_found);
}

Test(origin, innermost_own_frame)
{
	struct origin origin;

	origin_init(&origin);
	add(&origin, "/usr/lib/python3.11/ssl.py", 1);
	add(&origin, "/srv/app/mail.py", 2);
	add(&origin, "/usr/lib/python3.11/threading.py", 3);
	add(&origin, "/srv/app/main.py", 4);
	cr_expect_eq(origin.count, 4);
	cr_expect(origin.own_found);
	cr_expect_eq(origin.own, 1);
	cr_expect_str_eq(origin.frame[3].file, "/srv/app/main.py");
	cr_expect_str_eq(origin.frame[3].function, "f");
	cr_expect_eq(origin.frame[3].line, 4);
}

Test(origin, no_own_frame_is_the_innermost)
{
	struct origin origin;

	origin_init(&origin);
	add(&origin, "/usr/lib/python3.11/ssl.py", 1);
	add(&origin, "/usr/lib/python3.11/smtplib.py", 2);
	cr_expect_not(origin.own_found);
	cr_expect_eq(origin.own, 0);
}

Test(origin, evaluated_code_gives_way_to_a_file)
{
	static const char *const evaluated[] = {"<string>", "(eval 3)",
						"/srv/a.php(3) : eval()'d code", ""};

	for (size_t i = 0; i < sizeof(evaluated) / sizeof(evaluated[0]); i++) {
		struct origin origin;

		origin_init(&origin);
		add(&origin, "/usr/share/perl5/x.pm", 1);
		add(&origin, evaluated[i], 2);
		cr_expect_eq(origin.own, 1, "%s: all there is so far", evaluated[i]);
		add(&origin, "/usr/share/perl5/y.pm", 3);
		cr_expect_eq(origin.own, 1);
		add(&origin, "/srv/app.pl", 4);
		add(&origin, "/srv/main.pl", 5);
		cr_expect_eq(origin.own, 3, "%s: a file follows", evaluated[i]);
	}
}

Test(origin, what_was_typed_is_own)
{
	struct origin origin;

	origin_init(&origin);
	add(&origin, "<stdin>", 1);
	add(&origin, "/srv/console.py", 2);
	cr_expect_eq(origin.own, 0);
}

Test(origin, own_frame_is_kept_under_many)
{
	struct origin origin;

	origin_init(&origin);
	for (uint32_t i = 0; i < 100; i++) {
		char file[64];

		(void)snprintf(file, sizeof(file), "/usr/lib/python3.11/module_number_%u.py", i);
		add(&origin, file, i + 1);
	}
	add(&origin, "/srv/app/mail.py", 1000);
	add(&origin, "/srv/app/main.py", 1001);
	cr_expect_leq(origin.count, ORIGIN_FRAMES_MAX);
	cr_expect(origin.own_found);
	cr_expect(origin_is_complete(&origin));
	cr_expect_str_eq(origin.frame[origin.own].file, "/srv/app/mail.py");
	cr_expect_eq(origin.frame[origin.own].line, 1000);
	cr_expect_eq(origin.frame[0].line, 1);
}

Test(origin, long_own_names_find_room_when_all_is_taken)
{
	static char file[10000];
	static char function[10000];
	struct origin origin;

	memset(file, 'p', sizeof(file));
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): a slice, no string */
	memcpy(file + sizeof(file) - 4, "q.py", 4);
	memset(function, 'f', sizeof(function));
	origin_init(&origin);
	for (uint32_t i = 0; i < 100; i++) {
		file[sizeof(file) - 9] = (char)('a' + i % 26);
		origin_add(&origin, file, sizeof(file), function, sizeof(function), i, true);
	}
	origin_add(&origin, file, sizeof(file) - 1, function, sizeof(function), 7, false);
	cr_expect(origin.own_found);
	cr_expect_eq(origin.frame[origin.own].line, 7);
	cr_expect_leq(origin.text_used, ORIGIN_TEXT_MAX);
	cr_expect_eq(strlen(origin.frame[origin.own].file), 512);
	cr_expect_str_eq(origin.frame[0].file + 512 - 4, "q.py", "the end of a path is kept");
	cr_expect_eq(origin.frame[0].function[0], 'f');
}

Test(origin, cuts_between_characters)
{
	char name[3000];
	struct origin origin;

	/* "é" is two bytes: at an odd offset the cut would go through one. */
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = i % 2 ? '\xa9' : '\xc3';
	for (size_t skip = 0; skip < 2; skip++) {
		origin_init(&origin);
		name[0] = 'x';
		name[sizeof(name) - 1] = 'x';
		origin_add(&origin, name + skip, sizeof(name) - skip, name + skip + 1,
			   sizeof(name) - skip - 1, 1, false);
		cr_expect_neq((unsigned char)origin.frame[0].file[0] & 0xc0, 0x80);
		cr_expect_neq((unsigned char)origin.frame[0]
				      .function[strlen(origin.frame[0].function) - 1],
			      0xc3);
	}
}

Test(origin, any_bytes)
{
	char bytes[1000];
	struct origin origin;

	origin_init(&origin);
	for (unsigned seed = 0; seed < 2000; seed++) {
		size_t length = (size_t)seed * 7 % sizeof(bytes);

		for (size_t i = 0; i < length; i++)
			bytes[i] = (char)((size_t)seed * 131 + i * 31);
		origin_add(&origin, bytes, length, bytes, length / 2, seed, seed % 3 != 0);
		if (seed % 40 == 39)
			origin_init(&origin);
		cr_assert_leq(origin.text_used, ORIGIN_TEXT_MAX);
		cr_assert_leq(origin.count, ORIGIN_FRAMES_MAX);
	}
}

Test(origin, names_of_files_are_kept_once)
{
	struct origin origin;

	origin_init(&origin);
	add(&origin, "/srv/app/mail.py", 1);
	add(&origin, "/srv/app/mail.py", 2);
	cr_expect_eq(origin.frame[0].file, origin.frame[1].file);
}

Test(origin, copy_has_its_own_strings)
{
	struct origin origin;
	struct origin copy;

	origin_init(&origin);
	add(&origin, "/srv/app/mail.py", 1);
	add(&origin, "/srv/app/main.py", 2);
	origin_copy(&copy, &origin);
	memset(&origin, 'x', sizeof(origin));
	cr_expect_eq(copy.count, 2);
	cr_expect_str_eq(copy.frame[1].file, "/srv/app/main.py");
	cr_expect_eq(copy.frame[1].line, 2);
}
