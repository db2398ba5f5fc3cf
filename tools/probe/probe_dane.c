/*
 * libunbound, asked for everything at once. Knows RFC 7672's order of questions; must not know
 * certificates.
 */
#include "tools/probe/probe_dane.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unbound.h>

#include "tools/base/options.h"
#include "tools/base/table.h"
#include "tools/probe/probe_connection.h"

enum { CLASS_IN = 1, TYPE_MX = 15, TYPE_TLSA = 52, RCODE_OK = 0, RCODE_NXDOMAIN = 3 };

/* IANA's anchors of the root, valid from 2017 and 2024 on (https://data.iana.org/root-anchors). */
static const char *const root_anchors[] = {
	". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D",
	". IN DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16",
};

struct look_up {
	struct ub_ctx *context;
	size_t pending;
};

/* One host and port, and all targets that are there. */
struct question {
	struct look_up *look_up;
	struct probe_dane *dane;
};

static bool check(int status, const char *what)
{
	if (status == 0)
		return true;
	complain("%s (%s); --dane needs it", what, ub_strerror(status));
	return false;
}

/* "127.0.0.1:5353" and "[::1]:5353" as libunbound writes them: "127.0.0.1@5353". */
static void forwarder(const char *resolver, char *text, size_t size)
{
	const char *end = strchr(resolver, ']');
	const char *colon = strrchr(resolver, ':');

	if (resolver[0] == '[' && end != NULL)
		(void)snprintf(text, size, "%.*s%s%s", (int)(end - resolver - 1), resolver + 1,
			       end[1] == ':' ? "@" : "", end[1] == ':' ? end + 2 : "");
	else if (colon != NULL && strchr(resolver, ':') == colon)
		(void)snprintf(text, size, "%.*s@%s", (int)(colon - resolver), resolver, colon + 1);
	else
		(void)snprintf(text, size, "%s", resolver);
}

static bool set_up(struct ub_ctx *context, const struct probe_settings *settings)
{
	char text[128];

	/* Without it libunbound asks loopback never, and a resolver is often there. */
	if (!check(ub_ctx_set_option(context, "do-not-query-localhost:", "no"),
		   "libunbound can't be set up") ||
	    !check(ub_ctx_async(context, 1), "libunbound can't be set up"))
		return false;
	if (settings->resolver != NULL) {
		forwarder(settings->resolver, text, sizeof(text));
		if (!check(ub_ctx_set_fwd(context, text), "libunbound can't use the resolver"))
			return false;
	} else if (!check(ub_ctx_resolvconf(context, NULL), "/etc/resolv.conf can't be read")) {
		return false;
	}
	if (settings->trust_anchor != NULL)
		return check(ub_ctx_add_ta_file(context, settings->trust_anchor),
			     "the trust anchor can't be read");
	for (size_t i = 0; i < sizeof(root_anchors) / sizeof(root_anchors[0]); i++) {
		if (!check(ub_ctx_add_ta(context, root_anchors[i]), "no trust anchor"))
			return false;
	}
	return true;
}

/* ---- MX ---- */

static void judge_mx(struct probe_promise *dnssec, int status, const struct ub_result *answer)
{
	dnssec->state = PROBE_PROMISE_UNKNOWN;
	if (status != 0)
		probe_words(dnssec->how, "%s", ub_strerror(status));
	else if (answer->bogus)
		probe_words(dnssec->how, "bogus: %s",
			    answer->why_bogus != NULL ? answer->why_bogus : "bad signatures");
	else if (answer->rcode != RCODE_OK && answer->rcode != RCODE_NXDOMAIN)
		probe_words(dnssec->how, "the resolver failed (rcode %d)", answer->rcode);
	else
		dnssec->state = answer->secure ? PROBE_PROMISE_KEPT : PROBE_PROMISE_NONE;
	if (dnssec->state == PROBE_PROMISE_NONE)
		probe_words(dnssec->how, "the MX records are not signed");
}

struct mx_question {
	struct look_up *look_up;
	struct probe_domain *domain;
};

static void mx_arrived(void *argument, int status, struct ub_result *answer)
{
	struct mx_question *question = argument;

	question->look_up->pending--;
	judge_mx(&question->domain->dnssec, status, answer);
	ub_resolve_free(answer);
	free(question);
}

static void ask_mx(struct look_up *look_up, struct probe_domain *domain)
{
	struct mx_question *question = table_allocate(sizeof(*question));

	*question = (struct mx_question){look_up, domain};
	look_up->pending++;
	int status = ub_resolve_async(look_up->context, domain->name, TYPE_MX, CLASS_IN, question,
				      mx_arrived, NULL);
	if (status != 0)
		mx_arrived(question, status, NULL);
}

/* ---- TLSA ---- */

static void add_record(struct probe_dane *dane, const char *data, int length)
{
	const uint8_t *bytes = (const uint8_t *)data;

	/* RFC 6698, 2.1: three numbers of a byte, and the data. */
	if (length < 4 || dane->count == PROBE_TLSA_MAX)
		return;
	struct probe_tlsa *tlsa = &dane->tlsa[dane->count++];
	*tlsa = (struct probe_tlsa){bytes[0], bytes[1], bytes[2], NULL, (size_t)length - 3};
	tlsa->data = table_allocate(tlsa->length);
	memcpy(tlsa->data, bytes + 3, tlsa->length);
}

