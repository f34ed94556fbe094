#include "serve/item_index.h"

#include "core/memory.h"
#include "nn/bf16.h"
#include "nn/compact.h"

#include <float.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>

/* Rows whose entries are beyond this are left to the f32 table: their codes are 0 and their error
 * says so. */
#define LARGEST 1e30

static int64_t panels_of(const ar_index_shape *shape) {
    return (shape->items + AR_INDEX_ROWS - 1) / AR_INDEX_ROWS;
}

int ar_index_shape_arrays(ar_index_array *arrays, const ar_index_shape *shape) {
    int64_t width = shape->towers * shape->dim, panels = panels_of(shape);
    arrays[0] = (ar_index_array){"table", true, shape->items, width, NULL};
    if (shape->precision == AR_INDEX_F32)
        return 1;
    int64_t steps = ar_compact_steps(ar_index_kind(shape), width);
    arrays[1] = (ar_index_array){"codes", false, panels, steps * AR_INDEX_ROWS * 4, NULL};
    arrays[2] = (ar_index_array){"terms", true, panels, AR_INDEX_TERMS * AR_INDEX_ROWS, NULL};
    arrays[3] = (ar_index_array){"columns", true, AR_INDEX_COLUMNS, width, NULL};
    arrays[4] = (ar_index_array){"slack", true, 1, AR_INDEX_SLACKS, NULL};
    return 5;
}

static void set_arrays(ar_item_index *index, const void *const *data) {
    index->width = index->shape.towers * index->shape.dim;
    index->table = data[0];
    if (index->shape.precision == AR_INDEX_F32)
        return;
    index->codes = data[1];
    index->terms = data[2];
    index->columns = data[3];
    index->slack = data[4];
}

int ar_item_index_arrays(ar_index_array *arrays, const ar_item_index *index) {
    const void *const data[] = {index->table, index->codes, index->terms, index->columns,
                                index->slack};
    int count = ar_index_shape_arrays(arrays, &index->shape);
    for (int i = 0; i < count; i++)
        arrays[i].data = data[i];
    return count;
}

int64_t ar_item_index_bytes(const ar_item_index *index) {
    ar_index_array arrays[AR_INDEX_MOST_ARRAYS];
    int count = ar_index_shape_arrays(arrays, &index->shape);
    int64_t bytes = 0;
    for (int i = 0; i < count; i++)
        bytes += arrays[i].rows * arrays[i].columns * (arrays[i].is_float ? 4 : 1);
    return bytes;
}

double ar_index_fold(const ar_index_shape *shape, int tower) {
    double alpha = shape->towers == 1 ? 1.0 : (double)shape->alpha;
    float rest = 1.0f - shape->alpha;
    return (double)shape->scales[tower] * (tower == 0 ? alpha : (double)rest);
}

/* ---- Building ---- */

/* Working memory of a build. */
typedef struct build {
    ar_item_index *index;
    uint8_t *codes;
    float *terms, *columns, *slack, *table;
    double *sizes; /* [items, 3]: norms of the table's row, of its deviation, and the bias */
    atomic_bool too_large;
} build;

static alterrec_status place_rows(build *work, const float *const *tables) {
    const ar_index_shape *shape = &work->index->shape;
    int64_t dim = shape->dim;
    for (int64_t r = 0; r < shape->items; r++)
        for (int t = 0; t < shape->towers; t++) {
            const float *row = tables[t] + r * dim;
            for (int64_t c = 0; c < dim; c++)
                if (!(fabsf(row[c]) <= FLT_MAX))
                    return ar_fail(ALTERREC_ERROR_NOT_FINITE,
                                   "the item table's entry of item %lld, tower %d, column %lld is "
                                   "not finite",
                                   (long long)r, t, (long long)c);
            memcpy(work->table + (r * shape->towers + t) * dim, row, (size_t)dim * sizeof *row);
        }
    return ALTERREC_OK;
}

/* A column's weight is never far below the others', or a session vector's small deviation from the
 * expected offset would count for much there. */
