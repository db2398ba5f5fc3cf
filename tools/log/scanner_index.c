/*
 * Knows bytes and bits; must not know JSON or records.
 */
#include "tools/log/scanner_index.h"

#include <string.h>

#define EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

static uint64_t load_word(const char *at)
{
	uint64_t word = 0;

	memcpy(&word, at, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

/* The top bit of each byte that is zero in `word`; exact, with no carry between bytes. */
static uint64_t zero_bytes(uint64_t word)
{
	uint64_t low = EACH_BYTE(0x7f);

	return ~(((word & low) + low) | word | low);
}

/* Eight top bits gathered into a byte, the first in memory lowest. */
static uint64_t gather(uint64_t top_bits)
{
	return ((top_bits >> 7) * UINT64_C(0x0102040810204080)) >> 56;
}

/* The top bit of each byte below 0x20 or above 0x7f. */
static uint64_t unusual_bytes(uint64_t word)
{
	uint64_t at_least_space = (word & EACH_BYTE(0x7f)) + EACH_BYTE(0x80 - 0x20);

	return (word | ~at_least_space) & EACH_BYTE(0x80);
}

/* The bits of the first `count` bytes of eight. */
static uint64_t first_bytes(size_t count)
{
	return count >= 8 ? ~UINT64_C(0) : (UINT64_C(1) << (8 * count)) - 1;
}

unsigned scanner_index_portable(const char *text, size_t length, uint64_t *quote)
{
	uint64_t backslashes = 0;
	uint64_t unusual = 0;

	for (size_t start = 0; start < length; start += 64) {
		uint64_t bits = 0;

		for (size_t part = 0; part < 64 && start + part < length; part += 8) {
			uint64_t word = load_word(text + start + part);
			uint64_t valid = first_bytes(length - start - part);

			bits |= gather(zero_bytes(word ^ EACH_BYTE('"')) & valid) << part;
			backslashes |= zero_bytes(word ^ EACH_BYTE('\\')) & valid;
			unusual |= unusual_bytes(word) & valid;
		}
		quote[start / 64] = bits;
	}
	return (backslashes ? SCANNER_BACKSLASH : 0U) | (unusual ? SCANNER_UNUSUAL : 0U);
}

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

/* The marks of 64 bytes: bit n stands for byte n. */
struct marks {
	uint64_t quote;
	uint64_t backslash;
	uint64_t unusual;
};

static unsigned finish(struct marks all)
{
	return (all.backslash ? SCANNER_BACKSLASH : 0U) | (all.unusual ? SCANNER_UNUSUAL : 0U);
}

static uint64_t first_bits(size_t count)
{
	return count >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << count) - 1;
}

/* Every x86-64 has SSE2. As signed bytes, control characters and non-ASCII are both below 0x20. */
static inline struct marks mark_sse2(const char *text)
{
	struct marks marks = {0, 0, 0};

	for (int part = 0; part < 4; part++) {
		__m128i bytes = _mm_loadu_si128(
			(const __m128i *)(const void *)(text + (size_t)16 * (size_t)part));
		uint64_t quote =
			(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')));
		uint64_t backslash =
			(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
		uint64_t unusual =
			(uint32_t)_mm_movemask_epi8(_mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)));

		marks.quote |= quote << (16 * part);
		marks.backslash |= backslash << (16 * part);
		marks.unusual |= unusual << (16 * part);
	}
	return marks;
}

static unsigned index_sse2(const char *text, size_t length, uint64_t *quote)
{
	struct marks all = {0, 0, 0};

	for (size_t start = 0; start < length; start += 64) {
		struct marks marks = mark_sse2(text + start);
		uint64_t valid = first_bits(length - start);

		quote[start / 64] = marks.quote & valid;
		all.backslash |= marks.backslash & valid;
		all.unusual |= marks.unusual & valid;
	}
	return finish(all);
}

__attribute__((target("avx2"))) static inline uint64_t equal_avx2(__m256i low, __m256i high,
								  char wanted)
{
	__m256i wanted_bytes = _mm256_set1_epi8(wanted);
	uint64_t low_bits = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, wanted_bytes));
	uint64_t high_bits = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, wanted_bytes));

	return low_bits | high_bits << 32;
}

__attribute__((target("avx2"))) static inline uint64_t unusual_avx2(__m256i low, __m256i high)
{
	__m256i space = _mm256_set1_epi8(0x20);
	uint64_t low_bits = (uint32_t)_mm256_movemask_epi8(_mm256_cmpgt_epi8(space, low));
	uint64_t high_bits = (uint32_t)_mm256_movemask_epi8(_mm256_cmpgt_epi8(space, high));

	return low_bits | high_bits << 32;
}

__attribute__((target("avx2"))) static inline struct marks mark_avx2(const char *text)
{
	const __m256i *at = (const __m256i *)(const void *)text;
	__m256i low = _mm256_loadu_si256(at);
	__m256i high = _mm256_loadu_si256(at + 1);

	return (struct marks){equal_avx2(low, high, '"'), equal_avx2(low, high, '\\'),
			      unusual_avx2(low, high)};
}

__attribute__((target("avx2"))) static unsigned index_avx2(const char *text, size_t length,
							   uint64_t *quote)
{
	struct marks all = {0, 0, 0};
	struct marks marks;
	uint64_t valid = first_bits(length % 64);
	size_t start = 0;

	for (; start + 64 <= length; start += 64) {
		marks = mark_avx2(text + start);
		quote[start / 64] = marks.quote;
		all.backslash |= marks.backslash;
		all.unusual |= marks.unusual;
	}
	if (valid) {
		marks = mark_avx2(text + start);
		quote[start / 64] = marks.quote & valid;
		all.backslash |= marks.backslash & valid;
		all.unusual |= marks.unusual & valid;
	}
	return finish(all);
}

scanner_index_function *scanner_index_best(void)
{
	return __builtin_cpu_supports("avx2") ? index_avx2 : index_sse2;
}

#else

scanner_index_function *scanner_index_best(void)
{
	return scanner_index_portable;
}

#endif
