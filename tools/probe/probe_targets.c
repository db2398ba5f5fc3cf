/*
 * Words of the command line -> targets. Knows how hosts are written; must not know what is asked
 * of them.
 */
#include "tools/probe/probe_targets.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/base/options.h"
#include "tools/base/table.h"
#include "tools/probe/probe_dns.h"

static const uint16_t ses_ports[] = {25, 465, 587, 2465, 2587};

bool probe_is_name(const char *text)
{
	size_t length = strlen(text);

	if (length == 0 || length > PROBE_NAME_MAX || text[0] == '-' || text[0] == '.')
		return false;
	return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
	       length;
}

static struct probe_request *add(struct probe_requests *requests, const char *host, size_t length,
				 uint16_t port)
{
	if (requests->count == requests->capacity) {
		requests->capacity = requests->capacity ? requests->capacity * 2 : 16;
		requests->request = table_resize(requests->request,
						 requests->capacity * sizeof(requests->request[0]));
	}
	struct probe_request *request = &requests->request[requests->count++];
	*request = (struct probe_request){.port = port};
	/* The dot that says "from the root" is no part of a name in TLS (RFC 6066, 3). */
	if (length > 1 && host[length - 1] == '.')
		length--;
	(void)snprintf(request->host, sizeof(request->host), "%.*s", (int)length, host);
	return request;
}

static bool is_address(const char *text)
{
	struct in6_addr address;

	return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

bool probe_requests_add(struct probe_requests *requests, const char *text, uint16_t port)
{
	const char *host = text;
	const char *colon = strrchr(text, ':');
	size_t length = strlen(text);
	unsigned long number = port;

	if (text[0] == '[') {
		const char *end = strchr(text, ']');
		host = text + 1;
		length = end != NULL ? (size_t)(end - host) : 0;
		colon = end != NULL && end[1] == ':' ? end + 1 : NULL;
		if (end != NULL && end[1] != ':' && end[1] != '\0')
			length = 0;
	} else if (colon != NULL && strchr(text, ':') == colon) {
		length = (size_t)(colon - text);
	} else {
		colon = NULL;
	}
	if (colon != NULL && !parse_number(colon + 1, 1, UINT16_MAX, &number)) {
		complain("'%s' names no port; say HOST:25, or [ADDRESS]:25 for IPv6", text);
		return false;
	}
	if (length > PROBE_NAME_MAX)
		length = 0;
	struct probe_request *request = add(requests, host, length, (uint16_t)number);
	if (!is_address(request->host) && (text[0] == '[' || !probe_is_name(request->host))) {
		complain("'%s' is no host; say HOST, HOST:PORT or [ADDRESS]:PORT, in ASCII "
			 "(xn--...)",
			 text);
		return false;
	}
	return true;
}

bool probe_requests_add_ses(struct probe_requests *requests, const char *region)
{
	char host[PROBE_NAME_MAX + 1];
	size_t length = strlen(region);

	if (length == 0 || length > 32 ||
	    strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") != length) {
		complain("'%s' is no region; --ses takes one such as eu-west-1", region);
		return false;
	}
	int written = snprintf(host, sizeof(host), "email-smtp.%s.amazonaws.com%s", region,
			       strncmp(region, "cn-", 3) == 0 ? ".cn" : "");
	for (size_t i = 0; i < sizeof(ses_ports) / sizeof(ses_ports[0]); i++)
		(void)add(requests, host, (size_t)written, ses_ports[i]);
	return true;
}

void probe_requests_add_domains(struct probe_requests *requests, const struct probe *probe)
{
	for (size_t i = 0; i < probe->domain_count; i++) {
		const struct probe_domain *domain = &probe->domain[i];

		for (size_t j = 0; j < domain->mx_count; j++) {
			const struct probe_mx *mx = &domain->mx[j];
			struct probe_request *request =
				add(requests, mx->host, strlen(mx->host), probe->settings.port);
			request->domain = domain;
			request->preference = mx->preference;
		}
		if (domain->mx_count == 0)
			add(requests, domain->name, strlen(domain->name), probe->settings.port)
				->domain = domain;
	}
}

/* ---- addresses ---- */

static struct probe_target *add_target(struct probe *probe)
{
	if (probe->target_count == probe->target_capacity) {
		probe->target_capacity = probe->target_capacity ? probe->target_capacity * 2 : 16;
		probe->target = table_resize(probe->target,
					     probe->target_capacity * sizeof(probe->target[0]));
	}
	return &probe->target[probe->target_count++];
}

/* RFC 8314, 3.3 for 465; 2465 is its like with a provider. */
static bool is_implicit(const struct probe_settings *settings, uint16_t port)
{
	if (settings->tls_mode != PROBE_BY_PORT)
		return settings->tls_mode == PROBE_IMPLICIT;
	return port == 465 || port == 2465;
}

static struct probe_target *begin_target(struct probe_request *request)
{
	request->found = table_resize(request->found,
				      (request->found_count + 1) * sizeof(request->found[0]));
	struct probe_target *target = &request->found[request->found_count++];
	*target = (struct probe_target){
		.port = request->port,
		.domain = request->domain,
		.preference = request->preference,
	};
	return target;
}

static void set_trouble(struct probe_target *target, const char *trouble)
{
	for (size_t i = 0; i < PROBE_VERSIONS; i++)
		probe_words(target->verdict[i].how, "%s", trouble);
}

static void address_found(void *context, const struct sockaddr *address, socklen_t length,
			  const char *trouble)
{
	struct probe_request *request = context;

	if (address == NULL) {
		set_trouble(begin_target(request), trouble);
		return;
	}
	for (size_t i = 0; i < request->found_count; i++) {
		if (request->found[i].address_length == length &&
		    memcmp(&request->found[i].address, address, length) == 0)
			return;
	}
	struct probe_target *target = begin_target(request);
	memcpy(&target->address, address, length);
	target->address_length = length;
	if (address->sa_family == AF_INET6) {
		struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)&target->address;
		ipv6->sin6_port = htons(request->port);
		(void)inet_ntop(AF_INET6, &ipv6->sin6_addr, target->address_text,
				sizeof(target->address_text));
	} else {
		struct sockaddr_in *ipv4 = (struct sockaddr_in *)&target->address;
		ipv4->sin_port = htons(request->port);
		(void)inet_ntop(AF_INET, &ipv4->sin_addr, target->address_text,
				sizeof(target->address_text));
	}
}

