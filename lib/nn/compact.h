/* Products with a matrix of one or two bytes a value, in panels of 16 rows. Level: nn. */
#ifndef AR_NN_COMPACT_H
#define AR_NN_COMPACT_H

#include <stdbool.h>
#include <stdint.h>

enum { AR_COMPACT_ROWS = 16 };

/* A step is the 4 bytes of a row that one instruction multiplies: 4 values of int8, 2 of bf16. The
 * matrix stands as [panels][steps][16][4 bytes], the other side as rows of steps.
 *   int8: the matrix is 128 + value, unsigned, the other side signed; sums are int32 and exact.
 *   bf16: the upper halves of floats, none of them denormal; sums are f32 in an order of the
 *         machine's choice, so within (steps * 2 + 2) * 2^-23 of the sum of absolute products,
 *         and what lies below the smallest normal float may count as 0.
 * The bits of a row of dst do not depend on the rows beside it. */
typedef enum ar_compact_kind { AR_COMPACT_INT8, AR_COMPACT_BF16 } ar_compact_kind;

/* Values of a step. */
static inline int64_t ar_compact_values(ar_compact_kind kind) {
    return kind == AR_COMPACT_INT8 ? 4 : 2;
}

static inline int64_t ar_compact_steps(ar_compact_kind kind, int64_t columns) {
    return (columns + ar_compact_values(kind) - 1) / ar_compact_values(kind);
}

/* Steps beyond this could overflow the sums of int8. */
enum { AR_COMPACT_MOST_STEPS = 16384 };

typedef struct ar_compact_job {
    ar_compact_kind kind;
    void *dst; /* [count, panels * 16]: int32_t or float */
    int64_t dst_stride;
    const void *src; /* [count, steps] of 4 bytes */
    int64_t count;
    const int32_t *begin; /* [count]: what int8 sums begin with: -128 * the sum of the row of src */
    const void *matrix;   /* [panels, steps, 16] of 4 bytes */
    int64_t panels, steps;
    const void *next; /* the panels that the caller multiplies next, as many, or NULL: fetched
                         meanwhile, which is only advice */
} ar_compact_job;

/* One thread. */
void ar_compact_multiply(const ar_compact_job *job);

/* Rows that stand by themselves, of which a panel would have to be made first. dst [count,
 * AR_COMPACT_ROWS]: of row r with row i of src. Rows begin at any place that 4 divides; what stands
 * behind their steps is not read. Sums of bf16 are within the same bound. */
typedef struct ar_compact_dots_job {
    ar_compact_kind kind;
    void *dst;               /* int32_t or float */
    const void *src;         /* [count, steps] of 4 bytes */
    int64_t count;           /* 1 or 2 */
    const int32_t *begin;    /* as in ar_compact_job */
    const void *const *rows; /* [AR_COMPACT_ROWS], each [steps] of 4 bytes; may be the same one */
    int64_t steps;
} ar_compact_dots_job;

/* One thread. */
void ar_compact_dots(const ar_compact_dots_job *job);

/* The instruction sets that it knows, whether this machine has one, and the products by it: for
 * tests and measurements. */
typedef enum ar_compact_set {
    AR_COMPACT_PORTABLE,
    AR_COMPACT_AVX2,
    AR_COMPACT_AVX512, /* with VNNI for int8, with its bf16 for bf16 */
    AR_COMPACT_SETS
} ar_compact_set;

bool ar_compact_has(ar_compact_set set, ar_compact_kind kind);
void ar_compact_multiply_by(ar_compact_set set, const ar_compact_job *job);
void ar_compact_dots_by(ar_compact_set set, const ar_compact_dots_job *job);

#endif
