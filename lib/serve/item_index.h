/* The item tables of a recommender, side by side, and the compact copy that is searched first.
 * Level: serve. */
#ifndef AR_SERVE_ITEM_INDEX_H
#define AR_SERVE_ITEM_INDEX_H

#include "core/status.h"
#include "nn/bounds.h"
#include "serve/basis.h"

enum { AR_INDEX_MOST_TOWERS = 2, AR_INDEX_ROWS = AR_COMPACT_ROWS };

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
    int64_t block; /* columns of a tower that make coordinates together, 1..AR_BASIS_MOST; as
                      `head` not for f32 */
    int64_t head;  /* coordinates in the codes that all rows are searched by: 1..width */
    float scales[AR_INDEX_MOST_TOWERS]; /* of a tower's dot product; a lone tower's as well */
    float alpha;                        /* of the first of two towers */
} ar_index_shape;

static inline ar_compact_kind ar_index_kind(const ar_index_shape *shape) {
    return shape->precision == AR_INDEX_BF16 ? AR_COMPACT_BF16 : AR_COMPACT_INT8;
}

/* The blocks of all towers, whose columns are coordinates together. */
static inline int64_t ar_index_blocks(const ar_index_shape *shape) {
    return shape->towers * ((shape->dim + shape->block - 1) / shape->block);
}

typedef struct ar_index_block {
    int64_t first, columns; /* of the width; a tower's last block may have fewer */
} ar_index_block;

static inline ar_index_block ar_index_block_at(const ar_index_shape *shape, int64_t block) {
    int64_t blocks = ar_index_blocks(shape) / shape->towers, at = block % blocks * shape->block;
    int64_t left = shape->dim - at;
    return (ar_index_block){block / blocks * shape->dim + at,
                            left < shape->block ? left : shape->block};
}

/* A row's tail, where the head is not all: two floats, the scale of its codes and their error, then
 * the codes, filled up to a whole cache line. */
enum { AR_INDEX_TAIL_SCALE, AR_INDEX_TAIL_ERROR, AR_INDEX_TAIL_TERMS };

static inline int64_t ar_index_tail_steps(const ar_index_shape *shape) {
    return ar_compact_steps(ar_index_kind(shape), shape->towers * shape->dim - shape->head);
}

/* The per-column numbers, [2][width]. */
enum { AR_INDEX_OFFSET, AR_INDEX_CENTRE, AR_INDEX_COLUMNS };

/* The norm of a row's terms is at least the table row's norm * TABLE_SLACK, and the bias's size *
 * BIAS_SLACK; the LARGEST are those of the norms, of the errors and of the tails' errors. SKEW
 * times the norms of both sides is what the change of coordinates may cost. */
enum {
    AR_INDEX_TABLE_SLACK,
    AR_INDEX_BIAS_SLACK,
    AR_INDEX_LARGEST,
    AR_INDEX_LARGEST_ERROR,
    AR_INDEX_LARGEST_TAIL_ERROR,
    AR_INDEX_SKEW,
    AR_INDEX_SLACKS
};

/* The arrays in the order in which they are owned, saved and viewed. */
enum {
    AR_INDEX_TABLE,
    AR_INDEX_HEADS,
    AR_INDEX_TERMS,
    AR_INDEX_MAP,
    AR_INDEX_COUNTS,
    AR_INDEX_PER_COLUMN,
    AR_INDEX_SLACK,
    AR_INDEX_TAILS,
    AR_INDEX_MOST_ARRAYS
};

/* Plain arrays without pointers in them: they may stand in a mapped file as they are. See
 * docs/internals/search.md for the compact copy. A zeroed ar_item_index is an empty one. */
typedef struct ar_item_index {
    ar_index_shape shape;
    int64_t width;      /* towers * dim */
    const float *table; /* [items, width]: row r is [T_id(r) ; T_text(r)] */
    /* The compact copy; NULL for f32. */
    const void *heads;                 /* codes of `head` coordinates in panels */
    const void *tails;                 /* [items, ar_index_tail_bytes]; NULL: the head is all */
    const float *terms;                /* [panels][AR_BOUNDS_TERMS][16], those of nn/bounds.h */
    const float *map;                  /* [width, block]: row c makes coordinate c of its block's
                                          columns */
    const float *counts;               /* [blocks]: how many of its coordinates are in the head */
    const float *columns;              /* [AR_INDEX_COLUMNS][width] */
    const float *slack;                /* [AR_INDEX_SLACKS] */
    void *owned[AR_INDEX_MOST_ARRAYS]; /* freed with the index */
} ar_item_index;

/* Bytes of a row's tail: 0 where the head is all. */
int64_t ar_index_tail_bytes(const ar_index_shape *shape);

/* Builds it from tables[t] [items, dim], without a compact copy, which ar_compact_copy_make adds
 * and without which it must not be searched, unless it is one for f32. NOT_FINITE names a table's
 * entry that is NaN or infinite. On an error the index is empty. */
alterrec_status ar_item_index_build(ar_item_index *index, const ar_index_shape *shape,
                                    const float *const *tables);

/* Allocates the arrays of the compact copy, the shape's block and head being known. */
alterrec_status ar_item_index_add_arrays(ar_item_index *index);

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
