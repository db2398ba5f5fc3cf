/*
 * Where lines come from: files, directories of logs, standard input.
 *
 * An input is handed out in blocks of whole lines, to as many threads as ask.
 * Of a regular file each thread reads its own block into its own memory; a line
 * belongs to the block in which it begins. (Reading was measured as fast as
 * mapping, and a log that is truncated meanwhile ends early instead of ending us
 * with SIGBUS.) A stream is read in turn, each reader handing the beginning of a
 * line that it could not finish to the next; so is what is compressed (decoder.h).
 */
#ifndef TLSWITNESS_INPUT_H
#define TLSWITNESS_INPUT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tools/log/decoder.h"
#include "tools/base/digest.h"
#include "tools/base/slice.h"

/* A line longer than this is no record; it is never held in memory as a whole. */
#define INPUT_LINE_MAX ((size_t)4 << 20)

/* What a thread takes of a file at once. */
#define INPUT_BLOCK_SIZE ((size_t)512 << 10)

/* And what of it is in memory at once: read and looked at, it leaves most of a core's own cache
 * to what is counted. With blocks in one piece, copying them out of the page cache alone took three
 * times as long. */
#define INPUT_PIECE_SIZE ((size_t)64 << 10)

struct input {
	char *name;
	int descriptor;  /* -1: not open */
	bool stream;     /* not a regular file, or compressed: read in turn */
	off_t size;      /* of a regular file, when it was opened */
	int error;       /* an errno of opening or reading; 0: none */
	char *trouble;   /* what was wrong with compressed data, and where; NULL: nothing */
	bool has_sha256; /* only if the set was asked for it, and what was read was read whole */
	uint8_t sha256[DIGEST_SIZE];

	/* What follows is the business of input.c, under the lock of its set. */
	uint64_t next_block;
	unsigned readers; /* blocks of it that are being worked on */
	bool ended;
	bool inside_long_line;
	struct decoder *decoder; /* NULL: not compressed */
	struct digest *digest;   /* NULL: not wanted, or not taken piece by piece */
	char *rest; /* of a stream: the beginning of a line that is still to be finished */
	size_t rest_length;
};

/* All inputs of a report, in order, and the next piece of work. */
struct input_set {
	struct input *input;
	struct input_identity *identities; /* of the files in it; private to input.c */
	size_t count;
	size_t capacity;
	size_t current;
	pthread_mutex_t lock;
	/* For a progress bar: bytes of the files as they lie there. */
	uint64_t total; /* 0 if that is not known */
	bool endless;   /* one of them is no file */
	uint64_t done;  /* atomic */
	/* Asks for the SHA-256 of each input as it lies there, compressed or not. What is no
	 * file has one too, unless it is compressed. */
	bool digests;
};

/* What a thread works on; its memory is used again for its next block. */
struct input_block {
	char *memory;
	size_t capacity;
	bool holds_input;
	size_t input;       /* index in the set */
	uint64_t number;    /* of the block in its input, from 0, without gaps; several pieces
			       in a row are of one block */
	struct slice lines; /* whole lines, the last of an input perhaps without its newline; at
			       least SCANNER_PADDING readable bytes follow */
	bool long_line;     /* the last line was longer than INPUT_LINE_MAX and is cut there */

	/* Of a regular file, the business of input.c: what is still to be read of the block. */
	off_t next;
	off_t end;
	bool is_within_line; /* what comes next belongs to a line of the block before */
	struct slice rest;   /* behind `lines`: the beginning of a line */
};

void input_set_init(struct input_set *set);

/*
 * Adds what `path` names: a file, "-", or a directory, of which all files whose
 * names end in ".jsonl" are added with their rotated siblings (".jsonl.1",
 * ".jsonl-20261101"; with ".gz", ".zst", ".xz" or ".bz2" behind it), the oldest first. What can't
 * be opened is added too, with its error, so that the report can say so.
 */
void input_set_add(struct input_set *set, const char *path);

/* Adds what can be read from `descriptor`, of which it takes a duplicate, under this name. */
void input_set_add_stream(struct input_set *set, const char *name, int descriptor);

/*
 * Fills `block` (zeroed before its first use) with the next lines of the set, perhaps
 * none, for which it gives back those that it held; false when there are none left.
 * Thread-safe.
 */
bool input_next(struct input_set *set, struct input_block *block);

/* Bytes of the files read so far, as they lie there; thread-safe. */
uint64_t input_set_done(const struct input_set *set);

void input_block_free(struct input_block *block);
void input_set_free(struct input_set *set);

#endif
