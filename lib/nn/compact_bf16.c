#include "nn/compact_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512bf16")))
#define INLINE inline __attribute__((always_inline)) TARGET

static INLINE __m512i add(__m512i sum, __m512i values, __m512i src) {
    return _mm512_castps_si512(
        _mm512_dpbf16_ps(_mm512_castsi512_ps(sum), (__m512bh)values, (__m512bh)src));
}

static INLINE __m512i total(__m512i a, __m512i b) {
    return _mm512_castps_si512(_mm512_add_ps(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b)));
}

static INLINE __m512i begin_at(const int32_t *begin, int64_t i) {
    (void)begin;
    (void)i;
    return _mm512_setzero_si512();
}

#include "nn/compact_blocks.h"
#include "nn/compact_dots.h"

TARGET void ar_compact_avx512_bf16(const ar_compact_job *job) {
    multiply(job);
}

TARGET void ar_compact_dots_avx512_bf16(const ar_compact_dots_job *job) {
    dots(job);
}
#endif
