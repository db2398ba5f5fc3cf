/*
 * Knows compressed formats; must not know what is compressed.
 */
#include "tools/log/decoder.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "tools/base/table.h"

#define SOURCE_SIZE ((size_t)64 << 10)

/*
 * As much as the most that xz and zstd use unless told to use more (xz -9: 65 MiB;
 * zstd -19: 8 MiB, --long: 128 MiB), and no file can ask us for all memory.
 */
#define XZ_MEMORY_MAX    (UINT64_C(256) << 20)
#define TROUBLE_TEXT_MAX 128

struct decoder {
	enum decoder_format format;
	int descriptor;
	union {
		z_stream gzip;
		ZSTD_DStream *zstd;
		lzma_stream xz;
		bz_stream bzip2;
	};
	uint64_t taken; /* bytes of the file that are decoded */
	size_t start;   /* what is read and not decoded: source[start] to source[end] */
	size_t end;
	bool file_ended;
	bool ended;  /* nothing more comes out */
	bool inside; /* a member or frame has begun and not ended */
	char trouble[TROUBLE_TEXT_MAX];
	unsigned char source[SOURCE_SIZE];
};

enum decoder_format decoder_recognise(struct slice beginning)
{
	static const struct {
		enum decoder_format format;
		struct slice magic;
	} formats[] = {
		{DECODER_GZIP, {"\x1f\x8b\x08", 3}},
		{DECODER_BZIP2, {"BZh", 3}},
		{DECODER_ZSTD, {"\x28\xb5\x2f\xfd", 4}},
		{DECODER_XZ,
		 {"\xfd"
		  "7zXZ\0",
		  6}},
	};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (beginning.length >= formats[i].magic.length &&
		    memcmp(beginning.start, formats[i].magic.start, formats[i].magic.length) == 0)
			return formats[i].format;
	}
	return DECODER_NONE;
}

static bool begin(struct decoder *decoder)
{
	switch (decoder->format) {
	case DECODER_GZIP:
		return inflateInit2(&decoder->gzip, MAX_WBITS + 16) == Z_OK;
	case DECODER_ZSTD:
		decoder->zstd = ZSTD_createDStream();
		return decoder->zstd != NULL;
	case DECODER_BZIP2:
		return BZ2_bzDecompressInit(&decoder->bzip2, 0, 0) == BZ_OK;
	default:
		decoder->xz = (lzma_stream)LZMA_STREAM_INIT;
		return lzma_stream_decoder(&decoder->xz, XZ_MEMORY_MAX, LZMA_CONCATENATED) ==
		       LZMA_OK;
	}
}

struct decoder *decoder_new(enum decoder_format format, int descriptor, struct slice beginning)
{
	struct decoder *decoder = table_allocate(sizeof(*decoder));

	memset(decoder, 0, sizeof(*decoder));
	decoder->format = format;
	decoder->descriptor = descriptor;
	decoder->inside = true;
	memcpy(decoder->source, beginning.start, beginning.length);
	decoder->end = beginning.length;
	if (!begin(decoder))
		table_out_of_memory();
	return decoder;
}

void decoder_free(struct decoder *decoder)
{
	if (!decoder)
		return;
	if (decoder->format == DECODER_GZIP)
		(void)inflateEnd(&decoder->gzip);
	else if (decoder->format == DECODER_ZSTD)
		(void)ZSTD_freeDStream(decoder->zstd);
	else if (decoder->format == DECODER_BZIP2)
		(void)BZ2_bzDecompressEnd(&decoder->bzip2);
	else
		lzma_end(&decoder->xz);
	free(decoder);
}

uint64_t decoder_position(const struct decoder *decoder)
{
	return decoder->taken + (decoder->end - decoder->start);
}

const char *decoder_trouble(const struct decoder *decoder)
{
	return decoder->trouble[0] ? decoder->trouble : NULL;
}

static void stop(struct decoder *decoder, const char *what, const char *detail)
{
	decoder->ended = true;
	(void)snprintf(decoder->trouble, sizeof(decoder->trouble), "%s at byte %" PRIu64 "%s%s",
		       what, decoder->taken, detail ? ": " : "", detail ? detail : "");
}

/* Reads more of the file when all that was read is decoded. */
static void fill_source(struct decoder *decoder)
{
	while (decoder->start == decoder->end && !decoder->file_ended && !decoder->ended) {
		ssize_t got = read(decoder->descriptor, decoder->source, sizeof(decoder->source));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			stop(decoder, "can't be read on", strerror(errno));
		decoder->file_ended = got == 0;
		decoder->start = 0;
		decoder->end = got > 0 ? (size_t)got : 0;
	}
}

/* Bytes went in, as many as the library took. */
static void took(struct decoder *decoder, size_t left)
{
	size_t used = decoder->end - decoder->start - left;

	decoder->taken += used;
	decoder->start += used;
}

/*
 * Between members: a next one begins with its magic; zeros are padding (tapes, and
 * files that were extended before they were written); anything else is no part of it.
 */
static void between_gzip_members(struct decoder *decoder)
{
	unsigned char byte = decoder->source[decoder->start];

	if (byte == 0) {
		decoder->start++;
		decoder->taken++;
	} else if (byte == 0x1f) {
		decoder->inside = inflateReset(&decoder->gzip) == Z_OK;
	} else {
		stop(decoder, "no more gzip data, but something else", NULL);
	}
}

