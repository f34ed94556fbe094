#include "nn/panels.h"

#include "core/threads.h"
#include "nn/bf16.h"
#include "nn/panels_kernels.h"

#include <string.h>

int64_t ar_panels_count(int64_t rows) {
    return (rows + AR_PANEL_ROWS - 1) / AR_PANEL_ROWS;
}

/* From one panel to the next, in bytes. */
static int64_t panel_bytes(int64_t columns, bool bf16) {
    return AR_PANEL_ROWS * (bf16 ? (columns + 1) / 2 * 2 * (int64_t)sizeof(uint16_t)
                                 : columns * (int64_t)sizeof(float));
}

int64_t ar_panels_bytes(int64_t panels, int64_t columns, bool bf16) {
    return panels * panel_bytes(columns, bf16);
}

ar_panels ar_panels_pack(void *values, const float *matrix, int64_t stride, const int32_t *order,
                         int64_t rows, int64_t columns, bool bf16) {
    ar_panels packed = {values, rows, columns, bf16};
    int64_t panels = ar_panels_count(rows), step = panel_bytes(columns, bf16);
    memset(values, 0, (size_t)(panels * step));
    for (int64_t r = 0; r < rows; r++) {
        const float *row = matrix + (order != NULL ? order[r] : r) * stride;
        char *panel = (char *)values + r / AR_PANEL_ROWS * step;
        int64_t lane = r % AR_PANEL_ROWS;
        if (bf16) {
            uint16_t *to = (uint16_t *)(void *)panel + 2 * lane;
            for (int64_t c = 0; c < columns; c++)
                to[c / 2 * 2 * AR_PANEL_ROWS + c % 2] = ar_bf16_nearest(row[c]);
        } else {
            float *to = (float *)(void *)panel + lane;
            for (int64_t c = 0; c < columns; c++)
                to[c * AR_PANEL_ROWS] = row[c];
        }
    }
    return packed;
}

ar_panels ar_panels_part(const ar_panels *panels, int64_t first, int64_t count) {
    int64_t rows = panels->rows - first * AR_PANEL_ROWS;
    ar_panels part = *panels;
    part.values =
        (const char *)panels->values + ar_panels_bytes(first, panels->columns, panels->bf16);
    part.rows = rows < count * AR_PANEL_ROWS ? rows : count * AR_PANEL_ROWS;
    return part;
}

/* Four rows of a panel: as wide as the vectors that every machine has. */
enum { QUADS = 4, QUAD = AR_PANEL_ROWS / QUADS };

typedef float quad __attribute__((vector_size(QUAD * sizeof(float))));
typedef uint32_t quad_bits __attribute__((vector_size(QUAD * sizeof(float))));

/* The values of column c in a panel. */
static inline void load_column(quad values[QUADS], const char *panel, int64_t c, bool bf16) {
    if (!bf16) {
        memcpy(values, panel + c * AR_PANEL_ROWS * (int64_t)sizeof(float), QUADS * sizeof *values);
        return;
    }
    const char *pairs = panel + c / 2 * QUADS * (int64_t)sizeof(quad_bits);
    AR_UNROLL(4)
    for (int q = 0; q < QUADS; q++) {
        quad_bits pair; /* the first column in the lower half */
        memcpy(&pair, pairs + q * (int)sizeof pair, sizeof pair);
        pair = c % 2 == 0 ? pair << 16 : pair & 0xFFFF0000u;
        memcpy(&values[q], &pair, sizeof pair);
    }
}

/* One row of src with one panel, of which `rows` rows are there. */
static inline void multiply_row(float *dst, const float *src, const char *panel, int64_t columns,
                                const float *bias, int64_t rows, bool relu, bool bf16) {
    float result[AR_PANEL_ROWS] = {0};
    quad sums[QUADS];
    if (bias != NULL)
        memcpy(result, bias, (size_t)rows * sizeof *result);
    memcpy(sums, result, sizeof result);
    for (int64_t c = 0; c < columns; c++) {
        quad values[QUADS];
        load_column(values, panel, c, bf16);
        AR_UNROLL(4)
        for (int q = 0; q < QUADS; q++)
            sums[q] += src[c] * values[q];
    }
    memcpy(result, sums, sizeof result);
    for (int64_t r = 0; r < rows; r++)
        dst[r] = relu && result[r] < 0.0f ? 0.0f : result[r];
}

void ar_panels_portable(const ar_panels_job *job) {
    const ar_panels *matrix = job->matrix;
    int64_t step = panel_bytes(matrix->columns, matrix->bf16);
    for (int64_t first = 0; first < matrix->rows; first += AR_PANEL_ROWS) {
        const char *panel = (const char *)matrix->values + first / AR_PANEL_ROWS * step;
        const float *bias = job->bias != NULL ? job->bias + first : NULL;
        int64_t left = matrix->rows - first, rows = left < AR_PANEL_ROWS ? left : AR_PANEL_ROWS;
        for (int64_t i = 0; i < job->count; i++) {
            float *dst = job->dst + i * job->dst_stride + first;
            const float *src = job->src + i * job->src_stride;
            if (matrix->bf16)
                multiply_row(dst, src, panel, matrix->columns, bias, rows, job->relu, true);
            else
                multiply_row(dst, src, panel, matrix->columns, bias, rows, job->relu, false);
        }
    }
}

bool ar_panels_has(int set) {
#if defined(__x86_64__)
    if (set == AR_PANELS_AVX512)
        return AR_HAS_AVX512("avx512f");
    if (set == AR_PANELS_AVX2)
        return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
#endif
    return set == AR_PANELS_PORTABLE;
}

static void multiply(int set, const ar_panels_job *job) {
#if defined(__x86_64__)
    if (set == AR_PANELS_AVX512) {
        ar_panels_avx512(job);
        return;
    }
    if (set == AR_PANELS_AVX2) {
        ar_panels_avx2(job);
        return;
    }
#endif
    (void)set;
    ar_panels_portable(job);
}

void ar_panels_multiply_by(int set, float *dst, int64_t dst_stride, const float *src,
                           int64_t src_stride, int64_t count, const ar_panels *matrix,
                           const float *bias, bool relu) {
    multiply(set, &(ar_panels_job){dst, dst_stride, src, src_stride, count, matrix, bias, relu});
}

void ar_panels_multiply(float *dst, int64_t dst_stride, const float *src, int64_t src_stride,
                        int64_t count, const ar_panels *matrix, const float *bias, bool relu) {
    int set = ar_panels_has(AR_PANELS_AVX512) ? AR_PANELS_AVX512
              : ar_panels_has(AR_PANELS_AVX2) ? AR_PANELS_AVX2
                                              : AR_PANELS_PORTABLE;
    ar_panels_multiply_by(set, dst, dst_stride, src, src_stride, count, matrix, bias, relu);
}
