/*
 * Knows OpenSSL's digests; must not know logs.
 *
 * Errors are kept to the end: whoever feeds a digest has other work to do.
 */
#include "tools/base/digest.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "tools/base/table.h"

/* Small enough for a core's own cache. */
#define PIECE_SIZE ((size_t)256 << 10)

struct digest {
	EVP_MD_CTX *context;
	bool failed;
};

struct digest *digest_new(void)
{
	struct digest *digest = table_allocate(sizeof(*digest));

	digest->context = EVP_MD_CTX_new();
	digest->failed =
		!digest->context || EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL) != 1;
	return digest;
}

void digest_add(struct digest *digest, const void *bytes, size_t length)
{
	if (!digest->failed)
		digest->failed = EVP_DigestUpdate(digest->context, bytes, length) != 1;
}

bool digest_finish(struct digest *digest, uint8_t sum[DIGEST_SIZE])
{
	if (!digest->failed)
		digest->failed = EVP_DigestFinal_ex(digest->context, sum, NULL) != 1;
	return !digest->failed;
}

void digest_free(struct digest *digest)
{
	if (!digest)
		return;
	EVP_MD_CTX_free(digest->context);
	free(digest);
}

/* Up to `size` bytes at `offset`; 0 where there are none, or they can't be read. */
static size_t read_piece(int descriptor, char *to, size_t size, off_t offset)
{
	ssize_t got = 0;

	do
		got = pread(descriptor, to, size, offset);
	while (got < 0 && errno == EINTR);
	return got > 0 ? (size_t)got : 0;
}

bool digest_file(int descriptor, off_t size, uint8_t sum[DIGEST_SIZE])
{
	struct digest *digest = digest_new();
	char *piece = table_allocate(PIECE_SIZE);
	off_t done = 0;
	bool ok = false;

	while (done < size) {
		size_t left = (size_t)(size - done);
		size_t got =
			read_piece(descriptor, piece, left < PIECE_SIZE ? left : PIECE_SIZE, done);

		if (got == 0)
			break;
		digest_add(digest, piece, got);
		done += (off_t)got;
	}
	ok = done == size && digest_finish(digest, sum);
	free(piece);
	digest_free(digest);
	return ok;
}
