/* 64 bytes of a text looked at together: a bit for each, the first byte's lowest. Level: data. */
#ifndef AR_DATA_TEXT_BITS_H
#define AR_DATA_TEXT_BITS_H

#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { AR_TEXT_BLOCK = 64 };

/* The top bits of the eight bytes of word number `word` put with those before. */
static inline uint64_t ar_text_bits_gather(uint64_t bits, uint64_t tops, int word) {
    return bits | ((tops >> 7) * 0x0102040810204080u >> 56) << (8 * word);
}

/* The two below for any machine. */
static inline uint64_t ar_text_bits_portable_up_to(const char *bytes, char most) {
    const uint64_t ones = 0x0101010101010101u, tops = ones << 7;
    uint64_t bits = 0, word;
    for (int i = 0; i < AR_TEXT_BLOCK / 8; i++) {
        memcpy(&word, bytes + 8 * i, sizeof word);
        uint64_t above = ((word & ~tops) + ones * (uint64_t)(0x7F - most)) | word;
        bits = ar_text_bits_gather(bits, ~above & tops, i);
    }
    return bits;
}

static inline uint64_t ar_text_bits_portable_equal(const char *bytes, char wanted) {
    const uint64_t ones = 0x0101010101010101u, tops = ones << 7;
    uint64_t bits = 0, word;
    for (int i = 0; i < AR_TEXT_BLOCK / 8; i++) {
        memcpy(&word, bytes + 8 * i, sizeof word);
        uint64_t other = word ^ (ones * (uint64_t)wanted);
        bits = ar_text_bits_gather(bits, ~(((other & ~tops) + ~tops) | other) & tops, i);
    }
    return bits;
}

#if defined(__SSE2__)
static inline __m128i ar_text_bits_load(const char *bytes) {
    return _mm_loadu_si128((const __m128i *)(const void *)bytes);
}
#endif

/* Which of the 64 bytes are at most `most`, which is ASCII; all are taken as unsigned. */
static inline uint64_t ar_text_bits_up_to(const char *bytes, char most) {
#if defined(__SSE2__)
    uint64_t bits = 0;
    for (int i = 0; i < AR_TEXT_BLOCK; i += 16) {
        __m128i part = ar_text_bits_load(bytes + i);
        __m128i found = _mm_cmpeq_epi8(_mm_min_epu8(part, _mm_set1_epi8(most)), part);
        bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(found) << i;
    }
    return bits;
#else
    return ar_text_bits_portable_up_to(bytes, most);
#endif
}

/* Which of the 64 bytes are `wanted`, which is ASCII. */
static inline uint64_t ar_text_bits_equal(const char *bytes, char wanted) {
#if defined(__SSE2__)
    uint64_t bits = 0;
    for (int i = 0; i < AR_TEXT_BLOCK; i += 16) {
        __m128i found = _mm_cmpeq_epi8(ar_text_bits_load(bytes + i), _mm_set1_epi8(wanted));
        bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(found) << i;
    }
    return bits;
#else
    return ar_text_bits_portable_equal(bytes, wanted);
#endif
}

#endif
