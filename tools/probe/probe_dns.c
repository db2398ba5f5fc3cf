/*
 * c-ares, driven by poll. It knows names and records; must not know what is asked of the servers.
 */
#include "tools/probe/probe_dns.h"

#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/nameser.h>

/* What c-ares 1.17 has, which its newest has too and would replace. */
#define CARES_NO_DEPRECATED
#include <ares.h>

#include "tools/base/options.h"
#include "tools/base/table.h"
#include "tools/probe/probe_connection.h"
#include "tools/probe/probe_policy.h"

enum {
	TRIES = 2,
	TRY_MS = 4000,
	CHANNELS = 2,
};

struct probe_dns {
	/* For addresses: a server that fails is passed over. For records: what it says is said,
	 * since c-ares would report its failure as one to reach it. */
	ares_channel channel[CHANNELS];
	unsigned timeout_ms;
	size_t pending;
};

#define FOR_ADDRESSES(dns) ((dns)->channel[0])
#define FOR_RECORDS(dns)   ((dns)->channel[1])

static bool begin_channel(ares_channel *channel, const struct probe_settings *settings, int flags)
{
	struct ares_options options = {
		.flags = flags,
		.timeout = (int)(settings->timeout_ms < TRY_MS ? settings->timeout_ms : TRY_MS),
		.tries = TRIES,
	};
	int status = ares_init_options(channel, &options,
				       ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);

	if (status != ARES_SUCCESS) {
		complain("names can't be looked up (%s)", ares_strerror(status));
		return false;
	}
	if (settings->resolver != NULL &&
	    ares_set_servers_ports_csv(*channel, settings->resolver) != ARES_SUCCESS) {
		complain("'%s' is no resolver; --resolver takes an address, with a port as in "
			 "127.0.0.1:5353 or [::1]:5353",
			 settings->resolver);
		ares_destroy(*channel);
		return false;
	}
	return true;
}

struct probe_dns *probe_dns_new(const struct probe_settings *settings)
{
	struct probe_dns *dns = table_allocate(sizeof(*dns));

	*dns = (struct probe_dns){.timeout_ms = settings->timeout_ms};
	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS ||
	    !begin_channel(&FOR_ADDRESSES(dns), settings, 0)) {
		free(dns);
		return NULL;
	}
	if (!begin_channel(&FOR_RECORDS(dns), settings, ARES_FLAG_NOCHECKRESP)) {
		ares_destroy(FOR_ADDRESSES(dns));
		free(dns);
		return NULL;
	}
	return dns;
}

void probe_dns_free(struct probe_dns *dns)
{
	if (dns == NULL)
		return;
	for (size_t i = 0; i < CHANNELS; i++)
		ares_destroy(dns->channel[i]);
	ares_library_cleanup();
	free(dns);
}

/* Why a look-up gave nothing, in the words of the field. */
static const char *reason(int status)
{
	switch (status) {
	case ARES_ENOTFOUND:
		return "no such name (NXDOMAIN)";
	case ARES_ENODATA:
		return "no such record";
	case ARES_ESERVFAIL:
		return "the resolver failed (SERVFAIL)";
	case ARES_ETIMEOUT:
	case ARES_ECANCELLED:
		return "the resolver does not answer";
	default:
		return ares_strerror(status);
	}
}

/* ---- addresses ---- */

struct address_query {
	struct probe_dns *dns;
	probe_dns_found found;
	void *context;
};

static void addresses_arrived(void *argument, int status, int timeouts,
			      struct ares_addrinfo *answer)
{
	struct address_query *query = argument;
	bool any = false;

	(void)timeouts;
	query->dns->pending--;
	for (struct ares_addrinfo_node *node = answer != NULL ? answer->nodes : NULL; node != NULL;
	     node = node->ai_next) {
		any = true;
		query->found(query->context, node->ai_addr, node->ai_addrlen, NULL);
	}
	if (!any)
		query->found(query->context, NULL, 0,
			     status == ARES_SUCCESS ? "no address" : reason(status));
	if (answer != NULL)
		ares_freeaddrinfo(answer);
	free(query);
}

void probe_dns_addresses(struct probe_dns *dns, const char *name, probe_dns_found found,
			 void *context)
{
	const struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC,
						  .ai_socktype = SOCK_STREAM};
	struct address_query *query = table_allocate(sizeof(*query));

	*query = (struct address_query){dns, found, context};
	dns->pending++;
	ares_getaddrinfo(FOR_ADDRESSES(dns), name, NULL, &hints, addresses_arrived, query);
}

/* ---- mail exchangers ---- */

struct domain_query {
	struct probe_dns *dns;
	struct probe_domain *domain;
};

static struct domain_query *new_query(struct probe_dns *dns, struct probe_domain *domain)
{
	struct domain_query *query = table_allocate(sizeof(*query));

	*query = (struct domain_query){dns, domain};
	dns->pending++;
	return query;
}

static void add_mx(struct probe_domain *domain, const char *host, unsigned preference)
{
	size_t place = domain->mx_count;

	if (domain->mx_count == PROBE_MX_MAX || strlen(host) > PROBE_NAME_MAX)
		return;
	domain->mx_count++;
	/* In order of preference; equals stay as they came. */
	for (; place > 0 && domain->mx[place - 1].preference > preference; place--)
		domain->mx[place] = domain->mx[place - 1];
	domain->mx[place].preference = preference;
	(void)snprintf(domain->mx[place].host, sizeof(domain->mx[place].host), "%s", host);
}

