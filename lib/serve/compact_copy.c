#include "serve/compact_copy.h"

#include "core/limit.h"
#include "core/memory.h"
#include "core/threads.h"
#include "nn/bf16.h"
#include "nn/compact.h"
#include "serve/coordinates.h"
#include "serve/head.h"

#include <float.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>

/* Rows whose entries are beyond this are left to the f32 table: their codes are 0 and their error
 * says so. */
#define LARGEST 1e30

enum {
    TOGETHER = AR_COORDINATES_ROWS,
    SAMPLE = 4096,  /* rows that coordinates are made for, at most */
    TRIED = 64,     /* vectors that heads are tried with, at most */
    WORTH_ROWS = 16 /* times the width: fewer are searched before a vector is changed */
};

/* Working memory of a making. */
typedef struct making {
    ar_item_index *index;
    int threads;
    float *map, *counts, *columns, *terms;
    uint8_t *heads, *tails;
    double *back;    /* [width, block]: a row's coordinates of its columns */
    double *shares;  /* [width]: what coordinates count in products, descending in a block */
    double *rows;    /* [row_count, width]: rows of the sample, less the centre */
    double *biases;  /* [row_count] */
    double *vectors; /* [vector_count, width]: session vectors, less the offset */
    int64_t row_count, vector_count;
    int64_t tried; /* of the vectors, the last ones, which coordinates are not made for */
    double *sizes; /* [items, 3]: norms of the table's row, of its coordinates, and the bias */
    double skew;
    atomic_bool too_large;
} making;

/* ---- Columns ---- */

/* Mean of the folded table's columns first .. last - 1; sums [width]. */
static void measure_columns(float *centre, double *sums, const making *made, int64_t first,
                            int64_t last) {
    const ar_index_shape *shape = &made->index->shape;
    for (int64_t r = 0; r < shape->items; r++)
        for (int64_t c = first; c < last; c++)
            sums[c] += (double)made->index->table[r * made->index->width + c];
    for (int64_t c = first; c < last; c++) {
        double mean = ar_index_fold(shape, c >= shape->dim) * sums[c] / (double)shape->items;
        centre[c] = fabs(mean) <= LARGEST ? (float)mean : 0.0f;
    }
}

static alterrec_status set_centres(making *made) {
    int64_t width = made->index->width;
    float *centre = made->columns + AR_INDEX_CENTRE * width;
    double *sums;
    AR_NEW(sums, width);
    int threads = made->threads;
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
    for (int part = 0; part < threads; part++)
        measure_columns(centre, sums, made, width * part / threads, width * (part + 1) / threads);
    ar_free(sums);
    return ALTERREC_OK;
}

/* The session vectors' mean, of those that are numbers. */
static void set_offsets(making *made, const float *vectors, int64_t count) {
    int64_t width = made->index->width;
    float *offset = made->columns + AR_INDEX_OFFSET * width;
    for (int64_t s = 0; s < count; s++) {
        bool usable = true;
        double *to = made->vectors + made->vector_count * width;
        for (int64_t c = 0; c < width; c++) {
            to[c] = (double)vectors[s * width + c];
            usable = usable && fabs(to[c]) <= 1e15;
        }
        made->vector_count += usable;
    }
    for (int64_t c = 0; c < width; c++) {
        double sum = 0.0;
        for (int64_t s = 0; s < made->vector_count; s++)
            sum += made->vectors[s * width + c];
        offset[c] = made->vector_count > 0 ? (float)(sum / (double)made->vector_count) : 0.0f;
        bool counts = ar_index_fold(&made->index->shape, c >= made->index->shape.dim) != 0.0;
        for (int64_t s = 0; s < made->vector_count; s++) {
            double *value = made->vectors + s * width + c;
            *value = counts ? *value - (double)offset[c] : 0.0;
        }
    }
}

/* The folded, centred row: deviation [width]. sizes [3] as in `making`, but for the coordinates'
 * norm. Whether it can be made compact. */
static bool deviate(double *deviation, double *sizes, const making *made, int64_t row) {
    const ar_index_shape *shape = &made->index->shape;
    int64_t width = made->index->width;
    const float *offset = made->columns + AR_INDEX_OFFSET * width;
    const float *centre = made->columns + AR_INDEX_CENTRE * width;
    const float *values = made->index->table + row * width;
    double square = 0.0, table = 0.0, bias = 0.0;
    for (int t = 0; t < shape->towers; t++) {
        double fold = ar_index_fold(shape, t);
        for (int64_t c = t * shape->dim; c < (t + 1) * shape->dim; c++) {
            double value = fold * (double)values[c] - (double)centre[c];
            deviation[c] = value;
            square += value * value;
            table += (double)values[c] * (double)values[c];
            bias += (double)offset[c] * value;
        }
    }
    sizes[0] = sqrt(table);
    sizes[2] = bias;
    return sqrt(square) <= LARGEST && fabs(bias) <= LARGEST;
}

