#include "serve/recommender.h"

#include "core/memory.h"
#include "core/threads.h"
#include "data/config.h"
#include "model/fusion.h"
#include "model/model.h"

#include <string.h>

static alterrec_status take_all(alterrec_config *fixed, const alterrec_config *config) {
    if (!ar_config_is_auto(config, "fusion.alpha")) /* else the model's own stays */
        AR_TRY(ar_config_take(fixed, config, "fusion.alpha"));
    AR_TRY(ar_config_take(fixed, config, "compute.threads"));
    AR_TRY(ar_config_take(fixed, config, "serve.precision"));
    AR_TRY(ar_config_take(fixed, config, "serve.encoder"));
    return ar_config_is_auto(fixed, "fusion.alpha")
               ? alterrec_config_set(fixed, "fusion.alpha", "0.5") /* nothing was chosen for it */
               : ALTERREC_OK;
}

/* The model's options `own` with those of serving that have been set in `config` (NULL: none);
 * fusion.alpha is the number that holds. */
static alterrec_status fix_config(alterrec_config **fixed, const alterrec_config *own,
                                  const alterrec_config *config) {
    AR_TRY(alterrec_config_clone(fixed, own));
    alterrec_status status = take_all(*fixed, config);
    if (status != ALTERREC_OK)
        alterrec_config_free(*fixed);
    return status;
}

alterrec_status ar_recommender_create_empty(alterrec_recommender **recommender,
                                            alterrec_config *config) {
    alterrec_recommender *made = ar_new(1, sizeof *made);
    if (made == NULL) {
        alterrec_config_free(config);
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    }
    made->config = config;
    made->threads = ar_config_int(config, "compute.threads");
    made->alpha = (float)ar_fusion_alpha(config, NULL);
    alterrec_status status = ar_model_shape(&made->shape, config);
    if (status != ALTERREC_OK) {
        alterrec_recommender_free(made);
        return status;
    }
    *recommender = made;
    return ALTERREC_OK;
}

alterrec_status ar_recommender_index_shape(ar_index_shape *shape,
                                           const alterrec_recommender *recommender,
                                           const float *scales) {
    static const ar_index_precision precisions[] = {AR_INDEX_F32, AR_INDEX_BF16, AR_INDEX_INT8};
    *shape = (ar_index_shape){
        .precision = precisions[ar_config_choice(recommender->config, "serve.precision")],
        .towers = recommender->tower_count,
        .items = recommender->items,
        .dim = recommender->shape.dim,
        .alpha = recommender->alpha};
    for (int t = 0; t < recommender->tower_count; t++)
        shape->scales[t] = scales[t];
    return ALTERREC_OK;
}

/* Where things stand in a tower's block. The layout is one of pointers that training writes
 * through; serving reads. */
static ar_encoder_weights weights_of(const alterrec_recommender *recommender, int tower) {
    float *block = (float *)(uintptr_t)recommender->towers[tower].block;
    return ar_encoder_weights_at(block, &recommender->shape);
}

alterrec_status ar_recommender_pack_encoders(alterrec_recommender *recommender) {
    ar_encoder_weights weights[AR_RECOMMENDER_MOST_TOWERS];
    const ar_encoder_weights *towers[AR_RECOMMENDER_MOST_TOWERS];
    for (int t = 0; t < recommender->tower_count; t++) {
        weights[t] = weights_of(recommender, t);
        towers[t] = &weights[t];
    }
    AR_TRY(ar_scratch_pool_create(&recommender->pool));
    return ar_session_encoder_create(
        &recommender->encoder, towers, recommender->tower_count, &recommender->shape,
        (ar_weight_format)ar_config_choice(recommender->config, "serve.encoder"));
}

static alterrec_status copy_encoder(alterrec_recommender *recommender, const alterrec_model *model,
                                    int tower, int kind) {
    int64_t count = ar_encoder_weights_count(&model->shape);
    float *block;
    AR_NEW(block, count);
    memcpy(block, ar_model_tower(model, kind)->weights.encoder.position,
           (size_t)count * sizeof *block);
    recommender->towers[tower].owned = block;
    recommender->towers[tower].block = block;
    return ALTERREC_OK;
}

