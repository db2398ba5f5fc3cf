/*
 * libunbound, asked for everything at once. Knows RFC 7672's order of questions; must not know
 * certificates.
 */
#include "tools/probe/probe_dane.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <unbound.h>

#include "tools/base/options.h"
#include "tools/base/table.h"
#include "tools/probe/probe_connection.h"

enum {
	CLASS_IN = 1,
	TYPE_A = 1,
	TYPE_CNAME = 5,
	TYPE_MX = 15,
	TYPE_AAAA = 28,
	TYPE_TLSA = 52,
	RCODE_OK = 0,
	RCODE_NXDOMAIN = 3,
};

/* IANA's anchors of the root, valid from 2017 and 2024 on (https://data.iana.org/root-anchors). */
static const char *const root_anchors[] = {
	". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D",
	". IN DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16",
};

struct look_up {
	struct ub_ctx *context;
	size_t pending;
};

/*
 * One host and port, and all targets that are there. A host that is an alias has two names by which
 * its records may be known (RFC 7672, 2.2.2): the one that its aliases end at, where all of them
 * are signed, and its own.
 */
struct question {
	struct look_up *look_up;
	struct probe_dane *dane;
	const char *host;
	uint16_t port;
	bool is_last_name; /* there is no other name to look under */
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

/* What can't be validated is no "none". False if `what` is not known for that. */
static bool is_answered(struct probe_dane *dane, const char *what, int status,
			const struct ub_result *answer)
{
	dane->state = PROBE_PROMISE_UNKNOWN;
	if (status != 0)
		probe_words(dane->how, "%s", ub_strerror(status));
	else if (answer->bogus)
		probe_words(dane->how, "the %s records are bogus: %s", what,
			    answer->why_bogus != NULL ? answer->why_bogus : "bad signatures");
	else if (answer->rcode != RCODE_OK && answer->rcode != RCODE_NXDOMAIN)
		probe_words(dane->how, "the %s records: the resolver failed (rcode %d)", what,
			    answer->rcode);
	else
		return true;
	return false;
}

static void end_none(struct probe_dane *dane, const char *how)
{
	dane->state = PROBE_PROMISE_NONE;
	probe_words(dane->how, "%s", how);
}

static void set_base(struct probe_dane *dane, const char *name)
{
	size_t length = strlen(name);

	if (length > 0 && name[length - 1] == '.')
		length--;
	(void)snprintf(dane->base, sizeof(dane->base), "%.*s",
		       (int)(length < PROBE_NAME_MAX ? length : PROBE_NAME_MAX), name);
}

static void finish(struct question *question)
{
	question->look_up->pending--;
	free(question);
}

/* `arrived` gets the question, which is finished here where it can't be asked. */
static void ask(struct question *question, const char *name, int type, ub_callback_type arrived)
{
	int status = ub_resolve_async(question->look_up->context, name, type, CLASS_IN, question,
				      arrived, NULL);

	if (status == 0)
		return;
	question->dane->state = PROBE_PROMISE_UNKNOWN;
	probe_words(question->dane->how, "%s", ub_strerror(status));
	finish(question);
}

static void ask_tlsa(struct question *question);

/* RFC 7672, 2.2: only what is signed counts. */
static void tlsa_arrived(void *argument, int status, struct ub_result *answer)
{
	struct question *question = argument;
	struct probe_dane *dane = question->dane;
	bool again = false;

	if (!is_answered(dane, "TLSA", status, answer)) {
		/* Its state is said by now. */
	} else if (answer->havedata && answer->secure) {
		dane->state = PROBE_PROMISE_KEPT;
		for (size_t i = 0; answer->data[i] != NULL; i++)
			add_record(dane, answer->data[i], answer->len[i]);
	} else if (!question->is_last_name) {
		again = true;
	} else {
		end_none(dane,
			 answer->havedata ? "the TLSA records are not signed" : "no TLSA record");
	}
	ub_resolve_free(answer);
	if (!again) {
		finish(question);
		return;
	}
	question->is_last_name = true;
	set_base(dane, question->host);
	ask_tlsa(question);
}

static void ask_tlsa(struct question *question)
{
	char name[PROBE_NAME_MAX + sizeof("_65535._tcp.")];

	(void)snprintf(name, sizeof(name), "_%u._tcp.%s", question->port, question->dane->base);
	ask(question, name, TYPE_TLSA, tlsa_arrived);
}

/* The first alias itself, of one whose end is not signed: is it at least? */
static void alias_arrived(void *argument, int status, struct ub_result *answer)
{
	struct question *question = argument;
	bool goes_on = false;

	if (is_answered(question->dane, "CNAME", status, answer)) {
		goes_on = answer->secure && answer->havedata;
		if (!goes_on)
			end_none(question->dane, "the alias is not signed");
	}
	ub_resolve_free(answer);
	if (goes_on)
		ask_tlsa(question);
	else
		finish(question);
}

static void addresses_arrived(void *argument, int status, struct ub_result *answer)
{
	struct question *question = argument;
	struct probe_dane *dane = question->dane;
	bool is_alias = false;
	bool is_secure = false;

	if (!is_answered(dane, "address", status, answer)) {
		ub_resolve_free(answer);
		finish(question);
		return;
	}
	if (answer->canonname != NULL) {
		set_base(dane, answer->canonname);
		is_alias = strcasecmp(dane->base, question->host) != 0;
	}
	is_secure = answer->secure;
	ub_resolve_free(answer);
	question->is_last_name = !is_alias || !is_secure;
	if (question->is_last_name)
		set_base(dane, question->host);
	if (is_secure) {
		ask_tlsa(question);
	} else if (is_alias) {
		ask(question, question->host, TYPE_CNAME, alias_arrived);
	} else {
		end_none(dane, "the addresses are not signed");
		finish(question);
	}
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
	*dane = (struct probe_dane){.state = PROBE_PROMISE_UNKNOWN};
	set_base(dane, target->host);
	probe_words(dane->how, "the resolver does not answer");
	target->tlsa = dane;
	struct question *question = table_allocate(sizeof(*question));
	*question = (struct question){look_up, dane, target->host, target->port, true};
	look_up->pending++;
	ask(question, target->host, target->address.ss_family == AF_INET6 ? TYPE_AAAA : TYPE_A,
	    addresses_arrived);
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
