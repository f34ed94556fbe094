#include "nn/onednn.h"

#include "core/memory.h"
#include "core/threads.h"
#include "nn/onednn_api.h"

#include <omp.h>
#include <stdio.h>
#include <string.h>

enum {
    MATMUL_KINDS = 64, /* every combination of the four flags, with and without bias, of f32 and of
                          bf16 */
    BIAS = 16,
    BF16 = 32,

    /* Products in blocks: what the kernel for AVX2 takes at once, and from how many left over on it
     * sums them as it does whole ones. Blocks are multiples; those of 161 rows and more oneDNN
     * would cut up again, elsewhere. */
    KERNEL_ROWS = 6,
    KERNEL_ROWS_LEFT = 4,
    BLOCK_ROWS = 96,
    KERNEL_COLUMNS = 16,
    KERNEL_COLUMNS_LEFT = 9,
    BLOCK_COLUMNS = 960
};

struct ar_onednn {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_t matmuls[MATMUL_KINDS];
    bool in_blocks; /* whether products are computed in blocks */
    char *scratchpad;
    int64_t scratchpad_size;
    bool use_bf16;
    ar_rounded src, weights; /* of the product at hand */
};

static alterrec_status backend_error(dnnl_status_t status, const char *action) {
    return ar_fail(status == dnnl_out_of_memory ? ALTERREC_ERROR_OUT_OF_MEMORY
                                                : ALTERREC_ERROR_BACKEND,
                   "oneDNN: %s: status %d", action, (int)status);
}

