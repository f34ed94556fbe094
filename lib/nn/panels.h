/* A matrix packed for products with few or many rows beside it: panels of 16 rows, the columns
 * interleaved. Level: nn. */
#ifndef AR_NN_PANELS_H
#define AR_NN_PANELS_H

#include "core/status.h"

#include <stdbool.h>

enum { AR_PANEL_ROWS = 16 };

/* A view of a matrix [rows, columns]; whoever packed it owns the memory.
 * [panels][columns][16] float, 64-byte aligned. Rows behind the last one are 0. */
typedef struct ar_panels {
    const float *values;
    int64_t rows, columns;
} ar_panels;

/* The number of panels that `rows` rows fill, and the bytes of `panels` of them. */
int64_t ar_panels_count(int64_t rows);
int64_t ar_panels_bytes(int64_t panels, int64_t columns);

/* Packs matrix [rows, columns] into `values` of ar_panels_bytes(ar_panels_count(rows), columns). */
ar_panels ar_panels_pack(void *values, const float *matrix, int64_t rows, int64_t columns);

/* dst[i, r] = bias[r] + sum over c of src[i, c] * matrix[r, c] for i < count, and relu of it. bias
 * [rows] may be NULL. The rows of dst and of src stand dst_stride and src_stride floats apart. A
 * value is one chain of fused multiply-adds over the columns in their order, begun with the bias:
 * its bits do not depend on count, on the other rows, or on the place of the row in its panel. (A
 * machine without fused multiply-add rounds twice at each link.) One thread; threads share out
 * panels, or rows of src. */
void ar_panels_multiply(float *dst, int64_t dst_stride, const float *src, int64_t src_stride,
                        int64_t count, const ar_panels *matrix, const float *bias, bool relu);

/* The instruction sets that ar_panels_multiply knows. */
enum { AR_PANELS_PORTABLE, AR_PANELS_AVX2, AR_PANELS_AVX512, AR_PANELS_SETS };

/* Whether this machine has the set, and ar_panels_multiply by it: for tests and measurements. All
 * but the portable one give the same bits. */
bool ar_panels_has(int set);
void ar_panels_multiply_by(int set, float *dst, int64_t dst_stride, const float *src,
                           int64_t src_stride, int64_t count, const ar_panels *matrix,
                           const float *bias, bool relu);

#endif
