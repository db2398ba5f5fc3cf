/*
 * Knows files and where lines end; must not know what is in them.
 */
#include "tools/log/input.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/log/scanner.h"
#include <uthash.h>

#include "tools/base/options.h"
#include "tools/base/put.h"
#include "tools/base/table.h"
#include "tools/base/terminal.h"

/* Read behind a block to finish its last line: longer than most lines of ours. */
#define TAIL_SIZE ((size_t)4096)

/* A file that is in the set already, by its identity. Few: uthash. */
struct input_identity {
	dev_t device;
	ino_t number;
	UT_hash_handle hh;
};

static void free_identities(struct input_set *set)
{
	struct input_identity *identity = set->identities;
	struct input_identity *next;

	HASH_CLEAR(hh, set->identities);
	for (; identity; identity = next) {
		next = identity->hh.next;
		free(identity);
	}
}

void input_set_init(struct input_set *set)
{
	*set = (struct input_set){0};
	pthread_mutex_init(&set->lock, NULL);
}

void input_set_free(struct input_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		if (set->input[i].descriptor > STDERR_FILENO)
			close(set->input[i].descriptor);
		decoder_free(set->input[i].decoder);
		digest_free(set->input[i].digest);
		free(set->input[i].trouble);
		free(set->input[i].rest);
		free(set->input[i].name);
	}
	free(set->input);
	free_identities(set);
	pthread_mutex_destroy(&set->lock);
}

static char *copy_text(const char *text)
{
	size_t size = strlen(text) + 1;

	return memcpy(table_allocate(size), text, size);
}

/* What there is to read of `name`, as far as that can be known before. */
static void add_to_total(struct input_set *set, const char *name)
{
	struct stat status;
	int result = strcmp(name, "-") == 0 ? fstat(STDIN_FILENO, &status) : stat(name, &status);

	if (result != 0)
		return;
	if (S_ISREG(status.st_mode))
		set->total += (uint64_t)status.st_size;
	else
		set->endless = true;
}

/* A directory beside a file in it, or two links to one file: it is read once. */
static bool is_known(struct input_set *set, const char *name)
{
	struct input_identity *known = NULL;
	struct {
		dev_t device;
		ino_t number;
	} key;
	struct stat status;

	memset(&key, 0, sizeof(key));
	if (strcmp(name, "-") == 0 || stat(name, &status) != 0 || !S_ISREG(status.st_mode))
		return false;
	key.device = status.st_dev;
	key.number = status.st_ino;
	HASH_FIND(hh, set->identities, &key, sizeof(key), known);
	if (known)
		return true;
	known = table_allocate(sizeof(*known));
	memset(known, 0, sizeof(*known));
	memcpy(&known->device, &key, sizeof(key));
	HASH_ADD(hh, set->identities, device, sizeof(key), known);
	return false;
}

static struct input *append(struct input_set *set, const char *name)
{
	add_to_total(set, name);
	if (set->count == set->capacity) {
		set->capacity = set->capacity ? set->capacity * 2 : 8;
		set->input = table_resize(set->input, set->capacity * sizeof(set->input[0]));
	}
	set->input[set->count] = (struct input){.name = copy_text(name), .descriptor = -1};
	return &set->input[set->count++];
}

static void fail(struct input *input, int error)
{
	input->error = error;
	input->ended = true;
}

static void add_done(struct input_set *set, uint64_t bytes)
{
	__atomic_add_fetch(&set->done, bytes, __ATOMIC_RELAXED);
}

uint64_t input_set_done(const struct input_set *set)
{
	return __atomic_load_n(&set->done, __ATOMIC_RELAXED);
}

/* Keeps what follows the last newline for the next block of the stream. */
static void keep_rest(struct input *input, const char *text, size_t length)
{
	input->rest = table_resize(input->rest, length);
	memcpy(input->rest, text, length);
	input->rest_length = length;
}

/* The first bytes of a file, which say whether it is compressed. Of a pipe they are gone then. */
static size_t read_beginning(struct input *input, char *to, size_t size)
{
	size_t got = 0;

	while (got < size) {
		ssize_t part = input->stream
				       ? read(input->descriptor, to + got, size - got)
				       : pread(input->descriptor, to + got, size - got, (off_t)got);

		if (part < 0 && errno == EINTR)
			continue;
		if (part < 0)
			fail(input, errno);
		if (part <= 0)
			break;
		got += (size_t)part;
	}
	return got;
}

