#include "nn/panels.h"

#include "core/threads.h"
#include "nn/panels_kernels.h"

#include <string.h>

int64_t ar_panels_count(int64_t rows) {
    return (rows + AR_PANEL_ROWS - 1) / AR_PANEL_ROWS;
}

int64_t ar_panels_bytes(int64_t panels, int64_t columns) {
    return panels * columns * AR_PANEL_ROWS * (int64_t)sizeof(float);
}

ar_panels ar_panels_pack(void *values, const float *matrix, int64_t rows, int64_t columns) {
    memset(values, 0, (size_t)ar_panels_bytes(ar_panels_count(rows), columns));
    for (int64_t r = 0; r < rows; r++) {
        float *to = (float *)values + r / AR_PANEL_ROWS * AR_PANEL_ROWS * columns;
        for (int64_t c = 0; c < columns; c++)
            to[c * AR_PANEL_ROWS + r % AR_PANEL_ROWS] = matrix[r * columns + c];
    }
    return (ar_panels){values, rows, columns};
}

/* Four rows of a panel: as wide as the vectors that every machine has. */
enum { QUADS = 4, QUAD = AR_PANEL_ROWS / QUADS };

typedef float quad __attribute__((vector_size(QUAD * sizeof(float))));

/* One row of src with one panel, of which `rows` rows are there. */
static void multiply_row(float *dst, const float *src, const float *panel, int64_t columns,
                         const float *bias, int64_t rows, bool relu) {
    float result[AR_PANEL_ROWS] = {0};
    quad sums[QUADS];
    if (bias != NULL)
        memcpy(result, bias, (size_t)rows * sizeof *result);
    memcpy(sums, result, sizeof result);
    for (int64_t c = 0; c < columns; c++) {
        quad values[QUADS];
        memcpy(values, panel + c * AR_PANEL_ROWS, sizeof values);
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
    for (int64_t first = 0; first < matrix->rows; first += AR_PANEL_ROWS) {
        const float *bias = job->bias != NULL ? job->bias + first : NULL;
        int64_t left = matrix->rows - first, rows = left < AR_PANEL_ROWS ? left : AR_PANEL_ROWS;
        for (int64_t i = 0; i < job->count; i++)
            multiply_row(job->dst + i * job->dst_stride + first, job->src + i * job->src_stride,
                         matrix->values + first * matrix->columns, matrix->columns, bias, rows,
                         job->relu);
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
