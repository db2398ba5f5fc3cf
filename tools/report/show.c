/*
 * Knows how a record is shown; must not know which are.
 */
#include "tools/report/show.h"

#include "tools/base/json_writer.h"
#include "tools/base/put.h"
#include "tools/base/timestamp.h"
#include "tools/log/values.h"

void show_begin(struct show *show)
{
	if (!show->json)
		connection_line_heading(show->out, &show->line);
}

void show_record(void *context, const struct entry *entry, struct slice record)
{
	struct show *show = context;
	int64_t time = 0;

	if (show->connections_only && !action_is_connection(entry_action(entry)))
		return;
	if (show->json) {
		/* A control character that a terminal would obey is written as its escape. */
		json_put_visible(show->out, record);
		put_byte(show->out, '\n');
	} else if (timestamp_parse(entry_get(entry, ENTRY_timestamp), &time)) {
		connection_line_write(show->out, &show->line, entry, time);
	}
}
