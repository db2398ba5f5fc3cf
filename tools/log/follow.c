/*
 * Knows files and their names; must not know what is in a line.
 */
#include "tools/log/follow.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/log/input.h"
#include "tools/log/scanner.h"
#include "tools/base/table.h"

#define READ_SIZE  ((size_t)256 << 10)
#define WATCH_MASK (IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB)

/* An open file, and the line in it that is not complete yet. */
struct source {
	int descriptor; /* -1: none */
	dev_t device;
	ino_t inode;
	off_t offset; /* of what was read */
	char *rest;
	size_t rest_length;
	bool inside_long_line;
};

struct followed {
	char *path;
	struct source now;
	struct source before; /* what had the name until the last rotation */
};

void follower_init(struct follower *follower)
{
	*follower = (struct follower){.inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
}

static void source_close(struct source *source)
{
	if (source->descriptor >= 0)
		close(source->descriptor);
	free(source->rest);
	*source = (struct source){.descriptor = -1};
}

void follower_free(struct follower *follower)
{
	for (size_t i = 0; i < follower->count; i++) {
		source_close(&follower->file[i].now);
		source_close(&follower->file[i].before);
		free(follower->file[i].path);
	}
	for (size_t i = 0; i < follower->directory_count; i++)
		free(follower->directory[i]);
	free(follower->file);
	free(follower->directory);
	free(follower->memory);
	if (follower->inotify >= 0)
		close(follower->inotify);
}

static char *copy_text(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		table_out_of_memory();
	return copy;
}

static void watch_directory(const struct follower *follower, const char *directory)
{
	/* The same directory twice is one watch; without it, the regular look must do. */
	if (follower->inotify >= 0)
		(void)inotify_add_watch(follower->inotify, directory, WATCH_MASK);
}

/* Opens what has the name now. False if nothing has it, or it can't be read (errno says). */
static bool source_open(struct source *source, const char *path)
{
	struct stat status;
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (descriptor < 0)
		return false;
	if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
		close(descriptor);
		errno = EINVAL;
		return false;
	}
	*source = (struct source){
		.descriptor = descriptor, .device = status.st_dev, .inode = status.st_ino};
	return true;
}

static struct followed *add_file(struct follower *follower, const char *path)
{
	struct followed *file = NULL;

	follower->file =
		table_resize(follower->file, (follower->count + 1) * sizeof(follower->file[0]));
	file = &follower->file[follower->count++];
	*file = (struct followed){
		.path = copy_text(path), .now.descriptor = -1, .before.descriptor = -1};
	return file;
}

static bool is_followed(const struct follower *follower, const char *path)
{
	for (size_t i = 0; i < follower->count; i++) {
		if (strcmp(follower->file[i].path, path) == 0)
			return true;
	}
	return false;
}

/* Only the live logs: what has a rotated sibling's name was read when it had the live one. */
static int is_live_log(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return entry->d_name[0] != '.' && length > 6 &&
	       strcmp(entry->d_name + length - 6, ".jsonl") == 0;
}

static void follow_new(struct follower *follower, const char *directory, const char *name)
{
	struct followed *file = NULL;
	char *path = NULL;

	if (asprintf(&path, "%s/%s", directory, name) < 0)
		table_out_of_memory();
	if (!is_followed(follower, path)) {
		file = add_file(follower, path);
		if (!source_open(&file->now, path) && errno != ENOENT)
			follower->remark(follower->context, path, strerror(errno));
	}
	free(path);
}

