/*
 * Records -> counts of each target. Knows the record's fields; must not know connections.
 */
#include "tools/probe/probe_compare.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "shim/record/tls_names.h"
#include "tools/base/options.h"
#include "tools/base/table.h"
#include "tools/log/input.h"
#include "tools/log/line_parser.h"

static bool is_same_host(struct slice domain, const char *host)
{
	return domain.length == strlen(host) && strncasecmp(domain.start, host, domain.length) == 0;
}

/* By the name that the application asked for, else by the address. */
static bool is_target(const struct probe_target *target, const struct entry *entry)
{
	struct slice port = entry_get(entry, ENTRY_destination_port);
	char number[sizeof("65535")] = "";
	unsigned long value = 0;

	if (port.length == 0 || port.length >= sizeof(number))
		return false;
	memcpy(number, port.start, port.length);
	if (!parse_number(number, 1, UINT16_MAX, &value) || value != target->port)
		return false;
	if (entry_has(entry, ENTRY_destination_domain) &&
	    is_same_host(entry_get(entry, ENTRY_destination_domain), target->host))
		return true;
	return slice_is(entry_get(entry, ENTRY_destination_ip), target->address_text);
}

static void count_handshake(struct probe_seen *seen, const struct entry *entry)
{
	struct slice version = entry_get(entry, ENTRY_version);

	if (!slice_is(entry_get(entry, ENTRY_outcome), "success")) {
		seen->failed++;
		return;
	}
	for (size_t i = 0; i < PROBE_VERSIONS; i++) {
		if (slice_is(version, tls_version_name(probe_version(i))))
			seen->version[i]++;
	}
}

static void count(struct probe *probe, const struct entry *entry)
{
	struct slice action = entry_get(entry, ENTRY_action);
	bool handshake = slice_is(action, "tls-handshake");

	if (!handshake && !slice_is(action, "plaintext-mail"))
		return;
	for (size_t i = 0; i < probe->target_count; i++) {
		struct probe_target *target = &probe->target[i];

		if (!is_target(target, entry))
			continue;
		if (handshake)
			count_handshake(&target->seen, entry);
		else
			target->seen.clear++;
	}
}

static void count_lines(struct probe *probe, struct line_parser *parser, struct slice lines)
{
	while (lines.length > 0) {
		const char *end = memchr(lines.start, '\n', lines.length);
		size_t length = end != NULL ? (size_t)(end - lines.start) : lines.length;
		struct entry entry;

		if (line_parser_read(parser, (struct slice){lines.start, length}, &entry, NULL) ==
		    LINE_OBJECT)
			count(probe, &entry);
		lines = slice_from(lines, end != NULL ? length + 1 : length);
	}
}

bool probe_compare(struct probe *probe, const char *path)
{
	struct input_set set;
	struct input_block block = {.memory = NULL};
	struct line_parser *parser = table_allocate(sizeof(*parser));
	bool ok = true;

	for (size_t i = 0; i < probe->target_count; i++)
		probe->target[i].seen.asked = true;
	input_set_init(&set);
	input_set_add(&set, path);
	line_parser_init(parser);
	while (input_next(&set, &block))
		count_lines(probe, parser, block.lines);
	for (size_t i = 0; i < set.count; i++) {
		if (set.input[i].error != 0 || set.input[i].trouble != NULL) {
			complain("%s can't be read (%s); --compare takes a log or a directory of "
				 "logs",
				 set.input[i].name,
				 set.input[i].trouble != NULL ? set.input[i].trouble
							      : strerror(set.input[i].error));
			ok = false;
		}
	}
	line_parser_free(parser);
	free(parser);
	input_block_free(&block);
	input_set_free(&set);
	return ok;
}