static size_t read_gzip(struct decoder *decoder, char *to, size_t size)
{
	z_stream *stream = &decoder->gzip;
	int result = Z_OK;

	if (!decoder->inside) {
		between_gzip_members(decoder);
		return 0;
	}
	stream->next_in = decoder->source + decoder->start;
	stream->avail_in = (uInt)(decoder->end - decoder->start);
	stream->next_out = (Bytef *)to;
	stream->avail_out = (uInt)size;
	result = inflate(stream, Z_NO_FLUSH);
	took(decoder, stream->avail_in);
	if (result == Z_STREAM_END)
		decoder->inside = false;
	else if (result == Z_MEM_ERROR)
		table_out_of_memory();
	else if (result != Z_OK && result != Z_BUF_ERROR)
		stop(decoder, "damaged gzip data", stream->msg);
	return size - stream->avail_out;
}

static size_t read_zstd(struct decoder *decoder, char *to, size_t size)
{
	ZSTD_inBuffer in = {decoder->source + decoder->start, decoder->end - decoder->start, 0};
	ZSTD_outBuffer out = {to, size, 0};
	size_t result = ZSTD_decompressStream(decoder->zstd, &out, &in);

	took(decoder, in.size - in.pos);
	if (ZSTD_isError(result))
		stop(decoder, "damaged zstd data", ZSTD_getErrorName(result));
	/* 0: a frame is complete and handed out; the next call begins another. */
	decoder->inside = result != 0;
	return out.pos;
}

static const char *xz_reason(lzma_ret result)
{
	switch (result) {
	case LZMA_MEMLIMIT_ERROR:
		return "it wants more than 256 MiB of memory";
	case LZMA_OPTIONS_ERROR:
		return "it uses what this liblzma does not know";
	case LZMA_FORMAT_ERROR:
		return "not xz";
	default:
		return NULL;
	}
}

static size_t read_xz(struct decoder *decoder, char *to, size_t size)
{
	lzma_stream *stream = &decoder->xz;
	lzma_ret result = LZMA_OK;

	stream->next_in = decoder->source + decoder->start;
	stream->avail_in = decoder->end - decoder->start;
	stream->next_out = (uint8_t *)to;
	stream->avail_out = size;
	result = lzma_code(stream, decoder->file_ended ? LZMA_FINISH : LZMA_RUN);
	took(decoder, stream->avail_in);
	if (result == LZMA_STREAM_END) {
		decoder->inside = false;
		decoder->ended = true;
	} else if (result == LZMA_MEM_ERROR) {
		table_out_of_memory();
	} else if (result == LZMA_BUF_ERROR && decoder->file_ended) {
		stop(decoder, "cut short: the xz data end", NULL);
	} else if (result != LZMA_OK && result != LZMA_BUF_ERROR) {
		stop(decoder, "damaged xz data", xz_reason(result));
	}
	return size - stream->avail_out;
}

/* Between streams: another one begins with its magic. */
static void between_bzip2_streams(struct decoder *decoder)
{
	if (decoder->source[decoder->start] != 'B') {
		stop(decoder, "no more bzip2 data, but something else", NULL);
		return;
	}
	(void)BZ2_bzDecompressEnd(&decoder->bzip2);
	decoder->bzip2 = (bz_stream){.bzalloc = NULL};
	decoder->inside = BZ2_bzDecompressInit(&decoder->bzip2, 0, 0) == BZ_OK;
}

static size_t read_bzip2(struct decoder *decoder, char *to, size_t size)
{
	bz_stream *stream = &decoder->bzip2;
	int result = BZ_OK;

	if (!decoder->inside) {
		between_bzip2_streams(decoder);
		return 0;
	}
	stream->next_in = (char *)decoder->source + decoder->start;
	stream->avail_in = (unsigned)(decoder->end - decoder->start);
	stream->next_out = to;
	stream->avail_out = (unsigned)size;
	result = BZ2_bzDecompress(stream);
	took(decoder, stream->avail_in);
	if (result == BZ_STREAM_END)
		decoder->inside = false;
	else if (result == BZ_MEM_ERROR)
		table_out_of_memory();
	else if (result != BZ_OK)
		stop(decoder, "damaged bzip2 data", NULL);
	return size - stream->avail_out;
}

static size_t decode(struct decoder *decoder, char *to, size_t size)
{
	if (decoder->format == DECODER_XZ)
		return read_xz(decoder, to, size);
	if (decoder->format == DECODER_BZIP2)
		return read_bzip2(decoder, to, size);
	/* Nothing left to decode, but the library may still hold some of the text. */
	return decoder->format == DECODER_GZIP ? read_gzip(decoder, to, size)
					       : read_zstd(decoder, to, size);
}

/* True if the file has ended and the library has nothing more to give. */
static void end_of_file(struct decoder *decoder)
{
	static const char *const cut[] = {
		[DECODER_GZIP] = "cut short: the gzip data end",
		[DECODER_ZSTD] = "cut short: the zstd data end",
		[DECODER_BZIP2] = "cut short: the bzip2 data end",
	};

	decoder->ended = true;
	if (decoder->inside)
		stop(decoder, cut[decoder->format], NULL);
}

size_t decoder_read(struct decoder *decoder, char *to, size_t size)
{
	while (!decoder->ended) {
		size_t got = 0;
		bool dry = false;

		fill_source(decoder);
		if (decoder->ended)
			break;
		dry = decoder->start == decoder->end;
		/* Between members, and at the end of the file: all is said. */
		if (dry && !decoder->inside && decoder->format != DECODER_XZ) {
			end_of_file(decoder);
			break;
		}
		got = decode(decoder, to, size);
		if (got > 0)
			return got;
		if (dry && decoder->format != DECODER_XZ)
			end_of_file(decoder);
	}
	return 0;
}
