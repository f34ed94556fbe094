#include "nn/compact_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vnni")))
#define INLINE inline __attribute__((always_inline)) TARGET

static INLINE __m512i add(__m512i sum, __m512i values, __m512i src) {
    return _mm512_dpbusd_epi32(sum, values, src);
}

static INLINE __m512i total(__m512i a, __m512i b) {
    return _mm512_add_epi32(a, b);
}

static INLINE __m512i begin_at(const int32_t *begin, int64_t i) {
    return _mm512_set1_epi32(begin[i]);
}

#include "nn/compact_blocks.h"
#include "nn/compact_dots.h"

TARGET void ar_compact_avx512_int8(const ar_compact_job *job) {
    multiply(job);
}

TARGET void ar_compact_dots_avx512_int8(const ar_compact_dots_job *job) {
    dots(job);
}
#endif
