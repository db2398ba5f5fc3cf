/*
 * Look-ups by c-ares: addresses (with /etc/hosts, as the system does), mail exchangers, and the
 * TXT record that announces an MTA-STS policy. All that was asked goes on at once.
 */
#ifndef TLSWITNESS_PROBE_DNS_H
#define TLSWITNESS_PROBE_DNS_H

#include "tools/probe/probe.h"

struct probe_dns;

/* NULL, with a complaint made, if c-ares does not start or `resolver` is no address. */
struct probe_dns *probe_dns_new(const struct probe_settings *settings);
void probe_dns_free(struct probe_dns *dns);

/* Called for each address that was found; once with NULL and `trouble` if there is none. */
typedef void (*probe_dns_found)(void *context, const struct sockaddr *address, socklen_t length,
				const char *trouble);

/* Asks for the addresses of `name`; `found` is called within probe_dns_wait(). */
void probe_dns_addresses(struct probe_dns *dns, const char *name, probe_dns_found found,
			 void *context);

/*
 * Asks for the mail exchangers of `domain`, which are there after probe_dns_wait(): in order of
 * preference; the domain itself where it has none (RFC 5321, 5.1); none, and `trouble` says why,
 * where it takes no mail (RFC 7505) or could not be looked up.
 */
void probe_dns_mx(struct probe_dns *dns, struct probe_domain *domain);

/* Asks whether `domain` announces an MTA-STS policy: policy.state is PROBE_PROMISE_KEPT then. */
void probe_dns_policy(struct probe_dns *dns, struct probe_domain *domain);

/* Until all is answered, or has failed, or the time that the settings give is over. */
void probe_dns_wait(struct probe_dns *dns);

#endif
