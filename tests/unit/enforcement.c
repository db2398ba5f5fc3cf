/*
 * The verdict table of the README, row by row, and the rows that are easy to
 * get wrong: an "ok" without proof, and mail in the clear before STARTTLS.
 */
#include <string.h>

#include <criterion/criterion.h>

#include "shim/core/enforcement.h"
#include "shim/wire/tls_wire.h"

struct verdict_case {
	const char *why;
	struct enforcement_facts facts;
	enum record_verdict verdict;
};

#define ESTABLISHED(v, lowest) \
	.floor = TLS_VERSION_1_2, .established = true, .version = (v), .lowest_offer = (lowest)

static const struct verdict_case verdicts[] = {
	{"nothing below the floor was on offer",
	 {ESTABLISHED(TLS_VERSION_1_2, TLS_VERSION_1_2)},
	 RECORD_VERDICT_OK},
	{"the best there is", {ESTABLISHED(TLS_VERSION_1_3, TLS_VERSION_1_3)}, RECORD_VERDICT_OK},
	{"good luck with this server",
	 {ESTABLISHED(TLS_VERSION_1_3, TLS_VERSION_1_0)},
	 RECORD_VERDICT_AT_RISK},
	{"at the floor, but only just",
	 {ESTABLISHED(TLS_VERSION_1_2, TLS_VERSION_1_1)},
	 RECORD_VERDICT_AT_RISK},
	{"no proof, no ok",
	 {ESTABLISHED(TLS_VERSION_1_3, TLS_VERSION_UNKNOWN)},
	 RECORD_VERDICT_AT_RISK},
	{"below", {ESTABLISHED(TLS_VERSION_1_1, TLS_VERSION_1_0)}, RECORD_VERDICT_BELOW_FLOOR},
	{"far below",
	 {ESTABLISHED(TLS_VERSION_SSL_3_0, TLS_VERSION_SSL_3_0)},
	 RECORD_VERDICT_BELOW_FLOOR},
	{"a version that nobody saw is no good one",
	 {ESTABLISHED(TLS_VERSION_UNKNOWN, TLS_VERSION_1_2)},
	 RECORD_VERDICT_BELOW_FLOOR},
	{"the floor is what counts, not 1.2",
	 {.floor = TLS_VERSION_1_3,
	  .established = true,
	  .version = TLS_VERSION_1_2,
	  .lowest_offer = TLS_VERSION_1_2},
	 RECORD_VERDICT_BELOW_FLOOR},
	{"a low floor",
	 {.floor = TLS_VERSION_1_0,
	  .established = true,
	  .version = TLS_VERSION_1_0,
	  .lowest_offer = TLS_VERSION_1_0},
	 RECORD_VERDICT_OK},
	{"no proof, even without a floor",
	 {.established = true, .version = TLS_VERSION_1_3},
	 RECORD_VERDICT_AT_RISK},
	{"no version, no handshake", {.floor = TLS_VERSION_1_2}, RECORD_VERDICT_FAILED},
	{"it failed after the ServerHello",
	 {.floor = TLS_VERSION_1_2, .version = TLS_VERSION_1_3, .lowest_offer = TLS_VERSION_1_3},
	 RECORD_VERDICT_FAILED},
	{"no TLS, mail",
	 {.floor = TLS_VERSION_1_2, .clear = true, .mail_in_clear = true},
	 RECORD_VERDICT_PLAINTEXT},
	{"no TLS, no mail", {.floor = TLS_VERSION_1_2, .clear = true}, RECORD_VERDICT_NO_MAIL},
	{"credentials first, STARTTLS after",
	 {ESTABLISHED(TLS_VERSION_1_3, TLS_VERSION_1_3), .mail_in_clear = true},
	 RECORD_VERDICT_PLAINTEXT},
	{"stopped before the handshake ended",
	 {.floor = TLS_VERSION_1_2, .refused = true, .version = TLS_VERSION_1_0},
	 RECORD_VERDICT_REFUSED},
	{"stopped after it",
	 {ESTABLISHED(TLS_VERSION_1_0, TLS_VERSION_1_0), .refused = true},
	 RECORD_VERDICT_REFUSED},
	{"stopped before mail went in the clear",
	 {.floor = TLS_VERSION_1_2, .refused = true, .clear = true, .mail_in_clear = true},
	 RECORD_VERDICT_REFUSED},
};

