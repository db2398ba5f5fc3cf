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
	const char *verdict;
};

#define ESTABLISHED(v, lowest) \
	.floor = TLS_VERSION_1_2, .established = true, .version = (v), .lowest_offer = (lowest)

static const struct verdict_case verdicts[] = {
	{"nothing below the floor was on offer",
	 {ESTABLISHED(TLS_VERSION_1_2, TLS_VERSION_1_2)},
	 "ok"},
	{"the best there is", {ESTABLISHED(TLS_VERSION_1_3, TLS_VERSION_1_3)}, "ok"},
	{"good luck with this server", {ESTABLISHED(TLS_VERSION_1_3, TLS_VERSION_1_0)}, "at-risk"},
	{"at the floor, but only just", {ESTABLISHED(TLS_VERSION_1_2, TLS_VERSION_1_1)}, "at-risk"},
	{"no proof, no ok", {ESTABLISHED(TLS_VERSION_1_3, TLS_VERSION_UNKNOWN)}, "at-risk"},
	{"below", {ESTABLISHED(TLS_VERSION_1_1, TLS_VERSION_1_0)}, "below-floor"},
	{"far below", {ESTABLISHED(TLS_VERSION_SSL_3_0, TLS_VERSION_SSL_3_0)}, "below-floor"},
	{"a version that nobody saw is no good one",
	 {ESTABLISHED(TLS_VERSION_UNKNOWN, TLS_VERSION_1_2)},
	 "below-floor"},
	{"the floor is what counts, not 1.2",
	 {.floor = TLS_VERSION_1_3,
	  .established = true,
	  .version = TLS_VERSION_1_2,
	  .lowest_offer = TLS_VERSION_1_2},
	 "below-floor"},
	{"a low floor",
	 {.floor = TLS_VERSION_1_0,
	  .established = true,
	  .version = TLS_VERSION_1_0,
	  .lowest_offer = TLS_VERSION_1_0},
	 "ok"},
	{"no proof, even without a floor",
	 {.established = true, .version = TLS_VERSION_1_3},
	 "at-risk"},
	{"no version, no handshake", {.floor = TLS_VERSION_1_2}, "failed"},
	{"it failed after the ServerHello",
	 {.floor = TLS_VERSION_1_2, .version = TLS_VERSION_1_3, .lowest_offer = TLS_VERSION_1_3},
	 "failed"},
	{"no TLS, mail",
	 {.floor = TLS_VERSION_1_2, .clear = true, .mail_in_clear = true},
	 "plaintext"},
	{"no TLS, no mail", {.floor = TLS_VERSION_1_2, .clear = true}, "no-mail"},
	{"credentials first, STARTTLS after",
	 {ESTABLISHED(TLS_VERSION_1_3, TLS_VERSION_1_3), .mail_in_clear = true},
	 "plaintext"},
	{"stopped before the handshake ended",
	 {.floor = TLS_VERSION_1_2, .refused = true, .version = TLS_VERSION_1_0},
	 "refused"},
	{"stopped after it",
	 {ESTABLISHED(TLS_VERSION_1_0, TLS_VERSION_1_0), .refused = true},
	 "refused"},
	{"stopped before mail went in the clear",
	 {.floor = TLS_VERSION_1_2, .refused = true, .clear = true, .mail_in_clear = true},
	 "refused"},
};

Test(policy, verdicts)
{
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
		cr_expect_str_eq(policy_verdict(&verdicts[i].facts), verdicts[i].verdict, "%s",
				 verdicts[i].why);
}

struct limit_case {
	uint16_t version;
	uint16_t highest_offer;
	const char *limited_by; /* NULL: not known */
};

static const struct limit_case limits[] = {
	{TLS_VERSION_1_3, TLS_VERSION_1_3, "none"},
	{TLS_VERSION_1_3, TLS_VERSION_UNKNOWN, "none"},
	{TLS_VERSION_1_2, TLS_VERSION_1_3, "server"},
	{TLS_VERSION_1_0, TLS_VERSION_1_1, "server"},
	{TLS_VERSION_1_2, TLS_VERSION_1_2, "client"},
	{TLS_VERSION_1_0, TLS_VERSION_1_0, "client"},
	{TLS_VERSION_1_2, TLS_VERSION_UNKNOWN, NULL},
	{TLS_VERSION_UNKNOWN, TLS_VERSION_1_3, NULL},
	{TLS_VERSION_UNKNOWN, TLS_VERSION_UNKNOWN, NULL},
	{TLS_VERSION_1_2, TLS_VERSION_1_1, NULL},
};

Test(policy, who_limited_the_version)
{
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		const struct policy_facts facts = {.floor = TLS_VERSION_1_2,
						   .established = true,
						   .version = limits[i].version,
						   .highest_offer = limits[i].highest_offer};
		const char *limited_by = policy_limited_by(&facts);

		if (limits[i].limited_by)
			cr_expect_str_eq(limited_by ? limited_by : "(not known)",
					 limits[i].limited_by, "case %zu", i);
		else
			cr_expect_null(limited_by, "case %zu", i);
	}
}
