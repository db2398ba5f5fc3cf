/*
 * Knows keys and their values; must not know views.
 */
#include "tools/report/where.h"

#include <stdlib.h>

#include "tools/base/place_text.h"
#include "tools/base/table.h"
#include "tools/base/timestamp.h"
#include "tools/report/keys.h"

/* "/srv/a.py:7 send", of the numbers of a place. */
static bool is_place(struct aggregate *aggregate, const uint32_t *word, struct slice wanted)
{
	struct slice file = interned_text(&aggregate->texts, word[0]);
	struct slice function = interned_text(&aggregate->texts, word[2]);
	char *text = table_allocate(place_text_room(file, function) + 1);
	size_t length = place_text(text, file, word[1], function);
	bool same = slice_equal((struct slice){text, length}, wanted);

	free(text);
	return same;
}

static bool has_value(struct subject *subject, const struct report_where *where)
{
	uint32_t word[3] = {0};
	char time[TIMESTAMP_TEXT_MAX];
	enum key_kind kind = keys_kind(where->key);

	subject_put_key(subject, where->key, word);
	switch (kind) {
	case KEY_IS_VERSION:
		return slice_is(where->value, entry_version_name(word[0]));
	case KEY_IS_VERDICT:
		return slice_is(where->value, entry_verdict_name(word[0]));
	case KEY_IS_PLACE:
		return is_place(subject->aggregate, word, where->value);
	case KEY_IS_HOUR:
	case KEY_IS_DAY:
		(void)timestamp_print(time, subject->time,
				      kind == KEY_IS_HOUR ? TIMESTAMP_HOUR : TIMESTAMP_DAY);
		return slice_is(where->value, time);
	default:
		return slice_equal(interned_text(&subject->aggregate->texts, word[0]),
				   where->value);
	}
}

bool where_passes(struct subject *subject)
{
	const struct aggregate_options *options = subject->aggregate->options;

	for (size_t i = 0; subject->connection && i < options->where_count; i++) {
		bool any = false;

		for (size_t k = 0; k < options->where_count && !any; k++)
			any = options->where[k].key == options->where[i].key &&
			      has_value(subject, &options->where[k]);
		if (!any)
			return false;
	}
	return true;
}
