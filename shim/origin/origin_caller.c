#include "shim/origin/origin_caller.h"

#include <string.h>

#include "shim/base/text.h"

/* sendmail, nullmailer-inject, msmtp, esmtp, mailx, …; and what has neither in its name. */
static bool is_mail_name(const char *name, size_t length)
{
	static const char *const parts[] = {"mail", "smtp"};
	static const char *const names[] = {"dma",    "exim",  "exim4", "mutt",  "neomutt",
					    "s-nail", "swaks", "curl",  "mpack", "tsmtp"};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		for (size_t at = 0; at + strlen(parts[i]) <= length; at++) {
			if (strncmp(name + at, parts[i], strlen(parts[i])) == 0)
				return true;
		}
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strlen(names[i]) == length && strncmp(names[i], name, length) == 0)
			return true;
	}
	return false;
}

bool origin_is_mail_command(const char *command)
{
	static const char between[] = " \t\n'\"`|&;()<>=";

	for (const char *at = command; *at;) {
		const size_t length = strcspn(at, between);
		const char *name = at;

		for (const char *byte = at; byte < at + length; byte++) {
			if (*byte == '/')
				name = byte + 1;
		}
		/* An option or an address is no program. */
		if (*at != '-' && !memchr(at, '@', length) &&
		    is_mail_name(name, (size_t)(at + length - name)))
			return true;
		at += length;
		at += strspn(at, between);
	}
	return false;
}

bool origin_caller_write(char variable[ORIGIN_CALLER_MAX], const struct origin *origin)
{
	const struct origin_frame *frame;

	if (origin->count == 0)
		return false;
	frame = &origin->frame[origin->own];
	if (!frame->file[0])
		return false;
	variable[0] = '\0';
	text_append(variable, ORIGIN_CALLER_MAX, ORIGIN_CALLER);
	text_append(variable, ORIGIN_CALLER_MAX, frame->file);
	if (frame->line > 0) {
		text_append(variable, ORIGIN_CALLER_MAX, ":");
		text_append_number(variable, ORIGIN_CALLER_MAX, frame->line);
	}
	if (frame->function[0]) {
		text_append(variable, ORIGIN_CALLER_MAX, " ");
		text_append(variable, ORIGIN_CALLER_MAX, frame->function);
	}
	return true;
}

void origin_caller_read(char *caller, unsigned room, char **environment)
{
	caller[0] = '\0';
	for (char **variable = environment; variable && *variable; variable++) {
		if (strncmp(*variable, ORIGIN_CALLER, strlen(ORIGIN_CALLER)) != 0)
			continue;
		text_append(caller, room, *variable + strlen(ORIGIN_CALLER));
		return;
	}
}