/* Rows from the whole of the table, at most `most`. */
static void take_sample(making *made, int64_t most) {
    int64_t items = made->index->shape.items, width = made->index->width;
    for (int64_t i = 0; i < most; i++) {
        double sizes[3];
        double *row = made->rows + made->row_count * width;
        if (deviate(row, sizes, made, (int64_t)((double)i * (double)items / (double)most)))
            made->biases[made->row_count++] = sizes[2];
    }
}

/* ---- Coordinates ---- */

/* sums [n, n], rows from .. to - 1 of it: the mean product of columns of vectors [count, stride],
 * whose first column of these `n` is where they begin. */
AR_CLONES static void covary(double *sums, const double *vectors, int64_t count, int64_t stride,
                             int64_t n, int64_t from, int64_t to) {
    static const double none[AR_BASIS_MOST];
    memset(sums + from * n, 0, (size_t)((to - from) * n) * sizeof *sums);
    for (int64_t v = 0; v < count; v += TOGETHER) {
        const double *a = vectors + v * stride, *b = v + 1 < count ? a + stride : none;
        const double *c = v + 2 < count ? a + 2 * stride : none;
        const double *d = v + 3 < count ? a + 3 * stride : none;
        for (int64_t i = from; i < to; i++) {
            double *row = sums + i * n;
#pragma omp simd
            for (int64_t j = 0; j < n; j++)
                row[j] += a[i] * a[j] + b[i] * b[j] + c[i] * c[j] + d[i] * d[j];
        }
    }
    for (int64_t i = from * n; i < to * n; i++)
        sums[i] /= count > 0 ? (double)count : 1.0;
}

static void covary_all(double *sums, const double *vectors, int64_t count, int64_t n,
                       const making *made) {
    int parts = (int)ar_at_most(made->threads, n);
#pragma omp parallel for schedule(static) num_threads(parts) if (parts > 1)
    for (int part = 0; part < parts; part++)
        covary(sums, vectors, count, made->index->width, n, n * part / parts,
               n * (part + 1) / parts);
}

/* One block's rows of map, back and shares. covariances [3, block, block]. */
static alterrec_status make_block(double *skew, making *made, int64_t b, double *covariances) {
    const ar_index_shape *shape = &made->index->shape;
    ar_index_block block = ar_index_block_at(shape, b);
    int64_t n = block.columns, at = block.first * shape->block;
    double *rows = covariances, *vectors = rows + n * n, *back = vectors + n * n;
    float *map;
    AR_NEW(map, n * n);
    covary_all(rows, made->rows + block.first, made->row_count, n, made);
    covary_all(vectors, made->vectors + block.first, made->vector_count - made->tried, n, made);
    alterrec_status status =
        ar_basis_make(map, back, made->shares + block.first, skew, rows, vectors, n);
    for (int64_t i = 0; status == ALTERREC_OK && i < n; i++) {
        memcpy(made->map + at + i * shape->block, map + i * n, (size_t)n * sizeof *map);
        memcpy(made->back + at + i * shape->block, back + i * n, (size_t)n * sizeof *back);
    }
    ar_free(map);
    double variance = 0.0;
    for (int64_t i = 0; i < n; i++)
        variance += rows[i * n + i];
    if (variance == 0.0) /* a tower without weight, for which any coordinates were made */
        memset(made->shares + block.first, 0, (size_t)n * sizeof *made->shares);
    return status;
}

/* Coordinates of blocks of `block` columns: map, back, shares and skew. */
static alterrec_status make_coordinates(making *made, int64_t block) {
    ar_index_shape *shape = &made->index->shape;
    double *covariances;
    shape->block = block;
    AR_NEW(covariances, 3 * block * block);
    alterrec_status status = ALTERREC_OK;
    made->skew = 0.0;
    for (int64_t b = 0; status == ALTERREC_OK && b < ar_index_blocks(shape); b++) {
        double skew = 0.0;
        status = make_block(&skew, made, b, covariances);
        made->skew = fmax(made->skew, skew);
    }
    ar_free(covariances);
    return status;
}

/* Chooses the head by the samples, which become coordinates. rows [row_count, width], a whole
 * number of times TOGETHER, and vectors [tried, width] are room for them. */
