/*
 * From what the command line names to hosts, ports and addresses.
 */
#ifndef TLSWITNESS_PROBE_TARGETS_H
#define TLSWITNESS_PROBE_TARGETS_H

#include "tools/probe/probe.h"

struct probe_dns;

/* A host that was asked for; its addresses become targets. */
struct probe_request {
	char host[PROBE_NAME_MAX + 1];
	uint16_t port;
	const struct probe_domain *domain;
	unsigned preference;
	struct probe_target *found; /* probe_targets.c's own */
	size_t found_count;
};

struct probe_requests {
	struct probe_request *request;
	size_t count;
	size_t capacity;
};

/* "host", "host:25", "192.0.2.1:25", "[2001:db8::1]:25", "2001:db8::1"; false with a complaint. */
bool probe_requests_add(struct probe_requests *requests, const char *text, uint16_t port);

/* The five ports of the SMTP endpoint of Amazon SES in this region; false with a complaint. */
bool probe_requests_add_ses(struct probe_requests *requests, const char *region);

/* The hosts of each domain of the probe, which has been looked up. */
void probe_requests_add_domains(struct probe_requests *requests, const struct probe *probe);

/* Looks up the addresses of all, and makes targets of them, in the order of the requests. */
void probe_requests_resolve(struct probe_requests *requests, struct probe *probe,
			    struct probe_dns *dns);

/* After the last use of the targets, which borrow their names. */
void probe_requests_free(struct probe_requests *requests);

/* A domain name in ASCII that fits into DNS. */
bool probe_is_name(const char *text);

#endif
