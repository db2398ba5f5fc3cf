/*
 * Knows what the user asked for; must not know how records are counted.
 */
#include "filter.h"

#include <fnmatch.h>
#include <stdlib.h>

#include "table.h"

/* Longer than any text in a record of ours; a longer one is matched by its beginning. */
#define TEXT_MAX 4096

void filter_add(struct filter_patterns *patterns, const char *glob)
{
	patterns->glob =
		table_resize(patterns->glob, (patterns->count + 1) * sizeof(patterns->glob[0]));
	patterns->glob[patterns->count++] = glob;
}

void filter_free(struct filter *filter)
{
	free(filter->program.glob);
	free(filter->to.glob);
	free(filter->service.glob);
	free(filter->host.glob);
	*filter = (struct filter){0};
}

bool filter_parse_verdicts(const char *list, bool verdict[REPORT_VERDICTS])
{
	for (;;) {
		size_t length = strcspn(list, ",");
		enum report_verdict found = report_verdict_from((struct slice){list, length});

		if (found == REPORT_VERDICTS)
			return false;
		verdict[found] = true;
		if (list[length] == '\0')
			return true;
		list += length + 1;
	}
}

/* fnmatch needs a terminator, which a slice has not. */
static bool matches(const struct filter_patterns *patterns, struct slice text, int flags)
{
	char copy[TEXT_MAX];
	size_t length = text.length < sizeof(copy) - 1 ? text.length : sizeof(copy) - 1;

	if (text.length == 0)
		return false;
	memcpy(copy, text.start, length);
	copy[length] = '\0';
	for (size_t i = 0; i < patterns->count; i++) {
		if (fnmatch(patterns->glob[i], copy, flags) == 0)
			return true;
	}
	return false;
}

static struct slice last_part(struct slice path)
{
	const char *slash = path.length ? memrchr(path.start, '/', path.length) : NULL;

	if (!slash)
		return path;
	return (struct slice){slash + 1, path.length - (size_t)(slash + 1 - path.start)};
}

static bool program_matches(const struct filter_patterns *patterns, const struct entry *entry)
{
	struct slice script = entry_get(entry, ENTRY_script);
	struct slice executable = entry_get(entry, ENTRY_executable);

	return matches(patterns, script, 0) || matches(patterns, last_part(script), 0) ||
	       matches(patterns, executable, 0) || matches(patterns, last_part(executable), 0);
}

static bool destination_matches(const struct filter_patterns *patterns, const struct entry *entry)
{
	return matches(patterns, entry_get(entry, ENTRY_destination_domain), FNM_CASEFOLD) ||
	       matches(patterns, entry_get(entry, ENTRY_destination_ip), FNM_CASEFOLD);
}

static bool verdict_passes(const struct filter *filter, const struct filter_subject *subject)
{
	/* A setting has no verdict of its own; which of them matter is seen once the connections
	 * are known. */
	if (!filter->has_verdicts || !subject->connection)
		return true;
	return filter->verdict[subject->verdict];
}

bool filter_passes(const struct filter *filter, const struct filter_subject *subject,
		   const struct entry *entry)
{
	if (filter->has_since && subject->time < filter->since)
		return false;
	if (filter->has_until && subject->time > filter->until)
		return false;
	if (!verdict_passes(filter, subject))
		return false;
	if (filter->program.count && !program_matches(&filter->program, entry))
		return false;
	if (filter->to.count && subject->connection && !destination_matches(&filter->to, entry))
		return false;
	if (filter->service.count && !matches(&filter->service, entry_get(entry, ENTRY_service), 0))
		return false;
	return !filter->host.count || matches(&filter->host, entry_get(entry, ENTRY_host), 0);
}