/* What is made on the way to an index. */
typedef struct tables {
    ar_onednn *onednn;
    float *tables[AR_RECOMMENDER_MOST_TOWERS]; /* [items, dim] */
    float *norms;                              /* [2, width]: the last norms' scales and shifts */
    float scales[AR_RECOMMENDER_MOST_TOWERS];
} tables;

static void tables_free(tables *made) {
    ar_onednn_free(made->onednn);
    for (int t = 0; t < AR_RECOMMENDER_MOST_TOWERS; t++)
        ar_free(made->tables[t]);
    ar_free(made->norms);
}

static alterrec_status fill_tower(tables *made, alterrec_recommender *recommender,
                                  const alterrec_model *model, int tower, int kind) {
    int64_t dim = model->shape.dim, width = recommender->tower_count * dim;
    AR_TRY(copy_encoder(recommender, model, tower, kind));
    ar_encoder_weights weights = weights_of(recommender, tower);
    const ar_norm *last = &weights.blocks[model->shape.blocks - 1].feed_forward_norm;
    memcpy(made->norms + tower * dim, last->scale, (size_t)dim * sizeof *made->norms);
    memcpy(made->norms + width + tower * dim, last->shift, (size_t)dim * sizeof *made->norms);
    made->scales[tower] = ar_model_score_scale(model, kind);
    AR_NEW(made->tables[tower], recommender->items * dim);
    return ar_model_table(made->tables[tower], made->onednn, model, kind);
}

static alterrec_status fill(tables *made, alterrec_recommender *recommender,
                            const alterrec_model *model) {
    int64_t width = recommender->tower_count * model->shape.dim;
    AR_TRY(ar_onednn_create(&made->onednn));
    AR_NEW(made->norms, 2 * width);
    AR_TRY(fill_tower(made, recommender, model, 0, ar_model_first_kind(model)));
    if (recommender->tower_count == 2)
        AR_TRY(fill_tower(made, recommender, model, 1, ALTERREC_TEXT));
    AR_TRY(ar_recommender_pack_encoders(recommender));
    ar_index_shape shape;
    AR_TRY(ar_recommender_index_shape(&shape, recommender, made->scales));
    return ar_item_index_build(&recommender->index, &shape, (const float *const *)made->tables,
                               made->norms, made->norms + width, ar_threads_count());
}

alterrec_status alterrec_recommender_create(alterrec_recommender **recommender,
                                            const alterrec_model *model,
                                            const alterrec_config *config) {
    AR_NOT_NULL(recommender);
    *recommender = NULL;
    AR_NOT_NULL(model);
    alterrec_config *fixed;
    alterrec_recommender *made;
    AR_TRY(fix_config(&fixed, model->config, config));
    AR_TRY(ar_recommender_create_empty(&made, fixed));
    made->shape = model->shape;
    made->catalog = ar_catalog_hold(model->catalog);
    made->items = model->catalog->items;
    made->tower_count = model->has_text ? 2 : 1;
    made->is_joint = model->is_joint;
    tables towers = {0};
    int previous = ar_threads_enter(made->threads);
    alterrec_status status = fill(&towers, made, model);
    ar_threads_leave(previous);
    tables_free(&towers);
    if (status != ALTERREC_OK) {
        alterrec_recommender_free(made);
        return status;
    }
    *recommender = made;
    return ALTERREC_OK;
}

alterrec_recommender *alterrec_recommender_hold(const alterrec_recommender *recommender) {
    /* Holding changes nothing that a reader of the handle could see. */
    alterrec_recommender *held = (alterrec_recommender *)(uintptr_t)recommender;
    if (held != NULL)
        ar_reference_take(&held->reference);
    return held;
}

void alterrec_recommender_free(alterrec_recommender *recommender) {
    if (recommender == NULL || !ar_reference_drop(&recommender->reference))
        return;
    for (int i = 0; i < AR_RECOMMENDER_MOST_TOWERS; i++)
        ar_free(recommender->towers[i].owned);
    ar_session_encoder_free(&recommender->encoder);
    ar_scratch_pool_free(recommender->pool);
    ar_item_index_free(&recommender->index);
    alterrec_config_free(recommender->config);
    ar_shared_map_free(recommender->map);
    alterrec_catalog_free(recommender->catalog);
    ar_free(recommender);
}

const alterrec_catalog *alterrec_recommender_catalog(const alterrec_recommender *recommender) {
    return recommender != NULL ? recommender->catalog : NULL;
}
