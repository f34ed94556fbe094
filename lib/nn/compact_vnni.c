#include "nn/compact_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vnni")))
#define INLINE inline __attribute__((always_inline)) TARGET

static INLINE __m512i add(__m512i sum, __m512i values, __m512i src) {
    return _mm512_dpbusd_epi32(sum, values, src);
}

static INLINE __m512i begin_at(const ar_compact_job *job, int64_t i) {
    return _mm512_set1_epi32(job->begin[i]);
}

#include "nn/compact_blocks.h"

TARGET void ar_compact_avx512_int8(const ar_compact_job *job) {
    multiply(job);
}
#endif