/* RFC 7672, 2.2: only what is signed counts; what can't be validated is no "none". */
static void judge_tlsa(struct probe_dane *dane, int status, const struct ub_result *answer)
{
	dane->state = PROBE_PROMISE_UNKNOWN;
	if (status != 0) {
		probe_words(dane->how, "%s", ub_strerror(status));
	} else if (answer->bogus) {
		probe_words(dane->how, "the TLSA records are bogus: %s",
			    answer->why_bogus != NULL ? answer->why_bogus : "bad signatures");
	} else if (answer->rcode != RCODE_OK && answer->rcode != RCODE_NXDOMAIN) {
		probe_words(dane->how, "the TLSA records: the resolver failed (rcode %d)",
			    answer->rcode);
	} else if (!answer->havedata) {
		dane->state = PROBE_PROMISE_NONE;
		probe_words(dane->how, "no TLSA record");
	} else if (!answer->secure) {
		dane->state = PROBE_PROMISE_NONE;
		probe_words(dane->how, "the TLSA records are not signed");
	} else {
		dane->state = PROBE_PROMISE_KEPT;
		for (size_t i = 0; answer->data[i] != NULL; i++)
			add_record(dane, answer->data[i], answer->len[i]);
	}
}

static void tlsa_arrived(void *argument, int status, struct ub_result *answer)
{
	struct question *question = argument;

	question->look_up->pending--;
	judge_tlsa(question->dane, status, answer);
	ub_resolve_free(answer);
	free(question);
}

static void ask_tlsa(struct look_up *look_up, struct probe_dane *dane, uint16_t port)
{
	struct question *question = table_allocate(sizeof(*question));
	char name[PROBE_NAME_MAX + sizeof("_65535._tcp.")];

	*question = (struct question){look_up, dane};
	(void)snprintf(name, sizeof(name), "_%u._tcp.%s", port, dane->base);
	look_up->pending++;
	int status = ub_resolve_async(look_up->context, name, TYPE_TLSA, CLASS_IN, question,
				      tlsa_arrived, NULL);
	if (status != 0)
		tlsa_arrived(question, status, NULL);
}

/* Targets of one host and port, which differ in address, share their records. */
static void ask_for_target(struct look_up *look_up, struct probe *probe, size_t index)
{
	struct probe_target *target = &probe->target[index];

	if (target->is_address)
		return;
	for (size_t i = 0; i < index; i++) {
		const struct probe_target *other = &probe->target[i];
		if (other->tlsa != NULL && other->port == target->port &&
		    strcmp(other->host, target->host) == 0) {
			target->tlsa = other->tlsa;
			return;
		}
	}
	struct probe_dane *dane = table_allocate(sizeof(*dane));
	*dane = (struct probe_dane){.state = PROBE_PROMISE_UNKNOWN, .base = target->host};
	probe_words(dane->how, "the resolver does not answer");
	target->tlsa = dane;
	ask_tlsa(look_up, dane, target->port);
}

static void wait_for_answers(struct look_up *look_up, unsigned timeout_ms)
{
	int64_t deadline = probe_now() + timeout_ms;
	struct pollfd polled = {.fd = ub_fd(look_up->context), .events = POLLIN};

	while (look_up->pending > 0) {
		int64_t left = deadline - probe_now();
		if (left <= 0)
			return;
		if (poll(&polled, 1, (int)left) > 0)
			(void)ub_process(look_up->context);
	}
}

bool probe_dane_look_up(struct probe *probe)
{
	struct look_up look_up = {.context = ub_ctx_create()};

	if (look_up.context == NULL) {
		complain("libunbound does not start; --dane needs it");
		return false;
	}
	if (!set_up(look_up.context, &probe->settings)) {
		ub_ctx_delete(look_up.context);
		return false;
	}
	for (size_t i = 0; i < probe->domain_count; i++) {
		probe->domain[i].dnssec.state = PROBE_PROMISE_UNKNOWN;
		probe_words(probe->domain[i].dnssec.how, "the resolver does not answer");
		ask_mx(&look_up, &probe->domain[i]);
	}
	for (size_t i = 0; i < probe->target_count; i++)
		ask_for_target(&look_up, probe, i);
	wait_for_answers(&look_up, probe->settings.timeout_ms);
	/* The callbacks of what is still pending are never called; their questions are lost. */
	ub_ctx_delete(look_up.context);
	return true;
}

void probe_dane_free(struct probe *probe)
{
	for (size_t i = 0; i < probe->target_count; i++) {
		struct probe_dane *dane = (struct probe_dane *)probe->target[i].tlsa;

		if (dane == NULL)
			continue;
		for (size_t j = i; j < probe->target_count; j++) {
			if (probe->target[j].tlsa == dane)
				probe->target[j].tlsa = NULL;
		}
		for (size_t j = 0; j < dane->count; j++)
			free(dane->tlsa[j].data);
		free(dane);
	}
}
