#include "shim/core/enforcement.h"

#include "shim/wire/tls_wire.h"

bool enforcement_refuses(const struct config *config)
{
	return config->mode != MODE_AUDIT;
}

bool enforcement_lifts(const struct config *config)
{
	return config->mode == MODE_UPGRADE;
}

bool enforcement_is_below_floor(const struct config *config, uint16_t version)
{
	return version < config->floor;
}

enum enforcement enforcement_of_version(const struct config *config, uint16_t version)
{
	if (!enforcement_refuses(config))
		return ENFORCEMENT_PROCEED;
	if (version == TLS_VERSION_UNKNOWN)
		return ENFORCEMENT_CANNOT_KNOW;
	return enforcement_is_below_floor(config, version) ? ENFORCEMENT_REFUSE
							   : ENFORCEMENT_PROCEED;
}

enum enforcement enforcement_of_clear_mail(const struct config *config, bool to_loopback)
{
	if (!enforcement_refuses(config) || config->plaintext == PLAINTEXT_RECORD)
		return ENFORCEMENT_PROCEED;
	/* What does not leave the machine can't be listened to on the way. */
	if (config->plaintext == PLAINTEXT_REFUSE_REMOTE && to_loopback)
		return ENFORCEMENT_PROCEED;
	return ENFORCEMENT_REFUSE;
}

enum enforcement enforcement_in_doubt(const struct config *config, bool is_mail)
{
	/*
	 * The host comes first, but where its operator asked for a floor, mail that
	 * nobody could look at is below it.
	 */
	return is_mail && enforcement_refuses(config) ? ENFORCEMENT_REFUSE : ENFORCEMENT_PROCEED;
}

/* The verdict of a handshake that succeeded. */
static enum record_verdict verdict_of_version(const struct enforcement_facts *facts)
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

enum record_verdict enforcement_verdict(const struct enforcement_facts *facts)
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

enum record_limit enforcement_limited_by(const struct enforcement_facts *facts)
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