static alterrec_status choose_head(making *made, double *rows, double *vectors) {
    ar_item_index *index = made->index;
    int64_t width = index->width;
    for (int64_t b = 0; b < ar_index_blocks(&index->shape); b++)
        made->counts[b] = (float)ar_index_block_at(&index->shape, b).columns;
    index->shape.head = width; /* all in the order of the blocks, while they are compared */
    for (int64_t r = 0; r < made->row_count; r += TOGETHER)
        ar_coordinates_of_rows(rows + r * width, index, made->back, made->rows + r * width);
    int64_t first = made->vector_count - made->tried;
    for (int64_t v = 0; v < made->tried; v++)
        ar_coordinates_of_vector(vectors + v * width, index, made->vectors + (first + v) * width);
    ar_head_sample sample = {.shares = made->shares,
                             .rows = rows,
                             .biases = made->biases,
                             .vectors = vectors,
                             .row_count = made->row_count,
                             .vector_count = made->tried};
    return ar_head_choose(&index->shape.head, made->counts, &index->shape, &sample);
}

/* ---- Codes ---- */

/* What a part of a row, its head or its tail, became. */
typedef struct coded {
    float scale;
    double error, norm; /* of what the codes miss, and of what they stand for */
} coded;

/* Codes of values [count]; value v of the row is at to + v / (values of a step) * stride. */
static coded encode(uint8_t *to, int64_t stride, const double *values, int64_t count,
                    ar_index_precision precision) {
    bool is_int8 = precision == AR_INDEX_INT8;
    int64_t together = is_int8 ? 4 : 2;
    double largest = 0.0, error = 0.0, square = 0.0;
    for (int64_t c = 0; c < count; c++)
        largest = fmax(largest, fabs(values[c]));
    coded made = {.scale = is_int8 ? (float)(largest / 127.0) : 1.0f};
    double scale = (double)made.scale;
    for (int64_t c = 0; c < count; c++) {
        uint8_t *code = to + c / together * stride + c % together * (4 / together);
        double value;
        if (is_int8) {
            double rounded = scale > 0.0 ? nearbyint(values[c] / scale) : 0.0;
            rounded = rounded > 127.0 ? 127.0 : rounded < -127.0 ? -127.0 : rounded;
            *code = (uint8_t)(128 + (int)rounded);
            value = scale * rounded;
        } else {
            uint16_t bits = ar_bf16_normal((float)values[c]);
            memcpy(code, &bits, sizeof bits);
            value = (double)ar_bf16_value(bits);
        }
        error += (values[c] - value) * (values[c] - value);
        square += value * value;
    }
    made.error = sqrt(error);
    made.norm = sqrt(square);
    return made;
}

static float above(double value) {
    return (float)(value * (1.0 + 1e-6));
}

static float *terms_at(const making *made, int64_t row) {
    return made->terms + row / AR_INDEX_ROWS * AR_BOUNDS_TERMS * AR_INDEX_ROWS +
           row % AR_INDEX_ROWS;
}

/* Writes row `row` of coordinates [width], head and tail; of one that is not usable they are 0. */
static void encode_row(making *made, int64_t row, const double *coordinates, bool usable) {
    const ar_index_shape *shape = &made->index->shape;
    int64_t head = shape->head, tail = made->index->width - head;
    int64_t steps = ar_compact_steps(ar_index_kind(shape), head), lane = row % AR_INDEX_ROWS;
    uint8_t *to = made->heads + (row / AR_INDEX_ROWS * steps * AR_INDEX_ROWS + lane) * 4;
    coded front = encode(to, AR_INDEX_ROWS * 4, coordinates, head, shape->precision);
    double *sizes = made->sizes + row * 3, norm = front.norm;
    if (tail > 0) {
        uint8_t *record = made->tails + row * ar_index_tail_bytes(shape);
        float numbers[AR_INDEX_TAIL_TERMS];
        coded rest = encode(record + sizeof numbers, 4, coordinates + head, tail, shape->precision);
        numbers[AR_INDEX_TAIL_SCALE] = rest.scale;
        numbers[AR_INDEX_TAIL_ERROR] = above(rest.error);
        memcpy(record, numbers, sizeof numbers);
        norm = fmax(norm, rest.norm);
    }
    sizes[1] = ar_coordinates_norm(coordinates, made->index->width);
    float *terms = terms_at(made, row);
    terms[AR_BOUNDS_SCALE * AR_INDEX_ROWS] = front.scale;
    terms[AR_BOUNDS_BIAS * AR_INDEX_ROWS] = usable ? (float)sizes[2] : 0.0f;
    terms[AR_BOUNDS_ERROR * AR_INDEX_ROWS] = usable ? above(front.error) : FLT_MAX;
    terms[AR_BOUNDS_NORM * AR_INDEX_ROWS] = above(fmax(norm, sizes[1]));
    terms[AR_BOUNDS_TAIL * AR_INDEX_ROWS] = above(ar_coordinates_norm(coordinates + head, tail));
    if (!usable) {
        memset(sizes, 0, 3 * sizeof *sizes);
        atomic_store(&made->too_large, true);
    }
}

