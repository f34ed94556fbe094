#include "nn/weight_matrix.h"

#include "core/threads.h"
#include "nn/bf16.h"
#include "nn/compact.h"
#include "nn/panels.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum {
    TILE_BYTES = 1 << 18, /* of panels that stay in a core's cache while src is multiplied */
    INT8_TILE = 8,        /* panels whose int32 products stay there as well */
    PARTS = 2,            /* codes of a value of src beside int8: 256 * coarse + fine */
    ALIGNMENT = 16        /* floats */
};

static ar_compact_kind kind_of(ar_weight_format format) {
    return format == AR_WEIGHTS_INT8 ? AR_COMPACT_INT8 : AR_COMPACT_BF16;
}

static int64_t panel_bytes(int64_t columns, ar_weight_format format) {
    return ar_compact_steps(kind_of(format), columns) * AR_COMPACT_ROWS * 4;
}

static int64_t align(int64_t floats) {
    return (floats + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* ---- Packing ---- */

int64_t ar_weight_matrix_bytes(int64_t rows, int64_t columns, ar_weight_format format) {
    int64_t panels = ar_panels_count(rows);
    if (format == AR_WEIGHTS_F32)
        return ar_panels_bytes(panels, columns);
    int64_t scales = format == AR_WEIGHTS_INT8 ? AR_COMPACT_ROWS * (int64_t)sizeof(float) : 0;
    return panels * (panel_bytes(columns, format) + scales);
}

static void pack_bf16(ar_bf16 *values, const float *matrix, int64_t rows, int64_t columns) {
    int64_t panel = panel_bytes(columns, AR_WEIGHTS_BF16) / (int64_t)sizeof *values;
    for (int64_t r = 0; r < rows; r++) {
        ar_bf16 *to = values + r / AR_COMPACT_ROWS * panel + r % AR_COMPACT_ROWS * 2;
        for (int64_t c = 0; c < columns; c++)
            to[c / 2 * 2 * AR_COMPACT_ROWS + c % 2] = ar_bf16_nearest(matrix[r * columns + c]);
    }
}

static float largest_of(const float *row, int64_t columns) {
    float largest = 0.0f;
    for (int64_t c = 0; c < columns; c++)
        largest = fmaxf(largest, fabsf(row[c]));
    return largest;
}

/* Scales [panels * 16] behind the panels; of the rows that fill the last one up they are 0. */
static float *scales_of(const void *values, int64_t rows, int64_t columns) {
    int64_t bytes = ar_panels_count(rows) * panel_bytes(columns, AR_WEIGHTS_INT8);
    return (float *)(void *)((char *)(uintptr_t)values + bytes);
}

static void pack_int8(uint8_t *values, const float *matrix, int64_t rows, int64_t columns) {
    int64_t panel = panel_bytes(columns, AR_WEIGHTS_INT8);
    float *scales = scales_of(values, rows, columns);
    memset(values, 128, (size_t)(ar_panels_count(rows) * panel));
    for (int64_t r = 0; r < rows; r++) {
        const float *row = matrix + r * columns;
        uint8_t *to = values + r / AR_COMPACT_ROWS * panel + r % AR_COMPACT_ROWS * 4;
        double scale = (double)largest_of(row, columns) / 127.0;
        scales[r] = (float)scale;
        for (int64_t c = 0; c < columns && scales[r] > 0.0f; c++)
            to[c / 4 * 4 * AR_COMPACT_ROWS + c % 4] =
                (uint8_t)(128 + (int)nearbyint((double)row[c] / scale));
    }
}

ar_weight_matrix ar_weight_matrix_pack(void *values, const float *matrix, int64_t rows,
                                       int64_t columns, ar_weight_format format) {
    if (format == AR_WEIGHTS_F32)
        ar_panels_pack(values, matrix, rows, columns);
    else {
        memset(values, 0, (size_t)ar_weight_matrix_bytes(rows, columns, format));
        if (format == AR_WEIGHTS_BF16)
            pack_bf16(values, matrix, rows, columns);
        else
            pack_int8(values, matrix, rows, columns);
    }
    return (ar_weight_matrix){values, rows, columns, format};
}

/* ---- Products ---- */

/* What a product of int8 needs beside its operands. */
typedef struct coded {
    int8_t *codes;   /* [count, PARTS, 4 steps] */
    int32_t *begins; /* [count, PARTS] */
    float *scales;   /* [count] */
    int32_t *sums;   /* [count, PARTS, INT8_TILE * 16] */
    int64_t used;    /* floats */
} coded;

static coded lay_out(float *work, int64_t count, int64_t steps) {
    int64_t begins = align(count * PARTS * steps), scales = begins + align(count * PARTS);
    int64_t sums = scales + align(count);
    return (coded){.codes = (int8_t *)work,
                   .begins = (int32_t *)(void *)(work + begins),
                   .scales = work + scales,
                   .sums = (int32_t *)(void *)(work + sums),
                   .used = sums + count * PARTS * INT8_TILE * AR_COMPACT_ROWS};
}

int64_t ar_weight_matrix_work(int64_t count, int64_t columns, ar_weight_format format) {
    static float none[1];
    int64_t steps = ar_compact_steps(kind_of(format), columns);
    return format == AR_WEIGHTS_F32    ? 0
           : format == AR_WEIGHTS_BF16 ? count * steps
                                       : lay_out(none, count, steps).used;
}

AR_CLONES static void finish_row(float *row, const float *bias, int64_t columns, bool relu) {
    for (int64_t c = 0; c < columns; c++) {
        float value = row[c] + bias[c];
        row[c] = relu && value < 0.0f ? 0.0f : value;
    }
}

static void multiply_bf16(float *dst, int64_t dst_stride, const float *src, int64_t src_stride,
                          int64_t count, const ar_weight_matrix *matrix, ar_bf16 *rounded) {
    int64_t steps = ar_compact_steps(AR_COMPACT_BF16, matrix->columns);
    int64_t bytes = panel_bytes(matrix->columns, AR_WEIGHTS_BF16);
    int64_t panels = ar_panels_count(matrix->rows), tile = TILE_BYTES / bytes;
    for (int64_t i = 0; i < count; i++) {
        ar_bf16 *row = rounded + i * steps * 2;
        row[steps * 2 - 1] = 0; /* of a pair that has no second column */
        ar_bf16_round_here(row, src + i * src_stride, matrix->columns);
    }
    tile = tile > 4 ? tile / 4 * 4 : 4;
    for (int64_t first = 0; first < panels; first += tile)
        ar_compact_multiply(&(ar_compact_job){
            .kind = AR_COMPACT_BF16,
            .dst = dst + first * AR_COMPACT_ROWS,
            .dst_stride = dst_stride,
            .src = rounded,
            .count = count,
            .matrix = (const char *)matrix->values + first * bytes,
            .panels = panels - first < tile ? panels - first : tile,
            .steps = steps,
            .next = first + tile < panels ? (const char *)matrix->values + (first + tile) * bytes
                                          : NULL});
}

/* A row of src in 16 bits, those in two bytes, coarse [padded] and fine [padded], and the sums of
 * both. Returns the scale, NaN for a row that is not finite. */
AR_CLONES static float code_row(int8_t *codes, int32_t *begins, const float *row, int64_t columns,
                                int64_t padded) {
    int8_t *coarse = codes, *fine = codes + padded;
    float largest = 0.0f, check = 0.0f;
    int32_t coarse_sum = 0, fine_sum = 0;
#pragma omp simd reduction(max : largest) reduction(+ : check)
    for (int64_t c = 0; c < columns; c++) {
        float size = fabsf(row[c]);
        largest = size > largest ? size : largest;
        check += row[c] * 0.0f;
    }
    memset(codes, 0, (size_t)(PARTS * padded));
    begins[0] = begins[1] = 0;
    if (!(check == 0.0f) || largest > FLT_MAX)
        return NAN;
    float scale = largest / 32512.0f, inverse = 32512.0f / largest;
    if (!(inverse <= FLT_MAX))
        return 0.0f;
#pragma omp simd reduction(+ : coarse_sum, fine_sum)
    for (int64_t c = 0; c < columns; c++) {
        int32_t value = (int32_t)rintf(row[c] * inverse), upper = (value + 128) >> 8;
        coarse[c] = (int8_t)upper;
        fine[c] = (int8_t)(value - 256 * upper);
        coarse_sum += upper;
        fine_sum += value - 256 * upper;
    }
    begins[0] = -128 * coarse_sum;
    begins[1] = -128 * fine_sum;
    return scale;
}

AR_CLONES static void decode_row(float *dst, const int32_t *coarse, const int32_t *fine,
                                 const float *scales, float scale, int64_t count) {
    for (int64_t r = 0; r < count; r++)
        dst[r] = scales[r] * scale * (256.0f * (float)coarse[r] + (float)fine[r]);
}

static void multiply_int8(float *dst, int64_t dst_stride, const float *src, int64_t src_stride,
                          int64_t count, const ar_weight_matrix *matrix, float *work) {
    int64_t steps = ar_compact_steps(AR_COMPACT_INT8, matrix->columns);
    int64_t bytes = panel_bytes(matrix->columns, AR_WEIGHTS_INT8);
    int64_t panels = ar_panels_count(matrix->rows), stride = INT8_TILE * AR_COMPACT_ROWS;
    const float *scales = scales_of(matrix->values, matrix->rows, matrix->columns);
    coded rows = lay_out(work, count, steps);
    for (int64_t i = 0; i < count; i++)
        rows.scales[i] = code_row(rows.codes + i * PARTS * steps * 4, rows.begins + i * PARTS,
                                  src + i * src_stride, matrix->columns, steps * 4);
    for (int64_t first = 0; first < panels; first += INT8_TILE) {
        int64_t tile = panels - first < INT8_TILE ? panels - first : INT8_TILE;
        int64_t at = first * AR_COMPACT_ROWS;
        const char *values = (const char *)matrix->values + first * bytes;
        ar_compact_multiply(
            &(ar_compact_job){.kind = AR_COMPACT_INT8,
                              .dst = rows.sums,
                              .dst_stride = stride,
                              .src = rows.codes,
                              .count = count * PARTS,
                              .begin = rows.begins,
                              .matrix = values,
                              .panels = tile,
                              .steps = steps,
                              .next = first + tile < panels ? values + tile * bytes : NULL});
        for (int64_t i = 0; i < count; i++)
            decode_row(dst + i * dst_stride + at, rows.sums + i * PARTS * stride,
                       rows.sums + (i * PARTS + 1) * stride, scales + at, rows.scales[i],
                       tile * AR_COMPACT_ROWS);
    }
}

void ar_weight_matrix_multiply(float *dst, int64_t dst_stride, const float *src, int64_t src_stride,
                               int64_t count, const ar_weight_matrix *matrix, const float *bias,
                               bool relu, void *work) {
    if (matrix->format == AR_WEIGHTS_F32) {
        ar_panels panels = {matrix->values, matrix->rows, matrix->columns};
        ar_panels_multiply(dst, dst_stride, src, src_stride, count, &panels, bias, relu);
        return;
    }
    if (matrix->format == AR_WEIGHTS_BF16)
        multiply_bf16(dst, dst_stride, src, src_stride, count, matrix, work);
    else
        multiply_int8(dst, dst_stride, src, src_stride, count, matrix, work);
    for (int64_t i = 0; bias != NULL && i < count; i++)
        finish_row(dst + i * dst_stride, bias, matrix->rows, relu);
}
