/* The oneDNN engine, and the primitives made so far. Level: nn; only onednn.c knows oneDNN's types,
 * and only onednn_api.c what its generations 2.6 and 3.x call differently. */
#ifndef AR_NN_ONEDNN_H
#define AR_NN_ONEDNN_H

#include "core/status.h"
#include "nn/bf16.h"

#include <stdbool.h>

/* Engine, stream, scratchpad and cached primitives. One thread at a time: each batch, trainer and
 * evaluation has its own, because a primitive whose scratchpad two threads share computes silently
 * wrong numbers. */
typedef struct ar_onednn ar_onednn;

alterrec_status ar_onednn_create(ar_onednn **onednn);
void ar_onednn_free(ar_onednn *onednn);

/* Version and instruction set, "oneDNN 2.6.3 avx512_core_bf16". */
const char *ar_onednn_info(void);

/* What a product does beyond dst = src · weights. */
enum {
    AR_SRC_TRANSPOSED = 1,     /* src is stored [k, m] */
    AR_WEIGHTS_TRANSPOSED = 2, /* weights are stored [n, k] */
    AR_ACCUMULATE = 4,         /* dst += */
    AR_RELU = 8                /* relu of the result */
};

/* A row of a product has the same bits whatever rows stand beside it, if there are at least so many
 * rows: below that oneDNN takes another path. Inference pads to it. */
enum { AR_PRODUCT_ROWS = 16 };

/* dst [m, n] = src [m, k] · weights [k, n] (+ bias [n], NULL: none), all row-major f32. m, n and k
 * may differ from call to call at no cost: every size is a runtime dimension of one primitive. */
alterrec_status ar_matmul(ar_onednn *onednn, float *dst, const float *src, const float *weights,
                          const float *bias, int64_t m, int64_t n, int64_t k, int flags);

/* UNSUPPORTED, naming the option that asks for them, if the processor has no products of bf16
 * numbers. */
alterrec_status ar_onednn_check_bf16(const char *option);

/* Whether ar_matmul rounds src and weights to bf16 (sums stay f32): about twice as fast, on
 * processors that have such products. UNSUPPORTED on others. Without this call: f32. */
alterrec_status ar_onednn_use_bf16(ar_onednn *onednn, bool use);

/* A matrix of a product: its values, or what they have been rounded to (nn/bf16.h), so that what
 * several products share need not be rounded for each of them. The other one is NULL. */
typedef struct ar_operand {
    const float *values;
    const ar_bf16 *rounded;
} ar_operand;

/* ar_matmul of operands. If one of them has been rounded, the other one is as well. */
alterrec_status ar_matmul_of(ar_onednn *onednn, float *dst, ar_operand src, ar_operand weights,
                             const float *bias, int64_t m, int64_t n, int64_t k, int flags);

/* The number of rows, at least `rows` and AR_PRODUCT_ROWS, that room for `rows` rows is made for:
 * few distinct values, so that batches which differ a little need no room of their own. */
int64_t ar_row_bucket(int64_t rows);

#endif
