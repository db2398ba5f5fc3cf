/*
 * Knows threads and blocks of lines; must not know what a record means.
 */
#include "tools/report/reader.h"

#include <errno.h>
#include <malloc.h>
#include <sched.h>
#include <stdlib.h>

#include "tools/log/line_parser.h"
#include "tools/base/progress.h"

#define THREADS_MAX 256

/* Why a line is no record. */
enum reject_reason {
	REJECT_INVALID_JSON,
	REJECT_NO_OBJECT,
	REJECT_NO_ACTION,
	REJECT_NO_TIMESTAMP,
	REJECT_TOO_LONG,
};

static const char *const reject_texts[] = {
	[REJECT_INVALID_JSON] = "invalid JSON",
	[REJECT_NO_OBJECT] = "not a JSON object",
	[REJECT_NO_ACTION] = "not a record: no event.action",
	[REJECT_NO_TIMESTAMP] = "not a record: no valid @timestamp",
	[REJECT_TOO_LONG] = "longer than 4 MiB",
};

/* A rejected line, by its place in its block: what lines came before is known only at the end. */
struct reject {
	uint64_t line; /* in the block, from 0 */
	enum reject_reason reason;
};

/* What one block had; a few bytes for each half megabyte of log. */
struct block_account {
	size_t input;
	uint64_t number;
	uint64_t bytes;
	uint32_t lines;
	uint64_t records;
	uint32_t rejected;
	uint32_t reject_count;
	struct reject *rejects; /* the first of them */
};

struct worker {
	pthread_t thread;
	bool started;
	struct progress *progress; /* of the one thread that shows it */
	struct input_set *set;
	const struct reader_options *options;
	struct aggregate aggregate;
	struct line_parser parser;
	struct block_account *account;
	size_t account_count;
	size_t account_capacity;
};

static void reject(struct block_account *account, enum reject_reason reason)
{
	account->rejected++;
	if (account->reject_count == REPORT_REJECTS_NAMED)
		return;
	if (!account->rejects)
		account->rejects =
			table_allocate(REPORT_REJECTS_NAMED * sizeof(account->rejects[0]));
	account->rejects[account->reject_count++] =
		(struct reject){.line = account->lines, .reason = reason};
}

/* False if there is nothing to count: an empty line is nothing that could be missing. */
static bool parse(struct worker *worker, struct slice line, struct entry *entry,
		  struct slice *record, struct block_account *account)
{
	switch (line_parser_read(&worker->parser, line, entry, record)) {
	case LINE_OBJECT:
		return true;
	case LINE_NOTHING:
		return false;
	case LINE_NO_OBJECT:
		reject(account, REJECT_NO_OBJECT);
		return false;
	default:
		reject(account, REJECT_INVALID_JSON);
		return false;
	}
}

static void read_line(struct worker *worker, struct slice line, struct block_account *account)
{
	struct entry entry;
	struct slice record = {"", 0};

	if (line.length > INPUT_LINE_MAX) {
		reject(account, REJECT_TOO_LONG);
		return;
	}
	if (!parse(worker, line, &entry, &record, account))
		return;
	switch (aggregate_add(&worker->aggregate, &entry)) {
	case AGGREGATE_NO_ACTION:
		reject(account, REJECT_NO_ACTION);
		break;
	case AGGREGATE_NO_TIMESTAMP:
		reject(account, REJECT_NO_TIMESTAMP);
		break;
	case AGGREGATE_COUNTED:
		if (worker->options->show)
			worker->options->show(worker->options->show_context, &entry, record);
		account->records += aggregate_records(&entry);
		break;
	case AGGREGATE_DELIVERED:
		break;
	default:
		account->records += aggregate_records(&entry);
		break;
	}
}

static void read_block(struct worker *worker, const struct input_block *block,
		       struct block_account *account)
{
	const char *at = block->lines.start;
	const char *end = at + block->lines.length;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;

		read_line(worker, (struct slice){at, (size_t)(stop - at)}, account);
		account->lines++;
		at = stop + 1;
	}
}

/* A piece of the block that came last goes into that one's account. */
static struct block_account *account_of(struct worker *worker, const struct input_block *block)
{
	if (worker->account_count > 0) {
		struct block_account *last = &worker->account[worker->account_count - 1];

		if (last->input == block->input && last->number == block->number) {
			last->bytes += block->lines.length;
			return last;
		}
	}
	if (worker->account_count == worker->account_capacity) {
		worker->account_capacity =
			worker->account_capacity ? worker->account_capacity * 2 : 64;
		worker->account = table_resize(worker->account, worker->account_capacity *
									sizeof(worker->account[0]));
	}
	worker->account[worker->account_count] = (struct block_account){
		.input = block->input, .number = block->number, .bytes = block->lines.length};
	return &worker->account[worker->account_count++];
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	struct input_block block = {0};

