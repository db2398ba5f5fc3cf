/*
 * Knows the words of a record and what they mean; must not know how they are counted.
 */
#include "tools/log/values.h"

#include "shim/record/record_values.h"

static const char *const version_names[ENTRY_VERSIONS] = {
	[VERSION_CLEAR] = "clear", [VERSION_UNKNOWN] = "unknown", [VERSION_SSL_3_0] = "ssl3.0",
	[VERSION_TLS_1_0] = "1.0", [VERSION_TLS_1_1] = "1.1",     [VERSION_TLS_1_2] = "1.2",
	[VERSION_TLS_1_3] = "1.3",
};

static const char *const verdict_names[ENTRY_VERDICTS] = {
#define VERDICT(name, text, meaning) [VERDICT_##name] = (text),
#define UNKNOWN_VERDICT              [VERDICT_OTHER] = "other",
#include "shim/record/record_values.def"
};

static const char *const limit_names[ENTRY_LIMITS] = {
	[LIMIT_UNKNOWN] = "unknown",
#define LIMIT(name, text, meaning) [LIMIT_##name] = (text),
#include "shim/record/record_values.def"
};

static const char *const certificate_names[ENTRY_CERTIFICATES] = {
	[CERTIFICATE_UNKNOWN] = "unknown",
#define CERTIFICATE(name, text, meaning) [CERTIFICATE_##name] = (text),
#include "shim/record/record_values.def"
};

/* Asked several times for each record: most names are told apart by their first byte. */
static unsigned find(const char *const *names, unsigned count, struct slice name)
{
	unsigned i = 0;

	if (name.length == 0)
		return count;
	while (i < count && (names[i][0] != name.start[0] || !slice_is(name, names[i])))
		i++;
	return i;
}

const char *entry_version_name(enum entry_version version)
{
	return version_names[version];
}

const char *entry_verdict_name(enum entry_verdict verdict)
{
	return verdict_names[verdict];
}

const char *entry_verdict_list(void)
{
	static const char list[] =
#define VERDICT(name, text, meaning) ", " text
#include "shim/record/record_values.def"
		;

	return list + 2;
}

const char *entry_limit_name(enum entry_limit limit)
{
	return limit_names[limit];
}

const char *entry_certificate_name(enum entry_certificate certificate)
{
	return certificate_names[certificate];
}

enum entry_version entry_version_from(struct slice name)
{
	return find(version_names, ENTRY_VERSIONS, name);
}

enum entry_verdict entry_verdict_from(struct slice name)
{
	return find(verdict_names, ENTRY_VERDICTS, name);
}

enum entry_limit entry_limit_from(struct slice name)
{
	return find(limit_names, ENTRY_LIMITS, name);
}

enum entry_certificate entry_certificate_from(struct slice name)
{
	return find(certificate_names, ENTRY_CERTIFICATES, name);
}

enum entry_action entry_action_from(struct slice name)
{
	static const struct {
		struct slice name;
		enum entry_action action;
	} actions[] = {
#define ACTION(name, text, meaning) {{text, sizeof(text) - 1}, ACTION_##name},
#include "shim/record/record_values.def"
	};

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (slice_equal(name, actions[i].name))
			return actions[i].action;
	}
	return ACTION_OTHER;
}

/* The version of a text such as "1.2"; VERSION_UNKNOWN for any other. */
static enum entry_version version_of(struct slice name)
{
	if (name.length == 3 && name.start[0] == '1' && name.start[1] == '.' &&
	    name.start[2] >= '0' && name.start[2] <= '3')
		return VERSION_TLS_1_0 + (unsigned)(name.start[2] - '0');
	if (slice_equal(name, SLICE_LITERAL("3.0")))
		return VERSION_SSL_3_0;
	return VERSION_UNKNOWN;
}

enum entry_action entry_action(const struct entry *entry)
{
	return entry_action_from(entry_get(entry, ENTRY_action));
}

enum entry_version entry_version(const struct entry *entry, enum entry_action action)
{
	if (action == ACTION_PLAINTEXT_MAIL || action == ACTION_SESSION)
		return VERSION_CLEAR;
	return entry_version_of(entry, ENTRY_version);
}

enum entry_version entry_version_of(const struct entry *entry, enum entry_field field)
{
	return version_of(entry_get(entry, field));
}

enum entry_verdict entry_verdict(const struct entry *entry)
{
	enum entry_verdict verdict = entry_verdict_from(entry_get(entry, ENTRY_verdict));

	return verdict == ENTRY_VERDICTS ? VERDICT_OTHER : verdict;
}

enum entry_limit entry_limit(const struct entry *entry)
{
	enum entry_limit limit = entry_limit_from(entry_get(entry, ENTRY_limited_by));

	return limit == ENTRY_LIMITS ? LIMIT_UNKNOWN : limit;
}

enum entry_certificate entry_certificate(const struct entry *entry)
{
	enum entry_certificate certificate =
		entry_certificate_from(entry_get(entry, ENTRY_peer_certificate));

	return certificate == ENTRY_CERTIFICATES ? CERTIFICATE_UNKNOWN : certificate;
}

bool entry_succeeded(const struct entry *entry)
{
	return slice_is(entry_get(entry, ENTRY_outcome),
			record_value_text(RECORD_SET_OUTCOME, RECORD_OUTCOME_SUCCESS));
}

enum entry_version entry_least_accepted(const struct entry *entry)
{
	struct slice offered = entry_get(entry, ENTRY_offered);

	/* Offers are in the record lowest first. */
	if (offered.length >= 5 && offered.start[0] == '"')
		return version_of((struct slice){offered.start + 1, 3});
	return entry_version_of(entry, ENTRY_configured_min);
}

enum entry_version entry_most_offered(const struct entry *entry)
{
	struct slice offered = entry_get(entry, ENTRY_offered);

	if (offered.length < 5)
		return VERSION_UNKNOWN;
	return version_of((struct slice){offered.start + offered.length - 4, 3});
}