/* An address needs no look-up. */
static bool take_address(struct probe_request *request)
{
	struct sockaddr_in ipv4 = {.sin_family = AF_INET};
	struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6};

	if (inet_pton(AF_INET, request->host, &ipv4.sin_addr) == 1)
		address_found(request, (struct sockaddr *)&ipv4, sizeof(ipv4), NULL);
	else if (inet_pton(AF_INET6, request->host, &ipv6.sin6_addr) == 1)
		address_found(request, (struct sockaddr *)&ipv6, sizeof(ipv6), NULL);
	else
		return false;
	request->found[0].is_address = true;
	return true;
}

static bool is_wanted(const struct probe_settings *settings, const struct probe_target *target)
{
	return settings->family == AF_UNSPEC || target->address.ss_family == AF_UNSPEC ||
	       target->address.ss_family == settings->family;
}

static void add_found(struct probe *probe, struct probe_request *request)
{
	size_t before = probe->target_count;

	for (size_t i = 0; i < request->found_count; i++) {
		request->found[i].host = request->host;
		request->found[i].implicit = is_implicit(&probe->settings, request->port);
		if (is_wanted(&probe->settings, &request->found[i]))
			*add_target(probe) = request->found[i];
	}
	if (probe->target_count > before)
		return;
	struct probe_target *target = add_target(probe);
	*target = (struct probe_target){.host = request->host,
					.port = request->port,
					.domain = request->domain,
					.preference = request->preference,
					.implicit = is_implicit(&probe->settings, request->port)};
	set_trouble(target,
		    probe->settings.family == AF_INET ? "no IPv4 address" : "no IPv6 address");
}

void probe_requests_resolve(struct probe_requests *requests, struct probe *probe,
			    struct probe_dns *dns)
{
	for (size_t i = 0; i < requests->count; i++) {
		struct probe_request *request = &requests->request[i];

		if (request->domain != NULL && request->domain->trouble[0] != '\0')
			set_trouble(begin_target(request), request->domain->trouble);
		else if (!take_address(request))
			probe_dns_addresses(dns, request->host, address_found, request);
	}
	probe_dns_wait(dns);
	for (size_t i = 0; i < requests->count; i++)
		add_found(probe, &requests->request[i]);
}

void probe_requests_free(struct probe_requests *requests)
{
	for (size_t i = 0; i < requests->count; i++)
		free(requests->request[i].found);
	free(requests->request);
	*requests = (struct probe_requests){.count = 0};
}
