/*
 * The verdict table of the README, row by row, and the rows that are easy to
 * get wrong: an "ok" without proof, and mail in the clear before STARTTLS.
 */
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

static struct config settings(enum config_mode mode)
{
	struct config config;

	config_defaults(&config);
	config.mode = mode;
	config.floor = TLS_VERSION_1_2;
	return config;
}

Test(enforcement, a_version_proceeds_refuses_or_is_not_known)
{
	const struct config audit = settings(MODE_AUDIT);
	const struct config enforce = settings(MODE_ENFORCE);
	const struct config upgrade = settings(MODE_UPGRADE);

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
	struct config config = settings(MODE_AUDIT);

	config.plaintext = PLAINTEXT_REFUSE;
	cr_expect_eq(enforcement_of_clear_mail(&config, false), ENFORCEMENT_PROCEED);
	config.mode = MODE_ENFORCE;
	cr_expect_eq(enforcement_of_clear_mail(&config, true), ENFORCEMENT_REFUSE);
	config.plaintext = PLAINTEXT_REFUSE_REMOTE;
	cr_expect_eq(enforcement_of_clear_mail(&config, true), ENFORCEMENT_PROCEED);
	cr_expect_eq(enforcement_of_clear_mail(&config, false), ENFORCEMENT_REFUSE);
	config.plaintext = PLAINTEXT_RECORD;
	cr_expect_eq(enforcement_of_clear_mail(&config, false), ENFORCEMENT_PROCEED);
}

/* Where the duties not to harm and to fail closed meet. */
Test(enforcement, in_doubt_mail_is_refused_and_all_else_proceeds)
{
	const struct config audit = settings(MODE_AUDIT);
	const struct config enforce = settings(MODE_ENFORCE);
	const struct config upgrade = settings(MODE_UPGRADE);

	cr_expect_eq(enforcement_in_doubt(&audit, true), ENFORCEMENT_PROCEED);
	cr_expect_eq(enforcement_in_doubt(&audit, false), ENFORCEMENT_PROCEED);
	cr_expect_eq(enforcement_in_doubt(&enforce, true), ENFORCEMENT_REFUSE);
	cr_expect_eq(enforcement_in_doubt(&upgrade, true), ENFORCEMENT_REFUSE);
	cr_expect_eq(enforcement_in_doubt(&enforce, false), ENFORCEMENT_PROCEED);
	cr_expect_eq(enforcement_in_doubt(&upgrade, false), ENFORCEMENT_PROCEED);
}
