#include "tools/base/place_text.h"

#include <inttypes.h>

#include "tools/base/put.h"
#include "tools/base/table.h"

/* ":18446744073709551615" and the blank before the function. */
#define LINE_ROOM 24

size_t place_text_room(struct slice file, struct slice function)
{
	return file.length + LINE_ROOM + function.length;
}

size_t place_text(char *out, struct slice file, uint64_t line, struct slice function)
{
	size_t used = file.length;

	if (file.length)
		memcpy(out, file.start, file.length);
	if (line)
		used += (size_t)snprintf(out + used, LINE_ROOM, ":%" PRIu64, line);
	if (function.length == 0)
		return used;
	if (used > 0)
		out[used++] = ' ';
	memcpy(out + used, function.start, function.length);
	return used + function.length;
}

void place_text_put(FILE *out, struct slice file, uint64_t line, struct slice function)
{
	put_slice(out, file);
	if (line)
		put_format(out, ":%" PRIu64, line);
	if (function.length == 0)
		return;
	if (file.length || line)
		put_byte(out, ' ');
	put_slice(out, function);
}
