/*
 * libFuzzer target for smtp_dialogue. The input is a sequence of chunks: two
 * bytes, of which the highest bit says who speaks (set: the server) and the
 * rest how many bytes follow; then those bytes. An input of odd length is at a
 * mail port.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shim/wire/smtp_dialogue.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static void demand(bool condition)
{
	if (!condition)
		abort();
}

static bool is_tls(const struct smtp_dialogue *dialogue)
{
	return dialogue->state == SMTP_TLS || dialogue->state == SMTP_IMPLICIT_TLS;
}

static bool same_facts(const struct smtp_dialogue *one, const struct smtp_dialogue *other)
{
	return one->state == other->state && one->greeted == other->greeted &&
	       one->ehlo_sent == other->ehlo_sent && one->ehlo_answered == other->ehlo_answered &&
	       one->starttls_offered == other->starttls_offered &&
	       one->starttls_sent == other->starttls_sent &&
	       one->starttls_refused == other->starttls_refused &&
	       one->starttls_reply == other->starttls_reply && one->auth_sent == other->auth_sent &&
	       one->mail_sent == other->mail_sent && one->carried_mail == other->carried_mail;
}

/* What has been sent stays sent, and what has been decided stays decided. */
static void demand_progress(const struct smtp_dialogue *before, const struct smtp_dialogue *after)
{
	demand(before->state == after->state || before->state == SMTP_UNDECIDED ||
	       (before->state == SMTP_DIALOGUE &&
		(after->state == SMTP_TLS || (after->state == SMTP_NOT_SMTP && !after->expected))));
	demand(after->greeted || !before->greeted);
	demand(after->ehlo_sent || !before->ehlo_sent);
	demand(after->starttls_sent || !before->starttls_sent);
	demand(after->auth_sent || !before->auth_sent);
	demand(after->mail_sent || !before->mail_sent);
}

/* What holds whatever the bytes are. */
static void demand_sense(const struct smtp_dialogue *dialogue)
{
	demand(dialogue->pending_count <= SMTP_PENDING_MAX);
	demand(dialogue->ehlo_sent || !dialogue->ehlo_answered);
	demand(dialogue->ehlo_sent || !dialogue->starttls_offered);
	demand(dialogue->starttls_sent || dialogue->starttls_reply == 0);
	demand(dialogue->starttls_refused ==
	       (dialogue->starttls_reply != 0 && dialogue->starttls_reply != 220));
	demand(dialogue->carried_mail || !(dialogue->mail_sent || dialogue->auth_sent));
}

static size_t feed(struct smtp_dialogue *dialogue, enum smtp_side from, const uint8_t *bytes,
		   size_t length)
{
	struct smtp_dialogue before = *dialogue;
	bool ahead = smtp_dialogue_would_send_mail(&before, bytes, length);
	size_t taken = 0;

	dialogue->carried_mail = false;
	taken = smtp_dialogue_feed(dialogue, from, bytes, length);
	/* The look ahead sees a verb one byte sooner. */
	if (from == SMTP_FROM_CLIENT)
		demand(ahead || !dialogue->carried_mail);
	dialogue->carried_mail = dialogue->carried_mail || before.carried_mail;
	demand(taken <= length);
	demand(is_tls(dialogue) || taken == length);
	demand(!is_tls(&before) || taken == 0);
	demand_progress(&before, dialogue);
	demand_sense(dialogue);
	return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct smtp_dialogue whole;
	struct smtp_dialogue piecemeal;

	smtp_dialogue_init(&whole, size % 2);
	smtp_dialogue_init(&piecemeal, size % 2);
	while (size >= 2) {
		enum smtp_side from = input[0] & 0x80 ? SMTP_FROM_SERVER : SMTP_FROM_CLIENT;
		size_t length = (size_t)(input[0] & 0x7F) << 8 | input[1];
		size_t taken = 0;
		size_t taken_piecemeal = 0;
		uint8_t *exact = NULL;

		input += 2;
		size -= 2;
		if (length > size)
			length = size;
		/* A block of its own size: reading one byte beyond it is found. */
		exact = malloc(length + (length == 0));
		demand(exact != NULL);
		memcpy(exact, input, length);
		taken = feed(&whole, from, exact, length);
		for (size_t i = 0; i < length; i++)
			taken_piecemeal += feed(&piecemeal, from, exact + i, 1);
		demand(taken == taken_piecemeal);
		demand(same_facts(&whole, &piecemeal));
		free(exact);
		input += length;
		size -= length;
	}
	return 0;
}
