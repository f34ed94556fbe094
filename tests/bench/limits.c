#include "bench/limits.h"

#if defined(__x86_64__)
#include <immintrin.h>

enum { CHAINS = 12, ROUNDS = 20000 };

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vnni,avx512bf16")))

static volatile int64_t sink;

AVX512 static int64_t read_part(const char *bytes, int64_t count) {
    __m512i sums[8] = {0};
    int64_t i = 0;
    for (; i + 512 <= count; i += 512)
        for (int j = 0; j < 8; j++)
            sums[j] = _mm512_add_epi64(sums[j], _mm512_loadu_si512(bytes + i + 64 * j));
    for (int j = 1; j < 8; j++)
        sums[0] = _mm512_add_epi64(sums[0], sums[j]);
    return _mm512_reduce_add_epi64(sums[0]);
}

void limit_read(const void *bytes, int64_t count, int threads) {
    if (threads == 1) {
        sink = read_part(bytes, count);
        return;
    }
#pragma omp parallel for schedule(static, 1) num_threads(threads)
    for (int t = 0; t < threads; t++)
        sink = read_part((const char *)bytes + count / threads * t, count / threads);
}

AVX512 static void run_f32(void) {
    __m512 sums[CHAINS], x = _mm512_set1_ps(0.5f);
    for (int j = 0; j < CHAINS; j++)
        sums[j] = _mm512_set1_ps((float)j);
    for (int i = 0; i < ROUNDS; i++)
        for (int j = 0; j < CHAINS; j++)
            sums[j] = _mm512_fmadd_ps(sums[j], x, x);
    for (int j = 0; j < CHAINS; j++)
        sink = (int64_t)_mm512_reduce_add_ps(sums[j]);
}

AVX512 static void run_bf16(void) {
    __m512 sums[CHAINS];
    __m512i x = _mm512_set1_epi32(0x3F003F00);
    for (int j = 0; j < CHAINS; j++)
        sums[j] = _mm512_set1_ps((float)j);
    for (int i = 0; i < ROUNDS; i++)
        for (int j = 0; j < CHAINS; j++)
            sums[j] = _mm512_dpbf16_ps(sums[j], (__m512bh)x, (__m512bh)x);
    for (int j = 0; j < CHAINS; j++)
        sink = (int64_t)_mm512_reduce_add_ps(sums[j]);
}

AVX512 static void run_int8(void) {
    __m512i sums[CHAINS], x = _mm512_set1_epi8(3);
    for (int j = 0; j < CHAINS; j++)
        sums[j] = _mm512_set1_epi32(j);
    for (int i = 0; i < ROUNDS; i++)
        for (int j = 0; j < CHAINS; j++)
            sums[j] = _mm512_dpbusd_epi32(sums[j], x, x);
    for (int j = 0; j < CHAINS; j++)
        sink = _mm512_reduce_add_epi32(sums[j]);
}

double limit_run(limit_kind kind, int threads) {
    static void (*const run[])(void) = {run_f32, run_bf16, run_int8};
    static const double operations[] = {32.0, 64.0, 128.0};
    if (__builtin_cpu_supports("avx512bf16") == 0 || __builtin_cpu_supports("avx512vnni") == 0)
        return 0.0;
    if (threads == 1)
        run[kind]();
    else {
#pragma omp parallel for schedule(static, 1) num_threads(threads)
        for (int t = 0; t < threads; t++)
            run[kind]();
    }
    return operations[kind] * CHAINS * ROUNDS * threads;
}
#else
void limit_read(const void *bytes, int64_t count, int threads) {
    (void)bytes;
    (void)count;
    (void)threads;
}

double limit_run(limit_kind kind, int threads) {
    (void)kind;
    (void)threads;
    return 0.0;
}
#endif
