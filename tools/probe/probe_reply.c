/*
 * Bytes -> lines -> a reply. Knows the grammar of replies; must not know what was asked.
 */
#include "tools/probe/probe_reply.h"

#include <string.h>
#include <strings.h>

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

void probe_reply_init(struct probe_reply *reply)
{
	*reply = (struct probe_reply){.state = PROBE_REPLY_WAITING};
}

/* "250-STARTTLS", in any case, perhaps with parameters that nobody has defined. */
static bool is_starttls(const char *keyword)
{
	static const char name[] = "STARTTLS";
	size_t length = sizeof(name) - 1;

	return strncasecmp(keyword, name, length) == 0 &&
	       (keyword[length] == '\0' || keyword[length] == ' ');
}

static void take_line(struct probe_reply *reply)
{
	const char *line = reply->line;

	while (reply->line_length > 0 && (reply->line[reply->line_length - 1] == '\r'))
		reply->line_length--;
	reply->line[reply->line_length] = '\0';
	if (reply->line_length < 3 || line[0] < '2' || line[0] > '5' || !is_digit(line[1]) ||
	    !is_digit(line[2]) || (line[3] != '\0' && line[3] != ' ' && line[3] != '-')) {
		reply->state = PROBE_REPLY_NO_SMTP;
		return;
	}
	reply->code = (unsigned)((line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0'));
	if (reply->lines > 0 && line[3] != '\0' && is_starttls(line + 4))
		reply->offers_starttls = true;
	reply->lines++;
	if (line[3] != '-')
		reply->state = PROBE_REPLY_COMPLETE;
}

static void make_printable(struct probe_reply *reply)
{
	for (size_t i = 0; i < reply->line_length; i++) {
		if (reply->line[i] < ' ' || reply->line[i] > '~')
			reply->line[i] = '?';
	}
}

size_t probe_reply_take(struct probe_reply *reply, const char *bytes, size_t length)
{
	size_t taken = 0;

	while (taken < length && reply->state == PROBE_REPLY_WAITING) {
		char byte = bytes[taken++];

		if (++reply->bytes > PROBE_REPLY_BYTES ||
		    (byte != '\n' && reply->line_length == PROBE_REPLY_LINE)) {
			reply->state = PROBE_REPLY_TOO_LONG;
		} else if (byte == '\n') {
			take_line(reply);
			if (reply->state == PROBE_REPLY_WAITING)
				reply->line_length = 0;
		} else {
			reply->line[reply->line_length++] = byte;
		}
	}
	if (reply->state != PROBE_REPLY_WAITING) {
		reply->line[reply->line_length] = '\0';
		make_printable(reply);
	}
	return taken;
}