static void set_columns(build *work, const float *weights, const float *offsets) {
    int64_t width = work->index->width;
    float *weight = work->columns + AR_INDEX_WEIGHT * width;
    float *offset = work->columns + AR_INDEX_OFFSET * width;
    double square = 0.0;
    bool usable = weights != NULL;
    for (int64_t c = 0; usable && c < width; c++) {
        usable = fabsf(weights[c]) <= 1e15f;
        square += (double)weights[c] * (double)weights[c];
    }
    float least = usable ? (float)(1e-3 * sqrt(square / (double)width)) : 0.0f;
    usable = usable && least >= 1e-15f;
    for (int64_t c = 0; c < width; c++) {
        weight[c] = !usable ? 1.0f : fabsf(weights[c]) > least ? fabsf(weights[c]) : least;
        offset[c] = offsets != NULL && fabsf(offsets[c]) <= 1e15f ? offsets[c] : 0.0f;
    }
}

/* Mean and spread of the table's columns first .. last - 1. */
static void measure_columns(double *means, double *spreads, const build *work, int64_t first,
                            int64_t last) {
    int64_t width = work->index->width, items = work->index->shape.items;
    memset(means + first, 0, (size_t)(last - first) * sizeof *means);
    memset(spreads + first, 0, (size_t)(last - first) * sizeof *spreads);
    for (int64_t r = 0; r < items; r++)
        for (int64_t c = first; c < last; c++) {
            double value = (double)work->table[r * width + c];
            means[c] += value;
            spreads[c] += value * value;
        }
    for (int64_t c = first; c < last; c++) {
        means[c] /= (double)items;
        double square = spreads[c] / (double)items - means[c] * means[c];
        spreads[c] = square > 0.0 ? sqrt(square) : 0.0;
    }
}

/* Centres the columns, and shares what spreads their numbers out between rows and session vectors:
 * a column that spreads s-fold in the rows, and once in the sessions, spreads by the root of s in
 * both. The largest number of a row or a session, by which its codes are scaled, is then about as
 * small as it can be in both. */
static void balance_columns(build *work, int threads) {
    const ar_index_shape *shape = &work->index->shape;
    int64_t width = work->index->width;
    float *weight = work->columns + AR_INDEX_WEIGHT * width;
    float *centre = work->columns + AR_INDEX_CENTRE * width;
    double *means = work->sizes, *spreads = means + width; /* its first use */
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
    for (int part = 0; part < threads; part++)
        measure_columns(means, spreads, work, width * part / threads, width * (part + 1) / threads);
    double square = 0.0;
    for (int64_t c = 0; c < width; c++) {
        double factor = ar_index_fold(shape, c >= shape->dim) * (double)weight[c];
        means[c] *= factor;
        spreads[c] *= fabs(factor);
        square += spreads[c] * spreads[c];
    }
    double usual = sqrt(square / (double)width);
    for (int64_t c = 0; c < width; c++) {
        double spread = spreads[c] > 1e-3 * usual ? spreads[c] : 1e-3 * usual;
        double share = spread > 0.0 && usual <= LARGEST ? sqrt(usual / spread) : 1.0;
        weight[c] *= (float)share;
        means[c] *= share;
        centre[c] = fabs(means[c]) <= LARGEST ? (float)means[c] : 0.0f;
    }
}

/* The folded, weighted, centred row: deviation [width]. Whether it can be made compact. */
static bool deviate(double *deviation, const build *work, int64_t row) {
    const ar_index_shape *shape = &work->index->shape;
    int64_t width = work->index->width;
    const float *weight = work->columns, *offset = weight + width, *centre = offset + width;
    const float *values = work->table + row * width;
    double square = 0.0, table = 0.0, bias = 0.0;
    for (int t = 0; t < shape->towers; t++) {
        double fold = ar_index_fold(shape, t);
        for (int64_t c = t * shape->dim; c < (t + 1) * shape->dim; c++) {
            double value = fold * (double)weight[c] * (double)values[c] - (double)centre[c];
            deviation[c] = value;
            square += value * value;
            table += (double)values[c] * (double)values[c];
            bias += (double)offset[c] / (double)weight[c] * value;
        }
    }
    double *sizes = work->sizes + row * 3;
    sizes[0] = sqrt(table);
    sizes[1] = sqrt(square);
    sizes[2] = bias;
    return sizes[1] <= LARGEST && fabs(bias) <= LARGEST;
}

static uint8_t *code_at(const build *work, int64_t row, int64_t column) {
    ar_compact_kind kind = ar_index_kind(&work->index->shape);
    int64_t values = ar_compact_values(kind), lane = row % AR_INDEX_ROWS;
    int64_t steps = ar_compact_steps(kind, work->index->width);
    int64_t at = (row / AR_INDEX_ROWS * steps + column / values) * AR_INDEX_ROWS + lane;
    return work->codes + at * 4 + column % values * (4 / values);
}

