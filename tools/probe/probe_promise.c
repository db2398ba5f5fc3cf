/*
 * Facts of the DNS, of the policy and of the connections -> verdicts. It asks nobody.
 */
#include "tools/probe/probe_promise.h"

#include "tools/probe/probe_policy.h"

static void set(struct probe_promise *promise, enum probe_promise_state state, const char *how)
{
	promise->state = state;
	probe_words(promise->how, "%s", how);
}

/* Why no certificate came. A host that has no TLS keeps no promise; one that was not asked may. */
static void settle_without_certificate(struct probe_promise *promise,
				       const struct probe_target *target)
{
	bool all_refused = true;

	for (size_t i = 0; i < PROBE_VERSIONS; i++)
		all_refused = all_refused && target->verdict[i].result == PROBE_REFUSED;
	if (target->starttls == PROBE_STARTTLS_NOT_OFFERED)
		set(promise, PROBE_PROMISE_BROKEN, "STARTTLS not offered");
	else if (target->starttls == PROBE_STARTTLS_REFUSED)
		set(promise, PROBE_PROMISE_BROKEN, "STARTTLS offered and refused");
	else if (all_refused)
		set(promise, PROBE_PROMISE_BROKEN, "every version of TLS is refused");
	else
		set(promise, PROBE_PROMISE_UNKNOWN, "the certificate is not known");
}

static void settle_dane(struct probe_target *target)
{
	const struct probe_domain *domain = target->domain;

	if (domain != NULL && domain->dnssec.state != PROBE_PROMISE_KEPT)
		set(&target->dane, domain->dnssec.state, domain->dnssec.how);
	else if (target->tlsa == NULL)
		set(&target->dane, PROBE_PROMISE_NONE, "no TLSA record is for an address");
	else if (target->tlsa->state != PROBE_PROMISE_KEPT)
		set(&target->dane, target->tlsa->state, target->tlsa->how);
	else if (!target->certificate.known)
		settle_without_certificate(&target->dane, target);
	/* Else probe_certificate.c has compared them. */
}

static const char *mode_name(enum probe_policy_mode mode)
{
	return mode == PROBE_POLICY_ENFORCE ? "enforce" : "testing";
}

static void settle_mta_sts(struct probe_target *target)
{
	struct probe_promise *promise = &target->mta_sts;
	const struct probe_policy *policy = &target->domain->policy;

	if (policy->state != PROBE_PROMISE_KEPT) {
		set(promise, policy->state, policy->how);
	} else if (policy->mode == PROBE_POLICY_NONE) {
		set(promise, PROBE_PROMISE_NONE, "the policy's mode is none");
	} else if (!probe_policy_names(policy, target->host)) {
		promise->state = PROBE_PROMISE_BROKEN;
		probe_words(promise->how, "mode %s: the policy does not name this host",
			    mode_name(policy->mode));
	} else if (!target->certificate.known) {
		settle_without_certificate(promise, target);
	} else if (!target->certificate.verified) {
		promise->state = PROBE_PROMISE_BROKEN;
		probe_words(promise->how, "mode %s: %s", mode_name(policy->mode),
			    target->certificate.reason);
	} else {
		promise->state = PROBE_PROMISE_KEPT;
		probe_words(promise->how, "mode %s", mode_name(policy->mode));
	}
}

void probe_promise_settle(struct probe *probe)
{
	for (size_t i = 0; i < probe->target_count; i++) {
		struct probe_target *target = &probe->target[i];

		if (probe->settings.dane)
			settle_dane(target);
		if (probe->settings.mta_sts && target->domain != NULL)
			settle_mta_sts(target);
	}
}

/* ---- the sum ---- */

static bool is_below_floor(const struct probe *probe, const struct probe_target *target)
{
	for (size_t i = 0; i < PROBE_VERSIONS; i++) {
		if (probe_version(i) < probe->settings.floor &&
		    target->verdict[i].result == PROBE_ACCEPTED)
			return true;
	}
	return false;
}

static bool is_untested(const struct probe_target *target)
{
	for (size_t i = 0; i < PROBE_VERSIONS; i++) {
		if (target->verdict[i].result == PROBE_NOT_TESTED ||
		    target->verdict[i].result == PROBE_UNSUPPORTED_HERE)
			return true;
	}
	return target->dane.state == PROBE_PROMISE_UNKNOWN ||
	       target->mta_sts.state == PROBE_PROMISE_UNKNOWN;
}

int probe_exit_status(const struct probe *probe)
{
	bool untested = false;

	for (size_t i = 0; i < probe->target_count; i++) {
		const struct probe_target *target = &probe->target[i];

		if (is_below_floor(probe, target) || target->dane.state == PROBE_PROMISE_BROKEN ||
		    target->mta_sts.state == PROBE_PROMISE_BROKEN)
			return 1;
		untested = untested || is_untested(target);
	}
	return untested ? 2 : 0;
}
