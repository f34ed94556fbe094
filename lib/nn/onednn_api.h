/* What oneDNN calls by other names in 2.6 and in 3.x, by one name here. Level: nn; for onednn.c,
 * and for the benchmark that measures oneDNN itself.
 *
 * In 2.6 a memory descriptor is a struct and a primitive descriptor is made of an operation
 * descriptor; in 3.x a memory descriptor is a handle to be destroyed and an operation descriptor
 * does not exist. Here both are made of a layout, a plain struct that nobody has to release. */
#ifndef AR_NN_ONEDNN_API_H
#define AR_NN_ONEDNN_API_H

#include <dnnl.h>
#include <stdbool.h>

#if DNNL_VERSION_MAJOR < 2 || (DNNL_VERSION_MAJOR == 2 && DNNL_VERSION_MINOR < 6)
#error "oneDNN 2.6 or later is needed"
#endif

/* An array: its elements, its sizes, and how many elements apart neighbours stand along each of
 * them. */
typedef struct ar_layout {
    int dims;
    dnnl_dims_t sizes;
    dnnl_dims_t strides;
    bool bf16; /* instead of f32 */
} ar_layout;

/* A descriptor that oneDNN hands out to be read. */
#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t ar_dnnl_desc;
#else
typedef const dnnl_memory_desc_t *ar_dnnl_desc;
#endif

/* Memory over `data`, which is not copied. */
dnnl_status_t ar_dnnl_memory(dnnl_memory_t *memory, const ar_layout *layout, dnnl_engine_t engine,
                             void *data);

/* dst = src · weights (+ bias, NULL: none). */
dnnl_status_t ar_dnnl_matmul(dnnl_primitive_desc_t *desc, dnnl_engine_t engine,
                             const ar_layout *src, const ar_layout *weights, const ar_layout *bias,
                             const ar_layout *dst, const_dnnl_primitive_attr_t attributes);

/* Post-operations: the sum with what dst held; an elementwise function of the result. */
dnnl_status_t ar_dnnl_append_sum(dnnl_post_ops_t post_ops);
dnnl_status_t ar_dnnl_append_eltwise(dnnl_post_ops_t post_ops, dnnl_alg_kind_t function,
                                     float alpha);

#endif