#define TRY_DNNL(call)                                                                             \
    do {                                                                                           \
        dnnl_status_t dnnl_try_status = (call);                                                    \
        if (dnnl_try_status != dnnl_success)                                                       \
            return backend_error(dnnl_try_status, #call);                                          \
    } while (0)

/* Whether oneDNN's kernels may use all of an instruction set. */
static bool has(dnnl_cpu_isa_t isa) {
    return ((unsigned)dnnl_get_effective_cpu_isa() & (unsigned)isa) == (unsigned)isa;
}

const char *ar_onednn_info(void) {
    static _Thread_local char text[64];
    const dnnl_version_t *version = dnnl_version();
    const char *isa = has(dnnl_cpu_isa_avx512_core_bf16) ? "avx512_bf16"
                      : has(dnnl_cpu_isa_avx512_core)    ? "avx512"
                      : has(dnnl_cpu_isa_avx2)           ? "avx2"
                      : has(dnnl_cpu_isa_avx)            ? "avx"
                                                         : "sse41";
    (void)snprintf(text, sizeof text, "oneDNN %d.%d.%d %s", version->major, version->minor,
                   version->patch, isa);
    return text;
}

alterrec_status ar_onednn_create(ar_onednn **onednn) {
    *onednn = NULL;
    ar_onednn *made;
    AR_NEW(made, 1);
    dnnl_status_t status = dnnl_engine_create(&made->engine, dnnl_cpu, 0);
    if (status == dnnl_success)
        status = dnnl_stream_create(&made->stream, made->engine, dnnl_stream_default_flags);
    if (status != dnnl_success) {
        ar_onednn_free(made);
        return backend_error(status, "create engine and stream");
    }
    made->in_blocks = has(dnnl_cpu_isa_avx) && !has(dnnl_cpu_isa_avx512_core);
    *onednn = made;
    return ALTERREC_OK;
}

void ar_onednn_free(ar_onednn *onednn) {
    if (onednn == NULL)
        return;
    for (int i = 0; i < MATMUL_KINDS; i++)
        if (onednn->matmuls[i] != NULL)
            (void)dnnl_primitive_destroy(onednn->matmuls[i]);
    if (onednn->stream != NULL)
        (void)dnnl_stream_destroy(onednn->stream);
    if (onednn->engine != NULL)
        (void)dnnl_engine_destroy(onednn->engine);
    ar_rounded_free(&onednn->src);
    ar_rounded_free(&onednn->weights);
    ar_free(onednn->scratchpad);
    ar_free(onednn);
}

int64_t ar_row_bucket(int64_t rows) {
    int64_t step = rows <= 256 ? AR_PRODUCT_ROWS : rows <= 2048 ? 128 : 512;
    return rows < step ? step : (rows + step - 1) / step * step;
}

/* One argument of an execution: a plain row-major (or transposed) array. */
typedef struct argument {
    int index;
    void *data;
    ar_layout layout;
} argument;

/* oneDNN's handles take `void *` for what they only read. */
static void *readable(const void *data) {
    union {
        const void *in;
        void *out;
    } cast = {.in = data};
    return cast.out;
}

static ar_layout matrix(int64_t rows, int64_t columns, int64_t row_stride, int64_t column_stride) {
    return (ar_layout){.dims = 2, .sizes = {rows, columns}, .strides = {row_stride, column_stride}};
}

/* Runs the primitive on the arguments, with this handle's own scratchpad. */
static alterrec_status execute(ar_onednn *onednn, dnnl_primitive_t primitive,
                               const argument *arguments, int count) {
    enum { MOST = 12 };
    dnnl_exec_arg_t list[MOST];
    const_dnnl_primitive_desc_t desc;
    TRY_DNNL(dnnl_primitive_get_primitive_desc(primitive, &desc));
    ar_dnnl_desc scratchpad = dnnl_primitive_desc_query_md(desc, dnnl_query_scratchpad_md, 0);
    size_t needed = scratchpad != NULL ? dnnl_memory_desc_get_size(scratchpad) : 0;
    if ((int64_t)needed > onednn->scratchpad_size) {
        char *larger = ar_new((int64_t)needed, 1);
        if (larger == NULL)
            return ALTERREC_ERROR_OUT_OF_MEMORY;
        ar_free(onednn->scratchpad);
        onednn->scratchpad = larger;
        onednn->scratchpad_size = (int64_t)needed;
    }
    dnnl_status_t status = dnnl_success;
    int made = 0;
    for (; made < count && status == dnnl_success; made++) {
        list[made].arg = arguments[made].index;
        list[made].memory = NULL;
        status = ar_dnnl_memory(&list[made].memory, &arguments[made].layout, onednn->engine,
                                arguments[made].data);
    }
    if (status == dnnl_success && needed > 0) {
        list[made] = (dnnl_exec_arg_t){.arg = DNNL_ARG_SCRATCHPAD};
        status =
            dnnl_memory_create(&list[made].memory, scratchpad, onednn->engine, onednn->scratchpad);
        made++;
    }
    ar_signals_block();
    if (status == dnnl_success)
        status = dnnl_primitive_execute(primitive, onednn->stream, made, list);
    if (status == dnnl_success)
        status = dnnl_stream_wait(onednn->stream);
    ar_signals_restore();
    for (int i = 0; i < made; i++)
        if (list[i].memory != NULL)
            (void)dnnl_memory_destroy(list[i].memory);
    return status == dnnl_success ? ALTERREC_OK : backend_error(status, "execute");
}

/* Attributes with a user scratchpad and the post-operations that `flags` name. */
static dnnl_status_t make_attributes(dnnl_primitive_attr_t *attributes, int flags) {
    dnnl_post_ops_t post_ops = NULL;
    dnnl_status_t status = dnnl_primitive_attr_create(attributes);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_scratchpad_mode(*attributes, dnnl_scratchpad_mode_user);
    if (status == dnnl_success && (flags & (AR_ACCUMULATE | AR_RELU)) != 0) {
        status = dnnl_post_ops_create(&post_ops);
        if (status == dnnl_success && (flags & AR_ACCUMULATE) != 0)
            status = ar_dnnl_append_sum(post_ops);
        if (status == dnnl_success && (flags & AR_RELU) != 0)
            status = ar_dnnl_append_eltwise(post_ops, dnnl_eltwise_relu, 0.0f);
        if (status == dnnl_success)
            status = dnnl_primitive_attr_set_post_ops(*attributes, post_ops);
    }
    if (post_ops != NULL)
        (void)dnnl_post_ops_destroy(post_ops);
    return status;
}

/* Ends the making of a primitive: creates it if all went well, and releases what it was made of. */
static alterrec_status end_making(dnnl_primitive_t *primitive, dnnl_status_t status,
                                  dnnl_primitive_desc_t desc, dnnl_primitive_attr_t attributes) {
    if (status == dnnl_success)
        status = dnnl_primitive_create(primitive, desc);
    if (desc != NULL)
        (void)dnnl_primitive_desc_destroy(desc);
    if (attributes != NULL)
        (void)dnnl_primitive_attr_destroy(attributes);
    return status == dnnl_success ? ALTERREC_OK : backend_error(status, "make a primitive");
}

static alterrec_status make_matmul(ar_onednn *onednn, int kind) {
    const int64_t any = DNNL_RUNTIME_DIM_VAL;
    bool src_transposed = (kind & AR_SRC_TRANSPOSED) != 0;
    bool weights_transposed = (kind & AR_WEIGHTS_TRANSPOSED) != 0;
    ar_layout src = matrix(any, any, src_transposed ? 1 : any, src_transposed ? any : 1);
    ar_layout weights =
        matrix(any, any, weights_transposed ? 1 : any, weights_transposed ? any : 1);
    src.bf16 = weights.bf16 = (kind & BF16) != 0;
    ar_layout dst = matrix(any, any, any, 1);
    ar_layout bias = matrix(1, any, any, 1);
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_primitive_desc_t desc = NULL;
    dnnl_status_t status = make_attributes(&attributes, kind);
    if (status == dnnl_success)
        status = ar_dnnl_matmul(&desc, onednn->engine, &src, &weights,
                                (kind & BIAS) != 0 ? &bias : NULL, &dst, attributes);
    return end_making(&onednn->matmuls[kind], status, desc, attributes);
}

/* A product, and its arrays in all their size. */
typedef struct product {
    float *dst;
    const char *src, *weights; /* f32 or, as `kind` says, bf16 */
    const float *bias;
    int64_t m, n, k;
    int kind;
    dnnl_primitive_t primitive;
} product;

/* Rows [row, row + rows) and columns [column, column + columns) of the product. */
static alterrec_status run_part(ar_onednn *onednn, const product *p, int64_t row, int64_t rows,
                                int64_t column, int64_t columns) {
    bool src_transposed = (p->kind & AR_SRC_TRANSPOSED) != 0;
    bool weights_transposed = (p->kind & AR_WEIGHTS_TRANSPOSED) != 0;
    int64_t src_row = src_transposed ? 1 : p->k, src_column = src_transposed ? p->m : 1;
    int64_t weights_row = weights_transposed ? 1 : p->n;
    int64_t weights_column = weights_transposed ? p->k : 1;
    int64_t size = (int64_t)((p->kind & BF16) != 0 ? sizeof(ar_bf16) : sizeof(float));
    argument arguments[4] = {
        {DNNL_ARG_SRC, readable(p->src + row * src_row * size),
         matrix(rows, p->k, src_row, src_column)},
        {DNNL_ARG_WEIGHTS, readable(p->weights + column * weights_column * size),
         matrix(p->k, columns, weights_row, weights_column)},
        {DNNL_ARG_DST, p->dst + row * p->n + column, matrix(rows, columns, p->n, 1)},
        {DNNL_ARG_BIAS, NULL, matrix(1, columns, columns, 1)}};
    arguments[0].layout.bf16 = arguments[1].layout.bf16 = (p->kind & BF16) != 0;
    if (p->bias != NULL)
        arguments[3].data = readable(p->bias + column);
    return execute(onednn, p->primitive, arguments, p->bias != NULL ? 4 : 3);
}

/* A block's rows or columns: `count` from `first` on, then the last `again` up to `end` again. */
typedef struct span {
    int64_t first, count, again, end;
} span;

/* The number of blocks: `length` long each, but the last has at least what the kernel takes. */
static int64_t count_blocks(int64_t end, int64_t length, int64_t kernel) {
    int64_t whole = end / length;
    return whole == 0 || end % length >= kernel ? whole + 1 : whole;
}

/* Block `index` of `blocks`. */
static span span_of(int64_t index, int64_t blocks, int64_t length, int64_t end, int64_t kernel,
                    int64_t kernel_left) {
    span s = {.first = index * length, .count = length, .end = end};
    if (index < blocks - 1)
        return s;
    int64_t left = end % kernel;
    s.count = end - s.first;
    if (left > 0 && left < kernel_left && end > kernel) {
        s.count -= left;
        s.again = kernel;
    }
    return s;
}

static alterrec_status run_block(ar_onednn *onednn, const product *p, span rows, span columns) {
    for (int r = 0; r < (rows.again > 0 ? 2 : 1); r++)
        for (int c = 0; c < (columns.again > 0 ? 2 : 1); c++)
            AR_TRY(run_part(onednn, p, r == 0 ? rows.first : rows.end - rows.again,
                            r == 0 ? rows.count : rows.again,
                            c == 0 ? columns.first : columns.end - columns.again,
                            c == 0 ? columns.count : columns.again));
    return ALTERREC_OK;
}

/* The kernels for AVX2 sum a few rows, or columns, that are left over in another order than whole
 * groups; how many are left depends on how many there are, and on how oneDNN shares them out to
 * threads. Here a block is one thread's, few are never left: the last whole group is computed again
 * instead. So a row keeps its bits, as with AVX-512 (docs/internals/products.md). */
static alterrec_status run_in_blocks(ar_onednn *onednn, const product *p) {
    int64_t row_blocks = count_blocks(p->m, BLOCK_ROWS, KERNEL_ROWS);
    int64_t column_blocks = count_blocks(p->n, BLOCK_COLUMNS, KERNEL_COLUMNS);
    int64_t blocks = row_blocks * column_blocks;
    int threads = ar_threads_count();
    alterrec_status status = ALTERREC_OK;
    if (blocks == 1)
        omp_set_num_threads(1);
#pragma omp parallel for if (blocks > 1)
    for (int64_t block = 0; block < blocks; block++) {
        span rows = span_of(block % row_blocks, row_blocks, BLOCK_ROWS, p->m, KERNEL_ROWS,
                            KERNEL_ROWS_LEFT);
        span columns = span_of(block / row_blocks, column_blocks, BLOCK_COLUMNS, p->n,
                               KERNEL_COLUMNS, KERNEL_COLUMNS_LEFT);
        alterrec_status one = run_block(onednn, p, rows, columns);
        if (one != ALTERREC_OK) {
#pragma omp atomic write
            status = one;
        }
    }
    if (blocks == 1)
        omp_set_num_threads(threads);
    return status == ALTERREC_OK ? status : ar_fail(status, "oneDNN: a product failed");
}

/* Of the operands that ar_matmul documents, both f32 or, as `kind` says, both bf16. */
static alterrec_status multiply(ar_onednn *onednn, float *dst, const void *src, const void *weights,
                                const float *bias, int64_t m, int64_t n, int64_t k, int kind) {
    kind |= bias != NULL ? BIAS : 0;
    if (onednn->matmuls[kind] == NULL)
        AR_TRY(make_matmul(onednn, kind));
    product p = {dst, src, weights, bias, m, n, k, kind, onednn->matmuls[kind]};
    if (onednn->in_blocks && m >= AR_PRODUCT_ROWS && (kind & AR_ACCUMULATE) == 0)
        return run_in_blocks(onednn, &p);
    return run_part(onednn, &p, 0, m, 0, n);
}

alterrec_status ar_matmul(ar_onednn *onednn, float *dst, const float *src, const float *weights,
                          const float *bias, int64_t m, int64_t n, int64_t k, int flags) {
    return ar_matmul_of(onednn, dst, (ar_operand){.values = src}, (ar_operand){.values = weights},
                        bias, m, n, k, flags);
}

/* The operand's `count` numbers rounded, in `room` unless they are already. */
static alterrec_status round_operand(const ar_bf16 **rounded, ar_rounded *room, ar_operand operand,
                                     int64_t count) {
    *rounded = operand.rounded;
    if (operand.rounded != NULL)
        return ALTERREC_OK;
    AR_TRY(ar_rounded_fill(room, operand.values, count));
    *rounded = room->values;
    return ALTERREC_OK;
}

alterrec_status ar_matmul_of(ar_onednn *onednn, float *dst, ar_operand src, ar_operand weights,
                             const float *bias, int64_t m, int64_t n, int64_t k, int flags) {
    const ar_bf16 *rounded_src, *rounded_weights;
    if (!onednn->use_bf16 && src.rounded == NULL && weights.rounded == NULL)
        return multiply(onednn, dst, src.values, weights.values, bias, m, n, k, flags);
    AR_TRY(round_operand(&rounded_src, &onednn->src, src, m * k));
    AR_TRY(round_operand(&rounded_weights, &onednn->weights, weights, k * n));
    return multiply(onednn, dst, rounded_src, rounded_weights, bias, m, n, k, flags | BF16);
}

alterrec_status ar_onednn_check_bf16(const char *option) {
    return has(dnnl_cpu_isa_avx512_core_bf16)
               ? ALTERREC_OK
               : ar_fail(ALTERREC_ERROR_UNSUPPORTED,
                         "%s bf16: this processor has no products of bf16 numbers (%s)", option,
                         ar_onednn_info());
}

alterrec_status ar_onednn_use_bf16(ar_onednn *onednn, bool use) {
    if (use)
        AR_TRY(ar_onednn_check_bf16("compute.precision"));
    onednn->use_bf16 = use;
    return ALTERREC_OK;
}
