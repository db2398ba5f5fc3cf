/*
 * Knows what the user asked for; must not know how records are counted.
 */
#include "tools/log/filter.h"

#include <fnmatch.h>
#include <stdlib.h>

#include "tools/base/put.h"
#include "tools/base/table.h"
#include "tools/base/timestamp.h"

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
	free(filter->where.glob);
	*filter = (struct filter){0};
}

bool filter_is_empty(const struct filter *filter)
{
	return !filter->has_since && !filter->has_until && !filter->has_verdicts &&
	       filter->program.count + filter->to.count + filter->service.count +
			       filter->host.count + filter->where.count ==
		       0;
}

static void put_patterns(FILE *out, const char **separator, const char *name,
			 const struct filter_patterns *patterns)
{
	if (patterns->count == 0)
		return;
	put_format(out, "%s%s ", *separator, name);
	for (size_t i = 0; i < patterns->count; i++)
		put_format(out, "%s%s", i ? ", " : "", patterns->glob[i]);
	*separator = "; ";
}

static void put_time(FILE *out, const char **separator, const char *name, bool has, int64_t time)
{
	char text[TIMESTAMP_TEXT_MAX];

	if (!has)
		return;
	put_format(out, "%s%s ", *separator, name);
	put_slice(out, (struct slice){text, timestamp_print(text, time, TIMESTAMP_SECOND)});
	put_text(out, " UTC");
	*separator = "; ";
}

static void put_verdicts(FILE *out, const char **separator, const struct filter *filter)
{
	const char *between = "";

	if (!filter->has_verdicts)
		return;
	put_format(out, "%sverdict ", *separator);
	for (unsigned i = 0; i < ENTRY_VERDICTS; i++) {
		if (!filter->verdict[i])
			continue;
		put_format(out, "%s%s", between, entry_verdict_name(i));
		between = ", ";
	}
	*separator = "; ";
}

void filter_put(FILE *out, const struct filter *filter)
{
	const char *separator = "";

	put_time(out, &separator, "since", filter->has_since, filter->since);
	put_time(out, &separator, "until", filter->has_until, filter->until);
	put_patterns(out, &separator, "program", &filter->program);
	put_patterns(out, &separator, "to", &filter->to);
	put_patterns(out, &separator, "service", &filter->service);
	put_patterns(out, &separator, "host", &filter->host);
	put_patterns(out, &separator, "where", &filter->where);
	put_verdicts(out, &separator, filter);
}

bool filter_parse_verdicts(const char *list, bool verdict[ENTRY_VERDICTS])
{
	for (;;) {
		size_t length = strcspn(list, ",");
		enum entry_verdict found = entry_verdict_from((struct slice){list, length});

		if (found == ENTRY_VERDICTS)
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

static bool text_matches(const struct filter *filter, enum filter_kind kind, struct slice text)
{
	switch (kind) {
	case FILTER_BY_PROGRAM:
		return matches(&filter->program, text, 0) ||
		       matches(&filter->program, last_part(text), 0);
	case FILTER_BY_TO:
		return matches(&filter->to, text, FNM_CASEFOLD);
	case FILTER_BY_SERVICE:
		return matches(&filter->service, text, 0);
	default:
		return matches(&filter->host, text, 0);
	}
}

/* As text_matches, which is asked once for each text. */
static bool field_matches(const struct filter *filter, struct filter_cache *cache,
			  enum filter_kind kind, const struct entry *entry, enum entry_field field)
{
	struct slice text = entry_get(entry, field);
	uint32_t before = cache->texts[kind].count;
	uint32_t number = intern(&cache->texts[kind], text);

	if (number == 0)
		return false;
	if (number >= cache->capacity[kind]) {
		cache->capacity[kind] = (size_t)number * 2 + 64;
		cache->answer[kind] = table_resize(cache->answer[kind], cache->capacity[kind]);
	}
	if (cache->texts[kind].count > before)
		cache->answer[kind][number] = text_matches(filter, kind, text);
	return cache->answer[kind][number];
}

void filter_cache_free(struct filter_cache *cache)
{
	for (unsigned kind = 0; kind < FILTER_KINDS; kind++) {
		interner_free(&cache->texts[kind]);
		free(cache->answer[kind]);
	}
	*cache = (struct filter_cache){0};
}

static bool verdict_passes(const struct filter *filter, const struct filter_subject *subject)
{
	/* A setting has no verdict of its own; which of them matter is seen once the connections
	 * are known. */
	if (!filter->has_verdicts || !subject->connection)
		return true;
	return filter->verdict[subject->verdict];
}

bool filter_passes(const struct filter *filter, struct filter_cache *cache,
		   const struct filter_subject *subject, const struct entry *entry)
{
	if (filter->has_since && subject->time < filter->since)
		return false;
	if (filter->has_until && subject->time >= filter->until)
		return false;
	if (!verdict_passes(filter, subject))
		return false;
	if (filter->program.count &&
	    !field_matches(filter, cache, FILTER_BY_PROGRAM, entry, ENTRY_script) &&
	    !field_matches(filter, cache, FILTER_BY_PROGRAM, entry, ENTRY_executable))
		return false;
	if (filter->to.count && subject->connection &&
	    !field_matches(filter, cache, FILTER_BY_TO, entry, ENTRY_destination_domain) &&
	    !field_matches(filter, cache, FILTER_BY_TO, entry, ENTRY_destination_ip))
		return false;
	if (filter->service.count &&
	    !field_matches(filter, cache, FILTER_BY_SERVICE, entry, ENTRY_service))
		return false;
	return filter_passes_host(filter, cache, entry);
}

bool filter_passes_host(const struct filter *filter, struct filter_cache *cache,
			const struct entry *entry)
{
	return !filter->host.count ||
	       field_matches(filter, cache, FILTER_BY_HOST, entry, ENTRY_host);
}
