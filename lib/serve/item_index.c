#include "serve/item_index.h"

#include "core/memory.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { LINE = 64 /* bytes that are fetched together */ };

static int64_t panels_of(const ar_index_shape *shape) {
    return (shape->items + AR_INDEX_ROWS - 1) / AR_INDEX_ROWS;
}

static int64_t width_of(const ar_index_shape *shape) {
    return shape->towers * shape->dim;
}

int64_t ar_index_tail_bytes(const ar_index_shape *shape) {
    int64_t terms = AR_INDEX_TAIL_TERMS * (int64_t)sizeof(float);
    if (shape->head == width_of(shape))
        return 0;
    return (terms + ar_index_tail_steps(shape) * 4 + LINE - 1) / LINE * LINE;
}

int ar_index_shape_arrays(ar_index_array *arrays, const ar_index_shape *shape) {
    int64_t width = width_of(shape), panels = panels_of(shape);
    int count = 0;
    arrays[count++] = (ar_index_array){"table", true, shape->items, width, NULL};
    if (shape->precision == AR_INDEX_F32)
        return count;
    int64_t steps = ar_compact_steps(ar_index_kind(shape), shape->head);
    int64_t tail = ar_index_tail_bytes(shape), blocks = ar_index_blocks(shape);
    arrays[count++] = (ar_index_array){"heads", false, panels, steps * AR_INDEX_ROWS * 4, NULL};
    arrays[count++] =
        (ar_index_array){"terms", true, panels, AR_BOUNDS_TERMS * AR_INDEX_ROWS, NULL};
    arrays[count++] = (ar_index_array){"map", true, width, shape->block, NULL};
    arrays[count++] = (ar_index_array){"counts", true, 1, blocks, NULL};
    arrays[count++] = (ar_index_array){"columns", true, AR_INDEX_COLUMNS, width, NULL};
    arrays[count++] = (ar_index_array){"slack", true, 1, AR_INDEX_SLACKS, NULL};
    if (tail > 0)
        arrays[count++] = (ar_index_array){"tails", false, shape->items, tail, NULL};
    return count;
}

static void set_arrays(ar_item_index *index, const void *const *data) {
    index->width = width_of(&index->shape);
    index->table = data[AR_INDEX_TABLE];
    if (index->shape.precision == AR_INDEX_F32)
        return;
    index->heads = data[AR_INDEX_HEADS];
    index->terms = data[AR_INDEX_TERMS];
    index->map = data[AR_INDEX_MAP];
    index->counts = data[AR_INDEX_COUNTS];
    index->columns = data[AR_INDEX_PER_COLUMN];
    index->slack = data[AR_INDEX_SLACK];
    index->tails = ar_index_tail_bytes(&index->shape) > 0 ? data[AR_INDEX_TAILS] : NULL;
}

int ar_item_index_arrays(ar_index_array *arrays, const ar_item_index *index) {
    const void *const data[AR_INDEX_MOST_ARRAYS] = {index->table, index->heads,  index->terms,
                                                    index->map,   index->counts, index->columns,
                                                    index->slack, index->tails};
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

static alterrec_status place_rows(float *to, const ar_index_shape *shape,
                                  const float *const *tables) {
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
            memcpy(to + (r * shape->towers + t) * dim, row, (size_t)dim * sizeof *row);
        }
    return ALTERREC_OK;
}

alterrec_status ar_item_index_build(ar_item_index *index, const ar_index_shape *shape,
                                    const float *const *tables) {
    int64_t width = width_of(shape);
    *index = (ar_item_index){.shape = *shape, .width = width};
    float *table = ar_new(shape->items * width, sizeof *table);
    if (table == NULL)
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    index->table = index->owned[AR_INDEX_TABLE] = table;
    alterrec_status status = place_rows(table, shape, tables);
    if (status != ALTERREC_OK)
        ar_item_index_free(index);
    return status;
}

alterrec_status ar_item_index_add_arrays(ar_item_index *index) {
    ar_index_array arrays[AR_INDEX_MOST_ARRAYS];
    int count = ar_index_shape_arrays(arrays, &index->shape);
    for (int i = 1; i < count; i++) {
        index->owned[i] =
            ar_new(arrays[i].rows * arrays[i].columns, arrays[i].is_float ? sizeof(float) : 1);
        if (index->owned[i] == NULL)
            return ALTERREC_ERROR_OUT_OF_MEMORY;
    }
    set_arrays(index, (const void *const *)index->owned);
    return ALTERREC_OK;
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
        const float *terms = index->terms + p * AR_BOUNDS_TERMS * AR_INDEX_ROWS;
        for (int term = 0; term < AR_BOUNDS_TERMS; term++)
            fine = fine && within(terms + term * AR_INDEX_ROWS, AR_INDEX_ROWS,
                                  term == AR_BOUNDS_BIAS ? -FLT_MAX : 0.0f);
    }
    return fine;
}

/* Whether each block has so many coordinates, and all of them together make the head. */
static bool counts_fine(const ar_item_index *index) {
    const ar_index_shape *shape = &index->shape;
    double sum = 0.0;
    for (int64_t b = 0; b < ar_index_blocks(shape); b++) {
        float count = index->counts[b], columns = (float)ar_index_block_at(shape, b).columns;
        if (!(count >= 0.0f && count <= columns && count == floorf(count)))
            return false;
        sum += (double)count;
    }
    return sum == (double)shape->head;
}

alterrec_status ar_item_index_view(ar_item_index *index, const ar_index_shape *shape,
                                   const void *const *data) {
    *index = (ar_item_index){.shape = *shape};
    set_arrays(index, data);
    if (shape->precision == AR_INDEX_F32)
        return ALTERREC_OK;
    int64_t width = index->width;
    const char *bad = !terms_fine(index)                                            ? "terms"
                      : !within(index->map, width * shape->block, -FLT_MAX)         ? "map"
                      : !counts_fine(index)                                         ? "counts"
                      : !within(index->columns, AR_INDEX_COLUMNS * width, -FLT_MAX) ? "columns"
                      : !within(index->slack, AR_INDEX_SLACKS, 0.0f)                ? "slack"
                                                                                    : NULL;
    if (bad == NULL)
        return ALTERREC_OK;
    *index = (ar_item_index){0};
    return ar_fail(ALTERREC_ERROR_NOT_FINITE,
                   "the compact table's \"%s\" hold a value that is out "
                   "of range or not finite",
                   bad);
}
