#include "shim/core/enforcement.h"

#include <string.h>

#include "shim/wire/tls_wire.h"

/* ---- exceptions ---- */

static int lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

/* "*.example.net" is every name below example.net, and not that name itself. */
static bool is_name_of(const struct config_exception *exception, const char *name)
{
	const char *wanted = exception->text + exception->name.at;
	size_t wanted_length = exception->name.length;
	size_t length = strlen(name);

	if (length > 0 && name[length - 1] == '.')
		length--;
	if (wanted[0] == '*') {
		wanted++;
		wanted_length--;
		if (length <= wanted_length)
			return false;
		name += length - wanted_length;
		length = wanted_length;
	}
	if (length != wanted_length)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (lower(name[i]) != lower(wanted[i]))
			return false;
	}
	return true;
}

static bool is_in_network(const struct config_exception *exception, const uint8_t *address)
{
	const unsigned whole = exception->bits / 8;
	const unsigned rest = exception->bits % 8;

	if (!address || memcmp(address, exception->address, whole) != 0)
		return false;
	return rest == 0 || (address[whole] ^ exception->address[whole]) >> (8 - rest) == 0;
}

bool enforcement_is_over(const struct config_exception *exception, int64_t now)
{
	return now >= exception->until;
}

/* What is not known is not what an exception names. The program was looked at at the start. */
static bool applies(const struct config_exception *exception, const struct config *config,
		    const struct enforcement_target *target)
{
	if (enforcement_is_over(exception, target->began))
		return false;
	if (exception->name.length > 0 && !is_name_of(exception, target->name[0]) &&
	    !is_name_of(exception, target->name[1]))
		return false;
	if (exception->bits > 0 && !is_in_network(exception, target->address))
		return false;
	if (exception->port != 0 && exception->port != target->port)
		return false;
	return exception->service.length == 0 ||
	       config_exception_word_is(exception, exception->service, config->service);
}

struct enforcement_policy enforcement_policy(const struct config *config)
{
	return (struct enforcement_policy){config->mode, config->floor, config->plaintext, NULL};
}

struct enforcement_policy enforcement_policy_of(const struct config *config,
						const struct enforcement_target *target)
{
	struct enforcement_policy policy = enforcement_policy(config);

	for (unsigned i = 0; i < config->exception_count && !policy.exception; i++) {
		if (applies(&config->exception[i], config, target))
			policy.exception = &config->exception[i];
	}
	if (!policy.exception)
		return policy;
	if (policy.exception->floor != 0) {
		policy.floor = policy.exception->floor;
	} else {
		/* With none, what is below the process's own is let through, and said to be. */
		policy.mode = MODE_AUDIT;
		policy.plaintext = PLAINTEXT_RECORD;
	}
	return policy;
}

/* ---- what is held ---- */

bool enforcement_refuses(const struct enforcement_policy *policy)
{
	return policy->mode != MODE_AUDIT;
}

bool enforcement_lifts(const struct enforcement_policy *policy)
{
	return policy->mode == MODE_UPGRADE;
}

bool enforcement_is_below_floor(const struct enforcement_policy *policy, uint16_t version)
{
	return version < policy->floor;
}

bool enforcement_is_floor(const struct enforcement_policy *policy, uint16_t version)
{
	return version == policy->floor;
}

enum enforcement enforcement_of_version(const struct enforcement_policy *policy, uint16_t version)
{
	if (!enforcement_refuses(policy))
		return ENFORCEMENT_PROCEED;
	if (version == TLS_VERSION_UNKNOWN)
		return ENFORCEMENT_CANNOT_KNOW;
	return enforcement_is_below_floor(policy, version) ? ENFORCEMENT_REFUSE
							   : ENFORCEMENT_PROCEED;
}

enum enforcement enforcement_of_clear_mail(const struct enforcement_policy *policy,
					   bool to_loopback)
{
	if (!enforcement_refuses(policy) || policy->plaintext == PLAINTEXT_RECORD)
		return ENFORCEMENT_PROCEED;
	/* What does not leave the machine can't be listened to on the way. */
	if (policy->plaintext == PLAINTEXT_REFUSE_REMOTE && to_loopback)
		return ENFORCEMENT_PROCEED;
	return ENFORCEMENT_REFUSE;
}

enum enforcement enforcement_in_doubt(const struct enforcement_policy *policy, bool is_mail)
{
	/*
	 * The host comes first, but where its operator asked for a floor, mail that
	 * nobody could look at is below it.
	 */
	return is_mail && enforcement_refuses(policy) ? ENFORCEMENT_REFUSE : ENFORCEMENT_PROCEED;
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