Test(enforcement, verdicts)
{
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
		cr_expect_eq(enforcement_verdict(&verdicts[i].facts), verdicts[i].verdict, "%s",
			     verdicts[i].why);
}

struct limit_case {
	uint16_t version;
	uint16_t highest_offer;
	enum record_limit limited_by;
};

static const struct limit_case limits[] = {
	{TLS_VERSION_1_3, TLS_VERSION_1_3, RECORD_LIMIT_NONE},
	{TLS_VERSION_1_3, TLS_VERSION_UNKNOWN, RECORD_LIMIT_NONE},
	{TLS_VERSION_1_2, TLS_VERSION_1_3, RECORD_LIMIT_SERVER},
	{TLS_VERSION_1_0, TLS_VERSION_1_1, RECORD_LIMIT_SERVER},
	{TLS_VERSION_1_2, TLS_VERSION_1_2, RECORD_LIMIT_CLIENT},
	{TLS_VERSION_1_0, TLS_VERSION_1_0, RECORD_LIMIT_CLIENT},
	{TLS_VERSION_1_2, TLS_VERSION_UNKNOWN, RECORD_LIMIT_UNKNOWN},
	{TLS_VERSION_UNKNOWN, TLS_VERSION_1_3, RECORD_LIMIT_UNKNOWN},
	{TLS_VERSION_UNKNOWN, TLS_VERSION_UNKNOWN, RECORD_LIMIT_UNKNOWN},
	{TLS_VERSION_1_2, TLS_VERSION_1_1, RECORD_LIMIT_UNKNOWN},
};

Test(enforcement, who_limited_the_version)
{
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		const struct enforcement_facts facts = {.floor = TLS_VERSION_1_2,
							.established = true,
							.version = limits[i].version,
							.highest_offer = limits[i].highest_offer};

		cr_expect_eq(enforcement_limited_by(&facts), limits[i].limited_by, "case %zu", i);
	}
}

static struct enforcement_policy settings(enum config_mode mode)
{
	return (struct enforcement_policy){.mode = mode, .floor = TLS_VERSION_1_2};
}

Test(enforcement, a_version_proceeds_refuses_or_is_not_known)
{
	const struct enforcement_policy audit = settings(MODE_AUDIT);
	const struct enforcement_policy enforce = settings(MODE_ENFORCE);
	const struct enforcement_policy upgrade = settings(MODE_UPGRADE);

	cr_expect_eq(enforcement_of_version(&audit, TLS_VERSION_1_0), ENFORCEMENT_PROCEED);
	cr_expect_eq(enforcement_of_version(&audit, TLS_VERSION_UNKNOWN), ENFORCEMENT_PROCEED);
	cr_expect_eq(enforcement_of_version(&enforce, TLS_VERSION_1_1), ENFORCEMENT_REFUSE);
	cr_expect_eq(enforcement_of_version(&upgrade, TLS_VERSION_SSL_3_0), ENFORCEMENT_REFUSE);
	cr_expect_eq(enforcement_of_version(&enforce, TLS_VERSION_1_2), ENFORCEMENT_PROCEED);
	cr_expect_eq(enforcement_of_version(&enforce, TLS_VERSION_1_3), ENFORCEMENT_PROCEED);
	cr_expect_eq(enforcement_of_version(&enforce, TLS_VERSION_UNKNOWN),
		     ENFORCEMENT_CANNOT_KNOW);
}

