/*
 * May this proceed? Every such question is asked here, and hooks and witnesses
 * obey the answer. No other file compares a version with the floor.
 *
 * Pure: settings and facts in, answers out. It knows no connection, no
 * descriptor and no TLS library.
 */
#ifndef TLSWITNESS_ENFORCEMENT_H
#define TLSWITNESS_ENFORCEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/config/config.h"
#include "shim/record/record_values.h"

enum enforcement {
	ENFORCEMENT_PROCEED,
	ENFORCEMENT_REFUSE,
	ENFORCEMENT_CANNOT_KNOW, /* the facts are not there: see enforcement_in_doubt */
};

/* What is held, and how: for the process, or where an exception applies for a connection. */
struct enforcement_policy {
	enum config_mode mode;
	uint16_t floor; /* enum tls_version */
	enum config_plaintext plaintext;
	const struct config_exception *exception; /* that applies; NULL: none */
};

/* Of a connection what exceptions are about. */
struct enforcement_target {
	const char *name[2];    /* that it looked up, and asked for by SNI; "": not known */
	const uint8_t *address; /* as IPv6; NULL: not known */
	uint16_t port;
	int64_t began; /* seconds since 1970 */
};

/* Of the process: what holds where no exception applies. */
struct enforcement_policy enforcement_policy(const struct config *config);

/* Of a connection: the first exception that applies to it counts. */
struct enforcement_policy enforcement_policy_of(const struct config *config,
						const struct enforcement_target *target);

/* Is the exception over, at this second? Then it applies to nothing that begins. */
bool enforcement_is_over(const struct config_exception *exception, int64_t now);

/* Does a version lie below the floor? 0, a version that is not known, does. */
bool enforcement_is_below_floor(const struct enforcement_policy *policy, uint16_t version);

/* Is it the floor itself? */
bool enforcement_is_floor(const struct enforcement_policy *policy, uint16_t version);

/* May a handshake that negotiated `version` go on? Cannot know: 0, not negotiated yet. */
enum enforcement enforcement_of_version(const struct enforcement_policy *policy, uint16_t version);

/* May mail or credentials go in the clear to a peer that is on this machine, or is not? */
enum enforcement enforcement_of_clear_mail(const struct enforcement_policy *policy,
					   bool to_loopback);

/*
 * What becomes of a connection of which something can't be known: there was no
 * memory for it, or its state could not be had. `is_mail` where it leads to a
 * mail port or its bytes begin an SMTP dialogue: such a one is refused unless
 * this only audits; then it proceeds, and the caller counts it as lost. Any
 * other proceeds.
 */
enum enforcement enforcement_in_doubt(const struct enforcement_policy *policy, bool is_mail);

/*
 * Is anything ever refused? False: only looked at. No exception makes more of
 * it than the process's own policy.
 */
bool enforcement_refuses(const struct enforcement_policy *policy);

/* Whose handshakes are to be prepared so that they end at the floor or above. */
bool enforcement_lifts(const struct enforcement_policy *policy);

struct enforcement_facts {
	uint16_t floor;
	bool established;       /* the handshake succeeded */
	bool refused;           /* we stopped it */
	uint16_t version;       /* negotiated; 0 if not known */
	uint16_t lowest_offer;  /* the least that the client would have accepted; 0: not known */
	uint16_t highest_offer; /* the most that the client offered; 0: not known */
	bool clear;             /* no TLS was ever begun */
	bool mail_in_clear;     /* MAIL or AUTH went, or would have gone, in the clear */
};

enum record_verdict enforcement_verdict(const struct enforcement_facts *facts);

/* RECORD_LIMIT_UNKNOWN where it is not known. */
enum record_limit enforcement_limited_by(const struct enforcement_facts *facts);

#endif