/* Writes a code and returns what it stands for. */
static double encode(const build *work, int64_t row, int64_t column, double value, double scale) {
    uint8_t *code = code_at(work, row, column);
    if (work->index->shape.precision == AR_INDEX_BF16) {
        uint16_t bits = ar_bf16_normal((float)value);
        memcpy(code, &bits, sizeof bits);
        return (double)ar_bf16_value(bits);
    }
    double rounded = scale > 0.0 ? nearbyint(value / scale) : 0.0;
    rounded = rounded > 127.0 ? 127.0 : rounded < -127.0 ? -127.0 : rounded;
    *code = (uint8_t)(128 + (int)rounded);
    return scale * rounded;
}

static float above(double value) {
    return (float)(value * (1.0 + 1e-6));
}

static float *terms_at(const build *work, int64_t row) {
    return work->terms + row / AR_INDEX_ROWS * AR_INDEX_TERMS * AR_INDEX_ROWS + row % AR_INDEX_ROWS;
}

static void encode_row(double *deviation, build *work, int64_t row) {
    int64_t width = work->index->width;
    bool usable = deviate(deviation, work, row);
    double largest = 0.0, error = 0.0, square = 0.0;
    for (int64_t c = 0; c < width; c++) {
        deviation[c] = usable ? deviation[c] : 0.0;
        largest = fabs(deviation[c]) > largest ? fabs(deviation[c]) : largest;
    }
    float scale = work->index->shape.precision == AR_INDEX_INT8 ? (float)(largest / 127.0) : 1.0f;
    for (int64_t c = 0; c < width; c++) {
        double value = encode(work, row, c, deviation[c], (double)scale);
        error += (deviation[c] - value) * (deviation[c] - value);
        square += value * value;
    }
    float *terms = terms_at(work, row);
    terms[AR_INDEX_SCALE * AR_INDEX_ROWS] = scale;
    terms[AR_INDEX_BIAS * AR_INDEX_ROWS] = usable ? (float)work->sizes[row * 3 + 2] : 0.0f;
    terms[AR_INDEX_ERROR * AR_INDEX_ROWS] = usable ? above(sqrt(error)) : FLT_MAX;
    terms[AR_INDEX_NORM * AR_INDEX_ROWS] = above(sqrt(square));
    if (!usable) { /* the first two passes have nothing to do with it */
        memset(work->sizes + row * 3, 0, 3 * sizeof *work->sizes);
        atomic_store(&work->too_large, true);
    }
}

static double ratio(double to, double from) {
    double value = from > 0.0 && to > 0.0 ? to / from : 1.0;
    return value <= 1e30 && value >= 1e-30 ? value : 1.0;
}

/* The norm of a row's terms bounds three things at once: that of its codes, and, times the slacks,
 * those of its f32 row and its bias. The slacks bring the three to one size, so that none loosens
 * the bound of the others. */
static void join_norms(build *work) {
    int64_t items = work->index->shape.items;
    double sums[3] = {0};
    for (int64_t i = 0; i < 3 * items; i++)
        sums[i % 3] += work->sizes[i] * work->sizes[i];
    float table = (float)ratio(sqrt(sums[1]), sqrt(sums[0]));
    float bias = (float)ratio(sqrt(sums[1]), sqrt(sums[2]));
    float largest = 0.0f, error = 0.0f;
    for (int64_t r = 0; r < items; r++) {
        const double *sizes = work->sizes + r * 3;
        float *norm = terms_at(work, r) + AR_INDEX_NORM * AR_INDEX_ROWS;
        float joint = above(fmax(sizes[0] * (double)table, fabs(sizes[2]) * (double)bias));
        *norm = joint > *norm ? joint : *norm;
        largest = *norm > largest ? *norm : largest;
        error = fmaxf(error, terms_at(work, r)[AR_INDEX_ERROR * AR_INDEX_ROWS]);
    }
    work->slack[AR_INDEX_TABLE_SLACK] = table;
    work->slack[AR_INDEX_BIAS_SLACK] = bias;
    work->slack[AR_INDEX_LARGEST] = atomic_load(&work->too_large) ? FLT_MAX : largest;
    work->slack[AR_INDEX_LARGEST_ERROR] = error;
}