Test(enforcement, mail_in_the_clear_goes_where_the_settings_let_it)
{
	struct enforcement_policy policy = settings(MODE_AUDIT);

	policy.plaintext = PLAINTEXT_REFUSE;
	cr_expect_eq(enforcement_of_clear_mail(&policy, false), ENFORCEMENT_PROCEED);
	policy.mode = MODE_ENFORCE;
	cr_expect_eq(enforcement_of_clear_mail(&policy, true), ENFORCEMENT_REFUSE);
	policy.plaintext = PLAINTEXT_REFUSE_REMOTE;
	cr_expect_eq(enforcement_of_clear_mail(&policy, true), ENFORCEMENT_PROCEED);
	cr_expect_eq(enforcement_of_clear_mail(&policy, false), ENFORCEMENT_REFUSE);
	policy.plaintext = PLAINTEXT_RECORD;
	cr_expect_eq(enforcement_of_clear_mail(&policy, false), ENFORCEMENT_PROCEED);
}

/* Where the duties not to harm and to fail closed meet. */
Test(enforcement, in_doubt_mail_is_refused_and_all_else_proceeds)
{
	const struct enforcement_policy audit = settings(MODE_AUDIT);
	const struct enforcement_policy enforce = settings(MODE_ENFORCE);
	const struct enforcement_policy upgrade = settings(MODE_UPGRADE);

	cr_expect_eq(enforcement_in_doubt(&audit, true), ENFORCEMENT_PROCEED);
	cr_expect_eq(enforcement_in_doubt(&audit, false), ENFORCEMENT_PROCEED);
	cr_expect_eq(enforcement_in_doubt(&enforce, true), ENFORCEMENT_REFUSE);
	cr_expect_eq(enforcement_in_doubt(&upgrade, true), ENFORCEMENT_REFUSE);
	cr_expect_eq(enforcement_in_doubt(&enforce, false), ENFORCEMENT_PROCEED);
	cr_expect_eq(enforcement_in_doubt(&upgrade, false), ENFORCEMENT_PROCEED);
}

/* ---- exceptions ---- */

#define BEFORE 1000    /* 1970-01-01 */
#define AFTER  (86400) /* 1970-01-02 */

static struct config with_exceptions(const char *first, const char *second)
{
	char message[CONFIG_MESSAGE_MAX];
	struct config config;

	config_defaults(&config);
	config.mode = MODE_ENFORCE;
	strcpy(config.service, "erp");
	cr_assert(config_exception(&config, first, message), "%s", message);
	if (second)
		cr_assert(config_exception(&config, second, message), "%s", message);
	return config;
}

static const uint8_t relay[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 129};

