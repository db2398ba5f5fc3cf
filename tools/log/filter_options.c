/*
 * Knows the words of the command line; must not know records.
 */
#include "tools/log/filter_options.h"

#include "tools/base/options.h"
#include "tools/base/timestamp.h"

static bool parse_time(const char *option, const char *text, int64_t now, bool *has, int64_t *time)
{
	if (!timestamp_from_user(text, now, time)) {
		complain("--%s: '%s' is no time; give one such as 2026-11-23, "
			 "'2026-11-23 14:00', 2h or yesterday",
			 option, text);
		return false;
	}
	if (timestamp_is_repeated(text, *time)) {
		complain("--%s: '%s' was twice, when daylight saving ended; say which in UTC, such "
			 "as 2026-10-25T00:30Z",
			 option, text);
		return false;
	}
	*has = true;
	return true;
}

bool filter_take_verdicts(const char *option, const char *list, bool verdict[ENTRY_VERDICTS])
{
	if (filter_parse_verdicts(list, verdict))
		return true;
	complain("--%s: '%s' is no list of verdicts; they are: %s", option, list,
		 entry_verdict_list());
	return false;
}

bool filter_take_option(struct filter *filter, int code, const char *argument, int64_t now)
{
	switch ((enum filter_option)code) {
	case FILTER_SINCE:
		return parse_time("since", argument, now, &filter->has_since, &filter->since);
	case FILTER_UNTIL:
		return parse_time("until", argument, now, &filter->has_until, &filter->until);
	case FILTER_PROGRAM:
		filter_add(&filter->program, argument);
		return true;
	case FILTER_TO:
		filter_add(&filter->to, argument);
		return true;
	case FILTER_SERVICE:
		filter_add(&filter->service, argument);
		return true;
	case FILTER_HOST:
		filter_add(&filter->host, argument);
		return true;
	case FILTER_VERDICT:
		filter->has_verdicts = true;
		return filter_take_verdicts("verdict", argument, filter->verdict);
	default:
		return false;
	}
}
