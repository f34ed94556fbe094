#include "nn/weight_matrix.h"

#include "core/threads.h"
#include "nn/bf16.h"
#include "nn/compact.h"
#include "nn/panels.h"

#include <string.h>

/* Bytes of panels that stay in a core's cache while all rows of src are multiplied with them. */
enum { TILE_BYTES = 1 << 18 };

static int64_t steps_of(int64_t columns) {
    return ar_compact_steps(AR_COMPACT_BF16, columns);
}

static int64_t panel_bytes(int64_t columns) {
    return steps_of(columns) * AR_COMPACT_ROWS * 4;
}

int64_t ar_weight_matrix_bytes(int64_t rows, int64_t columns, bool bf16) {
    int64_t panels = ar_panels_count(rows);
    return bf16 ? panels * panel_bytes(columns) : ar_panels_bytes(panels, columns);
}

int64_t ar_weight_matrix_work(int64_t count, int64_t columns, bool bf16) {
    return bf16 ? count * steps_of(columns) : 0;
}

ar_weight_matrix ar_weight_matrix_pack(void *values, const float *matrix, int64_t rows,
                                       int64_t columns, bool bf16) {
    ar_weight_matrix packed = {values, rows, columns, bf16};
    if (!bf16) {
        ar_panels_pack(values, matrix, rows, columns);
        return packed;
    }
    memset(values, 0, (size_t)ar_weight_matrix_bytes(rows, columns, true));
    for (int64_t r = 0; r < rows; r++) {
        ar_bf16 *panel = (ar_bf16 *)values + r / AR_COMPACT_ROWS * panel_bytes(columns) / 2;
        for (int64_t c = 0; c < columns; c++)
            panel[c / 2 * 2 * AR_COMPACT_ROWS + r % AR_COMPACT_ROWS * 2 + c % 2] =
                ar_bf16_nearest(matrix[r * columns + c]);
    }
    return packed;
}

AR_CLONES static void finish_row(float *row, const float *bias, int64_t columns, bool relu) {
    for (int64_t c = 0; c < columns; c++) {
        float value = row[c] + bias[c];
        row[c] = relu && value < 0.0f ? 0.0f : value;
    }
}

static void multiply_bf16(float *dst, int64_t dst_stride, const float *src, int64_t src_stride,
                          int64_t count, const ar_weight_matrix *matrix, ar_bf16 *rounded) {
    int64_t steps = steps_of(matrix->columns), bytes = panel_bytes(matrix->columns);
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

void ar_weight_matrix_multiply(float *dst, int64_t dst_stride, const float *src, int64_t src_stride,
                               int64_t count, const ar_weight_matrix *matrix, const float *bias,
                               bool relu, void *work) {
    if (!matrix->bf16) {
        ar_panels panels = {matrix->values, matrix->rows, matrix->columns};
        ar_panels_multiply(dst, dst_stride, src, src_stride, count, &panels, bias, relu);
        return;
    }
    multiply_bf16(dst, dst_stride, src, src_stride, count, matrix, work);
    for (int64_t i = 0; bias != NULL && i < count; i++)
        finish_row(dst + i * dst_stride, bias, matrix->rows, relu);
}
