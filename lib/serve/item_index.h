/* The item tables of a recommender, side by side, and the compact copy that is searched first.
 * Level: serve. */
#ifndef AR_SERVE_ITEM_INDEX_H
#define AR_SERVE_ITEM_INDEX_H

#include "core/status.h"
#include "nn/bounds.h"

enum { AR_INDEX_MOST_TOWERS = 2, AR_INDEX_MOST_ARRAYS = 5, AR_INDEX_ROWS = AR_COMPACT_ROWS };

typedef enum ar_index_precision {
    AR_INDEX_F32, /* no compact copy */
    AR_INDEX_BF16,
    AR_INDEX_INT8
} ar_index_precision;

/* What the sizes of all arrays follow from, and how the towers' scores are fused. */
typedef struct ar_index_shape {
    ar_index_precision precision;
    int32_t towers; /* 1 or 2 */
    int64_t items, dim;
    float scales[AR_INDEX_MOST_TOWERS]; /* of a tower's dot product; a lone tower's as well */
    float alpha;                        /* of the first of two towers */
} ar_index_shape;

static inline ar_compact_kind ar_index_kind(const ar_index_shape *shape) {
    return shape->precision == AR_INDEX_BF16 ? AR_COMPACT_BF16 : AR_COMPACT_INT8;
}

/* The per-row terms of the compact copy, those of nn/bounds.h. */
enum {
    AR_INDEX_SCALE = AR_BOUNDS_SCALE,
    AR_INDEX_BIAS = AR_BOUNDS_BIAS,
    AR_INDEX_ERROR = AR_BOUNDS_ERROR,
    AR_INDEX_NORM = AR_BOUNDS_NORM,
    AR_INDEX_TERMS = AR_BOUNDS_TERMS
};

/* The per-column ones, [3][width]. */
enum { AR_INDEX_WEIGHT, AR_INDEX_OFFSET, AR_INDEX_CENTRE, AR_INDEX_COLUMNS };

/* AR_INDEX_NORM of a row is at least the table row's norm * TABLE_SLACK, and the bias's size *
 * BIAS_SLACK; LARGEST is the largest norm, LARGEST_ERROR the largest of AR_INDEX_ERROR. */
enum {
    AR_INDEX_TABLE_SLACK,
    AR_INDEX_BIAS_SLACK,
    AR_INDEX_LARGEST,
    AR_INDEX_LARGEST_ERROR,
    AR_INDEX_SLACKS
};

/* Plain arrays without pointers in them: they may stand in a mapped file as they are. See
 * docs/internals/search.md for the compact copy. A zeroed ar_item_index is an empty one. */
typedef struct ar_item_index {
    ar_index_shape shape;
    int64_t width;                     /* towers * dim */
    const float *table;                /* [items, width]: row r is [T_id(r) ; T_text(r)] */
    const void *codes;                 /* compact rows in panels; NULL for f32, as what follows */
    const float *terms;                /* [panels][AR_INDEX_TERMS][16] */
    const float *columns;              /* [AR_INDEX_COLUMNS][width] */
    const float *slack;                /* [AR_INDEX_SLACKS] */
    void *owned[AR_INDEX_MOST_ARRAYS]; /* freed with the index */
} ar_item_index;

/* Builds it from tables[t] [items, dim]. A session vector is expected to be weights[c] * z +
 * offsets[c] in column c of the width, the z of all columns of one size (a layer norm's scale and
 * shift: NULL, NULL: not known). They make bounds tight; right they are anyhow. NOT_FINITE names a
 * table's entry that is NaN or infinite. On an error the index is empty. */
alterrec_status ar_item_index_build(ar_item_index *index, const ar_index_shape *shape,
                                    const float *const *tables, const float *weights,
                                    const float *offsets, int threads);

void ar_item_index_free(ar_item_index *index);

/* An array of an index, to be saved and seen again. */
typedef struct ar_index_array {
    const char *name;
    bool is_float; /* else bytes */
    int64_t rows, columns;
    const void *data; /* NULL while it is only asked for sizes */
} ar_index_array;

/* The arrays that an index of this shape has; returns their number. With an index their data. */
int ar_index_shape_arrays(ar_index_array *arrays, const ar_index_shape *shape);
int ar_item_index_arrays(ar_index_array *arrays, const ar_item_index *index);

/* An index that looks at the caller's arrays (data of ar_index_shape_arrays, in that order; aligned
 * for floats, best to 64 bytes), which must outlive it. Looks through the small ones:
 * NOT_FINITE if a scale or a bound in them is no number. */
alterrec_status ar_item_index_view(ar_item_index *index, const ar_index_shape *shape,
                                   const void *const *data);

/* What a dot product of tower `tower` (0 or 1) counts in a fused score. */
double ar_index_fold(const ar_index_shape *shape, int tower);

/* Bytes of all arrays. */
int64_t ar_item_index_bytes(const ar_item_index *index);

#endif
