#include "nn/compact.h"

#include "core/threads.h"
#include "nn/bf16.h"
#include "nn/compact_kernels.h"

#include <string.h>

/* A panel with a row of src. The lanes are independent, so the loop over them vectorises. */
static void int8_panel(int32_t *dst, const int8_t *src, const uint8_t *panel, int64_t steps,
                       int32_t begin) {
    int32_t sums[AR_COMPACT_ROWS];
    for (int r = 0; r < AR_COMPACT_ROWS; r++)
        sums[r] = begin;
    for (int64_t s = 0; s < steps; s++)
        for (int r = 0; r < AR_COMPACT_ROWS; r++)
            for (int v = 0; v < 4; v++)
                sums[r] += src[4 * s + v] * panel[(s * AR_COMPACT_ROWS + r) * 4 + v];
    memcpy(dst, sums, sizeof sums);
}

static void bf16_panel(float *dst, const uint16_t *src, const uint16_t *panel, int64_t steps) {
    float sums[AR_COMPACT_ROWS] = {0};
    for (int64_t s = 0; s < steps; s++)
        for (int r = 0; r < AR_COMPACT_ROWS; r++)
            for (int v = 0; v < 2; v++)
                sums[r] += ar_bf16_value(src[2 * s + v]) *
                           ar_bf16_value(panel[(s * AR_COMPACT_ROWS + r) * 2 + v]);
    memcpy(dst, sums, sizeof sums);
}

void ar_compact_portable(const ar_compact_job *job) {
    for (int64_t p = 0; p < job->panels; p++) {
        int64_t first = p * AR_COMPACT_ROWS, at = first * job->steps * 4;
        for (int64_t i = 0; i < job->count; i++)
            if (job->kind == AR_COMPACT_INT8)
                int8_panel((int32_t *)job->dst + i * job->dst_stride + first,
                           (const int8_t *)job->src + i * job->steps * 4,
                           (const uint8_t *)job->matrix + at, job->steps, job->begin[i]);
            else
                bf16_panel((float *)job->dst + i * job->dst_stride + first,
                           (const uint16_t *)job->src + i * job->steps * 2,
                           (const uint16_t *)job->matrix + at / 2, job->steps);
    }
}

static void int8_dots(const ar_compact_dots_job *job, int64_t i) {
    const int8_t *src = (const int8_t *)job->src + i * job->steps * 4;
    int32_t *dst = (int32_t *)job->dst + i * AR_COMPACT_ROWS;
    for (int r = 0; r < AR_COMPACT_ROWS; r++) {
        const uint8_t *row = job->rows[r];
        int32_t sum = job->begin[i];
        for (int64_t c = 0; c < job->steps * 4; c++)
            sum += src[c] * row[c];
        dst[r] = sum;
    }
}

/* Floats are not added in another order than is written, so lanes that vectorise are written. */
enum { DOT_LANES = 32 };

static void bf16_dots(const ar_compact_dots_job *job, int64_t i) {
    int64_t values = job->steps * 2;
    const uint16_t *src = (const uint16_t *)job->src + i * values;
    float *dst = (float *)job->dst + i * AR_COMPACT_ROWS;
    for (int r = 0; r < AR_COMPACT_ROWS; r++) {
        const uint16_t *row = job->rows[r];
        float sums[DOT_LANES] = {0};
        int64_t c = 0;
        for (; c + DOT_LANES <= values; c += DOT_LANES)
            for (int l = 0; l < DOT_LANES; l++)
                sums[l] += ar_bf16_value(src[c + l]) * ar_bf16_value(row[c + l]);
        for (int l = 0; c + l < values; l++)
            sums[l] += ar_bf16_value(src[c + l]) * ar_bf16_value(row[c + l]);
        for (int half = DOT_LANES / 2; half > 0; half /= 2)
            for (int l = 0; l < half; l++)
                sums[l] += sums[l + half];
        dst[r] = sums[0];
    }
}

void ar_compact_dots_portable(const ar_compact_dots_job *job) {
    for (int64_t i = 0; i < job->count; i++)
        (job->kind == AR_COMPACT_INT8 ? int8_dots : bf16_dots)(job, i);
}

bool ar_compact_has(ar_compact_set set, ar_compact_kind kind) {
#if defined(__x86_64__)
    if (set == AR_COMPACT_AVX512)
        return AR_HAS_AVX512("avx512f") && AR_HAS_AVX512("avx512bw") &&
               (kind == AR_COMPACT_INT8 ? AR_HAS_AVX512("avx512vnni")
                                        : AR_HAS_AVX512("avx512bf16"));
    if (set == AR_COMPACT_AVX2)
        return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
#endif
    (void)kind;
    return set == AR_COMPACT_PORTABLE;
}

void ar_compact_multiply_by(ar_compact_set set, const ar_compact_job *job) {
#if defined(__x86_64__)
    if (set == AR_COMPACT_AVX512) {
        (job->kind == AR_COMPACT_INT8 ? ar_compact_avx512_int8 : ar_compact_avx512_bf16)(job);
        return;
    }
    if (set == AR_COMPACT_AVX2) {
        ar_compact_avx2(job);
        return;
    }
#endif
    (void)set;
    ar_compact_portable(job);
}

static ar_compact_set best_set(ar_compact_kind kind) {
    ar_compact_set set = AR_COMPACT_AVX512;
    while (!ar_compact_has(set, kind))
        set--;
    return set;
}

void ar_compact_multiply(const ar_compact_job *job) {
    ar_compact_multiply_by(best_set(job->kind), job);
}

void ar_compact_dots_by(ar_compact_set set, const ar_compact_dots_job *job) {
#if defined(__x86_64__)
    if (set == AR_COMPACT_AVX512) {
        (job->kind == AR_COMPACT_INT8 ? ar_compact_dots_avx512_int8
                                      : ar_compact_dots_avx512_bf16)(job);
        return;
    }
    if (set == AR_COMPACT_AVX2) {
        ar_compact_dots_avx2(job);
        return;
    }
#endif
    (void)set;
    ar_compact_dots_portable(job);
}

void ar_compact_dots(const ar_compact_dots_job *job) {
    ar_compact_dots_by(best_set(job->kind), job);
}