/* Rows first .. last - 1. room [2, TOGETHER, width]. */
static void encode_rows(making *made, int64_t first, int64_t last, double *room) {
    int64_t width = made->index->width;
    double *coordinates = room + TOGETHER * width;
    for (int64_t r = first; r < last; r += TOGETHER) {
        int64_t rows = ar_at_most(TOGETHER, last - r);
        bool usable[TOGETHER] = {false};
        for (int64_t i = 0; i < rows; i++) {
            usable[i] = deviate(room + i * width, made->sizes + (r + i) * 3, made, r + i);
            for (int64_t c = 0; !usable[i] && c < width; c++)
                room[i * width + c] = 0.0;
        }
        ar_coordinates_of_rows(coordinates, made->index, made->back, room);
        for (int64_t i = 0; i < rows; i++)
            encode_row(made, r + i, coordinates + i * width, usable[i]);
    }
}

/* ---- All of it ---- */

static double ratio(double to, double from) {
    double value = from > 0.0 && to > 0.0 ? to / from : 1.0;
    return value <= 1e30 && value >= 1e-30 ? value : 1.0;
}

/* The norm of a row's terms bounds three things at once: that of its coordinates and codes, and,
 * times the slacks, those of its f32 row and its bias. The slacks bring the three to one size, so
 * that none loosens the bound of the others. */
static void join_norms(making *made, float *slack) {
    const ar_index_shape *shape = &made->index->shape;
    int64_t items = shape->items, tail = ar_index_tail_bytes(shape);
    double sums[3] = {0};
    for (int64_t i = 0; i < 3 * items; i++)
        sums[i % 3] += made->sizes[i] * made->sizes[i];
    float table = (float)ratio(sqrt(sums[1]), sqrt(sums[0]));
    float bias = (float)ratio(sqrt(sums[1]), sqrt(sums[2]));
    float largest = 0.0f, error = 0.0f, tail_error = 0.0f;
    for (int64_t r = 0; r < items; r++) {
        const double *sizes = made->sizes + r * 3;
        float *norm = terms_at(made, r) + AR_BOUNDS_NORM * AR_INDEX_ROWS;
        float joint = above(fmax(sizes[0] * (double)table, fabs(sizes[2]) * (double)bias));
        float numbers[AR_INDEX_TAIL_TERMS] = {0};
        *norm = joint > *norm ? joint : *norm;
        largest = *norm > largest ? *norm : largest;
        error = fmaxf(error, terms_at(made, r)[AR_BOUNDS_ERROR * AR_INDEX_ROWS]);
        if (tail > 0)
            memcpy(numbers, made->tails + r * tail, sizeof numbers);
        tail_error = fmaxf(tail_error, numbers[AR_INDEX_TAIL_ERROR]);
    }
    slack[AR_INDEX_TABLE_SLACK] = table;
    slack[AR_INDEX_BIAS_SLACK] = bias;
    slack[AR_INDEX_LARGEST] = atomic_load(&made->too_large) ? FLT_MAX : largest;
    slack[AR_INDEX_LARGEST_ERROR] = error;
    slack[AR_INDEX_LARGEST_TAIL_ERROR] = tail_error;
    slack[AR_INDEX_SKEW] = above(made->skew);
}

static void make_codes(making *made, double *room) {
    ar_item_index *index = made->index;
    const ar_index_shape *shape = &index->shape;
    int64_t panels = (shape->items + AR_INDEX_ROWS - 1) / AR_INDEX_ROWS;
    int64_t steps = ar_compact_steps(ar_index_kind(shape), shape->head);
    int threads = made->threads;
    if (shape->precision == AR_INDEX_INT8) {
        memset(made->heads, 128, (size_t)(panels * steps * AR_INDEX_ROWS * 4));
        if (made->tails != NULL)
            memset(made->tails, 128, (size_t)(shape->items * ar_index_tail_bytes(shape)));
    }
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
    for (int part = 0; part < threads; part++)
        encode_rows(made, shape->items * part / threads, shape->items * (part + 1) / threads,
                    room + part * 2 * TOGETHER * index->width);
}

