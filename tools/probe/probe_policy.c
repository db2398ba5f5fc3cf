/*
 * Lines -> a policy. Knows the grammar of RFC 8461; must not know where the text came from.
 */
#include "tools/probe/probe_policy.h"

#include <string.h>
#include <strings.h>

#define MAX_AGE_MAX 31557600UL /* RFC 8461, 3.2: a year */

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static struct slice trim(struct slice text)
{
	while (text.length > 0 && is_blank(text.start[0]))
		text = slice_from(text, 1);
	while (text.length > 0 && (is_blank(text.start[text.length - 1])))
		text.length--;
	return text;
}

/* What comes before `separator`, which is taken away with it; all of it if there is none. */
static struct slice cut(struct slice *text, char separator)
{
	const char *end = text->length > 0 ? memchr(text->start, separator, text->length) : NULL;
	struct slice piece = {text->start,
			      end != NULL ? (size_t)(end - text->start) : text->length};

	*text = slice_from(*text, piece.length + (end != NULL ? 1 : 0));
	return piece;
}

bool probe_policy_announced(struct slice text)
{
	/* "v=STSv1", then nothing or a semicolon, perhaps after blanks. */
	return slice_is(trim(cut(&text, ';')), "v=STSv1");
}

static bool set_mode(struct probe_policy *policy, struct slice value)
{
	if (slice_is(value, "enforce"))
		policy->mode = PROBE_POLICY_ENFORCE;
	else if (slice_is(value, "testing"))
		policy->mode = PROBE_POLICY_TESTING;
	else if (slice_is(value, "none"))
		policy->mode = PROBE_POLICY_NONE;
	else
		return false;
	return true;
}

static bool set_max_age(struct probe_policy *policy, struct slice value)
{
	unsigned long seconds = 0;

	if (value.length == 0 || value.length > 10)
		return false;
	for (size_t i = 0; i < value.length; i++) {
		if (value.start[i] < '0' || value.start[i] > '9')
			return false;
		seconds = seconds * 10 + (unsigned long)(value.start[i] - '0');
	}
	policy->max_age = seconds;
	return seconds <= MAX_AGE_MAX;
}

static bool add_mx(struct probe_policy *policy, struct slice value)
{
	if (value.length == 0 || value.length > PROBE_NAME_MAX ||
	    memchr(value.start, '\0', value.length) != NULL ||
	    policy->mx_count == PROBE_POLICY_MX_MAX)
		return false;
	memcpy(policy->mx[policy->mx_count], value.start, value.length);
	policy->mx[policy->mx_count][value.length] = '\0';
	policy->mx_count++;
	return true;
}

static bool complain_of(struct probe_policy *policy, const char *what)
{
	probe_words(policy->how, "the policy is invalid: %s", what);
	return false;
}

struct keys {
	bool version;
	bool mode;
	bool max_age;
};

/* RFC 8461, 3.2: of a key other than mx that comes twice, the first counts. */
static bool take_line(struct probe_policy *policy, struct keys *keys, struct slice line)
{
	struct slice key = trim(cut(&line, ':'));
	struct slice value = trim(line);

	if (!keys->version) {
		keys->version = slice_is(key, "version") && slice_is(value, "STSv1");
		return keys->version || complain_of(policy, "it does not begin with STSv1");
	}
	if (slice_is(key, "mode") && !keys->mode) {
		keys->mode = true;
		return set_mode(policy, value) || complain_of(policy, "no such mode");
	}
	if (slice_is(key, "max_age") && !keys->max_age) {
		keys->max_age = true;
		return set_max_age(policy, value) || complain_of(policy, "no such max_age");
	}
	if (slice_is(key, "mx"))
		return add_mx(policy, value) || complain_of(policy, "a name or too many of them");
	return true;
}

bool probe_policy_parse(struct probe_policy *policy, struct slice text)
{
	struct keys keys = {.version = false};

	policy->mx_count = 0;
	while (text.length > 0) {
		struct slice line = cut(&text, '\n');
		if (line.length > 0 && line.start[line.length - 1] == '\r')
			line.length--;
		if (trim(line).length > 0 && !take_line(policy, &keys, line))
			return false;
	}
	if (!keys.version)
		return complain_of(policy, "it is empty");
	if (!keys.mode)
		return complain_of(policy, "it has no mode");
	if (!keys.max_age)
		return complain_of(policy, "it has no max_age");
	if (policy->mode != PROBE_POLICY_NONE && policy->mx_count == 0)
		return complain_of(policy, "it names no mx");
	return true;
}

/* "*.example.com" stands for one label and no more (RFC 8461, 4.1). */
bool probe_policy_names(const struct probe_policy *policy, const char *host)
{
	for (size_t i = 0; i < policy->mx_count; i++) {
		const char *pattern = policy->mx[i];
		const char *rest = strchr(host, '.');

		if (strncmp(pattern, "*.", 2) == 0) {
			if (rest != NULL && rest != host && strcasecmp(pattern + 1, rest) == 0)
				return true;
		} else if (strcasecmp(pattern, host) == 0) {
			return true;
		}
	}
	return false;
}
