/*
 * First lines of scripts, and names of control groups.
 */
#include <criterion/criterion.h>

#include "tools/check/group_names.h"
#include "tools/check/script.h"

static void expect_interpreter(const char *text, const char *interpreter, bool drops_preload)
{
	struct script_line line;

	cr_assert(script_line_parse(&line, text), "%s", text);
	cr_expect_str_eq(line.interpreter, interpreter, "%s: %s", text, line.interpreter);
	cr_expect_eq(line.drops_preload, drops_preload, "%s", text);
}

Test(check, interpreters_of_scripts)
{
	expect_interpreter("#!/bin/sh\n", "/bin/sh", false);
	expect_interpreter("#! /bin/sh -e\nwords", "/bin/sh", false);
	expect_interpreter("#!\t/usr/bin/perl\t-w", "/usr/bin/perl", false);
	expect_interpreter("#!/usr/bin/env python3\n", "python3", false);
	expect_interpreter("#!/bin/env -S perl -w\n", "perl", false);
	expect_interpreter("#!/usr/bin/env -Sperl -w\n", "perl", false);
	expect_interpreter("#!/usr/bin/env -vS python3 -I\n", "python3", false);
	expect_interpreter("#!/usr/bin/env --split-string=ruby -w\n", "ruby", false);
	expect_interpreter("#!/usr/bin/env -S LANG=C A='b c' php -f\n", "php", false);
	expect_interpreter("#!/usr/bin/env -S '/opt/my python/bin/python3' -I\n",
			   "/opt/my python/bin/python3", false);
	expect_interpreter("#!/usr/bin/env -S /opt/my\\ python -I\n", "/opt/my python", false);
	expect_interpreter("#!/usr/bin/env -S -C /srv -u LANG sh\n", "sh", false);
}

Test(check, first_lines_that_drop_the_preload)
{
	expect_interpreter("#!/usr/bin/env -S -i sh\n", "sh", true);
	expect_interpreter("#!/usr/bin/env -iS sh\n", "sh", true);
	expect_interpreter("#!/usr/bin/env -S - sh\n", "sh", true);
	expect_interpreter("#!/usr/bin/env -S --ignore-environment sh\n", "sh", true);
	expect_interpreter("#!/usr/bin/env -S -u LD_PRELOAD sh\n", "sh", true);
	expect_interpreter("#!/usr/bin/env -S -uLD_PRELOAD sh\n", "sh", true);
	expect_interpreter("#!/usr/bin/env -S --unset=LD_PRELOAD sh\n", "sh", true);
	expect_interpreter("#!/usr/bin/env -S LD_PRELOAD= sh\n", "sh", true);
}

Test(check, what_has_no_interpreter)
{
	static const char *const texts[] = {"",
					    "#",
					    "#!",
					    "#!\n",
					    "#! \t\n",
					    "words\n",
					    "#!/usr/bin/env\n",
					    "#!/usr/bin/env -S\n",
					    "#!/usr/bin/env -S -u\n",
					    "#!/usr/bin/env A=b\n"};
	struct script_line line;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		cr_expect_not(script_line_parse(&line, texts[i]), "%s", texts[i]);
}

#define DIGITS "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

Test(check, names_of_control_groups)
{
	static const struct {
		const char *path;
		const char *unit;
		const char *container;
	} groups[] = {
		{"/", "", ""},
		{"/system.slice/postfix@-.service", "postfix@-.service", ""},
		{"/system.slice/php8.2-fpm.service\n", "php8.2-fpm.service", ""},
		{"/user.slice/user-0.slice/session-3.scope", "session-3.scope", ""},
		{"/user.slice/user@0.service/app.slice/mail.service", "mail.service", ""},
		{"/docker/" DIGITS, "", "docker 0123456789ab"},
		{"/system.slice/docker-" DIGITS ".scope", "", "docker 0123456789ab"},
		{"/machine.slice/libpod-" DIGITS ".scope/container", "", "podman 0123456789ab"},
		{"/kubepods.slice/pod1.slice/cri-containerd-" DIGITS ".scope", "",
		 "containerd 0123456789ab"},
		{"/lxc.payload.shop/system.slice/exim4.service", "exim4.service", "lxc shop"},
	};
	char unit[256];
	char container[256];

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		group_names(groups[i].path, unit, container);
		cr_expect_str_eq(unit, groups[i].unit, "%s: %s", groups[i].path, unit);
		cr_expect_str_eq(container, groups[i].container, "%s: %s", groups[i].path,
				 container);
	}
}
