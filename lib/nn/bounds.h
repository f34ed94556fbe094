/* Which rows' scores may reach a threshold, judged by products with a compact matrix. Level: nn. */
#ifndef AR_NN_BOUNDS_H
#define AR_NN_BOUNDS_H

#include "nn/compact.h"

/* Terms of a panel's rows: [5][16] floats. */
enum {
    AR_BOUNDS_SCALE,
    AR_BOUNDS_BIAS,
    AR_BOUNDS_ERROR,
    AR_BOUNDS_NORM,
    AR_BOUNDS_TAIL,
    AR_BOUNDS_TERMS
};

/* With d the product (where there are two, for int8 256 * coarse + fine, for bf16 coarse + fine),
 *     estimate = scale * terms.scale * d + terms.bias
 *     error = row_error * terms.error + norm_error * terms.norm + constant
 *     unknown = tail * terms.tail, the most that a part which is not in d may add */
typedef struct ar_bounds {
    ar_compact_kind kind;
    const void *coarse, *fine; /* [panels * 16]; fine NULL: there is one product */
    const float *terms;        /* [panels][AR_BOUNDS_TERMS][16] */
    int64_t panels;
    float scale, row_error, norm_error, constant, tail;
    float threshold;
} ar_bounds;

/* reach [panels]: bit r of reach[p] is set if estimate + error + unknown of row 16 p + r is not
 * below the threshold. Estimates and errors [panels * 16] of panels with a bit set; the others' are
 * undefined. Whether any bit is set. A formula that differs in roundings by machine. */
bool ar_bounds_judge(uint16_t *reach, float *estimates, float *errors, const ar_bounds *bounds);

/* The same in plain loops: for tests. */
bool ar_bounds_judge_portable(uint16_t *reach, float *estimates, float *errors,
                              const ar_bounds *bounds);

#endif
