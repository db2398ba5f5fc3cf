/*
 * MTA-STS policies (RFC 8461) as they should be, and as they should not.
 */
#include "tools/probe/probe_policy.h"

#include <string.h>

#include <criterion/criterion.h>

#define GOOD "version: STSv1\r\nmode: enforce\r\nmx: mx.example.net\r\nmax_age: 604800\r\n"

static struct probe_policy policy;

static bool parse(const char *text)
{
	policy = (struct probe_policy){.state = PROBE_PROMISE_KEPT};
	return probe_policy_parse(&policy, slice_of(text));
}

Test(probe_policy, reads_a_policy)
{
	cr_assert(parse(GOOD));
	cr_expect_eq(policy.mode, PROBE_POLICY_ENFORCE);
	cr_expect_eq(policy.mx_count, 1);
	cr_expect_str_eq(policy.mx[0], "mx.example.net");
	cr_expect_eq(policy.max_age, 604800);
	cr_expect(parse("version:STSv1\nmode:testing\nmx:a.example\nmx: *.b.example \n"
			"max_age:1\nfuture: x\n\nmode: enforce"));
	cr_expect_eq(policy.mode, PROBE_POLICY_TESTING,
		     "of a key that comes twice the first counts");
	cr_expect_eq(policy.mx_count, 2);
	cr_expect_str_eq(policy.mx[1], "*.b.example");
	cr_expect(parse("version: STSv1\nmode: none\nmax_age: 86400"));
	cr_expect_eq(policy.mode, PROBE_POLICY_NONE);
}

Test(probe_policy, refuses_what_is_none)
{
	static const char *const bad[] = {
		"",
		"<html>not here</html>",
		"mode: enforce\nversion: STSv1\nmx: a\nmax_age: 1",
		"version: STSv2\nmode: enforce\nmx: a\nmax_age: 1",
		"version: STSv1\nmx: a\nmax_age: 1",
		"version: STSv1\nmode: enforce\nmx: a",
		"version: STSv1\nmode: enforce\nmax_age: 1",
		"version: STSv1\nmode: strict\nmx: a\nmax_age: 1",
		"version: STSv1\nmode: enforce\nmx: a\nmax_age: -1",
		"version: STSv1\nmode: enforce\nmx: a\nmax_age: 31557601",
		"version: STSv1\nmode: enforce\nmx: a\nmax_age: 99999999999999999999",
		"version: STSv1\nmode: enforce\nmx:\nmax_age: 1",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_expect_not(parse(bad[i]), "%s", bad[i]);
		cr_expect_neq(policy.how[0], '\0', "%s", bad[i]);
	}
}

Test(probe_policy, holds_no_more_names_than_it_has_room_for)
{
	static char text[32768] = "version: STSv1\nmode: enforce\nmax_age: 1\n";
	static const char line[] = "mx: a.example\n";
	static char long_name[1024] = "version: STSv1\nmode: enforce\nmax_age: 1\nmx: ";

	for (unsigned i = 0; i <= PROBE_POLICY_MX_MAX; i++)
		memcpy(text + strlen(text), line, sizeof(line));
	cr_expect_not(parse(text));
	cr_expect_eq(policy.mx_count, PROBE_POLICY_MX_MAX);
	memset(long_name + strlen(long_name), 'a', 300);
	cr_expect_not(parse(long_name));
}

Test(probe_policy, matches_names_as_rfc_8461_says)
{
	cr_assert(parse("version: STSv1\nmode: enforce\nmax_age: 1\nmx: mx.example.net\n"
			"mx: *.example.com\n"));
	cr_expect(probe_policy_names(&policy, "mx.example.net"));
	cr_expect(probe_policy_names(&policy, "MX.Example.NET"));
	cr_expect(probe_policy_names(&policy, "a.example.com"));
	cr_expect_not(probe_policy_names(&policy, "a.b.example.com"), "one label and no more");
	cr_expect_not(probe_policy_names(&policy, "example.com"));
	cr_expect_not(probe_policy_names(&policy, ".example.com"));
	cr_expect_not(probe_policy_names(&policy, "mx2.example.net"));
}

Test(probe_policy, knows_its_announcement)
{
	static const struct {
		const char *text;
		bool announced;
	} rows[] = {
		{"v=STSv1; id=20160831085700Z;", true},
		{"v=STSv1;id=1", true},
		{"v=STSv1 ; id=1", true},
		{"v=STSv1", true},
		{"v=STSv2; id=1", false},
		{"v=spf1 -all", false},
		{"v=STSv10; id=1", false},
		{"", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_eq(probe_policy_announced(slice_of(rows[i].text)), rows[i].announced,
			     "%s", rows[i].text);
}