Test(enforcement, exceptions_apply_to_what_they_name_and_nothing_else)
{
	static const struct {
		const char *words;
		const char *looked_up;
		const char *asked;
		const uint8_t *address;
		uint16_t port;
		bool applies;
	} cases[] = {
		{"to:relay.example.net", "relay.example.net", "", relay, 25, true},
		{"to:relay.example.net", "", "RELAY.Example.net.", relay, 25, true},
		{"to:relay.example.net", "", "", relay, 25, false},
		{"to:relay.example.net", "a.relay.example.net", "", relay, 25, false},
		{"to:relay.example.net", "relay.example.net.evil.test", "", relay, 25, false},
		{"to:*.example.net", "relay.example.net", "", relay, 25, true},
		{"to:*.example.net", "a.b.example.net", "", relay, 25, true},
		{"to:*.example.net", "example.net", "", relay, 25, false},
		{"to:*.example.net", ".example.net", "", relay, 25, false},
		{"to:*.example.net", "badexample.net", "", relay, 25, false},
		{"to:192.0.2.129", "", "", relay, 25, true},
		{"to:192.0.2.128", "", "", relay, 25, false},
		{"to:192.0.2.128/25", "", "", relay, 25, true},
		{"to:192.0.2.0/25", "", "", relay, 25, false},
		{"to:192.0.0.0/16", "", "", relay, 25, true},
		{"to:192.0.2.129", "", "", NULL, 25, false},
		{"to:c000::/4", "", "", relay, 25, false},
		{"to:192.0.2.129 port:25", "", "", relay, 25, true},
		{"to:192.0.2.129 port:25", "", "", relay, 587, false},
		{"service:erp", "", "", NULL, 0, true},
		{"service:er", "", "", NULL, 0, false},
		{"service:erp port:25", "", "", relay, 26, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char words[256];

		strcpy(words, cases[i].words);
		strcat(words, " floor:1.1 until:1970-01-01");

		const struct config config = with_exceptions(words, NULL);
		struct enforcement_target target = {{cases[i].looked_up, cases[i].asked},
						    cases[i].address,
						    cases[i].port,
						    BEFORE};
		struct enforcement_policy policy = enforcement_policy_of(&config, &target);

		cr_expect_eq(policy.floor, cases[i].applies ? TLS_VERSION_1_1 : TLS_VERSION_1_2,
			     "%s: %s %s", words, cases[i].looked_up, cases[i].asked);
		cr_expect_eq(policy.exception, cases[i].applies ? config.exception : NULL);
		cr_expect_eq(policy.mode, MODE_ENFORCE);
		cr_expect_eq(policy.plaintext, PLAINTEXT_REFUSE_REMOTE);
		target.began = AFTER;
		policy = enforcement_policy_of(&config, &target);
		cr_expect_null(policy.exception, "%s is over", words);
		cr_expect_eq(policy.floor, TLS_VERSION_1_2);
	}
}

Test(enforcement, an_exception_without_a_floor_lets_through_and_says_so)
{
	const struct config config =
		with_exceptions("service:erp floor:none until:1970-01-01", NULL);
	const struct enforcement_target target = {{"", ""}, relay, 25, BEFORE};
	const struct enforcement_policy policy = enforcement_policy_of(&config, &target);
	const struct enforcement_facts facts = {
		.floor = policy.floor, .established = true, .version = TLS_VERSION_1_0};

	cr_expect_eq(enforcement_of_version(&policy, TLS_VERSION_1_0), ENFORCEMENT_PROCEED);
	cr_expect_eq(enforcement_of_clear_mail(&policy, false), ENFORCEMENT_PROCEED);
	cr_expect_eq(enforcement_verdict(&facts), RECORD_VERDICT_BELOW_FLOOR);
}

Test(enforcement, the_first_exception_that_applies_counts)
{
	const struct config config =
		with_exceptions("to:192.0.2.129 port:587 floor:1.0 until:1970-01-01",
				"to:192.0.2.0/24 floor:1.3 until:1970-01-01");
	struct enforcement_target target = {{"", ""}, relay, 587, BEFORE};

	cr_expect_eq(enforcement_policy_of(&config, &target).exception, &config.exception[0]);
	target.port = 25;
	cr_expect_eq(enforcement_policy_of(&config, &target).exception, &config.exception[1]);
	/* Audit stays audit, however strict an exception is. */
	struct config audit = config;
	audit.mode = MODE_AUDIT;
	cr_expect_eq(enforcement_policy_of(&audit, &target).mode, MODE_AUDIT);
	cr_expect_eq(enforcement_policy_of(&audit, &target).floor, TLS_VERSION_1_3);
}

Test(enforcement, below_the_floor_and_the_floor_itself)
{
	const struct enforcement_policy policy = {.floor = TLS_VERSION_1_2};

	cr_expect(enforcement_is_below_floor(&policy, TLS_VERSION_UNKNOWN));
	cr_expect(enforcement_is_below_floor(&policy, TLS_VERSION_1_1));
	cr_expect_not(enforcement_is_below_floor(&policy, TLS_VERSION_1_2));
	cr_expect_not(enforcement_is_floor(&policy, TLS_VERSION_1_1));
	cr_expect(enforcement_is_floor(&policy, TLS_VERSION_1_2));
	cr_expect_not(enforcement_is_floor(&policy, TLS_VERSION_1_3));
}
