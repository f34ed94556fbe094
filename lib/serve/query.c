#include "serve/query.h"

#include "nn/bf16.h"
#include "nn/compact.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Twice the relative error of one rounding, for what else is rounded on the way. */
#define ROUNDING 0x1p-23

/* What an ar_query is made of. */
typedef struct sizes {
    double z, code, error; /* norms of z, of what the codes stand for, and of the difference */
    double folded;         /* the norm of the session vector, each tower's part times its fold */
    double largest;        /* the largest entry of z */
} sizes;

/* z [width] and `common`. */
static void straighten(double *z, ar_query *query, sizes *size, const ar_item_index *index,
                       const float *vector) {
    int64_t width = index->width, dim = index->shape.dim;
    const float *weight = index->columns, *offset = weight + width, *centre = offset + width;
    double common = 0.0, square = 0.0, folded = 0.0, largest = 0.0;
    for (int t = 0; t < index->shape.towers; t++) {
        double fold = ar_index_fold(&index->shape, t);
        for (int64_t c = t * dim; c < (t + 1) * dim; c++) {
            double value = (double)vector[c];
            z[c] = fold != 0.0 ? (value - (double)offset[c]) / (double)weight[c] : 0.0;
            common += value * (double)centre[c] / (double)weight[c];
            folded += fold * fold * value * value;
            square += z[c] * z[c];
            largest = fabs(z[c]) > largest ? fabs(z[c]) : largest;
        }
    }
    query->common = common;
    size->z = sqrt(square);
    size->folded = sqrt(folded);
    size->largest = largest;
}

/* One or two signed bytes a value. */
static void make_int8(ar_query *query, int8_t *codes, int32_t *begins, sizes *size, const double *z,
                      int64_t width, int64_t padded, int parts) {
    double most = parts == 2 ? 32512.0 : 127.0;
    query->scale = (float)(size->largest / most);
    double scale = (double)query->scale, code = 0.0, error = 0.0;
    int32_t sums[2] = {0};
    for (int64_t c = 0; c < width; c++) {
        double rounded = scale > 0.0 ? nearbyint(z[c] / scale) : 0.0;
        rounded = rounded > most ? most : rounded < -most ? -most : rounded;
        int32_t value = (int32_t)rounded, upper = value;
        if (parts == 2) {
            upper = (value + 32768 + 128) / 256 - 128;
            codes[padded + c] = (int8_t)(value - 256 * upper);
            sums[1] += codes[padded + c];
        }
        codes[c] = (int8_t)upper;
        sums[0] += upper;
        error += (z[c] - scale * rounded) * (z[c] - scale * rounded);
        code += scale * rounded * scale * rounded;
    }
    for (int p = 0; p < parts; p++)
        begins[p] = -128 * sums[p];
    size->code = sqrt(code);
    size->error = sqrt(error);
}

static void make_bf16(ar_query *query, uint16_t *codes, sizes *size, const double *z, int64_t width,
                      int64_t padded, int parts) {
    double code = 0.0, error = 0.0;
    query->scale = 1.0f;
    for (int64_t c = 0; c < width; c++) {
        double rest = z[c];
        for (int p = 0; p < parts; p++) {
            codes[p * padded + c] = ar_bf16_normal((float)rest);
            rest -= (double)ar_bf16_value(codes[p * padded + c]);
        }
        error += rest * rest;
        code += (z[c] - rest) * (z[c] - rest);
    }
    size->code = sqrt(code);
    size->error = sqrt(error);
}

/* The bounds, each a little above what it must be, so that f32 may hold them. */
static void bound(ar_query *query, const ar_item_index *index, const sizes *size, bool is_bf16) {
    const float *slack = index->slack;
    double table_slack = (double)slack[AR_INDEX_TABLE_SLACK];
    double bias_slack = (double)slack[AR_INDEX_BIAS_SLACK];
    double largest = (double)slack[AR_INDEX_LARGEST], dim = (double)index->shape.dim;
    /* A chain of multiply-adds, each of which may round twice, then scale, alpha and a sum. */
    double exact = (2.0 * dim + 16.0) * ROUNDING * size->folded / table_slack;
    /* Here: codes that differ from z, sums of bf16, and the few roundings of the formula. */
    double sums = is_bf16 ? 2.0 * (2.0 * (double)index->width + 8.0) * ROUNDING : 0.0;
    double formula =
        (size->code + size->z * 1e-6) * (8.0 * ROUNDING + sums) + 8.0 * ROUNDING / bias_slack;
    double underflow = (double)FLT_MIN * (4.0 * (double)index->width + 64.0) *
                       (1.0 + fabs(ar_index_fold(&index->shape, 0)) +
                        (index->shape.towers == 2 ? fabs(ar_index_fold(&index->shape, 1)) : 0.0));
    query->row_error = (float)(size->z * (1.0 + 1e-5));
    query->norm_error = (float)((size->error + exact + formula) * (1.0 + 1e-5));
    query->constant = (float)((underflow + fabs(query->common) * ROUNDING) * (1.0 + 1e-5));
    /* No f32 sum, here or in the exact scores, comes near an overflow. */
    double scales = 1.0 + fabs((double)index->shape.scales[0]) +
                    fabs((double)index->shape.scales[1]) + fabs((double)index->shape.alpha);
    double vector = size->folded + size->z;
    query->usable = largest / table_slack * scales * scales * vector < 1e36 &&
                    largest / bias_slack < 1e36 && largest * (vector + 1.0) < 1e36 &&
                    fabs(query->common) < 1e36;
}

void ar_query_make(ar_query *query, void *codes, int32_t *begins, const ar_item_index *index,
                   const float *vector, int parts, double *z) {
    bool is_bf16 = index->shape.precision == AR_INDEX_BF16;
    int64_t steps = ar_compact_steps(ar_index_kind(&index->shape), index->width);
    sizes size = {0};
    *query = (ar_query){0};
    memset(codes, 0, (size_t)(parts * steps * 4));
    memset(begins, 0, (size_t)parts * sizeof *begins);
    straighten(z, query, &size, index, vector);
    if (!(size.z < 1e30) || !(size.folded < 1e30))
        return;
    if (is_bf16)
        make_bf16(query, codes, &size, z, index->width, steps * 2, parts);
    else
        make_int8(query, codes, begins, &size, z, index->width, steps * 4, parts);
    bound(query, index, &size, is_bf16);
}
