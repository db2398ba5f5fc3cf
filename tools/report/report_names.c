/*
 * The names of the report's enums, and small facts about tallies.
 */
#include "tools/report/model.h"

static const char *const version_names[REPORT_VERSIONS] = {
	[VERSION_CLEAR] = "clear", [VERSION_UNKNOWN] = "unknown", [VERSION_SSL_3_0] = "ssl3.0",
	[VERSION_TLS_1_0] = "1.0", [VERSION_TLS_1_1] = "1.1",     [VERSION_TLS_1_2] = "1.2",
	[VERSION_TLS_1_3] = "1.3",
};

static const char *const verdict_names[REPORT_VERDICTS] = {
#define VERDICT(name, text, meaning) [VERDICT_##name] = (text),
#define UNKNOWN_VERDICT              [VERDICT_OTHER] = "other",
#include "shim/record/record_values.def"
};

static const char *const limit_names[REPORT_LIMITS] = {
	[LIMIT_UNKNOWN] = "unknown",
#define LIMIT(name, text, meaning) [LIMIT_##name] = (text),
#include "shim/record/record_values.def"
};

static const char *const certificate_names[REPORT_CERTIFICATES] = {
	[CERTIFICATE_UNKNOWN] = "unknown",
#define CERTIFICATE(name, text, meaning) [CERTIFICATE_##name] = (text),
#include "shim/record/record_values.def"
};

static const char *const key_names[REPORT_KEYS] = {
	[KEY_PROGRAM] = "program", [KEY_DESTINATION] = "destination",
	[KEY_VERSION] = "version", [KEY_VERDICT] = "verdict",
	[KEY_PLACE] = "place",     [KEY_HOST] = "host",
	[KEY_SERVICE] = "service", [KEY_USER] = "user",
	[KEY_HOUR] = "hour",       [KEY_DAY] = "day",
};

static unsigned find(const char *const *names, unsigned count, struct slice name)
{
	unsigned i = 0;

	while (i < count && !slice_is(name, names[i]))
		i++;
	return i;
}

const char *report_version_name(enum report_version version)
{
	return version_names[version];
}

const char *report_verdict_name(enum report_verdict verdict)
{
	return verdict_names[verdict];
}

const char *report_limit_name(enum report_limit limit)
{
	return limit_names[limit];
}

const char *report_certificate_name(enum report_certificate certificate)
{
	return certificate_names[certificate];
}

const char *report_key_name(enum report_key key)
{
	return key_names[key];
}

enum report_version report_version_from(struct slice name)
{
	return find(version_names, REPORT_VERSIONS, name);
}

enum report_verdict report_verdict_from(struct slice name)
{
	return find(verdict_names, REPORT_VERDICTS, name);
}

enum report_limit report_limit_from(struct slice name)
{
	return find(limit_names, REPORT_LIMITS, name);
}

enum report_certificate report_certificate_from(struct slice name)
{
	return find(certificate_names, REPORT_CERTIFICATES, name);
}

enum report_key report_key_from(struct slice name)
{
	return find(key_names, REPORT_KEYS, name);
}

enum report_verdict report_worst(const struct report_tally *tally)
{
	unsigned verdict = REPORT_VERDICTS - 1;

	while (verdict > 0 && tally->verdict[verdict] == 0)
		verdict--;
	return verdict;
}

void report_tally_add(struct report_tally *tally, const struct report_tally *more)
{
	if (tally->connections == 0 || more->first < tally->first)
		tally->first = more->first;
	if (tally->connections == 0 || more->last > tally->last)
		tally->last = more->last;
	tally->connections += more->connections;
	for (int i = 0; i < REPORT_VERSIONS; i++)
		tally->version[i] += more->version[i];
	for (int i = 0; i < REPORT_VERDICTS; i++)
		tally->verdict[i] += more->verdict[i];
}