/* Moves what was made before the sizes were known to the index's own arrays, and fills the rest. */
static alterrec_status fill(making *made) {
    ar_item_index *index = made->index;
    int64_t width = index->width;
    double *room;
    AR_TRY(ar_item_index_add_arrays(index));
    AR_NEW(made->sizes, 3 * index->shape.items);
    AR_NEW(room, made->threads * 2 * TOGETHER * width);
    memcpy(index->owned[AR_INDEX_MAP], made->map,
           (size_t)(width * index->shape.block) * sizeof *made->map);
    memcpy(index->owned[AR_INDEX_COUNTS], made->counts,
           (size_t)ar_index_blocks(&index->shape) * sizeof *made->counts);
    memcpy(index->owned[AR_INDEX_PER_COLUMN], made->columns,
           (size_t)(AR_INDEX_COLUMNS * width) * sizeof *made->columns);
    made->heads = index->owned[AR_INDEX_HEADS];
    made->terms = index->owned[AR_INDEX_TERMS];
    made->tails = index->owned[AR_INDEX_TAILS];
    make_codes(made, room);
    join_norms(made, index->owned[AR_INDEX_SLACK]);
    ar_free(room);
    return ALTERREC_OK;
}

static alterrec_status sample(making *made, const float *vectors, int64_t count) {
    const ar_index_shape *shape = &made->index->shape;
    int64_t width = made->index->width, rows = ar_at_most(shape->items, SAMPLE);
    AR_NEW(made->columns, AR_INDEX_COLUMNS * width);
    AR_NEW(made->rows, (rows + TOGETHER) * width); /* so that the last ones have company */
    AR_NEW(made->biases, rows);
    AR_NEW(made->vectors, count * width);
    AR_TRY(set_centres(made));
    set_offsets(made, vectors, count);
    take_sample(made, rows);
    made->tried = ar_at_most(made->vector_count / 8, TRIED);
    return ALTERREC_OK;
}

/* Coordinates of many columns if they leave a tail, else each column by itself. */
static alterrec_status set_coordinates(making *made) {
    ar_index_shape *shape = &made->index->shape;
    int64_t width = made->index->width;
    int64_t blocks = (shape->dim + AR_BASIS_MOST - 1) / AR_BASIS_MOST;
    bool worth = shape->items >= WORTH_ROWS * width && made->tried > 0;
    int64_t block = worth ? (shape->dim + blocks - 1) / blocks : 1;
    AR_NEW(made->map, width * block);
    AR_NEW(made->back, width * block);
    AR_NEW(made->shares, width);
    AR_NEW(made->counts, width);
    made->index->map = made->map;
    made->index->counts = made->counts;
    if (worth) {
        double *rows = ar_new((made->row_count + TOGETHER) * width, sizeof *rows);
        double *vectors = ar_new(made->tried * width, sizeof *vectors);
        alterrec_status status = rows != NULL && vectors != NULL ? make_coordinates(made, block)
                                                                 : ALTERREC_ERROR_OUT_OF_MEMORY;
        if (status == ALTERREC_OK)
            status = choose_head(made, rows, vectors);
        ar_free(rows);
        ar_free(vectors);
        if (status != ALTERREC_OK || shape->head < width)
            return status;
    }
    shape->head = width;
    for (int64_t c = 0; c < width; c++)
        made->counts[c] = 1.0f;
    return make_coordinates(made, 1);
}

static alterrec_status make(making *made, const float *vectors, int64_t count) {
    AR_TRY(sample(made, vectors, count));
    AR_TRY(set_coordinates(made));
    return fill(made);
}

alterrec_status ar_compact_copy_make(ar_item_index *index, const float *vectors, int64_t count,
                                     int threads) {
    making made = {.index = index, .threads = threads};
    alterrec_status status =
        ar_compact_steps(ar_index_kind(&index->shape), index->width) > AR_COMPACT_MOST_STEPS
            ? ar_fail(ALTERREC_ERROR_UNSUPPORTED,
                      "a compact table of %lld columns; there may be %d", (long long)index->width,
                      2 * AR_COMPACT_MOST_STEPS)
            : make(&made, vectors, count);
    ar_free(made.map);
    ar_free(made.counts);
    ar_free(made.columns);
    ar_free(made.back);
    ar_free(made.shares);
    ar_free(made.rows);
    ar_free(made.biases);
    ar_free(made.vectors);
    ar_free(made.sizes);
    if (status != ALTERREC_OK)
        ar_item_index_free(index);
    return status;
}
