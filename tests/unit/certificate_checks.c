/*
 * Each way a certificate can have been checked, and what may be said of it.
 */
#include <criterion/criterion.h>

#include "shim/core/certificate_checks.h"

struct row {
	struct certificate_checks checks;
	const char *used;
	const char *unused;
};

static const char *words(const struct certificate_checks *checks, bool used)
{
	const char *text =
		record_value_text(RECORD_SET_CERTIFICATE, certificate_judgement(checks, used));

	return text ? text : "nothing";
}

static const struct row rows[] = {
	{{.chain = CHECK_NONE}, "unchecked", "unchecked"},
	{{.chain = CHECK_PASSED}, "chain-only", "chain-only"},
	{{.chain = CHECK_PASSED, .name = CHECK_PASSED}, "verified", "verified"},
	/* An application that goes on in spite of what it was told has not checked. */
	{{.chain = CHECK_FAILED}, "unchecked", "failed"},
	{{.chain = CHECK_FAILED, .name = CHECK_PASSED}, "unchecked", "failed"},
	{{.chain = CHECK_PASSED, .name = CHECK_FAILED}, "unchecked", "failed"},
	/* The right name in a certificate that anybody can have made. */
	{{.chain = CHECK_NONE, .name = CHECK_PASSED}, "unchecked", "unchecked"},
	{{.chain = CHECK_NONE, .name = CHECK_FAILED}, "unchecked", "failed"},
	{{.chain = CHECK_NONE, .name = CHECK_READ}, "unchecked", "unchecked"},
	/* The names were read: it went on, so they were right; or it did not. */
	{{.chain = CHECK_PASSED, .name = CHECK_READ}, "verified", "failed"},
	{{.chain = CHECK_FAILED, .name = CHECK_READ}, "unchecked", "failed"},
	/* It decides by itself, and may have decided to go on. */
	{{.chain = CHECK_PASSED, .name = CHECK_READ, .lenient = true}, "chain-only", "failed"},
	{{.chain = CHECK_PASSED, .name = CHECK_PASSED, .lenient = true}, "verified", "verified"},
	/* A fingerprint that the application compares: we can't say, so we don't. */
	{{.chain = CHECK_NONE, .pinned = true}, "nothing", "nothing"},
	{{.chain = CHECK_FAILED, .pinned = true}, "nothing", "failed"},
	{{.chain = CHECK_PASSED, .name = CHECK_PASSED, .pinned = true}, "verified", "verified"},
	/* The name's TLSA records stand for chain and name; who goes on without them may. */
	{{.chain = CHECK_NONE, .dane = CHECK_PASSED}, "verified", "verified"},
	{{.chain = CHECK_FAILED, .name = CHECK_FAILED, .dane = CHECK_PASSED},
	 "verified",
	 "verified"},
	{{.chain = CHECK_NONE, .dane = CHECK_FAILED}, "unchecked", "failed"},
	{{.chain = CHECK_PASSED, .name = CHECK_PASSED, .dane = CHECK_FAILED}, "verified", "failed"},
};

Test(certificate_checks, judgement)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];

		cr_expect_str_eq(words(&row->checks, true), row->used, "row %zu, used", i);
		cr_expect_str_eq(words(&row->checks, false), row->unused, "row %zu, not used", i);
	}
}

static const char *why(struct certificate_checks checks, bool used)
{
	const char *text = record_value_text(RECORD_SET_REASON, certificate_failure(&checks, used));

	return text ? text : "nothing";
}

Test(certificate_checks, failure)
{
	struct certificate_checks expired = {.chain = CHECK_FAILED,
					     .failure = RECORD_REASON_CERTIFICATE_EXPIRED};
	struct certificate_checks chain = {.chain = CHECK_FAILED};
	struct certificate_checks name = {.chain = CHECK_PASSED, .name = CHECK_READ};
	struct certificate_checks dane = {.chain = CHECK_FAILED,
					  .failure = RECORD_REASON_CERTIFICATE_NOT_TRUSTED,
					  .dane = CHECK_FAILED};
	struct certificate_checks good = {.chain = CHECK_PASSED, .name = CHECK_PASSED};

	cr_expect_str_eq(why(expired, false), "certificate-expired");
	cr_expect_str_eq(why(chain, false), "validation-failure");
	cr_expect_str_eq(why(name, false), "certificate-host-mismatch");
	cr_expect_str_eq(why(dane, false), "tlsa-invalid");
	cr_expect_str_eq(why(good, false), "nothing");
	/* Used all the same: that is no failure of the connection's. */
	cr_expect_str_eq(why(expired, true), "nothing");
}
