/*
 * Replies of SMTP servers, well-formed and not, whole and byte by byte.
 */
#include "tools/probe/probe_reply.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

static struct probe_reply read_reply(const char *text, size_t *taken)
{
	static struct probe_reply whole;
	static struct probe_reply piecemeal;
	size_t length = strlen(text);
	size_t taken_piecemeal = 0;

	probe_reply_init(&whole);
	probe_reply_init(&piecemeal);
	*taken = probe_reply_take(&whole, text, length);
	for (size_t i = 0; i < length; i++)
		taken_piecemeal += probe_reply_take(&piecemeal, text + i, 1);
	cr_expect_eq(*taken, taken_piecemeal, "%s", text);
	cr_expect_eq(whole.state, piecemeal.state, "%s", text);
	cr_expect_eq(whole.code, piecemeal.code, "%s", text);
	cr_expect_eq(whole.offers_starttls, piecemeal.offers_starttls, "%s", text);
	return whole;
}

Test(probe_reply, reads_code_and_words)
{
	static const struct {
		const char *text;
		enum probe_reply_state state;
		unsigned code;
		bool starttls;
		const char *line;
		size_t left; /* bytes behind the reply */
	} rows[] = {
		{"220 mx ESMTP\r\n", PROBE_REPLY_COMPLETE, 220, false, "220 mx ESMTP", 0},
		{"220 mx\n", PROBE_REPLY_COMPLETE, 220, false, "220 mx", 0},
		{"250\r\n", PROBE_REPLY_COMPLETE, 250, false, "250", 0},
		{"250-mx\r\n250-STARTTLS\r\n250 HELP\r\n", PROBE_REPLY_COMPLETE, 250, true,
		 "250 HELP", 0},
		{"250-mx\r\n250 starttls\r\n", PROBE_REPLY_COMPLETE, 250, true, "250 starttls", 0},
		{"250-mx\r\n250-STARTTLS \r\n250 X\r\n", PROBE_REPLY_COMPLETE, 250, true, "250 X",
		 0},
		/* the first line is the server's name; and a longer word is another word */
		{"250 STARTTLS\r\n", PROBE_REPLY_COMPLETE, 250, false, "250 STARTTLS", 0},
		{"250-mx\r\n250 XSTARTTLS\r\n", PROBE_REPLY_COMPLETE, 250, false, "250 XSTARTTLS",
		 0},
		{"250-mx\r\n250 STARTTLSX\r\n", PROBE_REPLY_COMPLETE, 250, false, "250 STARTTLSX",
		 0},
		{"421 4.7.0 too many\r\nmore", PROBE_REPLY_COMPLETE, 421, false,
		 "421 4.7.0 too many", 4},
		{"220-wait\r\n", PROBE_REPLY_WAITING, 220, false, NULL, 0},
		{"220 mx", PROBE_REPLY_WAITING, 0, false, NULL, 0},
		{"SSH-2.0-x\r\n", PROBE_REPLY_NO_SMTP, 0, false, "SSH-2.0-x", 0},
		{"\r\n", PROBE_REPLY_NO_SMTP, 0, false, "", 0},
		{"22\r\n", PROBE_REPLY_NO_SMTP, 0, false, "22", 0},
		{"2200 x\r\n", PROBE_REPLY_NO_SMTP, 0, false, "2200 x", 0},
		{"120 x\r\n", PROBE_REPLY_NO_SMTP, 0, false, "120 x", 0},
		{"220 \x1b[31m\xff\r\n", PROBE_REPLY_COMPLETE, 220, false, "220 ?[31m?", 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t taken = 0;
		struct probe_reply reply = read_reply(rows[i].text, &taken);

		cr_expect_eq(reply.state, rows[i].state, "%s: %d", rows[i].text, reply.state);
		cr_expect_eq(reply.code, rows[i].code, "%s: %u", rows[i].text, reply.code);
		cr_expect_eq(reply.offers_starttls, rows[i].starttls, "%s", rows[i].text);
		if (rows[i].line != NULL)
			cr_expect_str_eq(reply.line, rows[i].line);
		cr_expect_eq(strlen(rows[i].text) - taken, rows[i].left, "%s", rows[i].text);
	}
}

Test(probe_reply, ends_what_has_no_end)
{
	struct probe_reply reply;
	static char line[2 * PROBE_REPLY_LINE];
	unsigned lines = 0;

	memset(line, '2', sizeof(line));
	probe_reply_init(&reply);
	cr_expect_leq(probe_reply_take(&reply, line, sizeof(line)), (size_t)PROBE_REPLY_LINE + 1);
	cr_expect_eq(reply.state, PROBE_REPLY_TOO_LONG);
	probe_reply_init(&reply);
	while (reply.state == PROBE_REPLY_WAITING && lines++ < PROBE_REPLY_BYTES)
		(void)probe_reply_take(&reply, "220-x\r\n", 7);
	cr_expect_eq(reply.state, PROBE_REPLY_TOO_LONG);
}
