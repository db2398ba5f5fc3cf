/*
 * The verdict table of the README, row by row, and the rows that are easy to
 * get wrong: an "ok" without proof, and mail in the clear before STARTTLS.
 */
#include <criterion/criterion.h>

#include "shim/core/policy.h"
#include "shim/wire/tls_wire.h"

struct verdict_case {
	const char *why;
	struct policy_facts facts;
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

Test(policy, verdicts)
{
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
		cr_expect_eq(policy_verdict(&verdicts[i].facts), verdicts[i].verdict, "%s",
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

Test(policy, who_limited_the_version)
{
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		const struct policy_facts facts = {.floor = TLS_VERSION_1_2,
						   .established = true,
						   .version = limits[i].version,
						   .highest_offer = limits[i].highest_offer};

		cr_expect_eq(policy_limited_by(&facts), limits[i].limited_by, "case %zu", i);
	}
}