	line_parser_init(&worker->parser);
	worker->parser.general_only = worker->options->general_parser_only;
	/* Who wants a record's stack to show it takes it from the line. */
	worker->parser.scanner.stack_as_it_stands = true;
	if (worker->options->portable_index)
		worker->parser.scanner.index = scanner_index_portable;
	while (input_next(worker->set, &block)) {
		read_block(worker, &block, account_of(worker, &block));
		if (worker->progress)
			progress_show(worker->progress, input_set_done(worker->set),
				      worker->set->endless ? 0 : worker->set->total);
	}
	line_parser_free(&worker->parser);
	input_block_free(&block);
	return NULL;
}

static unsigned thread_count(unsigned wanted)
{
	cpu_set_t cpus;

	if (wanted == 0)
		wanted = sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? (unsigned)CPU_COUNT(&cpus)
									: 1;
	return wanted < THREADS_MAX ? wanted : THREADS_MAX;
}

static int compare_accounts(const void *a, const void *b)
{
	const struct block_account *first = a;
	const struct block_account *second = b;

	if (first->input != second->input)
		return first->input < second->input ? -1 : 1;
	return (first->number > second->number) - (first->number < second->number);
}

/* Adds a block to its input's account; blocks come in order, so the lines before it are known. */
static void settle(struct report_input *input, const struct block_account *block)
{
	for (uint32_t i = 0; i < block->reject_count; i++) {
		if (input->reject_count == REPORT_REJECTS_NAMED)
			break;
		input->reject[input->reject_count++] = (struct report_reject){
			.line = input->lines + block->rejects[i].line + 1,
			.reason = reject_texts[block->rejects[i].reason],
		};
	}
	input->bytes += block->bytes;
	input->lines += block->lines;
	input->records += block->records;
	input->rejected += block->rejected;
}

static void collect(struct worker *into, const struct worker *from)
{
	into->account = table_resize(into->account, (into->account_count + from->account_count) *
							    sizeof(into->account[0]));
	if (from->account_count)
		memcpy(into->account + into->account_count, from->account,
		       from->account_count * sizeof(from->account[0]));
	into->account_count += from->account_count;
}

static struct report_input *settle_all(const struct input_set *set, struct worker *worker)
{
	struct report_input *accounts = table_allocate(set->count * sizeof(*accounts));

	for (size_t i = 0; i < set->count; i++) {
		accounts[i] = (struct report_input){.name = set->input[i].name};
		if (set->input[i].error)
			accounts[i].error = strerror(set->input[i].error);
		else
			accounts[i].error = set->input[i].trouble;
		accounts[i].has_sha256 = set->input[i].has_sha256;
		memcpy(accounts[i].sha256, set->input[i].sha256, sizeof(accounts[i].sha256));
	}
	if (worker->account_count)
		qsort(worker->account, worker->account_count, sizeof(worker->account[0]),
		      compare_accounts);
	for (size_t i = 0; i < worker->account_count; i++) {
		settle(&accounts[worker->account[i].input], &worker->account[i]);
		free(worker->account[i].rejects);
	}
	return accounts;
}

void reader_run(struct input_set *set, const struct reader_options *options,
		const struct aggregate_options *counting, struct aggregate *aggregate,
		struct report_input **accounts)
{
	unsigned count = thread_count(options->threads);
	struct worker *workers = calloc(count, sizeof(*workers));
	struct progress progress;

	if (!workers)
		table_out_of_memory();
	for (unsigned i = 0; i < count; i++) {
		workers[i].set = set;
		workers[i].options = options;
		aggregate_init(&workers[i].aggregate, counting);
		/* The first is this thread itself. One that can't be started leaves its share to
		 * the others. */
		if (i > 0)
			workers[i].started =
				pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0;
	}
	progress_begin(&progress);
	workers[0].progress = &progress;
	work(&workers[0]);
	progress_end(&progress);
	for (unsigned i = 0; i < count; i++) {
		if (workers[i].started)
			pthread_join(workers[i].thread, NULL);
		if (i == 0)
			continue;
		aggregate_absorb(&workers[0].aggregate, &workers[i].aggregate);
		collect(&workers[0], &workers[i]);
		free(workers[i].account);
	}
#ifdef __GLIBC__
	/* What the other threads had is free in heaps of theirs, where nobody else would use it. */
	(void)malloc_trim(0);
#endif
	*aggregate = workers[0].aggregate;
	*accounts = settle_all(set, &workers[0]);
	free(workers[0].account);
	free(workers);
}
