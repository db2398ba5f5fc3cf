/*
 * tlswitness rollup: many records that are alike -> one that counts them. A year of a busy host
 * in megabytes, from which every report is the same.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/base/options.h"
#include "tools/base/put.h"
#include "tools/command.h"
#include "tools/log/default_log.h"
#include "tools/log/doubles.h"
#include "tools/log/input.h"
#include "tools/log/line_parser.h"
#include "tools/rollup/groups.h"

static void print_help(void)
{
	put_text(stdout,
		 "Usage: tlswitness rollup [FILE|DIRECTORY|- ...] > rolled-up.jsonl\n"
		 "\n"
		 "Writes one record for all that are alike within an hour, with their number in\n"
		 "tlswitness.count. Every report of it is as of the records themselves. What a\n"
		 "record has of its own is gone: its exact time, its process, its port, its\n"
		 "stack, and its event.id, by which a report of the records themselves tells how\n"
		 "many were lost on the way. A report of the roll-up does not say.\n"
		 "Without a file it reads what `tlswitness report` would. Input is not changed.\n"
		 "\n"
		 "  -h, --help         this help\n"
		 "\n"
		 "Exit status: 0; 2 on bad use, or if something could not be read or written.\n");
}

struct rollup {
	struct groups groups;
	struct line_parser parser;
	struct doubles *doubles;
	uint64_t rejected;
};

static void add_line(struct rollup *rollup, struct slice line)
{
	struct entry entry;

	switch (line_parser_read(&rollup->parser, line, &entry, NULL)) {
	case LINE_NOTHING:
		return;
	case LINE_OBJECT:
		/* Behind the roll-up nobody could tell them any more. */
		if (entry_has(&entry, ENTRY_event_id) &&
		    doubles_seen(rollup->doubles, entry_get(&entry, ENTRY_event_id)))
			return;
		if (groups_add(&rollup->groups, &entry, stdout))
			return;
		break;
	default:
		break;
	}
	rollup->rejected++;
}

static void add_block(struct rollup *rollup, const struct input_block *block)
{
	const char *at = block->lines.start;
	const char *end = at + block->lines.length;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;

		add_line(rollup, (struct slice){at, (size_t)(stop - at)});
		at = stop + 1;
	}
}

/* Rolled up it would be missing: lines that are no records, inputs that can't be read. */
static bool say_troubles(const struct input_set *set, const struct rollup *rollup)
{
	const uint64_t rejected = rollup->rejected;
	bool whole = true;

	for (size_t i = 0; i < set->count; i++) {
		const struct input *input = &set->input[i];

		if (!input->error && !input->trouble)
			continue;
		complain("%s: %s", input->name,
			 input->error ? strerror(input->error) : input->trouble);
		whole = false;
	}
	if (rejected > 0) {
		complain("%" PRIu64 " lines are no records and are not in what was written; "
			 "`tlswitness report` names them",
			 rejected);
		whole = false;
	}
	if (doubles_overflowed(rollup->doubles)) {
		complain("more than %" PRIu64 " records: those behind them were taken without "
			 "a look whether they are there twice; roll up less at a time",
			 (uint64_t)DOUBLES_MAX);
		whole = false;
	}
	return whole;
}

static bool roll_up(struct input_set *set)
{
	struct rollup *rollup = calloc(1, sizeof(*rollup));
	struct input_block block = {0};
	bool whole;

	if (!rollup) {
		complain("out of memory");
		return false;
	}
	rollup->doubles = doubles_new();
	line_parser_init(&rollup->parser);
	while (input_next(set, &block))
		add_block(rollup, &block);
	groups_finish(&rollup->groups, stdout);
	whole = say_troubles(set, rollup);
	line_parser_free(&rollup->parser);
	doubles_free(rollup->doubles);
	input_block_free(&block);
	free(rollup);
	if (put_end(stdout))
		return whole;
	complain("can't write what was rolled up: %s", strerror(errno));
	return false;
}

static bool add_default_log(struct input_set *set)
{
	char *log = default_log();

	if (!log)
		return false;
	input_set_add(set, log);
	free(log);
	return true;
}

int command_rollup(int argc, char **argv)
{
	static const struct option long_options[] = {{"help", no_argument, NULL, 'h'},
						     {NULL, 0, NULL, 0}};
	struct input_set set;
	bool begun = false;
	bool ok = true;
	int code = options_next(argc, argv, "h", long_options, NULL, &begun);

	if (code == 'h') {
		print_help();
		return put_end(stdout) ? 0 : 2;
	}
	if (code == OPTIONS_BAD)
		return 2;
	input_set_init(&set);
	for (int i = optind; i < argc; i++)
		input_set_add(&set, argv[i]);
	if (optind == argc)
		ok = add_default_log(&set);
	ok = ok && roll_up(&set);
	input_set_free(&set);
	return ok ? 0 : 2;
}
