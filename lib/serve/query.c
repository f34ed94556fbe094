#include "serve/query.h"

#include "nn/bf16.h"
#include "nn/compact.h"
#include "serve/coordinates.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Twice the relative error of one rounding, for what else is rounded on the way. */
#define ROUNDING 0x1p-23

/* What an ar_query is made of. */
typedef struct sizes {
    double head, tail; /* norms of the coordinates */
    double code,
        error;     /* of what the codes stand for, and of what they miss: head and tail added */
    double folded; /* the norm of the session vector, each tower's part times its fold */
} sizes;

/* Coordinates [width] by way of z [width], and `common`. */
static void straighten(double *coordinates, double *z, ar_query *query, sizes *size,
                       const ar_item_index *index, const float *vector) {
    int64_t width = index->width, dim = index->shape.dim, head = index->shape.head;
    const float *offset = index->columns + AR_INDEX_OFFSET * width;
    const float *centre = index->columns + AR_INDEX_CENTRE * width;
    double common = 0.0, folded = 0.0;
    for (int t = 0; t < index->shape.towers; t++) {
        double fold = ar_index_fold(&index->shape, t);
        for (int64_t c = t * dim; c < (t + 1) * dim; c++) {
            double value = (double)vector[c];
            z[c] = fold != 0.0 ? value - (double)offset[c] : 0.0;
            common += value * (double)centre[c];
            folded += fold * fold * value * value;
        }
    }
    ar_coordinates_of_vector(coordinates, index, z);
    query->common = common;
    size->head = ar_coordinates_norm(coordinates, head);
    size->tail = ar_coordinates_norm(coordinates + head, width - head);
    size->folded = sqrt(folded);
}

/* One or two signed bytes a value; returns the scale. */
static float make_int8(int8_t *codes, int32_t *begins, sizes *size, const double *values,
                       int64_t count, int64_t padded, int parts) {
    double most = parts == 2 ? 32512.0 : 127.0, largest = 0.0, code = 0.0, error = 0.0;
    for (int64_t c = 0; c < count; c++)
        largest = fabs(values[c]) > largest ? fabs(values[c]) : largest;
    float kept = (float)(largest / most);
    double scale = (double)kept;
    int32_t sums[2] = {0};
    for (int64_t c = 0; c < count; c++) {
        double rounded = scale > 0.0 ? nearbyint(values[c] / scale) : 0.0;
        rounded = rounded > most ? most : rounded < -most ? -most : rounded;
        int32_t value = (int32_t)rounded, upper = value;
        if (parts == 2) {
            upper = (value + 32768 + 128) / 256 - 128;
            codes[padded + c] = (int8_t)(value - 256 * upper);
            sums[1] += codes[padded + c];
        }
        codes[c] = (int8_t)upper;
        sums[0] += upper;
        error += (values[c] - scale * rounded) * (values[c] - scale * rounded);
        code += scale * rounded * scale * rounded;
    }
    for (int p = 0; p < parts; p++)
        begins[p] = -128 * sums[p];
    size->code += sqrt(code);
    size->error += sqrt(error);
    return kept;
}

static void make_bf16(uint16_t *codes, sizes *size, const double *values, int64_t count,
                      int64_t padded, int parts) {
    double code = 0.0, error = 0.0;
    for (int64_t c = 0; c < count; c++) {
        double rest = values[c];
        for (int p = 0; p < parts; p++) {
            codes[p * padded + c] = ar_bf16_normal((float)rest);
            rest -= (double)ar_bf16_value(codes[p * padded + c]);
        }
        error += rest * rest;
        code += (values[c] - rest) * (values[c] - rest);
    }
    size->code += sqrt(code);
    size->error += sqrt(error);
}

/* Codes of the head or of the tail; returns their scale. */
static float make_codes(void *codes, int32_t *begins, sizes *size, ar_compact_kind kind,
                        const double *values, int64_t count, int parts) {
    int64_t steps = ar_compact_steps(kind, count);
    memset(codes, 0, (size_t)(parts * steps * 4));
    memset(begins, 0, (size_t)parts * sizeof *begins);
    if (kind == AR_COMPACT_INT8)
        return make_int8(codes, begins, size, values, count, steps * 4, parts);
    make_bf16(codes, size, values, count, steps * 2, parts);
    return 1.0f;
}

/* The bounds, each a little above what it must be, so that f32 may hold them. */
static void bound(ar_query *query, const ar_item_index *index, const sizes *size, bool is_bf16) {
    const float *slack = index->slack;
    double table_slack = (double)slack[AR_INDEX_TABLE_SLACK];
    double bias_slack = (double)slack[AR_INDEX_BIAS_SLACK];
    double largest = (double)slack[AR_INDEX_LARGEST], dim = (double)index->shape.dim;
    /* A chain of multiply-adds, each of which may round twice, then scale, alpha and a sum. */
    double exact = (2.0 * dim + 16.0) * ROUNDING * size->folded / table_slack;
    /* Here: codes that differ from the coordinates, those themselves, sums of bf16, and the few
     * roundings of the formula. */
    double sums = is_bf16 ? 2.0 * (2.0 * (double)index->width + 8.0) * ROUNDING : 0.0;
    double norms = size->head + size->tail;
    double formula = (size->code + norms * 1e-6) * (16.0 * ROUNDING + sums) +
                     16.0 * ROUNDING / bias_slack + norms * (double)slack[AR_INDEX_SKEW];
    double underflow = (double)FLT_MIN * (4.0 * (double)index->width + 64.0) *
                       (1.0 + fabs(ar_index_fold(&index->shape, 0)) +
                        (index->shape.towers == 2 ? fabs(ar_index_fold(&index->shape, 1)) : 0.0));
    query->row_error = (float)(size->head * (1.0 + 1e-5));
    query->tail_error = (float)(size->tail * (1.0 + 1e-5));
    query->norm_error = (float)((size->error + exact + formula) * (1.0 + 1e-5));
    query->constant = (float)((underflow + fabs(query->common) * ROUNDING) * (1.0 + 1e-5));
    /* No f32 sum, here or in the exact scores, comes near an overflow. */
    double scales = 1.0 + fabs((double)index->shape.scales[0]) +
                    fabs((double)index->shape.scales[1]) + fabs((double)index->shape.alpha);
    double vector = size->folded + norms;
    query->usable = largest / table_slack * scales * scales * vector < 1e36 &&
                    largest / bias_slack < 1e36 && largest * (vector + 1.0) < 1e36 &&
                    fabs(query->common) < 1e36;
}

void ar_query_make(ar_query *query, const ar_query_codes *codes, const ar_item_index *index,
                   const float *vector, int parts, double *work) {
    ar_compact_kind kind = ar_index_kind(&index->shape);
    int64_t width = index->width, head = index->shape.head;
    double *coordinates = work + width;
    sizes size = {0};
    *query = (ar_query){0};
    straighten(coordinates, work, query, &size, index, vector);
    if (!(size.head < 1e30) || !(size.tail < 1e30) || !(size.folded < 1e30))
        return;
    query->scale =
        make_codes(codes->head, codes->head_begins, &size, kind, coordinates, head, parts);
    if (head < width)
        query->tail_scale = make_codes(codes->tail, codes->tail_begins, &size, kind,
                                       coordinates + head, width - head, parts);
    bound(query, index, &size, kind == AR_COMPACT_BF16);
}
