/*
 * Facts and floor in, verdict out. Knows no connection, no mode and no
 * library: what was refused, and why, was decided before it is asked.
 */
#include "shim/core/policy.h"

#include <stddef.h>

#include "shim/wire/tls_wire.h"

/* The verdict of a handshake that succeeded. */
static const char *verdict_of_version(const struct policy_facts *facts)
{
	/* A version that nobody saw is 0 and ends here too: unproven is not good enough. */
	if (facts->version < facts->floor)
		return "below-floor";

	/*
	 * "ok" is a promise about the next connection: that this client can't be
	 * talked down. It takes proof, so an unknown lowest offer is no "ok".
	 */
	if (facts->lowest_offer != TLS_VERSION_UNKNOWN && facts->lowest_offer >= facts->floor)
		return "ok";
	return "at-risk";
}

const char *policy_verdict(const struct policy_facts *facts)
{
	if (facts->refused)
		return "refused";

	/*
	 * Before the handshake's own merits: what has been in the clear stays
	 * known to whoever listened, even if STARTTLS followed.
	 */
	if (facts->mail_in_clear)
		return "plaintext";
	if (facts->clear)
		return "no-mail";
	if (!facts->established)
		return "failed";
	return verdict_of_version(facts);
}

const char *policy_limited_by(const struct policy_facts *facts)
{
	if (facts->version == TLS_VERSION_UNKNOWN)
		return NULL;
	if (facts->version >= TLS_VERSION_1_3)
		return "none";
	if (facts->version < facts->highest_offer)
		return "server";
	/* More than was offered: the offer is not known, or the peer is broken. */
	return facts->version == facts->highest_offer ? "client" : NULL;
}
