/*
 * Reads a compressed log as the text that it was: gzip (RFC 1952), zstd (RFC
 * 8878), xz and bzip2, told by their first bytes, whatever the file is called. Several
 * members or frames behind each other are one text, as `cat a.gz b.gz` makes
 * them.
 *
 * What can be decoded is handed out, even if the rest is damaged or missing.
 */
#ifndef TLSWITNESS_DECODER_H
#define TLSWITNESS_DECODER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tools/base/slice.h"

enum decoder_format { DECODER_NONE, DECODER_GZIP, DECODER_ZSTD, DECODER_XZ, DECODER_BZIP2 };

/* As many bytes as decoder_recognise wants to see. */
#define DECODER_MAGIC_SIZE 6

/* What the bytes at the beginning of a file announce; DECODER_NONE: it is what it is. */
enum decoder_format decoder_recognise(struct slice beginning);

struct decoder;

/*
 * Decodes what `descriptor`, which stays the caller's, has behind `beginning`,
 * which was read already. End it with decoder_free.
 */
struct decoder *decoder_new(enum decoder_format format, int descriptor, struct slice beginning);

/* Up to `size` (at least 1) bytes of the text; 0 at its end, or where no more of it can be had. */
size_t decoder_read(struct decoder *decoder, char *to, size_t size);

/* Bytes of the compressed file that were read. */
uint64_t decoder_position(const struct decoder *decoder);

/* Why the text ended early, and at which byte of the file; NULL if it did not. The decoder's. */
const char *decoder_trouble(const struct decoder *decoder);

void decoder_free(struct decoder *decoder);

#endif
