/*
 * libcurl, for one small file of each domain. Names are looked up by the same resolver as all
 * others. Knows HTTP; the policy itself is read by probe_policy.c.
 */
#include "tools/probe/probe_mta_sts.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "tools/base/options.h"
#include "tools/base/table.h"
#include "tools/probe/probe_policy.h"

#define ADDRESSES_SIZE 1024

struct fetch {
	struct probe_domain *domain;
	CURL *easy;
	struct curl_slist *addresses;
	char host[PROBE_NAME_MAX + sizeof("mta-sts.")];
	char resolved[ADDRESSES_SIZE]; /* "host:443:address,address" */
	size_t resolved_length;
	bool has_address;
	char *text;
	size_t length;
};

static void fail(struct fetch *fetch, const char *what)
{
	fetch->domain->policy.state = PROBE_PROMISE_UNKNOWN;
	probe_words(fetch->domain->policy.how, "the policy of %s: %s", fetch->host, what);
}

static void address_found(void *context, const struct sockaddr *address, socklen_t length,
			  const char *trouble)
{
	struct fetch *fetch = context;
	char text[INET6_ADDRSTRLEN];

	(void)length;
	if (address == NULL) {
		if (!fetch->has_address)
			fail(fetch, trouble);
		return;
	}
	bool is_ipv6 = address->sa_family == AF_INET6;
	const void *number =
		is_ipv6 ? (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr
			: (const void *)&((const struct sockaddr_in *)address)->sin_addr;
	if (inet_ntop(address->sa_family, number, text, sizeof(text)) == NULL)
		return;
	size_t room = sizeof(fetch->resolved) - fetch->resolved_length;
	int written = snprintf(fetch->resolved + fetch->resolved_length, room,
			       is_ipv6 ? "%s[%s]" : "%s%s", fetch->has_address ? "," : "", text);
	if (written < 0 || (size_t)written >= room) {
		fetch->resolved[fetch->resolved_length] = '\0';
		return;
	}
	fetch->resolved_length += (size_t)written;
	fetch->has_address = true;
}

/* Ends the transfer where the policy is larger than any can be. */
static size_t take_text(char *bytes, size_t size, size_t count, void *context)
{
	struct fetch *fetch = context;
	size_t length = size * count;

	if (length > PROBE_POLICY_BYTES - fetch->length)
		return 0;
	fetch->text = table_resize(fetch->text, fetch->length + length + 1);
	memcpy(fetch->text + fetch->length, bytes, length);
	fetch->length += length;
	return length;
}

static bool begin(struct fetch *fetch, const struct probe_settings *settings, CURLM *all)
{
	char url[sizeof(fetch->host) + sizeof("https:///.well-known/mta-sts.txt")];

	(void)snprintf(url, sizeof(url), "https://%s/.well-known/mta-sts.txt", fetch->host);
	fetch->easy = curl_easy_init();
	fetch->addresses = curl_slist_append(NULL, fetch->resolved);
	if (fetch->easy == NULL || fetch->addresses == NULL)
		return false;
	curl_easy_setopt(fetch->easy, CURLOPT_URL, url);
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(fetch->easy, CURLOPT_PROTOCOLS_STR, "https");
#else
	curl_easy_setopt(fetch->easy, CURLOPT_PROTOCOLS, (long)CURLPROTO_HTTPS);
#endif
	curl_easy_setopt(fetch->easy, CURLOPT_RESOLVE, fetch->addresses);
	curl_easy_setopt(fetch->easy, CURLOPT_NOSIGNAL, 1L);
	/* RFC 8461, 3.3: a redirect is not followed, a cached copy does not count. */
	curl_easy_setopt(fetch->easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(fetch->easy, CURLOPT_TIMEOUT_MS, (long)settings->timeout_ms);
	curl_easy_setopt(fetch->easy, CURLOPT_USERAGENT, "tlswitness/" TLSWITNESS_VERSION);
	curl_easy_setopt(fetch->easy, CURLOPT_WRITEFUNCTION, take_text);
	curl_easy_setopt(fetch->easy, CURLOPT_WRITEDATA, fetch);
	curl_easy_setopt(fetch->easy, CURLOPT_PRIVATE, fetch);
	if (settings->ca_file != NULL)
		curl_easy_setopt(fetch->easy, CURLOPT_CAINFO, settings->ca_file);
	return curl_multi_add_handle(all, fetch->easy) == CURLM_OK;
}

static void finish(struct fetch *fetch, CURLcode result)
{
	struct probe_policy *policy = &fetch->domain->policy;
	long status = 0;
	char words[PROBE_WORDS];
	const char *type = NULL;

	if (result != CURLE_OK) {
		fail(fetch,
		     result == CURLE_WRITE_ERROR ? "it is too large" : curl_easy_strerror(result));
		return;
	}
	curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(fetch->easy, CURLINFO_CONTENT_TYPE, &type);
	if (status != 200) {
		probe_words(words, "HTTP status %ld", status);
		fail(fetch, words);
	} else if (type == NULL || strncasecmp(type, "text/plain", strlen("text/plain")) != 0) {
		fail(fetch, "it is no text/plain (RFC 8461, 3.2)");
	} else if (!probe_policy_parse(policy, (struct slice){fetch->text, fetch->length})) {
		policy->state = PROBE_PROMISE_UNKNOWN;
	}
}

static void run_all(CURLM *all)
{
	int running = 1;
	CURLMsg *message = NULL;
	int left = 0;

	while (running > 0) {
		if (curl_multi_perform(all, &running) != CURLM_OK)
			return;
		if (running > 0 && curl_multi_poll(all, NULL, 0, 1000, NULL) != CURLM_OK)
			return;
	}
	while ((message = curl_multi_info_read(all, &left)) != NULL) {
		struct fetch *fetch = NULL;

		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&fetch);
		finish(fetch, message->data.result);
	}
}

static void prepare(struct fetch *fetch, struct probe_domain *domain, struct probe_dns *dns)
{
	*fetch = (struct fetch){.domain = domain};
	if (domain->policy.state != PROBE_PROMISE_KEPT)
		return;
	(void)snprintf(fetch->host, sizeof(fetch->host), "mta-sts.%s", domain->name);
	fetch->resolved_length =
		(size_t)snprintf(fetch->resolved, sizeof(fetch->resolved), "%s:443:", fetch->host);
	probe_dns_addresses(dns, fetch->host, address_found, fetch);
}

bool probe_mta_sts_fetch(struct probe *probe, struct probe_dns *dns)
{
	struct fetch *fetch = table_allocate((probe->domain_count + 1) * sizeof(fetch[0]));
	CURLM *all = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_multi_init() : NULL;

	if (all == NULL) {
		complain("libcurl does not start; --mta-sts needs it");
		free(fetch);
		return false;
	}
	for (size_t i = 0; i < probe->domain_count; i++)
		prepare(&fetch[i], &probe->domain[i], dns);
	probe_dns_wait(dns);
	for (size_t i = 0; i < probe->domain_count; i++) {
		if (fetch[i].has_address && !begin(&fetch[i], &probe->settings, all))
			fail(&fetch[i], "libcurl can't begin");
	}
	run_all(all);
	for (size_t i = 0; i < probe->domain_count; i++) {
		if (fetch[i].easy != NULL) {
			curl_multi_remove_handle(all, fetch[i].easy);
			curl_easy_cleanup(fetch[i].easy);
		}
		curl_slist_free_all(fetch[i].addresses);
		free(fetch[i].text);
	}
	curl_multi_cleanup(all);
	curl_global_cleanup();
	free(fetch);
	return true;
}
