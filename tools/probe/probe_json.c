/*
 * `tlswitness probe --json`: JSON Lines, one object for each host, port and address.
 *
 *   host           as it was asked for
 *   address        the address that was asked; left out where none was found
 *   port           number
 *   domain         with --mx: whose mail exchanger it is, and its `preference`
 *   tls_mode       "starttls" or "implicit"
 *   starttls       "offered", "not-offered" or "refused"; left out where it was not come so far,
 *                  and with implicit. `starttls_reply`: the reply that refused it
 *   versions       "3.0" (SSLv3), "1.0", "1.1", "1.2", "1.3", each with
 *     result       "accepted", "refused" (by the server), "not-tested", "unsupported-here"
 *     how          accepted: "handshake" (completed by OpenSSL) or "ServerHello" (the answer to a
 *                  ClientHello of our own); refused: "alert NAME", "reset", "closed",
 *                  "close_notify", "timeout: …", "chose TLS 1.2", "chose it, then …"; else why it
 *                  could not be tested
 *     cipher       accepted: IANA's name, or its number as "0x0081"
 *     group        accepted: IANA's name of the group, where the handshake names one
 *   certificate    as the highest accepted version showed it: `subject`, `issuer`, `names`
 *                  (array), `not_after`, `days_left`, `verified` (chain and name), and `reason`
 *                  if not; with `verified` false and `reason` alone where none was seen
 *   dane, mta_sts  if asked for: `result` "kept", "broken", "none" (nothing is promised) or
 *                  "unknown", and `how`
 *   seen           with --compare: connections of this host's applications to that server, by
 *                  version, and "clear" and "failed"; `programs`: the same of each of them
 */
#include "tools/probe/probe_render.h"

#include <string.h>

#include <jansson.h>

#include "shim/record/tls_names.h"
#include "tools/base/put.h"

static const char *const result_names[] = {
	[PROBE_NOT_TESTED] = "not-tested",
	[PROBE_ACCEPTED] = "accepted",
	[PROBE_REFUSED] = "refused",
	[PROBE_UNSUPPORTED_HERE] = "unsupported-here",
};

static const char *const starttls_names[] = {
	[PROBE_STARTTLS_OFFERED] = "offered",
	[PROBE_STARTTLS_NOT_OFFERED] = "not-offered",
	[PROBE_STARTTLS_REFUSED] = "refused",
};

static const char *const promise_names[] = {
	[PROBE_PROMISE_NONE] = "none",
	[PROBE_PROMISE_KEPT] = "kept",
	[PROBE_PROMISE_BROKEN] = "broken",
	[PROBE_PROMISE_UNKNOWN] = "unknown",
};

/* jansson has no texts but UTF-8; a certificate's may be anything. */
static json_t *text(const char *bytes)
{
	json_t *string = json_string(bytes);
	char words[PROBE_WORDS];

	if (string != NULL)
		return string;
	probe_words(words, "%s", bytes);
	return json_string(words);
}

static void set_text(json_t *object, const char *key, const char *value)
{
	if (value != NULL && value[0] != '\0')
		json_object_set_new(object, key, text(value));
}

static json_t *verdict_json(const struct probe_verdict *verdict)
{
	json_t *object = json_object();
	char number[sizeof("0xFFFF")];
	const char *cipher = tls_cipher_name(verdict->cipher);

	set_text(object, "result", result_names[verdict->result]);
	set_text(object, "how", verdict->how);
	if (verdict->result != PROBE_ACCEPTED)
		return object;
	(void)snprintf(number, sizeof(number), "0x%04X", verdict->cipher);
	set_text(object, "cipher", cipher != NULL ? cipher : number);
	if (verdict->group != 0) {
		(void)snprintf(number, sizeof(number), "0x%04X", verdict->group);
		const char *group = tls_group_name(verdict->group);
		set_text(object, "group", group != NULL ? group : number);
	}
	return object;
}