static void mx_arrived(void *argument, int status, int timeouts, unsigned char *answer, int length)
{
	struct domain_query *query = argument;
	struct probe_domain *domain = query->domain;
	struct ares_mx_reply *all = NULL;

	(void)timeouts;
	query->dns->pending--;
	free(query);
	if (status == ARES_SUCCESS)
		status = ares_parse_mx_reply(answer, length, &all);
	if (status == ARES_ENODATA) {
		add_mx(domain, domain->name, 0);
		return;
	}
	if (status != ARES_SUCCESS) {
		probe_words(domain->trouble, "its mail exchangers: %s", reason(status));
		return;
	}
	for (const struct ares_mx_reply *mx = all; mx != NULL; mx = mx->next) {
		/* RFC 7505, 3: a null MX stands alone, and means that no mail is taken. */
		if (mx->host[0] == '\0' || strcmp(mx->host, ".") == 0)
			probe_words(domain->trouble, "it takes no mail (a null MX, RFC 7505)");
		else
			add_mx(domain, mx->host, mx->priority);
	}
	ares_free_data(all);
	if (domain->mx_count > 0)
		domain->trouble[0] = '\0';
}

void probe_dns_mx(struct probe_dns *dns, struct probe_domain *domain)
{
	ares_query(FOR_RECORDS(dns), domain->name, ns_c_in, ns_t_mx, mx_arrived,
		   new_query(dns, domain));
}

/* ---- the announcement of a policy ---- */

/* The whole text of the record that begins at `part`; a record may come in several strings. */
static struct slice record_text(const struct ares_txt_ext *part, char *room, size_t size)
{
	size_t length = 0;

	do {
		size_t taken = part->length < size - length ? part->length : size - length;
		memcpy(room + length, part->txt, taken);
		length += taken;
		part = part->next;
	} while (part != NULL && !part->record_start);
	return (struct slice){room, length};
}

static void policy_arrived(void *argument, int status, int timeouts, unsigned char *answer,
			   int length)
{
	struct domain_query *query = argument;
	struct probe_policy *policy = &query->domain->policy;
	struct ares_txt_ext *all = NULL;
	char room[1024];
	unsigned announced = 0;

	(void)timeouts;
	query->dns->pending--;
	free(query);
	if (status == ARES_SUCCESS)
		status = ares_parse_txt_reply_ext(answer, length, &all);
	if (status != ARES_SUCCESS) {
		policy->state = status == ARES_ENODATA || status == ARES_ENOTFOUND
					? PROBE_PROMISE_NONE
					: PROBE_PROMISE_UNKNOWN;
		probe_words(policy->how, "no policy is announced: %s", reason(status));
		return;
	}
	for (const struct ares_txt_ext *part = all; part != NULL; part = part->next) {
		if (part->record_start &&
		    probe_policy_announced(record_text(part, room, sizeof(room))))
			announced++;
	}
	ares_free_data(all);
	/* RFC 8461, 3.1: if there is not exactly one, there is none. */
	policy->state = announced == 1 ? PROBE_PROMISE_KEPT : PROBE_PROMISE_NONE;
	if (announced != 1)
		probe_words(policy->how, announced == 0 ? "no policy is announced"
							: "more than one policy is announced");
}

void probe_dns_policy(struct probe_dns *dns, struct probe_domain *domain)
{
	char name[PROBE_NAME_MAX + sizeof("_mta-sts.")];

	(void)snprintf(name, sizeof(name), "_mta-sts.%s", domain->name);
	ares_query(FOR_RECORDS(dns), name, ns_c_in, ns_t_txt, policy_arrived,
		   new_query(dns, domain));
}

/* ---- the wait ---- */

static size_t add_sockets(ares_channel channel, struct pollfd *polled)
{
	ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
	int wanted = ares_getsock(channel, sockets, ARES_GETSOCK_MAXNUM);
	size_t count = 0;

	for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
		short events = 0;

		if (ARES_GETSOCK_READABLE(wanted, i))
			events |= POLLIN;
		/* Not ARES_GETSOCK_WRITABLE, which shifts an int by up to 31. */
		if ((unsigned)wanted >> (i + ARES_GETSOCK_MAXNUM) & 1U)
			events |= POLLOUT;
		if (events != 0)
			polled[count++] = (struct pollfd){.fd = sockets[i], .events = events};
	}
	return count;
}

static void go_on(ares_channel channel, const struct pollfd *polled, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		short events = polled[i].revents;

		if (events != 0)
			ares_process_fd(channel,
					events & (POLLIN | POLLERR | POLLHUP) ? polled[i].fd
									      : ARES_SOCKET_BAD,
					events & (POLLOUT | POLLERR) ? polled[i].fd
								     : ARES_SOCKET_BAD);
	}
	/* What has run out of time. */
	ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

void probe_dns_wait(struct probe_dns *dns)
{
	int64_t deadline = probe_now() + dns->timeout_ms;

	while (dns->pending > 0) {
		struct pollfd polled[CHANNELS * ARES_GETSOCK_MAXNUM];
		size_t count[CHANNELS];
		size_t all = 0;
		struct timeval longest = {.tv_sec = 1};
		struct timeval room;

		if (probe_now() >= deadline) {
			for (size_t i = 0; i < CHANNELS; i++)
				ares_cancel(dns->channel[i]);
			break;
		}
		for (size_t i = 0; i < CHANNELS; i++) {
			const struct timeval *next = ares_timeout(dns->channel[i], &longest, &room);
			longest = *next;
			count[i] = add_sockets(dns->channel[i], polled + all);
			all += count[i];
		}
		int wait_ms = (int)(longest.tv_sec * 1000 + (longest.tv_usec + 999) / 1000);
		if (poll(polled, all, wait_ms) < 0)
			continue;
		all = 0;
		for (size_t i = 0; i < CHANNELS; i++) {
			go_on(dns->channel[i], polled + all, count[i]);
			all += count[i];
		}
	}
}
