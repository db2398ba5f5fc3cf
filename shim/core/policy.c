/*
 * Facts and floor in, verdict out. Knows no connection, no mode and no
 * library: what was refused, and why, was decided before it is asked.
 */
#include "shim/core/policy.h"

#include "shim/wire/tls_wire.h"

/* The verdict of a handshake that succeeded. */
static enum record_verdict verdict_of_version(const struct policy_facts *facts)
{
	/* A version that nobody saw is 0 and ends here too: unproven is not good enough. */
	if (facts->version < facts->floor)
		return RECORD_VERDICT_BELOW_FLOOR;

	/*
	 * "ok" is a promise about the next connection: that this client can't be
	 * talked down. It takes proof, so an unknown lowest offer is no "ok".
	 */
	if (facts->lowest_offer != TLS_VERSION_UNKNOWN && facts->lowest_offer >= facts->floor)
		return RECORD_VERDICT_OK;
	return RECORD_VERDICT_AT_RISK;
}

enum record_verdict policy_verdict(const struct policy_facts *facts)
{
	if (facts->refused)
		return RECORD_VERDICT_REFUSED;

	/*
	 * Before the handshake's own merits: what has been in the clear stays
	 * known to whoever listened, even if STARTTLS followed.
	 */
	if (facts->mail_in_clear)
		return RECORD_VERDICT_PLAINTEXT;
	if (facts->clear)
		return RECORD_VERDICT_NO_MAIL;
	if (!facts->established)
		return RECORD_VERDICT_FAILED;
	return verdict_of_version(facts);
}

enum record_limit policy_limited_by(const struct policy_facts *facts)
{
	if (facts->version == TLS_VERSION_UNKNOWN)
		return RECORD_LIMIT_UNKNOWN;
	if (facts->version >= TLS_VERSION_1_3)
		return RECORD_LIMIT_NONE;
	if (facts->version < facts->highest_offer)
		return RECORD_LIMIT_SERVER;
	/* More than was offered: the offer is not known, or the peer is broken. */
	return facts->version == facts->highest_offer ? RECORD_LIMIT_CLIENT : RECORD_LIMIT_UNKNOWN;
}
