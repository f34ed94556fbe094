#include "nn/onednn_api.h"

#include <stddef.h>

static dnnl_data_type_t type_of(const ar_layout *layout) {
    return layout->bf16 ? dnnl_bf16 : dnnl_f32;
}

#if DNNL_VERSION_MAJOR >= 3

enum { MOST = 4 };

/* Descriptors of `count` layouts (NULL: a NULL descriptor). On an error those that were made are
 * left to `forget`, too. */
static dnnl_status_t describe(dnnl_memory_desc_t descs[MOST], const ar_layout *const layouts[MOST],
                              int count) {
    dnnl_status_t status = dnnl_success;
    for (int i = 0; i < MOST; i++)
        descs[i] = NULL;
    for (int i = 0; i < count && status == dnnl_success; i++)
        if (layouts[i] != NULL)
            status =
                dnnl_memory_desc_create_with_strides(&descs[i], layouts[i]->dims, layouts[i]->sizes,
                                                     type_of(layouts[i]), layouts[i]->strides);
    return status;
}

static void forget(dnnl_memory_desc_t descs[MOST]) {
    for (int i = 0; i < MOST; i++)
        if (descs[i] != NULL)
            (void)dnnl_memory_desc_destroy(descs[i]);
}

dnnl_status_t ar_dnnl_memory(dnnl_memory_t *memory, const ar_layout *layout, dnnl_engine_t engine,
                             void *data) {
    dnnl_memory_desc_t descs[MOST];
    dnnl_status_t status = describe(descs, (const ar_layout *const[MOST]){layout}, 1);
    if (status == dnnl_success)
        status = dnnl_memory_create(memory, descs[0], engine, data);
    forget(descs);
    return status;
}

dnnl_status_t ar_dnnl_matmul(dnnl_primitive_desc_t *desc, dnnl_engine_t engine,
                             const ar_layout *src, const ar_layout *weights, const ar_layout *bias,
                             const ar_layout *dst, const_dnnl_primitive_attr_t attributes) {
    dnnl_memory_desc_t descs[MOST];
    dnnl_status_t status =
        describe(descs, (const ar_layout *const[MOST]){src, weights, bias, dst}, 4);
    if (status == dnnl_success)
        status = dnnl_matmul_primitive_desc_create(desc, engine, descs[0], descs[1], descs[2],
                                                   descs[3], attributes);
    forget(descs);
    return status;
}

dnnl_status_t ar_dnnl_append_sum(dnnl_post_ops_t post_ops) {
    return dnnl_post_ops_append_sum(post_ops, 1.0f, 0, dnnl_data_type_undef);
}

dnnl_status_t ar_dnnl_append_eltwise(dnnl_post_ops_t post_ops, dnnl_alg_kind_t function,
                                     float alpha) {
    return dnnl_post_ops_append_eltwise(post_ops, function, alpha, 0.0f);
}

#else /* 2.6 */

static dnnl_status_t describe(dnnl_memory_desc_t *desc, const ar_layout *layout) {
    return dnnl_memory_desc_init_by_strides(desc, layout->dims, layout->sizes, type_of(layout),
                                            layout->strides);
}

dnnl_status_t ar_dnnl_memory(dnnl_memory_t *memory, const ar_layout *layout, dnnl_engine_t engine,
                             void *data) {
    dnnl_memory_desc_t desc;
    dnnl_status_t status = describe(&desc, layout);
    return status != dnnl_success ? status : dnnl_memory_create(memory, &desc, engine, data);
}

dnnl_status_t ar_dnnl_matmul(dnnl_primitive_desc_t *desc, dnnl_engine_t engine,
                             const ar_layout *src, const ar_layout *weights, const ar_layout *bias,
                             const ar_layout *dst, const_dnnl_primitive_attr_t attributes) {
    dnnl_memory_desc_t descs[4];
    dnnl_matmul_desc_t operation;
    dnnl_status_t status = describe(&descs[0], src);
    if (status == dnnl_success)
        status = describe(&descs[1], weights);
    if (status == dnnl_success && bias != NULL)
        status = describe(&descs[2], bias);
    if (status == dnnl_success)
        status = describe(&descs[3], dst);
    if (status == dnnl_success)
        status = dnnl_matmul_desc_init(&operation, &descs[0], &descs[1],
                                       bias != NULL ? &descs[2] : NULL, &descs[3]);
    if (status == dnnl_success)
        status = dnnl_primitive_desc_create(desc, &operation, attributes, engine, NULL);
    return status;
}

dnnl_status_t ar_dnnl_append_sum(dnnl_post_ops_t post_ops) {
    return dnnl_post_ops_append_sum(post_ops, 1.0f);
}

dnnl_status_t ar_dnnl_append_eltwise(dnnl_post_ops_t post_ops, dnnl_alg_kind_t function,
                                     float alpha) {
    return dnnl_post_ops_append_eltwise(post_ops, 1.0f, function, alpha, 0.0f);
}

#endif
