/*
 * check --all: a row for each process that has, or had while we looked, a
 * connection to a mail port.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uthash.h>

#include "tools/base/json_writer.h"
#include "tools/base/put.h"
#include "tools/base/table.h"
#include "tools/base/terminal.h"
#include "tools/base/text_table.h"
#include "tools/check/check.h"
#include "tools/check/connections.h"
#include "tools/check/process_files.h"

#define DEFAULT_WIDTH    100
#define LOOK_NANOSECONDS 100000000L /* between two looks */

struct key {
	pid_t pid;
	uid_t user; /* tells those apart whose process is unknown; else 0 */
	unsigned long long started;
};

struct row {
	struct key key;
	char *program;
	char *where; /* its unit or container */
	char *remote;
	char *reason; /* "" if it is witnessed */
	char *remedy;
	char *witnesses; /* "openssl, wire" */
	UT_hash_handle hh;
};

static char *copy(const char *text)
{
	char *made = strdup(text);

	if (!made)
		table_out_of_memory();
	return made;
}

static void fill_unknown(struct row *row, const struct mail_connection *connection)
{
	char program[64];

	(void)snprintf(program, sizeof(program), "a process of user %u",
		       (unsigned)connection->user);
	row->program = copy(program);
	row->where = copy("");
	row->reason = copy("can't be looked at");
	row->remedy = copy("ask as root");
	row->witnesses = copy("");
}

static void fill(struct row *row, const struct process *process)
{
	char witnesses[128] = "";
	size_t used = 0;

	for (size_t i = 0; process->reason[0] == '\0' && i < process->target.witness_count; i++)
		used += (size_t)snprintf(witnesses + used, sizeof(witnesses) - used, "%s%s",
					 i ? ", " : "", process->target.witness[i]);
	row->program = copy(process->executable);
	row->where = copy(process->container[0] ? process->container : process->unit);
	row->reason = copy(process->reason);
	row->remedy = copy(process->remedy);
	row->witnesses = copy(witnesses);
}

static void visit(void *context, const struct mail_connection *connection)
{
	struct row **rows = context;
	struct row *row = NULL;
	struct process *process;
	struct key key;

	memset(&key, 0, sizeof(key));
	key.pid = connection->pid;
	if (connection->pid > 0)
		key.started = process_start(connection->pid);
	else
		key.user = connection->user;
	HASH_FIND(hh, *rows, &key, sizeof(key), row);
	if (row)
		return;
	row = table_allocate(sizeof(*row));
	memset(row, 0, sizeof(*row));
	row->key = key;
	row->remote = copy(connection->remote);
	process = table_allocate(sizeof(*process));
	if (connection->pid > 0 && process_examine(process, connection->pid, false)) {
		fill(row, process);
		process_close(process);
	} else {
		fill_unknown(row, connection);
	}
	free(process);
	HASH_ADD(hh, *rows, key, sizeof(row->key), row);
}

static int by_pid(const struct row *a, const struct row *b)
{
	return (a->key.pid > b->key.pid) - (a->key.pid < b->key.pid);
}

static void write_json(struct row *rows, unsigned long ended)
{
	struct json_writer writer = {.out = stdout};

	json_open(&writer, NULL, '{');
	json_open(&writer, "processes", '[');
	for (struct row *row = rows; row; row = row->hh.next) {
		json_open(&writer, NULL, '{');
		json_text(&writer, "program", slice_of(row->program));
		if (row->key.pid > 0)
			json_number(&writer, "pid", (uint64_t)row->key.pid);
		if (row->where[0])
			json_text(&writer, "where", slice_of(row->where));
		json_text(&writer, "remote", slice_of(row->remote));
		json_boolean(&writer, "blind", row->reason[0] != '\0');
		json_open(&writer, "reasons", '[');
		if (row->reason[0])
			json_text(&writer, NULL, slice_of(row->reason));
		json_close(&writer, ']');
		if (row->remedy[0])
			json_text(&writer, "remedy", slice_of(row->remedy));
		json_close(&writer, '}');
	}
	json_close(&writer, ']');
	json_number(&writer, "ended", ended);
	json_close(&writer, '}');
}

