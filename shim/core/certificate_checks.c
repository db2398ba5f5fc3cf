#include "shim/core/certificate_checks.h"

/* A fingerprint that the application compares: it knows, and we don't. */
static enum record_certificate unless_pinned(const struct certificate_checks *checks)
{
	return checks->pinned ? RECORD_CERTIFICATE_UNKNOWN : RECORD_CERTIFICATE_UNCHECKED;
}

/* Whoever goes on in spite of what was found has not checked. */
static enum record_certificate of_used(const struct certificate_checks *checks)
{
	if (checks->dane == CHECK_PASSED)
		return RECORD_CERTIFICATE_VERIFIED;
	if (checks->chain != CHECK_PASSED || checks->name == CHECK_FAILED)
		return unless_pinned(checks);
	if (checks->name == CHECK_PASSED)
		return RECORD_CERTIFICATE_VERIFIED;
	/*
	 * An application that has the library end a handshake over the chain, and
	 * reads the names, ends it over the names. One that is told of both and
	 * decides by itself may as well have decided to go on.
	 */
	return checks->name == CHECK_READ && !checks->lenient ? RECORD_CERTIFICATE_VERIFIED
							      : RECORD_CERTIFICATE_CHAIN_ONLY;
}

/* Not a byte was sent or read: what was found wrong, or only read, has been the end. */
static enum record_certificate of_unused(const struct certificate_checks *checks)
{
	if (checks->dane == CHECK_PASSED)
		return RECORD_CERTIFICATE_VERIFIED;
	if (checks->dane == CHECK_FAILED || checks->chain == CHECK_FAILED ||
	    checks->name == CHECK_FAILED)
		return RECORD_CERTIFICATE_FAILED;
	if (checks->chain == CHECK_NONE)
		return unless_pinned(checks);
	if (checks->name == CHECK_READ)
		return RECORD_CERTIFICATE_FAILED;
	return checks->name == CHECK_PASSED ? RECORD_CERTIFICATE_VERIFIED
					    : RECORD_CERTIFICATE_CHAIN_ONLY;
}

enum record_certificate certificate_judgement(const struct certificate_checks *checks, bool used)
{
	return used ? of_used(checks) : of_unused(checks);
}

enum record_reason certificate_failure(const struct certificate_checks *checks, bool used)
{
	if (certificate_judgement(checks, used) != RECORD_CERTIFICATE_FAILED)
		return RECORD_REASON_UNKNOWN;
	if (checks->dane == CHECK_FAILED)
		return RECORD_REASON_TLSA_INVALID;
	if (checks->failure != RECORD_REASON_UNKNOWN)
		return checks->failure;
	return checks->chain == CHECK_FAILED ? RECORD_REASON_VALIDATION_FAILURE
					     : RECORD_REASON_CERTIFICATE_HOST_MISMATCH;
}
