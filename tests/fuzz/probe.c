/*
 * libFuzzer target for whatever of the probe reads what a server, or a domain, says. The first
 * byte chooses who reads the rest: a TLS answer, SMTP replies, or an MTA-STS policy. What comes
 * byte by byte must be read as what comes at once.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tools/probe/probe_answer.h"
#include "tools/probe/probe_policy.h"
#include "tools/probe/probe_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static void demand(bool condition)
{
	if (!condition)
		abort();
}

static void read_answer(const uint8_t *bytes, size_t length)
{
	struct probe_answer whole = {.state = PROBE_ANSWER_NONE};
	struct probe_answer piecemeal = {.state = PROBE_ANSWER_NONE};

	probe_answer_feed(&whole, bytes, length);
	for (size_t i = 0; i < length; i++) {
		enum probe_answer_state before = piecemeal.state;
		probe_answer_feed(&piecemeal, bytes + i, 1);
		demand(piecemeal.state >= before);
	}
	demand(whole.state == piecemeal.state && whole.version == piecemeal.version &&
	       whole.cipher == piecemeal.cipher && whole.group == piecemeal.group &&
	       whole.alert == piecemeal.alert && whole.retry_request == piecemeal.retry_request);
	demand(whole.head_length <= PROBE_MESSAGE_HEAD);
}

static void read_replies(const char *bytes, size_t length)
{
	struct probe_reply whole;
	struct probe_reply piecemeal;

	while (length > 0) {
		size_t taken_piecemeal = 0;

		probe_reply_init(&whole);
		probe_reply_init(&piecemeal);
		size_t taken = probe_reply_take(&whole, bytes, length);
		demand(taken > 0 && taken <= length);
		while (taken_piecemeal < length && piecemeal.state == PROBE_REPLY_WAITING)
			taken_piecemeal += probe_reply_take(&piecemeal, bytes + taken_piecemeal, 1);
		demand(taken == taken_piecemeal && whole.state == piecemeal.state &&
		       whole.code == piecemeal.code &&
		       whole.offers_starttls == piecemeal.offers_starttls);
		if (whole.state != PROBE_REPLY_WAITING) {
			demand(strlen(whole.line) <= PROBE_REPLY_LINE);
			for (const char *byte = whole.line; *byte != '\0'; byte++)
				demand(*byte >= ' ' && *byte <= '~');
		}
		if (whole.state == PROBE_REPLY_COMPLETE)
			demand(whole.code >= 200 && whole.code <= 599);
		bytes += taken;
		length -= taken;
	}
}

static void read_policy(const char *bytes, size_t length)
{
	static struct probe_policy policy;
	struct slice text = {bytes, length};

	policy = (struct probe_policy){.state = PROBE_PROMISE_KEPT};
	(void)probe_policy_announced(text);
	if (!probe_policy_parse(&policy, text)) {
		demand(policy.how[0] != '\0');
		return;
	}
	demand(policy.mx_count > 0 || policy.mode == PROBE_POLICY_NONE);
	for (size_t i = 0; i < policy.mx_count; i++) {
		demand(strlen(policy.mx[i]) <= PROBE_NAME_MAX);
		(void)probe_policy_names(&policy, policy.mx[i]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	if (size == 0)
		return 0;
	/* A block of its own size: reading one byte beyond it is found. */
	uint8_t *exact = malloc(size - 1 + (size == 1));
	demand(exact != NULL);
	memcpy(exact, input + 1, size - 1);
	if (input[0] % 3 == 0)
		read_answer(exact, size - 1);
	else if (input[0] % 3 == 1)
		read_replies((const char *)exact, size - 1);
	else
		read_policy((const char *)exact, size - 1);
	free(exact);
	return 0;
}