/* Follows the logs of a directory that are new in it, from their first line. */
static bool look_into(struct follower *follower, const char *directory)
{
	struct dirent **entries = NULL;
	int count = scandir(directory, &entries, is_live_log, alphasort);

	if (count < 0)
		return false;
	for (int i = 0; i < count; i++) {
		follow_new(follower, directory, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return true;
}

static bool add_directory(struct follower *follower, const char *path)
{
	char *directory = copy_text(path);
	size_t length = strlen(directory);

	while (length > 1 && directory[length - 1] == '/')
		directory[--length] = '\0';
	if (!look_into(follower, directory)) {
		free(directory);
		return false;
	}
	follower->directory =
		table_resize(follower->directory,
			     (follower->directory_count + 1) * sizeof(follower->directory[0]));
	follower->directory[follower->directory_count++] = directory;
	watch_directory(follower, directory);
	return true;
}

bool follower_add(struct follower *follower, const char *path)
{
	struct stat status;
	struct source source;
	char *copy = NULL;

	if (stat(path, &status) != 0)
		return false;
	if (S_ISDIR(status.st_mode))
		return add_directory(follower, path);
	if (!source_open(&source, path))
		return false;
	add_file(follower, path)->now = source;
	copy = copy_text(path);
	watch_directory(follower, dirname(copy));
	free(copy);
	return true;
}

/* ---- where to begin ---- */

/* The offset of the last `lines` lines of a file, found from its end. */
static off_t last_lines(int descriptor, off_t size, uint64_t lines)
{
	char block[4096];
	uint64_t newlines = 0;

	while (size > 0) {
		off_t start = size > (off_t)sizeof(block) ? size - (off_t)sizeof(block) : 0;
		ssize_t got = pread(descriptor, block, (size_t)(size - start), start);

		for (ssize_t i = got; i-- > 0;) {
			/* The first is that of the last line itself. */
			if (block[i] == '\n' && newlines++ == lines)
				return start + i + 1;
		}
		size = got > 0 ? start : 0;
	}
	return 0;
}

void follower_start(struct follower *follower, uint64_t lines)
{
	for (size_t i = 0; i < follower->count; i++) {
		struct source *source = &follower->file[i].now;
		struct stat status;

		if (source->descriptor < 0 || lines == UINT64_MAX ||
		    fstat(source->descriptor, &status) != 0)
			continue;
		source->offset = last_lines(source->descriptor, status.st_size, lines);
	}
}

/* ---- reading on ---- */

static void hand_out(const struct follower *follower, const struct followed *file,
		     struct slice lines)
{
	while (lines.length > 0) {
		const char *newline = memchr(lines.start, '\n', lines.length);
		size_t length = newline ? (size_t)(newline - lines.start) : lines.length;

		follower->line(follower->context, file->path, (struct slice){lines.start, length});
		lines = slice_from(lines, newline ? length + 1 : length);
	}
}

static void keep_rest(struct source *source, struct slice rest)
{
	/* No record is that long: its end is left out as well, and said by the parser. */
	if (rest.length > INPUT_LINE_MAX) {
		source->inside_long_line = true;
		rest.length = 0;
	}
	source->rest = table_resize(source->rest, rest.length);
	memcpy(source->rest, rest.start, rest.length);
	source->rest_length = rest.length;
}

/* `text` is what was kept and what was read behind it. */
static void append_text(const struct follower *follower, const struct followed *file,
			struct source *source, struct slice text)
{
	const char *last = NULL;
	size_t complete = 0;

	if (source->inside_long_line) {
		const char *end = memchr(text.start, '\n', text.length);

		if (!end)
			return;
		source->inside_long_line = false;
		text = slice_from(text, (size_t)(end + 1 - text.start));
	}
	last = text.length ? memrchr(text.start, '\n', text.length) : NULL;
	complete = last ? (size_t)(last + 1 - text.start) : 0;
	hand_out(follower, file, (struct slice){text.start, complete});
	keep_rest(source, slice_from(text, complete));
}

/* Reads a source to its present end. */
static void read_on(struct follower *follower, const struct followed *file, struct source *source)
{
	for (;;) {
		size_t kept = source->rest_length;
		size_t room = kept + READ_SIZE + SCANNER_PADDING;
		ssize_t got = 0;

		if (room > follower->capacity) {
			follower->capacity = room;
			follower->memory = table_resize(follower->memory, room);
		}
		if (kept)
			memcpy(follower->memory, source->rest, kept);
		memset(follower->memory + room - SCANNER_PADDING, 0, SCANNER_PADDING);
		got = pread(source->descriptor, follower->memory + kept, READ_SIZE, source->offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return;
		source->offset += got;
		append_text(follower, file, source,
			    (struct slice){follower->memory, kept + (size_t)got});
	}
}

/* A last line without its newline will not get one any more. */
static void finish(struct follower *follower, const struct followed *file, struct source *source)
{
	size_t length = source->rest_length;

	if (source->descriptor >= 0 && length > 0) {
		memcpy(follower->memory, source->rest, length);
		hand_out(follower, file, (struct slice){follower->memory, length});
	}
	source_close(source);
}

static void notice_truncation(const struct follower *follower, const struct followed *file,
			      struct source *source)
{
	struct stat status;

	if (fstat(source->descriptor, &status) != 0 || status.st_size >= source->offset)
		return;
	follower->remark(
		follower->context, file->path,
		"was truncated; read from its beginning. What was written between the last "
		"look, at most a second before, and then is not seen: rotate by renaming");
	source->offset = 0;
	source->rest_length = 0;
	source->inside_long_line = false;
}

/* True if another file than the one that is open has the name now. */
static bool is_replaced(const struct followed *file)
{
	struct stat status;

	return stat(file->path, &status) == 0 &&
	       (file->now.descriptor < 0 || status.st_dev != file->now.device ||
		status.st_ino != file->now.inode);
}

static void read_file(struct follower *follower, struct followed *file)
{
	struct source next;

	if (file->before.descriptor >= 0)
		read_on(follower, file, &file->before);
	if (file->now.descriptor >= 0) {
		notice_truncation(follower, file, &file->now);
		read_on(follower, file, &file->now);
	}
	if (!is_replaced(file) || !source_open(&next, file->path))
		return;
	finish(follower, file, &file->before);
	file->before = file->now;
	file->now = next;
	read_on(follower, file, &file->now);
}

static void forget_events(const struct follower *follower)
{
	char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

	/* What happened is seen by looking; the events only say that something did. */
	while (follower->inotify >= 0 && read(follower->inotify, events, sizeof(events)) > 0)
		continue;
}

void follower_read(struct follower *follower)
{
	forget_events(follower);
	for (size_t i = 0; i < follower->directory_count; i++)
		(void)look_into(follower, follower->directory[i]);
	for (size_t i = 0; i < follower->count; i++)
		read_file(follower, &follower->file[i]);
}