static void write_ended(unsigned long ended)
{
	if (ended > 0)
		put_format(stdout,
			   "%lu connection%s ended before the process was found; what is recorded "
			   "of them is in the log.\n",
			   ended, ended == 1 ? "" : "s");
}

enum column { COLUMN_PID, COLUMN_PROGRAM, COLUMN_WHERE, COLUMN_REMOTE, COLUMN_SEEN, COLUMN_WHY };

static void cell(const void *context, size_t index, size_t column, struct text_cell *cell)
{
	const struct row *row = ((const struct row *const *)context)[index];
	const char *text = "";

	switch ((enum column)column) {
	case COLUMN_PID:
		(void)snprintf(cell->room, sizeof(cell->room), "%d", (int)row->key.pid);
		text = row->key.pid > 0 ? cell->room : "?";
		break;
	case COLUMN_PROGRAM:
		text = row->program;
		break;
	case COLUMN_WHERE:
		text = row->where;
		break;
	case COLUMN_REMOTE:
		text = row->remote;
		break;
	case COLUMN_SEEN:
		text = row->reason[0] ? "nobody" : row->witnesses;
		cell->colour = row->reason[0] ? COLOUR_BAD : COLOUR_GOOD;
		break;
	case COLUMN_WHY:
		text = row->reason;
		break;
	}
	cell->text = slice_of(text);
}

static void write_text(struct row *rows, unsigned long ended)
{
	const struct text_style style = {
		.width = terminal_width(STDOUT_FILENO, DEFAULT_WIDTH),
		.colour = terminal_colour(STDOUT_FILENO),
		.utf8 = terminal_utf8(),
	};
	size_t count = HASH_COUNT(rows);
	const struct row **list;
	struct text_table table = {
		.column = {{.title = "PID", .right = true},
			   {.title = "PROGRAM", .flexible = true, .keep_end = true},
			   {.title = "UNIT OR CONTAINER", .flexible = true},
			   {.title = "TO"},
			   {.title = "SEEN BY"},
			   {.title = "WHY NOT", .flexible = true}},
		.column_count = 6,
		.row_count = count,
		.cell = cell,
	};
	size_t at = 0;

	if (count == 0) {
		put_text(stdout, "No process has a connection to a mail port.\n");
		write_ended(ended);
		return;
	}
	/* The list is one of pointers. NOLINTNEXTLINE(bugprone-sizeof-expression) */
	list = table_allocate(count * sizeof(list[0]));
	for (struct row *row = rows; row; row = row->hh.next)
		list[at++] = row;
	table.context = list;
	text_table_write(stdout, &table, &style);
	for (struct row *row = rows; row; row = row->hh.next) {
		if (row->reason[0] == '\0')
			continue;
		put_format(stdout, "\n%d: ", (int)row->key.pid);
		terminal_put(stdout, slice_of(row->remedy), 1000, false, style.utf8);
	}
	put_byte(stdout, '\n');
	write_ended(ended);
	free(list);
}

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

/* Whoever has seen enough gets what was found. */
static void catch_interrupts(void)
{
	struct sigaction action = {.sa_handler = interrupt};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

int check_all(const struct config *config, unsigned long seconds, bool json)
{
	const struct timespec pause = {.tv_nsec = LOOK_NANOSECONDS};
	double end = seconds_now() + (double)seconds;
	struct row *rows = NULL;
	struct row *row;
	struct row *next;
	unsigned long ended = 0;
	int status = 0;

	if (seconds > 0)
		catch_interrupts();
	do {
		if (!connections_visit(config, visit, &rows, &ended)) {
			status = 2;
			break;
		}
	} while (!interrupted && seconds_now() < end && nanosleep(&pause, NULL) == 0);
	HASH_SORT(rows, by_pid);
	if (status == 0) {
		if (json)
			write_json(rows, ended);
		else
			write_text(rows, ended);
		if (!put_end(stdout))
			status = 2;
	}
	row = rows;
	HASH_CLEAR(hh, rows);
	for (; row; row = next) {
		next = row->hh.next;
		if (status == 0 && row->reason[0])
			status = 1;
		free(row->program);
		free(row->where);
		free(row->remote);
		free(row->reason);
		free(row->remedy);
		free(row->witnesses);
		free(row);
	}
	return status;
}