static json_t *names_json(const char *names)
{
	json_t *array = json_array();
	char name[1024];

	while (*names != '\0') {
		const char *end = strstr(names, ", ");
		size_t length = end != NULL ? (size_t)(end - names) : strlen(names);

		(void)snprintf(name, sizeof(name), "%.*s", (int)length, names);
		json_array_append_new(array, text(name));
		names += length + (end != NULL ? 2 : 0);
	}
	return array;
}

static json_t *certificate_json(const struct probe_certificate *certificate)
{
	json_t *object = json_object();

	if (certificate->known) {
		set_text(object, "subject", certificate->subject);
		set_text(object, "issuer", certificate->issuer);
		json_object_set_new(object, "names", names_json(certificate->names));
		set_text(object, "not_after", certificate->not_after);
		json_object_set_new(object, "days_left", json_integer(certificate->days_left));
	}
	json_object_set_new(object, "verified", json_boolean(certificate->verified));
	if (!certificate->verified)
		set_text(object, "reason", certificate->reason);
	return object;
}

static void set_promise(json_t *object, const char *key, const struct probe_promise *promise)
{
	if (promise->state == PROBE_PROMISE_NOT_ASKED)
		return;
	json_t *value = json_object();
	set_text(value, "result", promise_names[promise->state]);
	set_text(value, "how", promise->how);
	json_object_set_new(object, key, value);
}

static json_t *tally_json(const struct probe_tally *tally)
{
	json_t *object = json_object();

	for (size_t i = 0; i < PROBE_VERSIONS; i++) {
		if (tally->version[i] > 0)
			json_object_set_new(object, tls_version_name(probe_version(i)),
					    json_integer((json_int_t)tally->version[i]));
	}
	if (tally->clear > 0)
		json_object_set_new(object, "clear", json_integer((json_int_t)tally->clear));
	if (tally->failed > 0)
		json_object_set_new(object, "failed", json_integer((json_int_t)tally->failed));
	return object;
}

static json_t *seen_json(const struct probe_seen *seen)
{
	json_t *object = tally_json(&seen->all);
	json_t *programs = json_object();

	for (size_t i = 0; i < seen->program_count; i++)
		json_object_set_new(programs, seen->program[i].name,
				    tally_json(&seen->program[i].tally));
	if (seen->program_count > 0)
		json_object_set(object, "programs", programs);
	json_decref(programs);
	return object;
}

static json_t *target_json(const struct probe_target *target)
{
	json_t *object = json_object();
	json_t *versions = json_object();

	set_text(object, "host", target->host);
	set_text(object, "address", target->address_text);
	json_object_set_new(object, "port", json_integer(target->port));
	if (target->domain != NULL) {
		set_text(object, "domain", target->domain->name);
		json_object_set_new(object, "preference", json_integer(target->preference));
	}
	set_text(object, "tls_mode", target->implicit ? "implicit" : "starttls");
	if (!target->implicit && target->starttls != PROBE_STARTTLS_UNKNOWN)
		set_text(object, "starttls", starttls_names[target->starttls]);
	set_text(object, "starttls_reply", target->starttls_reply);
	for (size_t i = 0; i < PROBE_VERSIONS; i++)
		json_object_set_new(versions, tls_version_name(probe_version(i)),
				    verdict_json(&target->verdict[i]));
	json_object_set_new(object, "versions", versions);
	if (target->certificate.known || target->certificate.reason[0] != '\0')
		json_object_set_new(object, "certificate", certificate_json(&target->certificate));
	set_promise(object, "dane", &target->dane);
	set_promise(object, "mta_sts", &target->mta_sts);
	if (target->seen.asked)
		json_object_set_new(object, "seen", seen_json(&target->seen));
	return object;
}

void probe_render_json(FILE *out, const struct probe *probe)
{
	for (size_t i = 0; i < probe->target_count; i++) {
		json_t *object = target_json(&probe->target[i]);

		/* A stream remembers that it could not be written: put_end() asks it. */
		(void)json_dumpf(object, out, JSON_COMPACT | JSON_ENSURE_ASCII);
		put_byte(out, '\n');
		json_decref(object);
	}
}