static alterrec_status make_compact(build *work, const float *weights, const float *offsets,
                                    int threads) {
    const ar_index_shape *shape = &work->index->shape;
    int64_t width = work->index->width, items = shape->items;
    double *deviations;
    work->sizes = ar_new(3 * items > 2 * width ? 3 * items : 2 * width, sizeof *work->sizes);
    if (work->sizes == NULL)
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    AR_NEW(deviations, threads * width);
    set_columns(work, weights, offsets);
    balance_columns(work, threads);
    if (shape->precision == AR_INDEX_INT8)
        memset(work->codes, 128,
               (size_t)(panels_of(shape) * AR_INDEX_ROWS * 4 *
                        ar_compact_steps(AR_COMPACT_INT8, width)));
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
    for (int part = 0; part < threads; part++)
        for (int64_t r = items * part / threads; r < items * (part + 1) / threads; r++)
            encode_row(deviations + part * width, work, r);
    join_norms(work);
    ar_free(deviations);
    return ALTERREC_OK;
}

alterrec_status ar_item_index_build(ar_item_index *index, const ar_index_shape *shape,
                                    const float *const *tables, const float *weights,
                                    const float *offsets, int threads) {
    *index = (ar_item_index){.shape = *shape};
    ar_index_array arrays[AR_INDEX_MOST_ARRAYS];
    int count = ar_index_shape_arrays(arrays, shape);
    if (shape->precision != AR_INDEX_F32 &&
        ar_compact_steps(ar_index_kind(shape), shape->towers * shape->dim) > AR_COMPACT_MOST_STEPS)
        return ar_fail(ALTERREC_ERROR_UNSUPPORTED,
                       "a compact table of %lld columns; there may be %d",
                       (long long)(shape->towers * shape->dim), 2 * AR_COMPACT_MOST_STEPS);
    for (int i = 0; i < count; i++) {
        index->owned[i] =
            ar_new(arrays[i].rows * arrays[i].columns, arrays[i].is_float ? sizeof(float) : 1);
        if (index->owned[i] == NULL) {
            ar_item_index_free(index);
            return ALTERREC_ERROR_OUT_OF_MEMORY;
        }
    }
    set_arrays(index, (const void *const *)index->owned);
    build work = {.index = index,
                  .table = index->owned[0],
                  .codes = index->owned[1],
                  .terms = index->owned[2],
                  .columns = index->owned[3],
                  .slack = index->owned[4]};
    alterrec_status status = place_rows(&work, tables);
    if (status == ALTERREC_OK && shape->precision != AR_INDEX_F32)
        status = make_compact(&work, weights, offsets, threads);
    ar_free(work.sizes);
    if (status != ALTERREC_OK)
        ar_item_index_free(index);
    return status;
}

void ar_item_index_free(ar_item_index *index) {
    for (int i = 0; i < AR_INDEX_MOST_ARRAYS; i++)
        ar_free(index->owned[i]);
    *index = (ar_item_index){0};
}

/* ---- Viewing ---- */

/* Whether all are numbers from `least` on. */
static bool within(const float *values, int64_t count, float least) {
    bool fine = true;
    for (int64_t i = 0; i < count; i++)
        fine = fine && values[i] >= least && values[i] <= FLT_MAX;
    return fine;
}

static bool terms_fine(const ar_item_index *index) {
    bool fine = true;
    for (int64_t p = 0; fine && p < panels_of(&index->shape); p++) {
        const float *terms = index->terms + p * AR_INDEX_TERMS * AR_INDEX_ROWS;
        for (int term = 0; term < AR_INDEX_TERMS; term++)
            fine = fine && within(terms + term * AR_INDEX_ROWS, AR_INDEX_ROWS,
                                  term == AR_INDEX_BIAS ? -FLT_MAX : 0.0f);
    }
    return fine;
}

alterrec_status ar_item_index_view(ar_item_index *index, const ar_index_shape *shape,
                                   const void *const *data) {
    *index = (ar_item_index){.shape = *shape};
    set_arrays(index, data);
    if (shape->precision == AR_INDEX_F32)
        return ALTERREC_OK;
    const char *bad = !terms_fine(index)                               ? "terms"
                      : !within(index->columns, index->width, FLT_MIN) ? "columns"
                      : !within(index->columns + index->width, 2 * index->width, -FLT_MAX)
                          ? "columns"
                      : !within(index->slack, AR_INDEX_SLACKS, 0.0f) ? "slack"
                                                                     : NULL;
    if (bad == NULL)
        return ALTERREC_OK;
    *index = (ar_item_index){0};
    return ar_fail(ALTERREC_ERROR_NOT_FINITE,
                   "the compact table's \"%s\" hold a value that is out "
                   "of range or not finite",
                   bad);
}
