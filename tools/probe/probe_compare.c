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
#include "tools/log/doubles.h"
#include "tools/log/input.h"
#include "tools/log/line_parser.h"
#include "tools/log/values.h"

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

static struct slice program_name(const struct entry *entry)
{
	struct slice script = entry_get(entry, ENTRY_script);

	return script.length > 0 ? script : entry_get(entry, ENTRY_executable);
}

static struct probe_tally *tally_of_program(struct probe_seen *seen, struct slice name)
{
	struct probe_program *program;

	for (size_t i = 0; i < seen->program_count; i++) {
		if (slice_is(name, seen->program[i].name))
			return &seen->program[i].tally;
	}
	seen->program =
		table_resize(seen->program, (seen->program_count + 1) * sizeof(seen->program[0]));
	program = &seen->program[seen->program_count++];
	*program = (struct probe_program){.name = table_allocate(name.length + 1)};
	memcpy(program->name, name.start, name.length);
	program->name[name.length] = '\0';
	return &program->tally;
}

/* A record stands for as many as an engine or a roll-up has made it of. */
static unsigned long count_of(const struct entry *entry)
{
	struct slice text = entry_get(entry, ENTRY_count);
	char number[sizeof("4294967295")] = "";
	unsigned long value = 0;

	if (text.length == 0 || text.length >= sizeof(number))
		return 1;
	memcpy(number, text.start, text.length);
	return parse_number(number, 1, UINT32_MAX, &value) ? value : 1;
}

static void add(struct probe_tally *tally, const struct entry *entry, bool is_handshake)
{
	struct slice version = entry_get(entry, ENTRY_version);
	unsigned long records = count_of(entry);

	if (!is_handshake) {
		tally->clear += records;
		return;
	}
	if (!entry_succeeded(entry)) {
		tally->failed += records;
		return;
	}
	for (size_t i = 0; i < PROBE_VERSIONS; i++) {
		if (slice_is(version, tls_version_name(probe_version(i))))
			tally->version[i] += records;
	}
}

static void count(struct probe *probe, const struct entry *entry)
{
	const enum entry_action action = entry_action(entry);
	const bool is_handshake = action == ACTION_HANDSHAKE;
	struct slice name = program_name(entry);

	if (!is_handshake && action != ACTION_PLAINTEXT_MAIL)
		return;
	for (size_t i = 0; i < probe->target_count; i++) {
		struct probe_seen *seen = &probe->target[i].seen;

		if (!is_target(&probe->target[i], entry))
			continue;
		add(&seen->all, entry, is_handshake);
		if (name.length > 0)
			add(tally_of_program(seen, name), entry, is_handshake);
	}
}

static void count_lines(struct probe *probe, struct line_parser *parser, struct doubles *doubles,
			struct slice lines)
{
	while (lines.length > 0) {
		const char *end = memchr(lines.start, '\n', lines.length);
		size_t length = end != NULL ? (size_t)(end - lines.start) : lines.length;
		struct entry entry;

		if (line_parser_read(parser, (struct slice){lines.start, length}, &entry, NULL) ==
			    LINE_OBJECT &&
		    !doubles_seen(doubles, entry_get(&entry, ENTRY_event_id)))
			count(probe, &entry);
		lines = slice_from(lines, end != NULL ? length + 1 : length);
	}
}

bool probe_compare(struct probe *probe, const char *path)
{
	struct input_set set;
	struct input_block block = {.memory = NULL};
	struct line_parser *parser = table_allocate(sizeof(*parser));
	struct doubles *doubles = doubles_new();
	bool ok = true;

	for (size_t i = 0; i < probe->target_count; i++)
		probe->target[i].seen.asked = true;
	input_set_init(&set);
	input_set_add(&set, path);
	line_parser_init(parser);
	while (input_next(&set, &block))
		count_lines(probe, parser, doubles, block.lines);
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
	doubles_free(doubles);
	line_parser_free(parser);
	free(parser);
	input_block_free(&block);
	input_set_free(&set);
	return ok;
}

void probe_compare_free(struct probe_seen *seen)
{
	for (size_t i = 0; i < seen->program_count; i++)
		free(seen->program[i].name);
	free(seen->program);
}
