/*
 * SHA-256 (FIPS 180-4) of what was read, so that an auditor can say of which files a
 * report was made.
 */
#ifndef TLSWITNESS_DIGEST_H
#define TLSWITNESS_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define DIGEST_SIZE 32

/* Of bytes that come piece by piece, in order. */
struct digest;

struct digest *digest_new(void);
void digest_add(struct digest *digest, const void *bytes, size_t length);

/* Ends it; false if it could not be computed. `digest` must still be freed. */
bool digest_finish(struct digest *digest, uint8_t sum[DIGEST_SIZE]);
void digest_free(struct digest *digest); /* NULL is allowed */

/*
 * Of the first `size` bytes of a file, whose position is left alone; false if there are
 * fewer by now, or they can't be read.
 */
bool digest_file(int descriptor, off_t size, uint8_t sum[DIGEST_SIZE]);

#endif