static void look_whether_compressed(const struct input_set *set, struct input *input)
{
	char beginning[DECODER_MAGIC_SIZE];
	struct slice seen = {beginning, read_beginning(input, beginning, sizeof(beginning))};
	enum decoder_format format = decoder_recognise(seen);

	if (format != DECODER_NONE) {
		/* A file's position still is at its beginning. */
		input->decoder = decoder_new(format, input->descriptor,
					     input->stream ? seen : (struct slice){"", 0});
		input->stream = true;
	} else if (input->stream) {
		keep_rest(input, seen.start, seen.length);
		if (set->digests) {
			input->digest = digest_new();
			digest_add(input->digest, seen.start, seen.length);
		}
	}
}

/*
 * Opened only when its turn comes, and closed behind its last block: a directory
 * may hold more files than a process may have descriptors.
 */
static void open_input(const struct input_set *set, struct input *input)
{
	struct stat status;

	input->descriptor = strcmp(input->name, "-") == 0
				    ? STDIN_FILENO
				    : open(input->name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (input->descriptor < 0 || fstat(input->descriptor, &status) < 0) {
		fail(input, errno);
		return;
	}
	if (S_ISDIR(status.st_mode)) {
		fail(input, EISDIR);
		return;
	}
	/* Somebody may have read a part of standard input already: take it from there on. */
	input->stream = !S_ISREG(status.st_mode) || input->descriptor == STDIN_FILENO;
	input->size = status.st_size;
	if (!input->stream)
		posix_fadvise(input->descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
	look_whether_compressed(set, input);
}

void input_set_add_stream(struct input_set *set, const char *name, int descriptor)
{
	struct input *input = append(set, name);

	set->endless = true;
	input->stream = true;
	input->descriptor = fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (input->descriptor < 0) {
		fail(input, errno);
		input->ended = true;
	}
}

static bool is_compressed_suffix(const char *suffix)
{
	return *suffix == '\0' || strcmp(suffix, ".gz") == 0 || strcmp(suffix, ".zst") == 0 ||
	       strcmp(suffix, ".xz") == 0 || strcmp(suffix, ".bz2") == 0;
}

/* "x.jsonl", "x.jsonl.1", "x.jsonl-20261101", each perhaps compressed. */
static bool is_log_name(const char *name)
{
	static const char suffix[] = ".jsonl";
	const char *at = name[0] == '.' ? NULL : strstr(name, suffix);
	const char *rest = at ? at + sizeof(suffix) - 1 : NULL;

	if (!rest)
		return false;
	if ((*rest == '.' || *rest == '-') && rest[1] >= '0' && rest[1] <= '9')
		rest += 1 + strspn(rest + 1, "0123456789-");
	return is_compressed_suffix(rest);
}

static int is_log_entry(const struct dirent *entry)
{
	return is_log_name(entry->d_name);
}

/*
 * Oldest first within a log: dated siblings by their date, then ".2", ".1", then
 * the log itself. versionsort gives ".jsonl", ".jsonl.1", ".jsonl.2", so the
 * numbered ones are turned around.
 */
static int compare_entries(const struct dirent **a, const struct dirent **b)
{
	const char *suffix_a = strstr((*a)->d_name, ".jsonl");
	const char *suffix_b = strstr((*b)->d_name, ".jsonl");
	size_t stem_a = (size_t)(suffix_a - (*a)->d_name);
	size_t stem_b = (size_t)(suffix_b - (*b)->d_name);
	bool dated = suffix_a[6] == '-' && suffix_b[6] == '-';

	if (stem_a != stem_b || memcmp((*a)->d_name, (*b)->d_name, stem_a) != 0)
		return strverscmp((*a)->d_name, (*b)->d_name);
	if (dated)
		return strverscmp(suffix_a, suffix_b);
	if (suffix_a[6] == '-' || suffix_b[6] == '-')
		return suffix_a[6] == '-' ? -1 : 1;
	return -strverscmp(suffix_a, suffix_b);
}

/* "x.jsonl.1.gz" while "x.jsonl.1" is still there: its rotation is under way. */
static bool is_compressed_sibling(struct dirent **entries, int count, const char *name)
{
	const char *dot = strrchr(name, '.');
	size_t length = dot ? (size_t)(dot - name) : 0;

	if (!dot || *dot == '\0' || !is_compressed_suffix(dot))
		return false;
	for (int i = 0; i < count; i++) {
		if (strlen(entries[i]->d_name) == length &&
		    memcmp(entries[i]->d_name, name, length) == 0)
			return true;
	}
	return false;
}

static int is_other_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && entry->d_type != DT_DIR && !is_log_name(entry->d_name);
}

/* What lies beside the logs and is named otherwise is said, so that nobody thinks it was read. */
static void say_left_out(const char *path)
{
	enum { NAMED = 3 };
	struct dirent **entries = NULL;
	char *names = NULL;
	size_t size = 0;
	int count = scandir(path, &entries, is_other_file, alphasort);
	FILE *out = count > 0 ? open_memstream(&names, &size) : NULL;

	for (int i = 0; i < count; i++) {
		if (out && i < NAMED) {
			put_text(out, i ? ", " : "");
			terminal_put(out, slice_of(entries[i]->d_name), SIZE_MAX, false, false);
		}
		free(entries[i]);
	}
	free(entries);
	if (!out)
		return;
	if (count > NAMED)
		put_format(out, " and %d more", count - NAMED);
	if (fclose(out) == 0)
		complain("%s: not read, since not named *.jsonl: %s", path, names);
	free(names);
}

static void add_directory(struct input_set *set, const char *path)
{
	struct dirent **entries = NULL;
	int count = scandir(path, &entries, is_log_entry, compare_entries);
	size_t length = strlen(path);

	if (count < 0) {
		fail(append(set, path), errno);
		return;
	}
	say_left_out(path);
	while (length > 1 && path[length - 1] == '/')
		length--;
	for (int i = 0; i < count; i++) {
		char *name = NULL;

		if (asprintf(&name, "%.*s/%s", (int)length, path, entries[i]->d_name) < 0)
			table_out_of_memory();
		if (is_compressed_sibling(entries, count, entries[i]->d_name))
			complain("%s: not read, since the file that it was made of is still there",
				 name);
		else if (!is_known(set, name))
			append(set, name);
		free(name);
	}
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
}

void input_set_add(struct input_set *set, const char *path)
{
	struct stat status;

	if (strcmp(path, "-") != 0 && stat(path, &status) == 0 && S_ISDIR(status.st_mode))
		add_directory(set, path);
	else if (!is_known(set, path))
		append(set, path);
}

void input_block_free(struct input_block *block)
{
	free(block->memory);
	*block = (struct input_block){0};
}

/* Room for `size` bytes and the padding that the scanner may look at. */
static void reserve(struct input_block *block, size_t size)
{
	if (size + SCANNER_PADDING <= block->capacity)
		return;
	block->capacity = size + SCANNER_PADDING;
	block->memory = table_resize(block->memory, block->capacity);
	/* So that what lies behind the first lines is not "uninitialised". */
	memset(block->memory + size, 0, SCANNER_PADDING);
}

/* Reads `size` bytes at `offset`, or what there is. */
static size_t read_at(struct input *input, char *to, size_t size, off_t offset)
{
	size_t got = 0;

	while (got < size) {
		ssize_t part = pread(input->descriptor, to + got, size - got, offset + (off_t)got);

		if (part < 0 && errno == EINTR)
			continue;
		if (part < 0)
			__atomic_store_n(&input->error, errno, __ATOMIC_RELAXED);
		if (part <= 0)
			break;
		got += (size_t)part;
	}
	return got;
}

/* The next piece of what is compressed; its trouble, if any, is kept beyond the decoder. */
static size_t read_decoded(struct input_set *set, struct input *input, char *to, size_t size)
{
	uint64_t before = decoder_position(input->decoder);
	size_t got = decoder_read(input->decoder, to, size);
	const char *trouble = decoder_trouble(input->decoder);

	add_done(set, decoder_position(input->decoder) - before);
	if (got == 0 && trouble && !input->trouble)
		input->trouble = copy_text(trouble);
	return got;
}

/* The next piece of a stream; 0 at its end, which is then noted. */
static size_t read_some(struct input_set *set, struct input *input, char *to, size_t size)
{
	ssize_t got = 0;

	if (input->decoder) {
		got = (ssize_t)read_decoded(set, input, to, size);
	} else {
		do
			got = read(input->descriptor, to, size);
		while (got < 0 && errno == EINTR);
		if (got < 0)
			fail(input, errno);
		else
			add_done(set, (uint64_t)got);
	}
	if (got > 0) {
		if (input->digest)
			digest_add(input->digest, to, (size_t)got);
		return (size_t)got;
	}
	if (input->digest && !input->error)
		input->has_sha256 = digest_finish(input->digest, input->sha256);
	input->ended = true;
	return 0;
}

/*
 * Lengthens the `*length` bytes read from `offset` on until a line ends at or
 * behind `*length`; returns where it ends, or the file's end.
 */
static size_t finish_line(struct input *input, struct input_block *block, off_t offset,
			  size_t *length)
{
	size_t searched = *length;

	for (size_t more = TAIL_SIZE;; more *= 2) {
		const char *end = NULL;
		size_t got = 0;

		reserve(block, *length + more);
		got = read_at(input, block->memory + *length, more, offset + (off_t)*length);
		*length += got;
		end = memchr(block->memory + searched, '\n', *length - searched);
		if (end)
			return (size_t)(end - block->memory) + 1;
		if (got < more)
			return *length;
		if (*length - searched > INPUT_LINE_MAX) {
			block->long_line = true;
			return *length;
		}
	}
}

/*
 * The lines that begin in block `number` of a regular file. It is read from the
 * byte before it, which tells whether a line begins with the block.
 */
static void begin_file_block(const struct input *input, struct input_block *block)
{
	off_t start = (off_t)block->number * (off_t)INPUT_BLOCK_SIZE;

	block->end = start + (off_t)INPUT_BLOCK_SIZE;
	if (block->end > input->size)
		block->end = input->size;
	block->is_within_line = start > 0;
	block->next = start - block->is_within_line;
	block->rest = (struct slice){"", 0};
}

/* Reads on behind the rest of the piece before; returns what is in memory then. */
static size_t read_on(struct input *input, struct input_block *block)
{
	size_t wanted = INPUT_PIECE_SIZE;
	size_t length = block->rest.length;
	size_t got = 0;

	if (block->end - block->next < (off_t)wanted)
		wanted = (size_t)(block->end - block->next);
	/* The rest lies in that memory itself, which may move. */
	if (length > 0)
		memmove(block->memory, block->rest.start, length);
	block->rest = (struct slice){"", 0};
	reserve(block, length + wanted);
	got = read_at(input, block->memory + length, wanted, block->next);
	block->next += (off_t)got;
	/* It is shorter than it was. */
	if (got < wanted)
		block->end = block->next;
	return length + got;
}

/* The next lines of a block that is not at its end; none where no line ends, or none begins. */
static void read_file_piece(struct input *input, struct input_block *block)
{
	size_t length = read_on(input, block);
	size_t first = 0;
	size_t end = length;
	const char *newline = NULL;

	block->lines = (struct slice){"", 0};
	block->long_line = false;
	if (block->is_within_line) {
		newline = memchr(block->memory, '\n', length);
		if (!newline)
			return;
		block->is_within_line = false;
		first = (size_t)(newline - block->memory) + 1;
	}
	/* A newline in the last byte begins its line in the next block. */
	if (first >= length)
		return;
	if (block->next < block->end) {
		newline = memrchr(block->memory + first, '\n', length - first);
		end = newline ? (size_t)(newline - block->memory) + 1 : first;
		block->rest = (struct slice){block->memory + end, length - end};
	} else if (block->memory[length - 1] != '\n') {
		end = finish_line(input, block, block->next - (off_t)length, &length);
	}
	block->lines = (struct slice){block->memory + first, end - first};
}

/* Reads on to the end of a line of which more than INPUT_LINE_MAX was seen. */
static void skip_long_line(struct input_set *set, struct input *input, struct input_block *block)
{
	while (input->inside_long_line && !input->ended) {
		size_t got = read_some(set, input, block->memory, INPUT_BLOCK_SIZE);
		const char *newline = memchr(block->memory, '\n', got);

		if (!newline)
			continue;
		input->inside_long_line = false;
		keep_rest(input, newline + 1, got - (size_t)(newline + 1 - block->memory));
	}
}

/* The next lines of a stream; nothing only at its end. Called under the lock. */
static void read_stream_block(struct input_set *set, struct input *input, struct input_block *block)
{
	size_t length = 0;
	const char *newline = NULL;

	block->long_line = false;
	reserve(block, INPUT_BLOCK_SIZE);
	skip_long_line(set, input, block);
	length = input->rest_length;
	reserve(block, length + INPUT_BLOCK_SIZE);
	memcpy(block->memory, input->rest ? input->rest : "", length);
	input->rest_length = 0;
	/* What was kept of a long line's end may hold whole lines already. */
	newline = length ? memrchr(block->memory, '\n', length) : NULL;
	while (!newline && !input->ended) {
		size_t got = 0;

		reserve(block, length + INPUT_BLOCK_SIZE);
		got = read_some(set, input, block->memory + length, INPUT_BLOCK_SIZE);
		newline = memrchr(block->memory + length, '\n', got);
		length += got;
		if (!newline && length > INPUT_LINE_MAX) {
			block->long_line = true;
			input->inside_long_line = true;
			break;
		}
	}
	block->lines = (struct slice){block->memory, length};
	if (newline) {
		block->lines.length = (size_t)(newline - block->memory) + 1;
		keep_rest(input, newline + 1, length - block->lines.length);
	}
}

static bool has_more(const struct input *input)
{
	if (input->ended)
		return false;
	return input->stream || (off_t)input->next_block * (off_t)INPUT_BLOCK_SIZE < input->size;
}

/* Gives back the input of the block before. Called under the lock. */
static void release(struct input_set *set, struct input_block *block)
{
	struct input *input = NULL;

	if (!block->holds_input)
		return;
	block->holds_input = false;
	input = &set->input[block->input];
	input->readers--;
	if (input->readers > 0 || has_more(input) || input->descriptor <= STDERR_FILENO)
		return;
	close(input->descriptor);
	input->descriptor = -1;
	input->ended = true;
	decoder_free(input->decoder);
	input->decoder = NULL;
	free(input->rest);
	input->rest = NULL;
}

/*
 * Takes the digest of a file in one go, beside those who read its blocks: they read
 * them in no order. Standard input is taken as it comes, since a part of it may be gone.
 */
static void keep_digest(const struct input_set *set, struct input *input)
{
	struct stat status;

	if (!set->digests || input->descriptor <= STDERR_FILENO ||
	    fstat(input->descriptor, &status) < 0 || !S_ISREG(status.st_mode))
		return;
	input->has_sha256 = digest_file(input->descriptor, input->size, input->sha256);
}

/* The input whose turn it is, opened; NULL when all are done. Called under the lock. */
static struct input *current_input(struct input_set *set)
{
	for (; set->current < set->count; set->current++) {
		struct input *input = &set->input[set->current];

		if (input->descriptor < 0 && !input->ended)
			open_input(set, input);
		if (has_more(input))
			return input;
		/* Of an empty file there is no block with which it could be taken. */
		if (input->next_block == 0)
			keep_digest(set, input);
	}
	return NULL;
}

bool input_next(struct input_set *set, struct input_block *block)
{
	struct input *input = NULL;
	bool stream = false;

	/* More of what this thread has taken already: nobody else's business. */
	if (block->holds_input && block->next < block->end) {
		read_file_piece(&set->input[block->input], block);
		return true;
	}
	pthread_mutex_lock(&set->lock);
	release(set, block);
	input = current_input(set);
	if (input) {
		input->readers++;
		block->holds_input = true;
		block->input = set->current;
		block->number = input->next_block++;
		block->next = block->end = 0;
		stream = input->stream;
		if (stream)
			read_stream_block(set, input, block);
	}
	pthread_mutex_unlock(&set->lock);
	if (input && block->number == 0)
		keep_digest(set, input);
	if (input && !stream) {
		begin_file_block(input, block);
		read_file_piece(input, block);
		add_done(set, INPUT_BLOCK_SIZE);
	}
	return input != NULL;
}
